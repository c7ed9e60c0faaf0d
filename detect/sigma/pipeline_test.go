// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// shopRule reads a rule about the detection given, for product shop and service orders.
func shopRule(t testing.TB, detection string) *sigma.Rule {
	t.Helper()
	text := "title: test\nid: 6b5c2d8e-0000-4000-8000-000000000001\nlevel: medium\nstatus: test\ntags: [attack.t1078]\nfields: [who, what]\nteam: blue\n" +
		"logsource: {product: shop, service: orders}\ndetection:\n" + "  " + strings.ReplaceAll(strings.TrimSpace(detection), "\n", "\n  ") + "\n"
	docs, problems := sigma.Parse("rule.yml", []byte(text))
	if sigma.Failed(problems) || len(docs) != 1 {
		t.Fatalf("the test's rule: %v", problems)
	}
	return docs[0].(*sigma.Rule)
}

func readPipeline(t testing.TB, text string) *sigma.Pipeline {
	t.Helper()
	p, problems := sigma.ParsePipeline("pipe.yml", []byte(text))
	if len(problems) > 0 {
		t.Fatalf("the test's pipeline: %v", problems)
	}
	return p
}

// formatRule writes a rule's conditions as rules are written.
func formatRule(r *sigma.Rule) string {
	var list []string
	for _, c := range r.Conditions {
		list = append(list, sigma.Format(c.Expr))
	}
	return strings.Join(list, " | ")
}

