// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestPipelineRuleChanges(t *testing.T) {
	p := readPipeline(t, `
name: meta
priority: 7
allowed_backends: [any]
transformations:
- {type: change_logsource, product: market, category: trade}
- {type: set_custom_attribute, attribute: index, value: orders}
- {type: add_field, field: [where]}
- {type: remove_field, field: what}
- {type: field_name_mapping, mapping: {who: [user, account]}}
`)
	if p.Name != "meta" || p.Priority != 7 {
		t.Errorf("name %q, priority %d", p.Name, p.Priority)
	}
	r := shopRule(t, "s: {who: x}\ncondition: s")
	got, problems := p.Apply(r)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if want := (sigma.LogSource{Product: "market", Category: "trade"}); got.LogSource != want {
		t.Errorf("log source %v, want %v", got.LogSource, want)
	}
	if diff := cmp.Diff([]string{"user", "account", "where"}, got.Fields); diff != "" {
		t.Errorf("fields: (-want +got)\n%s", diff)
	}
	if got.Custom["index"] != "orders" || got.Custom["team"] != "blue" || r.Custom["index"] != nil {
		t.Errorf("custom attributes %v, of the rule itself %v", got.Custom, r.Custom)
	}
	if diff := cmp.Diff([]string{"who", "what"}, r.Fields); diff != "" {
		t.Errorf("the rule's own fields were changed: (-want +got)\n%s", diff)
	}
	got, problems = readPipeline(t, "transformations: [{type: set_field, fields: [one]}]").Apply(r)
	if len(problems) > 0 || len(got.Fields) != 1 || got.Fields[0] != "one" {
		t.Errorf("fields %v, problems %v", got.Fields, problems)
	}
}

func TestPipelineTaxonomy(t *testing.T) {
	r := shopRule(t, "s: {actor.user.uid: x}\ncondition: s")
	r.Taxonomy = "ocsf"
	got, problems := readPipeline(t, "transformations: [{type: field_name_prefix, prefix: x.}]").Apply(r)
	if got != r || problems != nil {
		t.Errorf("a rule in OCSF's names was rewritten to %s, %v", formatRule(got), problems)
	}
}

func TestChain(t *testing.T) {
	late := readPipeline(t, "priority: 20\nvars: {x: late}\ntransformations: [{type: field_name_suffix, suffix: 3}]")
	early := readPipeline(t, "vars: {x: early}\ntransformations: [{type: field_name_suffix, suffix: 1}, {type: value_placeholders}]")
	second := readPipeline(t, "transformations: [{type: field_name_suffix, suffix: 2}]")
	got, problems := sigma.Chain(late, early, second).Apply(shopRule(t, "s: {a|expand: '%x%'}\ncondition: s"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if s := formatRule(got); s != "s[a123: 'late']" {
		t.Errorf("got %s", s)
	}
}

// Whatever a pipeline is, it is refused or it is used; a rule that comes out is whole, and
// the one that went in is as it was.
func FuzzPipeline(f *testing.F) {
	f.Add("transformations: [{type: field_name_mapping, mapping: {who: [a, b, c]}}, {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [a]}]}]")
	f.Add("vars: {who: [a, '*']}\ntransformations: [{type: value_placeholders}, {type: regex}]")
	f.Add("transformations: [{type: nest, items: [{type: set_value, value: null}, {type: field_name_prefix_mapping, mapping: {'': [x., y.]}}]}]")
	f.Add("transformations: [{type: hashes_fields, valid_hash_algos: [MD5]}, {type: add_condition, negated: true, conditions: {a|contains|all: [b, c]}}]")
	f.Add("transformations: [{type: replace_string, regex: '(.)', replacement: '\\\\1\\\\1*'}, {type: convert_type, target_type: num}]")
	r := shopRule(f, "s: {who|expand: 'x%who%', what|contains|all: [buy, sell], when: [null, 3], Hashes|neq: 'MD5=0cc175b9c0f1b6a831c399e269772661'}\nt: [alarm]\ncondition: s and not t or t")
	before := formatRule(r)
	f.Fuzz(func(t *testing.T, text string) {
		p, problems := sigma.ParsePipeline("pipe.yml", []byte(text))
		if (p == nil) != sigma.Failed(problems) {
			t.Fatalf("pipeline %v with problems %v", p, problems)
		}
		if p == nil {
			return
		}
		got, problems := p.Apply(r)
		if (got == nil) != sigma.Failed(problems) {
			t.Fatalf("rule %v with problems %v", got, problems)
		}
		if got != nil && formatRule(got) == "" {
			t.Error("a rule without a condition")
		}
		if after := formatRule(r); after != before {
			t.Errorf("the rule itself was changed from %s to %s", before, after)
		}
	})
}
