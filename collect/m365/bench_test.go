// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// BenchmarkCollect takes blobs of a thousand records of 1.4 KB from the provider to
// the journal, with what the collector itself costs: cutting, hashing, duplicates, sealing.
func BenchmarkCollect(b *testing.B) {
	const perBlob = 1000
	f := newFake(1, epoch, 10*time.Millisecond)
	f.pageSize = 200
	k := newBench(b, f)
	k.opts.Poll, k.opts.Retry, k.opts.Sweep = 50*time.Millisecond, time.Second, time.Minute
	k.opts.Identify = func() func([]byte) ([]byte, int64, bool) {
		return func(raw []byte) ([]byte, int64, bool) { return raw[7:23], 1, true }
	}
	blobs := (b.N + perBlob - 1) / perBlob
	pad := bytes.Repeat([]byte("abcdefghijklmnopqrstuvwxyz 0123456789, "), 35)
	for i := range blobs {
		var text bytes.Buffer
		text.WriteByte('[')
		for j := range perBlob {
			if j > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, `{"Id":"%08x%08x","Operation":"FileAccessed","Pad":"%s"}`, i, j, pad[:1300+j%64])
		}
		text.WriteByte(']')
		raw := text.Bytes()
		f.add(&fakeBlob{
			stream: entra, id: fmt.Sprintf("b%d", i), created: epoch.Add(-time.Duration(i%7200) * time.Second),
			body: func() io.ReadCloser { return io.NopCloser(bytes.NewReader(raw)) },
		})
	}
	b.SetBytes(1400)
	b.ReportAllocs()
	b.ResetTimer()
	k.run()
	for {
		sealed, records := 0, 0
		for _, a := range k.acts(act.Sealed) {
			sealed++
			records += a.Stored
		}
		if sealed == blobs {
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.StopTimer()
}
