// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// table prints columns as wide as the rows seen so far need. It holds a screen
// of rows to learn the widths; after that it streams.
type table struct {
	w      io.Writer
	widths []int
	held   [][]string
	stream bool
}

const (
	heldRows = 200
	maxCell  = 60 // characters of a cell that is not the last of its row
)

func newTable(w io.Writer, names []string) *table {
	t := &table{w: w, widths: make([]int, len(names))}
	head := make([]string, len(names))
	for i, n := range names {
		head[i] = strings.ToUpper(n)
	}
	t.hold(head)
	return t
}

func (t *table) row(cells []string) error {
	for i, c := range cells {
		cells[i] = printable(c, maxCell)
	}
	t.hold(cells)
	if t.stream || len(t.held) > heldRows {
		return t.flush()
	}
	return nil
}

func (t *table) hold(cells []string) {
	for i, c := range cells {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(c))
	}
	t.held = append(t.held, cells)
}

func (t *table) flush() error {
	t.stream = true
	for _, cells := range t.held {
		var b strings.Builder
		for i, c := range cells {
			b.WriteString(c)
			if i < len(cells)-1 {
				b.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(c)+2))
			}
		}
		if _, err := fmt.Fprintln(t.w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	t.held = t.held[:0]
	return nil
}

// printable shortens s and replaces what a terminal would act upon: the text
// comes from whoever wrote the record.
func printable(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == limit-1 && utf8.RuneCountInString(s) > limit {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = '·'
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}
