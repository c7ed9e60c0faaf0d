// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"crypto/sha256"
	"os"
	"testing"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"github.com/daybreak-sec/daybreak/sample"
)

// BenchmarkSealOnly is what sealing costs by itself, on one core: the record's
// hash and copy, leaves and tree, receipts, zstd, and writing the blocks, without
// the memory of duplicates, fsync and the log's files. BenchmarkHashTreeLimit is
// the floor under it, BenchmarkSeal the whole.
func BenchmarkSealOnly(b *testing.B) {
	const n = 2048
	log := sample.New(sample.Options{People: 100_000})
	var raws, ids [][]byte
	size := 0
	for range n {
		raw := log.Append(nil)
		at := bytes.Index(raw, []byte(`"Id":"`)) + 6
		raws, ids = append(raws, raw), append(ids, raw[at:at+36])
		size += len(raw)
	}
	file, err := os.CreateTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	s, err := newSealer()
	if err != nil {
		b.Fatal(err)
	}
	origin := event.Origin{Tenant: sample.Tenant, Family: "m365", Stream: "import", Name: "log.jsonl", Run: "1"}
	building := building{pieces: map[event.Origin]int{}}
	building.begin(make([]byte, 0, size), n)
	b.SetBytes(int64(size))
	stored := 0
	for b.Loop() {
		building.raw, building.Records, building.ids = building.raw[:0], building.Records[:0], building.ids[:0]
		building.Origins = append(building.Origins[:0], layout.Origin{Origin: origin, End: n})
		for i, raw := range raws {
			building.Records = append(building.Records, layout.Receipt{
				Ordinal: uint64(i), Time: int64(i), Received: 1, ID: building.copyID(ids[i]),
				RawLength: len(raw), RawSum: sha256.Sum256(raw),
			})
			building.raw = append(building.raw, raw...)
		}
		if err := s.seal(&building); err != nil {
			b.Fatal(err)
		}
		for _, block := range [][]byte{building.frame, building.receipts} {
			if _, err := file.WriteAt(block, 0); err != nil {
				b.Fatal(err)
			}
			blocks.put(block)
		}
		stored = len(building.frame) + len(building.receipts)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(stored)/n, "B/record")
}
