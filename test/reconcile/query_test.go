// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// The hours that are compared: those whose end lies so far back that the feed is complete for a day after it.
var (
	comparedTo   = start.Add(-day - time.Hour)
	comparedFrom = comparedTo.Add(-3 * time.Hour)
)

// newQueryWorld is a small simulated tenant whose feed does not show all, and the product that holds the feed against queries.
func newQueryWorld(t *testing.T, unified string) *world {
	t.Helper()
	w := &world{T: t}
	var err error
	w.sim, err = m365.New(m365.Config{
		Seed: 3, Start: start, Paused: true, History: 40 * time.Hour, Quota: 1_000_000, MaxRecords: 100, Faults: unified,
		Company: company.Config{People: 60, Rate: 0.1, SlotLength: 30 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	w.watch(graph.Config{Tenant: w.sim}, map[string][]string{"m365": config.Streams("m365"), "audit-query": config.Streams("audit-query")}, node.Adjust{
		AuditQuery: func(o *auditquery.CheckOptions) {
			o.Back, o.Between, o.Poll, o.Wait, o.Retry = 3*time.Hour, time.Millisecond, 50*time.Millisecond, time.Millisecond, 50*time.Millisecond
		},
	})
	w.until("the hours are compared", func() bool {
		c, err := w.node.Coverage(t.Context(), comparedFrom, comparedTo)
		if err != nil {
			t.Fatal(err)
		}
		r, err := w.node.Channels(t.Context(), comparedTo.Add(-time.Hour), comparedTo) // what the last hour came to is kept after it is said to be read
		if err != nil {
			t.Fatal(err)
		}
		kept := slices.ContainsFunc(r.Hours, func(h reconcile.Hour) bool { return h.Kind == "audit records" })
		return kept && slices.ContainsFunc(c.Feeds, func(f coverage.Feed) bool {
			return f.Stream == auditquery.Stream && f.Intervals[coverage.Complete] == 36
		})
	})
	if err := w.node.CatchUp(t.Context(), func(_, _, _ int64) {}); err != nil { // all is searchable
		t.Fatal(err)
	}
	if err := w.node.CatchUpDetection(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// queried are the rows of the table of channels that the check has made.
func (w *world) queried() (list []reconcile.Hour) {
	w.Helper()
	r, err := w.node.Channels(w.Context(), comparedFrom, comparedTo)
	if err != nil {
		w.Fatal(err)
	}
	for _, h := range r.Hours {
		if h.Kind == "audit records" {
			list = append(list, h)
		}
	}
	if len(list) < 20 {
		w.Fatalf("only %d operations and hours were compared: this proves nothing", len(list))
	}
	return list
}

// TestF17AuditQuery: a part of one operation is never offered by the feed. What a query shows of it is kept, searchable and said: in the
// signed statement, by hour and operation, as an alert, and in the table of channels.
func TestF17AuditQuery(t *testing.T) {
	const op = "FileDownloaded"
	w := newQueryWorld(t, "omit=0.3:"+op)
	truth := map[time.Time]int64{}
	w.sim.Happened(company.SharePoint, comparedFrom, comparedTo, func(at, _ time.Time, raw []byte) bool {
		var v struct{ Operation string }
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if v.Operation == op {
			truth[at.Truncate(time.Hour)]++
		}
		return true
	})
	want, lacking := map[string]bool{}, int64(0)
	for _, h := range w.queried() {
		feed, query := h.Channels[0], h.Channels[1]
		if feed.Acts+feed.Lacking != query.Acts || query.Lacking != 0 {
			t.Errorf("%s %v: %+v %+v", h.Operation, h.Hour, feed, query)
		}
		switch {
		case h.Operation == op && query.Acts != truth[h.Hour]:
			t.Errorf("%v: the query shows %d of %d", h.Hour, query.Acts, truth[h.Hour])
		case h.Operation == op && feed.Lacking > 0 && feed.Verdict == reconcile.Blind:
			want[fmt.Sprint("Audit.SharePoint ", act.Unmatched, " ", op, " ", h.Hour)] = true
			lacking += feed.Lacking
		case feed.Lacking > 0 || feed.Verdict != reconcile.Agree:
			t.Errorf("%s %v: %+v", h.Operation, h.Hour, feed)
		}
	}
	if lacking == 0 {
		t.Fatal("nothing was left out: this proves nothing")
	}
	s := w.statement()
	said := map[string]bool{}
	for i := range s.Streams {
		for _, g := range s.Streams[i].Gaps {
			if g.Reason == act.Unmatched {
				for at := g.From; at.Before(g.To); at = at.Add(time.Hour) { // hours that follow each other are one gap
					said[fmt.Sprint(s.Streams[i].Stream, " ", g.Reason, " ", g.Subject, " ", at)] = true
				}
			}
		}
	}
	if !maps.Equal(said, want) {
		t.Errorf("the statement says %v, want %v", slices.Sorted(maps.Keys(said)), slices.Sorted(maps.Keys(want)))
	}
	found, err := w.node.Search(t.Context(), node.Query{Text: "op:" + op, Since: comparedFrom, Until: comparedTo, Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	all := int64(0)
	for _, n := range truth {
		all += n
	}
	if int64(found.Len()) != all {
		t.Errorf("%d of %d can be found", found.Len(), all)
	}
	alerts, err := w.node.Alerts(t.Context(), incident.Filter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(alerts, func(a incident.Alert) bool { return a.Rule == recordMissing }) {
		t.Error("nobody is told")
	}
}

// unmatched are the hours and operations that the statement calls unmatched in a stretch of time.
func (w *world) unmatched(from, to time.Time) (n int) {
	s := w.statement()
	for i := range s.Streams {
		for _, g := range s.Streams[i].Gaps {
			if g.Reason == act.Unmatched && g.From.Before(to) && g.To.After(from) {
				n++
			}
		}
	}
	return n
}

// TestF17AuditQueryLate: what the feed offers thirty hours late is said to be missing, and then no more, by the alerts as well.
func TestF17AuditQueryLate(t *testing.T) {
	w := newQueryWorld(t, "late=0.03:30h")
	w.queried()
	before := w.unmatched(comparedFrom, comparedTo)
	if before == 0 {
		t.Fatal("nothing is late: this proves nothing")
	}
	told := w.findings(recordMissing)
	for f, arrived := range told {
		if arrived {
			t.Errorf("it is said that what %s lacks has come", f)
		}
	}
	if len(told) == 0 {
		t.Error("nobody is told")
	}
	if err := w.sim.Jump(6 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.until("what was late has come", func() bool {
		return w.unmatched(comparedFrom, comparedTo) == 0 && !slices.ContainsFunc(w.queried(), func(h reconcile.Hour) bool {
			feed, query := h.Channels[0], h.Channels[1]
			return feed.Acts != query.Acts || feed.Lacking != 0 || feed.Verdict != reconcile.Agree
		})
	})
	w.until("the alerts say so", func() bool {
		now := w.findings(recordMissing)
		for f := range told {
			if !now[f] {
				return false
			}
		}
		return true
	})
	w.stays(recordMissing)
}

// TestF17AuditQueryAgrees: of a feed that shows all, nothing is said and nothing kept.
func TestF17AuditQueryAgrees(t *testing.T) {
	w := newQueryWorld(t, "")
	for _, h := range w.queried() {
		feed, query := h.Channels[0], h.Channels[1]
		if feed.Acts != query.Acts || feed.Lacking+query.Lacking != 0 || feed.Verdict != reconcile.Agree || query.Verdict != reconcile.Agree {
			t.Errorf("%s %v: %+v %+v", h.Operation, h.Hour, feed, query)
		}
	}
	for _, said := range blind(w.statement()) {
		if said[:10] != "DLP.All tr" { // some matches list only a part of what they found
			t.Errorf("it is said: %s", said)
		}
	}
}
