// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"runtime"
	"testing"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sample"
)

// records returns n records of the made-up company as JSON lines.
func records(n int, seed uint64) []byte {
	log := sample.New(sample.Options{Seed: seed})
	var b []byte
	for range n {
		b = append(log.Append(b), '\n')
	}
	return b
}

var quiet = slog.New(slog.DiscardHandler)

func open(tb testing.TB, dir, role string) *node.Node {
	tb.Helper()
	n, err := node.Open(context.Background(), node.Options{Dir: dir, Role: role, Config: config.Default(), Log: quiet})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

func take(tb testing.TB, n *node.Node, raw []byte) node.Summary {
	tb.Helper()
	return node.TestingImport(tb, n, raw)
}

// BenchmarkImport is the whole path of a record: read, told apart, sealed with
// fsync, mapped, in the lake, under a signed checkpoint.
func BenchmarkImport(b *testing.B) {
	const n = 100_000
	raw := records(n, 1)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		b.StopTimer()
		nd := open(b, b.TempDir(), "import")
		b.StartTimer()
		if s := take(b, nd, raw); s.Stored != n {
			b.Fatalf("stored %d", s.Stored)
		}
		b.StopTimer()
		nd.Close()
		b.StartTimer()
	}
	rate := float64(n) * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "records/s")
	b.ReportMetric(rate/float64(runtime.GOMAXPROCS(0)), "records/s/core")
}

// BenchmarkNormalize is `daybreak normalize`: raw JSON to OCSF JSON.
func BenchmarkNormalize(b *testing.B) {
	const n = 50_000
	raw := records(n, 1)
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := node.Normalize(context.Background(), "auto", "log.jsonl", bytes.NewReader(raw), io.Discard, func(string) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
