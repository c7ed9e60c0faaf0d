// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	stdhash "hash"
	"io"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// unreadable is the family of bytes that were delivered as a record and are none (docs/format/journal.md, section 4).
const unreadable event.Family = "daybreak-unreadable"

const (
	chunkRecords = 512
	maxCommits   = 4 // of a fetch that are not waited for; each holds a batch in memory
)

// errTooLarge is an object beyond Options.MaxObject.
var errTooLarge = &rest.Error{API: "s3", Op: "get", Message: "the object is larger than what is collected"}

// harvest is what a fetch has brought.
type harvest struct {
	run        string
	bytes      int64
	records    int // that are records
	unreadable int
	received   int64
	sum        []byte           // SHA-256 of the content, uncompressed
	etag       string           // of what was fetched
	results    []journal.Result // of appends that are durable
	commits    []*journal.Commit

	// Of a digest: what goes with the act that seals it, and with the transaction.
	message string
	acts    []act.Act
	// confirm compares it with its neighbors in the chain. It is called when no other one is being confirmed or sealed: of
	// two that contradict each other, one must see the other.
	confirm func(context.Context) error
	note    func(*sql.Tx) error
}

// content reads an object: it counts, undoes gzip, hashes, and keeps to the limit.
type content struct {
	raw     io.Reader
	w       *loop.Watch
	bytes   int64 // as stored
	text    io.Reader
	hash    stdhash.Hash
	read    int64 // of the text
	limit   int64
	err     error
	keep    *bytes.Buffer // if not nil, the text is kept too
	started bool
}

// Read reads the text.
func (r *content) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if !r.started {
		r.started = true
		head := bufio.NewReaderSize(stored{r}, 64<<10)
		r.text = head
		if b, _ := head.Peek(2); bytes.Equal(b, []byte{0x1f, 0x8b}) { // RFC 1952 section 2.3.1
			unzip, err := gzip.NewReader(head)
			if err != nil {
				r.err = err
				return 0, err
			}
			r.text = unzip
		}
	}
	n, err := r.text.Read(p)
	r.hash.Write(p[:n])
	if r.keep != nil {
		r.keep.Write(p[:n])
	}
	if r.read += int64(n); r.read > r.limit {
		err = errTooLarge
	}
	r.err = err
	return n, err
}

// stored reads the bytes of an object as the store gives them.
type stored struct{ r *content }

func (s stored) Read(p []byte) (int, error) {
	n, err := s.r.raw.Read(p)
	s.r.bytes += int64(n)
	s.r.w.Beat()
	return n, err
}

// fetch reads an object into the journal. If it returns an error, the whole records that came before it are in the journal
// too, or will be: the next try reads the object from its beginning under another Run, and they are duplicates then.
func (s *stream) fetch(ctx context.Context, w *loop.Watch, o *object) (*harvest, error) {
	c := s.c
	if o.size > c.o.MaxObject {
		return nil, errTooLarge
	}
	body, err := c.o.Upstream.Get(ctx, o.priority(), o.key, o.etag)
	w.Beat()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	src := &content{raw: body, w: w, hash: sha256.New(), limit: c.o.MaxObject}
	if s.f.Digest {
		src.limit, src.keep = min(src.limit, maxDigest), new(bytes.Buffer)
	}
	h := &harvest{run: rand.Text(), etag: body.ETag}
	a := &appender{s: s, o: o, w: w, h: h, identify: c.o.Identify(s.f.Stream), feeds: map[event.Family]*feed{}}
	if err := a.all(ctx, src); err != nil {
		return nil, err
	}
	if body.Size >= 0 && src.bytes != body.Size {
		return nil, cutShort(fmt.Errorf("%d bytes came of %d", src.bytes, body.Size))
	}
	h.bytes, h.received, h.sum = src.bytes, ms(c.o.Upstream.Now()), src.hash.Sum(nil)
	if s.f.Digest {
		if _, err := h.settle(ctx, c); err != nil { // what it says is evidence, whatever it is worth
			return nil, err
		}
		return h, s.verify(ctx, o, h, src.keep.Bytes(), body.Meta)
	}
	return h, nil
}

