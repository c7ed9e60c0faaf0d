// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/event"
)

// What decides about joining.
const (
	// gap is the longest quiet time within an incident. Each alert extends it.
	gap = 14 * 24 * time.Hour
	// longest is what counts of an alert that lasts longer.
	longest = 90 * 24 * time.Hour
	// few people may use an address, an application or a device by which an alert about it
	// joins one that merely shows it: it is still specific then.
	few = 5
	// crowd people on the other side of an entity are its crowd: they were sprayed, helped or
	// phished one by one, and are not joined by that.
	crowd = 25
)

// node is an alert as far as joining goes.
type node struct {
	id          string
	first, last int64
	born        event.ID // the latest of its records
	links       []link
}

// before orders nodes; the first of an incident names it.
func (n *node) compare(o *node) int {
	return cmp.Or(cmp.Compare(n.first, o.first), cmp.Compare(n.id, o.id))
}

// period numbers the stretches of time in which entities are judged to be busy.
func period(first int64) int64 {
	p := first / int64(gap)
	if first%int64(gap) < 0 {
		p--
	}
	return p
}

// edge joins two nodes, given by their places in order of time: from < to.
type edge struct{ from, to int }

// edgesOf returns what joins nodes, which are in their order: enough edges that whatever two
// nodes are near and have a bond in common that one of them is about are joined.
func edgesOf(nodes []node, r *rules) []edge {
	type posting struct {
		node  int
		about bool
	}
	postings := map[key][]posting{}
	for i := range nodes {
		for _, l := range nodes[i].links {
			if !l.bond {
				continue
			}
			list := postings[l.key]
			if n := len(list); n > 0 && list[n-1].node == i {
				list[n-1].about = list[n-1].about || l.about
				continue
			}
			postings[l.key] = append(list, posting{i, l.about})
		}
	}
	seen := map[edge]bool{}
	var edges []edge
	near := func(from, to int) bool { return nodes[to].first-nodes[from].last <= int64(gap) }
	add := func(from, to int) {
		if e := (edge{from, to}); from >= 0 && near(from, to) && !seen[e] {
			seen[e] = true
			edges = append(edges, e)
		}
	}
	sides := r.sides(nodes)
	for _, list := range postings {
		for _, side := range sides {
			// It is enough to join each alert about the entity to the one before and to the one
			// that lasted longest, and what shows it to the nearest that are about it: the first
			// that follows, and the first of each run of alerts that is near.
			prev, reach := -1, -1
			var shown []int
			for _, p := range list {
				if side != nil && !side[p.node] {
					continue
				}
				add(prev, p.node)
				add(reach, p.node)
				if !p.about {
					shown = append(shown, p.node)
					continue
				}
				run := reach < 0 || !near(reach, p.node) // it begins one
				kept := shown[:0]
				for _, s := range shown {
					if run || prev < s {
						add(s, p.node)
					}
					if nodes[s].last > nodes[p.node].first { // and may be near to the next run
						kept = append(kept, s)
					}
				}
				shown = kept
				if prev = p.node; reach < 0 || nodes[p.node].last > nodes[reach].last {
					reach = p.node
				}
			}
		}
	}
	return edges
}

// sides are sets of nodes that have edges of their own, which hold when those between the sets
// do not: all, each side of the splits, and what is later than a closing.
func (r *rules) sides(nodes []node) [][]bool {
	list := [][]bool{nil}
	pick := func(in func(n *node) bool) {
		side := make([]bool, len(nodes))
		for i := range nodes {
			side[i] = in(&nodes[i])
		}
		list = append(list, side)
	}
	signatures, ends := map[string]bool{}, map[int64]bool{}
	for i := range nodes {
		if len(r.splits) > 0 {
			signatures[signature(r.splits, nodes[i].id)] = true
		}
		if until, ok := r.closed[nodes[i].id]; ok {
			ends[until] = true
		}
	}
	if len(signatures) > 1 {
		for s := range signatures {
			pick(func(n *node) bool { return signature(r.splits, n.id) == s })
		}
	}
	for until := range ends {
		pick(func(n *node) bool { return n.first > until })
	}
	return list
}

