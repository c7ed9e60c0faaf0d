// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// compile makes a book of documents; placed is how many of our applications have addresses. It never fails as a whole.
func compile(docs []sigma.Document, pipeline *sigma.Pipeline, placed int, anySource bool) *Book {
	b := &Book{metas: map[string]*entry{}, feeds: map[string]*feed{}}
	docs = b.unique(docs)
	var filters []*sigma.Filter
	var list []*sigma.Rule
	for _, d := range docs {
		if f, ok := d.(*sigma.Filter); ok {
			filters = append(filters, f)
		}
	}
	for _, d := range docs {
		if r, ok := d.(*sigma.Rule); ok {
			list = append(list, r)
		}
	}
	b.Problems = append(b.Problems, sigma.ApplyFilters(list, filters)...)
	mapped := make([]*sigma.Rule, 0, len(list))
	names := map[string]*sigma.Rule{} // by Key, name and title: as written, for the names of fields
	for _, r := range list {
		m, bad := pipeline.Apply(paired(r, placed))
		if b.Problems = append(b.Problems, bad...); m == nil {
			continue
		}
		mapped = append(mapped, m)
		names[r.Key()] = r
		if r.Name != "" {
			names[r.Name] = r
		}
	}
	program, bad := sigma.Compile(mapped, sigma.Options{Layers: []string{OCSF}, AnyLogSource: anySource})
	b.Problems = append(b.Problems, bad...)
	b.Program = program
	for _, r := range program.Rules() {
		b.metas[r.Key()] = &entry{meta: &r.Meta, kind: "single", rule: r}
		b.Documents = append(b.Documents, r)
	}
	b.relate(docs, names, pipeline)
	return b
}

// unique leaves out what has the id of another document.
func (b *Book) unique(docs []sigma.Document) []sigma.Document {
	seen := map[string]*sigma.Meta{}
	return slices.DeleteFunc(slices.Clone(docs), func(d sigma.Document) bool {
		m := sigma.MetaOf(d)
		if first := seen[m.Key()]; first != nil {
			b.Problems = append(b.Problems, problemOf(m, "the id %s is that of %s:%d too: give this one another id (a new UUID), or take one of them away", m.Key(), first.File, first.Line))
			return true
		}
		seen[m.Key()] = m
		return false
	})
}

func problemOf(m *sigma.Meta, format string, args ...any) sigma.Problem {
	return sigma.Problem{File: m.File, Line: m.Line, Severity: sigma.Error, Message: fmt.Sprintf(format, args...)}
}

// relate compiles the correlations, and those that gather the alerts of rules that suppress.
func (b *Book) relate(docs []sigma.Document, names map[string]*sigma.Rule, pipeline *sigma.Pipeline) {
	problems := sigma.CheckReferences(docs)
	b.Problems = append(b.Problems, problems...)
	keys := map[string]string{} // id or name → Key
	for _, d := range docs {
		m := sigma.MetaOf(d)
		keys[m.Key()] = m.Key()
		if m.Name != "" {
			keys[m.Name] = m.Key()
		}
	}
	resolve := func(ref string) ([]string, bool) {
		key, ok := keys[ref]
		return []string{key}, ok
	}
	list := without(correlationsOf(docs, keys), problems)
	for {
		problems := b.refused(list, keys, resolve)
		if len(problems) == 0 {
			break
		}
		b.Problems = append(b.Problems, problems...)
		list = without(list, problems) // and then what refers to these
	}
	for _, c := range list {
		kind := "correlation"
		if c.Behavior != nil {
			kind = "behavior"
		}
		b.metas[c.Key()] = &entry{meta: &c.Meta, kind: kind, correlation: c}
		b.Documents = append(b.Documents, c)
	}
	for _, c := range list {
		for _, ref := range c.Rules {
			e := b.metas[keys[ref]]
			e.fed = true
			e.quiet = e.quiet || !c.Generate
		}
	}
	list = append(list, b.gatherers()...)
	for _, c := range list {
		b.wants(c, keys, names, pipeline)
	}
	standard, own := byKind(list)
	var errs []error
	b.correlations, errs = correlate.Compile(standard, resolve)
	b.behaviors, _ = behave.Compile(own, resolve)
	b.Problems = append(b.Problems, problemsOf(errs)...)
	for _, e := range b.metas { // what cannot be gathered is told of by itself
		if e.grouped != "" && len(without([]*sigma.Correlation{{Meta: *e.meta}}, problemsOf(errs))) == 0 {
			e.grouped = ""
		}
	}
}

// correlationsOf returns the correlations among documents, with aliases for the references that they list: an alias
// may call a rule by its name where the list has its id.
func correlationsOf(docs []sigma.Document, keys map[string]string) (list []*sigma.Correlation) {
	for _, d := range docs {
		c, ok := d.(*sigma.Correlation)
		if !ok {
			continue
		}
		for _, fields := range c.Aliases {
			for _, ref := range c.Rules {
				for name, field := range fields {
					if _, ok := fields[ref]; !ok && keys[name] == keys[ref] {
						fields[ref] = field
						break
					}
				}
			}
		}
		list = append(list, c)
	}
	return list
}

