// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// Engine is the part of detection that remembers: it takes what judges have found, in the order
// of the journal, and makes alerts. It is for one goroutine.
//
// What it remembers is in a pebble database, written by Flush in the batch in which the caller
// moves its position in the journal. So after a crash it stands where that position is, and what
// it says again has the ids that it had before.
type Engine struct {
	book      *Book
	correlate *correlate.State
	behave    *behave.State
	told      told
	gathering gathering
	clock     correlate.Clock
	batch     uint64 // that is being taken
	alerts    []Alert
	// whys are the reasons of hits whose alerts are gathered, until they are told of.
	whys map[why][]Reason
}

// why names a hit.
type why struct {
	rule string
	key  correlate.Key
}

// Quiet keeps the database of an engine from logging.
type Quiet struct{}

// Infof says nothing.
func (Quiet) Infof(string, ...any) {}

// Errorf says nothing: whoever uses the database gets the error.
func (Quiet) Errorf(string, ...any) {}

// Fatalf ends the process, as a database that is damaged must.
func (Quiet) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// NewEngine returns an engine with what db remembers.
func NewEngine(b *Book, db *pebble.DB) *Engine {
	return &Engine{
		book:      b,
		correlate: correlate.NewState(b.correlations, db, []byte("c/")),
		behave:    behave.NewState(b.behaviors, db, []byte("b/")),
		told:      told{readRows[toldHit](db, []byte("t/"))},
		gathering: readGathering(db, []byte("g/")),
	}
}

// Limit says how many bytes what is remembered may take in memory; the rest is in the database
// alone.
func (e *Engine) Limit(bytes int64) {
	e.correlate.Limit(bytes / 2)
	e.behave.Limit(bytes / 2)
}

// Use replaces the book. Rules that have not changed keep what they remember.
func (e *Engine) Use(b *Book) {
	e.book = b
	e.correlate.Replace(b.correlations)
	e.behave.Replace(b.behaviors)
}

// Take takes what one record has matched.
func (e *Engine) Take(ref correlate.Ref, tenant string, found []Found) {
	for i := range found {
		f := &found[i]
		entry := e.book.metas[f.Rule]
		if entry == nil {
			continue // the book was replaced meanwhile, and has it no more
		}
		ref.Rule = f.Rule
		if entry.fed {
			h := correlate.Hit{Ref: ref, Tenant: tenant, Values: e.valuesOf(f)}
			e.feed(&h)
		}
		switch {
		case entry.quiet:
		case e.gathers(entry, f):
			if e.whys == nil {
				e.whys = map[why][]Reason{}
			}
			e.whys[why{f.Rule, ref.Key}] = f.Why
		default:
			e.alerts = append(e.alerts, e.single(entry, ref, tenant, f))
		}
	}
}

func (e *Engine) valuesOf(f *Found) func(string) [][]byte {
	feed := e.book.feeds[f.Rule]
	return func(field string) [][]byte {
		if i := feed.index(field); i >= 0 && i < len(f.values) {
			return f.values[i]
		}
		return nil
	}
}

// gathers reports whether a correlation gathers the rule's alerts. A record that lacks a field by
// which they are gathered is told of by itself.
func (e *Engine) gathers(entry *entry, f *Found) bool {
	if entry.grouped == "" {
		return false
	}
	values := e.valuesOf(f)
	for _, field := range entry.meta.Daybreak.Suppress.By {
		if !slices.ContainsFunc(values(field), func(v []byte) bool { return len(v) > 0 }) {
			return false
		}
	}
	return true
}

func (e *Engine) feed(h *correlate.Hit) {
	e.correlate.Add(h)
	e.behave.Add(h)
}

// Begin tells the engine which batch of the log is taken next.
func (e *Engine) Begin(batch uint64) { e.batch = batch }

// Advance tells the engine how far the stream has come.
func (e *Engine) Advance(c correlate.Clock) {
	e.clock = c
	e.correlate.Advance(c)
	e.behave.Advance(c)
}

// chained bounds how often what has fired is given to those that refer to it.
const chained = 8

