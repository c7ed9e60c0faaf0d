// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/entra"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var sources = map[string]source.Source{"signin": entra.Signin, "audit": entra.Audit, "diagnostic": entra.Diagnostic}

// odd are the lines with a time or an address that is none.
var odd = map[string][]int{"signin": {5}, "diagnostic": {7}}

// TestEvents holds besides that no record is of two sources, but for the last of diagnostic's, which has the form of an
// audit in an envelope.
func TestEvents(t *testing.T) {
	for name, s := range sources {
		sourcetest.Events(t, s, name, odd[name]...)
		records := sourcetest.Records(t, name)
		for i, raw := range records {
			for other, o := range sources {
				if other != name && o.Detect(sourcetest.Parse(t, raw)) && !(name == "diagnostic" && i == len(records)-1) {
					t.Errorf("%s:%d is detected as %s too", name, i+1, other)
				}
			}
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
		id := sources[test.source].Identify(sourcetest.Parse(t, []byte(test.raw)))
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
			if s.Detect(sourcetest.Parse(t, []byte(raw))) {
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
		d, ok := sources[test.source].Drift(sourcetest.Parse(t, []byte(test.raw)))
		if d.New != test.want || ok != (test.want != "") {
			t.Errorf("%s: %v %v, want %q", test.raw, d, ok, test.want)
		}
	}
}

// FuzzMap holds that each source makes one valid event of any object, its own or not.
func FuzzMap(f *testing.F) {
	var seeds [][]byte
	for name := range sources {
		seeds = append(seeds, sourcetest.Records(f, name)...)
	}
	sourcetest.Fuzz(f, seeds, slices.Collect(maps.Values(sources)), func(*testing.T, jsontape.Value, *ocsf.Event, []byte) {})
}

func BenchmarkMap(b *testing.B) {
	for name, s := range sources {
		b.Run(name, func(b *testing.B) { sourcetest.Bench(b, s, sourcetest.Records(b, name)) })
	}
}
