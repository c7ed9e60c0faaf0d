// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// Event is one stored event with all that is known of it.
type Event struct {
	ID        event.ID
	Origin    event.Origin
	Record    event.Record
	Committed time.Time
	Mutated   bool
	OCSF      []byte
}

// Event returns one event.
func (n *Node) Event(ctx context.Context, id event.ID) (*Event, error) {
	s, err := n.journal.Read(ctx, id)
	if err != nil {
		return nil, n.lookup(err, id)
	}
	if s.Gone {
		return nil, fmt.Errorf("%s: %w", id, ErrGone)
	}
	e := &Event{
		ID: id, Origin: s.Origin, Committed: s.Committed, Mutated: s.Receipt.Flags&layout.Mutated != 0,
		Record: event.Record{
			Raw: s.Raw, ID: s.Receipt.ID, Time: s.Receipt.Time, Offered: s.Receipt.Offered,
			Received: s.Receipt.Received, Ordinal: s.Receipt.Ordinal,
		},
	}
	m := n.mappers.get()
	defer n.mappers.put(m)
	e.OCSF = m.ocsf(nil, id, s.Origin.Family, s.Raw)
	return e, nil
}

// Render returns the events in OCSF, one JSON object each, in the order asked
// for; nil for those whose raw records are gone by policy.
func (n *Node) Render(ctx context.Context, ids []event.ID) ([][]byte, error) {
	// Records of one batch are read together: the journal keeps the last
	// batches that were read.
	order := make([]int, len(ids))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if ids[a].Less(ids[b]) {
			return -1
		}
		return 1
	})
	out := make([][]byte, len(ids))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	part := (len(order) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	for piece := range slices.Chunk(order, max(1, part)) {
		wg.Go(func() {
			if err := n.render(ctx, ids, piece, out); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return out, failed
}

func (n *Node) render(ctx context.Context, ids []event.ID, piece []int, out [][]byte) error {
	m := n.mappers.get()
	defer n.mappers.put(m)
	for _, i := range piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		s, err := n.journal.Read(ctx, ids[i])
		if err != nil {
			return n.lookup(err, ids[i])
		}
		if !s.Gone {
			out[i] = m.ocsf(nil, ids[i], s.Origin.Family, s.Raw)
		}
	}
	return nil
}

// deep answers for paths that are not columns, from the whole events.
func (n *Node) deep(ctx context.Context, ids []event.ID, paths []string) ([][][]string, error) {
	events, err := n.Render(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([][][]string, len(ids))
	var tape jsontape.Tape
	for i, e := range events {
		out[i] = make([][]string, len(paths))
		if e == nil || tape.Parse(e) != nil {
			continue
		}
		for j, p := range paths {
			out[i][j] = valuesAt(nil, tape.Root(), p)
		}
	}
	return out, nil
}

// valuesAt collects the values at a path as text. A name that contains dots is
// found beside the nested path of the same spelling.
func valuesAt(dst []string, v jsontape.Value, path string) []string {
	switch v.Kind() {
	case jsontape.Array:
		for c := v.First(); c.Exists(); c = c.Next() {
			dst = valuesAt(dst, c, path)
		}
	case jsontape.Object:
		if path == "" {
			return dst
		}
		for c := v.First(); c.Exists(); c = c.Next() {
			rest, ok := strings.CutPrefix(path, string(c.Key()))
			if !ok || rest != "" && rest[0] != '.' {
				continue
			}
			dst = valuesAt(dst, c, strings.TrimPrefix(rest, "."))
		}
	case jsontape.None, jsontape.Null:
	default:
		if path == "" {
			dst = append(dst, string(v.Text()))
		}
	}
	return dst
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			b, _ := json.Marshal(s) // a string always can be
			return append(dst, b...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// borrow returns b as a string that is good as long as b is not changed.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
