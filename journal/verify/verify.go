// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/daybreak-sec/daybreak/journal/layout"
	"golang.org/x/mod/sumdb/note"
)

// Options say what the caller knows already and trusts.
type Options struct {
	// Keys are verifier keys of the log (C2SP signed-note form). One of them
	// must be a key of the log; from there on the log's own record of changed
	// keys is followed. Without any, the key in the log's first entry is used,
	// and nothing shows that the log is the one that is meant.
	Keys []string
	// Since is a checkpoint of this log that was kept from earlier, with its
	// signatures; the journal must be a continuation of it. May be nil.
	Since []byte
	// Witnesses are verifier keys of witnesses, and Quorum how many of them
	// must have cosigned the checkpoint; zero means all.
	Witnesses []string
	Quorum    int
	// Parallel is the number of batches verified at a time; zero means one for
	// each processor. Each takes the memory of one batch, compressed and not:
	// tens of megabytes at most, unless a single record is larger.
	Parallel int
	// Progress, if not nil, is called from one goroutine after each batch.
	Progress func(Progress)
}

// Progress is how far the second and longer part of a verification has come.
type Progress struct {
	Entries, TotalEntries uint64 // of the log
	Records, RawBytes     uint64
}

// Checkpoint is a state of the log.
type Checkpoint struct {
	Origin string `json:"origin"`
	Size   uint64 `json:"size"` // log entries
	Root   string `json:"root"` // base64
}

// Uncommitted is what a writer that is at work, or died at work, has left
// beyond the checkpoint. It proves nothing and was not looked at, but for
// being a continuation of what is committed.
type Uncommitted struct {
	Open  bool   `json:"open"`  // the journal is open
	Files int    `json:"files"` // files that are wholly uncommitted
	Bytes uint64 `json:"bytes"` // uncommitted bytes in segments
}

// Report is what a journal was proved to hold.
type Report struct {
	Checkpoint Checkpoint `json:"checkpoint"`
	// Key is the verifier key that signed the checkpoint; KeyGiven is false if
	// it rests on nothing but the log itself.
	Key      string `json:"key"`
	KeyGiven bool   `json:"key_given"`
	KeyCount int    `json:"key_count"` // keys that the log has had
	// Witnesses are those of the given witnesses who cosigned the checkpoint.
	Witnesses []string `json:"witnesses"`
	// Since is the earlier checkpoint that this one was proved to continue.
	Since *Checkpoint `json:"since,omitempty"`

	Entries      uint64 `json:"entries"` // log entries; the checkpoint's size
	Batches      uint64 `json:"batches"`
	Segments     uint64 `json:"segments"`
	Records      uint64 `json:"records"`        // sealed, those of GoneByPolicy included
	GoneByPolicy uint64 `json:"gone_by_policy"` // records whose raw bytes are deleted as the log announces
	RawBytes     uint64 `json:"raw_bytes"`      // of all records, gone ones included
	StoredBytes  uint64 `json:"stored_bytes"`   // of all blocks that are there
	Origins      uint64 `json:"origins"`        // pieces of the provider's feeds, each without a hole
	Duplicates   uint64 `json:"duplicates"`     // deliveries that repeated a sealed record
	Mutated      uint64 `json:"mutated"`        // records whose id was sealed before with other content
	Unreadable   uint64 `json:"unreadable"`     // places of origins that held no record

	Uncommitted Uncommitted `json:"uncommitted"`
	Warnings    []string    `json:"warnings"`
}

// Dir verifies the journal in the directory dir. See [FS].
func Dir(ctx context.Context, dir string, o Options) (Report, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Report{}, unreadable("", err)
	}
	defer root.Close()
	return FS(ctx, root.FS(), o)
}

