// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"io"
	"net/http"
	"sync"
)

// chunk is how much of a blob is written at once.
const chunk = 128 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, chunk+16<<10); return &b }}

// handleBlob writes the records of a blob.
func (s *Server) handleBlob(w http.ResponseWriter, r *http.Request, c call) *refusal {
	id := r.PathValue("id")
	o, ok, found := s.feed.parseID(id)
	if !ok {
		return refuse("AF20052", id)
	}
	if !found {
		return refuse("AF20050", id)
	}
	c.stream = o.stream
	if refused := s.subs.missing(o.stream); refused != nil {
		return refused
	}
	now := c.now.UnixMilli()
	sub := s.subs.of(o.stream)
	if opens, shown := sub.shows(o.created); !shown || opens > now || o.created > now || s.strikes(c, "missing", nil) != nil {
		return refuse("AF20050", id)
	}
	if o.expires <= now {
		return refuse("AF20051", id)
	}
	if s.feed.blobHealed(o.place) > now {
		s.tally.struck("poison-blob")
		return refuse("AF50000")
	}
	s.send(w, r, c, func(w io.Writer) error { return s.feed.write(w, o, s.tally.sent) })
	return nil
}

// write writes a blob as the API does: an array of records.
func (f *feed) write(w io.Writer, o offer, sent func(int64)) error {
	p := buffers.Get().(*[]byte)
	buf := append((*p)[:0], '[')
	defer func() {
		if cap(buf) <= 1<<20 { // what a huge record took is not kept
			*p = buf[:0]
			buffers.Put(p)
		}
	}()
	least := f.hugeBlob(o.place)
	var total int64
	var err error
	flush := func() {
		var n int
		n, err = w.Write(buf)
		total += int64(n)
		buf = buf[:0]
	}
	first := true
	for err == nil {
		f.records(o.place, func(it item) bool {
			if !first {
				buf = append(buf, ',')
			}
			first = false
			buf = f.append(buf, it, f.check(o.place))
			if len(buf) >= chunk {
				flush()
			}
			return err == nil
		})
		if first || total >= least {
			break
		}
	}
	if err == nil {
		buf = append(buf, ']')
		flush()
	}
	sent(total)
	return err
}

// hugeBlob is how large a blob is made, if it is.
func (f *feed) hugeBlob(p place) int64 {
	for _, r := range f.faults.Load().byName["huge-blob"] {
		if r.covers(p.stream, p.slot) && chance(hash(f.seed, forSize, uint64(r.number), uint64(p.stream), uint64(p.slot), uint64(p.rule), uint64(p.part)), r.p) {
			return r.size
		}
	}
	return 0
}
