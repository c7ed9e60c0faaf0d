// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage/statement"
)

// errOldCanaries is true for a while after an update from a version that passed canaries over.
var errOldCanaries = errors.New("the canaries in the journal from before the update are still being read: ask again in a while")

// publishWait is how long a statement waits for a checkpoint that covers its acts.
const publishWait = 30 * time.Second

// Statement makes the signed coverage statement of the time from since until until, on
// one tenant if one is named, and writes its hash into the journal. Zero times are
// those of [Node.Coverage].
func (n *Node) Statement(ctx context.Context, tenant string, since, until time.Time) ([]byte, error) {
	wait, cancel := context.WithTimeout(ctx, coverageWait)
	n.catchUpCoverage(wait)
	cancel()
	if err := n.covered.coverage.Err(); err != nil {
		return nil, err
	}
	q := statement.Query(since, until, time.Now().UTC().Truncate(time.Millisecond), n.expected())
	r, err := n.covered.coverage.Report(ctx, q)
	if err != nil {
		return nil, err
	}
	if r.Canaries == nil {
		return nil, errOldCanaries
	}
	log, err := n.logState(ctx, r.Position)
	if err != nil {
		return nil, err
	}
	s := statement.Of(r, q, tenant, log)
	if tenant != "" && len(s.Streams) == 0 {
		return nil, fmt.Errorf("%w: no stream of the tenant %.80s is known", ErrNotFound, tenant)
	}
	return n.seal(ctx, statement.CoverageTitle, log, s, act.Act{
		Tenant: tenant, Reason: "coverage", From: s.Since, To: s.Until,
		Message: fmt.Sprintf("A coverage statement on %d streams was signed: %d intervals complete, %d late, %d with a gap, %d blind, %d not collected, %d not known; %d canaries missing.",
			len(s.Streams), s.Totals.States.Complete, s.Totals.States.Late, s.Totals.States.Gap, s.Totals.States.Blind, s.Totals.States.NotCollected, s.Totals.States.Unknown, s.MissingCanaries()),
	})
}

// logState returns the log's first entries under a checkpoint that covers them.
func (n *Node) logState(ctx context.Context, entries uint64) (statement.Log, error) {
	if entries > 0 {
		ctx, cancel := context.WithTimeout(ctx, publishWait)
		defer cancel()
		if err := n.journal.Published(ctx, entries-1); err != nil {
			return statement.Log{}, err
		}
	}
	text, err := n.Checkpoint()
	return statement.Log{Origin: n.journal.Origin(), Entries: entries, Checkpoint: string(text)}, err
}

// seal signs a document and writes the act that names it.
func (n *Node) seal(ctx context.Context, title statement.Title, log statement.Log, body any, a act.Act) ([]byte, error) {
	doc, sum, err := statement.Seal(title, log, body, n.journal.SignNote)
	if err != nil {
		return nil, err
	}
	a.Kind, a.Code = act.Statement, hex.EncodeToString(sum[:])
	if err := n.writeAct(ctx, "", a.Tenant, a); err != nil {
		return nil, fmt.Errorf("the statement's hash was not written into the journal: %w", err)
	}
	return doc, nil
}
