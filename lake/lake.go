// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/store"
)

// Options are the settings of a lake. The zero value is good for production.
type Options struct {
	// FlushRows is how many rows in memory make a flush begin; 131072 if 0.
	// Rows that arrive while a flush runs take as much memory again.
	FlushRows int
	// FlushAge is how long a row may wait in memory for its flush; 30 s if 0.
	FlushAge time.Duration
	// NoMerge leaves the segments as they were flushed.
	NoMerge bool
	// testingOnlyStep is called between the steps of a flush and a merge.
	testingOnlyStep func(step string)
	// Log is told of what goes wrong; slog.Default() if nil.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.FlushRows <= 0 {
		o.FlushRows = 131072
	}
	if o.FlushAge <= 0 {
		o.FlushAge = 30 * time.Second
	}
	if o.testingOnlyStep == nil {
		o.testingOnlyStep = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// flushBytes is the size of the rows in memory that makes a flush begin, for
// rows much longer than usual.
const flushBytes = 64 << 20

// Lake is an open lake. Its methods may be called by any number of goroutines.
type Lake struct {
	dir  string
	db   *store.DB
	opts Options
	log  *slog.Logger

	testingOnlyStep func(string)

	appending sync.Mutex // held by Append: rows come in one order
	merging   sync.Mutex // held by a merge: one at a time bounds their memory
	catalog   sync.Mutex // held while the catalog and then the memory changes: no change is made on another's half

	stop    chan struct{} // closed by Close
	wake    chan struct{} // tells the flusher to look
	tidy    chan struct{} // tells the merger to look
	workers sync.WaitGroup
	closing sync.Once

	mu       sync.Mutex
	open     *builder  // rows of the block that still grows
	active   batch     // the blocks before it, since the last flush began
	flushing *batch    // what is being written, nil if nothing is
	since    time.Time // when active and open got their oldest row; zero if none
	flushed  chan struct{}
	flushErr error // why the last attempt to flush failed, nil if it did not

	position event.ID // all before it is in segments
	appended event.ID // all before it is in segments or in memory
	segments map[int64]*Segment
	files    list.List // of the segments with an open file, the least recently used first
	nextID   int64
	stats    Stats
}

// batch is a set of blocks that are flushed together.
type batch struct {
	blocks []*Block
	rows   int
	bytes  int
	from   event.ID // the position before it
	upTo   event.ID // where the follower goes on after it

	written []*Segment // the files of the last attempt to flush
	unsure  bool       // whether the catalog names them is not known
}

func (b *batch) add(block *Block) {
	b.blocks = append(b.blocks, block)
	b.rows += block.Rows
	b.bytes += block.size()
}

// Open opens the lake in dir, usually DATA/lake, and makes it if there is none.
// db holds its catalog.
//
// Files that the catalog does not name, left by a crash, are removed. Segments
// of the catalog whose file is missing or damaged are given up as [Lake.Drop]
// does: Position is further back then, and the follower brings the rows again.
func Open(ctx context.Context, dir string, db *store.DB, opts Options) (*Lake, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("lake: %w", err)
	}
	opts = opts.withDefaults()
	l := &Lake{
		dir: dir, db: db, opts: opts, log: opts.Log, testingOnlyStep: opts.testingOnlyStep,
		stop: make(chan struct{}), wake: make(chan struct{}, 1), tidy: make(chan struct{}, 1),
		open: newBuilder(), flushed: make(chan struct{}),
	}
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	if err := l.sweep(); err != nil {
		return nil, err
	}
	l.workers.Go(l.flusher)
	if !opts.NoMerge {
		l.workers.Go(l.merger)
	}
	return l, nil
}

// Close stops the background work and returns when it has stopped. Rows that
// were not flushed are lost to the lake until the follower brings them again
// from Position; call Flush before to avoid that.
func (l *Lake) Close() error {
	l.closing.Do(func() { close(l.stop) })
	l.workers.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		s.close()
	}
	return nil
}

// errClosed is what waiters get when the lake closes.
var errClosed = errors.New("lake: closed")

// Position returns where the follower of the journal must resume after a crash:
// the rows of every record before it are in durable segments.
func (l *Lake) Position() event.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.position
}

// Appended returns where the follower goes on: every record before it is
// searchable, be it in segments or in memory.
func (l *Lake) Appended() event.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.appended
}

// appendChunk is how many rows Append adds between two moments in which a
// snapshot can be taken.
const appendChunk = 1024

