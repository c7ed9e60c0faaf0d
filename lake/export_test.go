// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"errors"
	"io"
)

// TestingEncoder returns a function that writes rows as one sorted file, as a
// flush does.
func TestingEncoder() func(w io.Writer, blocks []*Block) error {
	var e encoder
	return func(w io.Writer, blocks []*Block) error {
		f, err := newFileWriter(w, true)
		if err != nil {
			return err
		}
		for _, p := range divide(blocks) {
			if err := e.rowGroup(f, blocks, p.refs); err != nil {
				return err
			}
		}
		return f.close()
	}
}

// TestingBuilder returns a function that puts rows into blocks, as Append does.
func TestingBuilder() func(r *Row) {
	b := newBuilder()
	return func(r *Row) {
		if b.full() {
			b.seal()
		}
		b.add(r)
	}
}

// TestingStep sets a function that is called between the steps of a flush and
// a merge, where the machine might die.
func TestingStep(o *Options, f func(step string)) { o.testingOnlyStep = f }

// TestingRows reads all rows of a segment, in the file's order.
func TestingRows(s *Segment) ([]Row, error) {
	pages, err := newPageReader()
	if err != nil {
		return nil, err
	}
	defer pages.zstd.Close()
	r, err := newReader(s, pages)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for {
		b, err := r.next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range b.Rows {
			rows = append(rows, b.Row(i))
		}
	}
}

// The limits that tests reach.
const (
	OwnFileRows = ownFileRows
	OwnFiles    = ownFiles
	FanIn       = fanIn
)
