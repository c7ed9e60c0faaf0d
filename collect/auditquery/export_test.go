// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery

import (
	"context"
	"time"
)

// IDs is a set of ids.
type IDs struct{ s *ids }

func NewIDs(dir string, limit int) IDs {
	s := newIDs(dir)
	s.limit = limit
	return IDs{s}
}
func (s IDs) Add(k [16]byte) (bool, error) { return s.s.add(id(k)) }
func (s IDs) Has(k [16]byte) (bool, error) { return s.s.has(id(k)) }
func (s IDs) Len() int                     { return s.s.count }
func (s IDs) Close()                       { s.s.close() }

// CompareHour compares an hour of which the feed lacks nothing, so that nothing is to be written down.
func CompareHour(ctx context.Context, o CheckOptions, from, to time.Time) (map[string]*Count, error) {
	c := &Check{o: o}
	h := &hour{c: c, from: from, to: to, known: newIDs(o.Dir), seen: newIDs(o.Dir), counts: map[string]*tally{}, told: map[string]bool{}}
	defer h.known.close()
	defer h.seen.close()
	if err := h.read(ctx); err != nil {
		return nil, err
	}
	_, err := Read(ctx, Options{API: o.API, Dir: o.Dir, Stream: Stream, Wait: time.Millisecond}, from, to, func(raw []byte) error { return h.take(ctx, raw) })
	return h.counts, err
}
