// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/journal"
)

// ahead is how many items of a partition may be in the journal's hands before it has said of the first that it is durable. A
// partition whose every item waited for the disk would give one a commit, however fast the disk is.
const ahead = 8

// batch is what was appended of an item.
type batch struct {
	gaps  []act.Act // in front of it
	parts []appended
	place place // the position behind it; first is of its first message

	settled chan struct{} // if not nil, that is all there is: closed when all before counts
}

// appended is a part that the journal has been given.
type appended struct {
	act     act.Act // without what the journal says
	commits []counted
}

type counted struct {
	*journal.Commit
	counts bool // records, and not what is none
}

// pending are the batches of a partition, in the order of their offsets.
type pending struct {
	batches chan batch
	over    chan struct{} // closed when nobody confirms any more
	err     error         // why, once over is closed
}

// put hands a batch over; it waits while there are many.
func (q *pending) put(ctx context.Context, b batch) error {
	select {
	case q.batches <- b:
		return nil
	case <-q.over:
		return q.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settled waits until all that was put counts.
func (q *pending) settled(ctx context.Context) error {
	done := make(chan struct{})
	if err := q.put(ctx, batch{settled: done}); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-q.over:
		return q.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// confirmed runs work, and beside it confirms what work puts. When one of them fails, both end. What was put counts also when
// collecting ends, if the journal takes no longer than a farewell may.
func (p *partition) confirmed(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.pending = pending{batches: make(chan batch, ahead), over: make(chan struct{})}
	go func() {
		defer close(p.pending.over)
		late, end := context.WithCancel(context.WithoutCancel(ctx))
		defer end()
		defer context.AfterFunc(ctx, func() { time.AfterFunc(farewell, end) })()
		if p.pending.err = loop.Contain(func() error { return p.confirm(late) }); p.pending.err != nil {
			cancel()
		}
	}()
	err := loop.Contain(func() error { return work(ctx) })
	close(p.pending.batches)
	<-p.pending.over
	if p.pending.err != nil {
		p.s.c.log.Warn("a position stays behind what was read, which is read again", "stream", p.s.topic.Stream, "partition", p.number, "error", p.pending.err)
		return p.pending.err
	}
	return err
}

// told is a position that counts when a commit is durable.
type told struct {
	commit *journal.Commit
	place  place
}

// confirm waits for batches, tells of them when they are durable, and moves the position when that is, too. What is there by then
// is told of together: so a partition gives more than one item a commit. An act is waited for when the next batches are durable,
// or nothing else is to be done.
func (p *partition) confirm(ctx context.Context) error {
	var last *told
	settle := func() error {
		if last == nil {
			return nil
		}
		t := last
		last = nil
		if _, err := p.s.c.book.Durable(ctx, t.commit); err != nil {
			return &ours{err}
		}
		p.s.alter(func() {
			t.place.readTo = max(t.place.readTo, p.place.readTo)
			p.place, p.dirty, p.moved = t.place, true, time.Now()
		})
		return nil
	}
	q := p.pending.batches
	for {
		if len(q) == 0 {
			if err := settle(); err != nil {
				return err
			}
		}
		b, more := <-q
		if !more {
			return settle()
		}
		list := []batch{b}
		for len(q) > 0 && list[len(list)-1].settled == nil {
			if b, more = <-q; more {
				list = append(list, b)
			}
		}
		end := list[len(list)-1].settled
		if end != nil {
			list = list[:len(list)-1]
		}
		acts, stored, err := p.durable(ctx, list)
		if err != nil {
			return err
		}
		if err := settle(); err != nil {
			return err
		}
		if len(list) > 0 {
			place := list[len(list)-1].place
			place.first = list[0].place.first
			if last, err = p.tell(ctx, acts, place, stored); err != nil {
				return err
			}
		}
		if end != nil {
			if err := settle(); err != nil {
				return err
			}
			close(end)
		}
	}
}

// durable waits for what was appended, and returns its acts.
func (p *partition) durable(ctx context.Context, list []batch) (acts []act.Act, stored int, err error) {
	for _, b := range list {
		acts = append(acts, b.gaps...)
		for _, part := range b.parts {
			a := part.act
			for _, c := range part.commits {
				r, err := p.s.c.book.Durable(ctx, c.Commit)
				if err != nil {
					return nil, 0, &ours{err}
				}
				if c.counts {
					a.Stored += r.Stored
					a.Duplicates += r.Duplicates
					a.Mutated += r.Mutated
				}
			}
			stored += a.Stored
			acts = append(acts, a)
		}
	}
	return acts, stored, nil
}

// tell writes the acts of what is durable, behind which a place is.
func (p *partition) tell(ctx context.Context, acts []act.Act, behind place, stored int) (*told, error) {
	commit, err := p.s.c.book.Tell(ctx, acts...)
	if err != nil {
		return nil, &ours{err}
	}
	p.s.alter(func() {
		behind.whole = p.place.whole
		if p.place.first != 0 {
			behind.first = p.place.first
		}
		p.s.stored += stored
		p.moved = time.Now()
	})
	return &told{commit, behind}, nil
}
