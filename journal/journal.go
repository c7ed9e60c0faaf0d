// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// ErrFailed is wrapped by every error after a write or an fsync has failed.
// Nothing is retried: what is on disk is known again only after the next Open.
var ErrFailed = errors.New("the journal has stopped after a failed write; restart to recover")

// ErrClosed is returned by a journal that was closed.
var ErrClosed = errors.New("the journal is closed")

// ErrGone is wrapped by errors about raw records that retention has deleted.
var ErrGone = errors.New("the raw record was deleted at the end of its retention")

// ErrNotFound is wrapped by errors about ids that name no record.
var ErrNotFound = errors.New("no such record in the journal")

// Journal is the open journal. Its methods may be called from several goroutines.
type Journal struct {
	opts  Options
	dir   string
	lock  *durable.Lock
	tree  *tree
	files *files
	index *dedupe
	live  *live
	cache *cache
	stats counters

	scratch sync.Pool // of *[]prepared

	// turn holds one token; who took it may touch the fields below.
	turn     chan struct{}
	building *building
	likely   int    // records of a batch, going by the largest of the last ones
	buffer   []byte // where the records of the batch being built lie until it is sealed
	next     uint64 // the log index of the next entry
	origins  origins
	closed   bool

	order chan *step     // to the committer
	work  chan *building // to the compressors
	quit  context.CancelFunc
	tasks sync.WaitGroup // everything that runs in the background

	failure atomic.Pointer[error]
	broken  chan struct{} // closed with the first failure
}

// step is what the committer does next: write a batch, or close a channel to say
// that it has come this far.
type step struct {
	batch   *building
	reached chan struct{}
}

// depth bounds the sealed batches on their way to disk. With the one being built
// and the one being written that is at most depth+2 batches of growBytes times
// BatchBytes in memory.
const depth = 2

// Open opens the journal in dir, which is DATA/journal, and makes it if there is
// none. It recovers from whatever a crash left, by the same path as always; it
// refuses evidence that no crash can explain. Only one process has a journal open.
func Open(ctx context.Context, dir string, opts Options) (*Journal, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	j := &Journal{
		opts: opts, dir: dir, live: newLive(opts.LiveBytes), cache: newCache(),
		turn: make(chan struct{}, 1), broken: make(chan struct{}),
		order: make(chan *step, depth), work: make(chan *building, depth),
	}
	j.scratch.New = func() any { return new([]prepared) }
	if err := j.recover(ctx); err != nil {
		j.abandon()
		return nil, fmt.Errorf("journal %s: %w", dir, err)
	}
	run, quit := context.WithCancel(context.Background())
	j.quit = quit
	j.background(func() { j.tree.watch(run, opts.Logger) })
	j.background(j.commitLoop)
	for range max(1, min(4, runtime.GOMAXPROCS(0))) {
		j.background(j.sealLoop)
	}
	j.turn <- struct{}{}
	return j, nil
}

func (j *Journal) background(f func()) {
	j.tasks.Add(1)
	go func() {
		defer j.tasks.Done()
		f()
	}()
}

// abandon lets go of everything without writing.
func (j *Journal) abandon() {
	if j.tree != nil {
		j.tree.close()
	}
	if j.files != nil {
		j.files.closeSegment()
	}
	if j.index != nil {
		_ = j.index.abandon() // it lags behind the log at worst, which replay mends
	}
	if j.lock != nil {
		_ = j.lock.Release()
	}
}

