// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import "io"

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
