// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// tuples goes through the combinations of the values of several fields: nearly always one.
type tuples struct {
	values [][][]byte
	index  []int
	tuple  [][]byte
	more   bool
}

// maxTuples bounds the combinations of one record. Of one that has more, the values of each field
// are taken together, as one value: so nothing of it is left out.
const maxTuples = 1024

// start takes the fields of a hit, and reports whether it has them all.
func (t *tuples) start(h *correlate.Hit, fields []string) bool {
	t.values, t.index, t.tuple = t.values[:0], t.index[:0], t.tuple[:0]
	n := 1
	for _, field := range fields {
		v := h.Values(field)
		if len(v) == 0 {
			t.more = false
			return false
		}
		t.values, t.index, t.tuple = append(t.values, v), append(t.index, 0), append(t.tuple, v[0])
		n = min(n, maxTuples) * len(v)
	}
	if n > maxTuples {
		for i, v := range t.values {
			t.tuple[i] = bytes.Join(v, []byte(", "))
			t.values[i] = t.tuple[i : i+1 : i+1]
		}
	}
	t.more = true
	return true
}

// next goes on to the next combination and reports whether there is one.
func (t *tuples) next() bool {
	for i := len(t.index) - 1; i >= 0; i-- {
		t.index[i]++
		if t.index[i] < len(t.values[i]) {
			t.tuple[i] = t.values[i][t.index[i]]
			return true
		}
		t.index[i], t.tuple[i] = 0, t.values[i][0]
	}
	t.more = false
	return false
}

const (
	maxText  = 120  // bytes of a value that are kept for the sentence
	maxGroup = 1000 // bytes of a value that names a group
)

// textsOf appends what is kept of the values of the group of the hit. It is kept with records that may be told
// of, because other groups' records may be what makes that news; and so a group is always named as its own record has it.
func (s *State) textsOf(texts [][]byte) [][]byte {
	for _, v := range s.hit.group {
		texts = append(texts, v[:min(len(v), maxGroup)])
	}
	return texts
}

func appendText(b, text []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

// appendTexts takes apart what appendText has appended; they point into b.
func appendTexts(texts [][]byte, b []byte) [][]byte {
	for len(b) > 0 {
		end := 2 + int(binary.LittleEndian.Uint16(b))
		texts = append(texts, b[2:end:end])
		b = b[end:]
	}
	return texts
}

func textSize(texts [][]byte) (n int) {
	for _, text := range texts {
		n += 2 + len(text)
	}
	return n
}

// digest makes hashes of lists of strings. Letters of ASCII count as the small ones, as in Sigma's
// comparisons.
type digest struct{ buf []byte }

// begin starts anew.
func (d *digest) begin(kind byte, rule [8]byte) *digest {
	d.buf = append(append(d.buf[:0], kind), rule[:]...)
	return d
}

func (d *digest) text(s []byte) *digest {
	d.buf = binary.AppendUvarint(d.buf, uint64(len(s)))
	from := len(d.buf)
	d.buf = append(d.buf, s...)
	for i, c := range d.buf[from:] {
		if 'A' <= c && c <= 'Z' {
			d.buf[from+i] = c + ('a' - 'A')
		}
	}
	return d
}

func (d *digest) tuple(t [][]byte) *digest {
	d.buf = append(d.buf, byte(len(t)))
	for _, s := range t {
		d.text(s)
	}
	return d
}

func (d *digest) bytes(b []byte) *digest {
	d.buf = append(d.buf, b...)
	return d
}

func (d *digest) number(n int64) *digest {
	d.buf = binary.LittleEndian.AppendUint64(d.buf, uint64(n))
	return d
}

func (d *digest) sum() [16]byte {
	sum := sha256.Sum256(d.buf)
	return [16]byte(sum[:])
}

func (d *digest) sum64() uint64 {
	sum := sha256.Sum256(d.buf)
	return binary.BigEndian.Uint64(sum[:])
}
