// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package node is the process that holds one data directory. It wires the
// stages of the flow together:
//
//	Import ──▶ journal ══▶ follower: normalize, enrich, index ──▶ lake ◀── Search
//	sources ─▶    │                                                          │
//	              └──▶ Tail, Event, Prove ◀───────────────────────────────────┘
//
// Sources are the collectors of live tenants, one for each [[source]] of the
// configuration. [Node.Collect] starts them, [Node.Configure] changes them while
// they run, and Close stops them before the journal.
//
// # What is true if the machine dies
//
// A record is safe once [Import.Finish] has returned; before that it is either
// in the journal or was never there, and importing it again stores it once. The
// lake keeps its own position in the journal and is never ahead of it: what it
// lacks is mapped again at the next start, by the same follower that runs
// always. Drift notices that were not yet written down are counted again or
// lost; they are hints for people.
//
// # What holds up what
//
// Nothing to the right of the journal holds up the journal. Only an import,
// which can wait, is paced to the lake, so that the follower reads from memory.
package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	"github.com/daybreak-sec/daybreak/collect/kafka"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/notify"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/reconcile"
	"github.com/daybreak-sec/daybreak/store"
)

// The kinds of errors that callers tell apart. Journal failures are
// [journal.ErrFailed]; mistakes in a query are [*query.Error].
var (
	ErrNotFound = errors.New("no such event")
	ErrGone     = errors.New("the raw record is gone by policy")
	ErrBusy     = errors.New("too many searches are running: try again in a moment")
	ErrStopped  = errors.New("the process is stopping")
	ErrQuery    = errors.New("the query cannot be answered")
)

// Options say which directory is held, and how.
type Options struct {
	Dir string
	// Role is the command that holds it, for people.
	Role   string
	Config config.Config
	Log    *slog.Logger
	// MustExist refuses to make a data directory.
	MustExist bool
	// Rebuild drops the lake, so that it is made anew from the journal.
	Rebuild bool
	// Adjust is for tests: simulated days are seconds, and waits are to be too.
	Adjust Adjust
}

// Adjust changes what a source runs with before it starts, and how messages are sent. nil leaves it.
type Adjust struct {
	Collector  func(*collect.Options)
	Pages      func(*pages.Options)
	Kafka      func(*kafka.Options)
	Client     func(*rest.Shared)
	Controls   func(*controls.Options)
	Canary     func(*canary.Options)
	AuditQuery func(*auditquery.CheckOptions)
	Notify     func(*notify.Options)
	Reconcile  func(*reconcile.Options)
	Listen     time.Duration // how often silent workloads are listened for; 0: as always
}

// Node holds a data directory. It is safe for concurrent use.
type Node struct {
	rulesMemory int64 // see RulesMemory
	dir         string
	role        string
	live        atomic.Pointer[settings]
	configuring sync.Mutex // one configuration after the other
	gating      sync.Mutex // readiness tells of a change once
	log         *slog.Logger
	started     time.Time

	lock    *durable.Lock
	db      *store.DB
	journal *journal.Journal
	lake    *lake.Lake
	mappers *mappers
	drift   *drift
	metrics *metrics

	passes      *passes
	follow      *follower
	detector    *detector
	incidents   *incident.Store
	teller      teller
	covered     *covered
	reconciling *reconciling
	people      *people
	sources     *sources
	receivers   *receivers
	upkeep      context.CancelFunc
	tasks       sync.WaitGroup
	stale       bool // rows were made by another version of the mapping
	failing     chan struct{}
	closing     sync.Once
}

