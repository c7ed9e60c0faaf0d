// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/eventhubs"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// One hour in which something is lost, and what can be judged: nobody has measured yet how late records are, so that a day is waited for.
var (
	lostFrom = start.Add(-31 * time.Hour)
	lostTo   = lostFrom.Add(time.Hour)
	judgedTo = start.Add(-26 * time.Hour) // the last hour of which all could have come
)

// kept is where the namespace of the tests is.
const kept = "contoso-logs/" + eventhubs.CloudApps

func hubTenant(t *testing.T, unified string) *m365.Server {
	t.Helper()
	s, err := m365.New(m365.Config{
		Seed: 3, Start: start, Paused: true, History: 44 * time.Hour, Quota: 1_000_000, MaxRecords: 100, Faults: unified,
		Company: company.Config{People: 60, Rate: 0.1, SlotLength: 30 * time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// newHubWorld is a small simulated tenant whose feed and whose hub of CloudAppEvents are both collected. Teams is not connected to
// Defender for Cloud Apps, and some do not show all.
func newHubWorld(t *testing.T, unified string, hide func(row map[string]any) bool) *world {
	t.Helper()
	w := &world{T: t, sim: hubTenant(t, unified)}
	var err error
	w.hubs, err = eventhubs.New(eventhubs.Config{Tenant: w.sim, Hide: func(hub string, row map[string]any) bool {
		return hub != eventhubs.CloudApps || row["Application"] == "Microsoft Teams" || hide(row)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.hubs.Close)
	if err := w.hubs.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.watch(graph.Config{Tenant: w.sim}, map[string][]string{"m365": config.Streams("m365")}, node.Adjust{
		Reconcile: func(o *reconcile.Options) { o.Every = 300 * time.Millisecond },
	})
	w.collected(len(config.Streams("m365"))+1, start.Add(-43*time.Hour), start.Add(-2*time.Hour))
	return w
}

// unmatchedHours are what the statement calls unmatched, as "stream operation hour".
func (w *world) unmatchedHours() (said []string) {
	w.Helper()
	s := w.statement()
	for i := range s.Streams {
		for _, g := range s.Streams[i].Gaps {
			if g.Reason != act.Unmatched {
				continue
			}
			for at := g.From; at.Before(g.To); at = at.Add(time.Hour) { // hours that follow each other are one gap
				said = append(said, fmt.Sprint(s.Streams[i].Stream, " ", g.Subject, " ", at.Format(time.RFC3339)))
			}
		}
	}
	slices.Sort(said)
	return said
}

// acted is what somebody did, as far as the tests look at it.
type acted struct {
	Operation, Workload, UserID string
	RecordType                  int
}

// each yields all that happened in [from, to) of the simulated tenant.
func (w *world) each(from, to time.Time, yield func(at time.Time, a acted)) {
	w.Helper()
	for _, st := range company.Streams {
		w.sim.Happened(st, from, to, func(at, _ time.Time, raw []byte) bool {
			var a acted
			if err := json.Unmarshal(raw, &a); err != nil {
				w.Fatal(err)
			}
			yield(at, a)
			return true
		})
	}
}

// TestF17CloudAppEvents: the feed never offers one operation of one person, and the hub does not show some operations of one hour. The
// signed statement names each operation with the hours and the stream that lacks it, and nothing else: not what the hub has never shown.
func TestF17CloudAppEvents(t *testing.T) {
	const omitted = "FileAccessed"
	hidden := func(op string) bool { return op == "MailItemsAccessed" || op == "UserLoggedIn" || op == "Update user." }
	var who string
	(&world{T: t, sim: hubTenant(t, "")}).each(lostFrom, lostTo, func(_ time.Time, a acted) {
		if name, _, _ := strings.Cut(a.UserID, "@"); a.Operation == omitted && name != "app" {
			who = name
		}
	})
	w := newHubWorld(t, "omit=1:"+omitted+"+"+who, func(row map[string]any) bool {
		at, err := time.Parse(time.RFC3339, row["Timestamp"].(string))
		return err == nil && !at.Before(lostFrom) && at.Before(lostTo) && hidden(row["ActionType"].(string))
	})

	// What each channel did not get, and when it had had all of an operation for the first time.
	type place struct {
		op, channel string
		at          time.Time
	}
	feed, table := reconcile.Unified.String(), reconcile.CloudApps.String()
	lost, happened := map[place]int64{}, map[place]int64{}
	w.each(w.sim.Begin(), start, func(at time.Time, a acted) {
		op := a.Workload + " " + a.Operation
		if a.RecordType == 8 || a.RecordType == 15 { // which Entra's own logs have, too
			op = strings.TrimSuffix(a.Operation, ".")
		}
		hour := at.Truncate(time.Hour)
		happened[place{op, "", hour}]++
		if strings.HasPrefix(a.Operation, omitted) && strings.HasPrefix(a.UserID, who) {
			lost[place{op, feed, hour}]++
		}
		if hidden(a.Operation) && hour.Equal(lostFrom) {
			lost[place{op, table, hour}]++
		}
	})
	whole := map[place]time.Time{}
	for p := range happened {
		for _, p.channel = range [...]string{feed, table} {
			k := place{op: p.op, channel: p.channel}
			if lost[p] == 0 && (whole[k].IsZero() || p.at.Before(whole[k])) {
				whole[k] = p.at
			}
		}
	}
	streams := map[string]string{feed: "Audit.SharePoint", table: kept}
	lacks := func(p place) bool {
		first := whole[place{op: p.op, channel: p.channel}]
		return lost[p] > 0 && !first.IsZero() && first.Before(p.at) && !p.at.After(judgedTo)
	}
	var want []string
	for p := range lost {
		if lacks(p) {
			want = append(want, fmt.Sprint(streams[p.channel], " ", p.op, " ", p.at.Format(time.RFC3339)))
		}
	}
	slices.Sort(want)
	if len(want) < 8 {
		t.Fatalf("only %s was lost: this proves little", want)
	}

	w.compared()
	if said := w.unmatchedHours(); !slices.Equal(said, want) {
		t.Errorf("the statement says\n  %s\nwant\n  %s", strings.Join(said, "\n  "), strings.Join(want, "\n  "))
	}
	r, err := w.node.Channels(t.Context(), w.sim.Begin(), judgedTo)
	if err != nil {
		t.Fatal(err)
	}
	both, shown, noPart := 0, map[string]int64{}, map[string]bool{}
	for _, h := range r.Hours {
		for _, c := range h.Channels {
			p := place{h.Operation, c.Channel, h.Hour}
			switch {
			case lacks(p) != (c.Verdict == reconcile.Blind), c.Acts > 0 && c.Acts+lost[p] != happened[place{p.op, "", p.at}]:
				t.Errorf("%s %v: %+v, and %d were lost", h.Operation, h.Hour, c, lost[p])
			case c.Channel == table && c.Verdict == reconcile.NoPart:
				noPart[h.Operation] = noPart[h.Operation] || lost[p] == 0
			case c.Verdict == reconcile.CannotSay, c.Verdict == reconcile.NoPart && lost[p] == 0:
				t.Errorf("%s %v: %+v", h.Operation, h.Hour, c)
			}
		}
		last := h.Channels[len(h.Channels)-1]
		if shown[h.Operation] += last.Acts; last.Acts > 0 && last.Acts == h.Channels[0].Acts {
			both++
		}
	}
	for op := range noPart {
		if noPart[op] && shown[op] > 0 {
			t.Errorf("%s is called no part of the hub, which has shown it", op)
		}
	}
	if both < 200 || !noPart["MicrosoftTeams MessageSent"] || !noPart["Exchange DlpRuleMatch"] {
		t.Errorf("%d hours of operations are in both, and the hub has no part of %v", both, noPart)
	}
}
