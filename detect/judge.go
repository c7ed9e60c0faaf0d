// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/detect/source"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// Judge judges records one by one. It is for one goroutine, and reuses its memory.
type Judge struct {
	book    *Book
	matcher *sigma.Matcher
	tape    jsontape.Tape
	sources []sigma.LogSource
	view    func(raw []byte, family event.Family) []byte
	raw     []byte
	family  event.Family
	ocsf    []byte                    // of the record under judgment, if it was asked for
	ask     func(layer string) []byte // layer, bound once
	copied  map[string][][]byte       // by path: the record's values that correlations have asked for
}

// NewJudge returns a judge by the book. view makes the OCSF event of a record, as JSON; it is
// called only for records for which a rule asks for it, and what it returns is good until its
// next call.
func (b *Book) NewJudge(view func(raw []byte, family event.Family) []byte) *Judge {
	j := &Judge{book: b, matcher: b.Program.Matcher(), view: view, copied: map[string][][]byte{}}
	j.ask = j.layer
	return j
}

// Found is a rule that a record has matched.
type Found struct {
	Rule   string   // Key
	Why    []Reason // if the rule alerts on its own
	values [][][]byte
}

// Record judges one record and appends what it has found. A record that is not JSON matches
// nothing.
func (j *Judge) Record(raw []byte, family event.Family, dst []Found) []Found {
	if j.tape.Parse(raw) != nil {
		return dst
	}
	j.raw, j.family, j.ocsf = raw, family, nil
	clear(j.copied)
	family, judged := source.Carried(family, j.tape.Root())
	j.sources = source.LogSources(family, judged, j.sources[:0])
	// An error would be of the layer, and what needs none of it has been judged.
	matches, _ := j.matcher.MatchValue(judged, j.sources, j.ask)
	last := ""
	for _, m := range matches {
		key := m.Rule.Key()
		if key == last {
			continue // by another of its conditions
		}
		last = key
		e := j.book.metas[key]
		f := Found{Rule: key}
		if !e.quiet {
			f.Why = j.why(m)
		}
		if e.fed {
			f.values = j.values(j.book.feeds[key])
		}
		dst = append(dst, f)
	}
	return dst
}

// Root is the record that was judged last; it is nothing if that is not JSON.
func (j *Judge) Root() jsontape.Value { return j.tape.Root() }

func (j *Judge) why(m sigma.Match) []Reason {
	var out []Reason
	for _, w := range j.matcher.Why(m) {
		r := Reason{Search: w.Search, Field: w.Field, Value: w.Value}
		if w.Item != nil {
			r.Condition = cut(w.Item.String(), maxCondition)
		}
		out = append(out, r)
	}
	return out
}

// maxCondition is how much of a comparison an alert shows: lists may have thousands of values.
const maxCondition = 512

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

func (j *Judge) layer(string) []byte {
	if j.ocsf == nil {
		j.ocsf = j.view(j.raw, j.family)
	}
	return j.ocsf
}

// values returns what correlations ask of the record.
func (j *Judge) values(f *feed) [][][]byte {
	if f == nil {
		return nil
	}
	out := make([][][]byte, len(f.names))
	for i, paths := range f.paths {
		for _, p := range paths {
			if out[i] = j.at(p); len(out[i]) > 0 {
				break // further paths are other spellings
			}
		}
	}
	return out
}

// at copies the record's values at a path, once for all rules that ask for it.
func (j *Judge) at(path string) [][]byte {
	values, known := j.copied[path]
	if known {
		return values
	}
	if found := j.matcher.Values(path); len(found) > 0 {
		values = make([][]byte, len(found))
		text, from := bytes.Join(found, nil), 0
		for i, v := range found {
			values[i] = text[from : from+len(v) : from+len(v)]
			from += len(v)
		}
	}
	j.copied[path] = values
	return values
}

// KeyOf tells a record apart by what it is: see [correlate.Key]. Who gives it the activity that a record is evidence of
// (normalize.Activity) in the place of its family and id has evidences of one act counted once.
func KeyOf(tenant string, family event.Family, id, raw []byte) (k correlate.Key) {
	h := sha256.New()
	h.Write([]byte(tenant))
	h.Write([]byte{0})
	h.Write([]byte(family))
	h.Write([]byte{0})
	if len(id) > 0 {
		h.Write(id)
	} else {
		h.Write([]byte{1})
		h.Write(raw)
	}
	var sum [sha256.Size]byte
	copy(k[:], h.Sum(sum[:0]))
	return k
}