// FS verifies the journal whose files are at the root of fsys. Its files must
// be io.ReaderAt. The error is nil only if everything holds; otherwise it is an
// [*Error] about the first thing that does not, or says what is wrong with o.
//
// The journal may be in use: what a writer adds meanwhile is left out.
func FS(ctx context.Context, fsys fs.FS, o Options) (Report, error) {
	v, err := newVerifier(fsys, o)
	if err != nil {
		return Report{}, err
	}
	for tries := 0; ; tries++ {
		report, fault := v.run(ctx)
		switch {
		case fault == nil:
			return report, nil
		case tries < 3 && (fault.Kind == Missing || fault.Kind == Added) && v.moved():
			// A writer was opened and closed meanwhile, or its retention has
			// removed frames: the newer checkpoint explains that, or does not.
		default:
			return Report{}, fault
		}
	}
}

// verifier is one verification.
type verifier struct {
	fsys     fs.FS
	given    []string
	since    *signedCheckpoint
	cosign   cosigners
	parallel int
	progress func(Progress)

	raw        []byte // the checkpoint as read
	checkpoint *signedCheckpoint
	inv        *inventory
	tree       *tree
	chain      keyChain
	retention  map[uint64]uint64 // segment → index of the entry that lets its frames go
	report     Report
}

func newVerifier(fsys fs.FS, o Options) (*verifier, error) {
	v := &verifier{fsys: fsys, parallel: o.Parallel, progress: o.Progress}
	var err error
	if v.given, err = trimKeys(o.Keys); err != nil {
		return nil, err
	}
	if v.cosign, err = newCosigners(o.Witnesses, o.Quorum); err != nil {
		return nil, err
	}
	if o.Since != nil {
		if v.since, err = parseCheckpoint(o.Since); err != nil {
			return nil, fmt.Errorf("the earlier checkpoint is malformed: %w", err)
		}
	}
	if v.parallel <= 0 {
		v.parallel = runtime.GOMAXPROCS(0)
	}
	return v, nil
}

// moved reports whether the checkpoint is another than the one read, or a
// writer has opened the journal since.
func (v *verifier) moved() bool {
	if v.inv != nil && !v.inv.open && v.isOpen() {
		return true
	}
	now, err := readFile(v.fsys, checkpointName, maxCheckpoint)
	return err == nil && !bytes.Equal(now, v.raw)
}

// isOpen reports whether the file open is there.
func (v *verifier) isOpen() bool {
	_, err := fs.Stat(v.fsys, layout.OpenFile)
	return err == nil
}

// run is the story: the checkpoint, then the files that there are, then the
// tree under the checkpoint, then what the log's entries say, one by one.
func (v *verifier) run(ctx context.Context) (Report, *Error) {
	v.report = Report{Witnesses: []string{}, Warnings: []string{}}
	v.inv, v.chain, v.retention = nil, nil, make(map[uint64]uint64)
	open := v.isOpen() // before the checkpoint, and again after: a writer may come or go
	if err := v.readCheckpoint(); err != nil {
		return v.report, err
	}
	var err *Error
	if v.inv, err = takeInventory(v.fsys, v.checkpoint.size, open || v.isOpen()); err != nil {
		return v.report, v.blame(err)
	}
	if err := v.proveTree(ctx); err != nil {
		return v.report, v.blame(err)
	}
	if err := v.checkState(); err != nil {
		return v.report, err
	}
	if err := v.follow(ctx); err != nil {
		return v.report, err
	}
	if err := v.checkSegments(); err != nil {
		return v.report, err
	}
	v.inv.uncommitted.Open = v.inv.open
	v.report.Uncommitted = v.inv.uncommitted
	return v.report, nil
}

func (v *verifier) readCheckpoint() *Error {
	raw, err := readFile(v.fsys, checkpointName, maxCheckpoint)
	if err != nil {
		return err
	}
	c, e := parseCheckpoint(raw)
	if e != nil {
		return fault(Changed, "the checkpoint is malformed: %v", e).in(checkpointName)
	}
	v.raw, v.checkpoint = raw, c
	v.report.Checkpoint, v.report.Entries = c.public(), c.size
	return nil
}

