// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"hash/maphash"
	"strings"
)

// maxNames is how many names a field's path may have. It bounds in how many ways a hostile
// record can reach one field.
const maxNames = 16

// fieldTrie holds the paths of the fields that are wanted of a record, by their names from
// the root. Its size depends on the rules alone, and so does the cost of looking a
// record's key up in it: keys are hashed with a seed that nobody knows.
type fieldTrie struct {
	nodes []trieNode
	slots []trieSlot
	seed  maphash.Seed
}

type trieNode struct {
	field   int32 // what the path that ends here is, or noField
	parent  bool  // whether longer paths go through here
	lengths uint64
	index   *fieldIndex
	array   *trieNode // of the field whose arrays are wanted whole; nil if they are not
}

type trieSlot struct {
	hash   uint64
	parent int32
	child  int32 // zero if the slot is free: no path leads to the root
	name   string
}

const noField = -1

// newFieldTrie makes a trie of the names of fields, which are numbered by ids. The name "." is
// that of the root.
func newFieldTrie(fields []programField, ids []int32) *fieldTrie {
	t := &fieldTrie{nodes: []trieNode{{field: noField}}, seed: maphash.MakeSeed()}
	type edge struct {
		parent int32
		name   string
	}
	edges := map[edge]int32{}
	for i, f := range fields {
		at := int32(0)
		for name := range strings.SplitSeq(f.name, ".") {
			if f.name == "." {
				break
			}
			e := edge{at, name}
			child, ok := edges[e]
			if !ok {
				child = int32(len(t.nodes))
				t.nodes = append(t.nodes, trieNode{field: noField})
				t.nodes[at].parent = true
				t.nodes[at].lengths |= 1 << (len(name) & 63)
				edges[e] = child
			}
			at = child
		}
		if f.array {
			t.nodes[at].array = &trieNode{field: ids[i]}
		} else {
			t.nodes[at].field = ids[i]
		}
	}
	size := 4
	for size < 4*len(edges) {
		size *= 2
	}
	t.slots = make([]trieSlot, size)
	for e, child := range edges {
		h := t.hash(e.parent, []byte(e.name))
		i := h & uint64(size-1)
		for t.slots[i].child != 0 {
			i = (i + 1) & uint64(size-1)
		}
		t.slots[i] = trieSlot{h, e.parent, child, e.name}
	}
	return t
}

func (t *fieldTrie) hash(parent int32, name []byte) uint64 {
	return maphash.Bytes(t.seed, name) + uint64(parent)*0x9e3779b97f4a7c15
}

// child returns the node of one name below parent, or 0.
func (t *fieldTrie) child(parent int32, name []byte) int32 {
	if t.nodes[parent].lengths>>(len(name)&63)&1 == 0 {
		return 0
	}
	h := t.hash(parent, name)
	for i := h; ; i++ {
		s := &t.slots[i&uint64(len(t.slots)-1)]
		if s.child == 0 {
			return 0
		}
		if s.hash == h && s.parent == parent && s.name == string(name) {
			return s.child
		}
	}
}

// descend follows a key as records write it: dots part names, blanks do not count.
func (t *fieldTrie) descend(at int32, key []byte) int32 {
	if child := t.child(at, key); child != 0 {
		return child
	}
	if !hasDotOrBlank(key) {
		return 0
	}
	var buf [64]byte
	name := buf[:0]
	for _, c := range key {
		switch c {
		case ' ':
		case '.':
			if at = t.child(at, name); at == 0 {
				return 0
			}
			name = name[:0]
		default:
			name = append(name, c)
		}
	}
	return t.child(at, name)
}

func hasDotOrBlank(key []byte) bool {
	for _, c := range key {
		if c == '.' || c == ' ' {
			return true
		}
	}
	return false
}

// fieldName is a field as tries hold it: blanks do not count.
func fieldName(s string) string { return strings.ReplaceAll(s, " ", "") }
