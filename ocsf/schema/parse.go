// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"fmt"
	"strconv"
	"strings"
)

// reader turns schema.txt into a Schema. Objects refer to one another, so that
// each is made empty at its first mention and filled at its own line.
type reader struct {
	s          *Schema
	categories map[string]Category
	enums      map[string]*Enum
	defs       map[string]*Def
}

// Parse reads the text of a schema.txt.
func Parse(text string) (*Schema, error) {
	r := reader{
		s:          &Schema{Types: map[string]*Type{}, Objects: map[string]*Object{}},
		categories: map[string]Category{},
		enums:      map[string]*Enum{"": nil},
		defs:       map[string]*Def{},
	}
	fields := map[string]int{"version": 2, "type": 7, "category": 4, "enum": 0, "attr": 7, "class": 8, "object": 5}
	for n, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		want, known := fields[f[0]]
		if !known || want != 0 && len(f) != want {
			return nil, fmt.Errorf("line %d: not a %q line", n+1, f[0])
		}
		if err := r.line(f); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	for name, o := range r.s.Objects {
		if o.Attrs == nil {
			return nil, fmt.Errorf("object %s is mentioned and not described", name)
		}
	}
	return r.s, nil
}

func (r *reader) line(f []string) error {
	switch f[0] {
	case "version":
		r.s.Version = f[1]
	case "type":
		return r.typ(f[1:])
	case "category":
		uid, err := strconv.Atoi(f[1])
		c := Category{uid, f[2], f[3]}
		r.s.Categories, r.categories[f[2]] = append(r.s.Categories, c), c
		return err
	case "enum":
		return r.enum(f[1:])
	case "attr":
		return r.attr(f[1:])
	case "class":
		return r.class(f[1:])
	case "object":
		o := r.object(f[1])
		o.Observable = number(f[2])
		return r.fill(o, f[3], f[4])
	}
	return nil
}

// number reads a number that the generator wrote; empty is 0.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func (r *reader) typ(f []string) error {
	t := &Type{Name: f[0], Base: f[1], Observable: number(f[2]), MaxLen: number(f[3]), Regex: f[5]}
	if low, high, ok := strings.Cut(f[4], ".."); ok {
		t.Min, t.Max = int64(number(low)), int64(number(high))
	}
	r.s.Types[t.Name] = t
	return nil
}

func (r *reader) enum(f []string) error {
	e := &Enum{}
	for _, pair := range f[1:] {
		value, caption, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("enum value %q without a caption", pair)
		}
		n, _ := strconv.ParseInt(value, 10, 64)
		e.Values = append(e.Values, EnumValue{value, caption, n})
	}
	r.enums[f[0]] = e
	return nil
}

func (r *reader) attr(f []string) error {
	name, _, _ := strings.Cut(f[0], "#")
	typ, array := strings.CutSuffix(f[1], "[]")
	d := &Def{Name: name, Array: array, Type: r.s.Types[typ], Sibling: f[4], Observable: number(f[5])}
	enum, ok := r.enums[f[3]]
	if !ok {
		return fmt.Errorf("attribute %s of an enum %q that is not there", name, f[3])
	}
	d.Enum = enum
	switch {
	case f[2] != "":
		d.Object = r.object(f[2])
	case d.Type == nil:
		return fmt.Errorf("attribute %s of a type %q that is not there", name, typ)
	case d.Observable == 0:
		d.Observable = d.Type.Observable
	}
	r.defs[f[0]] = d
	return nil
}

func (r *reader) class(f []string) error {
	uid, err := strconv.Atoi(f[0])
	if err != nil {
		return err
	}
	c := &Class{Object: Object{Name: f[1]}, UID: uid, Caption: f[2], Category: r.categories[f[3]], Profiles: strings.Fields(f[4])}
	r.s.Classes = append(r.s.Classes, c)
	return r.fill(&c.Object, f[5], f[6])
}

func (r *reader) object(name string) *Object {
	o := r.s.Objects[name]
	if o == nil {
		o = &Object{Name: name}
		r.s.Objects[name] = o
	}
	return o
}

// fill reads constraints ("at_least_one=a,b just_one=c,d") and attributes.
func (r *reader) fill(o *Object, constraints, attrs string) error {
	for _, c := range strings.Fields(constraints) {
		kind, list, _ := strings.Cut(c, "=")
		switch kind {
		case "at_least_one":
			o.AtLeastOne = strings.Split(list, ",")
		case "just_one":
			o.JustOne = strings.Split(list, ",")
		default:
			return fmt.Errorf("%s: constraint %q is not known", o.Name, kind)
		}
	}
	o.Attrs = []Attr{}
	for _, key := range strings.Fields(attrs) {
		key, profile, _ := strings.Cut(key, "@")
		a := Attr{Requirement: Recommended, Profile: profile}
		if k, ok := strings.CutSuffix(key, "!"); ok {
			key, a.Requirement = k, Required
		} else if k, ok := strings.CutSuffix(key, "?"); ok {
			key, a.Requirement = k, Optional
		}
		if a.Def = r.defs[key]; a.Def == nil {
			return fmt.Errorf("%s: attribute %q is not there", o.Name, key)
		}
		o.Attrs = append(o.Attrs, a)
	}
	return nil
}
