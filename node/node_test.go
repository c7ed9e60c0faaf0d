// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/sample"
	"github.com/daybreak-sec/daybreak/store"
)

func ids(t *testing.T, n *node.Node, text string) []event.ID {
	t.Helper()
	f, err := n.Search(context.Background(), node.Query{Text: text, Limit: 100_000})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if !f.Events || f.Truncated {
		t.Fatalf("%s: %+v", text, f)
	}
	return f.IDs()
}

func closeNode(t *testing.T, n *node.Node) {
	t.Helper()
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// holds verifies the journal and counts what is searchable.
func holds(t *testing.T, dir string, n *node.Node, records int) {
	t.Helper()
	report, err := verify.Dir(context.Background(), filepath.Join(dir, node.JournalDir), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if int(report.Records) != records {
		t.Errorf("the journal holds %d records, want %d", report.Records, records)
	}
	if got := len(ids(t, n, "")); got != records {
		t.Errorf("%d events are searchable, want %d", got, records)
	}
}

func m365(id, tenant, operation string) string {
	return fmt.Sprintf(`{"Id":%q,"RecordType":15,"CreationTime":"2026-11-01T10:00:00","Operation":%q,"OrganizationId":%q,"UserType":0,"UserKey":"k","Workload":"AzureActiveDirectory","UserId":"A@harborlight.example","ClientIP":"203.0.113.7:4711"}`, id, operation, tenant)
}

// TestTenants: the records of a file go to the origins of their tenants, each
// without a hole, whatever their order.
func TestTenants(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, "test")
	defer closeNode(t, n)
	var raw []byte
	const records, tenants = 3000, 7
	for i := range records {
		raw = append(raw, m365(fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), fmt.Sprintf("tenant-%d", i*i%tenants), "UserLoggedIn")...)
		raw = append(raw, '\n')
	}
	if s := take(t, n, raw); s != (node.Summary{Read: records, Stored: records}) {
		t.Errorf("%+v", s)
	}
	holds(t, dir, n, records)
	for i := range tenants {
		for _, id := range ids(t, n, fmt.Sprintf("tenant:tenant-%d | limit 3", i)) {
			e, err := n.Event(context.Background(), id)
			if err != nil || e.Origin.Tenant != fmt.Sprintf("tenant-%d", i) {
				t.Errorf("%v: %+v, %v", id, e, err)
			}
		}
	}
}

