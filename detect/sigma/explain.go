// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// Reason is one comparison that made a rule match.
type Reason struct {
	Search string // the search identifier that it is part of; empty if of none
	Item   *Item
	Field  string // the field that held, as the rule names it, and behind an array's which member: tags[2]; empty for a keyword
	Value  string // the record's value, cut to maxShown bytes
	Absent bool   // the field is not there, and that is what was asked for
}

// Trace says of one node of a condition whether it held for a record, and why.
type Trace struct {
	Op     string // and, or, not, search, item, array, member (of the array that it is below)
	Name   string // of a search, an array, a member
	Item   *Item
	Held   bool
	Fields []FieldTrace // of an item: what it was compared with
	Kids   []*Trace
}

// FieldTrace is a field as a record has it. A field that is there without values is null or
// an empty array.
type FieldTrace struct {
	Name    string // as the rule names it; empty for keywords
	Present bool
	Values  []string // at most maxValues, cut to maxShown bytes
	More    int      // values that are not shown
}

// Explanation says why a rule matched a record or did not.
type Explanation struct {
	Rule       *Rule
	LogSource  bool // whether the record is of a log source that the rule is about
	Held       bool // whether a condition holds, whatever the log source
	Conditions []*Trace
}

const (
	maxShown  = 1024
	maxValues = 16
)

// Why returns the comparisons that made a condition of the last record's matches hold, in the
// rule's order. Negations have no reasons, nor has what holds for no member of an array: nothing
// was found.
func (m *Matcher) Why(match Match) []Reason {
	x := explainer{m: m, home: m.p.home(match.Rule.Taxonomy)}
	x.why(match.Rule.Conditions[match.Condition].Expr, "")
	return x.reasons
}

// Explain says why a rule matches the last record or does not, or returns nil if the
// program has no such rule.
func (m *Matcher) Explain(r *Rule) *Explanation {
	known := false
	for _, have := range m.p.rules {
		known = known || have == r
	}
	if !known {
		return nil
	}
	m.collectAll()
	x := explainer{m: m, home: m.p.home(r.Taxonomy)}
	e := &Explanation{Rule: r, LogSource: m.p.any || appliesTo(r.LogSource, m.sources)}
	for _, c := range r.Conditions {
		t := x.trace(c.Expr)
		e.Held = e.Held || t.Held
		e.Conditions = append(e.Conditions, t)
	}
	return e
}

// collectAll collects all fields that the program's rules read, not only those of the plan.
func (m *Matcher) collectAll() {
	whole := m.p.wholePlan()
	if m.plan == whole {
		return
	}
	m.plan = whole
	before := m.epoch
	m.advance()
	m.values = append(m.values[:0], fieldValue{})
	for i := range m.views {
		if i == 0 || m.views[i].read == before {
			m.views[i].read = m.epoch
		}
	}
	m.walk(0)
}

// wholePlan is a plan of all fields that marks nothing.
func (p *Program) wholePlan() *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.whole == nil {
		used := map[int32]bool{}
		for f := range p.fields {
			used[int32(f)] = true
		}
		pl := &plan{tries: make([]*fieldTrie, len(p.layers)), leaves: make([]*trieNode, len(p.layers))}
		for view := range p.layers {
			pl.tries[view], pl.leaves[view] = p.newViewTrie(view, used, nil)
		}
		p.whole = pl
	}
	return p.whole
}

// explainer explains one rule.
type explainer struct {
	m       *Matcher
	home    int    // see itemKey
	path    string // of the member that m looks at; empty if it looks at the record
	reasons []Reason
}

func (x *explainer) id(e Expr) int32 { return x.m.p.itemOf[itemKey{e, x.home}] }

func (x *explainer) holds(e Expr) bool {
	switch e := e.(type) {
	case *And:
		for _, kid := range e.X {
			if !x.holds(kid) {
				return false
			}
		}
		return true
	case *Or:
		for _, kid := range e.X {
			if x.holds(kid) {
				return true
			}
		}
		return false
	case *Not:
		return !x.holds(e.X)
	case *Search:
		return x.holds(e.X)
	case *Item:
		return x.m.item(x.id(e)) != e.Negate
	case *Array:
		return x.m.item(x.id(e))
	}
	return false
}

