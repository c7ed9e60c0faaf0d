// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error is a mistake in a query and its place.
type Error struct {
	Query string
	Pos   int // byte offset into Query, at most its length
	Msg   string
}

// Error returns one line: the character's number, counted from 1, and what is
// wrong there.
func (e *Error) Error() string {
	return fmt.Sprintf("query, character %d: %s", utf8.RuneCountInString(e.Query[:e.Pos])+1, e.Msg)
}

// Caret returns the line of the query that holds the mistake and below it a
// line with a caret under the character, both ending in a newline. Characters
// that a terminal would act upon are shown as dots.
func (e *Error) Caret() string {
	start := strings.LastIndexByte(e.Query[:e.Pos], '\n') + 1
	line, _, _ := strings.Cut(e.Query[start:], "\n")
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return '.'
		}
		return r
	}, line)
	return clean + "\n" + strings.Repeat(" ", utf8.RuneCountInString(e.Query[start:e.Pos])) + "^\n"
}

// nearest returns the candidate that looks most like name, or "" if none comes
// close: at most one edit in three characters, and at most two.
func nearest(name string, candidates []string) string {
	best, limit := "", min(2, max(1, len(name)/3))
	for _, c := range candidates {
		if d := distance(name, c); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// distance is the number of insertions, deletions and changes of a byte, and
// exchanges of neighbors, that lead from a to b.
func distance(a, b string) int {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
