// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

type shape uint8

const (
	equalTo shape = iota
	prefixed
	suffixed
	containing
	anything // of any text, even the empty one
	globbed
)

// textTest is a compiled pattern. Its literals are folded unless it is cased, and what it
// is compared with has to be likewise.
type textTest struct {
	shape shape
	cased bool
	lit   []byte
	// segments of a globbed pattern are what stands between its runs; head and tail say
	// whether the first and the last are anchored.
	segments   [][]Piece
	head, tail bool
}

// newTextTest compiles a pattern; search says that it may match anywhere in the text.
func newTextTest(p Pattern, cased, search bool) textTest {
	t := textTest{cased: cased}
	if search {
		p = append(append(Pattern{{Wild: AnyRun}}, p...), Piece{Wild: AnyRun})
	}
	p = tidyPattern(p, cased)
	run := func(i int) bool { return p[i].Wild == AnyRun }
	text := func(i int) bool { return p[i].Wild == Literal }
	switch n := len(p); {
	case n == 0:
	case n == 1 && text(0):
		t.lit = []byte(p[0].Text)
	case n == 1 && run(0):
		t.shape = anything
	case n == 2 && text(0) && run(1):
		t.shape, t.lit = prefixed, []byte(p[0].Text)
	case n == 2 && run(0) && text(1):
		t.shape, t.lit = suffixed, []byte(p[1].Text)
	case n == 3 && run(0) && text(1) && run(2):
		t.shape, t.lit = containing, []byte(p[1].Text)
	default:
		t.shape, t.head, t.tail = globbed, !run(0), !run(n-1)
		t.segments = splitPattern(p)
	}
	return t
}

// tidyPattern joins literals that follow each other, and runs, and folds.
func tidyPattern(p Pattern, cased bool) Pattern {
	var out Pattern
	for _, piece := range p {
		last := len(out) - 1
		switch {
		case piece.Wild == Literal && piece.Text == "",
			piece.Wild == AnyRun && last >= 0 && out[last].Wild == AnyRun:
		case piece.Wild == Literal && last >= 0 && out[last].Wild == Literal:
			out[last].Text += piece.Text
		default:
			out = append(out, piece)
		}
	}
	if !cased {
		for i := range out {
			out[i].Text = foldString(out[i].Text)
		}
	}
	return out
}

func splitPattern(p Pattern) [][]Piece {
	var segments [][]Piece
	for len(p) > 0 {
		n := 0
		for n < len(p) && p[n].Wild != AnyRun {
			n++
		}
		if n > 0 {
			segments = append(segments, p[:n])
			p = p[n:]
			continue
		}
		p = p[1:]
	}
	return segments
}

// match compares with b, which is folded unless the pattern is cased.
func (t *textTest) match(b []byte) bool {
	switch t.shape {
	case equalTo:
		return bytes.Equal(b, t.lit)
	case prefixed:
		return bytes.HasPrefix(b, t.lit)
	case suffixed:
		return bytes.HasSuffix(b, t.lit)
	case containing:
		return bytes.Contains(b, t.lit)
	case globbed:
		return t.glob(b)
	}
	return true
}

// glob takes the anchored segments off the ends and then finds the others from the left,
// each as early as possible: if there is a way to place them, that is one.
func (t *textTest) glob(b []byte) bool {
	segments := t.segments
	if t.head {
		n := segmentLen(segments[0], b)
		if n < 0 {
			return false
		}
		b, segments = b[n:], segments[1:]
		if len(segments) == 0 {
			return len(b) == 0 || !t.tail
		}
	}
	if t.tail {
		last := len(segments) - 1
		n := segmentLenBack(segments[last], b)
		if n < 0 {
			return false
		}
		b, segments = b[:len(b)-n], segments[:last]
	}
	for _, s := range segments {
		end := findSegment(s, b)
		if end < 0 {
			return false
		}
		b = b[end:]
	}
	return true
}

// segmentLen returns how many bytes of the start of b the segment takes, or -1.
func segmentLen(segment []Piece, b []byte) int {
	i := 0
	for _, p := range segment {
		if p.Wild == AnyOne {
			if i == len(b) {
				return -1
			}
			_, n := utf8.DecodeRune(b[i:])
			i += n
			continue
		}
		if len(b)-i < len(p.Text) || string(b[i:i+len(p.Text)]) != p.Text {
			return -1
		}
		i += len(p.Text)
	}
	return i
}

// segmentLenBack returns how many bytes of the end of b the segment takes, or -1.
func segmentLenBack(segment []Piece, b []byte) int {
	end := len(b)
	for i := len(segment) - 1; i >= 0; i-- {
		p := &segment[i]
		if p.Wild == AnyOne {
			if end == 0 {
				return -1
			}
			_, n := utf8.DecodeLastRune(b[:end])
			end -= n
			continue
		}
		if end < len(p.Text) || string(b[end-len(p.Text):end]) != p.Text {
			return -1
		}
		end -= len(p.Text)
	}
	return len(b) - end
}

// findSegment returns the offset after the first place in b where the segment matches,
// or -1.
func findSegment(segment []Piece, b []byte) int {
	for i := 0; ; {
		if segment[0].Wild == Literal {
			j := strings.Index(stringOf(b[i:]), segment[0].Text)
			if j < 0 {
				return -1
			}
			i += j
		}
		if n := segmentLen(segment, b[i:]); n >= 0 {
			return i + n
		}
		if i == len(b) {
			return -1
		}
		_, n := utf8.DecodeRune(b[i:])
		i += n
	}
}
