// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// rows are in memory all of them, and in a database under a prefix; what has changed is written with the next flush.
type rows[T any] struct {
	prefix  []byte
	all     map[correlate.Key]*T
	changed map[correlate.Key]bool
	err     error // the first; final
}

func readRows[T any](db *pebble.DB, prefix []byte) rows[T] {
	r := rows[T]{prefix: prefix, all: map[correlate.Key]*T{}, changed: map[correlate.Key]bool{}}
	end := slices.Clone(prefix)
	end[len(end)-1]++
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: end})
	if err != nil {
		r.err = err
		return r
	}
	for ok := it.First(); ok; ok = it.Next() {
		row, id := new(T), bytes.TrimPrefix(it.Key(), prefix)
		if err := json.Unmarshal(it.Value(), row); err != nil || len(id) != len(correlate.Key{}) {
			r.err = errors.New("a row of the detection state is damaged: delete the state, it is made again from the journal")
			break
		}
		r.all[correlate.Key(id)] = row
	}
	r.fail(it.Close())
	return r
}

func (r *rows[T]) set(id correlate.Key, row *T) { r.all[id], r.changed[id] = row, true }

func (r *rows[T]) remove(id correlate.Key) {
	delete(r.all, id)
	r.changed[id] = true
}

func (r *rows[T]) flush(b *pebble.Batch) error {
	for id := range r.changed {
		key := append(slices.Clone(r.prefix), id[:]...)
		row, ok := r.all[id]
		if !ok {
			r.fail(b.Delete(key, nil))
			continue
		}
		text, err := json.Marshal(row)
		r.fail(err)
		r.fail(b.Set(key, text, nil))
	}
	clear(r.changed)
	return r.err
}

func (r *rows[T]) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
