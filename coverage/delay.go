// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package coverage

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/histogram"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/store"
)

// Step is a part of a record's way.
type Step int

// The steps. Offered is the provider's contentCreated; searchable the moment at
// which searches see the record.
const (
	Offering  Step = iota // event → offered: the provider's own delay
	Receiving             // offered → received
	Indexing              // received → searchable
	Added                 // offered → searchable: what we add
	Whole                 // event → searchable
	// Disorder is no part of the way but how much older the event is than the latest one that was offered before it; 0 if
	// it came in order. A record that reaches us behind one that was offered later says nothing of the provider's order.
	Disorder
	Steps
)

// Bounds of what is told apart. Records beyond them are counted together.
const (
	maxStreams    = 64  // of all tenants
	maxOperations = 128 // of a stream
	maxWorkloads  = 64  // of a stream
	maxListened   = 32  // operations of a workload, the first that are heard of, whose silence means something
	maxName       = 128 // bytes of an operation or a workload
)

// Other is the operation that the operations beyond the bound are counted as.
const Other = "(other)"

// delayHours and rateHours are how long bins are kept.
const (
	delayHours = 35 * 24
	rateHours  = 36 * 24
)

// Delays measures how long records take, as they become searchable: in histograms
// for each stream and operation, an hour at a time. Records that were offered before
// the collector of their stream was started are back-filled, and counted apart: what
// we promise is about those that come while we run. It also counts how many records
// each workload and operation offers, for [Silences].
//
// Add costs some 200 ns a record (BenchmarkDelays) and allocates nothing once an operation is known.
// What was counted since the last Save is lost in a crash; these are measurements and
// not evidence.
type Delays struct {
	db    *store.DB
	start int64 // of the process: records committed before are searchable anew, which is no delay

	// saving is held while rates become durable, so that whoever reads them knows which of them it has.
	saving sync.Mutex
	read   bool    // somebody has read the rates, and is told of what is saved since
	saved  []taken // that is

	mu      sync.Mutex
	hour    int64 // of our clock
	streams map[feedKey]*streamDelays
	taken   []taken // what is to be written

	// The batch under way.
	b       *journal.Batch
	now     int64
	origins []originDelays
}

type streamDelays struct {
	since      int64 // records offered from then on are live
	order      order
	operations map[string]*[2]cell
	rates      map[string]*rate
}

// cell counts the records of one operation, live or not, since they were taken
// last.
type cell struct {
	steps [Steps]histogram.Histogram
	told  uint64 // of which it is known whether they are of what this program itself did,
	own   uint64 // and those that are
}

// rate counts what a workload offered, or an operation of it, by the hour of the offer.
type rate struct {
	name       string
	hours      map[int64]*heard
	operations map[string]*rate // nil of an operation
}

// at returns the counter of an offer's hour.
func (w *rate) at(offered int64) *heard {
	hour := floorDiv(offered, int64(time.Hour))
	h := w.hours[hour]
	if h == nil {
		h = new(heard)
		w.hours[hour] = h
	}
	h.last = max(h.last, offered/1e6)
	return h
}

// operation returns the rate of an operation, nil of one that is not listened for.
func (w *rate) operation(name string) *rate {
	if o, ok := w.operations[name]; ok {
		return o
	}
	if name = owned(name); name == "" || name == Other || len(w.operations) >= maxListened {
		return nil
	}
	o := &rate{name: w.name + within + name, hours: map[int64]*heard{}}
	w.operations[name] = o
	return o
}

// within stands between a workload and an operation of it, in the tables and in alarms.
const within = " / "

type heard struct {
	records int64
	last    int64 // the latest offer, in milliseconds
}

// originDelays is an origin of the batch under way.
type originDelays struct {
	stream *streamDelays // nil: not measured
	acts   bool

	workload string // the last one, whose counters are
	rate     *rate
	heard    *heard
}

// taken is a row to be added to what the database has.
type taken struct {
	key    feedKey
	name   string // of an operation or a workload
	hour   int64
	live   int
	counts []byte // nil: of a workload
	heard
}

// maxTaken bounds what waits for a database that cannot be written to.
const maxTaken = 1 << 14

// NewDelays returns an empty measurement.
func NewDelays(db *store.DB, now time.Time) *Delays {
	return &Delays{db: db, start: now.UnixNano(), streams: map[feedKey]*streamDelays{}}
}

