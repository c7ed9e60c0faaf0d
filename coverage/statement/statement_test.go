// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package statement_test

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/store"
)

var update = flag.Bool("update", false, "write testdata/*.golden")

const origin = "example.com/log"

// log is a signing key and acts, each of which stands in an entry of its own.
type log struct {
	t    testing.TB
	key  string
	sign note.Signer
	acts []act.Act
	c    *coverage.Coverage
}

func newLog(t testing.TB) *log {
	t.Helper()
	secret, key, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	c, err := coverage.Open(t.Context(), db, coverage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &log{t: t, key: key, sign: signer, c: c}
}

func (l *log) signNote(text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, l.sign)
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func minute(m float64) time.Time { return noon.Add(time.Duration(m * float64(time.Minute))) }

// say writes acts; each is told at the given minute.
func (l *log) say(at float64, acts ...act.Act) {
	l.t.Helper()
	var list []coverage.Entry
	for i, a := range acts {
		a.Time, a.Source, a.Tenant = minute(at), "contoso", "0873ee4d"
		if a.Stream == "" && a.Kind != act.Canary {
			a.Stream = "Audit.Exchange"
		}
		acts[i] = a
		list = append(list, coverage.Entry{ID: event.ID{Batch: uint64(len(l.acts) + i + 1)}, Act: a})
	}
	l.acts = append(l.acts, acts...)
	if err := l.c.Apply(l.t.Context(), uint64(len(l.acts)+1), list); err != nil {
		l.t.Fatal(err)
	}
}

func listed(from, to, at float64, blobs ...act.Blob) act.Act {
	return act.Act{Kind: act.Listed, Cursor: "head", From: minute(from), To: minute(to), At: minute(at), Pages: 1, Blobs: len(blobs), New: blobs}
}

func blob(at float64) act.Blob {
	return act.Blob{ID: fmt.Sprintf("b%v", at), Created: minute(at), Expires: minute(at + 7*24*60)}
}

func sealed(b act.Blob, records int) act.Act {
	return act.Act{Kind: act.Sealed, Blob: &b, Records: records, Stored: records, Bytes: int64(1000 * records)}
}

// make makes the statement of [since, until) at a minute, and the report that it is of.
func (l *log) make(since, until, made float64) (*statement.Statement, *coverage.Report) {
	l.t.Helper()
	q := statement.Query(minute(since), minute(until), minute(made), []coverage.Stream{
		{Tenant: "0873ee4d", Source: "contoso", Stream: "Audit.Exchange", Collected: true},
		{Tenant: "0873ee4d", Source: "contoso", Stream: "DLP.All"},
	})
	r, err := l.c.Report(l.t.Context(), q)
	if err != nil {
		l.t.Fatal(err)
	}
	log := statement.Log{Origin: origin, Entries: r.Position, Checkpoint: fmt.Sprintf("%s\n%d\nroot\n\n", origin, r.Position)}
	return statement.Of(r, q, "", log), r
}

func (l *log) seal(s *statement.Statement) []byte {
	l.t.Helper()
	doc, _, err := statement.Seal(statement.CoverageTitle, s.Log, s, l.signNote)
	if err != nil {
		l.t.Fatal(err)
	}
	return doc
}

// replay are the first n acts as they come out of the log.
func (l *log) replay(n int, entries uint64) *statement.Acts {
	a := &statement.Acts{Entries: entries}
	for range 2 { // a verification that a writer overtook begins again
		for i := range l.acts[:n] {
			a.Take(event.ID{Batch: uint64(i + 1)}, l.acts[i].Append(nil))
		}
	}
	return a
}

// canary is an act about a canary that was planted at a minute.
func canary(reason, channel, id string, planted, seconds float64) act.Act {
	return act.Act{Kind: act.Canary, Code: "sign-in", Reason: reason, Stream: channel, Cursor: id, At: minute(planted), Seconds: seconds}
}

// plain is a log of half an hour with every state in it, and canaries of every fate.
func plain(t testing.TB) *log {
	l := newLog(t)
	awaited := func(id string, at float64) act.Act {
		a := canary(act.Planted, "", id, at, 0)
		a.After = `{"channels":["<hub>","Audit.Exchange"]}`
		return a
	}
	l.say(3, awaited("a", 2), awaited("b", 3), canary(act.Arrived, "Audit.Exchange", "a", 2, 45.5))
	l.say(7, listed(0, 7, 7, blob(1)))
	l.say(8, sealed(blob(1), 12))
	l.say(13, listed(0, 12, 13, blob(11)))
	l.say(13, act.Act{Kind: act.Gap, From: minute(2), To: minute(3), At: minute(13), Permanent: true, Reason: act.AuditThrottled, Subject: "<ann@contoso.example>", Message: `The mailbox <ann@contoso.example> & "others" were throttled.`})
	l.say(20, listed(14, 17, 20))
	l.say(20, canary(act.Missing, "Audit.Exchange", "b", 3, 1000), canary(act.Missing, "<hub>", "a", 2, 1000), canary(act.Arrived, "<hub>", "a", 2, 1100))
	b := blob(16)
	l.say(21, act.Act{Kind: act.Gap, Blob: &b, Reason: act.Expired, Permanent: true, Message: "It is gone."})
	return l
}

func TestStates(t *testing.T) {
	l := plain(t)
	s, _ := l.make(0, 40, 30)
	var got []string
	for _, r := range s.Streams[0].Runs {
		got = append(got, r.From.Format("15:04")+" "+r.Word())
	}
	want := "12:00 blind (audit throttled: <ann@contoso.example>), 12:05 complete, 12:10 late (blobs not fetched), 12:15 gap (expired), 12:20 late (not listed), 12:25 unknown (not due)"
	if joined := strings.Join(got, ", "); joined != want {
		t.Errorf("got  %s\nwant %s", joined, want)
	}
	if tail := s.Streams[0].Tail; !tail.From.Equal(minute(10)) || !tail.To.Equal(minute(30)) || tail.Seconds != 1200 {
		t.Errorf("the tail is %+v", tail)
	}
	if s.Streams[1].Stream != "DLP.All" || s.Totals.States.NotCollected != 6 || s.Totals.States.Blind != 1 {
		t.Errorf("of all: %+v", s.Totals.States)
	}
}

func TestDocumentIsWhatWasSigned(t *testing.T) {
	l := plain(t)
	s, _ := l.make(0, 40, 30)
	doc := l.seal(s)
	_, back, err := statement.OpenCoverage(doc, []string{l.key})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(s, back); d != "" {
		t.Error(d)
	}
	if _, _, err := statement.OpenCoverage(doc, []string{newLog(t).key}); err == nil {
		t.Error("another log's key does")
	}
	if _, err := statement.Open(doc, []string{l.key}, statement.ScorecardTitle, back); err == nil {
		t.Error("it is taken for a scorecard")
	}
}

// TestEveryByteCounts changes, removes and doubles each byte.
func TestEveryByteCounts(t *testing.T) {
	l := plain(t)
	s, _ := l.make(0, 15, 13)
	doc := l.seal(s)
	r := mrand.New(mrand.NewPCG(1, 2))
	refused := func(doc []byte, what string, at int) {
		t.Helper()
		if h, _, err := statement.OpenCoverage(doc, []string{l.key}); err == nil {
			t.Errorf("byte %d %s: the document still holds, with %+v", at, what, h)
		}
	}
	stride := 1
	if testing.Short() {
		stride = 23
	}
	for at := r.IntN(stride); at < len(doc); at += stride {
		changed := bytes.Clone(doc)
		changed[at] ^= 1 << r.IntN(8)
		refused(changed, "changed", at)
		changed[at] = doc[at] ^ 0x20 // the other case of a letter
		refused(changed, "in another case", at)
		refused(append(bytes.Clone(doc[:at]), doc[at+1:]...), "removed", at)
		refused(append(append(bytes.Clone(doc[:at]), ' '), doc[at:]...), "with a space before it", at)
	}
	refused(append(bytes.Clone(doc), '\n'), "with a line end more", len(doc))
	refused(bytes.Replace(doc, []byte(`"tail":`), []byte(`"more":1,"tail":`), 1), "with a member more", 0)
}

// TestStrangersSignature: a second signature would be bytes that nobody vouches for.
func TestStrangersSignature(t *testing.T) {
	l, other := plain(t), newLog(t)
	s, _ := l.make(0, 15, 13)
	doc, _, err := statement.Seal(statement.CoverageTitle, s.Log, s, func(text string) ([]byte, error) {
		return note.Sign(&note.Note{Text: text}, l.sign, other.sign)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := statement.OpenCoverage(doc, []string{l.key}); err == nil || !strings.Contains(err.Error(), "more signatures") {
		t.Errorf("error %v", err)
	}
}

func TestCheckLog(t *testing.T) {
	l := plain(t)
	for what, change := range map[string]func(*statement.Log){
		"another log":           func(g *statement.Log) { g.Origin = "example.com/other" },
		"fewer entries":         func(g *statement.Log) { g.Entries-- },
		"a smaller checkpoint":  func(g *statement.Log) { g.Checkpoint = origin + "\n2\nroot\n\n" },
		"no checkpoint":         func(g *statement.Log) { g.Checkpoint = "" },
		"another's checkpoint":  func(g *statement.Log) { g.Checkpoint = "x" + g.Checkpoint },
		"a checkpoint of words": func(g *statement.Log) { g.Checkpoint = origin + "\nten\nroot\n\n" },
	} {
		s, _ := l.make(0, 15, 13)
		h := statement.Head{Title: statement.CoverageTitle, Origin: s.Log.Origin, Entries: s.Log.Entries}
		if err := statement.CheckLog(h, s.Log); err != nil {
			t.Fatal(err)
		}
		change(&s.Log)
		if statement.CheckLog(h, s.Log) == nil {
			t.Errorf("%s goes unseen", what)
		}
	}
}

// TestLiesAreFound: what a statement says beyond the acts is named.
func TestLiesAreFound(t *testing.T) {
	l := plain(t)
	l.say(31, listed(0, 29, 31)) // later acts are not a part of it
	s, _ := l.make(0, 40, 30)
	for _, c := range []struct {
		what string
		lie  func(*statement.Statement)
		want string
	}{
		{"a state", func(s *statement.Statement) { s.Streams[0].Runs[0].State, s.Streams[0].Runs[0].Reason = "complete", "" }, "says that 2026-11-21 12:00Z – 2026-11-21 12:05Z is complete, the acts say that 2026-11-21 12:00Z – 2026-11-21 12:05Z is blind (audit throttled: <ann@contoso.example>)"},
		{"a subject", func(s *statement.Statement) { s.Streams[0].Runs[0].Subject = "ben" }, "is blind (audit throttled: ben), the acts say"},
		{"evidence", func(s *statement.Statement) { s.Streams[0].Runs[1].Evidence.Listing = "e999.0" }, "blobs, records and evidence is not what"},
		{"a count", func(s *statement.Statement) { s.Streams[0].Runs[0].Records++ }, "blobs, records and evidence is not what"},
		{"a gap left out", func(s *statement.Statement) { s.Streams[0].Gaps = s.Streams[0].Gaps[:1] }, "stream Audit.Exchange of 0873ee4d is not what"},
		{"a stream left out", func(s *statement.Statement) { s.Streams, s.Expected = s.Streams[1:], s.Expected[1:] }, "the log has acts of stream Audit.Exchange"},
		{"a stream invented", func(s *statement.Statement) {
			s.Streams = append(s.Streams, statement.Stream{Tenant: "z", Stream: "z"})
		}, "the log has no act of it"},
		{"a canary that is not missing", func(s *statement.Statement) { s.Canaries[1].Missing, s.Canaries[1].Awaited = 0, 1 }, "the statement as a whole is not what"},
		{"a caution left out", func(s *statement.Statement) { s.Streams[0].Caution = "" }, "stream Audit.Exchange of 0873ee4d is not what"},
		{"totals", func(s *statement.Statement) { s.Totals.States.Complete++ }, "the statement as a whole is not what"},
		{"a time", func(s *statement.Statement) { s.Made = minute(60) }, "12:25"},
	} {
		lied := *s
		lied.Streams, lied.Canaries = append([]statement.Stream{}, s.Streams...), append([]statement.Canary{}, s.Canaries...)
		for i := range lied.Streams {
			lied.Streams[i].Runs = append([]statement.Run{}, s.Streams[i].Runs...)
		}
		c.lie(&lied)
		again, err := statement.Rederive(t.Context(), &lied, l.replay(len(l.acts), lied.Log.Entries))
		if err != nil {
			t.Fatal(err)
		}
		if err := statement.Compare(&lied, again); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.what, err, c.want)
		}
	}
}

// TestCanaries: a statement says what became of them, and beside a stream that one is missing from; its intervals stay what
// they are.
func TestCanaries(t *testing.T) {
	s, _ := plain(t).make(0, 40, 30)
	want := []statement.Canary{
		{
			Tenant: "0873ee4d", Source: "contoso", Kind: "sign-in", Channel: "<hub>", Planted: 2, Arrived: 1, Late: 1, Awaited: 1,
			P50: 1_100_000, P95: 1_100_000, Longest: 1_100_000, Lost: []statement.Lost{},
		},
		{
			Tenant: "0873ee4d", Source: "contoso", Kind: "sign-in", Channel: "Audit.Exchange", Stream: "Audit.Exchange", Planted: 2, Arrived: 1, Missing: 1,
			P50: 45_500, P95: 45_500, Longest: 45_500, Lost: []statement.Lost{{Planted: minute(3), Act: "e9.0"}},
		},
	}
	if d := cmp.Diff(want, s.Canaries); d != "" {
		t.Error(d)
	}
	const caution = "1 of 2 harmless acts (sign-in) that were done in this time has left no record in Audit.Exchange, the last at 2026-11-21 12:03:00Z: what was offered is in the log, but not all that happened was offered."
	if s.Streams[0].Caution != caution || s.Streams[1].Caution != "" {
		t.Errorf("the caution is %q, and of the other stream %q", s.Streams[0].Caution, s.Streams[1].Caution)
	}
	for stream, of := range map[string]string{
		"contoso/insights-logs-audit.exchange": "Audit.Exchange", "insights-logs-AUDIT.exchange": "Audit.Exchange", "contoso/audit": "", "Audit.Exchange/x": "",
	} {
		l := newLog(t)
		l.say(1, act.Act{Kind: act.Started, Stream: stream}, canary(act.Missing, "Audit.Exchange", "b", 0, 60))
		s, _ := l.make(0, 40, 30)
		if s.Canaries[0].Missing != 1 || (s.Canaries[0].Stream == stream) != (of != "") {
			t.Errorf("%s: %+v", stream, s.Canaries[0])
		}
	}
}

// TestCanariesOfHub: a hub has the categories that acts say it has, whatever its name; a canary that is missing from one is said
// beside it, and all of it follows from the acts.
func TestCanariesOfHub(t *testing.T) {
	const hub = "contoso/entra"
	l := newLog(t)
	in := func(a act.Act, channel string) act.Act {
		a.After = fmt.Sprintf(`{"channels":[%q],"streams":{%[1]q:%q}}`, channel, hub)
		return a
	}
	l.say(1, act.Act{Kind: act.Started, Stream: hub}, act.Act{Kind: act.Started, Stream: "contoso/insights-logs-auditlogs"})
	l.say(2, in(canary(act.Planted, "", "a", 1, 0), "SignIns"), in(canary(act.Planted, "", "b", 1, 0), "AuditLogs"), in(canary(act.Missing, "AuditLogs", "b", 1, 60), "AuditLogs"))
	s, _ := l.make(0, 40, 30)
	for _, c := range s.Canaries {
		if c.Stream != hub || c.Planted != 1 {
			t.Errorf("%s is of %q: %+v", c.Channel, c.Stream, c)
		}
	}
	for _, f := range s.Streams {
		if (f.Caution != "") != (f.Stream == hub) {
			t.Errorf("the caution of %s is %q", f.Stream, f.Caution)
		}
	}
	again, err := statement.Rederive(t.Context(), s, l.replay(len(l.acts), s.Log.Entries))
	if err == nil {
		err = statement.Compare(s, again)
	}
	if err != nil || len(s.Canaries) != 2 {
		t.Errorf("%d channels, %v", len(s.Canaries), err)
	}
}

// TestFirstVersion: the statement of plain's log that the last version made which passed canaries over still holds, and
// follows from the acts. What is said under one title is not taken under the other.
func TestFirstVersion(t *testing.T) {
	l := plain(t)
	var old [2][]byte
	for i, name := range []string{"testdata/v1.json", "testdata/v1.pub"} {
		var err error
		if old[i], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	_, s, err := statement.OpenCoverage(old[0], []string{string(old[1])})
	if err != nil {
		t.Fatal(err)
	}
	again, err := statement.Rederive(t.Context(), s, l.replay(len(l.acts), s.Log.Entries))
	if err != nil {
		t.Fatal(err)
	}
	if err := statement.Compare(s, again); err != nil {
		t.Error(err)
	}
	for title, body := range map[statement.Title]*statement.Statement{statement.CoverageTitle: s, "Daybreak coverage statement v1": nil} {
		if body == nil {
			body, _ = l.make(0, 40, 30)
		}
		doc, _, err := statement.Seal(title, body.Log, body, l.signNote)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := statement.OpenCoverage(doc, []string{l.key}); err == nil || !strings.Contains(err.Error(), "not of the version that its title names") {
			t.Errorf("%s: error %v", title, err)
		}
	}
}

func TestGoneActs(t *testing.T) {
	l := plain(t)
	s, _ := l.make(0, 40, 30)
	acts := l.replay(len(l.acts), s.Log.Entries)
	acts.Take(event.ID{Batch: uint64(len(l.acts)), Index: 1}, nil)
	if _, err := statement.Rederive(t.Context(), s, acts); err == nil || !strings.Contains(err.Error(), "deleted by the journal's retention") {
		t.Errorf("error %v", err)
	}
}

// TestNeverMoreThanTheReport: whatever the collector did and whenever it is asked, a
// statement calls complete what the report does and nothing else, and follows
// from the acts.
func TestNeverMoreThanTheReport(t *testing.T) {
	complete, worlds := 0, 12
	if testing.Short() {
		worlds = 3
	}
	for seed := range uint64(worlds) {
		r := mrand.New(mrand.NewPCG(seed, 7))
		l := newLog(t)
		var open []act.Blob
		for now := 0.0; now < 60; now += r.Float64() * 3 {
			switch r.IntN(8) {
			case 0, 1, 2, 3:
				from := max(0, now-r.Float64()*20)
				var fresh []act.Blob
				if r.IntN(2) == 0 {
					fresh = append(fresh, blob(from+r.Float64()*(now-from)))
				}
				l.say(now, listed(from, now, now, fresh...))
				open = append(open, fresh...)
			case 4:
				b := blob(now)
				l.say(now, act.Act{Kind: act.Gap, Blob: &b, Reason: act.Missing})
			case 5:
				l.say(now, act.Act{Kind: act.Gap, From: minute(now - 1), To: minute(now), At: minute(now), Reason: act.Capped, Permanent: true})
			default:
				for _, b := range open {
					l.say(now, sealed(b, 1+r.IntN(5)))
				}
				open = nil
			}
		}
		n := len(l.acts)
		s, report := l.make(r.Float64()*10, 60, 60+r.Float64()*5)
		said := map[time.Time]bool{}
		for _, p := range report.Spans {
			for at := p.From; p.State == coverage.Complete && at.Before(p.To); at = at.Add(coverage.Interval) {
				said[at] = true
			}
		}
		for _, run := range s.Streams[0].Runs {
			for at := run.From; run.State == "complete" && at.Before(run.To); at = at.Add(coverage.Interval) {
				if complete++; !said[at] {
					t.Errorf("seed %d: %v is complete in the statement and not in the report", seed, at)
				}
			}
		}
		l.say(70, listed(0, 65, 70)) // what comes later changes nothing
		again, err := statement.Rederive(t.Context(), s, l.replay(n, s.Log.Entries))
		if err != nil {
			t.Fatal(err)
		}
		if err := statement.Compare(s, again); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
	if complete < 2*worlds {
		t.Errorf("only %d intervals were complete: the test has seen nothing", complete)
	}
}

func TestHTML(t *testing.T) {
	l := plain(t)
	s, _ := l.make(0, 40, 30)
	h := statement.Head{Title: statement.CoverageTitle, Origin: origin, Entries: s.Log.Entries}
	var page bytes.Buffer
	if err := statement.HTML(&page, &h, s); err != nil {
		t.Fatal(err)
	}
	const name = "testdata/page.golden"
	if *update {
		if err := os.WriteFile(name, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), page.String()); d != "" {
		t.Errorf("go test -update writes it anew: %s", d)
	}
	for _, bad := range []string{"<script", "http:", "https:", "<ann@", "src="} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}
