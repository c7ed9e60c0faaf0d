// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"fmt"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// compile makes a book of documents. It never fails as a whole.
func compile(docs []sigma.Document, pipeline *sigma.Pipeline, anySource bool) *Book {
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
		m, bad := pipeline.Apply(r)
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
		b.metas[r.Key()] = &entry{meta: &r.Meta, kind: "single"}
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
			b.problem(m, "the id %s is that of %s:%d too: give this one another id (a new UUID), or take one of them away", m.Key(), first.File, first.Line)
			return true
		}
		seen[m.Key()] = m
		return false
	})
}

func (b *Book) problem(m *sigma.Meta, format string, args ...any) {
	b.Problems = append(b.Problems, sigma.Problem{File: m.File, Line: m.Line, Severity: sigma.Error, Message: fmt.Sprintf(format, args...)})
}

// relate compiles the correlations, and those that gather the alerts of rules that suppress.
func (b *Book) relate(docs []sigma.Document, names map[string]*sigma.Rule, pipeline *sigma.Pipeline) {
	problems := sigma.CheckReferences(docs)
	b.Problems = append(b.Problems, problems...)
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
	keys := map[string]string{} // id or name → Key
	for _, d := range docs {
		m := sigma.MetaOf(d)
		keys[m.Key()] = m.Key()
		if m.Name != "" {
			keys[m.Name] = m.Key()
		}
	}
	var standard, own []*sigma.Correlation
	add := func(c *sigma.Correlation, kind string) bool {
		for _, ref := range c.Rules {
			key, ok := keys[ref]
			if _, is := b.metas[key]; !ok || !is && !isCorrelation(docs, key) {
				b.problem(&c.Meta, "it refers to %q, which is no rule that was loaded: name a rule by its id or name", ref)
				return false
			}
		}
		b.metas[c.Key()] = &entry{meta: &c.Meta, kind: kind, correlation: c}
		if kind == "behavior" {
			own = append(own, c)
		} else {
			standard = append(standard, c)
		}
		return true
	}
	var all []*sigma.Correlation
	for _, d := range docs {
		c, ok := d.(*sigma.Correlation)
		if !ok || bad[place{c.File, c.Line}] {
			continue
		}
		kind := "correlation"
		if c.Behavior != nil {
			kind = "behavior"
		}
		if add(c, kind) {
			all = append(all, c)
			b.Documents = append(b.Documents, c)
		}
	}
	for _, c := range all {
		for _, ref := range c.Rules {
			if e := b.metas[keys[ref]]; e != nil {
				e.fed = true
				e.quiet = e.quiet || !c.Generate
			}
		}
	}
	for key, e := range b.metas {
		// Correlations and behaviors tell once for each group and stretch anyway.
		if e.quiet || e.kind != "single" || e.meta.Daybreak == nil || e.meta.Daybreak.Suppress == nil {
			continue
		}
		s := e.meta.Daybreak.Suppress
		c := &sigma.Correlation{
			Meta: *e.meta, Type: "event_count", Rules: []string{key}, GroupBy: s.By, Timespan: s.For,
			Condition: sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gte, N: 1}}},
		}
		c.ID, c.Name = key+gathered, ""
		e.fed, e.grouped = true, c.Key()
		all, standard = append(all, c), append(standard, c)
	}
	slices.SortFunc(standard, func(x, y *sigma.Correlation) int { return strings.Compare(x.Key(), y.Key()) })
	slices.SortFunc(own, func(x, y *sigma.Correlation) int { return strings.Compare(x.Key(), y.Key()) })
	for _, c := range all {
		b.wants(c, keys, names, pipeline)
	}
	resolve := func(ref string) ([]string, bool) {
		key, ok := keys[ref]
		return []string{key}, ok
	}
	var errs []error
	b.correlations, errs = correlate.Compile(standard, resolve)
	b.failed(errs)
	b.behaviors, errs = behave.Compile(own, resolve)
	b.failed(errs)
}

// gathered ends the Key of a correlation that gathers the alerts of a rule that suppresses.
const gathered = "#gathered"

func (b *Book) failed(errs []error) {
	for _, err := range errs {
		b.Problems = append(b.Problems, sigma.Problem{Severity: sigma.Error, Message: err.Error()})
	}
}

func isCorrelation(docs []sigma.Document, key string) bool {
	return slices.ContainsFunc(docs, func(d sigma.Document) bool {
		c, ok := d.(*sigma.Correlation)
		return ok && c.Key() == key
	})
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
				f.paths = append(f.paths, pipeline.FieldNames(r, field))
			}
		}
	}
}