// Begin begins with a batch that has become searchable, and reports whether its
// records are to be measured: then Add each, and End.
func (d *Delays) Begin(b *journal.Batch, now time.Time) bool {
	if b.Gone || b.Committed.UnixNano() < d.start {
		return false
	}
	d.mu.Lock()
	d.turn(now)
	d.b, d.now = b, now.UnixNano()
	d.origins = d.origins[:0]
	for i := range b.Origins {
		d.origins = append(d.origins, d.origin(&b.Origins[i].Origin))
	}
	return true
}

// End ends the batch.
func (d *Delays) End() {
	d.b = nil
	d.mu.Unlock()
}

func (d *Delays) origin(o *event.Origin) originDelays {
	if o.Family == act.Family {
		return originDelays{acts: Ours(o)}
	}
	return originDelays{stream: d.stream(feedKey{o.Tenant, o.Stream})}
}

func (d *Delays) stream(k feedKey) *streamDelays {
	s, ok := d.streams[k]
	if !ok && len(d.streams) < maxStreams {
		s = &streamDelays{operations: map[string]*[2]cell{}, rates: map[string]*rate{}}
		d.streams[k] = s
	}
	return s
}

// Add measures record i of the batch; own says that it is of what this program itself did. The strings are not kept.
func (d *Delays) Add(i int, operation, workload string, own bool) {
	r := &d.b.Records[i]
	o := &d.origins[r.Origin]
	if o.stream == nil || r.Offered == 0 {
		if o.acts && operation == string(act.Started) {
			d.started(d.b.Raw(i))
		}
		return
	}
	live := 0
	if r.Offered >= o.stream.since {
		live = 1
	}
	counts := &o.stream.operation(operation)[live]
	counts.told++
	if own {
		counts.own++
	}
	c := &counts.steps
	if r.Time != 0 {
		if behind, ok := o.stream.order.behind(r.Offered, r.Time); ok {
			c[Disorder].Add(behind / 1e6)
		}
		c[Offering].Add((r.Offered - r.Time) / 1e6)
		c[Whole].Add((d.now - r.Time) / 1e6)
	}
	c[Receiving].Add((r.Received - r.Offered) / 1e6)
	c[Indexing].Add((d.now - r.Received) / 1e6)
	c[Added].Add((d.now - r.Offered) / 1e6)
	if o.heard == nil || o.workload != workload {
		o.hear(workload, r.Offered)
	}
	if o.heard != nil { // an origin's records have one time of offer
		o.heard.records++
		if op := o.rate.operation(operation); op != nil {
			op.at(r.Offered).records++
		}
	}
}

// order is what is known of a stream's events that were offered by a moment. Times are Unix nanoseconds.
type order struct {
	offered int64 // the latest moment
	before  int64 // the latest event offered before it
	latest  int64 // of those offered then, too
}

// behind takes in a record, and returns how much older its event is than the latest one that was offered before it.
func (o *order) behind(offered, time int64) (ns int64, ok bool) {
	switch {
	case offered < o.offered:
		return 0, false
	case offered > o.offered:
		o.offered, o.before = offered, o.latest
	}
	o.latest = max(o.latest, min(time, offered)) // nothing happens after it was offered, whatever a clock says
	return max(0, o.before-time), true
}

func (s *streamDelays) operation(name string) *[2]cell {
	if c, ok := s.operations[name]; ok {
		return c
	}
	name = owned(name)
	if len(s.operations) >= maxOperations {
		name = Other
	}
	c, ok := s.operations[name]
	if !ok {
		c = new([2]cell)
		s.operations[name] = c
	}
	return c
}

// owned returns a name that can be kept and shown; one that nobody can mean is
// counted with the others.
func owned(name string) string {
	if len(name) > maxName || !utf8.ValidString(name) {
		return Other
	}
	return strings.Clone(name)
}

// hear finds the counter of a workload for the hour of an offer.
func (o *originDelays) hear(workload string, offered int64) {
	o.heard = nil
	w, ok := o.stream.rates[workload]
	if !ok {
		name := owned(workload)
		if name == "" || name == Other || len(o.stream.rates) >= maxWorkloads {
			return
		}
		w = &rate{name, map[int64]*heard{}, map[string]*rate{}}
		o.stream.rates[name] = w
	}
	o.workload, o.rate = w.name, w // the name has its own memory
	o.heard = w.at(offered)
}

