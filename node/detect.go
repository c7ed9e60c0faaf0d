// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// detector follows the journal and judges every record. It keeps its own position and may be
// thrown away: judging the journal anew gives the same alerts with the same ids.
//
// # What is true if the machine dies
//
// Alerts are written down first, in one transaction of the control store, by their ids. Then
// what the engine remembers and its position are committed to its own store, together and
// durably. Dies between the two: the same records are judged again and give the same alerts,
// which are there already.
type detector struct {
	n      *Node
	book   atomic.Pointer[detect.Book]
	engine *detect.Engine
	used   *detect.Book // by the engine
	db     *pebble.DB
	cancel context.CancelFunc
	done   chan struct{}

	clock    correlate.Clock
	lateness time.Duration
	learned  time.Time
	flushed  time.Time
	flushing time.Duration // between two flushes, by how long the last one took
	dirty    bool
	prepared int // log sources that are written down
	// What the engine has said of the batches before taken and is not written down yet.
	pending  []detect.Alert
	taken    uint64
	reported time.Time
	every    time.Duration // between two reports, by how long the last one took
	writing  *report       // nil if none is under way

	mu    sync.Mutex
	at    uint64 // batches before it are judged, and what was found is written down
	seen  uint64 // batches before it are judged
	moved chan struct{}
	err   error
	stats DetectStats
}

// DetectStats counts what detection has done since the start.
type DetectStats struct {
	Records, Hits, Alerts uint64
	At                    uint64        // log index up to which is judged
	Lag                   time.Duration // from commit to judged, of the last batch
}

const (
	// DetectDir is what detection remembers; it can be made anew from the journal.
	DetectDir   = "detect"
	flushEvery  = 2 * time.Second
	reportEvery = 250 * time.Millisecond
	detectDrain = 5 * time.Second
	// Writing alerts down may take a tenth of the time, and so may a flush: while they take long, as when an import brings
	// thousands of alerts that join, they are done less often. A flush is at most so long in coming: what was judged
	// since the last one is judged again after a crash.
	workShare = 10
	flushMost = 30 * time.Second
	// detectAhead is how many batches are judged ahead of the one that the engine takes.
	detectAhead = 4
)

// sourcesKey has the log sources of the records that were judged: the next start prepares for them.
var positionKey, sourcesKey = []byte("position"), []byte("sources")

// report is alerts that are being written down, beside the taking of further batches.
type report struct {
	upTo  uint64
	begun time.Time
	done  chan error
}

// judged is one batch on its way.
type judged struct {
	batch *journal.Batch
	book  *detect.Book
	found []recordFound
	ready chan struct{}
}

type recordFound struct {
	index int
	found []detect.Found
}

// judges reports whether a command judges: those that only ask leave the rules alone.
func judges(role string) bool {
	switch role {
	case "search", "coverage", "retain", "prove", "event", "incidents", "notify", "backtest":
		return false
	}
	return true
}

// ref names a record of the batch.
func (j *judged) ref(i int) correlate.Ref {
	r, o := &j.batch.Records[i], j.batch.Envelope(i)
	return correlate.Ref{ID: j.batch.ID(i), Time: r.Time, Key: detect.KeyOf(o.Tenant, o.Family, r.ID, j.batch.Raw(i))}
}

// judgeAnew reports whether a rebuild may forget what was found.
func (n *Node) judgeAnew(ctx context.Context) bool {
	if !n.actsGone(ctx) {
		return true
	}
	n.log.Warn("alerts are not made anew: the oldest records are gone by policy, and what was found in them would be lost")
	return false
}

func openDetector(ctx context.Context, n *Node, c *config.Config, rebuild bool) (*detector, error) {
	d := &detector{n: n, done: make(chan struct{}), moved: make(chan struct{}), lateness: lateAtFirst}
	before := live(c)
	book, err := OpenBook(c)
	if err != nil {
		return nil, &DirError{"detect: " + err.Error()}
	}
	n.rulesMemory = max(0, live(c)-before)
	dir := filepath.Join(n.dir, DetectDir)
	o := &pebble.Options{Logger: detect.Quiet{}}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most of what is asked for is new
	}
	if d.db, err = pebble.Open(dir, o); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if rebuild || n.incidents.Position() == (event.ID{}) { // or the alerts are gone with the database
		err := d.db.DeleteRange([]byte{0}, []byte{0xff, 0xff}, pebble.Sync)
		if err = errors.Join(err, n.incidents.Reset(ctx)); err != nil {
			return nil, errors.Join(err, d.db.Close())
		}
	}
	if d.at, err = d.position(); err != nil {
		return nil, errors.Join(err, d.db.Close())
	}
	book.Prepare(d.sources())
	d.adopt(book)
	d.engine, d.used = detect.NewEngine(book, d.db), book
	d.engine.Limit(int64(c.Detect.Memory))
	return d, nil
}

