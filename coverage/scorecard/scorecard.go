// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package scorecard says how well each vendor delivers, by the same yardstick for all:
// how long after an event its record was offered, what came twice or late or not at all,
// what its records lack, how often a listing worked and for how long we were made to wait.
//
// Delivery is told by stream and operation, from the measurements and the acts that
// package coverage keeps; what records lack by family and operation, from the lake. All
// of it is of the time asked for, delays of at most the 35 days that they are kept. Delays
// are of the records that became searchable in that time, back-filled ones too, for a
// vendor's own delay does not depend on whether we ran; a figure is at most a sixteenth
// too large.
//
// These are measurements and not evidence: unlike a coverage statement, a scorecard
// cannot be derived again from the log. Its signature says who made it.
//
// How long a harmless act of our own took to become a durable record, and what share of such records came, is told by
// channel from the acts of package canary.
//
// Known hole: an act that somebody imports counts as a listing, for the lake does not tell
// it apart. Failures and waits are read from the journal, which does.
package scorecard

import (
	"cmp"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/coverage"
)

// Scorecard is the whole, and the body of what is signed.
type Scorecard struct {
	Made    time.Time `json:"made"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Streams []Stream  `json:"streams"`
	Content []Content `json:"content"`
	Drift   []Drift   `json:"drift"`
	Targets []Outcome `json:"targets"`
	// Canaries are those that were planted in the time. Version 1 of the form does not have them.
	Canaries []Canary `json:"canaries,omitzero"`
}

// Stream is how a stream was delivered.
type Stream struct {
	Vendor string `json:"vendor"` // type of the source in the configuration, else its name
	Tenant string `json:"tenant"`
	Stream string `json:"stream"`

	Delay      Delay       `json:"offered_after"` // of all operations
	Order      Order       `json:"order"`
	Own        Own         `json:"own,omitzero"`
	Operations []Operation `json:"operations"` // the most frequent first
	Days       []Day       `json:"days"`

	Records          int64 `json:"records"`
	Duplicates       int64 `json:"duplicates"` // of the records; delivered before
	Blobs            int64 `json:"blobs"`
	LateBlobs        int64 `json:"late_blobs"` // of the blobs; backdated: no listing in time named them
	IntervalsLost    int   `json:"intervals_with_gap"`
	IntervalsBlind   int   `json:"intervals_blind"`
	IntervalsOffered int   `json:"intervals"` // of those that are due and collected
	OpenGaps         int   `json:"open_gaps"`

	Effort
}

// Effort is what it took to get the records, from the acts.
type Effort struct {
	Listings         int64 `json:"listings"`          // acts of listings that worked
	Failures         int64 `json:"failures"`          // requests that did not, of any kind
	AvailabilityPPM  int64 `json:"availability_ppm"`  // listings of both, in a million; -1: nobody asked
	ThrottledSeconds int64 `json:"throttled_seconds"` // that the provider, or our budget for it, made us wait
}

// Delay is how long after the event its record was offered, in milliseconds.
type Delay struct {
	Records uint64 `json:"records"`
	P50     int64  `json:"p50_ms"`
	P95     int64  `json:"p95_ms"`
	P99     int64  `json:"p99_ms"`
}

// Order is how far a stream is from the order of its events: how much older an event is than the latest one that was
// offered before it, in milliseconds.
type Order struct {
	Records uint64 `json:"records"` // whose place could be told
	Behind  uint64 `json:"behind"`  // of those, by a second or more
	P95     int64  `json:"p95_ms"`
	P99     int64  `json:"p99_ms"`
}

// Own is how much of a stream is of what this program itself did when it read logs, as the configuration of the time told. It is
// absent where nothing is known of it, as in scorecards that were made before it was counted.
type Own struct {
	Records uint64 `json:"records"` // of which it is known
	Own     uint64 `json:"own"`
}

// Canary is what became of the harmless acts of one kind whose records must come through a channel (package canary): the one
// delay that begins with an act of ours, and ends with a durable record.
type Canary struct {
	Vendor  string `json:"vendor"` // of the stream that has the channel; of the canaries' source if none is known to
	Tenant  string `json:"tenant"`
	Kind    string `json:"kind"`
	Channel string `json:"channel"`
	Planted int    `json:"planted"`
	Arrived int    `json:"arrived"`
	Missing int    `json:"missing"`
	// ArrivedPPM are those that arrived, of these and the missing, in a million; -1 if there was neither.
	ArrivedPPM int64 `json:"arrived_ppm"`
	Delay      Delay `json:"arrived_after"` // from the act to the durable record
	Days       []Day `json:"days"`          // on which some were planted that arrived
}

// Operation is the delay of one operation.
type Operation struct {
	Operation string `json:"operation"`
	Delay
}

// Day is the delay of a stream on one day (UTC, our clock).
type Day struct {
	Day string `json:"day"`
	Delay
}

// Content is what the records of an operation lack.
type Content struct {
	Tenant    string `json:"tenant"`
	Family    string `json:"family"`
	Operation string `json:"operation"`
	Records   int64  `json:"records"`
	NoAddress int64  `json:"without_address"` // no source address
	NoActor   int64  `json:"without_actor"`   // neither a user nor an application
	NoObject  int64  `json:"without_object"`  // neither an object nor a target
}

// Drift is a kind of record that the mapping did not know.
type Drift struct {
	Family string    `json:"family"`
	What   string    `json:"what"`
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Count  int64     `json:"count"`
}

// Delivered fills a stream from what coverage knows of it.
func Delivered(vendor string, f *coverage.Feed, gaps []coverage.OpenGap, e Effort) Stream {
	n := f.Intervals
	s := Stream{
		Vendor: vendor, Tenant: f.Tenant, Stream: f.Stream, Operations: []Operation{}, Days: []Day{},
		Records: f.Records, Duplicates: f.Duplicates, Blobs: f.Blobs, LateBlobs: f.LateBlobs,
		IntervalsLost: n[coverage.Gap], IntervalsBlind: n[coverage.Blind],
		IntervalsOffered: n[coverage.Complete] + n[coverage.Late] + n[coverage.Gap] + n[coverage.Blind], Effort: e,
	}
	for i := range gaps {
		if gaps[i].Tenant == f.Tenant && gaps[i].Stream == f.Stream {
			s.OpenGaps++
		}
	}
	s.AvailabilityPPM = -1
	if all := e.Listings + e.Failures; all > 0 {
		s.AvailabilityPPM = e.Listings * 1_000_000 / all
	}
	return s
}

// Planted takes in what became of canaries; what was told of no channel yet says nothing of any. vendor is that of the source
// that planted them, where no stream has the channel. The streams must be there.
func (s *Scorecard) Planted(list []coverage.Canary, vendor func(source string) string) {
	s.Canaries = []Canary{}
	for i := range list {
		k := &list[i]
		if k.Channel == "" {
			continue
		}
		c := Canary{
			Vendor: vendor(k.Source), Tenant: k.Tenant, Kind: k.Kind, Channel: k.Channel, Planted: k.Planted, Arrived: k.Arrived, Missing: k.Missing,
			ArrivedPPM: -1, Delay: delayOfCanary(k), Days: []Day{},
		}
		for j := range s.Streams {
			if f := &s.Streams[j]; f.Tenant == k.Tenant && f.Stream == k.Stream {
				c.Vendor = f.Vendor
			}
		}
		if due := k.Arrived + k.Missing; due > 0 {
			c.ArrivedPPM = int64(k.Arrived) * 1_000_000 / int64(due)
		}
		s.Canaries = append(s.Canaries, c)
	}
}

// PlantedOn takes in what became of those that were planted on one day.
func (s *Scorecard) PlantedOn(day string, list []coverage.Canary) {
	for i := range s.Canaries {
		c := &s.Canaries[i]
		for j := range list {
			if k := &list[j]; k.Arrived > 0 && k.Tenant == c.Tenant && k.Kind == c.Kind && k.Channel == c.Channel {
				c.Days = append(c.Days, Day{day, delayOfCanary(k)})
			}
		}
	}
}

func delayOfCanary(k *coverage.Canary) Delay {
	return Delay{uint64(k.Arrived), k.P50.Milliseconds(), k.P95.Milliseconds(), k.P99.Milliseconds()}
}

// Delays takes in those of the stream.
func (s *Stream) Delays(list []coverage.Delay) {
	for i := range list {
		d := &list[i]
		switch {
		case !s.has(d):
		case d.Operation == "":
			p := &d.Steps[coverage.Disorder]
			s.Delay, s.Order, s.Own = delayOf(d), Order{p.Records, p.Seconds, p.P95.Milliseconds(), p.P99.Milliseconds()}, Own{d.Told, d.Own}
		default:
			s.Operations = append(s.Operations, Operation{d.Operation, delayOf(d)})
		}
	}
	slices.SortStableFunc(s.Operations, func(a, b Operation) int { return -cmp.Compare(a.Records, b.Records) })
}

// Day takes in the delays of one day.
func (s *Stream) Day(day string, list []coverage.Delay) {
	for i := range list {
		if d := &list[i]; s.has(d) && d.Operation == "" {
			s.Days = append(s.Days, Day{day, delayOf(d)})
		}
	}
}

func (s *Stream) has(d *coverage.Delay) bool {
	return d.Live && d.Tenant == s.Tenant && d.Stream == s.Stream
}

func delayOf(d *coverage.Delay) Delay {
	p := &d.Steps[coverage.Offering]
	return Delay{p.Records, p.P50.Milliseconds(), p.P95.Milliseconds(), p.P99.Milliseconds()}
}
