// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"database/sql"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/journal"
)

// settlement is something that was appended to the journal and that the control
// database may know of only when it is durable there.
type settlement struct {
	commits []*journal.Commit
	acts    func([]journal.Result) []act.Act      // written when the commits are durable; nil for none
	tx      func(*sql.Tx, []journal.Result) error // when the act is
	done    func()                                // when the transaction is; nil for nothing

	results []journal.Result
}

// settler settles in the order in which things were appended, many at once: while it
// waits for the disk, the next ones come.
//
// It goes on when collecting has ended, until nothing is left.
type settler struct {
	c    *Collector
	ctx  context.Context //nolint:containedctx // outlives Run's on purpose
	fail context.CancelCauseFunc
	in   chan *settlement
	quit chan struct{} // closed by stop
	over chan struct{} // closed when nothing is settled any more

	stopping atomic.Bool
}

const (
	maxUnsettled = 512 // settlements that wait
	maxGroup     = 256 // that share an act's commit and a transaction
)

// newSettler starts one. It calls fail when the journal has failed.
func newSettler(c *Collector, ctx context.Context, fail context.CancelCauseFunc) *settler {
	s := &settler{c: c, ctx: ctx, fail: fail, in: make(chan *settlement, maxUnsettled), quit: make(chan struct{}), over: make(chan struct{})}
	go s.run()
	return s
}

// add hands a settlement over. It waits while too many are on their way.
func (s *settler) add(x *settlement) {
	select {
	case s.in <- x:
	case <-s.over:
	}
}

// stop settles what there is.
func (s *settler) stop() {
	s.stopping.Store(true)
	close(s.quit)
	<-s.over
}

func (s *settler) run() {
	defer close(s.over)
	for {
		group := s.next()
		if group == nil {
			return
		}
		if err := s.settle(group); err != nil {
			// The journal has failed: what is true is known at its next Open, and
			// nothing of this group was written down as done.
			s.fail(err)
			return
		}
	}
}

// next waits for a settlement and takes those that wait behind it; nil when the
// settler is told to stop and nothing is left.
func (s *settler) next() (group []*settlement) {
	select {
	case x := <-s.in:
		group = append(group, x)
	case <-s.quit:
	}
	for len(group) < maxGroup {
		select {
		case x := <-s.in:
			group = append(group, x)
		default:
			return group
		}
	}
	return group
}

// settle waits for the records, then writes the acts and waits for them, then writes
// down that the blobs are done. If the machine dies before that, they are fetched
// again, and the journal knows every record.
func (s *settler) settle(group []*settlement) error {
	var acts []act.Act
	var size uint64 // of the journal, with all of it
	for _, x := range group {
		for _, c := range x.commits {
			r, err := c.Wait(s.ctx)
			if err != nil {
				return err
			}
			size = max(size, r.Batch+1)
			x.results = append(x.results, r)
		}
		x.commits = nil
		if x.acts != nil {
			acts = append(acts, x.acts(x.results)...)
		}
	}
	if len(acts) > 0 {
		c, err := s.c.book.Tell(s.ctx, acts...)
		if err != nil {
			return err
		}
		r, err := c.Wait(s.ctx)
		if err != nil {
			return err
		}
		size = max(size, r.Batch+1)
	}
	if err := s.write(group, size); err != nil {
		return err
	}
	for _, x := range group {
		if x.done != nil {
			x.done()
		}
	}
	return nil
}

// write makes the transaction. If the database cannot be written to, it is tried
// again for minutes: nothing is lost meanwhile, and the fetchers wait.
func (s *settler) write(group []*settlement, size uint64) error {
	for failed := 0; ; failed++ {
		err := s.c.book.Write(s.ctx, func(tx *sql.Tx) error {
			for _, x := range group {
				if err := x.tx(tx, x.results); err != nil {
					return err
				}
			}
			_, err := tx.Exec(`UPDATE collect_stream SET size = max(size, ?) WHERE tenant = ?`, int64(size), s.c.o.Tenant)
			return err
		})
		if err == nil {
			return nil
		}
		s.c.log.Error("what was collected could not be written down; it is tried again", "error", err)
		if failed >= writeTries || s.stopping.Load() {
			return err // it is in the journal: the next start fetches it again
		}
		_ = loop.Sleep(s.ctx, loop.Backoff(s.c.o.Retry, failed, 10*time.Second))
	}
}

const writeTries = 20
