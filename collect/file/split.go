// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file

import "bytes"

// Why a piece is not a record.
const (
	notObject = "not a JSON object"
	endless   = "a JSON object that does not end"
	lineBreak = "a JSON object with a line break inside a string"
	tooLong   = "part of something longer than a record may be"
	beside    = "members beside the records of an envelope"
)

const (
	// stride is how much is searched for a line break before it is scanned,
	// so that records that share one long line do not each search all of it.
	stride = 4 << 10
	// lookAhead is how far the first byte of a line is looked for.
	lookAhead = 1 << 10
)

// splitter finds the pieces of JSON text. Its decisions depend on the text
// alone and never on how it was cut into buffers: every method either decides
// or, asked again with more text, decides the same.
type splitter struct {
	within [2]frame // the arrays we are in, outermost first
	depth  int
	tail   bool // after the array of an envelope, before the object's end
	plain  bool // objects are records, whatever they look like
	indent int  // of the line where we are; -1 once something stood on it

	object bool // an object has begun; now says how far it has been read
	lost   bool // skipping to where a record can begin; now says how far
	now    progress

	// strict is set once a record was seen to be one line, or to be broken:
	// from then on a line that begins like a record is one, even within an
	// object.
	strict bool
}

// frame is a kind of array that records are taken from.
type frame uint8

const (
	array    frame = iota + 1
	envelope       // the array is a member of an object
)

// progress is how far an object, or what is lost, has been read. Offsets count
// from its beginning.
type progress struct {
	scan    scanner
	pos     int
	end     int    // of the object, once found
	newline int    // the first line break within it
	parts   bool   // pieces of it have been yielded
	why     string // it is lost
	inline  bool   // what is lost may end on its line
	quoted  bool   // inline: within a string
	escaped bool   // inline: after a backslash
}

// verdict is what a step has come to.
type verdict uint8

const (
	again verdict = iota // nothing to yield, go on
	found                // a piece
	more                 // more text is needed
)

// open reports whether an array has begun and not ended.
func (s *splitter) open() bool { return s.depth > 0 || s.tail }

// next finds the next piece in b, which begins where the last one's used ended.
func (s *splitter) next(b []byte, eof bool, limit int) (token, bool) {
	i := 0
	for {
		t, v := s.step(b[i:], eof, limit)
		if v != again {
			return token{i + t.start, i + t.end, i + t.used, t.why}, v == found
		}
		i += t.used
	}
}

func (s *splitter) step(b []byte, eof bool, limit int) (token, verdict) {
	switch {
	case s.object:
		return s.read(b, eof, limit)
	case s.lost:
		return s.skip(b, eof, limit)
	}
	i := s.separators(b)
	if i == len(b) {
		return token{used: i}, more
	}
	switch c := b[i]; {
	case s.tail:
		s.begin(1)
	case c == ']' && s.depth > 0:
		i++
		s.depth--
		s.tail, s.indent = s.within[s.depth] == envelope, -1
	case c == '[' && s.depth == 0:
		i += s.push(array, 1)
	case c == '{':
		if s.depth < len(s.within) && !s.plain {
			n, v := opening(b[i:], eof)
			if v == more {
				return token{used: i}, more
			} else if n > 0 {
				i += s.push(envelope, n)
				break
			}
		}
		s.begin(0)
	case c == bom[0] && len(b)-i < len(bom) && !eof:
		return token{used: i}, more
	case bytes.HasPrefix(b[i:], bom):
		i += len(bom)
	default:
		s.lost, s.now = true, progress{why: notObject, inline: s.depth > 0}
	}
	return token{used: i}, again
}

func (s *splitter) begin(depth int) {
	s.object, s.now = true, progress{scan: scanner{depth: depth}}
}

func (s *splitter) push(f frame, n int) int {
	s.within[s.depth] = f
	s.depth++
	s.indent = -1
	return n
}

// separators counts the white space and commas at the start of b.
func (s *splitter) separators(b []byte) int {
	for i, c := range b {
		switch c {
		case '\n':
			s.indent = 0
		case ' ', '\t', '\r':
			if s.indent >= 0 {
				s.indent++
			}
		case ',':
			s.indent = -1
		default:
			return i
		}
	}
	return len(b)
}

