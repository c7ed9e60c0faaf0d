// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/m365"
	"github.com/daybreak-sec/daybreak/normalize/source/sourcetest"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// records are the names of testdata's records, without their ends.
func records(t testing.TB) []string {
	names, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var records []string
	for _, name := range names {
		if !strings.HasSuffix(name, ".event.json") {
			records = append(records, strings.TrimSuffix(name, ".json"))
		}
	}
	if len(records) == 0 {
		t.Fatal("no records in testdata")
	}
	return records
}

func read(t testing.TB, name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mapped is the event of a record as JSON; nil if it is no JSON object.
func mapped(raw []byte) []byte {
	var tape jsontape.Tape
	if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
		return nil
	}
	var e ocsf.Event
	m365.Map(tape.Root(), &e)
	return e.AppendJSON(nil)
}

func TestGolden(t *testing.T) {
	for _, name := range records(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			got := mapped(read(t, name+".json"))
			for _, p := range ocsf.Validate(got) {
				t.Errorf("not valid OCSF: %v", p)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, got, "", "  "); err != nil {
				t.Fatal(err)
			}
			pretty.WriteByte('\n')
			sourcetest.Golden(t, name+".event.json", pretty.String())
		})
	}
}

// TestReuse maps all records in turn with one tape and one event: what one
// record leaves behind must not show in the next.
func TestReuse(t *testing.T) {
	var tape jsontape.Tape
	var e ocsf.Event
	for range 2 {
		for _, name := range records(t) {
			raw := read(t, name+".json")
			if err := tape.Parse(raw); err != nil {
				t.Fatal(err)
			}
			e.Reset()
			m365.Map(tape.Root(), &e)
			if got, want := string(e.AppendJSON(nil)), string(mapped(raw)); got != want {
				t.Errorf("%s: %s", name, cmp.Diff(want, got))
			}
		}
	}
}

// TestConcurrentUse maps in several goroutines at once; the race detector looks on.
func TestConcurrentUse(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, name := range records(t) {
				raw := read(t, name+".json")
				if got, want := mapped(raw), mapped(raw); !bytes.Equal(got, want) {
					t.Errorf("%s: two events of one record differ", name)
				}
			}
		})
	}
	wg.Wait()
}

