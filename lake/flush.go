// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/event"
)

// How a flush shares its rows among files.
const (
	// ownFileRows is the least number of rows of a tenant's day that get a
	// file of their own in a flush.
	ownFileRows = 4096
	// ownFiles is the greatest number of such files in a flush. All other
	// rows share one staged file: a back-fill of a year touches every day in
	// every flush, and thousands of tiny files would cost more than the rows.
	ownFiles = 8
)

// flusher writes the batches that rotate hands over, until the lake closes.
func (l *Lake) flusher() {
	var e encoder
	tick := time.NewTicker(min(l.opts.FlushAge/4+time.Millisecond, time.Second))
	defer tick.Stop()
	var again time.Time // not before
	pause := time.Second
	for {
		select {
		case <-l.stop:
			return
		case <-l.wake:
		case <-tick.C:
		}
		b := l.due()
		if b == nil || time.Now().Before(again) {
			continue
		}
		err := l.flush(&e, b)
		l.flushDone(err)
		if err == nil {
			pause, again = time.Second, time.Time{}
			continue
		}
		l.log.Error("lake rows cannot be written: they stay in memory and are tried again", "error", err, "rows", b.rows, "in", pause)
		again, pause = time.Now().Add(pause), min(2*pause, time.Minute)
	}
}

// due returns the batch that waits to be written, if there is one, after making
// one of the rows in memory if they are old enough.
func (l *Lake) due() *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flushing == nil && !l.since.IsZero() && time.Since(l.since) >= l.opts.FlushAge {
		l.rotate()
	}
	return l.flushing
}

// flushDone notes the outcome of an attempt and tells those who wait.
func (l *Lake) flushDone(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flushErr = err
	close(l.flushed)
	l.flushed = make(chan struct{})
	if err == nil {
		l.stats.Flushes++
		select {
		case l.tidy <- struct{}{}:
		default:
		}
	}
}

// flush makes the rows of b durable. The steps, and what is true if the machine
// dies after each:
//
//  1. files are written under temporary names and synced: removed by Open;
//  2. they are renamed and their directories synced: removed by Open, because
//     the catalog does not name them;
//  3. one transaction adds them to the catalog and moves the position: the
//     rows are in the lake, and the follower goes on after them.
//
// Until 3 the position is the old one and the follower brings the rows again.
func (l *Lake) flush(e *encoder, b *batch) error {
	ctx := context.Background() // a started flush is ended also when the caller leaves
	if b.unsure {
		// The last attempt's commit failed, which does not say that it was
		// not made.
		done, err := l.committed(ctx, b)
		if done {
			l.publish(b)
		}
		if done || err != nil {
			return err
		}
	}
	b.written, b.unsure = nil, false
	for _, part := range divide(b.blocks) {
		s, err := l.writePart(e, b.blocks, part)
		if err != nil {
			removeAll(b.written)
			return err
		}
		b.written = append(b.written, s)
	}
	l.catalog.Lock()
	defer l.catalog.Unlock()
	if !l.isFlushing(b) { // a drop made the rows void meanwhile
		removeAll(b.written)
		return nil
	}
	l.testingOnlyStep("flush not committed")
	if err := l.commit(ctx, change{add: b.written, from: b.from, to: b.upTo}); err != nil {
		b.unsure = true
		return err
	}
	l.testingOnlyStep("flush committed")
	l.publish(b)
	return nil
}

func (l *Lake) isFlushing(b *batch) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flushing == b
}

// publish replaces the rows of b in memory by the segments they were written to.
func (l *Lake) publish(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range b.written {
		s.since = time.Now()
		l.segments[s.ID] = s
	}
	l.position = b.upTo
	l.flushing = nil
}

// committed says whether the transaction of a flush was made though its commit
// returned an error, and removes the files if it was not.
func (l *Lake) committed(ctx context.Context, b *batch) (bool, error) {
	position, err := l.catalogPosition(ctx)
	if err != nil {
		return false, err
	}
	if position == b.upTo {
		return true, nil
	}
	removeAll(b.written)
	return false, nil
}

func removeAll(segments []*Segment) {
	for _, s := range segments {
		os.Remove(s.Path) // Open removes what is left
	}
}

