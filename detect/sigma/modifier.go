// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// chain is an item that is being read: a field with its modifiers.
type chain struct {
	p         *parser
	line      int
	name      string // for messages
	field     string
	modifiers []string

	raw         bool // the values are not patterns: backslashes and stars are themselves
	all, negate bool
}

// modifier is what stands behind a | of an item's key.
type modifier struct {
	// value transforms one value, possibly into several of which one has to match. They
	// are applied from left to right. Nil: the modifier is of the item as a whole.
	value func(*chain, Value) ([]Value, error)
	first bool // it has to be the first
	only  bool // it has to be the only one
	raw   bool
	field bool // it needs a field: keywords cannot have it
}

var modifiers = map[string]modifier{
	"contains":   {value: around(true, true)},
	"startswith": {value: around(false, true)},
	"endswith":   {value: around(true, false)},
	"all":        {},
	"neq":        {},
	"cased":      {value: cased},
	"exists":     {value: exists, only: true, raw: true, field: true},
	"re":         {value: toRegexp, first: true, raw: true},
	"i":          {value: regexpFlag("i")},
	"m":          {value: regexpFlag("m")},
	"s":          {value: regexpFlag("s")},
	"ignorecase": {value: regexpFlag("i")},
	"multiline":  {value: regexpFlag("m")},
	"dotall":     {value: regexpFlag("s")},
	"cidr":       {value: cidr, first: true, raw: true},
	"lt":         {value: compare(Lt), field: true},
	"lte":        {value: compare(Lte), field: true},
	"gt":         {value: compare(Gt), field: true},
	"gte":        {value: compare(Gte), field: true},
	"minute":     {value: timePart("minute"), field: true},
	"hour":       {value: timePart("hour"), field: true},
	"day":        {value: timePart("day"), field: true},
	"week":       {value: timePart("week"), field: true},
	"month":      {value: timePart("month"), field: true},
	"year":       {value: timePart("year"), field: true},
	"base64":     {value: toBase64},

	"base64offset": {value: base64Offset},
	"wide":         {value: encode("", utf16le)},
	"utf16le":      {value: encode("", utf16le)},
	"utf16be":      {value: encode("", utf16be)},
	"utf16":        {value: encode("\xff\xfe", utf16le)},
	"windash":      {value: windash},
	"expand":       {value: expand},
	"fieldref":     {value: fieldRef, raw: true, field: true},
}

// prepare checks the modifiers by themselves.
func (c *chain) prepare() {
	for i, name := range c.modifiers {
		m, known := modifiers[name]
		switch {
		case !known:
			c.p.errorf(c.line, "%s has the modifier %s, which is not known; there are %s", c.name, quoted(name), strings.Join(slices.Sorted(maps.Keys(modifiers)), ", "))
		case m.first && i > 0:
			c.p.errorf(c.line, "%s: %s has to be the first modifier; write %s|%s", c.name, name, c.field, name)
		case m.only && len(c.modifiers) > 1:
			c.p.errorf(c.line, "%s: %s has to be the only modifier", c.name, name)
		case m.field && c.field == "":
			c.p.errorf(c.line, "%s: %s needs a field before it", c.name, name)
		}
		c.raw = c.raw || m.raw
		c.all = c.all || name == "all"
		c.negate = c.negate || name == "neq"
	}
}

// values reads a scalar and applies the modifiers to it.
func (c *chain) values(n *yaml.Node) []Value {
	v, err := c.value(n)
	values := []Value{v}
	for _, name := range c.modifiers {
		if err != nil {
			break
		}
		apply := modifiers[name].value
		if apply == nil {
			continue
		}
		var next []Value
		for _, v := range values {
			var made []Value
			if made, err = apply(c, v); err != nil {
				break
			}
			next = append(next, made...)
		}
		values = next
	}
	if err != nil {
		c.p.errorf(n.Line, "%s: %v", c.name, err)
		return nil
	}
	return values
}

// value reads a scalar without its modifiers.
func (c *chain) value(n *yaml.Node) (Value, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, fmt.Errorf("a value has to be text, a number, true, false or null, not %s", kindOf(n))
	}
	if n.Style&yaml.TaggedStyle != 0 && !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!null"}, n.Tag) {
		return nil, fmt.Errorf("the value %s has the YAML tag %s; write it as plain text", quoted(n.Value), quoted(n.Tag))
	}
	if n.Tag == "!!null" {
		if c.field == "" {
			return nil, errors.New("a keyword cannot be null; null needs a field")
		}
		return Null{}, nil
	}
	if b, ok := boolOf(n); ok {
		return Bool(b), nil
	}
	if f, ok := numberOf(n); ok {
		return Number{N: f, Text: n.Value}, nil
	}
	if c.raw {
		return Text{Pattern: literal(n.Value)}, nil
	}
	p := parsePattern(n.Value)
	c.p.spend(n.Line, pieceRoom*len(p))
	return Text{Pattern: p}, nil
}

