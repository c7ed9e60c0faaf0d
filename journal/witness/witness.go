// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// emptyRoot is the root of a tree of size zero: RFC 6962, section 2.1.
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// Log is a log that the witness watches.
type Log struct {
	// Origin is the first line of the log's checkpoints. Empty means the name
	// of its first key, which is what most logs use.
	Origin string
	// Keys are the log's verifier keys in C2SP signed-note form; a checkpoint
	// must carry a valid signature by one of them. A log that replaces its key
	// has both here for a while.
	Keys []string
}

// Options say what a witness watches and where it remembers.
type Options struct {
	// Dir is the folder of the witness's key and memory. It is made if absent,
	// for the owner only.
	Dir string
	// Name is the witness's name, a URL without a schema such as
	// "example.com/witness". It is needed on the first run, when the key is
	// made; later it may be empty, and if not it must be the same.
	Name string
	// Logs are the logs that it cosigns for. Others get 404.
	Logs []Log
	// Logger receives one line a decision; nil discards them.
	Logger *slog.Logger
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Witness remembers and cosigns. It is safe for concurrent use.
type Witness struct {
	own    *cosigner
	logs   map[string]*watched // by origin
	byHash map[string]*watched // by the origin's hash in hex
	lock   *os.File
	logger *slog.Logger
	now    func() time.Time
}

// watched is one log with what the witness remembers of it.
type watched struct {
	origin    string
	verifiers note.Verifiers
	path      string

	// mu covers one add-checkpoint from the comparison with latest until the
	// new one is on disk, so that two requests cannot both extend the same
	// state and roll each other back.
	mu      sync.Mutex
	stored  []byte // the note in the file; nil before the first
	latest  checkpoint
	seconds uint64 // of our latest cosignature
	broken  error  // set once storing failed; what is on disk is then unknown
}

// New opens the witness kept in o.Dir, making its key on the first run. The
// caller closes it.
func New(o Options) (*Witness, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the witness folder: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	w := &Witness{
		logs: make(map[string]*watched), byHash: make(map[string]*watched),
		lock: lock, logger: o.Logger, now: o.Now,
	}
	if w.logger == nil {
		w.logger = slog.New(slog.DiscardHandler)
	}
	if w.now == nil {
		w.now = time.Now
	}
	if err := w.open(o); err != nil {
		lock.Close()
		return nil, err
	}
	return w, nil
}

func (w *Witness) open(o Options) error {
	if err := removeTemporary(o.Dir); err != nil {
		return err
	}
	var err error
	if w.own, err = loadKey(o.Dir, o.Name); err != nil {
		return err
	}
	for _, l := range o.Logs {
		g, err := newWatched(o.Dir, l, w.own)
		if err != nil {
			return err
		}
		if w.logs[g.origin] != nil {
			return fmt.Errorf("the log %q is configured twice: put all its keys in one place", g.origin)
		}
		w.logs[g.origin] = g
		w.byHash[originHash(g.origin)] = g
	}
	return nil
}

func newWatched(dir string, l Log, own *cosigner) (*watched, error) {
	if len(l.Keys) == 0 {
		return nil, fmt.Errorf("the log %q has no verifier key", l.Origin)
	}
	var keys []note.Verifier
	for _, vkey := range l.Keys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, fmt.Errorf("%.80q is not a log's verifier key (want name+hash+key with an Ed25519 key)", vkey)
		}
		keys = append(keys, v)
	}
	if l.Origin == "" {
		l.Origin = keys[0].Name()
	}
	if strings.ContainsRune(l.Origin, '\n') {
		return nil, errors.New("a log's origin is one line")
	}
	g := &watched{origin: l.Origin, verifiers: note.VerifierList(keys...)}
	g.path = filepath.Join(dir, originHash(l.Origin)+checkpointSuffix)
	var err error
	g.stored, g.latest, g.seconds, err = readState(g.path, g.origin, own)
	return g, err
}

// VerifierKey is what others configure to accept this witness's cosignatures:
// a C2SP signed-note verifier key of type 4.
func (w *Witness) VerifierKey() string { return w.own.vkey() }

// Close gives the folder up. Requests must have ended.
func (w *Witness) Close() error { return w.lock.Close() }

// refusal is an answer other than 200.
type refusal struct {
	status int
	// size is the size that we hold, for 409.
	size int64
	text string
}

func (r *refusal) Error() string { return r.text }

// add checks that c extends what is remembered, remembers it and returns our
// signature line. logSig is the log's own signature line, kept for monitors.
func (w *Witness) add(g *watched, r request, c checkpoint, text, logSig string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.broken != nil {
		return "", fmt.Errorf("the memory of this log is out of order until the witness is restarted: %w", g.broken)
	}
	if err := extends(g.latest, r, c); err != nil {
		return "", err
	}
	// A cosignature says what was largest at its time, so times of growing
	// trees must not run back even if the clock does.
	seconds := max(g.seconds, uint64(max(w.now().Unix(), 1)))
	line := w.own.line(text, seconds)
	if g.stored != nil && c.size == g.latest.size {
		g.seconds = seconds
		return line, nil // the same tree, remembered already
	}
	stored := []byte(text + "\n" + logSig + line)
	if err := replaceFile(g.path, stored); err != nil {
		g.broken = err
		return "", fmt.Errorf("cannot store the checkpoint: %w", err)
	}
	g.stored, g.latest, g.seconds = stored, c, seconds
	return line, nil
}

// extends holds the protocol's rules on consistency, in its order.
func extends(latest checkpoint, r request, c checkpoint) error {
	switch {
	case r.old > c.size:
		return &refusal{status: statusBadRequest, text: "the old size is greater than the checkpoint's"}
	case r.old != latest.size:
		return &refusal{status: statusConflict, size: latest.size, text: "the old size is not the latest cosigned"}
	case c.size == 0 && c.root != emptyRoot:
		return &refusal{status: statusUnprocessable, text: "an empty tree has the hash of nothing as its root"}
	case (r.old == 0 || r.old == c.size) && len(r.proof) != 0:
		return &refusal{status: statusUnprocessable, text: "there is nothing to prove here: send no proof lines"}
	case r.old == c.size && c.root != latest.root:
		return &refusal{status: statusUnprocessable, text: "another tree of the same size has been cosigned"}
	case r.old == 0 || r.old == c.size:
		return nil
	}
	if err := tlog.CheckTree(r.proof, c.size, c.root, latest.size, latest.root); err != nil {
		return &refusal{status: statusUnprocessable, text: "the proof does not show that the checkpoint extends the latest cosigned"}
	}
	return nil
}
