// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"fmt"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
)

const day = int64(24 * time.Hour)

// addTravel judges a hit by travel.
func (s *State) addTravel() {
	p, ok := s.placeOf()
	if !ok {
		return // nothing can be said, so nothing is: a place that is not known is never a far one
	}
	j := &s.journey
	row := s.table.get(s.hit.slot, s.hit.row)
	if row == nil {
		*j = journey{first: s.hit.at.Time, known: j.known[:0], trips: j.trips[:0], sightings: j.sightings[:0]}
	} else if j.read(row); !j.varied {
		s.trimJourney(j, seen(row))
	}
	if j.varied {
		s.stats.Varied++
		return
	}
	o := sighting{place: p, ref: s.ref(), rule: s.hit.rank, seen: s.clock.second()}
	j.first = min(j.first, s.hit.at.Time)
	if earlier := j.note(p.knownID(), s.hit.at.Time); earlier && p.network != 0 {
		s.shares(p.network)
	}
	if j.see(o) { // whatever is earlier than all at a place is seen
		s.judgeJourney(j)
	}
	s.boundJourney(j)
	s.row = j.encode(s.row[:0], addTime(s.lastKnown(j), s.hit.remembers()))
	s.table.put(s.hit.slot, s.hit.row, s.row)
}

// remembers is how long travel remembers where a group has been.
func (b *behavior) remembers() time.Duration {
	if b.Remember > 0 {
		return max(b.Remember, 48*time.Hour)
	}
	return 90 * 24 * time.Hour
}

func (s *State) lastKnown(j *journey) (last int64) {
	for i := range j.known {
		last = max(last, j.known[i].last)
	}
	return last
}

// trimJourney drops what the stream has passed over: all sightings but the last of them that counts, from which the next
// one is reached, and trips that a day has passed over.
func (s *State) trimJourney(j *journey, seen uint32) {
	last := -1
	for i := range j.sightings {
		if o := &j.sightings[i]; !s.clock.closed(o.ref.Time, o.seen) {
			break
		} else if s.counts(j, o) {
			last = i
		}
	}
	if last > 0 {
		j.sightings = slices.Delete(j.sightings, 0, last)
	}
	j.trips = slices.DeleteFunc(j.trips, func(t trip) bool { return s.clock.closed(t.Time+day, seen) })
}

// boundJourney keeps the row small. A group that is at more places than anyone can be is varied, and that is said.
func (s *State) boundJourney(j *journey) {
	if len(j.known) > maxKnown/2 {
		forget := s.sane(s.lastKnown(j)) - int64(s.hit.remembers())
		j.known = slices.DeleteFunc(j.known, func(k spell) bool { return k.last < forget })
	}
	if len(j.known) <= maxKnown && len(j.sightings) <= maxSightings && len(j.trips) <= maxTrips {
		return
	}
	j.varied = true
	j.known, j.trips, j.sightings = j.known[:1], j.trips[:0], j.sightings[:0]
	ref := s.ref()
	s.fire(correlate.Firing{
		ID: s.idOf([]byte("varied")), Group: s.groupValues(nil, nil), Refs: []correlate.Ref{ref}, Count: 1,
		Completed: ref, From: moment(ref.Time), To: moment(ref.Time),
		Sentence: fmt.Sprintf("%s is at more places than travel can follow: it is taken as varied, and no travel of it is told.", s.who()),
	})
}

// counts reports whether a sighting counts: not at a network that is new to the group and known as one that many groups
// of the tenant come by, as a VPN's or a mobile provider's.
func (s *State) counts(j *journey, o *sighting) bool {
	return o.network == 0 || j.familiar(o.knownID(), o.ref.Time) || !s.isShared(o.network, o.ref.Time)
}

func (s *State) networkKey(network uint64) rowKey { return s.shared('n', valueBytes(network)) }

// shares notes that the group came by a network.
func (s *State) shares(network uint64) {
	key := s.networkKey(network)
	s.list = s.list[:0]
	if row := s.table.get(s.hit.slot, key); row != nil {
		s.list = s.list.decode(row)
	}
	list, _, _, changed := s.list.add(first{s.hit.at, s.hit.row}, int(s.hit.Least))
	if s.list = list; changed {
		s.row = list.encode(s.row[:0])
		s.table.put(s.hit.slot, key, s.row)
	}
}

