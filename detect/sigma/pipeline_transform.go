// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"maps"
	"slices"
	"strings"
)

// transformations are those of pySigma that are supported, beside nest. Each reads its
// parameters into the step.
var transformations = map[string]func(*params, *step){
	"field_name_mapping":        fieldMapping,
	"field_name_prefix_mapping": fieldPrefixMapping,
	"field_name_prefix": func(q *params, s *step) {
		prefix := q.need("prefix")
		s.rename = func(f string) []string { return []string{prefix + f} }
	},
	"field_name_suffix": func(q *params, s *step) {
		suffix := q.need("suffix")
		s.rename = func(f string) []string { return []string{f + suffix} }
	},
	"drop_detection_item":    func(_ *params, s *step) { s.replace = func(*run, *Item) Expr { return nil } },
	"detection_item_failure": itemFailure,
	"rule_failure": func(q *params, s *step) {
		message := q.need("message")
		s.whole = func(r *run) { r.errorf(r.meta.Line, "a pipeline refuses it: %s", message) }
	},
	"add_condition":    addCondition,
	"change_logsource": changeLogSource,
	"set_state": func(q *params, s *step) {
		key, value := q.need("key"), q.need("val")
		s.whole = func(r *run) { r.state[key] = value }
	},
	"add_field": func(q *params, s *step) {
		fields := q.needTexts("field")
		s.whole = func(r *run) { r.meta.Fields = append(slices.Clip(r.meta.Fields), fields...) }
	},
	"remove_field": func(q *params, s *step) {
		fields := q.needTexts("field")
		s.whole = func(r *run) {
			r.meta.Fields = slices.DeleteFunc(slices.Clone(r.meta.Fields), func(f string) bool { return slices.Contains(fields, f) })
		}
	},
	"set_field": func(q *params, s *step) {
		fields := q.needTexts("fields")
		s.whole = func(r *run) { r.meta.Fields = fields }
	},
	"set_custom_attribute": func(q *params, s *step) {
		attribute, value := q.need("attribute"), q.need("value")
		s.whole = func(r *run) {
			custom := maps.Clone(r.meta.Custom)
			if custom == nil {
				custom = map[string]any{}
			}
			custom[attribute] = value
			r.meta.Custom = custom
		}
	},
	"replace_string":        replaceString,
	"map_string":            mapString,
	"set_value":             setValue,
	"convert_type":          convertType,
	"regex":                 toRegex,
	"hashes_fields":         hashesFields,
	"value_placeholders":    valuePlaceholders,
	"wildcard_placeholders": wildcardPlaceholders,
}

func fieldMapping(q *params, s *step) {
	mapping := map[string][]string{}
	for _, e := range q.needMap("mapping") {
		mapping[e.key] = e.texts
	}
	s.rename = func(f string) []string { return mapping[f] }
}

// fieldPrefixMapping takes the first prefix that fits, in the order written.
func fieldPrefixMapping(q *params, s *step) {
	mapping := q.needMap("mapping")
	s.rename = func(f string) []string {
		for _, e := range mapping {
			if rest, ok := strings.CutPrefix(f, e.key); ok {
				names := make([]string, len(e.texts))
				for i, prefix := range e.texts {
					names[i] = prefix + rest
				}
				return names
			}
		}
		return nil
	}
}

func itemFailure(q *params, s *step) {
	message := q.need("message")
	s.replace = func(r *run, it *Item) Expr {
		r.errorf(it.Line, "a pipeline refuses the item of %s: %s", quoted(it.Field), message)
		return it
	}
}

