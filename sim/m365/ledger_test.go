// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/m365"
)

// TestLedgerIsWhatIsRead holds the central promise under each fault: a patient
// reader of the HTTP API gets what the ledger names, all of it and no more.
func TestLedgerIsWhatIsRead(t *testing.T) {
	skip := map[string]string{
		"no-role": "no DLP then", "audit-off": "no subscription then", "ca-block": "no token then", "app-removed": "no token then",
		"noisy": "the village's clock stands, so a bucket never fills",
	}
	names := append(m365.FaultNames(), "all", "")
	if testing.Short() {
		names = []string{"all", "", "mutate", "poison-page", "disable", "silent", "subscribe-delay"}
	}
	for _, name := range names {
		if skip[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			readAgainstLedger(t, name)
		})
	}
}

// arguments make faults frequent enough for the half hour of the test.
var arguments = map[string]string{
	"silent": "=SharePoint@1m..4m", "disable": "=General@3m", "hang": "=0.02:2ms", "slow": "=1MB:0.003",
	"huge-blob": "=64KB:0.03", "huge-record": "=1MB:0.01", "poison-page": "=0.05:3m@0s..10m", "poison-blob": "=0.05:3m@0s..10m",
	"late": "=0.05:2m,late=0.05:6m", "backdate": "=0.1:4m", "mutate": "=0.05:2m", "repeat": "=0.2:2m", "repeat-days": "=8m:0.1",
	"relist": "=0.2:3m", "shuffle-keys": "=0.5", "empty-id": "=0.05", "unknown-record-type": "=0.1", "string-record-type": "=0.1",
	"deep": "=0.05:200", "nul-escape": "=0.1", "secret-rotation": "@4m", "revoke-tokens": "@4m", "subscribe-delay": "=10m",
	"stale-page": "=0.3", "empty-page": "=0.3",
}

func readAgainstLedger(t *testing.T, name string) {
	s, r := start(t, m365.Config{Seed: 7, Faults: name + arguments[name], MaxRecords: 3, PageSize: 17, History: 4 * time.Minute}, 4)
	r.login()
	r.subscribe()
	pass(t, s, 5*time.Minute)
	if name == "disable" {
		r.subscribe()
	}
	pass(t, s, 10*time.Minute) // what comes late is there, but the last of it
	r.login()
	read := r.everything(s.Begin())
	truth := ledger(t, s, time.Time{}, time.Time{}, time.Time{})
	compare(t, read, truth)
	if len(truth) < 700 {
		t.Errorf("only %d records", len(truth))
	}
	sawFault(t, name, s, r, read, truth)
}

// pass lets simulated time pass.
func pass(t testing.TB, s *m365.Server, d time.Duration) {
	t.Helper()
	if err := s.Jump(d); err != nil {
		t.Fatal(err)
	}
}

// sawFault makes sure that the fault was there: a switch that does nothing
// would pass every comparison.
func sawFault(t *testing.T, name string, s *m365.Server, r *reader, read map[key]*seen, truth map[key]m365.Entry) {
	marked := map[string]int{}
	for _, e := range truth {
		for _, m := range e.Marks {
			marked[m]++
		}
	}
	several := 0
	for _, got := range read {
		if len(got.blobs) > 1 {
			several++
		}
	}
	struck := s.Requests().Struck
	switch name {
	case "late", "mutate", "empty-id", "unknown-record-type", "string-record-type", "deep", "nul-escape", "huge-record":
		want := map[string]string{"mutate": "mutated"}[name]
		if want == "" {
			want = name
		}
		if marked[want] == 0 {
			t.Errorf("no record is marked %s", want)
		}
	case "repeat", "repeat-days":
		if several == 0 || marked["repeated"] != several {
			t.Errorf("%d records were read from several blobs, %d are marked repeated", several, marked["repeated"])
		}
	case "drop": // Go's client asks again by itself
		if struck[name] == 0 {
			t.Error("never struck")
		}
	case "truncate", "cut", "wrong-length", "truncated-gzip", "hang", "html-200", "nul-bytes", "5xx", "af429", "401", "unknown-error", "missing",
		"stale-page", "foreign-link", "poison-page", "poison-blob":
		if name != "poison-page" && name != "poison-blob" && (struck[name] == 0 || r.tries == 0) {
			t.Errorf("struck %d times, %d tries were in vain", struck[name], r.tries)
		}
	case "slow", "empty-page", "long-page-link", "foreign-uri":
		if struck[name] == 0 {
			t.Error("never struck")
		}
	case "":
		if len(struck) > 0 || len(marked) > 0 || several > 0 || r.tries > 0 {
			t.Errorf("without faults there were some: %v %v %d %d", struck, marked, several, r.tries)
		}
	}
}

// TestLedgerIsTheCompany compares the ledger with a count of what happened.
func TestLedgerIsTheCompany(t *testing.T) {
	s, _ := start(t, m365.Config{Seed: 3, History: 20 * time.Minute, Faults: "late=0.1:5m,repeat=0.2:3m,reorder"}, 4)
	pass(t, s, 30*time.Minute)
	want := map[string]int{}
	village := m365.Village{Most: 4}
	for i, ct := range contentTypes {
		for slot := s.Begin().Unix() / 10; (slot+1)*10+2 <= s.Now().Add(-5*time.Minute).Unix(); slot++ {
			want[ct] += m365.CountIn(village, i, slot)
		}
	}
	got := map[string]int{}
	for e := range s.Ledger(time.Time{}, time.Time{}, time.Time{}) {
		if e.Time.Before(s.Now().Add(-5*time.Minute - 12*time.Second).Truncate(10 * time.Second)) {
			got[e.Stream]++
		}
		if e.Created.Before(e.Time) || e.Visible.Before(e.Created) {
			t.Fatalf("times run backward: %+v", e)
		}
		if slices.Contains(e.Marks, "late") != (e.Created.Sub(e.Time) > time.Minute) {
			t.Fatalf("late without a mark or a mark without delay: %+v", e)
		}
	}
	for _, ct := range contentTypes {
		if want[ct]-got[ct] < 0 || want[ct]-got[ct] > 8 || got[ct] == 0 {
			t.Errorf("%s: %d events in the ledger, %d happened", ct, got[ct], want[ct])
		}
	}
}
