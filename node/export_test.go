// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
)

// Collector is what a source runs.
type Collector = collector

// TestingCollectors has sources run collectors of the test's, and wait less for the
// next try.
func (n *Node) TestingCollectors(make func(c config.Source, acts *act.Writer, hookAddress, hookAuthID string) (Collector, error)) {
	n.sources.pause = 10 * time.Millisecond
	n.sources.build = func(c config.Source, acts *act.Writer, w webhook) (collector, error) {
		return make(c, acts, w.address, w.authID.Reveal())
	}
}

// TestingActs returns the acts in the journal, the oldest first.
func (n *Node) TestingActs(ctx context.Context) ([]act.Act, error) {
	if err := n.journal.Flush(ctx); err != nil {
		return nil, err
	}
	var out []act.Act
	from := n.journal.Follow(0)
	for end := n.journal.End(); from.Position() < end; {
		b, err := from.Next(ctx)
		if err != nil {
			return out, err
		}
		for i := range b.Records {
			if b.Envelope(i).Family != act.Family {
				continue
			}
			a, err := act.Parse(b.Raw(i))
			if err != nil {
				return out, err
			}
			out = append(out, a)
		}
	}
	return out, nil
}

// TestingUntold returns how many messages are still to be sent.
func (n *Node) TestingUntold(ctx context.Context) (count int, err error) {
	err = n.db.Read().QueryRowContext(ctx, `SELECT count(*) FROM notify_message WHERE dead = 0`).Scan(&count)
	return count, err
}

// TestingHistory sets how many events and searches an incident is told with, and returns what sets it back.
func TestingHistory(events, searches int) (reset func()) {
	wasEvents, wasSearches := maxHistory, maxSearches
	maxHistory, maxSearches = events, searches
	return func() { maxHistory, maxSearches = wasEvents, wasSearches }
}

// TestingPrepared returns for how many combinations of log sources the rules that count are prepared.
func (n *Node) TestingPrepared() int { return len(n.detector.book.Load().Program.Sources()) }

// TestingImport imports records to its end.
func TestingImport(tb testing.TB, n *Node, raw []byte) Summary {
	tb.Helper()
	im, err := n.NewImport(ImportOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	if err := im.Read(context.Background(), "log.jsonl", bytes.NewReader(raw)); err != nil {
		tb.Fatal(err)
	}
	sum, err := im.Finish(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return sum
}
