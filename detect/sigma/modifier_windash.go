// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"fmt"
	"maps"
	"unicode"
	"unicode/utf8"
)

// The dashes that Windows programs take for one another before an option.
var dashes = []string{"-", "/", "–", "—", "―"}

// maxDashes is how many dashes of one value are varied: 5 to its power are the variants.
const maxDashes = 5

// windash varies each - or / that stands at the start of a word: before it is no letter,
// digit or underscore, behind it is one.
func windash(c *chain, v Value) ([]Value, error) {
	if s, ok := wordOf(v); ok {
		v = Text{Pattern: literal(s)}
	}
	var pattern Pattern
	var names map[int]string
	switch v := v.(type) {
	case Text:
		pattern = v.Pattern
	case Placeholder:
		if !v.Regexp {
			pattern, names = v.Pattern, v.Names
			break
		}
		return nil, errors.New("windash needs text, not a regular expression")
	default:
		return nil, fmt.Errorf("windash needs text, not %s", nameOf(v))
	}
	patterns, err := dashVariants(c, pattern, names)
	if err != nil {
		return nil, err
	}
	values := make([]Value, len(patterns))
	for i, q := range patterns {
		switch v := v.(type) {
		case Text:
			values[i] = Text{Pattern: q, Cased: v.Cased}
		case Placeholder:
			v.Pattern, v.Names = q, maps.Clone(v.Names)
			values[i] = v
		}
	}
	return values, nil
}

func dashVariants(c *chain, p Pattern, names map[int]string) ([]Pattern, error) {
	variants := []Pattern{nil}
	found := 0
	for i, piece := range p {
		_, isName := names[i]
		places := dashPlaces(piece.Text)
		if isName || piece.Wild != Literal || len(places) == 0 {
			for j := range variants {
				variants[j] = append(variants[j], piece)
			}
			continue
		}
		if found += len(places); found > maxDashes {
			return nil, fmt.Errorf("windash would make %d variants of each value for each of more than %d dashes; write several values with fewer", len(dashes), maxDashes)
		}
		texts := []string{""}
		from := 0
		for _, at := range places {
			next := make([]string, 0, len(texts)*len(dashes))
			for _, t := range texts {
				for _, d := range dashes {
					c.p.spend(c.line, nodeRoom+at)
					next = append(next, t+piece.Text[from:at]+d)
				}
			}
			texts, from = next, at+1
		}
		next := make([]Pattern, 0, len(variants)*len(texts))
		for _, q := range variants {
			for _, t := range texts {
				c.p.spend(c.line, pieceRoom*(len(q)+1)+len(piece.Text))
				next = append(next, append(q[:len(q):len(q)], Piece{Text: t + piece.Text[from:]}))
			}
		}
		variants = next
	}
	c.p.spend(c.line, pieceRoom*len(p)*(len(variants)-1))
	return variants, nil
}

func dashPlaces(s string) []int {
	var places []int
	for i := 0; i < len(s); i++ {
		if s[i] != '-' && s[i] != '/' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		behind, _ := utf8.DecodeRuneInString(s[i+1:])
		if (i == 0 || !isWord(before)) && i+1 < len(s) && isWord(behind) {
			places = append(places, i)
		}
	}
	return places
}

func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
}
