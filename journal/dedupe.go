// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// recordKey says which records are copies of each other: the first half of the
// SHA-256 of tenant, family and the provider's id, or of the canonical content
// of a record that has none.
type recordKey [16]byte

// version is one content that was stored under a key.
type version struct {
	sum [16]byte // first half of the SHA-256 of the raw record
	at  event.ID
}

// versions are the contents stored under one key, in their order: almost always
// none or one, which cost no allocation.
type versions struct {
	known bool
	first version
	more  []version
}

// maxVersions bounds what one key costs. The oldest is forgotten first; a copy
// of it is then kept once more, as mutated: too much, never too little.
const maxVersions = 16

// with returns v and one more version; v stays as it is.
func (v versions) with(next version) versions {
	switch {
	case !v.known:
		return versions{known: true, first: next}
	case len(v.more)+2 > maxVersions:
		v.first, v.more = v.more[0], v.more[1:]
	}
	v.more = append(v.more[:len(v.more):len(v.more)], next)
	return v
}

// all calls f for every version until it returns false.
func (v *versions) all(f func(*version) bool) {
	if !v.known || !f(&v.first) {
		return
	}
	for i := range v.more {
		if !f(&v.more[i]) {
			return
		}
	}
}

// last returns the newest version.
func (v *versions) last() *version {
	if len(v.more) > 0 {
		return &v.more[len(v.more)-1]
	}
	return &v.first
}

// dedupe remembers which records the log holds: the latest in a map, the others
// in a database of sorted tables, into which the map goes when it is large.
//
// A table is added to the database in one atomic step, and holds beside the keys
// the number of log entries that are known with it. A crash loses the map; the
// log entries from that number on are then read again. So it costs one fsync for
// some hundred thousand records, and is never ahead of the log.
type dedupe struct {
	db     *pebble.DB
	dir    string
	window time.Duration
	limit  int // of committed keys in recent

	mu     sync.Mutex
	recent map[recordKey]versions // what the database does not know
	period uint32                 // latest seen; never falls, also when the clock does
	before bool                   // the database has keys of the period before
	filter *filter                // of the keys in the database; nil if it has too many
	whole  bool                   // the filter has them all

	filling sync.WaitGroup // the filter's
	stop    chan struct{}  // closed to end it

	// The committer's.
	committed []recordKey // in recent and committed
	next      uint64      // log entries below it are known
	tables    int         // written, names the next one
}

func (d *dedupe) periodOf(t time.Time) uint32 {
	return uint32(max(1, t.UnixNano()/int64(d.window)))
}

// lookup returns what is known of a key.
func (d *dedupe) lookup(k recordKey) (versions, error) {
	d.mu.Lock()
	v, ok := d.recent[k]
	period, before := d.period, d.before
	fresh := d.whole && !d.filter.has(&k)
	d.mu.Unlock()
	if ok || fresh {
		return v, nil
	}
	v, err := d.stored(period, k)
	if before && !v.known && err == nil {
		v, err = d.stored(period-1, k)
	}
	return v, err
}

// remember notes versions of a key that are not all committed.
func (d *dedupe) remember(k recordKey, v versions) {
	d.mu.Lock()
	d.recent[k] = v
	d.mu.Unlock()
}

// apply takes up that log entry index is committed, and with it everything that
// was remembered of its records.
func (d *dedupe) apply(index uint64, committed time.Time, keys []recordKey) error {
	if period := d.periodOf(committed); period > d.period {
		if err := d.advance(period); err != nil {
			return err
		}
	}
	d.next = index + 1
	d.committed = append(d.committed, keys...)
	if len(d.committed) < d.limit {
		return nil
	}
	return d.flush()
}

// flush moves what is committed from memory into a table. Until the table is
// part of the database, lookups find it in memory, and from then on in both.
func (d *dedupe) flush() error {
	type row struct {
		key recordKey
		v   versions
	}
	d.mu.Lock()
	rows := make([]row, 0, len(d.committed))
	for _, k := range d.committed {
		rows = append(rows, row{k, d.recent[k].until(d.next)})
	}
	d.mu.Unlock()
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key[:], b.key[:]) })
	rows = slices.CompactFunc(rows, func(a, b row) bool { return a.key == b.key })
	err := d.addTable(func(set func(key, value []byte) error) error {
		var key [20]byte
		binary.BigEndian.PutUint32(key[:], d.period)
		var value []byte
		for i := range rows {
			copy(key[4:], rows[i].key[:])
			value = rows[i].v.append(value[:0])
			if err := set(key[:], value); err != nil {
				return err
			}
		}
		return set(metaNext, binary.AppendUvarint(nil, d.next))
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	for i := range rows {
		if d.filter != nil {
			d.filter.add(&rows[i].key)
		}
		if v := d.recent[rows[i].key]; v.known && v.last().at.Batch < d.next {
			delete(d.recent, rows[i].key)
		}
	}
	d.mu.Unlock()
	d.committed = d.committed[:0]
	return nil
}

// until returns the versions in log entries below next.
func (v versions) until(next uint64) versions {
	for len(v.more) > 0 && v.last().at.Batch >= next {
		v.more = v.more[:len(v.more)-1]
	}
	return v
}

// advance begins a period and forgets everything from before the one before.
func (d *dedupe) advance(period uint32) error {
	if len(d.committed) > 0 {
		if err := d.flush(); err != nil {
			return err
		}
	}
	before, err := d.has(period - 1)
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.period, d.before = period, before
	d.mu.Unlock()
	return d.forget(period - 1)
}

// keyer makes the keys of one origin's records.
type keyer struct {
	buf    []byte
	prefix int
	canon  []byte
}

func (k *keyer) origin(o *event.Origin) {
	k.buf = append(k.buf[:0], 0)
	k.buf = append(binary.AppendUvarint(k.buf, uint64(len(o.Tenant))), o.Tenant...)
	k.buf = append(binary.AppendUvarint(k.buf, uint64(len(o.Family))), o.Family...)
	k.prefix = len(k.buf)
}

// key returns the key of a record. The first byte of what is hashed keeps ids
// and contents apart.
func (k *keyer) key(id, raw []byte) recordKey {
	k.buf[0] = 0
	if noID(id) {
		k.buf[0] = 1
		content := raw
		if canon, ok := canonjson.Append(k.canon[:0], raw); ok {
			k.canon, content = canon, canon
		}
		sum := sha256.Sum256(content)
		k.buf = append(k.buf[:k.prefix], sum[:]...)
	} else {
		k.buf = append(k.buf[:k.prefix], id...)
	}
	sum := sha256.Sum256(k.buf)
	return recordKey(sum[:16])
}

// noID reports whether a provider id says nothing: empty, zeros and dashes only,
// or longer than the format takes.
func noID(id []byte) bool {
	if len(id) > layout.MaxID {
		return true
	}
	for _, c := range id {
		if c != '0' && c != '-' {
			return false
		}
	}
	return true
}
