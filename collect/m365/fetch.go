// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

const (
	chunkRecords = 512 // in one append
	maxCommits   = 4   // of a fetch that are not waited for; each holds a batch in memory

	// blobTries failures put a blob aside, if others of its stream could be had
	// meanwhile or it has failed for lonelyTime.
	blobTries  = 8
	lonelyTime = time.Hour
	blobWait   = 5 * time.Minute // at most, between two tries before that
)

// scratch is the memory of one fetcher.
type scratch struct {
	identify func(raw []byte) (id []byte, time int64, ok bool)
	pieces   []file.Piece
	records  []event.Record
	refused  []event.Record
	notes    []journal.Note
	ids      []byte
}

// harvest is what a fetch has brought.
type harvest struct {
	run        string
	bytes      int64
	records    int // that are records
	unreadable int
	received   int64
	results    []journal.Result // of appends that are durable
	commits    []*journal.Commit
}

// source knows how its reader has ended, and that it begins as an array does: this
// package does not rely on who else looks at that.
type source struct {
	r     io.Reader
	w     *loop.Watch
	bytes int64
	began bool
	err   error
}

func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.bytes += int64(n)
	s.w.Beat()
	s.err = err
	if !s.began && (n > 0 || err == io.EOF) {
		text := bytes.TrimPrefix(bytes.TrimLeft(p[:n], " \t\r\n"), []byte("\xef\xbb\xbf"))
		switch {
		case len(text) > 0 && text[0] == '[':
			s.began = true
		case len(text) > 0 || err == io.EOF:
			s.err = &provider.Error{Op: "fetch", Class: provider.ClassRetry, Message: "the answer is not a JSON array"}
			return 0, s.err
		}
	}
	return n, err
}

// fetch reads a blob into the journal. If it returns an error, the whole records that
// came before it are in the journal too, or will be: the next try reads the blob from its
// beginning under another Run, and they are duplicates then.
func (c *Collector) fetch(ctx context.Context, j *job, sc *scratch, p provider.Priority) (*harvest, error) {
	b := &j.blob
	body, err := c.up.Fetch(ctx, p, provider.Blob{ContentType: j.s.name, ID: b.content, URI: b.uri, Created: at(b.created), Expires: at(b.expires)})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	src := &source{r: body, w: j.w}
	r := file.Open(b.name(), src, file.Options{MaxRecord: c.o.MaxRecord, Blob: true})
	defer r.Close()
	h := &harvest{run: rand.Text()}
	a := appender{c: c, j: j, sc: sc, h: h}
	for {
		sc.pieces, err = r.NextBatch(sc.pieces, chunkRecords)
		if err != nil {
			break
		}
		if err := a.take(ctx, sc.pieces, src.err); err != nil {
			return h, err
		}
	}
	h.bytes, h.received = src.bytes, ms(c.up.Now())
	switch {
	case src.err != nil && !errors.Is(src.err, io.EOF):
		return h, src.err
	case !errors.Is(err, io.EOF):
		return h, &provider.Error{Op: "fetch", Class: provider.ClassRetry, Message: "the blob is no whole array of records: " + err.Error()}
	}
	return h, a.finish(ctx)
}

// appender takes the pieces of a blob into the journal.
type appender struct {
	c  *Collector
	j  *job
	sc *scratch
	h  *harvest

	began   bool
	strange uint64 // ordinals in the origin of what is unreadable

	// Once the source has ended, what is unreadable may be the end of something that
	// was cut. It is kept back until it is known that nothing was, and so is all after.
	held    []file.Piece
	ignored bool
}

// take appends pieces; ended is how the source has ended, if it has.
func (a *appender) take(ctx context.Context, pieces []file.Piece, ended error) error {
	if ended != nil {
		for i := range pieces {
			if pieces[i].Unreadable == "" && len(a.held) == 0 && !a.ignored {
				continue
			}
			a.hold(pieces[i:], ended)
			pieces = pieces[:i]
			break
		}
	}
	return a.append(ctx, pieces)
}

func (a *appender) hold(pieces []file.Piece, ended error) {
	if a.ignored = !errors.Is(ended, io.EOF); a.ignored {
		return // the transfer has failed: the rest comes with the next try
	}
	for _, p := range pieces {
		p.Raw = append([]byte(nil), p.Raw...)
		a.held = append(a.held, p)
	}
}

// finish appends what was kept back: the blob has ended as it should.
func (a *appender) finish(ctx context.Context) error {
	if err := a.append(ctx, a.held); err != nil {
		return err
	}
	if a.began {
		return nil
	}
	return a.origin(ctx, Family, nil, nil) // an empty blob leaves its trace too
}

