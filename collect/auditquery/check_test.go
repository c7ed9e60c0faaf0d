// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/budget"
	provider "github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/store"
)

const tenant = "6d3f1c80-52aa-4c0e-9b7d-1f0a4e8c2b35"

var (
	quiet = slog.New(slog.DiscardHandler)
	first = time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC) // the hour that a check begins with
)

// fact is a record of the unified audit log.
type fact struct {
	id, operation, workload string
	at                      time.Time
}

func (f *fact) raw() string {
	return fmt.Sprintf(`{"Id":%q,"Operation":%q,"Workload":%q,"UserId":"ann@contoso.example","CreationTime":%q,"RecordType":2}`,
		f.id, f.operation, f.workload, f.at.Format("2006-01-02T15:04:05"))
}

// log is an audit log in memory, of which the feed has not shown all.
type log struct {
	mu      sync.Mutex
	now     time.Time
	all     []fact
	withold map[string]bool // ids that the feed does not show
	open    map[string]bool // streams of which the feed is not complete
	streams []string        // that are collected
	limit   int64           // of a query
	refused bool
	roles   []string
	started []time.Time // windows of queries
	windows map[string]window
}

// window is what a query asks for.
type window struct {
	from, to time.Time
	workload string
}

func newLog() *log {
	l := &log{
		now: first.Add(time.Hour + 24*time.Hour + time.Minute), withold: map[string]bool{}, open: map[string]bool{}, windows: map[string]window{}, roles: []string{provider.AuditQueryRole},
		streams: []string{"Audit.Exchange", "Audit.SharePoint", "Audit.AzureActiveDirectory"},
	}
	for i := range 40 {
		at := first.Add(time.Duration(i) * 90 * time.Second)
		l.all = append(l.all,
			fact{fmt.Sprintf("00000001-0000-4000-8000-%012d", i), "MailItemsAccessed", "Exchange", at},
			fact{fmt.Sprintf("00000002-0000-4000-8000-%012d", i), "FileDownloaded", "OneDrive", at},
			fact{fmt.Sprintf("00000003-0000-4000-8000-%012d", i), "MessageSent", "MicrosoftTeams", at})
	}
	return l
}

func (l *log) Now() time.Time                  { l.mu.Lock(); defer l.mu.Unlock(); return l.now }
func (l *log) Pause() (now, all time.Duration) { return 0, 0 }

func (l *log) Roles(context.Context) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.roles), nil
}

func (l *log) StartAuditQuery(_ context.Context, _ budget.Priority, _, workload string, from, to time.Time) (*provider.AuditQuery, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refused {
		return nil, &rest.Error{API: "graph", Op: "query", Class: rest.ClassAdmin, Status: 403, Message: "as the test wants it"}
	}
	id := fmt.Sprint("q", len(l.started))
	l.started, l.windows[id] = append(l.started, from), window{from, to, workload}
	return &provider.AuditQuery{ID: id, Status: "notStarted"}, nil
}

func (l *log) of(id string) (list []fact) {
	for _, f := range l.all {
		if w := l.windows[id]; !f.at.Before(w.from) && f.at.Before(w.to) && (w.workload == "" || w.workload == f.workload) {
			list = append(list, f)
		}
	}
	return list
}

func (l *log) AuditQuery(_ context.Context, _ budget.Priority, id string) (*provider.AuditQuery, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id == auditquery.NoQuery {
		return nil, &rest.Error{API: "graph", Op: "query", Class: rest.ClassMissing, Status: 404, Message: "there is none"}
	}
	n := int64(len(l.of(id)))
	return &provider.AuditQuery{ID: id, Status: "succeeded", Limit: l.limit, Count: n, Exceeded: l.limit > 0 && n > l.limit}, nil
}

func (l *log) AuditRecords(_ context.Context, _ budget.Priority, id, _ string) (*provider.Page, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	page := &provider.Page{}
	for _, f := range l.of(id) {
		if l.limit > 0 && int64(len(page.Records)) >= l.limit {
			break
		}
		page.Records = append(page.Records, fmt.Appendf(nil, `{"id":%q,"createdDateTime":%q,"auditData":%s}`, f.id, f.at.Format(time.RFC3339), f.raw()))
	}
	return page, nil
}

// place is where a check keeps what it knows.
type place struct {
	*testing.T
	*log
	j     *journal.Journal
	db    *store.DB
	fault func(point string) error
}

