// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strconv"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

const hashSize = sha256.Size

// maxBundle is the largest entry bundle: 256 entries with their lengths.
const maxBundle = tileWidth * (2 + layout.MaxEntryBytes)

// frontier is the state of an RFC 6962 tree that grows at its right edge: the
// roots of its perfect subtrees, the largest first. There is one for each bit
// that is set in size.
type frontier struct {
	size  uint64
	roots []layout.Hash
}

// add appends a perfect subtree of 2^level leaves, on a boundary of such.
func (f *frontier) add(h layout.Hash, level uint) {
	at := f.size >> level
	for ; at&1 == 1; at >>= 1 {
		last := len(f.roots) - 1
		h = layout.NodeHash(&f.roots[last], &h)
		f.roots = f.roots[:last]
	}
	f.roots = append(f.roots, h)
	f.size += 1 << level
}

// root is the root of the tree so far: RFC 6962 section 2.1.
func (f *frontier) root() layout.Hash {
	if len(f.roots) == 0 {
		return sha256.Sum256(nil)
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = layout.NodeHash(&f.roots[i], &h)
	}
	return h
}

// leafHash is the hash of a log entry as a leaf: SHA-256(0x00 ‖ entry).
// scratch is used again from call to call.
func leafHash(scratch, entry []byte) (layout.Hash, []byte) {
	scratch = append(append(scratch[:0], 0), entry...)
	return sha256.Sum256(scratch), scratch
}

// bundle is a decoded entry bundle.
type bundle struct {
	name   string
	data   []byte
	ends   []int         // offset of the end of each entry
	hashes []layout.Hash // of each entry as a leaf
	buf    []byte
}

func (b *bundle) entry(i int) []byte {
	start := 2
	if i > 0 {
		start += b.ends[i-1]
	}
	return b.data[start:b.ends[i]]
}

// decode splits data, which is to begin with count entries: C2SP tlog-tiles,
// section "Log entries". More may follow.
func (b *bundle) decode(name string, data []byte, count int, first uint64) *Error {
	b.name, b.data, b.ends, b.hashes = name, data, b.ends[:0], b.hashes[:0]
	at := 0
	for i := range count {
		if len(data)-at < 2 || len(data)-at-2 < int(binary.BigEndian.Uint16(data[at:])) {
			return fault(Truncated, "the bundle ends within its entry %d of %d", i, count).in(name).entry(first + uint64(i)).at(uint64(at))
		}
		end := at + 2 + int(binary.BigEndian.Uint16(data[at:]))
		var h layout.Hash
		h, b.buf = leafHash(b.buf, data[at+2:end])
		b.ends, b.hashes = append(b.ends, end), append(b.hashes, h)
		at = end
	}
	return nil
}

// tree is the log as derived from its entries alone.
type tree struct {
	inv *inventory
	// bundles holds the root over each bundle's entries, so that when the
	// entries are read again to be followed they are known to be the same.
	bundles []layout.Hash
	front   frontier
	// mismatch is the first tile that is not what the entries make it. What is
	// to blame, the tile or the entries, shows when the root is known.
	mismatch *Error
}

// covered is how many hashes or entries of t the checkpoint covers.
func (t *tree) covered(id tileID, have uint64) int {
	return int(min(have-id.index*tileWidth, tileWidth))
}

// readBundle reads and decodes the entries of bundle n that are covered.
func (t *tree) readBundle(n uint64, b *bundle) *Error {
	id := tileID{entriesLevel, n}
	count := t.covered(id, t.inv.size)
	name, data, exact, err := t.readTile(id, count, maxBundle)
	if err != nil {
		return err
	}
	if err := b.decode(name, data, count, n*tileWidth); err != nil {
		return err
	}
	if end := b.ends[count-1]; end == len(data) != exact {
		return fault(Added, "bytes follow its %d entries", count).in(name).at(uint64(end))
	}
	return nil
}

// readTile reads the file of a tile of which the checkpoint covers count
// hashes. A writer that is ahead of the checkpoint may have replaced a partial
// tile by one that holds more; exact tells whether this is the one itself.
func (t *tree) readTile(id tileID, count int, limit int64) (name string, data []byte, exact bool, err *Error) {
	width := count % tileWidth
	for range 3 { // a live writer may replace what we were about to read
		name = layout.LogDir + "/" + id.name(width)
		data, err = t.inv.read(name, limit)
		if err == nil || err.Kind != Missing || !t.inv.open || width == 0 {
			return name, data, true, err
		}
		for _, wider := range t.wider(id, width) {
			other := layout.LogDir + "/" + id.name(wider)
			if data, e := t.inv.read(other, limit); e == nil {
				return other, data, false, nil
			}
		}
	}
	return name, nil, false, err
}

// wider lists the widths of the files of a tile, now, that hold more than width
// hashes, 0 meaning the full tile.
func (t *tree) wider(id tileID, width int) []int {
	widths := []int{0}
	names, _ := fs.ReadDir(t.inv.fsys, layout.LogDir+"/"+id.name(0)+".p") // gone with the full tile
	for _, d := range names {
		if w, err := strconv.Atoi(d.Name()); err == nil && w > width && w < tileWidth {
			widths = append(widths, w)
		}
	}
	return widths
}

