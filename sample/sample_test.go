// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sample_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/daybreak-sec/daybreak/sample"
)

func TestRecords(t *testing.T) {
	log, again := sample.New(sample.Options{Seed: 1}), sample.New(sample.Options{Seed: 1})
	ids := map[string]bool{}
	rules, size := 0, 0
	last := ""
	const n = 3 * sample.RuleEvery
	for i := range n {
		b := log.Append(nil)
		if !bytes.Equal(b, again.Append(nil)) {
			t.Fatalf("record %d differs between two logs of one seed", i)
		}
		var r struct{ ID, CreationTime, Operation string }
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatalf("record %d is not JSON: %v\n%s", i, err, b)
		}
		if ids[r.ID] || len(r.ID) != 36 {
			t.Fatalf("record %d: id %q is not new", i, r.ID)
		}
		if r.CreationTime < last {
			t.Fatalf("record %d goes back in time", i)
		}
		ids[r.ID], last = true, r.CreationTime
		size += len(b)
		if r.Operation == "New-InboxRule" {
			rules++
		}
	}
	if rules != n/sample.RuleEvery {
		t.Errorf("%d inbox rules, want %d", rules, n/sample.RuleEvery)
	}
	if mean := size / n; mean < 1200 || mean > 1900 {
		t.Errorf("mean size %d bytes, want that of real records, 1,200 to 1,900", mean)
	}
}

func BenchmarkAppend(b *testing.B) {
	log := sample.New(sample.Options{})
	var buf []byte
	for b.Loop() {
		buf = log.Append(buf[:0])
		b.SetBytes(int64(len(buf)))
	}
}
