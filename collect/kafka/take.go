// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"bytes"
	"context"
	"crypto/rand"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
)

// slot is the time whose records are one origin of the journal, and one interval of coverage, in milliseconds.
const slot = 5 * 60 * 1000

// take is what is made of an item, and its memory.
type take struct {
	cut      cutter
	classify Classify
	parts    []part
	acts     []act.Act // gaps in front of what was taken
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
	commit  *journal.Commit
}

// takeItem appends the records of messages, waits for them, and tells what became of them.
func (p *partition) takeItem(ctx context.Context, it *item) error {
	t := &p.take
	if t.classify == nil {
		t.classify = p.s.c.o.Classify()
		t.cut.record, t.cut.unreadable = t.record, t.stray
	}
	t.parts, t.acts, t.last, t.received = t.parts[:0], nil, nil, it.received.UnixNano()
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
		t.acts = append(t.acts, p.gap(offered))
		p.lost = nil
	}
	if m.Offset > p.at {
		p.lost = &lost{p.at, m.Offset, act.Missing, "the broker has no messages of the offsets " + strconv.FormatInt(p.at, 10) + " to " + strconv.FormatInt(m.Offset-1, 10)}
		t.acts = append(t.acts, p.gap(offered))
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
		if n < cap(t.parts) { // with the memory of what was there
			t.parts = t.parts[:n+1]
		} else {
			t.parts = append(t.parts, part{})
		}
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
	t.add(name, event.Record{Raw: v.Raw(), ID: bytes.Clone(id), Time: when})
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
	for i := range b.families {
		if f := &b.families[i]; f.name == name {
			r.Ordinal = uint64(len(f.records))
			f.records = append(f.records, r)
			return
		}
	}
	b.families = append(b.families, family{name: name, records: []event.Record{r}})
}

// store appends what was taken, and tells of it when it is durable. The position moves when that is, too.
func (p *partition) store(ctx context.Context) error {
	t := &p.take
	if t.last == nil {
		return nil
	}
	s, c := p.s, p.s.c
	run := rand.Text()
	for i := range t.parts {
		b := &t.parts[i]
		o := event.Origin{Tenant: c.o.Tenant, Stream: s.topic.Stream, Name: p.blob(b), Run: run}
		for k := range b.families {
			f := &b.families[k]
			o.Family = f.name
			var err error
			if f.commit, err = c.book.Append(ctx, o, f.records); err != nil {
				return &ours{err}
			}
		}
	}
	stored := 0
	for i := range t.parts {
		b := &t.parts[i]
		a := act.Act{
			Kind: act.Sealed, Stream: s.topic.Stream, Cursor: "head", Run: run, Blob: &act.Blob{ID: p.blob(b), Created: at(b.created)},
			Records: b.records, Unreadable: b.unreadable, Bytes: b.bytes, Received: time.Unix(0, t.received),
		}
		for k := range b.families {
			f := &b.families[k]
			r, err := c.book.Durable(ctx, f.commit)
			if err != nil {
				return &ours{err}
			}
			if f.name == event.Unreadable {
				continue
			}
			a.Stored += r.Stored
			a.Duplicates += r.Duplicates
			a.Mutated += r.Mutated
		}
		stored += a.Stored
		t.acts = append(t.acts, a)
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	commit, err := c.book.Tell(ctx, t.acts...)
	if err != nil {
		return &ours{err}
	}
	next := &told{commit: commit}
	s.alter(func() {
		next.place = p.place
		p.reached, p.moved, p.denied = p.at, time.Now(), time.Time{}
		s.stored += stored
	})
	if next.place.first == 0 {
		next.place.first = t.parts[0].created
	}
	next.place.next, next.place.readTo, next.place.mark, next.place.id = p.at, p.offered, mark(t.last), s.id
	p.told = next
	return nil
}

// blob names a stretch of offsets.
func (p *partition) blob(b *part) string {
	return p.s.topic.Name + "/" + strconv.Itoa(int(p.number)) + "/" + strconv.FormatInt(b.from, 10) + "-" + strconv.FormatInt(b.to, 10)
}
