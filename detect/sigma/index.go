// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"net/netip"
	"slices"
)

// plan is what is needed to match the records of some log sources: the fields that the rules
// about them read or have others ask for, and for each field what of its values makes which units candidates.
type plan struct {
	tries  []*fieldTrie // by view; nil if nothing of it is read
	leaves []*trieNode  // by view: for keywords; nil if there are none
	eager  []int        // layers in which units have their witness
	always []int32      // units without a witness
}

// fieldIndex finds the units that a field's value makes candidates.
type fieldIndex struct {
	present []int32
	texts   *literalSet
	numbers map[float64][]int32
	nets    *netIndex
}

// fieldProbes is what a fieldIndex is made of.
type fieldProbes struct {
	present []int32
	texts   literals
	numbers map[float64][]int32
	nets    map[netip.Prefix][]int32
}

func (p *Program) newPlan(units []int32) *plan {
	pl := &plan{tries: make([]*fieldTrie, len(p.layers)), leaves: make([]*trieNode, len(p.layers))}
	used := map[int32]bool{}
	probes := map[int32]*fieldProbes{}
	for _, id := range units {
		u := &p.units[id]
		u.root.walk(func(item int32) {
			for _, f := range p.items[item].uses() {
				used[f] = true
			}
		})
		for _, f := range p.asked[u.rule] {
			used[f] = true
		}
		if u.unbound {
			pl.always = append(pl.always, id)
		}
		for i := range u.witness {
			q := &u.witness[i]
			used[q.field] = true
			if probes[q.field] == nil {
				probes[q.field] = &fieldProbes{texts: literals{}, numbers: map[float64][]int32{}, nets: map[netip.Prefix][]int32{}}
			}
			probes[q.field].add(q, id)
		}
	}
	indexes := map[int32]*fieldIndex{}
	for f, from := range probes {
		indexes[f] = from.index()
		if view := p.fields[f].view; view > 0 && !slices.Contains(pl.eager, view) {
			pl.eager = append(pl.eager, view)
		}
	}
	for view := range p.layers {
		pl.tries[view], pl.leaves[view] = p.newViewTrie(view, used, indexes)
	}
	return pl
}

// newViewTrie makes the trie of the fields of one view that are used, and the node that
// stands for its keywords.
func (p *Program) newViewTrie(view int, used map[int32]bool, indexes map[int32]*fieldIndex) (*fieldTrie, *trieNode) {
	var fields []programField
	var ids []int32
	var leaf *trieNode
	for f := range used {
		switch {
		case p.fields[f].view != view:
		case p.fields[f].name == "":
			leaf = &trieNode{field: f, index: indexes[f]}
		default:
			fields, ids = append(fields, p.fields[f]), append(ids, f)
		}
	}
	if len(fields) == 0 {
		return nil, leaf
	}
	t := newFieldTrie(fields, ids)
	for i := range t.nodes {
		n := &t.nodes[i]
		n.index = indexes[n.field]
		if n.array != nil {
			n.array.index = indexes[n.array.field]
		}
	}
	return t, leaf
}

func (f *fieldProbes) add(q *probe, unit int32) {
	switch q.kind {
	case probePresent:
		f.present = append(f.present, unit)
	case probeText:
		f.texts.add(q.shape, q.text, unit)
	case probeNumber:
		f.numbers[q.number] = append(f.numbers[q.number], unit)
	case probeNet:
		f.nets[q.net] = append(f.nets[q.net], unit)
	}
}

func (f *fieldProbes) index() *fieldIndex {
	ix := &fieldIndex{present: f.present}
	if len(f.texts) > 0 {
		ix.texts = newLiteralSet(f.texts)
	}
	if len(f.numbers) > 0 {
		ix.numbers = f.numbers
	}
	if len(f.nets) > 0 {
		ix.nets = newNetIndex(f.nets)
	}
	return ix
}

// netIndex finds the networks that an address is in: one lookup for each length of prefix
// that there is.
type netIndex struct {
	lengths4, lengths6 []int
	units              map[netip.Prefix][]int32
}

func newNetIndex(units map[netip.Prefix][]int32) *netIndex {
	ix := &netIndex{units: units}
	for prefix := range units {
		lengths := &ix.lengths6
		if prefix.Addr().Is4() {
			lengths = &ix.lengths4
		}
		if !slices.Contains(*lengths, prefix.Bits()) {
			*lengths = append(*lengths, prefix.Bits())
		}
	}
	return ix
}

// find appends the units of the networks that a is in.
func (ix *netIndex) find(a netip.Addr, ids []int32) []int32 {
	lengths := ix.lengths6
	if a.Is4() {
		lengths = ix.lengths4
	}
	for _, n := range lengths {
		prefix, err := a.Prefix(n)
		if err == nil {
			ids = append(ids, ix.units[prefix]...)
		}
	}
	return ids
}
