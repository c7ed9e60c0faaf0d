// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
)

// TestTakeIsAllOrNothing lets a transaction fail behind the alerts: neither they nor the position
// are there then, and the same alerts are taken the next time.
func TestTakeIsAllOrNothing(t *testing.T) {
	var fail error
	var told []string
	o := incident.Options{Changed: func(_ context.Context, _ *sql.Tx, changes []incident.Change) error {
		for _, c := range changes {
			told = append(told, strings.TrimPrefix(fmt.Sprintf("%s>%s", c.Before.Title, c.After.Title), ">"))
		}
		return fail
	}}
	db := openDB(t)
	b := &bed{t: t, Store: open(t, db, o)}
	b.take(alert("b", 1, ann))
	fail = errors.New("the disk is full")
	batch := []detect.Alert{alert("c", 2, ann), alert("d", 2, "actor user dan@contoso.example")}
	if err := b.Take(t.Context(), event.ID{Batch: 9}, batch); !errors.Is(err, fail) {
		t.Fatalf("%v", err)
	}
	b.want("b")
	if b.Position() != (event.ID{Batch: 1}) {
		t.Errorf("position %s", b.Position())
	}
	fail, told = nil, nil
	b = &bed{t: t, Store: open(t, db, o), batch: 8} // as after a crash
	b.take(batch...)
	b.want("b c; d")
	if again := open(t, db, o); again.Position() != (event.ID{Batch: 9}) {
		t.Errorf("position %s", again.Position())
	}
	// An older alert gives the incident another name; it is the same incident.
	b.take(with(alert("a", 0, ann), func(a *detect.Alert) { a.Level = "high" }))
	// And it takes the other in.
	b.take(alert("e", 3, ann, "target user dan@contoso.example"))
	b.take(alert("e", 3, ann, "target user dan@contoso.example"))
	want := "D: dan@contoso.example|B: ann@contoso.example>B: ann@contoso.example|" +
		"B: ann@contoso.example>A: ann@contoso.example|A: ann@contoso.example>A: ann@contoso.example, dan@contoso.example|D: dan@contoso.example>"
	if got := strings.Join(told, "|"); got != want {
		t.Errorf("changes\n got %s\nwant %s", got, want)
	}
}

// BenchmarkTake tells what an alert costs to take in, in groups of 100, when the incident that
// it joins has had as many as the name says, and when incidents have ten each.
func BenchmarkTake(b *testing.B) {
	const each = 100
	for _, size := range []int{1000, 4000, 16_000, 64_000} {
		b.Run(fmt.Sprintf("incident=%d", size), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			bed, n := newBed(b), 0
			for n < size {
				bed.take(many(1000, func(i int) detect.Alert { return noisy(r, n+i, "ann") })...)
				n += 1000
			}
			takeGroups(b, bed, each, func() detect.Alert { n++; return noisy(r, n, "ann") })
		})
	}
	b.Run("incidents of 10", func(b *testing.B) {
		r := rand.New(rand.NewPCG(1, 2))
		n := 0
		takeGroups(b, newBed(b), each, func() detect.Alert { n++; return noisy(r, n, fmt.Sprint("user", n/10)) })
	})
	b.Run("repeats", func(b *testing.B) {
		n := 0
		takeGroups(b, newBed(b), each, func() detect.Alert {
			n++
			return with(alert(fmt.Sprint("r", n), float64(n)/500, ann, "source ip 203.0.113.1"), func(a *detect.Alert) { a.Rule, a.Title = "r", "R" })
		})
	})
}

// noisy is an alert of a public rule that has no opinion: somebody did something from somewhere,
// with one of the programs that all use.
func noisy(r *rand.Rand, i int, who string) detect.Alert {
	a := alert(fmt.Sprint("r", i), float64(i)/500+r.Float64(), "actor user "+who+"@contoso.example", fmt.Sprintf("source ip 203.0.113.%d", r.IntN(250)),
		fmt.Sprintf("actor app app%d", r.IntN(9)), fmt.Sprintf("target user user%d@contoso.example", r.IntN(4)), fmt.Sprintf("actor session s%d", i/20))
	a.Kind, a.Rule, a.Title = "single", fmt.Sprint("rule", i%90), fmt.Sprint("Rule", i%90)
	a.Refs[0].Key = correlate.Key{byte(i), byte(i >> 8), byte(i >> 16)}
	return a
}

func takeGroups(b *testing.B, bed *bed, each int, next func() detect.Alert) {
	b.ReportAllocs()
	var spent time.Duration
	for b.Loop() {
		list := many(each, func(int) detect.Alert { return next() })
		from := processorTime(b)
		bed.take(list...)
		spent += processorTime(b) - from
	}
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N*each), "cpu-µs/alert")
}

// processorTime is what the process has used of the processor so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestF16EvidenceOfOneAct: a second record of an act that has its alert joins it, once, and what it names joins with it.
func TestF16EvidenceOfOneAct(t *testing.T) {
	evidence := func(batch uint64, at float64, who string) detect.Alert {
		return with(alert("a", at, who), func(a *detect.Alert) {
			a.Kind, a.Revision = "single", int(batch)
			a.Refs[0].ID = event.ID{Batch: batch}
		})
	}
	one, other := evidence(1, 0, ann), evidence(2, 0.5, "actor user ann@contoso.onmicrosoft.example")
	for name, order := range map[string][][]detect.Alert{
		"one after the other": {{one}, {other}},
		"the other way":       {{other}, {one}},
		"in one batch":        {{one, other}},
		"again and again":     {{one}, {one, other}, {other, one}, {one}},
	} {
		b := newBed(t)
		for _, alerts := range order {
			b.take(alerts...)
		}
		list, err := b.Alerts(t.Context(), incident.Filter{Limit: 10})
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %d alerts, %v", name, len(list), err)
		}
		a := &list[0]
		if len(a.Records) != 2 || a.Records[0].ID != "e1.0" || a.Records[1].ID != "e2.0" || len(a.Entities) != 2 || a.Count != 1 || !a.First.Equal(hour(0)) || !a.Last.Equal(hour(0.5)) {
			t.Errorf("%s: %+v", name, a)
		}
		b.take(alert("b", 1, "actor user ann@contoso.onmicrosoft.example"), alert("c", 1, ann))
		b.want("a c b")
	}
}

// TestGatheredAlertIsRevised: an alert that gathers the records of a rule about single records is what its last revision
// says, and not the union of all.
func TestGatheredAlertIsRevised(t *testing.T) {
	gathered := func(revision, count int) detect.Alert {
		return with(alert("a", 0, ann), func(a *detect.Alert) {
			a.Kind, a.Revision, a.Count = "single", revision, count
			a.Refs[0].ID = event.ID{Batch: uint64(revision)}
			a.Completed = a.Refs[0]
		})
	}
	b := newBed(t)
	b.take(gathered(1, 2))
	b.take(gathered(3, 5), gathered(2, 9))
	list, err := b.Alerts(t.Context(), incident.Filter{Limit: 10})
	if err != nil || len(list) != 1 || list[0].Count != 5 || len(list[0].Records) != 1 || list[0].Records[0].ID != "e3.0" {
		t.Fatalf("%+v, %v", list, err)
	}
}
