// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package daybreak_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/daybreak"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var update = flag.Bool("update", false, "write testdata/acts.golden")

func records(t *testing.T) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/acts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

func parse(t *testing.T, raw []byte) jsontape.Value {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse(raw); err != nil {
		t.Fatal(err)
	}
	return tape.Root()
}

// TestEvents compares each act of testdata with the event beside it.
func TestEvents(t *testing.T) {
	var out bytes.Buffer
	for i, raw := range records(t) {
		var e ocsf.Event
		daybreak.Source.Map(parse(t, raw), &e)
		event := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(event) {
			t.Errorf("%d: %v", i+1, problem)
		}
		if len(e.Unfit) > 0 {
			t.Errorf("%d: does not fit: %v", i+1, e.Unfit)
		}
		if err := json.Indent(&out, event, "", " "); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	if *update {
		if err := os.WriteFile("testdata/acts.golden", out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/acts.golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("go test -update writes it anew: %s", diff)
	}
}

// TestNothingIsLeftOut looks for the text of each member's value in the event.
func TestNothingIsLeftOut(t *testing.T) {
	for i, raw := range records(t) {
		var e ocsf.Event
		root := parse(t, raw)
		daybreak.Source.Map(root, &e)
		event := e.AppendJSON(nil)
		for v := root.First(); v.Exists(); v = v.Next() {
			switch string(v.Key()) {
			case "time", "from", "to": // as milliseconds
				continue
			}
			if !bytes.Contains(event, v.Raw()) {
				t.Errorf("%d: %s is not in the event: %s", i+1, v.Key(), event)
			}
		}
	}
}

// TestDecisions: what people decide about incidents is of a kind that is known.
func TestDecisions(t *testing.T) {
	for kind, want := range map[act.Kind]bool{
		act.IncidentState: true, act.IncidentAssign: true, act.IncidentNote: true, act.IncidentSplit: true, act.IncidentMerge: true,
		"incident-invented": false,
	} {
		d := act.Decision{ID: "1", Kind: kind, By: "ann", Incident: "i1"}
		var e ocsf.Event
		daybreak.Source.Map(parse(t, d.Append(nil)), &e)
		if e.Listed != want {
			t.Errorf("%s is listed: %v", kind, e.Listed)
		}
	}
}

func TestIdentify(t *testing.T) {
	got := daybreak.Source.Identify(parse(t, records(t)[1]))
	if string(got.ID) != "R-2" || string(got.Tenant) != "0873ee4d" || got.Time%1e9 != 123456789 {
		t.Errorf("got %q %q %d", got.ID, got.Tenant, got.Time)
	}
}
