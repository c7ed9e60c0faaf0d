// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
)

// feed says what the provider offers and when. Nothing of it is stored: every
// blob is a function of the seed, the faults that were on in its time, and its
// place, so that it can be listed and read again at any time.
type feed struct {
	seed    uint64
	life    life
	events  *woven
	slotLen time.Duration
	begin   int64 // the first slot in which anything happens
	delay   time.Duration
	jitter  time.Duration
	most    int // records in a blob
	expiry  time.Duration

	faults atomic.Pointer[faultSet]

	mu    sync.Mutex
	empty map[blockKey]*block
}

// slot is the slot that t lies in.
func (f *feed) slot(t time.Time) int64 { return floorDiv(t.UnixNano(), int64(f.slotLen)) }

// start is when a slot begins.
func (f *feed) start(slot int64) time.Time { return time.Unix(0, slot*int64(f.slotLen)).UTC() }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// place names a blob: the stream, the slot at whose end it is made, the rule
// that offers an older slot again (0: none, it is the slot's own) and its
// number among the blobs of that.
type place struct {
	stream stream
	slot   int64
	rule   int
	part   int
}

// item is one version of one record as a blob holds it.
type item struct {
	ref
	changed *rule // the rule that made this a second version, or nil
	late    *rule // the rule that made it late, or nil
}

// refKey hashes which event it is.
func refKey(r ref) uint64 {
	return hash(uint64(r.Slot), forID, uint64(r.Stream), uint64(r.Index))
}

// spanSlots is a rule's span in whole slots, at least one.
func (f *feed) spanSlots(r *rule) int64 {
	return max(1, int64((r.span+f.slotLen-1)/f.slotLen))
}

// happened is how many events happen in a slot, those of scenarios included.
func (f *feed) happened(s stream, slot int64) (ordinary, scripted int) {
	if slot >= f.begin {
		ordinary = f.life.Count(s, slot)
	}
	return ordinary, len(f.events.at(s, slot))
}

// refs calls yield for every event of a slot. Those of scenarios have negative
// indices.
func (f *feed) refs(s stream, slot int64, yield func(ref) bool) bool {
	ordinary, scripted := f.happened(s, slot)
	for i := -scripted; i < ordinary; i++ {
		if e := (ref{Stream: s, Slot: slot, Index: i}); !f.omitted(e) && !yield(e) {
			return false
		}
	}
	return true
}

// omitted tells whether an event is never offered.
func (f *feed) omitted(e ref) bool {
	for _, r := range f.faults.Load().byName["omit"] {
		if r.covers(e.Stream, e.Slot) && chance(hash(f.seed, forOmit, uint64(r.number), refKey(e)), r.p) && names(f.happening(e), r.word) {
			return true
		}
	}
	return false
}

// happening is the record of an event as it happened.
func (f *feed) happening(e ref) []byte {
	if e.Index < 0 {
		return f.scriptedAt(e).raw
	}
	return f.life.Append(nil, e)
}

// names reports whether strings of a record begin with all of some words.
func names(raw []byte, words string) bool {
	for word := range strings.SplitSeq(words, "+") {
		if !bytes.Contains(raw, []byte(`"`+word)) {
			return false
		}
	}
	return true
}

// lateRule is the rule that moves an event to a later slot.
func (f *feed) lateRule(set *faultSet, e ref) *rule {
	return f.pick(set.byName["late"], forLate, e)
}

// pick is the first of the rules that strikes an event.
func (f *feed) pick(rules []*rule, p purpose, e ref) *rule {
	for _, r := range rules {
		if r.covers(e.Stream, e.Slot) && chance(hash(f.seed, p, uint64(r.number), refKey(e)), r.p) {
			return r
		}
	}
	return nil
}

// untouched tells whether the records of a slot are just what happened in it.
func (f *feed) untouched(set *faultSet, s stream, slot int64) bool {
	for _, r := range set.byName["late"] {
		if r.covers(s, slot) || r.covers(s, slot-f.spanSlots(r)) {
			return false
		}
	}
	for _, r := range set.byName["mutate"] {
		if r.covers(s, slot-f.spanSlots(r)) {
			return false
		}
	}
	return set.covering("omit", s, slot) == nil
}

// items calls yield for each record that is offered for the first time at the
// end of a slot, in their order: what happened in it, what comes late, what
// comes in another version.
func (f *feed) items(s stream, slot int64, yield func(item) bool) bool {
	set := f.faults.Load()
	if f.untouched(set, s, slot) {
		return f.refs(s, slot, func(e ref) bool { return yield(item{ref: e}) })
	}
	ok := f.refs(s, slot, func(e ref) bool { return f.lateRule(set, e) != nil || yield(item{ref: e}) })
	for _, late := range set.byName["late"] {
		from := slot - f.spanSlots(late)
		if !ok || !late.covers(s, from) {
			continue
		}
		ok = f.refs(s, from, func(e ref) bool { return f.lateRule(set, e) != late || yield(item{ref: e, late: late}) })
	}
	for _, change := range set.byName["mutate"] {
		from := slot - f.spanSlots(change)
		if !ok || !change.covers(s, from) {
			continue
		}
		ok = f.refs(s, from, func(e ref) bool {
			return f.lateRule(set, e) != nil || f.pick(set.byName["mutate"], forMutate, e) != change || yield(item{ref: e, changed: change})
		})
	}
	return ok
}

