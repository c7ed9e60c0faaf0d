// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/daybreak-sec/daybreak/node"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// shelf is all that a journal holds.
type shelf struct {
	// records by the SHA-256 of their canonical JSON.
	records map[sim.Hash][]copyOf
	acts    []act.Act
	refused int // delivered as records, and are none
}

// copyOf is one record as the journal holds it.
type copyOf struct {
	batch    uint64
	stream   string
	offered  time.Time
	received time.Time
	event    time.Time
	mutated  bool
}

// shelve reads a journal that nobody holds.
func (w *world) shelve() *shelf {
	w.Helper()
	j, err := journal.Open(w.Context(), filepath.Join(w.dir, node.JournalDir), journal.Options{
		KeyFile: filepath.Join(w.dir, node.KeyFile), DedupeDir: filepath.Join(w.dir, node.DedupeDir), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			w.Error(err)
		}
	}()
	s := &shelf{records: map[sim.Hash][]copyOf{}}
	secrets := w.door.list()
	f := j.Follow(0)
	for f.Position() < j.End() {
		b, err := f.Next(w.Context())
		if err != nil {
			w.Fatal(err)
		}
		s.take(w, b, secrets)
	}
	return s
}

func (s *shelf) take(w *world, b *journal.Batch, secrets []string) {
	var canon []byte
	for i := range b.Records {
		raw, o := b.Raw(i), b.Envelope(i)
		switch o.Family {
		case act.Family:
			leaks(w, secrets, "an act", raw)
			a, err := act.Parse(raw)
			if err != nil {
				w.Errorf("an act cannot be read: %v: %s", err, raw)
			}
			s.acts = append(s.acts, a)
		case collect.Family:
			var ok bool
			if canon, ok = canonjson.Append(canon[:0], raw); !ok {
				canon = append(canon[:0], raw...)
			}
			s.put(sha256.Sum256(canon), b, i)
		default:
			if w.tell == nil {
				s.refused++
				continue
			}
			if h, ok := w.tell(o, raw); ok {
				s.put(h, b, i)
			}
		}
	}
}

// put notes a record of the journal.
func (s *shelf) put(h sim.Hash, b *journal.Batch, i int) {
	r := &b.Records[i]
	s.records[h] = append(s.records[h], copyOf{
		b.Index, b.Envelope(i).Stream, time.Unix(0, r.Offered).UTC(), time.Unix(0, r.Received).UTC(), time.Unix(0, r.Time).UTC(), r.Flags&layout.Mutated != 0,
	})
}

// of counts the acts of a kind; match may be nil.
func (s *shelf) of(k act.Kind, match func(*act.Act) bool) (list []act.Act) {
	for i := range s.acts {
		if a := &s.acts[i]; a.Kind == k && (match == nil || match(a)) {
			list = append(list, *a)
		}
	}
	return list
}

// truth is what the simulator's ledger says, by hash.
func (w *world) truth() map[sim.Hash]sim.Entry {
	w.Helper()
	t := map[sim.Hash]sim.Entry{}
	for e := range w.sim.Ledger(time.Time{}, time.Time{}, time.Time{}) {
		if old, ok := t[e.SHA256]; ok {
			w.Fatalf("the ledger has one record twice: %+v and %+v", old, e)
		}
		t[e.SHA256] = e
	}
	if w.more != nil {
		for e := range w.more() {
			if old, ok := t[e.SHA256]; ok {
				w.Fatalf("two records are one: %+v and %+v", old, e)
			}
			t[e.SHA256] = e
		}
	}
	for _, o := range w.others {
		maps.Copy(t, o.truth())
	}
	return t
}

// outcome is a comparison that a test may look at further.
type outcome struct {
	*shelf
	truth map[sim.Hash]sim.Entry
}

// compare stops the product and holds what it has against the simulator's
// ledger: every entry once, nothing else; the journal verifies; and no report
// that was made on the way has called an interval complete that was not.
func (w *world) compare() *outcome {
	w.Helper()
	return w.compareBut(nil)
}

// compareBut leaves out what nobody could have had, as lost says.
func (w *world) compareBut(lost func(*sim.Entry) bool) *outcome {
	w.Helper()
	truth := w.truth()
	want := 0
	for _, e := range truth {
		if lost == nil || !lost(&e) {
			want++
		}
	}
	w.awaitRecords(want)
	w.lastLook()
	w.stop()
	o := &outcome{w.shelve(), truth}
	missing, extra, twice := 0, 0, 0
	for h, e := range truth {
		if lost != nil && lost(&e) {
			continue
		}
		o.faithful(w, h, &e)
		switch n := len(o.records[h]); {
		case n == 0:
			if missing++; missing <= 5 {
				w.Errorf("missing: %+v", e)
			}
		case n > 1:
			if twice++; twice <= 5 {
				w.Errorf("stored %d times: %+v", n, e)
			}
		}
	}
	for h, c := range o.records {
		if _, ok := truth[h]; !ok {
			if extra++; extra <= 5 {
				w.Errorf("stored and not in the ledger: %v %+v", h, c)
			}
		}
	}
	if missing+extra+twice > 0 {
		w.Errorf("the ledger has %d records, of which %d are missing and %d stored more than once; %d stored records are not in it", len(truth), missing, twice, extra)
	}
	w.honest(o)
	w.verify()
	w.Logf("%d records in the ledger, %d distinct stored, %d acts, %d reports", len(truth), len(o.records), len(o.acts), len(w.seen))
	return o
}