func cased(_ *chain, v Value) ([]Value, error) {
	switch v := v.(type) {
	case Text:
		v.Cased = true
		return []Value{v}, nil
	case FieldRef:
		v.Cased = true
		return []Value{v}, nil
	case Placeholder:
		if !v.Regexp {
			v.Cased = true
			return []Value{v}, nil
		}
		return nil, errors.New("a regular expression tells upper from lower case without cased; remove cased")
	case Regexp:
		return nil, errors.New("a regular expression tells upper from lower case without cased; remove cased")
	}
	if s, ok := wordOf(v); ok {
		return []Value{Text{Pattern: literal(s), Cased: true}}, nil
	}
	return nil, fmt.Errorf("cased needs text, not %s", nameOf(v))
}

func exists(_ *chain, v Value) ([]Value, error) {
	if b, ok := v.(Bool); ok {
		return []Value{Exists(b)}, nil
	}
	return nil, fmt.Errorf("exists needs true or false, not %s", nameOf(v))
}

func cidr(c *chain, v Value) ([]Value, error) {
	t, ok := v.(Text)
	if !ok {
		return nil, fmt.Errorf("cidr needs a network such as 10.0.0.0/8, not %s", nameOf(v))
	}
	if slices.Contains(c.modifiers, "expand") {
		if pattern, names := placeholders(t.Pattern); len(names) > 0 {
			for _, name := range c.modifiers[1:] {
				if !slices.Contains([]string{"expand", "all", "neq"}, name) {
					return nil, fmt.Errorf("%s cannot be together with cidr; remove it", name)
				}
			}
			c.p.spend(c.line, pieceRoom*len(pattern))
			return []Value{Placeholder{Pattern: pattern, Names: names, CIDR: true}}, nil
		}
	}
	network, err := networkOf(t.Pattern.literalText())
	return []Value{network}, err
}

// networkOf reads an address, which is a network of one, or a network.
func networkOf(s string) (CIDR, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return CIDR{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	network, err := netip.ParsePrefix(s)
	if err != nil {
		return CIDR{}, fmt.Errorf("%s is not a network; write one such as 10.0.0.0/8 or 2001:db8::/32", quoted(s))
	}
	if network.Masked() != network {
		return CIDR{}, fmt.Errorf("%s has bits outside its mask; write %s", s, network.Masked())
	}
	return CIDR{network}, nil
}

func compare(op Op) func(*chain, Value) ([]Value, error) {
	return func(_ *chain, v Value) ([]Value, error) {
		switch v := v.(type) {
		case Number:
			return []Value{Compare{op, v.N}}, nil
		case TimePart:
			v.Op = op
			return []Value{v}, nil
		case Text:
			if n, ok := parseNumber(v.Pattern.literalText()); ok && !v.Pattern.wild() {
				return []Value{Compare{op, n}}, nil
			}
		case Compare:
			return nil, errors.New("two comparisons of one value; write a second entry for the other")
		}
		return nil, fmt.Errorf("lt, lte, gt and gte need a number, not %s", nameOf(v))
	}
}

func timePart(part string) func(*chain, Value) ([]Value, error) {
	return func(_ *chain, v Value) ([]Value, error) {
		var t TimePart
		switch v := v.(type) {
		case Number:
			t = TimePart{part, Compare{Eq, v.N}}
		case Compare:
			t = TimePart{part, v}
		case Text:
			n, ok := parseNumber(v.Pattern.literalText())
			if !ok || v.Pattern.wild() {
				n = -1
			}
			t = TimePart{part, Compare{Eq, n}}
		default:
			return nil, fmt.Errorf("%s needs a whole number, not %s", part, nameOf(v))
		}
		if t.N < 0 || t.N != math.Trunc(t.N) {
			return nil, fmt.Errorf("%s needs a whole number, not %s", part, nameOf(v))
		}
		return []Value{t}, nil
	}
}

func fieldRef(c *chain, v Value) ([]Value, error) {
	t, ok := v.(Text)
	if !ok {
		return nil, fmt.Errorf("fieldref needs the name of a field, not %s; put it right behind the field: %s|fieldref", nameOf(v), c.field)
	}
	name := t.Pattern.literalText()
	switch {
	case t.Pattern.wild():
		return nil, fmt.Errorf("contains, startswith and endswith stand behind fieldref: %s|fieldref|contains", c.field)
	case name == "" || strings.ContainsAny(name, "*?"):
		return nil, fmt.Errorf("fieldref needs the name of one field, without wildcards, not %s", quoted(name))
	}
	selectors, name, err := parseSelectors(strings.ReplaceAll(name, " ", ""), c.p.major)
	if err != nil || len(selectors) > 0 {
		return nil, fmt.Errorf("fieldref names a field of the same record, or of the same member of an array, and not %s", quoted(t.Pattern.literalText()))
	}
	return []Value{FieldRef{Field: name, Cased: t.Cased}}, nil
}

// wordOf returns a number or boolean as the text it is written as.
func wordOf(v Value) (string, bool) {
	switch v := v.(type) {
	case Number:
		return v.Text, true
	case Bool:
		if v {
			return "true", true
		}
		return "false", true
	}
	return "", false
}

// nameOf names a value for a message.
func nameOf(v Value) string {
	switch v := v.(type) {
	case Text:
		return quoted(v.Pattern.String())
	case Number:
		return "the number " + quoted(v.Text)
	case Bool:
		return "true or false"
	case Null:
		return "null"
	case Regexp:
		return "a regular expression"
	case CIDR:
		return "a network"
	case Compare, TimePart:
		return "a comparison"
	case FieldRef:
		return "a reference to a field"
	}
	return "a placeholder"
}
