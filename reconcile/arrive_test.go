// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// findings are those of a kind, in the order of the journal.
func (b *bed) findings(k act.Kind) (list []act.Orphan) {
	b.Helper()
	b.each(func(stream string, raw []byte) {
		if stream != act.Findings {
			return
		}
		o, err := act.ParseOrphan(raw)
		if err != nil {
			b.Fatal(err)
		}
		if o.Kind == k {
			list = append(list, o)
		}
	})
	return list
}

// arrivals say that what was missing has come.
func (b *bed) arrivals() []act.Orphan { return b.findings(act.OrphanArrived) }

// orphan is the id of the only orphan that is told of.
func (b *bed) orphan() string {
	b.Helper()
	list := b.findings(act.OrphanKind)
	if len(list) != 1 {
		b.Fatalf("%d orphans", len(list))
	}
	return list[0].ID
}

// orphaned is a session in use that no sign-in has given out, by two tokens, and this was told.
func orphaned(t *testing.T) *bed {
	b := newBed(t)
	b.take(read("ben", 2, 3, after(10), after(20)), read("ben", 2, 4, after(80), after(90)))
	if b.orphan(); len(b.arrivals()) > 0 {
		t.Fatalf("arrivals %v", b.arrivals())
	}
	return b
}

// arrived fails the test if it is not said once that the sign-in has come, through a channel and as late as it did.
func (b *bed) arrived(channel string, happened time.Time) {
	b.Helper()
	list := b.arrivals()
	if len(list) != 1 {
		b.Fatalf("%d arrivals: %+v", len(list), list)
	}
	o := list[0]
	if o.Finding != b.orphan() || o.Channel != channel || !o.Happened.Equal(happened) || !o.Time.Equal(b.now) || o.User != "ben" || o.Record == "" {
		b.Errorf("%+v", o)
	}
	if want := fmt.Sprintf("through %s, %s late: record %s", channel, b.now.Sub(happened), o.Record); !strings.HasSuffix(o.Message, want) {
		b.Errorf("%s, want %s", o.Message, want)
	}
}

// TestArrival: when the sign-in of an orphan comes after all, it is said once, and how late and through which channel it came, whenever the
// process dies and whatever is lost.
func TestArrival(t *testing.T) {
	t.Parallel()
	const minute, hub = time.Minute, "insights-logs-signinlogs"
	diagnostic := diagnosticSignIn("ben", 2, 3, after(10))
	diagnostic.stream, diagnostic.raw = hub, strings.NewReplacer(scattered(1_000_000_002), guid(2), scattered(2_000_000_003), token(3)).Replace(diagnostic.raw)
	for name, test := range map[string]struct {
		come    func(b *bed)
		channel string
	}{
		"through Graph":                 {func(b *bed) { b.take(signIn("ben", 2, 3, after(10))) }, "signIns"},
		"through the unified audit log": {func(b *bed) { b.take(logon("ben", 2, 3, after(10))) }, "Audit.AzureActiveDirectory"},
		"through a hub":                 {func(b *bed) { b.take(diagnostic) }, hub},
		"through one and then another": {func(b *bed) {
			b.take(logon("ben", 2, 3, after(10)))
			b.take(signIn("ben", 2, 3, after(10)))
		}, "Audit.AzureActiveDirectory"},
		"killed before it is read": {func(b *bed) {
			b.append(signIn("ben", 2, 3, after(10)))
			b.reopen()
			b.drain()
		}, "signIns"},
		"killed before it is judged": {func(b *bed) {
			b.append(signIn("ben", 2, 3, after(10)))
			if err := b.r.Read(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.reopen()
			b.drain()
		}, "signIns"},
		"killed, and the tables are lost": {func(b *bed) {
			b.append(signIn("ben", 2, 3, after(10)))
			b.open()
			b.drain()
		}, "signIns"},
		"after weeks": {func(b *bed) {
			b.now = b.now.Add(30 * 24 * time.Hour)
			b.take(signIn("ann", 7, 7, b.now.Add(-minute)))
			b.take(signIn("ben", 2, 3, after(10)))
		}, "signIns"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := orphaned(t)
			test.come(b)
			b.arrived(test.channel, after(10))
			for range 2 {
				b.drain()
				b.reopen()
				b.drain()
				b.open()
				b.drain()
			}
			b.arrived(test.channel, after(10))
			if said := strings.Join(b.said(), "\n"); strings.Count(said, "filled") != 1 {
				t.Errorf("the gap:\n%s", said)
			}
		})
	}
}

// TestNoArrival: what is not the sign-in takes nothing back, nor one that comes when the orphan is forgotten; and where a part of what was
// missing has come, the rest is missing.
func TestNoArrival(t *testing.T) {
	t.Parallel()
	for name, come := range map[string]func(b *bed){
		"of another session":   func(b *bed) { b.take(signIn("ben", 5, 9, after(10))) },
		"long after":           func(b *bed) { b.take(signIn("ben", 2, 9, after(300))) },
		"long before":          func(b *bed) { b.take(signIn("ben", 2, 9, after(-3*24*60))) },
		"one token of the two": func(b *bed) { b.take(signIn("ben", 5, 3, after(10))) },
		"forgotten": func(b *bed) {
			b.now = b.now.Add(45 * 24 * time.Hour)
			b.take(signIn("ann", 7, 7, b.now.Add(-time.Minute)))
			b.take(signIn("ben", 2, 3, after(10)))
		},
	} {
		b := orphaned(t)
		come(b)
		if list := b.arrivals(); len(list) > 0 {
			t.Errorf("%s: %+v", name, list)
		}
	}
}

// TestOrphanAgain: a session whose sign-in came late, and that is used without one again, is told of again.
func TestOrphanAgain(t *testing.T) {
	t.Parallel()
	b := orphaned(t)
	b.take(signIn("ben", 2, 3, after(10)))
	b.arrived("signIns", after(10))
	const day = 24 * 60
	for n := range 3 {
		if n == 1 {
			b.open()
		}
		b.take(read("ben", 2, 5, after(2*day), after(2*day)))
	}
	want := []string{
		"gap signIns unmatched ben 12:10–14:00", "orphan signIns benoutlook 12:20",
		"filled signIns unmatched ben 12:10–14:00", "orphan-arrived signIns benoutlook 03-06 12:00 signIns",
		"gap signIns unmatched ben 03-05 12:00–03-05 13:00", "orphan signIns benoutlook 03-05 12:00",
	}
	b.want(want...)
	b.now = b.now.Add(time.Hour)
	b.take(signIn("ben", 5, 5, after(2*day)))
	b.want(append(want, "filled signIns unmatched ben 03-05 12:00–03-05 13:00", "orphan-arrived signIns benoutlook 03-06 13:00 signIns")...)
	list := b.arrivals()
	if len(list) != 2 || list[0].Finding == list[1].Finding {
		t.Errorf("%+v", list)
	}
}