// started notes that a collector was started: what was offered before is back-fill.
func (d *Delays) started(raw []byte) {
	a, err := act.Parse(raw)
	if err != nil {
		return
	}
	if s := d.stream(feedKey{a.Tenant, a.Stream}); s != nil {
		s.since = moment(&a) * 1e6
	}
}

// turn begins with another hour of our clock.
func (d *Delays) turn(now time.Time) {
	if hour := floorDiv(now.UnixMilli(), time.Hour.Milliseconds()); hour != d.hour {
		d.take()
		d.hour = hour
	}
}

// take moves what was counted to what is to be written.
func (d *Delays) take() {
	for k, s := range d.streams {
		for name, both := range s.operations {
			for live := range both {
				if c := &both[live]; c.told > 0 {
					d.taken = append(d.taken, taken{key: k, name: name, hour: d.hour, live: live, counts: c.encode()})
					*c = cell{}
				}
			}
		}
		for _, w := range s.rates {
			d.takeRate(k, w)
			for _, op := range w.operations {
				d.takeRate(k, op)
			}
		}
	}
	if over := len(d.taken) - maxTaken; over > 0 {
		d.taken = slices.Delete(d.taken, 0, over)
	}
}

func (d *Delays) takeRate(k feedKey, w *rate) {
	for hour, h := range w.hours {
		d.taken = append(d.taken, taken{key: k, name: w.name, hour: hour, heard: *h})
	}
	clear(w.hours)
}

// encode writes the histograms of the steps, each behind its length, and the counts.
func (c *cell) encode() (dst []byte) {
	for i := range c.steps {
		b := c.steps[i].Append(nil)
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return binary.AppendUvarint(binary.AppendUvarint(dst, c.told), c.own)
}

var errCounts = errors.New("the counts of delays cannot be read")

// add adds what encode wrote. Older rows end before [Disorder], or behind it.
func (c *cell) add(b []byte) error {
	for i := range c.steps {
		if len(b) == 0 && Step(i) == Disorder {
			break
		}
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return errCounts
		}
		if err := c.steps[i].AddEncoded(b[n : n+int(size)]); err != nil {
			return err
		}
		b = b[n+int(size):]
	}
	if len(b) == 0 {
		return nil
	}
	told, n := binary.Uvarint(b)
	own, m := binary.Uvarint(b[max(n, 0):])
	if n <= 0 || m <= 0 || own > told {
		return errCounts
	}
	c.told, c.own = c.told+told, c.own+own
	return nil
}

// Save writes down what was counted. What cannot be written is kept for the next
// time.
func (d *Delays) Save(ctx context.Context) error {
	d.mu.Lock()
	d.take()
	list := d.taken
	d.taken = nil
	d.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	d.saving.Lock()
	defer d.saving.Unlock()
	err := d.db.Write(ctx, func(tx *sql.Tx) error {
		l := &ledger{ctx: ctx, tx: tx, stmts: map[string]*sql.Stmt{}}
		for i := range list {
			if err := l.addTaken(&list[i]); err != nil {
				return err
			}
		}
		return l.forget()
	})
	if err != nil {
		d.mu.Lock()
		d.taken = append(list, d.taken...)
		d.mu.Unlock()
		return fmt.Errorf("coverage: %w", err)
	}
	d.savedRates(list)
	return nil
}

// savedRates keeps what was saved of rates for who has read them, unless that asks too seldom: then all is read again.
func (d *Delays) savedRates(list []taken) {
	for i := range list {
		if d.read && list[i].counts == nil {
			d.saved = append(d.saved, list[i])
		}
	}
	if len(d.saved) > maxTaken {
		d.read, d.saved = false, nil
	}
}

// rates returns what was added to coverage_rate since the last call, and calls all first if that is not known: all reads the
// whole table. There can be one caller only.
func (d *Delays) rates(all func() error) ([]taken, error) {
	d.saving.Lock()
	defer d.saving.Unlock()
	if !d.read {
		if err := all(); err != nil {
			return nil, err
		}
		d.read = true
	}
	list := d.saved
	d.saved = nil
	return list, nil
}

