// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// logon fills an event as a mapping does.
func logon(e *ocsf.Event) {
	e.Class, e.Activity, e.Time = ocsf.ClassAuthentication, 1, 1780000000123456789
	e.SetText(ocsf.PathUserName, "someone@example.com")
	e.SetText(ocsf.PathUserUID, "7d6f")
	e.SetText(ocsf.PathActorUserEmailAddr, "someone@example.com")
	e.SetInt(ocsf.PathActorUserTypeID, 1)
	e.SetText(ocsf.PathSrcEndpointIP, "203.0.113.7")
	e.SetInt(ocsf.PathSrcEndpointPort, 4711)
	e.SetInt(ocsf.PathStatusID, 2)
	e.SetText(ocsf.PathStatusDetail, "said \"no\"\n\xff")
	e.SetText(ocsf.PathMetadataUID, "f12c")
	e.SetText(ocsf.PathMetadataProductName, "Directory")
	e.SetText(ocsf.PathMetadataProductVendorName, "Example")
}

func lines(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "") }

func TestAppendJSON(t *testing.T) {
	const logonHead = `{"class_uid":3002,"class_name":"Authentication","category_uid":3,"category_name":"Identity & Access Management",
"activity_id":1,"activity_name":"Logon","type_uid":300201,"type_name":"Authentication: Logon",
"severity_id":1,"severity":"Informational","time":1780000000123,`
	const baseHead = `{"class_uid":0,"class_name":"Base Event","category_uid":0,"category_name":"Uncategorized",
"activity_id":99,"activity_name":"Do-It","type_uid":99,"type_name":"Base Event: Other",
"severity_id":4,"severity":"High","time":-1,`
	for _, c := range []struct {
		name string
		fill func(e *ocsf.Event)
		want string
	}{
		{"logon", logon, logonHead + `
"metadata":{"version":"1.8.0","product":{"name":"Directory","vendor_name":"Example"},"uid":"f12c"},
"actor":{"user":{"email_addr":"someone@example.com","name":"someone@example.com","type_id":1,"type":"User"}},
"src_endpoint":{"ip":"203.0.113.7","port":4711},
"status_detail":"said \"no\"\n�","status_id":2,"status":"Failure",
"user":{"name":"someone@example.com","uid":"7d6f"},
"service":{"name":"Unknown"},
"observables":[{"name":"actor.user.email_addr","type_id":5,"type":"Email Address","value":"someone@example.com"},
{"name":"actor.user.name","type_id":4,"type":"User Name","value":"someone@example.com"},
{"name":"src_endpoint.ip","type_id":2,"type":"IP Address","value":"203.0.113.7"},
{"name":"user.uid","type_id":31,"type":"User Object: uid","value":"7d6f"}]}`},
		{"what does not fit", func(e *ocsf.Event) {
			e.Class, e.Activity, e.Time = 77, 5, -1 // no such class
			e.SetText(ocsf.PathActivityName, "Do-It")
			e.SetInt(ocsf.PathSeverityID, 4)
			e.SetText(ocsf.PathSrcEndpointIP, "203.0.113.7") // the Base Event has none
			e.SetInt(ocsf.PathStatusID, 77)                  // no such value
			e.AddText(ocsf.PathResourcesName, 3, "x")
			e.Unmapped = append(e.Unmapped, ocsf.Member{Name: []byte("a\"b"), Value: []byte("{\"c\":\"d\te\",\n\"f\":1}")})
			e.Issues = append(e.Issues, "Time: not a time")
		}, baseHead + `
"metadata":{"version":"1.8.0","product":{"name":"Unknown"}},
"unmapped":{"a\"b":{"c":"d\te", "f":1},
"daybreak_unfit":{"src_endpoint.ip":"203.0.113.7","status_id":77,"resources[3].name":"x"},
"daybreak_issues":["Time: not a time"]}}`},
		{"arrays and profiles", func(e *ocsf.Event) {
			e.Class, e.Activity, e.Time = ocsf.ClassAccountChange, 99, -1
			e.SetText(ocsf.PathAPIOperation, "Do-It")
			e.AddText(ocsf.PathResourcesUID, 2, "u2")
			e.AddText(ocsf.PathResourcesName, 0, "n0")
			e.AddText(ocsf.PathResourcesName, 2, "n2")
			e.AddText(ocsf.PathResourcesType, 1, "t1")
			e.SetText(ocsf.PathStatus, "PartiallySucceeded")
			e.SetInt(ocsf.PathStatusID, 1)
		}, `{"class_uid":3001,"class_name":"Account Change","category_uid":3,"category_name":"Identity & Access Management",
"activity_id":99,"activity_name":"Do-It","type_uid":300199,"type_name":"Account Change: Other",
"severity_id":1,"severity":"Informational","time":-1,
"metadata":{"version":"1.8.0","profiles":["cloud"],"product":{"name":"Unknown"}},
"api":{"operation":"Do-It"},
"status":"PartiallySucceeded","status_id":1,
"cloud":{"provider":"Unknown"},"user":{"name":"Unknown"},
"unmapped":{"daybreak_unfit":{"resources[2].uid":"u2","resources[0].name":"n0","resources[2].name":"n2","resources[1].type":"t1"}}}`},
		{"elements of an array", func(e *ocsf.Event) {
			e.Class, e.Activity, e.Time = ocsf.ClassAPIActivity, 99, -1
			e.SetText(ocsf.PathAPIOperation, "Do-It")
			e.AddText(ocsf.PathResourcesUID, 2, "u2")
			e.AddText(ocsf.PathResourcesName, 0, "n0")
			e.AddText(ocsf.PathResourcesName, 2, "n2")
			e.AddText(ocsf.PathResourcesType, 1, "t1")
		}, `{"class_uid":6003,"class_name":"API Activity","category_uid":6,"category_name":"Application Activity",
"activity_id":99,"activity_name":"Do-It","type_uid":600399,"type_name":"API Activity: Other",
"severity_id":1,"severity":"Informational","time":-1,
"metadata":{"version":"1.8.0","product":{"name":"Unknown"}},
"api":{"operation":"Do-It"},
"resources":[{"name":"n0"},{"type":"t1","name":"Unknown"},{"name":"n2","uid":"u2"}],
"actor":{"app_name":"Unknown"},"src_endpoint":{"name":"Unknown"},
"observables":[{"name":"resources.name","type_id":38,"type":"Resource Details Object: name","value":"n0"},
{"name":"resources.name","type_id":38,"type":"Resource Details Object: name","value":"n2"},
{"name":"resources.uid","type_id":10,"type":"Resource UID","value":"u2"}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e ocsf.Event
			c.fill(&e)
			got := e.AppendJSON(nil)
			if diff := cmp.Diff(lines(c.want), string(got)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if again := e.AppendJSON(nil); !bytes.Equal(again, got) {
				t.Errorf("a second time it is\n%s", again)
			}
			mustBeValid(t, got)
		})
	}
}

func mustBeValid(t *testing.T, event []byte) {
	t.Helper()
	if !json.Valid(event) || bytes.ContainsAny(event, "\n\r") {
		t.Fatalf("not one line of JSON: %s", event)
	}
	for _, p := range ocsf.Validate(event) {
		if !p.Warning {
			t.Errorf("%s\n%s", p, event)
		}
	}
}

// values are what a careless mapping may set anywhere.
var values = []string{
	"", "x", "Unknown", "203.0.113.7", "2001:db8::1", "203.0.113.7:80", "::ffff:1.2.3.4", "a@b.c", "a@b@c.d", "@", "1", "99", "-3", "70000", "5000000000",
	"1e3", "true", "False", "GET", "AMBER", "00:1b:44:11:3a:b7", "7f6b1c4e-0000-4abc-9def-0123456789ab", "2026-05-18T21:13:33", "2026-05-18T21:13:33.12Z", "AAAA", "\x00\xff\"\\", "i:0h.f|membership|10032@live.com",
}

var texts = []string{`{}`, `[]`, `null`, `"a"`, `1.5`, `-7`, `{"a":[1,{"b":null}]}`, "\"\x01\xfe\"", "[1,\n 2]", `true`}

// TestAnythingFits sets attributes at random: whatever a mapping does, what is
// written is valid.
func TestAnythingFits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	paths := ocsf.Paths()
	var e ocsf.Event
	var out []byte
	for _, class := range schema.Load().Classes {
		for range 60 {
			e.Reset()
			e.Class, e.Activity, e.Time = ocsf.Class(class.UID), int32(rnd.IntN(110)-5), rnd.Int64()
			for range rnd.IntN(40) {
				setAnything(&e, rnd, paths[rnd.IntN(len(paths))])
			}
			out = e.AppendJSON(out[:0])
			mustBeValid(t, out)
			if t.Failed() {
				return
			}
		}
	}
}

func setAnything(e *ocsf.Event, rnd *rand.Rand, p ocsf.Path) {
	elem := rnd.IntN(3)
	switch rnd.IntN(4) {
	case 0:
		e.AddInt(p, elem, []int64{0, 1, 2, 5, 99, 443, -1, 70000, 1 << 40}[rnd.IntN(9)])
	case 1:
		e.AddJSON(p, elem, []byte(texts[rnd.IntN(len(texts))]))
	case 2:
		e.SetBool(p, rnd.IntN(2) == 0)
	default:
		e.AddText(p, elem, values[rnd.IntN(len(values))])
	}
}

func FuzzAnythingFits(f *testing.F) {
	f.Add(uint64(1), uint16(3002), "someone@example.com", []byte(`{"a":1}`))
	paths := ocsf.Paths()
	f.Fuzz(func(t *testing.T, seed uint64, class uint16, text string, raw []byte) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var e ocsf.Event
		e.Class, e.Activity = ocsf.Class(class), int32(rnd.IntN(100))
		for range 12 {
			p := paths[rnd.IntN(len(paths))]
			e.AddText(p, rnd.IntN(2), text)
			if json.Valid(raw) {
				e.AddJSON(paths[rnd.IntN(len(paths))], 0, raw)
			}
			setAnything(&e, rnd, p)
		}
		mustBeValid(t, e.AppendJSON(nil))
	})
}

func TestTooManyAttributes(t *testing.T) {
	var e ocsf.Event
	e.Class = ocsf.ClassAPIActivity
	for i := range 2 * ocsf.MaxAttrs {
		e.AddText(ocsf.PathResourcesName, i, "n")
	}
	e.AddText(ocsf.PathResourcesName, -1, "n")
	if len(e.Attrs) != ocsf.MaxAttrs || len(e.Issues) != 1 {
		t.Errorf("%d attributes and %d issues, want %d and 1", len(e.Attrs), len(e.Issues), ocsf.MaxAttrs)
	}
	mustBeValid(t, e.AppendJSON(nil))
}

func TestEncodingAllocatesNothing(t *testing.T) {
	var e ocsf.Event
	var out []byte
	run := func() {
		e.Reset()
		logon(&e)
		out = e.AppendJSON(out[:0])
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func BenchmarkFit(b *testing.B) {
	var e ocsf.Event
	logon(&e)
	b.ReportAllocs()
	for b.Loop() {
		e.Fit()
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	var e ocsf.Event
	logon(&e)
	out := e.AppendJSON(nil)
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		out = e.AppendJSON(out[:0])
	}
}
