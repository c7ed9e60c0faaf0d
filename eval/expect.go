// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// facts are what a document says of an event, as far as it is compared. A fact
// that is empty is not stated. Several values are several names of one thing.
type facts struct {
	time    time.Time
	actor   []string
	address []string
	action  []string
	outcome string // success or failure
	// noOutcome is set of findings, which have none in OCSF: their status_id
	// says how far they have been looked into.
	noOutcome bool
	object    []string
}

// ecs reads the facts out of a document in the Elastic Common Schema
// (https://www.elastic.co/docs/reference/ecs), in which Elastic's and Sekoia's
// normalized documents are. Both write the members nested.
func ecs(doc map[string]any) facts {
	var f facts
	if s := texts(doc, "@timestamp"); len(s) > 0 {
		f.time, _ = time.Parse(time.RFC3339Nano, s[0])
	}
	f.actor = texts(doc, "user.name", "user.email", "user.id", "user.full_name")
	if name, domain := texts(doc, "user.name"), texts(doc, "user.domain"); len(name) > 0 && len(domain) > 0 {
		f.actor = append(f.actor, name[0]+"@"+domain[0], domain[0]+`\`+name[0])
	}
	f.address = addresses(texts(doc, "source.ip", "client.ip"))
	for _, action := range texts(doc, "event.action") {
		f.action = append(f.action, strings.TrimSuffix(action, "."))
	}
	if s := texts(doc, "event.outcome"); len(s) > 0 && (s[0] == "success" || s[0] == "failure") {
		f.outcome = s[0]
	}
	f.object = texts(doc, "file.name", "user.target.name", "user.target.email", "user.target.id", "user.target.group.name", "group.name", "rule.name")
	for _, owner := range [...]string{"user.target", "group"} {
		if name, domain := texts(doc, owner+".name"), texts(doc, owner+".domain"); len(name) > 0 && len(domain) > 0 {
			f.object = append(f.object, name[0]+"@"+domain[0])
		}
	}
	return f
}

// texts returns the values at the paths that say something.
func texts(doc map[string]any, paths ...string) []string {
	var out []string
	for _, path := range paths {
		out = appendTexts(out, at(doc, path))
	}
	return out
}

func at(doc map[string]any, path string) any {
	var v any = doc
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// appendTexts leaves out words that say that there is no value.
func appendTexts(out []string, v any) []string {
	switch v := v.(type) {
	case string:
		if s := strings.TrimSpace(v); s != "" && !slices.Contains([]string{"not available", "unknown", "null", "-"}, strings.ToLower(s)) {
			out = append(out, s)
		}
	case json.Number:
		out = append(out, v.String())
	case float64, bool:
		out = append(out, fmt.Sprint(v))
	case []any:
		for _, e := range v {
			out = appendTexts(out, e)
		}
	}
	return out
}

// addresses brings addresses into one form; what is none is left out.
func addresses(texts []string) []string {
	var out []string
	for _, s := range texts {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, a.Unmap().WithZone("").String())
		}
	}
	return out
}
