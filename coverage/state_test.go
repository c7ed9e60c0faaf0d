// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
)

func TestAnIntervalBecomesComplete(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 6.9, 6.9))
	b.at(6.9, "12:00–12:10 unknown not due") // 1.9 minutes after the end are not 2
	b.take(listed(0, 7, 7))
	b.at(7, "12:00–12:05 complete; 12:05–12:10 unknown not due")
	r := b.report(0, 7)
	s := r.Spans[0]
	if !s.AsOf.Equal(minute(7)) || s.Listing != "e1.0" || s.Intervals != 1 || s.Blobs != 0 {
		t.Errorf("evidence %+v", s)
	}
	if f := r.Feeds[0]; f.Tenant != tenant || f.Source != "contoso" || f.Intervals[coverage.Complete] != 1 || f.Intervals[coverage.Unknown] != 1 {
		t.Errorf("feed %+v", f)
	}
}

func TestABlobIsMissingUntilItIsSealed(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 7, 7, blob(1), blob(2), blob(6)))
	b.at(7, "12:00–12:10 unknown not due")
	b.at(10, "12:00–12:05 late blobs not fetched; 12:05–12:10 unknown not due")
	if s := b.report(0, 10).Spans[0]; s.Outstanding != 2 || s.Why != "e0.0" || s.Blobs != 2 {
		t.Errorf("evidence %+v", s)
	}
	b.take(sealed(blob(1), 7, 10))
	b.at(10, "12:00–12:05 late blobs not fetched; 12:05–12:10 unknown not due")
	b.take(sealed(blob(2), 7, 5))
	b.at(10, "12:00–12:05 complete; 12:05–12:10 unknown not due")
	r := b.report(0, 10)
	if s := r.Spans[0]; s.Records != 15 || s.Stored != 15 || s.Sealed != 2 || s.Bytes != 15000 || s.First != "e0.0" || s.Last != "e2.0" {
		t.Errorf("counts %+v", s)
	}
	if f := r.Feeds[0]; f.Outstanding != 1 || !f.Oldest.Equal(minute(6)) {
		t.Errorf("outstanding %d since %v", f.Outstanding, f.Oldest)
	}
}

// A listing of which a later page failed has no act that closes it: what it named
// is known, what it covered is not.
func TestAListingThatBrokeOffCoversNothing(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 1, 1))
	b.take(part(7, blob(3)))
	b.at(10, "12:00–12:05 late blobs not fetched; 12:05–12:10 unknown not due")
	b.take(sealed(blob(3), 7, 1))
	b.at(11, "12:00–12:05 late not listed; 12:05–12:15 unknown not due")
}

func TestABlobOfTwoWindowsCountsOnce(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 7, 7, blob(1)))
	b.take(sealed(blob(1), 7, 10))
	b.take(listed(0, 12, 12, blob(1))) // found again: it is sealed and stays so
	b.take(sealed(blob(1), 12, 10))
	b.between(0, 5, 12, "12:00–12:05 complete")
	if s := b.report(0, 5).Spans[0]; s.Blobs != 1 || s.Sealed != 1 || s.Records != 10 || s.LateBlobs != 0 {
		t.Errorf("counts %+v", s)
	}
}

// A page is fetched before the listing that names it is closed.
func TestABlobIsSealedBeforeItIsNamed(t *testing.T) {
	b := newBed(t)
	b.take(sealed(blob(1), 7, 10))
	b.take(listed(0, 7, 7, blob(1)))
	b.between(0, 5, 7, "12:00–12:05 complete")
	if s := b.report(0, 5).Spans[0]; s.Blobs != 1 || s.Sealed != 1 || s.Records != 10 {
		t.Errorf("counts %+v", s)
	}
}

