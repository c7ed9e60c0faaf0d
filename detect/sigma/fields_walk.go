// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "github.com/daybreak-sec/daybreak/internal/jsontape"

// fieldWalk gives emit every value that a record has for the fields of a trie, in the
// record's order. What a record's fields are:
//
//   - A key leads on along the path. It may hold dots itself; blanks in it do not count. A
//     key that an object has twice has both values.
//   - An array stands for its members, those of arrays in it as well. If a member is an
//     object the array is a value too, whose text is its JSON. So is an empty array, which
//     has no text.
//   - A member that is an object and is named (see memberName) can be reached by that name
//     as if it were a key of the array. What is there is its Value (or value, or #text), or itself if
//     it has none; its other members are below.
//
// Recursion ends at the tape's own limit of depth.
type fieldWalk struct {
	trie *fieldTrie
	emit func(n *trieNode, v jsontape.Value)
}

func (w *fieldWalk) value(v jsontape.Value, at int32) {
	n := &w.trie.nodes[at]
	if n.array != nil {
		w.emit(n.array, v)
	}
	switch v.Kind() {
	case jsontape.Array:
		w.array(v, at)
		return
	case jsontape.Object:
		if n.parent {
			w.members(v, at)
		}
	}
	if n.field != noField {
		w.emit(n, v)
	}
}

func (w *fieldWalk) members(v jsontape.Value, at int32) {
	for c := v.First(); c.Exists(); c = c.Next() {
		if child := w.trie.descend(at, c.Key()); child != 0 {
			w.value(c, child)
		}
	}
}

func (w *fieldWalk) array(v jsontape.Value, at int32) {
	n := &w.trie.nodes[at]
	whole := !v.First().Exists()
	for c := v.First(); c.Exists(); c = c.Next() {
		switch c.Kind() {
		case jsontape.Array:
			w.array(c, at)
		case jsontape.Object:
			whole = true
			if n.parent {
				w.members(c, at)
				w.named(c, at)
			}
		default:
			if n.field != noField {
				w.emit(n, c)
			}
		}
	}
	if whole && n.field != noField {
		w.emit(n, v)
	}
}

// named follows the name of an array's member.
func (w *fieldWalk) named(member jsontape.Value, at int32) {
	name := memberName(member)
	if !name.Exists() {
		return
	}
	child := w.trie.descend(at, name.Text())
	if child == 0 {
		return
	}
	value := member.Get("Value")
	if !value.Exists() {
		value = member.Get("value")
	}
	if !value.Exists() {
		value = member.Get("#text")
	}
	if !value.Exists() {
		w.value(member, child)
		return
	}
	w.value(value, child)
	if w.trie.nodes[child].parent {
		w.members(member, child)
	}
}

// nameKeys are the keys that name a member of an array in the records of Microsoft 365 and
// Entra, and in the XML of Windows events, the first of them that is there and a string counting.
var nameKeys = [...]string{"Name", "name", "DisplayName", "displayName", "Key", "key", "@Name"}

func memberName(member jsontape.Value) jsontape.Value {
	best, name := len(nameKeys)-1, jsontape.Value{}
	for c := member.First(); c.Exists(); c = c.Next() {
		if c.Kind() != jsontape.String {
			continue
		}
		for i, key := range nameKeys[:best+1] {
			if string(c.Key()) == key {
				best, name = i, c
				break
			}
		}
	}
	return name
}

// leaves gives emit every string and number of a record: what keywords are searched in.
func leaves(v jsontape.Value, n *trieNode, emit func(*trieNode, jsontape.Value)) {
	switch v.Kind() {
	case jsontape.String, jsontape.Number:
		emit(n, v)
	case jsontape.Array, jsontape.Object:
		for c := v.First(); c.Exists(); c = c.Next() {
			leaves(c, n, emit)
		}
	}
}
