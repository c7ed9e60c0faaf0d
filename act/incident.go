// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Decisions is the stream of acts by which people handle incidents. It is apart from
// [Stream], so that who reads what collectors did never meets them.
const Decisions = "decisions"

// The kinds of decisions.
const (
	IncidentState  Kind = "incident-state"  // it is open, acknowledged, contained or closed now
	IncidentAssign Kind = "incident-assign" // somebody takes care of it, or nobody any more
	IncidentNote   Kind = "incident-note"   // somebody wrote something down
	IncidentSplit  Kind = "incident-split"  // some of its alerts are another matter
	IncidentMerge  Kind = "incident-merge"  // it and another are one matter
)

// Decision is what a person decided about an incident. What a kind does not need is
// left zero and is not written.
type Decision struct {
	ID       string    `json:"id"` // unique among acts
	Time     time.Time `json:"time"`
	Kind     Kind      `json:"kind"`
	Tenant   string    `json:"tenant,omitempty"`
	By       string    `json:"by"`
	Incident string    `json:"incident"`
	State    string    `json:"state,omitempty"`
	// Until is a closing's end of the matter: alerts that begin later are another one.
	Until    time.Time `json:"until,omitzero"`
	Assignee string    `json:"assignee,omitempty"`
	// With is the incident that it is merged with.
	With string `json:"with,omitempty"`
	// Alerts are those that are split off; of a state, those whose own states this
	// one stands for as well, because incidents have been merged since.
	Alerts  []string `json:"alerts,omitempty"`
	Message string   `json:"message,omitempty"` // a note
}

// MaxDecided is how many alerts one decision can name.
const MaxDecided = 10_000

// Check says why the decision cannot be written.
func (d *Decision) Check() error {
	for _, s := range [...]struct{ what, text string }{
		{"id", d.ID},
		{"kind", string(d.Kind)},
		{"tenant", d.Tenant},
		{"author", d.By},
		{"incident", d.Incident},
		{"state", d.State},
		{"assignee", d.Assignee},
		{"other incident", d.With},
	} {
		if err := checkText(s.what, s.text, MaxName); err != nil {
			return err
		}
	}
	if d.ID == "" || d.Kind == "" || d.Incident == "" {
		return errors.New("act: a decision has no id, no kind or no incident")
	}
	if err := checkText("message", d.Message, MaxMessage); err != nil {
		return err
	}
	if len(d.Alerts) > MaxDecided {
		return fmt.Errorf("act: it names %d alerts, more than %d", len(d.Alerts), MaxDecided)
	}
	for _, id := range d.Alerts {
		if err := checkText("alert", id, MaxName); err != nil {
			return err
		}
	}
	return checkTimes(d.Time, d.Until)
}

// Append appends the decision as one line of JSON.
func (d *Decision) Append(dst []byte) []byte {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and a time that Check has seen
	}
	return append(dst, text...)
}

// ParseDecision reads a decision. Members that it does not know are passed over.
func ParseDecision(raw []byte) (Decision, error) {
	if len(raw) > MaxSize {
		return Decision{}, fmt.Errorf("act: it has %d bytes, more than %d", len(raw), MaxSize)
	}
	var d Decision
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&d); err != nil {
		return Decision{}, fmt.Errorf("act: %w", err)
	}
	d.Time, d.Until = d.Time.UTC(), d.Until.UTC()
	if err := d.Check(); err != nil {
		return Decision{}, err
	}
	return d, nil
}
