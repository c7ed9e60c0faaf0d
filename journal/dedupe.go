// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

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

// maxVersions bounds what one key costs. The oldest is forgotten first; a copy
// of it is then kept once more, as mutated: too much, never too little.
const maxVersions = 16

// dedupe remembers which records the log holds.
//
// It is a pebble database without a write-ahead log, so that it costs no fsync.
// Under the key "n" it holds the number of log entries it knows, written in one
// atomic batch with what they say. A crash therefore leaves the memory as of some
// entry at or before the last one, and the entries from there on are read again.
//
// A key is the period's number (4 bytes) and the [recordKey]; the value is a list
// of versions, each 16 bytes of hash and two varints. A period is DedupeWindow
// long; the present one and the one before are asked, older ones are deleted.
type dedupe struct {
	db     *pebble.DB
	window time.Duration
	dir    string

	mu sync.Mutex
	// flight holds the keys of batches that the database does not know yet.
	flight map[recordKey][]version
	period uint32 // latest period seen; never falls, also when the clock does
	next   uint64 // log entries below it are in the database
}

var (
	metaNext = []byte("\xff\xffn") // sorts after every period
	metaLog  = []byte("\xff\xffl")
)

// openDedupe opens the memory of the log named by id; a memory of another log,
// or one that knows more than the log does, is thrown away.
func openDedupe(dir, id string, size uint64, o *Options) (*dedupe, error) {
	d := &dedupe{dir: dir, window: o.DedupeWindow, flight: make(map[recordKey][]version)}
	for {
		if err := d.open(o.DedupeMemory); err != nil {
			return nil, fmt.Errorf("memory of duplicates in %s (it can be deleted, it is made again from the log): %v", dir, err)
		}
		known, next, err := d.meta()
		if err == nil && (known == id && next <= size) {
			d.next = next
			return d, nil
		}
		if err == nil && known == "" {
			return d, d.db.Set(metaLog, []byte(id), pebble.NoSync)
		}
		if err := errors.Join(d.db.Close(), os.RemoveAll(dir)); err != nil {
			return nil, err
		}
	}
}

func (d *dedupe) open(memory int64) error {
	opts := &pebble.Options{
		DisableWAL:                  true,
		CacheSize:                   memory / 2,
		MemTableSize:                uint64(memory / 4),
		MemTableStopWritesThreshold: 2,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      quiet{},
		CompactionConcurrencyRange:  func() (int, int) { return 1, 1 },
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone }) // hashes do not compress
	db, err := pebble.Open(d.dir, opts)
	d.db = db
	return err
}

// quiet drops pebble's diary.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(f string, a ...any) {
	panic(fmt.Sprintf("memory of duplicates: "+f, a...)) // pebble cannot go on; the log is not touched by it
}

func (d *dedupe) meta() (id string, next uint64, err error) {
	b, err := d.get(nil, metaLog)
	if err != nil || b == nil {
		return "", 0, err
	}
	n, err := d.get(nil, metaNext)
	if err != nil || n == nil {
		return string(b), 0, err
	}
	next, _ = binary.Uvarint(n)
	return string(b), next, nil
}

func (d *dedupe) get(dst, k []byte) ([]byte, error) {
	v, closer, err := d.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	dst = append(dst, v...)
	return dst, closer.Close()
}

func (d *dedupe) periodOf(t time.Time) uint32 {
	return uint32(max(1, t.UnixNano()/int64(d.window)))
}

// lookup returns the versions known of a key.
func (d *dedupe) lookup(k recordKey, now time.Time) ([]version, error) {
	d.mu.Lock()
	v, ok := d.flight[k]
	period := max(d.period, d.periodOf(now))
	d.mu.Unlock()
	if ok {
		return v, nil
	}
	var key [20]byte
	copy(key[4:], k[:])
	for _, p := range [...]uint32{period, period - 1} {
		binary.BigEndian.PutUint32(key[:], p)
		value, closer, err := d.db.Get(key[:])
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		v, err := parseVersions(value)
		return v, errors.Join(err, closer.Close())
	}
	return nil, nil
}

// remember notes a key whose batch is not committed yet.
func (d *dedupe) remember(k recordKey, v []version) {
	d.mu.Lock()
	d.flight[k] = v
	d.mu.Unlock()
}

// keyed is what a batch tells the memory.
type keyed struct {
	key      recordKey
	versions []version
}

