// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"strings"
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

func TestPipelineCorrelation(t *testing.T) {
	docs, problems := sigma.Parse("correlation.yml", []byte(`
title: many orders
id: 6b5c2d8e-0000-4000-8000-000000000002
fields: [who]
correlation:
  type: value_count
  rules: [one, two]
  group-by: [who, address]
  timespan: 1h
  aliases:
    address: {one: ip, two: host}
  condition: {gte: 10, field: item}
`))
	if sigma.Failed(problems) || len(docs) != 1 {
		t.Fatal(problems)
	}
	c := docs[0].(*sigma.Correlation)
	p := readPipeline(t, `
transformations:
- type: field_name_mapping
  mapping: {who: user, ip: [src.ip, src_ip], address: street, item: product}
  rule_cond_op: or
  rule_conditions: [{type: logsource, product: shop}]
- {type: rule_failure, message: not here, rule_conditions: [{type: is_sigma_rule}]}
- {type: drop_detection_item}
`)
	got, problems := p.ApplyCorrelation(c, []*sigma.Rule{{LogSource: sigma.LogSource{Product: "bank"}}, shopRule(t, "s: {a: 1}\ncondition: s")})
	if sigma.Failed(problems) || len(problems) != 1 || !strings.Contains(problems[0].Message, `"src.ip" is taken`) {
		t.Fatalf("want one warning about an alias with two names, got %v", problems)
	}
	if diff := cmp.Diff([]string{"user", "address"}, got.GroupBy); diff != "" {
		t.Errorf("group-by: (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]map[string]string{"address": {"one": "src.ip", "two": "host"}}, got.Aliases); diff != "" {
		t.Errorf("aliases: (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"product"}, got.Condition.Fields); diff != "" {
		t.Errorf("condition: (-want +got)\n%s", diff)
	}
	if c.GroupBy[0] != "who" || c.Aliases["address"]["one"] != "ip" || c.Fields[0] != "who" {
		t.Error("the correlation itself was changed")
	}
	if got, _ := p.ApplyCorrelation(c, nil); got.GroupBy[0] != "who" {
		t.Error("the condition on the log source holds without a rule that has it")
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