// Alerts returns what is new or revised since the last call.
func (e *Engine) Alerts() []Alert {
	for range chained {
		fired := append(e.correlate.Firings(), e.behave.Firings()...)
		if len(fired) == 0 {
			break
		}
		for i := range fired {
			e.fired(&fired[i])
		}
	}
	for _, j := range e.gathering.say(e.suppressFor) {
		if entry := e.book.metas[j.Rule]; entry != nil {
			e.alerts = append(e.alerts, e.joined(entry, &j))
		}
	}
	out := e.alerts
	e.alerts = nil
	clear(e.whys)
	return out
}

func (e *Engine) fired(f *correlate.Firing) {
	key, _ := strings.CutSuffix(f.Rule, gathered)
	entry := e.book.metas[key]
	if entry == nil {
		return
	}
	if entry.kind == "behavior" && entry.fed {
		e.takeBack(f.Replaces)
	}
	if f.Rule == key && entry.fed && len(f.Refs) > 0 {
		// Correlations see their own kind by themselves, and nothing learns from what has fired (see refused).
		h := correlate.Hit{
			Ref:    correlate.Ref{ID: f.Completed.ID, Key: f.ID, Time: f.Completed.Time, Rule: key},
			Tenant: f.Tenant,
			Values: groupValues(f.Group),
		}
		if entry.kind == "behavior" {
			e.correlate.Add(&h)
			e.told.add(f.ID, &toldHit{Rule: key, Tenant: f.Tenant, Time: h.Time, Received: e.clock.Received, Group: f.Group})
		}
	}
	if f.Rule == key && entry.quiet || e.gatherFiring(entry, f) {
		return
	}
	e.alerts = append(e.alerts, e.several(entry, f))
}

// gatherFiring reports whether a firing is told of as part of the alert that its rule's suppression makes of several.
func (e *Engine) gatherFiring(entry *entry, f *correlate.Firing) bool {
	s := entry.suppress()
	return entry.kind != "single" && s != nil && e.gathering.take(s, f)
}

// suppressFor is how long after a firing another one is part of the same alert; zero if its rule
// does not suppress.
func (e *Engine) suppressFor(rule string) time.Duration {
	if entry := e.book.metas[rule]; entry != nil && entry.kind != "single" && entry.suppress() != nil {
		return entry.suppress().For
	}
	return 0
}

func groupValues(g []correlate.GroupValue) func(string) [][]byte {
	return func(field string) [][]byte {
		for i := range g {
			if g[i].Field == field {
				return [][]byte{[]byte(g[i].Value)}
			}
		}
		return nil
	}
}

// Changed is about how many rows the next Flush writes.
func (e *Engine) Changed() int {
	return e.correlate.Changed() + e.behave.Changed() + len(e.told.changed) + len(e.gathering.changed)
}

// Flush writes what has changed since the last time into b.
func (e *Engine) Flush(b *pebble.Batch) error {
	if err := e.correlate.Flush(b); err != nil {
		return err
	}
	if err := e.behave.Flush(b); err != nil {
		return err
	}
	if err := e.told.flush(b, e.clock); err != nil {
		return err
	}
	e.gathering.prune(e.clock.Watermark, e.suppressFor)
	return e.gathering.flush(b)
}

// single makes the alert of a rule that judges one record.
func (e *Engine) single(entry *entry, ref correlate.Ref, tenant string, f *Found) Alert {
	a := e.alert(entry, tenant)
	sum := sha256.Sum256(append([]byte(f.Rule+"\x00"), ref.Key[:]...))
	a.ID = alertID(correlate.Key(sum[:len(ref.Key)]))
	at := time.Unix(0, ref.Time).UTC()
	a.First, a.Last, a.Count, a.Refs = at, at, 1, []correlate.Ref{ref}
	a.Why = f.Why
	a.Sentence = entry.meta.Title
	return a
}

// several makes the alert of a correlation or a behavior.
func (e *Engine) several(entry *entry, f *correlate.Firing) Alert {
	a := e.alert(entry, f.Tenant)
	a.ID = alertID(f.ID)
	for _, k := range f.Replaces {
		a.Replaces = append(a.Replaces, alertID(k))
	}
	a.First, a.Last, a.Count, a.Refs, a.Group = f.From.UTC(), f.To.UTC(), f.Count, f.Refs, f.Group
	a.Completed = f.Completed
	a.Why = e.whys[why{a.Rule, f.Completed.Key}]
	if c := entry.correlation; c != nil {
		a.Why = []Reason{{Field: asked(c), Value: strconv.FormatFloat(f.Value, 'g', 6, 64), Condition: condition(c)}}
	}
	a.Sentence = entry.meta.Title + ": " + f.Sentence
	if entry.kind == "single" || f.Sentence == "" {
		a.Sentence = counted(entry.meta.Title, f)
	}
	return a
}

