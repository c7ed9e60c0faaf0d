// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// Errors that callers tell apart.
var (
	// ErrNotFound says that there is no such alert or incident.
	ErrNotFound = errors.New("there is no such incident or alert")
	// ErrDecision says that a decision makes no sense; it wraps a sentence that says why.
	ErrDecision = errors.New("the incident was not changed")
)

// Decision is what a person wants of an incident: one of its members, and a note if wanted.
type Decision struct {
	By       string   // who
	State    string   // open, acknowledged, contained or closed
	Assignee *string  // empty: nobody
	Note     string   // alone, or about what is decided
	Split    []string // ids of alerts that are another matter
	Merge    string   // id of an incident that is the same matter
}

// Change writes what a person decided into the journal, waits until it is durable and taken in,
// and returns the incident as it is then. Follow has to be under way.
func (s *Store) Change(ctx context.Context, j *journal.Journal, id string, d Decision) (*Summary, error) {
	one, err := s.decision(ctx, id, d)
	if err != nil {
		return nil, err
	}
	raw := one.Append(nil)
	origin := event.Origin{Tenant: one.Tenant, Family: act.Family, Stream: act.Decisions, Name: "incidents", Run: rand.Text()}
	commit, err := j.Append(ctx, origin, []event.Record{{
		Raw: raw, ID: []byte(one.ID), Time: one.Time.UnixNano(), Received: time.Now().UnixNano(),
	}}, nil)
	if err != nil {
		return nil, err
	}
	result, err := commit.Wait(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.CaughtUp(ctx, result.Batch+1); err != nil {
		return nil, fmt.Errorf("the decision is in the journal, and is taken in later: %w", err)
	}
	return s.summary(ctx, one.Incident)
}

// decision checks what somebody wants against what is.
func (s *Store) decision(ctx context.Context, id string, d Decision) (*act.Decision, error) {
	now, err := s.summary(ctx, id)
	if err != nil {
		return nil, err
	}
	one := &act.Decision{
		ID: rand.Text(), Time: time.Now().UTC(), Tenant: now.Tenant, By: d.By, Incident: now.ID, Message: d.Note,
	}
	wanted := 0
	for _, w := range [...]struct {
		is   bool
		kind act.Kind
	}{{d.State != "", act.IncidentState}, {d.Assignee != nil, act.IncidentAssign}, {len(d.Split) > 0, act.IncidentSplit}, {d.Merge != "", act.IncidentMerge}} {
		if w.is {
			one.Kind = w.kind
			wanted++
		}
	}
	switch {
	case d.By == "":
		return nil, fmt.Errorf("%w: say who decides it", ErrDecision)
	case wanted > 1:
		return nil, fmt.Errorf("%w: decide one thing at a time", ErrDecision)
	case wanted == 0 && d.Note == "":
		return nil, fmt.Errorf("%w: nothing is decided: give a state, an assignee, a note, a split or a merge", ErrDecision)
	case wanted == 0:
		one.Kind = act.IncidentNote
	}
	switch one.Kind {
	case act.IncidentState:
		err = s.decideState(ctx, one, now, d.State)
	case act.IncidentAssign:
		one.Assignee = *d.Assignee
	case act.IncidentSplit:
		err = s.decideSplit(ctx, one, d.Split)
	case act.IncidentMerge:
		err = s.decideMerge(ctx, one, now, d.Merge)
	}
	if err == nil {
		err = one.Check()
	}
	if err != nil && !errors.Is(err, ErrDecision) && !errors.Is(err, ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrDecision, err)
	}
	return one, err
}

func (s *Store) decideState(ctx context.Context, one *act.Decision, now *Summary, state string) error {
	if !slices.Contains([]string{StateOpen, StateAcknowledged, StateContained, StateClosed}, state) {
		return fmt.Errorf("%w: %.40q is no state: use open, acknowledged, contained or closed", ErrDecision, state)
	}
	one.State = state
	if state == StateClosed {
		// Providers' clocks may be ahead of ours: all that is in it now belongs to it.
		one.Until = one.Time
		if now.Last.After(one.Until) {
			one.Until = now.Last
		}
	}
	// It stands for the states of the incidents that have been merged into this one as well.
	num, err := s.resolve(ctx, now.ID)
	if err != nil {
		return err
	}
	history, err := s.history(ctx, num)
	for i := range history {
		if h := &history[i]; h.Kind == act.IncidentState && h.anchor != anchorOf(now.ID) && !slices.Contains(one.Alerts, h.anchor) {
			one.Alerts = append(one.Alerts, h.anchor)
		}
	}
	return err
}

func (s *Store) decideSplit(ctx context.Context, one *act.Decision, ids []string) error {
	for _, id := range ids {
		a, err := s.Alert(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case a.Incident != one.Incident:
			return fmt.Errorf("%w: alert %s is not part of it", ErrDecision, a.ID)
		case a.ID == anchorOf(one.Incident):
			return fmt.Errorf("%w: alert %s is the first and names the incident: split the others off instead", ErrDecision, a.ID)
		}
		one.Alerts = append(one.Alerts, a.ID)
	}
	return nil
}

func (s *Store) decideMerge(ctx context.Context, one *act.Decision, now *Summary, with string) error {
	other, err := s.summary(ctx, with)
	switch {
	case err != nil:
		return err
	case other.ID == now.ID:
		return fmt.Errorf("%w: %s is this incident", ErrDecision, with)
	case other.Tenant != now.Tenant:
		return fmt.Errorf("%w: %s is of another tenant", ErrDecision, with)
	}
	one.With = other.ID
	return nil
}
