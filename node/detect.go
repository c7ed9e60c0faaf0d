// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// detector follows the journal and judges every record. It keeps its own position and may be
// thrown away: judging the journal anew gives the same alerts with the same ids.
//
// # What is true if the machine dies
//
// Alerts are written down in transactions of the control store, by their ids, while further records are judged. What the
// engine remembers, its position and the alerts before that which are not written down yet (untold) are committed to its own
// store, together and durably. Dies before the commit: the same records are judged again and give the same alerts, of which some may be
// there already. Dies after it: the next start writes the untold ones down before it goes on.
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
	rowBytes int           // of what a flush writes, going by the last one
	dirty    bool
	prepared int // log sources that are written down
	// What the engine has said of the batches before taken and is not written down yet.
	pending  []detect.Alert
	taken    uint64
	reported time.Time
	every    time.Duration // between two reports, by how long the last one took
	writing  *report       // nil if none is under way

	mu     sync.Mutex
	at     uint64 // batches before it are judged, and what was found is written down
	seen   uint64 // batches before it are judged
	wanted uint64 // somebody waits for the batches before it
	moved  chan struct{}
	err    error
	stats  DetectStats
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
	// flushBytes is about how much is written at once, however long ago the last time was. Two such batches are in memory: the
	// one being made, and the one whose table is being written.
	flushBytes = 12 << 20
	// fewAlerts may be kept beside what the engine remembers. While there are more that are not written down, a flush is put off
	// until they are, but no longer than until it is twice as late, or twice as large, as it should be.
	fewAlerts = 256
	// manyAlerts is how many may wait: judging goes no further then until they are written down.
	manyAlerts = 8192
	// detectAhead is how many batches are judged ahead of the one that the engine takes.
	detectAhead = 4
)

// sourcesKey has the log sources of the records that were judged: the next start prepares for them. untoldKey has the alerts before the
// position that were not written down when it was.
var positionKey, sourcesKey, untoldKey, formatKey = []byte("position"), []byte("sources"), []byte("untold"), []byte("format")

// detectFormat is that of all rows: a version of the program does not understand those of another one.
var detectFormat = fmt.Sprintf("correlate %d, behave %d", correlate.Version, behave.Version)

// judges reports whether a command judges: those that only ask leave the rules alone.
func judges(role string) bool {
	switch role {
	case "search", "coverage", "retain", "prove", "event", "incidents", "notify", "backtest":
		return false
	}
	return true
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
	d := &detector{n: n, done: make(chan struct{}), moved: make(chan struct{}), lateness: lateAtFirst, rowBytes: 256}
	before := live(c)
	book, err := OpenBook(c)
	if err != nil {
		return nil, &DirError{"detect: " + err.Error()}
	}
	n.rulesMemory = max(0, live(c)-before)
	dir := filepath.Join(n.dir, DetectDir)
	// Rows change anywhere among the keys, so every compaction rewrites all of the level below: let many tables gather before.
	o := &pebble.Options{Logger: detect.Quiet{}, L0CompactionThreshold: 16, L0StopWritesThreshold: 64, LBaseMaxBytes: 256 << 20}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10) // most of what is asked for is new
	}
	if d.db, err = pebble.Open(dir, o); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	if rebuild || n.incidents.Position() == (event.ID{}) { // or the alerts are gone with the database
		if err := errors.Join(d.forget(), n.incidents.Reset(ctx)); err != nil {
			return nil, errors.Join(err, d.db.Close())
		}
	}
	if err = d.checkFormat(); err == nil {
		d.at, err = d.position()
	}
	if err == nil {
		err = d.tellUntold(ctx)
	}
	if err != nil {
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
	return detect.Open(detect.BookOptions{Builtin: c.Detect.Builtin, Paths: c.Detect.Rules, Pipelines: c.Detect.Pipelines, Own: Own(c)})
}

// OpenTexts makes a book of files of rules for [Node.Backtest], as the present configuration would have them judge: with
// its pipelines and its applications. They may refer to the built-in ones.
func (n *Node) OpenTexts(texts []detect.Text) (*detect.Book, error) {
	c := &n.live.Load().config
	return detect.Open(detect.BookOptions{Referred: true, Texts: texts, Pipelines: c.Detect.Pipelines, Own: Own(c)})
}

// Own are the applications that a configuration's sources sign in as.
func Own(c *config.Config) (list []detect.Application) {
	for i := range c.Sources {
		if s := &c.Sources[i]; s.ClientID != "" {
			list = append(list, detect.Application{ClientID: s.ClientID, Addresses: s.Addresses})
		}
	}
	return list
}

// telemetryOf are the same applications as the telemetry is told of them.
func telemetryOf(c *config.Config) (list []enrich.Application) {
	for _, a := range Own(c) {
		own := enrich.Application{ClientID: a.ClientID}
		for _, text := range a.Addresses {
			if p, err := netip.ParsePrefix(text); err == nil {
				own.Networks = append(own.Networks, p)
			} else if addr, err := netip.ParseAddr(text); err == nil {
				own.Networks = append(own.Networks, netip.PrefixFrom(addr, addr.BitLen()))
			}
		}
		list = append(list, own)
	}
	return list
}

// ownActs is the condition for what we did ourselves. An enrichment says so, which is in no column: where it is known from where all
// of our applications sign in, only events from there are looked into.
func ownActs(c *config.Config) query.Expr {
	var from query.Term
	list := telemetryOf(c)
	placed := map[string]bool{}
	for _, a := range list {
		placed[a.ClientID] = placed[a.ClientID] || len(a.Networks) > 0
		for _, n := range a.Networks {
			from.Any = append(from.Any, query.Test{Op: query.InNet, Net: n})
		}
	}
	own := query.And{query.Term{Field: "enrichments.type", Any: []query.Test{{Op: query.Equal, Text: enrich.OwnType}}}}
	switch {
	case len(list) == 0:
		return query.Or{}
	case !slices.Contains(slices.Collect(maps.Values(placed)), false):
		from.Field = "ip"
		own = append(own, from)
	}
	return own
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

// forget drops all that is remembered.
func (d *detector) forget() error {
	return d.db.DeleteRange([]byte{0}, []byte{0xff, 0xff}, pebble.Sync)
}

// checkFormat drops what a version of the program has written whose rows are not understood. The journal is judged anew then: what is
// found again has the ids that it had, and is there.
func (d *detector) checkFormat() error {
	v, closer, err := d.db.Get(formatKey)
	if err == nil {
		same := string(v) == detectFormat
		if err := closer.Close(); err != nil || same {
			return err
		}
	} else if !errors.Is(err, pebble.ErrNotFound) {
		return err
	}
	if _, closer, err := d.db.Get(positionKey); err == nil {
		d.n.log.Info("what detection remembers is of another version: the journal is judged anew")
		if err := closer.Close(); err != nil {
			return err
		}
	}
	return errors.Join(d.forget(), d.db.Set(formatKey, []byte(detectFormat), pebble.Sync))
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
		d.n.passes.end(ofDetection)
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

// want says that somebody waits for the batches before upTo: what was found in them is written down as soon as it can be.
func (d *detector) want(upTo uint64) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = max(d.wanted, upTo)
}

// awaited reports whether somebody waits for nothing but that what was found is written down.
func (d *detector) awaited() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at < d.wanted && d.wanted <= d.taken
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
	n.detector.want(upTo.Batch)
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
	return n.Judged(ctx, event.ID{Batch: n.journal.End()})
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