func cutShort(err error) error {
	return &rest.Error{API: "s3", Op: "get", Message: "the object could not be read to its end: " + rest.Line(err.Error()), Err: err}
}

// feed is one origin of the journal: the records of a family.
type feed struct {
	next    uint64
	records []event.Record
}

// appender takes the pieces of an object into the journal.
type appender struct {
	s        *stream
	o        *object
	w        *loop.Watch
	h        *harvest
	identify Identify
	feeds    map[event.Family]*feed
	order    []event.Family
	ids      []byte
	// What is unreadable once the source has ended may be the end of something that was cut. It is kept back until it is
	// known that nothing was.
	held []file.Piece
}

// all appends everything.
func (a *appender) all(ctx context.Context, src *content) error {
	r := file.Open(a.o.name(), src, file.Options{MaxRecord: a.s.c.o.MaxRecord})
	defer r.Close()
	var pieces []file.Piece
	for {
		var err error
		pieces, err = r.NextBatch(pieces, chunkRecords)
		switch {
		case src.err != nil && !errors.Is(src.err, io.EOF):
			if e := (*rest.Error)(nil); errors.As(src.err, &e) {
				return e
			}
			return cutShort(src.err)
		case errors.Is(err, io.EOF):
			return a.take(ctx, a.held)
		case err != nil:
			return cutShort(err)
		}
		if src.err != nil {
			pieces = a.hold(pieces)
		}
		if err := a.take(ctx, pieces); err != nil {
			return err
		}
	}
}

func (a *appender) hold(pieces []file.Piece) []file.Piece {
	for i := range pieces {
		if pieces[i].Unreadable == "" && len(a.held) == 0 {
			continue
		}
		for _, p := range pieces[i:] {
			p.Raw = bytes.Clone(p.Raw)
			a.held = append(a.held, p)
		}
		return pieces[:i]
	}
	return pieces
}

// take appends pieces, those of each family to an origin of its own.
func (a *appender) take(ctx context.Context, pieces []file.Piece) error {
	a.ids = a.ids[:0]
	offered, received := a.o.modified*1e6, a.s.c.o.Upstream.Now().UnixNano()
	for i := range pieces {
		rec := event.Record{Raw: pieces[i].Raw, Offered: offered, Received: received}
		family := unreadable
		if pieces[i].Unreadable == "" {
			if f, id, t, ok := a.identify(pieces[i].Raw); ok {
				from := len(a.ids)
				a.ids = append(a.ids, id...)
				family, rec.ID, rec.Time = f, a.ids[from:len(a.ids):len(a.ids)], t
			}
		}
		if family == unreadable {
			a.h.unreadable++
		} else {
			a.h.records++
		}
		f := a.feeds[family]
		if f == nil {
			f = new(feed)
			a.feeds[family] = f
			a.order = append(a.order, family)
		}
		rec.Ordinal = f.next
		f.next++
		f.records = append(f.records, rec)
	}
	for _, family := range a.order {
		f := a.feeds[family]
		if len(f.records) == 0 {
			continue
		}
		if err := a.append(ctx, family, f.records); err != nil {
			return err
		}
		clear(f.records)
		f.records = f.records[:0]
	}
	return nil
}

func (a *appender) append(ctx context.Context, family event.Family, records []event.Record) error {
	o := event.Origin{Tenant: a.s.c.o.Tenant, Family: family, Stream: a.s.f.Stream, Name: a.o.name(), Run: a.h.run}
	a.w.Rest() // the disk may be behind; that is no trouble of the fetch
	defer a.w.Beat()
	commit, err := a.s.c.book.Append(ctx, o, records)
	if err != nil {
		return err
	}
	a.h.commits = append(a.h.commits, commit)
	for len(a.h.commits) > maxCommits {
		r, err := a.s.c.book.Durable(ctx, a.h.commits[0])
		if err != nil {
			return err
		}
		a.h.results = append(a.h.results, r)
		a.h.commits = a.h.commits[1:]
	}
	return nil
}