// A provider that backdates what it offers: the sweep finds it, and what was
// complete is late again.
func TestABackdatedBlobTakesCompletenessBack(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 7, 7))
	b.between(0, 5, 7, "12:00–12:05 complete")
	b.take(listed(0, 16, 16, blob(4)))
	b.between(0, 5, 16, "12:00–12:05 late blobs not fetched")
	b.take(sealed(blob(4), 16, 3))
	b.between(0, 5, 16, "12:00–12:05 complete")
	r := b.report(0, 5)
	if s := r.Spans[0]; s.LateBlobs != 1 || !s.AsOf.Equal(minute(16)) {
		t.Errorf("late blobs %d as of %v", s.LateBlobs, s.AsOf)
	}
	// At minute 7 it was not to be seen, 3 minutes after its time.
	if f := r.Feeds[0]; f.LagMax != 3*time.Minute || f.Lag999 < 3*time.Minute || f.Lag999 > 4*time.Minute {
		t.Errorf("lags %v, %v", f.Lag999, f.LagMax)
	}
}

func TestWindowsThatMeetInsideAnInterval(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 3, 10))
	b.between(0, 5, 12, "12:00–12:05 late not listed")
	b.take(listed(3.001, 8, 11))
	b.between(0, 5, 12, "12:00–12:05 late not listed")
	b.take(listed(3, 4, 9))
	b.between(0, 5, 12, "12:00–12:05 complete")
	// It is as good as its worst part, which was listed at minute 9.
	if s := b.report(0, 5).Spans[0]; !s.AsOf.Equal(minute(9)) || s.Listing != "e2.0" {
		t.Errorf("as of %v by %s", s.AsOf, s.Listing)
	}
}

func TestAWindowThatBeginsWithinAMillisecond(t *testing.T) {
	b := newBed(t)
	a := listed(0, 10, 10)
	a.From = a.From.Add(time.Nanosecond)
	b.take(listed(-5, -1, 1), a)
	b.between(0, 5, 12, "12:00–12:05 late not listed")
}

// An older listing that is told of later, by a run that overlapped or a clock that
// was set back, does not make what is known older, nor newer.
func TestTheListingThatWasBegunLastCounts(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 10, 12))
	b.take(listed(0, 10, 6))
	b.between(0, 10, 12, "12:00–12:10 complete")
	b = newBed(t)
	b.take(listed(0, 10, 6))
	b.between(0, 10, 15, "12:00–12:10 late not listed since")
	b.take(listed(2, 8, 20)) // covers neither as a whole
	b.between(0, 10, 20, "12:00–12:10 late not listed since")
	b.take(listed(0, 10, 20))
	b.between(0, 10, 20, "12:00–12:10 complete")
}

func TestSealedHasToAccountForAllRecords(t *testing.T) {
	b := newBed(t)
	s := sealed(blob(1), 7, 10)
	s.Stored, s.Duplicates, s.Unreadable = 5, 3, 2
	b.take(listed(0, 10, 10, blob(1)), s)
	b.between(0, 5, 10, "12:00–12:05 late blobs not fetched")
	s.Duplicates = 5
	b.take(s)
	b.between(0, 5, 10, "12:00–12:05 complete")
	if c := b.report(0, 5).Spans[0].Counts; c.Duplicates != 5 || c.Unreadable != 2 || c.Stored != 5 {
		t.Errorf("counts %+v", c)
	}
}

func TestWhatWasNeverAskedForIsUnknown(t *testing.T) {
	b := newBed(t)
	b.take(listed(7, 20, 20))
	b.at(20, "12:00–12:10 unknown never asked for; 12:10–12:15 complete; 12:15–12:20 unknown not due")
	b.take(listed(0, 7, 21)) // back-fill
	b.at(20, "12:00–12:15 complete; 12:15–12:20 unknown not due")
}

func TestStopppedCollectingIsLateAndThenLost(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 12, 12))
	b.between(0, 20, 30, "12:00–12:10 complete; 12:10–12:20 late not listed")
	week := 7 * 24 * 60.0
	b.between(0, 20, week+17, "12:00–12:10 complete; 12:10–12:15 gap retention; 12:15–12:20 late not listed")
}