func newPlace(t *testing.T, l *log) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{T: t, log: l}
	var err error
	p.j, err = journal.Open(t.Context(), filepath.Join(dir, "journal"), journal.Options{
		KeyFile: filepath.Join(dir, "key"), DedupeDir: filepath.Join(dir, "dedupe"), BatchDelay: time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	if p.db, err = store.Open(t.Context(), filepath.Join(dir, "control.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.j.Close(); p.db.Close() })
	return p
}

// kept are the records that the check has put into the journal, by their ids, and all acts.
func (p *place) kept() (ids []string, acts []act.Act, orphans []act.Orphan) {
	p.Helper()
	if err := p.j.Flush(p.Context()); err != nil {
		p.Fatal(err)
	}
	for f := p.j.Follow(0); f.Position() < p.j.End(); {
		b, err := f.Next(p.Context())
		if err != nil {
			p.Fatal(err)
		}
		for i := range b.Records {
			switch o := b.Envelope(i); {
			case o.Family == act.Family && o.Stream == act.Findings:
				found, err := act.ParseOrphan(b.Raw(i))
				if err != nil {
					p.Fatal(err)
				}
				orphans = append(orphans, found)
			case o.Family == act.Family:
				a, err := act.Parse(b.Raw(i))
				if err != nil {
					p.Fatal(err)
				}
				acts = append(acts, a)
			case o.Stream == auditquery.Stream && o.Family == auditquery.Family:
				ids = append(ids, identify(b.Raw(i)))
			}
		}
	}
	slices.Sort(ids)
	return ids, acts, orphans
}

func identify(raw []byte) string {
	var v struct{ ID string }
	if json.Unmarshal(raw, &v) != nil {
		return ""
	}
	return v.ID
}

// happened is when a record says that it did.
func happened(raw []byte) int64 {
	var v struct{ CreationTime string }
	if json.Unmarshal(raw, &v) != nil {
		return 0
	}
	at, err := time.Parse("2006-01-02T15:04:05", v.CreationTime)
	if err != nil {
		return 0
	}
	return at.UnixNano()
}

// feed is what the journal would have of the feed: what it shows, and, as in the lake, what the check has kept.
func (p *place) feed() auditquery.Feed {
	return auditquery.Feed{
		Streams: func(context.Context, time.Time, time.Time) (map[string]auditquery.Fed, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			out := map[string]auditquery.Fed{}
			for _, s := range p.streams {
				out[s] = auditquery.Fed{Source: "contoso", Complete: !p.open[s]}
			}
			return out, nil
		},
		Records: func(_ context.Context, from, to time.Time, yield func(id, operation string) error) error {
			kept, _, _ := p.kept()
			p.mu.Lock()
			defer p.mu.Unlock()
			for _, f := range p.all {
				if f.workload == "MicrosoftTeams" || f.at.Before(from) || !f.at.Before(to) || p.withold[f.id] && !slices.Contains(kept, f.id) {
					continue
				}
				if err := yield(f.id, f.operation); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// run lets a check run until done holds, or until it ends by itself.
func (p *place) run(done func() bool) {
	p.Helper()
	ctx, cancel := context.WithCancel(p.Context())
	defer cancel()
	c, err := auditquery.New(auditquery.CheckOptions{
		Name: "contoso-check", Tenant: tenant, API: p.log, Feed: p.feed(), Journal: p.j, DB: p.db, Acts: act.NewWriter(p.j, "contoso-check", tenant),
		Identify: func(raw []byte) ([]byte, int64) { return []byte(identify(raw)), happened(raw) }, Log: quiet,
		Back: time.Second, Between: time.Nanosecond, Poll: time.Millisecond, Wait: time.Millisecond, Retry: time.Millisecond, TestingOnlyFault: p.fault,
	})
	if err != nil {
		p.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-ended:
			p.Logf("it has ended: %v", err)
			return
		default:
		}
		if time.Now().After(deadline) {
			p.Fatalf("it does not come to an end: %+v", c.Status())
		}
	}
	cancel()
	if err := <-ended; err != nil && p.fault == nil {
		p.Error(err)
	}
}

func (p *place) hours() map[string]auditquery.Hour {
	p.Helper()
	list, err := auditquery.Hours(p.Context(), p.db, first, first.Add(time.Hour))
	if err != nil {
		p.Fatal(err)
	}
	out := map[string]auditquery.Hour{}
	for _, h := range list {
		out[h.Operation] = h
	}
	return out
}

func (p *place) compared() bool { return len(p.hours()) > 0 }

// TestNothingIsMissing: of a feed that shows all, nothing is said and nothing kept.
func TestNothingIsMissing(t *testing.T) {
	p := newPlace(t, newLog())
	p.run(p.compared)
	ids, acts, orphans := p.kept()
	listed := 0
	for _, a := range acts {
		switch {
		case a.Kind == act.Listed && a.From.Equal(first) && a.To.Equal(first.Add(time.Hour)) && a.At.Sub(a.To) >= 24*time.Hour:
			listed++
		case a.Kind == act.Gap:
			t.Errorf("%+v", a)
		}
	}
	if len(ids) > 0 || len(orphans) > 0 || listed != 1 {
		t.Errorf("%d records are kept, %d orphans, %d listings", len(ids), len(orphans), listed)
	}
	h := p.hours()
	if n := h["FileDownloaded"].Count; n != (auditquery.Count{Feed: 40, Query: 40, Verdict: auditquery.Agree}) {
		t.Errorf("%+v", n)
	}
	if n := h["MessageSent"].Count; n != (auditquery.Count{Query: 40, Lacking: 40, Verdict: auditquery.NotCollected}) {
		t.Errorf("of what nobody collects: %+v", n)
	}
}

// lose has the feed not show every tenth read of mail.
func (l *log) lose() (ids []string) {
	for i, f := range l.all {
		if f.operation == "MailItemsAccessed" && i%30 == 0 {
			l.withold[f.id] = true
			ids = append(ids, f.id)
		}
	}
	return ids
}

// found fails the test if what the feed lacks is not kept, once, and said.
func (p *place) found(want []string) {
	p.Helper()
	ids, acts, orphans := p.kept()
	if !slices.Equal(ids, want) {
		p.Errorf("kept are %v, of %v", ids, want)
	}
	gaps := map[string]bool{}
	for _, a := range acts {
		if a.Kind == act.Gap {
			gaps[fmt.Sprint(a.Source, " ", a.Stream, " ", a.Subject, " ", a.Reason, " ", a.From.Sub(first), " ", a.To.Sub(first), " ", a.Permanent)] = true
		}
		if a.Kind == act.Listed && len(gaps) == 0 {
			p.Error("the gap stands behind the listing that makes the hour complete")
		}
	}
	if !maps.Equal(gaps, map[string]bool{"contoso Audit.Exchange MailItemsAccessed unmatched 0s 1h0m0s true": true}) {
		p.Errorf("gaps: %v", gaps)
	}
	if len(orphans) == 0 {
		p.Fatal("there is no finding")
	}
	for _, o := range orphans {
		if o.ID != orphans[0].ID || o.Kind != act.OrphanRecordKind || o.Stream != "Audit.Exchange" || o.Operation != "MailItemsAccessed" || o.User != "ann@contoso.example" || !slices.Contains(want, o.Record) {
			p.Errorf("%+v", o)
		}
	}
	if n := p.hours()["MailItemsAccessed"].Count; n != (auditquery.Count{Feed: 40 - int64(len(want)), Query: 40, Lacking: int64(len(want)), Verdict: auditquery.Unmatched}) {
		p.Errorf("%+v", n)
	}
}

// TestFound: what the feed lacks is kept and said (F17).
func TestFound(t *testing.T) {
	p := newPlace(t, newLog())
	want := p.lose()
	p.run(p.compared)
	p.found(want)
}

// TestDeath: the machine dies before or after each change of journal and database, and is started again: nothing is lost, nothing is
// kept twice, and the counts are right.
func TestDeath(t *testing.T) {
	died := errors.New("it dies here")
	for step := 0; ; step++ {
		p := newPlace(t, newLog())
		want := p.lose()
		var n atomic.Int64 // changes
		p.fault = func(string) error {
			if n.Add(1) > int64(step) {
				return died
			}
			return nil
		}
		dead := func() bool { return n.Load() > int64(step) }
		p.run(func() bool { return dead() || p.compared() })
		if !dead() {
			if step < 12 {
				t.Fatalf("only %d steps: this proves nothing", step)
			}
			return
		}
		p.fault = nil
		p.run(p.compared)
		p.found(want)
		if t.Failed() {
			t.Fatalf("it died at step %d", step)
		}
	}
}

// TestIncomplete: of a stream that is not complete nothing is said, and it is waited for that.
func TestIncomplete(t *testing.T) {
	p := newPlace(t, newLog())
	want := p.lose()
	p.open["Audit.Exchange"] = true
	looks := 0
	p.run(func() bool { looks++; return looks > 20 })
	if len(p.started) > 0 || p.compared() {
		t.Fatal("it does not wait until the feed is complete")
	}
	p.now = p.now.Add(48 * time.Hour)
	p.run(p.compared)
	ids, acts, orphans := p.kept()
	if !slices.Equal(ids, want) || len(orphans) > 0 || slices.ContainsFunc(acts, func(a act.Act) bool { return a.Kind == act.Gap }) {
		t.Errorf("kept are %v of %v, orphans %v", ids, want, orphans)
	}
	if n := p.hours()["MailItemsAccessed"].Count; n.Verdict != auditquery.CannotSay || n.Lacking != int64(len(want)) {
		t.Errorf("%+v", n)
	}
}

// TestCapped: what a query cannot be believed to have given is a gap of the check (F7), in front of the listing.
func TestCapped(t *testing.T) {
	p := newPlace(t, newLog())
	for i := range 20 { // more in a minute than a query gives
		p.all = append(p.all, fact{fmt.Sprintf("00000004-0000-4000-8000-%012d", i), "MailItemsAccessed", "Exchange", first.Add(time.Minute)})
	}
	p.limit = 10
	p.run(p.compared)
	_, acts, _ := p.kept()
	capped := slices.IndexFunc(acts, func(a act.Act) bool {
		return a.Kind == act.Gap && a.Stream == auditquery.Stream && a.Reason == act.Capped && !a.From.After(first.Add(time.Minute)) && a.To.After(first.Add(time.Minute))
	})
	listed := slices.IndexFunc(acts, func(a act.Act) bool { return a.Kind == act.Listed })
	if capped < 0 || listed < capped {
		t.Errorf("the gap is act %d, the listing %d", capped, listed)
	}
	if n := p.hours()["MailItemsAccessed"].Count; n.Unshown == 0 || n.Verdict != auditquery.Agree {
		t.Errorf("the feed is blamed for what the query leaves out: %+v", n)
	}
}

// TestRefusedAndBack: a permission that is missing is said, and that it is back.
func TestRefusedAndBack(t *testing.T) {
	p := newPlace(t, newLog())
	p.refused = true
	said := func(k act.Kind) func() bool {
		return func() bool {
			_, acts, _ := p.kept()
			return slices.ContainsFunc(acts, func(a act.Act) bool {
				return a.Kind == k && a.Stream == auditquery.Stream && a.Reason == act.Permission
			})
		}
	}
	p.run(func() bool { return said(act.Gap)() && said(act.Alarm)() })
	p.refused = false
	p.run(p.compared)
	if !said(act.Filled)() {
		t.Error("it is not said that the permission is back")
	}
}

// TestServices: with permissions of single services alone these are compared, and it is said which are not.
func TestServices(t *testing.T) {
	p := newPlace(t, newLog())
	want := p.lose()
	p.withold[p.all[1].id] = true // a download from OneDrive, which nobody may look for
	p.roles = []string{"AuditLogsQuery-Exchange.Read.All", "AuditLogsQuery-SharePoint.Read.All", "AuditLog.Read.All"}
	p.run(p.compared)
	ids, acts, _ := p.kept()
	if !slices.Equal(ids, want) {
		t.Errorf("kept are %v, of %v", ids, want)
	}
	not := map[string]bool{}
	for _, a := range acts {
		if a.Kind == act.Listed && len(not) == 0 {
			t.Error("what is not compared stands behind the listing that makes the hour complete")
		}
		if a.Kind == act.Gap && a.Stream == auditquery.Stream {
			not[fmt.Sprint(a.Subject, " ", a.Reason, " ", a.From.Sub(first), " ", a.To.Sub(first))] = true
		}
	}
	if got := slices.Sorted(maps.Keys(not)); !slices.Equal(got, []string{
		"AzureActiveDirectory permission 0s 1h0m0s", "CRM permission 0s 1h0m0s", "Endpoint permission 0s 1h0m0s", "OneDrive permission 0s 1h0m0s", "all other workloads permission 0s 1h0m0s",
	}) {
		t.Errorf("it says %q", got)
	}
	if n := p.hours()["FileDownloaded"].Count; n != (auditquery.Count{Feed: 39, Unshown: 39, Verdict: auditquery.Agree}) {
		t.Errorf("of what is not compared: %+v", n)
	}
}

// TestForgotten: a position that speaks of a longer journal is forgotten.
func TestForgotten(t *testing.T) {
	p := newPlace(t, newLog())
	p.run(p.compared)
	before := len(p.started)
	if found, err := auditquery.Distrust(t.Context(), p.db, p.j.Origin(), 0); err != nil || !found {
		t.Fatal(found, err)
	}
	p.run(func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.started) > before })
	if !p.started[before].Equal(first) {
		t.Errorf("it began with %v", p.started[before])
	}
}
