// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"
)

// filter answers "surely new" for most new keys without asking the database,
// which is the common case of an import. It is a Bloom filter of blocks of one
// cache line (Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient Bloom
// Filters", 2007). Keys are hashes already, so their own bits say where to look.
type filter struct {
	blocks [][8]uint64
}

func newFilter(bytes int64) *filter { return &filter{blocks: make([][8]uint64, max(1, bytes/64))} }

// place returns the block of a key, and the number whose groups of six bits say
// which bit of each of its words belongs to the key.
func (f *filter) place(k *recordKey) (*[8]uint64, uint64) {
	at := binary.LittleEndian.Uint64(k[:8])
	return &f.blocks[at%uint64(len(f.blocks))], binary.LittleEndian.Uint64(k[8:])
}

func (f *filter) add(k *recordKey) {
	block, bits := f.place(k)
	for i := range block {
		block[i] |= 1 << (bits & 63)
		bits >>= 6
	}
}

// has is never false for a key that was added.
func (f *filter) has(k *recordKey) bool {
	block, bits := f.place(k)
	for i := range block {
		if block[i]&(1<<(bits&63)) == 0 {
			return false
		}
		bits >>= 6
	}
	return true
}

// fillFilter begins to read the keys that lookups can meet into a new filter. It
// goes on in the background, some millions of keys a second; until all are read,
// and for good if they are more than the filter takes, lookups ask the database.
func (d *dedupe) fillFilter(bytes int64) error {
	d.filter = newFilter(bytes)
	if d.period == 0 { // nothing was ever remembered
		d.whole = true
		return nil
	}
	it, err := d.iter(d.period-1, d.period+1)
	if err != nil {
		return err
	}
	d.filling.Go(func() {
		// Tables that came since are not in the iterator: flush adds their keys.
		whole := d.fill(it, bytes)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.whole = whole; !whole {
			d.filter = nil
		}
	})
	return nil
}

// fill adds the iterator's keys to the filter and reports whether those are all.
// With more than one key a byte the filter would pass too many new keys to be of
// use; an iterator that fails leaves it to the lookups to say so.
func (d *dedupe) fill(it *pebble.Iterator, most int64) bool {
	defer it.Close()
	const step = 1024 // keys that lookups wait for
	keys := make([]recordKey, 0, step)
	for ok := it.First(); ok; {
		for keys = keys[:0]; ok && len(keys) < step; ok = it.Next() {
			if key := it.Key(); len(key) == 20 {
				keys = append(keys, recordKey(key[4:]))
			}
		}
		select {
		case <-d.stop:
			return false
		default:
		}
		if most -= int64(len(keys)); most < 0 {
			return false
		}
		d.mu.Lock()
		for i := range keys {
			d.filter.add(&keys[i])
		}
		d.mu.Unlock()
	}
	return it.Error() == nil
}
