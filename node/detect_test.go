// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/sample"
)

// TestAwaited: alerts are written down before it is their time once all is judged that somebody waits for, and only then: sooner it would be
// one report for each batch, and later nothing would happen meanwhile.
func TestAwaited(t *testing.T) {
	for _, c := range []struct {
		at, taken, wanted uint64
		want              bool
	}{
		{at: 3, taken: 5, wanted: 0, want: false},
		{at: 3, taken: 5, wanted: 3, want: false}, // has what it waits for
		{at: 3, taken: 5, wanted: 6, want: false}, // not yet judged
		{at: 3, taken: 5, wanted: 5, want: true},
		{at: 3, taken: 9, wanted: 5, want: true},
		{at: 5, taken: 5, wanted: 5, want: false},
	} {
		d := &detector{at: c.at, taken: c.taken}
		d.want(c.wanted)
		d.want(1) // who waits for less takes nothing away
		if got := d.awaited(); got != c.want {
			t.Errorf("written up to %d, judged up to %d, waited for up to %d: %v", c.at, c.taken, c.wanted, got)
		}
	}
}

// TestUntold: alerts that were kept beside the position, because a process died before they were written down, are written down by the next.
func TestUntold(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	start := func() *Node { return openImport(t, dir, config.Default()) }
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	alert := func(digit string) detect.Alert {
		ref := correlate.Ref{ID: event.ID{Batch: 1}, Key: correlate.Key{7}, Time: at.UnixNano(), Rule: "r"}
		return detect.Alert{
			ID: "a" + strings.Repeat(digit, 32), Tenant: "t", Rule: "r", Title: "Left " + digit, Level: "high", Kind: "correlation",
			First: at, Last: at, Count: 1, Refs: []correlate.Ref{ref}, Completed: ref,
			Entities: []detect.Entity{{Type: "user", Role: "actor", ID: "anna@example.org"}},
		}
	}
	n := start()
	TestingImport(t, n, sample.New(sample.Options{Seed: 1}).Append(nil))
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	keep := func(d *detector) {
		t.Helper()
		db, err := pebble.Open(filepath.Join(dir, DetectDir), &pebble.Options{Logger: detect.Quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		b := db.NewBatch()
		if err := errors.Join(d.keepUntold(b), b.Commit(pebble.Sync), db.Close()); err != nil {
			t.Fatal(err)
		}
	}
	titles := func() (list []string) {
		n := start()
		defer n.Close()
		found, err := n.Incidents(ctx, incident.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			x, err := n.Incident(ctx, found[i].ID)
			if err != nil {
				t.Fatal(err)
			}
			for j := range x.List {
				list = append(list, x.List[j].Title+" of "+x.List[j].Records[0].ID)
			}
		}
		slices.Sort(list)
		return list
	}
	keep(&detector{writing: &report{alerts: []detect.Alert{alert("1")}}, pending: []detect.Alert{alert("2")}})
	want := []string{"Left 1 of " + event.ID{Batch: 1}.String(), "Left 2 of " + event.ID{Batch: 1}.String()}
	for range 2 { // what is written down already is written down once
		if got := titles(); !slices.Equal(got, want) {
			t.Fatalf("after the next start there are %q, want %q", got, want)
		}
	}
	keep(&detector{}) // all is told
	if got := titles(); !slices.Equal(got, want) {
		t.Fatalf("after a start with nothing left there are %q, want %q", got, want)
	}
}

// TestAnotherFormat: what another version has written is dropped, and the journal is judged anew.
func TestAnotherFormat(t *testing.T) {
	dir := t.TempDir()
	start := func() *Node { return openImport(t, dir, config.Default()) }
	n := start()
	TestingImport(t, n, sample.New(sample.Options{Seed: 1}).Append(nil))
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"1", "", detectFormat} {
		db, err := pebble.Open(filepath.Join(dir, DetectDir), &pebble.Options{Logger: detect.Quiet{}})
		if err != nil {
			t.Fatal(err)
		}
		was, closer, err := db.Get([]byte("c/m"))
		if err != nil {
			t.Fatal("there is nothing to spoil:", err)
		}
		spoiled := append([]byte("{"), was...)
		err = errors.Join(closer.Close(), db.Set([]byte("c/m"), spoiled, pebble.Sync))
		if format == "" {
			err = errors.Join(err, db.Delete(formatKey, pebble.Sync))
		} else {
			err = errors.Join(err, db.Set(formatKey, []byte(format), pebble.Sync))
		}
		if err = errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		n := start()
		TestingImport(t, n, sample.New(sample.Options{Seed: 2}).Append(nil))
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		_, _, err = n.detector.state()
		if format != detectFormat && err != nil {
			t.Errorf("format %q: %v", format, err)
		}
		if format == detectFormat && err == nil {
			t.Error("rows of this format that are damaged were not noticed: the test proves nothing")
		}
	}
}
