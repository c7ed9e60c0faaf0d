// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

// Groups lie all over memory. To wait for one to come from there takes longer than all else that
// is done with a hit, but a processor can wait for ten at once, if it is not told to do something
// with the first before it is told of the second. So hits are put into the groups of a table some
// at a time, and groups are judged some at a time: first the slots of all of them are touched,
// then their records, and then there is little left to wait for.

// batch is so few that what was touched is still in the processor's caches when it is used.
const batch = 128

// arrivals are hits that are not in their groups yet.
type arrivals struct {
	hashes []uint64 // of the groups
	hits   []arrival
	names  []byte
}

type arrival struct {
	e      entry
	tenant uint32
	name   int // where the group's values end in arrivals.names
}

// maxNames is how many bytes of groups' values wait.
const maxNames = 1 << 16

// arrive takes a hit. Whoever looks at the table's groups calls place first.
func (s *State) arrive(t *table, hash uint64, tenant uint32, name []byte, e *entry) {
	a := &t.arrivals
	a.names = append(a.names, name...)
	a.hashes = append(a.hashes, hash)
	a.hits = append(a.hits, arrival{*e, tenant, len(a.names)})
	if len(a.hashes) == batch || len(a.names) > maxNames {
		s.place(t)
	}
}

// place puts the hits that have arrived into their groups.
func (s *State) place(t *table) {
	a := &t.arrivals
	if len(a.hashes) == 0 {
		return
	}
	t.touch(a.hashes)
	from := 0
	for i := range a.hits {
		h := &a.hits[i]
		s.put(t, a.hashes[i], h.tenant, a.names[from:h.name], &h.e)
		from = h.name
	}
	a.hashes, a.hits, a.names = a.hashes[:0], a.hits[:0], a.names[:0]
}

func (s *State) placeAll() {
	for _, t := range s.tables {
		s.place(t)
	}
}

// touch reads what will be needed of groups.
func (t *table) touch(hashes []uint64) {
	var sum byte
	for _, hash := range hashes {
		if slots := t.shards[hash>>(64-shardBits)].slots; len(slots) > 0 {
			sum += byte(slots[home(hash, len(slots))].flags)
		}
	}
	for _, hash := range hashes {
		if x := t.find(hash); x != nil && x.flags&isBig == 0 {
			sum += t.record(x).touch()
		}
	}
	t.touched = sum // so that the compiler leaves it in
}

// touch reads a byte of each line of the processor's cache; of long records not all.
func (r record) touch() (sum byte) {
	for at := 0; at < min(len(r), 512); at += 64 {
		sum += r[at]
	}
	return sum + r[len(r)-1]
}
