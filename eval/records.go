// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// tally is what the records of one file came to.
type tally struct {
	records, valid, specific, slips, drift int
	families                               map[event.Family]int
}

// records normalizes every record there is and prints, by file, how many were
// read, made valid events and understood. Files of which no record has a
// source of its own yet are summed up in one line.
func (r *report) records(data string) error {
	r.printf("%-52s %8s %8s %9s %6s %6s  %s\n", "records", "read", "valid", "specific", "slips", "drift", "recognized as")
	var all, rest tally
	restFiles := 0
	for _, pattern := range []string{"raw/*/*.jsonl", "labelled/*.jsonl"} {
		files, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil {
			return err
		}
		for _, name := range files {
			t, err := r.file(name)
			if err != nil {
				return err
			}
			all.add(t)
			if t.records == t.families[generic] {
				rest.add(t)
				restFiles++
				continue
			}
			r.row(base(name), t)
			r.reached["specific "+base(name)] = t.specific
		}
	}
	r.row(fmt.Sprintf("%d files without a source of their own", restFiles), rest)
	r.row("all", all)
	if all.valid < all.records {
		r.miss("%d of %d events are not valid OCSF %s", all.records-all.valid, all.records, ocsf.Version)
	}
	r.printf("\n")
	return nil
}

func (t *tally) add(o tally) {
	t.records += o.records
	t.valid += o.valid
	t.specific += o.specific
	t.slips += o.slips
	t.drift += o.drift
	if t.families == nil {
		t.families = map[event.Family]int{}
	}
	for f, n := range o.families {
		t.families[f] += n
	}
}

func (r *report) row(name string, t tally) {
	var families []string
	for _, f := range slices.SortedFunc(maps.Keys(t.families), func(a, b event.Family) int { return t.families[b] - t.families[a] }) {
		families = append(families, fmt.Sprintf("%s %d", f, t.families[f]))
	}
	r.printf("%-52s %8d %7s%% %8s%% %6d %6d  %s\n", name, t.records, percent(t.valid, t.records), percent(t.specific, t.records), t.slips, t.drift, strings.Join(families, ", "))
}

// percent never rounds up to 100.
func percent(n, of int) string {
	switch {
	case of == 0:
		return "-"
	case n == of:
		return "100"
	}
	return fmt.Sprintf("%.1f", float64(n*1000/of)/10)
}

// file normalizes the records of one file: each line, or in a labelled file
// what its members event and sequence hold.
func (r *report) file(name string) (tally, error) {
	t := tally{families: map[event.Family]int{}}
	labelled := filepath.Base(filepath.Dir(name)) == "labelled"
	var n normalizer
	err := eachLine(name, func(line int, raw []byte) error {
		records := []json.RawMessage{raw}
		if labelled {
			var err error
			if records, err = labelledRecords(raw); err != nil {
				return fmt.Errorf("%s:%d: %w", base(name), line, err)
			}
		}
		for _, record := range records {
			r.record(&n, &t, fmt.Sprintf("%s:%d", base(name), line), record)
		}
		return nil
	})
	return t, err
}

func labelledRecords(raw []byte) ([]json.RawMessage, error) {
	var l struct {
		Event    json.RawMessage
		Sequence []json.RawMessage
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return nil, err
	}
	if len(l.Event) > 0 && string(l.Event) != "null" {
		return []json.RawMessage{l.Event}, nil
	}
	return l.Sequence, nil
}

func (r *report) record(n *normalizer, t *tally, where string, raw []byte) {
	got := n.normalize(raw)
	e := got.event
	t.records++
	t.families[got.family]++
	if got.drift != "" {
		t.drift++
		r.detail("%s: drift: %s", where, got.drift)
	}
	if got.ambiguous != nil {
		r.miss("%s: has the shape of %v", where, got.ambiguous)
	}
	out := e.AppendJSON(nil)
	valid := json.Valid(out)
	for _, p := range ocsf.Validate(out) {
		if !p.Warning {
			valid = false
			r.detail("%s: INVALID: %s", where, p)
		}
	}
	if valid {
		t.valid++
	}
	if specific(e) {
		t.specific++
	} else if got.family != generic {
		r.detail("%s: only generic: %s", where, e.Str(ocsf.PathAPIOperation))
	}
	if len(e.Unfit) > 0 {
		t.slips++
	}
	for _, a := range e.Unfit {
		r.detail("%s: slip: class %d has no place for %s = %q %d", where, e.Class, a.Path, a.Str, a.Num)
	}
}

// specific reports whether the event says what kind of thing happened: its
// class is not the Base Event, and neither is it an API Activity of which not
// even create, read, update or delete could be told.
func specific(e *ocsf.Event) bool {
	switch e.Class {
	case ocsf.ClassBaseEvent:
		return false
	case ocsf.ClassAPIActivity:
		return e.Activity != 0 && e.Activity != 99
	}
	return true
}
