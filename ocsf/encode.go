// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"slices"
	"strconv"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// AppendJSON fits the event and appends it as one line of valid JSON, without
// the line's end. Equal events give equal bytes. Beside the attributes it
// writes what follows from them:
//
//   - class, category, activity, type and their names; an activity that is
//     Other is named by activity_name, api.operation or metadata.event_code;
//   - severity_id 1, Informational, where none is set; time, 0 if not known;
//   - metadata.version, and metadata.profiles as the attributes need;
//   - the caption beside each id, where the mapping has not set the vendor's;
//   - required attributes that are missing, as "Unknown", 0 or the like;
//   - observables; and unmapped with what fits nowhere.
func (e *Event) AppendJSON(dst []byte) []byte {
	e.Fit()
	if e.Whole != nil {
		return jsontape.AppendClean(dst, e.Whole)
	}
	t := loadTables()
	w := writer{e: e, t: t, ct: t.class(e.Class), dst: dst, obs: e.obs[:0]}
	w.head()
	w.attributes()
	w.fillTop()
	w.observables()
	w.unmapped()
	e.obs = w.obs
	return append(w.dst, '}')
}

// writer writes one event. Its open objects are frames[:depth], from the event
// itself, which is not among them, inwards.
type writer struct {
	e      *Event
	t      *tables
	ct     *classTable
	dst    []byte
	frames [maxPathDepth]frame
	depth  int
	elem   uint16 // of the array that is open
	tops   topSet
	last   Path // the attribute written last
	obs    []observable
}

// maxPathDepth is how many names a path may have; paths.txt is checked for it.
const maxPathDepth = 8

// frame is an object that is being written.
type frame struct {
	node uint16
	has  uint64 // bits of the object's rule
}

func (w *writer) head() {
	e := w.e
	w.dst = append(w.dst, w.ct.head...)
	act, _ := w.ct.activity(e.Activity)
	w.dst = append(w.dst, act.ids...)
	if e.Activity == activityOther {
		w.dst = jsontape.AppendQuoted(w.dst, e.operation())
	} else {
		w.dst = jsontape.AppendQuoted(w.dst, []byte(act.caption))
	}
	w.dst = append(w.dst, act.typ...)
	severity := int64(1)
	if a, ok := e.Get(PathSeverityID); ok {
		severity = a.Num
	}
	w.dst = append(w.dst, `,"severity_id":`...)
	w.dst = strconv.AppendInt(w.dst, severity, 10)
	l := w.ct.leaves[PathSeverityID]
	if c := l.caption(severity); c != nil && e.find(l.sibling, 0) < 0 {
		w.dst = append(append(w.dst, ','), c.member...)
	}
	w.dst = append(w.dst, `,"time":`...)
	w.dst = strconv.AppendInt(w.dst, milliseconds(e.Time), 10)
}

// operation is the vendor's word for an activity that the class does not list.
func (e *Event) operation() []byte {
	for _, p := range [...]Path{PathActivityName, PathAPIOperation, PathMetadataEventCode} {
		if s := e.Str(p); s != nil {
			return s
		}
	}
	return []byte("Other")
}

func (w *writer) attributes() {
	e := w.e
	e.order = e.order[:0]
	for i, a := range e.Attrs {
		info := &w.t.paths[a.Path]
		if a.Path != PathSeverityID && a.Path != PathActivityName {
			e.order = append(e.order, uint64(info.group)<<48|uint64(a.Elem)<<32|uint64(info.rank)<<16|uint64(i))
		}
	}
	slices.Sort(e.order)
	w.openMetadata()
	for _, key := range e.order {
		w.attribute(&e.Attrs[key&0xffff])
	}
	w.closeTo(0)
}

// openMetadata begins the metadata object; its attributes come first.
func (w *writer) openMetadata() {
	w.open(w.t.paths[PathMetadataUID].chain[0])
	r := w.t.nodes[w.frames[0].node].rule
	w.frames[0].has |= r.bit("version")
	w.dst = append(w.dst, `"version":"`+Version+`"`...)
	if w.e.profiles == 0 {
		return
	}
	w.dst = append(w.dst, `,"profiles":[`...)
	for i, name := range w.t.profiles {
		if w.e.profiles&(1<<i) != 0 {
			w.dst = append(jsontape.AppendQuoted(w.dst, []byte(name)), ',')
		}
	}
	w.dst[len(w.dst)-1] = ']'
}