// addCondition joins a search to the rule's conditions. As a template its text may hold
// $product, $category and $service.
func addCondition(q *params, s *step) {
	name, _ := q.text("name")
	negated, template := q.flag("negated"), q.flag("template")
	e, ok := q.take("conditions")
	if !ok {
		q.errorf(q.line, "%s needs conditions, a map of fields and values", q.what)
		return
	}
	added := q.allOf(e.value, "conditions")
	if added == nil {
		return
	}
	s.whole = func(r *run) {
		x := added
		if template {
			x = fillTemplate(added, r.rule.LogSource)
		}
		if s.id != "" {
			everyItem(x, func(it *Item) { r.marks[it] = append(r.marks[it], s.id) })
		}
		if name != "" {
			x = &Search{name, x}
		}
		if negated {
			x = &Not{x}
		}
		for i := range r.rule.Conditions {
			c := &r.rule.Conditions[i]
			if c.Expr == nil {
				c.Expr = x
			} else {
				c.Expr = &And{[]Expr{x, c.Expr}}
			}
		}
	}
}

func fillTemplate(x Expr, s LogSource) Expr {
	fill := strings.NewReplacer(
		"${product}", s.Product, "$product", s.Product, "${category}", s.Category, "$category", s.Category, "${service}", s.Service, "$service", s.Service)
	return mapItems(x, func(it *Item) Expr {
		c := *it
		c.Values = slices.Clone(it.Values)
		for i, v := range c.Values {
			if t, ok := v.(Text); ok {
				t.Pattern = slices.Clone(t.Pattern)
				for j := range t.Pattern {
					t.Pattern[j].Text = fill.Replace(t.Pattern[j].Text)
				}
				c.Values[i] = t
			}
		}
		return &c
	})
}

// changeLogSource replaces the log source as a whole.
func changeLogSource(q *params, s *step) {
	var to LogSource
	to.Product, _ = q.text("product")
	to.Category, _ = q.text("category")
	to.Service, _ = q.text("service")
	if to == (LogSource{}) {
		q.errorf(q.line, "%s needs a product, a category or a service; what it does not name becomes any", q.what)
	}
	s.whole = func(r *run) { r.rule.LogSource = to }
}

// hashLengths are the algorithms that a hash without a name is told by.
var hashLengths = map[int]string{32: "MD5", 40: "SHA1", 64: "SHA256", 128: "SHA512"}

// hashesFields divides a field of many hashes ("MD5=…,SHA256=…") into a field for each
// algorithm.
func hashesFields(q *params, s *step) {
	algorithms := q.needTexts("valid_hash_algos")
	prefix, _ := q.text("field_prefix")
	dropName := q.flag("drop_algo_prefix")
	s.replace = func(r *run, it *Item) Expr {
		var list []Expr
		var unknown []string
		for _, v := range it.Values {
			t, ok := v.(Text)
			if !ok {
				return it
			}
			name, hash := splitHash(t.Pattern.literalText())
			if !slices.Contains(algorithms, name) {
				unknown = append(unknown, quoted(t.Pattern.String()))
				continue
			}
			field := prefix + name
			if dropName {
				field = prefix
			}
			list = append(list, &Item{Field: field, Values: []Value{Text{literal(hash), t.Cased}}, Modifiers: it.Modifiers, Line: it.Line})
		}
		switch {
		case len(list) == 0:
			r.errorf(it.Line, "none of the hashes of %s is of %s", quoted(it.Field), strings.Join(algorithms, ", "))
			return it
		case len(unknown) > 0 && it.All:
			r.errorf(it.Line, "the hashes %s have to match and are of none of %s", strings.Join(unknown, ", "), strings.Join(algorithms, ", "))
			return it
		case len(unknown) > 0:
			r.warnf(it.Line, "the hashes %s are of none of %s and are not looked for", strings.Join(unknown, ", "), strings.Join(algorithms, ", "))
		}
		x := anyOf(list)
		if it.All {
			x = allOf(list)
		}
		if it.Negate {
			return &Not{x}
		}
		return x
	}
}

func splitHash(s string) (name, hash string) {
	for _, separator := range []string{"|", "="} {
		if name, hash, ok := strings.Cut(s, separator); ok {
			return strings.ToUpper(name), hash
		}
	}
	return hashLengths[len(s)], s
}
