// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

//go:generate go test -run TestReference -update .
var update = flag.Bool("update", false, "write the table of docs/reference/simulator.md")

// TestReference holds the reference against the table of faults.
func TestReference(t *testing.T) {
	const file, begin, end = "../../docs/reference/simulator.md", "<!-- faults: begin -->\n", "<!-- faults: end -->\n"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(b), begin)
	table, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s lacks the lines %q and %q", file, begin, end)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+m365.FaultTable()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if table != m365.FaultTable() {
		t.Errorf("%s is out of date: go generate ./sim/m365", file)
	}
}

// TestControl drives a server over its control endpoints.
func TestControl(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1, Subscribed: true}, 4)
	var clock struct {
		Now    time.Time
		Speed  float64
		Paused bool
	}
	f := func(path, body string, status int, into any) {
		t.Helper()
		method := map[bool]string{true: "GET", false: "POST"}[body == ""]
		got := r.must(method, r.base+"/sim/v1/"+path, body)
		if got.status != status {
			t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
		}
		if into != nil {
			if err := json.Unmarshal(got.body, into); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
		}
	}
	f("clock", `{"jump":"1h","speed":60}`, 200, &clock)
	if !clock.Now.Equal(noon.Add(time.Hour)) || clock.Speed != 60 || !clock.Paused {
		t.Errorf("%+v", clock)
	}
	f("clock", `{"jump":"-1h"}`, 400, nil)
	f("clock", `{"speed":0}`, 400, nil)
	var on []m365.ActiveFault
	f("faults", `{"add":"5xx=0.5/Exchange,late"}`, 200, &on)
	if len(on) != 2 || on[0].Fault != "5xx=0.5/Exchange" {
		t.Errorf("%+v", on)
	}
	f("faults", `{"add":"earthquake"}`, 400, nil)
	f("faults", `{"clear":["late"]}`, 200, &on)
	if len(on) != 1 {
		t.Errorf("%+v", on)
	}
	f("faults", `{"clear_all":true}`, 200, &on)
	if len(on) != 0 {
		t.Errorf("%+v", on)
	}
	f("roles", `["ActivityFeed.Read"]`, 200, nil)
	var status m365.Status
	f("status", "", 200, &status)
	if len(status.Roles) != 1 || len(status.Subscriptions) != 5 || !status.Begin.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%+v", status)
	}
	_, _, secret := s.Credentials()
	got := r.must("GET", r.base+"/sim/v1/status", "")
	if bytes.Contains(got.body, []byte(secret)) {
		t.Error("the status tells the secret")
	}
	var requests m365.Requests
	r.login()
	f("requests", "", 200, &requests)
	if requests.Operations["token"] != 1 {
		t.Errorf("%+v", requests)
	}
	requests = m365.Requests{}
	f("requests", "{}", 200, &requests)
	if len(requests.Operations) != 0 {
		t.Errorf("%+v", requests)
	}

	lines, want := 0, 0
	got = r.must("GET", r.base+"/sim/v1/ledger?stream=DLP.All&from=2026-03-03T11:30:00Z", "")
	for sc := bufio.NewScanner(bytes.NewReader(got.body)); sc.Scan(); lines++ {
		var e struct {
			Stream, ID, SHA256 string
			ContentCreated     time.Time
		}
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil || e.Stream != "DLP.All" || len(e.SHA256) != 64 || e.ContentCreated.Before(noon.Add(-30*time.Minute)) {
			t.Fatalf("%v %s", err, sc.Bytes())
		}
	}
	for e := range s.Ledger(noon.Add(-30*time.Minute), time.Time{}, time.Time{}) {
		if e.Stream == "DLP.All" {
			want++
		}
	}
	if lines != want || want == 0 {
		t.Errorf("%d lines, want %d", lines, want)
	}
	f("ledger?from=now", "", 400, nil)

	far := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/sim/v1/status", nil)
	req.RemoteAddr = "192.0.2.7:1234"
	if s.Handler().ServeHTTP(far, req); far.Code != 403 {
		t.Errorf("another machine: %d", far.Code)
	}
}

// TestAttackIsWoven finds each event of a scenario in the ledger and over HTTP,
// as time goes by in steps.
func TestAttackIsWoven(t *testing.T) {
	sc, err := scenario.Embedded("midnight-blizzard")
	if err != nil {
		t.Fatal(err)
	}
	cfg := m365.Config{
		Seed: 3, Start: noon, Paused: true, History: time.Minute, Subscribed: true, Quota: 1 << 20,
		Company: company.Config{People: 40, PerDay: 5, SlotLength: time.Minute}, Faults: "late=0.1:10m,shuffle-keys",
		Attacks: []m365.Attack{{Scenario: sc, After: time.Minute}},
	}
	s, err := m365.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, s)
	for at := time.Duration(0); at < sc.Length()+time.Hour; at += sc.Length() / 7 {
		pass(t, s, sc.Length()/7)
		for range s.Ledger(s.Now(), time.Time{}, time.Time{}) {
			break // lets the attack go on up to here
		}
	}
	other, err := m365.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, e := range sc.Run(other.Directory(), noon.Add(time.Minute), cfg.Seed) {
		want[e.ID] = e.Step
	}
	if len(want) < 50 {
		t.Fatalf("only %d events", len(want))
	}
	truth := ledger(t, s, time.Time{}, time.Time{}, time.Time{})
	found := 0
	for _, e := range truth {
		if e.Step == "" {
			continue
		}
		if want[e.ID] != e.Step {
			t.Errorf("%s is marked %q, want %q", e.ID, e.Step, want[e.ID])
		}
		found++
	}
	if found != len(want) {
		t.Errorf("%d events of the scenario in the ledger, want %d", found, len(want))
	}
	if sc.Length() < 6*24*time.Hour {
		r.login()
		compare(t, r.everything(s.Begin()), truth)
	}
	got := r.must("GET", r.base+"/sim/v1/directory", "")
	if got.status != 200 || !json.Valid(got.body) || len(got.body) < 100 {
		t.Errorf("directory: %d %.100s", got.status, got.body)
	}
}
