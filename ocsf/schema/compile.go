// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The parts of the compiled schema (one JSON object, as ocsf-schema-compiler
// writes it) that are read here.
type (
	compiled struct {
		Version    string
		Categories struct {
			Attributes map[string]struct {
				UID     int
				Caption string
			}
		}
		Dictionary struct {
			Types struct {
				Attributes map[string]compiledType
			}
		}
		Classes, Objects map[string]compiledObject
	}
	compiledType struct {
		Type, Regex, Extension string
		Observable             int
		MaxLen                 int `json:"max_len"`
		Range                  []int64
	}
	compiledObject struct {
		Name, Caption, Category, Extension string
		UID, Observable                    int
		Profiles                           []string
		Constraints                        map[string][]string
		Attributes                         map[string]compiledAttr
	}
	compiledAttr struct {
		Type, Requirement, Sibling, Extension string
		ObjectType                            string `json:"object_type"`
		IsArray                               bool   `json:"is_array"`
		Observable                            int
		Profiles                              []string
		Enum                                  map[string]struct{ Caption string }
	}
)

// Compile turns the compiled schema into the text of schema.txt.
func Compile(compiledJSON []byte) ([]byte, error) {
	var c compiled
	if err := json.Unmarshal(compiledJSON, &c); err != nil {
		return nil, fmt.Errorf("not a compiled OCSF schema: %w", err)
	}
	if c.Version == "" || len(c.Classes) == 0 || len(c.Objects) == 0 {
		return nil, fmt.Errorf("not a compiled OCSF schema: it has no version, classes or objects")
	}
	w := writer{enums: map[string]int{}, defs: map[string][]string{}}
	w.head.WriteString("# Facts of the OCSF schema (https://schema.ocsf.io, Apache-2.0, see NOTICE). Made by `go generate`; see schema.go for the format.\n")
	w.line("version", c.Version)
	w.types(c.Dictionary.Types.Attributes)
	for _, name := range slices.Sorted(maps.Keys(c.Categories.Attributes)) {
		category := c.Categories.Attributes[name]
		w.line("category", strconv.Itoa(category.UID), name, category.Caption)
	}
	for _, class := range slices.SortedFunc(maps.Values(c.Classes), func(a, b compiledObject) int { return a.UID - b.UID }) {
		if class.Extension == "" {
			w.body("class", strconv.Itoa(class.UID), class.Name, class.Caption, class.Category,
				strings.Join(slices.DeleteFunc(class.Profiles, foreign), " "), constraints(class), w.attributes(class))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Objects)) {
		if o := c.Objects[name]; o.Extension == "" {
			w.body("object", name, decimal(o.Observable), constraints(o), w.attributes(o))
		}
	}
	return []byte(w.head.String() + w.tail.String()), nil
}

// foreign reports whether a profile or attribute name is an extension's.
func foreign(name string) bool { return strings.Contains(name, "/") }

// writer collects the enums and attributes that classes and objects share
// (head) before the classes and objects (tail).
type writer struct {
	head, tail strings.Builder
	enums      map[string]int
	defs       map[string][]string // attribute name → its lines without the key
}

func (w *writer) line(fields ...string) { w.head.WriteString(strings.Join(fields, "\t") + "\n") }
func (w *writer) body(fields ...string) { w.tail.WriteString(strings.Join(fields, "\t") + "\n") }

func decimal(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (w *writer) types(types map[string]compiledType) {
	for _, name := range slices.Sorted(maps.Keys(types)) {
		t, limits := types[name], ""
		if len(t.Range) == 2 {
			limits = fmt.Sprintf("%d..%d", t.Range[0], t.Range[1])
		}
		if t.Extension == "" {
			w.line("type", name, t.Type, decimal(t.Observable), decimal(t.MaxLen), limits, t.Regex)
		}
	}
}

// constraints leaves out attributes of extensions.
func constraints(o compiledObject) string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(o.Constraints)) {
		names := slices.DeleteFunc(slices.Clone(o.Constraints[kind]), func(name string) bool {
			first, _, _ := strings.Cut(name, ".")
			a, ok := o.Attributes[first]
			return !ok || a.Extension != ""
		})
		if len(names) > 0 {
			out = append(out, kind+"="+strings.Join(names, ","))
		}
	}
	return strings.Join(out, " ")
}

func (w *writer) attributes(o compiledObject) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(o.Attributes)) {
		a := o.Attributes[name]
		if a.Extension != "" || foreign(name) || slices.ContainsFunc(a.Profiles, foreign) {
			continue
		}
		key := w.def(name, a)
		switch a.Requirement {
		case "required":
			key += "!"
		case "optional":
			key += "?"
		}
		if len(a.Profiles) > 0 {
			key += "@" + a.Profiles[0]
		}
		out = append(out, key)
	}
	return strings.Join(out, " ")
}

// def returns the key under which the attribute is described, describing it if
// it is new.
func (w *writer) def(name string, a compiledAttr) string {
	typ := a.Type
	if a.IsArray {
		typ += "[]"
	}
	enum := ""
	if name != "class_uid" && name != "category_uid" && name != "type_uid" { // these follow from the class
		enum = w.enum(a)
	}
	line := strings.Join([]string{typ, a.ObjectType, enum, a.Sibling, decimal(a.Observable)}, "\t")
	n := slices.Index(w.defs[name], line) + 1
	if n == 0 {
		w.defs[name] = append(w.defs[name], line)
		n = len(w.defs[name])
		w.line("attr", defKey(name, n), line)
	}
	return defKey(name, n)
}

func defKey(name string, n int) string {
	if n == 1 {
		return name
	}
	return name + "#" + strconv.Itoa(n)
}

func (w *writer) enum(a compiledAttr) string {
	if len(a.Enum) == 0 {
		return ""
	}
	values := slices.SortedFunc(maps.Keys(a.Enum), func(x, y string) int {
		if len(x) != len(y) && a.Type != "string_t" {
			return len(x) - len(y) // numeric order
		}
		return strings.Compare(x, y)
	})
	var b strings.Builder
	for _, v := range values {
		b.WriteString("\t" + v + "=" + a.Enum[v].Caption)
	}
	n, ok := w.enums[b.String()]
	if !ok {
		n = len(w.enums) + 1
		w.enums[b.String()] = n
		w.line("enum", strconv.Itoa(n)+b.String())
	}
	return strconv.Itoa(n)
}