func TestGapsOfBlobs(t *testing.T) {
	b := newBed(t)
	lost := blob(6)
	b.take(listed(0, 12, 12, blob(1), lost), sealed(blob(1), 12, 1))
	b.take(gap(act.Act{Blob: &lost, Reason: act.Quarantined, Message: "It ends in the middle."}))
	b.between(0, 10, 12, "12:00–12:05 complete; 12:05–12:10 gap quarantined")
	r := b.report(0, 10)
	g := r.Gaps[0]
	if len(r.Gaps) != 1 || g.Blob != lost.ID || !g.From.Equal(minute(6)) || g.Act != "e1.0" || g.Permanent || r.Spans[1].Why != "e1.0" {
		t.Errorf("gaps %+v", r.Gaps)
	}
	b.take(filled(act.Act{Blob: &lost})) // it can be had, and has not been yet
	b.between(0, 10, 15, "12:00–12:05 complete; 12:05–12:10 late blobs not fetched")
	b.take(gap(act.Act{Blob: &lost, Reason: act.Expired, Permanent: true}))
	b.between(0, 10, 12, "12:00–12:05 complete; 12:05–12:10 gap expired")
	b.take(sealed(lost, 13, 4)) // after all
	b.between(0, 10, 12, "12:00–12:10 complete")
	b.take(gap(act.Act{Blob: &lost, Reason: act.Expired})) // of another try that came too late
	b.between(0, 10, 12, "12:00–12:10 complete")
	if r := b.report(0, 10); len(r.Gaps) != 0 || r.Feeds[0].Outstanding != 0 {
		t.Errorf("%+v", r)
	}
}

// A provider offers other content under an id that it has used before.
func TestAnIDIsUsedAgain(t *testing.T) {
	b := newBed(t)
	first, again := blob(1), blob(6)
	again.ID = first.ID
	b.take(listed(0, 12, 12, first, again), sealed(first, 12, 1))
	b.between(0, 10, 15, "12:00–12:05 complete; 12:05–12:10 late blobs not fetched")
	b.take(gap(act.Act{Blob: &again, Reason: act.Missing}), gap(act.Act{Blob: &first, Reason: act.Missing}))
	b.between(0, 10, 12, "12:00–12:05 complete; 12:05–12:10 gap missing")
	b.take(sealed(first, 13, 1), filled(act.Act{Blob: &first}))
	b.between(0, 10, 13, "12:00–12:05 complete; 12:05–12:10 gap missing")
	b.take(sealed(again, 14, 1))
	b.between(0, 10, 14, "12:00–12:10 complete")
}

func TestAGapOfABlobThatNoListingNamed(t *testing.T) {
	b := newBed(t)
	lost := blob(2)
	b.take(gap(act.Act{Blob: &lost, Reason: act.Missing, Permanent: true}), listed(0, 12, 12, lost))
	b.between(0, 10, 12, "12:00–12:05 gap missing; 12:05–12:10 complete")
}

func TestGapsOfStretches(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 40, 40))
	b.take(gap(act.Act{From: minute(4), To: minute(21), Reason: act.Quarantined}))
	b.between(0, 30, 40, "12:00–12:25 gap quarantined; 12:25–12:30 complete")
	b.take(filled(act.Act{From: minute(10), To: minute(16)}))
	b.between(0, 30, 40, "12:00–12:10 gap quarantined; 12:10–12:15 complete; 12:15–12:25 gap quarantined; 12:25–12:30 complete")
	r := b.report(0, 30)
	if len(r.Gaps) != 2 || !r.Gaps[0].From.Equal(minute(4)) || !r.Gaps[0].To.Equal(minute(10)) || !r.Gaps[1].From.Equal(minute(16)) || !r.Gaps[1].To.Equal(minute(21)) {
		t.Errorf("gaps %+v", r.Gaps)
	}
	b.take(filled(act.Act{From: minute(0), To: minute(40), Reason: act.Retention})) // of another kind
	b.between(0, 10, 40, "12:00–12:10 gap quarantined")
	b.take(filled(act.Act{From: minute(0), To: minute(40)}))
	b.between(0, 30, 40, "12:00–12:30 complete")
}

// What is lost little by little is one gap.
func TestGapsThatTouchAreOne(t *testing.T) {
	b := newBed(t)
	b.now = minute(40)
	b.take(listed(30, 40, 40))
	for _, to := range []float64{3, 9, 9, 14.5} {
		b.take(gap(act.Act{From: minute(0), To: minute(to), Reason: act.Retention, Permanent: true}))
	}
	b.take(gap(act.Act{From: minute(14.5), To: minute(20), Reason: act.Retention, Permanent: true}))
	b.take(gap(act.Act{From: minute(20), To: minute(22), Reason: act.Quarantined}))
	r := b.report(0, 40)
	if len(r.Gaps) != 2 || !r.Gaps[0].From.Equal(minute(0)) || !r.Gaps[0].To.Equal(minute(20)) || r.Gaps[1].Reason != act.Quarantined {
		t.Errorf("gaps %+v", r.Gaps)
	}
}

