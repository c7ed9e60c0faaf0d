// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// root returns the top value of a view, making the layer if it has not been.
func (m *Matcher) root(i int) jsontape.Value {
	v := &m.views[i]
	if v.read == m.epoch {
		return v.root
	}
	v.read, v.root = m.epoch, jsontape.Value{}
	if m.layer == nil {
		return v.root
	}
	if raw := m.layer(m.p.layers[i]); raw != nil {
		if err := v.tape.Parse(raw); err != nil {
			m.err = fmt.Errorf("the layer %s: %w", m.p.layers[i], err)
		}
		v.root = v.tape.Root()
	}
	return v.root
}

// walk collects the values of the fields of a view that the plan needs.
func (m *Matcher) walk(i int) {
	v := &m.views[i]
	if v.walked == m.epoch {
		return
	}
	v.walked = m.epoch
	root := m.root(i)
	if !root.Exists() {
		return
	}
	if trie := m.plan.tries[i]; trie != nil {
		w := fieldWalk{trie, m.emit}
		w.value(root, 0)
	}
	if leaf := m.plan.leaves[i]; leaf != nil {
		leaves(root, leaf, m.emit)
	}
}

// addValue notes a value of a field, and which units it makes candidates.
func (m *Matcher) addValue(n *trieNode, v jsontape.Value) {
	i := int32(len(m.values))
	m.values = append(m.values, fieldValue{value: v})
	f := &m.fields[n.field]
	first := f.epoch != m.epoch
	if first {
		*f = fieldState{m.epoch, i, i}
	} else {
		m.values[f.tail].next = i
		f.tail = i
	}
	value := &m.values[i]
	value.text = textOf(v)
	if n.index != nil {
		m.probe(n.index, value, first)
	}
}

// probe marks the candidates among the units that have a probe in this field.
func (m *Matcher) probe(ix *fieldIndex, v *fieldValue, first bool) {
	if first {
		m.mark(ix.present)
	}
	if v.text == nil {
		return
	}
	hits := m.hits[:0]
	if ix.texts != nil {
		hits = ix.texts.find(m.fold(v), hits, false)
	}
	if ix.numbers != nil && v.value.Kind() == jsontape.Number {
		if n, ok := number(v.text); ok {
			hits = append(hits, ix.numbers[n]...)
		}
	}
	if ix.nets != nil {
		if a, ok := address(v); ok {
			hits = ix.nets.find(a, hits)
		}
	}
	m.mark(hits)
	m.hits = hits
}

func (m *Matcher) mark(units []int32) {
	for _, u := range units {
		if m.seen[u] != m.epoch {
			m.seen[u] = m.epoch
			m.units = append(m.units, u)
		}
	}
}

// fold returns a value's text folded.
func (m *Matcher) fold(v *fieldValue) []byte {
	if v.folded == nil {
		if isFolded(v.text) {
			v.folded = v.text
		} else {
			from := len(m.arena)
			m.arena = appendFolded(m.arena, v.text)
			v.folded = m.arena[from:len(m.arena):len(m.arena)]
		}
	}
	return v.folded
}

// textOf is a value's text, nil if it has none: null, and an empty array.
func textOf(v jsontape.Value) []byte {
	if v.Kind() == jsontape.Array && !v.First().Exists() {
		return nil
	}
	return v.Text()
}
