// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// random makes rules and events of few names and values, so that many match.
type random struct {
	*rand.Rand
	inArray bool
}

func pick[T any](r random, from ...T) T { return from[r.IntN(len(from))] }

var (
	someNames = []string{"a", "b", "c", "Name", "x y", "a.b"}
	someTexts = []string{
		"", "a", "ab", "abc", "ABC", "xABCy", "abcdef", "Straße", "STRASSE", "Kelvin", "\u212Aelvin", "maſt", "mast", "Ünï", "üNÏ",
		"true", "False", "null", "10", "10.0", "1e1", "-3", "a*b", "a?b", `c:\x\cmd.exe`, `D:\CMD.EXE`, "aaaaaaab", "a\nb", `"quoted"`,
		"2026-05-18T21:13:33Z", "2026-01-01T00:30:00+02:00", "203.0.113.7", "203.0.113.7:443", "[2001:db8::7]:443", "::ffff:203.0.113.9", "10.0.0.300",
		"the quick brown fox", "QUICK", "日本語", "Name", "b",
	}
	someNumbers = []string{"0", "10", "10.0", "1e1", "-3", "3.5", "9007199254740993", "9007199254740992", "1779138813"}
)

func (r random) event() []byte { return r.object(4) }

func (r random) object(depth int) []byte {
	b := []byte("{")
	for i := range r.IntN(5) {
		if i > 0 {
			b = append(b, ',')
		}
		key, _ := json.Marshal(pick(r, append(someNames, "Value", "value", "displayName", "key")...))
		b = append(append(b, key...), ':')
		b = append(b, r.value(depth-1)...)
	}
	return append(b, '}')
}

func (r random) value(depth int) []byte {
	n := r.IntN(10)
	switch {
	case n == 0 && depth > 0:
		return r.object(depth)
	case n <= 3 && depth > 0:
		b := []byte("[")
		named := r.IntN(2) == 0
		for i := range r.IntN(4) {
			if i > 0 {
				b = append(b, ", "...)
			}
			if named {
				b = append(b, r.object(depth)...)
			} else {
				b = append(b, r.value(depth-1)...)
			}
		}
		return append(b, ']')
	case n == 4:
		return []byte(pick(r, "null", "true", "false"))
	case n == 5:
		return []byte(pick(r, someNumbers...))
	}
	text, _ := json.Marshal(pick(r, append(someTexts, string(r.letters()), string(r.letters()))...))
	if r.IntN(4) == 0 {
		text = []byte(strings.ReplaceAll(string(text), "a", `\u0061`))
	}
	return text
}

// letters is text of two letters: pieces of it are found in others.
func (r random) letters() []rune {
	var text []rune
	for range r.IntN(14) {
		text = append(text, pick(r, 'a', 'b', 'B'))
	}
	return text
}

func (r random) field() string {
	if r.inArray && r.IntN(3) == 0 {
		return "."
	}
	var names []string
	for range 1 + r.IntN(3) {
		names = append(names, strings.ReplaceAll(pick(r, append(someNames, "Value", "abc")...), " ", ""))
	}
	if r.IntN(6) == 0 {
		names = append([]string{"ocsf"}, names...)
	}
	return strings.Join(names, ".")
}

func (r random) expr(depth int) sigma.Expr {
	if depth == 0 || r.IntN(3) == 0 {
		return r.item()
	}
	if r.IntN(5) == 0 {
		return r.array(depth - 1)
	}
	var kids []sigma.Expr
	for range 1 + r.IntN(3) {
		kids = append(kids, r.expr(depth-1))
	}
	switch r.IntN(4) {
	case 0:
		return &sigma.Or{X: kids}
	case 1:
		return &sigma.Not{X: kids[0]}
	case 2:
		return &sigma.Search{Name: "s", X: kids[0]}
	}
	return &sigma.And{X: kids}
}

func (r random) array(depth int) sigma.Expr {
	a := &sigma.Array{Field: r.field(), Quantifier: sigma.Quantifier(r.IntN(5))}
	if r.IntN(3) > 0 {
		a.Field = pick(r, "a", "b", "xy", "a.b")
	}
	if r.IntN(8) == 0 {
		a.Or = []string{r.field()}
	}
	if a.Quantifier == sigma.At {
		a.Index = r.IntN(5) - 2
	}
	r.inArray = true
	a.X = r.expr(depth)
	return a
}

func (r random) item() *sigma.Item {
	x := &sigma.Item{Field: r.field(), All: r.IntN(4) == 0, Negate: r.IntN(10) == 0}
	if r.IntN(8) == 0 {
		x.Field = ""
	} else if r.IntN(8) == 0 {
		x.Or = []string{r.field()}
	}
	n := 1 + r.IntN(3)
	if r.IntN(4) == 0 {
		n = 10 // enough for a set
	}
	for range n {
		x.Values = append(x.Values, r.ruleValue(x.Field == ""))
	}
	return x
}

