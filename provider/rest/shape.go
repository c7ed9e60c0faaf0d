// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import "bytes"

// shape follows the brackets of a JSON text as it passes, to tell one that was cut from
// one that is whole. It takes the text as valid otherwise.
type shape struct {
	depth    int
	begun    bool // something other than white space has passed
	inString bool
	escaped  bool // the last byte was a backslash within a string
}

// closed reports whether every bracket and string is closed again.
func (s *shape) closed() bool { return s.begun && s.depth <= 0 && !s.inString }

func (s *shape) add(p []byte) {
	for len(p) > 0 {
		if s.inString {
			p = s.leaveString(p)
			continue
		}
		// Between strings there are few bytes: colons, commas, numbers.
		i := 0
		for i < len(p) && p[i] != '"' {
			switch p[i] {
			case '[', '{':
				s.depth++
				s.begun = true
			case ']', '}':
				s.depth--
			}
			i++
		}
		if i < len(p) {
			s.inString, s.begun = true, true
			i++
		}
		p = p[i:]
	}
}

// leaveString skips to the end of a string, or of p.
func (s *shape) leaveString(p []byte) []byte {
	if s.escaped {
		s.escaped = false
		return p[1:]
	}
	end := bytes.IndexByte(p, '"')
	if end < 0 {
		end = len(p)
	}
	if i := bytes.IndexByte(p[:end], '\\'); i >= 0 {
		s.escaped = true
		return p[i+1:]
	}
	if end == len(p) {
		return nil
	}
	s.inString = false
	return p[end+1:]
}
