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

// condition writes the part of a filter that alerts and incidents share, of a table called t.
func (f *Filter) condition() (string, []any) {
	var b strings.Builder
	b.WriteString("t.level >= ?")
	args := []any{levelOf(f.Level)}
	and := func(text string, arg any) {
		b.WriteString(" AND " + text)
		args = append(args, arg)
	}
	if f.Tenant != "" {
		and("t.tenant = ?", f.Tenant)
	}
	if !f.Since.IsZero() {
		and("t.last >= ?", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		and("t.first < ?", f.Until.UnixNano())
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
	tenant := f.Tenant
	f.Tenant = ""
	where, args := f.condition()
	if tenant != "" { // alerts of several may be one incident
		where += " AND EXISTS (SELECT 1 FROM incident_alert AS a WHERE a.incident = t.num AND a.tenant = ?)"
		args = append(args, tenant)
	}
	if len(f.States) > 0 {
		where += " AND state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")"
		for _, state := range f.States {
			args = append(args, state)
		}
	}
	list := []Summary{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT num, `+summaryColumns+`, 0 FROM incident AS t WHERE `+where+` ORDER BY last DESC, id LIMIT ?`, append(args, f.limit())...)
	err = scanEach(rows, err)(func(rows *sql.Rows) error {
		var one Summary
		var num, end int64
		err := one.scan(rows, &num, &end)
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
		where, args = where+" AND t.rule = ?", append(args, f.Rule)
	}
	if f.Incident != "" {
		num, err := s.resolve(ctx, f.Incident)
		if err != nil {
			return nil, err
		}
		where, args = where+" AND t.incident = ?", append(args, num)
	}
	return s.alerts(ctx, `t.incident <> 0 AND `+where+` ORDER BY t.last DESC, t.id LIMIT ?`, append(args, f.limit())...)
}

func (s *Store) alerts(ctx context.Context, where string, args ...any) ([]Alert, error) {
	list := []Alert{}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT i.id, b.body FROM incident_alert AS t
		JOIN incident AS i ON i.num = t.incident JOIN incident_body AS b ON b.num = t.num WHERE `+where, args...)
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
		a.heard()
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
	list, err := s.alerts(ctx, `t.id = ?`, id)
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
	l := statementsOf(ctx, tx)
	defer l.end()
	return l.standing(id)
}

// resolve returns the number of an incident. Every id that it ever had is that of an alert in
// it, or of one that another stands for.
func (s *Store) resolve(ctx context.Context, id string) (num int64, err error) {
	anchor := anchorOf(id)
	if checkID(anchor) != nil || !strings.HasPrefix(id, "i") {
		return 0, fmt.Errorf("%w: %.40q is not an incident id: want \"i\" and 32 hexadecimal digits", ErrNotFound, id)
	}
	if anchor, err = s.standing(ctx, anchor); err != nil {
		return 0, fmt.Errorf("incidents: %w", err)
	}
	err = s.db.Read().QueryRowContext(ctx, `SELECT incident FROM incident_alert WHERE id = ?`, anchor).Scan(&num)
	if errors.Is(err, sql.ErrNoRows) || err == nil && num == 0 {
		return 0, fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	return num, err
}

func (s *Store) summary(ctx context.Context, id string) (*Summary, error) {
	g, err := s.group(ctx, id)
	if err != nil {
		return nil, err
	}
	return &g.Summary, nil
}

func (s *Store) group(ctx context.Context, id string) (*group, error) {
	num, err := s.resolve(ctx, id)
	if err != nil {
		return nil, err
	}
	g, err := groupOf(s.db.Read().QueryRowContext(ctx, `SELECT `+groupColumns+` FROM incident WHERE num = ?`, num))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, id) // it has become part of another just now
	}
	return g, err
}

// history returns the decisions about an incident, in their order.
func (s *Store) history(ctx context.Context, num int64) ([]decided, error) {
	tx, err := s.db.Read().BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	l := statementsOf(ctx, tx)
	defer l.end()
	d, err := l.readDecisions()
	if err != nil {
		return nil, err
	}
	in := map[string]bool{}
	for id := range d.about {
		err := l.each(`SELECT 1 FROM incident_alert WHERE id = $1 AND incident = $2`, []any{id, num}, func(*sql.Rows) error {
			in[id] = true
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	var list []decided
	for _, one := range d.of(in) {
		list = append(list, *one)
	}
	return list, nil
}

// aliases returns the ids that an incident had before it was merged with an older one.
func (s *Store) aliases(ctx context.Context, g *group) ([]string, error) {
	list := []string{}
	rows, err := s.db.Read().QueryContext(ctx, `WITH RECURSIVE member (id) AS (
			SELECT id FROM incident_alert WHERE incident = $1 AND incident <> 0
			UNION SELECT a.id FROM incident_alert AS a JOIN member AS m ON a.by = m.id AND a.by <> '' WHERE a.replaced >= a.revision
		) SELECT a.id FROM member JOIN incident_alert AS a USING (id) WHERE a.named = 1`, g.num)
	err = scanEach(rows, err)(func(rows *sql.Rows) error {
		var alert string
		err := rows.Scan(&alert)
		if incidentOf(alert) != g.ID {
			list = append(list, incidentOf(alert))
		}
		return err
	})
	slices.Sort(list)
	return list, err
}