// blame returns the fault with the checkpoint itself if there is one, and err
// otherwise: under a forged checkpoint everything looks wrong.
func (v *verifier) blame(err *Error) *Error {
	if err.Kind == Unreadable || err.Kind == Signature {
		return err
	}
	keys := v.given
	if len(v.chain) > 0 {
		keys = append([]string{v.chain.inForce(v.checkpoint.size).vkey}, keys...)
	}
	for _, key := range keys {
		k, e := note.NewVerifier(key)
		if e != nil {
			continue
		}
		if present, valid := v.checkpoint.signedBy(k); present && !valid {
			return fault(Signature, "its signature by the key %s+%08x is wrong", k.Name(), k.KeyHash()).in(checkpointName)
		}
	}
	return err
}

// proveTree derives the tree from the entries and holds it against the
// checkpoint, the tiles and the earlier checkpoint.
func (v *verifier) proveTree(ctx context.Context) *Error {
	v.tree = &tree{inv: v.inv}
	var sinceRoot layout.Hash
	var bad *Error // in an entry; counts only if the entries are the committed ones
	err := v.tree.derive(ctx, v.since, &sinceRoot, func(index uint64, text []byte) *Error {
		if bad == nil {
			bad = v.special(index, text)
		}
		return nil
	})
	if err != nil {
		return err
	}
	c := v.checkpoint
	if c.size == 0 {
		return v.proveEmpty()
	}
	rootHolds := v.tree.front.root() == c.root
	if v.tree.mismatch != nil {
		return v.tree.mismatch
	}
	if len(v.chain) == 0 && bad == nil {
		bad = fault(Invalid, "it does not found the log").in(v.bundleOf(0)).entry(0)
	}
	if bad != nil && (rootHolds || len(v.chain) == 0) {
		return bad
	}
	if e := c.mustBeSignedBy(v.chain.inForce(c.size).verifier); e != nil {
		return fault(Signature, "%v", e).in(checkpointName)
	}
	if !rootHolds {
		return fault(Consistency, "the log's entries have another root than the checkpoint says").in(checkpointName)
	}
	if err := v.proveOwner(); err != nil {
		return err
	}
	return v.proveSince(sinceRoot)
}

// special looks at an entry that is no batch while the tree is derived: those
// that change keys, and those that let frames go.
func (v *verifier) special(index uint64, text []byte) *Error {
	e, err := layout.ParseEntry(text)
	if err != nil {
		return fault(Invalid, "%v", err).in(v.bundleOf(index)).entry(index)
	}
	switch e := e.(type) {
	case layout.LogEntry:
		if index != 0 {
			err = errors.New("only entry 0 founds the log")
		} else if e.Origin != v.checkpoint.origin {
			err = fmt.Errorf("the log's origin %.80q is not the checkpoint's", e.Origin)
		} else {
			err = v.chain.found(e)
		}
	case layout.KeyEntry:
		if len(v.chain) == 0 {
			err = errors.New("the log has no entry 0 that founds it")
		} else if e.Index != index {
			err = fmt.Errorf("it says that it is entry %d", e.Index)
		} else {
			err = v.chain.replace(e)
		}
	case layout.RetentionEntry:
		if _, ok := v.retention[e.Segment]; !ok {
			v.retention[e.Segment] = index
		}
	}
	if err != nil {
		return fault(Invalid, "%v", err).in(v.bundleOf(index)).entry(index)
	}
	return nil
}

// bundleOf names the full bundle or the partial one that holds an entry.
func (v *verifier) bundleOf(index uint64) string {
	id := tileID{entriesLevel, index / tileWidth}
	return layout.LogDir + "/" + id.name(v.tree.covered(id, v.inv.size)%tileWidth)
}

// proveEmpty accepts the checkpoint of a log that has just been made.
func (v *verifier) proveEmpty() *Error {
	c := v.checkpoint
	if c.root != v.tree.front.root() {
		return fault(Invalid, "an empty log has another root").in(checkpointName)
	}
	if !v.inv.open {
		return fault(Invalid, "the log is empty: it lacks the entry that founds it").in(checkpointName)
	}
	for _, key := range v.given {
		if k, err := note.NewVerifier(key); err == nil && c.mustBeSignedBy(k) == nil {
			v.report.Key, v.report.KeyGiven = key, true
		}
	}
	if len(v.given) > 0 && !v.report.KeyGiven {
		return fault(Signature, "it is signed by none of the given keys").in(checkpointName)
	}
	v.report.Warnings = append(v.report.Warnings, "nothing is committed yet")
	return v.proveSince(c.root)
}