// part is the rows of a flush that go to one file.
type part struct {
	segment *Segment // its place: Staged, Tenant and Day
	refs    []ref    // in the file's order
}

// key is what rows are sorted by in memory: the ranks of strings stand for them.
type key struct {
	place int32 // rank of tenant and day
	user  int32 // rank of the user
	time  int64
	ref
}

func (k key) compare(o key) int {
	if c := cmp.Compare(k.place, o.place); c != 0 {
		return c
	}
	if c := cmp.Compare(k.user, o.user); c != 0 {
		return c
	}
	if c := cmp.Compare(k.time, o.time); c != 0 {
		return c
	}
	if c := cmp.Compare(k.block, o.block); c != 0 {
		return c
	}
	return cmp.Compare(k.row, o.row)
}

// sortTime is the time to sort by: rows without one come first.
func sortTime(ms int64) int64 {
	if ms == 0 {
		return math.MinInt64
	}
	return ms
}

// divide sorts the rows of blocks and shares them among files.
func divide(blocks []*Block) []part {
	places := rankPlaces(blocks)
	users := rankStrings(blocks, ColUser)
	var keys []key
	for i, b := range blocks {
		times, codes := b.columns[ColTime].Ints, b.columns[ColUser].Codes
		for row := range b.Rows {
			keys = append(keys, key{
				place: places[i][row], user: users[i][codes[row]], time: sortTime(times[row]),
				ref: ref{uint32(i), uint32(row)},
			})
		}
	}
	slices.SortFunc(keys, key.compare)
	return share(blocks, keys)
}

// share cuts sorted rows into parts: the largest places get files of their own
// and the others one together.
func share(blocks []*Block, keys []key) []part {
	var runs [][]key
	for len(keys) > 0 {
		n, _ := slices.BinarySearchFunc(keys, keys[0].place+1, func(k key, place int32) int { return cmp.Compare(k.place, place) })
		runs = append(runs, keys[:n])
		keys = keys[n:]
	}
	large := slices.Clone(runs)
	slices.SortStableFunc(large, func(a, b []key) int { return cmp.Compare(len(b), len(a)) })
	least := ownFileRows
	if len(large) > ownFiles {
		least = max(least, len(large[ownFiles])+1)
	}
	staged := part{segment: &Segment{Staged: true}}
	var parts []part
	for _, run := range runs {
		if len(run) < least && len(runs) > 1 {
			for _, k := range run {
				staged.refs = append(staged.refs, k.ref)
			}
			continue
		}
		own := part{segment: &Segment{}, refs: make([]ref, len(run))}
		for i, k := range run {
			own.refs[i] = k.ref
		}
		b, row := blocks[run[0].block], int(run[0].row)
		own.segment.Tenant = string(b.columns[ColTenant].Dict.At(int(b.columns[ColTenant].Codes[row])))
		own.segment.Day = DayOf(b.columns[ColTime].Ints[row])
		parts = append(parts, own)
	}
	if len(staged.refs) > 0 {
		parts = append(parts, staged)
	}
	return parts
}

// rankPlaces returns, for each row of each block, the rank of its tenant and
// day in the order of a staged file.
func rankPlaces(blocks []*Block) [][]int32 {
	type place struct {
		tenant int32
		day    Day
	}
	tenants := rankStrings(blocks, ColTenant)
	ranks := map[place]int32{}
	var list []place
	at := func(i, row int) place {
		b := blocks[i]
		return place{tenants[i][b.columns[ColTenant].Codes[row]], DayOf(b.columns[ColTime].Ints[row])}
	}
	for i, b := range blocks {
		for row := range b.Rows {
			p := at(i, row)
			if _, ok := ranks[p]; !ok {
				ranks[p] = 0
				list = append(list, p)
			}
		}
	}
	slices.SortFunc(list, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.day, b.day))
	})
	for rank, p := range list {
		ranks[p] = int32(rank)
	}
	rows := make([][]int32, len(blocks))
	for i, b := range blocks {
		rows[i] = make([]int32, b.Rows)
		for row := range b.Rows {
			rows[i][row] = ranks[at(i, row)]
		}
	}
	return rows
}

