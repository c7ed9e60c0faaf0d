// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"crypto/rand"
	"encoding/binary"
)

// How much of the database is kept in memory. An entity with the incidents around it takes some
// 300 bytes, an incident 1 KiB; there may be twice as many of each for a while.
const (
	maxEntitiesKept = 1 << 15
	maxGroupsKept   = 1 << 12
	maxMergesKept   = 1 << 16
)

// cache is what the last transaction knew of entities and incidents. It is a function of the
// database as that transaction left it, and is used by the next one only if the database bears
// its mark: a transaction that was undone, or another process's, leaves another one.
type cache struct {
	mark     int64
	entities recent[key, *entity]
	groups   recent[int64, *group]
	merged   map[int64]int64 // incidents that have become part of others, by number
	next     int64           // number of the next incident
	decided  *decisions      // nil: not known
}

func newCache() *cache {
	return &cache{
		entities: recent[key, *entity]{most: maxEntitiesKept}, groups: recent[int64, *group]{most: maxGroupsKept},
		merged: map[int64]int64{},
	}
}

// newMark is never 0, which is what an empty database has.
func newMark() int64 {
	var b [8]byte
	rand.Read(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]) | 1)
}

// find follows an incident into the one that it has become part of.
func (c *cache) find(incident int64) int64 {
	into, ok := c.merged[incident]
	if !ok {
		return incident
	}
	for {
		next, ok := c.merged[into]
		if !ok {
			break
		}
		c.merged[incident], into = next, next
	}
	return into
}

// recent is a map that forgets what was not asked for while others were: two generations, of
// which the older one goes when the younger one is full.
type recent[K comparable, V any] struct {
	most       int
	young, old map[K]V
}

func (r *recent[K, V]) get(k K) (v V, ok bool) {
	if v, ok = r.young[k]; ok {
		return v, true
	}
	if v, ok = r.old[k]; ok {
		r.put(k, v)
	}
	return v, ok
}

func (r *recent[K, V]) put(k K, v V) {
	if r.young == nil || len(r.young) >= r.most {
		r.young, r.old = make(map[K]V), r.young
	}
	r.young[k] = v
}

func (r *recent[K, V]) drop(k K) {
	delete(r.young, k)
	delete(r.old, k)
}
