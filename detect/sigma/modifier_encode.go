// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// plain returns a value as text to encode.
func plain(v Value) (string, bool, error) {
	if s, ok := wordOf(v); ok {
		return s, false, nil
	}
	switch v := v.(type) {
	case Text:
		if v.Pattern.wild() {
			return "", false, errors.New("text with wildcards cannot be encoded; escape * and ? with a backslash if they are themselves, and put contains, startswith and endswith behind the encoding")
		}
		return v.Pattern.literalText(), v.Cased, nil
	case Placeholder:
		return "", false, errors.New("a placeholder cannot be encoded before its values are known; put the encoded values into the list")
	}
	return "", false, fmt.Errorf("only text can be encoded, not %s", nameOf(v))
}

func toBase64(c *chain, v Value) ([]Value, error) {
	s, cased, err := plain(v)
	if err != nil {
		return nil, err
	}
	c.p.spend(c.line, pieceRoom+2*len(s))
	return []Value{Text{literal(base64.StdEncoding.EncodeToString([]byte(s))), cased}}, nil
}

// base64Offset returns what base64 makes of the text wherever it begins in a group of three
// bytes, without the characters that depend on its neighbors.
func base64Offset(c *chain, v Value) ([]Value, error) {
	s, cased, err := plain(v)
	if err != nil {
		return nil, err
	}
	if len(s) < 2 {
		return nil, errors.New("base64offset needs at least two characters; of fewer nothing certain is left")
	}
	drop, keep := [3]int{0, 2, 3}, [3]int{0, 3, 2}
	values := make([]Value, 0, 3)
	for offset := range 3 {
		c.p.spend(c.line, pieceRoom+2*len(s))
		b := base64.StdEncoding.EncodeToString(append(make([]byte, offset), s...))
		t := b[drop[offset] : len(b)-keep[(len(s)+offset)%3]]
		values = append(values, Text{literal(t), cased})
	}
	return values, nil
}

func utf16le(s string) string { return encodeUTF16(s, binary.LittleEndian) }
func utf16be(s string) string { return encodeUTF16(s, binary.BigEndian) }

func encodeUTF16(s string, order binary.AppendByteOrder) string {
	b := make([]byte, 0, 2*len(s))
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// encode encodes the text between wildcards, behind a byte order mark if there is one.
func encode(mark string, f func(string) string) func(*chain, Value) ([]Value, error) {
	return func(c *chain, v Value) ([]Value, error) {
		if s, ok := wordOf(v); ok {
			v = Text{Pattern: literal(s)}
		}
		t, ok := v.(Text)
		if !ok {
			_, _, err := plain(v)
			return nil, err
		}
		p := literal(mark)
		for _, piece := range t.Pattern {
			c.p.spend(c.line, pieceRoom+3*len(piece.Text))
			if piece.Wild == Literal {
				piece.Text = f(piece.Text)
			}
			p = append(p, piece)
		}
		if len(p) > 1 && mark != "" && p[1].Wild == Literal {
			p = append(Pattern{{Text: mark + p[1].Text}}, p[2:]...)
		}
		return []Value{Text{p, t.Cased}}, nil
	}
}