// live is how much of the heap is in use, as far as there are rules that somebody has added: it costs a collection.
func live(c *config.Config) int64 {
	if len(c.Detect.Rules) == 0 {
		return 0
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// RulesMemory is about how many bytes the rules take that were added to the built-in ones, as of the start.
func (n *Node) RulesMemory() int64 { return n.rulesMemory }

// OpenBook reads the rules that a configuration names.
func OpenBook(c *config.Config) (*detect.Book, error) {
	return detect.Open(detect.BookOptions{Builtin: c.Detect.Builtin, Paths: c.Detect.Rules, Pipelines: c.Detect.Pipelines})
}

// adopt makes a book the one that counts, and says which rules it had to refuse.
func (d *detector) adopt(b *detect.Book) {
	d.book.Store(b)
	refused := 0
	for _, p := range b.Problems {
		if p.Severity == sigma.Error {
			if refused++; refused <= 20 {
				d.n.log.Warn("a rule was refused", "why", p.Error())
			}
		}
	}
	for _, r := range b.Replaced {
		d.n.log.Info("a rule takes a built-in one's place", "id", r.By.ID, "title", r.Builtin.Title, "file", r.By.File, "line", r.By.Line)
	}
	d.n.log.Info("rules were loaded", "documents", len(b.Documents), "refused", refused)
}

func (d *detector) position() (uint64, error) {
	v, closer, err := d.db.Get(positionKey)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	if len(v) != 24 {
		return 0, fmt.Errorf("the position of detection has %d bytes: remove the folder %s, and the journal is judged anew", len(v), DetectDir)
	}
	d.clock.Watermark, d.clock.Received = int64(binary.BigEndian.Uint64(v[8:])), int64(binary.BigEndian.Uint64(v[16:]))
	return binary.BigEndian.Uint64(v), nil
}

// sources returns the log sources of the records that earlier runs have judged. They are about speed alone, and none is
// no mistake.
func (d *detector) sources() (list [][]sigma.LogSource) {
	v, closer, err := d.db.Get(sourcesKey)
	if err != nil {
		return nil
	}
	defer closer.Close()
	if json.Unmarshal(v, &list) != nil {
		return nil
	}
	d.prepared = len(list)
	return list
}

// keepSources writes down the log sources when there are more of them.
func (d *detector) keepSources(b *pebble.Batch) error {
	list := d.used.Program.Sources()
	if len(list) <= d.prepared {
		return nil
	}
	d.prepared = len(list)
	v, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return b.Set(sourcesKey, v, nil)
}

func (d *detector) start() {
	if d == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	go func() {
		defer close(d.done)
		err := d.run(ctx)
		if errors.Is(err, journal.ErrClosed) || ctx.Err() != nil {
			err = nil
		}
		if err == nil {
			err = d.flush(true)
		}
		if err != nil {
			d.n.log.Error("records are not judged: detection has stopped following the journal, restart to try again", "err", err)
		}
		d.move(0, err)
	}()
}

// abandon lets go of what was opened and never started.
func (d *detector) abandon() { d.db.Close() }

// stop ends it; the journal is closed. What was not judged the next start does.
func (d *detector) stop() {
	if d == nil {
		return
	}
	select {
	case <-d.done:
	case <-time.After(detectDrain):
	}
	d.cancel()
	<-d.done
	if err := d.db.Close(); err != nil {
		d.n.log.Warn("the store of detection was not closed", "err", err)
	}
}

// run reads, judges on all cores, and takes what was found in the journal's order.
func (d *detector) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	order, work := make(chan *judged, detectAhead), make(chan *judged, detectAhead)
	var tasks sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tasks.Go(func() {
			w := &judgeWorker{d: d}
			for j := range work {
				w.judgeBatch(j)
				close(j.ready)
			}
		})
	}
	var readErr, takeErr error
	begin := d.at
	tasks.Go(func() {
		defer close(order)
		defer close(work)
		readErr = d.read(ctx, begin, order, work)
	})
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for open := true; open; {
		var written chan error
		if d.writing != nil {
			written = d.writing.done
		}
		select {
		case err := <-written:
			if err = d.written(err); err != nil && takeErr == nil {
				takeErr = err
				cancel()
			}
		case j, ok := <-order:
			if open = ok; !ok {
				break
			}
			<-j.ready
			if takeErr == nil {
				if takeErr = d.take(ctx, j); takeErr != nil {
					cancel() // ends the reader, and with it this loop
				}
			}
		case <-tick.C:
			if takeErr == nil {
				d.progress(ctx)
				if takeErr = d.flush(false); takeErr != nil {
					cancel()
				}
			}
		}
	}
	tasks.Wait()
	if d.writing != nil {
		takeErr = errors.Join(takeErr, d.written(<-d.writing.done))
	}
	if takeErr != nil {
		return takeErr
	}
	return readErr
}

