// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/normalize"
)

// Normalize writes the OCSF event of each record of a file to w, one a line, in
// the order of the records. It needs no data directory. No record is left out: one
// that is not JSON, or whose source cannot be told, becomes a Base Event that
// carries it whole, and note is told. It returns how many sources could not be
// told.
func Normalize(ctx context.Context, source, name string, r io.Reader, w io.Writer, note func(string)) (refused int64, err error) {
	p := startPipeline(ctx, file.Open(name, r, file.Options{}), func() func(*chunk) {
		m := mapping{id: NewIdentifier(source)}
		return m.chunk
	})
	defer p.stop()
	for {
		c := p.next(ctx)
		if c == nil {
			return refused, ctx.Err()
		}
		for i := range c.pieces {
			if q := &c.pieces[i]; q.note != "" {
				note(fmt.Sprintf("%s: record %d at byte %d: %s", name, q.ordinal+1, q.offset, q.note))
				if q.refused {
					refused++
				}
			}
		}
		if _, err := w.Write(c.out); err != nil {
			return refused, err
		}
		if c.err != nil {
			if errors.Is(c.err, io.EOF) {
				return refused, nil
			}
			return refused, c.err
		}
		p.free <- c
	}
}

// mapping maps the records of chunks to lines of OCSF.
type mapping struct {
	id         *Identifier
	normalizer normalize.Normalizer
}

func (m *mapping) chunk(c *chunk) {
	for i := range c.pieces {
		p := &c.pieces[i]
		raw := c.raw[p.start:p.end]
		var family event.Family
		if p.family != event.Unreadable {
			s, _, why, parsed := m.id.Source(raw)
			if s != nil {
				family = s.Family
			}
			p.note, p.refused = why, parsed && s == nil
		}
		c.out = append(m.normalizer.Event(raw, family).AppendJSON(c.out), '\n')
	}
}
