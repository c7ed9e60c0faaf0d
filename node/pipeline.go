// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"runtime"

	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/event"
)

// pipeline reads chunks of a file and has them worked upon on all cores, ahead
// of whoever takes them in order.
type pipeline struct {
	free  chan *chunk // to be filled
	order chan *chunk // in the order of the file
	quit  chan struct{}
}

// startPipeline begins to read r, which it closes at the end. Each core gets a
// worker of its own.
func startPipeline(ctx context.Context, r *file.Reader, worker func() func(*chunk)) *pipeline {
	cores := runtime.GOMAXPROCS(0)
	ahead := cores + 4
	p := &pipeline{free: make(chan *chunk, ahead), order: make(chan *chunk, ahead), quit: make(chan struct{})}
	todo := make(chan *chunk, ahead)
	for range ahead {
		p.free <- &chunk{ready: make(chan struct{}, 1)}
	}
	for range cores {
		work := worker()
		go func() {
			for c := range todo {
				work(c)
				c.ready <- struct{}{}
			}
		}()
	}
	// A read from a pipe may never return: nobody waits for this goroutine.
	go func() {
		defer close(todo)
		defer close(p.order)
		defer r.Close()
		var pieces []file.Piece
		for {
			var c *chunk
			select {
			case c = <-p.free:
			case <-p.quit:
				return
			case <-ctx.Done():
				return
			}
			pieces = c.fill(r, pieces)
			p.order <- c
			todo <- c
			if c.err != nil {
				return
			}
		}
	}()
	return p
}

// next returns the next chunk of the file when it is done; nil when ctx has
// ended and all that was read before has been returned. The caller gives it back
// to free.
func (p *pipeline) next(ctx context.Context) *chunk {
	var c *chunk
	select {
	case c = <-p.order:
	default:
		select {
		case c = <-p.order:
		case <-ctx.Done():
		}
	}
	if c != nil {
		<-c.ready
	}
	return c
}

func (p *pipeline) stop() { close(p.quit) }

// chunk is a stretch of a file: its pieces and what is known of them. It is used
// again and again.
type chunk struct {
	raw    []byte
	ids    []byte
	out    []byte
	pieces []piece
	err    error // why the file ends after it; io.EOF if it is whole
	ready  chan struct{}
}

// piece is one record of a chunk.
type piece struct {
	start, end     int // in raw
	idStart, idEnd int // in ids
	ordinal        uint64
	offset         int64
	time           int64
	tenant         string
	family         event.Family
	note           string // what people should know of it
	refused        bool
	found          []detect.Found // rules that the record matched
	key            correlate.Key  // set if there are any
}

const (
	chunkRecords = 1024
	chunkBytes   = 1 << 20
)

// fill reads the next pieces of r; the slice is scratch.
func (c *chunk) fill(r *file.Reader, scratch []file.Piece) []file.Piece {
	c.raw, c.ids, c.out, c.pieces, c.err = c.raw[:0], c.ids[:0], c.out[:0], c.pieces[:0], nil
	if cap(c.raw) > 8*chunkBytes {
		c.raw = nil // one huge record must not be held for ever
	}
	if cap(c.out) > 16*chunkBytes {
		c.out = nil
	}
	for len(c.pieces) < chunkRecords && len(c.raw) < chunkBytes {
		scratch, c.err = r.NextBatch(scratch, chunkRecords-len(c.pieces))
		if c.err != nil {
			break
		}
		for _, p := range scratch {
			start := len(c.raw)
			c.raw = append(c.raw, p.Raw...)
			q := piece{start: start, end: len(c.raw), ordinal: p.Ordinal, offset: p.Offset}
			if p.Unreadable != "" {
				q.family, q.note = event.Unreadable, p.Unreadable
			}
			c.pieces = append(c.pieces, q)
		}
	}
	return scratch
}
