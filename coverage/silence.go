// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// How a workload that should be heard is told from one that has nothing to say.
const (
	// quiet is the least silence that means anything: the provider offers
	// records in blobs, some minutes apart.
	quiet = 10 * time.Minute
	// enough records have to be missing, were they to come at their usual rate. By
	// pure chance that would never happen; but records come in heaps, so that it
	// also has to be this many times more than were missing before the workload
	// was heard again, ever since we began to look.
	enough = 60
	worse  = 3
	// weeks is how far back the usual rate is looked for.
	weeks = 5
)

// Silences watches over workloads: Exchange may well go on while SharePoint, in the
// same tenant, has fallen silent at the provider, and nothing else would tell. The
// usual rate of a workload is learned for each hour of the week, from what it
// offered in the weeks before; back-fill teaches it a week at the first start. Where a
// week is not known yet, the same hour of other days stands in, and before that the last
// hours, both with caution: the least of them, and a part of that only.
//
// Operations are listened for in the same way, once two weeks of them are known: SharePoint
// may go on while FileDownloaded is recorded no more. An operation whose whole workload is
// silent is not told of.
//
// A holiday is told from a silence by the others: what is expected of a workload shrinks as
// the other workloads of the tenant do that are heard (by the median of their shares of
// the usual in the last hour), and what is expected of an operation as its workload does.
// If nothing at all is heard, nothing excuses anything. A decline of weeks teaches the
// rate that declines: what is missed is silence, not less.
//
// The rates are read once, and kept in some 4 KiB for each workload and operation; then only what [Delays.Save] adds is
// taken in. A judgment costs some microseconds for each of them (BenchmarkSilences).
type Silences struct {
	c *Coverage
	d *Delays

	mu       sync.Mutex
	profiles map[feedKey][]*profile // in the order of their names: a workload before its operations
	newest   int64                  // hour of any record

	worst map[workloadKey]float64 // most that was missing before it was heard again
	now   map[workloadKey]missed
}

type workloadKey struct{ tenant, stream, workload string }

type missed struct {
	last     int64 // when it was last heard
	expected float64
}

// NewSilences returns a watch that remembers nothing. d measures the rates, and serves no other watch.
func NewSilences(c *Coverage, d *Delays) *Silences {
	return &Silences{c: c, d: d, worst: map[workloadKey]float64{}, now: map[workloadKey]missed{}}
}

// Heard says up to when, by the provider's clock, everything of each stream was
// collected: what was not heard of by then was not offered. Ask before waiting until
// all records are searchable (and [Delays.Save] has counted them), then [Silences.Judge].
func (s *Silences) Heard(ctx context.Context, now func(string) (time.Time, bool)) ([]Feed, error) {
	wall := time.Now()
	r, err := s.c.Report(ctx, Query{Since: wall, Until: wall, Wall: wall, Now: now})
	if err != nil {
		return nil, err
	}
	for i := range r.Feeds {
		if f := &r.Feeds[i]; f.Listed.Before(f.Oldest) {
			f.Oldest = f.Listed
		}
	}
	return r.Feeds, nil
}

// Judge returns the alarms to raise and those to clear.
func (s *Silences) Judge(ctx context.Context, feeds []Feed) ([]act.Act, error) {
	open, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var acts []act.Act
	if err := s.learn(ctx); err != nil {
		return nil, err
	}
	profiles := make([][]*profile, len(feeds)) // of each feed
	for i := range feeds {
		if !feeds[i].Listed.IsZero() {
			profiles[i] = s.rates(&feeds[i])
		}
	}
	for i := range feeds {
		f := &feeds[i]
		silent := "" // the last workload, if it is
		for _, r := range profiles[i] {
			workload, _, part := strings.Cut(r.workload, within)
			share := 1.0
			if part {
				share = shareOf(profiles[i], workload, f.Oldest.UnixMilli())
			} else {
				share = others(feeds, profiles, f, r)
			}
			told := s.judge(f, r, share, part && silent == workload, open)
			acts = append(acts, told...)
			if !part {
				silent = ""
				if _, on := open[workloadKey{f.Tenant, f.Stream, workload}]; on || len(told) > 0 && told[0].Reason == act.Silence {
					silent = workload
				}
			}
		}
	}
	return acts, nil
}

// enoughToTell is how many records an hour has to have usually for its share to mean anything.
const enoughToTell = 30

