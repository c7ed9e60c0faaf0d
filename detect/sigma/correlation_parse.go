// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Limits of one correlation.
const (
	maxRules  = 1000
	maxFields = 64 // in a list of them, and aliases
)

// correlationType says what a type needs. The first eight are the specification's
// (value_median is pySigma's), the others Daybreak's own.
type correlationType struct {
	condition bool   // it has to have one
	fields    int    // how many fields its condition names: 0, 1, or 2 for any number
	temporal  bool   // its condition may be one over the names of the rules
	behavior  bool   // it has a behavior and no condition
	timespan  bool   // it has to have one
	group     bool   // it has to have a group-by
	needs     string // keys of behavior that have to be there
	takes     string // keys of behavior that may be there
}

var correlationTypes = map[string]correlationType{
	"event_count":      {timespan: true, condition: true},
	"value_count":      {timespan: true, condition: true, fields: 2},
	"temporal":         {timespan: true, temporal: true},
	"temporal_ordered": {timespan: true, temporal: true},
	"value_sum":        {timespan: true, condition: true, fields: 1},
	"value_avg":        {timespan: true, condition: true, fields: 1},
	"value_percentile": {timespan: true, condition: true, fields: 1},
	"value_median":     {timespan: true, condition: true, fields: 1},

	"new_value": {behavior: true, group: true, needs: "fields", takes: "learn remember rare peers"},
	"spike":     {behavior: true, group: true, timespan: true, needs: "least learn", takes: "factor fields remember peers"},
	"dormant":   {behavior: true, group: true, needs: "quiet", takes: "learn"},
	"travel":    {behavior: true, group: true, needs: "fields", takes: "km-per-hour minimum-km least learn remember"},
	"spread":    {behavior: true, group: true, timespan: true, needs: "fields least", takes: "most peers"},
}

// correlation reads the `correlation` of a document.
func (p *parser) correlation(m Meta, e entry, logsource *entry, generate bool) Document {
	c := &Correlation{Meta: m, Generate: generate}
	if logsource != nil {
		p.warnf(logsource.line, "a correlation has the log sources of its rules; its own logsource is ignored")
	}
	seen := map[string]entry{}
	for _, e := range p.mapping(e.value, "correlation") {
		seen[e.key] = e
		switch e.key {
		case "type":
			c.Type = p.text(e)
		case "rules":
			c.Rules = p.texts(e)
		case "group-by":
			c.GroupBy = p.fieldNames(e)
		case "timespan":
			c.Timespan = p.duration(e)
		case "generate":
			c.Generate = p.boolean(e)
		case "aliases":
			c.Aliases = p.aliases(e)
		case "condition", "behavior":
		default:
			p.errorf(e.line, "correlation has no key %s; there are type, rules, group-by, timespan, aliases, condition, generate and behavior", quoted(e.key))
		}
	}
	t, known := correlationTypes[c.Type]
	if !known {
		p.errorf(e.line, "the correlation's type is %s; it has to be one of %s", quoted(c.Type), strings.Join(slices.Sorted(maps.Keys(correlationTypes)), ", "))
		return nil
	}
	p.checkCorrelation(e.line, c, t)
	if condition, ok := seen["condition"]; ok {
		c.Condition = p.threshold(condition, c.Type, t)
	} else if t.condition {
		p.errorf(e.line, "%s needs a condition such as condition: {gte: 10}", c.Type)
	}
	if c.Type == "value_median" {
		c.Condition.Percentile = 50
	}
	if behavior, ok := seen["behavior"]; ok || t.behavior {
		c.Behavior = p.behavior(e.line, behavior, c.Type, t)
	}
	return c
}

func (p *parser) checkCorrelation(line int, c *Correlation, t correlationType) {
	if len(c.Rules) == 0 {
		p.errorf(line, "the correlation names no rules; list their ids or names in rules")
	}
	if len(c.Rules) > maxRules {
		p.errorf(line, "the correlation names %d rules and at most %d can be; name a correlation of some of them", len(c.Rules), maxRules)
	}
	if t.timespan && c.Timespan == 0 {
		p.errorf(line, "%s needs a timespan such as timespan: 15m", c.Type)
	}
	if t.group && len(c.GroupBy) == 0 {
		p.errorf(line, "%s needs a group-by that says whose behavior is watched, such as group-by: [UserId]", c.Type)
	}
	if c.Type == "temporal_ordered" && len(c.Rules) < 2 {
		p.errorf(line, "temporal_ordered needs two rules or more; of one there is no order")
	}
}

// fieldNames reads names of fields, written as in an item: spaces do not count.
func (p *parser) fieldNames(e entry) []string {
	names := p.texts(e)
	if len(names) > maxFields {
		p.errorf(e.line, "%s names %d fields and at most %d can be", e.key, len(names), maxFields)
		return nil
	}
	for i, name := range names {
		names[i] = strings.ReplaceAll(name, " ", "")
		switch {
		case names[i] == "":
			p.errorf(e.line, "%s has an empty name; name a field", e.key)
		case slices.Contains(names[:i], names[i]):
			p.errorf(e.line, "%s names %s twice; once is enough", e.key, quoted(name))
		}
	}
	return names
}

