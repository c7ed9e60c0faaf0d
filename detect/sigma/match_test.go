// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// rule reads a rule of one search, which is given as YAML.
func rule(t testing.TB, search string) *sigma.Rule {
	t.Helper()
	return ruleOf(t, "logsource: {product: p}", "search: "+search+"\n  condition: search")
}

func ruleOf(t testing.TB, head, detection string) *sigma.Rule {
	t.Helper()
	text := "title: Test\n" + head + "\ndetection:\n  " + detection + "\n"
	docs, problems := sigma.Parse("test.yml", []byte(text))
	if len(docs) != 1 || sigma.Failed(problems) {
		t.Fatalf("%s\n%v", text, problems)
	}
	return docs[0].(*sigma.Rule)
}

func compile(t testing.TB, rules ...*sigma.Rule) *sigma.Program {
	t.Helper()
	p, problems := sigma.Compile(rules, sigma.Options{AnyLogSource: true, Layers: []string{"ocsf"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

func matches(t testing.TB, search, record string) bool {
	t.Helper()
	found, err := compile(t, rule(t, search)).Matcher().Match([]byte(record), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return len(found) == 1
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		search, record string
		want           bool
	}{
		// Text.
		{`{f: value}`, `{"f":"VALUE"}`, true},
		{`{f|cased: value}`, `{"f":"VALUE"}`, false},
		{`{f: val}`, `{"f":"value"}`, false},
		{`{f: "v*e"}`, `{"f":"value"}`, true},
		{`{f: "v???e"}`, `{"f":"välüe"}`, true},
		{`{f: "v????e"}`, `{"f":"välüe"}`, false},
		{`{f: 'v\*e'}`, `{"f":"value"}`, false},
		{`{f: 'v\*e'}`, `{"f":"v*e"}`, true},
		{`{f: "a*b*a"}`, `{"f":"aba"}`, true},
		{`{f: "ab*ba"}`, `{"f":"aba"}`, false}, // what stands for two pieces is there twice
		{`{f: "*"}`, `{"f":""}`, true},
		{`{f: "*"}`, `{}`, false},
		{`{f|contains: "*"}`, `{"f":null}`, false},
		{`{f: straße}`, `{"f":"STRASSE"}`, false}, // simple folding keeps the number of letters
		{`{f: k}`, `{"f":"\u212a"}`, true},        // the sign of kelvin
		{`{f: ΣΊΣΥΦΟΣ}`, `{"f":"σίσυφος"}`, true},
		{`{f|contains: '\cmd.exe'}`, `{"f":"C:\\Windows\\CMD.EXE /c"}`, true},
		{`{f|startswith: ab}`, `{"f":"ABc"}`, true},
		{`{f|endswith: bc}`, `{"f":"aBC"}`, true},
		{`{f: "a\nb"}`, `{"f":"a\nb"}`, true},

		// Nothing, null and absence.
		{`{f: ""}`, `{"f":""}`, true},
		{`{f: ""}`, `{}`, false},
		{`{f: ""}`, `{"f":null}`, false},
		{`{f: null}`, `{}`, true},
		{`{f: null}`, `{"f":null}`, true},
		{`{f: null}`, `{"f":""}`, false},
		{`{f: null}`, `{"f":[]}`, false},
		{`{f|exists: true}`, `{"f":null}`, true},
		{`{f|exists: true}`, `{"f":[]}`, true},
		{`{f|exists: true}`, `{"f":{}}`, true},
		{`{f|exists: true}`, `{}`, false},
		{`{f|exists: false}`, `{}`, true},
		{`{f|neq: value}`, `{}`, true},
		{`{f|neq: value}`, `{"f":"value"}`, false},
		{`{f|neq: value}`, `{"f":["value","other"]}`, false},

		// Numbers and booleans.
		{`{f: 10}`, `{"f":10}`, true},
		{`{f: 10}`, `{"f":10.0}`, true},
		{`{f: 10}`, `{"f":"10"}`, true},
		{`{f: 10}`, `{"f":"10.0"}`, false},
		{`{f: "10"}`, `{"f":10}`, true},
		{`{f|startswith: "1"}`, `{"f":10}`, true},
		{`{f: 9007199254740993}`, `{"f":9007199254740992}`, false},
		{`{f: 9007199254740993}`, `{"f":9007199254740993}`, true},
		{`{f: true}`, `{"f":"True"}`, true},
		{`{f: "true"}`, `{"f":true}`, true},
		{`{f: true}`, `{"f":1}`, false},
		{`{f|gte: 10}`, `{"f":"10.5"}`, true},
		{`{f|gt: 10}`, `{"f":10}`, false},
		{`{f|lt: 10}`, `{"f":-1e3}`, true},
		{`{f|lt: 10}`, `{"f":"1.2.3.4"}`, false},
		{`{f|lte: 10}`, `{"f":"ten"}`, false},

		// Arrays and objects.
		{`{f: b}`, `{"f":["a","b"]}`, true},
		{`{f: b}`, `{"f":[["a"],["b"]]}`, true},
		{`{f|contains|all: [a, b]}`, `{"f":["xa","xb"]}`, true},
		{`{f|contains|all: [a, b]}`, `{"f":["xa","xc"]}`, false},
		{`{f.g: b}`, `{"f":[{"g":"a"},{"g":"b"}]}`, true},
		{`{f: b}`, `{"f":{"g":"b"}}`, false},
		{`{f|contains: '"g":"b"'}`, `{"f":{"g":"b"}}`, true},
		{`{f|contains: '"g": "b"'}`, `{"f":[{"g": "b"}]}`, true},
		{`{f|contains: b}`, `{"f":["a",{"g":"b"}]}`, true},
		{`{f.g.h: x}`, `{"f.g":{"h":"x"}}`, true},
		{`{f.g.h: x}`, `{"f":{"g.h":"x"}}`, true},
		{`{ThreatName: x}`, `{"Threat Name":"x"}`, true},
		{`{threatname: x}`, `{"ThreatName":"x"}`, false},
		{`{f: a}`, `{"f":"b","f":"a","f":"c"}`, true},

		// Members with names.
		{`{P.ForwardTo: x}`, `{"P":[{"Name":"Other","Value":"y"},{"Name":"ForwardTo","Value":"x"}]}`, true},
		{`{P.ForwardTo: x}`, `{"P":[{"Name":"Other","Value":"x"},{"Name":"ForwardTo","Value":"y"}]}`, false},
		{`{P.ForwardTo.Value: x}`, `{"P":[{"Name":"ForwardTo","Value":"x"}]}`, true},
		{`{P.Name: ForwardTo}`, `{"P":[{"Name":"ForwardTo","Value":"x"}]}`, true},
		{`{P|contains: ForwardTo}`, `{"P":[{"Name":"ForwardTo","Value":"x"}]}`, true},
		{`{P.A.B.NewValue: x}`, `{"P":[{"Name":"A.B","NewValue":"x"}]}`, true},
		{`{P.AB.newValue: x}`, `{"P":[{"displayName":"A B","newValue":"x"}]}`, true},
		{`{P.A: x}`, `{"P":[{"key":"A","value":["y","x"]}]}`, true},
		{`{P.A|contains: NewValue}`, `{"P":[{"Name":"A","NewValue":"x"}]}`, true},
		{`{P.A: x}`, `{"P":[{"Name":7,"key":"A","Value":"x"}]}`, true},
		{`{P.A: x}`, `{"P":{"Name":"A","Value":"x"}}`, false}, // no array
		{`{t.m.Role.newValue: x}`, `{"t":[{"displayName":"u","m":[{"displayName":"Role","newValue":"x"}]}]}`, true},

		// Keywords.
		{`[needle]`, `{"a":[{"b":"a NEEDLE here"}]}`, true},
		{`[needle]`, `{"needle":"x"}`, false},
		{`['n*le']`, `{"a":"xneedlex"}`, true},
		{`[4711]`, `{"a":47110}`, true},
		{`{"|all": [one, two]}`, `{"a":"one","b":"two"}`, true},
		{`{"|all": [one, two]}`, `{"a":"one"}`, false},

		// Networks.
		{`{f|cidr: 203.0.113.0/24}`, `{"f":"203.0.113.7"}`, true},
		{`{f|cidr: 203.0.113.0/24}`, `{"f":"203.0.113.7:443"}`, true},
		{`{f|cidr: 203.0.113.0/24}`, `{"f":"[203.0.113.7]:443"}`, true},
		{`{f|cidr: 203.0.113.0/24}`, `{"f":"::ffff:203.0.113.7"}`, true},
		{`{f|cidr: 203.0.113.0/24}`, `{"f":["198.51.100.1","203.0.113.7"]}`, true},
		{`{f|cidr: 203.0.113.0/24}`, `{"f":"203.0.113.700"}`, false},
		{`{f|cidr: 203.0.113.0/24}`, `{"f":"2001:db8::1"}`, false},
		{`{f|cidr: "::ffff:203.0.113.0/120"}`, `{"f":"203.0.113.7"}`, true},
		{`{f|cidr: "2001:db8::/32"}`, `{"f":"[2001:db8::1]:443"}`, true},
		{`{f|cidr: "2001:db8::/32"}`, `{"f":"CLIENT (2001:db8::1)"}`, true},

		// Regular expressions.
		{`{f|re: "^a.c$"}`, `{"f":"abc"}`, true},
		{`{f|re: "^a.c$"}`, `{"f":"ABC"}`, false},
		{`{f|re|i: "^a.c$"}`, `{"f":"ABC"}`, true},
		{`{f|re: "b{2}"}`, `{"f":"abba"}`, true},
		{`{f|re: ".{5,}"}`, `{"f":"1234\n1234"}`, false},
		{`{f|re: ".{5,}"}`, `{"f":"12\n12345"}`, true},
		{`{f|re|s: ".{9,}"}`, `{"f":"1234\n1234"}`, true},
		{`{f|re: "4."}`, `{"f":40}`, true},
		{`{f|re: "(?:ab|cd)+e"}`, `{"f":"xcdabe"}`, true},

		// Other fields.
		{`{f|fieldref: g}`, `{"f":"A","g":"a"}`, true},
		{`{f|fieldref: g}`, `{"f":"A"}`, false},
		{`{f|fieldref: g}`, `{"f":1.0,"g":1}`, true},
		{`{f|fieldref: g.h}`, `{"f":["a","b"],"g":[{"h":"c"},{"h":"b"}]}`, true},
		{`{f|fieldref|endswith: g}`, `{"f":"someone@example.com","g":"EXAMPLE.com"}`, true},
		{`{f|fieldref|neq: g}`, `{"f":"a"}`, true},

		// Times.
		{`{f|hour: 21}`, `{"f":"2026-05-18T21:13:33"}`, true},
		{`{f|hour: 21}`, `{"f":"2026-05-18T23:13:33+02:00"}`, true},
		{`{f|minute: 13}`, `{"f":1779138813}`, true},
		{`{f|minute: 13}`, `{"f":"1779138813000"}`, true},
		{`{f|week: 53}`, `{"f":"2027-01-01T00:00:00Z"}`, true},
		{`{f|day: 18}`, `{"f":"yesterday"}`, false},
		{`{f|hour|gte: 22}`, `{"f":"2026-05-18T21:13:33Z"}`, false},

		// Many values make a set.
		{`{f|contains: [aa, bb, cc, dd, ee, longer, "x?y", z]}`, `{"f":"1x-y1"}`, true},
		{`{f|contains: [aa, bb, cc, dd, ee, longer, "x?y", z]}`, `{"f":"12LONGER"}`, true},
		{`{f|contains: [aa, bb, cc, dd, ee, longer, "x?y", z]}`, `{"f":"123bz"}`, true},
		{`{f|contains: [aa, bb, cc, dd, ee, longer, "x?y", z]}`, `{"f":"abcdelonge"}`, false},
		{`{f|endswith: [a1, a2, a3, a4, a5, "", a6]}`, `{"f":""}`, true},
		{`{f: [1, 2, 3, 4, 5, 6, a, b, c, d, e, f, null]}`, `{}`, true},
	} {
		if got := matches(t, test.search, test.record); got != test.want {
			t.Errorf("%s on %s: %v", test.search, test.record, got)
		}
	}
}

func TestManyValuesOfAnotherField(t *testing.T) {
	var values []string
	for i := range 100 {
		values = append(values, fmt.Sprintf(`"Value %d"`, i))
	}
	record := `{"g":[7,null,` + strings.Join(values, ",") + `],"f":%s}`
	for _, test := range []struct {
		search, f string
		want      bool
	}{
		{`{f|fieldref: g}`, `["x","VALUE 77"]`, true},
		{`{f|fieldref: g}`, `["x",7.0]`, true},
		{`{f|fieldref: g}`, `["x","value"]`, false},
		{`{f|fieldref|cased: g}`, `"VALUE 77"`, false},
		{`{f|fieldref|contains: g}`, `"a value 7!"`, true},
		{`{f|fieldref|startswith: g}`, `"a value 7!"`, false},
		{`{f|fieldref|endswith: g}`, `"a value 7"`, true},
	} {
		if got := matches(t, test.search, fmt.Sprintf(record, test.f)); got != test.want {
			t.Errorf("%s with %s: %v", test.search, test.f, got)
		}
	}
}

func TestLogSources(t *testing.T) {
	var rules []*sigma.Rule
	for _, source := range []string{"product: m365", "product: m365, service: audit", "product: m365, service: exchange", "category: proxy", "product: windows"} {
		r := ruleOf(t, "logsource: {"+source+"}", "search: {f: x}\n  condition: search")
		rules = append(rules, r)
	}
	p, problems := sigma.Compile(rules, sigma.Options{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, test := range []struct {
		sources []sigma.LogSource
		want    []int
	}{
		{nil, nil},
		{[]sigma.LogSource{{Product: "m365"}}, []int{0}},
		{[]sigma.LogSource{{Product: "m365", Service: "audit"}}, []int{0, 1}},
		{[]sigma.LogSource{{Product: "m365", Service: "audit"}, {Product: "m365", Service: "exchange"}}, []int{0, 1, 2}},
		{[]sigma.LogSource{{Category: "proxy", Product: "m365"}}, []int{0, 3}},
	} {
		m := p.Matcher()
		for range 2 { // the second time by what was kept of the first
			found, err := m.Match([]byte(`{"f":"x"}`), test.sources, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, f := range found {
				got = append(got, slices.Index(rules, f.Rule))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%v: got rules %v, want %v", test.sources, got, test.want)
			}
		}
	}
}

func TestConditionsMatchByThemselves(t *testing.T) {
	r := ruleOf(t, "logsource: {product: p}", "a: {f: x}\n  b: {g: y}\n  condition: [a, b, not a and not b]")
	m := compile(t, r).Matcher()
	for record, want := range map[string][]int{
		`{"f":"x","g":"y"}`: {0, 1},
		`{"g":"y"}`:         {1},
		`{}`:                {2},
	} {
		found, err := m.Match([]byte(record), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, f := range found {
			got = append(got, f.Condition)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: conditions %v, want %v", record, got, want)
		}
	}
}

func TestFieldsThatMeanTheSame(t *testing.T) {
	text := func(s string) sigma.Value { return sigma.Text{Pattern: sigma.Pattern{{Text: s}}} }
	for _, test := range []struct {
		item   sigma.Item
		record string
		want   bool
	}{
		{sigma.Item{Values: []sigma.Value{text("x")}}, `{"b":"x"}`, true},
		{sigma.Item{Values: []sigma.Value{text("x")}}, `{"a":"y","b":"x"}`, true},
		{sigma.Item{Values: []sigma.Value{text("x")}, Negate: true}, `{"a":"y","b":"x"}`, false},
		{sigma.Item{Values: []sigma.Value{sigma.Null{}}}, `{"b":"x"}`, false}, // it is there, by its other name
		{sigma.Item{Values: []sigma.Value{sigma.Null{}}}, `{"b":null}`, true},
		{sigma.Item{Values: []sigma.Value{sigma.Exists(true)}}, `{"b":null}`, true},
		{sigma.Item{Values: []sigma.Value{sigma.Exists(false)}}, `{"b":null}`, false},
		{sigma.Item{Values: []sigma.Value{text("x"), text("y")}, All: true}, `{"a":"x","b":"y"}`, true},
	} {
		item := test.item
		item.Field, item.Or = "a", []string{"b"}
		m := compile(t, &sigma.Rule{Conditions: []sigma.Condition{{Expr: &item}}}).Matcher()
		found, err := m.Match([]byte(test.record), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(found) == 1; got != test.want {
			t.Errorf("%s on %s: %v", item.String(), test.record, got)
		}
	}
}

func TestLayers(t *testing.T) {
	mixed := rule(t, `{Operation: x, ocsf.country: nl}`)
	whole := ruleOf(t, "taxonomy: ocsf\nlogsource: {product: p}", "search: {country: nl}\n  keywords: [needle]\n  condition: search and not keywords")
	const layer = `{"country":"NL","list":[1,2]}`
	asked := 0
	layerOf := func(text string) sigma.Layer {
		return func(name string) []byte {
			if asked++; name != "ocsf" || text == "" {
				return nil
			}
			return []byte(text)
		}
	}
	for _, test := range []struct {
		rule          *sigma.Rule
		record, layer string
		want          bool
		asked         int
		err           bool
	}{
		{mixed, `{"Operation":"x"}`, layer, true, 1, false},
		{mixed, `{"Operation":"y"}`, layer, false, 0, false}, // not made if it does not matter
		{mixed, `{"Operation":"x","country":"nl"}`, `{}`, false, 1, false},
		{mixed, `{"Operation":"x"}`, "", false, 1, false},
		{mixed, `{"Operation":"x"}`, "{", false, 1, true},
		{whole, `{}`, layer, true, 1, false},
		{whole, `{"a":"needle"}`, layer, true, 1, false}, // its record is the layer
		{whole, `{}`, `{"country":"nl","a":"needle"}`, false, 1, false},
	} {
		asked = 0
		p := compile(t, test.rule)
		list := p.Field(p.Rules()[0], "ocsf.list")
		m := p.Matcher()
		found, err := m.Match([]byte(test.record), nil, layerOf(test.layer))
		if got := len(found) == 1; got != test.want || asked != test.asked || (err != nil) != test.err {
			t.Errorf("%s with %s: %v, asked %d times, error %v", test.record, test.layer, got, asked, err)
		}
		if values := m.Values(list); test.layer == layer && fmt.Sprintf("%s", values) != "[1 2]" || asked > 1 {
			t.Errorf("values of the layer: %s, asked %d times", values, asked)
		}
	}
}

func TestValues(t *testing.T) {
	p := compile(t, rule(t, `{other: x}`), rule(t, `{e|exists: true}`))
	want := map[string]string{
		"a.b": `["x\n"]`, "p.q": `["7"]`, "p.r": `["true"]`, "e": `[]`, "no": `[]`, "o": `["[{\"x\":1}]"]`, "o.x": `["1"]`,
		"p.Name": `["q" "q" "r"]`,
	}
	fields := map[string]sigma.Field{}
	for name := range want {
		fields[name] = p.Field(p.Rules()[1], name)
	}
	m := p.Matcher()
	record := `{"a":{"b":"x\n"},"p":[{"Name":"q","Value":7},{"Name":"q","Value":null},{"Name":"r","Value":true}],"e":[],"o":[{"x":1}]}`
	if found, err := m.Match([]byte(record), nil, nil); err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	for name, want := range want {
		if got := fmt.Sprintf("%q", m.Values(fields[name])); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if _, err := m.Match([]byte(`{"other":"x"}`), nil, nil); err != nil {
		t.Fatal(err)
	}
	if left := m.Values(fields["a.b"]); len(left) > 0 {
		t.Errorf("values of the record before: %q", left)
	}
}

func TestRefused(t *testing.T) {
	item := func(field string, v sigma.Value) sigma.Expr {
		return &sigma.Item{Field: field, Values: []sigma.Value{v}, Line: 7}
	}
	good := rule(t, `{f: x}`)
	for _, test := range []struct {
		x    sigma.Expr
		want string
	}{
		{item("f", sigma.Placeholder{}), "placeholder"},
		{item("f", sigma.Regexp{Source: "a(?=b)"}), "regular expression"},
		{item(strings.Repeat("a.", 16)+"a", sigma.Bool(true)), "path of 17 names"},
		{item("", sigma.Null{}), "keyword"},
		{item("f", sigma.CIDR{}), "network"},
		{item("f", sigma.TimePart{Part: "century"}), "no part of a time"},
		{item("f", sigma.FieldRef{}), "referred to"},
		{&sigma.Item{Field: "f"}, "no value"},
		{&sigma.Ref{Name: "other"}, "correlations"},
		{&sigma.And{}, "empty list"},
		{nil, "without an expression"},
	} {
		bad := &sigma.Rule{Meta: sigma.Meta{File: "bad.yml", Line: 1}, Conditions: []sigma.Condition{{Expr: test.x}}}
		p, problems := sigma.Compile([]*sigma.Rule{bad, good}, sigma.Options{AnyLogSource: true})
		if len(problems) != 1 || !strings.Contains(problems[0].Message, test.want) || problems[0].File != "bad.yml" {
			t.Errorf("want a problem about %q, got %v", test.want, problems)
		}
		if rules := p.Rules(); len(rules) != 1 || rules[0] != good {
			t.Errorf("%s: the program has %d rules, want the other one", test.want, len(rules))
		}
		if found, err := p.Matcher().Match([]byte(`{"f":"x"}`), nil, nil); err != nil || len(found) != 1 {
			t.Errorf("%s: the other rule does not match: %v", test.want, err)
		}
	}
}

func TestNotJSON(t *testing.T) {
	m := compile(t, rule(t, `{f: null}`)).Matcher()
	if _, err := m.Match([]byte(`{"f":`), nil, nil); err == nil {
		t.Error("half a record was accepted")
	}
	for _, record := range []string{`"text"`, `[]`, `null`, `7`} {
		if found, err := m.Match([]byte(record), nil, nil); err != nil || len(found) != 1 {
			t.Errorf("%s: %d matches, %v", record, len(found), err)
		}
	}
}

func TestFieldsOfRules(t *testing.T) {
	a := rule(t, `{f: x, g.h|fieldref: i, ocsf.country: nl}`)
	b := ruleOf(t, "taxonomy: ocsf\nlogsource: {product: p}", "search: {country: nl}\n  keywords: [word]\n  condition: search and keywords")
	got := compile(t, a, b).Fields()
	want := map[string][]*sigma.Rule{"f": {a}, "g.h": {a}, "i": {a}, "ocsf.country": {a, b}}
	if len(got) != len(want) {
		t.Errorf("fields %v", got)
	}
	for field, rules := range want {
		if !slices.Equal(got[field], rules) {
			t.Errorf("%s is read by %d rules", field, len(got[field]))
		}
	}
}

func TestCosts(t *testing.T) {
	often, seldom := rule(t, `{f: x}`), rule(t, `{f: x, g: y}`)
	p := compile(t, often, seldom)
	p.Prepare(nil)
	for range 2 {
		m := p.Matcher()
		for range 1000 { // enough for some to be timed
			for _, record := range []string{`{"f":"x"}`, `{"f":"x","g":"y"}`, `{}`} {
				if _, err := m.Match([]byte(record), nil, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	costs := p.Costs()
	if c := costs[0]; c.Rule != often || c.Candidates != 4000 || c.Hits != 4000 || c.Time <= 0 {
		t.Errorf("%+v", c)
	}
	if c := costs[1]; c.Rule != seldom || c.Candidates != 2000 || c.Hits != 2000 {
		t.Errorf("%+v: g is seen less often than f, which more rules ask for", c)
	}
}

func TestOneProgramForManyGoroutines(t *testing.T) {
	p, _ := sigma.Compile([]*sigma.Rule{rule(t, `{f|re: "a+b"}`), rule(t, `{g: [a, b, c, d, e, f, g]}`)}, sigma.Options{})
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			m := p.Matcher()
			for j := range 200 {
				sources := []sigma.LogSource{{Product: "p", Service: strconv.Itoa((i + j) % 7)}}
				found, err := m.Match([]byte(`{"f":"xaab","g":"D"}`), sources, nil)
				if err != nil || len(found) != 2 || len(m.Why(found[0])) != 1 || !m.Explain(found[1].Rule).Held {
					t.Errorf("matches %v, error %v", found, err)
					return
				}
				p.Costs()
			}
		})
	}
	group.Wait()
}

// TestEpochsBeginAgain makes sure that what was noted billions of records ago is not taken
// for the present.
func TestEpochsBeginAgain(t *testing.T) {
	m := compile(t, rule(t, `{f: x, ocsf.g: null}`)).Matcher()
	layer := func(string) []byte { return []byte(`{}`) }
	match := func(record string) int {
		found, err := m.Match([]byte(record), nil, layer)
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if match(`{"f":"x"}`) != 1 {
		t.Fatal("no match in epoch 1")
	}
	m.SetEpoch(1<<31 - 2)
	if match(`{"f":"x"}`) != 1 || !m.Explain(m.Rules()[0]).Held {
		t.Error("no match in the last epoch, or none to explain in the first")
	}
	if match(`{"f":"y"}`) != 0 || match(`{"f":"x"}`) != 1 {
		t.Error("the records after it are judged otherwise")
	}
}