// rules are what people have decided about joining.
type rules struct {
	closed map[string]int64 // alerts that named incidents which are closed, and until when these reach
	splits []split
	merges [][2]string
}

// split says that the moved alerts are another matter than the anchor.
type split struct {
	anchor string
	moved  map[string]bool
}

// signature tells which side of the splits an alert is on.
func signature(splits []split, id string) string {
	if len(splits) == 0 {
		return ""
	}
	sig := make([]byte, len(splits))
	for i := range splits {
		sig[i] = '0'
		if splits[i].moved[id] {
			sig[i] = '1'
		}
	}
	return string(sig)
}

// part is a set of nodes that have been joined so far.
type part struct {
	parent int
	latest int64         // when the last of its alerts began
	closed int64         // alerts that begin later stay out
	sides  map[int]uint8 // of splits: 1 the anchor's, 2 the moved ones'
}

// join returns the sets of nodes that are one incident each, by their places. It depends only
// on the set of nodes, their bonds and what was decided. Nodes are in their order.
func join(nodes []node, r *rules) [][]int {
	place := make(map[string]int, len(nodes))
	parts := make([]part, len(nodes))
	for i := range nodes {
		place[nodes[i].id] = i
		parts[i] = part{parent: i, latest: nodes[i].first, closed: math.MaxInt64}
		if until, ok := r.closed[nodes[i].id]; ok {
			parts[i].closed = until
		}
	}
	for s := range r.splits {
		mark := func(id string, side uint8) {
			if i, ok := place[id]; ok {
				if parts[i].sides == nil {
					parts[i].sides = map[int]uint8{}
				}
				parts[i].sides[s] |= side
			}
		}
		mark(r.splits[s].anchor, 1)
		for id := range r.splits[s].moved {
			mark(id, 2)
		}
	}
	for _, m := range r.merges {
		a, okA := place[m[0]]
		b, okB := place[m[1]]
		if okA && okB {
			unite(parts, a, b, true)
		}
	}
	edges := edgesOf(nodes, r)
	between := func(e edge) int { // the sides of a split come together before what is between them
		if signature(r.splits, nodes[e.from].id) != signature(r.splits, nodes[e.to].id) {
			return 1
		}
		return 0
	}
	slices.SortFunc(edges, func(a, b edge) int {
		c := 0
		if len(r.splits) > 0 {
			c = cmp.Compare(between(a), between(b))
		}
		return cmp.Or(c, cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from))
	})
	for _, e := range edges {
		unite(parts, e.from, e.to, false)
	}
	groups := map[int][]int{}
	for i := range nodes {
		root := find(parts, i)
		groups[root] = append(groups[root], i)
	}
	list := make([][]int, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	return list
}

func find(parts []part, i int) int {
	for parts[i].parent != i {
		parts[i].parent = parts[parts[i].parent].parent
		i = parts[i].parent
	}
	return i
}

// unite joins two parts, unless a person has decided that they are apart.
func unite(parts []part, i, j int, forced bool) {
	i, j = find(parts, i), find(parts, j)
	if i == j {
		return
	}
	a, b := &parts[min(i, j)], &parts[max(i, j)]
	if !forced {
		if a.closed < b.latest || b.closed < a.latest {
			return
		}
		for s, side := range a.sides {
			if side|b.sides[s] == 3 && side != 3 && b.sides[s] != 3 {
				return
			}
		}
	}
	b.parent = a.parent
	a.latest, a.closed = max(a.latest, b.latest), min(a.closed, b.closed)
	for s, side := range b.sides {
		if a.sides == nil {
			a.sides = map[int]uint8{}
		}
		a.sides[s] |= side
	}
}
