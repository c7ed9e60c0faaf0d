// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"bytes"
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// slot is the time whose records are one origin of the journal, and one interval of coverage, in milliseconds.
const slot = 5 * 60 * 1000

// take is what is made of an item, and its memory, which the next one uses again.
type take struct {
	cut      cutter
	classify Classify
	parts    []part
	ids      []byte
	gaps     []act.Act // in front of what was taken
	last     *kgo.Record
	received int64 // nanoseconds
	offered  int64 // of the message that is cut, in milliseconds
}

// part is a stretch of offsets that were offered in one slot.
type part struct {
	from, to   int64 // offsets; to is the last one
	created    int64 // when the first was offered, in milliseconds
	bytes      int64
	records    int
	unreadable int
	families   []family
}

// family is what becomes one origin.
type family struct {
	name    event.Family
	records []event.Record
}

// longer returns a list that has one more element: what once was there, if the memory is, for its memory.
func longer[T any](list []T) []T {
	if n := len(list); n < cap(list) {
		return list[:n+1]
	}
	return append(list, *new(T))
}

// takeItem appends the records of messages. What becomes of them is told when they are durable, while the next item is taken.
func (p *partition) takeItem(ctx context.Context, it *item) error {
	t := &p.take
	if t.classify == nil {
		t.classify = p.s.c.o.Classify()
		t.cut.record, t.cut.unreadable = t.record, t.stray
	}
	t.parts, t.ids, t.gaps, t.last, t.received = t.parts[:0], t.ids[:0], nil, nil, it.received.UnixNano()
	p.s.mu.Lock()
	p.offered = max(p.offered, p.place.readTo)
	known := p.place.mark
	p.s.mu.Unlock()
	var cause error
	for _, m := range it.messages {
		if cause = p.admit(m, known, it.received); cause != nil {
			break
		}
	}
	if err := p.store(ctx); err != nil {
		return err
	}
	return cause
}

// admit takes a message that is the next one. Offsets that are left out are a gap: of the first message after an entry that is
// believed when it is seen twice, for what was fetched for a former entry may still come.
func (p *partition) admit(m *kgo.Record, known string, received time.Time) error {
	if m.Offset != p.at && p.fresh && p.doubt != m.Offset {
		p.doubt = m.Offset
		return errOrder
	}
	if m.Offset < p.at {
		return errOrder
	}
	if p.verify {
		p.verify = false
		p.at++
		if m.Offset == p.at-1 {
			if mark(m) != known {
				return errNotOurs
			}
			p.fresh = false
			return nil
		}
	}
	offered := max(p.offered, min(m.Timestamp.UnixMilli(), received.UnixMilli()))
	t := &p.take
	if p.lost != nil {
		t.gaps = append(t.gaps, p.gap(offered))
		p.lost = nil
	}
	if m.Offset > p.at {
		p.lost = &lost{p.at, m.Offset, act.Missing, "the broker has no messages of the offsets " + strconv.FormatInt(p.at, 10) + " to " + strconv.FormatInt(m.Offset-1, 10)}
		t.gaps = append(t.gaps, p.gap(offered))
		p.lost = nil
	}
	p.at, p.offered, p.fresh, p.doubt, p.failed = m.Offset+1, offered, false, -1, 0
	t.message(m, offered)
	return nil
}

// message puts the records of a message where they belong.
func (t *take) message(m *kgo.Record, offered int64) {
	t.last = m
	n := len(t.parts)
	if n == 0 || t.parts[n-1].created/slot != offered/slot || t.parts[n-1].to+1 != m.Offset {
		t.parts = longer(t.parts)
		t.parts[n] = part{from: m.Offset, created: offered, families: t.parts[n].families[:0]}
		n++
	}
	b := &t.parts[n-1]
	b.to = m.Offset
	b.bytes += int64(len(m.Value))
	if m.Attrs.IsControl() { // the end of a transaction, which says nothing
		return
	}
	if len(bytes.TrimSpace(m.Value)) == 0 {
		b.unreadable++
		return
	}
	t.offered = offered
	t.cut.cut(m.Value)
}

func (t *take) record(v jsontape.Value) {
	name, id, when := t.classify(v)
	start := len(t.ids)
	t.ids = append(t.ids, id...) // into other memory when it has no room: what points to the old one keeps it
	t.add(name, event.Record{Raw: v.Raw(), ID: t.ids[start:len(t.ids):len(t.ids)], Time: when})
	t.parts[len(t.parts)-1].records++
}

// stray keeps what is no record.
func (t *take) stray(raw []byte) {
	t.add(event.Unreadable, event.Record{Raw: raw})
	t.parts[len(t.parts)-1].unreadable++
}

func (t *take) add(name event.Family, r event.Record) {
	b := &t.parts[len(t.parts)-1]
	r.Received, r.Offered = t.received, t.offered*int64(time.Millisecond)
	i := slices.IndexFunc(b.families, func(f family) bool { return f.name == name })
	if i < 0 {
		i = len(b.families)
		b.families = longer(b.families)
		b.families[i] = family{name, b.families[i].records[:0]}
	}
	f := &b.families[i]
	r.Ordinal = uint64(len(f.records))
	f.records = append(f.records, r)
}

// store appends what was taken.
func (p *partition) store(ctx context.Context) error {
	t := &p.take
	if t.last == nil {
		return nil
	}
	s, c := p.s, p.s.c
	done := batch{gaps: t.gaps, parts: make([]appended, len(t.parts)), place: place{next: p.at, readTo: p.offered, first: t.parts[0].created, mark: mark(t.last), id: s.id}}
	run := rand.Text()
	for i := range t.parts {
		b, to := &t.parts[i], &done.parts[i]
		o := event.Origin{Tenant: c.o.Tenant, Stream: s.topic.Stream, Name: p.blob(b), Run: run}
		to.act = act.Act{
			Kind: act.Sealed, Stream: s.topic.Stream, Cursor: "head", Run: run, Blob: &act.Blob{ID: o.Name, Created: at(b.created)},
			Records: b.records, Unreadable: b.unreadable, Bytes: b.bytes, Received: time.Unix(0, t.received),
		}
		for k := range b.families {
			f := &b.families[k]
			o.Family = f.name
			commit, err := c.book.Append(ctx, o, f.records)
			if err != nil {
				return &ours{err}
			}
			clear(f.records) // the journal has a copy; the messages are not needed any more
			to.commits = append(to.commits, counted{commit, f.name != event.Unreadable})
		}
	}
	t.last = nil
	s.alter(func() { p.reached, p.moved, p.denied = p.at, time.Now(), time.Time{} })
	return p.pending.put(ctx, done)
}

// blob names a stretch of offsets.
func (p *partition) blob(b *part) string {
	return p.s.topic.Name + "/" + strconv.Itoa(int(p.number)) + "/" + strconv.FormatInt(b.from, 10) + "-" + strconv.FormatInt(b.to, 10)
}