func (p *parser) aliases(e entry) map[string]map[string]string {
	aliases := map[string]map[string]string{}
	entries := p.mapping(e.value, "aliases")
	if len(entries) > maxFields {
		p.errorf(e.line, "there are %d aliases and at most %d can be", len(entries), maxFields)
		return nil
	}
	for _, alias := range entries {
		fields := map[string]string{}
		for _, rule := range p.mapping(alias.value, "alias "+quoted(alias.key)) {
			if len(fields) == maxRules {
				p.errorf(rule.line, "alias %s has more than %d rules", quoted(alias.key), maxRules)
				break
			}
			fields[rule.key] = strings.ReplaceAll(p.text(rule), " ", "")
			if fields[rule.key] == "" {
				p.errorf(rule.line, "alias %s names no field for rule %s", quoted(alias.key), quoted(rule.key))
			}
		}
		if len(fields) == 0 {
			p.errorf(alias.line, "alias %s needs rule: field for each rule", quoted(alias.key))
		}
		aliases[strings.ReplaceAll(alias.key, " ", "")] = fields
	}
	return aliases
}

var comparisons = map[string]Op{"eq": Eq, "neq": Neq, "lt": Lt, "lte": Lte, "gt": Gt, "gte": Gte}

// threshold reads a correlation's condition.
func (p *parser) threshold(e entry, name string, t correlationType) Threshold {
	var h Threshold
	switch {
	case t.behavior:
		p.errorf(e.line, "%s has no condition; its thresholds are in behavior", name)
		return h
	case t.temporal && e.value.Kind == yaml.ScalarNode:
		x, err := parseCondition(e.value.Value)
		if err == nil {
			err = onlyNames(x)
		}
		if err != nil {
			p.errorf(e.line, "the condition %s %v", quoted(e.value.Value), err)
		}
		h.Expr = x
		return h
	}
	percentile := name == "value_percentile"
	if percentile {
		h.Percentile = 50
	}
	for _, e := range p.mapping(e.value, "the correlation's condition") {
		if op, ok := comparisons[e.key]; ok {
			h.Compare = append(h.Compare, Comparison{op, p.number(e)})
			continue
		}
		switch {
		case e.key == "field" && t.fields > 0:
			h.Fields = p.fieldNames(e)
		case e.key == "percentile" && percentile:
			if h.Percentile = p.number(e); h.Percentile > 100 {
				p.errorf(e.line, "percentile is a number from 0 to 100, not %s", quoted(e.value.Value))
			}
		default:
			p.errorf(e.line, "the condition of %s has no key %s; there are eq, neq, lt, lte, gt and gte with a number each%s", name, quoted(e.key), moreKeys(t, percentile))
		}
	}
	if len(h.Compare) == 0 {
		p.errorf(e.line, "the correlation's condition compares nothing; add one such as gte: 10")
	}
	switch {
	case t.fields > 0 && len(h.Fields) == 0:
		p.errorf(e.line, "%s needs a field in its condition, whose values it looks at", name)
	case t.fields == 1 && len(h.Fields) > 1:
		p.errorf(e.line, "%s looks at the values of one field; its condition names %d", name, len(h.Fields))
	}
	if len(h.Compare) > 0 && !satisfiable(h.Compare) {
		p.errorf(e.line, "no number satisfies the correlation's condition; all of its comparisons have to hold")
	}
	return h
}

func moreKeys(t correlationType, percentile bool) string {
	switch {
	case percentile:
		return ", field and percentile"
	case t.fields > 0:
		return ", and field"
	}
	return ""
}

// number reads a number that is not negative.
func (p *parser) number(e entry) float64 {
	n, ok := numberOf(e.value)
	if !ok || n < 0 {
		p.errorf(e.line, "%s needs a number that is not negative", e.key)
	}
	return n
}

// satisfiable reports whether some number passes all comparisons. It tries the bounds
// themselves and a number on each side of them.
func satisfiable(list []Comparison) bool {
	for _, c := range list {
		for _, n := range []float64{c.N - 0.5, c.N - 1e-9, c.N, c.N + 1e-9, c.N + 0.5} {
			if !slices.ContainsFunc(list, func(c Comparison) bool { return !c.holds(n) }) {
				return true
			}
		}
	}
	return false
}

func (c Comparison) holds(n float64) bool {
	switch c.Op {
	case Eq:
		return n == c.N
	case Neq:
		return n != c.N
	case Lt:
		return n < c.N
	case Lte:
		return n <= c.N
	case Gt:
		return n > c.N
	}
	return n >= c.N
}
