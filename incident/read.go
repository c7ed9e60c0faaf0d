// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Filter picks incidents or alerts. What is zero picks all.
type Filter struct {
	Tenant       string
	States       []string  // of incidents
	Level        string    // this one or a graver one
	Since, Until time.Time // that were still going on at Since or later, and had begun before Until
	Incident     string    // of alerts: those of this incident
	Rule         string    // of alerts
	Limit        int       // the newest; 1,000 if it is 0
}

// condition writes the part of a filter that alerts and incidents share.
func (f *Filter) condition() (string, []any) {
	var b strings.Builder
	b.WriteString("level >= ?")
	args := []any{levelOf(f.Level)}
	and := func(text string, arg any) {
		b.WriteString(" AND " + text)
		args = append(args, arg)
	}
	if f.Tenant != "" {
		and("tenant = ?", f.Tenant)
	}
	if !f.Since.IsZero() {
		and("last >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		and("first < ?", f.Until.UnixNano())
	}
	return b.String(), args
}

func (f *Filter) limit() int {
	if f.Limit <= 0 {
		return 1000
	}
	return f.Limit
}

// List returns incidents, the one with the latest alert first.
func (s *Store) List(ctx context.Context, f Filter) ([]Summary, error) {
	where, args := f.condition()
	if len(f.States) > 0 {
		where += " AND state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")"
		for _, state := range f.States {
			args = append(args, state)
		}
	}
	list := []Summary{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+summaryColumns+` FROM incident WHERE `+where+` ORDER BY last DESC, id LIMIT ?`, append(args, f.limit())...)
	err = scanEach(rows, err)(func(rows *sql.Rows) error {
		one, err := summaryOf(rows)
		list = append(list, one)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	return list, nil
}

// Alerts returns alerts that stand, the latest first.
func (s *Store) Alerts(ctx context.Context, f Filter) ([]Alert, error) {
	where, args := f.condition()
	if f.Rule != "" {
		where, args = where+" AND rule = ?", append(args, f.Rule)
	}
	if f.Incident != "" {
		id, err := s.resolve(ctx, f.Incident)
		if err != nil {
			return nil, err
		}
		where, args = where+" AND incident = ?", append(args, id)
	}
	return s.alerts(ctx, `incident <> '' AND `+where+` ORDER BY last DESC, id LIMIT ?`, append(args, f.limit())...)
}

func (s *Store) alerts(ctx context.Context, where string, args ...any) ([]Alert, error) {
	list := []Alert{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT incident, body FROM incident_alert WHERE `+where, args...)
	err = scanEach(rows, err)(func(rows *sql.Rows) error {
		var a Alert
		var incident string
		var body []byte
		if err := rows.Scan(&incident, &body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &a); err != nil {
			return err
		}
		a.Incident = incident
		list = append(list, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	return list, nil
}

// Alert returns an alert, or the one that stands for it now.
func (s *Store) Alert(ctx context.Context, id string) (*Alert, error) {
	if err := checkID(id); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	id, err := s.standing(ctx, id)
	if err != nil {
		return nil, err
	}
	list, err := s.alerts(ctx, `id = ? AND incident <> ''`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// standing follows an alert that was replaced.
func (s *Store) standing(ctx context.Context, id string) (at string, err error) {
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return "", err
	}
	defer tx.Rollback()
	l := s.ledger(ctx, tx)
	defer l.end()
	return l.standing(id)
}

// resolve returns the id that an incident has now. Every id that it ever had is that of an
// alert in it, or of one that another stands for.
func (s *Store) resolve(ctx context.Context, id string) (string, error) {
	anchor := anchorOf(id)
	if checkID(anchor) != nil || !strings.HasPrefix(id, "i") {
		return "", fmt.Errorf("%w: %.40q is not an incident id: want \"i\" and 32 hexadecimal digits", ErrNotFound, id)
	}
	anchor, err := s.standing(ctx, anchor)
	if err != nil {
		return "", fmt.Errorf("incidents: %w", err)
	}
	var now string
	err = s.db.Read().QueryRowContext(ctx, `SELECT incident FROM incident_alert WHERE id = ?`, anchor).Scan(&now)
	if errors.Is(err, sql.ErrNoRows) || err == nil && now == "" {
		return "", fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return now, err
}

func (s *Store) summary(ctx context.Context, id string) (*Summary, error) {
	now, err := s.resolve(ctx, id)
	if err != nil {
		return nil, err
	}
	one, err := summaryOf(s.db.Read().QueryRowContext(ctx, `SELECT `+summaryColumns+` FROM incident WHERE id = ?`, now))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id) // it has become part of another just now
	}
	return &one, err
}

// history returns the decisions about an incident, in their order.
func (s *Store) history(ctx context.Context, id string) ([]decided, error) {
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	l := s.ledger(ctx, tx)
	defer l.end()
	d, err := l.decisions()
	if err != nil {
		return nil, err
	}
	var members []*row
	err = l.each(`SELECT `+rowColumns+` FROM incident_alert WHERE incident = $1`, []any{id}, func(rows *sql.Rows) error {
		r, err := scanRow(rows)
		members = append(members, r)
		return err
	})
	var list []decided
	for _, one := range d.of(members) {
		list = append(list, *one)
	}
	return list, err
}

// aliases returns the ids that an incident had before it was merged with an older one.
func (s *Store) aliases(ctx context.Context, id string) ([]string, error) {
	list := []string{}
	rows, err := s.db.Read().QueryContext(ctx, `WITH RECURSIVE member (id) AS (
			SELECT id FROM incident_alert WHERE incident = $1
			UNION SELECT a.id FROM incident_alert AS a JOIN member AS m ON a.by = m.id AND a.by <> '' WHERE a.replaced >= a.revision
		) SELECT a.id FROM member JOIN incident_alert AS a USING (id) WHERE a.named = 1`, id)
	err = scanEach(rows, err)(func(rows *sql.Rows) error {
		var alert string
		err := rows.Scan(&alert)
		if incidentOf(alert) != id {
			list = append(list, incidentOf(alert))
		}
		return err
	})
	slices.Sort(list)
	return list, err
}
