// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Change is a setting that two configurations have differently. It holds no
// secret and may be logged.
type Change struct {
	// Path is the setting as the file spells it, with a block's name in place
	// of its number: "retention.raw_days", "source.contoso.poll".
	Path string
	// Old and New are the values as people write them; empty if a block is not
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

// A Snapshot is every setting of a configuration by its path, for [Changes] to
// compare, now or after a restart. It holds no secret.
type Snapshot map[string]string

// Snapshot returns the settings.
func (c *Config) Snapshot() Snapshot {
	out := Snapshot{}
	v := reflect.ValueOf(*c)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("toml"); v.Field(i).Kind() == reflect.Struct {
			flatten(out, name, v.Field(i))
		}
	}
	for i := range c.Sources {
		flatten(out, "source."+c.Sources[i].Name, reflect.ValueOf(c.Sources[i]))
	}
	for i := range c.Receive {
		flatten(out, "receive."+c.Receive[i].Name, reflect.ValueOf(c.Receive[i]))
	}
	for i := range c.Notify {
		flatten(out, "notify."+c.Notify[i].Name, reflect.ValueOf(c.Notify[i]))
	}
	return out
}

// Changes lists the settings that differ, in the order of their paths.
func Changes(before, after Snapshot) []Change {
	var out []Change
	for path, now := range after {
		was, had := before[path]
		if had && was == now {
			continue
		}
		change := Change{path, shown(was), shown(now)}
		switch {
		case change.Old != change.New:
		case strings.HasPrefix(change.New, "command:"):
			change.New += " with other arguments"
		default:
			change.New += " with another path"
		}
		out = append(out, change)
	}
	for path, was := range before {
		if _, ok := after[path]; !ok {
			out = append(out, Change{path, shown(was), ""})
		}
	}
	slices.SortFunc(out, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return out
}

// What is shown of a command leaves its arguments out, and of an [Address] what follows
// the host; a digest of the whole follows this mark.
const digest = " \x00"

func shown(value string) string {
	text, _, _ := strings.Cut(value, digest)
	return text
}

func flatten(out Snapshot, path string, v reflect.Value) {
	for i := range v.NumField() {
		name := path + "." + v.Type().Field(i).Tag.Get("toml")
		switch f := v.Field(i); {
		case f.Kind() != reflect.Pointer:
			out[name] = plain(f)
		case !f.IsNil():
			flatten(out, name, f.Elem())
		}
	}
}

// plain writes a value for people.
func plain(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case Secret, Address:
		text := fmt.Sprint(x)
		if strings.HasSuffix(text, " …") {
			text += fmt.Sprintf("%s%x", digest, sha256.Sum256([]byte(v.String())))
		}
		return text
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