func (d *detector) read(ctx context.Context, begin uint64, order, work chan<- *judged) error {
	from := d.n.journal.Follow(begin)
	for {
		b, err := from.Next(ctx)
		if err != nil {
			return err
		}
		j := &judged{batch: b, ready: make(chan struct{})}
		select {
		case order <- j:
		case <-ctx.Done():
			return ctx.Err()
		}
		work <- j // workers never stop before the reader
	}
}

// judgeWorker judges batches by the book that counts when it takes them.
type judgeWorker struct {
	d     *detector
	book  *detect.Book
	judge *detect.Judge
	view  view
}

func (w *judgeWorker) by(b *detect.Book) *detect.Judge {
	if w.book != b {
		if w.view.enricher == nil {
			w.view.enricher = enrich.New(&w.d.n.mappers.source)
		}
		w.book, w.judge = b, b.NewJudge(w.view.json)
	}
	return w.judge
}

func (w *judgeWorker) judgeBatch(j *judged) {
	j.book = w.d.book.Load()
	judge := w.by(j.book)
	if j.batch.Gone {
		return
	}
	for i := range j.batch.Records {
		if found := judge.Record(j.batch.Raw(i), j.batch.Envelope(i).Family, nil); len(found) > 0 {
			j.found = append(j.found, recordFound{i, found})
		}
	}
}

// take gives a batch to the engine and writes down its alerts.
func (d *detector) take(ctx context.Context, j *judged) error {
	if d.used != j.book {
		d.engine.Use(j.book)
		d.used = j.book
	}
	d.receive(j.batch)
	d.engine.Begin(j.batch.Index)
	hits := 0
	for i := range j.found {
		f := &j.found[i]
		d.engine.Take(j.ref(f.index), j.batch.Envelope(f.index).Tenant, f.found)
		hits += len(f.found)
	}
	d.advance(j.batch)
	alerts, err := d.describe(ctx, j.batch, d.engine.Alerts())
	if err != nil {
		return err
	}
	d.pending, d.taken, d.dirty = append(d.pending, alerts...), j.batch.Index+1, true
	d.mu.Lock()
	d.stats.Records += uint64(len(j.batch.Records))
	d.stats.Hits += uint64(hits)
	d.stats.Alerts += uint64(len(alerts))
	d.stats.Lag = time.Since(j.batch.Committed)
	d.mu.Unlock()
	d.move(0, nil)
	d.progress(ctx)
	return d.flush(false)
}

// progress begins to write down the alerts of the batches that were taken, if there are any and it is time, or says that
// these are judged. Many alerts at once cost little more than one: while there are ever new ones they are written every
// reportEvery, and otherwise at once.
func (d *detector) progress(ctx context.Context) {
	switch {
	case d.writing != nil:
	case len(d.pending) == 0:
		d.move(d.taken, nil)
	case time.Since(d.reported) >= d.every:
		d.write(ctx)
	}
}

// write begins to write down what is pending. One report is under way at a time.
func (d *detector) write(ctx context.Context) {
	r := &report{upTo: d.taken, begun: time.Now(), done: make(chan error, 1)}
	alerts := d.pending
	d.pending, d.writing = nil, r
	go func() { r.done <- d.n.incidents.Take(ctx, event.ID{Batch: r.upTo}, alerts) }()
}