// Gaps of different subjects that touch are different gaps, and each ends for itself.
func TestGapsOfSubjects(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 60, 60))
	of := func(subject string, from, to float64) act.Act {
		a := act.Act{From: minute(from), Reason: act.AuditBypassed, Subject: subject}
		if to > 0 {
			a.To = minute(to)
		}
		return a
	}
	gaps := func(want string) {
		t.Helper()
		b.now = minute(60)
		var list []string
		for _, g := range b.report(0, 60).Gaps {
			to := "on"
			if !g.To.IsZero() {
				to = g.To.Format("15:04")
			}
			list = append(list, strings.TrimSpace(g.Subject+" "+g.From.Format("15:04")+"–"+to))
		}
		if got := strings.Join(list, ", "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	b.take(gap(of("ann", 6, 20)), gap(of("ben", 10, 30)), gap(of("ann", 20, 22)))
	gaps("ann 12:06–12:22, ben 12:10–12:30")
	b.between(0, 40, 60, "12:00–12:05 complete; 12:05–12:25 blind audit bypassed; 12:25–12:30 blind audit bypassed; 12:30–12:40 complete")
	if s := b.report(0, 40).Spans; s[1].Subject != "ann" || s[2].Subject != "ben" || s[1].Why != "e1.0" {
		t.Errorf("spans %+v", s)
	}
	b.take(filled(of("ben", 0, 12)), gap(of("cem", 40, 0)))
	gaps("ann 12:06–12:22, ben 12:12–12:30, cem 12:40–on")
	b.take(gap(of("cem", 40, 50))) // that is how one without an end is given it
	gaps("ann 12:06–12:22, ben 12:12–12:30, cem 12:40–12:50")
	b.take(gap(of("", 0, 10))) // of all of the stream, which weighs more
	if s := b.report(0, 15).Spans; len(s) != 2 || s[0].Subject != "" || s[1].Subject != "ann" {
		t.Errorf("spans %+v", s)
	}
	b.take(filled(act.Act{From: minute(0), To: minute(60), Reason: act.AuditBypassed})) // whoever it is
	gaps("")

	alarm := func(subject, reason, of string) act.Act {
		return act.Act{Kind: act.Alarm, Tenant: tenant, Stream: stream, At: minute(1), Subject: subject, Reason: reason, Cursor: of}
	}
	alarms := func(want int) {
		t.Helper()
		if n := len(b.report(0, 60).Alarms); n != want {
			t.Errorf("%d alarms, want %d", n, want)
		}
	}
	b.take(alarm("ann", act.AuditBypassed, ""), alarm("ben", act.AuditBypassed, ""), alarm("ben", act.AuditBypassed, ""))
	alarms(2)
	b.take(alarm("ann", act.Cleared, act.AuditBypassed))
	alarms(1)
	b.take(filled(of("ann", 0, 60)))
	alarms(1)
	b.take(filled(of("ben", 0, 60)))
	alarms(0)
}

func TestNotCollected(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 12, 12))
	off := act.Act{Kind: act.Subscription, Tenant: tenant, Stream: stream, From: minute(12), At: minute(13), Reason: act.Gone}
	b.take(off, off)
	b.between(0, 25, 30, "12:00–12:10 complete; 12:10–12:25 not collected disabled")
	if r := b.report(0, 25); len(r.Gaps) != 1 || !r.Gaps[0].To.IsZero() {
		t.Errorf("gaps %+v", r.Gaps)
	}
	on := off
	on.Reason, on.At = "enabled", minute(21)
	b.take(on, on, listed(0, 40, 40))
	b.between(0, 30, 40, "12:00–12:10 complete; 12:10–12:25 not collected disabled; 12:25–12:30 complete")
	if r := b.report(0, 25); len(r.Gaps) != 1 || !r.Gaps[0].To.Equal(minute(21)) {
		t.Errorf("gaps %+v", r.Gaps)
	}
	// An act without a stream is about all of the tenant's.
	b.take(act.Act{Kind: act.Configured, Tenant: tenant, At: minute(40), Message: "poll: 3s, now 5s"})
	b.take(act.Act{Kind: act.Configured, Tenant: tenant, At: minute(40), Reason: act.Excluded})
	b.take(act.Act{Kind: act.Configured, Tenant: "another", At: minute(40), Reason: act.Excluded})
	b.between(30, 50, 60, "12:30–12:35 complete; 12:35–12:40 late not listed since; 12:40–12:50 not collected excluded")
}