// rankStrings returns, for each code of each block, the rank of its string
// among those of all blocks. The empty string has the lowest.
func rankStrings(blocks []*Block, column int) [][]int32 {
	var all Dict
	all.ends = append(all.ends, 0)
	var table lookup
	codes := make([][]int32, len(blocks))
	for i, b := range blocks {
		d := &b.columns[column].Dict
		codes[i] = make([]int32, d.Len())
		for c := 1; c < d.Len(); c++ {
			codes[i][c] = table.code(&all, d.At(c))
		}
	}
	order := make([]int32, all.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return bytes.Compare(all.At(int(a)), all.At(int(b))) })
	rank := make([]int32, all.Len())
	for r, code := range order {
		rank[code] = int32(r)
	}
	for _, list := range codes {
		for i, code := range list {
			list[i] = rank[code]
		}
	}
	return codes
}

// writePart writes the file of a part and returns its segment.
func (l *Lake) writePart(e *encoder, blocks []*Block, p part) (*Segment, error) {
	s := p.segment
	s.ID = l.newID()
	s.describe(blocks, p.refs)
	err := l.create(s, func(f *fileWriter) error {
		for refs := range slices.Chunk(p.refs, RowGroupRows) {
			if err := e.rowGroup(f, blocks, refs); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// newID takes a number for a segment.
func (l *Lake) newID() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextID++
	return l.nextID - 1
}

// describe adds the rows named by refs to the segment's figures.
func (s *Segment) describe(blocks []*Block, refs []ref) {
	for _, r := range refs {
		columns := &blocks[r.block].columns
		id := event.ID{Batch: uint64(columns[ColBatch].Ints[r.row]), Index: uint32(columns[ColIndex].Ints[r.row])}
		t := columns[ColTime].Ints[r.row]
		if s.Rows == 0 {
			s.First, s.Last, s.MinTime, s.MaxTime = id, id, t, t
		}
		s.Rows++
		if id.Less(s.First) {
			s.First = id
		}
		if s.Last.Less(id) {
			s.Last = id
		}
		s.MinTime, s.MaxTime = min(s.MinTime, t), max(s.MaxTime, t)
	}
}

// tmpSuffix marks files that are being written.
const tmpSuffix = ".tmp"

// create writes the segment's file with the row groups that fill writes, makes
// it durable under its name, which may depend on what fill finds out, and sets
// its path and size. It leaves nothing behind when it fails.
func (l *Lake) create(s *Segment, fill func(*fileWriter) error) (err error) {
	dir := filepath.Join(l.dir, s.dir())
	if err := mkdir(l.dir, s.dir()); err != nil {
		return fmt.Errorf("lake segment: %w", err)
	}
	tmp := filepath.Join(dir, fmt.Sprintf("%d%s", s.ID, tmpSuffix))
	file, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("lake segment: %w", err)
	}
	defer func() {
		if err != nil {
			file.Close() // twice after a failed rename, which is harmless
			os.Remove(tmp)
			err = fmt.Errorf("lake segment: %w", err)
		}
	}()
	buffer := bufio.NewWriterSize(file, 256<<10)
	f, err := newFileWriter(buffer, !s.Staged)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		return err
	}
	if err := f.close(); err != nil {
		return err
	}
	if err := buffer.Flush(); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	l.testingOnlyStep("written")
	s.Bytes, s.Checksum = f.offset, f.checksum
	s.Path = filepath.Join(dir, s.name())
	if err := os.Rename(tmp, s.Path); err != nil {
		return err
	}
	l.testingOnlyStep("renamed")
	if err := syncDir(dir); err != nil {
		os.Remove(s.Path)
		return err
	}
	return nil
}

// mkdir makes the directory rel below base so that its name is durable.
func mkdir(base, rel string) error {
	if _, err := os.Stat(filepath.Join(base, rel)); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(base, rel), 0o750); err != nil {
		return err
	}
	for parent := filepath.Dir(rel); ; parent = filepath.Dir(parent) {
		if err := syncDir(filepath.Join(base, parent)); err != nil {
			return err
		}
		if parent == "." {
			return nil
		}
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