// attribute writes one attribute after closing the objects that it is not in
// and opening those that it is in.
func (w *writer) attribute(a *Attr) {
	info := &w.t.paths[a.Path]
	chain := info.chain
	last := len(chain) - 1
	if a.Path == w.last && w.t.nodes[chain[last]].array { // the next of an array of plain values
		w.dst[len(w.dst)-1] = ','
		w.value(a)
		w.dst = append(w.dst, ']')
		return
	}
	d := 0
	for d < w.depth && d < last && w.frames[d].node == chain[d] && (a.Elem == w.elem || !w.t.nodes[chain[d]].array) {
		d++
	}
	if d < w.depth && d < last && w.frames[d].node == chain[d] { // the next element of an array of objects
		w.closeTo(d + 1)
		w.finish(&w.frames[d])
		w.dst = append(w.dst, "},{"...)
		w.frames[d].has = 0
		w.elem = a.Elem
		d++
	}
	w.closeTo(d)
	for ; d < last; d++ {
		w.open(chain[d])
		if w.t.nodes[chain[d]].array {
			w.elem = a.Elem
		}
	}
	n := &w.t.nodes[chain[last]]
	w.name(n)
	if n.array {
		w.dst = append(w.dst, '[')
	}
	w.value(a)
	if n.array {
		w.dst = append(w.dst, ']')
	}
	w.last = a.Path
}

// name begins a member of the innermost object.
func (w *writer) name(n *node) {
	if w.dst[len(w.dst)-1] != '{' {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(w.dst, n.name...)
	if w.depth > 0 {
		w.frames[w.depth-1].has |= n.bit
	} else {
		w.tops.add(n.top)
	}
}

func (w *writer) open(i uint16) {
	n := &w.t.nodes[i]
	w.name(n)
	if n.array {
		w.dst = append(w.dst, '[')
	}
	w.dst = append(w.dst, '{')
	w.frames[w.depth] = frame{node: i}
	w.depth++
}

func (w *writer) closeTo(depth int) {
	for w.depth > depth {
		w.depth--
		f := &w.frames[w.depth]
		w.finish(f)
		w.dst = append(w.dst, '}')
		if w.t.nodes[f.node].array {
			w.dst = append(w.dst, ']')
		}
	}
}

// finish writes what the object lacks.
func (w *writer) finish(f *frame) {
	r := w.t.nodes[f.node].rule
	if r.required&^f.has != 0 {
		for _, fill := range r.fills {
			if f.has&fill.bit == 0 {
				w.member(fill.member)
			}
		}
	}
	if r.atLeastOne != 0 && (f.has|r.required)&r.atLeastOne == 0 {
		w.member(r.atLeast)
	}
}

func (w *writer) member(m []byte) {
	if w.dst[len(w.dst)-1] != '{' {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(w.dst, m...)
}

// fillTop writes what the event itself lacks.
func (w *writer) fillTop() {
	for _, f := range w.ct.required {
		if !w.tops.has(f.top) && f.profile&^w.e.profiles == 0 {
			w.member(f.member)
		}
	}
	if len(w.ct.atLeastOne) > 0 && !slices.ContainsFunc(w.ct.atLeastOne, w.tops.has) {
		w.member(w.ct.atLeast)
	}
}

// value writes the attribute's value, its caption if it is of an enum, and
// notes it as an observable.
func (w *writer) value(a *Attr) {
	l := w.ct.leaves[a.Path]
	from := len(w.dst)
	switch a.Kind {
	case String:
		w.dst = jsontape.AppendQuoted(w.dst, a.Str)
		if l.observed != nil {
			w.observe(a, l, from)
		}
	case Int:
		w.dst = strconv.AppendInt(w.dst, a.Num, 10)
		if l.kind == leafFloat {
			w.dst = append(w.dst, ".0"...) // the schema's own validator wants a fraction
		}
		if c := l.caption(a.Num); c != nil && c.member != nil && w.e.find(l.sibling, a.Elem) < 0 {
			w.dst = append(append(w.dst, ','), c.member...)
		}
	case Bool:
		w.dst = strconv.AppendBool(w.dst, a.Num != 0)
	case JSON:
		w.dst = jsontape.AppendClean(w.dst, a.Str)
	}
}
