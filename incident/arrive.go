// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
)

// Arrival is that what a finding told to be missing has come after all.
type Arrival struct {
	Finding  string    `json:"finding"`
	Time     time.Time `json:"time"`     // when it came
	Happened time.Time `json:"happened"` // when what came had happened
	Channel  string    `json:"channel"`  // the stream that it came through
	Record   string    `json:"record"`   // event id of what came, of the last if it was several
	Act      string    `json:"act"`      // event id of the record that says so, which prove takes
}

// arrivalOf is what a record of a stream that isOurs takes tells to have come after all; its Finding is empty if it tells of nothing.
func arrivalOf(stream string, raw []byte) (Arrival, error) {
	if stream == act.Findings {
		o, err := act.ParseOrphan(raw)
		return Arrival{Finding: o.Finding, Time: o.Time, Happened: o.Happened, Channel: o.Channel, Record: o.Record}, err
	}
	if !bytes.Contains(raw, lateMember) {
		return Arrival{}, nil // a collector's act, of which there are many
	}
	a, err := act.Parse(raw)
	if err != nil || a.Reason != act.Arrived {
		return Arrival{}, err
	}
	return Arrival{Finding: a.Finding(), Time: a.At.Add(time.Duration(a.Seconds * float64(time.Second))), Happened: a.At, Channel: a.Stream, Record: a.Event}, nil
}

// lateMember is as act.Append writes it.
var lateMember = []byte(`"late":true`)

// text says how, and how late.
func (a *Arrival) text() string {
	return fmt.Sprintf("through %s, %s late", a.Channel, max(0, a.Time.Sub(a.Happened)).Round(time.Second))
}

// arrived reports whether the alert is about nothing but what was missing, and all of that has come.
func (a *Alert) arrived() bool {
	return len(a.Arrivals) > 0 && len(a.Arrivals) == len(a.Findings) && len(a.Findings) >= a.Count
}

// heard makes the alert as it is told, of what detection said of it and what has come since.
func (a *Alert) heard() {
	if len(a.Arrivals) == 0 {
		return
	}
	last := &a.Arrivals[0]
	for i := range a.Arrivals {
		one := &a.Arrivals[i]
		if one.Time.After(last.Time) {
			last = one
		}
		if id, err := event.ParseID(one.Act); err == nil {
			a.Revision = max(a.Revision, int(id.Batch))
		}
	}
	what := fmt.Sprintf("What was missing in %s of %s has come", number(len(a.Arrivals)), number(a.Count))
	if a.arrived() {
		what, a.Level = "What was missing has come", levels[0]
	}
	a.Sentence = fmt.Sprintf("%s. %s, at %s, %s.", strings.TrimRight(a.Sentence, ". "), what, last.Time.UTC().Format("15:04 on 2 January 2006 UTC"), last.text())
}

// arrive takes in that what a finding told to be missing has come: the alerts about it are revised.
func (l *ledger) arrive(came *Arrival) error {
	body, err := json.Marshal(came)
	if err != nil {
		return err
	}
	if err := l.exec(`INSERT INTO incident_arrival (finding, body) VALUES ($1, $2) ON CONFLICT DO NOTHING`, came.Finding, body); err != nil {
		return err
	}
	type about struct {
		num, incident int64
		body          []byte
	}
	var list []about
	err = l.each(`SELECT a.num, a.incident, b.body FROM incident_finding AS f JOIN incident_alert AS a USING (num) JOIN incident_body AS b USING (num) WHERE f.finding = $1`,
		[]any{came.Finding}, func(rows *sql.Rows) error {
			var one about
			err := rows.Scan(&one.num, &one.incident, &one.body)
			list = append(list, one)
			return err
		})
	if err != nil {
		return err
	}
	for _, one := range list {
		var a Alert
		if err := json.Unmarshal(one.body, &a); err != nil {
			return err
		}
		if a.Arrivals, err = l.arrivals(a.Findings); err != nil {
			return err
		}
		if body, err = json.Marshal(&a); err != nil {
			return err
		}
		if err := l.exec(`UPDATE incident_body SET body = $2 WHERE num = $1`, one.num, body); err != nil {
			return err
		}
		if a.arrived() {
			if err := l.exec(`UPDATE incident_alert SET arrived = 1, level = 0, tactics = 0 WHERE num = $1`, one.num); err != nil {
				return err
			}
		}
		l.touch(one.incident)
	}
	return nil
}

// arrivals are those of findings, in their order.
func (l *ledger) arrivals(findings []string) (list []Arrival, err error) {
	for _, f := range findings {
		err := l.each(`SELECT body FROM incident_arrival WHERE finding = $1`, []any{f}, func(rows *sql.Rows) error {
			var one Arrival
			var body []byte
			if err := rows.Scan(&body); err != nil {
				return err
			}
			err := json.Unmarshal(body, &one)
			list = append(list, one)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// await notes which findings an alert is about.
func (l *ledger) await(num int64, findings []string) error {
	for _, f := range findings {
		if err := l.exec(`INSERT INTO incident_finding (finding, num) VALUES ($1, $2) ON CONFLICT DO NOTHING`, f, num); err != nil {
			return err
		}
	}
	return nil
}
