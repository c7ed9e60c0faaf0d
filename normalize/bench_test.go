// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package normalize_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
)

// mix reads our own records as one line each and repeats each as often as a
// tenant's log has its kind: sign-ins, mailbox and file access most.
func mix(b *testing.B) (records [][]byte, size int64) {
	often := map[string]int{"sts-logon": 10, "mailbox-access": 10, "file-download": 10, "sts-failure": 4, "exchange-forwarding": 6, "exchange-permission": 4, "entra-role": 2, "page-viewed": 4}
	names, err := filepath.Glob("m365/testdata/*.json")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".event.json") {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, raw); err != nil {
			b.Fatal(err)
		}
		for range max(1, often[strings.TrimSuffix(filepath.Base(name), ".json")]) {
			records = append(records, line.Bytes())
			size += int64(line.Len())
		}
	}
	if len(records) == 0 {
		b.Fatal("no records in m365/testdata")
	}
	return records, size / int64(len(records))
}

// BenchmarkNormalize maps records from their bytes on.
func BenchmarkNormalize(b *testing.B) {
	run(b, func(n *normalize.Normalizer, raw []byte) { n.Event(raw, "m365") })
}

// BenchmarkIdentify reads what the journal needs of a record.
func BenchmarkIdentify(b *testing.B) {
	run(b, func(n *normalize.Normalizer, raw []byte) { n.Identify(raw, "m365") })
}

// BenchmarkEncode maps records and writes the events as JSON.
func BenchmarkEncode(b *testing.B) {
	var dst []byte
	run(b, func(n *normalize.Normalizer, raw []byte) { dst = n.Event(raw, "m365").AppendJSON(dst[:0]) })
}

func run(b *testing.B, f func(*normalize.Normalizer, []byte)) {
	records, size := mix(b)
	var n normalize.Normalizer
	for _, raw := range records {
		f(&n, raw)
	}
	b.SetBytes(size)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		f(&n, records[i])
		if i++; i == len(records) {
			i = 0
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkTell tells what records of all sources are, and the same by asking every source.
func BenchmarkTell(b *testing.B) {
	var tapes []*jsontape.Tape
	for _, source := range []string{"m365", "entra", "okta", "slack", "google", "github", "cloudtrail", "defender"} {
		for _, raw := range samples(b, source) {
			tape := new(jsontape.Tape)
			if tape.Parse(raw) == nil {
				tapes = append(tapes, tape)
			}
		}
	}
	b.Run("asked", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			normalize.Tell(tapes[i%len(tapes)].Root())
		}
	})
	b.Run("all", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			root := tapes[i%len(tapes)].Root()
			for k := range normalize.Sources {
				if s := &normalize.Sources[k]; s.Detect != nil {
					s.Detect(root)
				}
			}
		}
	})
}