// isShared reports whether Least groups had come by a network a day before t. What is so old does not change any
// more, so that the order in which records come does not matter.
func (s *State) isShared(network uint64, t int64) bool {
	row := s.table.get(s.hit.slot, s.networkKey(network))
	if row == nil {
		return false
	}
	s.list = s.list.decode(row)
	n := int(s.hit.Least)
	return len(s.list) >= n && s.list[n-1].Time <= t-day
}

// judgeJourney looks at all sightings that are not closed, tells of the trips that nobody makes, and takes back those
// that a late record has explained.
func (s *State) judgeJourney(j *journey) {
	var from *sighting
	standing := s.closedTrips(j)
	was := slices.Clone(j.trips[standing:])
	j.trips = j.trips[:standing]
	for i := range j.sightings {
		o := &j.sightings[i]
		if !s.counts(j, o) {
			continue
		}
		if from != nil && s.impossible(j, from, o) {
			t := trip{placesOf(from, o), posOf(&o.ref), s.idOf(o.ref.Key[:])}
			if !slices.ContainsFunc(j.trips, func(b trip) bool { return b.places == t.places && b.Time > t.Time-day }) {
				j.trips = append(j.trips, t)
				was = s.tellTrip(j, from, o, t, was)
			}
		}
		from = o
	}
	for i := range was {
		s.takeBack(was[i].id)
	}
}

// closedTrips moves the trips that end at or before the first sighting to the front: they stand for good.
func (s *State) closedTrips(j *journey) (n int) {
	slices.SortFunc(j.trips, func(a, b trip) int { return a.compare(b.pos) })
	for n < len(j.trips) && len(j.sightings) > 0 && j.trips[n].compare(posOf(&j.sightings[0].ref)) <= 0 && s.clock.closed(j.sightings[0].ref.Time, j.sightings[0].seen) {
		n++
	}
	return n
}

func placesOf(a, b *sighting) uint64 { return min(a.id, b.id)*0x9e3779b97f4a7c15 ^ max(a.id, b.id) }

// impossible reports whether nobody gets from one sighting to the other in the time between, and at
// least one of them is new to the group.
func (s *State) impossible(j *journey, a, b *sighting) bool {
	if a.id == b.id || b.ref.Time-j.first < int64(s.hit.Learn) {
		return false
	}
	km := kilometers(&a.place, &b.place)
	return km >= s.hit.MinimumKm && km > s.hit.KmPerHour*hours(a, b) &&
		!(j.familiar(a.knownID(), b.ref.Time) && j.familiar(b.knownID(), b.ref.Time))
}

// hours is the time between two sightings; clocks differ by a minute.
func hours(a, b *sighting) float64 {
	return max(time.Minute, time.Duration(b.ref.Time-a.ref.Time)).Hours()
}

// tellTrip tells of a trip unless it was told; it returns the rest of what was.
func (s *State) tellTrip(j *journey, a, b *sighting, t trip, was []trip) []trip {
	var replaces []correlate.Key
	for i := len(was) - 1; i >= 0; i-- {
		switch {
		case was[i].id == t.id && was[i].places == t.places:
			return slices.Delete(was, i, i+1)
		case was[i].id == t.id:
			was = slices.Delete(was, i, i+1) // the same record completes another trip: its firing is revised
		case was[i].places == t.places && was[i].Time > t.Time && was[i].Time-t.Time < day:
			replaces = append(replaces, was[i].id)
			was = slices.Delete(was, i, i+1)
		}
	}
	refs := []correlate.Ref{a.ref, b.ref}
	refs[0].Rule, refs[1].Rule = s.hit.rules[a.rule], s.hit.rules[b.rule]
	speed := kilometers(&a.place, &b.place) / hours(a, b)
	s.fire(correlate.Firing{
		ID: t.id, Replaces: replaces, Group: s.groupValues(nil, nil), Refs: refs, Count: 2, Completed: refs[1],
		From: moment(a.ref.Time), To: moment(b.ref.Time), Value: speed, Sentence: s.sayTravel(j, a, b, speed),
	})
	return was
}

func (s *State) sayTravel(j *journey, a, b *sighting, speed float64) string {
	since := ""
	if !j.familiar(b.knownID(), b.ref.Time) {
		since = fmt.Sprintf("; it is new to it, of %s", several(int64(len(j.known)), "place and network", "places and networks"))
	}
	return fmt.Sprintf("%s is in %s %s after %s: at least %s km, %s km an hour%s.", s.who(), b.place.String(),
		span(time.Duration(b.ref.Time-a.ref.Time)), a.place.String(), number(int64(kilometers(&a.place, &b.place))), number(int64(speed)), since)
}
