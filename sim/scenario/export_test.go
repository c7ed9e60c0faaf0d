// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import "reflect"

// TestingOnlyTable is a table of the reference.
type TestingOnlyTable struct {
	Title string
	Rows  [][]string
}

// TestingOnlyKeys are the keys of a file and what they mean, table by table.
func TestingOnlyKeys() []TestingOnlyTable {
	var tables []TestingOnlyTable
	for _, of := range []struct {
		title string
		value any
	}{{"The file", file{}}, {"[people.NAME]", people{}}, {"[addresses.NAME]", addresses{}}, {"[[step]]", step{}}} {
		t := TestingOnlyTable{Title: of.title}
		for _, f := range reflect.VisibleFields(reflect.TypeOf(of.value)) {
			if key := f.Tag.Get("toml"); key != "" {
				t.Rows = append(t.Rows, []string{key, f.Tag.Get("doc")})
			}
		}
		tables = append(tables, t)
	}
	return tables
}

// TestingOnlyKind is a row of the table of kinds.
type TestingOnlyKind struct {
	Name, Does, Writes string
	Needs, May         []string
}

// TestingOnlyKinds are the kinds of steps.
func TestingOnlyKinds() []TestingOnlyKind {
	var list []TestingOnlyKind
	for _, k := range kinds {
		list = append(list, TestingOnlyKind{k.name, k.does, k.writes, k.needs, k.may})
	}
	return list
}

// TestingOnlyEveryStep are the keys that every step may have.
var TestingOnlyEveryStep = everyStep
