// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/coverage"
)

// Statement says of every stream and every interval of a period what is known.
type Statement struct {
	Made            time.Time `json:"made"`             // by our clock; a part of what states depend on
	Tenant          string    `json:"tenant,omitempty"` // the only one that it is about; empty: all
	Since           time.Time `json:"since"`            // by the provider's clock
	Until           time.Time `json:"until"`
	IntervalSeconds int64     `json:"interval_seconds"`
	Log             Log       `json:"log"`
	// Expected are the streams that the providers of the configured sources have.
	Expected []Expected `json:"expected"`
	Totals   Totals     `json:"totals"`
	Streams  []Stream   `json:"streams"`
	// Canaries are those that were planted in the period, by our clock. Version 1 of the form does not have them.
	Canaries []Canary `json:"canaries,omitzero"`
}

// Log is the state of the log under which a document was made.
type Log struct {
	Origin string `json:"origin"`
	// Entries: it is made of the acts of so many entries.
	Entries uint64 `json:"entries"`
	// Checkpoint is a signed checkpoint of the log that covers them.
	Checkpoint string `json:"checkpoint"`
}

// Expected is a stream that a provider has.
type Expected struct {
	Tenant    string `json:"tenant"`
	Source    string `json:"source"`
	Stream    string `json:"stream"`
	Collected bool   `json:"collected"` // the configuration asks for it
}

// Totals add up all streams.
type Totals struct {
	States States `json:"intervals"`
	Counts
}

// States count intervals by their state.
type States struct {
	Complete     int `json:"complete"`
	Late         int `json:"late"`
	Gap          int `json:"gap"`
	Blind        int `json:"blind"`
	NotCollected int `json:"not_collected"`
	Unknown      int `json:"unknown"`
}

// Counts add up what came of blobs.
type Counts struct {
	Blobs      int64 `json:"blobs"`
	Sealed     int64 `json:"sealed"`
	LateBlobs  int64 `json:"late_blobs"`
	Records    int64 `json:"records"`
	Stored     int64 `json:"stored"`
	Duplicates int64 `json:"duplicates"`
	Mutated    int64 `json:"mutated"`
	Unreadable int64 `json:"unreadable"`
	Bytes      int64 `json:"bytes"`
}

// Stream is what is said of one stream.
type Stream struct {
	Tenant string `json:"tenant"`
	Source string `json:"source"`
	Stream string `json:"stream"`
	// Caution says in a sentence what the intervals cannot: that canaries are missing from it.
	Caution string    `json:"caution,omitempty"`
	Now     time.Time `json:"now"`             // the present by the provider's clock
	Listed  time.Time `json:"listed,omitzero"` // when the last listing was begun
	Settle  int64     `json:"settle_seconds"`  // how long after its end an interval must be listed
	States  States    `json:"intervals"`
	Counts
	// Outstanding blobs were listed and are not sealed.
	Outstanding int  `json:"outstanding"`
	Tail        Tail `json:"tail"`
	// Runs follow one another without a hole.
	Runs []Run `json:"runs"`
	// Gaps are those that are open, with their exact bounds.
	Gaps []Gap `json:"gaps"`
}

// Tail is what comes after the last complete interval: what is on its way, or overdue.
type Tail struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Seconds int64     `json:"seconds"`
}

// Run is some intervals one after the other of which the same is said.
type Run struct {
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	State       string    `json:"state"`
	Reason      string    `json:"reason,omitempty"`
	Subject     string    `json:"subject,omitempty"` // who or what of the stream; absent: all of it
	Intervals   int       `json:"intervals"`
	Blobs       int64     `json:"blobs"`
	Sealed      int64     `json:"sealed"`
	Records     int64     `json:"records"`
	Outstanding int       `json:"outstanding,omitempty"`
	// AsOf is the moment that the state speaks for: the earliest of the listings that
	// cover the run.
	AsOf     time.Time `json:"as_of,omitzero"`
	Evidence Evidence  `json:"evidence"`
}

// Evidence are event ids of acts in the journal.
type Evidence struct {
	Listing string `json:"listing,omitempty"` // that AsOf is of
	First   string `json:"first,omitempty"`   // that spoke of a blob of the run
	Last    string `json:"last,omitempty"`
	Why     string `json:"why,omitempty"` // the gap, or the listing that named the oldest blob that is missing
}

