// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// company makes n records of about 1.5 KB that look like an office suite's: few
// operations and devices, many users and files, fresh ids.
func company(n int) []event.Record {
	rng := rand.New(rand.NewPCG(7, 7))
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", rng.Uint32(), rng.Uint32()&0xffff, rng.Uint32()&0xffff, rng.Uint32()&0xffff, rng.Uint64()&0xffffffffffff)
	}
	ops := []string{"FileAccessed", "FileModified", "MailItemsAccessed", "UserLoggedIn", "Send", "FileDownloaded", "PageViewed"}
	out := make([]event.Record, n)
	for i := range out {
		id, user, op := uuid(), rng.IntN(100_000), ops[rng.IntN(len(ops))]
		raw := fmt.Sprintf(`{"CreationTime":"2026-11-21T%02d:%02d:%02d","Id":"%s","Operation":"%s","OrganizationId":"0f0e0d0c-0b0a-4908-8706-050403020100","RecordType":6,"UserKey":"i:0h.f|membership|10032000%08x@live.example","UserType":0,"Version":1,"Workload":"SharePoint","ClientIP":"203.0.%d.%d","UserId":"user%d@contoso.example","CorrelationId":"%s","EventSource":"SharePoint","ItemType":"File","ListId":"%s","ListItemUniqueId":"%s","Site":"%s","UserAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%d.0.0.0 Safari/537.36","WebId":"%s","DeviceDisplayName":"LAPTOP-%06x","HighPriorityMediaProcessing":false,"SourceFileExtension":"docx","SiteUrl":"https://contoso.example/sites/team%d/","SourceFileName":"Report %d draft %d.docx","SourceRelativeUrl":"Shared Documents/Projects/%d","ObjectId":"https://contoso.example/sites/team%d/Shared Documents/Projects/%d/Report %d.docx","AppAccessContext":{"AADSessionId":"%s","CorrelationId":"%s","UniqueTokenId":"%s"},"ApplicationId":"%s","AuthenticationType":"OAuth","BrowserName":"Chrome","BrowserVersion":"120.0","EventSignals":{"IsManagedDevice":true,"Platform":"WinDesktop","GeoLocation":"EUR"}}`,
			i/3600%24, i/60%60, i%60, id, op, user, rng.IntN(256), rng.IntN(256), user, uuid(), uuid(), uuid(), uuid(), 100+rng.IntN(20), uuid(), user,
			rng.IntN(900), rng.IntN(100_000), rng.IntN(9), rng.IntN(5000), rng.IntN(900), rng.IntN(5000), rng.IntN(100_000), uuid(), uuid(), uuid(), uuid())
		out[i] = event.Record{Raw: []byte(raw), ID: []byte(id), Time: int64(1.7e18) + int64(i)*1e8, Offered: 1.7e18, Received: 1.7e18}
	}
	return out
}

var sample = sync.OnceValue(func() []event.Record { return company(40_000) })

