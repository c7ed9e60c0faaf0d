// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// atOnce is how many findings are told of in one go.
const atOnce = 500

// say writes into the journal what was found and is not in it yet, or not any more so. Of streams that nobody collects it
// says nothing.
func (r *Reconciler) say(ctx context.Context) error {
	for after := ""; ; {
		list, err := r.due(ctx, after)
		if err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
		if len(list) == 0 {
			return nil
		}
		after = list[len(list)-1].code
		if err := r.tell(ctx, list); err != nil {
			return fmt.Errorf("reconcile: %w", err)
		}
	}
}

// dueFinding is one of which the journal says something else.
type dueFinding struct {
	finding
	told     bool
	toldStop int64
}

func (r *Reconciler) due(ctx context.Context, after string) (list []dueFinding, err error) {
	err = r.rows(ctx, `
		SELECT code, tenant, stream, reason, subject, start, stop, message, record, told, told_stop FROM reconcile_finding
		WHERE due = 1 AND code > $1 ORDER BY code LIMIT $2`, []any{after, atOnce}, func(rows *sql.Rows) error {
		var f dueFinding
		err := rows.Scan(&f.code, &f.tenant, &f.stream, &f.reason, &f.subject, &f.start, &f.stop, &f.message, &f.record, &f.told, &f.toldStop)
		list = append(list, f)
		return err
	})
	return list, err
}

// act is what there is to say of an interval.
func (f *dueFinding) act() act.Act {
	a := act.Act{
		Kind: act.Gap, Tenant: f.tenant, Stream: f.stream, Subject: f.subject, Reason: f.reason, Code: f.code, Message: f.message,
		From: time.UnixMilli(f.start).UTC(), Permanent: f.stop != forever,
	}
	if f.stop != forever {
		a.To = time.UnixMilli(f.stop).UTC()
	}
	// A gap that has no end is given one; any other is made shorter by filling the rest.
	if f.told && f.stop < f.toldStop && (f.toldStop != forever || f.stop <= f.start) {
		a.Kind, a.Permanent, a.From = act.Filled, false, time.UnixMilli(max(f.start, f.stop)).UTC()
		a.To = time.UnixMilli(f.toldStop).UTC()
		a.Message = "it is not so, or not for so long: what was missing has come"
		if f.toldStop == forever {
			a.To = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
	}
	return a
}

// tell writes acts, waits until they are durable, and notes that they are told.
func (r *Reconciler) tell(ctx context.Context, list []dueFinding) error {
	var told []toldAct
	var last *journal.Commit
	for i := range list {
		f := &list[i]
		source := r.opts.Source(f.tenant, f.stream)
		if source == "" {
			continue
		}
		var err error
		if len(f.record) > 0 {
			last, err = r.j.Append(ctx, event.Origin{Tenant: f.tenant, Family: act.Family, Stream: act.Findings, Name: source, Run: rand.Text()}, []event.Record{{
				Raw: f.record, ID: []byte(f.code), Time: f.start * 1e6, Received: time.Now().UnixNano(),
			}}, nil)
			told = append(told, toldAct{f.code, act.Act{}, f.record})
		} else {
			a := f.act()
			last, err = act.NewWriter(r.j, source, f.tenant).Write(ctx, a)
			told = append(told, toldAct{f.code, a, nil})
		}
		if err != nil {
			return err
		}
	}
	if last == nil {
		return nil
	}
	if _, err := last.Wait(ctx); err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *sql.Tx) error {
		l := newLedger(ctx, tx, &r.opts, r.runs)
		for i := range told {
			if err := l.told(&told[i]); err != nil {
				return err
			}
			if told[i].act.Kind != act.Filled {
				continue
			}
			// What was filled may have been another finding's as well, of the same subject: that is said again.
			a := &told[i].act
			err := l.exec(`
				UPDATE reconcile_finding SET told_message = '', due = 1
				WHERE tenant = $1 AND stream = $2 AND reason = $3 AND subject = $4 AND code <> $5 AND told = 1 AND stop > start AND start < $7 AND stop > $6 AND record = x''`,
				a.Tenant, a.Stream, a.Reason, a.Subject, a.Code, a.From.UnixMilli(), a.To.UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	})
}