// apply takes up log entry index, which was committed at that time, and
// everything in it. From its return on the database answers for the keys.
func (d *dedupe) apply(index uint64, committed time.Time, keys []keyed) error {
	b := d.db.NewBatchWithSize(64 + 64*len(keys))
	defer b.Close()
	if period := d.periodOf(committed); period > d.period {
		if err := d.advance(b, period); err != nil {
			return err
		}
	}
	var key [20]byte
	binary.BigEndian.PutUint32(key[:], d.period)
	var value []byte
	for i := range keys {
		copy(key[4:], keys[i].key[:])
		value = appendVersions(value[:0], keys[i].versions)
		if err := b.Set(key[:], value, nil); err != nil {
			return err
		}
	}
	if err := b.Set(metaNext, binary.AppendUvarint(nil, index+1), nil); err != nil {
		return err
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = index + 1
	for i := range keys {
		k := keys[i].key
		if v := d.flight[k]; len(v) > 0 && v[len(v)-1].at.Batch <= index {
			delete(d.flight, k)
		}
	}
	return nil
}

// advance begins a period and forgets all before the one before.
func (d *dedupe) advance(b *pebble.Batch, period uint32) error {
	d.mu.Lock()
	d.period = period
	d.mu.Unlock()
	var from, to [4]byte
	binary.BigEndian.PutUint32(to[:], period-1)
	return b.DeleteRange(from[:], to[:], nil)
}

// close writes everything out, so that the next start has nothing to read again.
func (d *dedupe) close() error {
	return errors.Join(d.db.Flush(), d.db.Close())
}

func appendVersions(dst []byte, vs []version) []byte {
	for i := range vs {
		dst = append(dst, vs[i].sum[:]...)
		dst = binary.AppendUvarint(dst, vs[i].at.Batch)
		dst = binary.AppendUvarint(dst, uint64(vs[i].at.Index))
	}
	return dst
}

func parseVersions(b []byte) ([]version, error) {
	vs := make([]version, 0, 1)
	for len(b) > 0 {
		var v version
		n := copy(v.sum[:], b)
		batch, n1 := binary.Uvarint(b[n:])
		if n < len(v.sum) || n1 <= 0 {
			return nil, errors.New("memory of duplicates is damaged: delete it")
		}
		index, n2 := binary.Uvarint(b[n+n1:])
		if n2 <= 0 {
			return nil, errors.New("memory of duplicates is damaged: delete it")
		}
		v.at = event.ID{Batch: batch, Index: uint32(index)}
		vs, b = append(vs, v), b[n+n1+n2:]
	}
	return vs, nil
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

// noID reports whether a provider id says nothing: empty, or zeros and dashes.
func noID(id []byte) bool {
	for _, c := range id {
		if c != '0' && c != '-' {
			return len(id) > layout.MaxID
		}
	}
	return true
}

// replay takes up the entries that the memory does not know. Batches from before
// the window are passed over.
func (j *Journal) replay(ctx context.Context) error {
	d := j.index
	size := j.tree.size.Load()
	if last, ok, err := j.lastBatch(ctx, size); err != nil {
		return err
	} else if ok {
		d.period = d.periodOf(last.Committed)
	}
	from := d.next
	for ; d.next < size; d.next++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		entry, err := j.entry(ctx, d.next)
		if err != nil {
			return err
		}
		e, ok := entry.(layout.BatchEntry)
		if !ok || d.periodOf(e.Committed)+1 < d.period {
			continue
		}
		if err := j.replayBatch(e); err != nil {
			return fmt.Errorf("replaying log entry %d: %w", e.Index, err)
		}
		d.next-- // apply has moved it on
	}
	if from < size {
		j.opts.Logger.Info("memory of duplicates caught up with the log", "from", from, "to", size)
	}
	return nil
}

func (j *Journal) replayBatch(e layout.BatchEntry) error {
	b, err := j.files.receipts(e)
	if err != nil {
		return err
	}
	var keys []keyed
	var k keyer
	last := -1
	for i := range b.Records {
		r := &b.Records[i]
		if r.Origin != last {
			k.origin(&b.Origins[r.Origin].Origin)
			last = r.Origin
		}
		var raw []byte
		if noID(r.ID) {
			if !b.Gone && b.raw == nil {
				if err := j.files.frame(e, b); err != nil {
					return err
				}
			}
			if b.Gone {
				continue // its content cannot be served for comparison any more
			}
			raw = b.Raw(i)
		}
		key := k.key(r.ID, raw)
		known, err := j.index.lookup(key, e.Committed)
		if err != nil {
			return err
		}
		v := addVersion(known, version{sum: [16]byte(r.RawSum[:16]), at: b.ID(i)})
		j.index.remember(key, v)
		keys = append(keys, keyed{key, v})
	}
	return j.index.apply(e.Index, e.Committed, keys)
}

func addVersion(known []version, v version) []version {
	if len(known) >= maxVersions {
		known = known[1:]
	}
	return append(known[:len(known):len(known)], v)
}
