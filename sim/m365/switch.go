// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
)

// switchFaults switches faults on from a moment on.
func (s *Server) switchFaults(list string, from time.Time) error {
	rules, err := parseFaults(list)
	if err != nil {
		return err
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	set, err := s.feed.faults.Load().with(rules, from, s.start, s.feed.slot)
	if err != nil {
		return err
	}
	s.feed.faults.Store(set)
	return nil
}

// AddFaults switches faults on, from now on: what was offered stays as it was.
func (s *Server) AddFaults(list string) error { return s.switchFaults(list, s.Now()) }

// ClearFaults switches faults off by their names; all of them without a name.
func (s *Server) ClearFaults(names ...string) error {
	for _, n := range names {
		if faultNamed(n) == nil {
			return fmt.Errorf("there is no fault %q: --faults help lists them", n)
		}
	}
	if len(names) == 0 {
		for i := range faults {
			names = append(names, faults[i].name)
		}
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	s.feed.faults.Store(s.feed.faults.Load().without(names, s.Now(), s.feed.slot))
	return nil
}

// catchUp does what was to happen by now: acts of scenarios, and faults that
// happen once.
func (s *Server) catchUp(now time.Time) {
	s.feed.play(now)
	for _, r := range s.feed.faults.Load().rules {
		if r.scope != once || !r.on(now) {
			continue
		}
		s.mu.Lock()
		was := s.done[r.number]
		s.done[r.number] = true
		s.mu.Unlock()
		if !was {
			s.happen(r, now)
		}
	}
}

func (s *Server) happen(r *rule, now time.Time) {
	at := r.from
	if at.IsZero() {
		at = s.start
	}
	switch r.name {
	case "disable":
		for _, st := range company.Streams {
			if r.streams.has(st) {
				s.subs.end(st, at, "a tenant admin")
			}
		}
	case "secret-rotation":
		s.mu.Lock()
		s.oldSecrets = append(s.oldSecrets, s.secret)
		s.secret = secretNumber(s.seed, len(s.oldSecrets))
		secret, tell := s.secret, s.onSecret
		s.mu.Unlock()
		if tell != nil {
			tell(secret)
		}
	case "revoke-tokens":
		s.mu.Lock()
		s.revoked = now
		s.mu.Unlock()
	}
}

// OnSecret calls f with each secret that replaces another.
func (s *Server) OnSecret(f func(secret string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSecret = f
}