// joined makes the alert of several firings.
func (e *Engine) joined(entry *entry, j *joint) Alert {
	a := e.several(entry, &j.Firing)
	a.Suppressed = j.suppressed
	if j.suppressed > 0 {
		a.Sentence += " And again, " + plural(j.suppressed, "time") + " until " + a.Last.Format("2006-01-02 15:04 MST") + "."
	}
	return a
}

// asked names what a correlation counts or looks at.
func asked(c *sigma.Correlation) string {
	fields := c.Condition.Fields
	if c.Behavior != nil {
		fields = c.Behavior.Fields
	}
	return strings.Join(fields, ", ")
}

// condition is a correlation's in a line: "event_count gte 10 within 5m0s".
func condition(c *sigma.Correlation) string {
	var b strings.Builder
	b.WriteString(c.Type)
	for _, x := range c.Condition.Compare {
		b.WriteString(" " + x.Op.String() + " " + strconv.FormatFloat(x.N, 'g', 6, 64))
	}
	if c.Condition.Expr != nil {
		b.WriteString(" " + sigma.Format(c.Condition.Expr))
	}
	if c.Timespan > 0 {
		b.WriteString(" within " + c.Timespan.String())
	}
	return b.String()
}

// counted says how often, for an alert that has no words of its own.
func counted(title string, f *correlate.Firing) string {
	var b strings.Builder
	b.WriteString(title)
	if f.Count > 1 {
		b.WriteString(": ")
		b.WriteString(plural(f.Count, "record"))
		b.WriteString(" in ")
		b.WriteString(span(f.To.Sub(f.From)))
	}
	for i, g := range f.Group {
		if i == 0 {
			b.WriteString(" for ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(g.Field + " " + g.Value)
	}
	return b.String()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// span is a length of time for people, to two units.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return plural(int(d/time.Second), "second")
	case d < time.Hour:
		return plural(int(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return plural(int(d/time.Hour), "hour") + strings.TrimSuffix(" "+plural(int(d%time.Hour/time.Minute), "minute"), " 0 minutes")
	}
	return plural(int(d/(24*time.Hour)), "day")
}

func (e *Engine) alert(entry *entry, tenant string) Alert {
	m := entry.meta
	a := Alert{
		Tenant: tenant, Rule: m.Key(), Title: m.Title, Description: m.Description, Level: cmp.Or(m.Level, "medium"),
		Tags: m.Tags, Kind: entry.kind, Revision: int(e.batch),
	}
	if m.Daybreak != nil {
		a.Footholds = m.Daybreak.Footholds
	}
	return a
}

func alertID(k correlate.Key) string { return "a" + hex.EncodeToString(k[:]) }

// Standing applies revisions and replacements, joins what is evidence of one act, and returns what stands at the end, by first time
// and id: what a run over a finite input has found.
func Standing(alerts []Alert) []Alert {
	at := map[string]int{}
	var out []*Alert
	for i := range alerts {
		a := &alerts[i]
		for _, id := range a.Replaces {
			if j, ok := at[id]; ok {
				out[j] = nil
				delete(at, id)
			}
		}
		if j, ok := at[a.ID]; ok && a.OneAct() {
			joined := *out[j]
			joined.Join(a)
			out[j] = &joined
			continue
		}
		if j, ok := at[a.ID]; ok {
			if len(a.Why) == 0 { // a revision that another record has made
				a.Why = out[j].Why
			}
			out[j] = a
			continue
		}
		at[a.ID] = len(out)
		out = append(out, a)
	}
	var list []Alert
	for _, a := range out {
		if a != nil && len(a.Refs) > 0 {
			list = append(list, *a)
		}
	}
	slices.SortStableFunc(list, func(a, b Alert) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.ID, b.ID))
	})
	return list
}