// Open takes the data directory and everything in it. Errors that people can
// mend are a [*DirError] or a [*HeldError].
func Open(ctx context.Context, o Options) (*Node, error) {
	if o.MustExist {
		if _, err := os.Stat(filepath.Join(o.Dir, JournalDir)); errors.Is(err, fs.ErrNotExist) {
			return nil, &DirError{fmt.Sprintf("%s holds no data: import something first, or name another directory with --data", o.Dir)}
		}
	}
	lock, err := hold(o.Dir)
	if err != nil {
		return nil, err
	}
	n := &Node{
		dir: o.Dir, role: o.Role, log: o.Log, started: time.Now(), lock: lock, failing: make(chan struct{}),
	}
	n.live.Store(newSettings(&o.Config, nil))
	n.sources = newSources(n)
	n.sources.adjust = o.Adjust
	n.receivers = newReceivers(n)
	if err := n.open(ctx, o.Rebuild); err != nil {
		n.abandon()
		return nil, dirError(o.Dir, err)
	}
	run, stop := context.WithCancel(context.Background())
	n.upkeep = stop
	n.passes = newPasses(n)
	n.follow = startFollower(n)
	n.detector.start()
	n.covered.start()
	n.reconciling.start()
	n.background(func() { n.covered.watch(run) })
	n.background(func() { n.followDecisions(run) })
	n.background(func() { n.people.run(run) })
	if tells(n.role) {
		n.background(func() { n.tell(run) })
	}
	n.background(func() { n.maintain(run) })
	if n.role == "serve" {
		n.background(func() { n.gate(run) })
	}
	n.background(func() { n.watch(run) })
	return n, nil
}

func (n *Node) background(f func()) { n.tasks.Go(f) }

// followDecisions takes in what people decide about incidents, and tries again as long as the
// database does not let it.
func (n *Node) followDecisions(ctx context.Context) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := n.incidents.Follow(ctx, n.journal)
		if err == nil || ctx.Err() != nil || n.journal.Err() != nil {
			return
		}
		n.log.Error("decisions about incidents are not taken in; it is tried again", "err", err, "in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

func (n *Node) open(ctx context.Context, rebuild bool) error {
	os.Remove(filepath.Join(n.dir, AddressFile)) // of a process that was killed
	var err error
	c := &n.live.Load().config
	if n.mappers, err = newMappers(c.Enrich.Databases); err != nil {
		return err
	}
	n.mappers.source.Own(telemetryOf(c))
	o := journal.Options{
		Origin:    c.Journal.Name,
		KeyFile:   filepath.Join(n.dir, KeyFile),
		DedupeDir: filepath.Join(n.dir, DedupeDir),
		Content:   normalize.Content,
		Logger:    n.log,
	}
	if n.role != "serve" {
		// Somebody waits for the last checkpoint of a short command.
		o.CheckpointInterval = 200 * time.Millisecond
	}
	if file := c.Witness.Policy; file != "" {
		if o.WitnessPolicy, err = os.ReadFile(file); err != nil {
			return &DirError{fmt.Sprintf("witness.policy: %v", err)}
		}
	}
	if n.journal, err = journal.Open(ctx, filepath.Join(n.dir, JournalDir), o); err != nil {
		return err
	}
	if err := n.publishKey(); err != nil {
		return err
	}
	if n.db, err = store.Open(ctx, filepath.Join(n.dir, ControlFile)); err != nil {
		return err
	}
	if n.lake, err = lake.Open(ctx, filepath.Join(n.dir, LakeDir), n.db, lake.Options{Log: n.log}); err != nil {
		return err
	}
	shorter, err := n.forgetLost(ctx)
	if err != nil {
		return err
	}
	if err := n.openMapping(ctx, rebuild || shorter); err != nil {
		return err
	}
	if n.covered, err = openCovered(ctx, n, rebuild); err != nil {
		return err
	}
	if err := n.forgetCoverage(ctx); err != nil {
		return err
	}
	box, err := n.newOutbox(c)
	if err != nil {
		return err
	}
	n.teller.use(box)
	if n.people, err = openPeople(ctx, n, c, rebuild); err != nil {
		return err
	}
	told := incident.Options{Common: c.Incidents.Common, Person: n.people.person, Changed: n.teller.changed, Log: n.log}
	if n.incidents, err = incident.Open(ctx, n.db, told); err != nil {
		return err
	}
	if judges(n.role) {
		if n.detector, err = openDetector(ctx, n, c, shorter || rebuild && n.judgeAnew(ctx)); err != nil {
			return err
		}
	}
	if n.reconciling, err = openReconciling(ctx, n, shorter || rebuild); err != nil {
		return err
	}
	if err := n.forgetChannels(ctx); err != nil {
		return err
	}
	n.drift = newDrift(n.db)
	n.metrics = newMetrics(n)
	return nil
}

// publishKey keeps all verifier keys that the log has had in one file, the
// newest last, for whoever checks proofs.
func (n *Node) publishKey() error {
	path := filepath.Join(n.dir, PublicFile)
	have, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key := n.journal.VerifierKey()
	for line := range strings.Lines(string(have)) {
		if strings.TrimSpace(line) == key {
			return nil
		}
	}
	return new(durable.Ops).WriteFile(path, append(have, key+"\n"...), 0o644)
}

// abandon lets go after a failure to open.
func (n *Node) abandon() {
	if n.detector != nil {
		n.detector.abandon()
	}
	if n.lake != nil {
		n.lake.Close()
	}
	if n.journal != nil {
		n.journal.Close()
	}
	if n.db != nil {
		n.db.Close()
	}
	n.lock.Release()
}

// Close ends everything in good order: what was taken in is durable and covered
// by a signed checkpoint, and the lake has written what it had in memory. If
// that fails, the next Open recovers as from a crash.
func (n *Node) Close() error {
	var err error
	n.closing.Do(func() {
		n.receivers.stop()
		n.sources.stop()
		n.upkeep()
		err = n.journal.Close()
		n.follow.stop()
		n.detector.stop()
		n.covered.stop()
		n.reconciling.stop()
		n.tasks.Wait()
		if n.follow.Err() == nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := n.people.book.Save(ctx); err != nil {
				n.log.Warn("what records show of people was not written down; the next start maps them again", "err", err)
			}
			if flushErr := n.lake.Flush(ctx); flushErr != nil {
				n.log.Warn("lake was not flushed; the next start maps again what it lacks", "err", flushErr)
			}
		}
		n.drift.save(context.Background(), n.log)
		err = errors.Join(err, n.lake.Close(), n.db.Close(), n.lock.Release())
	})
	return n.failure(err)
}