// cpu returns the processor time that the process has taken.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSeal appends records that are all new: hashes, memory of duplicates,
// tree, zstd, files, log. records/cpu-s is the rate of one core.
func BenchmarkSeal(b *testing.B) {
	in := sample()
	bed := newBed(b)
	bed.opts.DedupeMemory, bed.opts.BatchDelay, bed.opts.CheckpointInterval = 64<<20, 0, time.Second
	j := bed.open()
	b.ReportAllocs()
	b.ResetTimer()
	start, raw := cpu(), 0
	var last *journal.Commit
	for n := 0; n < b.N; {
		batch := make([]event.Record, 0, 1000)
		for len(batch) < 1000 && n < b.N {
			r := in[n%len(in)]
			r.ID, r.Ordinal = fmt.Appendf(nil, "%x", n), uint64(len(batch)) // a new id for an old text
			raw += len(r.Raw)
			batch = append(batch, r)
			n++
		}
		c, err := j.Append(b.Context(), bed.origin(), batch, nil)
		if err != nil {
			b.Fatal(err)
		}
		last = c
	}
	if _, err := last.Wait(b.Context()); err != nil {
		b.Fatal(err)
	}
	spent := cpu() - start
	b.StopTimer()
	s := j.Stats()
	b.SetBytes(int64(raw / b.N))
	b.ReportMetric(float64(b.N)/spent.Seconds(), "records/cpu-s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(s.FrameBytes+s.ReceiptBytes)/float64(b.N), "B/record")
	b.ReportMetric(100*float64(s.FrameBytes+s.ReceiptBytes)/float64(raw), "%ofraw")
}

// BenchmarkHashTreeLimit is the floor under BenchmarkSeal: the SHA-256 of each
// record, its leaf and the tree.
func BenchmarkHashTreeLimit(b *testing.B) {
	in := sample()
	r := layout.Receipts{Origins: []layout.Origin{{Origin: event.Origin{Tenant: "t", Family: "m365", Stream: "Audit.SharePoint", Name: "blob", Run: "1"}}}}
	var leaves []layout.Hash
	b.ResetTimer()
	start := cpu()
	for n := 0; n < b.N; {
		r.Records = r.Records[:0]
		for len(r.Records) < 1024 && n < b.N {
			e := &in[n%len(in)]
			r.Records = append(r.Records, layout.Receipt{Ordinal: uint64(n), Time: e.Time, RawLength: len(e.Raw), ID: e.ID, RawSum: sha256.Sum256(e.Raw)})
			n++
		}
		leaves = r.LeafHashes(leaves[:0])
		_ = layout.Root(leaves)
	}
	b.ReportMetric(float64(b.N)/(cpu()-start).Seconds(), "records/cpu-s")
}

// BenchmarkFollow reads a sealed journal back: from disk, with all checks.
func BenchmarkFollow(b *testing.B) {
	bed := newBed(b)
	bed.opts.LiveBytes = 1
	j := bed.open()
	bed.add(sample()...)
	b.ResetTimer()
	start := cpu()
	f := j.Follow(0)
	for n := 0; n < b.N; {
		if f.Position()+1 >= j.Size() {
			f = j.Follow(0)
		}
		batch, err := f.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		n += len(batch.Records)
	}
	b.ReportMetric(float64(b.N)/(cpu()-start).Seconds(), "records/cpu-s")
}

// BenchmarkDedupe offers the records of a journal again: each is found to be a
// duplicate and only noted.
func BenchmarkDedupe(b *testing.B) {
	in := sample()
	bed := newBed(b)
	bed.opts.BatchDelay, bed.opts.CheckpointInterval = 0, time.Second
	bed.opts.DedupeMemory = 1 << 20 // so that they are in the database
	j := bed.open()
	bed.add(in...)
	batch := make([]event.Record, 1000)
	b.ReportAllocs()
	b.ResetTimer()
	start := cpu()
	for n := 0; n < b.N; n += len(batch) {
		for i := range batch {
			batch[i] = in[(n+i)%len(in)]
			batch[i].Ordinal = uint64(i)
		}
		if _, err := j.Append(b.Context(), bed.origin(), batch, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/(cpu()-start).Seconds(), "records/cpu-s")
	if s := j.Stats(); s.Stored != uint64(len(in)) {
		b.Fatalf("%d records stored, want %d", s.Stored, len(in))
	}
}

// BenchmarkMemory fills the memory of duplicates and reports what a record takes
// of it on disk, and the process's largest size.
func BenchmarkMemory(b *testing.B) {
	bed := newBed(b)
	bed.opts.BatchDelay, bed.opts.CheckpointInterval, bed.opts.DedupeMemory = 0, time.Second, 0
	j := bed.open()
	batch := make([]event.Record, 1000)
	for n := 0; n < b.N; n += len(batch) {
		for i := range batch {
			id := fmt.Appendf(nil, "%x", n+i)
			batch[i] = event.Record{Raw: id, ID: id, Ordinal: uint64(i)}
		}
		if _, err := j.Append(b.Context(), bed.origin(), batch, nil); err != nil {
			b.Fatal(err)
		}
	}
	bed.close()
	size := int64(0)
	files, err := os.ReadDir(bed.opts.DedupeDir)
	for _, f := range files {
		if info, err := f.Info(); err == nil {
			size += info.Size()
		}
	}
	var u syscall.Rusage
	if err := errors.Join(err, syscall.Getrusage(syscall.RUSAGE_SELF, &u)); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/float64(b.N), "disk-B/record")
	b.ReportMetric(float64(u.Maxrss)/1024, "MiB-peak")
}
