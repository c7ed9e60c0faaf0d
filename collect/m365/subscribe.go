// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"database/sql"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// startEvery is the least time between two starts of a subscription, as the
// documentation asks.
const startEvery = 15 * minute

// startAgain is how soon a start is asked for again that failed on its way: what is
// offered without a subscription is lost.
const startAgain = minute

// runSubscriptions looks after the subscriptions. It never stops one: content from
// between a stop and a later start does not exist.
func (c *Collector) runSubscriptions(ctx context.Context, w *loop.Watch) error {
	for failed := 0; ; {
		begun := time.Now()
		wait := loop.Jitter(c.o.Check)
		if err := c.subscribe(ctx); err != nil {
			if fatal(ctx, err) {
				return err
			}
			c.book.Failed(ctx, nil, "subscriptions", err)
			wait = min(wait, loop.Backoff(c.o.Retry, failed, refusedWait))
			failed++
		} else {
			failed = 0
		}
		w.Rest()
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-c.hello:
			// At most so often, however many listings ask for it.
			_ = loop.Sleep(ctx, time.Until(begun.Add(min(10*c.o.Retry, c.o.Check))))
		}
		t.Stop()
		w.Beat()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// subscribe starts what is missing.
func (c *Collector) subscribe(ctx context.Context) error {
	list, err := c.up.Subscriptions(ctx, budget.Head)
	if err != nil {
		return err
	}
	for _, s := range c.streams {
		var found *provider.Subscription
		for i := range list {
			if list[i].ContentType == s.name {
				found = &list[i]
			}
		}
		on := found != nil && found.Enabled()
		if on {
			if err := s.subscribed(ctx, "enabled"); err != nil {
				return err
			}
			if c.o.Webhook == nil || hooked(found.Webhook, c.o.Webhook) {
				continue
			}
		} else if err := s.unsubscribed(ctx, found); err != nil {
			return err
		}
		begun := time.Now()
		if err := s.start(ctx, on); err != nil {
			if ctx.Err() != nil {
				return err
			}
			s.blame(ctx, "start", begun, err)
		}
	}
	return nil
}

// hooked reports whether a subscription's webhook is ours and works. A list that does
// not say the AuthID is believed to mean ours.
func hooked(is, want *provider.Webhook) bool {
	return is != nil && is.Address == want.Address && (is.Status == "" || is.Status == "enabled") &&
		(is.AuthID.Empty() || is.AuthID.Reveal() == want.AuthID.Reveal())
}

// unreached is the code of a start whose webhook did not answer the provider.
const unreached = "AF20021"

// start asks for a subscription, or for its webhook if it is on, unless it did so a short
// while ago.
func (s *stream) start(ctx context.Context, on bool) error {
	now := s.c.now()
	s.mu.Lock()
	soon := s.cur.asked != 0 && now-s.cur.asked < startEvery && now >= s.cur.asked
	s.mu.Unlock()
	if soon {
		return nil
	}
	// Written down first: who dies in between must not ask again at once.
	if err := s.c.book.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE collect_stream SET asked = ? WHERE id = ?`, now, s.id)
		return err
	}); err != nil {
		return err
	}
	s.mu.Lock()
	s.cur.asked = now
	s.mu.Unlock()
	sub, err := s.c.up.Start(ctx, budget.Head, s.name, s.c.o.Webhook)
	if rest.Of(err).Code == unreached {
		// The webhook is a hint, and without a subscription nothing is offered.
		s.c.book.Failed(ctx, &s.trouble, "webhook", err)
		if on {
			return nil
		}
		sub, err = s.c.up.Start(ctx, budget.Head, s.name, nil)
	}
	if err != nil {
		if rest.Of(err).Class == provider.ClassRetry {
			s.mu.Lock()
			s.cur.asked = now - startEvery + startAgain
			s.mu.Unlock()
		}
		return err
	}
	if !sub.Enabled() {
		return nil
	}
	s.c.log.Info("the subscription was started", "stream", s.name)
	return s.subscribed(ctx, "started")
}

// subscribed notes that a subscription is enabled. If it was not for a while, what was
// offered meanwhile does not exist: a gap for good.
func (s *stream) subscribed(ctx context.Context, how string) error {
	now := s.c.now()
	s.mu.Lock()
	before, blind, was := s.cur.enabled, s.cur.blind, s.disabled
	s.mu.Unlock()
	var acts []act.Act
	if was || before == 0 {
		acts = append(acts, act.Act{Kind: act.Subscription, Stream: s.name, Reason: how, At: at(now)})
	}
	if blind != 0 {
		acts = append(acts, act.Act{
			Kind: act.Gap, Stream: s.name, From: at(blind), To: at(now), Permanent: true, Reason: act.Disabled,
			Message: "the subscription was off at some time in here, and the provider keeps nothing for that time",
		})
	}
	if err := s.witnessed(ctx, acts); err != nil {
		return err
	}
	err := s.c.book.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE collect_stream SET enabled = ?, blind = 0 WHERE id = ?`, now, s.id)
		return err
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.cur.enabled, s.cur.blind, s.disabled = now, 0, false
	s.mu.Unlock()
	loop.Poke(s.wake)
	return nil
}

