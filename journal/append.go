// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// Note is a remark about one ordinal of an origin; see [layout.Note].
type Note = layout.Note

// Result says what became of the records of one Append.
type Result struct {
	Stored     int    // new records, the mutated among them
	Duplicates int    // not stored: the log has them
	Mutated    int    // stored although their id is known: the content differs
	Unreadable int    // ordinals that were no record
	Batch      uint64 // the last log entry that speaks of this Append
}

// Commit is the promise of one Append. It keeps nothing of the records in memory.
type Commit struct {
	j      *Journal
	done   <-chan struct{} // closed when the last batch that has something of it is durable
	result Result
}

// Wait returns when everything that was appended is durable, in the tree and known
// to the memory of duplicates. A journal that failed returns an error, and the
// records may or may not be in the log: append them again after the next Open.
func (c *Commit) Wait(ctx context.Context) (Result, error) {
	select {
	case <-c.done:
		return c.result, nil
	default:
	}
	select {
	case <-c.done:
		return c.result, nil
	case <-c.j.broken:
		return Result{}, c.j.Err()
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// prepared is what is computed of a record before it is Append's turn.
type prepared struct {
	sum layout.Hash
	key recordKey
}

// Append takes the next ordinals of an origin: records, and notes of kind
// [layout.Unreadable] for ordinals that were none, each list in the order of the
// ordinals and the two together without a hole. The first Append of an origin begins at
// ordinal 0. Everything is copied before it returns.
//
// It waits while the disk is behind, so that memory stays bounded. If it returns
// an error, part of the records may be in the log, and unless it failed before it
// began the origin takes no more: read it again from its beginning under a new Run. It may be called from several goroutines, for
// different origins.
func (j *Journal) Append(ctx context.Context, origin event.Origin, recs []event.Record, notes []Note) (*Commit, error) {
	origin, err := cleanOrigin(origin)
	if err != nil {
		return nil, err
	}
	prep := j.prepare(&origin, recs)
	defer j.scratch.Put(prep)
	if err := j.enter(ctx); err != nil {
		return nil, err
	}
	defer j.leave()
	a := appending{j: j, ctx: ctx, origin: origin, next: j.origins.next(origin)}
	if err := a.check(recs, notes); err != nil {
		return nil, err
	}
	if err := a.all(recs, (*prep)[:len(recs)], notes); err != nil {
		j.origins.set(origin, spoiled)
		return nil, err
	}
	j.origins.set(origin, a.next)
	a.result.Batch = a.last.Index
	j.stats.count(&a.result)
	return &Commit{j: j, done: a.last.done, result: a.result}, nil
}

// prepare does the hashing, outside of the turn so that callers do it at once.
func (j *Journal) prepare(origin *event.Origin, recs []event.Record) *[]prepared {
	prep := j.scratch.Get().(*[]prepared)
	if cap(*prep) < len(recs) {
		*prep = make([]prepared, len(recs))
	}
	*prep = (*prep)[:len(recs)]
	var k keyer
	k.origin(origin)
	for i := range recs {
		(*prep)[i] = prepared{sum: sha256.Sum256(recs[i].Raw), key: k.key(recs[i].ID, recs[i].Raw)}
	}
	return prep
}

// cleanOrigin makes the texts of an origin UTF-8, which the format demands.
func cleanOrigin(o event.Origin) (event.Origin, error) {
	family := string(o.Family)
	for _, s := range []*string{&o.Tenant, &family, &o.Stream, &o.Name, &o.Run} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
		if len(*s) > layout.MaxText {
			return o, fmt.Errorf("journal: a text of the origin has %d bytes, more than %d: shorten its name", len(*s), layout.MaxText)
		}
	}
	o.Family = event.Family(family)
	return o, nil
}

// appending is one Append at work, in its turn.
type appending struct {
	j      *Journal
	ctx    context.Context
	origin event.Origin
	next   uint64    // the ordinal that comes next
	last   *building // the batch it was last put in
	result Result
}

// check refuses input that cannot be taken as a whole, before anything is touched.
func (a *appending) check(recs []event.Record, notes []Note) error {
	next := a.next
	for len(recs)+len(notes) > 0 {
		switch {
		case len(notes) > 0 && notes[0].Ordinal == next:
			if notes[0].Kind != layout.Unreadable || len(notes[0].Text) > layout.MaxText {
				return fmt.Errorf("journal: a note of kind %.20q with %d bytes: only %q with at most %d is known",
					notes[0].Kind, len(notes[0].Text), layout.Unreadable, layout.MaxText)
			}
			notes = notes[1:]
		case len(recs) > 0 && recs[0].Ordinal == next:
			if len(recs[0].Raw) > layout.MaxRawBytes {
				return fmt.Errorf("journal: origin %.80q: record %d has %d bytes, more than %d", a.origin.Name, next, len(recs[0].Raw), layout.MaxRawBytes)
			}
			recs = recs[1:]
		default:
			return fmt.Errorf("journal: origin %.80q: ordinal %d has to come next, and is neither a record nor a note", a.origin.Name, next)
		}
		next++
	}
	return nil
}

func (a *appending) all(recs []event.Record, prep []prepared, notes []Note) error {
	if err := a.room(0, 0); err != nil {
		return err
	}
	a.last.piece(a.origin, a.next) // an origin without records leaves its trace too
	for len(recs)+len(notes) > 0 {
		if len(notes) > 0 && notes[0].Ordinal == a.next {
			if err := a.unreadable(notes[0]); err != nil {
				return err
			}
			notes = notes[1:]
			continue
		}
		if err := a.record(&recs[0], &prep[0]); err != nil {
			return err
		}
		recs, prep = recs[1:], prep[1:]
	}
	return nil
}

func (a *appending) unreadable(n Note) error {
	n.Text = strings.ToValidUTF8(n.Text, "\uFFFD")
	if err := a.room(0, len(n.Text)+len(n.Kind)); err != nil {
		return err
	}
	_, piece := a.last.piece(a.origin, a.next)
	piece.Notes = append(piece.Notes, n)
	a.last.text += len(n.Text) + len(n.Kind) + 8
	a.covered(piece)
	a.result.Unreadable++
	return nil
}

// covered moves on to the next ordinal.
func (a *appending) covered(piece *layout.Origin) {
	a.next++
	piece.End = a.next
	a.last.ordinals++
}

// record stores one record, or notes that it is a duplicate.
func (a *appending) record(r *event.Record, p *prepared) error {
	known, err := a.j.index.lookup(p.key)
	if err != nil {
		return a.j.fail(fmt.Errorf("memory of duplicates: %w", err))
	}
	of, dup, err := a.j.duplicate(a.ctx, a.origin.Family, &known, r, p)
	if err != nil {
		return err
	}
	if dup {
		if err := a.room(0, 16); err != nil {
			return err
		}
		_, piece := a.last.piece(a.origin, a.next)
		piece.Duplicates = append(piece.Duplicates, layout.Duplicate{Ordinal: a.next, Of: of})
		a.last.text += 16
		a.covered(piece)
		a.result.Duplicates++
		return nil
	}
	if err := a.room(len(r.Raw)+1, len(r.ID)); err != nil {
		return err
	}
	a.store(r, p, &known)
	return nil
}

// store puts a record into the batch, which has room for it.
func (a *appending) store(r *event.Record, p *prepared, known *versions) {
	b := a.last
	at, piece := b.piece(a.origin, a.next)
	receipt := layout.Receipt{
		Origin: at, Ordinal: a.next, Time: r.Time, Offered: r.Offered, Received: r.Received,
		RawLength: len(r.Raw), RawSum: p.sum,
	}
	if r.Time == 0 {
		receipt.Flags |= layout.TimeUnknown
	}
	if known.known {
		receipt.Flags |= layout.Mutated
		a.result.Mutated++
	}
	if len(r.ID) <= layout.MaxID {
		receipt.ID = b.copyID(r.ID)
	}
	a.j.index.remember(p.key, known.with(version{sum: [16]byte(p.sum[:16]), at: b.ID(len(b.Records))}))
	b.keys = append(b.keys, p.key)
	b.Records = append(b.Records, receipt)
	b.raw = append(b.raw, r.Raw...)
	b.ends = append(b.ends, len(b.raw))
	a.covered(piece)
	a.result.Stored++
}

// room makes sure that the batch being built takes one more ordinal, with a
// record of raw-1 bytes if raw is not 0, and text bytes of text.
func (a *appending) room(raw, text int) error {
	if err := a.j.room(a.ctx, raw, text+a.originBytes()); err != nil {
		return err
	}
	a.last = a.j.building
	return nil
}

func (a *appending) originBytes() int {
	o := &a.origin
	return len(o.Tenant) + len(o.Family) + len(o.Stream) + len(o.Name) + len(o.Run)
}

// duplicate decides whether a record is a copy of one of the known versions, and
// of which.
func (j *Journal) duplicate(ctx context.Context, f event.Family, known *versions, r *event.Record, p *prepared) (of event.ID, dup bool, err error) {
	known.all(func(v *version) bool {
		if dup = v.sum == [16]byte(p.sum[:16]) || noID(r.ID); dup { // without an id the key is the content
			of = v.at
		}
		return !dup
	})
	if dup || !known.known {
		return of, dup, nil
	}
	canon, ok := canonjson.Append(nil, j.opts.Content(f, r.Raw))
	if !ok {
		return of, false, nil
	}
	known.all(func(v *version) bool {
		var raw []byte
		if raw, err = j.stored(ctx, v.at); errors.Is(err, ErrGone) {
			err = nil // nothing to compare with: kept, as mutated
			return true
		}
		other, ok := canonjson.Append(nil, j.opts.Content(f, raw))
		if dup = err == nil && ok && bytes.Equal(canon, other); dup {
			of = v.at
		}
		return err == nil && !dup
	})
	return of, dup, err
}
