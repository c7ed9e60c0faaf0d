// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"slices"
	"strings"
)

// references finds documents by what others call them.
type references map[string]Document

// CheckReferences checks how documents refer to one another, once all files are read: ids
// and names are unique, what correlations and filters name is there, correlations do not
// go round in a circle, and aliases and extended conditions fit the rules they are about.
// Correlations with an Error among the problems cannot be run.
func CheckReferences(docs []Document) []Problem {
	refs, problems := collect(docs)
	w := &walk{references: refs, depths: map[*Correlation]int{}, told: map[*Correlation]bool{}}
	for _, doc := range docs {
		switch doc := doc.(type) {
		case *Correlation:
			problems = append(problems, refs.correlation(doc)...)
			w.depth(doc)
		case *Filter:
			problems = append(problems, refs.filter(doc)...)
		}
	}
	return append(problems, w.problems...)
}

func collect(docs []Document) (references, []Problem) {
	refs := make(references, len(docs))
	var problems []Problem
	for _, doc := range docs {
		m := doc.meta()
		for i, key := range []string{m.ID, m.Name} {
			if key == "" || i == 1 && key == m.ID {
				continue
			}
			if first, taken := refs[key]; taken {
				f := first.meta()
				problems = append(problems, m.at(Error, "the id or name %s is taken by %s, line %d; give this document another", quoted(key), f.File, f.Line))
				continue
			}
			refs[key] = doc
		}
	}
	return refs, problems
}

func (r references) correlation(c *Correlation) []Problem {
	var problems []Problem
	errorf := func(format string, args ...any) { problems = append(problems, c.at(Error, format, args...)) }
	members := make([]Document, 0, len(c.Rules))
	for _, name := range c.Rules {
		doc := r[name]
		switch doc.(type) {
		case nil:
			errorf("the correlation refers to %s and no rule has this id or name; add the rule or mend the name", quoted(name))
		case *Filter:
			errorf("the correlation refers to %s, which is a filter; it needs rules or correlations", quoted(name))
		}
		if doc != nil && slices.Contains(members, doc) {
			errorf("the correlation lists the rule %s twice; once is enough", quoted(name))
		}
		members = append(members, doc)
	}
	if len(problems) > 0 {
		return problems
	}
	problems = append(problems, r.aliases(c, members)...)
	problems = append(problems, suppressed(c)...)
	if c.Condition.Expr != nil {
		problems = append(problems, r.extended(c, members)...)
	}
	if correlationTypes[c.Type].temporal && !c.Condition.possible(len(c.Rules)) {
		errorf("the condition of %s counts the rules that matched; there are %d, so that it can never hold", c.Type, len(c.Rules))
	}
	return problems
}

// possible reports whether a number from 0 to most satisfies the comparisons.
func (t Threshold) possible(most int) bool {
	for n := range most + 1 {
		if !slices.ContainsFunc(t.Compare, func(c Comparison) bool { return !c.holds(float64(n)) }) {
			return true
		}
	}
	return false
}

// suppressed warns of fields to suppress by that the correlation's results do not have: they carry the values of
// group-by, and new_value and spread those of their fields.
func suppressed(c *Correlation) (problems []Problem) {
	if c.Daybreak == nil || c.Daybreak.Suppress == nil {
		return nil
	}
	for _, field := range c.Daybreak.Suppress.By {
		if !slices.Contains(c.GroupBy, field) && (c.Type != "new_value" && c.Type != "spread" || !slices.Contains(c.Behavior.Fields, field)) {
			problems = append(problems, c.at(Warning, "suppress is by %s and the correlation does not group by it, so that nothing is suppressed; name it in group-by, or suppress by what is there", quoted(field)))
		}
	}
	return problems
}

// aliases checks that an alias names rules of the correlation, and all of them if it is used.
func (r references) aliases(c *Correlation, members []Document) []Problem {
	var problems []Problem
	for alias, fields := range c.Aliases {
		covered := make([]Document, 0, len(fields))
		for rule := range fields {
			if doc := r[rule]; doc == nil || !slices.Contains(members, doc) {
				problems = append(problems, c.at(Error, "alias %s has a field for %s, which is not one of the correlation's rules; add it to rules or remove it", quoted(alias), quoted(rule)))
			} else {
				covered = append(covered, doc)
			}
		}
		if !slices.Contains(c.GroupBy, alias) && !slices.Contains(c.Condition.Fields, alias) {
			if b := c.Behavior; b == nil || !slices.Contains(b.Fields, alias) && !slices.Contains(b.Peers, alias) {
				problems = append(problems, c.at(Warning, "alias %s is not used; name it in group-by or remove it", quoted(alias)))
			}
			continue // a behavior may have rules whose records show no value
		}
		for i, doc := range members {
			if !slices.Contains(covered, doc) {
				problems = append(problems, c.at(Error, "alias %s has no field for the rule %s; add one, or its matches belong to no group", quoted(alias), quoted(c.Rules[i])))
			}
		}
	}
	slices.SortFunc(problems, func(a, b Problem) int { return strings.Compare(a.Message, b.Message) })
	return append(problems, r.innerGroups(c, members)...)
}

