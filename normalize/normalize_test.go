// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package normalize_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// samples are the records in the testdata of a source's package: one a file, or one a line.
func samples(t testing.TB, source string) map[string][]byte {
	names, err := filepath.Glob(source + "/testdata/*.json*")
	if err != nil {
		t.Fatal(err)
	}
	records := make(map[string][]byte)
	for _, name := range names {
		if strings.HasSuffix(name, ".event.json") {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, ".jsonl") {
			records[name] = raw
			continue
		}
		for i, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
			records[fmt.Sprintf("%s:%d", name, i+1)] = line
		}
	}
	return records
}

func detect(t *testing.T, raw []byte) []event.Family {
	var tape jsontape.Tape
	if err := tape.Parse(raw); err != nil {
		t.Fatal(err)
	}
	return normalize.Detect(tape.Root())
}

func TestDetect(t *testing.T) {
	for name, raw := range samples(t, "m365") {
		if got := detect(t, raw); !slices.Equal(got, []event.Family{"m365"}) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for raw, want := range map[string][]event.Family{
		`{"CreationTime":"2026-03-01T00:00:00","RecordType":6}`:                      {"m365"},
		`{"CreationTime":"2026-03-01T00:00:00","Operation":"FileAccessed","Id":"1"}`: nil,
		`{}`:                 nil,
		`{"hello":"world"}`:  nil,
		`["CreationTime"]`:   nil,
		`"RecordType"`:       nil,
		`{"RecordType":"A"}`: nil,
	} {
		got := detect(t, []byte(raw))
		got = slices.DeleteFunc(got, func(f event.Family) bool { return f == "json" }) // which takes any object
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}

// TestMembers holds every source to take no record that has none of its members, be it of whatever source: without, it is not
// asked. A record is tried whole and with each member left out.
func TestMembers(t *testing.T) {
	var tape jsontape.Tape
	asked := 0
	hold := func(name string, raw []byte) {
		if err := tape.Parse(raw); err != nil {
			return
		}
		root := tape.Root()
		for i := range normalize.Sources {
			s := &normalize.Sources[i]
			has := func(name string) bool { return root.Get(name).Exists() }
			if s.Detect == nil || len(s.Members) == 0 || slices.ContainsFunc(s.Members, has) {
				continue
			}
			asked++
			if s.Detect(root) {
				t.Errorf("%s: %s takes a record without a member of %q: %s", name, s.Family, s.Members, raw)
			}
		}
	}
	for _, source := range []string{"m365", "entra", "okta", "slack", "google", "github", "cloudtrail", "defender", "messagetrace", "generic"} {
		for name, raw := range samples(t, source) {
			hold(name, raw)
			var members map[string]json.RawMessage
			if json.Unmarshal(raw, &members) != nil {
				continue
			}
			for left := range members {
				rest := maps.Clone(members)
				delete(rest, left)
				text, err := json.Marshal(rest)
				if err != nil {
					t.Fatal(err)
				}
				hold(name+" without "+left, text)
			}
		}
	}
	if asked < 1000 {
		t.Errorf("%d answers prove nothing", asked)
	}
}

// TestDetectIsStrict holds every source's records against every detector: of
// the sources that have a shape of their own, one takes each.
func TestDetectIsStrict(t *testing.T) {
	for source, want := range map[string]event.Family{"m365": "m365", "entra": "entra-*", "okta": "okta", "slack": "slack", "google": "google-workspace", "github": "github", "cloudtrail": "cloudtrail", "windows": "windows", "defender": "defender*"} {
		list := samples(t, source)
		if len(list) == 0 {
			t.Errorf("%s has no records", source)
		}
		for name, raw := range list {
			prefix, _, any := strings.Cut(string(want), "*")
			for _, got := range detect(t, raw) {
				if got != "json" && got != want && !(any && strings.HasPrefix(string(got), prefix)) {
					t.Errorf("%s: taken for %s", name, got)
				}
			}
		}
	}
}

func TestIdentify(t *testing.T) {
	tests := []struct {
		raw, id, tenant string
		time            int64
	}{
		{`{"CreationTime":"1970-01-01T00:00:01","RecordType":1,"Id":"a","OrganizationId":"t"}`, "a", "t", 1e9},
		{`{"RecordType":1,"Id":"first","Id":"last","CreationTime":"/Date(5)/"}`, "last", "", 5e6},
		{`{"RecordType":1,"Id":"00000000-0000-0000-0000-000000000000","CreationTime":"soon"}`, "", "", 0},
		{`{"RecordType":1,"Id":7,"OrganizationId":null}`, "", "", 0},
		{`[]`, "", "", 0},
		{`{"RecordType":`, "", "", 0},
		{``, "", "", 0},
	}
	var n normalize.Normalizer
	for _, test := range tests {
		got := n.Identify([]byte(test.raw), "m365")
		if string(got.ID) != test.id || string(got.Tenant) != test.tenant || got.Time != test.time {
			t.Errorf("%s: %q %q %d", test.raw, got.ID, got.Tenant, got.Time)
		}
	}
	if got := n.Identify([]byte(`{"Id":"a"}`), "no such family"); got.ID != nil {
		t.Errorf("an unknown family has an id: %q", got.ID)
	}
}

func TestWhatCannotBeReadIsCarriedWhole(t *testing.T) {
	var n normalize.Normalizer
	for _, raw := range []string{"", "{", "not json", "\x00\xff", `[1]`, `"text"`, `{"a":1} {"b":2}`, strings.Repeat("[", 1000)} {
		e := n.Event([]byte(raw), "m365")
		if e.Class != ocsf.ClassBaseEvent || len(e.Issues) == 0 || string(e.Str(ocsf.PathRawData)) != raw {
			t.Errorf("%q: class %d, issues %q, raw data %q", raw, e.Class, e.Issues, e.Str(ocsf.PathRawData))
		}
		for _, p := range ocsf.Validate(e.AppendJSON(nil)) {
			t.Errorf("%q: not valid OCSF: %v", raw, p)
		}
	}
	if e := n.Event([]byte(`{"a":1}`), "no such family"); e.Class != ocsf.ClassBaseEvent || len(e.Issues) == 0 {
		t.Errorf("an unknown family was mapped: %d", e.Class)
	}
}

func TestEventsNameTheTablesThatMadeThem(t *testing.T) {
	var n normalize.Normalizer
	e := n.Event([]byte(`{"CreationTime":"2026-03-01T00:00:00","RecordType":6}`), "m365")
	if got := string(e.Str(ocsf.PathMetadataTransformationInfoListProductVersion)); got != normalize.MapperVersion {
		t.Errorf("the event says version %q", got)
	}
}

func TestDriftIsOfTheLastRecord(t *testing.T) {
	var n normalize.Normalizer
	n.Event([]byte(`{"CreationTime":"2026-03-01T00:00:00","RecordType":8,"Operation":"Add widget."}`), "m365")
	d, ok := n.Drift("m365")
	want := normalize.Drift{Family: "m365", RecordType: "8", Operation: "Add widget.", New: "operation", Keys: d.Keys}
	if !ok || d != want || d.Keys == 0 {
		t.Errorf("got %+v, %v", d, ok)
	}
	n.Event([]byte(`{`), "m365")
	if d, ok := n.Drift("m365"); ok {
		t.Errorf("what could not be read has drifted: %+v", d)
	}
}

// FuzzEvent: any bytes, as a record of any family, give a valid event.
func FuzzEvent(f *testing.F) {
	for source, family := range map[string]event.Family{
		"m365": "m365", "entra": "entra-diagnostic", "google": "google-workspace", "okta": "okta", "slack": "slack", "github": "github",
		"cloudtrail": "cloudtrail", "generic": "json",
	} {
		place := slices.IndexFunc(normalize.Sources, func(s normalize.Source) bool { return s.Family == family })
		for _, raw := range samples(f, source) {
			f.Add(raw, uint8(place))
		}
	}
	f.Add([]byte("{\"a\":\"\xff\x00\",\"a\":1,\"\":{}}"), uint8(4))
	f.Fuzz(func(t *testing.T, raw []byte, family uint8) {
		var n normalize.Normalizer
		source := normalize.Sources[int(family)%len(normalize.Sources)]
		before := bytes.Clone(raw)
		for _, p := range ocsf.Validate(n.Event(raw, source.Family).AppendJSON(nil)) {
			if !p.Warning && source.Family != "ocsf" { // which passes events on as they are
				t.Errorf("%s: not valid OCSF: %v", source.Family, p)
			}
		}
		n.Identify(raw, source.Family)
		n.Drift(source.Family)
		if !bytes.Equal(raw, before) {
			t.Error("the record was changed")
		}
	})
}

// TestContent: what a provider writes anew with each delivery is no content; all else is, whatever its order.
func TestContent(t *testing.T) {
	for raw, want := range map[string]string{
		`{"time":"2026-03-03T10:00:00Z","category":"SignInLogs","properties":{"id":"a","time":1}}`: `{"category":"SignInLogs","properties":{"id":"a","time":1}}`,
		`{"a\"b":1,"time":2}`: `{"a\"b":1}`,
		`{"time":2}`:          `{}`,
		`[1,{"time":2}]`:      `[1,{"time":2}]`,
		`no JSON`:             `no JSON`,
	} {
		if got := string(normalize.Content("entra-diagnostic", []byte(raw))); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
		if got := string(normalize.Content("m365", []byte(raw))); got != raw {
			t.Errorf("%s of another family: got %s", raw, got)
		}
	}
}
