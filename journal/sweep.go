// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tlayout "github.com/transparency-dev/tessera/api/layout"
)

// sweeper removes the partial tiles of tiles that are full. Tessera's own
// collector would do it too, and keep its place in a file of its own below the
// journal; this one starts over from the log's size.
type sweeper struct {
	dir string
	// next is, for each level of the tree and for the entries (at the end), the
	// first tile whose partial tiles may still be there.
	next [9]uint64
}

func newSweeper(t *tree) *sweeper {
	s := &sweeper{dir: t.dir}
	s.each(t.published.Load(), func(i int, full uint64, _ func(uint64) string) { s.next[i] = full })
	return s
}

// each calls f for the entries and each level with the number of full tiles that
// a log of this size has.
func (s *sweeper) each(size uint64, f func(i int, full uint64, path func(n uint64) string)) {
	f(8, size/256, func(n uint64) string { return tlayout.EntriesPath(n, 0) })
	for level := range uint64(8) {
		size /= 256
		f(int(level), size, func(n uint64) string { return tlayout.TilePath(level, n, 0) })
	}
}

// run removes what a published checkpoint of this size has no use for. Readers
// that still ask for a partial tile find the full one, as C2SP tlog-tiles says
// they must.
func (s *sweeper) run(size uint64) {
	s.each(size, func(i int, full uint64, path func(uint64) string) {
		for ; s.next[i] < full; s.next[i]++ {
			_ = os.RemoveAll(filepath.Join(s.dir, path(s.next[i])+".p")) // tried again after a crash only
		}
	})
}

// sweepCrash removes what a writer that died has left below the log: unfinished
// files, and the tiles of the one entry it was integrating. It removes nothing
// else; more than that beyond the end of the log means that the log was put back
// to an earlier state, and is refused.
func (t *tree) sweepCrash() error {
	size := t.size.Load()
	var doomed []string
	err := filepath.WalkDir(t.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(t.dir, path)
		if err != nil {
			return err
		}
		switch judge(filepath.ToSlash(rel), size) {
		case unfinished:
			doomed = append(doomed, path)
		case ahead:
			return fmt.Errorf("%s lies beyond the %d entries of the log: the log was put back to an earlier state", path, size)
		}
		return nil
	})
	for _, path := range doomed {
		if err == nil {
			err = os.Remove(path)
		}
	}
	return err
}

const (
	proper     = iota // part of the log, or none of our business
	unfinished        // left by a crash
	ahead             // of an entry that one crash cannot explain
)

// judge says what a file below the log of this size is. Tessera writes a file
// under its name with random digits behind it and then renames it; names that
// it never gives are left for the verifier to complain about.
func judge(rel string, size uint64) int {
	kind, index, isTile := strings.Cut(strings.TrimPrefix(rel, "tile/"), "/")
	if !strings.HasPrefix(rel, "tile/") || !isTile {
		for _, name := range []string{"checkpoint", ".state/treeState", ".state/version"} {
			if digits, ok := strings.CutPrefix(rel, name); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
				return unfinished
			}
		}
		return proper
	}
	level := uint64(0)
	if kind != "entries" {
		var err error
		if level, err = tlayout.ParseTileLevel(kind); err != nil {
			return proper
		}
	}
	n, width, err := tlayout.ParseTileIndexPartial(index)
	if err != nil || tlayout.NWithSuffix(level, n, width) != index {
		if strings.Trim(filepath.Base(index), "0123456789") == "" {
			return unfinished
		}
		return proper
	}
	have := func(size uint64) bool { // a tile of a log of this size or a smaller one
		nodes := size >> (8 * level)
		if width == 0 {
			return n < nodes/256
		}
		return n*256+uint64(width) <= nodes
	}
	switch {
	case have(size):
		return proper
	case have(size + 1):
		return unfinished
	}
	return ahead
}