// count is how many items a slot has.
func (f *feed) count(s stream, slot int64) int {
	if f.untouched(f.faults.Load(), s, slot) {
		ordinary, scripted := f.happened(s, slot)
		return ordinary + scripted
	}
	n := 0
	f.items(s, slot, func(item) bool { n++; return true })
	return n
}

func (f *feed) any(s stream, slot int64) bool {
	return !f.items(s, slot, func(item) bool { return false })
}

// repeats calls yield for each rule that offers an older slot again at the end
// of this one, with that slot.
func (f *feed) repeats(s stream, slot int64, yield func(r *rule, of int64)) {
	set := f.faults.Load()
	for _, name := range repeaters {
		for _, r := range set.byName[name] {
			of := slot - f.spanSlots(r)
			if r.covers(s, of) && f.repeated(r, s, of) && !f.silent(s, of) {
				yield(r, of)
			}
		}
	}
}

// repeaters are the faults that offer a slot again.
var repeaters = []string{"repeat", "repeat-days", "relist"}

func (f *feed) repeated(r *rule, s stream, slot int64) bool {
	return chance(hash(f.seed, forRepeat, uint64(r.number), uint64(s), uint64(slot)), r.p)
}

func (f *feed) silent(s stream, slot int64) bool {
	return f.faults.Load().covering("silent", s, slot) != nil
}

// offer is a blob as a listing names it.
type offer struct {
	place         // what is read under the id
	created int64 // milliseconds since the epoch
	visible int64 // when listings begin to name it
	expires int64
	records int
	again   bool  // named before
	listed  int64 // the slot at whose end it is named; place.slot unless again
}

// offers appends the blobs that listings name for the end of a slot, in order.
func (f *feed) offers(dst []offer, s stream, slot int64) []offer {
	if f.silent(s, slot) {
		return dst
	}
	set := f.faults.Load()
	first := len(dst)
	dst = f.parts(dst, s, slot, slot, 0)
	f.repeats(s, slot, func(r *rule, of int64) {
		if r.name == "relist" {
			dst = f.parts(dst, s, of, slot, 0)
		} else {
			dst = f.parts(dst, s, of, slot, r.number)
		}
	})
	if len(dst) == first {
		return dst
	}
	base := f.start(slot+1).Add(f.delay).UnixMilli() + int64(hash(f.seed, forJitter, uint64(s), uint64(slot))%uint64(f.jitter.Milliseconds()+1))
	room := (f.slotLen - f.jitter).Milliseconds() - 1
	var hidden int64
	if r := set.covering("backdate", s, slot); r != nil && chance(hash(f.seed, forBackdate, uint64(r.number), uint64(s), uint64(slot)), r.p) {
		hidden = r.span.Milliseconds()
	}
	life := f.expiry
	if r := set.covering("expiry", s, slot); r != nil {
		life = r.span
	}
	for i := first; i < len(dst); i++ {
		o := &dst[i]
		o.created = base + min(int64(i-first), room)
		o.visible = o.created + hidden
		o.expires = o.created + life.Milliseconds()
	}
	return dst
}

// never is a moment that does not come.
const never = math.MaxInt64

// healed is when a page or a blob can be had, as far as it was poisoned: 0 if
// it was not, never if it stays so.
func (f *feed) healed(name string, p place) int64 {
	for _, r := range f.faults.Load().byName[name] {
		h := hash(f.seed, forPoison, uint64(r.number), uint64(p.stream), uint64(p.slot), uint64(p.rule), uint64(p.part))
		if !r.covers(p.stream, p.slot) || !chance(h, r.p) {
			continue
		}
		if r.span == 0 {
			return never
		}
		return f.start(p.slot + 1).Add(r.span).UnixMilli()
	}
	return 0
}

func (f *feed) pageHealed(s stream, slot int64) int64 {
	return f.healed("poison-page", place{stream: s, slot: slot})
}

func (f *feed) blobHealed(p place) int64 { return f.healed("poison-blob", p) }

// parts appends the blobs that hold a slot's records.
func (f *feed) parts(dst []offer, s stream, of, at int64, rule int) []offer {
	n := f.count(s, of)
	for part := 0; part*f.most < n; part++ {
		dst = append(dst, offer{place: place{s, at, rule, part}, records: min(f.most, n-part*f.most), listed: at, again: at != of})
		if rule == 0 {
			dst[len(dst)-1].slot = of
		}
	}
	return dst
}

// source is the slot whose records a blob holds.
func (f *feed) source(p place) int64 {
	if p.rule == 0 {
		return p.slot
	}
	return p.slot - f.spanSlots(f.faults.Load().rules[p.rule-1])
}