// share is what part of its usual a workload has offered in the hour before a moment; ok is false if that says nothing.
func (p *profile) share(upTo int64) (part float64, ok bool) {
	from := upTo - hourMillis
	usual, known := 0.0, floorDiv(from, hourMillis)
	var heard float64
	for at := from; at < upTo; {
		hour := floorDiv(at, hourMillis)
		end := min((hour+1)*hourMillis, upTo)
		whole := float64(end-at) / float64(hourMillis)
		usual += p.usual(hour, known) * whole
		if hour == floorDiv(upTo-1, hourMillis) {
			heard += p.at(hour) // all of the hour under way
		} else {
			heard += p.at(hour) * whole
		}
		at = end
	}
	return min(1, heard/usual), usual >= enoughToTell && heard > 0
}

// shareOf is that of a workload of a stream; 1 if it says nothing.
func shareOf(list []*profile, workload string, upTo int64) float64 {
	for _, p := range list {
		if p.workload == workload {
			if part, ok := p.share(upTo); ok {
				return part
			}
		}
	}
	return 1
}

// others is the median share of the workloads of a tenant beside one, as far as they are heard; 1 if none says anything.
func others(feeds []Feed, profiles [][]*profile, f *Feed, r *profile) float64 {
	var parts []float64
	for i := range feeds {
		if feeds[i].Tenant != f.Tenant {
			continue
		}
		for _, p := range profiles[i] {
			if p == r || strings.Contains(p.workload, within) {
				continue
			}
			if part, ok := p.share(feeds[i].Oldest.UnixMilli()); ok {
				parts = append(parts, part)
			}
		}
	}
	if len(parts) == 0 {
		return 1
	}
	slices.Sort(parts)
	return parts[len(parts)/2]
}

// judge tells of a workload or an operation of which only a share of the usual is to be expected; excused ones are not
// told of, for something larger is.
func (s *Silences) judge(f *Feed, r *profile, share float64, excused bool, open map[workloadKey]int64) []act.Act {
	k := workloadKey{f.Tenant, f.Stream, r.workload}
	upTo := f.Oldest.UnixMilli()
	expected := r.expected(r.last, upTo) * share
	since, alarmed := open[k]
	if before := s.now[k]; before.last != r.last && !alarmed {
		s.worst[k] = max(s.worst[k], before.expected)
	}
	s.now[k] = missed{r.last, expected}
	a := act.Act{Kind: act.Alarm, Source: f.Source, Tenant: f.Tenant, Stream: f.Stream, Code: r.workload, At: instant(upTo)}
	silent := !excused && expected >= max(enough, worse*s.worst[k]) && upTo-r.last >= quiet.Milliseconds()
	switch {
	case silent && !alarmed:
		a.Reason, a.From, a.To = act.Silence, instant(r.last), instant(upTo)
		a.Count = int(min(expected, math.MaxInt32))
		a.Message = fmt.Sprintf("%s has offered no records in %s since %s, when about %d were to be expected: look whether its audit log is on, and at the provider's service health",
			r.workload, f.Stream, instant(r.last).Format(time.RFC3339), a.Count)
	case alarmed && r.last > since:
		a.Reason, a.Cursor = act.Cleared, act.Silence
		a.Message = fmt.Sprintf("%s offers records in %s again", r.workload, f.Stream)
	default:
		return nil
	}
	return []act.Act{a}
}

// open returns since when each silence has been alarmed of.
func (s *Silences) open(ctx context.Context) (map[workloadKey]int64, error) {
	list := map[workloadKey]int64{}
	err := readAll(ctx, s.c.db.Read(), `
		SELECT tenant, stream, code, since FROM coverage_alarm JOIN coverage_feed ON id = feed WHERE reason = $1`, []any{act.Silence},
		func(rows *sql.Rows) error {
			var k workloadKey
			var since int64
			err := rows.Scan(&k.tenant, &k.stream, &k.workload, &since)
			list[k] = since
			return err
		})
	return list, err
}

// profile is what is known of the rate of a workload, or of an operation of it.
type profile struct {
	workload string // and, of an operation, its name behind it
	last     int64  // when it was last heard
	first    int64  // hour from which on it is judged by
	top      int64  // the latest hour that hours has
	hours    []uint32
}

// kept is how many hours coverage_rate has: those of [ledger.forget], and the newest.
const kept = rateHours + 1

// at is how many records were offered in an hour.
func (p *profile) at(hour int64) float64 {
	if hour > p.top || hour <= p.top-kept {
		return 0
	}
	return float64(p.hours[uint64(hour)%kept])
}

