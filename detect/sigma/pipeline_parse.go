// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Limits of one pipeline.
const (
	maxNest  = 8    // nested steps in one another
	maxSteps = 4096 // of one list
)

// ParsePipeline reads a file that holds one pipeline in pySigma's format. It returns nil if
// one of the problems is an [Error]: a transformation, condition or parameter that is not
// supported is refused, never skipped. What concerns queries (postprocessing, finalizers)
// has no effect on matching and is a warning.
func ParsePipeline(file string, text []byte) (pipeline *Pipeline, problems []Problem) {
	p := &parser{file: file, room: maxRoom}
	defer func() {
		problems = p.problems
		if r := recover(); r != nil {
			e, ok := r.(exhausted)
			if !ok {
				panic(r)
			}
			problems = append(problems, e.Problem)
		}
		if Failed(problems) {
			pipeline = nil
		}
	}()
	n := 0
	p.load(text, func(root *yaml.Node) {
		if n++; n == 1 {
			pipeline = p.pipeline(root)
		} else {
			p.errorf(root.Line, "a file holds one pipeline; put the second into another file")
		}
	})
	if n == 0 && !Failed(p.problems) {
		p.errorf(1, "the file is empty; a pipeline has at least transformations or vars")
	}
	return pipeline, nil
}

func (p *parser) pipeline(root *yaml.Node) *Pipeline {
	pl := &Pipeline{vars: map[string][]string{}}
	for _, e := range p.mapping(root, "the pipeline") {
		switch e.key {
		case "name":
			pl.Name = p.text(e)
		case "priority":
			n, err := strconv.Atoi(p.text(e))
			if err != nil {
				p.errorf(e.line, "priority has to be a whole number; lower ones are applied first")
			}
			pl.Priority = n
		case "vars":
			for _, v := range p.mapping(e.value, "vars") {
				pl.vars[v.key] = p.texts(v)
				if len(pl.vars[v.key]) == 0 {
					p.errorf(v.line, "the variable %s has no values; a rule with its placeholder would match nothing", quoted(v.key))
				}
			}
		case "transformations":
			pl.steps = p.steps(e, 0)
		case "allowed_backends":
		case "postprocessing", "finalizers":
			p.warnf(e.line, "%s are for queries, and records are matched without one; they have no effect", e.key)
		default:
			p.errorf(e.line, "a pipeline has no key %s; there are name, priority, vars and transformations", quoted(e.key))
		}
	}
	return pl
}

func (p *parser) steps(e entry, depth int) []*step {
	steps := []*step{}
	if depth > maxNest {
		p.errorf(e.line, "nested transformations are more than %d deep in one another", maxNest)
		return steps
	}
	nodes := p.list(e)
	if len(nodes) > maxSteps {
		p.errorf(e.line, "there are %d transformations and at most %d are read; divide the pipeline", len(nodes), maxSteps)
		return steps
	}
	for _, n := range nodes {
		if s := p.step(n, depth); s != nil {
			steps = append(steps, s)
		}
	}
	return steps
}

// step reads one transformation with its conditions.
func (p *parser) step(n *yaml.Node, depth int) *step {
	q := p.params(n, "the transformation")
	if q == nil {
		return nil
	}
	s := &step{file: p.file, line: n.Line, kind: q.need("type")}
	q.what = "the transformation " + quoted(s.kind)
	s.id, _ = q.text("id")
	s.rule = q.conditions("rule", ruleConditions)
	s.item = q.conditions("detection_item", itemConditions)
	s.field = q.conditions("field_name", fieldConditions)
	build, known := transformations[s.kind]
	switch {
	case s.kind == "nest":
		if s.item != nil || s.field != nil {
			p.errorf(n.Line, "nest takes rule_conditions only; put the others into its items")
		}
		if e, ok := q.take("items"); ok {
			s.nested = p.steps(e, depth+1)
		} else {
			p.errorf(n.Line, "nest needs items, a list of transformations")
		}
	case unsupported[s.kind] != "":
		p.errorf(n.Line, "%s is not supported: %s", q.what, unsupported[s.kind])
		return nil
	case !known:
		if s.kind != "" {
			p.errorf(n.Line, "there is no transformation %s; there are %s, nest", quoted(s.kind), strings.Join(slices.Sorted(maps.Keys(transformations)), ", "))
		}
		return nil
	default:
		build(q, s)
	}
	if s.whole != nil && (s.item != nil || s.field != nil) {
		p.errorf(n.Line, "%s changes the rule as a whole and takes rule_conditions only", q.what)
	}
	q.end()
	return s
}

