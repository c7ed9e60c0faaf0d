// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// ImportStream is the stream of records that were given by hand.
const ImportStream = "import"

// ImportOptions say how records are to be understood.
type ImportOptions struct {
	// Source is the family of all records; empty or "auto" tells it from each.
	Source string
	// Tenant is that of records that do not say theirs.
	Tenant string
	// Note is told, in one sentence, of each record that was refused or could
	// not be read, from one goroutine; nil discards.
	Note func(text string)
	// Progress is told how many records have been taken in, now and then,
	// from one goroutine; nil discards.
	Progress func(records int64)
}

// Summary says what became of the records of an import.
type Summary struct {
	Read, Stored, Duplicates, Mutated int64
	Unparsed                          int64 // not JSON; stored as they are
	Refused                           int64 // not stored: their source could not be told
	// Detections are the alerts, new or revised, that the process has given meanwhile.
	Detections uint64
}

// Import takes records from files into the journal. The records of a file run
// through three steps, each with bounded memory:
//
//	one goroutine reads pieces      →  chunks of up to chunkBytes
//	each core identifies a chunk    →  source, tenant, id and time of each record
//	one goroutine appends in order  →  the journal
//
// It is for one goroutine.
type Import struct {
	n    *Node
	opts ImportOptions
	sum  Summary

	feeds   map[feedKey]*feed
	touched []*feed
	pending []*journal.Commit
	alerts  uint64 // that the process had given before
	last    uint64 // log entry that must be published and searchable at the end
	any     bool
}

// feedKey tells the records of a file apart: the journal wants one tenant and
// one family in an origin.
type feedKey struct {
	tenant string
	family event.Family
}

// feed is one origin of the journal, with the records of the present chunk.
type feed struct {
	origin  event.Origin
	next    uint64
	records []event.Record
}

const (
	// maxFeeds bounds the memory that a file of records from ever new tenants
	// takes; after that many, the file goes on as another reading.
	maxFeeds = 4096
	// maxPending is how many appends may be under way to disk: each keeps the
	// batch it went into in memory.
	maxPending = 16
)

// NewImport begins an import.
func (n *Node) NewImport(o ImportOptions) (*Import, error) {
	if err := CheckSource(o.Source); err != nil {
		return nil, err
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	if o.Progress == nil {
		o.Progress = func(int64) {}
	}
	return &Import{n: n, opts: o, alerts: n.DetectStats().Alerts}, nil
}

// Read takes one file in. When it returns, all that was read has been handed to
// the journal; [Import.Finish] waits until it is safe. An error says how far
// the file was read and why not further; when ctx ends, it is the context's.
func (im *Import) Read(ctx context.Context, name string, r io.Reader) error {
	im.feeds = map[feedKey]*feed{}
	run := rand.Text()
	p := startPipeline(ctx, file.Open(name, r, file.Options{}), func() func(*chunk) { return im.labeler().label })
	defer p.stop()
	for {
		c := p.next(ctx)
		if c == nil {
			return ctx.Err()
		}
		if len(im.feeds) > maxFeeds {
			im.feeds, run = map[feedKey]*feed{}, rand.Text()
		}
		// What has been read is stored also when ctx has ended.
		if err := im.take(context.WithoutCancel(ctx), c, name, run); err != nil {
			return err
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

// take appends the records of a chunk.
func (im *Import) take(ctx context.Context, c *chunk, name, run string) error {
	received := time.Now().UnixNano()
	for i := range c.pieces {
		p := &c.pieces[i]
		im.sum.Read++
		if p.note != "" {
			kept := "; kept as it is"
			if p.refused {
				kept = ""
			}
			im.opts.Note(fmt.Sprintf("%s: record %d at byte %d: %s%s", name, p.ordinal+1, p.offset, p.note, kept))
		}
		if p.refused {
			im.sum.Refused++
			continue
		}
		if p.family == event.Unreadable {
			im.sum.Unparsed++
		}
		f := im.feed(feedKey{p.tenant, p.family}, name, run)
		f.records = append(f.records, event.Record{
			Raw: c.raw[p.start:p.end], ID: c.ids[p.idStart:p.idEnd], Time: p.time, Received: received, Ordinal: f.next,
		})
		f.next++
	}
	for _, f := range im.touched {
		if err := im.append(ctx, f); err != nil {
			return err
		}
	}
	im.touched = im.touched[:0]
	im.opts.Progress(im.sum.Read)
	return nil
}

// feed returns the origin for a record and remembers that it has some.
func (im *Import) feed(k feedKey, name, run string) *feed {
	f := im.feeds[k]
	if f == nil {
		f = &feed{origin: event.Origin{Tenant: k.tenant, Family: k.family, Stream: ImportStream, Name: name, Run: run}}
		im.feeds[k] = f
	}
	if len(f.records) == 0 {
		im.touched = append(im.touched, f)
	}
	return f
}

func (im *Import) append(ctx context.Context, f *feed) error {
	im.n.pace(ctx)
	c, err := im.n.journal.Append(ctx, f.origin, f.records, nil)
	clear(f.records) // the chunk is used again
	f.records = f.records[:0]
	if err != nil {
		return im.n.failure(err)
	}
	im.pending = append(im.pending, c)
	return im.settle(ctx, maxPending)
}

// settle waits until at most that many appends are not durable.
func (im *Import) settle(ctx context.Context, most int) error {
	for len(im.pending) > most {
		r, err := im.pending[0].Wait(ctx)
		if err != nil {
			return im.n.failure(err)
		}
		im.pending = slices.Delete(im.pending, 0, 1)
		im.sum.Stored += int64(r.Stored)
		im.sum.Duplicates += int64(r.Duplicates)
		im.sum.Mutated += int64(r.Mutated)
		im.last, im.any = max(im.last, r.Batch), true
	}
	return nil
}

// Finish waits until everything that was read is durable, covered by a signed
// checkpoint, searchable and judged, and returns the sum of all files. Ending
// ctx ends the wait; what was read is durable by itself a moment later.
func (im *Import) Finish(ctx context.Context) (Summary, error) {
	if err := im.n.journal.Flush(ctx); err != nil {
		return im.sum, im.n.failure(err)
	}
	if err := im.settle(ctx, 0); err != nil || !im.any {
		return im.sum, err
	}
	if err := im.n.published(ctx, im.last); err != nil {
		return im.sum, err
	}
	upTo := event.ID{Batch: im.last + 1}
	if err := im.n.Searchable(ctx, upTo); err != nil {
		return im.sum, err
	}
	var flush sync.WaitGroup
	if im.n.role == "import" { // which ends now, and with it what is in memory alone: it can be written while the last of it is judged
		flush.Go(func() {
			if err := im.n.lake.Flush(ctx); err != nil && ctx.Err() == nil {
				im.n.log.Warn("the lake was not flushed; it is tried again at the end", "err", err)
			}
		})
	}
	err := im.n.Judged(ctx, upTo)
	flush.Wait()
	im.sum.Detections = im.n.DetectStats().Alerts - im.alerts
	return im.sum, err
}

// published waits until a signed checkpoint covers a log entry, and says why if
// that takes long: it is the witnesses then.
func (n *Node) published(ctx context.Context, index uint64) error {
	for {
		wait, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := n.journal.Published(wait, index)
		late := wait.Err() != nil && ctx.Err() == nil
		cancel()
		if !late || err == nil {
			return n.failure(err)
		}
		if err := n.journal.Err(); err != nil {
			return n.failure(err)
		}
		n.log.Warn("everything is stored; waiting for the witnesses to cosign the checkpoint", "trouble", n.journal.Stats().WitnessTrouble)
	}
}
