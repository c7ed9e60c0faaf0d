// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// check is a compiled item. Items that say the same share one, whatever rules they are in.
type check struct {
	array  *body // of an Array; it has no tests
	fields []int32
	all    bool // every one of tests, and not any
	tests  []valueTest
	set    *literalSet // the texts among tests of which any will do, if there are many
	single []valueTest // the other tests; all if there is no set
	views  uint8       // which views it reads
	effort int
}

// valueTest is a compiled value.
type valueTest struct {
	kind   testKind
	yes    bool
	text   textTest
	number Number
	op     Comparison
	part   string
	cidr   netip.Prefix
	re     *regexTest
	ref    []int32 // the other field
}

type testKind uint8

// In the order of what they cost.
const (
	testNull testKind = iota
	testExists
	testBool
	testNumber
	testText
	testCompare
	testCIDR
	testTime
	testRef
	testRegexp
)

// What evaluating a test takes, about in nanoseconds for a short value.
var testEffort = [...]int{testNull: 1, testExists: 1, testBool: 5, testNumber: 10, testText: 5, testCompare: 15, testCIDR: 40, testTime: 40, testRef: 50, testRegexp: 1000}

const (
	searchEffort  = 10     // of a text that may stand anywhere
	setEffort     = 30     // of a set without such texts
	keywordEffort = 50     // times: a record has so many values
	layerEffort   = 10_000 // of making a layer
	setFrom       = 6      // as many texts make a set
)

// item returns the number of the compiled item.
func (c *compiler) item(r *Rule, x *Item) (int32, *Problem) {
	if len(x.Values) == 0 {
		return 0, refuse(r, x.Line, "%q has no value", x.Field)
	}
	k := check{all: x.All && len(x.Values) > 1}
	for _, name := range append([]string{x.Field}, x.Or...) {
		at, problem := c.itemField(r, x.Line, name)
		if problem != nil {
			return 0, problem
		}
		if at.name == "" && (x.Field != "" || len(x.Or) > 0) {
			return 0, refuse(r, x.Line, "an item names a field without a name")
		}
		k.fields = append(k.fields, c.p.field(at))
	}
	for _, v := range x.Values {
		t, problem := c.value(r, x, v)
		if problem != nil {
			return 0, problem
		}
		k.tests = append(k.tests, t)
	}
	key := c.canonical(&k, x.Values)
	id, ok := c.known[key]
	if !ok {
		id = int32(len(c.p.items))
		c.known[key] = id
		k.finish()
		c.judge(&k)
		c.p.items = append(c.p.items, k)
	}
	c.p.itemOf[itemKey{x, c.p.home(r.Taxonomy)}] = id
	return id, nil
}

func (c *compiler) itemField(r *Rule, line int, name string) (programField, *Problem) {
	at := c.p.locate(name, r.Taxonomy)
	if n := namesIn(at.name); n > maxNames {
		return at, refuse(r, line, "the field %q is a path of %d names; at most %d can be followed", name, n, maxNames)
	}
	if at.name == "." && c.depth == 0 {
		return at, refuse(r, line, "the field %q is the member of an array and stands below one only", name)
	}
	return at, nil
}

// namesIn is how many names a field's path has.
func namesIn(field string) int {
	if field == "." {
		return 0
	}
	return strings.Count(field, ".") + 1
}

// canonical is the same text for items that say the same.
func (c *compiler) canonical(k *check, values []Value) string {
	b := c.key[:0]
	b = strconv.AppendBool(b, k.all)
	for _, f := range k.fields {
		b = append(strconv.AppendInt(b, int64(f), 10), ' ')
	}
	texts := make([]string, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case Text:
			texts[i] = canonicalText(v)
		case FieldRef: // the same name is another field in another taxonomy
			texts[i] = fmt.Sprintf("%d%#v", k.tests[i].ref, v)
		default:
			texts[i] = fmt.Sprintf("%T%#v", v, v)
		}
	}
	slices.Sort(texts)
	for _, t := range slices.Compact(texts) {
		b = append(strconv.AppendInt(b, int64(len(t)), 10), ' ')
		b = append(b, t...)
	}
	c.key = b
	return string(b)
}

func canonicalText(v Text) string {
	var b strings.Builder
	b.WriteString("Text")
	if v.Cased {
		b.WriteByte('c')
	}
	for _, p := range tidyPattern(v.Pattern, v.Cased) {
		fmt.Fprintf(&b, " %d%q", p.Wild, p.Text)
	}
	return b.String()
}