func (r random) ruleValue(keyword bool) sigma.Value {
	n := r.IntN(20)
	if keyword {
		n = r.IntN(13)
	}
	switch {
	case n < 10:
		return sigma.Text{Pattern: r.pattern(), Cased: r.IntN(5) == 0}
	case n == 10:
		text := pick(r, someNumbers...)
		f, _ := strconv.ParseFloat(text, 64)
		return sigma.Number{N: f, Text: text}
	case n == 11:
		return sigma.Bool(r.IntN(2) == 0)
	case n == 12:
		return sigma.Regexp{Source: pick(r, "a.*c", "^ab", `\d{2}`, "(abc|quick)", ".{9,}", "(.){3,}$", "[A-Z]{3}", "(?:x|ab)+c", "k", "cmd|mast"), Flags: pick(r, "", "i", "s", "im")}
	case n == 13:
		return sigma.Null{}
	case n == 14:
		return sigma.Exists(r.IntN(2) == 0)
	case n == 15:
		return sigma.CIDR{Prefix: netip.MustParsePrefix(pick(r, "203.0.113.0/24", "203.0.113.8/29", "2001:db8::/32", "0.0.0.0/0", "::/0"))}
	case n == 16:
		return r.compare()
	case n == 17:
		return sigma.TimePart{Part: pick(r, "minute", "hour", "day", "week", "month", "year"), Compare: r.compare()}
	}
	return sigma.FieldRef{Field: r.field(), Side: pick(r, "", "contains", "startswith", "endswith"), Cased: r.IntN(2) == 0}
}

func (r random) compare() sigma.Compare {
	return sigma.Compare{Op: sigma.Op(r.IntN(6)), N: pick(r, 0, 10, -3, 3.5, 20, 2026)}
}

func (r random) pattern() sigma.Pattern {
	text := []rune(pick(r, someTexts...))
	if r.IntN(3) == 0 {
		text = r.letters()
	}
	switch r.IntN(8) {
	case 0:
		return sigma.Pattern{{Wild: sigma.AnyRun}}
	case 1:
		return nil
	case 2:
		return sigma.Pattern{{Text: string(text)}}
	}
	// A piece of a text, with wildcards in and around it.
	var p sigma.Pattern
	if r.IntN(2) == 0 {
		p = append(p, sigma.Piece{Wild: sigma.AnyRun})
	}
	from := r.IntN(len(text) + 1)
	for _, c := range text[from : from+r.IntN(len(text)-from+1)] {
		switch r.IntN(10) {
		case 0:
			p = append(p, sigma.Piece{Wild: sigma.AnyOne})
		case 1:
			p = append(p, sigma.Piece{Wild: sigma.AnyRun})
		default:
			p = append(p, sigma.Piece{Text: string(c)})
		}
	}
	if r.IntN(2) == 0 {
		p = append(p, sigma.Piece{Wild: sigma.AnyRun})
	}
	return p
}

// checkAgainstPlain compares the program with the plain evaluator over random rules and events,
// and over the records given.
func checkAgainstPlain(t *testing.T, seed uint64, records ...[]byte) (matched int) {
	r := random{Rand: rand.New(rand.NewPCG(seed, 1))}
	var rules []*sigma.Rule
	for i := range 40 {
		rules = append(rules, &sigma.Rule{
			Meta:       sigma.Meta{Title: strconv.Itoa(i)},
			Conditions: []sigma.Condition{{Expr: r.expr(3)}},
		})
	}
	program, problems := sigma.Compile(rules, sigma.Options{Layers: []string{"ocsf"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	m := program.Matcher()
	for range 25 {
		records = append(records, r.event())
	}
	for _, raw := range records {
		layer := r.event()
		plain, plainLayer := newPlainEvent(raw), newPlainEvent(layer)
		plain.layer = &plainLayer
		var want, got []string
		for _, rule := range rules {
			if plain.expr(rule.Conditions[0].Expr) {
				want = append(want, rule.Title)
			}
		}
		found, err := m.Match(raw, nil, func(string) []byte { return layer })
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range found {
			got = append(got, match.Rule.Title)
			m.Why(match)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d, event %s, layer %s:\ngot  %v\nwant %v%s", seed, raw, layer, got, want, describe(rules, got, want))
		}
		for _, rule := range rules[:5] {
			if held := m.Explain(rule).Held; held != slices.Contains(want, rule.Title) {
				t.Fatalf("seed %d, event %s: rule %s is explained as %v", seed, raw, rule.Title, held)
			}
		}
		matched += len(got)
	}
	return matched
}

func describe(rules []*sigma.Rule, got, want []string) string {
	s := ""
	for _, rule := range rules {
		if slices.Contains(got, rule.Title) != slices.Contains(want, rule.Title) {
			x, _ := json.MarshalIndent(rule.Conditions[0].Expr, "", " ")
			s += fmt.Sprintf("\nrule %s: %s", rule.Title, x)
		}
	}
	return s
}

func TestAgreesWithPlainEvaluator(t *testing.T) {
	matches := 0
	for seed := range uint64(80) {
		matches += checkAgainstPlain(t, seed)
	}
	if matches < 5_000 {
		t.Errorf("only %d matches; the rules do not say much", matches)
	}
}

func FuzzAgreesWithPlainEvaluator(f *testing.F) {
	f.Add(uint64(1), []byte(`{"a":[{"Name":"b","Value":"abc"}],"b":1e1}`))
	f.Fuzz(func(t *testing.T, seed uint64, record []byte) {
		// The plain evaluator takes exponential time for names in arrays in arrays.
		if !json.Valid(record) || !utf8.Valid(record) || len(record) > 1<<10 || bytes.Count(record, []byte("[")) > 10 {
			checkAgainstPlain(t, seed)
			return
		}
		checkAgainstPlain(t, seed, record)
	})
}
