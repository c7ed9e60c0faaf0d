// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/lake"
)

// maxRows is the greatest number that limit and top take.
const maxRows = 1_000_000_000

// pipes reads the rest of the query.
func (p *parser) pipes() []Pipe {
	var out []Pipe
	scope := EventColumns()
	for p.peek() == '|' {
		p.pos++
		p.space()
		at := p.pos
		var pipe Pipe
		name := strings.ToLower(p.word().literal)
		if len(out) == 0 && (name == "count" || name == "histogram") {
			scope = countable()
		}
		switch name {
		case "fields":
			pipe = Fields{p.names(scope)}
		case "count":
			pipe = Count{p.by(scope)}
		case "histogram":
			pipe = p.histogram(scope)
		case "top":
			pipe = p.top(scope)
		case "sort":
			pipe = p.sort(scope)
		case "limit", "head":
			p.space()
			pipe = Limit{p.count("limit")}
		default:
			p.unknownPipe(at, name)
		}
		p.space()
		if p.err == nil && p.peek() != 0 && p.peek() != '|' {
			p.fail(p.pos, "this does not belong to the pipe; pipes are parted by |")
		}
		if p.err != nil {
			return nil
		}
		out = append(out, pipe)
		scope = after(pipe, scope)
	}
	return out
}

func (p *parser) unknownPipe(at int, name string) {
	known := []string{"fields", "count", "histogram", "top", "sort", "limit"}
	switch near := nearest(name, known); {
	case name == "":
		p.fail(at, "a pipe is missing here: want one of %s", strings.Join(known, ", "))
	case near != "":
		p.fail(at, "unknown pipe %q: did you mean %q?", name, near)
	default:
		p.fail(at, "unknown pipe %q: want one of %s", name, strings.Join(known, ", "))
	}
}

// name reads the name of a column in scope.
func (p *parser) name(scope []Column) string {
	p.space()
	at := p.pos
	name := p.word().literal
	if p.err != nil {
		return ""
	}
	if name == "" {
		p.fail(at, "the name of a column is missing here")
		return ""
	}
	has := func(name string) bool {
		return slices.ContainsFunc(scope, func(c Column) bool { return c.Name == name })
	}
	low := strings.ToLower(name)
	if has(low) {
		return low
	}
	if f, err := lookup(name); err == nil && has(f.name) {
		return f.name
	} else if f.path {
		p.fail(at, "pipes work on columns, and %s is a path into the event; filter by it instead", name)
	}
	var names []string
	for _, c := range scope {
		names = append(names, c.Name)
	}
	if near := nearest(low, names); near != "" {
		p.fail(at, "there is no column %q here: did you mean %q?", name, near)
	}
	if len(names) > 8 {
		names = append(names[:8:8], "…")
	}
	p.fail(at, "there is no column %q here: the columns are %s", name, strings.Join(names, ", "))
	return ""
}

// names reads a list of different columns.
func (p *parser) names(scope []Column) []string {
	var out []string
	for {
		p.space()
		at := p.pos
		name := p.name(scope)
		if p.err == nil && slices.Contains(out, name) {
			p.fail(at, "%s is named twice", name)
		}
		out = append(out, name)
		if p.space(); p.peek() != ',' {
			return out
		}
		p.pos++
	}
}

// by reads the optional columns to group by.
func (p *parser) by(scope []Column) []string {
	p.space()
	if !p.keyword("by") && !p.keyword("BY") {
		return nil
	}
	at := p.pos
	names := p.names(scope)
	if slices.Contains(names, "count") {
		p.fail(at, "the result would have two columns named count")
	}
	return names
}

func (p *parser) histogram(scope []Column) Pipe {
	p.space()
	at, h := p.pos, Histogram{Span: time.Hour}
	if !slices.ContainsFunc(scope, func(c Column) bool { return c.Name == "time" }) {
		p.fail(at, "a histogram needs the column time, which an earlier pipe removed")
	}
	if c := p.peek(); '0' <= c && c <= '9' {
		var err error
		if h.Span, err = span(p.word().literal); err != nil {
			p.fail(at, "%v", err)
		}
	}
	h.By = p.by(scope)
	if slices.Contains(h.By, "time") {
		p.fail(at, "a histogram groups by time already")
	}
	return h
}

func (p *parser) top(scope []Column) Pipe {
	p.space()
	t := Top{N: 10}
	if c := p.peek(); '0' <= c && c <= '9' {
		t.N = p.count("top")
	}
	p.space()
	at := p.pos
	if t.Field = p.name(scope); t.Field == "count" {
		p.fail(at, "the result would have two columns named count")
	}
	return t
}

func (p *parser) sort(scope []Column) Pipe {
	var s Sort
	for {
		p.space()
		at, k := p.pos, Key{}
		if p.peek() == '-' {
			k.Desc = true
			p.pos++
		}
		k.Name = p.name(scope)
		if slices.ContainsFunc(s.Keys, func(o Key) bool { return o.Name == k.Name }) {
			p.fail(at, "%s is named twice", k.Name)
		}
		s.Keys = append(s.Keys, k)
		if p.space(); p.peek() != ',' {
			return s
		}
		p.pos++
	}
}

func (p *parser) count(pipe string) int {
	at := p.pos
	n, err := strconv.Atoi(p.word().literal)
	if err != nil || n < 1 || n > maxRows {
		p.fail(at, "%s needs a number from 1 to %d", pipe, maxRows)
	}
	return n
}

// EventColumns returns the columns of events, which the first pipe receives.
func EventColumns() []Column {
	out := make([]Column, len(lake.Columns))
	for i, c := range lake.Columns {
		out[i] = Column{c.Name, c.Kind}
	}
	return out
}

// after returns the columns that a pipe leaves.
func after(p Pipe, scope []Column) []Column {
	switch p := p.(type) {
	case Fields:
		return pick(scope, p.Names)
	case Count:
		return append(pick(scope, p.By), countColumn)
	case Histogram:
		return append(append(pick(scope, []string{"time"}), pick(scope, p.By)...), countColumn)
	case Top:
		return append(pick(scope, []string{p.Field}), countColumn)
	}
	return scope
}

var countColumn = Column{"count", lake.Int}

func pick(scope []Column, names []string) []Column {
	out := make([]Column, len(names))
	for i, name := range names {
		out[i] = scope[indexOf(scope, name)]
	}
	return out
}

func indexOf(scope []Column, name string) int {
	return slices.IndexFunc(scope, func(c Column) bool { return c.Name == name })
}
