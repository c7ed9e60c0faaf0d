// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
)

const hub = "ServicePrincipalSignInLogs"

// canaryAct is an act about a canary that was planted at a minute.
func canaryAct(reason, kind, channel, id string, planted, after float64) act.Act {
	return act.Act{
		Kind: act.Canary, Source: "canaries", Tenant: tenant, Time: minute(planted).Add(time.Duration(after * float64(time.Second))),
		Code: kind, Reason: reason, Stream: channel, Cursor: id, At: minute(planted), Seconds: after,
	}
}

func planted(id string, at float64) act.Act { return plantedOf("sign-in", id, at) }

func plantedOf(kind, id string, at float64) act.Act {
	a := canaryAct(act.Planted, kind, "", id, at, 0)
	a.After = fmt.Sprintf(`{"name":"x","channels":[%q,%q]}`, stream, hub)
	return a
}

func arrived(channel, id string, at, after float64) act.Act {
	return canaryAct(act.Arrived, "sign-in", channel, id, at, after)
}

func lostCanary(channel, id string, at float64) act.Act {
	return canaryAct(act.Missing, "sign-in", channel, id, at, 7200)
}

func (b *bed) canaries(since, until, wall float64) []coverage.Canary {
	b.t.Helper()
	list, err := b.c.Canaries(b.t.Context(), minute(since), minute(until), minute(wall))
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func TestCanaries(t *testing.T) {
	b := newBed(t)
	if list := b.canaries(0, 60, 60); list == nil || len(list) != 0 {
		t.Errorf("of none: %v", list)
	}
	b.take(act.Act{Kind: act.Canary, Source: "canaries", Tenant: tenant, Time: noon, Code: "sign-in", Reason: act.Planned}) // a dry run
	b.take(planted("a", 1))
	want := []coverage.Canary{
		{Tenant: tenant, Source: "canaries", Kind: "sign-in", Channel: stream, Planted: 1, Awaited: 1, Lost: []coverage.LostCanary{}},
		{Tenant: tenant, Source: "canaries", Kind: "sign-in", Channel: hub, Planted: 1, Awaited: 1, Lost: []coverage.LostCanary{}},
	}
	if d := cmp.Diff(want, b.canaries(0, 60, 60)); d != "" {
		t.Errorf("before anything is told of it: %s", d)
	}
	b.take(arrived(stream, "a", 1, 30.25), planted("b", 11), planted("c", 21), planted("d", 31))
	b.take(lostCanary(stream, "b", 11), lostCanary(hub, "b", 11), lostCanary(hub, "a", 1), arrived(stream, "c", 21, 90))
	b.take(arrived(hub, "a", 1, 9000)) // after all
	want = []coverage.Canary{
		{
			Tenant: tenant, Source: "canaries", Kind: "sign-in", Channel: stream, Planted: 4, Arrived: 2, Missing: 1, Awaited: 1,
			P50: 30250 * time.Millisecond, P95: 90 * time.Second, P99: 90 * time.Second, Longest: 90 * time.Second,
			Latest: minute(22.5), LatestDelay: 90 * time.Second,
			Lost: []coverage.LostCanary{{minute(11), "e3.0"}},
		},
		{
			Tenant: tenant, Source: "canaries", Kind: "sign-in", Channel: hub, Planted: 4, Arrived: 1, Late: 1, Missing: 1, Awaited: 2,
			P50: 9000 * time.Second, P95: 9000 * time.Second, P99: 9000 * time.Second, Longest: 9000 * time.Second,
			Latest: minute(151), LatestDelay: 9000 * time.Second,
			Lost: []coverage.LostCanary{{minute(11), "e3.1"}},
		},
	}
	if d := cmp.Diff(want, b.canaries(0, 60, 60)); d != "" {
		t.Error(d)
	}
	if r := b.report(0, 60); len(r.Feeds) != 0 {
		t.Errorf("canaries made streams: %+v", r.Feeds)
	}
	// Two days later nobody waits any more.
	for _, c := range b.canaries(0, 60, 60+2*day) {
		if c.Awaited != 0 || c.Untold != c.Planted-c.Arrived-c.Missing {
			t.Errorf("of %s %+v", c.Channel, c)
		}
	}
	// Of another time there is nothing; of a kind of which no channel is known only that it was planted.
	if list := b.canaries(60, 120, 120); len(list) != 0 {
		t.Errorf("of another time: %+v", list)
	}
	for i, after := range []string{"", `{"channels":null}`, `{"channels":["",7]}`, "no JSON"} {
		at := float64(5+i) * day
		e := planted(fmt.Sprint("e", i), at)
		e.After = after
		b.take(e)
		if list := b.canaries(at-60, at+60, at+60); len(list) != 1 || list[0].Channel != "" || list[0].Awaited != 1 {
			t.Errorf("of no channel, after %q: %+v", after, list)
		}
	}
}

// TestStreamOfCanary: the latest that acts of the time name, whatever comes twice; of acts that name none, the channel's own name.
func TestStreamOfCanary(t *testing.T) {
	b := newBed(t)
	in := func(a act.Act, name string) act.Act {
		a.After = strings.TrimSuffix(a.After, "}")
		if a.After == "" {
			a.After = `{"x":1`
		}
		a.After += fmt.Sprintf(`,"streams":{%q:%q}}`, hub, name)
		return a
	}
	first := in(planted("b", 11), "contoso/logs")
	b.take(planted("a", 1), arrived(hub, "a", 1, 5), first, in(lostCanary(hub, "b", 11), "contoso/logs"))
	b.take(in(planted("c", 21), "contoso/logs"), in(arrived(hub, "c", 21, 30), "contoso/moved"), first, in(planted("d", 31), strings.Repeat("x", act.MaxName+1)))
	const usual = "contoso/insights-logs-serviceprincipalsigninlogs"
	for _, name := range []string{"contoso/logs", "contoso/other", usual} {
		b.take(act.Act{Kind: act.Started, Source: "contoso", Tenant: tenant, Stream: name})
	}
	for _, c := range []struct {
		since, until float64
		named, is    string
	}{
		{0, 10, "", usual},
		{0, 20, "contoso/logs", "contoso/logs"},
		{0, 60, "contoso/moved", ""}, // of which no act of its collector is known
		{30, 60, "", usual},
	} {
		list, r := b.canaries(c.since, c.until, c.until), b.report(c.since, c.until)
		if len(list) != 2 || list[0].Stream != "" || list[1].Stream != c.named || r.Canaries[1].Stream != c.is {
			t.Errorf("from %v until %v: %+v, in the report %+v", c.since, c.until, list, r.Canaries)
		}
	}
}

// TestPercentilesOfCanaries: nearest rank, and the latest of those that are missing.
func TestPercentilesOfCanaries(t *testing.T) {
	b := newBed(t)
	var acts []act.Act
	for i := range 200 {
		id := fmt.Sprint(i)
		acts = append(acts, planted(id, float64(i)), arrived(stream, id, float64(i), float64((i*7)%200+1)))
		acts = append(acts, lostCanary(hub, id, float64(i)))
	}
	b.take(acts...)
	list := b.canaries(0, 200, 200)
	if c := list[0]; c.P50 != 100*time.Second || c.P95 != 190*time.Second || c.P99 != 198*time.Second || c.Longest != 200*time.Second {
		t.Errorf("percentiles %+v", c)
	}
	lost := list[1]
	if lost.Missing != 200 || len(lost.Lost) != coverage.MaxLost || !lost.Lost[0].Planted.Equal(minute(100)) || !lost.Lost[99].Planted.Equal(minute(199)) {
		t.Errorf("%d are missing, and %d are named", lost.Missing, len(lost.Lost))
	}
	if n := count(t, b.db, "coverage_canary"); n != 600 {
		t.Errorf("%d rows", n)
	}
}

// canaryWorld is what a watch says in a fortnight, with copies of acts and records that come late.
func canaryWorld(seed uint64) (acts []act.Act) {
	r := rand.New(rand.NewPCG(seed, 3))
	var later []act.Act
	for at := 0.0; at < 14*day; at += 30 + 60*r.Float64() {
		id, kind := fmt.Sprint(len(acts)), [...]string{"sign-in", "file"}[r.IntN(2)]
		acts = append(acts, plantedOf(kind, id, at))
		acts, later = append(acts, later...), nil
		for _, channel := range []string{stream, hub} {
			came := canaryAct(act.Arrived, kind, channel, id, at, 1000*r.Float64())
			missing := canaryAct(act.Missing, kind, channel, id, at, 7200)
			switch r.IntN(8) {
			case 0: // not told of yet
			case 1:
				later = append(later, missing)
			case 2:
				acts, later = append(acts, missing), append(later, came)
			default:
				later = append(later, came)
			}
		}
		if r.IntN(3) == 0 { // told twice
			later = append(later, later...)
		}
	}
	return append(acts, later...)
}

// TestCanariesAreDerived: grouping, a replay, and acts that are told twice change nothing but which copy is the evidence.
func TestCanariesAreDerived(t *testing.T) {
	for seed := range uint64(4) {
		acts := canaryWorld(seed)
		all := func(b *bed, step int) []coverage.Canary {
			for n := 0; n < len(acts); n += step {
				if err := b.c.TakeAll(t.Context(), uint64(n), acts[n:min(n+step, len(acts))]...); err != nil {
					t.Fatal(err)
				}
			}
			return b.canaries(day, 13*day, 13*day)
		}
		b := newBed(t)
		one := all(b, 7)
		if len(one) != 4 {
			t.Fatalf("seed %d: %d lines", seed, len(one))
		}
		for _, c := range one {
			if c.Planted != c.Arrived+c.Missing+c.Awaited+c.Untold || c.Arrived == 0 || c.Missing == 0 || c.Late == 0 || c.Untold == 0 || len(c.Lost) != min(c.Missing, coverage.MaxLost) {
				t.Errorf("seed %d: %+v", seed, c)
			}
		}
		if d := cmp.Diff(one, all(newBed(t), len(acts))); d != "" {
			t.Errorf("seed %d: in one group: %s", seed, d)
		}
		if err := b.c.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := count(t, b.db, "coverage_canary") + count(t, b.db, "coverage_canary_channel"); n != 0 {
			t.Errorf("%d rows are left after a reset", n)
		}
		if d := cmp.Diff(one, all(b, 50)); d != "" {
			t.Errorf("seed %d: after a reset: %s", seed, d)
		}
		if d := cmp.Diff(one, all(b, 50)); d != "" { // all of it once more
			t.Errorf("seed %d: told twice: %s", seed, d)
		}
	}
}

// TestCanariesOfAnOlderVersion: what a version that passed them over has read is read again for them, and nothing else is
// taken in twice.
func TestCanariesOfAnOlderVersion(t *testing.T) {
	r := newRig(t)
	r.write(planted("a", 1), arrived(stream, "a", 1, 30), listed(0, 7, 7, blob(1)))
	r.write(sealed(blob(1), 7, 3), lostCanary(hub, "a", 1))
	r.caughtUp(r.c)
	r.stop()
	want, before := r.canaries(0, 60, 60), anonymous(r.report(0, 5))
	err := r.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM coverage_canary; DELETE FROM coverage_canary_channel; UPDATE coverage_state SET canaries = 0`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if r.c, err = coverage.Open(t.Context(), r.db, coverage.Options{}); err != nil {
		t.Fatal(err)
	}
	if list := r.canaries(0, 60, 60); list != nil || r.c.Position() != 0 {
		t.Errorf("before they are read: %+v", list)
	}
	r.follow(r.c)
	r.write(planted("b", 11))
	r.caughtUp(r.c)
	r.stop()
	for i := range want {
		want[i].Planted, want[i].Awaited = 2, 1
	}
	if d := cmp.Diff(want, r.canaries(0, 60, 60)); d != "" || len(want) != 2 {
		t.Error(d)
	}
	after := anonymous(r.report(0, 5))
	before.Canaries, after.Canaries = nil, nil
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("of streams: %s", d)
	}
}

// BenchmarkCanaries reports on a day with a canary of each of two kinds every hour, behind a week and behind two years.
func BenchmarkCanaries(b *testing.B) {
	for _, days := range []int{7, 730} {
		b.Run(fmt.Sprintf("days=%d", days), func(b *testing.B) {
			bed := newBed(b)
			var acts []act.Act
			for i := range days * 24 {
				at := float64(60 * i)
				for _, kind := range []string{"sign-in", "file"} {
					id := kind + fmt.Sprint(i)
					acts = append(acts, canaryAct(act.Planted, kind, "", id, at, 0), canaryAct(act.Arrived, kind, stream, id, at, 60), canaryAct(act.Missing, kind, hub, id, at, 60))
				}
			}
			if err := bed.c.TakeAll(b.Context(), 0, acts...); err != nil {
				b.Fatal(err)
			}
			end := float64(days) * day
			b.ResetTimer()
			for b.Loop() {
				if list := bed.canaries(end-day, end, end); len(list) != 4 || list[0].Planted != 24 {
					b.Fatal(list)
				}
			}
		})
	}
}
