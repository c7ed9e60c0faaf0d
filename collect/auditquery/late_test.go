// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/event"
)

// bring appends records of the log as the feed, or somebody by hand, would.
func (p *place) bring(stream string, ids []string, change string) {
	p.Helper()
	var records []event.Record
	for _, f := range p.all {
		if slices.Contains(ids, f.id) {
			raw := []byte(f.raw()[:len(f.raw())-1] + change + "}")
			records = append(records, event.Record{Raw: raw, ID: []byte(f.id), Time: f.at.UnixNano(), Ordinal: uint64(len(records))})
		}
	}
	o := event.Origin{Tenant: tenant, Family: auditquery.Family, Stream: stream, Name: "blob", Run: fmt.Sprint(stream, ids, change)}
	if _, err := p.j.Append(p.Context(), o, records, nil); err != nil {
		p.Fatal(err)
	}
	if err := p.j.Flush(p.Context()); err != nil {
		p.Fatal(err)
	}
}

// filled are the acts that say that the feed has brought what it lacked.
func (p *place) filled() (list []act.Act) {
	p.Helper()
	_, acts, _ := p.kept()
	for _, a := range acts {
		if a.Kind == act.Filled {
			list = append(list, a)
		}
	}
	return list
}

// number reads a number of the control store.
func (p *place) number(query string) (n int) {
	p.Helper()
	if err := p.db.Read().QueryRowContext(p.Context(), query).Scan(&n); err != nil {
		p.Fatal(err)
	}
	return n
}

// healed fails the test if it is not said, of the hour and operation and of nothing else, that the feed has brought what it lacked.
func (p *place) healed() {
	p.Helper()
	list := p.filled()
	if len(list) == 0 {
		p.Error("it is not said")
	}
	for _, a := range list {
		got := fmt.Sprint(a.Source, " ", a.Stream, " ", a.Subject, " ", a.Reason, " ", a.From.Sub(first), " ", a.To.Sub(first))
		if got != "contoso Audit.Exchange MailItemsAccessed unmatched 0s 1h0m0s" {
			p.Error(got)
		}
	}
	p.arrived()
	if n := p.hours()["MailItemsAccessed"].Count; n != (auditquery.Count{Feed: 40, Query: 40, Verdict: auditquery.Agree}) {
		p.Errorf("%+v", n)
	}
	if n := p.number(`SELECT COUNT(*) FROM auditquery_gap`) + p.number(`SELECT COUNT(*) FROM auditquery_awaited`); n != 0 {
		p.Errorf("%d rows are left", n)
	}
}

// arrived fails the test if it is not said once that what a finding told to be missing has come, which record was the last, and how it came.
func (p *place) arrived() {
	p.Helper()
	_, _, orphans := p.kept()
	told, arrived := map[string]bool{}, 0
	for _, o := range orphans {
		if o.Kind == act.OrphanRecordKind {
			told[o.ID] = true
			continue
		}
		arrived++
		e, err := event.ParseID(o.Record)
		if err != nil {
			p.Fatal(err)
		}
		r, err := p.j.Read(p.Context(), e)
		if err != nil {
			p.Fatal(err)
		}
		if !told[o.Finding] || o.Stream != "Audit.Exchange" || o.Operation != "MailItemsAccessed" || o.Time.IsZero() {
			p.Errorf("%+v", o)
		}
		if o.Happened.UnixNano() != r.Receipt.Time || !slices.ContainsFunc(p.all, func(f fact) bool { return f.id == identify(r.Raw) && f.at.Equal(o.Happened) }) {
			p.Errorf("it is of %s, and the record is %s", o.Happened, r.Raw)
		}
	}
	if arrived != 1 {
		p.Errorf("%d times it is said that what was missing has come", arrived)
	}
}

// followed holds when the check has read all of the journal.
func (p *place) followed() bool {
	return p.number(`SELECT COUNT(*) FROM auditquery_gap`) == 0 && len(p.filled()) > 0
}

