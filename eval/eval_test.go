// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/ocsf"
)

func newReport(w *bytes.Buffer) *report {
	return &report{w: w, verbose: true, ok: true, reached: map[string]int{}}
}

func TestMissingDataIsSkipped(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out)
	if err := r.run(filepath.Join(t.TempDir(), "data")); err != nil || !r.ok || !strings.Contains(out.String(), "skipped") {
		t.Errorf("%v, ok %v: %s", err, r.ok, out.String())
	}
}

func TestECS(t *testing.T) {
	var doc map[string]any
	err := json.Unmarshal([]byte(`{"@timestamp":"2026-05-18T21:13:33.123Z","user":{"name":"a","domain":"d.example","id":"Not Available"},
"source":{"ip":"::ffff:203.0.113.7"},"client":{"ip":"junk"},"event":{"action":"Update user.","outcome":"unknown"},"file":{"name":["f"]}}`), &doc)
	if err != nil {
		t.Fatal(err)
	}
	want := facts{
		time: time.Date(2026, 5, 18, 21, 13, 33, 123e6, time.UTC), actor: []string{"a", "a@d.example", `d.example\a`},
		address: []string{"203.0.113.7"}, action: []string{"Update user"}, object: []string{"f"},
	}
	if diff := cmp.Diff(want, ecs(doc), cmp.AllowUnexported(facts{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCompare(t *testing.T) {
	var e ocsf.Event
	e.Class, e.Activity, e.Time = ocsf.ClassGroupManagement, 3, time.Date(2026, 5, 18, 21, 13, 33, 123456789, time.UTC).UnixNano()
	e.SetText(ocsf.PathActorUserName, "A@d.example")
	e.SetText(ocsf.PathSrcEndpointIP, "203.0.113.7")
	e.SetText(ocsf.PathAPIOperation, "MemberAdded")
	e.SetText(ocsf.PathGroupName, "g")
	e.SetInt(ocsf.PathStatusID, 1)
	agreed := facts{
		time: time.Date(2026, 5, 18, 21, 13, 33, 123e6, time.UTC), actor: []string{"x", "a@D.example"}, address: []string{"203.0.113.7"},
		action: []string{"added-users-to-group"}, outcome: "success", object: []string{"G"},
	}
	other := facts{time: agreed.time.Add(time.Second), actor: []string{"x"}, address: []string{"203.0.113.8"}, action: []string{"x"}, outcome: "failure", object: []string{"a@d.example"}}
	for _, c := range []struct {
		name           string
		theirs         facts
		stated, agreed int
	}{{"agreed", agreed, 6, 6}, {"other", other, 6, 0}, {"nothing stated", facts{}, 0, 0}} {
		var stated, same int
		for i, d := range compare(c.theirs, eventFacts(&e)) {
			if d.stated {
				stated++
				if d.agreed {
					same++
				} else if c.name == "agreed" {
					t.Errorf("%s: theirs %v, ours %v", compared[i], d.theirs, d.ours)
				}
			}
		}
		if stated != c.stated || same != c.agreed {
			t.Errorf("%s: %d of %d agreed, want %d of %d", c.name, same, stated, c.agreed, c.stated)
		}
	}
}

// TestRecords: what cannot be understood is still one valid event a record, and
// a fall below the baseline is reported.
func TestRecords(t *testing.T) {
	data := t.TempDir()
	dir := filepath.Join(data, "raw", "ours")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte("{\"a\":1}\n\nnonsense\n[1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r := newReport(&out)
	if err := r.records(data); err != nil || !r.ok {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "all                                                         3     100%") {
		t.Errorf("not three valid events:\n%s", out.String())
	}
	baselineText = "# remark\nspecific ours/a 2\nagreed gone 7\n"
	r.regressions(map[string]int{"specific ours/a": 1})
	if r.ok || !strings.Contains(out.String(), "ours/a: specific is 1 and was 2") {
		t.Errorf("the fall was not noticed:\n%s", out.String())
	}
}

func TestPercentNeverRoundsUpToAll(t *testing.T) {
	for _, c := range []struct {
		n, of int
		want  string
	}{{0, 0, "-"}, {1, 1, "100"}, {99999, 100000, "99.9"}, {1, 3, "33.3"}} {
		if got := percent(c.n, c.of); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.n, c.of, got, c.want)
		}
	}
}

func TestReadExplanations(t *testing.T) {
	name := filepath.Join(t.TempDir(), "eval.md")
	text := "| records | facts | why |\n|---|---|---|\n| a_file 3, 4 | time, outcome | because |\n| b_file 1 | time |  |\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readExplanations(name)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"a_file:3: time": true, "a_file:3: outcome": true, "a_file:4: time": true, "a_file:4: outcome": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