// TestTold: --tenant and --source count for records that do not say themselves.
func TestTold(t *testing.T) {
	n := open(t, t.TempDir(), "test")
	defer closeNode(t, n)
	im, err := n.NewImport(node.ImportOptions{Source: "json", Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Read(context.Background(), "x", strings.NewReader(`{"a":1}{"b.c":{"d":"e"}}`)); err != nil {
		t.Fatal(err)
	}
	if s, err := im.Finish(context.Background()); err != nil || s.Stored != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	if got := ids(t, n, "tenant:acme family:json"); len(got) != 2 {
		t.Errorf("found %v", got)
	}
	if _, err := n.NewImport(node.ImportOptions{Source: "outlook"}); err == nil {
		t.Error("a source that does not exist is accepted")
	}
}

// TestHostileInput: nothing is lost and nothing falls over, and every event that
// comes of it is valid.
func TestHostileInput(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, "test")
	defer closeNode(t, n)
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	for name, raw := range map[string]string{
		"deep":      deep,
		"nul":       "{\"Id\":\"a\x00b\",\"Operation\":\"x\"}",
		"utf8":      "{\"Id\":\"a\xff\xfe\",\"Operation\":\"\xc3\x28\"}",
		"duplicate": `{"Id":"1","Id":"2","Operation":"a","Operation":"b"}`,
		"big":       `{"Id":"big","Operation":"x","Blob":"` + strings.Repeat("y", 20<<20) + `"}`,
		"array":     `[{"Id":"e1"},{"Id":"e2"},{"Id":"e3"}]`,
		"numbers":   `{"Id":1e999,"CreationTime":99999999999999999999,"RecordType":-1}`,
		"cut":       `{"Id":"cut","Operation":"x`,
		"text":      "no json at all\n\n",
		"empty":     "",
	} {
		im, err := n.NewImport(node.ImportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Read(context.Background(), name, strings.NewReader(raw)); err != nil {
			t.Logf("%s: %v", name, err)
		}
		s, err := im.Finish(context.Background())
		if err != nil || s.Stored+s.Duplicates+s.Refused != s.Read {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if name != "empty" && s.Stored == 0 {
			t.Errorf("%s: nothing stored: %+v", name, s)
		}
	}
	all := ids(t, n, "")
	events, err := n.Render(context.Background(), all)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		for _, p := range ocsf.Validate(e) {
			t.Errorf("%s: %.200s: %v", all[i], e, p)
		}
		if !bytes.Contains(e, []byte(`"uid":"`+all[i].String()+`"`)) {
			t.Errorf("%s: its event does not name it: %.300s", all[i], e)
		}
	}
	holds(t, dir, n, len(all))
}

// TestFollowerCatchesUp: a lake that lost rows, or all, gets them back.
func TestFollowerCatchesUp(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, "test")
	take(t, n, records(5000, 1))
	want := ids(t, n, "")
	closeNode(t, n)
	if err := os.RemoveAll(filepath.Join(dir, node.LakeDir)); err != nil {
		t.Fatal(err)
	}
	n = open(t, dir, "test")
	if err := n.CatchUp(context.Background(), func(done, total, rows int64) {}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ids(t, n, "")); diff != "" {
		t.Error(diff)
	}
	closeNode(t, n)

	n, err := node.Open(context.Background(), node.Options{Dir: dir, Role: "test", Config: config.Default(), Log: quiet, Rebuild: true})
	if err != nil {
		t.Fatal(err)
	}
	defer closeNode(t, n)
	if err := n.CatchUp(context.Background(), func(done, total, rows int64) {}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ids(t, n, "")); diff != "" {
		t.Error(diff)
	}
}

// TestPaths: a query may ask for what no column holds.
func TestPaths(t *testing.T) {
	n := open(t, t.TempDir(), "test")
	defer closeNode(t, n)
	take(t, n, records(20_000, 1))
	rules := ids(t, n, "op:New-InboxRule")
	got := ids(t, n, "op:New-InboxRule entity.user.forward_addr:*outside.example")
	if len(rules) != 2 || !slices.Equal(rules, got) {
		t.Errorf("of %v found %v", rules, got)
	}
	if got := ids(t, n, "op:New-InboxRule metadata.uid:"+rules[0].String()); len(got) != 1 || got[0] != rules[0] {
		t.Errorf("by its id found %v", got)
	}
	if got := ids(t, n, "op:New-InboxRule entity.user.forward_addr:nobody"); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

// TestDrift: operations that the mapping does not know are counted, and named
// with an event that shows them.
func TestDrift(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, "test")
	defer closeNode(t, n)
	var raw string
	for i := range 5 {
		raw += m365(fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1), sample.Tenant, "Fold-Universe") + "\n"
	}
	take(t, n, []byte(raw))
	st, err := n.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(st.Drift, func(d node.Drift) bool { return strings.Contains(d.What, "Fold-Universe") })
	if i < 0 {
		t.Fatalf("no notice of it in %+v", st.Drift)
	}
	d := st.Drift[i]
	e, err := n.Event(context.Background(), d.Sample)
	if err != nil || d.Count != 5 || d.Family != "m365" || !strings.Contains(string(e.Record.Raw), "Fold-Universe") {
		t.Errorf("%+v: %v", d, err)
	}
}

