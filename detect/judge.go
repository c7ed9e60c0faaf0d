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

// View makes the OCSF event of a record, as JSON that is good until its next call. root is the record, raw its text.
type View func(raw []byte, root jsontape.Value, family event.Family) []byte

// Judge judges records one by one. It is for one goroutine, and reuses its memory.
type Judge struct {
	book    *Book
	matcher *sigma.Matcher
	tape    jsontape.Tape
	sources []sigma.LogSource
	view    View
	raw     []byte
	root    jsontape.Value
	family  event.Family
	ocsf    []byte                    // of the record under judgment, if it was asked for
	ask     func(layer string) []byte // layer, bound once
	copies  []copied                  // by field: the record's values that correlations have asked for
	number  uint64                    // of the record
}

// copied are a record's values of a field.
type copied struct {
	number uint64 // of the record
	values [][]byte
}

// NewJudge returns a judge by the book. view is called only for records for which a rule asks for
// the OCSF event.
func (b *Book) NewJudge(view View) *Judge {
	j := &Judge{book: b, matcher: b.Program.Matcher(), view: view}
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
		j.root = jsontape.Value{}
		return dst
	}
	return j.Parsed(raw, j.tape.Root(), family, dst)
}

// Parsed is Record for a record that has been read already: root, or nothing if it is not JSON.
func (j *Judge) Parsed(raw []byte, root jsontape.Value, family event.Family, dst []Found) []Found {
	if j.root = root; !root.Exists() {
		return dst
	}
	j.raw, j.family, j.ocsf = raw, family, nil
	j.number++
	family, judged := source.Carried(family, root)
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
func (j *Judge) Root() jsontape.Value { return j.root }

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
		j.ocsf = j.view(j.raw, j.root, j.family)
	}
	return j.ocsf
}

// values returns what correlations ask of the record.
func (j *Judge) values(f *feed) [][][]byte {
	if f == nil {
		return nil
	}
	out := make([][][]byte, len(f.names))
	for i, fields := range f.fields {
		for _, field := range fields {
			if out[i] = j.at(field); len(out[i]) > 0 {
				break // further fields are other spellings
			}
		}
	}
	return out
}

// at copies the record's values of a field, once for all rules that ask for it.
func (j *Judge) at(field sigma.Field) [][]byte {
	if int(field) >= len(j.copies) {
		j.copies = append(j.copies, make([]copied, int(field)+1-len(j.copies))...)
	}
	c := &j.copies[field]
	if c.number == j.number {
		return c.values
	}
	*c = copied{number: j.number}
	if found := j.matcher.Values(field); len(found) > 0 {
		c.values = make([][]byte, len(found))
		text, from := bytes.Join(found, nil), 0
		for i, v := range found {
			c.values[i] = text[from : from+len(v) : from+len(v)]
			from += len(v)
		}
	}
	return c.values
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
