// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// Options bound a query. The zero value of each is a good choice.
type Options struct {
	// Now is what relative times count from; time.Now() if zero.
	Now time.Time
	// MaxRows is the greatest number of rows of a result; 10,000 if 0.
	MaxRows int
	// MaxMemory is how many bytes a query may take for what it finds, apart
	// from a few megabytes for each worker; 256 MiB if 0.
	MaxMemory int64
	// Timeout is how long a query may run; 30 s if 0.
	Timeout time.Duration
	// MaxLookups is how many events Deep may be asked about; 100,000 if 0.
	MaxLookups int64
	// Workers is how many row groups are scanned at the same time; 2 if 0.
	Workers int
	// Slots, if not nil, is shared by queries: a worker puts a value into it
	// while it scans a row group. Its capacity bounds the processors that all
	// queries together take from collection.
	Slots chan struct{}
	// Deep answers for paths that are not columns. Without it a query with
	// such a path is an error.
	Deep Deep
}

// Deep looks paths up in events: the result holds, for each event and path, the
// values at it as text. It is called by several goroutines at a time.
type Deep func(ctx context.Context, ids []event.ID, paths []string) ([][][]string, error)

// Limit names a bound that kept a result from being whole.
type Limit string

// The limits.
const (
	Rows    Limit = "rows"    // MaxRows: rows at the end are missing
	Memory  Limit = "memory"  // MaxMemory: rows were not looked at
	Time    Limit = "time"    // Timeout: rows were not looked at
	Lookups Limit = "lookups" // MaxLookups: rows were not looked at
	// Damage is no option's: a segment is damaged, and rows of it are missing.
	Damage Limit = "damage"
)

// Result is what a query found.
type Result struct {
	*query.Table
	// NewestFirst says that the rows are events in the order of time, newest
	// first: no pipe has given them another.
	NewestFirst bool
	// Truncated says why the result is not whole. It is empty if it is.
	Truncated []Limit
	// Damaged are the damaged segments that were met, for lake.MarkDamaged.
	Damaged []*lake.DamagedError
	// Scanned is how many rows were looked at; what indexes and statistics
	// ruled out is not counted.
	Scanned int64
}

var errNoDeep = errors.New("this query asks for a field that only the records hold, which this search cannot read")

// Run answers a query from a snapshot. An error is the context's or Deep's, or
// says that a segment's file cannot be opened. Damaged segments are left out, and
// the result says so.
func Run(ctx context.Context, snap *lake.Snapshot, q *query.Query, o Options) (*Result, error) {
	o = o.withDefaults()
	if all, own, ok := q.SplitOwn(); ok {
		return runOwn(ctx, snap, q, all, own, o)
	}
	return run(ctx, snap, q, o)
}

// runOwn answers a query that counts by our own acts: it counts all events, and then those.
func runOwn(ctx context.Context, snap *lake.Snapshot, q, all, own *query.Query, o Options) (*Result, error) {
	start, part := time.Now(), o
	part.MaxRows = math.MaxInt32 // memory bounds them
	a, err := run(ctx, snap, all, part)
	if err != nil {
		return nil, err
	}
	part.Timeout = max(o.Timeout-time.Since(start), 1)
	b, err := run(ctx, snap, own, part)
	if err != nil {
		return nil, err
	}
	r := &Result{Table: q.JoinOwn(a.Table, b.Table), Truncated: a.Truncated, Damaged: append(a.Damaged, b.Damaged...), Scanned: a.Scanned + b.Scanned}
	for _, l := range b.Truncated {
		if !slices.Contains(r.Truncated, l) {
			r.Truncated = append(r.Truncated, l)
		}
	}
	if len(r.Rows) > o.MaxRows {
		r.Rows, r.Truncated = r.Rows[:o.MaxRows], append(r.Truncated, Rows)
	}
	return r, nil
}

func run(ctx context.Context, snap *lake.Snapshot, q *query.Query, o Options) (*Result, error) {
	s := &scan{opts: o, where: query.Bind(q.Where, o.Now), plan: makePlan(q.Pipes), mem: budget{limit: o.MaxMemory}, floor: newFloor()}
	s.paths = query.Paths(s.where)
	if len(s.paths) > 0 && o.Deep == nil {
		return nil, errNoDeep
	}
	var c compiler
	root := c.expr(s.where)
	s.terms, s.uses = c.terms, c.uses
	deadline, cancel := context.WithTimeoutCause(ctx, o.Timeout, errTimeout)
	defer cancel()
	if err := s.findGroups(snap, root); err != nil {
		return nil, err
	}
	workers, err := s.work(deadline)
	defer func() {
		for _, w := range workers {
			w.eval.src.release()
		}
	}()
	if err != nil && !s.stoppedBy(deadline, err) {
		return nil, err
	}
	table, err := s.result(deadline, workers)
	if err != nil && !s.stoppedBy(deadline, err) {
		return nil, err
	}
	return s.finish(table, q.Pipes), nil
}

func (o Options) withDefaults() Options {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.MaxRows = cmp.Or(o.MaxRows, 10_000)
	o.MaxMemory = min(cmp.Or(o.MaxMemory, 256<<20), 2<<30) // counting numbers bytes with 32 bits
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.MaxLookups = cmp.Or(o.MaxLookups, 100_000)
	o.Workers = cmp.Or(o.Workers, 2)
	return o
}

