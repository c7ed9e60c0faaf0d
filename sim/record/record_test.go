// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

var header = record.Header{
	Time:      time.Date(2026, 11, 2, 9, 8, 7, 654, time.FixedZone("", 3600)),
	ID:        record.Hash(1),
	Operation: "Add user.",
	Tenant:    record.Hash(2),
	Type:      8,
	Result:    "Success",
	UserKey:   "1003",
	Workload:  "AzureActiveDirectory",
	ClientIP:  "198.18.0.1",
	UserID:    `o"neil\@example.test`,
}

func TestRecord(t *testing.T) {
	w := record.Begin([]byte("before "))
	w.Header(header)
	w.Array("ModifiedProperties")
	w.Modified("DisplayName", `["Zoë"]`, "[]")
	w.Modified("Mail", "", "")
	w.EndArray()
	w.Array("Actor")
	w.Typed("x", 5)
	w.EndArray()
	w.Object("AppAccessContext")
	w.Text("ClientAppName", []byte("a{"))
	w.Bool("Managed", true)
	w.Raw("Nothing", "null")
	w.EndObject()
	w.Array("Empty")
	w.EndArray()
	got := string(w.End())
	const want = `before {"CreationTime":"2026-11-02T08:08:07","Id":"ID","Operation":"Add user.","OrganizationId":"TENANT","RecordType":8,` +
		`"ResultStatus":"Success","UserKey":"1003","UserType":0,"Version":1,"Workload":"AzureActiveDirectory","ClientIP":"198.18.0.1",` +
		`"UserId":"o\"neil\\@example.test","ModifiedProperties":[{"Name":"DisplayName","NewValue":"[\"Zoë\"]","OldValue":"[]"},` +
		`{"Name":"Mail","NewValue":"","OldValue":""}],"Actor":[{"ID":"x","Type":5}],"AppAccessContext":{"ClientAppName":"a{",` +
		`"Managed":true,"Nothing":null},"Empty":[]}`
	filled := strings.NewReplacer("TENANT", header.Tenant.String(), `"ID",`, `"`+header.ID.String()+`",`).Replace(want)
	if got != filled {
		t.Errorf("got  %s\nwant %s", got, filled)
	}
}

func TestWriterAllocatesNothing(t *testing.T) {
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		w := record.Begin(buf)
		w.Header(header)
		w.GUID("X", record.Hash(1, 2, 3))
		w.Str("Text", "Zoë \"quoted\"\n")
		buf = w.End()[:0]
	}); n != 0 {
		t.Errorf("%v allocations a record", n)
	}
}

func TestGUIDs(t *testing.T) {
	seen := map[record.GUID]bool{}
	for i := range uint64(50_000) {
		for _, g := range []record.GUID{record.Hash(i), record.Hash(i, 0), record.Hash(0, i, 1), record.Hash(i<<32, 2)} {
			if seen[g] {
				t.Fatalf("id %v for two inputs (at %d)", g, i)
			}
			seen[g] = true
		}
	}
	if record.HashText("a", "bc") == record.HashText("ab", "c") {
		t.Error("the ends of texts do not count")
	}
	g := record.Hash(7)
	back, err := record.ParseGUID(strings.ToUpper(g.String()))
	if err != nil || back != g {
		t.Errorf("ParseGUID(%v) = %v, %v", g, back, err)
	}
	for _, bad := range []string{"", g.String()[1:], "x" + g.String()[1:], strings.ReplaceAll(g.String(), "-", "+")} {
		if _, err := record.ParseGUID(bad); err == nil {
			t.Errorf("ParseGUID(%q) took it", bad)
		}
	}
}

// FuzzEscape holds that what is escaped reads back as what encoding/json makes
// of the same string.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "plain", `a"b\c`, "\x00\x1f\n\r\t", "Zoë 日本", "\xff\xc3", "\u2028\ufffd", "\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ours := append(record.AppendEscaped([]byte{'"'}, s), '"')
		theirs, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var a, b string
		if err := json.Unmarshal(ours, &a); err != nil {
			t.Fatalf("%q: %v", ours, err)
		}
		if err := json.Unmarshal(theirs, &b); err != nil {
			t.Fatal(err)
		}
		if a != b {
			t.Errorf("%q reads as %q, want %q", s, a, b)
		}
		if string(record.AppendEscaped(nil, []byte(s))) != string(ours[1:len(ours)-1]) {
			t.Error("bytes are escaped differently")
		}
	})
}
