// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package detect holds detection to what it promises, with the records of a simulated company
// and an attack on it: what it finds does not depend on the order in which records come, ordinary
// days are quiet, no step of the attack goes unseen, and being killed changes nothing. It is here
// because sim may not import detect.
//
// DAYBREAK_DETECT=long takes larger companies and more time. DAYBREAK_DETECT_SEED repeats what was
// drawn at random.
package detect_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// monday is when the simulated companies live: a week without public holidays.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// family is what simulated records are.
const family event.Family = "m365"

// long is the form that takes its time.
func long() bool { return os.Getenv("DAYBREAK_DETECT") == "long" }

// chance is a source of random numbers of which the log says how to repeat them.
func chance(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("DAYBREAK_DETECT_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("DAYBREAK_DETECT_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// pack is Daybreak's own rules.
var pack = sync.OnceValues(func() (*detect.Book, error) { return detect.Open(detect.BookOptions{Builtin: true}) })

func book(t testing.TB) *detect.Book {
	t.Helper()
	b, err := pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Problems {
		t.Error(p.Error())
	}
	return b
}

func newCompany(t testing.TB, cfg company.Config) *company.Company {
	t.Helper()
	c, err := company.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// life calls visit with each record of the company's ordinary life, in the order of slots. The
// bytes are good until it returns.
func life(c *company.Company, from, to time.Time, visit func(raw []byte)) {
	var raw []byte
	for slot, end := c.Slot(from), c.Slot(to); slot < end; slot++ {
		for _, s := range company.Streams {
			for i := range c.Count(s, slot) {
				r := company.Ref{Stream: s, Slot: slot, Index: i}
				raw = c.Append(raw[:0], r)
				visit(raw)
			}
		}
	}
}

// finding is a record that rules have matched.
type finding struct {
	ref    correlate.Ref
	tenant string
	step   string // of the attack
	found  []detect.Found
}

// judging judges records of a company, on one goroutine.
type judging struct {
	judge   *detect.Judge
	id      normalize.Normalizer
	records int
	found   []finding
}

func newJudging(b *detect.Book, g *geography) *judging { return &judging{judge: b.NewJudge(g.view())} }

func (j *judging) record(raw []byte, step string) {
	j.records++
	found := j.judge.Record(raw, family, nil)
	if len(found) == 0 {
		return
	}
	known := j.id.Identify(raw, family)
	j.found = append(j.found, finding{
		ref:    correlate.Ref{Time: known.Time, Key: detect.KeyOf(string(known.Tenant), family, known.ID, raw)},
		tenant: string(known.Tenant), step: step, found: found,
	})
}

// take returns what was found since the last call.
func (j *judging) take() []finding {
	found := j.found
	j.found = nil
	return found
}

// watch judges a stretch of a company's life on all cores, and with it what an attack leaves in it.
// It calls visit with what was found in each hour, in the order of time, and returns how many
// records there were.
func watch(t testing.TB, c *company.Company, from, to time.Time, attack []scenario.Event, visit func([]finding)) (records int) {
	t.Helper()
	const step = time.Hour
	b, g := book(t), survey(c)
	judges := make([]*judging, runtime.GOMAXPROCS(0))
	for i := range judges {
		judges[i] = newJudging(b, g)
	}
	intruder := newJudging(b, g)
	index := uint32(0)
	for ; from.Before(to); from = from.Add(step) {
		var tasks sync.WaitGroup
		for i, j := range judges {
			begin, end := from.Add(step*time.Duration(i)/time.Duration(len(judges))), from.Add(step*time.Duration(i+1)/time.Duration(len(judges)))
			tasks.Go(func() { life(c, begin, end, func(raw []byte) { j.record(raw, "") }) })
		}
		for ; len(attack) > 0 && attack[0].Time.Before(from.Add(step)); attack = attack[1:] {
			intruder.record(attack[0].Raw, attack[0].Step)
		}
		tasks.Wait()
		found := intruder.take()
		for _, j := range judges {
			found = append(found, j.take()...)
		}
		slices.SortFunc(found, func(a, b finding) int {
			return cmp.Or(cmp.Compare(a.ref.Time, b.ref.Time), slices.Compare(a.ref.Key[:], b.ref.Key[:]))
		})
		for i := range found {
			index++
			found[i].ref.ID = event.ID{Index: index}
		}
		visit(found)
	}
	for _, j := range append(judges, intruder) {
		records += j.records
	}
	return records
}

// story is all that rules have found in a stretch of a company's life with an attack.
type story struct {
	scenario *scenario.Scenario
	records  int
	found    []finding // in the order of time
	steps    map[correlate.Key]string
}

// past is how long before an attack a company is watched: rules about habits need two weeks of them.
const past = 16 * day

var (
	tellings sync.Mutex
	stories  = map[string]*story{}
)

// attacked is the life of a small company with a built-in attack, from some time before it begins. Tests share it.
func attacked(t testing.TB, name string) *story {
	t.Helper()
	tellings.Lock()
	defer tellings.Unlock()
	if s := stories[name]; s != nil {
		return s
	}
	cfg := company.Config{Seed: 3, People: 40, PerDay: 20, SlotLength: 10 * time.Minute}
	switch {
	case long():
		cfg = company.Config{Seed: 3, People: 500, PerDay: 50, SlotLength: time.Minute}
	case raceEnabled:
		cfg.PerDay, cfg.SlotLength = 3, time.Hour
	}
	c := newCompany(t, cfg)
	s := &story{steps: map[correlate.Key]string{}}
	var err error
	if s.scenario, err = scenario.Embedded(name); err != nil {
		t.Fatal(err)
	}
	begin := monday.Add(past)
	attack := s.scenario.Run(directory.New(c), begin, 1)
	slices.SortStableFunc(attack, func(a, b scenario.Event) int { return a.Time.Compare(b.Time) })
	s.records = watch(t, c, monday, begin.Add(s.scenario.Length()+time.Hour), attack, func(found []finding) {
		for i := range found {
			if f := &found[i]; f.step != "" {
				s.steps[f.ref.Key] = f.step
			}
		}
		s.found = append(s.found, found...)
	})
	stories[name] = s
	return s
}

// arrival is a finding and when its record was received.
type arrival struct {
	*finding
	received time.Time
}

// prompt has a record come a minute after it happened.
func prompt(f *finding) arrival { return arrival{f, time.Unix(0, f.ref.Time).Add(time.Minute)} }

// prompt has every record come a minute after it happened, in order.
func (s *story) prompt() []arrival {
	list := make([]arrival, len(s.found))
	for i := range s.found {
		list[i] = prompt(&s.found[i])
	}
	return list
}

// desk takes findings as the product does, and keeps the alerts.
type desk struct {
	engine *detect.Engine
	clock  correlate.Clock
	alerts []detect.Alert
}

// lateness is what the product waits for late records until it has measured how late they come.
const lateness = day

func newDesk(t testing.TB) *desk { return deskOf(t, book(t)) }

func deskOf(t testing.TB, b *detect.Book) *desk {
	t.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: detect.Quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &desk{engine: detect.NewEngine(b, db)}
}

// batch takes what the journal has sealed at once.
func (d *desk) batch(list []arrival) {
	for i := range list {
		d.clock.Received = max(d.clock.Received, list[i].received.UnixNano())
	}
	d.engine.Advance(d.clock)
	for i := range list {
		a := &list[i]
		d.engine.Take(a.ref, a.tenant, a.found)
		if a.ref.Time <= a.received.Add(time.Hour).UnixNano() {
			d.clock.Watermark = max(d.clock.Watermark, a.ref.Time-int64(lateness))
		}
	}
	d.engine.Advance(d.clock)
	d.collect()
}

func (d *desk) collect() {
	for _, a := range d.engine.Alerts() {
		if a.Level != "informational" { // it marks records for others, and is no alert
			d.alerts = append(d.alerts, a)
		}
	}
}

// standing is what stands at the end of all time.
func (d *desk) standing() []detect.Alert {
	d.engine.Advance(correlate.Clock{Watermark: math.MaxInt64 / 2, Received: math.MaxInt64 / 2})
	d.collect()
	return detect.Standing(d.alerts)
}

// take gives arrivals to an engine and returns what stands at the end.
func take(t testing.TB, list []arrival) []detect.Alert { return takeBy(t, book(t), list) }

func takeBy(t testing.TB, b *detect.Book, list []arrival) []detect.Alert {
	t.Helper()
	d := deskOf(t, b)
	for sealed := range slices.Chunk(list, 64) {
		d.batch(sealed)
	}
	return d.standing()
}

// outline is what an alert says of what happened. Where the journal has the records is not of it.
type outline struct {
	id, title, level string
	count            int
	first, last      int64
	group, refs      string
	completed        correlate.Key
}

func (o *outline) String() string {
	return fmt.Sprintf("%s %q (%s) of %d from %s to %s %s", o.id, o.title, o.level, o.count,
		time.Unix(0, o.first).UTC().Format(time.RFC3339), time.Unix(0, o.last).UTC().Format(time.RFC3339), o.group)
}

func summarize(a *detect.Alert) outline {
	return outline{
		id: a.ID, title: a.Title, level: a.Level, count: a.Count, first: a.First.UnixNano(), last: a.Last.UnixNano(),
		group: fmt.Sprint(a.Group), completed: a.Completed.Key,
	}
}

// summary outlines alerts.
func summary(alerts []detect.Alert) []outline {
	out := make([]outline, len(alerts))
	for i := range alerts {
		out[i] = summarize(&alerts[i])
		for _, r := range alerts[i].Refs {
			out[i].refs += string(r.Key[:])
		}
	}
	return out
}