// scan is a query at work.
type scan struct {
	opts   Options
	where  query.Expr
	plan   plan
	paths  []string
	uses   [numColumns]bool // the filter looks at the column, or deep needs it
	terms  int
	groups []*group

	mem     budget
	floor   *atomic.Int64
	lookups atomic.Int64
	scanned atomic.Int64
	limits  sync.Map // of Limit: those that were met
	damaged sync.Map // of *lake.Segment: its *lake.DamagedError
}

// skip says whether err is the damage of a segment, and notes it.
func (s *scan) skip(err error) bool {
	var damaged *lake.DamagedError
	if !errors.As(err, &damaged) {
		return false
	}
	s.limits.Store(Damage, true)
	s.damaged.Store(damaged.Segment, damaged)
	return true
}

var (
	errTimeout = errors.New("the query's time is over")
	errMemory  = errors.New("the query's memory is used up")
	errLookups = errors.New("the query's lookups are used up")
)

// stoppedBy says whether err only ends the scan early, and notes the limit.
func (s *scan) stoppedBy(ctx context.Context, err error) bool {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx)
	}
	for limit, cause := range map[Limit]error{Time: errTimeout, Memory: errMemory, Lookups: errLookups} {
		if errors.Is(err, cause) {
			s.limits.Store(limit, true)
			return true
		}
	}
	return false
}

// findGroups lists the groups that may hold rows that pass, those with the
// newest rows first.
func (s *scan) findGroups(snap *lake.Snapshot, root *node) error {
	for _, b := range snap.Blocks {
		if n := reduce(root, blockFacts(b)); n.kind != isFalse && b.Rows > 0 {
			s.groups = append(s.groups, &group{block: b, rows: b.Rows, maxTime: b.MaxTime, where: n})
		}
	}
	for _, seg := range snap.Segments {
		n := reduce(root, segmentFacts(seg))
		if n.kind == isFalse {
			continue
		}
		f, err := openSegment(seg)
		if s.skip(err) {
			continue
		} else if err != nil {
			return err
		}
		for i := range f.groups {
			g := &group{segment: seg, number: i, rows: int(f.groups[i].NumRows), where: n}
			if s.skip(f.check(g)) {
				continue
			}
			g.maxTime = f.maxTime(i)
			s.groups = append(s.groups, g)
		}
	}
	slices.SortStableFunc(s.groups, func(a, b *group) int { return cmp.Compare(b.maxTime, a.maxTime) })
	return nil
}

// work scans the groups. After an error the workers hold what they found.
func (s *scan) work(ctx context.Context) ([]*worker, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := make([]*worker, max(min(s.opts.Workers, len(s.groups)), 1))
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range workers {
		workers[i] = s.newWorker()
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(s.groups) {
					return
				}
				if err := s.inSlot(ctx, func() error { return workers[i].group(ctx, s.groups[n]) }); err != nil && !s.skip(err) {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return workers, context.Cause(ctx)
}

// inSlot does something while it holds a slot.
func (s *scan) inSlot(ctx context.Context, do func() error) error {
	if s.opts.Slots != nil {
		select {
		case s.opts.Slots <- struct{}{}:
			defer func() { <-s.opts.Slots }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return do()
}

// result makes a table of what the workers found.
func (s *scan) result(ctx context.Context, workers []*worker) (*query.Table, error) {
	if s.plan.count {
		counters := make([]*counter, len(workers))
		for i, w := range workers {
			counters[i] = w.counter
		}
		return s.plan.table(counters, &s.mem), nil
	}
	var hits []hit
	for _, w := range workers {
		hits = append(hits, w.first.hits...)
	}
	slices.SortFunc(hits, func(a, b hit) int { return order(&a, &b, s.plan.keys) })
	if len(hits) > s.most() {
		hits = hits[:s.most()]
	}
	if len(hits) > s.opts.MaxRows {
		hits = hits[:s.opts.MaxRows]
		s.limits.Store(Rows, true)
	}
	return s.fetch(ctx, workers, hits)
}

// most is how many rows are kept: one more than the limit of the result tells
// that there are more.
func (s *scan) most() int {
	if s.plan.limit > 0 {
		return min(s.plan.limit, s.opts.MaxRows+1)
	}
	return s.opts.MaxRows + 1
}

// finish applies what is left of the pipes.
func (s *scan) finish(t *query.Table, pipes []query.Pipe) *Result {
	r := &Result{Table: t.Apply(s.plan.rest), Scanned: s.scanned.Load()}
	if len(r.Rows) > s.opts.MaxRows {
		r.Rows = r.Rows[:s.opts.MaxRows]
		s.limits.Store(Rows, true)
	}
	r.NewestFirst = r.IDs != nil && !slices.ContainsFunc(pipes, func(p query.Pipe) bool {
		_, sorts := p.(query.Sort)
		return sorts
	})
	s.damaged.Range(func(_, damaged any) bool {
		r.Damaged = append(r.Damaged, damaged.(*lake.DamagedError))
		return true
	})
	for _, l := range []Limit{Rows, Memory, Time, Lookups, Damage} {
		if _, met := s.limits.Load(l); met {
			r.Truncated = append(r.Truncated, l)
		}
	}
	return r
}
