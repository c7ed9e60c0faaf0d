// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

const (
	tileWidth = 256
	// entriesLevel stands for the entry bundles where a tile's level is asked.
	entriesLevel = -1
)

// tileID is a place in the log's grid of tiles and bundles.
type tileID struct {
	level int // entriesLevel, or 0 to 63
	index uint64
}

// name is the path below the log's directory, of the full tile for width 0:
// C2SP tlog-tiles, sections "Merkle Tree" and "Log entries".
func (t tileID) name(width int) string {
	n := t.index
	s := pad3(n % 1000)
	for n /= 1000; n > 0; n /= 1000 {
		s = "x" + pad3(n%1000) + "/" + s
	}
	level := "entries"
	if t.level != entriesLevel {
		level = strconv.Itoa(t.level)
	}
	if s = "tile/" + level + "/" + s; width > 0 {
		s += ".p/" + strconv.Itoa(width)
	}
	return s
}

func pad3(n uint64) string {
	s := strconv.FormatUint(n, 10)
	return "000"[len(s):] + s
}

// parseTileName is the inverse of name; ok is false for every other path.
func parseTileName(name string) (t tileID, width int, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) < 3 || len(parts) > 12 || parts[0] != "tile" {
		return t, 0, false
	}
	t.level = entriesLevel
	if parts[1] != "entries" {
		level, err := strconv.ParseUint(parts[1], 10, 6)
		if err != nil {
			return t, 0, false
		}
		t.level = int(level)
	}
	digits := parts[2:]
	if last := len(digits) - 1; last > 0 && strings.HasSuffix(digits[last-1], ".p") {
		w, err := strconv.ParseUint(digits[last], 10, 8)
		if err != nil || w == 0 {
			return t, 0, false
		}
		width = int(w)
		digits = slices.Clone(digits[:last])
		digits[last-1] = strings.TrimSuffix(digits[last-1], ".p")
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(strings.Join(digits, ""), "x", ""), 10, 63)
	t.index = n
	return t, width, err == nil && t.name(width) == name
}

// inventory is what was found below the journal's directory.
type inventory struct {
	fsys fs.FS
	size uint64 // of the checkpoint that is verified
	open bool   // a writer is or was at work: see the format, section 1

	partial  map[tileID][]int // widths of the partial tiles and bundles that there are
	beyond   map[tileID]bool  // full tiles that the checkpoint covers in part
	frames   map[uint64]bool  // by segment
	receipts map[uint64]bool

	uncommitted Uncommitted
}

// tolerate counts a file that is not committed if open allows it, and otherwise
// refuses it.
func (inv *inventory) tolerate(name, why string) *Error {
	if !inv.open {
		return fault(Added, "%s, and no writer has the journal open", why).in(name)
	}
	inv.uncommitted.Files++
	return nil
}

// take walks the directory and finds the place of every file in it.
func takeInventory(fsys fs.FS, size uint64, open bool) (*inventory, *Error) {
	inv := &inventory{
		fsys: fsys, size: size, open: open,
		partial: make(map[tileID][]int), beyond: make(map[tileID]bool),
		frames: make(map[uint64]bool), receipts: make(map[uint64]bool),
	}
	var first *Error
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && inv.open && name != ".":
			return nil // a live writer sweeps partial tiles and temporary files
		case err != nil:
			first = unreadable(name, err)
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			first = fault(Added, "it is not a regular file").in(name)
		default:
			first = inv.place(name)
		}
		if first != nil {
			return fs.SkipAll
		}
		return nil
	})
	if first == nil && err != nil {
		first = unreadable(".", err)
	}
	return inv, first
}

// place files one name.
func (inv *inventory) place(name string) *Error {
	if name == layout.OpenFile || fixedNames[name] {
		return nil
	}
	if strings.HasSuffix(name, ".tmp") || isTesseraTemporary(name) {
		return inv.tolerate(name, "it is a temporary file")
	}
	dir, base := path.Split(name)
	if dir == layout.SegmentsDir+"/" {
		if n, frames, ok := layout.ParseSegmentName(base); ok && frames {
			inv.frames[n] = true
			return nil
		} else if ok {
			inv.receipts[n] = true
			return nil
		}
	}
	if rest, ok := strings.CutPrefix(name, layout.LogDir+"/"); ok {
		if t, width, ok := parseTileName(rest); ok {
			return inv.placeTile(name, t, width)
		}
	}
	return fault(Added, "nothing in the format has this name").in(name)
}

func (inv *inventory) placeTile(name string, t tileID, width int) *Error {
	have := inv.size // tiles' hashes at this level
	for range max(t.level, 0) {
		have /= tileWidth
	}
	covered := uint64(0) // hashes of this tile that the checkpoint covers
	if t.index <= have/tileWidth {
		covered = min(have-t.index*tileWidth, tileWidth)
	}
	whole := uint64(width)
	if width == 0 {
		whole = tileWidth
	}
	if whole > covered {
		if err := inv.tolerate(name, "it lies beyond the checkpoint"); err != nil {
			return err
		}
	}
	switch {
	case covered == 0:
	case width > 0:
		inv.partial[t] = append(inv.partial[t], width)
	case whole > covered:
		inv.beyond[t] = true
	}
	return nil
}

// Files with one name and no choice of content.
const (
	checkpointName = layout.LogDir + "/checkpoint"
	versionName    = layout.LogDir + "/.state/version"
	treeStateName  = layout.LogDir + "/.state/treeState"
)

var fixedNames = map[string]bool{
	checkpointName: true, versionName: true, treeStateName: true,
	lockNames[0]: true, lockNames[1]: true, lockNames[2]: true,
}

var lockNames = [...]string{
	layout.LogDir + "/.state/publish.lock",
	layout.LogDir + "/.state/treeState.lock",
	layout.LogDir + "/.state/gcState.lock",
}

// isTesseraTemporary reports whether name is one that tessera's POSIX driver
// gives a file before it links or renames it into place: the final name with a
// random number behind it (transparency-dev/tessera:storage/posix/file_ops.go,
// createTemp). A process that is killed leaves it behind.
func isTesseraTemporary(name string) bool {
	dir, base := path.Split(name)
	rest := strings.TrimRight(base, "0123456789")
	switch digits := len(base) - len(rest); {
	case digits == 0:
		return false
	case dir == layout.LogDir+"/":
		return rest == "checkpoint"
	case dir == layout.LogDir+"/.state/":
		return rest == "treeState" || rest == "version"
	default:
		return rest == "" && digits > 3 && strings.HasPrefix(dir, layout.LogDir+"/tile/")
	}
}

// read returns the whole of a file of at most limit bytes.
func (inv *inventory) read(name string, limit int64) ([]byte, *Error) {
	return readFile(inv.fsys, name, limit)
}

func readFile(fsys fs.FS, name string, limit int64) ([]byte, *Error) {
	f, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault(Missing, "it is missing").in(name)
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if int64(len(data)) > limit {
		return nil, fault(Added, "it is larger than such a file can be").in(name).at(uint64(limit))
	}
	return data, nil
}