func (a *appender) append(ctx context.Context, pieces []file.Piece) error {
	if len(pieces) == 0 {
		return nil
	}
	sc, b := a.sc, &a.j.blob
	sc.records, sc.refused, sc.notes, sc.ids = sc.records[:0], sc.refused[:0], sc.notes[:0], sc.ids[:0]
	offered, received := b.created*int64(time.Millisecond), a.c.up.Now().UnixNano()
	for i := range pieces {
		p := &pieces[i]
		rec := event.Record{Raw: p.Raw, Offered: offered, Received: received, Ordinal: p.Ordinal}
		why := p.Unreadable
		if why == "" {
			id, t, ok := sc.identify(p.Raw)
			if ok {
				from := len(sc.ids)
				sc.ids = append(sc.ids, id...)
				rec.ID, rec.Time = sc.ids[from:len(sc.ids):len(sc.ids)], t
				sc.records = append(sc.records, rec)
				continue
			}
			why = "not valid JSON"
		}
		// The place in the array is accounted for by a note, and the bytes are kept
		// in an origin of their own, as the journal's format says.
		sc.notes = append(sc.notes, journal.Note{Ordinal: p.Ordinal, Kind: layout.Unreadable, Text: why})
		rec.Ordinal = a.strange
		a.strange++
		sc.refused = append(sc.refused, rec)
	}
	a.h.records += len(sc.records)
	a.h.unreadable += len(sc.notes)
	a.began = true
	if err := a.origin(ctx, Family, sc.records, sc.notes); err != nil || len(sc.refused) == 0 {
		return err
	}
	commit, err := a.send(ctx, event.Unreadable, sc.refused, nil)
	if err != nil {
		return err
	}
	r, err := commit.Wait(ctx) // rare enough to be waited for
	a.h.results = append(a.h.results, journal.Result{Batch: r.Batch})
	return err
}

// send appends to one of the blob's origins.
func (a *appender) send(ctx context.Context, f event.Family, recs []event.Record, notes []journal.Note) (*journal.Commit, error) {
	o := event.Origin{Tenant: a.c.o.Tenant, Family: f, Stream: a.j.s.name, Name: a.j.blob.name(), Run: a.h.run}
	a.j.w.Rest() // the disk may be behind; that is no trouble of the fetch
	defer a.j.w.Beat()
	return a.c.book.Append(ctx, o, recs, notes...)
}

// origin appends to the origin of the records, and waits for the oldest appends so that
// only a few are under way.
func (a *appender) origin(ctx context.Context, f event.Family, recs []event.Record, notes []journal.Note) error {
	commit, err := a.send(ctx, f, recs, notes)
	if err != nil {
		return err
	}
	a.h.commits = append(a.h.commits, commit)
	for len(a.h.commits) > maxCommits {
		r, err := a.h.commits[0].Wait(ctx)
		if err != nil {
			return err
		}
		a.h.results = append(a.h.results, r)
		a.h.commits = a.h.commits[1:]
	}
	return nil
}

// sum adds up what became of the records of a blob.
func (h *harvest) sum(results []journal.Result) (sum journal.Result) {
	for _, list := range [][]journal.Result{h.results, results} {
		for _, r := range list {
			sum.Stored += r.Stored
			sum.Duplicates += r.Duplicates
			sum.Mutated += r.Mutated
			sum.Batch = max(sum.Batch, r.Batch)
		}
	}
	return sum
}

// outcome settles a fetch, well or ill.
func (p *pool) outcome(ctx context.Context, j *job, h *harvest, err error) {
	if err == nil {
		p.count(j, false)
		p.sealed(j, h)
		return
	}
	if jerr := p.c.o.Journal.Err(); jerr != nil {
		p.c.settler.fail(jerr)
		p.putBack(j)
		return
	}
	p.count(j, true)
	p.c.book.Failed(ctx, &j.s.trouble, "fetch", err)
	var panic *loop.Panicked
	if errors.As(err, &panic) {
		p.c.log.Error("a fetch has panicked", "stream", j.s.name, "blob", j.blob.name(), "panic", panic.Value, "stack", string(panic.Stack))
	}
	p.ill(j, err)
}