// Append adds rows, which are in the journal's order, and notes that the lake
// has seen every record before upTo, also those that made no row. The rows are
// copied and are in the snapshots taken after Append returned.
//
// Rows before [Lake.Appended] are skipped: bringing the same rows again, as a
// follower does after a crash, changes nothing.
//
// Append waits while the flush of earlier rows is behind, also if it fails
// because the disk is full; [Lake.Stats] tells the reason then. An error is
// the context's, or says that the rows are out of order.
func (l *Lake) Append(ctx context.Context, rows []Row, upTo event.ID) error {
	l.appending.Lock()
	defer l.appending.Unlock()
	if err := inOrder(rows, upTo); err != nil {
		return err
	}
	for len(rows) > 0 {
		if err := l.room(ctx); err != nil {
			return err
		}
		n := min(len(rows), appendChunk)
		l.mu.Lock()
		l.add(rows[:n])
		l.mu.Unlock()
		rows = rows[n:]
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.appended.Less(upTo) {
		l.appended = upTo
		if l.since.IsZero() {
			l.since = time.Now()
		}
	}
	return nil
}

func inOrder(rows []Row, upTo event.ID) error {
	var last event.ID
	for i := range rows {
		id := rows[i].ID()
		if i > 0 && !last.Less(id) {
			return fmt.Errorf("lake: row %v comes after row %v", id, last)
		}
		last = id
	}
	if len(rows) > 0 && !last.Less(upTo) {
		return fmt.Errorf("lake: row %v is not before the position %v", last, upTo)
	}
	return nil
}

// add puts rows into the open block. The caller holds mu and has made room.
func (l *Lake) add(rows []Row) {
	for i := range rows {
		id := rows[i].ID()
		if id.Less(l.appended) {
			continue
		}
		if l.open.full() {
			l.active.add(l.open.seal())
		}
		l.open.add(&rows[i])
		l.appended = event.ID{Batch: id.Batch, Index: id.Index + 1}
	}
	if l.since.IsZero() && l.open.block.Rows > 0 {
		l.since = time.Now()
	}
}

// room returns when there is room in memory for appendChunk rows, after
// starting a flush if the memory is full and none runs.
func (l *Lake) room(ctx context.Context) error {
	for {
		l.mu.Lock()
		full := l.active.rows+l.open.block.Rows >= l.opts.FlushRows || l.active.bytes+l.open.block.size() >= flushBytes
		if full && l.flushing == nil {
			l.rotate()
			full = false
		}
		flushed := l.flushed
		l.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-flushed:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.stop:
			return errClosed
		}
	}
}

// rotate hands all rows in memory to the flusher, which must be idle. The
// caller holds mu.
func (l *Lake) rotate() {
	if l.open.block.Rows > 0 {
		l.active.add(l.open.seal())
	}
	l.active.from, l.active.upTo = l.position, l.appended
	b := l.active
	l.flushing, l.active, l.since = &b, batch{}, time.Time{}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Flush writes all rows that are in memory when it is called. It returns when
// they are durable and Position has moved, or with the reason why not; the
// rows stay in memory then, and the lake tries again by itself.
func (l *Lake) Flush(ctx context.Context) error {
	l.mu.Lock()
	want := l.appended
	l.mu.Unlock()
	for {
		l.mu.Lock()
		if !l.position.Less(want) {
			l.mu.Unlock()
			return nil
		}
		if l.flushing == nil {
			l.rotate()
		}
		flushed := l.flushed
		l.mu.Unlock()
		select {
		case <-flushed:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.stop:
			return errClosed
		}
		l.mu.Lock()
		err := l.flushErr
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// Snapshot returns the lake as it is now. The caller must Release it.
func (l *Lake) Snapshot() *Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &Snapshot{lake: l}
	if l.flushing != nil {
		s.Blocks = append(s.Blocks, l.flushing.blocks...)
	}
	s.Blocks = append(s.Blocks, l.active.blocks...)
	if l.open.block.Rows > 0 {
		s.Blocks = append(s.Blocks, l.open.view())
	}
	s.Segments = make([]*Segment, 0, len(l.segments))
	for _, seg := range l.segments {
		seg.pins++
		s.Segments = append(s.Segments, seg)
	}
	return s
}

// Stats are figures for the operator.
type Stats struct {
	Rows       int64 // in segments
	MemoryRows int64 // in memory
	Bytes      int64 // of the segments' files
	Segments   int
	Staged     int       // of the segments, those not yet sorted into days
	Oldest     time.Time // when the oldest row in memory came; zero if there is none

	Flushes int64 // since Open
	Merges  int64 // since Open
	Damaged int   // segments found damaged; Open will have them made again
	Err     error // why the last flush or merge failed; nil when it did not
}

// Stats returns the present figures.
func (l *Lake) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := l.stats
	st.Err = errors.Join(l.flushErr, st.Err)
	st.Oldest = l.since
	st.MemoryRows = int64(l.active.rows + l.open.block.Rows)
	if l.flushing != nil {
		st.MemoryRows += int64(l.flushing.rows)
	}
	for _, s := range l.segments {
		st.Rows += s.Rows
		st.Bytes += s.Bytes
		st.Segments++
		if s.Staged {
			st.Staged++
		}
		if s.damaged {
			st.Damaged++
		}
	}
	return st
}