func TestNothingAllocates(t *testing.T) {
	var tape jsontape.Tape
	var e ocsf.Event
	for _, name := range records(t) {
		raw := read(t, name+".json")
		if bytes.Contains(raw, []byte("DetectedValues")) {
			continue // redaction makes a copy
		}
		got := testing.AllocsPerRun(50, func() {
			if err := tape.Parse(raw); err != nil {
				t.Fatal(err)
			}
			e.Reset()
			m365.Map(tape.Root(), &e)
		})
		if got >= 1 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}

func TestSecretsStayInTheRawRecord(t *testing.T) {
	got := mapped(read(t, "testdata/dlp.json"))
	if bytes.Contains(got, []byte("4111")) {
		t.Errorf("the event repeats what the policy protects: %s", got)
	}
	if !bytes.Contains(got, []byte(`"DetectedValues":[]`)) {
		t.Error("the policy's details are gone")
	}
}

func TestDrift(t *testing.T) {
	tests := []struct{ record, want string }{
		{`{"CreationTime":"2026-03-01T00:00:00","RecordType":1,"Operation":"Set-Mailbox","Workload":"Exchange"}`, ""},
		{`{"CreationTime":"2026-03-01T00:00:00","RecordType":1,"Operation":"Set-SomethingNew"}`, ""},
		{`{"CreationTime":"2026-03-01T00:00:00","RecordType":8,"Operation":"Add user."}`, ""},
		{`{"CreationTime":"2026-03-01T00:00:00","RecordType":8,"Operation":"Add widget."}`, "operation"},
		{`{"CreationTime":"2026-03-01T00:00:00","RecordType":99999,"Operation":"FileAccessed"}`, "record type"},
		{`{"CreationTime":"2026-03-01T00:00:00","RecordType":6,"Operation":"FileAccessed","NeverSeen":1}`, "members"},
	}
	for _, test := range tests {
		var tape jsontape.Tape
		if err := tape.Parse([]byte(test.record)); err != nil {
			t.Fatal(err)
		}
		d, ok := m365.Drift(tape.Root())
		if ok != (test.want != "") || d.New != test.want {
			t.Errorf("%s: got %q, want %q", test.record, d.New, test.want)
		}
	}
	a, b := drift(t, `{"RecordType":8,"Operation":"x","A":1,"B":2}`), drift(t, `{"B":0,"A":"","Operation":"x","RecordType":8}`)
	if a != b {
		t.Errorf("the order of members makes a difference: %v, %v", a, b)
	}
	if c := drift(t, `{"RecordType":8,"Operation":"x","A":1}`); a == c {
		t.Error("other members make no difference")
	}
}

func drift(t *testing.T, record string) any {
	var tape jsontape.Tape
	if err := tape.Parse([]byte(record)); err != nil {
		t.Fatal(err)
	}
	d, _ := m365.Drift(tape.Root())
	return d
}

// TestForwarding: where mail is sent on to, in the ways in which Exchange says it.
func TestForwarding(t *testing.T) {
	for value, want := range map[string]string{
		"drop@example.net":                                     "drop@example.net",
		"smtp:drop@example.net":                                "drop@example.net",
		"SMTP:drop@example.net;bob@example.com":                "drop@example.net",
		`"Doe, Jane" [SMTP:jane@example.net];"B" [SMTP:b@x.y]`: "jane@example.net",
		`["drop@example.net","bob@example.com"]`:               "drop@example.net",
		"bob":                                                  "",
		"":                                                     "",
		"smtp:":                                                "",
	} {
		record, err := json.Marshal(map[string]any{
			"CreationTime": "2026-03-01T00:00:00", "RecordType": 1, "Operation": "Set-InboxRule", "UserId": "ada@example.com",
			"Parameters": []map[string]string{{"Name": "RedirectTo", "Value": value}},
		})
		if err != nil {
			t.Fatal(err)
		}
		var tape jsontape.Tape
		if err := tape.Parse(record); err != nil {
			t.Fatal(err)
		}
		var e ocsf.Event
		m365.Map(tape.Root(), &e)
		if got := string(e.Str(ocsf.PathEntityUserForwardAddr)); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
	}
}

// TestWords maps operations that no table lists: their words say what they do.
func TestWords(t *testing.T) {
	for operation, want := range map[string]int32{
		"WidgetCreated": 1, "CreateWidget": 1, "Upload widget": 1, "SearchCreated": 1, "widget_created": 1,
		"ViewWidget": 2, "SearchWidgets": 2, "WidgetAccessedExtended": 2, "SearchExported": 2, "GET widget": 2,
		"WidgetRenamed": 3, "put_permissions": 3, "Enable Widget": 3, "QuarantineReleaseMessage": 3,
		"WidgetDeletedFirstStage": 4, "Hard Delete widget": 4, "RemoveWidget": 4, "ListWidgetDeleted": 4,
		"Widget": 99, "": 99, "---": 99, "Ünïcödé": 99,
	} {
		record, err := json.Marshal(map[string]any{"CreationTime": "2026-03-01T00:00:00", "RecordType": 99999, "Operation": operation})
		if err != nil {
			t.Fatal(err)
		}
		var tape jsontape.Tape
		if err := tape.Parse(record); err != nil {
			t.Fatal(err)
		}
		var e ocsf.Event
		m365.Map(tape.Root(), &e)
		if e.Class != ocsf.ClassAPIActivity || e.Activity != want {
			t.Errorf("%q: class %d, activity %d, want %d", operation, e.Class, e.Activity, want)
		}
	}
}

// TestEveryMemberOfEveryShape puts values of every shape into each member of each
// record, as Microsoft does without notice: the event stays valid and has the
// value.
func TestEveryMemberOfEveryShape(t *testing.T) {
	const mark = "7070707"
	shapes := []string{
		`null`, `""`, `true`, `-` + mark + `.5e3`, mark, `"` + mark + `"`, `"x` + mark + `@example.com"`, `[]`, `{}`, `[null]`, `["` + mark + `"]`,
		`{"` + mark + `":null}`, `{"Name":"` + mark + `","Value":[1]}`, `[{"Name":` + mark + `,"Value":{}},7]`, `[[[{"ID":"` + mark + `","Type":"5"}]]]`, `"{\"a\":` + mark + `}"`,
	}
	names := records(t)
	if testing.Short() || raceEnabled {
		names = names[:3]
	}
	for _, name := range names {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(read(t, name+".json"), &members); err != nil {
			t.Fatal(err)
		}
		for member, was := range members {
			for _, shape := range shapes {
				members[member] = json.RawMessage(shape)
				raw, err := json.Marshal(members)
				if err != nil {
					t.Fatal(err)
				}
				event := mapped(raw)
				for _, p := range ocsf.Validate(event) {
					if !p.Warning {
						t.Errorf("%s with %s of %s is not valid OCSF: %v", name, member, shape, p)
					}
				}
				if strings.Contains(shape, mark) && !bytes.Contains(event, []byte(mark)) {
					t.Errorf("%s with %s of %s: the value is lost: %s", name, member, shape, event)
				}
			}
			members[member] = was
		}
	}
}

// FuzzMap: whatever the record, the event is valid OCSF, the values of its
// top-level members are all in it, and it is the same whatever was mapped before.
func FuzzMap(f *testing.F) {
	names := records(f)
	for _, name := range names {
		f.Add(read(f, name+".json"))
	}
	other := read(f, names[0]+".json")
	f.Add([]byte(`{"CreationTime":1,"RecordType":"x","Operation":{},"UserId":[],"Actor":"a","Target":7,"ClientIP":{"a":1},"Parameters":[1,[],{}]}`))
	f.Add([]byte(`{"Id":"1","Id":"2","Operation":"a","Operation":"b"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := mapped(raw)
		if got == nil {
			t.Skip("not a JSON object")
		}
		if !json.Valid(got) {
			t.Fatalf("not JSON: %q", got)
		}
		for _, p := range ocsf.Validate(got) {
			if !p.Warning {
				t.Errorf("not valid OCSF: %v", p)
			}
		}
		lost(t, raw, got)
		if again := mapped(raw); !bytes.Equal(again, got) {
			t.Errorf("mapped again: %s", cmp.Diff(string(got), string(again)))
		}
		mapped(other)
		if again := mapped(raw); !bytes.Equal(again, got) {
			t.Errorf("mapped after another record: %s", cmp.Diff(string(got), string(again)))
		}
	})
}

// lost reports members of the record whose text is nowhere in the event. It
// looks at numbers and plain texts; what has escapes may be written otherwise.
func lost(t *testing.T, raw, event []byte) {
	var tape jsontape.Tape
	if err := tape.Parse(raw); err != nil {
		t.Fatal(err)
	}
	for c := tape.Root().First(); c.Exists(); c = c.Next() {
		s, ok := sourcetest.Plain(c)
		if !ok {
			continue
		}
		switch string(c.Key()) {
		case "RecordType", "UserType", "ClientIP", "ClientIPAddress", "ActorIpAddress", "UserIp", "SenderIp", "CreationTime":
			continue // written otherwise; the golden files hold them to it
		}
		if !bytes.Contains(event, s) {
			t.Errorf("%s: %q is lost: %s", c.Key(), s, event)
		}
	}
}

// TestListed holds that the mapping and Drift mean the same by news.
func TestListed(t *testing.T) {
	records, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[bool]int{}
	for _, name := range records {
		if strings.HasSuffix(name, ".event.json") {
			continue
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{raw, bytes.Replace(raw, []byte("{"), []byte(`{"NewMember":1,`), 1)} {
			var tape jsontape.Tape
			var e ocsf.Event
			if err := tape.Parse(text); err != nil {
				t.Fatal(err)
			}
			m365.Map(tape.Root(), &e)
			if _, news := m365.Drift(tape.Root()); news == e.Listed {
				t.Errorf("%s: Listed is %v and Drift says %v", name, e.Listed, news)
			}
			seen[e.Listed]++
		}
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("want both kinds of records, got %v", seen)
	}
}