// A permission that is missing makes a gap that is told of once, and goes on.
func TestRefused(t *testing.T) {
	b := newBed(t)
	refused := gap(act.Act{From: minute(12), To: minute(13), Reason: act.Permission, Message: "m"})
	alarm := act.Act{Kind: act.Alarm, Tenant: tenant, Stream: stream, At: minute(13), Reason: act.Permission}
	b.take(listed(0, 12, 12), refused, alarm, refused)
	b.between(0, 30, 31, "12:00–12:10 complete; 12:10–12:30 not collected permission")
	if n := len(b.report(0, 30).Alarms); n != 1 {
		t.Errorf("%d alarms", n)
	}
	b.take(filled(act.Act{From: minute(12), To: minute(31), Reason: act.Permission}))
	b.between(0, 30, 31, "12:00–12:10 complete; 12:10–12:25 late not listed; 12:25–12:30 unknown not due")
	b.take(listed(12, 31, 31), listed(0, 60, 60))
	b.between(0, 40, 61, "12:00–12:40 complete")
	if n := len(b.report(0, 30).Alarms); n != 0 {
		t.Errorf("%d alarms", n)
	}
	b = newBed(t) // the answer that said that the subscription is on came from a clock that is ahead
	on := act.Act{Kind: act.Subscription, Tenant: tenant, Stream: stream, At: minute(13).Add(time.Second), Reason: "enabled"}
	b.take(listed(0, 12, 12), refused, on, filled(act.Act{From: minute(12), To: minute(13), Reason: act.Permission}), listed(0, 60, 60))
	b.between(0, 40, 61, "12:00–12:40 complete")
	b = newBed(t) // from the beginning
	b.take(refused)
	b.between(0, 30, 31, "12:00–12:30 not collected permission")
}