// TestRetention: rows go by the day, raw records by their segments, and what is
// gone is said to be gone.
func TestRetention(t *testing.T) {
	dir, c := t.TempDir(), config.Default()
	n := open(t, dir, "test")
	take(t, n, records(500, 1)) // of 2026-11-02
	closeNode(t, n)
	c.Retention.LakeDays = 1
	n, err := node.Open(context.Background(), node.Options{Dir: dir, Role: "test", Config: c, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer closeNode(t, n)
	old := time.Since(time.Date(2026, time.November, 4, 0, 0, 0, 0, time.UTC)) > 0
	r, err := n.Retain(context.Background())
	if err != nil || old != (r.Lake > 0) || r.Journal != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if old {
		if got := ids(t, n, ""); len(got) != 0 {
			t.Errorf("%d rows are left", len(got))
		}
	}
}

// TestOCSFKeepsItself: an event that came as OCSF goes out as it came, but for
// the two ids.
func TestOCSFKeepsItself(t *testing.T) {
	n := open(t, t.TempDir(), "test")
	defer closeNode(t, n)
	var one bytes.Buffer
	if _, err := node.Normalize(context.Background(), "m365", "x", strings.NewReader(m365("00000000-0000-4000-8000-000000000001", sample.Tenant, "UserLoggedIn")), &one, func(string) {}); err != nil {
		t.Fatal(err)
	}
	take(t, n, one.Bytes())
	all := ids(t, n, "family:ocsf")
	if len(all) != 1 {
		t.Fatalf("found %v", all)
	}
	e, err := n.Event(context.Background(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal(e.OCSF, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(one.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	m := want["metadata"].(map[string]any)
	m["original_event_uid"], m["uid"] = m["uid"], all[0].String()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestNormalizeKeepsOrder: as many lines as records and in their order, with any
// number of workers.
func TestNormalizeKeepsOrder(t *testing.T) {
	const n = 10_000
	var raw, out bytes.Buffer
	for i := range n {
		fmt.Fprintf(&raw, `{"n":%d}`, i)
	}
	if _, err := node.Normalize(context.Background(), "json", "x", &raw, &out, func(string) {}); err != nil {
		t.Fatal(err)
	}
	i := 0
	for line := range bytes.Lines(out.Bytes()) {
		var e struct{ Unmapped struct{ N int } }
		if err := json.Unmarshal(line, &e); err != nil || e.Unmapped.N != i {
			t.Fatalf("line %d: %s (%v)", i, line, err)
		}
		i++
	}
	if i != n {
		t.Errorf("%d lines", i)
	}
}

// TestStopReading: what was read when the context ends is stored, and only that
// is counted.
func TestStopReading(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, "test")
	defer closeNode(t, n)
	ctx, stop := context.WithCancel(context.Background())
	im, err := n.NewImport(node.ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	go func() {
		out.Write(records(3000, 1))
		stop() // and the input stays open
	}()
	if err := im.Read(ctx, "pipe", in); err != context.Canceled {
		t.Errorf("got %v", err)
	}
	s, err := im.Finish(context.Background())
	if err != nil || s.Read != s.Stored {
		t.Errorf("%+v, %v", s, err)
	}
	holds(t, dir, n, int(s.Read))
	in.Close()
}

// TestJournalFromAnOlderCopy: the journal comes back from an older copy while all that
// was derived from it stays. What it lacks is forgotten; what comes then is found.
func TestJournalFromAnOlderCopy(t *testing.T) {
	dir := t.TempDir()
	records := func(from, n int) (raw []byte) {
		for i := range n {
			raw = append(raw, m365(fmt.Sprintf("00000000-0000-4000-8000-%012d", from+i), "t", "UserLoggedIn")...)
			raw = append(raw, '\n')
		}
		return raw
	}
	n := open(t, dir, "test")
	take(t, n, records(1, 10))
	closeNode(t, n)
	copied := filepath.Join(t.TempDir(), "journal")
	if err := os.CopyFS(copied, os.DirFS(filepath.Join(dir, node.JournalDir))); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		n = open(t, dir, "test")
		take(t, n, records(100*(i+1), 10))
		closeNode(t, n)
	}
	if err := os.RemoveAll(filepath.Join(dir, node.JournalDir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(copied, filepath.Join(dir, node.JournalDir)); err != nil {
		t.Fatal(err)
	}
	n = open(t, dir, "test")
	defer closeNode(t, n)
	if r, err := n.Coverage(t.Context(), time.Time{}, time.Time{}); err != nil || r.Position > 3 {
		t.Errorf("coverage is ahead of the journal: %+v, %v", r, err)
	}
	if s := take(t, n, append(records(100, 10), records(500, 10)...)); s.Stored != 20 {
		t.Errorf("%+v", s)
	}
	holds(t, dir, n, 30)
}

// TestCoverageGoesOnAfterATrouble: a database that cannot be written to for a while stops
// what is known of coverage only as long.
func TestCoverageGoesOnAfterATrouble(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, "test")
	defer closeNode(t, n)
	db, err := store.Open(t.Context(), filepath.Join(dir, node.ControlFile))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	change := func(text string) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	change(`CREATE TRIGGER trouble BEFORE UPDATE ON coverage_state BEGIN SELECT RAISE(ABORT, 'as the test wants it'); END`)
	c := config.Default()
	c.Retention.RawDays = 30
	if _, err := n.Configure(t.Context(), c); err != nil { // which is an act
		t.Fatal(err)
	}
	until := func(what string, ok func(error) bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
			_, err := n.Coverage(t.Context(), time.Time{}, time.Time{})
			if ok(err) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("it did not happen: %s: %v", what, err)
			}
		}
	}
	until("the trouble is told", func(err error) bool { return err != nil })
	change(`DROP TRIGGER trouble`)
	until("it goes on", func(err error) bool { return err == nil })
}
