// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func correlationText(body string) string {
	return "title: Test\ncorrelation:\n  " + strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n  ") + "\n"
}

func parseCorrelation(t *testing.T, body string) *sigma.Correlation {
	t.Helper()
	docs, problems := sigma.Parse("test.yml", []byte(correlationText(body)))
	if len(docs) != 1 || len(problems) > 0 {
		t.Fatalf("%s\nproblems: %v", body, problems)
	}
	return docs[0].(*sigma.Correlation)
}

func TestCorrelation(t *testing.T) {
	got := parseCorrelation(t, `
type: value_count
rules: [many_logons, 0b5f1c3e-aaaa-4a0e-8a52-0a6d2b8c5f11]
group-by: [user, Source Address]
timespan: 15m
generate: true
aliases:
  user: {many_logons: UserId, 0b5f1c3e-aaaa-4a0e-8a52-0a6d2b8c5f11: Target User}
condition: {gte: 10, lt: 100, field: [IP, Agent]}
`)
	want := &sigma.Correlation{
		Meta: sigma.Meta{Title: "Test", File: "test.yml", Line: 1},
		Type: "value_count", Rules: []string{"many_logons", "0b5f1c3e-aaaa-4a0e-8a52-0a6d2b8c5f11"},
		GroupBy: []string{"user", "SourceAddress"}, Timespan: 15 * time.Minute, Generate: true,
		Aliases: map[string]map[string]string{"user": {"many_logons": "UserId", "0b5f1c3e-aaaa-4a0e-8a52-0a6d2b8c5f11": "TargetUser"}},
		Condition: sigma.Threshold{
			Compare: []sigma.Comparison{{Op: sigma.Gte, N: 10}, {Op: sigma.Lt, N: 100}},
			Fields:  []string{"IP", "Agent"},
		},
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

func TestCorrelationTypes(t *testing.T) {
	const rules = "rules: [a, b]\ntimespan: 1h\n"
	for _, c := range []struct {
		body string
		want sigma.Threshold
	}{
		{"type: event_count\ncondition: {eq: 3}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Eq, N: 3}}}},
		{"type: event_count\ncondition: {neq: 3}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Neq, N: 3}}}},
		{"type: event_count\ncondition: {lte: 3}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Lte, N: 3}}}},
		{"type: value_count\ncondition: {gt: 3, field: A}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gt, N: 3}}, Fields: []string{"A"}}},
		{"type: temporal", sigma.Threshold{}},
		{"type: temporal\ncondition: {gte: 1}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gte, N: 1}}}},
		{"type: temporal_ordered", sigma.Threshold{}},
		{"type: value_sum\ncondition: {gt: 1.5, field: A}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gt, N: 1.5}}, Fields: []string{"A"}}},
		{"type: value_avg\ncondition: {lt: 1, field: A}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Lt, N: 1}}, Fields: []string{"A"}}},
		{"type: value_percentile\ncondition: {gte: 1, field: A}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gte, N: 1}}, Fields: []string{"A"}, Percentile: 50}},
		{"type: value_percentile\ncondition: {gte: 1, field: A, percentile: 99.9}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gte, N: 1}}, Fields: []string{"A"}, Percentile: 99.9}},
		{"type: value_median\ncondition: {gte: 1, field: A}", sigma.Threshold{Compare: []sigma.Comparison{{Op: sigma.Gte, N: 1}}, Fields: []string{"A"}, Percentile: 50}},
		{"type: temporal\ncondition: a and not b", sigma.Threshold{Expr: &sigma.And{X: []sigma.Expr{&sigma.Ref{Name: "a"}, &sigma.Not{X: &sigma.Ref{Name: "b"}}}}}},
	} {
		got := parseCorrelation(t, rules+c.body).Condition
		if d := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", c.body, d)
		}
	}
}

func TestGenerateStandsInEitherPlace(t *testing.T) {
	const body = "type: temporal\nrules: [a, b]\ntimespan: 1h"
	docs, _ := sigma.Parse("", []byte(correlationText(body)+"generate: true\n"))
	for _, c := range []*sigma.Correlation{docs[0].(*sigma.Correlation), parseCorrelation(t, body+"\ngenerate: true")} {
		if !c.Generate {
			t.Error("generate is lost")
		}
	}
	if parseCorrelation(t, body).Generate {
		t.Error("generate is true by itself")
	}
}

func TestTimespans(t *testing.T) {
	for written, want := range map[string]time.Duration{
		"1s": time.Second, "90m": 90 * time.Minute, "24h": 24 * time.Hour, "7d": 168 * time.Hour, "2w": 336 * time.Hour,
		"1M": 2629746 * time.Second, "1y": 31556952 * time.Second,
	} {
		if got := parseCorrelation(t, "type: temporal\nrules: [a, b]\ntimespan: "+written).Timespan; got != want {
			t.Errorf("%s is %v, want %v", written, got, want)
		}
	}
}

func TestRefusedCorrelations(t *testing.T) {
	const rest = "\nrules: [a, b]\ngroup-by: [u]\ntimespan: 1h\n"
	for _, c := range []struct{ body, words string }{
		{"rules: [a]", "has to be one of dormant, event_count"},
		{"type: sometimes" + rest, "has to be one of"},
		{"type: temporal\ntimespan: 1h", "names no rules"},
		{"type: temporal\nrules: [a, b]", "needs a timespan"},
		{"type: temporal\nrules: [a, b]\ntimespan: 10", "write a number and one of"},
		{"type: temporal\nrules: [a, b]\ntimespan: 1h30m", "write a number and one of"},
		{"type: temporal\nrules: [a, b]\ntimespan: 0m", "longer than nothing"},
		{"type: temporal\nrules: [a, b]\ntimespan: 101y", "a hundred years"},
		{"type: temporal_ordered\nrules: [a]\ntimespan: 1h", "two rules or more"},
		{"type: event_count" + rest, "needs a condition"},
		{"type: event_count" + rest + "condition: {}", "compares nothing"},
		{"type: event_count" + rest + "condition: {gte: x}", "needs a number"},
		{"type: event_count" + rest + "condition: {gte: -1}", "not negative"},
		{"type: event_count" + rest + "condition: {more: 1}", `no key "more"`},
		{"type: event_count" + rest + "condition: {gte: 1, field: A}", `no key "field"`},
		{"type: event_count" + rest + "condition: a and b", "has to be a map"},
		{"type: event_count" + rest + "condition: {gt: 5, lt: 5}", "no number satisfies"},
		{"type: value_count" + rest + "condition: {gte: 1}", "needs a field"},
		{"type: value_sum" + rest + "condition: {gte: 1, field: [A, B]}", "one field"},
		{"type: value_percentile" + rest + "condition: {gte: 1, field: A, percentile: 101}", "from 0 to 100"},
		{"type: value_avg" + rest + "condition: {gte: 1, field: A, percentile: 10}", `no key "percentile"`},
		{"type: temporal" + rest + "condition: a and", "ends where"},
		{"type: temporal" + rest + "condition: 1 of them", "names each rule"},
		{"type: temporal" + rest + "within: 5m", `no key "within"`},
		{"type: temporal" + rest + "aliases: {u: {}}", "rule: field"},
		{"type: temporal" + rest + "aliases: {u: {a: ''}}", "names no field"},
		{"type: temporal\nrules: [a, b]\ntimespan: 1h\ngroup-by: [A, A]", "twice"},
		{"type: temporal" + rest + "behavior: {fields: A}", "has no behavior"},
		{"type: new_value" + rest, "needs a behavior with fields"},
		{"type: new_value\nrules: [a]\nbehavior: {fields: A}", "needs a group-by"},
		{"type: new_value" + rest + "behavior: {fields: A, quiet: 1d}", `no key "quiet"`},
		{"type: new_value" + rest + "behavior: {learn: 1d}", "needs fields"},
		{"type: new_value" + rest + "behavior: {fields: []}", "fields is empty"},
		{"type: new_value" + rest + "behavior: {fields: A, learn: 14}", "write a number and one of"},
		{"type: new_value" + rest + "behavior: {fields: A, rare: 1.5}", "number of groups"},
		{"type: new_value" + rest + "behavior: {fields: A, learn: 30d, remember: 7d}", "shorter than learn"},
		{"type: new_value" + rest + "behavior: {fields: A}\ncondition: {gte: 1}", "no condition"},
		{"type: spike\nrules: [a]\ngroup-by: [u]\nbehavior: {least: 5, learn: 14d}", "needs a timespan"},
		{"type: spike" + rest + "behavior: {factor: 0, least: 5, learn: 14d}", "more than 0"},
		{"type: spike" + rest + "behavior: {learn: 14d}", "needs least"},
		{"type: spike" + rest + "behavior: {least: 5}", "needs learn"},
		{"type: dormant" + rest + "behavior: {}", "needs quiet"},
		{"type: dormant" + rest + "behavior: {quiet: 9d, remember: 9d}", `no key "remember"`},
		{"type: travel" + rest + "behavior: {fields: Country, kmh: 5}", `no key "kmh"`},
		{"type: travel" + rest + "behavior: {fields: Country, minimum-km: 0}", "minimum-km has to be more than 0"},
		{"type: travel" + rest + "behavior: {}", "needs fields"},
		{"type: spread" + rest + "behavior: {fields: A, least: 5, learn: 7d}", `no key "learn"`},
		{"type: spread" + rest + "behavior: {fields: A, most: 2}", "needs least"},
	} {
		wantProblem(t, correlationText(c.body), sigma.Error, 0, c.words)
	}
}

func TestBehaviors(t *testing.T) {
	for _, c := range []struct {
		body string
		want sigma.Behavior
	}{
		{
			"type: new_value\nbehavior: {fields: Country, learn: 14d, remember: 90d, rare: 3, peers: [Department]}",
			sigma.Behavior{Fields: []string{"Country"}, Learn: 336 * time.Hour, Remember: 2160 * time.Hour, Rare: 3, Peers: []string{"Department"}},
		},
		{
			"type: spike\ntimespan: 1h\nbehavior: {factor: 4.5, least: 20, fields: [FileId], learn: 14d}",
			sigma.Behavior{Factor: 4.5, Least: 20, Fields: []string{"FileId"}, Learn: 336 * time.Hour},
		},
		{"type: dormant\nbehavior: {quiet: 60d}", sigma.Behavior{Quiet: 1440 * time.Hour}},
		{"type: travel\nbehavior: {fields: Country}", sigma.Behavior{Fields: []string{"Country"}}},
		{
			"type: travel\nbehavior: {fields: Country, km-per-hour: 900, minimum-km: 500}",
			sigma.Behavior{Fields: []string{"Country"}, KmPerHour: 900, MinimumKm: 500},
		},
		{
			"type: spread\ntimespan: 6h\nbehavior: {fields: [UserAgent], peers: [ClientIP], least: 15, most: 2}",
			sigma.Behavior{Fields: []string{"UserAgent"}, Peers: []string{"ClientIP"}, Least: 15, Most: 2},
		},
	} {
		got := parseCorrelation(t, c.body+"\nrules: a\ngroup-by: UserId")
		if d := cmp.Diff(&c.want, got.Behavior, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: %s", c.body, d)
		}
	}
}

// corpus parses documents that are written after one another, with a rule a, b and c.
func corpus(t *testing.T, more string) []sigma.Document {
	t.Helper()
	text := ""
	for _, name := range []string{"a", "b", "c"} {
		text += fmt.Sprintf("title: %s\nid: id-%[1]s\nname: %[1]s\nlogsource: {product: p}\ndetection: {s: {A: 1}, condition: s}\n---\n", name)
	}
	docs, problems := sigma.Parse("test.yml", []byte(text+more))
	if sigma.Failed(problems) {
		t.Fatal(problems)
	}
	return docs
}

func TestReferences(t *testing.T) {
	correlation := func(name, kind, rules, more string) string {
		return fmt.Sprintf("title: %s\nname: %[1]s\ncorrelation: {type: %s, rules: [%s], timespan: 1h%s}\n---\n", name, kind, rules, more)
	}
	chain := correlation("x0", "temporal", "a, b", "")
	for i := range 40 {
		chain += correlation(fmt.Sprintf("x%d", i+1), "temporal", fmt.Sprintf("a, x%d", i), "")
	}
	const filter = "title: f\nname: f\nlogsource: {product: p}\nfilter: {rules: [%s], s: {A: 1}, condition: not s}\n---\n"
	for _, c := range []struct {
		name, text, words string // no words: no problem
	}{
		{"fine", correlation("x", "temporal", "a, id-b", ", group-by: [u, A], aliases: {u: {a: A, id-b: B}}"), ""},
		{"chained", correlation("x", "temporal", "a, b", ", group-by: [A]") + correlation("y", "event_count", "x", ", group-by: [A], condition: {gte: 2}"), ""},
		{"extended", correlation("x", "temporal", "a, b, c", ", condition: a and not (b or c)"), ""},
		{"missing", correlation("x", "temporal", "a, z", ""), `refers to "z"`},
		{"by title", strings.ReplaceAll(correlation("x", "temporal", "a", ""), "name: x", "name: y") + correlation("z", "temporal", "x", ""), `refers to "x"`},
		{"twice", correlation("x", "temporal", "a, id-a", ""), `"id-a" twice`},
		{"filter", correlation("x", "temporal", "a, f", "") + fmt.Sprintf(filter, "a"), "is a filter"},
		{"itself", correlation("x", "temporal", "a, x", ""), `circle: "x" → "x"`},
		{"circle", correlation("x", "temporal", "a, y", "") + correlation("y", "temporal", "b, x", ""), `circle: "x" → "y" → "x"`},
		{"chain", chain, "more than 32"},
		{"same name", correlation("a", "temporal", "b, c", ""), `"a" is taken by test.yml, line 1`},
		{"alias of another", correlation("x", "temporal", "a, b", ", group-by: [u], aliases: {u: {a: A, b: B, c: C}}"), `field for "c"`},
		{"alias of some", correlation("x", "temporal", "a, b", ", group-by: [u], aliases: {u: {a: A}}"), `no field for the rule "b"`},
		{"alias unused", correlation("x", "temporal", "a, b", ", group-by: [v], aliases: {u: {a: A, b: B}}"), "is not used"},
		{"alias of a behavior", "title: x\ncorrelation: {type: new_value, rules: [a, b], group-by: [u], aliases: {u: {a: A, b: B}, v: {a: V}, p: {b: P}}, behavior: {fields: [v], peers: [p]}}\n", ""},
		{"alias unused by a behavior", "title: x\ncorrelation: {type: new_value, rules: [a], group-by: [u], aliases: {v: {a: V}}, behavior: {fields: [w]}}\n", "is not used"},
		{"suppressed by its group", correlation("x", "temporal", "a, b", ", group-by: [u, A]") + "title: y\ncorrelation: {type: new_value, rules: [a], group-by: [u], behavior: {fields: [v]}}\ndaybreak: {suppress: {by: [u, v], for: 1h}}\n", ""},
		{"suppressed by another field", "title: x\ncorrelation: {type: temporal, rules: [a, b], timespan: 1h, group-by: [u]}\ndaybreak: {suppress: {by: [A], for: 1h}}\n", `suppress is by "A"`},
		{"inner group", correlation("x", "temporal", "a, b", ", group-by: [A]") + correlation("y", "temporal", "x, c", ", group-by: [B]"), `groups by "B"`},
		{"extended, other", correlation("x", "temporal", "a, b", ", condition: a and b and c"), `names "c"`},
		{"extended, less", correlation("x", "temporal", "a, b", ", condition: a or a"), `does not name the rule "b"`},
		{"too many", correlation("x", "temporal", "a, b", ", condition: {gt: 2}"), "never hold"},
		{"filter, missing", fmt.Sprintf(filter, "z"), `for "z"`},
		{"filter, correlation", fmt.Sprintf(filter, "x") + correlation("x", "temporal", "a, b", ""), "not a rule"},
	} {
		t.Run(c.name, func(t *testing.T) {
			problems := sigma.CheckReferences(corpus(t, c.text))
			switch {
			case c.words == "" && len(problems) > 0:
				t.Error(problems)
			case c.words != "" && (len(problems) != 1 || !strings.Contains(problems[0].Message, c.words)):
				t.Errorf("want one problem with %q, have %v", c.words, problems)
			}
		})
	}
}
