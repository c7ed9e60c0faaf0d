// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"fmt"
	"strings"

	"github.com/daybreak-sec/daybreak/lake"
)

// Case says how [Equal] compares the text of a column.
type Case uint8

const (
	// AnyCase compares both sides in lower case (strings.ToLower).
	AnyCase Case = iota
	// LowerCase is the rule of columns that are stored in lower case: only the
	// query's side is changed, so that indexes of exact values serve.
	LowerCase
	// Address is the rule of columns that hold addresses in canonical text;
	// the query's side is put into that form.
	Address
	// Identifier is the rule of opaque ids, which are different ids in another
	// case. Only a GUID is looked for in lower case as well, which is how
	// providers write it: people paste it from tools that do not.
	Identifier
)

// CaseOf returns the rule of a column; AnyCase for paths.
func CaseOf(column string) Case {
	switch column {
	case "user":
		return LowerCase
	case "ip":
		return Address
	case "user_uid", "session", "uid":
		return Identifier
	}
	return AnyCase
}

// Exact returns the stored texts that Equal text passes in a column, and false
// if the rule of the column does not bound them to a few.
func Exact(column, text string) ([]string, bool) {
	switch CaseOf(column) {
	case LowerCase:
		return []string{strings.ToLower(text)}, true
	case Address:
		return []string{text}, true
	case Identifier:
		if low := strings.ToLower(text); isGUID(text) && low != text {
			return []string{text, low}, true
		}
		return []string{text}, true
	}
	return nil, false
}

// TextColumns are the columns in which bare words and phrases are looked for.
// Identifiers, addresses and the vocabularies of Daybreak itself are left out.
var TextColumns = []string{"workload", "op", "user", "app", "device", "target", "object", "ua", "status", "text"}

// alwaysThere are the number columns in which zero is a value like any other.
func alwaysThere(column string) bool {
	return column == "time" || column == "batch" || column == "index"
}

// Person is the field that stands for all accounts of somebody, whom an address or an account names. It is no column: [Resolve]
// puts conditions on columns in its place, and an engine that meets it finds nothing.
const Person = "person"

// field is what a name in a query stands for.
type field struct {
	name string // of a column, or a path
	kind lake.Kind
	path bool
}

func lookup(name string) (field, error) {
	if strings.Contains(name, ".") {
		if strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
			return field{}, fmt.Errorf("%q is not a path into an event: want names with single dots between, like actor.session.issuer", name)
		}
		return field{name: name, kind: lake.String, path: true}, nil
	}
	low := strings.ToLower(name)
	if low == Person {
		return field{name: Person, kind: lake.String}, nil
	}
	if low == Own {
		return field{name: Own, kind: lake.Bool}, nil
	}
	known := []string{Person, Own}
	for _, c := range lake.Columns {
		if c.Name == low {
			return field{name: c.Name, kind: c.Kind}, nil
		}
		known = append(known, c.Name)
		for _, a := range c.Aliases {
			if a == low {
				return field{name: c.Name, kind: c.Kind}, nil
			}
			known = append(known, a)
		}
	}
	if near := nearest(low, known); near != "" {
		return field{}, fmt.Errorf("unknown field %q: did you mean %q?", name, near)
	}
	return field{}, fmt.Errorf("unknown field %q: a field is a column, such as user, op, ip or target, or a path with dots, such as actor.session.issuer; quote the text to search for it", name)
}

// enum is a column whose numbers have names.
type enum struct {
	column string
	names  []enumName // the first name of a number is the one that is printed
}

type enumName struct {
	name  string
	value int64
}

func enumOf(column string) *enum {
	for i := range enums {
		if enums[i].column == column {
			return &enums[i]
		}
	}
	return nil
}

func (e *enum) value(name string) (int64, bool) {
	low := strings.ToLower(name)
	for _, n := range e.names {
		if n.name == low {
			return n.value, true
		}
	}
	return 0, false
}

func (e *enum) name(value int64) string {
	for _, n := range e.names {
		if n.value == value {
			return n.name
		}
	}
	return ""
}

// enums are the names of OCSF 1.8.0 (schema.ocsf.io): status_id and severity_id
// of the base event; classes by their uid.
var enums = []enum{
	{"status_id", []enumName{
		{"unknown", 0},
		{"success", 1},
		{"succeeded", 1},
		{"failure", 2},
		{"failed", 2},
		{"other", 99},
	}},
	{"severity", []enumName{
		{"unknown", 0},
		{"informational", 1},
		{"info", 1},
		{"low", 2},
		{"medium", 3},
		{"high", 4},
		{"critical", 5},
		{"fatal", 6},
		{"other", 99},
	}},
	{"class", classNames},
}