// Dir returns the data directory.
func (n *Node) Dir() string { return n.dir }

// Metrics returns the metrics of this process.
func (n *Node) Metrics() *prometheus.Registry { return n.metrics.registry }

// Failed is closed when the journal has stopped after a failed write. Only a new
// process helps then.
func (n *Node) Failed() <-chan struct{} { return n.failing }

// Err returns why the journal has stopped, nil if it has not.
func (n *Node) Err() error { return n.failure(n.journal.Err()) }

// Ready returns why records cannot be taken in or found at present, nil if they
// can.
func (n *Node) Ready() error {
	if err := n.Err(); err != nil {
		return err
	}
	if err := n.follow.Err(); err != nil {
		return err
	}
	_, _, err := n.detector.state()
	return err
}

// failure turns an error of the journal into advice.
func (n *Node) failure(err error) error {
	if err != nil && durable.NoSpace(err) {
		return dirError(n.dir, err)
	}
	return err
}

// watch notices that the journal has stopped.
func (n *Node) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if n.journal.Err() != nil {
				n.sources.cancel() // what they collect can go nowhere
				n.receivers.cancel()
				close(n.failing)
				return
			}
		}
	}
}

// RotateKey replaces the log's signing key and returns the new verifier key.
func (n *Node) RotateKey(ctx context.Context) (string, error) {
	if err := n.journal.RotateKey(ctx); err != nil {
		return "", n.failure(err)
	}
	return n.journal.VerifierKey(), n.publishKey()
}

// Prove returns the evidence bundle of one event.
func (n *Node) Prove(ctx context.Context, id event.ID) (any, error) {
	b, err := n.journal.Prove(ctx, id)
	if err != nil {
		return nil, n.lookup(err, id)
	}
	return b, nil
}

// lookup gives errors of reading one event their kind.
func (n *Node) lookup(err error, id event.ID) error {
	switch {
	case errors.Is(err, journal.ErrNotFound):
		return fmt.Errorf("%s: %w", id, ErrNotFound)
	case errors.Is(err, journal.ErrGone):
		return fmt.Errorf("%s: %w", id, ErrGone)
	}
	return err
}

// Checkpoint returns the latest signed checkpoint.
func (n *Node) Checkpoint() ([]byte, error) {
	return os.ReadFile(filepath.Join(n.dir, JournalDir, "log", "checkpoint"))
}
