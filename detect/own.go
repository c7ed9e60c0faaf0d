// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

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

// own is the pipeline that fills the placeholders of rules about Daybreak's own applications:
// %daybreak_applications%, their client ids; %daybreak_applications_anywhere%, those of them that may sign in from
// anywhere, because nobody has said from where they do; %daybreak_addresses%, where the others do. If one of the sources
// that share an application says from where, that holds for the application.
func own(list []Application) *sigma.Pipeline {
	placed := map[string]bool{}
	var applications, anywhere, addresses []string
	for _, a := range list {
		addresses = append(addresses, a.Addresses...)
		placed[a.ClientID] = placed[a.ClientID] || len(a.Addresses) > 0
	}
	for _, a := range list {
		applications = append(applications, a.ClientID)
		if !placed[a.ClientID] {
			anywhere = append(anywhere, a.ClientID)
		}
	}
	filled := func(list []string, none string) []string {
		if len(list) == 0 {
			return []string{none}
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	vars := map[string][]string{
		"daybreak_applications":          filled(applications, noApplication),
		"daybreak_applications_anywhere": filled(anywhere, noApplication),
		"daybreak_addresses":             filled(addresses, noAddress),
	}
	text, err := json.Marshal(map[string]any{
		"name": "Daybreak, its own applications", "priority": 10, "vars": vars,
		"transformations": []any{map[string]any{"type": "value_placeholders", "include": slices.Sorted(maps.Keys(vars))}},
	})
	if err != nil {
		panic("detect: texts that are no JSON: " + err.Error())
	}
	p, problems := sigma.ParsePipeline("own.yml", text)
	if len(problems) > 0 {
		panic(fmt.Sprintf("detect: the pipeline of our own applications: %v", problems[0]))
	}
	return p
}
