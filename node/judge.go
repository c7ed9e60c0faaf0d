// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
)

// view makes the OCSF event that rules see of a record. It is for one goroutine.
type view struct {
	normalizer normalize.Normalizer
	enricher   *enrich.Enricher // nil: addresses stay addresses
	out        []byte
}

func (v *view) json(raw []byte, root jsontape.Value, family event.Family) []byte {
	e := v.normalizer.Parsed(raw, root, family)
	if v.enricher != nil {
		v.enricher.Apply(e)
	}
	v.out = e.AppendJSON(v.out[:0])
	return v.out
}

// Trial judges files of records by a book, without a data directory: all that is in them is one
// stretch of event time, whatever its order.
type Trial struct {
	book    *detect.Book
	engine  *detect.Engine
	db      *pebble.DB
	records uint64
	refused int64
	source  *enrich.Source
}

// NewTrial begins one. databases are those of addresses, if there are any.
func NewTrial(b *detect.Book, databases []string) (*Trial, error) {
	t := &Trial{book: b}
	if len(databases) > 0 {
		t.source = new(enrich.Source)
		if err := t.source.Load(databases...); err != nil {
			return nil, err
		}
	}
	var err error
	if t.db, err = pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}}); err != nil {
		return nil, err
	}
	t.engine = detect.NewEngine(b, t.db)
	return t, nil
}

// Refused is how many records were not judged, because their source could not be told.
func (t *Trial) Refused() int64 { return t.refused }

// Read judges the records of one file. Alerts of single records go to out as they come; a
// reference's ID.Index is the number of the record, from 1, over all files.
func (t *Trial) Read(ctx context.Context, source, name string, r io.Reader, note func(string), out func(*detect.Alert) error) error {
	p := startPipeline(ctx, file.Open(name, r, file.Options{}), func() func(*chunk) {
		w := &judging{id: NewIdentifier(source)}
		v := new(view)
		if t.source != nil {
			v.enricher = enrich.New(t.source)
		}
		w.judge = t.book.NewJudge(v.json)
		return w.chunk
	})
	defer p.stop()
	for {
		c := p.next(ctx)
		if c == nil {
			return ctx.Err()
		}
		for i := range c.pieces {
			q := &c.pieces[i]
			t.records++
			if q.note != "" {
				note(fmt.Sprintf("%s: record %d at byte %d: %s", name, q.ordinal+1, q.offset, q.note))
			}
			if q.refused {
				t.refused++
			}
			if len(q.found) == 0 {
				continue
			}
			ref := correlate.Ref{ID: event.ID{Index: uint32(t.records)}, Key: q.key, Time: q.time}
			t.engine.Take(ref, q.tenant, q.found)
			if err := t.drain(out); err != nil {
				return err
			}
		}
		if c.err != nil {
			if errors.Is(c.err, io.EOF) {
				return nil
			}
			return c.err
		}
		p.free <- c
	}
}

// Finish ends the stretch: what waits for its end is judged.
func (t *Trial) Finish(out func(*detect.Alert) error) error {
	defer t.db.Close()
	t.engine.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
	return t.drain(out)
}

func (t *Trial) drain(out func(*detect.Alert) error) error {
	alerts := t.engine.Alerts()
	for i := range alerts {
		if err := out(&alerts[i]); err != nil {
			return err
		}
	}
	return nil
}

// judging judges the records of chunks.
type judging struct {
	id    *Identifier
	judge *detect.Judge
}

func (w *judging) chunk(c *chunk) {
	for i := range c.pieces {
		p := &c.pieces[i]
		p.found = nil
		if p.family == event.Unreadable {
			continue
		}
		raw := c.raw[p.start:p.end]
		s, root, why, parsed := w.id.Source(raw)
		if s == nil {
			p.note, p.refused = why, parsed
			continue
		}
		p.family = s.Family
		if p.found = w.judge.Record(raw, s.Family, nil); len(p.found) == 0 {
			continue
		}
		known := s.Identify(root)
		p.time, p.tenant = known.Time, string(known.Tenant)
		family, id := normalize.Activity(root, s.Family, known.ID)
		p.key = detect.KeyOf(p.tenant, family, id, raw)
	}
}

// View returns what makes the OCSF event of a record for rules, without databases of addresses.
func View() detect.View { return new(view).json }