// records calls yield for each record of a blob, in its order.
func (f *feed) records(p place, yield func(item) bool) {
	skip, n := p.part*f.most, 0
	set := f.faults.Load()
	if r := set.covering("reorder", p.stream, p.slot); r != nil {
		f.reordered(p, yield)
		return
	}
	f.items(p.stream, f.source(p), func(it item) bool {
		if n++; n <= skip {
			return true
		}
		return n <= skip+f.most && yield(it)
	})
}

// reordered is records in an order that means nothing.
func (f *feed) reordered(p place, yield func(item) bool) {
	var list []item
	skip, n := p.part*f.most, 0
	f.items(p.stream, f.source(p), func(it item) bool {
		if n++; n > skip && n <= skip+f.most {
			list = append(list, it)
		}
		return n < skip+f.most
	})
	for i := len(list) - 1; i > 0; i-- {
		j := hash(f.seed, forOrder, uint64(p.slot), uint64(p.rule), uint64(p.part), uint64(i)) % uint64(i+1)
		list[i], list[j] = list[j], list[i]
	}
	for _, it := range list {
		if !yield(it) {
			return
		}
	}
}

// What a block of slots says about each of them: whether listings name
// anything for its end. Blocks of the past do not change, so that a listing
// skips what is empty at the cost of a bit.
const blockLen = 512

type blockKey struct {
	stream stream
	number int64
}

type block [blockLen / 64]uint64

func (b *block) has(slot int64) bool {
	i := uint64(slot) % blockLen
	return b[i/64]>>(i%64)&1 != 0
}

// maxBlocks bounds the memory of blocks: 20,000 are 1.5 MB, and cover all five
// streams for 100 days of five-second slots.
const maxBlocks = 20_000

// block returns the block of a slot. now is the slot that is under way: blocks
// that reach beyond it are not kept.
func (f *feed) block(s stream, slot, now int64) *block {
	k := blockKey{s, floorDiv(slot, blockLen)}
	f.mu.Lock()
	b := f.empty[k]
	f.mu.Unlock()
	if b != nil {
		return b
	}
	b = new(block)
	first := k.number * blockLen
	last := min(first+blockLen, now+1)
	for at := first; at < last; at++ {
		if f.names(s, at) {
			i := uint64(at) % blockLen
			b[i/64] |= 1 << (i % 64)
		}
	}
	if first+blockLen <= now {
		f.mu.Lock()
		if len(f.empty) >= maxBlocks {
			clear(f.empty)
		}
		f.empty[k] = b
		f.mu.Unlock()
	}
	return b
}

// names tells whether listings name anything for the end of a slot.
func (f *feed) names(s stream, slot int64) bool {
	if f.silent(s, slot) {
		return false
	}
	if f.any(s, slot) {
		return true
	}
	found := false
	f.repeats(s, slot, func(_ *rule, of int64) { found = found || f.any(s, of) })
	return found
}

// The id of a blob looks like the real ones: two numbers that begin with the
// time, and where it came from. The last six digits of the first one are a
// check, so that an id nobody gave out is recognized; those of the second one
// are the rule and the part.
func (f *feed) id(p place) string {
	t := f.created(p)
	name := p.stream.String()
	stamp := t.Format("20060102150405") + fmt.Sprintf("%03d", t.Nanosecond()/1e6)
	return fmt.Sprintf("%s%06d$%s%02d%04d$%s$%s", stamp, f.check(p), stamp, p.rule, p.part,
		strings.ToLower(strings.ReplaceAll(name, ".", "_")), strings.ReplaceAll(name, ".", "_"))
}

func (f *feed) check(p place) uint64 {
	return hash(f.seed, forID, uint64(p.stream), uint64(p.slot), uint64(p.rule), uint64(p.part)) % 1e6
}

// created is the time that stands in a blob's id: it lies in the slot after
// the one at whose end the blob was made.
func (f *feed) created(p place) time.Time {
	return f.start(p.slot + 1).Add(time.Duration(hash(f.seed, forJitter, uint64(p.stream), uint64(p.slot), uint64(p.part))%uint64(f.slotLen.Milliseconds())) * time.Millisecond)
}

// parseID is the reverse of id. ok says that it has the form, and found that
// there is such a blob.
func (f *feed) parseID(id string) (o offer, ok, found bool) {
	part := strings.Split(id, "$")
	if len(part) != 4 || len(part[0]) != 23 || len(part[1]) != 23 {
		return o, false, false
	}
	t, err := time.Parse("20060102150405.000", part[1][:14]+"."+part[1][14:17])
	tail, err2 := strconv.Atoi(part[1][17:])
	if err != nil || err2 != nil {
		return o, false, false
	}
	for _, s := range company.Streams {
		p := place{s, f.slot(t) - 1, tail / 10_000, tail % 10_000}
		if strings.ReplaceAll(s.String(), ".", "_") != part[3] {
			continue
		}
		if f.id(p) != id {
			return o, true, false
		}
		for _, o := range f.offers(nil, s, p.slot) {
			if o.place == p && !o.again == (p.rule == 0) {
				return o, true, true
			}
		}
		return o, true, false
	}
	return o, false, false
}
