// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"fmt"
	"sort"
	"sync"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

// live holds the latest batches: those on their way to disk, for comparing
// duplicates, and the last ones committed, which all followers share.
type live struct {
	limit int

	mu      sync.Mutex
	pending map[uint64]*building
	batches []*Batch      // committed, by index
	bytes   int           // that they take
	from    uint64        // every batch with at least this index is in batches
	size    uint64        // of the log, as far as followers may know
	end     uint64        // one more than the index of the last batch; 0 if there is none
	moved   chan struct{} // closed and replaced when size grows
	closed  bool
}

func newLive(limit int) *live {
	return &live{limit: limit, pending: make(map[uint64]*building), moved: make(chan struct{})}
}

func (l *live) start(size, end uint64) { l.from, l.size, l.end = size, size, end }

func (l *live) begin(b *building) {
	l.mu.Lock()
	l.pending[b.Index] = b
	l.mu.Unlock()
}

// publish shows log entry index to followers; b is nil if it is no batch.
func (l *live) publish(index uint64, b *Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, index)
	l.size = index + 1
	if b != nil {
		l.end = index + 1
		l.batches = append(l.batches, b)
		l.bytes += b.size()
		for l.bytes > l.limit && len(l.batches) > 1 {
			old := l.batches[0]
			l.batches[0] = nil
			l.batches = l.batches[1:]
			l.bytes -= old.size()
			l.from = old.Index + 1
		}
	}
	close(l.moved)
	l.moved = make(chan struct{})
}

func (l *live) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.moved)
	l.moved = make(chan struct{})
}

// get returns the batch with that index if it is in memory, committed or not.
func (l *live) get(index uint64) *Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.pending[index]; b != nil {
		return &b.Batch
	}
	return l.kept(index)
}

// committed returns the batch with that index if it is committed and in memory.
func (l *live) committed(index uint64) *Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept(index)
}

func (l *live) kept(index uint64) *Batch {
	if i := l.search(index); i < len(l.batches) && l.batches[i].Index == index {
		return l.batches[i]
	}
	return nil
}

// search returns the place of the first batch with at least this index.
func (l *live) search(index uint64) int {
	return sort.Search(len(l.batches), func(i int) bool { return l.batches[i].Index >= index })
}

// after returns the first batch from index on if it is in memory; disk says that
// it may be on disk only. If there is none yet, moved tells when to ask again.
func (l *live) after(index uint64) (b *Batch, disk bool, moved chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if index < l.from {
		return nil, true, nil, nil
	}
	if i := l.search(index); i < len(l.batches) {
		return l.batches[i], false, nil, nil
	}
	if l.closed {
		return nil, false, nil, ErrClosed
	}
	return nil, false, l.moved, nil
}

// Follower reads the journal batch by batch. It is for one goroutine.
type Follower struct {
	j    *Journal
	next uint64
}

// Follow returns a follower that begins with the first batch whose log index is
// at least from: zero for the whole journal, the index of the last batch seen plus
// one to go on. It holds nobody up: when it falls behind what is kept in memory,
// it reads from disk.
func (j *Journal) Follow(from uint64) *Follower { return &Follower{j: j, next: from} }

// Next returns the next batch and waits until there is one. Batches whose raw
// records were deleted come with Gone set. After [Journal.Close] it returns what is
// left in memory and then ErrClosed.
func (f *Follower) Next(ctx context.Context) (*Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, disk, moved, err := f.j.live.after(f.next)
		switch {
		case err != nil:
			return nil, err
		case b != nil:
			f.next = b.Index + 1
			return b, nil
		case disk:
			if b, err := f.fromDisk(ctx); b != nil || err != nil {
				return b, err
			}
			continue
		}
		select {
		case <-moved:
		case <-f.j.broken:
			return nil, f.j.Err()
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Position is the least log index that Next can return.
func (f *Follower) Position() uint64 { return f.next }

// fromDisk reads the entry that comes next and its batch, if it is one.
func (f *Follower) fromDisk(ctx context.Context) (*Batch, error) {
	entry, err := f.j.entry(ctx, f.next)
	if err != nil {
		return nil, err
	}
	e, ok := entry.(layout.BatchEntry)
	if !ok {
		f.next++
		return nil, nil
	}
	b, err := f.j.files.load(e)
	if err != nil {
		return nil, fmt.Errorf("following the journal: %w", err)
	}
	f.next = b.Index + 1
	return b, nil
}