// innerGroups warns of groups that the results of an inner correlation cannot be in: they
// carry the values of its own group-by.
func (r references) innerGroups(c *Correlation, members []Document) []Problem {
	var problems []Problem
	for i, doc := range members {
		inner, ok := doc.(*Correlation)
		if !ok {
			continue
		}
		for _, field := range c.GroupBy {
			name := field
			for rule, f := range c.Aliases[field] {
				if r[rule] == doc {
					name = f
				}
			}
			if !slices.Contains(inner.GroupBy, name) {
				problems = append(problems, c.at(Warning, "the correlation groups by %s and the correlation %s within it does not; its results have that field only if it groups by it too", quoted(name), quoted(c.Rules[i])))
			}
		}
	}
	return problems
}

// extended checks that a condition over rules names each of them and no other.
func (r references) extended(c *Correlation, members []Document) []Problem {
	var problems []Problem
	named := map[Document]bool{}
	for _, name := range refNames(c.Condition.Expr, nil) {
		doc := r[name]
		if doc == nil || !slices.Contains(members, doc) {
			problems = append(problems, c.at(Error, "the condition names %s, which is not one of the correlation's rules; add it to rules or mend the name", quoted(name)))
		}
		named[doc] = true
	}
	for i, doc := range members {
		if !named[doc] {
			problems = append(problems, c.at(Error, "the condition does not name the rule %s; use it or remove it from rules", quoted(c.Rules[i])))
		}
	}
	return problems
}

func refNames(x Expr, names []string) []string {
	switch x := x.(type) {
	case *And:
		for _, y := range x.X {
			names = refNames(y, names)
		}
	case *Or:
		for _, y := range x.X {
			names = refNames(y, names)
		}
	case *Not:
		return refNames(x.X, names)
	case *Ref:
		return append(names, x.Name)
	}
	return names
}

// maxChain is how many correlations may stand in one another.
const maxChain = 32

// walk follows what correlations refer to, for ways that come back or are too long.
type walk struct {
	references
	depths   map[*Correlation]int  // how many the longest way from it has; 0 while it is walked
	told     map[*Correlation]bool // that there is a circle through it
	way      []*Correlation
	problems []Problem
}

func (w *walk) depth(c *Correlation) int {
	if depth, known := w.depths[c]; known {
		if depth == 0 && !w.told[c] {
			w.told[c] = true
			w.circle(c)
		}
		return depth
	}
	w.depths[c] = 0
	w.way = append(w.way, c)
	deepest := 0
	for _, name := range c.Rules {
		if inner, ok := w.references[name].(*Correlation); ok {
			deepest = max(deepest, w.depth(inner))
		}
	}
	w.way = w.way[:len(w.way)-1]
	if deepest == maxChain {
		w.problems = append(w.problems, c.at(Error, "more than %d correlations refer to one another in a chain; chain fewer", maxChain))
	}
	w.depths[c] = deepest + 1
	return deepest + 1
}

func (w *walk) circle(c *Correlation) {
	const shown = 8
	var names []string
	for _, x := range w.way[slices.Index(w.way, c):] {
		if names = append(names, quoted(x.Key())); len(names) == shown {
			names = append(names, "…")
			break
		}
	}
	names = append(names, quoted(c.Key()))
	w.problems = append(w.problems, c.at(Error, "correlations refer to one another in a circle: %s; break it", strings.Join(names, " → ")))
}

func (r references) filter(f *Filter) []Problem {
	var problems []Problem
	for _, name := range f.Rules {
		switch r[name].(type) {
		case nil:
			problems = append(problems, f.at(Warning, "the filter is for %s and no rule has this id or name", quoted(name)))
		case *Correlation, *Filter:
			problems = append(problems, f.at(Warning, "the filter is for %s, which is not a rule; filter the rules that the correlation refers to", quoted(name)))
		}
	}
	return problems
}