// TestLate: when the feed has brought all that a gap is about, whatever its bytes, the gap is taken back, once; and not before.
func TestLate(t *testing.T) {
	const feed, hand = "Audit.Exchange", "import"
	for _, test := range []struct {
		name   string
		bring  func(p *place, ids []string)
		forgot bool // the tables are lost
		awaits int  // records, after that
	}{
		{"the same bytes", func(p *place, ids []string) { p.bring(feed, ids, "") }, false, 0},
		{"other bytes", func(p *place, ids []string) { p.bring(feed, ids, `,"Version":2`) }, false, 0},
		{"both", func(p *place, ids []string) { p.bring(feed, ids[:2], ""); p.bring(feed, ids[1:], `,"Version":2`) }, false, 0},
		{"another content type", func(p *place, ids []string) { p.bring("Audit.General", ids, "") }, false, 0},
		{"all but one", func(p *place, ids []string) { p.bring(feed, ids[1:], "") }, false, 1},
		{"all but one, which somebody imports", func(p *place, ids []string) { p.bring(feed, ids[1:], ""); p.bring(hand, ids[:1], "") }, false, 1},
		{"others", func(p *place, _ []string) { p.bring(feed, []string{p.all[3].id, p.all[6].id}, "") }, false, 4},
		{"the same, and the tables are lost", func(p *place, ids []string) { p.bring(feed, ids, "") }, true, 0},
		{"all but one, and the tables are lost", func(p *place, ids []string) { p.bring(feed, ids[1:], `,"Version":2`) }, true, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, newLog())
			ids := p.lose()
			if len(ids) != 4 {
				t.Fatalf("%d records are missing: the table says something else", len(ids))
			}
			p.run(p.compared)
			p.found(ids)
			test.bring(p, ids)
			if test.forgot {
				if _, err := auditquery.Distrust(t.Context(), p.db, p.j.Origin(), 0); err != nil {
					t.Fatal(err)
				}
			}
			if test.awaits == 0 {
				p.run(p.followed)
				if !test.forgot { // else what was kept is taken for the feed's
					p.healed()
				}
				before := len(p.filled())
				p.looks()
				if n := len(p.filled()); n != before {
					t.Errorf("it is said again: %d times", n)
				}
				return
			}
			p.run(func() bool { return p.number(`SELECT COUNT(*) FROM auditquery_awaited`) == test.awaits })
			p.looks()
			if list := p.filled(); len(list) > 0 {
				t.Errorf("it is said: %+v", list)
			}
			p.bring(feed, ids, "")
			p.run(p.followed)
		})
	}
}

// TestLateMeanwhile: the feed brings it after the check has read what the feed has, and before it keeps its own copy.
func TestLateMeanwhile(t *testing.T) {
	p := newPlace(t, newLog())
	p.bring("Audit.Exchange", p.lose(), "")
	p.run(p.followed)
	if ids, _, _ := p.kept(); len(ids) > 0 {
		t.Errorf("kept are %v, which the journal has", ids)
	}
	p.arrived()
}

// looks lets the check look a few times.
func (p *place) looks() {
	n := 0
	p.run(func() bool { n++; return n > 20 })
}

// TestLateDeath: the machine dies before or after each change of journal and database while the feed brings what it lacked, and while that
// is said.
func TestLateDeath(t *testing.T) {
	died := errors.New("it dies here")
	for step := 0; ; step++ {
		p := newPlace(t, newLog())
		ids := p.lose()
		p.run(p.compared)
		p.bring("Audit.Exchange", ids[:2], "")
		p.bring("Audit.Exchange", ids[2:], `,"Version":2`)
		var n atomic.Int64 // changes
		p.fault = func(string) error {
			if n.Add(1) > int64(step) {
				return died
			}
			return nil
		}
		dead := func() bool { return n.Load() > int64(step) }
		p.run(func() bool { return dead() || p.followed() })
		end := !dead()
		p.fault = nil
		p.run(p.followed)
		p.healed()
		if t.Failed() {
			t.Fatalf("it died at step %d", step)
		}
		if end {
			if step < 6 {
				t.Fatalf("only %d steps: this proves nothing", step)
			}
			return
		}
	}
}
