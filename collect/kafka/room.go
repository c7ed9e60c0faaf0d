// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"sync"
)

// room bounds the bytes of messages that are in memory.
type room struct {
	most int64

	mu    sync.Mutex
	used  int64
	freed chan struct{} // closed when there is more room
}

func newRoom(most int64) *room { return &room{most: most, freed: make(chan struct{})} }

// take waits until there is room. What is larger than all of it gets it when it is empty.
func (r *room) take(ctx context.Context, n int64) error {
	for {
		r.mu.Lock()
		if r.used == 0 || r.used+n <= r.most {
			r.used += n
			r.mu.Unlock()
			return nil
		}
		freed := r.freed
		r.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *room) give(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.used -= n
	close(r.freed)
	r.freed = make(chan struct{})
}
