// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// batch is one of n records: each happened at event, was offered and received so
// many seconds after noon.
func batch(committed time.Time, n int, happened, offered, received float64) *journal.Batch {
	second := func(s float64) int64 {
		if s == 0 {
			return 0
		}
		return noon.Add(time.Duration(s * float64(time.Second))).UnixNano()
	}
	b := &journal.Batch{Committed: committed}
	b.Origins = []layout.Origin{{Origin: event.Origin{Tenant: tenant, Family: "m365", Stream: stream}}}
	for range n {
		b.Records = append(b.Records, layout.Receipt{Time: second(happened), Offered: second(offered), Received: second(received)})
	}
	return b
}

func observe(d *coverage.Delays, b *journal.Batch, now time.Time, operation, workload string) bool {
	if !d.Begin(b, now) {
		return false
	}
	for i := range b.Records {
		d.Add(i, operation, workload, i%10 == 3)
	}
	d.End()
	return true
}

func within(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got < want || got > want+want/16+time.Millisecond {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestDelaysAreMeasured(t *testing.T) {
	db := newBed(t).db
	d := coverage.NewDelays(db, noon)
	at := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	// 99 took 100 s until they were offered, 2 s to be received, 0.5 s to be found;
	// one waited for an hour at the provider.
	observe(d, batch(at(103), 99, 1, 101, 103), at(103.5), "Send", "Exchange")
	observe(d, batch(at(3700), 1, 1, 3601, 3603), at(3603.5), "Send", "Exchange")
	observe(d, batch(at(103), 10, 1, 101, 103), at(104), "Create", "Exchange")
	observe(d, batch(at(103), 10, 0, 101, 103), at(104), "", "Exchange") // of unknown time
	observe(d, batch(at(103), 10, 1, 0, 103), at(104), "Import", "")     // by hand
	if observe(d, batch(at(-1), 10, 1, 101, 103), at(104), "Send", "Exchange") {
		t.Error("a batch of an earlier process was measured")
	}
	list, err := d.Latency(t.Context(), noon, noon.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range list {
		names = append(names, fmt.Sprintf("%s %d %v", l.Operation, l.Records, l.Live))
	}
	if got := fmt.Sprintf("%q", names); got != `[" 120 true" "Send 100 true" "Create 10 true"]` {
		t.Fatalf("got %s", got)
	}
	send := list[1].Steps
	within(t, "offering p50", send[coverage.Offering].P50, 100*time.Second)
	within(t, "offering p99", send[coverage.Offering].P99, 100*time.Second)
	within(t, "offering p99.9", send[coverage.Offering].P999, time.Hour)
	within(t, "receiving", send[coverage.Receiving].P99, 2*time.Second)
	within(t, "indexing", send[coverage.Indexing].P50, 500*time.Millisecond)
	within(t, "added", send[coverage.Added].P999, 2500*time.Millisecond)
	within(t, "whole", send[coverage.Whole].P50, 102500*time.Millisecond)
	if n := list[0].Steps[coverage.Whole].Records; n != 110 {
		t.Errorf("%d records have a time of their own, want 110", n)
	}

	// What was written is there for the next process, which adds to it.
	d = coverage.NewDelays(db, noon)
	observe(d, batch(at(200), 50, 1, 101, 103), at(103.5), "Send", "Exchange")
	list, err = d.Latency(t.Context(), noon, noon.Add(time.Hour))
	if err != nil || list[1].Records != 149 || list[1].Told != 149 || list[1].Own != 10+5 { // the hour before the late one
		t.Errorf("%+v, %v", list[1], err)
	}
}

// TestOwnRecords: of what an older version has measured it is not known which records are our own.
func TestOwnRecords(t *testing.T) {
	db := newBed(t).db
	d := coverage.NewDelays(db, noon)
	latest := func() coverage.Delay {
		t.Helper()
		list, err := d.Latency(t.Context(), noon, noon.Add(time.Hour))
		if err != nil || len(list) != 2 {
			t.Fatalf("%+v, %v", list, err)
		}
		return list[0]
	}
	b := batch(noon.Add(time.Minute), 50, 1, 2, 3)
	observe(d, b, noon.Add(time.Minute), "Send", "Exchange")
	if l := latest(); l.Records != 50 || l.Told != 50 || l.Own != 5 {
		t.Errorf("%d of %d of %d", l.Own, l.Told, l.Records)
	}
	old := func(form string) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`UPDATE coverage_delay SET counts = ` + form); return err }); err != nil {
			t.Fatal(err)
		}
	}
	old(`substr(counts, 1, length(counts) - 2)`)
	if l := latest(); l.Records != 50 || l.Told != 0 || l.Own != 0 {
		t.Errorf("of an older version: %d of %d of %d", l.Own, l.Told, l.Records)
	}
	observe(d, b, noon.Add(time.Minute), "Send", "Exchange")
	if l := latest(); l.Records != 100 || l.Told != 50 || l.Own != 5 {
		t.Errorf("of both: %d of %d of %d", l.Own, l.Told, l.Records)
	}
	for _, form := range []string{`substr(counts, 1, length(counts) - 1)`, `CAST(counts || x'7f' AS BLOB)`} { // cut off, and more of our own than there are
		old(form)
		if list, err := d.Latency(t.Context(), noon, noon.Add(time.Hour)); err == nil {
			t.Errorf("%s is read: %+v", form, list)
		}
	}
}

