// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// idleTime is how often the position is written down while nobody decides anything: reading
// a batch again is cheap.
const idleTime = 30 * time.Second

// placed is a decision with its place in the journal, or an arrival.
type placed struct {
	decision *act.Decision
	arrival  *Arrival
	at       event.ID
}

// Follow takes in from the journal what people decide, and what comes of what was missing, until ctx ends or the journal is closed, of
// which neither is an error.
func (s *Store) Follow(ctx context.Context, j *journal.Journal) error {
	err := s.follow(ctx, j)
	if errors.Is(err, journal.ErrClosed) || ctx.Err() != nil {
		err = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.wake()
	return err
}

func (s *Store) follow(ctx context.Context, j *journal.Journal) error {
	s.mu.Lock()
	s.err = nil
	f := j.Follow(s.next)
	s.mu.Unlock()
	saved := time.Now()
	for {
		b, err := f.Next(ctx)
		var found []placed
		if err == nil {
			found = s.heardIn(b)
		}
		s.mu.Lock()
		behind := s.durable < f.Position()
		s.mu.Unlock()
		// What was decided is finished also when ctx ends.
		if len(found) > 0 || behind && (err != nil || time.Since(saved) >= idleTime) {
			if err := s.apply(context.WithoutCancel(ctx), f.Position(), found); err != nil {
				return err
			}
			saved = time.Now()
		}
		if err != nil {
			return err
		}
		s.mu.Lock()
		s.next = f.Position()
		s.wake()
		s.mu.Unlock()
	}
}

// heardIn returns the decisions and arrivals of a batch. One that cannot be read is passed over.
func (s *Store) heardIn(b *journal.Batch) []placed {
	ours := false
	for i := range b.Origins {
		ours = ours || isOurs(&b.Origins[i].Origin)
	}
	if !ours || b.Gone {
		return nil
	}
	var list []placed
	for i := range b.Records {
		if !isOurs(b.Envelope(i)) {
			continue
		}
		p := placed{at: b.ID(i)}
		var err error
		if stream := b.Envelope(i).Stream; stream == act.Decisions {
			var d act.Decision
			d, err = act.ParseDecision(b.Raw(i))
			p.decision = &d
		} else {
			var came Arrival
			if came, err = arrivalOf(stream, b.Raw(i)); err == nil && came.Finding == "" {
				continue // what is missing detection tells of
			}
			came.Act = p.at.String()
			p.arrival = &came
		}
		if err != nil {
			s.opts.Log.Warn("a decision or arrival cannot be read and is passed over", "event", b.ID(i).String(), "err", err)
			continue
		}
		list = append(list, p)
	}
	return list
}

// isOurs tells what people decided here, and where it is said that something has come after all, from all else.
func isOurs(o *event.Origin) bool {
	return o.Family == act.Family && (o.Stream == act.Decisions || o.Stream == act.Findings || o.Stream == act.Stream)
}

// take takes it in.
func (p *placed) take(l *ledger) error {
	if p.arrival != nil {
		return l.arrive(p.arrival)
	}
	return l.decide(p.decision, p.at)
}

// apply takes decisions and arrivals in, and all batches before next with them.
func (s *Store) apply(ctx context.Context, next uint64, list []placed) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		if len(list) > 0 {
			err := s.change(ctx, tx, func(l *ledger) error {
				for i := range list {
					if err := list[i].take(l); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE incident_state SET next_act = $1`, int64(next))
		return err
	})
	if err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.durable = next
	return nil
}

// wake tells those who wait; s.mu is held.
func (s *Store) wake() {
	close(s.moved)
	s.moved = make(chan struct{})
}

// CaughtUp waits until the decisions of all batches before upTo are taken in.
func (s *Store) CaughtUp(ctx context.Context, upTo uint64) error {
	for {
		s.mu.Lock()
		next, moved, err := s.next, s.moved, s.err
		s.mu.Unlock()
		if next >= upTo || err != nil {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