// read goes on with the object that begins b.
func (s *splitter) read(b []byte, eof bool, limit int) (token, verdict) {
	p := &s.now
	for p.end == 0 {
		stop := min(len(b), p.pos+stride)
		n := bytes.IndexByte(b[p.pos:stop], '\n')
		if n >= 0 {
			stop = p.pos + n
		}
		if end := p.scan.run(b[p.pos:stop]); end >= 0 {
			p.end = p.pos + end
			break
		}
		p.pos = stop
		switch why, v := "", again; {
		case n >= 0:
			if why, v = s.broken(b, eof); v == more {
				return s.part(limit)
			} else if why != "" {
				return s.lose(why, limit)
			}
			if p.newline == 0 {
				p.newline = p.pos
			}
			p.pos++ // a line break means nothing to the scanner
		case p.pos < len(b):
		case !eof:
			return s.part(limit)
		default:
			return s.lose(endless, limit)
		}
	}
	if p.end > limit {
		return s.part(limit)
	}
	if s.tail {
		return s.closing(b[:p.end])
	}
	s.strict = s.strict || p.newline == 0
	return s.finish(p.end, "")
}

// lose gives up the object: its first line, if that can still be told, so that
// records in the rest are found.
func (s *splitter) lose(why string, limit int) (token, verdict) {
	p := &s.now
	if p.newline > 0 && !p.parts && p.pos <= limit {
		p.pos = p.newline
	}
	s.object, s.tail, s.lost, s.strict = false, false, true, true
	s.now = progress{why: why, pos: p.pos, parts: p.parts}
	return token{}, again
}

// broken judges the line break at now.pos, which stands in the object: why the
// object is broken there, or that it takes more text to tell.
func (s *splitter) broken(b []byte, eof bool) (string, verdict) {
	p := &s.now
	if p.scan.str != 0 {
		return lineBreak, again
	}
	if v := s.fresh(b[p.pos+1:], eof); v != found {
		return "", v
	}
	// A record seems to begin here, unless this is an object inside ours in a
	// text that indents nothing.
	if before := bytes.TrimRight(b[:p.pos], " \t\r\n"); s.indent <= 0 && !s.strict && len(before) > 0 {
		switch before[len(before)-1] {
		case '[', ',', ':':
			return "", again
		}
	}
	return endless, again
}

// fresh reports whether a record, or the end of the array, seems to begin a
// line: found if it is indented no more than the record before.
func (s *splitter) fresh(line []byte, eof bool) verdict {
	i := 0
	for i < len(line) && i < lookAhead && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	switch {
	case i == len(line) && !eof && i < lookAhead:
		return more
	case i == len(line) || i > max(s.indent, 0):
		return again
	case line[i] == '{', s.lost && line[i] == ']' && s.depth > 0, s.lost && line[i] == '[' && s.depth == 0:
		return found
	}
	return again
}

// skip goes on with what is lost.
func (s *splitter) skip(b []byte, eof bool, limit int) (token, verdict) {
	p := &s.now
	for {
		if p.inline && s.inline(b) {
			return s.drop(b, p.pos, limit)
		}
		n := bytes.IndexByte(b[p.pos:], '\n')
		if n < 0 {
			p.pos = len(b)
			if eof {
				return s.drop(b, p.pos, limit)
			}
			return s.part(limit)
		}
		p.pos, p.inline = p.pos+n, false
		switch s.fresh(b[p.pos+1:], eof) {
		case found:
			return s.drop(b, p.pos, limit)
		case more:
			return s.part(limit)
		}
		p.pos++
	}
}

// inline looks for the end of what is lost among the elements of an array, up
// to the end of the line.
func (s *splitter) inline(b []byte) bool {
	p := &s.now
	for ; p.pos < len(b) && b[p.pos] != '\n'; p.pos++ {
		switch c := b[p.pos]; {
		case p.escaped:
			p.escaped = false
		case p.quoted && c == '\\':
			p.escaped = true
		case c == '"':
			p.quoted = !p.quoted
		case !p.quoted && (c == '{' || c == ']'):
			return true
		}
	}
	return false
}

// drop yields what is lost, which ends at end.
func (s *splitter) drop(b []byte, end, limit int) (token, verdict) {
	if end > limit {
		return s.part(limit)
	}
	t, v := s.finish(end, s.now.why)
	t.end = len(bytes.TrimRight(b[:end], " \t\r\n,"))
	return t, v
}

// part yields limit bytes of an object or of what is lost that is known to be
// longer, or asks for more text.
func (s *splitter) part(limit int) (token, verdict) {
	p := &s.now
	if p.pos <= limit && p.end <= limit {
		return token{}, more
	}
	p.pos, p.end, p.parts = max(p.pos-limit, 0), max(p.end-limit, 0), true
	return token{0, limit, limit, tooLong}, found
}

// finish yields the object, or what is lost, which ends at end.
func (s *splitter) finish(end int, why string) (token, verdict) {
	if why == "" && s.now.parts {
		why = tooLong
	}
	s.object, s.lost, s.indent, s.now = false, false, -1, progress{}
	return token{0, end, end, why}, found
}