// lastLook keeps a report that calls something complete, for a run may be over before
// anybody has looked.
func (w *world) lastLook() {
	w.Helper()
	if w.node == nil || w.set.slow || w.set.blurred || len(w.others) > 0 {
		return
	}
	w.until("something is complete", func() (bool, string) {
		r := w.peek()
		for i := range r.Spans {
			if r.Spans[i].State == coverage.Complete {
				w.keep(r)
				return true, ""
			}
		}
		return false, fmt.Sprint(r.Spans)
	})
}

// awaitRecords waits until so many records can be searched, for what nothing else tells
// of: a sweep of all that the provider keeps. If they do not come, the comparison says
// which.
func (w *world) awaitRecords(want int) {
	w.Helper()
	deadline := time.Now().Add(patience)
	for have := -1; w.node != nil && have < want && time.Now().Before(deadline); {
		found, err := w.node.Search(w.Context(), node.Query{Text: "family:m365 | count", Limit: 1})
		if err != nil {
			w.Fatal(err)
		}
		var row struct{ Count int }
		if found.Len() > 0 {
			if err := json.Unmarshal(found.AppendRow(nil, 0), &row); err != nil {
				w.Fatal(err)
			}
		}
		if have = row.Count; have < want {
			<-time.After(20 * time.Millisecond)
		}
	}
}

// faithful checks what the journal says of a record beside its bytes: the stream,
// and its times, whatever the zone and the clock of this machine.
func (o *outcome) faithful(t testing.TB, h sim.Hash, e *sim.Entry) {
	for _, c := range o.records[h] {
		switch {
		case c.stream != e.Stream:
			t.Errorf("%s was stored in the stream %s: %+v", h, c.stream, e)
		case !e.Time.IsZero() && !c.event.Equal(e.Time.Truncate(time.Second)) && !c.event.Equal(e.Time):
			t.Errorf("%s happened at %v and was stored as of %v", h, e.Time, c.event)
		}
	}
}

// verify re-derives the journal from its files.
func (w *world) verify() {
	w.Helper()
	if _, err := verify.Dir(w.Context(), filepath.Join(w.dir, node.JournalDir), verify.Options{}); err != nil {
		w.Errorf("the journal does not verify: %v", err)
	}
}

// honest judges every report that was made on the way: what it calls complete as of
// a moment has every record that could be had by then in the journal before the
// report's position.
func (w *world) honest(o *outcome) {
	w.Helper()
	byStream := map[string][]sim.Entry{}
	for _, e := range o.truth {
		byStream[e.Stream] = append(byStream[e.Stream], e)
	}
	if len(w.others) > 0 {
		return // an entry does not say whose it is
	}
	if w.set.blurred {
		return
	}
	wrong, complete := 0, 0
	for _, r := range w.seen {
		for i := range r.Spans {
			s := &r.Spans[i]
			if s.State != coverage.Complete {
				continue
			}
			complete += s.Intervals
			for _, e := range byStream[s.Stream] {
				if e.Created.Before(s.From) || !e.Created.Before(s.To) || !e.Visible.Before(s.AsOf) {
					continue
				}
				if at := o.records[e.SHA256]; len(at) > 0 && at[0].batch < r.Position {
					continue
				}
				if wrong++; wrong <= 5 {
					w.Errorf("%v was called complete as of %v before this was in the journal: %+v", s, s.AsOf, e)
				}
			}
		}
	}
	if wrong > 0 {
		w.Errorf("%d records were lacking where intervals were called complete", wrong)
	}
	if complete == 0 && len(w.seen) > 0 {
		w.Error("no report has called anything complete: this proves nothing")
	}
}

// allComplete waits until every interval that is due is complete, and nothing is
// late, missing or not known since the company's life began.
func (w *world) allComplete() {
	w.Helper()
	w.until("all complete", func() (bool, string) {
		for _, s := range w.peek().Spans {
			if s.State == coverage.Complete || s.State == coverage.Unknown && s.Reason == coverage.NotDue || declared(&s) {
				continue
			}
			// The product asks for half a minute less than is kept.
			if !s.To.After(w.sim.Begin().Add(coverage.Interval)) {
				continue
			}
			return false, fmt.Sprint(s.String(), " from ", s.From)
		}
		return true, ""
	})
}

// declared says that the provider's own records declare that they are not all, as the simulated company's do and the whole
// program says (see silent).
func declared(s *coverage.Span) bool {
	return s.State == coverage.Blind && (s.Reason == act.AuditThrottled || s.Reason == act.Truncated)
}
