// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// Application is a registration in a Microsoft tenant that Daybreak itself signs in as. Its credential is with Daybreak
// alone, so that rules can tell our own traffic from that of somebody who has stolen it.
type Application struct {
	ClientID string
	// Addresses are where Daybreak signs in from, as the vendor sees it: addresses and networks as the modifier cidr
	// takes them. None: nobody has said.
	Addresses []string
}

// The values of a placeholder that nothing is known for. A list cannot be empty; these are in no record: the nil UUID
// (RFC 9562, section 5.9), and the unspecified address, which no packet comes from (RFC 4291, section 2.5.2).
const (
	noApplication = "00000000-0000-0000-0000-000000000000"
	noAddress     = "::/128"
)

// The placeholders of Daybreak's own applications.
const (
	ownApplications = "daybreak_applications"
	ownAnywhere     = "daybreak_applications_anywhere"
	ownAddresses    = "daybreak_addresses"
)

// own is the pipeline that fills the placeholders of rules about Daybreak's own applications:
// %daybreak_applications%, their client ids; %daybreak_applications_anywhere%, those of them that may sign in from
// anywhere, because nobody has said from where they do; %daybreak_addresses%, where the others do, of which it returns the
// number: see [paired]. If one of the sources that share an application says from where, that holds for the application.
func own(list []Application) (p *sigma.Pipeline, placed int) {
	of := map[string][]string{}
	for _, a := range list {
		of[a.ClientID] = append(of[a.ClientID], a.Addresses...)
	}
	var anywhere, addresses []string
	vars := map[string][]string{}
	for _, id := range slices.Sorted(maps.Keys(of)) {
		if len(of[id]) == 0 {
			anywhere = append(anywhere, id)
			continue
		}
		addresses = append(addresses, of[id]...)
		vars[numbered(ownApplications, placed)], vars[numbered(ownAddresses, placed)] = []string{id}, of[id]
		placed++
	}
	filled := func(list []string, none string) []string {
		if len(list) == 0 {
			return []string{none}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	vars[ownApplications] = filled(slices.Collect(maps.Keys(of)), noApplication)
	vars[ownAnywhere] = filled(anywhere, noApplication)
	vars[ownAddresses] = filled(addresses, noAddress)
	text, err := json.Marshal(map[string]any{
		"name": "Daybreak, its own applications", "priority": 10, "vars": vars,
		"transformations": []any{map[string]any{"type": "value_placeholders", "include": slices.Sorted(maps.Keys(vars))}},
	})
	if err != nil {
		panic("detect: texts that are no JSON: " + err.Error())
	}
	var problems []sigma.Problem
	p, problems = sigma.ParsePipeline("own.yml", text)
	if len(problems) > 0 {
		panic(fmt.Sprintf("detect: the pipeline of our own applications: %v", problems[0]))
	}
	return p, placed
}

// numbered is the placeholder for one of the applications that have addresses, or for its addresses.
func numbered(name string, i int) string { return name + "_" + strconv.Itoa(i) }

// paired returns the rule with what its searches say of an application of ours and of our addresses at once said of each application
// and its own addresses: an application that is used from where another one belongs is not where it belongs. placed is how many have
// addresses; if none has, nothing is to be paired.
func paired(r *sigma.Rule, placed int) *sigma.Rule {
	if placed == 0 {
		return r
	}
	c := *r
	c.Conditions = slices.Clone(r.Conditions)
	for i := range c.Conditions {
		c.Conditions[i].Expr = pair(c.Conditions[i].Expr, placed)
	}
	return &c
}

func pair(x sigma.Expr, placed int) sigma.Expr {
	all := func(list []sigma.Expr) []sigma.Expr {
		out := make([]sigma.Expr, len(list))
		for i, y := range list {
			out[i] = pair(y, placed)
		}
		return out
	}
	switch x := x.(type) {
	case *sigma.Or:
		return &sigma.Or{X: all(x.X)}
	case *sigma.Not:
		return &sigma.Not{X: pair(x.X, placed)}
	case *sigma.Search:
		return &sigma.Search{Name: x.Name, X: pair(x.X, placed)}
	case *sigma.Array:
		c := *x
		c.X = pair(x.X, placed)
		return &c
	case *sigma.And:
		list := all(x.X)
		if !slices.ContainsFunc(list, isApplication) || !slices.ContainsFunc(list, isAddress) {
			return &sigma.And{X: list}
		}
		each := make([]sigma.Expr, placed)
		for i := range each {
			of := slices.Clone(list)
			for j := range of {
				if isApplication(of[j]) || isAddress(of[j]) {
					of[j] = numberedItem(of[j].(*sigma.Item), i)
				}
			}
			each[i] = &sigma.And{X: of}
		}
		return &sigma.Or{X: each}
	}
	return x
}

// isApplication reports whether an item is that a field is one of our applications.
func isApplication(x sigma.Expr) bool {
	item, ok := x.(*sigma.Item)
	return ok && !item.Negate && slices.ContainsFunc(item.Values, func(v sigma.Value) bool { return stands(v, ownApplications) })
}

// isAddress reports whether an item is about our addresses: that a field is one of them, or is not.
func isAddress(x sigma.Expr) bool {
	item, ok := x.(*sigma.Item)
	return ok && slices.ContainsFunc(item.Values, func(v sigma.Value) bool { return stands(v, ownAddresses) })
}

// stands reports whether a value has a placeholder.
func stands(v sigma.Value, name string) bool {
	p, ok := v.(sigma.Placeholder)
	return ok && slices.Contains(slices.Collect(maps.Values(p.Names)), name)
}

// numberedItem is an item with the placeholders of one application.
func numberedItem(item *sigma.Item, i int) *sigma.Item {
	c := *item
	c.Values = slices.Clone(item.Values)
	for j, v := range c.Values {
		p, ok := v.(sigma.Placeholder)
		if !ok {
			continue
		}
		p.Names = maps.Clone(p.Names)
		for at, name := range p.Names {
			if name == ownApplications || name == ownAddresses {
				p.Names[at] = numbered(name, i)
			}
		}
		c.Values[j] = p
	}
	return &c
}
