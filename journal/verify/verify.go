// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"golang.org/x/mod/sumdb/note"
)

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
		case tries < 3 && v.overtaken(fault):
			// What was read is out of date. Seen anew, the newer state explains
			// the fault or does not.
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
	want     func(*event.Origin) bool
	take     func(event.ID, []byte)

	raw        []byte // the checkpoint as read
	checkpoint *signedCheckpoint
	inv        *inventory
	tree       *tree
	chain      keyChain
	retention  map[uint64]uint64 // segment → index of the entry that lets its frames go
	report     Report
}

func newVerifier(fsys fs.FS, o Options) (*verifier, error) {
	v := &verifier{fsys: fsys, parallel: o.Parallel, progress: o.Progress, want: o.Want, take: o.Take}
	if (v.want == nil) != (v.take == nil) {
		return nil, errors.New("the options Want and Take go together")
	}
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

// overtaken reports whether a writer may have caused the fault by working
// meanwhile: it has opened the journal since, or published a checkpoint that
// explains files that came, went or moved on.
func (v *verifier) overtaken(f *Error) bool {
	if v.inv != nil && !v.inv.open && v.isOpen() {
		return f.Kind != Unreadable
	}
	if f.Kind != Missing && f.Kind != Added && f.File != treeStateName {
		return false
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
	if m := v.tree.mismatch; m != nil && m.Entry >= 0 && !rootHolds {
		index := uint64(m.Entry) // the tiles have kept what the entries have lost
		return fault(Changed, "the entry is not the one that the tree was made of").in(v.bundleOf(index)).entry(index)
	} else if m != nil {
		return m
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
