// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/normalize"
)

// judged is one batch on its way.
type judged struct {
	batch *journal.Batch
	findings
	ready chan struct{}
}

// findings are what a book finds in a batch.
type findings struct {
	book    *detect.Book
	records []recordFound
	found   []detect.Found // of all its records, one after another
}

// recordFound is a record of which something was found.
type recordFound struct {
	index int
	key   correlate.Key // of the act that it is evidence of
	end   int           // where what was found of it ends; it begins where the record's before ends
}

// spare keeps the memory of batches that were taken for those to come.
var spare = sync.Pool{New: func() any { return new(judged) }}

func begin(b *journal.Batch) *judged {
	j := spare.Get().(*judged)
	j.batch, j.ready = b, make(chan struct{})
	return j
}

// end gives the memory back; nobody may hold what was found.
func (j *judged) end() {
	clear(j.found)
	*j = judged{findings: findings{records: j.records[:0], found: j.found[:0]}}
	spare.Put(j)
}

// judge judges record i, after those before it.
func (j *judged) judge(by *detect.Judge, i int) {
	j.add(by, i, by.Record(j.batch.Raw(i), j.batch.Envelope(i).Family, j.found))
}

// judgeParsed is judge for a record that has been read already.
func (j *judged) judgeParsed(by *detect.Judge, i int, root jsontape.Value) {
	j.add(by, i, by.Parsed(j.batch.Raw(i), root, j.batch.Envelope(i).Family, j.found))
}

// add takes what was found up to record i.
func (j *judged) add(by *detect.Judge, i int, found []detect.Found) {
	if len(found) == len(j.found) {
		return
	}
	j.found = found
	o, raw := j.batch.Envelope(i), j.batch.Raw(i)
	family, id := normalize.Activity(by.Root(), o.Family, j.batch.Records[i].ID)
	j.records = append(j.records, recordFound{i, detect.KeyOf(o.Tenant, family, id, raw), len(j.found)})
}

// give gives the engine what was found.
func (j *judged) give(e *detect.Engine) {
	begin := 0
	for _, r := range j.records {
		ref := correlate.Ref{ID: j.batch.ID(r.index), Time: j.batch.Records[r.index].Time, Key: r.key}
		e.Take(ref, j.batch.Envelope(r.index).Tenant, j.found[begin:r.end])
		begin = r.end
	}
}

// judgeAhead judges the batches that next returns, on all cores, and hands them out in its order: each when it is ready. It
// ends when next fails or ctx ends; done waits for that, when order is empty, and says why. Each core has a worker's function of its own.
func judgeAhead(ctx context.Context, next func(context.Context) (*journal.Batch, error), worker func() func(*judged)) (order <-chan *judged, done func() error) {
	out, work := make(chan *judged, detectAhead), make(chan *judged, detectAhead)
	var tasks sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tasks.Go(func() {
			judge := worker()
			for j := range work {
				judge(j)
				close(j.ready)
			}
		})
	}
	var failed error
	tasks.Go(func() {
		defer close(out)
		defer close(work)
		for {
			b, err := next(ctx)
			if err != nil {
				failed = err
				return
			}
			j := begin(b)
			select {
			case out <- j:
			case <-ctx.Done():
				failed = ctx.Err()
				return
			}
			work <- j // workers never stop before the reader
		}
	})
	return out, func() error { tasks.Wait(); return failed }
}

// run reads, judges on all cores, and takes what was found in the journal's order.
func (d *detector) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	order, done := judgeAhead(ctx, d.n.journal.Follow(d.at).Next, func() func(*judged) {
		w := newPasser(d.n)
		return func(j *judged) { d.n.passes.judge(w, j) }
	})
	var takeErr error
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for open := true; open; {
		var written chan error
		if d.writing != nil {
			written = d.writing.done
		}
		select {
		case err := <-written:
			if err = d.written(err); err != nil && takeErr == nil {
				takeErr = err
				cancel()
			}
		case j, ok := <-order:
			if open = ok; !ok {
				break
			}
			<-j.ready
			if takeErr == nil {
				if takeErr = d.take(ctx, j); takeErr != nil {
					cancel() // ends the reader, and with it this loop
				}
			}
			j.end()
		case <-tick.C:
			if takeErr == nil {
				d.progress(ctx)
				if takeErr = d.flush(false); takeErr != nil {
					cancel()
				}
			}
		}
	}
	readErr := done()
	if d.writing != nil {
		takeErr = errors.Join(takeErr, d.written(<-d.writing.done))
	}
	if takeErr != nil {
		return takeErr
	}
	return readErr
}

