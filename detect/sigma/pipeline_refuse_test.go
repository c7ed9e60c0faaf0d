// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func TestPipelineRefusesRules(t *testing.T) {
	tests := []struct {
		name, text, detection, want string
	}{
		{"rule", "transformations: [{type: rule_failure, message: not ours}]", "s: {a: 1}\ncondition: s", "a pipeline refuses it: not ours"},
		{
			"item", "transformations: [{type: detection_item_failure, message: never logged, field_name_conditions: [{type: include_fields, fields: [a]}]}]",
			"s: {a: 1}\ncondition: s", `a pipeline refuses the item of "a": never logged`,
		},
		{"all dropped", "transformations: [{type: drop_detection_item}]", "s: {a: 1}\ncondition: not s", "dropped everything"},
		{"placeholder", "transformations: [{type: value_placeholders}]", "s: {a|expand: '%who%'}\ncondition: s", "add who under vars"},
		{"not a number", "transformations: [{type: convert_type, target_type: num}]", "s: {a: x}\ncondition: s", `"x" is none`},
		{"no hash", "transformations: [{type: hashes_fields, valid_hash_algos: [MD5]}]", "s: {Hashes: SHA1=00}\ncondition: s", "is of MD5"},
		{"a filled expression that is none", "vars: {x: '('}\ntransformations: [{type: value_placeholders}]", "s: {a|re|expand: 'a%x%'}\ncondition: s", "with its placeholders filled"},
		{"a filled network that is none", "vars: {x: [10.0.0.0/8, here]}\ntransformations: [{type: value_placeholders}]", "s: {a|cidr|expand: '%x%'}\ncondition: s", `"here" is not a network`},
		{
			"names that multiply", "transformations:\n" + strings.Repeat("- {type: field_name_prefix_mapping, mapping: {'': [x., y.]}}\n", 20),
			"s: {a: 1}\ncondition: s", "more than 256 names",
		},
		{
			"text that multiplies", "transformations:\n" + strings.Repeat("- {type: replace_string, regex: '(.)', replacement: '\\1\\1'}\n", 40),
			"s: {a: xyz}\ncondition: s", "more than 32768 bytes",
		},
		{
			"values that multiply", "vars: {x: [" + strings.Repeat("a,", 999) + "a]}\ntransformations: [{type: value_placeholders}]",
			"s: {a|expand: '%x%%x%%x%'}\ncondition: s", "make more than",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, problems := readPipeline(t, test.text).Apply(shopRule(t, test.detection))
			if got != nil || !sigma.Failed(problems) {
				t.Fatalf("the rule is not refused: %v", problems)
			}
			p := problems[len(problems)-1]
			if !strings.Contains(p.Message, test.want) || p.File != "rule.yml" || p.Line == 0 {
				t.Errorf("got %v, want %q and a line", p, test.want)
			}
		})
	}
}

func TestPipelineRefusals(t *testing.T) {
	tests := []struct {
		name, text, want string
		line             int
	}{
		{"empty", "", "the file is empty", 1},
		{"two", "name: a\n---\nname: b", "one pipeline", 3},
		{"key", "name: a\ntransformation: []", `no key "transformation"`, 2},
		{"priority", "priority: high", "whole number", 1},
		{"empty variable", "vars:\n  a: []", "no values", 2},
		{"no list", "transformations: {}", "has to be a list", 1},
		{"no type", "transformations:\n- mapping: {}", "needs type", 2},
		{"transformation", "transformations:\n- {type: rename}", `no transformation "rename"`, 2},
		{"query expression", "transformations:\n- {type: query_expression_placeholders}", "use value_placeholders", 2},
		{"condition", "transformations:\n- type: drop_detection_item\n  rule_conditions: [{type: product}]", `no condition "product"`, 3},
		{"condition of another kind", "transformations:\n- type: drop_detection_item\n  field_name_conditions: [{type: logsource, product: a}]", "there are exclude_fields", 3},
		{"parameter", "transformations:\n- {type: set_state, key: a, val: b, vall: c}", `no parameter "vall"`, 2},
		{"missing parameter", "transformations:\n- {type: field_name_prefix}", "needs prefix", 2},
		{"parameter of a condition", "transformations:\n- type: drop_detection_item\n  rule_conditions: [{type: logsource, products: a}]", `no parameter "products"`, 3},
		{"log source without attributes", "transformations:\n- type: drop_detection_item\n  rule_conditions: [{type: logsource}]", "a product, a category or a service", 3},
		{"map to nothing", "transformations:\n- {type: field_name_mapping, mapping: {a: []}}", "to nothing", 2},
		{"expression", "transformations:\n- {type: replace_string, regex: '(', replacement: a}", "regular expression", 2},
		{"look-around", "transformations:\n- type: drop_detection_item\n  detection_item_conditions: [{type: match_string, pattern: '(?=a)'}]", "regular expression", 3},
		{"operator", "transformations:\n- {type: drop_detection_item, rule_cond_op: xor, rule_conditions: [{type: is_sigma_rule}]}", "one of and, or", 2},
		{"unknown name", "transformations:\n- {type: drop_detection_item, rule_cond_expr: a or b, rule_conditions: {a: {type: is_sigma_rule}}}", `the condition "b"`, 2},
		{"quantifier", "transformations:\n- {type: drop_detection_item, rule_cond_expr: 1 of them, rule_conditions: {a: {type: is_sigma_rule}}}", "by and, or and not only", 2},
		{"expression without names", "transformations:\n- {type: drop_detection_item, rule_cond_expr: a, rule_conditions: [{type: is_sigma_rule}]}", "a map, not a list", 2},
		{"negation of nothing", "transformations:\n- {type: drop_detection_item, rule_cond_not: true}", "there are none", 2},
		{"item conditions on the rule", "transformations:\n- {type: set_state, key: a, val: b, detection_item_conditions: [{type: is_null}]}", "rule_conditions only", 2},
		{"level", "transformations:\n- {type: drop_detection_item, rule_conditions: [{type: rule_attribute, attribute: level, value: worst}]}", "no level", 2},
		{"include and exclude", "transformations:\n- {type: value_placeholders, include: [a], exclude: [b]}", "one of them", 2},
		{"nest without items", "transformations:\n- {type: nest}", "needs items", 2},
		{"nests", "transformations:\n- &a\n  type: nest\n  items: [*a]", "deep", 0},
		{"added condition", "transformations:\n- type: add_condition\n  conditions: {a|fuzzy: b}", "fuzzy", 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, problems := sigma.ParsePipeline("pipe.yml", []byte(test.text))
			if p != nil || !sigma.Failed(problems) {
				t.Fatalf("the pipeline is not refused: %v", problems)
			}
			for _, p := range problems {
				if strings.Contains(p.Message, test.want) && p.File == "pipe.yml" && (test.line == 0 || p.Line == test.line) {
					return
				}
			}
			t.Errorf("got %v, want %q in line %d", problems, test.want, test.line)
		})
	}
	p, problems := sigma.ParsePipeline("pipe.yml", []byte("transformations: []\npostprocessing: [{type: embed}]\nfinalizers: [{type: concat}]"))
	if p == nil || len(problems) != 2 || problems[0].Severity != sigma.Warning || problems[1].Line != 3 {
		t.Errorf("what concerns queries is a warning: %v", problems)
	}
}
