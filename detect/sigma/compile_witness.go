// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"math"
	"net/netip"
	"slices"
)

// probe is something to be seen in a record without which a unit cannot match, or the other
// probes of its witness have to be.
type probe struct {
	field  int32
	kind   probeKind
	shape  shape // of a probeText
	text   string
	number float64
	net    netip.Prefix
}

type probeKind uint8

const (
	probePresent probeKind = iota // the field is there
	probeText
	probeNumber
	probeNet
)

// witness is a set of probes and what it is expected to cost for a record, in evaluations of a
// unit.
type witness struct {
	probes []probe
	cost   float64
	ok     bool // without this there is none: the term can hold whatever is seen
}

// witnesses chooses the witness of every unit: of a conjunction that of the rarest part, of a
// disjunction those of all. A negation has none.
func (c *compiler) witnesses() {
	w := witnesser{p: c.p, popular: map[probe]float64{}, searched: map[int32]float64{}}
	for i := range c.p.items {
		w.options = append(w.options, w.item(&c.p.items[i]))
	}
	for i := range c.p.units {
		c.p.units[i].root.walk(func(item int32) {
			for _, option := range w.options[item] {
				for _, q := range option {
					w.popular[q]++
				}
				for _, f := range searchedFields(option) {
					w.searched[f]++
				}
			}
		})
	}
	w.chosen = make([]*witness, len(c.p.items))
	for i := range c.p.units {
		u := &c.p.units[i]
		best := w.term(&u.root)
		u.witness, u.unbound = best.probes, !best.ok
	}
}

type witnesser struct {
	p       *Program
	options [][][]probe // by item: sets of probes, any of which would do
	popular map[probe]float64
	// searched counts by field the sets for which its text would be searched.
	searched map[int32]float64
	chosen   []*witness
}

func (w *witnesser) term(t *term) witness {
	switch t.op {
	case termItem:
		if w.chosen[t.item] == nil {
			best := w.cheapest(t.item)
			w.chosen[t.item] = &best
		}
		return *w.chosen[t.item]
	case termAnd:
		var best witness
		for i := range t.kids {
			if k := w.term(&t.kids[i]); k.ok && (!best.ok || k.cost < best.cost) {
				best = k
			}
		}
		return best
	case termOr:
		union := witness{ok: true}
		for i := range t.kids {
			k := w.term(&t.kids[i])
			if !k.ok {
				return witness{}
			}
			union.probes = append(union.probes, k.probes...)
			union.cost += k.cost
		}
		return union
	}
	return witness{}
}

// cheapest chooses from an item's sets of probes.
func (w *witnesser) cheapest(item int32) witness {
	var best witness
	for _, probes := range w.options[item] {
		cost := 0.0
		for j := range probes {
			cost += w.cost(&probes[j])
		}
		for _, f := range searchedFields(probes) {
			cost += searchCost / w.searched[f]
		}
		if !best.ok || cost < best.cost {
			best = witness{probes[:len(probes):len(probes)], cost, true}
		}
	}
	return best
}

// searchCost is what searching a field's text takes, in evaluations of a unit. The units that
// have it searched share it.
const searchCost = 0.5

// searchedFields returns the fields whose text has to be searched for the probes.
func searchedFields(probes []probe) (fields []int32) {
	for i := range probes {
		if q := &probes[i]; q.kind == probeText && q.shape == containing && !slices.Contains(fields, q.field) {
			fields = append(fields, q.field)
		}
	}
	return fields
}

// cost estimates how often a probe is seen. What many rules ask for is likely to be common,
// for they need something else to tell them apart.
func (w *witnesser) cost(q *probe) float64 {
	var seen float64
	n := float64(len(q.text))
	switch {
	case q.kind == probePresent:
		seen = 1
	case q.kind == probeNumber:
		seen = 0 // its text is a probe as well
	case q.kind == probeNet:
		seen = 0.05
	case q.shape == equalTo:
		seen = 0.005 + 0.3*math.Pow(0.5, n) // often one of a few words
	case q.shape == containing:
		seen = 0.001 + 0.9*math.Pow(0.5, n)
	default:
		seen = 0.001 + 0.6*math.Pow(0.5, n)
	}
	seen *= w.popular[*q]
	if at := w.p.fields[q.field]; at.view > 0 {
		seen = 1e6 + seen // the layer would have to be made for every record
	} else if at.name == "" {
		seen *= 30 // every value of the record is looked at
	}
	return seen
}

// item returns the sets of probes that an item can have: of all its tests the choice, of any
// of them the union.
func (w *witnesser) item(k *check) [][]probe {
	if k.array != nil {
		return w.array(k)
	}
	var options [][]probe
	var union []probe
	for _, t := range k.tests {
		choice := w.test(k, &t)
		if k.all {
			options = append(options, choice...)
			continue
		}
		if len(choice) == 0 {
			return nil
		}
		union = append(union, w.best(choice)...)
	}
	if k.all {
		return options
	}
	return [][]probe{union}
}

// best picks of the literals of one pattern, before it is known what is popular.
func (w *witnesser) best(choice [][]probe) []probe {
	best := choice[0]
	for _, other := range choice[1:] {
		if len(other[0].text) > len(best[0].text) {
			best = other
		}
	}
	return best
}

// test returns the sets of probes that one test can have.
func (w *witnesser) test(k *check, t *valueTest) [][]probe {
	var choice [][]probe
	add := func(probes ...probe) {
		var set []probe
		for _, f := range k.fields {
			for _, q := range probes {
				q.field = f
				set = append(set, q)
			}
		}
		choice = append(choice, set)
	}
	switch t.kind {
	case testNull:
	case testExists:
		if t.yes {
			add(probe{})
		}
	case testBool:
		text := "false"
		if t.yes {
			text = "true"
		}
		add(probe{kind: probeText, text: text})
	case testNumber:
		add(probe{kind: probeText, text: foldString(t.number.Text)}, probe{kind: probeNumber, number: t.number.N})
	case testText:
		for _, q := range t.text.probes() {
			add(q)
		}
	case testCIDR:
		add(probe{kind: probeNet, net: t.cidr})
	case testRegexp:
		var set []probe
		for _, lit := range t.re.literals {
			if len(lit) < 3 {
				set = nil
				break
			}
			set = append(set, probe{kind: probeText, shape: containing, text: string(lit)})
		}
		if set == nil {
			set = []probe{{}}
		}
		add(set...)
	default:
		add(probe{})
	}
	return choice
}

// probes returns what can be looked for instead of a pattern.
func (t *textTest) probes() []probe {
	fold := func(s string) string {
		if t.cased {
			return foldString(s)
		}
		return s
	}
	if t.shape == anything {
		return []probe{{}}
	}
	if t.shape != globbed {
		return []probe{{kind: probeText, shape: t.shape, text: fold(string(t.lit))}}
	}
	var all []probe
	last := len(t.segments) - 1
	for i, s := range t.segments {
		for j, p := range s {
			if p.Wild != Literal {
				continue
			}
			q := probe{kind: probeText, shape: containing, text: fold(p.Text)}
			if i == 0 && j == 0 && t.head {
				q.shape = prefixed
			} else if i == last && j == len(s)-1 && t.tail {
				q.shape = suffixed
			}
			all = append(all, q)
		}
	}
	if len(all) == 0 {
		return []probe{{}}
	}
	return all
}
