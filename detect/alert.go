// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect judges every record that the journal seals, with thousands of rules, and
// explains itself.
package detect

import (
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// Alert is what a rule has found. It is derived from the journal: the same records give the
// same alerts, with the same ids, in whatever order they came.
type Alert struct {
	ID       string   `json:"id"` // "a" and 32 hexadecimal digits
	Replaces []string `json:"replaces,omitempty"`
	// Revision is the log index of the batch whose records made it so; of two revisions of an
	// alert the later one stands.
	Revision int    `json:"revision"`
	Tenant   string `json:"tenant"`

	Rule        string   `json:"rule_id"`
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Level       string   `json:"level"` // informational, low, medium, high, critical
	Tags        []string `json:"tags,omitempty"`
	Footholds   []string `json:"footholds,omitempty"` // kinds of foothold that it may mean: F01 to F36
	Kind        string   `json:"kind"`                // single, correlation, behavior

	First time.Time       `json:"first"`
	Last  time.Time       `json:"last"`
	Found time.Time       `json:"found"`
	Count int             `json:"count"` // of the records that took part
	Refs  []correlate.Ref `json:"-"`     // the first of them
	// Completed is the record that completed a correlation.
	Completed correlate.Ref `json:"-"`

	Group    []correlate.GroupValue `json:"group,omitempty"`
	Why      []Reason               `json:"why,omitempty"`
	Sentence string                 `json:"sentence"`
	Entities []Entity               `json:"entities,omitempty"`
	// Findings are the ids of what the alert's records tell to be missing (act.Orphan), each once.
	Findings []string `json:"findings,omitempty"`
	// Suppressed counts equal alerts that were not told of, because of the rule's suppression.
	Suppressed int `json:"suppressed,omitempty"`
}

// Reason is one comparison that held.
type Reason struct {
	Search    string `json:"search,omitempty"`
	Field     string `json:"field"`
	Value     string `json:"value"`
	Condition string `json:"condition"` // as the rule has it: "contains|all: 'x'"
}

// Entity is somebody or something that an alert is about; incidents are made of alerts that
// share some.
type Entity struct {
	// Type is user, session, token, ip, app, device, mailbox, file, group, role, domain or
	// tenant. Role says what it did: actor, target, source.
	Type string `json:"type"`
	Role string `json:"role"`
	ID   string `json:"id"` // lower case
	Name string `json:"name,omitempty"`
}
