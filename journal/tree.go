// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	tlayout "github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/storage/posix"
	"k8s.io/klog/v2"
)

// tree is the log of entries: tessera's POSIX driver, used so that each entry is
// integrated by itself.
//
// One entry at a time (batching of one) is on purpose. An entry carries its own
// index, so the order in which tessera integrates must be the order in which we
// add; its queue gives no such promise when the timer and the size limit flush at
// once. It also means that a crash leaves at most one half-written entry.
type tree struct {
	dir      string
	reader   client.FileFetcher
	interval time.Duration
	policy   *tessera.WitnessGroup
	// witnessKeys are the verifier keys that the policy names.
	witnessKeys []string
	http        *witnessClient

	key    *key
	append func(text []byte) (uint64, error)
	stop   context.CancelFunc

	size      atomic.Uint64 // integrated, durable
	published atomic.Uint64 // covered by the checkpoint file

	mu    sync.Mutex
	moved chan struct{} // closed and replaced when published grows
}

// silence keeps tessera's klog lines off standard error: what matters of them is
// reported by us.
var silence = sync.OnceFunc(func() { klog.SetSlogLogger(slog.New(slog.DiscardHandler)) })

func newTree(dir string, opts *Options) (*tree, error) {
	silence()
	t := &tree{
		dir: dir, reader: client.FileFetcher{Root: dir}, interval: opts.CheckpointInterval,
		http: newWitnessClient(opts.WitnessClient), moved: make(chan struct{}),
	}
	if opts.WitnessPolicy != nil {
		group, err := tessera.NewWitnessGroupFromPolicy(opts.WitnessPolicy)
		if err != nil {
			return nil, fmt.Errorf("witness policy: %v", err)
		}
		t.policy, t.witnessKeys = &group, witnessKeys(opts.WitnessPolicy)
	}
	return t, nil
}

// open starts tessera with the key k, and makes the log first if there is none.
// The checkpoint of the empty log goes out without witnesses: they cannot know a
// log whose key was made a moment ago, and tessera would not begin without them.
func (t *tree) open(k *key, exists bool) error {
	if !exists {
		if err := t.start(k, nil); err != nil {
			return err
		}
		t.stop()
	}
	return t.start(k, t.policy)
}

func (t *tree) start(k *key, witnesses *tessera.WitnessGroup) error {
	ctx, stop := context.WithCancel(context.Background())
	driver, err := posix.New(ctx, posix.Config{Path: t.dir, HTTPClient: t.http.client})
	if err != nil {
		stop()
		return err
	}
	opts := tessera.NewAppendOptions().
		WithCheckpointSigner(k).
		WithBatching(1, time.Hour).
		WithCheckpointInterval(t.interval).
		WithCheckpointRepublishInterval(0).
		WithGarbageCollectionInterval(0)
	if witnesses != nil {
		opts = opts.WithWitnesses(*witnesses, nil)
	}
	appender, _, _, err := tessera.NewAppender(ctx, driver, opts)
	if err != nil {
		stop()
		return err
	}
	t.mu.Lock()
	t.key, t.stop = k, stop
	t.mu.Unlock()
	t.append = func(text []byte) (uint64, error) {
		index, err := appender.Add(ctx, tessera.NewEntry(text))()
		return index.Index, err
	}
	return nil
}

// add appends one entry and returns when it is durable and integrated. When it
// fails the entry may or may not be in the log.
func (t *tree) add(index uint64, text []byte) error {
	got, err := t.append(text)
	if err != nil {
		return fmt.Errorf("log entry %d: %w", index, err)
	}
	if got != index {
		return fmt.Errorf("the log gave index %d to entry %d: somebody else writes to it", got, index)
	}
	t.size.Store(index + 1)
	return nil
}

// signer returns the key that signs at present, and with it the log's origin.
func (t *tree) signer() *key {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.key
}

// close ends publication and everything else tessera does in the background.
func (t *tree) close() {
	if t.stop != nil {
		t.key.reach.Store(0)
		t.stop()
	}
}

// state is the integrated tree as tessera remembers it.
type state struct {
	Size uint64 `json:"size"`
	Root []byte `json:"root"`
}

