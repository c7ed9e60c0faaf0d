// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/entra"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var update = flag.Bool("update", false, "write the events that the records give to testdata")

var sources = map[string]source.Source{"signin": entra.Signin, "audit": entra.Audit, "diagnostic": entra.Diagnostic}

func records(t testing.TB, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

func parse(t testing.TB, raw []byte) jsontape.Value {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse(raw); err != nil {
		t.Fatal(err)
	}
	return tape.Root()
}

// TestEvents compares each record of testdata with the event beside it, and
// holds what must be true of every event.
func TestEvents(t *testing.T) {
	for name, s := range sources {
		var out bytes.Buffer
		for i, raw := range records(t, name) {
			root := parse(t, raw)
			for other, o := range sources {
				if fits := o.Detect(root); fits != (other == name) && !(name == "diagnostic" && i == len(records(t, name))-1 && other != name) {
					t.Errorf("%s:%d: detected as %s: %v", name, i+1, other, fits)
				}
			}
			var e ocsf.Event
			s.Map(root, &e)
			event := e.AppendJSON(nil)
			for _, problem := range ocsf.Validate(event) {
				t.Errorf("%s:%d: %v", name, i+1, problem)
			}
			if len(e.Unfit) > 0 {
				t.Errorf("%s:%d: does not fit: %v", name, i+1, e.Unfit)
			}
			if err := json.Indent(&out, event, "", " "); err != nil {
				t.Fatal(err)
			}
			out.WriteByte('\n')
		}
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), out.String()); diff != "" {
			t.Errorf("%s (go test -update writes it anew): %s", golden, diff)
		}
	}
}

func TestIdentify(t *testing.T) {
	const tenant = "7c0f2f0e-51b3-4a55-9c1e-6d2a4e0b9a10"
	for _, test := range []struct {
		source, raw, id, tenant string
		time                    int64
	}{
		{"signin", `{"id":"a","createdDateTime":"2026-03-04T08:12:05.5Z","homeTenantId":"` + tenant + `","resourceTenantId":"` + tenant + `"}`, "a", tenant, 1772611925500000000},
		{"signin", `{"id":"a","homeTenantId":"` + tenant + `","resourceTenantId":"9d9d9d9d-0000-4000-8000-00000000dddd"}`, "a", "", 0},
		{"audit", `{"id":"b","activityDisplayName":"x","activityDateTime":"2026-03-04T08:12:05Z"}`, "b", "", 1772611925000000000},
		{"audit", `{"id":"b","riskEventType":"x","detectedDateTime":"2026-03-04T08:12:05Z"}`, "b", "", 1772611925000000000},
		{"audit", `{"id":"user","riskState":"x","riskLastUpdatedDateTime":"2026-03-04T08:12:05Z"}`, "", "", 1772611925000000000},
		{"diagnostic", `{"category":"SignInLogs","tenantId":"t","time":"2026-03-04T09:00:00Z","properties":{"id":"c","createdDateTime":"2026-03-04T08:12:05Z"}}`, "c", "t", 1772611925000000000},
		{"diagnostic", `{"category":"RiskyUsers","resourceId":"/tenants/T/providers/microsoft.aadiam","time":"3/4/2026 8:12:05 AM","properties":{"id":"user"}}`, "", "T", 1772611925000000000},
		{"diagnostic", `{"category":"MicrosoftGraphActivityLogs","time":"2026-03-04T08:12:05Z","properties":{"requestId":"r","tenantId":"p"}}`, "r", "p", 1772611925000000000},
		{"diagnostic", `{"category":5,"properties":null}`, "", "", 0},
	} {
		id := sources[test.source].Identify(parse(t, []byte(test.raw)))
		if string(id.ID) != test.id || string(id.Tenant) != test.tenant || id.Time != test.time {
			t.Errorf("%s: id %q, tenant %q, time %d", test.raw, id.ID, id.Tenant, id.Time)
		}
	}
}

func TestOthersAreNotDetected(t *testing.T) {
	for _, raw := range []string{
		`{}`, `[]`, `"x"`, `{"id":"1","createdDateTime":"2026-01-01T00:00:00Z"}`,
		`{"CreationTime":"2026-01-01T00:00:00","RecordType":15,"Workload":"AzureActiveDirectory","Id":"1"}`,
		`{"time":"2026-01-01T00:00:00Z","tenantId":"t","operationName":"Publish","category":"AdvancedHunting-CloudAppEvents","properties":{"Timestamp":"2026-01-01T00:00:00Z"}}`,
		`{"category":"AuditLogs","operationName":"Patch DeviceConfiguration","time":"2026-01-01T00:00:00Z","resourceId":"/tenants/t/providers/Microsoft.Intune","properties":{"ActivityDate":"1/1/2026 0:00:00 AM","Actor":{"UPN":"a"}}}`,
		`{"category":"Administrative","operationName":"MICROSOFT.COMPUTE/x","time":"2026-01-01T00:00:00Z","resourceId":"/SUBSCRIPTIONS/1","properties":{}}`,
	} {
		for name, s := range sources {
			if s.Detect(parse(t, []byte(raw))) {
				t.Errorf("%s is taken for %s", raw, name)
			}
		}
	}
}

func TestDrift(t *testing.T) {
	for _, test := range []struct {
		source, raw, want string
	}{
		{"audit", `{"activityDisplayName":"Add user","category":"UserManagement","operationType":"Add"}`, ""},
		{"audit", `{"activityDisplayName":"Anything at all","category":"Device","operationType":"Update"}`, ""},
		{"audit", `{"activityDisplayName":"Launch rocket","category":"SpaceManagement","operationType":"Ignite"}`, "operation"},
		{"diagnostic", `{"category":"AuditLogs","properties":{"activityDisplayName":"Launch rocket","activityDateTime":"2026-01-01T00:00:00Z","category":"Device","operationType":"Ignite"}}`, "operation"},
		{"diagnostic", `{"category":"BrandNewLogs","properties":{}}`, "record type"},
		{"diagnostic", `{"category":"signinlogs","properties":{}}`, ""},
	} {
		d, ok := sources[test.source].Drift(parse(t, []byte(test.raw)))
		if d.New != test.want || ok != (test.want != "") {
			t.Errorf("%s: %v %v, want %q", test.raw, d, ok, test.want)
		}
	}
}

// FuzzMap holds that any object maps to a valid event that carries all of its
// members' names somewhere or has them empty.
func FuzzMap(f *testing.F) {
	for name := range sources {
		for _, raw := range records(f, name) {
			f.Add(raw)
		}
	}
	var tape jsontape.Tape
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
			t.Skip()
		}
		for name, s := range sources {
			var e ocsf.Event
			s.Identify(tape.Root())
			s.Map(tape.Root(), &e)
			event := e.AppendJSON(nil)
			for _, problem := range ocsf.Validate(event) {
				t.Fatalf("%s: %v in %s", name, problem, event)
			}
			var again ocsf.Event
			s.Map(tape.Root(), &again)
			if !bytes.Equal(event, again.AppendJSON(nil)) {
				t.Fatalf("%s: the same record gives another event", name)
			}
		}
	})
}

func BenchmarkMap(b *testing.B) {
	for name, s := range sources {
		list := records(b, name)
		size := 0
		for _, raw := range list {
			size += len(raw)
		}
		b.Run(name, func(b *testing.B) {
			var tape jsontape.Tape
			var e ocsf.Event
			b.SetBytes(int64(size / len(list)))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := tape.Parse(list[i%len(list)]); err != nil {
					b.Fatal(err)
				}
				e.Reset()
				s.Identify(tape.Root())
				s.Map(tape.Root(), &e)
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
