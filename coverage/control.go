// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"context"
	"database/sql"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// Control is how a control that can switch logging off stands, or a subject of it, as the last act about it says.
type Control struct {
	Tenant, Source string
	Control        string
	Subject        string // who or what of it; empty: the tenant
	Verdict        string // act.Good, act.Drift, act.Changed, act.Unwatched
	Since          time.Time
	State, Before  string // canonical JSON
	Message        string
	Event          string // event id of the record that told of the change; empty if it was found by looking
	Act            string // event id of the act
}

// control notes how a control stands. A change that is not for the worse leaves it good.
func (l *ledger) control(id string, a *act.Act) error {
	since := moment(a)
	if a.Reason == act.Drift && !a.From.IsZero() {
		since = a.From.UnixMilli()
	}
	return l.exec(`
		INSERT INTO coverage_control (tenant, source, control, subject, verdict, since, state, before, message, event, act)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (tenant, source, control, subject) DO UPDATE SET verdict = excluded.verdict, since = excluded.since,
			state = excluded.state, before = excluded.before, message = excluded.message, event = excluded.event, act = excluded.act`,
		a.Tenant, a.Source, a.Code, a.Subject, a.Reason, since, a.After, a.Before, a.Message, a.Event, id)
}

// Controls returns how the controls stand of which an act speaks.
func (c *Coverage) Controls(ctx context.Context) (list []Control, err error) {
	err = readAll(ctx, c.db.Read(), `
		SELECT tenant, source, control, subject, verdict, since, state, before, message, event, act FROM coverage_control ORDER BY tenant, source, control, subject`, nil,
		func(rows *sql.Rows) error {
			var o Control
			var since int64
			err := rows.Scan(&o.Tenant, &o.Source, &o.Control, &o.Subject, &o.Verdict, &since, &o.State, &o.Before, &o.Message, &o.Event, &o.Act)
			o.Since = instant(since)
			list = append(list, o)
			return err
		})
	return list, err
}
