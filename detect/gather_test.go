// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
)

// suppressing are a correlation and a behavior, with room for what they suppress by, and a rule that does by itself.
const suppressing = `
title: A sign-in fails
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9c01
name: failed
logsource: {product: m365}
detection: {failed: {Operation: Fail}, condition: failed}
level: informational
---
title: Sign-ins fail
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9c02
correlation: {type: event_count, rules: [failed], group-by: [UserId, ClientIP], timespan: 10m, condition: {gte: 2}}
level: medium
%[1]s
---
title: A new address
id: 7d0f8f0e-7a8e-4c26-93b5-0d0f1f3a9c03
correlation: {type: new_value, rules: [failed], group-by: [UserId], behavior: {fields: [ClientIP], remember: 90d}}
level: medium
%[1]s
`

// attempt is a sign-in that fails.
type attempt struct {
	user, ip string
	at       time.Duration // since midnight
}

// world is a night in which a few accounts are tried from a few addresses.
func world(r *rand.Rand) (list []attempt) {
	for range 5 + r.IntN(150) {
		list = append(list, attempt{
			fmt.Sprintf("u%d", r.IntN(2)), fmt.Sprintf("192.0.2.%d", r.IntN(3)), time.Duration(r.IntN(12*60)) * time.Minute,
		})
	}
	return list
}

// judged returns the alerts that stand when a book has judged the attempts in their order, with a restart now and then.
func judged(t *testing.T, b *detect.Book, list []attempt, r *rand.Rand) []detect.Alert {
	t.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := &stage{T: t, book: b, db: db, judge: judge(b), engine: detect.NewEngine(b, db)}
	midnight := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for i, a := range list {
		when := midnight.Add(a.at)
		raw := fmt.Appendf(nil, `{"CreationTime":%q,"Operation":"Fail","UserId":%q,"ClientIP":%q,"Workload":"Exchange"}`, when.Format("2006-01-02T15:04:05"), a.user, a.ip)
		s.engine.Take(correlate.Ref{ID: event.ID{Batch: uint64(i)}, Time: when.UnixNano(), Key: detect.KeyOf("t", m365, nil, raw)}, "t", s.judge.Record(raw, m365, nil))
		if r.IntN(4) == 0 {
			s.engine.Advance(correlate.Clock{Watermark: midnight.Add(-time.Hour).UnixNano(), Received: midnight.UnixNano() + int64(i)})
			s.alerts = append(s.alerts, s.engine.Alerts()...)
		}
		if r.IntN(16) == 0 {
			s.alerts = append(s.alerts, s.engine.Alerts()...)
			s.restart()
		}
	}
	s.engine.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
	s.alerts = append(s.alerts, s.engine.Alerts()...)
	return slices.DeleteFunc(detect.Standing(s.alerts), func(a detect.Alert) bool { return a.Level == "informational" })
}

// said is what counts of an alert here.
type said struct {
	ID          string
	First, Last time.Time
	Suppressed  int
	Refs        []correlate.Key
}

func saidOf(a *detect.Alert) said {
	s := said{ID: a.ID, First: a.First, Last: a.Last, Suppressed: a.Suppressed}
	for _, r := range a.Refs {
		s.Refs = append(s.Refs, r.Key)
	}
	return s
}

// joinedByHand joins the alerts of each rule and account of which each begins at most an hour after the end of those before.
func joinedByHand(alerts []detect.Alert) (out []said) {
	by := map[string][]detect.Alert{}
	for _, a := range alerts {
		by[a.Rule+a.Group[0].Value] = append(by[a.Rule+a.Group[0].Value], a)
	}
	for _, list := range by {
		slices.SortFunc(list, func(a, b detect.Alert) int { return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.ID, b.ID)) })
		var now *said
		var refs []correlate.Ref
		for i := range list {
			a := &list[i]
			if now == nil || a.First.Sub(now.Last) > time.Hour {
				out = append(out, saidOf(a))
				now, refs = &out[len(out)-1], slices.Clone(a.Refs)
				continue
			}
			now.Suppressed++
			if a.Last.After(now.Last) {
				now.Last = a.Last
			}
			refs = append(refs, a.Refs...)
			slices.SortFunc(refs, func(a, b correlate.Ref) int {
				return cmp.Or(cmp.Compare(a.Time, b.Time), slices.Compare(a.Key[:], b.Key[:]))
			})
			now.Refs = nil
			for _, r := range refs {
				now.Refs = append(now.Refs, r.Key)
			}
		}
	}
	slices.SortFunc(out, func(a, b said) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// TestSuppressOfCorrelations: the alerts of a correlation or a behavior that suppresses are those that it has without,
// joined, in whatever order records come and however often detection is restarted.
func TestSuppressOfCorrelations(t *testing.T) {
	plain := open(t, fmt.Sprintf(suppressing, ""))
	book := open(t, fmt.Sprintf(suppressing, "daybreak: {suppress: {by: [UserId], for: 1h}}"))
	suppressed := 0
	for seed := range uint64(25) {
		r := rand.New(rand.NewPCG(seed, 1))
		list := world(r)
		slices.SortFunc(list, func(a, b attempt) int { return cmp.Compare(a.at, b.at) })
		want := joinedByHand(judged(t, plain, list, r))
		for _, s := range want {
			suppressed += s.Suppressed
		}
		list = append(list, list[r.IntN(len(list))]) // a copy
		for range 3 {
			var got []said
			for _, a := range judged(t, book, list, r) {
				got = append(got, saidOf(&a))
			}
			slices.SortFunc(got, func(a, b said) int { return cmp.Compare(a.ID, b.ID) })
			if d := gocmp.Diff(want, got); d != "" {
				t.Fatalf("world %d (-joined by hand +suppressed):\n%s", seed, d)
			}
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
	}
	if suppressed < 100 {
		t.Errorf("%d alerts were suppressed: too few to show anything", suppressed)
	}
}

// TestSuppressManyTimes: of more firings than are told apart the alert still has the count and the first.
func TestSuppressManyTimes(t *testing.T) {
	defer detect.SetMaxMembers(3)()
	book := open(t, fmt.Sprintf(suppressing, "daybreak: {suppress: {by: [UserId], for: 1h}}"))
	var list []attempt
	found := 0
	for i := range 20 {
		at := time.Duration(i) * 30 * time.Minute
		list = append(list, attempt{"u0", "192.0.2.1", at}, attempt{"u0", "192.0.2.1", at + time.Minute})
	}
	for _, a := range judged(t, book, list, rand.New(rand.NewPCG(1, 1))) {
		if a.Kind != "correlation" {
			continue
		}
		if found++; a.Count != 40 || a.Suppressed != 19 || len(a.Refs) != 40 || a.Last.Sub(a.First) != 19*30*time.Minute+time.Minute {
			t.Errorf("%d records, %d suppressed, %d named, %v to %v", a.Count, a.Suppressed, len(a.Refs), a.First, a.Last)
		}
	}
	if found != 1 {
		t.Errorf("%d alerts of the correlation, want 1", found)
	}
}
