// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"database/sql"
	"fmt"
	"slices"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
)

// decided is a decision with its place in the journal. Its alerts are those that stand.
type decided struct {
	act.Decision
	place  event.ID
	anchor string
	with   string
	alerts []string
}

// decisions are all that people have decided, in the order of the journal.
type decisions struct {
	list   []decided
	rules  rules
	about  map[string]bool     // alerts that they name
	merged map[string][]string // alerts whose incidents were merged
}

// decisions returns them as the last transaction knew them, if none was taken in since and no
// alert was replaced.
func (l *ledger) decisions() (_ *decisions, err error) {
	if l.cache.decided == nil {
		l.cache.decided, err = l.readDecisions()
	}
	return l.cache.decided, err
}

// readDecisions reads them, and follows alerts that were replaced to those that stand now.
func (l *statements) readDecisions() (*decisions, error) {
	d := &decisions{about: map[string]bool{}, merged: map[string][]string{}, rules: rules{closed: map[string]int64{}}}
	err := l.each(`SELECT batch, place, body FROM incident_decision ORDER BY batch, place`, nil, func(rows *sql.Rows) error {
		one, err := scanDecision(rows)
		d.list = append(d.list, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range d.list {
		one := &d.list[i]
		ids := append([]string{anchorOf(one.Incident), anchorOf(one.With)}, one.Alerts...)
		for j, id := range ids {
			if ids[j], err = l.standing(id); err != nil {
				return nil, err
			}
			d.about[ids[j]] = true
		}
		one.anchor, one.with, one.alerts = ids[0], ids[1], ids[2:]
		d.apply(one)
	}
	return d, nil
}

func scanDecision(rows *sql.Rows) (decided, error) {
	var batch, place int64
	var body []byte
	if err := rows.Scan(&batch, &place, &body); err != nil {
		return decided{}, err
	}
	one, err := act.ParseDecision(body)
	return decided{Decision: one, place: placeOf(batch, place)}, err
}

// apply makes rules for joining of a decision.
func (d *decisions) apply(one *decided) {
	switch one.Kind {
	case act.IncidentState:
		for _, id := range append([]string{one.anchor}, one.alerts...) {
			delete(d.rules.closed, id)
		}
		if one.State == StateClosed {
			until := one.Until
			if until.IsZero() {
				until = one.Time
			}
			d.rules.closed[one.anchor] = until.UnixNano()
		}
	case act.IncidentSplit:
		moved := map[string]bool{}
		for _, id := range one.alerts {
			moved[id] = true
		}
		d.rules.splits = append(d.rules.splits, split{one.anchor, moved})
	case act.IncidentMerge:
		// It takes back what had split these two, and what was closed is open again.
		kept := d.rules.splits[:0]
		for _, s := range d.rules.splits {
			if s.anchor == one.anchor && s.moved[one.with] || s.anchor == one.with && s.moved[one.anchor] {
				continue
			}
			kept = append(kept, s)
		}
		d.rules.splits = kept
		delete(d.rules.closed, one.anchor)
		delete(d.rules.closed, one.with)
		d.rules.merges = append(d.rules.merges, [2]string{one.anchor, one.with})
		d.merged[one.anchor] = append(d.merged[one.anchor], one.with)
		d.merged[one.with] = append(d.merged[one.with], one.anchor)
	}
}

// judge says what people have decided about an incident whose latest record came at born.
func (d *decisions) judge(s *Summary, list []*decided, born event.ID) {
	s.State, s.Assignee, s.Decided, s.Reopened = StateOpen, "", "", false
	var closing *decided
	for _, one := range list {
		switch one.Kind {
		case act.IncidentState:
			s.State, s.Decided, closing = one.State, one.place.String(), nil
			if one.State == StateClosed {
				closing = one
			}
		case act.IncidentMerge:
			if s.State == StateClosed {
				s.State, s.Decided, closing = StateOpen, one.place.String(), nil
			}
		case act.IncidentAssign:
			s.Assignee = one.Assignee
		}
	}
	// What began before the closing, and has come into the journal after it, nobody has
	// looked at. What began later is another incident.
	if closing != nil && closing.place.Less(born) {
		s.State, s.Reopened = StateOpen, true
	}
}

// splits reports whether a split names an alert.
func (d *decisions) splits(id string) bool {
	return slices.ContainsFunc(d.rules.splits, func(s split) bool { return s.anchor == id || s.moved[id] })
}

// of returns the decisions about an incident, of which the alerts that decisions name are given.
func (d *decisions) of(in map[string]bool) []*decided {
	if len(in) == 0 {
		return nil
	}
	var list []*decided
	for i := range d.list {
		if one := &d.list[i]; in[one.anchor] || in[one.with] || one.Kind == act.IncidentSplit && slices.ContainsFunc(one.alerts, func(id string) bool { return in[id] }) {
			list = append(list, one)
		}
	}
	return list
}

// decide takes a decision in.
func (l *ledger) decide(d *act.Decision, place event.ID) error {
	anchor := anchorOf(d.Incident)
	if checkID(anchor) != nil {
		return nil // of no incident of ours
	}
	l.cache.decided = nil
	err := l.exec(`INSERT INTO incident_decision (act, batch, place, anchor, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (act) DO NOTHING`,
		d.ID, int64(place.Batch), int64(place.Index), anchor, d.Append(nil))
	if err != nil {
		return fmt.Errorf("decision %s: %w", place, err)
	}
	for _, id := range append([]string{anchor, anchorOf(d.With)}, d.Alerts...) {
		id, err := l.standing(id)
		if err != nil {
			return err
		}
		err = l.each(`SELECT incident FROM incident_alert WHERE id = $1`, []any{id}, func(rows *sql.Rows) error {
			var incident int64
			err := rows.Scan(&incident)
			l.touch(incident)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
