// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"encoding/binary"
	"math"

	"github.com/cockroachdb/pebble/v2"
)

// bigRecord is a record larger than maxBlock. It is not written anew whenever something
// comes: the database has its entries in pieces, and each Flush adds one with those that came
// since. That the entries were put in order or without duplicates meanwhile need not be
// written, because a restart does that again.
type bigRecord struct {
	b     []byte
	fresh []byte // entries that came since the last Flush
	whole bool   // other things have changed: all is to be written
	next  uint32 // number of the next piece
}

// bigRoom gives a group memory for a large record and keeps what is in a large record already.
func (t *table) bigRoom(x *slot, n int) record {
	r := t.big[x.hash]
	if x.flags&isBig == 0 {
		t.drop(x)
		r = &bigRecord{whole: true}
		t.big[x.hash] = r
		x.flags |= isBig
	}
	t.bigLen -= int64(len(r.b))
	b := make([]byte, n+n/8)
	copy(b, r.b)
	r.b = b
	t.bigLen += int64(len(b))
	return b
}

// rewrite has the next Flush write all of a large record.
func (t *table) rewrite(x *slot) {
	if x.flags&isBig != 0 {
		r := t.big[x.hash]
		r.whole, r.fresh = true, nil
	}
}

// added notes an entry for the next Flush.
func (r *bigRecord) added(entry []byte) {
	if !r.whole {
		r.fresh = append(r.fresh, entry...)
	}
}

// flush writes entries as the only piece, or those that are new as one more.
func (r *bigRecord) flush(b *pebble.Batch, key, entries []byte) error {
	piece := r.fresh
	if r.whole {
		piece, r.next = entries, 0
	}
	r.whole, r.fresh = false, nil
	if len(piece) == 0 {
		return nil
	}
	r.next++
	return b.Set(binary.BigEndian.AppendUint32(key[:len(key):len(key)], r.next), piece, nil)
}

func deletePieces(b *pebble.Batch, key []byte) error {
	from := append(key[:len(key):len(key)], 0)
	to := binary.BigEndian.AppendUint32(key[:len(key):len(key)], math.MaxUint32)
	return b.DeleteRange(from, to, nil)
}

// addPiece gives a group that is being restored the entries of one more piece.
func (t *table) addPiece(hash uint64, piece []byte) error {
	x := t.find(hash)
	if x == nil || x.flags&pieces == 0 || !t.checkEntries(piece) {
		return errDamaged
	}
	r := t.record(x)
	n := r.bytes(t.size)
	if n+len(piece) > len(r) {
		old := append([]byte(nil), r[:n]...)
		r = t.room(x, max(n+len(piece), maxBlock+1))
		copy(r, old)
	}
	copy(r[n:], piece)
	r.setU32(0, uint32(r.entries()+len(piece)/t.size))
	x.setAge(t.restored)
	big := t.big[hash]
	big.whole = false
	big.next++
	return nil
}
