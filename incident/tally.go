// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/event"
)

// tally is what of its alerts an incident's summary is made of. Tallies of different alerts can
// be added up.
type tally struct {
	Tenant  string   `json:"tenant"` // of the first alert
	Alerts  int      `json:"alerts"`
	Begin   moment   `json:"begin"` // the first alert
	Worst   moment   `json:"worst"` // of the gravest that which is furthest down the kill chain
	Last    int64    `json:"last"`
	Level   int      `json:"level"`
	Tactics tactics  `json:"tactics"`
	Born    event.ID `json:"born"` // the latest of all records
	Who     []often  `json:"who"`  // whom and what most alerts are about, at most five
	Arrived int      `json:"arrived,omitempty"`
	// What people have decided about: whether anything, whether to split it, and until when it
	// reaches if it is closed.
	Decided bool  `json:"decided,omitempty"`
	Split   bool  `json:"split,omitempty"`
	Closed  int64 `json:"closed,omitempty"` // never, if it is open
}

// never is when an open incident ends.
const never = math.MaxInt64

// moment is what a title needs of an alert.
type moment struct {
	Time    int64   `json:"time"`
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Level   int     `json:"level"`
	Tactics tactics `json:"tactics"`
}

func (m *moment) before(o *moment) bool {
	return cmp.Or(cmp.Compare(m.Time, o.Time), cmp.Compare(m.ID, o.ID)) < 0
}

// worse orders alerts by level and tactics; of equals the first is the worse.
func (m *moment) worse(o *moment) bool {
	c := cmp.Or(cmp.Compare(m.Level, o.Level), cmp.Compare(m.Tactics, o.Tactics))
	return c > 0 || c == 0 && m.before(o)
}

// often is how many alerts are about somebody.
type often struct {
	Who string `json:"who"`
	N   int    `json:"n"`
}

func (t *tally) empty() bool { return t.Alerts == 0 }

// tallyOf is the tally of one alert; Who is counted elsewhere.
func tallyOf(r *row) tally {
	m := moment{r.first, r.id, r.title, r.level, r.tactics}
	t := tally{Tenant: r.tenant, Alerts: 1, Begin: m, Worst: m, Last: r.last, Level: r.level, Tactics: r.tactics, Born: r.born, Closed: never}
	if r.arrived {
		t.Arrived = 1
	}
	return t
}

// add adds the alerts of another tally; Who is counted elsewhere.
func (t *tally) add(o *tally) {
	if t.empty() {
		who := t.Who
		*t = *o
		t.Who = who
		return
	}
	t.Alerts, t.Arrived = t.Alerts+o.Alerts, t.Arrived+o.Arrived
	if o.Begin.before(&t.Begin) {
		t.Begin, t.Tenant = o.Begin, o.Tenant
	}
	if o.Worst.worse(&t.Worst) {
		t.Worst = o.Worst
	}
	t.Last, t.Level, t.Tactics = max(t.Last, o.Last), max(t.Level, o.Level), t.Tactics|o.Tactics
	if t.Born.Less(o.Born) {
		t.Born = o.Born
	}
	t.Decided, t.Split, t.Closed = t.Decided || o.Decided, t.Split || o.Split, min(t.Closed, o.Closed)
}

// top keeps the five that are named most often, of the former five and of those whose number
// has changed.
func (t *tally) top(changed []often) {
	list := changed
	for _, o := range t.Who {
		if !slices.ContainsFunc(changed, func(c often) bool { return c.Who == o.Who }) {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b often) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Who, b.Who)) })
	t.Who = slices.Clone(list[:min(len(list), 5)])
}

// group is an incident as it is kept: its number in the database, what it is made of, and what
// is told of it.
type group struct {
	num     int64
	written bool // the database has some of its alerts
	tally   tally
	Summary
}

// summarize makes the summary of the tally. What people have decided stays: what all has come of is closed where nobody has said how it
// stands, or takes care of it.
func (g *group) summarize() {
	t := &g.tally
	s := &g.Summary
	s.ID, s.Tenant, s.Alerts = incidentOf(t.Begin.ID), t.Tenant, t.Alerts
	s.First, s.Last = time.Unix(0, t.Begin.Time).UTC(), time.Unix(0, t.Last).UTC()
	level := t.Level
	if t.Tactics.count() >= manyTactics && t.Alerts > 2 {
		level = min(level+1, len(levels)-1)
	}
	s.Level, s.set, s.Tactics = levels[level], t.Tactics, t.Tactics.list()
	s.Who = make([]string, len(t.Who))
	for i := range t.Who {
		s.Who[i] = t.Who[i].Who
	}
	s.Title = t.title(s.Who)
	if s.Arrived = t.Arrived; s.Arrived == s.Alerts && s.State == StateOpen && s.Decided == "" && s.Assignee == "" {
		s.State = StateClosed
	}
}

// title says in plain words from what to what it came: the first alert, and the worst.
func (t *tally) title(who []string) string {
	title := plain(t.Worst.Title)
	if from := plain(t.Begin.Title); from != title {
		title = fmt.Sprintf("From %q to %q", from, title)
	}
	if len(who) > 0 {
		title += ": " + strings.Join(who[:min(len(who), 2)], ", ")
	}
	return title
}

const groupColumns = `num, ` + summaryColumns + `, tally`

func groupOf(row interface{ Scan(...any) error }) (*group, error) {
	g := &group{written: true}
	var body []byte
	err := g.Summary.scan(row, &g.num, &body)
	if err == nil {
		err = json.Unmarshal(body, &g.tally)
	}
	return g, err
}
