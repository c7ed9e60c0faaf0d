// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/sim/aws"
)

// lines are records as JSON lines.
func lines(name string, n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"eventID":"%s-%d","eventTime":"2026-11-20T15:00:00Z"}`+"\n", name, i)
	}
	return b.Bytes()
}

func zipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(text)
	_ = w.Close()
	return b.Bytes()
}

// has waits until so many records are there whose id begins so.
func (w *world) has(prefix string, n int) {
	w.t.Helper()
	w.until(fmt.Sprintf("there are %d records of %s", n, prefix), func() bool {
		have := 0
		for id := range w.ids() {
			if strings.HasPrefix(id, prefix) {
				have++
			}
		}
		return have == n
	})
}

// gap waits for the gap of an object, and for that of no other.
func (w *world) gap(key, reason string) act.Act {
	w.t.Helper()
	var got act.Act
	w.until("there is a gap of "+key, func() bool {
		for _, a := range w.find(act.Gap, "objects", reason) {
			if a.Blob != nil && a.Blob.ID == key {
				got = a
				return true
			}
		}
		return false
	})
	return got
}

// TestObjects: objects of any bucket are collected, plain and in gzip, under several prefixes; what is new is found wherever
// its key is; what has no record in it is kept.
func TestObjects(t *testing.T) {
	w := newWorld(t, aws.Config{PageSize: 3})
	w.sim.Put("a/one.json", lines("one", 3), time.Time{})
	w.sim.Put("a/two.json.gz", zipped(lines("two", 700)), time.Time{})
	w.sim.Put("b/ümlaut und blank+plus.json", lines("three", 2), time.Time{})
	w.sim.Put("a/folder/", nil, time.Time{})
	w.sim.Put("a/odd.txt", []byte("this is no record\n"), time.Time{})
	w.sim.Put("c/elsewhere.json", lines("elsewhere", 2), time.Time{})
	w.sim.Put("a/ancient.json", lines("ancient", 2), w.clock.now().AddDate(0, 0, -9))
	w.collect(objects("a/", "b/"), nil, nil)
	w.has("one", 3)
	w.has("two", 700)
	w.has("three", 2)
	w.settled()
	w.sim.Put("a/000-before-all-others.json", lines("four", 2), time.Time{})
	w.has("four", 2)
	w.halt()
	odd := 0
	w.follow(func(o event.Origin, _ []byte) {
		if o.Family == "daybreak-unreadable" {
			odd++
		}
	})
	if ids := w.ids(); odd != 1 || ids["elsewhere-0"] != 0 || ids["ancient-0"] != 0 {
		t.Errorf("%d unreadable pieces; elsewhere %d, ancient %d", odd, ids["elsewhere-0"], ids["ancient-0"])
	}
	for _, a := range w.find(act.Listed, "objects", "") {
		if !a.Part && (a.At.IsZero() || !a.From.Before(a.To)) {
			t.Errorf("%+v says nothing", a)
		}
	}
}

// TestReplaced: an object that holds something else is fetched again, and that is said.
func TestReplaced(t *testing.T) {
	w := newWorld(t, aws.Config{})
	w.sim.Put("log.json", lines("first", 2), time.Time{})
	w.collect(objects(""), nil, nil)
	w.has("first", 2)
	w.settled()
	w.clock.pass(time.Minute)
	w.sim.Put("log.json", lines("second", 2), time.Time{})
	w.has("second", 2)
	w.until("it is said", func() bool { return len(w.find(act.Alarm, "objects", "replaced")) == 1 })
	w.settled()
	w.halt()
	if n := len(w.find(act.Sealed, "objects", "")); n != 2 {
		t.Errorf("sealed %d times", n)
	}
}

// TestWhatCannotBeHad: an object that was deleted, is in an archive, was cut, or is too large is a gap that names it, and
// holds up no other; what can be had after all is had (F4, F6).
func TestWhatCannotBeHad(t *testing.T) {
	w := newWorld(t, aws.Config{})
	w.sim.Put("archived.json", lines("archived", 2), time.Time{})
	w.sim.Archive("archived.json", true)
	whole := zipped(lines("cut", 5000))
	w.sim.Put("cut.json.gz", whole[:len(whole)/2], time.Time{})
	w.sim.Put("large.json", lines("large", 2000), time.Time{})
	w.sim.Put("bomb.json.gz", zipped(bytes.Repeat([]byte(" "), 1<<20)), time.Time{})
	w.collect(objects(""), func(o *bucket.Options) { o.MaxObject = 100_000 }, nil)
	w.gap("archived.json", act.Archived)
	w.gap("large.json", act.Quarantined)
	w.gap("bomb.json.gz", act.Quarantined)
	w.sim.Put("good.json", lines("good", 3), time.Time{})
	w.has("good", 3)
	w.gap("cut.json.gz", act.Quarantined)
	w.sim.Archive("archived.json", false)
	w.has("archived", 2)
	w.until("the gap is filled", func() bool { return len(w.find(act.Filled, "objects", act.Archived)) == 1 })
	w.halt()
	if ids := w.ids(); ids["large-0"] != 0 {
		t.Error("what is too large was collected")
	}
}

// TestVanished: an object that goes away between its listing and its fetch is a gap.
func TestVanished(t *testing.T) {
	w := newWorld(t, aws.Config{})
	w.sim.Deny("get", true)
	w.sim.Put("gone.json", lines("gone", 2), time.Time{})
	w.sim.Put("other.json", lines("other", 2), time.Time{})
	w.collect(objects(""), nil, nil)
	w.until("it is listed", func() bool { return len(w.find(act.Alarm, "objects", act.Permission)) == 1 }) // F19: it is said
	w.sim.Delete("gone.json")
	w.sim.Deny("get", false)
	w.has("other", 2)
	w.gap("gone.json", act.Missing)
	w.until("the permission is there again", func() bool { return len(w.find(act.Filled, "objects", act.Permission)) == 1 })
	w.halt()
}

// TestRefused: a permission that is missing is a gap of the stream, which ends when it comes (F19); a secret that was
// exchanged counts without a restart (F10).
func TestRefused(t *testing.T) {
	w := newWorld(t, aws.Config{})
	w.sim.Put("one.json", lines("one", 2), time.Time{})
	w.sim.Deny("list", true)
	w.collect(objects(""), nil, nil)
	w.until("it is said", func() bool { return len(w.find(act.Gap, "objects", act.Permission)) == 1 })
	w.sim.Deny("list", false)
	w.has("one", 2)
	w.until("the head lists again", func() bool { return len(w.find(act.Filled, "objects", act.Permission)) == 1 })
	w.sim.SetSecret("another-secret")
	w.until("it is refused", func() bool { return len(w.find(act.Gap, "objects", act.Permission)) == 2 })
	w.keep("another-secret")
	w.sim.Put("two.json", lines("two", 2), time.Time{})
	w.has("two", 2)
	w.halt()
	for _, a := range w.acts() {
		if strings.Contains(a.Message, "secret") && strings.Contains(a.Message, "another") {
			t.Errorf("a secret is in an act: %+v", a)
		}
	}
}

// TestRestored: a journal that was brought back from an older copy gets again what it lacks.
func TestRestored(t *testing.T) {
	w := newWorld(t, aws.Config{})
	w.sim.Put("one.json", lines("one", 5), time.Time{})
	w.collect(objects(""), nil, nil)
	w.has("one", 5)
	w.settled()
	w.halt()
	if err := w.j.Close(); err != nil {
		t.Fatal(err)
	}
	w.db.Close()
	for _, name := range []string{"journal", "dedupe", "key"} {
		if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	w.open()
	if any, err := bucket.Distrust(t.Context(), w.db, w.j.Origin(), w.j.Size()); err != nil || !any {
		t.Fatalf("nothing is distrusted: %v", err)
	}
	w.collect(objects(""), nil, nil)
	w.has("one", 5)
	w.halt()
}