// enter waits for the turn.
func (j *Journal) enter(ctx context.Context) error {
	select {
	case <-j.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := j.Err(); err != nil {
		j.leave()
		return err
	}
	if j.closed {
		j.leave()
		return ErrClosed
	}
	return nil
}

func (j *Journal) leave() { j.turn <- struct{}{} }

// Err returns the failure that stopped the journal, or nil.
func (j *Journal) Err() error {
	if p := j.failure.Load(); p != nil {
		return *p
	}
	return nil
}

// fail stops the journal for good and returns the error to report.
func (j *Journal) fail(err error) error {
	if durable.NoSpace(err) {
		err = fmt.Errorf("the disk that holds %s is full: make room and restart, nothing that was confirmed is lost: %w", j.dir, err)
	}
	err = fmt.Errorf("%w: %w", ErrFailed, err)
	if j.failure.CompareAndSwap(nil, &err) {
		j.opts.Logger.Error("journal stopped", "err", err)
		close(j.broken)
	}
	return j.Err()
}

// room makes sure, in its turn, that building takes one more ordinal with raw-1
// bytes of record (none if raw is 0) and text bytes of text.
func (j *Journal) room(ctx context.Context, raw, text int) error {
	if b := j.building; b != nil {
		const most = layout.MaxReceiptBytes / 4
		over := func(records, bytes int) bool {
			return raw > 0 && len(b.Records) > 0 && (len(b.Records) >= records || len(b.raw)+raw-1 > bytes)
		}
		hard := over(layout.MaxRecords, growBytes*j.opts.BatchBytes) || b.ordinals >= layout.MaxOrdinals || b.text+text > most
		if hard || over(j.opts.BatchRecords, j.opts.BatchBytes) {
			if err := j.seal(ctx, hard); err != nil {
				return err
			}
		}
	}
	if j.building != nil {
		return nil
	}
	b := &building{
		Batch: Batch{Index: j.next}, pieces: make(map[event.Origin]int),
		ready: make(chan struct{}), done: make(chan struct{}),
	}
	b.begin(j.buffer, j.likely)
	j.building = b
	j.next++
	j.live.begin(b)
	b.timer = time.AfterFunc(j.opts.BatchDelay, func() { j.sealLate(b) })
	return nil
}

// seal hands the batch being built on. Unless it must, it gives up at once when
// the committer is behind, and the batch grows on.
func (j *Journal) seal(ctx context.Context, must bool) error {
	b := j.building
	s := &step{batch: b}
	select {
	case j.order <- s:
	default:
		if !must {
			return nil
		}
		if err := j.push(ctx, s); err != nil {
			return err
		}
	}
	j.building = nil
	// Batches grow by as much as the committer is behind: room for the mean would be copied out of half of the time.
	j.likely = max(len(b.Records)+len(b.Records)/32, j.likely-j.likely/8)
	if j.buffer = b.fit(); cap(j.buffer) > 2*growBytes*j.opts.BatchBytes { // of one large record
		j.buffer = nil
	}
	b.timer.Stop()
	select {
	case j.work <- b:
		return nil
	case <-j.broken:
		return j.Err()
	}
}

// push waits until the committer has room.
func (j *Journal) push(ctx context.Context, s *step) error {
	select {
	case j.order <- s:
		return nil
	case <-j.broken:
		return j.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sealLate seals b when its time is over, if that has not happened yet.
func (j *Journal) sealLate(b *building) {
	ctx := context.Background()
	if j.enter(ctx) != nil {
		return
	}
	defer j.leave()
	if j.building == b {
		_ = j.seal(ctx, true) // a failure has stopped the journal and is reported by it
	}
}

// Flush seals what has been appended so far and waits until it is durable.
func (j *Journal) Flush(ctx context.Context) error {
	return j.alone(ctx, func() error { return nil })
}

// alone writes down everything appended so far and then runs f, while nobody
// appends and the committer is idle.
func (j *Journal) alone(ctx context.Context, f func() error) error {
	if err := j.enter(ctx); err != nil {
		return err
	}
	defer j.leave()
	if j.building != nil {
		if err := j.seal(ctx, true); err != nil {
			return err
		}
	}
	s := &step{reached: make(chan struct{})}
	if err := j.push(ctx, s); err != nil {
		return err
	}
	select {
	case <-s.reached:
		return f()
	case <-j.broken:
		return j.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// addEntry appends an entry that is no batch; only within [Journal.alone].
func (j *Journal) addEntry(e layout.Entry) error {
	index := j.next
	if err := j.tree.add(index, e.Text()); err != nil {
		return j.fail(err)
	}
	j.next++
	j.live.publish(index, nil)
	return nil
}

// Published waits until a published checkpoint, with the cosignatures that the
// witness policy asks for, covers log entry index.
func (j *Journal) Published(ctx context.Context, index uint64) error {
	return j.tree.waitPublished(ctx, index+1)
}

// Origin returns the first line of the checkpoints.
func (j *Journal) Origin() string { return j.tree.signer().Name() }

// VerifierKey returns the public key that checkpoints are signed with at present.
func (j *Journal) VerifierKey() string { return j.tree.signer().vkey }

// Size returns the number of durable log entries; the next batch to follow has at
// least this index.
func (j *Journal) Size() uint64 { return j.tree.size.Load() }

// End returns the log index behind the last batch that followers can have, 0 if there is none: one whose
// [Follower.Position] is less gets a batch without waiting. The log's last entries may be of other kinds.
func (j *Journal) End() uint64 {
	j.live.mu.Lock()
	defer j.live.mu.Unlock()
	return j.live.end
}

// Close seals and publishes everything and gives the journal up. If it cannot, it
// says so and leaves the mark that the next Open takes for a crash.
func (j *Journal) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), j.opts.CloseTimeout)
	defer cancel()
	err := j.Flush(ctx)
	if errors.Is(err, ErrClosed) {
		return nil
	}
	if err == nil {
		err = j.tree.waitPublished(ctx, j.tree.size.Load())
	}
	<-j.turn // nobody holds it for long: the committer goes on or has failed
	closed := j.closed
	j.closed = true
	j.leave()
	if closed {
		return nil
	}
	close(j.order)
	close(j.work)
	j.quit()
	j.tasks.Wait()
	j.live.close()
	if err != nil {
		j.abandon()
		return fmt.Errorf("journal %s: closed without a last checkpoint: %w", j.dir, err)
	}
	j.tree.close()
	j.files.closeSegment()
	err = j.index.close()
	// From here on the directory is complete by itself.
	return errors.Join(err, j.lock.Remove())
}

func (j *Journal) path(name string) string { return filepath.Join(j.dir, name) }