// unsupported are pySigma's transformations that make no sense without a query, with the
// reason.
var unsupported = map[string]string{
	"query_expression_placeholders": "it writes a piece of a query, and records are matched without one; put the values into vars and use value_placeholders",
	"field_name_transform":          "it needs a function of Python; use field_name_mapping",
	"case":                          "values match in any case; remove it, or write |cased values as they are",
	"case_transformation":           "values match in any case; remove it, or write |cased values as they are",
	"include":                       "it reads another file; give both pipelines, they are joined by priority",
}

// params are the parameters of a transformation or condition. What is not taken is refused
// at the end.
type params struct {
	*parser
	line    int
	what    string // for messages
	entries []entry
	taken   map[string]bool
}

func (p *parser) params(n *yaml.Node, what string) *params {
	before := len(p.problems)
	entries := p.mapping(n, what)
	if len(p.problems) > before {
		return nil
	}
	return &params{parser: p, line: n.Line, what: what, entries: entries, taken: map[string]bool{}}
}

func (q *params) take(key string) (entry, bool) {
	q.taken[key] = true
	for _, e := range q.entries {
		if e.key == key {
			return e, true
		}
	}
	return entry{}, false
}

// text reads a scalar. (It hides the parser's, which takes an entry.)
func (q *params) text(key string) (string, bool) {
	e, ok := q.take(key)
	if !ok {
		return "", false
	}
	return q.parser.text(e), true
}

// need reads a scalar that has to be there.
func (q *params) need(key string) string {
	s, ok := q.text(key)
	if !ok {
		q.errorf(q.line, "%s needs %s", q.what, key)
	}
	return s
}

// choice reads a scalar that is one of a few; the first if it is not there.
func (q *params) choice(key string, of ...string) string {
	s, ok := q.text(key)
	if !ok {
		return of[0]
	}
	if !slices.Contains(of, s) {
		q.errorf(q.line, "%s of %s has to be one of %s, not %s", key, q.what, strings.Join(of, ", "), quoted(s))
	}
	return s
}

func (q *params) flag(key string) bool {
	e, ok := q.take(key)
	return ok && q.boolean(e)
}

// texts reads a list of scalars, or one. (It hides the parser's.)
func (q *params) texts(key string) []string {
	e, ok := q.take(key)
	if !ok {
		return nil
	}
	return q.parser.texts(e)
}

// needTexts reads a list that has to be there and not be empty.
func (q *params) needTexts(key string) []string {
	list := q.texts(key)
	if len(list) == 0 {
		q.errorf(q.line, "%s needs %s, a list", q.what, key)
	}
	return list
}

// needMap reads a map to scalars or lists of them.
func (q *params) needMap(key string) []entryTexts {
	e, ok := q.take(key)
	if !ok {
		q.errorf(q.line, "%s needs %s, a map", q.what, key)
		return nil
	}
	var list []entryTexts
	for _, e := range q.mapping(e.value, key+" of "+q.what) {
		t := entryTexts{e.key, q.parser.texts(e)}
		if len(t.texts) == 0 {
			q.errorf(e.line, "%s of %s maps %s to nothing; drop_detection_item drops an item", key, q.what, quoted(e.key))
		}
		list = append(list, t)
	}
	return list
}

type entryTexts struct {
	key   string
	texts []string
}

// end refuses what was not taken.
func (q *params) end() {
	for _, e := range q.entries {
		if !q.taken[e.key] {
			known := slices.Sorted(maps.Keys(q.taken))
			known = slices.DeleteFunc(known, func(k string) bool { return strings.Contains(k, "_cond") })
			q.errorf(e.line, "%s has no parameter %s; there are %s, and conditions", q.what, quoted(e.key), strings.Join(known, ", "))
		}
	}
}
