// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/durable"
)

// The database's keys are a period's number (4 bytes, big-endian) and a
// [recordKey]; the value is a list of versions, each 16 bytes of hash and two
// varints. A period is DedupeWindow long. The present one and the one before are
// asked, older ones are deleted. Two more keys sort behind all periods.
var (
	metaLog  = []byte("\xff\xffl") // the log that is remembered
	metaNext = []byte("\xff\xffn") // how many entries of it
)

// bytesPerKey is what a key takes in memory while the database does not know it:
// its place in the map and in the list of committed keys, with the map's slack.
const bytesPerKey = 256

// openDedupe opens the memory of the log named by id; a memory of another log,
// or one that knows more than the log does, is thrown away.
func openDedupe(dir, id string, size uint64, o *Options) (*dedupe, error) {
	d := &dedupe{
		dir: dir, window: o.DedupeWindow, limit: max(1, int(o.DedupeMemory/4/bytesPerKey)),
		recent: make(map[recordKey]versions), stop: make(chan struct{}),
	}
	for {
		if err := d.open(o.DedupeMemory / 2); err != nil {
			return nil, fmt.Errorf("memory of duplicates in %s (it can be deleted, it is made again from the log): %w", dir, err)
		}
		known, next, err := d.meta()
		if err == nil && (known == id && next <= size) {
			d.next = next
			return d, nil
		}
		if err == nil && known == "" {
			return d, d.addTable(func(set func(k, v []byte) error) error { return set(metaLog, []byte(id)) })
		}
		if err := errors.Join(d.db.Close(), os.RemoveAll(dir)); err != nil {
			return nil, err
		}
	}
}

func (d *dedupe) open(cache int64) error {
	opts := &pebble.Options{
		DisableWAL:                 true,
		CacheSize:                  cache,
		MemTableSize:               256 << 10, // not used: tables are added whole
		FormatMajorVersion:         pebble.FormatNewest,
		Logger:                     quiet{},
		CompactionConcurrencyRange: func() (int, int) { return 1, 1 },
		// Keys are spread evenly, so every compaction rewrites all of the level
		// below: let many tables gather before. What that costs a lookup, one
		// Bloom filter a table, only keys pay that the filter in memory passes.
		L0CompactionThreshold: 16,
		L0StopWritesThreshold: 64,
		LBaseMaxBytes:         256 << 20,
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	// Hashes do not compress.
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
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
	b, err := d.get(metaLog)
	if err != nil || b == nil {
		return "", 0, err
	}
	n, err := d.get(metaNext)
	if err != nil || n == nil {
		return string(b), 0, err
	}
	next, _ = binary.Uvarint(n)
	return string(b), next, nil
}

func (d *dedupe) get(k []byte) ([]byte, error) {
	v, closer, err := d.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return bytes.Clone(v), closer.Close()
}

// stored returns what the database knows of a key in one period.
func (d *dedupe) stored(period uint32, k recordKey) (versions, error) {
	var key [20]byte
	binary.BigEndian.PutUint32(key[:], period)
	copy(key[4:], k[:])
	value, closer, err := d.db.Get(key[:])
	if errors.Is(err, pebble.ErrNotFound) {
		return versions{}, nil
	}
	if err != nil {
		return versions{}, err
	}
	v, err := parseVersions(value)
	return v, errors.Join(err, closer.Close())
}

// iter returns an iterator over the keys of the periods from one on and before
// another.
func (d *dedupe) iter(from, before uint32) (*pebble.Iterator, error) {
	return d.db.NewIter(&pebble.IterOptions{
		LowerBound: binary.BigEndian.AppendUint32(nil, from), UpperBound: binary.BigEndian.AppendUint32(nil, before),
	})
}

// has reports whether the database has keys of a period.
func (d *dedupe) has(period uint32) (bool, error) {
	it, err := d.iter(period, period+1)
	if err != nil {
		return false, err
	}
	found := it.First()
	return found, errors.Join(it.Error(), it.Close())
}

// forget deletes all periods before this one.
func (d *dedupe) forget(period uint32) error {
	var from, to [4]byte
	binary.BigEndian.PutUint32(to[:], period)
	if err := d.db.DeleteRange(from[:], to[:], pebble.NoSync); err != nil {
		return err
	}
	return d.db.Flush()
}

// addTable adds one table to the database, whole or not at all. The keys are set
// in ascending order.
func (d *dedupe) addTable(fill func(set func(key, value []byte) error) error) error {
	// The database ends the process when it cannot write its manifest, so it is
	// not asked to when the disk is almost full.
	if err := durable.Room(d.dir, 16<<20); err != nil {
		return err
	}
	d.tables++
	path := filepath.Join(d.dir, fmt.Sprintf("new-%d.sst", d.tables))
	defer os.Remove(path) // the database has a link of its own
	file, err := vfs.Default.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	o := sstable.WriterOptions{TableFormat: d.db.TableFormat(), FilterPolicy: bloom.FilterPolicy(10), Compression: sstable.NoCompression}
	w := sstable.NewWriter(objstorageprovider.NewFileWritable(file), o)
	err = fill(w.Set)
	if closeErr := w.Close(); err == nil { // with fsync
		err = closeErr
	}
	if err != nil {
		return err
	}
	return d.db.Ingest(context.Background(), []string{path})
}

// close writes everything out, so that the next start has nothing to read again.
func (d *dedupe) close() error {
	err := d.flush()
	return errors.Join(err, d.abandon())
}

// abandon lets go of the database without writing.
func (d *dedupe) abandon() error {
	close(d.stop)
	d.filling.Wait()
	return d.db.Close()
}

func (v *versions) append(dst []byte) []byte {
	v.all(func(v *version) bool {
		dst = append(dst, v.sum[:]...)
		dst = binary.AppendUvarint(dst, v.at.Batch)
		dst = binary.AppendUvarint(dst, uint64(v.at.Index))
		return true
	})
	return dst
}

func parseVersions(b []byte) (versions, error) {
	var vs versions
	damaged := errors.New("memory of duplicates is damaged: delete it, it is made again from the log")
	for len(b) > 0 {
		var v version
		n := copy(v.sum[:], b)
		batch, n1 := binary.Uvarint(b[n:])
		if n < len(v.sum) || n1 <= 0 {
			return vs, damaged
		}
		index, n2 := binary.Uvarint(b[n+n1:])
		if n2 <= 0 {
			return vs, damaged
		}
		v.at = event.ID{Batch: batch, Index: uint32(index)}
		vs, b = vs.with(v), b[n+n1+n2:]
	}
	return vs, nil
}
