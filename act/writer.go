// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"crypto/rand"
	"strconv"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// Writer writes the acts of one source into the journal. It is safe for
// concurrent use.
type Writer struct {
	j      *journal.Journal
	prefix string // of the ids it gives

	mu     sync.Mutex
	origin event.Origin
	next   uint64 // ordinal in the origin
	given  uint64 // ids
	buf    []byte
	recs   []event.Record
}

// NewWriter returns a writer for the acts of a source, whose records are those
// of a tenant (empty if it is not known).
func NewWriter(j *journal.Journal, source, tenant string) *Writer {
	w := &Writer{j: j, prefix: rand.Text() + "-"}
	w.origin = event.Origin{Tenant: tenant, Family: Family, Stream: Stream, Name: source}
	w.origin.Run = rand.Text()
	return w
}

// Write appends acts in their order, after everything that was appended to the
// journal before. It fills in what they do not say: id, time, source and tenant.
// They are copied before it returns; the commit tells when they are durable.
func (w *Writer) Write(ctx context.Context, acts ...Act) (*journal.Commit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now().UTC()
	w.buf, w.recs = w.buf[:0], w.recs[:0]
	ends := make([]int, len(acts))
	for i := range acts {
		a := acts[i]
		w.complete(&a, now, uint64(i))
		if err := a.Check(); err != nil {
			return nil, err
		}
		w.buf = a.Append(w.buf)
		ends[i] = len(w.buf)
		w.recs = append(w.recs, event.Record{ID: []byte(a.ID), Time: a.Time.UnixNano(), Received: now.UnixNano()})
	}
	start := 0
	for i, end := range ends {
		w.recs[i].Raw = w.buf[start:end:end]
		start = end
	}
	w.given += uint64(len(acts))
	return w.append(ctx)
}

func (w *Writer) complete(a *Act, now time.Time, i uint64) {
	a.ID = w.prefix + strconv.FormatUint(w.given+i, 10)
	if a.Time.IsZero() {
		a.Time = now
	}
	if a.Source == "" {
		a.Source = w.origin.Name
	}
	if a.Tenant == "" {
		a.Tenant = w.origin.Tenant
	}
}

// append hands the records to the journal. It forgets origins that others were
// opened long after: the acts go on in a new one then. An act of which that puts a
// second copy into the log keeps its id, and is known as a duplicate by it.
func (w *Writer) append(ctx context.Context) (*journal.Commit, error) {
	for again := false; ; again = true {
		for i := range w.recs {
			w.recs[i].Ordinal = w.next + uint64(i)
		}
		c, err := w.j.Append(ctx, w.origin, w.recs, nil)
		if err == nil {
			w.next += uint64(len(w.recs))
			return c, nil
		}
		w.origin.Run, w.next = rand.Text(), 0
		if again || ctx.Err() != nil || w.j.Err() != nil {
			return nil, err
		}
	}
}
