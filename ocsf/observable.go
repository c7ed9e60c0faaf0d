// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// maxObservables bounds the list, and with it the search for duplicates.
const maxObservables = 256

// observable is a value that has been written, by where it stands in the
// output.
type observable struct {
	path     Path
	typ      uint8
	from, to int
}

// observe notes the value written from from on, unless it is there already.
func (w *writer) observe(a *Attr, l *leaf, from int) {
	if len(w.obs) >= maxObservables {
		return
	}
	value := w.dst[from:]
	for _, o := range w.obs {
		if o.typ == l.obsType && bytes.Equal(w.dst[o.from:o.to], value) {
			return
		}
	}
	w.obs = append(w.obs, observable{a.Path, l.obsType, from, len(w.dst)})
}

func (w *writer) observables() {
	if len(w.obs) == 0 {
		return
	}
	w.dst = append(w.dst, `,"observables":[`...)
	for _, o := range w.obs {
		w.dst = append(w.dst, `{"name":"`...)
		w.dst = append(w.dst, w.t.paths[o.path].label...)
		w.dst = append(w.dst, `",`...)
		w.dst = append(w.dst, w.ct.leaves[o.path].observed...)
		w.dst = append(w.dst, `,"value":`...)
		w.dst = append(w.dst, w.dst[o.from:o.to]...)
		w.dst = append(w.dst, "},"...)
	}
	w.dst[len(w.dst)-1] = ']'
}

// unmapped writes the vendor's members as they are, then our own notes.
func (w *writer) unmapped() {
	e := w.e
	if len(e.Unmapped) == 0 && len(e.Unfit) == 0 && len(e.Issues) == 0 {
		return
	}
	w.dst = append(w.dst, `,"unmapped":{`...)
	for _, m := range e.Unmapped {
		w.dst = append(jsontape.AppendQuoted(w.dst, m.Name), ':')
		w.dst = append(jsontape.AppendClean(w.dst, m.Value), ',')
	}
	if len(e.Unfit) > 0 {
		w.unfit()
	}
	if len(e.Issues) > 0 {
		w.dst = append(w.dst, `"daybreak_issues":[`...)
		for _, s := range e.Issues {
			w.dst = append(jsontape.AppendQuoted(w.dst, []byte(s)), ',')
		}
		w.dst[len(w.dst)-1] = ']'
		w.dst = append(w.dst, ',')
	}
	w.dst[len(w.dst)-1] = '}'
}

// unfit writes what Fit took out, under its path with the element's number.
func (w *writer) unfit() {
	w.dst = append(w.dst, `"daybreak_unfit":{`...)
	for i := range w.e.Unfit {
		a := &w.e.Unfit[i]
		w.dst = append(w.dst, '"')
		before, after, array := strings.Cut(a.Path.String(), "[]")
		w.dst = append(w.dst, before...)
		if array {
			w.dst = append(w.dst, '[')
			w.dst = strconv.AppendUint(w.dst, uint64(a.Elem), 10)
			w.dst = append(append(w.dst, ']'), after...)
		}
		w.dst = append(w.dst, `":`...)
		switch a.Kind {
		case String:
			w.dst = jsontape.AppendQuoted(w.dst, a.Str)
		case Int:
			w.dst = strconv.AppendInt(w.dst, a.Num, 10)
		case Bool:
			w.dst = strconv.AppendBool(w.dst, a.Num != 0)
		case JSON:
			w.dst = jsontape.AppendClean(w.dst, a.Str)
		}
		w.dst = append(w.dst, ',')
	}
	w.dst[len(w.dst)-1] = '}'
	w.dst = append(w.dst, ',')
}
