// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/journal"
)

// Backtest is what rules would have found in the stored history.
type Backtest struct {
	Since, Until time.Time
	Records      int64 // judged
	Gone         int64 // not judged, because their raw records are gone by policy
	Hits         int64 // of rules that judge single records, those of correlations among them
	Alerts       []BacktestRule
	Days         []BacktestDay
	Samples      []detect.Alert // the first few of each rule
	Seconds      float64
}

// BacktestRule counts the alerts of one rule.
type BacktestRule struct {
	Rule, Title, Level string
	Alerts             int
}

// BacktestDay counts the alerts of one day, UTC.
type BacktestDay struct {
	Day    time.Time
	Alerts int
}

// samplesOfRule is how many alerts of each rule a backtest shows.
const samplesOfRule = 5

// Backtest judges the records that happened in [since, until) by a book, and keeps nothing. A
// zero time leaves that side open.
func (n *Node) Backtest(ctx context.Context, b *detect.Book, since, until time.Time) (*Backtest, error) {
	start := time.Now()
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	t := &backtesting{n: n, book: b, engine: detect.NewEngine(b, db), out: Backtest{Since: since, Until: until}, from: math.MinInt64, to: math.MaxInt64}
	if !since.IsZero() {
		t.from = since.UnixNano()
	}
	if !until.IsZero() {
		t.to = until.UnixNano()
	}
	if err := t.run(ctx, n.firstSince(ctx, since)); err != nil {
		return nil, err
	}
	t.sum()
	t.out.Seconds = time.Since(start).Seconds()
	return &t.out, nil
}

// firstSince returns a place in the log before which everything was committed before a moment:
// nothing that happened at it or later can be there, as far as clocks are right.
func (n *Node) firstSince(ctx context.Context, since time.Time) uint64 {
	lo, hi := uint64(0), n.journal.End()
	for !since.IsZero() && lo < hi {
		mid := lo + (hi-lo)/2
		b, err := n.journal.Follow(mid).Next(ctx)
		if err != nil || !b.Committed.Before(since) {
			hi = mid
		} else {
			lo = b.Index + 1
		}
	}
	return lo
}

type backtesting struct {
	n        *Node
	book     *detect.Book
	engine   *detect.Engine
	from, to int64
	alerts   []detect.Alert
	out      Backtest
}

// run judges on all cores and takes in the journal's order, up to where the journal ends now.
func (t *backtesting) run(ctx context.Context, at uint64) error {
	end, from := t.n.journal.End(), t.n.journal.Follow(at)
	next := func(ctx context.Context) (*journal.Batch, error) {
		if from.Position() >= end {
			return nil, io.EOF
		}
		return from.Next(ctx)
	}
	order, done := judgeAhead(ctx, next, func() func(*judged) {
		v := view{enricher: enrich.New(&t.n.mappers.source)}
		judge := t.book.NewJudge(v.json)
		return func(j *judged) {
			for i := range j.batch.Records {
				if r := &j.batch.Records[i]; j.batch.Gone || r.Time < t.from || r.Time >= t.to {
					continue
				}
				j.judge(judge, i)
			}
		}
	})
	for j := range order {
		<-j.ready
		t.take(j)
		j.end()
	}
	if err := done(); !errors.Is(err, io.EOF) {
		return err
	}
	return ctx.Err()
}

func (t *backtesting) take(j *judged) {
	for i := range j.batch.Records {
		if r := &j.batch.Records[i]; r.Time < t.from || r.Time >= t.to {
			continue
		}
		if t.out.Records++; j.batch.Gone {
			t.out.Records--
			t.out.Gone++
		}
	}
	j.give(t.engine)
	t.out.Hits += int64(len(j.found))
	t.alerts = append(t.alerts, t.engine.Alerts()...)
}

// sum counts what stands.
func (t *backtesting) sum() {
	t.engine.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
	days, rules := map[time.Time]int{}, map[string]*BacktestRule{}
	for _, a := range detect.Standing(append(t.alerts, t.engine.Alerts()...)) {
		days[a.First.Truncate(24*time.Hour)]++
		r := rules[a.Rule]
		if r == nil {
			r = &BacktestRule{Rule: a.Rule, Title: a.Title, Level: a.Level}
			rules[a.Rule] = r
		}
		if r.Alerts++; r.Alerts <= samplesOfRule {
			t.out.Samples = append(t.out.Samples, a)
		}
	}
	for d, n := range days {
		t.out.Days = append(t.out.Days, BacktestDay{d, n})
	}
	for _, r := range rules {
		t.out.Alerts = append(t.out.Alerts, *r)
	}
	slices.SortFunc(t.out.Days, func(a, b BacktestDay) int { return a.Day.Compare(b.Day) })
	slices.SortFunc(t.out.Alerts, func(a, b BacktestRule) int {
		return cmp.Or(cmp.Compare(b.Alerts, a.Alerts), cmp.Compare(a.Rule, b.Rule))
	})
}
