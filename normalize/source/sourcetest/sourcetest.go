// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package sourcetest asks of a source what every source must hold: its records give the events beside them, any object
// gives one valid event, nothing of a record is lost, and its page says what its tables say.
//
// A source's testdata has records, one a line, in x.jsonl and their events in x.golden. With -update a test writes what
// it would else compare.
package sourcetest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

var update = flag.Bool("update", false, "write the events that testdata's records give, and the tables of the source's page")

// Records reads testdata/<name>.jsonl.
func Records(t testing.TB, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(text), []byte("\n"))
}

// Parse reads a record that is JSON.
func Parse(t testing.TB, raw []byte) jsontape.Value {
	t.Helper()
	var tape jsontape.Tape
	if err := tape.Parse(raw); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return tape.Root()
}

// Event is what a record is mapped to.
func Event(t testing.TB, s source.Source, raw string) *ocsf.Event {
	t.Helper()
	var e ocsf.Event
	s.Map(Parse(t, []byte(raw)), &e)
	return &e
}

// Events holds each record of testdata/<name>.jsonl to be the source's, and its event to be valid, to have a place for
// every attribute and to be the one in testdata/<name>.golden. The lines of odd have values that are in no known form.
func Events(t *testing.T, s source.Source, name string, odd ...int) {
	t.Helper()
	var out bytes.Buffer
	for i, raw := range Records(t, name) {
		root := Parse(t, raw)
		if !s.Detect(root) {
			t.Errorf("%s:%d is not detected", name, i+1)
		}
		var e ocsf.Event
		s.Map(root, &e)
		event := e.AppendJSON(nil)
		for _, problem := range ocsf.Validate(event) {
			t.Errorf("%s:%d: %v", name, i+1, problem)
		}
		for _, a := range e.Unfit {
			t.Errorf("%s:%d: class %d has no place for %s", name, i+1, e.Class, a.Path)
		}
		if (len(e.Issues) > 0) != slices.Contains(odd, i+1) {
			t.Errorf("%s:%d: issues %v", name, i+1, e.Issues)
		}
		if err := json.Indent(&out, event, "", " "); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
	}
	Golden(t, "testdata/"+name+".golden", out.String())
}

// mark is the line of a source's page below which all is made from its tables.
const mark = "<!-- tables -->\n"

// Page holds what docs/sources/<name>.md says below its mark to be tables.
func Page(t *testing.T, name, tables string) {
	t.Helper()
	file := "../../docs/sources/" + name + ".md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	by, _, ok := strings.Cut(string(text), mark)
	if !ok {
		t.Fatalf("%s has no %q", file, mark)
	}
	Golden(t, file, by+mark+tables)
}

// Golden holds a file to say got.
func Golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew): %s", file, diff)
	}
}

// Fuzz calls check with each object that is found, and with what each source makes of it, which is held to be valid and
// the same each time.
func Fuzz(f *testing.F, seeds [][]byte, sources []source.Source, check func(t *testing.T, root jsontape.Value, e *ocsf.Event, event []byte)) {
	f.Helper()
	for _, raw := range seeds {
		f.Add(raw)
	}
	var tape jsontape.Tape
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
			t.Skip()
		}
		root := tape.Root()
		for _, s := range sources {
			if s.Detect(root) && len(s.Members) > 0 && !slices.ContainsFunc(s.Members, func(name string) bool { return root.Get(name).Exists() }) {
				t.Fatalf("%s takes a record without a member of %q", s.Family, s.Members)
			}
			s.Identify(root)
			if s.Drift != nil {
				s.Drift(root)
			}
			var e, again ocsf.Event
			s.Map(root, &e)
			event := e.AppendJSON(nil)
			for _, problem := range ocsf.Validate(event) {
				t.Fatalf("%s: %v in %s", s.Family, problem, event)
			}
			s.Map(root, &again)
			if !bytes.Equal(event, again.AppendJSON(nil)) {
				t.Fatalf("%s: the same record gives another event", s.Family)
			}
			check(t, root, &e, event)
		}
	})
}

// Kept reports members of an object in the record that say something, that are not among those that the tables name, and
// that are not under unmapped as they came, by their names behind a prefix.
func Kept(t *testing.T, object jsontape.Value, prefix string, e *ocsf.Event, named func(key string) bool) {
	t.Helper()
	for v := object.First(); v.Exists(); v = v.Next() {
		key := string(v.Key())
		if members.Blank(v) || named(key) {
			continue
		}
		if !slices.ContainsFunc(e.Unmapped, func(m ocsf.Member) bool { return string(m.Name) == prefix+key && bytes.Equal(m.Value, v.Raw()) }) {
			t.Fatalf("%q is lost", prefix+key)
		}
	}
}

// Said reports top-level members whose text is nowhere in the event. It looks at numbers and plain texts; what has
// escapes may be written otherwise, and so are the members of other, in lower case. Of members of one name the last
// counts, whatever their capitals.
func Said(t *testing.T, root jsontape.Value, event []byte, other ...string) {
	t.Helper()
	last := map[string]jsontape.Value{}
	for v := root.First(); v.Exists(); v = v.Next() {
		last[strings.ToLower(string(v.Key()))] = v
	}
	for name, v := range last {
		if text, ok := Plain(v); ok && string(text) != "<null>" && !slices.Contains(other, name) && !bytes.Contains(event, text) {
			t.Errorf("%s: %q is lost: %s", name, text, event)
		}
	}
}

// Plain returns the text of a member that JSON has one way only to write: a number, or a string of ASCII without
// escapes, of a name that is such a string.
func Plain(v jsontape.Value) (text []byte, ok bool) {
	plain := func(s []byte) bool {
		return !bytes.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' || strings.ContainsRune(`"\<>&`, c) })
	}
	text = v.Text()
	return text, (v.Kind() == jsontape.String || v.Kind() == jsontape.Number) && plain(text) && plain(v.Key())
}

// Bench measures what a record costs from its bytes to the event.
func Bench(b *testing.B, s source.Source, records [][]byte) {
	b.Helper()
	size := 0
	for _, raw := range records {
		size += len(raw)
	}
	var tape jsontape.Tape
	var e ocsf.Event
	b.SetBytes(int64(size / len(records)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := tape.Parse(records[i%len(records)]); err != nil {
			b.Fatal(err)
		}
		e.Reset()
		s.Identify(tape.Root())
		s.Map(tape.Root(), &e)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
