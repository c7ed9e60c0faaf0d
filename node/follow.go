// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// follower brings the journal's records into the lake. Batches are mapped on
// all cores and appended in their order.
type follower struct {
	n       *Node
	cancel  context.CancelFunc
	drained chan struct{} // closed when it has ended

	appending sync.Mutex // a batch to the lake

	mu    sync.Mutex
	at    event.ID      // everything before is searchable
	moved chan struct{} // closed and replaced when at or err changes
	err   error         // why it has stopped; nil while it runs and after a good end
}

// job is one batch on its way.
type job struct {
	batch *journal.Batch
	rows  *rows
	ready chan struct{}
}

// aheadBatches is how far an import may be ahead of the lake: less than what
// the journal keeps in memory for followers.
const aheadBatches = 6

func startFollower(n *Node) *follower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{n: n, cancel: cancel, drained: make(chan struct{}), at: n.lake.Appended(), moved: make(chan struct{})}
	go func() {
		defer close(f.drained)
		err := f.run(ctx)
		n.passes.end(ofLake)
		if errors.Is(err, journal.ErrClosed) || ctx.Err() != nil {
			err = nil
		}
		if err != nil {
			n.log.Error("new records are not searchable: the lake has stopped following the journal, restart to try again", "err", err)
		}
		f.move(event.ID{}, err)
	}()
	return f
}

// run reads, maps and appends until the journal is closed or ctx ends.
func (f *follower) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	order, work := make(chan *job, workers), make(chan *job, workers)
	var tasks sync.WaitGroup
	for range workers {
		tasks.Go(func() {
			w := newPasser(f.n)
			for j := range work {
				j.rows = f.n.passes.rows(w, j.batch)
				close(j.ready)
			}
		})
	}
	var readErr, appendErr error
	tasks.Go(func() {
		defer close(order)
		defer close(work)
		readErr = f.read(ctx, order, work)
	})
	for j := range order {
		<-j.ready
		if appendErr == nil {
			if appendErr = f.append(ctx, j); appendErr != nil {
				cancel() // ends the reader, and with it this loop
			}
		}
	}
	tasks.Wait()
	if appendErr != nil {
		return appendErr
	}
	return readErr
}

func (f *follower) read(ctx context.Context, order, work chan<- *job) error {
	from := f.n.journal.Follow(f.n.lake.Appended().Batch)
	for {
		b, err := from.Next(ctx)
		if err != nil {
			return err
		}
		j := &job{batch: b, ready: make(chan struct{})}
		select {
		case order <- j:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case work <- j:
		case <-ctx.Done():
			close(j.ready)
			return ctx.Err()
		}
	}
}

func (f *follower) append(ctx context.Context, j *job) error {
	if j.rows == nil {
		return ctx.Err()
	}
	f.appending.Lock()
	defer f.appending.Unlock()
	upTo := event.ID{Batch: j.batch.Index + 1}
	if err := f.n.lake.Append(ctx, j.rows.rows, upTo); err != nil {
		return fmt.Errorf("lake: %w", err)
	}
	f.n.people.take(j.batch.Index, j.rows.people)
	f.n.covered.measure(j.batch, j.rows)
	f.n.notice(j.batch, j.rows)
	f.n.sources.look(j.batch)
	f.n.metrics.mapped(len(j.rows.rows))
	f.n.drift.add(j.rows.drift)
	f.n.mappers.recycle(j.rows)
	f.move(upTo, nil)
	return nil
}

// move tells those who wait.
func (f *follower) move(at event.ID, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.at.Less(at) {
		f.at = at
	}
	if err != nil {
		f.err = err
	}
	close(f.moved)
	f.moved = make(chan struct{})
}

// state returns where the follower is, when to ask again, and why it has stopped.
func (f *follower) state() (at event.ID, moved <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at, f.moved, f.err
}

// Err returns why the follower has stopped, nil if it runs.
func (f *follower) Err() error {
	_, _, err := f.state()
	return err
}

// drainTime is how long a stopping process maps on what the journal holds. The
// next start maps the rest.
const drainTime = 5 * time.Second

// stop ends the follower; the journal is closed.
func (f *follower) stop() {
	select {
	case <-f.drained:
	case <-time.After(drainTime):
	}
	f.cancel()
	<-f.drained
}

// Searchable waits until every record before upTo can be found.
func (n *Node) Searchable(ctx context.Context, upTo event.ID) error {
	for {
		at, moved, err := n.follow.state()
		switch {
		case !at.Less(upTo):
			return nil
		case err != nil:
			return fmt.Errorf("the records are stored, but not searchable: %w", err)
		}
		select {
		case <-moved:
		case <-n.follow.drained:
			return ErrStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pace waits while the lake or detection is far behind the journal, as long as it moves.
func (n *Node) pace(ctx context.Context) {
	n.pacedBy(ctx, n.detector.pace, n.detector.ended())
	n.pacedBy(ctx, func() (uint64, <-chan struct{}, error) {
		at, moved, err := n.follow.state()
		return at.Batch, moved, err
	}, n.follow.drained)
}

// pacedBy waits for one follower.
func (n *Node) pacedBy(ctx context.Context, state func() (uint64, <-chan struct{}, error), ended <-chan struct{}) {
	for {
		at, moved, err := state()
		if err != nil || n.journal.Size() <= at+aheadBatches {
			return
		}
		select {
		case <-moved:
		case <-time.After(200 * time.Millisecond):
			if at >= n.journal.End() {
				return
			}
		case <-ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// CatchUp waits until the lake has everything that was in the journal when it
// was called, and reports on the way: batches done and to be done, rows.
func (n *Node) CatchUp(ctx context.Context, report func(done, total, rows int64)) error {
	total := n.journal.End()
	for {
		at, moved, err := n.follow.state()
		st := n.lake.Stats()
		report(int64(at.Batch), int64(total), st.Rows+st.MemoryRows)
		if err != nil {
			return err
		}
		if at.Batch >= total {
			return n.lake.Flush(ctx)
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Behind reports whether the journal holds a batch that is not searchable yet.
func (n *Node) Behind() bool {
	at, _, _ := n.follow.state()
	return at.Batch < n.journal.End()
}
