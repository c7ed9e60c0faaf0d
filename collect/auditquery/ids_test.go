// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery_test

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/daybreak-sec/daybreak/collect/auditquery"
)

// TestIDs: a set that is mostly in files says the same as a map, for ids that are evenly spread and for those that are not, and leaves
// no file behind.
func TestIDs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		name string
		make func() (k [16]byte)
	}{
		{"even", func() (k [16]byte) {
			binary.BigEndian.PutUint64(k[:], rng.Uint64())
			k[8] = byte(rng.IntN(3))
			return k
		}},
		{"few", func() (k [16]byte) { k[0] = byte(rng.IntN(256)); k[15] = byte(rng.IntN(20)); return k }},
		{"close together", func() (k [16]byte) {
			binary.BigEndian.PutUint64(k[8:], rng.Uint64N(1<<16))
			return k
		}},
		{"at both ends", func() (k [16]byte) {
			binary.BigEndian.PutUint64(k[:], rng.Uint64N(500)-250)
			k[15] = byte(rng.IntN(100))
			return k
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			set, truth := auditquery.NewIDs(dir, 300), map[[16]byte]bool{}
			defer set.Close()
			for range 20_000 {
				k := test.make()
				fresh, err := set.Add(k)
				if err != nil {
					t.Fatal(err)
				}
				if fresh == truth[k] {
					t.Fatalf("%x: new is %v", k, fresh)
				}
				truth[k] = true
				k = test.make()
				if had, err := set.Has(k); err != nil || had != truth[k] {
					t.Fatalf("%x: %v, %v", k, had, err)
				}
			}
			if set.Len() != len(truth) {
				t.Errorf("%d of %d", set.Len(), len(truth))
			}
			for k := range truth {
				if had, err := set.Has(k); err != nil || !had {
					t.Fatalf("%x is lost: %v", k, err)
				}
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) > 0 {
				t.Errorf("files with names: %v, %v", left, err)
			}
		})
	}
}

// TestIDsNowhere: a folder that cannot be written to is an error, and no record is taken for missing for it.
func TestIDsNowhere(t *testing.T) {
	set := auditquery.NewIDs(t.TempDir()+"/gone", 2)
	defer set.Close()
	var err error
	for i := byte(0); i < 4 && err == nil; i++ {
		_, err = set.Add([16]byte{i})
	}
	if err == nil {
		t.Error("it is written nowhere")
	}
}
