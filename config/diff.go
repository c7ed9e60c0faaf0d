// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Change is a setting that two configurations have differently. It holds no
// secret and may be logged.
type Change struct {
	// Path is the setting as the file spells it, with a source's name in place
	// of its number: "retention.raw_days", "source.contoso.poll".
	Path string
	// Old and New are the values as people write them; empty if a source is not
	// there, or has no such section.
	Old, New string
}

func (c Change) String() string {
	switch {
	case c.Old == "":
		return c.Path + ": " + c.New
	case c.New == "":
		return c.Path + ": " + c.Old + " is gone"
	}
	return c.Path + ": " + c.Old + " → " + c.New
}

// Section is the first word of the path.
func (c Change) Section() string {
	section, _, _ := strings.Cut(c.Path, ".")
	return section
}

// Changes lists the settings that differ, in the order of their paths.
func Changes(before, after *Config) []Change {
	old, now := before.flat(), after.flat()
	var out []Change
	for path, v := range now {
		switch was := old[path]; {
		case was.raw == v.raw:
		case was.shown == v.shown:
			out = append(out, Change{path, was.shown, v.shown + " with other arguments"})
		default:
			out = append(out, Change{path, was.shown, v.shown})
		}
	}
	for path, v := range old {
		if _, ok := now[path]; !ok {
			out = append(out, Change{path, v.shown, ""})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// value is that of a setting.
type value struct {
	raw   string // tells it from others
	shown string // for people
}

// flat is every setting by its path.
func (c *Config) flat() map[string]value {
	out := map[string]value{}
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("toml"); name != "source" {
			flatten(out, name, v.Field(i))
		}
	}
	for i := range c.Sources {
		flatten(out, "source."+c.Sources[i].Name, reflect.ValueOf(c.Sources[i]))
	}
	return out
}

func flatten(out map[string]value, path string, v reflect.Value) {
	for i := range v.NumField() {
		name := path + "." + v.Type().Field(i).Tag.Get("toml")
		switch f := v.Field(i); {
		case f.Kind() != reflect.Pointer:
			out[name] = value{fmt.Sprintf("%#v", f.Interface()), plain(f)}
		case !f.IsNil():
			flatten(out, name, f.Elem())
		}
	}
}

// plain writes a value for people.
func plain(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case fmt.Stringer:
		return x.String()
	case string:
		return fmt.Sprintf("%q", x)
	case []string:
		return fmt.Sprintf("[%s]", strings.Join(x, ", "))
	}
	return fmt.Sprint(v.Interface())
}

// String says where the secret is. Arguments of a command are left out, for
// somebody may have put a secret among them.
func (s Secret) String() string {
	rest, command := strings.CutPrefix(string(s), "command:")
	_, err := s.Reference()
	switch {
	case s == "":
		return "none"
	case err != nil:
		return "no reference"
	case !command:
		return string(s)
	}
	words := strings.Fields(rest)
	if strings.HasPrefix(rest, "[") {
		words = nil
		_ = json.Unmarshal([]byte(rest), &words) // Reference has read it
	}
	if len(words) > 1 {
		return "command:" + words[0] + " …"
	}
	return "command:" + words[0]
}
