// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"strings"
	"testing"
)

func TestPipelineConditions(t *testing.T) {
	// Every case renames who to WHO if its conditions hold.
	const detection = "s: {who: anna, what|contains: [buy, sell], when: null, count: 3}\ncondition: s"
	tests := []struct {
		name, conditions string
		want             bool
	}{
		{"log source", "rule_conditions: [{type: logsource, product: shop}]", true},
		{"log source in any case", "rule_conditions: [{type: logsource, product: Shop, service: orders}]", true},
		{"other service", "rule_conditions: [{type: logsource, product: shop, service: stock}]", false},
		{"a category where the rule has none", "rule_conditions: [{type: logsource, product: shop, category: web}]", false},
		{"all", "rule_conditions: [{type: logsource, product: shop}, {type: tag, tag: attack.t1110}]", false},
		{"one", "rule_cond_op: or\n  rule_conditions: [{type: logsource, product: shop}, {type: tag, tag: attack.t1110}]", true},
		{"not", "rule_cond_not: true\n  rule_conditions: [{type: logsource, product: shop}]", false},
		{"tag", "rule_conditions: [{type: tag, tag: attack.T1078}]", true},
		{"rule", "rule_conditions: [{type: is_sigma_rule}]", true},
		{"correlation", "rule_conditions: [{type: is_sigma_correlation_rule}]", false},
		{"field", "rule_conditions: [{type: contains_field, field: what}]", true},
		{"no field", "rule_conditions: [{type: contains_field, field: whose}]", false},
		{"item", "rule_conditions: [{type: contains_detection_item, field: who, value: anna}]", true},
		{"item with a number", "rule_conditions: [{type: contains_detection_item, field: count, value: 3}]", true},
		{"item as it is compared", "rule_conditions: [{type: contains_detection_item, field: what, value: '*buy*'}]", true},
		{"item with null", "rule_conditions: [{type: contains_detection_item, field: when, value: null}]", true},
		{"no item", "rule_conditions: [{type: contains_detection_item, field: who, value: bob}]", false},
		{"attribute", "rule_conditions: [{type: rule_attribute, attribute: level, value: medium}]", true},
		{"ordered attribute", "rule_conditions: [{type: rule_attribute, attribute: level, value: high, op: lt}]", true},
		{"ordered the other way", "rule_conditions: [{type: rule_attribute, attribute: level, value: low, op: lte}]", false},
		{"own attribute", "rule_conditions: [{type: rule_attribute, attribute: team, value: red, op: ne}]", true},
		{"default taxonomy", "rule_conditions: [{type: rule_attribute, attribute: taxonomy, value: sigma}]", true},
		{"in a list", "rule_conditions: [{type: rule_attribute, attribute: tags, value: attack.t1078, op: in}]", true},
		{"not in a list", "rule_conditions: [{type: rule_attribute, attribute: tags, value: attack.t1078, op: not_in}]", false},
		{"a list equals no value", "rule_conditions: [{type: rule_attribute, attribute: tags, value: attack.t1078}]", false},
		{"no such attribute", "rule_conditions: [{type: rule_attribute, attribute: color, value: red, op: ne}]", false},
		{"expression", "rule_cond_expr: a and not (b or c)\n  rule_conditions: {a: {type: is_sigma_rule}, b: {type: tag, tag: x.y}, c: {type: contains_field, field: whose}}", true},
		{"expression that fails", "rule_cond_expr: not a or b\n  rule_conditions: {a: {type: is_sigma_rule}, b: {type: tag, tag: x.y}}", false},
		{"any of the values", "detection_item_conditions: [{type: match_string, pattern: an}]", true},
		{"from the beginning", "detection_item_conditions: [{type: match_string, pattern: nna}]", false},
		{"all of the values", "detection_item_conditions: [{type: match_string, cond: all, pattern: 'anna$'}]", true},
		{"negated", "detection_item_conditions: [{type: match_string, pattern: an, negate: true}]", false},
		{"value", "detection_item_conditions: [{type: match_value, value: anna}]", true},
		{"wildcard", "detection_item_conditions: [{type: contains_wildcard}]", false},
		{"null", "detection_item_conditions: [{type: is_null}]", false},
		{"included", "field_name_conditions: [{type: include_fields, fields: [who, whose]}]", true},
		{"not included", "field_name_conditions: [{type: include_fields, fields: whose}]", false},
		{"included by an expression", "field_name_conditions: [{type: include_fields, mode: re, fields: ['w.o$']}]", true},
		{"excluded", "field_name_conditions: [{type: exclude_fields, fields: [who]}]", false},
		{"not excluded", "field_name_conditions: [{type: exclude_fields, mode: re, fields: ['ho']}]", true},
		{"both kinds", "rule_conditions: [{type: is_sigma_rule}]\n  field_name_conditions: [{type: exclude_fields, fields: [who]}]", false},
		{"state", "rule_conditions: [{type: processing_state, key: k, val: v}]", true},
		{"state as a number", "rule_conditions: [{type: processing_state, key: n, val: 9, op: gt}]", true},
		{"no such state", "rule_conditions: [{type: processing_state, key: other, val: v, op: ne}]", false},
		{"applied to the rule", "rule_conditions: [{type: processing_item_applied, processing_item_id: first}]", true},
		{"not applied to the rule", "rule_conditions: [{type: processing_item_applied, processing_item_id: never}]", false},
		{"applied to the item", "detection_item_conditions: [{type: processing_item_applied, processing_item_id: upper}]", true},
		{"not applied to the item", "detection_item_conditions: [{type: processing_item_applied, processing_item_id: first}]", false},
		{"made the name", "field_name_conditions: [{type: processing_item_applied, processing_item_id: name}]", true},
		{"did not make the name", "field_name_conditions: [{type: processing_item_applied, processing_item_id: upper}]", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := readPipeline(t, `transformations:
- {id: first, type: set_state, key: k, val: v}
- {type: set_state, key: n, val: 10}
- {id: never, type: set_state, key: never, val: v, rule_conditions: [{type: logsource, product: other}]}
- {id: upper, type: map_string, mapping: {anna: anna-}, field_name_conditions: [{type: include_fields, fields: [who]}]}
- {id: back, type: map_string, mapping: {anna-: anna}}
- {id: name, type: field_name_mapping, mapping: {who: who2}}
- {id: name, type: field_name_mapping, mapping: {who2: who}}
- type: field_name_mapping
  mapping: {who: WHO}
  `+test.conditions)
			got, problems := p.Apply(shopRule(t, detection))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if s := formatRule(got); strings.Contains(s, "WHO: 'anna'") != test.want {
				t.Errorf("applied: %v, want %v: %s", !test.want, test.want, s)
			}
		})
	}
}
