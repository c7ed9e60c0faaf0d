// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "github.com/daybreak-sec/daybreak/internal/jsontape"

// lookup finds the values of one field, whether a rule reads it or not.
type lookup struct {
	view int
	trie *fieldTrie
}

// maxLookups bounds how many fields have their lookup kept.
const maxLookups = 1024

func (m *Matcher) lookup(field string) lookup {
	if l, ok := m.lookups[field]; ok {
		return l
	}
	if m.lookups == nil || len(m.lookups) >= maxLookups {
		m.lookups = map[string]lookup{}
	}
	at := m.p.locate(field, "")
	l := lookup{at.view, newFieldTrie([]programField{at}, []int32{0})}
	m.lookups[field] = l
	return l
}

// Values returns the values of any field of the record that was matched last, as text and
// unescaped, in the record's order: of objects and arrays of objects their JSON, of null
// nothing. Fields of a layer have its name in front. The slice is good until the next call.
func (m *Matcher) Values(field string) [][]byte {
	l := m.lookup(field)
	m.found = m.found[:0]
	w := fieldWalk{l.trie, m.addFound}
	w.value(m.root(l.view), 0)
	return m.found
}

func (m *Matcher) addFound(_ *trieNode, v jsontape.Value) {
	if text := textOf(v); text != nil {
		m.found = append(m.found, text)
	}
}

// textOf is a value's text, nil if it has none: null, and an empty array.
func textOf(v jsontape.Value) []byte {
	if v.Kind() == jsontape.Array && !v.First().Exists() {
		return nil
	}
	return v.Text()
}
