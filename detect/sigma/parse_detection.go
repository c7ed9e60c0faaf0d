// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// searches are the search identifiers of a detection or a filter, in their order.
type searches struct {
	names     []string
	exprs     map[string]Expr
	used      map[string]bool
	timeframe string // of Sigma 1, for the message that refuses an aggregation
}

// detection reads the `detection` of a rule.
func (p *parser) detection(e entry) []Condition {
	s := newSearches()
	var condition *entry
	for _, e := range p.mapping(e.value, "detection") {
		switch e.key {
		case "condition":
			condition = &e
		case "timeframe":
			s.timeframe = p.text(e)
			p.warnf(e.line, "timeframe is of Sigma 1 and has no effect; write a correlation with a timespan")
		default:
			p.search(s, e)
		}
	}
	return p.conditions(e, condition, s)
}

func newSearches() *searches {
	return &searches{exprs: map[string]Expr{}, used: map[string]bool{}}
}

func (p *parser) search(s *searches, e entry) {
	s.names = append(s.names, e.key)
	s.exprs[e.key] = p.searchExpr(e)
}

// conditions reads a condition, or a list of them.
func (p *parser) conditions(of entry, e *entry, s *searches) []Condition {
	if e == nil {
		p.errorf(of.line, "%s has no condition; name the searches that have to hold, such as condition: selection", of.key)
		return nil
	}
	if len(s.names) == 0 {
		p.errorf(of.line, "%s has no search; add one, such as selection, with the fields to compare", of.key)
		return nil
	}
	texts := p.texts(*e)
	if len(texts) == 0 {
		p.errorf(e.line, "the condition is empty; name the searches that have to hold")
	}
	if len(texts) > maxConditions {
		p.errorf(e.line, "there are %d conditions and at most %d can be; join them with or", len(texts), maxConditions)
		return nil
	}
	var list []Condition
	for _, text := range texts {
		if aggregates(text) {
			p.errorf(e.line, "%s", aggregationMessage(text, s.timeframe))
			continue
		}
		x, err := parseCondition(text)
		if err == nil {
			x, err = p.resolveSearches(e.line, x, s)
		}
		if err != nil {
			p.errorf(e.line, "the condition %s %v", quoted(text), err)
			continue
		}
		list = append(list, Condition{Text: text, Expr: x})
	}
	if len(list) == len(texts) {
		for _, name := range s.names {
			if !s.used[name] {
				p.warnf(e.line, "no condition uses the search %s; use it or remove it", quoted(name))
			}
		}
	}
	return list
}

// searchExpr reads what a search identifier stands for. It returns nil with a problem.
func (p *parser) searchExpr(e entry) Expr {
	switch e.value.Kind {
	case yaml.MappingNode:
		return p.allOf(e.value, e.key)
	case yaml.SequenceNode:
		return p.anyOf(e)
	}
	return p.keywords(e.key, []*yaml.Node{e.value})
}

// anyOf reads a list of maps, of keywords, or of both: one of them.
func (p *parser) anyOf(e entry) Expr {
	var list []Expr
	var words []*yaml.Node
	for _, c := range p.list(e) {
		switch c.Kind {
		case yaml.MappingNode:
			list = append(list, p.allOf(c, e.key))
		case yaml.SequenceNode:
			p.errorf(c.Line, "search %s has a list in a list; write the inner one's elements into the outer", quoted(e.key))
		default:
			words = append(words, c)
		}
	}
	if len(words) > 0 {
		list = append(list, p.keywords(e.key, words))
	}
	if len(list) == 0 {
		p.errorf(e.line, "search %s is empty; give it fields to compare or remove it", quoted(e.key))
		return nil
	}
	return anyOf(list)
}

// allOf reads a map: all of its entries.
func (p *parser) allOf(n *yaml.Node, name string) Expr {
	return p.allEntries(n, name, p.mapping(n, "search "+quoted(name)))
}

func (p *parser) allEntries(n *yaml.Node, name string, entries []entry) Expr {
	var list []Expr
	for _, e := range entries {
		list = append(list, p.item(e))
	}
	if len(list) == 0 {
		p.errorf(n.Line, "search %s is empty; give it fields to compare or remove it", quoted(name))
		return nil
	}
	return allOf(list)
}

func allOf(list []Expr) Expr {
	if len(list) == 1 {
		return list[0]
	}
	return &And{list}
}

func anyOf(list []Expr) Expr {
	if len(list) == 1 {
		return list[0]
	}
	return &Or{list}
}

func (p *parser) keywords(name string, words []*yaml.Node) Expr {
	return p.chain(&chain{p: p, line: words[0].Line, name: "search " + quoted(name)}, words)
}

// item reads `field|modifiers: values`.
func (p *parser) item(e entry) Expr {
	parts := strings.Split(e.key, "|")
	c := &chain{p: p, line: e.line, name: quoted(e.key), field: strings.ReplaceAll(parts[0], " ", "")}
	for _, m := range parts[1:] {
		c.modifiers = append(c.modifiers, strings.TrimSpace(m))
	}
	selectors, field, err := parseSelectors(c.field, p.major)
	switch {
	case err != nil:
		p.errorf(e.line, "%s %v", c.name, err)
		return nil
	case len(selectors) > 0:
		return p.array(e, c, selectors, field)
	}
	c.field = field
	return p.comparison(e, c)
}

// comparison reads the values of an item.
func (p *parser) comparison(e entry, c *chain) Expr {
	if c.field == "." && p.arrays == 0 {
		p.errorf(e.line, "%s is the member of an array and stands below one only, such as in field[any]", c.name)
		return nil
	}
	values := []*yaml.Node{e.value}
	switch e.value.Kind {
	case yaml.MappingNode:
		p.errorf(e.value.Line, "%s has a map for its value; write nested fields with dots, such as outer.inner", c.name)
		return nil
	case yaml.SequenceNode:
		values = p.list(e)
		if len(values) == 0 {
			p.warnf(e.line, "%s has an empty list, which is read as null; write null if you mean that the field is absent", c.name)
			values = []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!null", Line: e.line}}
		}
	}
	return p.chain(c, values)
}

// chain applies the modifiers to the values and makes the item, or the items if values
// that multiply stand below |all: then one variant of each has to be there.
func (p *parser) chain(c *chain, nodes []*yaml.Node) Expr {
	before := len(p.problems)
	c.prepare()
	if Failed(p.problems[before:]) {
		return nil
	}
	plain := &Item{Field: c.field, Modifiers: c.modifiers, Line: c.line, All: c.all}
	var list []Expr
	for _, n := range nodes {
		values := c.values(n)
		if c.all && len(values) > 1 {
			list = append(list, &Item{Field: c.field, Values: values, Modifiers: c.modifiers, Line: c.line})
			continue
		}
		plain.Values = append(plain.Values, values...)
	}
	if len(plain.Values) > 0 {
		plain.All = plain.All && len(plain.Values) > 1
		list = append([]Expr{plain}, list...)
	}
	switch {
	case Failed(p.problems[before:]) || len(list) == 0:
		return nil
	case c.negate && len(list) == 1:
		list[0].(*Item).Negate = true
	case c.negate:
		return &Not{&And{list}}
	}
	return allOf(list)
}
