// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package auditquery

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sort"
)

// id is a hash of a record's id, or of the record where it has none.
type id [16]byte

func compareIDs(a, b id) int { return bytes.Compare(a[:], b[:]) }

// idBuffer is how many ids a set keeps in memory: some 5 MB, for Go's maps take half as much again as they hold.
const idBuffer = 1 << 17

// ids is a set of ids, of any size: what is more than a buffer is in sorted runs in files, which have no names any more, so that a
// program that dies leaves none behind. Runs of like size become one, so that there are as many as the logarithm of the size. Of a run
// the first id of each page is in memory, a sixteenth of a byte for each of its ids, so that one is looked for by one read.
type ids struct {
	dir   string // for the files
	limit int    // of fresh
	fresh map[id]struct{}
	runs  []*idRun // the largest first
	count int
	page  []byte
}

// idRun are ids in ascending order.
type idRun struct {
	file   *os.File
	n      int
	fences []id // the first of each page
}

func newIDs(dir string) *ids {
	return &ids{dir: dir, limit: idBuffer, fresh: map[id]struct{}{}, page: make([]byte, idPage*len(id{}))}
}

// close gives the files back.
func (s *ids) close() {
	for _, r := range s.runs {
		r.file.Close()
	}
	s.runs, s.fresh = nil, nil
}

// has reports whether an id is in the set.
func (s *ids) has(k id) (bool, error) {
	if _, ok := s.fresh[k]; ok {
		return true, nil
	}
	for _, r := range s.runs {
		if ok, err := r.has(k, s.page); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// add puts an id into the set, and reports whether it is new.
func (s *ids) add(k id) (bool, error) {
	if had, err := s.has(k); had || err != nil {
		return false, err
	}
	s.fresh[k] = struct{}{}
	s.count++
	if len(s.fresh) < s.limit {
		return true, nil
	}
	return true, s.spill()
}

// spill makes a run of what is in memory, and one of those of like size.
func (s *ids) spill() error {
	list := make([]id, 0, len(s.fresh))
	for k := range s.fresh {
		list = append(list, k)
	}
	clear(s.fresh)
	slices.SortFunc(list, compareIDs)
	r, err := s.write(func(out func(id) error) error {
		for _, k := range list {
			if err := out(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.runs = append(s.runs, r)
	for n := len(s.runs); n > 1 && s.runs[n-2].n <= 2*s.runs[n-1].n; n = len(s.runs) {
		a, b := s.runs[n-2], s.runs[n-1]
		both, err := s.write(func(out func(id) error) error { return merge(a, b, out) })
		if err != nil {
			return err
		}
		a.file.Close()
		b.file.Close()
		s.runs = append(s.runs[:n-2], both)
	}
	return nil
}

// write makes a run of what fill puts out, in order.
func (s *ids) write(fill func(out func(id) error) error) (r *idRun, err error) {
	f, err := os.CreateTemp(s.dir, "auditquery-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("ids of an hour cannot be put aside: %w", err)
	}
	r = &idRun{file: f}
	defer func() {
		if err != nil {
			f.Close()
			r, err = nil, fmt.Errorf("ids of an hour cannot be put aside: %w", err)
		}
	}()
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	err = fill(func(k id) error {
		if r.n%idPage == 0 {
			r.fences = append(r.fences, k)
		}
		r.n++
		_, err := w.Write(k[:])
		return err
	})
	return r, errors.Join(err, w.Flush())
}

// merge puts out the ids of two runs in order. None is in both.
func merge(a, b *idRun, out func(id) error) error {
	readers := [2]*bufio.Reader{a.reader(), b.reader()}
	var heads [2]id
	var more [2]bool
	next := func(i int) error {
		_, err := io.ReadFull(readers[i], heads[i][:])
		more[i] = err == nil
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return err
	}
	if err := errors.Join(next(0), next(1)); err != nil {
		return err
	}
	for more[0] || more[1] {
		i := 0
		if !more[0] || more[1] && compareIDs(heads[1], heads[0]) < 0 {
			i = 1
		}
		if err := out(heads[i]); err != nil {
			return err
		}
		if err := next(i); err != nil {
			return err
		}
	}
	return nil
}

func (r *idRun) reader() *bufio.Reader {
	return bufio.NewReaderSize(io.NewSectionReader(r.file, 0, int64(r.n)*int64(len(id{}))), 64<<10)
}

// idPage is how many ids are read at a time: 4 KiB.
const idPage = 256

// has reads the one page on which the id has to be.
func (r *idRun) has(k id, page []byte) (bool, error) {
	size := len(id{})
	p := sort.Search(len(r.fences), func(i int) bool { return compareIDs(r.fences[i], k) > 0 }) - 1
	if p < 0 {
		return false, nil
	}
	page = page[:min(idPage, r.n-p*idPage)*size]
	if _, err := r.file.ReadAt(page, int64(p)*idPage*int64(size)); err != nil {
		return false, fmt.Errorf("ids of an hour that were put aside cannot be read: %w", err)
	}
	_, found := sort.Find(len(page)/size, func(i int) int { return bytes.Compare(k[:], page[i*size:(i+1)*size]) })
	return found, nil
}
