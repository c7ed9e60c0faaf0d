// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

// table has the groups of one correlation that are in memory, by the hash of tenant and
// group. It is many small tables, so that none takes long to grow. Two groups of one
// correlation that have the same 64 bits would be taken for one: with 1.5 million
// groups that happens in one of 10 million deployments, and nobody can make it happen.
type table struct {
	p      *program
	mem    *arena
	shards [1 << shardBits]shard
	big    map[uint64]*bigRecord
	bigLen int64
	groups int
	places int // slots of all shards
	size   int // bytes of an entry
	queues
	arrivals arrivals
	touched  byte
}

const shardBits = 8

type shard struct {
	slots []slot
	n     int
}

// slot is a place of an open-addressed table. It is empty if it is zero.
type slot struct {
	hash   uint64
	ref    uint32
	grains uint16
	flags  uint16
}

const (
	taken   = 1 << iota
	isBig   // the record is in table.big
	dirty   // differs from the database, and is in table.unsaved
	stored  // is in the database
	queued  // is to be judged, and is in table.todo
	waits   // is in table.waiting
	touched // since it was last looked at for spilling
	forced  // is judged even if it costs much
	pieces  // is in the database in pieces

	ageShift = 9 // the other bits are the lowest of the tick of its last entry
	ageMask  = 1<<(16-ageShift) - 1
)

// age is how many ticks ago, at least, the last entry came: it is told modulo 128.
func (x *slot) age(now uint32) uint32 { return (now - uint32(x.flags>>ageShift)) & ageMask }

func (x *slot) setAge(now uint32) {
	x.flags = x.flags&(1<<ageShift-1) | uint16(now&ageMask)<<ageShift
}

func newTable(p *program, mem *arena) *table {
	t := &table{p: p, mem: mem, big: map[uint64]*bigRecord{}, size: entryBytes, queues: queues{gone: map[uint64]bool{}}}
	if p.kind != count && p.kind != temporal && p.kind != ordered {
		t.size += 8
	}
	return t
}

// home is where a hash belongs. It grows with the hash, which makes removing simple.
func home(hash uint64, n int) int { return int(hash << shardBits >> 32 * uint64(n) >> 32) }

// find returns the slot of a group; it is good until the next insert or remove.
func (t *table) find(hash uint64) *slot {
	s := &t.shards[hash>>(64-shardBits)]
	if len(s.slots) == 0 {
		return nil
	}
	for i := home(hash, len(s.slots)); ; {
		x := &s.slots[i]
		if x.flags == 0 {
			return nil
		}
		if x.hash == hash {
			return x
		}
		if i++; i == len(s.slots) {
			i = 0
		}
	}
}

// insert adds a group that is not there, with room for a record of n bytes.
func (t *table) insert(hash uint64, n int) *slot {
	s := &t.shards[hash>>(64-shardBits)]
	if s.n+1 > len(s.slots)/8*7 {
		old := s.slots
		s.slots = make([]slot, max(16, (len(old)/4*5+7)/8*8))
		t.places += len(s.slots) - len(old)
		for i := range old {
			if old[i].flags != 0 {
				*s.empty(old[i].hash) = old[i]
			}
		}
	}
	x := s.empty(hash)
	*x = slot{hash: hash, flags: taken}
	s.n++
	t.groups++
	t.room(x, n)
	return x
}

func (s *shard) empty(hash uint64) *slot {
	i := home(hash, len(s.slots))
	for s.slots[i].flags != 0 {
		if i++; i == len(s.slots) {
			i = 0
		}
	}
	return &s.slots[i]
}

// remove takes a group out.
func (t *table) remove(x *slot) {
	t.drop(x)
	hash := x.hash
	s := &t.shards[hash>>(64-shardBits)]
	n := len(s.slots)
	i := home(hash, n)
	for s.slots[i].hash != hash || s.slots[i].flags == 0 {
		i = (i + 1) % n
	}
	for j := (i + 1) % n; s.slots[j].flags != 0; j = (j + 1) % n {
		// What is at j may fill the hole at i unless its home is after i.
		if h := home(s.slots[j].hash, n); (j-h+n)%n >= (j-i+n)%n {
			s.slots[i], i = s.slots[j], j
		}
	}
	s.slots[i] = slot{}
	s.n--
	t.groups--
}

// record returns a group's record.
func (t *table) record(x *slot) record {
	if x.flags&isBig != 0 {
		return t.big[x.hash].b
	}
	return t.mem.bytes(x.ref, x.grains)
}

// room gives a group memory for a record of n bytes. What was in it is lost.
func (t *table) room(x *slot, n int) record {
	if n > bigFrom {
		return t.bigRoom(x, n)
	}
	t.drop(x)
	x.ref, x.grains = t.mem.alloc(n)
	return t.mem.bytes(x.ref, x.grains)
}

func (t *table) drop(x *slot) {
	if x.flags&isBig != 0 {
		t.bigLen -= int64(len(t.big[x.hash].b) + len(t.big[x.hash].fresh))
		delete(t.big, x.hash)
		x.flags &^= isBig
	} else if x.grains > 0 {
		t.mem.release(x.ref, x.grains)
	}
	x.ref, x.grains = 0, 0
}

// save puts a group back, in place if it fits and wastes little.
func (t *table) save(x *slot, g *group) {
	n := g.bytes(t.size)
	r := t.record(x)
	if n > len(r) || n < len(r)/2 {
		r = t.room(x, n)
	}
	g.save(r, t.size)
}

// append adds an entry to a group.
func (t *table) append(x *slot, e *entry) record {
	r := t.record(x)
	n := r.entries()
	at := r.first() + n*t.size
	if at+t.size > len(r) {
		r = t.grow(x, at, t.size*(1+n/4))
	}
	e.put(r[at : at+t.size])
	r.setEntries(n + 1)
	if x.flags&isBig != 0 {
		t.addedToBig(x, r[at:at+t.size])
	}
	return r
}

// grow gives a group's record, of n bytes, room for more.
func (t *table) grow(x *slot, n, more int) record {
	if x.flags&isBig != 0 {
		return t.bigRoom(x, n+more)
	}
	old, ref, grains := t.record(x), x.ref, x.grains
	x.ref, x.grains = 0, 0
	r := t.room(x, n+more)
	copy(r, old[:n])
	t.mem.release(ref, grains)
	return r
}

// arm has a group judged when the watermark has come so far.
func (t *table) arm(x *slot, at int64) {
	r := t.record(x)
	if due := r.due(); due == 0 || at < due {
		r.setDue(at)
		t.timers.push(timer{at, x.hash})
	}
}

// bytes is how much memory the groups' places, timers and large records take. What the arena
// holds is shared.
func (t *table) bytes() int64 {
	return t.bigLen + int64(t.places+cap(t.timers))*16 + int64(cap(t.unsaved))*8
}