// sealed settles a blob that is in the journal with all its records.
func (p *pool) sealed(j *job, h *harvest) {
	j.s.mu.Lock()
	j.s.got = time.Now()
	j.s.mu.Unlock()
	b := j.blob
	filled := b.lane == laneQuarantine
	blob := b.act()
	x := &settlement{
		commits: h.commits,
		acts: func(results []journal.Result) []act.Act {
			sum := h.sum(results)
			acts := []act.Act{{
				Kind: act.Sealed, Stream: j.s.name, Blob: &blob, Run: h.run, Bytes: h.bytes, Records: h.records, Unreadable: h.unreadable,
				Stored: sum.Stored, Duplicates: sum.Duplicates, Mutated: sum.Mutated, Attempts: b.attempts + 1, Received: at(h.received),
			}}
			if filled {
				acts = append(acts, act.Act{Kind: act.Filled, Stream: j.s.name, Blob: &blob, Attempts: b.attempts + 1, Reason: act.Quarantined})
			}
			return acts
		},
		tx:   func(tx *sql.Tx, _ []journal.Result) error { return finishBlob(tx, &b) },
		done: func() { p.settled(j) },
	}
	p.c.settler.add(x)
}

// ill settles a failure: the blob waits, is put aside, or is given up.
func (p *pool) ill(j *job, cause error) {
	b := j.blob
	x := &settlement{done: func() { p.settled(j) }}
	defer p.c.settler.add(x)
	e := rest.Of(cause)
	if e.Class == provider.ClassExpired {
		p.giveUp(x, j, act.Expired, cause)
		return
	}
	due := ours()
	if b.failing == 0 {
		b.failing = due
	}
	if e.Class == provider.ClassDisabled {
		loop.Poke(p.c.hello)
	}
	if e.Unasked() || e.Everybodys() && !p.othersWork(j, &b) {
		due += loop.Backoff(p.c.o.Retry, 4, blobWait).Milliseconds()
	} else {
		b.attempts++
		due += loop.Backoff(p.c.o.Retry, b.attempts-1, blobWait).Milliseconds()
	}
	switch {
	case b.lane == laneQuarantine:
		due = ours() + loop.Aside(p.c.o.Retry, b.attempts-blobTries).Milliseconds()
	case b.attempts >= blobTries && p.alone(j, &b):
		b.lane = laneQuarantine
		due = ours() + loop.Aside(p.c.o.Retry, 0).Milliseconds()
		reason := act.Quarantined
		if e.Class == provider.ClassMissing {
			reason = act.Missing
		}
		x.acts = one(gapOf(j.s, &b, reason, false, cause))
		p.c.log.Warn("a blob that cannot be fetched is put aside", "stream", j.s.name, "blob", b.name(), "error", cause)
	default:
		b.lane = laneRetry
	}
	x.tx = func(tx *sql.Tx, _ []journal.Result) error { return delayBlob(tx, &b, due) }
	x.done = func() {
		p.later(j.s, b.lane, due)
		p.settled(j)
	}
}

// alone reports whether it is the blob that fails, and not everything.
func (p *pool) alone(j *job, b *blob) bool {
	return p.othersWork(j, b) || time.Since(time.UnixMilli(b.failing)) > lonelyTime
}

// othersWork reports whether others of the stream could be had since a blob has failed.
func (p *pool) othersWork(j *job, b *blob) bool {
	j.s.mu.Lock()
	defer j.s.mu.Unlock()
	return j.s.got.After(time.UnixMilli(b.failing))
}

// giveUp settles a blob that nobody can have any more.
func (p *pool) giveUp(x *settlement, j *job, reason string, cause error) {
	b := j.blob
	x.acts = one(gapOf(j.s, &b, reason, true, cause))
	x.tx = func(tx *sql.Tx, _ []journal.Result) error { return finishBlob(tx, &b) }
	p.c.log.Error("a blob is lost", "stream", j.s.name, "blob", b.name(), "created", at(b.created), "error", cause)
}

// expire gives up a blob that was put aside and has expired since.
func (p *pool) expire(s *stream, b *blob) {
	j := &job{blob: *b, s: s, w: loop.NewWatch()}
	p.mu.Lock()
	_, taken := p.jobs[b.id]
	if !taken {
		j.ended.Store(true)
		p.jobs[b.id] = j
	}
	p.mu.Unlock()
	if taken {
		return
	}
	x := &settlement{done: func() { p.settled(j) }}
	p.giveUp(x, j, act.Expired, nil)
	p.c.settler.add(x)
}

func one(a act.Act) func([]journal.Result) []act.Act {
	return func([]journal.Result) []act.Act { return []act.Act{a} }
}

func gapOf(s *stream, b *blob, reason string, permanent bool, cause error) act.Act {
	blob := b.act()
	a := act.Act{Kind: act.Gap, Stream: s.name, Blob: &blob, Reason: reason, Permanent: permanent, Attempts: b.attempts}
	if cause != nil {
		a.Code, a.Status, a.Message = rest.Of(cause).Code, max(rest.Of(cause).Status, 0), rest.Sentence(cause)
	} else {
		a.Message = fmt.Sprintf("the blob expired at %s and could not be fetched before", at(b.expires).Format(time.RFC3339))
	}
	return a
}
