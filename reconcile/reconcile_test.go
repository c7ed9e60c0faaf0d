// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/store"
)

const tenant = "0873ee4d-0000-4000-8000-000000000001"

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// bed is a journal, and what holds its channels against each other. Coverage is what the test says.
type bed struct {
	testing.TB
	j          *journal.Journal
	db         *store.DB
	r          *reconcile.Reconciler
	now        time.Time
	collected  map[string]bool // streams
	holes      map[string]bool // streams that are not complete
	ahead      uint64          // how much further coverage has read
	maxUses    int
	maxEntries int
	maxRecords int
	next       uint64
	// Streams are complete from here on, and read.
	complete, read time.Time
}

func newBed(t testing.TB) *bed {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	b := &bed{TB: t, j: j, now: noon.Add(72 * time.Hour), holes: map[string]bool{}, collected: map[string]bool{
		"Audit.AzureActiveDirectory": true, "Audit.Exchange": true, "DLP.All": true,
		"signIns": true, "signIns.nonInteractiveUser": true, "signIns.servicePrincipal": true, "directoryAudits": true,
	}}
	b.open()
	return b
}

// open begins with empty tables.
func (b *bed) open() {
	b.Helper()
	db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "control.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	b.db = db
	b.reopen()
}

// reopen begins anew with the tables as they are.
func (b *bed) reopen() {
	b.Helper()
	var err error
	b.r, err = reconcile.Open(b.Context(), b.db, b.j, reconcile.Options{
		Source: func(_, stream string) string {
			if b.collected[stream] {
				return "contoso"
			}
			return ""
		},
		Cover: func(_ context.Context, _ string, from, to time.Time) (reconcile.Cover, error) {
			c := reconcile.Cover{Position: b.r.Position() + b.ahead, Streams: map[string]reconcile.StreamCover{}}
			for stream := range b.collected {
				s := reconcile.StreamCover{Now: b.now, Late: 2 * time.Hour}
				if !b.holes[stream] {
					s.Complete = []reconcile.Stretch{{From: later(from, b.complete), To: to}}
					s.Read = []reconcile.Stretch{{From: later(from, b.read), To: to}}
				}
				c.Streams[stream] = s
			}
			return c, nil
		},
		Microsoft: func(app string) bool { return app == "microsoft" },
		MaxUses:   b.maxUses, MaxEntries: b.maxEntries, MaxRecords: b.maxRecords,
	})
	if err != nil {
		b.Fatal(err)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// record is one of the journal.
type record struct {
	family event.Family
	stream string
	at     time.Time
	raw    string
}

// take appends records and lets all be judged.
func (b *bed) take(list ...record) {
	b.Helper()
	b.append(list...)
	b.drain()
}

func (b *bed) append(list ...record) {
	b.Helper()
	for _, r := range list {
		b.next++
		_, err := b.j.Append(b.Context(), event.Origin{Tenant: tenant, Family: r.family, Stream: r.stream, Name: "contoso", Run: fmt.Sprint(b.next)},
			[]event.Record{{Raw: []byte(r.raw), ID: fmt.Appendf(nil, "r%d", b.next), Time: r.at.UnixNano(), Received: b.now.UnixNano()}}, nil)
		if err != nil {
			b.Fatal(err)
		}
	}
	if err := b.j.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func (b *bed) drain() {
	b.Helper()
	if err := b.r.Drain(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// each calls do with the acts of the journal, and the records of its findings.
func (b *bed) each(do func(stream string, raw []byte)) {
	b.Helper()
	for f := b.j.Follow(0); f.Position() < b.j.End(); {
		batch, err := f.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for i := range batch.Records {
			if o := batch.Envelope(i); o.Family == act.Family {
				do(o.Stream, batch.Raw(i))
			}
		}
	}
}

// said are the acts of the journal, as "gap signIns unmatched ann 12:00–13:00".
func (b *bed) said() (list []string) {
	b.Helper()
	b.each(func(stream string, raw []byte) {
		switch stream {
		case act.Stream:
			a, err := act.Parse(raw)
			if err != nil {
				b.Fatal(err)
			}
			list = append(list, fmt.Sprintf("%s %s %s %s %s–%s", a.Kind, a.Stream, a.Reason, a.Subject, clock(a.From), clock(a.To)))
		case act.Findings:
			o, err := act.ParseOrphan(raw)
			if err != nil {
				b.Fatal(err)
			}
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s%s %s %s", o.Kind, o.Stream, o.User, o.App, clock(o.Time), o.Channel)))
		}
	})
	return list
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "on"
	}
	if t.Sub(noon) < -12*time.Hour || t.Sub(noon) >= 12*time.Hour {
		return t.Format("01-02 15:04")
	}
	return t.Format("15:04")
}

func (b *bed) want(want ...string) {
	b.Helper()
	got := b.said()
	slices.Sort(got)
	slices.Sort(want)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		b.Errorf("said\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func guid(n int) string { return fmt.Sprintf("5b1a0ea0-0000-4a11-8b22-%012d", n) }

func token(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("%016d", n)))
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05") }

// signIn is a sign-in in Graph's log that gives out a session and a token.
func signIn(who string, session, tok int, at time.Time) record {
	return record{"entra-signin", "signIns", at, fmt.Sprintf(
		`{"id":"%s","createdDateTime":"%sZ","userId":"u","userPrincipalName":"%s","sessionId":"%s","uniqueTokenIdentifier":"%s","status":{"errorCode":0},"clientAppUsed":"Browser"}`,
		guid(900_000+tok), stamp(at), who, guid(session), token(tok))}
}

// logon is the same in the unified audit log.
func logon(who string, session, tok int, at time.Time) record {
	return record{"m365", "Audit.AzureActiveDirectory", at, fmt.Sprintf(
		`{"Id":"%s","RecordType":15,"CreationTime":"%s","Operation":"UserLoggedIn","UserId":"%s","DeviceProperties":[{"Name":"SessionId","Value":"%s"}]}`,
		guid(900_000+tok), stamp(at), who, guid(session))}
}

// read is mail that is read with a session and a token.
func read(who string, session, tok int, issued, at time.Time) record {
	return record{"m365", "Audit.Exchange", at, fmt.Sprintf(
		`{"Id":"x","RecordType":2,"CreationTime":"%s","Operation":"MailRead","UserId":"%s","ClientIP":"192.0.2.7","AppAccessContext":{"AADSessionId":"%s","UniqueTokenId":"%s","ClientAppId":"outlook","IssuedAtTime":"%s"}}`,
		stamp(at), who, guid(session), token(tok), stamp(issued))}
}

func after(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

// F17: a session in use that no sign-in has given out is told of, once, and filled when the sign-in comes after all.
func TestF17Orphan(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.take(
		signIn("ann", 1, 1, after(0)), read("ann", 1, 1, after(0), after(5)), read("ann", 1, 2, after(60), after(70)), // another token of the session
		read("ben", 2, 3, after(10), after(20)), read("ben", 2, 4, after(80), after(90)),
		logon("cem", 3, 5, after(0)), read("cem", 3, 6, after(0), after(1)),
	)
	orphan := []string{"gap signIns unmatched UserLoggedIn 12:00–13:00", // cem's, which only the unified audit log has
		"gap signIns unmatched ben 12:10–14:00", "orphan signIns ben" + "outlook 12:20"}
	b.want(orphan...)
	b.drain()
	b.reopen()
	b.drain()
	b.want(orphan...)
	b.take(signIn("ben", 2, 3, after(10)))
	orphan = append(orphan, "filled signIns unmatched ben 12:10–14:00", "orphan-arrived signIns benoutlook 03-06 12:00 signIns")
	b.want(orphan...)
	b.open() // the tables are lost: nothing is told twice
	b.drain()
	b.want(orphan...)
}

// Nothing is said where the sign-in log is not collected, not complete or may still be late, of Microsoft's own
// applications, and of a sign-in that failed nothing is given out.
func TestOrphansThatCannotBeCalled(t *testing.T) {
	t.Parallel()
	use := read("ben", 2, 3, after(10), after(20))
	for name, change := range map[string]func(b *bed){
		"not collected": func(b *bed) { b.collected["signIns.nonInteractiveUser"] = false },
		"not complete":  func(b *bed) { b.holes["signIns"] = true },
		"not read":      func(b *bed) { b.ahead = 2 },
		"too young":     func(b *bed) { b.now = after(45) },
	} {
		b := newBed(t)
		change(b)
		b.take(use)
		if list := b.said(); len(list) > 0 {
			t.Errorf("%s: %s", name, list)
		}
		if name == "not collected" {
			continue
		}
		b.holes, b.now = map[string]bool{}, noon.Add(72*time.Hour)
		b.take(logon("eva", 50, 50, after(30)))
		b.take(logon("eva", 51, 51, after(31))) // coverage stays ahead, but has spoken of the use by now
		if list := b.said(); len(list) != 2 {
			t.Errorf("%s, and then not any more: %s", name, list)
		}
	}
	b := newBed(t)
	app := func(id string, tok int) record {
		return record{"m365", "Audit.Exchange", after(20), fmt.Sprintf(
			`{"Id":"x","RecordType":50,"UserType":5,"CreationTime":"%s","UserId":"ann","AppAccessContext":{"UniqueTokenId":"%s","ClientAppId":"%s"}}`, stamp(after(20)), token(tok), id)}
	}
	failed := signIn("dan", 7, 7, after(0))
	failed.raw = strings.Replace(failed.raw, `"errorCode":0`, `"errorCode":50126`, 1)
	b.take(app("microsoft", 8), app("reader", 9), failed, read("dan", 7, 7, after(0), after(1)))
	b.want("gap signIns.servicePrincipal unmatched reader 12:20–13:00", "orphan signIns.servicePrincipal reader 12:20",
		"gap signIns unmatched dan 12:00–13:00", "orphan signIns danoutlook 12:01")
}

// What is collected of days past comes in any order: the sign-in may have been read long before its use, and what is new before both.
func TestBackfillInAnyOrder(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	const day = 24 * 60
	b.take(signIn("ann", 1, 1, after(0)), signIn("ann", 2, 2, after(-5*day)))
	b.drain()
	b.take(
		read("ann", 2, 2, after(-5*day), after(-5*day+5)),
		read("ben", 3, 3, after(-5*day), after(-5*day+5)),   // of whose sign-in nothing is known
		read("cem", 4, 4, after(-10*day), after(-10*day+5)), // as of any so long ago
	)
	b.want("gap signIns unmatched ben 02-26 12:00–02-26 13:00", "orphan signIns benoutlook 02-26 12:05")
}

// An identifier is one in each of the forms that logs write it in.
func TestTokensInEveryForm(t *testing.T) {
	t.Parallel()
	raw := [16]byte{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 9, 10, 11, 12, 13, 14, 15, 16}
	b64 := base64.RawURLEncoding.EncodeToString(raw[:])
	const plain, swapped = "01020304-0506-0708-090a-0b0c0d0e0f10", "04030201-0605-0807-090a-0b0c0d0e0f10"
	for _, issued := range []string{b64, plain, swapped} {
		for _, used := range []string{b64, plain} {
			b := newBed(t)
			give, use := signIn("ann", 1, 1, after(0)), read("ann", 2, 2, after(0), after(1))
			give.raw = strings.Replace(give.raw, token(1), issued, 1)
			use.raw = strings.Replace(use.raw, token(2), used, 1)
			b.take(give, use)
			if list := b.said(); len(list) > 0 {
				t.Errorf("%s is not the same as %s: %s", issued, used, list)
			}
		}
	}
}

func mailRead(mailbox string, throttled bool, at time.Time) record {
	return record{"m365", "Audit.Exchange", at, fmt.Sprintf(
		`{"Id":"x","RecordType":50,"CreationTime":"%s","Operation":"MailItemsAccessed","MailboxOwnerUPN":"%s","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"%s"}]}`,
		stamp(at), mailbox, map[bool]string{true: "True", false: "False"}[throttled])}
}

func bypass(who string, on bool, at time.Time) record {
	return record{"m365", "Audit.Exchange", at, fmt.Sprintf(
		`{"Id":"x","RecordType":1,"CreationTime":"%s","Operation":"Set-MailboxAuditBypassAssociation","ResultStatus":"True","Parameters":[{"Name":"Identity","Value":"%s"},{"Name":"AuditBypassEnabled","Value":"%v"}]}`,
		stamp(at), who, map[bool]string{true: "True", false: "False"}[on])}
}

// F17: what records say themselves is a blind interval, with whom it is about, and ends as the vendor says, or sooner.
func TestF17BlindByItsOwnWord(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.take(mailRead("Ann@contoso.example", false, after(-5)), mailRead("ann@contoso.example", true, after(0)))
	b.want("gap Audit.Exchange audit throttled ann@contoso.example 12:00–03-04 12:00")
	b.take(mailRead("ann@contoso.example", true, after(60)), mailRead("ann@contoso.example", false, after(120)), mailRead("ben@contoso.example", false, after(130)))
	b.want("gap Audit.Exchange audit throttled ann@contoso.example 12:00–03-04 12:00",
		"gap Audit.Exchange audit throttled ann@contoso.example 13:00–14:00",
		"filled Audit.Exchange audit throttled ann@contoso.example 14:00–03-04 12:00",
	)

	b = newBed(t)
	b.take(bypass("cem", true, after(0)), bypass("dan", true, after(1)))
	b.take(bypass("cem", false, after(30)))
	b.take(record{"m365", "DLP.All", after(3), `{"Id":"x","RecordType":13,"CreationTime":"2026-03-03T12:03:00","PolicyDetails":[{"Rules":[{"RuleName":"Cards","ConditionsMatched":{"SensitiveInformation":[{"SensitiveInformationDetections":{"DetectedValues":[],"ResultsTruncated":true}}]}}]}]}`})
	want := []string{
		"gap Audit.Exchange audit bypassed cem 12:00–on", "gap Audit.Exchange audit bypassed dan 12:01–on",
		"gap Audit.Exchange audit bypassed cem 12:00–12:30", "gap DLP.All truncated Cards 12:03–12:03",
	}
	b.want(want...)
	b.open()
	b.drain()
	b.want(want...)
}

func directory(c string, n int, at time.Time) record {
	if c == "graph" {
		return record{"entra-audit", "directoryAudits", at, fmt.Sprintf(
			`{"id":"Directory_%d","activityDateTime":"%sZ","activityDisplayName":"Add member to group","loggedByService":"Core Directory","correlationId":"%s","targetResources":[{"id":"%s"}]}`, n, stamp(at), guid(n), guid(n))}
	}
	return record{"m365", "Audit.AzureActiveDirectory", at, fmt.Sprintf(
		`{"Id":"%s","RecordType":8,"CreationTime":"%s","Operation":"Add member to group.","InterSystemsId":"%s","Target":[{"ID":"User_%s","Type":2}]}`, guid(n+500), stamp(at), guid(n), guid(n))}
}

// F17, F16: acts that one channel shows and the other does not are counted by act, for each hour; what comes late is taken back.
func TestF17Counts(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var list []record
	for n := range 40 {
		at := after(3 * n) // two hours
		if list = append(list, directory("unified", n, at)); n != 7 && n != 30 {
			list = append(list, directory("graph", n, at))
		}
	}
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	b.now = after(60 + 10) // too early
	b.take(list...)
	b.want()
	b.now = noon.Add(72 * time.Hour)
	b.drain()
	said := []string{"gap directoryAudits unmatched Add member to group 12:00–13:00", "gap directoryAudits unmatched Add member to group 13:00–14:00"}
	b.want(said...)
	r, err := b.r.Report(t.Context(), after(0), after(60))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Hours) != 1 || r.Hours[0].Channels[reconcile.Unified].Acts != 20 || r.Hours[0].Channels[reconcile.Graph] != (reconcile.Shown{Channel: "Microsoft Graph", Acts: 19, Lacking: 1, Verdict: reconcile.Blind}) {
		t.Errorf("report %+v", r.Hours)
	}
	b.take(directory("graph", 7, after(21)))
	said = append(said, "filled directoryAudits unmatched Add member to group 12:00–13:00")
	b.want(said...)
	b.open()
	b.drain()
	b.want(said...)

	// Five days later the acts are forgotten, and what was said of them is not.
	b.now = noon.Add(9 * 24 * time.Hour)
	week := after(6 * 24 * 60)
	b.take(directory("unified", 90, week), directory("graph", 90, week))
	b.want(said...)
	if r, err = b.r.Report(t.Context(), after(0), after(120)); err != nil || len(r.Hours) != 2 {
		t.Fatal(r, err)
	}
	for i, want := range []reconcile.Verdict{reconcile.CannotSay, reconcile.Blind} {
		of := r.Hours[i].Channels
		if of[reconcile.Unified].Verdict != reconcile.CannotSay || of[reconcile.Graph].Verdict != want || of[reconcile.Graph].Acts != 20-int64(i) {
			t.Errorf("of %v is said: %+v", r.Hours[i].Hour, of)
		}
	}
}

// A token that no sign-in has given out is no orphan if its session was given out before, and so nothing is said while back-fill has still
// to read what was before. What is lost for good is not waited for.
func TestSessionThatBackfillBrings(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"read": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.complete, b.read = noon.Add(-time.Hour), noon.Add(-time.Hour)
			b.take(read("ann", 1, 1, after(10), after(20)))
			b.want()
			b.read = time.Time{}
			if lost {
				b.drain()
				b.want("gap signIns unmatched ann 12:10–13:00", "orphan signIns annoutlook 12:20")
				return
			}
			b.complete = time.Time{}
			b.take(signIn("ann", 1, 2, after(-5*60)))
			b.want()
			if r, err := b.r.Report(t.Context(), noon, after(60)); err != nil || r.Waiting > 0 {
				t.Errorf("%+v, %v: the sign-in of the session is there", r, err)
			}
		})
	}
}

// Of an hour of which acts are being forgotten nothing is said: one channel may come when what the other had shown is gone.
func TestHourThatIsForgotten(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.holes["directoryAudits"] = true
	b.take(directory("unified", 1, after(0)), directory("graph", 2, after(1)), directory("unified", 2, after(1)))
	b.want()
	b.now = noon.Add(5 * 24 * time.Hour)
	b.take(logon("ann", 1, 1, after(4*24*60+30))) // time goes on
	b.holes = map[string]bool{}
	b.take(directory("graph", 1, after(0)))
	b.want()
}

// Of a tenant of which one channel is collected nothing is kept that could only be held against another.
func TestNothingIsKeptForNobody(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for stream := range b.collected {
		b.collected[stream] = stream == "Audit.Exchange"
	}
	list := []record{
		diagnosticSignIn("ann", 1, 1, after(0)), logon("ann", 1, 1, after(0)), signIn("ann", 1, 1, after(0)), read("ben", 2, 3, after(10), after(20)), mailRead("dan", true, after(3)),
	}
	rows := func() (n int) {
		b.append(list...)
		if err := b.r.Read(t.Context()); err != nil { // what a round would delete is not even written
			t.Fatal(err)
		}
		err := b.db.Read().QueryRow(`SELECT (SELECT COUNT(*) FROM reconcile_page) + (SELECT COUNT(*) FROM reconcile_use) + (SELECT COUNT(*) FROM reconcile_cell)`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := rows(); n > 0 {
		t.Errorf("%d rows for channels that nobody collects", n)
	}
	b.want() // and what a record says itself is said all the same
	b.drain()
	b.want("gap Audit.Exchange audit throttled dan 12:03–03-04 12:03")
	for stream := range b.collected {
		b.collected[stream] = true
	}
	if n := rows(); n == 0 {
		t.Error("no rows either for channels that are collected: this proves nothing")
	}
}

// A channel that is no part of it, or not collected, lacks nothing; and the unified audit log owes no sign-ins.
func TestDifferencesThatAreExplained(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for n := range 5 {
		b.take(directory("unified", n, after(n)), signIn("ann", 1, n, after(n)))
	}
	b.want()
	b.take(logon("ben", 4, 70, after(1))) // but what the unified audit log has, Graph has
	b.want("gap signIns unmatched UserLoggedIn 12:00–13:00")
}

// TestAnyOrder: the same records give the same findings in whatever order they come.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	list := []record{
		signIn("ann", 1, 1, after(0)), read("ann", 1, 1, after(0), after(5)), read("ben", 2, 3, after(10), after(20)), read("ben", 2, 4, after(80), after(90)),
		read("ben", 2, 4, after(80), after(95)), logon("ann", 1, 1, after(0)), bypass("cem", true, after(0)), bypass("cem", false, after(30)), bypass("cem", true, after(50)),
		directory("unified", 1, after(1)), directory("graph", 1, after(1)), directory("unified", 2, after(2)), mailRead("dan", true, after(3)),
	}
	findings := func(list []record) string {
		b := newBed(t)
		b.take(list...)
		said := b.said()
		slices.Sort(said)
		return strings.Join(said, "\n")
	}
	want := findings(list)
	if strings.Count(want, "\n") < 5 {
		t.Fatalf("only %s: this proves nothing", want)
	}
	for range 5 {
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if got := findings(list); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

// What does not fit into the bound is forgotten, and nothing is said of it.
func TestBound(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.maxUses = 30
	b.reopen()
	b.holes["signIns"] = true
	var list []record
	for n := range 50 {
		list = append(list, read(fmt.Sprintf("p%d", n), 100+n, 200+n, after(10*n), after(10*n)))
	}
	b.take(list...)
	b.holes = map[string]bool{}
	b.drain()
	orphans := 0
	for _, s := range b.said() {
		if strings.HasPrefix(s, "orphan") {
			orphans++
		}
	}
	if orphans == 0 || orphans > 30 {
		t.Errorf("%d orphans of 50, with room for 30", orphans)
	}
	if r, err := b.r.Report(t.Context(), noon, noon); err != nil || r.Forgotten.IsZero() {
		t.Errorf("it is not said that something was forgotten: %+v, %v", r, err)
	}
}

// Garbage is passed over.
func TestGarbage(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	long := strings.Repeat("x", 10_000)
	b.take(
		record{"m365", "Audit.Exchange", noon, `{"AppAccessContext":{"AADSessionId":7,"UniqueTokenId":["` + long + `"]}}`},
		record{"m365", "Audit.Exchange", noon, `{"AppAccessContext":{"AADSessionId":"` + long + `","UniqueTokenId":"00000000-0000-0000-0000-000000000000"}}`},
		record{"m365", "Audit.Exchange", noon, `not JSON`},
		record{"m365", "Audit.Exchange", time.Time{}, `{"AppAccessContext":{"AADSessionId":"a"}}`},
		record{"entra-diagnostic", "x", noon, `{"category":"MicrosoftGraphActivityLogs","properties":{"signInActivityId":""}}`},
		record{"m365", "Audit.Exchange", noon, `{"RecordType":1,"Operation":"Set-MailboxAuditBypassAssociation","Parameters":[{"Name":"AuditBypassEnabled","Value":"True"}]}`},
	)
	b.want()
}

// TestFollowEnds: it ends with the journal.
func TestFollowEnds(t *testing.T) {
	b := newBed(t)
	done := make(chan error, 1)
	go func() { done <- b.r.Follow(t.Context()) }()
	if err := b.j.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the journal is closed, and it is followed still")
	}
}
