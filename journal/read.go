// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// Sealed is one record as the journal holds it.
type Sealed struct {
	ID        event.ID
	Committed time.Time
	Origin    event.Origin
	Receipt   layout.Receipt // its Origin index means nothing here
	Raw       []byte         // nil if it is gone
	Gone      bool           // deleted at the end of its retention
}

// Read returns one record.
func (j *Journal) Read(ctx context.Context, id event.ID) (*Sealed, error) {
	b, _, err := j.batch(ctx, id)
	if err != nil {
		return nil, err
	}
	i := int(id.Index)
	return &Sealed{
		ID: id, Committed: b.Committed, Origin: *b.Envelope(i), Receipt: b.Records[i], Raw: b.Raw(i), Gone: b.Gone,
	}, nil
}

// batch returns the committed batch that holds the record id, and its entry.
func (j *Journal) batch(ctx context.Context, id event.ID) (*Batch, layout.BatchEntry, error) {
	missing := fmt.Errorf("%s: %w", id, ErrNotFound)
	if id.Batch >= j.tree.size.Load() {
		return nil, layout.BatchEntry{}, missing
	}
	entry, err := j.entry(ctx, id.Batch)
	if err != nil {
		return nil, layout.BatchEntry{}, err
	}
	e, ok := entry.(layout.BatchEntry)
	if !ok || int64(id.Index) >= int64(e.Records) {
		return nil, e, missing
	}
	if b := j.live.committed(id.Batch); b != nil {
		return b, e, nil
	}
	b, err := j.cache.batch(id.Batch, func() (*Batch, error) { return j.files.load(e) })
	return b, e, err
}

// stored returns the raw bytes of a record that may not be committed yet; only in
// the caller's turn.
func (j *Journal) stored(ctx context.Context, id event.ID) ([]byte, error) {
	if b := j.live.get(id.Batch); b != nil && int(id.Index) < len(b.Records) {
		return b.Raw(int(id.Index)), nil
	}
	s, err := j.Read(ctx, id)
	if err != nil {
		return nil, err
	}
	if s.Gone {
		return nil, fmt.Errorf("%s: %w", id, ErrGone)
	}
	return s.Raw, nil
}

// entry returns one integrated log entry.
func (j *Journal) entry(ctx context.Context, index uint64) (layout.Entry, error) {
	texts, err := j.cache.bundle(index, func(n uint64) ([][]byte, error) { return j.tree.bundle(ctx, n) })
	if err != nil {
		return nil, err
	}
	e, err := layout.ParseEntry(texts)
	if err != nil {
		return nil, fmt.Errorf("log entry %d: %v", index, err)
	}
	return e, nil
}

// lastBatch returns the last batch among the first size entries.
func (j *Journal) lastBatch(ctx context.Context, size uint64) (layout.BatchEntry, bool, error) {
	for size > 1 {
		size--
		entry, err := j.entry(ctx, size)
		if err != nil {
			return layout.BatchEntry{}, false, err
		}
		if e, ok := entry.(layout.BatchEntry); ok {
			return e, true, nil
		}
	}
	return layout.BatchEntry{}, false, nil
}

// cache keeps the few batches and bundles of entries that were read last.
type cache struct {
	mu      sync.Mutex
	batches []*Batch // the latest at the end
	bundles []cachedBundle
}

type cachedBundle struct {
	n       uint64
	entries [][]byte
}

const (
	cacheBatches = 8
	cacheBytes   = 32 << 20
	cacheBundles = 16
)

func newCache() *cache { return new(cache) }

// batch returns the batch with that index; the lock is not held while it loads.
func (c *cache) batch(index uint64, load func() (*Batch, error)) (*Batch, error) {
	c.mu.Lock()
	if i := slices.IndexFunc(c.batches, func(b *Batch) bool { return b.Index == index }); i >= 0 {
		b := c.batches[i]
		c.batches = append(slices.Delete(c.batches, i, i+1), b)
		c.mu.Unlock()
		return b, nil
	}
	c.mu.Unlock()
	b, err := load()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches = append(c.batches, b)
	bytes := 0
	for i := len(c.batches) - 1; i >= 0; i-- {
		bytes += c.batches[i].size()
		if bytes > cacheBytes || len(c.batches)-i > cacheBatches {
			c.batches = slices.Delete(c.batches, 0, i+1)
			break
		}
	}
	return b, nil
}

// bundle returns the text of one entry.
func (c *cache) bundle(index uint64, load func(n uint64) ([][]byte, error)) ([]byte, error) {
	n, at := index/256, int(index%256)
	c.mu.Lock()
	i := slices.IndexFunc(c.bundles, func(b cachedBundle) bool { return b.n == n && at < len(b.entries) })
	if i >= 0 {
		defer c.mu.Unlock()
		b := c.bundles[i]
		c.bundles = append(slices.Delete(c.bundles, i, i+1), b)
		return b.entries[at], nil
	}
	c.mu.Unlock()
	entries, err := load(n)
	if err != nil {
		return nil, err
	}
	if at >= len(entries) {
		return nil, fmt.Errorf("log entry %d is not in its bundle", index)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bundles = slices.DeleteFunc(c.bundles, func(b cachedBundle) bool { return b.n == n })
	c.bundles = append(c.bundles, cachedBundle{n, entries})
	if len(c.bundles) > cacheBundles {
		c.bundles = slices.Delete(c.bundles, 0, 1)
	}
	return entries[at], nil
}

// forget drops all batches, after retention has deleted some.
func (c *cache) forget() {
	c.mu.Lock()
	c.batches = nil
	c.mu.Unlock()
}
