// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/detect/source"
)

func fieldsOf(t *testing.T, record string) map[string]bool {
	t.Helper()
	set := map[string]bool{}
	source.Fields(parse(t, record), set)
	return set
}

func TestFields(t *testing.T) {
	tests := []struct{ name, record, want string }{
		{"members", `{"a":{"b":1,"c d":null}}`, "a a.b a.cd"},
		{"arrays are transparent", `{"a":[{"b":1},[{"c":2}],3]}`, "a a.b a.c"},
		{
			"named members", `{"Parameters":[{"Name":"Forward To","Value":"x"}]}`,
			"Parameters Parameters.ForwardTo Parameters.ForwardTo.Name Parameters.ForwardTo.Value Parameters.Name Parameters.Value",
		},
		{"names with dots", `{"p":[{"displayName":"a.b","newValue":1}]}`, "p p.a.b p.a.b.displayName p.a.b.newValue p.displayName p.newValue"},
		{"no object", `[1,"a"]`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := strings.Join(slices.Sorted(maps.Keys(fieldsOf(t, test.record))), " ")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestFieldsAreLimited(t *testing.T) {
	long := strings.Repeat("x", 600)
	set := fieldsOf(t, `{"`+long+`":{"a":1},"b":2}`)
	if len(set) != 1 || !set["b"] {
		t.Errorf("a name of 600 bytes was kept: %v", set)
	}
	// Names in names: 2^100 paths, and as many ways to few paths, were they all followed.
	for _, name := range []string{"n", "v"} {
		record := "1"
		for range 100 {
			record = `[{"name":"` + name + `","v":` + record + `}]`
		}
		if n := len(fieldsOf(t, `{"a":`+record+`}`)); n == 0 || n > 1<<14 {
			t.Errorf("%d fields", n)
		}
	}
}

func TestCanMatch(t *testing.T) {
	orders := sigma.LogSource{Product: "shop", Service: "orders"}
	shapes := []source.Shape{
		{Sources: []sigma.LogSource{{Product: "shop", Service: "stock"}}, Fields: map[string]bool{"z": true}},
		{Sources: []sigma.LogSource{{Product: "bank"}, orders}, Fields: map[string]bool{"a": true, "b": true}},
		{Sources: []sigma.LogSource{orders}, Fields: map[string]bool{"c": true}},
	}
	tests := []struct {
		name, logsource, detection string
		want                       bool
		missing                    []string
	}{
		{"field", "service: orders, product: shop", "s: {a: 1}\ncondition: s", true, nil},
		{"no such field", "service: orders, product: shop", "s: {x: 1}\ncondition: s", false, []string{"x"}},
		{"field of another log source", "service: orders, product: shop", "s: {z: 1}\ncondition: s", false, []string{"z"}},
		{"any service", "product: shop", "s: {z: 1}\ncondition: s", true, nil},
		{"no records", "product: post", "s: {a: 1}\ncondition: s", false, nil},
		{"in one record", "service: orders, product: shop", "s: {a: 1, b: 2}\ncondition: s", true, nil},
		{"never in one record", "service: orders, product: shop", "s: {a: 1, b: 1, c: 2}\ncondition: s", false, []string{"c"}},
		{"one of two", "service: orders, product: shop", "s: {x: 1}\nt: {a: 1}\ncondition: s or t", true, nil},
		{"neither", "service: orders, product: shop", "s: {x: 1}\nt: {y: 1}\ncondition: s or t", false, []string{"x", "y"}},
		{"not of what is never there", "service: orders, product: shop", "s: {a: 1}\nt: {x: 1}\ncondition: s and not t", true, nil},
		{"absent", "service: orders, product: shop", "s: {x: null}\ncondition: s", true, nil},
		{"not absent", "service: orders, product: shop", "s: {x: null}\ncondition: not s", false, []string{"x"}},
		{"not there", "service: orders, product: shop", "s: {x|exists: false}\ncondition: s", true, nil},
		{"there", "service: orders, product: shop", "s: {x|exists: true}\ncondition: s", false, []string{"x"}},
		{"not equal", "service: orders, product: shop", "s: {x|neq: 1}\ncondition: s", true, nil},
		{"not both", "service: orders, product: shop", "s: {x: null, y: null}\ncondition: not s", false, []string{"x", "y"}},
		{"keyword", "service: orders, product: shop", "s: [alarm]\ncondition: s", true, nil},
		{"of the OCSF event", "service: orders, product: shop", "s: {ocsf.actor.user.uid: 1}\ncondition: s", true, nil},
		{"a member of an array", "service: orders, product: shop", "s: {'a[any]': {x: 1}}\ncondition: s", true, nil},
		{"a member of no array", "service: orders, product: shop", "s: {'x[any]': {a: 1}}\ncondition: s", false, []string{"x"}},
		{"none of no array", "service: orders, product: shop", "s: {'x[none]': {a: 1}}\ncondition: s", true, nil},
		{"the first of no array", "service: orders, product: shop", "s: {'x[0]': {a: null}}\ncondition: s", true, nil},
		{"one of the conditions", "service: orders, product: shop", "s: {x: 1}\nt: {a: 1}\ncondition: [s, t]", true, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ok, missing := source.CanMatch(mapped(t, test.logsource, test.detection), shapes)
			if ok != test.want || !slices.Equal(missing, test.missing) {
				t.Errorf("got %v for want of %v; want %v, %v", ok, missing, test.want, test.missing)
			}
		})
	}
}
