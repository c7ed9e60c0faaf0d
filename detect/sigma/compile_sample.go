// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "github.com/daybreak-sec/daybreak/internal/jsontape"

// measure counts in how many records of a sample each set of probes is seen. It matches the
// records with a program in which every set is a unit, and looks at the candidates.
func (w *witnesser) measure(sample [][]byte) {
	p := &Program{layers: w.p.layers, items: w.p.items, fields: w.p.fields}
	var all []int32
	for item, options := range w.options {
		w.first = append(w.first, len(all))
		for _, probes := range options {
			all = append(all, int32(len(all)))
			p.units = append(p.units, unit{root: term{item: int32(item)}, witness: probes})
		}
	}
	w.seen = make([]float64, len(all))
	m := p.Matcher()
	m.plan = p.newPlan(all)
	var tape jsontape.Tape
	for _, record := range sample {
		if tape.Parse(record) != nil {
			continue
		}
		w.records++
		m.begin(tape.Root(), nil, nil)
		m.walk(0)
		for _, id := range m.units {
			w.seen[id]++
		}
	}
}
