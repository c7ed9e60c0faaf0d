// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// Summary is an incident in a line.
type Summary struct {
	ID       string    `json:"id"` // "i" and 32 hexadecimal digits
	Tenant   string    `json:"tenant"`
	Title    string    `json:"title"`
	Level    string    `json:"level"` // as alerts have it
	State    string    `json:"state"` // open, acknowledged, contained, closed
	Assignee string    `json:"assignee,omitempty"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
	Alerts   int       `json:"alert_count"`
	Tactics  []Tactic  `json:"tactics"` // in the order of the kill chain
	Who      []string  `json:"who"`     // whom and what most alerts are about, at most five
	// Reopened says that it was closed, and that something older than the closing came in later.
	Reopened bool `json:"reopened,omitempty"`
	// Arrived is how many of its alerts are about something missing that has come after all.
	Arrived int `json:"arrived_count,omitempty"`

	// Decided is the event id of the act that its state comes from; empty if nobody has decided.
	Decided string `json:"decided,omitempty"`

	set tactics
}

// States of an incident.
const (
	StateOpen         = "open"
	StateAcknowledged = "acknowledged"
	StateContained    = "contained"
	StateClosed       = "closed"
)

const summaryColumns = `id, tenant, title, level, state, assignee, first, last, alerts, tactics, reopened, arrived, who, decided`

// scan reads a summary that is between other columns.
func (s *Summary) scan(row interface{ Scan(...any) error }, before, after any) error {
	var level, first, last, set int64
	var who []byte
	err := row.Scan(before, &s.ID, &s.Tenant, &s.Title, &level, &s.State, &s.Assignee, &first, &last, &s.Alerts, &set, &s.Reopened, &s.Arrived, &who, &s.Decided, after)
	if err != nil {
		return err
	}
	s.Level, s.set = levels[min(max(0, int(level)), len(levels)-1)], tactics(set)
	s.First, s.Last, s.Tactics = time.Unix(0, first).UTC(), time.Unix(0, last).UTC(), s.set.list()
	return json.Unmarshal(who, &s.Who)
}

func same(a, b *Summary) bool {
	return a.ID == b.ID && a.Tenant == b.Tenant && a.Title == b.Title && a.Level == b.Level && a.State == b.State && a.Assignee == b.Assignee &&
		a.First.Equal(b.First) && a.Last.Equal(b.Last) && a.Alerts == b.Alerts && a.set == b.set && a.Reopened == b.Reopened && a.Arrived == b.Arrived && a.Decided == b.Decided && slices.Equal(a.Who, b.Who)
}

// manyTactics raise an incident's level: who has done so many kinds of things is no accident.
const manyTactics = 4

func plain(title string) string { return cut(strings.TrimRight(title, ". ")) }

func cmpID(afterA, afterB, beforeA, beforeB string) int {
	if (afterA == "") != (afterB == "") {
		return cmp.Compare(afterB, afterA)
	}
	return cmp.Or(cmp.Compare(afterA, afterB), cmp.Compare(beforeA, beforeB))
}
