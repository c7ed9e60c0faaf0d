// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/index"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// mappers lends mappers and the memory of rows to whoever maps.
type mappers struct {
	source enrich.Source
	free   sync.Pool // of *mapper
	rows   sync.Pool // of *rows

	loading sync.Mutex
	files   []string  // databases of addresses
	loaded  time.Time // of the newest of them
}

// mapper makes events and rows of raw records. It is for one goroutine.
type mapper struct {
	normalizer normalize.Normalizer
	enricher   *enrich.Enricher
	observer   identity.Observer
	own        bool // the last event is of what this program itself did
	json       []byte
	tape       jsontape.Tape
}

// rows are those of one batch, and the memory of their strings.
type rows struct {
	rows   []lake.Row
	own    []int // of rows, those of what this program itself did
	drift  map[driftKey]seen
	people []identity.Seen
	text   []byte
}

func newMappers(databases []string) (*mappers, error) {
	ms := &mappers{files: databases}
	if _, err := ms.load(); err != nil {
		return nil, &DirError{"enrich.databases: " + err.Error()}
	}
	ms.free.New = func() any { return &mapper{enricher: enrich.New(&ms.source)} }
	ms.rows.New = func() any { return &rows{drift: map[driftKey]seen{}} }
	return ms, nil
}

// load reads the databases of addresses if they have changed since the last
// time; if one cannot be read, those in use stay.
func (ms *mappers) load() (changed bool, err error) {
	ms.loading.Lock()
	defer ms.loading.Unlock()
	var newest time.Time
	for _, f := range ms.files {
		st, err := os.Stat(f)
		if err != nil {
			return false, err
		}
		if st.ModTime().After(newest) {
			newest = st.ModTime()
		}
	}
	if newest.Equal(ms.loaded) {
		return false, nil
	}
	ms.loaded = newest // a file that is damaged is not tried again and again
	return true, ms.source.Load(ms.files...)
}

// use takes other databases; if one cannot be read, those in use stay.
func (ms *mappers) use(files []string) error {
	ms.loading.Lock()
	defer ms.loading.Unlock()
	if err := ms.source.Load(files...); err != nil {
		return err
	}
	ms.files, ms.loaded = files, time.Time{} // the next load reads them once more and notes their age
	return nil
}

func (ms *mappers) get() *mapper  { return ms.free.Get().(*mapper) }
func (ms *mappers) put(m *mapper) { ms.free.Put(m) }

// recycle takes back what rows returned; nobody may hold its strings.
func (ms *mappers) recycle(r *rows) {
	clear(r.rows)
	clear(r.drift)
	clear(r.people)
	r.rows, r.own, r.people, r.text = r.rows[:0], r.own[:0], r.people[:0], r.text[:0]
	if cap(r.text) < 16<<20 {
		ms.rows.Put(r)
	}
}

// event maps a record; the event is good until the next call.
func (m *mapper) event(raw []byte, family event.Family) *ocsf.Event {
	e := m.normalizer.Event(raw, family)
	m.own = m.enricher.Apply(e)
	return e
}

// row maps record i of a batch; its strings are good until the next call.
func (m *mapper) row(b *journal.Batch, i int, r *lake.Row) *ocsf.Event {
	o, receipt := b.Envelope(i), &b.Records[i]
	*r = lake.Row{
		Batch: int64(b.Index), Index: int32(i), Received: receipt.Received / 1e6,
		Family: string(o.Family), Mutated: receipt.Flags&layout.Mutated != 0,
	}
	e := m.event(b.Raw(i), o.Family)
	index.Row(r, e)
	// The envelope knows better: it holds what the user said of records that
	// say nothing themselves.
	r.Tenant = o.Tenant
	if r.Time == 0 {
		r.Time = receipt.Time / 1e6
	}
	if r.UID == "" {
		r.UID = string(receipt.ID)
	}
	return e
}

// rows maps a batch, and shows each record's event, which is good until then returns; that may be nil. A batch whose raw records are
// gone has none.
func (m *mapper) rows(ms *mappers, b *journal.Batch, then func(i int, e *ocsf.Event)) *rows {
	out := ms.rows.Get().(*rows)
	if b.Gone {
		return out
	}
	out.rows = slices.Grow(out.rows, len(b.Records))
	var r lake.Row
	for i := range b.Records {
		e := m.row(b, i, &r)
		out.people = m.observer.Take(out.people, e, event.Family(r.Family), r.Tenant, b.Records[i].Time, b.ID(i))
		out.keep(&r)
		if m.own {
			out.own = append(out.own, i)
		}
		if d, ok := m.normalizer.Drift(event.Family(r.Family)); ok {
			out.drifted(d, b.ID(i))
		}
		out.rows = append(out.rows, r)
		if then != nil {
			then(i, e)
		}
	}
	return out
}