// add counts records of an hour. Those of hours that are too old are not kept.
func (p *profile) add(hour, records, last int64) {
	if p.hours == nil {
		p.hours, p.top = make([]uint32, kept), hour
	}
	if hour <= p.top-kept {
		return
	}
	for n := min(hour-p.top, kept); n > 0; n-- { // forget what was kept in their place
		p.hours[uint64(hour-n+1)%kept] = 0
	}
	p.top, p.last = max(p.top, hour), max(p.last, last)
	n := &p.hours[uint64(hour)%kept]
	*n = uint32(min(int64(*n)+records, math.MaxUint32))
}

// learn takes in what was saved of the rates since the last time.
func (s *Silences) learn(ctx context.Context) error {
	list, err := s.d.rates(func() error { return s.readAll(ctx) })
	for i := range list {
		t := &list[i]
		s.offered(t.key, t.name, t.hour, t.records, t.last)
	}
	return err
}

// readAll reads all of them.
func (s *Silences) readAll(ctx context.Context) error {
	s.profiles, s.newest = map[feedKey][]*profile{}, 0
	return readAll(ctx, s.c.db.Read(), `SELECT tenant, stream, workload, hour, records, last FROM coverage_rate ORDER BY tenant, stream, workload, hour`, nil,
		func(rows *sql.Rows) error {
			var k feedKey
			var workload string
			var hour, records, last int64
			err := rows.Scan(&k.tenant, &k.stream, &workload, &hour, &records, &last)
			if err == nil {
				s.offered(k, workload, hour, records, last)
			}
			return err
		})
}

// offered counts what a workload has offered in an hour.
func (s *Silences) offered(k feedKey, workload string, hour, records, last int64) {
	list := s.profiles[k]
	at, known := slices.BinarySearchFunc(list, workload, func(p *profile, name string) int { return strings.Compare(p.workload, name) })
	if !known {
		list = slices.Insert(list, at, &profile{workload: workload})
		s.profiles[k] = list
	}
	list[at].add(hour, records, last)
	s.newest = max(s.newest, hour)
}

// rates returns the workloads of a stream that were heard in the weeks before, and forgets those of which nothing is kept.
func (s *Silences) rates(f *Feed) (list []*profile) {
	k := feedKey{f.Tenant, f.Stream}
	oldest := s.newest - rateHours
	s.profiles[k] = slices.DeleteFunc(s.profiles[k], func(p *profile) bool { return p.top < oldest })
	for _, p := range s.profiles[k] {
		p.first = max(oldest, floorDiv(f.Oldest.UnixMilli(), hourMillis)-weeks*168)
		for p.first <= p.top && p.at(p.first) == 0 {
			p.first++
		}
		if p.first <= p.top {
			list = append(list, p)
		}
	}
	return list
}

const hourMillis = int64(time.Hour / time.Millisecond)

// expected is how many records the workload would usually offer in [from, to).
func (p *profile) expected(from, to int64) (sum float64) {
	known := floorDiv(p.last, hourMillis) // what came later is what we ask about
	for at := from; at < to; {
		hour := floorDiv(at, hourMillis)
		end := min((hour+1)*hourMillis, to)
		sum += p.usual(hour, known) * float64(end-at) / float64(hourMillis)
		at = end
	}
	return sum
}

// usual is the number of records that an hour usually has, told from the hours
// between the first and the last that are known, both of which are not whole.
func (p *profile) usual(hour, known int64) float64 {
	var sum float64
	var n int
	for h := hour - 168; h > p.first; h -= 168 {
		if h < known {
			sum += p.at(h)
			n++
		}
	}
	if n >= 2 {
		return sum / float64(n)
	}
	if strings.Contains(p.workload, within) {
		return 0 // of an operation less says too little
	}
	if n == 1 {
		return sum / 2
	}
	// Not a week yet: the same hour of days of the same kind, and of those the least.
	least, found := math.Inf(1), false
	for h := hour - 24; h > p.first; h -= 24 {
		if h < known && weekend(h) == weekend(hour) {
			least, found = min(least, p.at(h)), true
		}
	}
	if found {
		return least / 2
	}
	if known-p.first <= 3 || hour > known+3 || weekend(hour) != weekend(known) {
		return 0
	}
	for h := known - 3; h < known; h++ { // not a day yet
		least = min(least, p.at(h))
	}
	return least / 4
}

// weekend reports whether an hour is on a Saturday or a Sunday, by UTC.
func weekend(hour int64) bool {
	return slices.Contains([]time.Weekday{time.Saturday, time.Sunday}, time.UnixMilli(hour*hourMillis).UTC().Weekday())
}

func readAll(ctx context.Context, db *sql.DB, text string, args []any, do func(*sql.Rows) error) error {
	if err := each(ctx, db, text, args, do); err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	return nil
}

// each calls do with each row of an answer.
func each(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, text string, args []any, do func(*sql.Rows) error,
) error {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