// derive reads all entries, calls each with every one that is no batch, and
// compares all tiles with what the entries make them.
func (t *tree) derive(ctx context.Context, since *signedCheckpoint, sinceRoot *layout.Hash, each func(index uint64, text []byte) *Error) *Error {
	var b bundle
	tile := make([]byte, 0, tileWidth*hashSize)
	for n := uint64(0); n*tileWidth < t.inv.size; n++ {
		if ctx.Err() != nil {
			return unreadable("", ctx.Err())
		}
		if err := t.readBundle(n, &b); err != nil {
			return err
		}
		for i := range b.ends {
			if text := b.entry(i); !bytes.HasPrefix(text, []byte("daybreak-batch/v1\n")) {
				if err := each(n*tileWidth+uint64(i), text); err != nil {
					return err
				}
			}
		}
		t.sinceRoot(since, sinceRoot, n, b.hashes)
		tile = tile[:0]
		for i := range b.hashes {
			tile = append(tile, b.hashes[i][:]...)
		}
		if err := t.compareTile(tileID{0, n}, tile); err != nil {
			return err
		}
		if err := t.comparePartials(tileID{entriesLevel, n}, b.data[:b.ends[len(b.ends)-1]], func(w int) int { return b.ends[w-1] }); err != nil {
			return err
		}
		t.grow(b.hashes)
	}
	return t.deriveUpper(tile)
}

// grow adds the entries of one bundle to the tree.
func (t *tree) grow(hashes []layout.Hash) {
	if len(hashes) == tileWidth {
		h := layout.Root(hashes) // destroys hashes
		t.bundles = append(t.bundles, h)
		t.front.add(h, 8)
		return
	}
	for _, h := range hashes {
		t.front.add(h, 0)
	}
	t.bundles = append(t.bundles, layout.Root(hashes))
}

// sinceRoot notes the root at the earlier checkpoint's size when bundle n holds
// its last entry.
func (t *tree) sinceRoot(since *signedCheckpoint, root *layout.Hash, n uint64, hashes []layout.Hash) {
	if since == nil || since.size == 0 || (since.size-1)/tileWidth != n || since.size > t.inv.size {
		return
	}
	f := frontier{size: t.front.size, roots: append([]layout.Hash(nil), t.front.roots...)}
	for _, h := range hashes[:since.size-n*tileWidth] {
		f.add(h, 0)
	}
	*root = f.root()
}

// deriveUpper compares the tiles of levels 1 and up.
func (t *tree) deriveUpper(tile []byte) *Error {
	hashes := append([]layout.Hash(nil), t.bundles[:t.inv.size/tileWidth]...)
	for level := 1; len(hashes) > 0; level++ {
		next := hashes[:0]
		for n := 0; n*tileWidth < len(hashes); n++ {
			row := hashes[n*tileWidth : min((n+1)*tileWidth, len(hashes))]
			tile = tile[:0]
			for i := range row {
				tile = append(tile, row[i][:]...)
			}
			if err := t.compareTile(tileID{level, uint64(n)}, tile); err != nil {
				return err
			}
			if len(row) == tileWidth {
				next = append(next, layout.Root(row))
			}
		}
		hashes = next
	}
	return nil
}

// compareTile compares the file of a tile with the hashes that it must hold.
func (t *tree) compareTile(id tileID, want []byte) *Error {
	name, data, exact, err := t.readTile(id, len(want)/hashSize, tileWidth*hashSize)
	if err != nil {
		return err
	}
	t.compare(name, id, data, want, exact)
	return t.comparePartials(id, want, func(w int) int { return w * hashSize })
}

// comparePartials compares whatever other files there are of the tile or bundle
// whose covered content is want; size gives the bytes of the first w items.
func (t *tree) comparePartials(id tileID, want []byte, size func(w int) int) *Error {
	covered := t.covered(id, t.sizeAt(id.level))
	widths := t.inv.partial[id]
	if t.inv.beyond[id] {
		widths = append(widths, 0)
	}
	for _, w := range widths {
		name := layout.LogDir + "/" + id.name(w)
		data, err := t.inv.read(name, maxBundle)
		if err != nil && err.Kind == Missing && t.inv.open {
			continue // swept by a live writer
		}
		if err != nil {
			return err
		}
		if w == 0 || w > covered {
			t.compare(name, id, data, want, false)
		} else {
			t.compare(name, id, data, want[:size(w)], true)
		}
	}
	return nil
}

// sizeAt is the number of hashes in the tiles of a level.
func (t *tree) sizeAt(level int) uint64 {
	n := t.inv.size
	for range max(level, 0) {
		n /= tileWidth
	}
	return n
}

// compare notes a mismatch: got must be want, or begin with it if not exact.
func (t *tree) compare(name string, id tileID, got, want []byte, exact bool) {
	if t.mismatch != nil || bytes.Equal(got, want) && exact || !exact && len(got) > len(want) && bytes.HasPrefix(got, want) {
		return
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	kind, text := Changed, "its bytes are not what the log's entries make them"
	if at == len(got) {
		kind, text = Truncated, fmt.Sprintf("it has %d bytes, want %d", len(got), len(want))
	} else if at == len(want) {
		kind, text = Added, fmt.Sprintf("it has %d bytes, want %d", len(got), len(want))
	}
	t.mismatch = fault(kind, "%s", text).in(name).at(uint64(at))
	if id.level == 0 {
		t.mismatch.Entry = int64(id.index*tileWidth) + int64(at/hashSize)
	}
}
