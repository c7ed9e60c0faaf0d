// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// Tail follows new events. It is a follower of the journal of its own: it misses
// nothing and holds nobody up, however slowly it is read. It is for one
// goroutine.
type Tail struct {
	n     *Node
	from  *journal.Follower
	where query.Expr
	m     *mapper
	found []lake.Row
}

// Tail begins with what is stored from now on. The query has no pipes.
func (n *Node) Tail(ctx context.Context, text string) (*Tail, error) {
	if len(text) > maxQuery {
		return nil, fmt.Errorf("%w: it is longer than 64 KiB", ErrQuery)
	}
	q, err := query.Parse(text)
	if err != nil {
		return nil, err
	}
	if len(q.Pipes) > 0 {
		return nil, fmt.Errorf("%w: tail shows events as they come and takes no pipes", ErrQuery)
	}
	if q.Where, err = n.resolve(ctx, q.Where); err != nil {
		return nil, err
	}
	// What is on its way to disk when somebody begins to look is new to them.
	return &Tail{n: n, from: n.journal.Follow(n.journal.Size()), where: q.Where, m: n.mappers.get()}, nil
}

// Next returns the next events that match, at least one; they are good until the
// next call. It waits until ctx ends.
func (t *Tail) Next(ctx context.Context) ([]lake.Row, error) {
	for {
		b, err := t.from.Next(ctx)
		if errors.Is(err, journal.ErrClosed) {
			return nil, ErrStopped
		}
		if err != nil {
			return nil, err
		}
		t.found = t.found[:0]
		where := query.Bind(t.where, time.Now())
		t.m.each(b, func(r *lake.Row, deep func(path string) []string) {
			if query.Match(where, r, deep) {
				var kept rows // the row's strings are the mapper's
				kept.keep(r)
				t.found = append(t.found, *r)
			}
		})
		if len(t.found) > 0 {
			return t.found, nil
		}
	}
}

// Close ends the tail.
func (t *Tail) Close() { t.n.mappers.put(t.m) }