func (x *explainer) why(e Expr, search string) {
	if !x.holds(e) {
		return
	}
	switch e := e.(type) {
	case *And:
		for _, kid := range e.X {
			x.why(kid, search)
		}
	case *Or:
		for _, kid := range e.X {
			x.why(kid, search)
		}
	case *Search:
		x.why(e.X, e.Name)
	case *Item:
		if !e.Negate {
			x.item(e, search)
		}
	case *Array:
		x.array(e, search)
	}
}

// item adds the values with which an item held.
func (x *explainer) item(e *Item, search string) {
	k := &x.m.p.items[x.id(e)]
	shown := 0
	for i, f := range k.fields {
		v := x.m.first(f)
		if v == nil && x.wantsAbsence(k) {
			x.reasons = append(x.reasons, Reason{Search: search, Item: e, Field: x.name(itemField(e, i)), Absent: true})
		}
		for ; v != nil && shown < maxValues; v = x.m.next(v) {
			if x.passes(k, v) {
				x.reasons = append(x.reasons, Reason{Search: search, Item: e, Field: x.name(itemField(e, i)), Value: cut(v.text)})
				shown++
			}
		}
	}
}

func (x *explainer) wantsAbsence(k *check) bool {
	for i := range k.tests {
		if t := &k.tests[i]; t.kind == testNull || t.kind == testExists && !t.yes {
			return true
		}
	}
	return false
}

// passes reports whether one of an item's tests is true of the value.
func (x *explainer) passes(k *check, v *fieldValue) bool {
	for i := range k.tests {
		switch t := &k.tests[i]; t.kind {
		case testNull:
			if v.value.Kind() == jsontape.Null {
				return true
			}
		case testExists:
			if t.yes {
				return true
			}
		default:
			if x.m.test(t, v) {
				return true
			}
		}
	}
	return false
}

// itemField is the i-th field of an item, as written.
func itemField(e *Item, i int) string {
	if i == 0 {
		return e.Field
	}
	return e.Or[i-1]
}

func (x *explainer) trace(e Expr) *Trace {
	t := &Trace{Held: x.holds(e)}
	add := func(op string, kids ...Expr) {
		t.Op = op
		for _, kid := range kids {
			t.Kids = append(t.Kids, x.trace(kid))
		}
	}
	switch e := e.(type) {
	case *And:
		add("and", e.X...)
	case *Or:
		add("or", e.X...)
	case *Not:
		add("not", e.X)
	case *Search:
		add("search", e.X)
		t.Name = e.Name
	case *Item:
		t.Op, t.Item = "item", e
		k := &x.m.p.items[x.id(e)]
		for i, f := range k.fields {
			t.Fields = append(t.Fields, x.field(x.name(itemField(e, i)), f))
		}
		for _, test := range k.tests {
			for _, f := range test.ref {
				t.Fields = append(t.Fields, x.field(x.name(x.m.p.fieldName(f)), f))
			}
		}
	case *Array:
		t.Op, t.Name = "array", e.String()
		x.members(e, func(member *explainer, held bool) bool {
			t.Kids = append(t.Kids, &Trace{Op: "member", Name: member.path, Held: held, Kids: []*Trace{member.trace(e.X)}})
			return len(t.Kids) < x.shownMembers()
		})
	}
	return t
}

// field shows a field's values; of keywords it shows none, for they are all there are.
func (x *explainer) field(name string, f int32) FieldTrace {
	t := FieldTrace{Name: name}
	for v := x.m.first(f); v != nil; v = x.m.next(v) {
		t.Present = true
		switch {
		case v.text == nil:
		case name == "" || len(t.Values) == maxValues:
			t.More++
		default:
			t.Values = append(t.Values, cut(v.text))
		}
	}
	return t
}

// cut returns text as a string of at most maxShown bytes, and a mark if there is more.
func cut(text []byte) string {
	if len(text) <= maxShown {
		return string(text)
	}
	n := maxShown
	for n > maxShown-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	return string(text[:n]) + "…"
}
