// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file

import "bytes"

// maxOpening is how many bytes may stand before the array of an envelope.
const maxOpening = 64 << 10

var bom = []byte("\xef\xbb\xbf")

// opening returns the length of the start of an envelope up to and including
// the bracket of its array, 0 if the object that begins b is none, or asks for
// more. An envelope is an object whose first member is an array of objects
// named records (Azure Monitor) or Records (AWS CloudTrail), or named value
// after nothing but OData annotations (Microsoft Graph, OData JSON Format 4.01
// section 4.5).
func opening(b []byte, eof bool) (int, verdict) {
	undecided := more
	if eof || len(b) > maxOpening {
		undecided = again
	}
	i := 1
	for first := true; ; first = false {
		name, n := member(b[i:])
		switch {
		case n == 0:
			return 0, again
		case n < 0:
			return 0, undecided
		}
		i += n
		switch {
		case first && (string(name) == "records" || string(name) == "Records"), !first && string(name) == "value":
			return elements(b, i, undecided)
		case !bytes.HasPrefix(name, []byte("@odata.")):
			return 0, again
		}
		if i == len(b) {
			return 0, undecided
		}
		if b[i] != '"' {
			return 0, again
		}
		end := bytes.IndexByte(b[i+1:], '"')
		if end < 0 {
			return 0, undecided
		}
		i = skipBlanks(b, i+1+end+1)
		if i == len(b) {
			return 0, undecided
		}
		if b[i] != ',' {
			return 0, again
		}
		i++
	}
}

// member reads a member's name and its colon and what is blank around them. It
// returns 0 if b begins differently, -1 if it ends before that is clear.
func member(b []byte) ([]byte, int) {
	i := skipBlanks(b, 0)
	if i == len(b) {
		return nil, -1
	}
	if b[i] != '"' {
		return nil, 0
	}
	end := bytes.IndexByte(b[i+1:min(len(b), i+1+128)], '"')
	if end < 0 {
		if len(b) > i+128 {
			return nil, 0
		}
		return nil, -1
	}
	name := b[i+1 : i+1+end]
	i = skipBlanks(b, i+1+end+1)
	if i == len(b) {
		return name, -1
	}
	if b[i] != ':' {
		return nil, 0
	}
	return name, skipBlanks(b, i+1)
}

// elements returns the offset after the bracket at i if what follows is an
// object or the end of the array.
func elements(b []byte, i int, undecided verdict) (int, verdict) {
	if i == len(b) {
		return 0, undecided
	}
	if b[i] != '[' {
		return 0, again
	}
	switch j := skipBlanks(b, i+1); {
	case j == len(b):
		return 0, undecided
	case b[j] == '{', b[j] == ']':
		return i + 1, again
	}
	return 0, again
}

func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\r' || b[i] == '\n') {
		i++
	}
	return i
}

// closing ends an envelope with what stood between its array and its end. Other
// members than OData's annotations are not ours to drop.
func (s *splitter) closing(b []byte) (token, verdict) {
	s.tail = false
	t, _ := s.finish(len(b), beside)
	if b[0] == '}' || bytes.HasPrefix(b, []byte(`"@odata.`)) {
		return t, again
	}
	return t, found
}
