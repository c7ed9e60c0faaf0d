// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// report is alerts that are being written down, beside the taking of further batches.
type report struct {
	upTo   uint64
	alerts []detect.Alert
	begun  time.Time
	done   chan error
}

// progress begins to write down the alerts of the batches that were taken, if there are any and it is time, or says that
// these are judged. Many alerts at once cost little more than one: while there are ever new ones they are written every
// reportEvery, and otherwise at once, as they are when all is judged that somebody waits for.
func (d *detector) progress(ctx context.Context) {
	switch {
	case d.writing != nil:
	case len(d.pending) == 0:
		d.move(d.taken, nil)
	case time.Since(d.reported) >= d.every || d.awaited():
		d.write(ctx)
	}
}

// write begins to write down what is pending. One report is under way at a time.
func (d *detector) write(ctx context.Context) {
	r := &report{upTo: d.taken, alerts: d.pending, begun: time.Now(), done: make(chan error, 1)}
	d.pending, d.writing = nil, r
	go func() { r.done <- d.n.incidents.Take(ctx, event.ID{Batch: r.upTo}, r.alerts) }()
}

// written takes note of how the report under way has ended.
func (d *detector) written(err error) error {
	r := d.writing
	d.writing = nil
	if err != nil {
		return err
	}
	d.reported, d.every = time.Now(), max(reportEvery, workShare*time.Since(r.begun))
	if len(d.pending) == 0 {
		d.move(d.taken, nil)
	} else {
		d.move(r.upTo, nil)
	}
	return nil
}

// tell waits until the alerts of all batches that were taken are written down.
func (d *detector) tell(ctx context.Context) error {
	for d.writing != nil || len(d.pending) > 0 {
		if d.writing == nil {
			d.write(ctx)
		}
		if err := d.written(<-d.writing.done); err != nil {
			return err
		}
	}
	d.move(d.taken, nil)
	return nil
}

// untold are the alerts that are not surely written down.
func (d *detector) untold() []detect.Alert {
	if d.writing == nil {
		return d.pending
	}
	return slices.Concat(d.writing.alerts, d.pending)
}

// keepUntold puts the alerts that are not written down yet beside the position.
func (d *detector) keepUntold(b *pebble.Batch) error {
	alerts := d.untold()
	if len(alerts) == 0 {
		return b.Delete(untoldKey, nil)
	}
	var v bytes.Buffer
	if err := gob.NewEncoder(&v).Encode(alerts); err != nil {
		return err
	}
	return b.Set(untoldKey, v.Bytes(), nil)
}

// tellUntold writes down the alerts that an earlier run has left.
func (d *detector) tellUntold(ctx context.Context) error {
	v, closer, err := d.db.Get(untoldKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	var alerts []detect.Alert
	if err := gob.NewDecoder(bytes.NewReader(v)).Decode(&alerts); err != nil {
		return fmt.Errorf("alerts that are not written down yet cannot be read: remove the folder %s, and the journal is judged anew: %w", DetectDir, err)
	}
	return d.n.incidents.Take(ctx, event.ID{Batch: d.at}, alerts)
}

// describedRefs is how many records of an alert are looked at for who and what it is about. Of one that is about nothing but findings all
// are looked at for which these are.
const describedRefs = 20

// describe completes alerts with who and what they are about. b is the batch under way, whose records are at hand.
func (d *detector) describe(ctx context.Context, b *journal.Batch, alerts []detect.Alert) ([]detect.Alert, error) {
	// Informational rules mark records for others: they are no alert.
	alerts = slices.DeleteFunc(alerts, func(a detect.Alert) bool { return a.Level == "informational" })
	if len(alerts) == 0 {
		return nil, nil
	}
	m := d.n.mappers.get()
	defer d.n.mappers.put(m)
	now := time.Now().UTC()
	for i := range alerts {
		a := &alerts[i]
		a.Found = now
		for k := range a.Refs {
			if k >= describedRefs && len(a.Findings) < k {
				break
			}
			raw, family, err := d.raw(ctx, b, a.Refs[k].ID)
			if err != nil {
				return nil, err
			}
			if raw == nil {
				continue // gone by policy
			}
			if f := finding(raw, family); f != "" && !slices.Contains(a.Findings, f) {
				a.Findings = append(a.Findings, f)
			}
			if k >= describedRefs {
				continue
			}
			a.Entities = detect.AppendEntities(a.Entities, m.event(raw, family))
			if len(a.Why) == 0 && a.Refs[k].Key == a.Completed.Key {
				a.Why = d.why(a.Rule, raw, family)
			}
		}
	}
	return alerts, nil
}

// finding is the id of what a record tells to be missing; empty: it is no such record.
func finding(raw []byte, family event.Family) string {
	if family != act.Family {
		return ""
	}
	if o, err := act.ParseOrphan(raw); err == nil {
		if o.Kind == act.OrphanArrived {
			return ""
		}
		return o.ID
	}
	a, err := act.Parse(raw)
	if err != nil || a.Reason != act.Missing {
		return ""
	}
	return a.Finding()
}

// raw returns a record; nil if it is gone.
func (d *detector) raw(ctx context.Context, b *journal.Batch, id event.ID) ([]byte, event.Family, error) {
	if id.Batch == b.Index && !b.Gone && int(id.Index) < len(b.Records) {
		return b.Raw(int(id.Index)), b.Envelope(int(id.Index)).Family, nil
	}
	s, err := d.n.journal.Read(ctx, id)
	if err != nil || s.Gone {
		return nil, "", err
	}
	return s.Raw, s.Origin.Family, nil
}

// why judges a record once more, for an alert of several that another one has revised.
func (d *detector) why(rule string, raw []byte, family event.Family) []detect.Reason {
	v := view{enricher: enrich.New(&d.n.mappers.source)}
	for _, f := range d.used.NewJudge(v.json).Record(raw, family, nil) {
		if f.Rule == rule {
			return f.Why
		}
	}
	return nil
}