// readState returns false if there is no log yet.
func (t *tree) readState() (state, bool, error) {
	var s state
	text, err := os.ReadFile(filepath.Join(t.dir, ".state", "treeState"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return s, false, fmt.Errorf("state of the log: %v", err)
	}
	return s, true, nil
}

// load reads how far the log and its checkpoint are and holds them against the
// tiles, so that nothing is built on a log that was rolled back or lost tiles.
func (t *tree) load(ctx context.Context) (exists bool, err error) {
	s, exists, err := t.readState()
	if err != nil || !exists {
		return exists, err
	}
	nodes, err := client.FetchRangeNodes(ctx, s.Size, t.reader.ReadTile)
	if err != nil {
		return true, fmt.Errorf("the log's tiles are incomplete (restore them from a copy): %v", err)
	}
	root := rfc6962.DefaultHasher.EmptyRoot()
	if s.Size > 0 {
		r, err := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewRange(0, s.Size, nodes)
		if err != nil {
			return true, err
		}
		if root, err = r.GetRootHash(nil); err != nil {
			return true, err
		}
	}
	if !bytes.Equal(root, s.Root) {
		return true, errors.New("the log's tiles do not have the root that its state names: restore them from a copy")
	}
	t.size.Store(s.Size)
	if err := t.readPublished(); err != nil {
		return true, err
	}
	if p := t.published.Load(); p > s.Size {
		return true, fmt.Errorf("the log holds %d entries and its checkpoint says %d: part of it is gone, restore it from a copy", s.Size, p)
	}
	return true, nil
}

// checkpoint returns the published checkpoint and its size.
func (t *tree) checkpoint() (raw []byte, size uint64, err error) {
	raw, err = t.reader.ReadCheckpoint(context.Background())
	if err != nil {
		return nil, 0, err
	}
	var cp log.Checkpoint
	if _, err := cp.Unmarshal(raw); err != nil {
		return nil, 0, fmt.Errorf("checkpoint: %v", err)
	}
	return raw, cp.Size, nil
}

// readPublished takes up what the checkpoint file says. The file is replaced by
// a rename and so always whole.
func (t *tree) readPublished() error {
	_, size, err := t.checkpoint()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if size > t.published.Load() {
		t.published.Store(size)
		t.mu.Lock()
		close(t.moved)
		t.moved = make(chan struct{})
		t.mu.Unlock()
	}
	return nil
}

// waitPublished waits until a checkpoint covers the first size entries.
func (t *tree) waitPublished(ctx context.Context, size uint64) error {
	for {
		t.mu.Lock()
		moved := t.moved
		t.mu.Unlock()
		if t.published.Load() >= size {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			err := fmt.Errorf("waiting for a published checkpoint: %w", ctx.Err())
			if why := t.http.trouble(); why != "" {
				err = fmt.Errorf("%w; %s", err, why)
			}
			return err
		}
	}
}

// lateAfter is how long publication may lag before it is worth a warning.
const lateAfter = 30 * time.Second

// watch follows the checkpoint file until ctx ends.
func (t *tree) watch(ctx context.Context, logger *slog.Logger) {
	tick := time.NewTicker(min(t.interval/4, 250*time.Millisecond))
	defer tick.Stop()
	sweep := newSweeper(t)
	moved, before := time.Now(), t.published.Load()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if t.published.Load() == t.size.Load() {
			moved = time.Now()
			continue
		}
		t.mendClock(time.Now())
		if err := t.readPublished(); err != nil {
			logger.Error("checkpoint cannot be read", "err", err)
		}
		if p := t.published.Load(); p != before {
			moved, before = time.Now(), p
			sweep.run(p)
		} else if time.Since(moved) > lateAfter {
			moved = time.Now()
			logger.Warn("checkpoint is late", "published", p, "entries", t.size.Load(), "witness", t.http.trouble())
		}
	}
}

// mendClock gives a checkpoint from the future the present as its time: tessera
// waits until the file is an interval old, which after a clock that was ahead
// has been set right could be years.
func (t *tree) mendClock(now time.Time) {
	path := filepath.Join(t.dir, tlayout.CheckpointPath)
	if info, err := os.Stat(path); err == nil && info.ModTime().After(now.Add(time.Minute)) {
		_ = os.Chtimes(path, now, now) // next time, then
	}
}

// verifierKeys returns the public keys of the log and of its witnesses.
func (t *tree) verifierKeys() []string {
	return append([]string{t.signer().vkey}, t.witnessKeys...)
}

// bundle returns the texts of the integrated entries of bundle n, the entries
// from n*256 on.
func (t *tree) bundle(ctx context.Context, n uint64) ([][]byte, error) {
	b, err := client.GetEntryBundle(ctx, t.reader.ReadEntryBundle, n, t.size.Load())
	return b.Entries, err
}
