// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// mapString maps whole strings, written as in rules, wildcards included: a value of
// |contains is "*value*".
func mapString(q *params, s *step) {
	mapping := map[string][]Pattern{}
	for _, e := range q.needMap("mapping") {
		key := parsePattern(e.key).String()
		for _, t := range e.texts {
			mapping[key] = append(mapping[key], parsePattern(t))
		}
	}
	s.values = func(_ *run, _ *Item, v Value) []Value {
		t, ok := v.(Text)
		if !ok {
			return nil
		}
		return texts(mapping[t.Pattern.String()], t.Cased)
	}
}

// texts makes values of patterns; nil of none.
func texts(patterns []Pattern, cased bool) []Value {
	var values []Value
	for _, p := range patterns {
		values = append(values, Text{p, cased})
	}
	return values
}

// replaceString replaces what a regular expression finds, in the value as it is written in
// rules. With skip_special it looks at the text between wildcards only, and what it puts in
// is text unless interpret_special.
func replaceString(q *params, s *step) {
	source, to := q.need("regex"), goTemplate(q.need("replacement"))
	skip, interpret := q.flag("skip_special"), q.flag("interpret_special")
	if err := checkRegexp(source, ""); err != nil {
		q.errorf(q.line, "regex of %s: %v", q.what, err)
		return
	}
	re := regexp.MustCompile(source)
	replace := func(p Pattern) Pattern {
		if !skip {
			return parsePattern(re.ReplaceAllString(p.String(), to))
		}
		made := make(Pattern, 0, len(p))
		for _, piece := range p {
			switch {
			case piece.Wild != Literal:
				made = append(made, piece)
			case interpret:
				made = append(made, parsePattern(re.ReplaceAllString(piece.Text, to))...)
			default:
				made = append(made, literal(re.ReplaceAllString(piece.Text, to))...)
			}
		}
		return made
	}
	s.values = func(r *run, it *Item, v Value) []Value {
		t, ok := v.(Text)
		if n, number := v.(Number); number {
			t, ok = Text{Pattern: literal(n.Text)}, true
		}
		if !ok {
			return nil
		}
		p := replace(t.Pattern)
		if p.String() == t.Pattern.String() {
			return nil
		}
		if len(p.literalText()) > maxReplaced {
			r.errorf(it.Line, "%s makes a value of %s that has more than %d bytes", s, quoted(it.Field), maxReplaced)
			return nil
		}
		return []Value{Text{p, t.Cased}}
	}
}

var pythonGroup = regexp.MustCompile(`\\(?:(\d{1,2})|g<(\w+)>|(\\))|(\$)`)

