// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/event"
)

// seeds is how many worlds a property is tried on: BEHAVE_SEEDS times as many if that is set.
func seeds(n uint64) uint64 {
	times, err := strconv.ParseUint(os.Getenv("BEHAVE_SEEDS"), 10, 16)
	if err != nil {
		return n
	}
	return n * times
}

// start is a Monday.
var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// rec is a record that a rule has matched.
type rec struct {
	at     time.Duration // since start
	key    uint64        // 0: of its place in the list
	rule   string        // "": "r"
	tenant string
	fields map[string]string // several values: with a bar between
}

// at makes a record: at("49h", "user=anna country=FR").
func at(when string, fields string) rec {
	d, err := time.ParseDuration(when)
	if err != nil {
		panic(err)
	}
	return rec{at: d, fields: split(fields)}
}

func split(fields string) map[string]string {
	m := map[string]string{}
	for _, f := range strings.Fields(fields) {
		name, value, _ := strings.Cut(f, "=")
		m[name] = strings.ReplaceAll(value, "_", " ")
	}
	return m
}

func (r *rec) time() int64 { return start.Add(r.at).UnixNano() }

func (r *rec) pos() pos { return pos{r.time(), keyOf(r.key)} }

func keyOf(n uint64) (k correlate.Key) {
	// As a digest would: spread over all bits, and not in the order of n.
	x := n * 0x9e3779b97f4a7c15
	x ^= x >> 29
	binary.BigEndian.PutUint64(k[:], x*0xbf58476d1ce4e5b9)
	binary.BigEndian.PutUint64(k[8:], x*0x94d049bb133111eb)
	return k
}

func (r *rec) hit() *correlate.Hit {
	return &correlate.Hit{
		Ref:    correlate.Ref{ID: event.ID{Batch: r.key, Index: 1}, Key: keyOf(r.key), Time: r.time(), Rule: cmp.Or(r.rule, "r")},
		Tenant: cmp.Or(r.tenant, "t"),
		Values: func(field string) (values [][]byte) {
			if v, ok := r.fields[field]; ok {
				for _, s := range strings.Split(v, "|") {
					values = append(values, []byte(s))
				}
			}
			return values
		},
	}
}

type pos struct {
	t   int64
	key correlate.Key
}

func (p pos) compare(q pos) int {
	return cmp.Or(cmp.Compare(p.t, q.t), slices.Compare(p.key[:], q.key[:]))
}

func rule(typ, groupBy, fields string, b sigma.Behavior) *sigma.Correlation {
	b.Fields = strings.Fields(fields)
	return &sigma.Correlation{Meta: sigma.Meta{ID: typ}, Type: typ, Rules: []string{"r"}, GroupBy: strings.Fields(groupBy), Behavior: &b}
}

func compile(t testing.TB, cs ...*sigma.Correlation) *behave.Set {
	t.Helper()
	set, errs := behave.Compile(cs, func(ref string) ([]string, bool) { return []string{ref}, ref != "nobody" })
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return set
}

func open(t testing.TB) *pebble.DB {
	t.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

type quiet struct{}

func (quiet) Infof(string, ...any)           {}
func (quiet) Errorf(string, ...any)          {}
func (quiet) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }

func flush(t testing.TB, db *pebble.DB, s *behave.State) {
	t.Helper()
	b := db.NewBatch()
	if err := s.Flush(b); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		t.Fatal(err)
	}
}

// standing is what stands of firings.
type standing struct {
	t      testing.TB
	by     map[correlate.Key]correlate.Firing
	strict bool // only what stands is taken back
}

func newStanding(t testing.TB) *standing {
	return &standing{t: t, by: map[correlate.Key]correlate.Firing{}, strict: true}
}

func (s *standing) take(firings []correlate.Firing) {
	s.t.Helper()
	for _, f := range firings {
		for _, id := range f.Replaces {
			if _, ok := s.by[id]; !ok && s.strict {
				s.t.Errorf("taken back what does not stand: %+v", f)
			}
			delete(s.by, id)
		}
		if len(f.Refs) > 0 {
			s.by[f.ID] = f
		}
	}
}

func (s *standing) sentences() []string {
	var list []correlate.Firing
	for _, f := range s.by {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b correlate.Firing) int {
		return cmp.Or(cmp.Compare(a.Completed.Time, b.Completed.Time), cmp.Compare(a.Sentence, b.Sentence))
	})
	var out []string
	for _, f := range list {
		out = append(out, f.Sentence)
	}
	return out
}

// fired is what a firing says, to be compared with an oracle.
type fired struct {
	Tenant, Group string
	Key           correlate.Key
	Value         float64
}

func (s *standing) list(value bool) []fired {
	var list []fired
	for _, f := range s.by {
		e := fired{Tenant: f.Tenant, Key: f.Completed.Key}
		for _, g := range f.Group {
			e.Group += g.Value + " "
		}
		if value {
			e.Value = f.Value
		}
		list = append(list, e)
	}
	return sorted(list)
}

