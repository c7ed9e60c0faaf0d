// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
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

const summaryColumns = `id, tenant, title, level, state, assignee, first, last, alerts, tactics, reopened, who, decided`

func summaryOf(row interface{ Scan(...any) error }) (s Summary, err error) {
	var level, first, last, set int64
	var who []byte
	err = row.Scan(&s.ID, &s.Tenant, &s.Title, &level, &s.State, &s.Assignee, &first, &last, &s.Alerts, &set, &s.Reopened, &who, &s.Decided)
	if err != nil {
		return s, err
	}
	s.Level, s.set = levels[min(max(0, int(level)), len(levels)-1)], tactics(set)
	s.First, s.Last, s.Tactics = time.Unix(0, first).UTC(), time.Unix(0, last).UTC(), s.set.list()
	return s, json.Unmarshal(who, &s.Who)
}

func same(a, b *Summary) bool {
	return a.ID == b.ID && a.Tenant == b.Tenant && a.Title == b.Title && a.Level == b.Level && a.State == b.State && a.Assignee == b.Assignee &&
		a.First.Equal(b.First) && a.Last.Equal(b.Last) && a.Alerts == b.Alerts && a.set == b.set && a.Reopened == b.Reopened && a.Decided == b.Decided && slices.Equal(a.Who, b.Who)
}

// manyTactics raise an incident's level: who has done so many kinds of things is no accident.
const manyTactics = 4

// summarize makes the summary of alerts that are an incident, in their order.
func (d *decisions) summarize(members []*row) Summary {
	first := members[0]
	s := Summary{ID: incidentOf(first.id), Tenant: first.tenant, First: time.Unix(0, first.first).UTC(), Alerts: len(members)}
	last, level := first.last, 0
	for _, r := range members {
		last, level = max(last, r.last), max(level, r.level)
		s.set |= r.tactics
	}
	if s.set.count() >= manyTactics && len(members) > 2 {
		level = min(level+1, len(levels)-1)
	}
	s.Last, s.Level, s.Tactics = time.Unix(0, last).UTC(), levels[level], s.set.list()
	s.Who = whoOfAll(members)
	s.Title = titleOf(members, s.Who)
	d.judge(&s, members)
	return s
}

// whoOfAll names whom and what most alerts are about.
func whoOfAll(members []*row) []string {
	count := map[string]int{}
	for _, r := range members {
		if r.who != "" {
			count[r.who]++
		}
	}
	names := slices.Sorted(maps.Keys(count))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	return append([]string{}, names[:min(len(names), 5)]...)
}

// titleOf says in plain words from what to what it came: the first alert, and of the gravest
// ones that which is furthest down the kill chain.
func titleOf(members []*row, who []string) string {
	from, to := members[0], members[0]
	for _, r := range members {
		if cmp.Or(cmp.Compare(r.level, to.level), cmp.Compare(r.tactics, to.tactics)) > 0 {
			to = r
		}
	}
	title := plain(to.title)
	if plain(from.title) != title && len(members) > 1 {
		title = fmt.Sprintf("From %q to %q", plain(from.title), title)
	}
	if len(who) > 0 {
		title += ": " + strings.Join(who[:min(len(who), 2)], ", ")
	}
	return title
}

func plain(title string) string { return cut(strings.TrimRight(title, ". ")) }

func cmpID(afterA, afterB, beforeA, beforeB string) int {
	if (afterA == "") != (afterB == "") {
		return cmp.Compare(afterB, afterA)
	}
	return cmp.Or(cmp.Compare(afterA, afterB), cmp.Compare(beforeA, beforeB))
}
