// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
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

// BenchmarkTake takes one alert in, beside 20,000 others, of which it joins as many as the name says.
func BenchmarkTake(b *testing.B) {
	for _, size := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			bed := newBed(b)
			bed.take(many(20_000, func(i int) detect.Alert {
				who := fmt.Sprintf("user%d@contoso.example", i)
				if i < size {
					who = "ann@contoso.example"
				}
				return alert(fmt.Sprint("r", i), float64(i)/100, "actor user "+who, fmt.Sprintf("source ip 203.0.113.%d", i%250), "actor app one outlook web")
			})...)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				bed.take(alert(fmt.Sprint("new", n), 200+float64(n)/1e4, ann, "source ip 203.0.113.1"))
			}
		})
	}
}