// without leaves out the correlations that an error is about.
func without(list []*sigma.Correlation, problems []sigma.Problem) []*sigma.Correlation {
	type place struct {
		file string
		line int
	}
	bad := map[place]bool{}
	for _, p := range problems {
		if p.Severity == sigma.Error {
			bad[place{p.File, p.Line}] = true
		}
	}
	return slices.DeleteFunc(list, func(c *sigma.Correlation) bool { return bad[place{c.File, c.Line}] })
}

// refused says what is wrong with correlations that would be compiled with the rules that there are.
func (b *Book) refused(list []*sigma.Correlation, keys map[string]string, resolve func(string) ([]string, bool)) (problems []sigma.Problem) {
	there := map[string]bool{}
	for _, c := range list {
		there[c.Key()] = true
	}
	for _, c := range list {
		for _, ref := range c.Rules {
			key := keys[ref]
			if b.metas[key] == nil && !there[key] {
				problems = append(problems, problemOf(&c.Meta, "it refers to %q, which is no rule that was loaded: name a rule by its id or name", ref))
				break
			}
			if c.Behavior != nil && there[key] {
				problems = append(problems, problemOf(&c.Meta, "it learns from %q, which is a correlation; what that finds may be taken back, and nobody can unlearn: name the rules of its records instead", ref))
				break
			}
		}
	}
	if len(problems) > 0 {
		return problems
	}
	standard, own := byKind(list)
	_, errs := correlate.Compile(standard, resolve)
	problems = problemsOf(errs)
	_, errs = behave.Compile(own, resolve)
	return append(problems, problemsOf(errs)...)
}

// byKind parts Sigma's correlations and Daybreak's own, each by their Key.
func byKind(list []*sigma.Correlation) (standard, own []*sigma.Correlation) {
	for _, c := range slices.SortedFunc(slices.Values(list), func(x, y *sigma.Correlation) int { return strings.Compare(x.Key(), y.Key()) }) {
		if c.Behavior != nil {
			own = append(own, c)
		} else {
			standard = append(standard, c)
		}
	}
	return standard, own
}

// gathered ends the Key of a correlation that gathers the alerts of a rule that suppresses.
const gathered = "#gathered"

// gatherers returns a correlation for each rule that judges single records and suppresses. (What suppresses of others
// is gathered when it has fired: see [gathering].)
func (b *Book) gatherers() (list []*sigma.Correlation) {
	for key, e := range b.metas {
		if e.quiet || e.kind != "single" || e.suppress() == nil {
			continue
		}
		s := e.suppress()
		c := &sigma.Correlation{
			Meta: *e.meta, Type: "event_count", Rules: []string{key}, GroupBy: s.By, Timespan: s.For,
			Condition: sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gte, N: 1}}},
		}
		c.ID, c.Name = key+gathered, ""
		e.fed, e.grouped = true, c.Key()
		list = append(list, c)
	}
	return list
}

// problemsOf are the errors of a compiler, which say their place.
func problemsOf(errs []error) (problems []sigma.Problem) {
	for _, err := range errs {
		var p sigma.Problem
		if !errors.As(err, &p) {
			p.Message = err.Error()
		}
		problems = append(problems, p)
	}
	return problems
}

// wants notes which fields a correlation asks of the records of the rules it refers to.
func (b *Book) wants(c *sigma.Correlation, keys map[string]string, names map[string]*sigma.Rule, pipeline *sigma.Pipeline) {
	fields := slices.Concat(c.GroupBy, c.Condition.Fields)
	if c.Behavior != nil {
		fields = slices.Concat(fields, c.Behavior.Fields, c.Behavior.Peers)
	}
	for _, ref := range c.Rules {
		r := names[ref]
		if r == nil {
			continue // a correlation: its group is all that it has
		}
		f := b.feeds[r.Key()]
		if f == nil {
			f = new(feed)
			b.feeds[r.Key()] = f
		}
		for _, field := range fields {
			if to, ok := c.Aliases[field]; ok {
				for _, name := range []string{ref, r.Name, r.ID} {
					if v, ok := to[name]; ok {
						field = v
						break
					}
				}
			}
			if f.index(field) < 0 {
				f.names = append(f.names, field)
				f.fields = append(f.fields, b.fieldsOf(r, pipeline.FieldNames(r, field)))
			}
		}
	}
}

// fieldsOf are the fields of a rule's records at these paths; none if the rule is not in the program.
func (b *Book) fieldsOf(r *sigma.Rule, paths []string) (fields []sigma.Field) {
	e := b.metas[r.Key()]
	if e == nil || e.rule == nil {
		return nil
	}
	for _, p := range paths {
		fields = append(fields, b.Program.Field(e.rule, p))
	}
	return fields
}
