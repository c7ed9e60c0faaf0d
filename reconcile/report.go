// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Report says how channels agree.
type Report struct {
	Hours   []Hour
	Orphans []Orphan
	// Waiting counts the sessions and tokens of which no sign-in is known and nothing can be said yet.
	Waiting int
	// Forgotten is the moment before which nothing is said, because what was known of it was forgotten to keep the bound;
	// zero: nothing was.
	Forgotten time.Time
	Position  uint64 // log index of the first batch that is not in
	Judged    uint64 // and of the first that is not judged: of what lies between, orphans are not told yet
}

// Hour is what channels have shown of an operation in an hour of event time.
type Hour struct {
	Tenant, Kind, Operation string
	Hour                    time.Time
	Channels                []Shown
}

// Shown is what one channel has shown.
type Shown struct {
	Channel string
	Acts    int64
	Lacking int64 // acts that others have shown, and it should have; zero where that is forgotten
	Verdict Verdict
}

// Orphan is a session or token in use without a sign-in.
type Orphan struct {
	Tenant, Stream, Subject, Message string
	From, To                         time.Time
}

type hourKey struct {
	tenant, operation string
	kind              Kind
	hour              int64
}

// Report answers for the hours that lie in [since, until).
func (r *Reconciler) Report(ctx context.Context, since, until time.Time) (*Report, error) {
	r.mu.Lock()
	out := &Report{Position: r.next, Judged: r.judged}
	r.mu.Unlock()
	tenants, err := r.tenants(ctx)
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	j, err := r.newJudgment(ctx)
	if err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	if err := r.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM reconcile_use WHERE orphan = 0`).Scan(&out.Waiting); err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	if j.forgotten > 0 {
		out.Forgotten = time.UnixMilli(j.forgotten).UTC()
	}
	from, to := since.UnixMilli()/hourMillis, (until.UnixMilli()+hourMillis-1)/hourMillis
	for i := range tenants {
		if err := j.report(&tenants[i], from, to, out); err != nil {
			return nil, fmt.Errorf("reconcile: %w", err)
		}
	}
	return out, nil
}

func (j *judgment) report(t *tenant, from, to int64, out *Report) error {
	shown := map[hourKey]*[channels]int64{}
	err := j.r.rows(j.ctx, `SELECT kind, operation, hour, channel, acts FROM reconcile_count WHERE tenant = $1 AND hour >= $2 AND hour < $3`, []any{t.id, from, to}, func(rows *sql.Rows) error {
		k := hourKey{tenant: t.name}
		var c, n int64
		if err := rows.Scan(&k.kind, &k.operation, &k.hour, &c, &n); err != nil || c < 0 || c >= int64(channels) {
			return err
		}
		if shown[k] == nil {
			shown[k] = new([channels]int64)
		}
		shown[k][c] = n
		return nil
	})
	if err != nil {
		return err
	}
	missing, _, err := j.missing(t)
	if err != nil {
		return err
	}
	if err := j.load(t); err != nil {
		return err
	}
	told, err := j.told(t)
	if err != nil {
		return err
	}
	for k, counts := range shown {
		h := Hour{Tenant: t.name, Kind: k.kind.String(), Operation: k.operation, Hour: time.UnixMilli(k.hour * hourMillis).UTC()}
		for c := range channels {
			if k.kind == AuditRecords && shows[k.kind][c] == nil {
				continue
			}
			s := Shown{Channel: c.String(), Acts: counts[c], Verdict: Agree}
			m := lacking{k.kind, k.operation, k.hour, c}
			s.Lacking = missing[m]
			switch {
			case s.Lacking > 0:
				if s.Verdict, _, err = j.verdict(t, &m); err != nil {
					return err
				}
			case counts[c] == 0 && !j.r.opts.has(t.name, k.kind, c):
				s.Verdict = NotCollected
			case k.hour >= firstActs(t) && k.hour*hourMillis >= j.since(k.kind):
			case told[m.code(t)]:
				s.Verdict = Blind
			default:
				s.Verdict = CannotSay
			}
			h.Channels = append(h.Channels, s)
		}
		out.Hours = append(out.Hours, h)
	}
	slices.SortFunc(out.Hours, func(a, b Hour) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Operation, b.Operation), a.Hour.Compare(b.Hour))
	})
	return j.r.rows(j.ctx, `
		SELECT stream, subject, message, start, stop FROM reconcile_finding
		WHERE kind = 'orphan' AND record = x'' AND tenant = $1 AND stop > start AND start < $3 AND stop > $2 ORDER BY start, subject, code`,
		[]any{t.name, from * hourMillis, to * hourMillis}, func(rows *sql.Rows) error {
			o := Orphan{Tenant: t.name}
			var start, stop int64
			err := rows.Scan(&o.Stream, &o.Subject, &o.Message, &start, &stop)
			o.From, o.To = time.UnixMilli(start).UTC(), time.UnixMilli(stop).UTC()
			out.Orphans = append(out.Orphans, o)
			return err
		})
}

// told are the names of what was said to lack acts and does so still. They are remembered for longer than the acts.
func (j *judgment) told(t *tenant) (codes map[string]bool, err error) {
	codes = map[string]bool{}
	err = j.r.rows(j.ctx, `SELECT code FROM reconcile_finding WHERE kind = 'count' AND tenant = $1 AND stop > start`, []any{t.name}, func(rows *sql.Rows) error {
		var code string
		err := rows.Scan(&code)
		codes[code] = true
		return err
	})
	return codes, err
}