func (l *ledger) addTaken(t *taken) error {
	if t.counts == nil {
		return l.exec(`
			INSERT INTO coverage_rate (tenant, stream, workload, hour, records, last) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT DO UPDATE SET records = records + excluded.records, last = max(last, excluded.last)`,
			t.key.tenant, t.key.stream, t.name, t.hour, t.records, t.last)
	}
	var old []byte
	err := l.query(`SELECT counts FROM coverage_delay WHERE hour = $1 AND tenant = $2 AND stream = $3 AND operation = $4 AND live = $5`,
		t.hour, t.key.tenant, t.key.stream, t.name, t.live).Scan(&old)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	counts := t.counts
	if err == nil {
		c := new(cell)
		if err := errors.Join(c.add(old), c.add(counts)); err != nil {
			return err
		}
		counts = c.encode()
	}
	return l.exec(`
		INSERT INTO coverage_delay (hour, tenant, stream, operation, live, counts) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO UPDATE SET counts = excluded.counts`,
		t.hour, t.key.tenant, t.key.stream, t.name, t.live, counts)
}

// forget deletes the bins that are too old, judged by the newest.
func (l *ledger) forget() error {
	if err := l.exec(`DELETE FROM coverage_delay WHERE hour < (SELECT MAX(hour) FROM coverage_delay) - $1`, delayHours); err != nil {
		return err
	}
	return l.exec(`DELETE FROM coverage_rate WHERE hour < (SELECT MAX(hour) FROM coverage_rate) - $1`, rateHours)
}

// Delay is how long the records of an operation took.
type Delay struct {
	Tenant, Stream string
	Operation      string // empty: all of the stream
	Live           bool   // offered while we ran; otherwise back-filled
	Records        uint64
	// Told are those of Records of which it is known whether they are of what this program itself did, and Own those that are.
	Told, Own uint64
	Steps     [Steps]Percentiles
}

// Percentiles are those of one step. Each is at most a sixteenth too large.
type Percentiles struct {
	Records                  uint64
	Seconds                  uint64 // how many of them are of a second or more
	P50, P90, P95, P99, P999 time.Duration
}

// Latency returns what was measured in the hours that [since, until) touches, by
// our clock: for each stream all of its operations, then each, the most frequent
// first.
func (d *Delays) Latency(ctx context.Context, since, until time.Time) ([]Delay, error) {
	return d.latency(ctx, since, until, false)
}

// Offers returns the same with back-filled records among the live ones, and as such: of
// these delays only [Offering] means anything, for the provider's own delay does not
// depend on whether we ran.
func (d *Delays) Offers(ctx context.Context, since, until time.Time) ([]Delay, error) {
	return d.latency(ctx, since, until, true)
}

func (d *Delays) latency(ctx context.Context, since, until time.Time, together bool) ([]Delay, error) {
	if err := d.Save(ctx); err != nil {
		return nil, err
	}
	rows, err := d.db.Read().QueryContext(ctx, `SELECT tenant, stream, operation, live, counts FROM coverage_delay WHERE hour >= $1 AND hour < $2`,
		floorDiv(since.UnixMilli(), 3600_000), floorDiv(until.UnixMilli()+3600_000-1, 3600_000))
	if err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	defer rows.Close()
	cells := map[delayKey]*cell{}
	for rows.Next() {
		var k delayKey
		var counts []byte
		if err := rows.Scan(&k.tenant, &k.stream, &k.operation, &k.live, &counts); err != nil {
			return nil, fmt.Errorf("coverage: %w", err)
		}
		k.live = k.live || together
		for _, name := range [...]string{k.operation, ""} {
			k.operation = name
			if cells[k] == nil {
				cells[k] = new(cell)
			}
			if err := cells[k].add(counts); err != nil {
				return nil, fmt.Errorf("coverage: %w", err)
			}
			if name == "" {
				break // a record that names no operation is counted once
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("coverage: %w", err)
	}
	return delays(cells), nil
}

type delayKey struct {
	tenant, stream, operation string
	live                      bool
}

func delays(cells map[delayKey]*cell) []Delay {
	list := make([]Delay, 0, len(cells))
	for k, c := range cells {
		d := Delay{Tenant: k.tenant, Stream: k.stream, Operation: k.operation, Live: k.live, Records: c.steps[Added].Count(), Told: c.told, Own: c.own}
		for i := range c.steps {
			h := &c.steps[i]
			ms := func(q float64) time.Duration { return time.Duration(h.Quantile(q)) * time.Millisecond }
			d.Steps[i] = Percentiles{h.Count(), h.Over(999), ms(0.5), ms(0.9), ms(0.95), ms(0.99), ms(0.999)}
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Delay) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Stream, b.Stream), -compareBool(a.Live, b.Live),
			compareBool(a.Operation != "", b.Operation != ""), -cmp.Compare(a.Records, b.Records), cmp.Compare(a.Operation, b.Operation))
	})
	return list
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}