// unsubscribed notes that a subscription is off. If it was on before, somebody has
// blinded us.
func (s *stream) unsubscribed(ctx context.Context, found *provider.Subscription) error {
	s.mu.Lock()
	before, was := s.cur.enabled, s.disabled
	s.mu.Unlock()
	if was {
		return nil
	}
	if before != 0 {
		how := "gone"
		if found != nil {
			how = "disabled"
		}
		now := at(s.c.now())
		err := s.witnessed(ctx, []act.Act{
			{Kind: act.Subscription, Stream: s.name, Reason: how, From: at(before), At: now},
			{Kind: act.Alarm, Stream: s.name, Reason: act.Disabled, From: at(before), At: now, Message: "somebody has switched the subscription off: find out who and why; it is started again"},
		})
		if err != nil {
			return err
		}
		s.c.log.Error("somebody has switched a subscription off; it is started again", "stream", s.name, "last_seen", at(before))
		// Written down: who dies now must still tell of the gap once it is on again.
		if err := s.c.book.Write(ctx, func(tx *sql.Tx) error {
			_, err := tx.Exec(`UPDATE collect_stream SET blind = ? WHERE id = ? AND blind = 0`, before, s.id)
			return err
		}); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.disabled = true
	if s.cur.blind == 0 {
		s.cur.blind = before
	}
	s.mu.Unlock()
	return nil
}

// witnessed writes acts and waits until they are durable.
func (s *stream) witnessed(ctx context.Context, acts []act.Act) error {
	if len(acts) == 0 {
		return nil
	}
	c, err := s.c.book.Tell(ctx, acts...)
	if err != nil {
		return err
	}
	_, err = c.Wait(ctx)
	return err
}

// blame notes a failure of what was begun then, and reports whether it is that of the stream,
// the token or the provider as a whole, and not of what was asked for.
func (s *stream) blame(ctx context.Context, during string, begun time.Time, err error) bool {
	s.c.book.Failed(ctx, &s.trouble, during, err)
	e := rest.Of(err)
	switch e.Class {
	case provider.ClassDisabled:
		loop.Poke(s.c.hello)
	case provider.ClassAdmin, provider.ClassAuth:
		if err := s.refused(ctx, begun, err); err != nil && ctx.Err() == nil {
			s.c.log.Error("a refusal could not be written down", "stream", s.name, "error", err)
		}
	}
	return e.Everybodys()
}

// refused notes that a permission is missing: the stream is not collected, the others
// go on, and it is tried again. What was begun before the head has worked is no news: it may be
// there again since.
func (s *stream) refused(ctx context.Context, begun time.Time, cause error) error {
	s.verdict.Lock()
	defer s.verdict.Unlock()
	s.mu.Lock()
	from, known := s.cur.headTo, s.cur.refused != 0 || s.heard.After(begun)
	s.mu.Unlock()
	if known {
		return nil
	}
	err := s.witnessed(ctx, []act.Act{
		{Kind: act.Gap, Stream: s.name, From: at(from), To: at(s.c.now()), Reason: act.Permission, Code: rest.Of(cause).Code, Status: max(rest.Of(cause).Status, 0), Message: rest.Sentence(cause)},
		{Kind: act.Alarm, Stream: s.name, Reason: act.Permission, Code: rest.Of(cause).Code, Status: max(rest.Of(cause).Status, 0), Message: rest.Sentence(cause)},
	})
	if err != nil {
		return err
	}
	s.c.log.Error("the stream is not collected: a permission is missing", "stream", s.name, "error", cause)
	return s.setRefused(ctx, from)
}

func (s *stream) setRefused(ctx context.Context, since int64) error {
	err := s.c.book.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE collect_stream SET refused = ? WHERE id = ?`, since, s.id)
		return err
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.cur.refused = since
	s.mu.Unlock()
	return nil
}

// well notes that a listing of the head worked.
func (s *stream) well(ctx context.Context) {
	s.verdict.Lock()
	defer s.verdict.Unlock()
	s.mu.Lock()
	s.heard = time.Now()
	since := s.cur.refused
	s.mu.Unlock()
	if since == 0 {
		return
	}
	to := max(s.c.now(), since+second) // the gap has no end, and is not empty
	err := s.witnessed(ctx, []act.Act{{
		Kind: act.Filled, Stream: s.name, From: at(since), To: at(to), Reason: act.Permission, Message: "the permission is there again; what was missed is listed now",
	}})
	if err == nil {
		err = s.setRefused(ctx, 0)
	}
	if err != nil && ctx.Err() == nil {
		s.c.log.Error("the end of a refusal could not be written down", "stream", s.name, "error", err)
	}
}
