// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/normalize"
)

// Status is what a node says of itself.
type Status struct {
	Role       string
	Started    time.Time
	Dir        string
	Origin     string // of the log
	Key        string // verifier key
	Entries    uint64 // of the log, durable
	LogSize    uint64 // of them, covered by the latest checkpoint
	Searchable event.ID
	Behind     bool
	Rows       int64
	Segments   int
	Mapper     string
	Stale      bool
	Drift      []Drift
	Sources    []SourceStatus
}

// Status returns the present state.
func (n *Node) Status(ctx context.Context) (Status, error) {
	n.drift.save(ctx, n.log)
	kinds, err := n.drift.list(ctx)
	if err != nil {
		return Status{}, err
	}
	at, _, _ := n.follow.state()
	j, l := n.journal.Stats(), n.lake.Stats()
	return Status{
		Role: n.role, Started: n.started, Dir: n.dir,
		Origin: n.journal.Origin(), Key: n.journal.VerifierKey(), Entries: j.Entries, LogSize: j.Published,
		Searchable: at, Behind: n.Behind(), Rows: l.Rows + l.MemoryRows, Segments: l.Segments,
		Mapper: normalize.MapperVersion, Stale: n.stale, Drift: kinds, Sources: n.Sources(),
	}, nil
}