// finish puts tests that are cheap first, and makes a set of texts if there are many.
func (k *check) finish() {
	slices.SortStableFunc(k.tests, func(a, b valueTest) int { return int(a.kind) - int(b.kind) })
	k.single = k.tests
	if !k.all && len(k.tests) >= setFrom {
		from := literals{}
		k.single = slices.DeleteFunc(slices.Clone(k.tests), func(t valueTest) bool {
			if t.kind != testText || t.text.cased || t.text.shape == globbed {
				return false
			}
			if from[literalKey{t.text.shape, string(t.text.lit)}] == nil {
				from.add(t.text.shape, string(t.text.lit), 0)
			}
			return true
		})
		if len(from) > 0 {
			k.set = newLiteralSet(from)
		}
	}
}

// judge estimates what evaluating an item takes, and says which views it reads.
func (c *compiler) judge(k *check) {
	if k.set != nil {
		k.effort = setEffort
		if k.set.searches() {
			k.effort += 10 * searchEffort
		}
	}
	for i := range k.single {
		t := &k.single[i]
		k.effort += testEffort[t.kind]
		if t.kind == testText && t.text.shape >= containing {
			k.effort += searchEffort
		}
	}
	if c.p.fields[k.fields[0]].name == "" {
		k.effort *= keywordEffort
	}
	for _, f := range k.uses() {
		view := c.p.fields[f].view
		if k.views |= 1 << view; view > 0 {
			k.effort += layerEffort
		}
	}
}

// uses returns the fields that the item reads.
func (k *check) uses() []int32 {
	all := slices.Clone(k.fields)
	for i := range k.tests {
		all = append(all, k.tests[i].ref...)
	}
	return all
}

// value compiles one value of an item.
func (c *compiler) value(r *Rule, x *Item, v Value) (valueTest, *Problem) {
	keyword := x.Field == ""
	switch v := v.(type) {
	case Text:
		return valueTest{kind: testText, text: newTextTest(v.Pattern, v.Cased, keyword)}, nil
	case Number:
		if keyword { // searched for like every other text
			return valueTest{kind: testText, text: newTextTest(Pattern{{Text: v.Text}}, false, true)}, nil
		}
		return valueTest{kind: testNumber, number: v}, nil
	case Bool:
		if keyword {
			return valueTest{kind: testText, text: newTextTest(Pattern{{Text: strconv.FormatBool(bool(v))}}, false, true)}, nil
		}
		return valueTest{kind: testBool, yes: bool(v)}, nil
	case Regexp:
		re, err := newRegexTest(v)
		if err != nil {
			return valueTest{}, refuse(r, x.Line, "the regular expression %q cannot be used: %v", v.Source, err)
		}
		return valueTest{kind: testRegexp, re: re}, nil
	case CIDR:
		if !v.Prefix.IsValid() {
			return valueTest{}, refuse(r, x.Line, "%q is compared with a network that is none", x.Field)
		}
		return valueTest{kind: testCIDR, cidr: unmapPrefix(v.Prefix)}, nil
	case Placeholder:
		return valueTest{}, refuse(r, x.Line, "the placeholder of %q has no values; give it some in a pipeline", x.Field)
	}
	if keyword {
		return valueTest{}, refuse(r, x.Line, "a keyword cannot be compared in this way; name a field")
	}
	switch v := v.(type) {
	case Null:
		return valueTest{kind: testNull}, nil
	case Exists:
		return valueTest{kind: testExists, yes: bool(v)}, nil
	case Compare:
		return valueTest{kind: testCompare, op: Comparison(v)}, nil
	case TimePart:
		if !slices.Contains(timeParts, v.Part) {
			return valueTest{}, refuse(r, x.Line, "%q is no part of a time", v.Part)
		}
		return valueTest{kind: testTime, part: v.Part, op: Comparison(v.Compare)}, nil
	case FieldRef:
		other, problem := c.itemField(r, x.Line, v.Field)
		if problem != nil || other.name == "" {
			return valueTest{}, refuse(r, x.Line, "the field %q cannot be referred to", v.Field)
		}
		shape, ok := sides[v.Side]
		if !ok {
			return valueTest{}, refuse(r, x.Line, "%q is no way to compare with a field", v.Side)
		}
		return valueTest{kind: testRef, text: textTest{shape: shape, cased: v.Cased}, ref: []int32{c.p.field(other)}}, nil
	}
	return valueTest{}, refuse(r, x.Line, "%q has a value of a kind that cannot be compared: %T", x.Field, v)
}

var sides = map[string]shape{"": equalTo, "contains": containing, "startswith": prefixed, "endswith": suffixed}

var timeParts = []string{"minute", "hour", "day", "week", "month", "year"}

// unmapPrefix turns a network of IPv4 addresses in IPv6 form into one of IPv4: addresses are
// compared in that form.
func unmapPrefix(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}