func TestStreamsThatNobodyAsksFor(t *testing.T) {
	b := newBed(t)
	b.take(listed(0, 12, 12))
	r, err := b.c.Report(t.Context(), coverage.Query{
		Since: minute(0), Until: minute(10), Wall: minute(12),
		Expected: []coverage.Stream{{tenant, "contoso", stream, true}, {tenant, "contoso", "DLP.All", false}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := states(r); got != "12:00–12:10 complete; 12:00–12:10 not collected excluded" || len(r.Feeds) != 2 || r.Spans[1].Stream != "DLP.All" {
		t.Errorf("got %s", got)
	}
	r, err = b.c.Report(t.Context(), coverage.Query{
		Since: minute(0), Until: minute(30), Wall: minute(40), Expected: []coverage.Stream{{tenant, "contoso", stream, false}},
	})
	if err != nil || states(r) != "12:00–12:10 complete; 12:10–12:30 not collected excluded" {
		t.Errorf("got %s, %v", states(r), err)
	}
}

func TestTenantsAndStreamsAreApart(t *testing.T) {
	b := newBed(t)
	other, elsewhere := listed(0, 12, 12, blob(1)), listed(0, 12, 12)
	other.Stream, elsewhere.Tenant = "Audit.General", "ffff"
	b.take(listed(0, 12, 12, blob(1)), sealed(blob(1), 12, 1), other, elsewhere)
	b.now = minute(12)
	r := b.report(0, 10)
	var got []string
	for i := range r.Spans {
		got = append(got, r.Spans[i].Tenant+" "+r.Spans[i].String())
	}
	want := "0873ee4d Audit.Exchange 12:00–12:10 complete, 0873ee4d Audit.General 12:00–12:05 late blobs not fetched, " +
		"0873ee4d Audit.General 12:05–12:10 complete, ffff Audit.Exchange 12:00–12:10 complete"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func TestTimeToLoss(t *testing.T) {
	day := 24 * 60.0
	b := newBed(t)
	check := func(now float64, oldest float64, loss float64, backfilling, endangered bool) {
		t.Helper()
		b.now = minute(now)
		f := b.report(now, now).Feeds[0]
		if !f.Oldest.Equal(minute(oldest)) || f.TimeToLoss != time.Duration(loss*float64(time.Minute)) || f.BackFilling != backfilling || f.Endangered != endangered {
			t.Errorf("at %v: oldest %v, lost in %v, back-filling %v, endangered %v", now, f.Oldest, f.TimeToLoss, f.BackFilling, f.Endangered)
		}
	}
	b.take(listed(0, 10, 10))
	check(10, 10, 7*day, false, false)
	check(70, 10, 7*day-60, false, false) // nobody has listed for an hour
	b.take(listed(-6*day, -5*day, 70))    // back-fill has begun with the oldest
	check(70, -5*day, 2*day-70, true, false)
	b.take(listed(-5*day, 80, 80, blob(20)))
	check(80, 20, 7*day-60, false, false)
	check(3.6*day, 20, 3.4*day+20, false, true) // more than half of the time is over
	b.take(sealed(blob(20), 90, 1), gap(act.Act{From: minute(80), To: minute(100), Permanent: true, Reason: act.Retention}))
	check(3.6*day, 100, 3.4*day+100, false, true) // what is given up is not in danger any more
	b.take(listed(100, 3.6*day, 3.6*day))
	check(3.6*day, 3.6*day, 7*day, false, false)
	lost := blob(200)
	b.take(gap(act.Act{Blob: &lost, Reason: act.Quarantined}))
	check(3.6*day, 200, 3.4*day+200, false, false)
	b.take(gap(act.Act{Blob: &lost, Reason: act.Expired, Permanent: true}))
	check(3.6*day, 3.6*day, 7*day, false, false)
}

func TestAlarmsAreOnUntilTheyAreCleared(t *testing.T) {
	b := newBed(t)
	b.now = minute(10)
	alarm := func(reason, code, of string, at float64) act.Act {
		return act.Act{Kind: act.Alarm, Tenant: tenant, Stream: stream, Reason: reason, Code: code, Cursor: of, At: minute(at), Message: "m"}
	}
	reasons := func() (list []string) {
		for _, a := range b.report(0, 10).Alarms {
			list = append(list, a.Reason+" "+a.Code)
		}
		return list
	}
	b.take(listed(0, 10, 10), alarm(act.Silence, "SharePoint", "", 5), alarm(act.Silence, "OneDrive", "", 6), alarm(act.Silence, "SharePoint", "", 7), alarm("restarted", "", "", 8))
	if got := strings.Join(reasons(), ", "); got != "silence SharePoint, silence OneDrive, restarted" && got != "silence SharePoint, silence OneDrive, restarted " {
		t.Errorf("got %q", got)
	}
	b.take(alarm(act.Cleared, "SharePoint", act.Silence, 9))
	b.now = minute(8 + 24*60 + 1) // the one that nobody takes back has lapsed
	if got := strings.Join(reasons(), ", "); got != "silence OneDrive" {
		t.Errorf("got %q", got)
	}
}

func TestThePresentIsToldFromTheLastListing(t *testing.T) {
	b := newBed(t)
	a := listed(0, 12, 12)
	a.Time = minute(100) // by our clock, which is not the provider's
	b.take(a)
	r, err := b.c.Report(t.Context(), coverage.Query{Since: minute(0), Until: minute(1000), Wall: minute(103)})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Feeds[0].Now.Equal(minute(15)) || states(r) != "12:00–12:10 complete; 12:10–12:15 unknown not due" {
		t.Errorf("now %v: %s", r.Feeds[0].Now, states(r))
	}
}

func TestRefusesTooMuch(t *testing.T) {
	b := newBed(t)
	_, err := b.c.Report(t.Context(), coverage.Query{Since: noon.AddDate(-2, 0, 0), Until: noon})
	if err == nil || !strings.Contains(err.Error(), "ask for less") {
		t.Errorf("%v", err)
	}
}