// take gives a batch to the engine and writes down its alerts.
func (d *detector) take(ctx context.Context, j *judged) error {
	if d.used != j.book {
		d.engine.Use(j.book)
		d.used = j.book
	}
	d.receive(j.batch)
	d.engine.Begin(j.batch.Index)
	j.give(d.engine)
	d.advance(j.batch)
	alerts, err := d.describe(ctx, j.batch, d.engine.Alerts())
	if err != nil {
		return err
	}
	d.pending, d.taken, d.dirty = append(d.pending, alerts...), j.batch.Index+1, true
	d.mu.Lock()
	d.stats.Records += uint64(len(j.batch.Records))
	d.stats.Hits += uint64(len(j.found))
	d.stats.Alerts += uint64(len(alerts))
	d.stats.Lag = time.Since(j.batch.Committed)
	d.mu.Unlock()
	d.move(0, nil)
	d.progress(ctx)
	return d.flush(false)
}

// How late a record may come for a correlation to wait for it: twice the 99.9th percentile of what
// coverage has measured from event to offer in the last week, between these bounds. Until
// there is a measurement it is a day: Microsoft documents up to 24 hours for some workloads.
const (
	lateAtFirst = 24 * time.Hour
	lateLeast   = time.Hour
	lateMost    = 72 * time.Hour
	learnEvery  = 10 * time.Minute
)

// learn takes up what coverage has measured of how late records are.
func (d *detector) learn(ctx context.Context) {
	now := time.Now()
	if now.Sub(d.learned) < learnEvery {
		return
	}
	d.learned = now
	delays, err := d.n.covered.delays.Latency(ctx, now.Add(-7*24*time.Hour), now)
	if err != nil {
		return // what was learned before holds
	}
	worst := time.Duration(0)
	for i := range delays {
		if x := &delays[i]; x.Operation == "" && x.Live {
			worst = max(worst, x.Steps[coverage.Offering].P999)
		}
	}
	if worst > 0 {
		d.lateness = min(max(2*worst, lateLeast), lateMost)
	}
}

// receive tells the engine when a batch was received, before it takes it: what it notes of its records
// is as of then, however long ago the batch before was.
func (d *detector) receive(b *journal.Batch) {
	for i := range b.Records {
		d.clock.Received = max(d.clock.Received, b.Records[i].Received)
	}
	d.engine.Advance(d.clock)
}

// advance moves the watermark by a batch that was taken: it follows the records' own time, for an import
// is of the past, and never runs ahead of when they were received.
func (d *detector) advance(b *journal.Batch) {
	c := d.clock
	for i := range b.Records {
		r := &b.Records[i]
		if at := r.Time - int64(d.lateness); r.Time <= r.Received+int64(time.Hour) && at > c.Watermark {
			c.Watermark = at
		}
	}
	if c != d.clock {
		d.clock = c
		d.engine.Advance(c)
	}
}

// flush makes what the engine remembers durable, with the position up to which it has judged and the alerts that are still to be
// written down.
func (d *detector) flush(last bool) error {
	ctx := context.Background()
	d.learn(ctx)
	if last || len(d.pending) > manyAlerts {
		if err := d.tell(ctx); err != nil {
			return err
		}
	}
	rows := d.engine.Changed()
	likely := rows * d.rowBytes
	if !d.dirty || !last && time.Since(d.flushed) < d.flushing && likely < flushBytes {
		return nil
	}
	if !last && likely < 2*flushBytes && time.Since(d.flushed) < 2*d.flushing {
		if d.writing == nil && len(d.pending) > fewAlerts {
			d.write(ctx)
		}
		if d.writing != nil {
			return nil
		}
	}
	begun := time.Now()
	// Where nothing was found, too: whose position is zero has lost what was found.
	if d.writing == nil && d.n.incidents.Position() == (event.ID{}) {
		if err := d.n.incidents.Take(ctx, event.ID{Batch: d.taken}, nil); err != nil {
			return err
		}
	}
	b := d.db.NewBatchWithSize(likely + likely/8) // or it grows by doubling
	defer b.Close()
	if err := d.engine.Flush(b); err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	size := b.Len()
	v := binary.BigEndian.AppendUint64(nil, d.taken)
	v = binary.BigEndian.AppendUint64(v, uint64(d.clock.Watermark))
	v = binary.BigEndian.AppendUint64(v, uint64(d.clock.Received))
	if err := errors.Join(b.Set(positionKey, v, nil), d.keepUntold(b), d.keepSources(b)); err != nil {
		return err
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	d.dirty, d.flushed = false, time.Now()
	if rows > 0 {
		d.rowBytes = size/rows + 1
	}
	d.flushing = min(max(flushEvery, workShare*d.flushed.Sub(begun)), flushMost)
	return nil
}