// TestOrder: a record is as far out of order as its event is older than the latest that was offered before it. What was
// offered at one moment has no order, a clock in the future moves nothing, and our own order of reading does not count.
func TestOrder(t *testing.T) {
	d := coverage.NewDelays(newBed(t).db, noon)
	committed := noon.Add(time.Hour - time.Second)
	for _, r := range []struct{ happened, offered float64 }{
		{100, 110},
		{90, 110},   // at the same moment: in order
		{101, 120},  // in order
		{40, 130},   // 61 s behind
		{9000, 140}, // nothing happens after it was offered
		{131, 150},  // 9 s behind what was offered at 140
		{1, 115},    // we have read it late
	} {
		observe(d, batch(committed, 1, r.happened, r.offered, 200), committed, "Send", "Exchange")
	}
	list, err := d.Latency(t.Context(), noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	order := list[0].Steps[coverage.Disorder]
	if order.Records != 6 || order.Seconds != 2 {
		t.Errorf("%d of %d records are behind, want 2 of 6", order.Seconds, order.Records)
	}
	within(t, "half", order.P50, 0)
	within(t, "the worst", order.P999, 61*time.Second)
}

func TestBackFillIsApart(t *testing.T) {
	d := coverage.NewDelays(newBed(t).db, noon)
	started := act.Act{Kind: act.Started, Tenant: tenant, Stream: stream, At: noon.Add(50 * time.Second), Time: noon}
	r := newRig(t)
	r.write(started)
	first, err := r.j.Follow(0).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.Committed = noon
	if !d.Begin(first, noon) {
		t.Fatal("not measured")
	}
	d.Add(0, "started", "", false)
	d.End()
	b := batch(noon.Add(time.Minute), 3, 1, 40, 60)
	observe(d, b, noon.Add(time.Minute), "Send", "Exchange")
	b = batch(noon.Add(time.Minute), 2, 1, 55, 60)
	observe(d, b, noon.Add(time.Minute), "Send", "Exchange")
	list, err := d.Latency(t.Context(), noon, noon.Add(time.Hour))
	if err != nil || len(list) != 4 || !list[0].Live || list[0].Records != 2 || list[2].Live || list[2].Records != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	// Of the provider's own delay both tell.
	list, err = d.Offers(t.Context(), noon, noon.Add(time.Hour))
	if err != nil || len(list) != 2 || !list[0].Live || list[0].Records != 5 {
		t.Errorf("%+v, %v", list, err)
	}
	r.stop()
}

func TestOperationsAreBounded(t *testing.T) {
	d := coverage.NewDelays(newBed(t).db, noon)
	b := batch(noon, 1, 1, 2, 3)
	for i := range 1000 {
		observe(d, b, noon.Add(time.Minute), fmt.Sprintf("operation-%d", i), fmt.Sprintf("workload-%d", i))
	}
	observe(d, b, noon.Add(time.Minute), "\xff", "\xff")
	observe(d, b, noon.Add(time.Minute), "\xff", "\xff")
	list, err := d.Latency(t.Context(), noon, noon.Add(time.Hour))
	if err != nil || len(list) > 131 || list[1].Operation != coverage.Other || list[1].Records != 1000-128+2 || list[0].Records != 1002 {
		t.Errorf("%d operations, the first %+v, %v", len(list), list[:2], err)
	}
}

func TestMeasuringDoesNotAllocate(t *testing.T) {
	d := coverage.NewDelays(newBed(t).db, noon)
	b := batch(noon, 100, 1, 2, 3)
	now := noon.Add(time.Minute)
	observe(d, b, now, "Send", "Exchange")
	if n := testing.AllocsPerRun(20, func() { observe(d, b, now, "Send", "Exchange") }); n != 0 {
		t.Errorf("%v allocations for a hundred records", n)
	}
}

func BenchmarkDelays(b *testing.B) {
	d := coverage.NewDelays(newBed(b).db, noon)
	x := batch(noon, 1000, 1, 2, 3)
	now := noon.Add(time.Minute)
	operations := []string{"MailItemsAccessed", "Send", "FileAccessed", "UserLoggedIn", "FileModified"}
	b.ReportAllocs()
	for range b.N / 1000 {
		d.Begin(x, now)
		for i := range x.Records {
			d.Add(i, operations[i%len(operations)], "Exchange", false)
		}
		d.End()
	}
}