// goTemplate turns a replacement of Python's re.sub into one of package regexp.
func goTemplate(s string) string {
	return pythonGroup.ReplaceAllStringFunc(s, func(m string) string {
		g := pythonGroup.FindStringSubmatch(m)
		switch {
		case g[3] != "":
			return `\`
		case g[4] != "":
			return "$$"
		}
		return "${" + g[1] + g[2] + "}"
	})
}

// setValue replaces every value of an item by one.
func setValue(q *params, s *step) {
	to := q.value("value")
	switch q.choice("force_type", "", "str", "num") {
	case "str":
		if w, ok := writtenValue(to); ok {
			to = Text{Pattern: parsePattern(w)}
		}
	case "num":
		w, _ := writtenValue(to)
		n, ok := parseNumber(w)
		if !ok {
			q.errorf(q.line, "value of %s is not a number", q.what)
		}
		to = Number{n, w}
	}
	s.replace = func(_ *run, it *Item) Expr {
		c := *it
		c.Values, c.All = []Value{to}, false
		return withNames(&c, fieldNames(&c))
	}
}

// convertType makes strings of numbers and booleans, or numbers of strings.
func convertType(q *params, s *step) {
	if q.choice("target_type", "str", "num") == "str" {
		s.values = func(_ *run, _ *Item, v Value) []Value {
			if w, ok := wordOf(v); ok {
				return []Value{Text{Pattern: literal(w)}}
			}
			return nil
		}
		return
	}
	s.values = func(r *run, it *Item, v Value) []Value {
		t, ok := v.(Text)
		if !ok {
			return nil
		}
		n, ok := parseNumber(t.Pattern.literalText())
		if !ok || t.Pattern.wild() {
			r.errorf(it.Line, "%s makes numbers of the values of %s, and %s is none", s, quoted(it.Field), quoted(t.Pattern.String()))
			return nil
		}
		return []Value{Number{n, t.Pattern.literalText()}}
	}
}

// toRegex makes regular expressions of text that match the same.
func toRegex(q *params, s *step) {
	method := q.choice("method", "ignore_case_brackets", "ignore_case_flag", "plain")
	s.values = func(r *run, it *Item, v Value) []Value {
		t, ok := v.(Text)
		if !ok {
			return nil
		}
		var b strings.Builder
		b.WriteString(`\A`)
		for _, piece := range t.Pattern {
			switch piece.Wild {
			case AnyRun:
				b.WriteString(".*")
			case AnyOne:
				b.WriteString(".")
			default:
				b.WriteString(regexp.QuoteMeta(piece.Text))
			}
		}
		b.WriteString(`\z`)
		flags := "is"
		if method == "plain" || t.Cased {
			flags = "s"
		}
		if err := checkRegexp(b.String(), flags); err != nil {
			r.errorf(it.Line, "%s: %v", s, err)
			return nil
		}
		return []Value{Regexp{b.String(), flags}}
	}
}

// chosen reads which placeholders a step is about: those that it includes, all but those
// that it excludes, or all.
func (q *params) chosen() func(name string) bool {
	include, only := q.take("include")
	exclude, but := q.take("exclude")
	switch {
	case only && but:
		q.errorf(q.line, "%s has include and exclude; one of them says it", q.what)
	case only:
		names := q.parser.texts(include)
		return func(n string) bool { return slices.Contains(names, n) }
	case but:
		names := q.parser.texts(exclude)
		return func(n string) bool { return !slices.Contains(names, n) }
	}
	return func(string) bool { return true }
}

// valuePlaceholders puts the values of variables in: one value for each.
func valuePlaceholders(q *params, s *step) {
	chosen := q.chosen()
	s.values = func(r *run, it *Item, v Value) []Value {
		return fillPlaceholders(s, r, it, v, chosen, func(name string, plain bool) []Pattern {
			values, known := r.pipeline.vars[name]
			if !known {
				r.errorf(it.Line, "the placeholder %%%s%% has no values; add %s under vars of a pipeline", name, name)
				return nil
			}
			patterns := make([]Pattern, len(values))
			for i, value := range values {
				if patterns[i] = parsePattern(value); plain {
					patterns[i] = literal(value)
				}
			}
			return patterns
		})
	}
}

// wildcardPlaceholders matches anything in place of a placeholder.
func wildcardPlaceholders(q *params, s *step) {
	chosen := q.chosen()
	s.values = func(r *run, it *Item, v Value) []Value {
		return fillPlaceholders(s, r, it, v, chosen, func(_ string, plain bool) []Pattern {
			if plain {
				return []Pattern{literal(".*")}
			}
			return []Pattern{{{Wild: AnyRun}}}
		})
	}
}

// partial is a value whose placeholders are being replaced from left to right.
type partial struct {
	pattern Pattern
	names   map[int]string // those that stay
}

// fillPlaceholders replaces the chosen placeholders of a value; several values if they have
// several each. Nil if there are none. Plain values are those in which a star is none that stands for anything.
func fillPlaceholders(s *step, r *run, it *Item, v Value, chosen func(string) bool, values func(name string, plain bool) []Pattern) []Value {
	ph, ok := v.(Placeholder)
	if !ok || !slices.ContainsFunc(slices.Collect(maps.Values(ph.Names)), chosen) {
		return nil
	}
	list := []partial{{}}
	for i, piece := range ph.Pattern {
		name, is := ph.Names[i]
		if !is || !chosen(name) {
			for j := range list {
				if is {
					list[j].names = maps.Clone(list[j].names)
					if list[j].names == nil {
						list[j].names = map[int]string{}
					}
					list[j].names[len(list[j].pattern)] = name
				}
				list[j].pattern = append(slices.Clip(list[j].pattern), piece)
			}
			continue
		}
		patterns := values(name, ph.Regexp || ph.CIDR)
		if len(patterns) == 0 || !r.spend(s, it.Line, len(list)*len(patterns)*len(ph.Pattern)) {
			return nil
		}
		next := make([]partial, 0, len(list)*len(patterns))
		for _, p := range list {
			for _, q := range patterns {
				next = append(next, partial{append(slices.Clip(p.pattern), q...), p.names})
			}
		}
		list = next
	}
	made := make([]Value, 0, len(list))
	for _, p := range list {
		made = append(made, finished(r, it, ph, p))
	}
	return made
}

func finished(r *run, it *Item, ph Placeholder, p partial) Value {
	switch {
	case len(p.names) > 0:
		ph.Pattern, ph.Names = p.pattern, p.names
		return ph
	case ph.CIDR:
		network, err := networkOf(p.pattern.literalText())
		if err != nil {
			r.errorf(it.Line, "with its placeholders filled, %v", err)
		}
		return network
	case !ph.Regexp:
		return Text{p.pattern, ph.Cased}
	}
	source := p.pattern.literalText()
	if err := checkRegexp(source, ph.Flags); err != nil {
		r.errorf(it.Line, "with its placeholders filled, %v", err)
	}
	return Regexp{source, ph.Flags}
}