// keep copies the strings of r into memory of its own.
func (o *rows) keep(r *lake.Row) {
	for _, s := range [...]*string{
		&r.Workload, &r.Operation, &r.User, &r.UserUID, &r.IP, &r.Country, &r.App, &r.Session, &r.Device,
		&r.Target, &r.Object, &r.UserAgent, &r.Status, &r.Text, &r.UID,
	} {
		if *s == "" {
			continue
		}
		from := len(o.text)
		o.text = append(o.text, *s...)
		*s = borrow(o.text[from:])
	}
}

func (o *rows) drifted(d normalize.Drift, id event.ID) {
	what := strings.ToValidUTF8(d.Workload+"/"+d.RecordType+"/"+d.Operation+": new "+d.New, "\uFFFD")
	k := driftKey{d.Family, what[:min(len(what), maxWhat)]}
	s, ok := o.drift[k]
	if !ok {
		if len(o.drift) >= maxKinds {
			return
		}
		k.what = strings.Clone(k.what)
		s.sample = id
	}
	s.count++
	o.drift[k] = s
}

// each maps a batch and shows each row with what answers for the paths of its
// event; both are good until f returns.
func (m *mapper) each(b *journal.Batch, f func(r *lake.Row, deep func(path string) []string)) {
	if b.Gone {
		return
	}
	for i := range b.Records {
		var r lake.Row
		e := m.row(b, i, &r)
		parsed := false
		f(&r, func(path string) []string {
			if !parsed {
				m.json, parsed = stamp(e, m.json[:0], b.ID(i)), true
				if m.tape.Parse(m.json) != nil {
					return nil
				}
			}
			return valuesAt(nil, m.tape.Root(), path)
		})
	}
}

// ocsf appends the event of a stored record.
func (m *mapper) ocsf(dst []byte, id event.ID, family event.Family, raw []byte) []byte {
	return stamp(m.event(raw, family), dst, id)
}

// stamp appends e as JSON with the event id as metadata.uid; the provider's own
// id is then in metadata.original_event_uid, as the schema describes the two.
func stamp(e *ocsf.Event, dst []byte, id event.ID) []byte {
	if e.Whole != nil {
		return stampWhole(e, dst, id)
	}
	if vendor := e.Str(ocsf.PathMetadataUID); len(vendor) > 0 {
		if old := e.Str(ocsf.PathMetadataOriginalEventUID); len(old) > 0 && string(old) != string(vendor) {
			e.Unmapped = append(e.Unmapped, ocsf.Member{Name: []byte("original_event_uid"), Value: appendString(nil, string(old))})
		}
		e.SetString(ocsf.PathMetadataOriginalEventUID, vendor)
	}
	e.SetText(ocsf.PathMetadataUID, id.String())
	return e.AppendJSON(dst)
}

// stampWhole does the same to an event that came as OCSF.
func stampWhole(e *ocsf.Event, dst []byte, id event.ID) []byte {
	var tape jsontape.Tape
	text := e.AppendJSON(nil)
	if tape.Parse(text) != nil || tape.Root().Kind() != jsontape.Object {
		return append(dst, text...)
	}
	dst = append(dst, `{"metadata":{"uid":"`...)
	dst = append(append(dst, id.String()...), '"')
	metadata := tape.Root().Get("metadata")
	if uid := metadata.Get("uid").Str(); len(uid) > 0 {
		dst = appendString(append(dst, `,"original_event_uid":`...), string(uid))
	}
	for c := metadata.First(); metadata.Kind() == jsontape.Object && c.Exists(); c = c.Next() {
		if k := string(c.Key()); k != "uid" && k != "original_event_uid" {
			dst = append(appendString(append(dst, ','), k), ':')
			dst = append(dst, c.Raw()...)
		}
	}
	dst = append(dst, '}')
	for c := tape.Root().First(); c.Exists(); c = c.Next() {
		if k := string(c.Key()); k != "metadata" {
			dst = append(appendString(append(dst, ','), k), ':')
			dst = append(dst, c.Raw()...)
		}
	}
	return append(dst, '}')
}

// openMapping notes which mapping makes the lake's rows, and whether older ones
// are among them. With rebuild the lake begins anew.
func (n *Node) openMapping(ctx context.Context, rebuild bool) error {
	if rebuild {
		if err := n.lake.Reset(ctx); err != nil {
			return err
		}
	}
	var made string
	err := n.db.Read().QueryRowContext(ctx, `SELECT value FROM node_setting WHERE name = 'mapping'`).Scan(&made)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	empty := n.lake.Appended() == event.ID{}
	n.stale = !empty && made != normalize.MapperVersion
	if !empty || made == normalize.MapperVersion {
		return nil
	}
	return n.note(ctx, "mapping", normalize.MapperVersion)
}