func sorted(list []fired) []fired {
	slices.SortFunc(list, func(a, b fired) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Group, b.Group), slices.Compare(a.Key[:], b.Key[:]), cmp.Compare(a.Value, b.Value))
	})
	return list
}

// number gives records the keys by which they are told apart.
func numbered(recs []rec) []rec {
	for i := range recs {
		if recs[i].key == 0 {
			recs[i].key = uint64(i + 1)
		}
	}
	return recs
}

// table runs records in the order given, and in some others, without a clock, and compares what stands.
func table(t *testing.T, c *sigma.Correlation, recs []rec, want []string) {
	t.Helper()
	orders(t, 4, c, recs, want)
}

func inOrder(t *testing.T, c *sigma.Correlation, recs []rec, want []string) {
	t.Helper()
	orders(t, 1, c, recs, want)
}

func orders(t *testing.T, n uint64, c *sigma.Correlation, recs []rec, want []string) {
	t.Helper()
	numbered(recs)
	for order := range n {
		list := slices.Clone(recs)
		if order > 0 {
			rng := rand.New(rand.NewPCG(order, 1))
			rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
		s := behave.NewState(compile(t, c), open(t), []byte("b/"))
		stand := newStanding(t)
		for i := range list {
			s.Add(list[i].hit())
			stand.take(s.Firings())
		}
		got := stand.sentences()
		if order > 0 {
			// The numbers of a sentence are those of when it was said.
			if len(got) != len(want) {
				t.Errorf("order %d: got %q, want %q", order, got, want)
			}
			continue
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// delivery is how records reach the state: late by up to lateness, some twice.
func delivery(rng *rand.Rand, recs []rec, lateness time.Duration) []arrival {
	var list []arrival
	for i := range recs {
		for range 1 + rng.IntN(5)/4 {
			list = append(list, arrival{&recs[i], recs[i].at + time.Duration(rng.Int64N(int64(lateness)+1))})
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return cmp.Compare(a.when, b.when) })
	return list
}

type arrival struct {
	*rec
	when time.Duration
}

// deliver runs records through states that are flushed now and then, and now and then killed: then the records since
// the last flush come again. It returns what stands at the end.
func deliver(t *testing.T, rng *rand.Rand, c *sigma.Correlation, recs []rec, lateness time.Duration) *standing {
	t.Helper()
	db := open(t)
	set := compile(t, c)
	restart := func() *behave.State {
		s := behave.NewState(set, db, []byte("b/"))
		s.Limit(int64(rng.IntN(2)) << 30) // everything spills, or nothing
		return s
	}
	s, stand, committed := restart(), newStanding(t), 0
	stand.strict = false
	list := delivery(rng, recs, lateness)
	for i := 0; i < len(list); i++ {
		a := list[i]
		s.Add(a.hit())
		s.Advance(correlate.Clock{Watermark: start.Add(a.when - lateness).UnixNano(), Received: start.Add(a.when).UnixNano()})
		stand.take(s.Firings())
		switch rng.IntN(40) {
		case 0, 1:
			flush(t, db, s)
			committed = i + 1
		case 2:
			s, i = restart(), committed-1
			if committed > 0 {
				was := list[committed-1].when
				s.Advance(correlate.Clock{Watermark: start.Add(was - lateness).UnixNano(), Received: start.Add(was).UnixNano()})
			}
		}
	}
	return stand
}

// imported runs records through a state as files are imported: within an hour, in order, backwards, in any order or one
// person after the other, and in batches of some size.
func imported(t *testing.T, rng *rand.Rand, c *sigma.Correlation, recs []rec) *standing {
	t.Helper()
	recs = slices.Clone(recs)
	slices.SortFunc(recs, func(a, b rec) int { return a.pos().compare(b.pos()) })
	switch rng.IntN(4) {
	case 0:
		slices.Reverse(recs)
	case 2:
		slices.SortStableFunc(recs, func(a, b rec) int { return strings.Compare(b.fields["user"], a.fields["user"]) })
	case 1:
		rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	}
	db := open(t)
	s, stand := behave.NewState(compile(t, c), db, []byte("b/")), newStanding(t)
	s.Limit(int64(rng.IntN(2)) << 30)
	clock := correlate.Clock{Received: start.Add(400 * day).UnixNano()}
	s.Advance(clock)
	batch := 1 + rng.IntN(200)
	for i := range recs {
		s.Add(recs[i].hit())
		clock.Watermark = max(clock.Watermark, recs[i].time())
		clock.Received += int64(time.Hour) / int64(len(recs))
		if s.Advance(clock); i%batch == 0 || i == len(recs)-1 {
			stand.take(s.Firings())
			if rng.IntN(4) == 0 {
				flush(t, db, s)
			}
		}
	}
	return stand
}

func agree(t *testing.T, seed uint64, want, got []fired) {
	t.Helper()
	if diff := gocmp.Diff(sorted(want), got); diff != "" {
		t.Fatalf("seed %d: (-oracle +state)\n%s", seed, diff)
	}
}

func name(kind string, n int) string { return fmt.Sprintf("%s%d", kind, n) }