// Gap is an open gap.
type Gap struct {
	From      time.Time `json:"from"`
	To        time.Time `json:"to,omitzero"` // absent: it goes on
	Blob      string    `json:"blob,omitempty"`
	Permanent bool      `json:"permanent"`
	Reason    string    `json:"reason"`
	Subject   string    `json:"subject,omitempty"` // who or what of the stream; absent: all of it
	Message   string    `json:"message,omitempty"`
	Act       string    `json:"act"`
}

// Canary is what became of the canaries of a kind and one channel: of harmless acts, done in the tenant so that their records
// must come. Planted is the sum of Arrived, Missing, Awaited and Untold.
type Canary struct {
	Tenant  string `json:"tenant"`
	Source  string `json:"source"`
	Kind    string `json:"kind"`
	Channel string `json:"channel,omitempty"` // absent: nothing was told of any yet
	Stream  string `json:"stream,omitempty"`  // of this statement, that has the channel; absent: none is known to
	Planted int    `json:"planted"`
	Arrived int    `json:"arrived"`
	Late    int    `json:"arrived_late"` // of those: when they had been said to be missing
	Missing int    `json:"missing"`
	Awaited int    `json:"awaited"`
	Untold  int    `json:"untold"` // nobody was there to be told of them
	// How long after the act the record was durable, by our clock, of those that arrived.
	P50     int64 `json:"p50_ms"`
	P95     int64 `json:"p95_ms"`
	Longest int64 `json:"longest_ms"`
	// Lost are the latest that are missing, at most [coverage.MaxLost].
	Lost []Lost `json:"missing_latest"`
}

// Lost is a canary that is missing.
type Lost struct {
	Planted time.Time `json:"planted"`
	Act     string    `json:"act"` // event id of the act that says so
}

// Query is the question to package coverage that a statement answers: one that depends on
// nothing but the acts and what the statement itself says.
func Query(since, until, made time.Time, expected []coverage.Stream) coverage.Query {
	return coverage.Query{Since: since, Until: until, Wall: made, Expected: expected}
}

// Of makes the statement of a report that answers [Query], on one tenant if one is named. Of a report that does not know of canaries
// it is one of the first version.
func Of(r *coverage.Report, q coverage.Query, tenant string, log Log) *Statement {
	s := &Statement{
		Made: q.Wall.UTC(), Tenant: tenant, Since: r.Since, Until: r.Until, IntervalSeconds: int64(coverage.Interval / time.Second),
		Log: log, Expected: []Expected{}, Streams: []Stream{},
	}
	about := func(of string) bool { return tenant == "" || of == tenant }
	for _, e := range q.Expected {
		if about(e.Tenant) {
			s.Expected = append(s.Expected, Expected(e))
		}
	}
	var counts coverage.Counts
	for i := range r.Feeds {
		if f := &r.Feeds[i]; about(f.Tenant) {
			s.Streams = append(s.Streams, streamOf(r, f))
			s.Totals.States.add(s.Streams[len(s.Streams)-1].States)
			counts.Add(&f.Counts)
		}
	}
	s.Totals.Counts = Counts(counts)
	if r.Canaries != nil {
		s.canaries(r.Canaries)
	}
	return s
}

// canaries takes in what is known of them, and has each stream that one is missing from say so.
func (s *Statement) canaries(list []coverage.Canary) {
	s.Canaries = []Canary{}
	for i := range list {
		k := &list[i]
		if s.Tenant != "" && k.Tenant != s.Tenant {
			continue
		}
		c := Canary{
			Tenant: k.Tenant, Source: k.Source, Kind: k.Kind, Channel: k.Channel, Stream: k.Stream,
			Planted: k.Planted, Arrived: k.Arrived, Late: k.Late, Missing: k.Missing, Awaited: k.Awaited, Untold: k.Untold,
			P50: k.P50.Milliseconds(), P95: k.P95.Milliseconds(), Longest: k.Longest.Milliseconds(), Lost: []Lost{},
		}
		for _, l := range k.Lost {
			c.Lost = append(c.Lost, Lost(l))
		}
		if at := slices.IndexFunc(s.Streams, func(f Stream) bool { return f.Tenant == c.Tenant && f.Stream == c.Stream }); at >= 0 {
			f := &s.Streams[at]
			f.Caution = strings.TrimSpace(f.Caution + " " + c.Caution())
		}
		s.Canaries = append(s.Canaries, c)
	}
}

