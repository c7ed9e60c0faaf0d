// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package schema holds the facts of the OCSF 1.8.0 schema that Daybreak needs:
// classes, objects, attributes with their types and requirements, enum values
// and their captions. It has no descriptions, and nothing of the platform
// extensions (linux, win, macos).
//
// The facts are in schema.txt, which `go generate ./ocsf` makes with
// [Compile] from the compiled schema of the OCSF project (github.com/ocsf,
// ocsf-schema at tag 1.8.0 under ocsf-schema-compiler 0.9.2, both Apache-2.0).
// Its lines are tab-separated:
//
//	version   1.8.0
//	type      name base observable max_len range regex
//	category  uid name caption
//	enum      number value=caption …
//	attr      key type [object] enum sibling observable
//	class     uid name caption category profiles constraints attributes
//	object    name observable constraints attributes
//
// An attr's key is the attribute's name, with "#2", "#3" … where the schema
// gives one name several meanings; its type ends in "[]" for an array. Classes
// and objects list keys, each followed by "!" if required, "?" if optional,
// nothing if recommended, and by "@profile" if it is there by that profile only.
package schema

import (
	_ "embed"
	"sync"
)

// Schema is the whole of it. It must not be changed.
type Schema struct {
	Version    string
	Types      map[string]*Type
	Categories []Category
	Classes    []*Class // by uid
	Objects    map[string]*Object
}

// Type is a type of the dictionary: "string_t", "ip_t".
type Type struct {
	Name       string
	Base       string // the type it narrows; empty for the fundamental ones
	Observable int    // observable type id of values of this type; 0 none
	MaxLen     int    // characters; 0 unlimited
	Min, Max   int64  // range of a number, both 0 if unlimited
	Regex      string // of a string; empty if any
}

// Category groups classes.
type Category struct {
	UID           int
	Name, Caption string
}

// Class is an event class.
type Class struct {
	Object
	UID      int
	Caption  string
	Category Category
	Profiles []string
}

// Object is a structured value: "user", "network_endpoint".
type Object struct {
	Name       string
	Observable int // observable type id of the object as a whole; 0 none
	AtLeastOne []string
	JustOne    []string
	Attrs      []Attr // by name
}

// Requirement says how much the schema wants an attribute.
type Requirement uint8

// The requirements, in rising order.
const (
	Optional Requirement = iota
	Recommended
	Required
)

// Attr is an attribute as one class or object has it.
type Attr struct {
	*Def
	Requirement Requirement
	Profile     string // the profile that brings it; empty if it is always there
}

// Def is what classes and objects share of an attribute.
type Def struct {
	Name       string
	Type       *Type // nil for an object
	Object     *Object
	Array      bool
	Enum       *Enum  // nil if any value is allowed
	Sibling    string // attribute that carries the enum value's caption
	Observable int    // observable type id; the type's where the schema sets none
}

// Enum is the set of values an attribute may have.
type Enum struct {
	Values []EnumValue
}

// EnumValue is one value: a number in decimal, or a string.
type EnumValue struct {
	Value, Caption string
	Num            int64 // the value, if the attribute is a number
}

//go:embed schema.txt
var text string

// Load returns the schema, which is read once.
var Load = sync.OnceValue(func() *Schema {
	s, err := Parse(text)
	if err != nil {
		panic("the embedded OCSF schema: " + err.Error()) // a broken build, which the tests catch
	}
	return s
})

// Text returns schema.txt.
func Text() string { return text }

// Class returns the class of that uid, or nil.
func (s *Schema) Class(uid int) *Class {
	for _, c := range s.Classes {
		if c.UID == uid {
			return c
		}
	}
	return nil
}

// Attr returns the attribute of that name.
func (o *Object) Attr(name string) (Attr, bool) {
	for _, a := range o.Attrs {
		if a.Name == name {
			return a, true
		}
	}
	return Attr{}, false
}

// Caption returns the caption of a numeric enum value.
func (e *Enum) Caption(n int64) (string, bool) {
	if e == nil {
		return "", false
	}
	for _, v := range e.Values {
		if v.Num == n {
			return v.Caption, true
		}
	}
	return "", false
}

// IsNumber reports whether values of the type are whole numbers.
func (t *Type) IsNumber() bool {
	return t.Name == "integer_t" || t.Name == "long_t" || t.Base == "integer_t" || t.Base == "long_t"
}

// IsString reports whether values of the type are strings.
func (t *Type) IsString() bool { return t.Name == "string_t" || t.Base == "string_t" }