// proveOwner ties the log to the caller's keys and witnesses. The checkpoint's
// signature by the key in force has been checked.
func (v *verifier) proveOwner() *Error {
	current := v.chain.inForce(v.checkpoint.size)
	v.report.Key, v.report.KeyCount = current.vkey, len(v.chain)
	v.report.KeyGiven = v.chain.trusts(v.given)
	if len(v.given) > 0 && !v.report.KeyGiven {
		return fault(Signature, "the log is signed by %s+%08x, and none of the given keys is or was its key", current.verifier.Name(), current.verifier.KeyHash()).in(checkpointName)
	}
	if len(v.given) == 0 {
		v.report.Warnings = append(v.report.Warnings, "no key was given: the log agrees with the key that it names itself, which its maker could replace together with the log")
	}
	names, err := v.cosign.check(v.checkpoint)
	if err != nil {
		return fault(Signature, "%v", err).in(checkpointName)
	}
	v.report.Witnesses = names
	if strangers := len(v.checkpoint.sigs) - 1 - len(names); strangers > 0 {
		v.report.Warnings = append(v.report.Warnings, fmt.Sprintf("%d signatures of the checkpoint are by keys that were not given and were not checked", strangers))
	}
	return nil
}

// proveSince holds the earlier checkpoint against the tree.
func (v *verifier) proveSince(root layout.Hash) *Error {
	s, c := v.since, v.checkpoint
	if s == nil {
		return nil
	}
	if s.origin != c.origin {
		return fault(Consistency, "the earlier checkpoint is of the log %.80q, this one of %.80q", s.origin, c.origin).in(checkpointName)
	}
	if s.size > c.size {
		return fault(Consistency, "the checkpoint goes back: it has size %d, and the earlier one %d", c.size, s.size).in(checkpointName)
	}
	if len(v.chain) > 0 {
		if e := s.mustBeSignedBy(v.chain.inForce(s.size).verifier); e != nil {
			return fault(Signature, "the earlier checkpoint is not the log's: %v", e)
		}
	}
	if s.size == 0 {
		root = (&frontier{}).root()
	}
	if s.root != root {
		return fault(Consistency, "the log is not a continuation of the earlier checkpoint: at size %d its root is another", s.size).in(checkpointName)
	}
	public := s.public()
	v.report.Since = &public
	return nil
}

// checkState compares tessera's own files with the one content that each can
// have (transparency-dev/tessera:storage/posix/files.go).
func (v *verifier) checkState() *Error {
	for _, name := range lockNames {
		if _, err := v.inv.read(name, 0); err != nil && err.Kind != Missing {
			return err
		}
	}
	version, err := v.inv.read(versionName, 16)
	if err != nil {
		return err
	}
	if string(version) != "1" {
		return fault(Changed, "its content is not the version 1").in(versionName).at(0)
	}
	state, err := v.inv.read(treeStateName, 1024)
	if err != nil {
		return err
	}
	var s struct {
		Size uint64 `json:"size"`
		Root []byte `json:"root"`
	}
	if e := json.Unmarshal(state, &s); e != nil {
		return fault(Changed, "it is not tessera's tree state").in(treeStateName)
	}
	again, _ := json.Marshal(s)
	c := v.checkpoint
	switch same := s.Size == c.size && bytes.Equal(s.Root, c.root[:]); {
	case !bytes.Equal(again, state), len(s.Root) != hashSize:
		return fault(Changed, "it is not in the form that tessera writes").in(treeStateName)
	case same, v.inv.open && s.Size > c.size:
		return nil
	case s.Size == c.size:
		return fault(Changed, "its root is %s, the checkpoint's is %s", base64.StdEncoding.EncodeToString(s.Root), v.report.Checkpoint.Root).in(treeStateName)
	}
	return fault(Changed, "its size is %d, the checkpoint's is %d", s.Size, c.size).in(treeStateName)
}