// Caution is a sentence about those that are missing; empty if none is.
func (c *Canary) Caution() string {
	if c.Missing == 0 || len(c.Lost) == 0 {
		return ""
	}
	verb := "have"
	if c.Missing == 1 {
		verb = "has"
	}
	return fmt.Sprintf("%d of %d harmless acts (%s) that were done in this time %s left no record in %s, the last at %s: what was offered is in the log, but not all that happened was offered.",
		c.Missing, c.Planted, c.Kind, verb, c.Channel, stamp(c.Lost[len(c.Lost)-1].Planted))
}

// Where says in words what a line is about.
func (c *Canary) Where() string {
	return c.Kind + ", " + cmp.Or(c.Channel, "told of through no channel yet")
}

// Delays says in words how long the records took.
func (c *Canary) Delays() string {
	if c.Arrived == 0 {
		return ""
	}
	span := func(ms int64) string {
		return (time.Duration(ms) * time.Millisecond).Round(100 * time.Millisecond).String()
	}
	return span(c.P50) + " / " + span(c.P95) + " / " + span(c.Longest)
}

// MissingCanaries is how many are missing, one in each channel counted apart.
func (s *Statement) MissingCanaries() (n int) {
	for i := range s.Canaries {
		n += s.Canaries[i].Missing
	}
	return n
}

// CanaryLine says in words how canaries stand; empty if the statement's version says nothing of them.
func (s *Statement) CanaryLine() string {
	switch n := s.MissingCanaries(); {
	case s.first():
		return ""
	case len(s.Canaries) == 0:
		return "none was planted: whether all that happened was offered was not tried"
	case n == 0:
		return "none is missing from a channel through which it was awaited"
	default:
		return fmt.Sprintf("missing from a channel: %d; not all that happened was offered", n)
	}
}

func streamOf(r *coverage.Report, f *coverage.Feed) Stream {
	s := Stream{
		Tenant: f.Tenant, Source: f.Source, Stream: f.Stream, Now: f.Now, Listed: f.Listed, Settle: int64(f.Settle / time.Second),
		States: statesOf(f), Counts: Counts(f.Counts), Outstanding: f.Outstanding, Runs: []Run{}, Gaps: []Gap{},
	}
	end := f.Now
	if r.Until.Before(end) {
		end = r.Until
	}
	s.Tail = Tail{From: r.Since, To: end}
	for i := range r.Spans {
		p := &r.Spans[i]
		if p.Tenant != f.Tenant || p.Stream != f.Stream {
			continue
		}
		s.Runs = append(s.Runs, Run{
			From: p.From, To: p.To, State: string(p.State), Reason: p.Reason, Subject: p.Subject, Intervals: p.Intervals, Blobs: p.Blobs, Sealed: p.Sealed,
			Records: p.Records, Outstanding: p.Outstanding, AsOf: p.AsOf, Evidence: Evidence{p.Listing, p.First, p.Last, p.Why},
		})
		if p.State == coverage.Complete {
			s.Tail.From = p.To
		}
	}
	if s.Tail.From.After(s.Tail.To) {
		s.Tail.From = s.Tail.To
	}
	s.Tail.Seconds = int64(s.Tail.To.Sub(s.Tail.From) / time.Second)
	for i := range r.Gaps {
		if g := &r.Gaps[i]; g.Tenant == f.Tenant && g.Stream == f.Stream {
			s.Gaps = append(s.Gaps, Gap{g.From, g.To, g.Blob, g.Permanent, g.Reason, g.Subject, g.Message, g.Act})
		}
	}
	return s
}

func statesOf(f *coverage.Feed) States {
	n := f.Intervals
	return States{
		n[coverage.Complete], n[coverage.Late], n[coverage.Gap], n[coverage.Blind], n[coverage.Unavailable], n[coverage.Unknown],
	}
}

// String tells all of them.
func (s States) String() string {
	return fmt.Sprintf("%d complete, %d late, %d with a gap, %d blind, %d not collected, %d unknown", s.Complete, s.Late, s.Gap, s.Blind, s.NotCollected, s.Unknown)
}

func (s *States) add(o States) {
	s.Complete += o.Complete
	s.Late += o.Late
	s.Gap += o.Gap
	s.Blind += o.Blind
	s.NotCollected += o.NotCollected
	s.Unknown += o.Unknown
}

// expected gives back what the statement was made with.
func (s *Statement) expected() []coverage.Stream {
	list := make([]coverage.Stream, len(s.Expected))
	for i, e := range s.Expected {
		list[i] = coverage.Stream(e)
	}
	return slices.Clip(list)
}
