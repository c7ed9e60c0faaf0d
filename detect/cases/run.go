// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import (
	"fmt"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
)

// Result is what became of one case.
type Result struct {
	File, Rule, Case, Kind string
	Want, Got              int
	Err                    error
	Alerts                 []detect.Alert // of the rule under test
}

// OK reports whether the rule did what the case asks for.
func (r *Result) OK() bool { return r.Err == nil && r.Want == r.Got }

func (r *Result) String() string {
	if r.Err != nil {
		return fmt.Sprintf("%s: %s: %v", r.File, r.Case, r.Err)
	}
	return fmt.Sprintf("%s: %s (%s): %d alerts instead of %d", r.File, r.Case, r.Kind, r.Got, r.Want)
}

// Run runs the cases of a file by a book, and calls f with each result.
func Run(b *detect.Book, file *File, f func(*Result)) {
	key, ok := b.Key(file.Rule)
	for i := range file.Cases {
		c := &file.Cases[i]
		r := &Result{File: file.Name, Rule: file.Rule, Case: c.Name, Kind: c.Kind, Want: c.want()}
		switch {
		case !ok:
			r.Err = fmt.Errorf("there is no rule %q", file.Rule)
		default:
			var alerts []detect.Alert
			alerts, r.Err = judge(b, c)
			for _, a := range alerts {
				if a.Rule == key {
					r.Alerts = append(r.Alerts, a)
				}
			}
			r.Got = len(r.Alerts)
		}
		f(r)
	}
}

// judge returns what stands when the records of a case were judged.
func judge(b *detect.Book, c *Case) ([]detect.Alert, error) {
	records, err := c.Records()
	if err != nil {
		return nil, err
	}
	src, _ := normalize.Lookup(c.Source)
	var n normalize.Normalizer
	en := enrich.Table(c.table())
	var out []byte
	j := b.NewJudge(func(raw []byte, root jsontape.Value, family event.Family) []byte {
		e := n.Parsed(raw, root, family)
		en.Apply(e)
		out = e.AppendJSON(out[:0])
		return out
	})
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	e := detect.NewEngine(b, db)
	var id normalize.Normalizer
	for i, raw := range records {
		known := id.Identify(raw, src.Family)
		tenant := string(known.Tenant)
		found := j.Record(raw, src.Family, nil)
		family, of := normalize.Activity(j.Root(), src.Family, known.ID)
		ref := correlate.Ref{ID: event.ID{Index: uint32(i + 1)}, Time: known.Time, Key: detect.KeyOf(tenant, family, of, raw)}
		e.Take(ref, tenant, found)
	}
	alerts := e.Alerts()
	e.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
	return detect.Standing(append(alerts, e.Alerts()...)), nil
}
