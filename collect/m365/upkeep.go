// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"database/sql"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
)

const (
	upkeepEvery = time.Second
	saveEvery   = time.Minute
	lossEvery   = 10 * time.Second

	// keepMore is how long blobs are remembered after they have expired: the
	// listing may name one a little longer than it can be had.
	keepMore    = day
	forgetRows  = 2000 // looked at in one transaction
	forgetEvery = time.Hour
	ageAfter    = hour // of a head blob that was not fetched: it goes to back-fill
	ageRows     = 1000
)

// runUpkeep does what comes round: reports, gauges, forgetting.
func (c *Collector) runUpkeep(ctx context.Context, w *loop.Watch) error {
	var saved, weighed time.Time
	forgotten := map[*stream]*forgetting{}
	for _, s := range c.streams {
		forgotten[s] = new(forgetting)
	}
	for {
		c.flush(ctx, false)
		if time.Since(weighed) >= lossEvery {
			weighed = time.Now()
			if err := c.weigh(ctx); err != nil {
				return err
			}
		}
		if time.Since(saved) >= saveEvery {
			saved = time.Now()
			for _, s := range c.streams {
				s.remember(ctx)
				if err := s.thaw(ctx); err != nil {
					return err
				}
				if err := s.relieve(ctx); err != nil {
					return err
				}
				if err := forgotten[s].step(ctx, s); err != nil {
					return err
				}
			}
			c.keep.Throttled(ctx)
		}
		w.Rest()
		if err := loop.Sleep(ctx, upkeepEvery); err != nil {
			return err
		}
		w.Beat()
	}
}

// weigh looks at how long it takes until the first loss, and sounds the alarm when less
// than half of the retention is left.
func (c *Collector) weigh(ctx context.Context) error {
	for _, s := range c.streams {
		left, err := s.timeToLoss(ctx)
		if err != nil {
			return err
		}
		near := left < c.o.Retention/2
		s.mu.Lock()
		before := s.warned
		s.warned = near
		s.mu.Unlock()
		if !near || before {
			continue
		}
		c.log.Error("content will be lost unless it is collected in time", "stream", s.name, "time_to_loss", left.Round(time.Minute))
		c.book.Say(ctx, act.Act{
			Kind: act.Alarm, Stream: s.name, Reason: "loss", Seconds: max(left.Seconds(), 0),
			Message: "the oldest content that was not fetched has passed half of the provider's retention",
		})
	}
	return nil
}

// timeToLoss is how long it takes until the first thing that waits can no longer be had:
// a blob, or a stretch that was not listed. What was offered before the first start
// does not count, for it is near its end whatever we do.
func (s *stream) timeToLoss(ctx context.Context) (time.Duration, error) {
	now := ms(s.c.up.Now())
	keeps := s.c.retention()
	s.mu.Lock()
	began := s.cur.began
	least := min(s.cur.headTo, now) + keeps // what the head has not listed
	for _, l := range s.spans {
		if l.cursor == backfill && l.stop > began {
			least = min(least, max(l.start, began)+keeps)
		}
	}
	s.mu.Unlock()
	expires, err := firstLoss(ctx, s.c.o.DB.Read(), s.id, began)
	if err != nil {
		return 0, err
	}
	if expires != 0 {
		least = min(least, expires)
	}
	return time.Duration(least-now) * time.Millisecond, nil
}

// thaw makes due what would wait for longer than anything ever has to: our clock was set
// back.
func (s *stream) thaw(ctx context.Context) error {
	now := ours()
	soon, late := now+2*blobWait.Milliseconds(), now+2*loop.AsideMost.Milliseconds()
	var n int64
	err := s.c.book.Write(ctx, func(tx *sql.Tx) (err error) {
		n, err = hasten(tx, s.id, now, soon, late)
		return err
	})
	if err != nil {
		return err
	}
	if n > 0 {
		s.c.pool.more(s, laneRetry)
		s.c.pool.more(s, laneQuarantine)
	}
	s.mu.Lock()
	for _, l := range s.spans {
		if l.due > late || l.due > soon && !l.quarantined {
			l.due = now
		}
	}
	s.mu.Unlock()
	return nil
}

// relieve gives old head blobs the order of back-fill, and gives up those that have
// expired while they were put aside.
func (s *stream) relieve(ctx context.Context) error {
	now := s.c.now()
	var moved int64
	err := s.c.book.Write(ctx, func(tx *sql.Tx) (err error) {
		moved, err = ageBlobs(tx, s.id, now-ageAfter, ageRows)
		return err
	})
	if err != nil {
		return err
	}
	if moved > 0 {
		s.c.pool.more(s, laneBackfill)
	}
	list, err := hopeless(ctx, s.c.o.DB.Read(), s.id, now-hour, 100)
	if err != nil {
		return err
	}
	for i := range list {
		s.c.pool.expire(s, &list[i])
	}
	return nil
}

// forgetting goes through what is remembered of one stream, a bounded step at a time.
type forgetting struct {
	next int64
	done time.Time
}

func (f *forgetting) step(ctx context.Context, s *stream) error {
	if time.Since(f.done) < forgetEvery {
		return nil
	}
	now := s.c.now()
	for range 50 {
		var next int64
		err := s.c.book.Write(ctx, func(tx *sql.Tx) (err error) {
			// Nothing younger can have expired, and been out of the listings.
			next, _, err = forget(tx, s.id, f.next, now-s.c.retention()-keepMore, now-keepMore, forgetRows)
			return err
		})
		if err != nil {
			return err
		}
		f.next = next
		if next == 0 {
			f.done = time.Now()
			return nil
		}
	}
	return nil
}

// flush writes the reports that are due, and where the head is that has found nothing.
func (c *Collector) flush(ctx context.Context, all bool) {
	c.book.Flush(ctx, all)
	var idle []act.Act
	for _, s := range c.streams {
		if a := s.idleAct(all); a != nil {
			idle = append(idle, *a)
		}
	}
	if len(idle) > 0 {
		c.book.Say(ctx, idle...)
	}
}
