// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"bytes"
	"fmt"
	"io"
)

// LeftOut is a record that is larger than one may be.
type LeftOut struct {
	Size int64 // bytes
	// Head is an object of those of its members that end within its first 64 KiB.
	Head []byte
}

// maxHead is how much of a record that is left out is looked at.
const maxHead = 64 << 10

// sift reads the rest of an answer of which raw has come. records: objects beyond maxRecord in its list are left out, each with
// a comma beside it.
func sift(b *Body, raw []byte, records bool) ([]byte, []LeftOut, error) {
	s := &sieve{most: maxRecord, kept: raw[:0]}
	s.add(raw)
	chunk, received := make([]byte, bodyBlock), int64(len(raw))
	for {
		n, err := b.Read(chunk)
		received += int64(n)
		if records {
			s.add(chunk[:n])
		} else {
			s.kept = append(s.kept, chunk[:n]...)
		}
		switch {
		case len(s.kept)-s.object() > maxPage:
			return nil, nil, tooLarge(b, fmt.Sprintf("the answer is larger than %d MiB", maxPage>>20))
		case received > maxAnswer:
			return nil, nil, tooLarge(b, fmt.Sprintf("the answer does not end after %d MiB", maxAnswer>>20))
		case err == io.EOF:
			return s.kept, s.left, nil
		case err != nil:
			return nil, nil, err
		}
	}
}

// sieve follows the structure of a JSON text, and keeps all of it but large objects in its list: the array that it is, or one
// that a member of it is. Of a text that is not JSON, what it keeps is neither.
type sieve struct {
	most int64 // bytes of an object that is kept
	kept []byte
	left []LeftOut

	depth   int
	kinds   [2]byte // of the outermost arrays and objects: '[' or '{'
	quoted  bool    // in a string
	escaped bool    // behind a backslash in it

	inside   bool  // an object of the list
	outer    int   // the depth around it
	start    int   // where it is in kept
	size     int64 // how much of it has come
	whole    int   // what of its head is whole members, from start
	dropping bool
	first    bool // an object was left out at the list's beginning: the comma behind it goes, too
}

// object is how much of kept is an object that has not ended: it may yet be left out.
func (s *sieve) object() int {
	if s.inside && !s.dropping {
		return len(s.kept) - s.start
	}
	return 0
}

// listed reports whether the place is between elements of the list.
func (s *sieve) listed() bool {
	return s.depth == 1 && s.kinds[0] == '[' || s.depth == 2 && s.kinds[0] == '{' && s.kinds[1] == '['
}

func (s *sieve) add(p []byte) {
	from := 0 // of what is still to be kept
	for i, c := range p {
		if s.inside {
			s.size++
			if !s.dropping && s.size > s.most {
				s.kept = append(s.kept, p[from:i]...)
				s.drop()
			}
		}
		switch {
		case s.escaped:
			s.escaped = false
		case s.quoted:
			s.escaped, s.quoted = c == '\\', c != '"'
		case c == '"':
			s.quoted = true
		case c == '{' || c == '[':
			if c == '{' && s.listed() {
				s.kept = append(s.kept, p[from:i]...)
				from = i
				s.inside, s.outer, s.start, s.size, s.whole = true, s.depth, len(s.kept), 1, 0
			}
			if s.depth < len(s.kinds) {
				s.kinds[s.depth] = c
			}
			s.depth++
		case c == '}' || c == ']':
			s.depth = max(s.depth-1, 0)
			switch {
			case s.inside && s.depth == s.outer:
				if s.dropping {
					s.left[len(s.left)-1].Size = s.size
					from = i + 1
				}
				s.inside, s.dropping = false, false
			case !s.inside:
				s.first = false
			}
		case c == ',' && s.inside:
			if s.depth == s.outer+1 && s.size <= maxHead {
				s.whole = int(s.size) - 1
			}
		case c == ',' && s.first && s.listed():
			s.kept = append(s.kept, p[from:i]...)
			from, s.first = i+1, false
		}
	}
	if !s.dropping {
		s.kept = append(s.kept, p[from:]...)
	}
}

// drop leaves out the object under way.
func (s *sieve) drop() {
	head := []byte("{}")
	if s.whole > 0 {
		head = append(bytes.Clone(s.kept[s.start:s.start+s.whole]), '}')
	}
	s.left = append(s.left, LeftOut{Head: head})
	before := bytes.TrimRight(s.kept[:s.start], " \t\r\n")
	if before, some := bytes.CutSuffix(before, []byte(",")); some {
		s.kept = before
	} else {
		s.kept, s.first = before, true
	}
	s.dropping = true
}