func TestPipelineTransformations(t *testing.T) {
	const simple = "s: {who: anna, what|contains: [buy, sell]}\ncondition: s"
	tests := []struct {
		name, steps, detection, want string
	}{
		{
			"one name", "- {type: field_name_mapping, mapping: {who: user.name}}", simple,
			"s[user.name: 'anna' and what|contains: 'buy', 'sell']",
		},
		{
			"several names", "- {type: field_name_mapping, mapping: {who: [user, account]}}", simple,
			"s[user/account: 'anna' and what|contains: 'buy', 'sell']",
		},
		{
			"names of names are not doubled",
			"- {type: field_name_mapping, mapping: {who: [user, account]}}\n- {type: field_name_mapping, mapping: {user: [account, login]}}", simple,
			"s[account/login: 'anna' and what|contains: 'buy', 'sell']",
		},
		{
			"absent is absent under every name", "- {type: field_name_mapping, mapping: {who: [user, account]}}",
			"s: {who: null}\ncondition: s", "s[user: null and account: null]",
		},
		{
			"absent or a value", "- {type: field_name_mapping, mapping: {who: [user, account]}}",
			"s: {who: [null, anna]}\ncondition: s", "s[user/account: 'anna' or (user: null and account: null)]",
		},
		{
			"not there is there under no name", "- {type: field_name_mapping, mapping: {who: [user, account]}}",
			"s: {who|exists: false}\ncondition: s", "s[user|exists: false and account|exists: false]",
		},
		{
			"not equal is equal under no name", "- {type: field_name_mapping, mapping: {who: [user, account]}}",
			"s: {who|neq: anna}\ncondition: s", "s[not user/account: 'anna']",
		},
		{
			"the field compared with", "- {type: field_name_mapping, mapping: {who: user, owner: [owner.id, owner.name]}}",
			"s: {who|fieldref: owner}\ncondition: s", "s[user|fieldref: owner.id, owner.name]",
		},
		{
			"keywords have no field", "- {type: field_name_prefix, prefix: x.}", "s: [alarm, '|']\ncondition: s", "s[: 'alarm', '|']",
		},
		{"prefix", "- {type: field_name_prefix, prefix: event.}", simple, "s[event.who: 'anna' and event.what|contains: 'buy', 'sell']"},
		{"suffix", "- {type: field_name_suffix, suffix: .keyword}", simple, "s[who.keyword: 'anna' and what.keyword|contains: 'buy', 'sell']"},
		{
			"prefixes", "- {type: field_name_prefix_mapping, mapping: {wh: [a., b.], w: c.}}", "s: {who: 1, when: 2, was: 3, else: 4}\ncondition: s",
			"s[a.o/b.o: 1 and a.en/b.en: 2 and c.as: 3 and else: 4]",
		},
		{"fields of the OCSF event stay", "- {type: field_name_prefix, prefix: x.}", "s: {ocsf.actor.user.uid: 7}\ncondition: s", "s[ocsf.actor.user.uid: 7]"},
		{
			"drop", "- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [what]}]}", simple,
			"s[who: 'anna']",
		},
		{
			"drop of a whole search", "- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [what]}]}",
			"a: {who: anna}\nb: {what: buy}\ncondition: a and not b", "a[who: 'anna']",
		},
		{
			"drop for one of several names", "- {type: field_name_mapping, mapping: {who: [user, account]}}\n" +
				"- {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [user]}]}",
			simple, "s[account: 'anna' and what|contains: 'buy', 'sell']",
		},
		{
			"keywords are no included field", "- {type: drop_detection_item, field_name_conditions: [{type: include_fields, mode: re, fields: ['']}]}",
			"s: [alarm]\ncondition: s", "s[: 'alarm']",
		},
		{
			"keywords are no excluded field", "- {type: map_string, mapping: {alarm: alert}, field_name_conditions: [{type: exclude_fields, fields: [who]}]}",
			"s: [alarm]\ncondition: s", "s[: 'alert']",
		},
		{
			"a search that is named twice is changed once", "- {type: field_name_prefix, prefix: x.}", "s: {who: anna}\nt: {what: buy}\ncondition: s and t or not s and not t",
			"(s[x.who: 'anna'] and t[x.what: 'buy']) or (not s[x.who: 'anna'] and not t[x.what: 'buy'])",
		},
		{
			"condition", "- {type: add_condition, name: shop, conditions: {kind: [order, refund], amount|gt: 5}}", simple,
			"shop[kind: 'order', 'refund' and amount|gt: 5] and s[who: 'anna' and what|contains: 'buy', 'sell']",
		},
		{
			"negated condition from a template", "- {type: add_condition, name: own, negated: true, template: true, conditions: {index: '$product-${service}'}}", "s: {who: a}\ncondition: s",
			"not own[index: 'shop-orders'] and s[who: 'a']",
		},
		{
			"every condition of a list", "- {type: add_condition, conditions: {kind: order}}", "a: {who: x}\nb: {who: y}\ncondition: [a, b]",
			"kind: 'order' and a[who: 'x'] | kind: 'order' and b[who: 'y']",
		},
		{"string", `- {type: replace_string, regex: '^(\w+)-(\d+)$', replacement: '\2\g<1>$'}`, "s: {id: [ab-12, zz]}\ncondition: s", "s[id: '12ab$', 'zz']"},
		{"string with its wildcards", `- {type: replace_string, regex: '\*', replacement: '?'}`, "s: {id: 'a*b'}\ncondition: s", "s[id: 'a?b']"},
		{"string beside its wildcards", `- {type: replace_string, regex: 'b+', replacement: '*', skip_special: true}`, "s: {id: 'a*bb'}\ncondition: s", `s[id: 'a*\*']`},
		{
			"string that becomes a wildcard", `- {type: replace_string, regex: 'b+', replacement: '*', skip_special: true, interpret_special: true}`,
			"s: {id: 'a?bb'}\ncondition: s", "s[id|startswith: 'a?']",
		},
		{"a number is text for a replacement", `- {type: replace_string, regex: '^0*', replacement: 'N'}`, "s: {id: 7}\ncondition: s", "s[id: 'N7']"},
		{"map", "- {type: map_string, mapping: {yes: [on, 'true'], no: off}}", "s: {flag: [yes, no, maybe]}\ncondition: s", "s[flag: 'on', 'true', 'off', 'maybe']"},
		{
			"map of what has to match all", "- {type: map_string, mapping: {'*a*': ['*x*', '*y*']}}", "s: {flag|contains|all: [a, b]}\ncondition: s",
			"s[flag|contains: 'x', 'y' and flag|contains: 'b']",
		},
		{"map to wildcards", "- {type: map_string, mapping: {any: '*'}}", "s: {flag: any}\ncondition: s", "s[flag: '*']"},
		{"value", "- {type: set_value, value: null}", "s: {status: success}\ncondition: s", "s[status: null]"},
		{"value as text", "- {type: set_value, value: 7, force_type: str}", "s: {status: [a, b]}\ncondition: s", "s[status: '7']"},
		{"value as a number", "- {type: set_value, value: '7', force_type: num}", "s: {status: a}\ncondition: s", "s[status: 7]"},
		{"text of numbers", "- {type: convert_type, target_type: str}", "s: {status: [0, x, true]}\ncondition: s", "s[status: '0', 'x', 'true']"},
		{"numbers of text", "- {type: convert_type, target_type: num}", "s: {status: ['0', 5]}\ncondition: s", "s[status: 0, 5]"},
		{"expression", "- {type: regex, method: ignore_case_flag}", "s: {f|startswith: 'a.b'}\ncondition: s", `s[f|re|i|s: '\Aa\.b.*\z']`},
		{"expression that tells case", "- {type: regex, method: plain}", "s: {f: 'a?b'}\ncondition: s", `s[f|re|s: '\Aa.b\z']`},
		{
			"hashes", "- {type: hashes_fields, valid_hash_algos: [MD5, SHA1], field_prefix: File}",
			"s: {Hashes|contains: ['MD5=0cc175b9c0f1b6a831c399e269772661', '92eb5ffee6ae2fec3ad71c777531578f']}\ncondition: s",
			"s[FileMD5: '0cc175b9c0f1b6a831c399e269772661' or FileMD5: '92eb5ffee6ae2fec3ad71c777531578f']",
		},
		{"nest", "- type: nest\n  items:\n  - {type: field_name_prefix, prefix: a.}\n  - {type: field_name_suffix, suffix: .b}", "s: {who: x}\ncondition: s", "s[a.who.b: 'x']"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := shopRule(t, test.detection)
			before := formatRule(r)
			got, problems := readPipeline(t, "transformations:\n"+test.steps).Apply(r)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if diff := cmp.Diff(test.want, formatRule(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if after := formatRule(r); after != before {
				t.Errorf("the rule itself was changed from %s to %s", before, after)
			}
		})
	}
}

func TestPipelinePlaceholders(t *testing.T) {
	const vars = "vars: {admins: [root, 'adm-*'], port: 22, offices: [192.0.2.7, '2001:db8::/32']}\ntransformations:\n"
	tests := []struct {
		name, steps, detection, want string
	}{
		{"values", "- {type: value_placeholders}", "s: {who|expand: '%admins%'}\ncondition: s", "s[who: 'root', startswith:'adm-']"},
		{"inside text", "- {type: value_placeholders}", "s: {who|contains|expand: 'x-%admins%@%port%'}\ncondition: s", "s[who|contains: 'x-root@22', 'x-adm-*@22']"},
		{"in an expression", "- {type: value_placeholders}", "s: {who|re|expand: '^%port%$'}\ncondition: s", "s[who|re: '^22$']"},
		{
			"only some", "- {type: value_placeholders, include: [port]}\n- {type: wildcard_placeholders, exclude: [port]}", "s: {who|expand: '%admins%:%port%'}\ncondition: s",
			"s[who|endswith: ':22']",
		},
		{"anything", "- {type: wildcard_placeholders}", "s: {who|expand: 'a%other%'}\ncondition: s", "s[who|startswith: 'a']"},
		{"networks", "- {type: value_placeholders}", "s: {who|cidr|expand: '%offices%'}\ncondition: s", "s[who|cidr: 192.0.2.7/32, 2001:db8::/32]"},
		{"a piece of a network", "- {type: value_placeholders}", "s: {who|cidr|expand: '10.%port%.0.0/16'}\ncondition: s", "s[who|cidr: 10.22.0.0/16]"},
		{"any piece of an expression", "- {type: wildcard_placeholders}", "s: {who|re|expand: 'a%other%b'}\ncondition: s", "s[who|re: 'a.*b']"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, problems := readPipeline(t, vars+test.steps).Apply(shopRule(t, test.detection))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if diff := cmp.Diff(test.want, formatRule(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