// written takes note of how the report under way has ended.
func (d *detector) written(err error) error {
	r := d.writing
	d.writing = nil
	if err != nil {
		return err
	}
	d.reported, d.every = time.Now(), max(reportEvery, workShare*time.Since(r.begun))
	if len(d.pending) == 0 {
		d.move(d.taken, nil)
	} else {
		d.move(r.upTo, nil)
	}
	return nil
}

// tell waits until the alerts of all batches that were taken are written down.
func (d *detector) tell(ctx context.Context) error {
	for d.writing != nil || len(d.pending) > 0 {
		if d.writing == nil {
			d.write(ctx)
		}
		if err := d.written(<-d.writing.done); err != nil {
			return err
		}
	}
	d.move(d.taken, nil)
	return nil
}

// How late a record may come for a correlation to wait for it: twice the 99.9th percentile of what
// coverage has measured from event to offer in the last week, between these bounds. Until
// there is a measurement it is a day: Microsoft documents up to 24 hours for some workloads.
const (
	lateAtFirst = 24 * time.Hour
	lateLeast   = time.Hour
	lateMost    = 72 * time.Hour
	learnEvery  = 10 * time.Minute
)

// learn takes up what coverage has measured of how late records are.
func (d *detector) learn(ctx context.Context) {
	now := time.Now()
	if now.Sub(d.learned) < learnEvery {
		return
	}
	d.learned = now
	delays, err := d.n.covered.delays.Latency(ctx, now.Add(-7*24*time.Hour), now)
	if err != nil {
		return // what was learned before holds
	}
	worst := time.Duration(0)
	for i := range delays {
		if x := &delays[i]; x.Operation == "" && x.Live {
			worst = max(worst, x.Steps[coverage.Offering].P999)
		}
	}
	if worst > 0 {
		d.lateness = min(max(2*worst, lateLeast), lateMost)
	}
}

// receive tells the engine when a batch was received, before it takes it: what it notes of its records
// is as of then, however long ago the batch before was.
func (d *detector) receive(b *journal.Batch) {
	for i := range b.Records {
		d.clock.Received = max(d.clock.Received, b.Records[i].Received)
	}
	d.engine.Advance(d.clock)
}

// advance moves the watermark by a batch that was taken: it follows the records' own time, for an import
// is of the past, and never runs ahead of when they were received.
func (d *detector) advance(b *journal.Batch) {
	c := d.clock
	for i := range b.Records {
		r := &b.Records[i]
		if at := r.Time - int64(d.lateness); r.Time <= r.Received+int64(time.Hour) && at > c.Watermark {
			c.Watermark = at
		}
	}
	if c != d.clock {
		d.clock = c
		d.engine.Advance(c)
	}
}

// flush makes what the engine remembers durable, with the position up to which it has judged.
func (d *detector) flush(last bool) error {
	d.learn(context.Background())
	if !d.dirty || !last && time.Since(d.flushed) < d.flushing {
		return nil
	}
	begun := time.Now()
	if err := d.tell(context.Background()); err != nil {
		return err
	}
	d.mu.Lock()
	at := d.at
	d.mu.Unlock()
	// Where nothing was found, too: whose position is zero has lost what was found.
	if err := d.n.incidents.Take(context.Background(), event.ID{Batch: at}, nil); err != nil {
		return err
	}
	b := d.db.NewBatch()
	defer b.Close()
	if err := d.engine.Flush(b); err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	v := binary.BigEndian.AppendUint64(nil, at)
	v = binary.BigEndian.AppendUint64(v, uint64(d.clock.Watermark))
	v = binary.BigEndian.AppendUint64(v, uint64(d.clock.Received))
	if err := errors.Join(b.Set(positionKey, v, nil), d.keepSources(b)); err != nil {
		return err
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("detection: %w", err)
	}
	d.dirty, d.flushed = false, time.Now()
	d.flushing = min(max(flushEvery, workShare*d.flushed.Sub(begun)), flushMost)
	return nil
}

func (d *detector) move(at uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at, d.seen = max(d.at, at), max(d.seen, d.taken, at)
	if err != nil {
		d.err = err
	}
	close(d.moved)
	d.moved = make(chan struct{})
}

