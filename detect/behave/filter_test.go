// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

func TestFilter(t *testing.T) {
	key := func(n uint64) (k rowKey) {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, n))
		copy(k[:], sum[:])
		return k
	}
	var f filter
	if k := key(1); f.has(&k) {
		t.Error("an empty filter has a key")
	}
	const n = 200_000
	for i := range uint64(n) {
		k := key(i)
		f.add(&k)
	}
	wrong := 0
	for i := range uint64(n) {
		if k := key(i); !f.has(&k) {
			t.Fatalf("key %d was added and is not there", i)
		}
		if k := key(n + i); f.has(&k) {
			wrong++
		}
	}
	if wrong > n/200 {
		t.Errorf("%d of %d other keys seem to be there", wrong, n)
	}
}
