// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/normalize"
)

// packLabels are files of labelled records: each line has one, and whether it is to be found.
var packLabels = []string{"invictus_o365_annotated", "panther_m365", "panther_azure_entra"}

// labelledRecord is a line of such a file.
type labelledRecord struct {
	Event    json.RawMessage
	Sequence []json.RawMessage // instead of one record
	Expect   struct {
		Match     *bool
		Verdict   string
		Criterion string
		Rule      string
		Mitre     []string
	}
}

// has reports whether the line has a record.
func (l *labelledRecord) has() bool { return len(l.Event) > 0 && string(l.Event) != "null" }

// sequences judges labels of several records, each as a stream of its own.
func sequences(b *detect.Book, lines []labelledRecord, by [][]string) error {
	for i, l := range lines {
		if l.has() || len(l.Sequence) == 0 {
			continue
		}
		var part []labelledRecord
		for _, raw := range l.Sequence {
			part = append(part, labelledRecord{Event: raw})
		}
		found, err := foundIn(b, part)
		if err != nil {
			return err
		}
		for _, f := range found {
			by[i] = append(by[i], f...)
		}
	}
	return nil
}

// ownPack holds our own rules against labelled records. A record counts as found if an alert of
// low or above is about it, by itself or with others of its file.
func (r *report) ownPack(data string) error {
	b, err := detect.Open(detect.BookOptions{Builtin: true})
	if err != nil {
		return err
	}
	for _, p := range b.Problems {
		r.detail("%s", p.Error())
	}
	if len(b.Problems) > 0 {
		r.printf("%-40s %d problems (-v lists them)\n", "our own rules", len(b.Problems))
	}
	found, positives := map[string]int{}, map[string]int{} // by technique
	for _, file := range packLabels {
		lines, err := readLabelled(filepath.Join(data, "labelled", file+".jsonl"))
		if err != nil {
			return err
		}
		by, err := foundIn(b, lines)
		if err == nil {
			err = sequences(b, lines, by)
		}
		if err != nil {
			return err
		}
		hit, pos, alarms, neg := 0, 0, 0, 0
		for i, l := range lines {
			switch {
			case l.Expect.Match == nil, !l.has() && len(l.Sequence) == 0:
			case *l.Expect.Match:
				pos++
				for _, t := range l.Expect.Mitre {
					positives[techniqueOf(t)]++
				}
				if len(by[i]) > 0 {
					hit++
					for _, t := range l.Expect.Mitre {
						found[techniqueOf(t)]++
					}
				} else {
					r.detail("%s:%d: not found: %s%s", file, i+1, l.Expect.Criterion, l.Expect.Rule)
				}
			default:
				if neg++; len(by[i]) > 0 {
					alarms++
					r.detail("%s:%d: a false alarm: %s; %s%s", file, i+1, strings.Join(by[i], ", "), l.Expect.Criterion, l.Expect.Rule)
				}
			}
		}
		r.printf("%-40s found %d of %d, %d false alarms on %d negatives\n", "our own rules on "+file, hit, pos, alarms, neg)
		r.reached["detect own "+file] = hit
	}
	var list []string
	for t := range positives {
		list = append(list, fmt.Sprintf("%s %d/%d", t, found[t], positives[t]))
	}
	slices.Sort(list)
	r.printf("%-40s %s\n", "by technique", strings.Join(list, "  "))
	return nil
}

// techniqueOf takes the technique's id out of "TA0003:T1098".
func techniqueOf(s string) string {
	if _, t, ok := strings.Cut(s, ":"); ok {
		return t
	}
	return s
}

func readLabelled(name string) (list []labelledRecord, err error) {
	err = eachLine(name, func(_ int, raw []byte) error {
		var l labelledRecord
		if err := json.Unmarshal(raw, &l); err != nil {
			return err
		}
		list = append(list, l)
		return nil
	})
	return list, err
}

// foundIn judges the records of a file as one stream and returns, for each, the rules that
// have found it.
func foundIn(b *detect.Book, lines []labelledRecord) ([][]string, error) {
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	e, j := detect.NewEngine(b, db), judge(b)
	var id normalize.Normalizer
	for i, l := range lines {
		if !l.has() {
			continue
		}
		family := familyOf(l.Event)
		known := id.Identify(l.Event, family)
		e.Take(correlate.Ref{
			ID: event.ID{Index: uint32(i)}, Time: known.Time, Key: detect.KeyOf(string(known.Tenant), family, known.ID, l.Event),
		}, string(known.Tenant), j.Record(l.Event, family, nil))
	}
	alerts := e.Alerts()
	e.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
	by := make([][]string, len(lines))
	for _, a := range detect.Standing(append(alerts, e.Alerts()...)) {
		if a.Level == "informational" {
			continue
		}
		for _, ref := range a.Refs {
			by[ref.ID.Index] = append(by[ref.ID.Index], a.Title)
		}
	}
	return by, nil
}
