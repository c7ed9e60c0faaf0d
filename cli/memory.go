// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// limitMemory sets how much memory the Go runtime aims at: 400 MiB leaves room in the promised 512 for what it does not
// count. Rules that somebody adds come on top four times over, for a collection marks all of them, and with them the limit
// follows what is alive: see room. Who sets GOMEMLIMIT knows better.
func limitMemory(rules int64) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	memory.mu.Lock()
	defer memory.mu.Unlock()
	memory.aim = 400<<20 + 4*rules
	memory.set(memory.aim)
	if rules > 0 && !memory.followed {
		memory.followed = true
		memory.follow()
	}
}

// memory is the process's.
var memory room

// room keeps a quarter more than what is alive between it and the limit. A limit that what is alive comes near to has the
// runtime collect without end, and what it marks each time is nearly all that there is: an import of three million records
// by 3,700 rules collected 735 times, and took 52 µs of CPU a record instead of 39.
type room struct {
	mu         sync.Mutex
	aim, limit int64 // bytes
	followed   bool
}

func (r *room) set(limit int64) {
	r.limit = limit
	debug.SetMemoryLimit(limit)
}

// follow has the limit looked at after each collection.
func (r *room) follow() {
	runtime.AddCleanup(new([16]byte), func(r *room) {
		r.look()
		r.follow()
	}, r)
}

// look moves the limit if it is off by more than a sixteenth: moving it stops the world.
func (r *room) look() {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
	}
	metrics.Read(s)
	bytes := func(i int) int64 { return int64(s[i].Value.Uint64()) }
	r.mu.Lock()
	defer r.mu.Unlock()
	limit := max(r.aim, bytes(0)+bytes(0)/4+bytes(1)-bytes(2)-bytes(3)-bytes(4)) // with what is no object
	if off := limit - r.limit; max(off, -off) > r.limit/16 {
		r.set(limit)
	}
}