// state returns up to where is judged, when to ask again, and why it has stopped. Without a
// detector nothing is ever to be waited for.
func (d *detector) state() (at uint64, moved <-chan struct{}, err error) {
	if d == nil {
		return math.MaxUint64 - aheadBatches, nil, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at, d.moved, d.err
}

// pace is state for who must not be far ahead of it: what was found need not be written down.
func (d *detector) pace() (seen uint64, moved <-chan struct{}, err error) {
	if d == nil {
		return d.state()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(d.seen, d.at), d.moved, d.err
}

// ended is closed when it follows no more.
func (d *detector) ended() <-chan struct{} {
	if d == nil {
		return nil
	}
	return d.done
}

// Judged waits until every record before upTo was judged.
func (n *Node) Judged(ctx context.Context, upTo event.ID) error {
	for {
		at, moved, err := n.detector.state()
		switch {
		case at >= upTo.Batch:
			return nil
		case err != nil:
			return fmt.Errorf("the records are stored, but not judged: %w", err)
		}
		select {
		case <-moved:
		case <-n.detector.ended():
			return ErrStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// CatchUpDetection waits until everything that the journal holds is judged.
func (n *Node) CatchUpDetection(ctx context.Context) error {
	for {
		at, moved, err := n.detector.state()
		switch {
		case err != nil:
			return err
		case at >= n.journal.Size() || !n.behind(ctx, at):
			return ctx.Err()
		}
		select {
		case <-moved:
		case <-time.After(200 * time.Millisecond):
		case <-n.detector.ended():
			return ErrStopped
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// DetectStats returns what detection has done.
func (n *Node) DetectStats() DetectStats {
	d := n.detector
	if d == nil {
		return DetectStats{}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	s.At = d.at
	return s
}

// describedRefs is how many records of an alert are looked at for who and what it is about.
const describedRefs = 20

// describe completes alerts with who and what they are about. b is the batch under way, whose records are at hand.
func (d *detector) describe(ctx context.Context, b *journal.Batch, alerts []detect.Alert) ([]detect.Alert, error) {
	// Informational rules mark records for others: they are no alert.
	alerts = slices.DeleteFunc(alerts, func(a detect.Alert) bool { return a.Level == "informational" })
	if len(alerts) == 0 {
		return nil, nil
	}
	m := d.n.mappers.get()
	defer d.n.mappers.put(m)
	now := time.Now().UTC()
	for i := range alerts {
		a := &alerts[i]
		a.Found = now
		for k := range a.Refs[:min(len(a.Refs), describedRefs)] {
			raw, family, err := d.raw(ctx, b, a.Refs[k].ID)
			if err != nil {
				return nil, err
			}
			if raw == nil {
				continue // gone by policy
			}
			a.Entities = detect.AppendEntities(a.Entities, m.event(raw, family))
			if len(a.Why) == 0 && a.Refs[k].Key == a.Completed.Key {
				a.Why = d.why(a.Rule, raw, family)
			}
		}
	}
	return alerts, nil
}

// raw returns a record; nil if it is gone.
func (d *detector) raw(ctx context.Context, b *journal.Batch, id event.ID) ([]byte, event.Family, error) {
	if id.Batch == b.Index && !b.Gone && int(id.Index) < len(b.Records) {
		return b.Raw(int(id.Index)), b.Envelope(int(id.Index)).Family, nil
	}
	s, err := d.n.journal.Read(ctx, id)
	if err != nil || s.Gone {
		return nil, "", err
	}
	return s.Raw, s.Origin.Family, nil
}

// why judges a record once more, for an alert of several that another one has revised.
func (d *detector) why(rule string, raw []byte, family event.Family) []detect.Reason {
	v := view{enricher: enrich.New(&d.n.mappers.source)}
	for _, f := range d.used.NewJudge(v.json).Record(raw, family, nil) {
		if f.Rule == rule {
			return f.Why
		}
	}
	return nil
}

// reloadRules reads the rules again; correlations that have not changed go on with what they
// remember. If the rules cannot be read, the old ones stay. All that takes long is done here, while the
// stream goes on by the old ones.
func (n *Node) reloadRules(c *config.Config) error {
	b, err := OpenBook(c)
	if err != nil {
		return err
	}
	b.Prepare(n.detector.book.Load().Program.Sources())
	n.detector.adopt(b)
	return nil
}
