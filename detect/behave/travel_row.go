// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// journey is the row of a group of travel.
//
//	head    12
//	first   8     the group's earliest record
//	varied  1     it is in too many places: nothing is told any more
//	known   2, trips 2, sightings 2    how many
//	known, each 24: place and network, when first and when last
//	trips, each 40: the two places, when, the firing
//	sightings, by time and Key, each 70
type journey struct {
	first     int64
	varied    bool
	known     []spell
	trips     []trip
	sightings []sighting
}

// trip is a pair of places that was told.
type trip struct {
	places uint64
	pos
	id correlate.Key
}

type sighting struct {
	place
	ref  correlate.Ref
	rule uint16
	seen uint32
}

const (
	journeyHead  = rowHead + 8 + 1 + 6
	tripSize     = 8 + 8 + 16 + 16
	sightingSize = 8 + 16 + 12 + 2 + 4 + 12 + 2 + 8 + 8

	// Who has been seen at more places and times than this within what is not closed yet, or with more
	// pairs of place and network within Remember, is varied.
	maxSightings = 512
	maxKnown     = 1024
	maxTrips     = 128

	// beat is within how long only the first and the last sighting at a place count.
	beat = 5 * 60 * 1e9
)

// knownID tells a place and a network of all others.
func (p *place) knownID() uint64 { return (p.id*0x9e3779b97f4a7c15 ^ p.network) }

func (j *journey) read(row []byte) {
	j.known, j.trips, j.sightings = j.known[:0], j.trips[:0], j.sightings[:0]
	j.first = int64(binary.LittleEndian.Uint64(row[rowHead:]))
	j.varied = row[rowHead+8] != 0
	known := int(binary.LittleEndian.Uint16(row[rowHead+9:]))
	trips := int(binary.LittleEndian.Uint16(row[rowHead+11:]))
	sightings := int(binary.LittleEndian.Uint16(row[rowHead+13:]))
	b := row[journeyHead:]
	for range known {
		j.known = append(j.known, spellAt(b))
		b = b[spellSize:]
	}
	for range trips {
		t := trip{places: binary.LittleEndian.Uint64(b), id: correlate.Key(b[32:])}
		t.pos = pos{int64(binary.LittleEndian.Uint64(b[8:])), correlate.Key(b[16:])}
		j.trips = append(j.trips, t)
		b = b[tripSize:]
	}
	for range sightings {
		var o sighting
		o.ref.Time = int64(binary.LittleEndian.Uint64(b))
		o.ref.Key = correlate.Key(b[8:])
		o.ref.ID.Batch = binary.LittleEndian.Uint64(b[24:])
		o.ref.ID.Index = binary.LittleEndian.Uint32(b[32:])
		o.rule = binary.LittleEndian.Uint16(b[36:])
		o.seen = binary.LittleEndian.Uint32(b[38:])
		o.lat = math.Float32frombits(binary.LittleEndian.Uint32(b[42:]))
		o.lon = math.Float32frombits(binary.LittleEndian.Uint32(b[46:]))
		o.reach = math.Float32frombits(binary.LittleEndian.Uint32(b[50:]))
		o.country = [2]byte(b[54:])
		o.id = binary.LittleEndian.Uint64(b[56:])
		o.network = binary.LittleEndian.Uint64(b[64:])
		j.sightings = append(j.sightings, o)
		b = b[sightingSize:]
	}
}

func (j *journey) encode(b []byte, expires int64) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(expires))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(j.first))
	if j.varied {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(j.known)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(j.trips)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(j.sightings)))
	for _, k := range j.known {
		b = binary.LittleEndian.AppendUint64(b, k.value)
		b = binary.LittleEndian.AppendUint64(b, uint64(k.first))
		b = binary.LittleEndian.AppendUint64(b, uint64(k.last))
	}
	for _, t := range j.trips {
		b = binary.LittleEndian.AppendUint64(b, t.places)
		b = binary.LittleEndian.AppendUint64(b, uint64(t.Time))
		b = append(append(b, t.Key[:]...), t.id[:]...)
	}
	for i := range j.sightings {
		o := &j.sightings[i]
		b = binary.LittleEndian.AppendUint64(b, uint64(o.ref.Time))
		b = append(b, o.ref.Key[:]...)
		b = binary.LittleEndian.AppendUint64(b, o.ref.ID.Batch)
		b = binary.LittleEndian.AppendUint32(b, o.ref.ID.Index)
		b = binary.LittleEndian.AppendUint16(b, o.rule)
		b = binary.LittleEndian.AppendUint32(b, o.seen)
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(o.lat))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(o.lon))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(o.reach))
		b = append(b, o.country[:]...)
		b = binary.LittleEndian.AppendUint64(b, o.id)
		b = binary.LittleEndian.AppendUint64(b, o.network)
	}
	return b
}

// note remembers where the group was. It reports whether that was new, or earlier than was known.
func (j *journey) note(id uint64, t int64) (earlier bool) {
	i, ok := slices.BinarySearchFunc(j.known, id, func(s spell, id uint64) int { return cmp.Compare(s.value, id) })
	if !ok {
		j.known = slices.Insert(j.known, i, spell{id, t, t})
		return true
	}
	k := &j.known[i]
	earlier = t < k.first
	k.first, k.last = min(k.first, t), max(k.last, t)
	return earlier
}

// familiar reports whether the group had been there a day before t, or earlier.
func (j *journey) familiar(id uint64, t int64) bool {
	i, ok := slices.BinarySearchFunc(j.known, id, func(s spell, id uint64) int { return cmp.Compare(s.value, id) })
	return ok && j.known[i].first <= t-day
}

// see takes a sighting, and reports whether it changes anything: at one place, within one beat, only the
// first and the last do.
func (j *journey) see(o sighting) bool {
	at, same := slices.BinarySearchFunc(j.sightings, o, func(a, b sighting) int { return posOf(&a.ref).compare(posOf(&b.ref)) })
	if same {
		return false
	}
	before, after := -1, -1 // of the same beat and place
	for i := range j.sightings {
		if s := &j.sightings[i]; s.id == o.id && s.network == o.network && s.ref.Time/beat == o.ref.Time/beat {
			if i < at {
				before = i
			} else if after < 0 {
				after = i
			}
		}
	}
	// The outer two of them, with the new one, are kept.
	switch {
	case before >= 0 && after >= 0:
		return false
	case before >= 0 && j.twin(before) >= 0: // before is the last of two
		j.sightings[before] = o
		j.sort()
	case after >= 0 && j.twin(after) >= 0: // after is the first of two
		j.sightings[after] = o
		j.sort()
	default:
		j.sightings = slices.Insert(j.sightings, at, o)
	}
	return true
}

// twin finds another sighting of the same beat and place.
func (j *journey) twin(of int) int {
	o := &j.sightings[of]
	return slices.IndexFunc(j.sightings, func(s sighting) bool {
		return s.id == o.id && s.network == o.network && s.ref.Time/beat == o.ref.Time/beat && s.ref.Key != o.ref.Key
	})
}

func (j *journey) sort() {
	slices.SortFunc(j.sightings, func(a, b sighting) int { return posOf(&a.ref).compare(posOf(&b.ref)) })
}
