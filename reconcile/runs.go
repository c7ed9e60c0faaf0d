// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"math/bits"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"

	"github.com/daybreak-sec/daybreak/store"
)

// Sessions, tokens and acts are many, are asked for by keys that are as good as random, and nearly all are asked for in vain: a row
// of SQLite each costs a page each. They are kept like in a log-structured merge tree (O'Neil et al., "The Log-Structured
// Merge-Tree", 1996) instead. What a group says is a run of its own, sorted by key; when there are fanOut runs of like size they become one, so that an
// entry is written some three times, each time among its neighbors. A run is never changed, and is dropped as a whole when
// all of it is too old. Runs are rows of the control store, so that they change with the position in the journal; in memory are only
// their Bloom filters and the first key of each page, some 13 bits for each entry.

// entry is what is kept of a session, a token or an act; see the migration 0016.
type entry struct {
	key  Key
	a, b int64
}

// class is a kind of entries.
type class int64

// issued are sessions and tokens; acts follow, by kind.
const issued class = 0

func actsOf(k Kind) class { return class(k) + 1 }

// auditRecords have a bound of their own, for they are many more than all others.
func auditRecords(c class) bool { return c == actsOf(AuditRecords) }
func others(c class) bool       { return !auditRecords(c) }

// time is of the last that an entry speaks of.
func (c class) time(e *entry) int64 {
	if c == issued {
		return e.b
	}
	return e.b >> channelBits * hourMillis
}

// channelBits are the low bits of an act's entry, which say which channels have shown it.
const channelBits = 8

func (e *entry) channels() int64 { return e.b & (1<<channelBits - 1) }

// join makes one of two entries of the same key, in whatever order.
func (c class) join(x, y entry) entry {
	switch {
	case c == issued:
		return entry{x.key, min(x.a, y.a), max(x.b, y.b)}
	case x.a == y.a: // of one cell, and so of one hour
		return entry{x.key, x.a, x.b | y.b}
	case x.a > y.a: // the other's cell was forgotten before this one was made
		return x
	}
	return y
}

const (
	entryBytes  = len(Key{}) + 16
	pageEntries = 126     // which with SQLite's own bytes fill one of its pages
	maxRun      = 1 << 17 // entries of a run that is merged no more: others wait for the database meanwhile, and the oldest can be dropped without much else
	fanOut      = 8
	pageBits    = 20
)

var filters = bloom.FilterPolicy(12) // bits for each key: one in 300 is looked for in vain

// place is where runs belong.
type place struct {
	tenant int64
	class  class
}

// run is what is in memory of one.
type run struct {
	id      int64
	entries int
	newest  int64
	fences  []byte
	filter  []byte
}

func (r *run) fence(page int) []byte { return r.fences[page*len(Key{}):][:len(Key{})] }

// page finds the page that a key must be on; -1: none.
func (r *run) page(k *Key) int {
	from, to := 0, len(r.fences)/len(Key{})
	for from < to {
		if mid := (from + to) / 2; bytes.Compare(r.fence(mid), k[:]) <= 0 {
			from = mid + 1
		} else {
			to = mid
		}
	}
	return from - 1
}

// size is the class of runs that are merged with each other.
func (r *run) size() int { return (bits.Len(uint(r.entries)) - 1) / (bits.Len(fanOut) - 1) }

// runs are all that there are. They are changed in a transaction; if that fails they must be loaded anew.
type runs struct {
	at   map[place][]*run
	last int64 // id
}

func loadRuns(ctx context.Context, db *sql.DB) (*runs, error) {
	all := &runs{at: map[place][]*run{}}
	rows, err := db.QueryContext(ctx, `SELECT id, tenant, class, entries, newest, fences, filter FROM reconcile_run ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r run
		var p place
		if err := rows.Scan(&r.id, &p.tenant, &p.class, &r.entries, &r.newest, &r.fences, &r.filter); err != nil {
			return nil, err
		}
		all.add(p, &r)
	}
	return all, rows.Err()
}

func (all *runs) add(p place, r *run) {
	all.at[p] = append(all.at[p], r)
	all.last = max(all.last, r.id)
}

// put adds entries, which are sorted by key and have each once, and then merges runs where there are many. What is older than a moment
// may be forgotten.
func (l *ledger) put(p place, list []entry, before int64) error {
	for len(list) > 0 {
		w := l.newRun(p)
		n := min(len(list), maxRun)
		for i := range list[:n] {
			if err := w.add(&list[i]); err != nil {
				return err
			}
		}
		if err := w.close(); err != nil {
			return err
		}
		list = list[n:]
	}
	for {
		bySize := map[int][]*run{}
		var due []*run
		for _, r := range l.runs.at[p] {
			s := append(bySize[r.size()], r)
			if bySize[r.size()] = s; len(s) == fanOut && r.entries < maxRun {
				due = s
				break
			}
		}
		if due == nil {
			return nil
		}
		if err := l.merge(p, due, before); err != nil {
			return err
		}
	}
}

// merge makes one run of several.
func (l *ledger) merge(p place, list []*run, before int64) error {
	heads := make([]cursor, len(list))
	for i, r := range list {
		heads[i] = cursor{l: l, r: r}
		if err := heads[i].load(); err != nil {
			return err
		}
	}
	w := l.newRun(p)
	for {
		var least []byte
		for i := range heads {
			if c := &heads[i]; len(c.rest) > 0 && (least == nil || bytes.Compare(c.key(), least) < 0) {
				least = c.key()
			}
		}
		if least == nil {
			break
		}
		var e entry
		for i := range heads {
			c := &heads[i]
			if len(c.rest) == 0 || !bytes.Equal(c.key(), least) {
				continue
			}
			if next := readEntry(c.rest); e.key == next.key {
				e = p.class.join(e, next)
			} else {
				e = next
			}
			if err := c.advance(); err != nil {
				return err
			}
		}
		if p.class.time(&e) < before {
			continue
		}
		if err := w.add(&e); err != nil {
			return err
		}
	}
	for _, r := range list {
		if err := l.drop(p, r); err != nil {
			return err
		}
	}
	return w.close()
}

func (l *ledger) drop(p place, r *run) error {
	if l.runs.at[p] = slices.DeleteFunc(l.runs.at[p], func(other *run) bool { return other == r }); len(l.runs.at[p]) == 0 {
		delete(l.runs.at, p)
	}
	if err := l.exec(`DELETE FROM reconcile_page WHERE id >= $1 AND id < $2`, r.id<<pageBits, (r.id+1)<<pageBits); err != nil {
		return err
	}
	return l.exec(`DELETE FROM reconcile_run WHERE id = $1`, r.id)
}

// dropAll drops the runs of a place that are no newer than a moment.
func (l *ledger) dropAll(p place, newest int64) error {
	for _, r := range slices.Clone(l.runs.at[p]) {
		if r.newest <= newest {
			if err := l.drop(p, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// count is how many entries there are of some classes.
func (all *runs) count(of func(class) bool) (n int) {
	for p, list := range all.at {
		if of(p.class) {
			for _, r := range list {
				n += r.entries
			}
		}
	}
	return n
}

// oldestFirst lists runs of some classes, so that so many entries fewer are left when these are dropped.
func (all *runs) oldestFirst(fewer int, of func(class) bool) (list []*run) {
	for _, p := range slices.SortedFunc(maps.Keys(all.at), func(a, b place) int { return cmp.Or(cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.class, b.class)) }) {
		if of(p.class) {
			list = append(list, all.at[p]...)
		}
	}
	slices.SortFunc(list, func(a, b *run) int { return cmp.Compare(a.newest, b.newest) })
	for i, r := range list {
		if fewer -= r.entries; fewer <= 0 {
			return list[:i+1]
		}
	}
	return list
}

// cursor reads a run from its beginning.
type cursor struct {
	l      *ledger
	r      *run
	number int
	rest   []byte // of the page; empty at the end of the run
}

// load reads the next page, if there is one.
func (c *cursor) load() (err error) {
	if c.number < len(c.r.fences)/len(Key{}) {
		c.rest, err = c.l.page(c.r, c.number)
		c.number++
	}
	return err
}

func (c *cursor) key() []byte { return c.rest[:len(Key{})] }

func (c *cursor) advance() error {
	if c.rest = c.rest[entryBytes:]; len(c.rest) == 0 {
		return c.load()
	}
	return nil
}

func readEntry(b []byte) (e entry) {
	n := copy(e.key[:], b)
	e.a, e.b = int64(binary.LittleEndian.Uint64(b[n:])), int64(binary.LittleEndian.Uint64(b[n+8:]))
	return e
}

// page reads a page of a run: whole entries, and at least one.
func (l *ledger) page(r *run, number int) (body []byte, err error) {
	if err := l.query(`SELECT body FROM reconcile_page WHERE id = $1`, []any{r.id<<pageBits | int64(number)}, &body); err != nil {
		return nil, err
	}
	if len(body) == 0 || len(body)%entryBytes != 0 {
		return nil, errors.New("a page of sessions, tokens or acts is damaged: make what is known of channels anew with daybreak rebuild")
	}
	return body, nil
}

// get returns what all runs together say of some keys, which are sorted and not zeros; an entry without a key: nothing.
func (l *ledger) get(p place, keys []Key) ([]entry, error) {
	found := make([]entry, len(keys))
	for _, r := range l.runs.at[p] {
		number := -1
		var body []byte
		for i := range keys {
			k := &keys[i]
			if !filters.MayContain(pebble.TableFilter, r.filter, k[:]) {
				continue
			}
			n := r.page(k)
			if n < 0 {
				continue
			}
			if n != number {
				var err error
				if body, err = l.page(r, n); err != nil {
					return nil, err
				}
				number = n
			}
			if e, ok := search(body, k); ok && found[i].key == *k {
				found[i] = p.class.join(found[i], e)
			} else if ok {
				found[i] = e
			}
		}
	}
	return found, nil
}

// search finds a key on a page.
func search(body []byte, k *Key) (entry, bool) {
	from, to := 0, len(body)/entryBytes
	for from < to {
		mid := (from + to) / 2
		e := body[mid*entryBytes:]
		switch bytes.Compare(e[:len(k)], k[:]) {
		case 0:
			return readEntry(e), true
		case -1:
			from = mid + 1
		default:
			to = mid
		}
	}
	return entry{}, false
}

// writer writes a run.
type writer struct {
	l      *ledger
	p      place
	r      *run
	page   []byte
	filter pebble.FilterWriter
}

func (l *ledger) newRun(p place) *writer {
	l.runs.last++
	return &writer{l: l, p: p, r: &run{id: l.runs.last}, filter: filters.NewWriter(pebble.TableFilter)}
}

// add appends an entry, whose key is greater than those before.
func (w *writer) add(e *entry) error {
	if len(w.page) == 0 {
		w.r.fences = append(w.r.fences, e.key[:]...)
	}
	w.page = append(w.page, e.key[:]...)
	w.page = binary.LittleEndian.AppendUint64(w.page, uint64(e.a))
	w.page = binary.LittleEndian.AppendUint64(w.page, uint64(e.b))
	w.filter.AddKey(e.key[:])
	w.r.newest = max(w.r.newest, w.p.class.time(e))
	w.r.entries++
	if len(w.page) == pageEntries*entryBytes {
		return w.flush()
	}
	return nil
}

func (w *writer) flush() error {
	number := int64(len(w.r.fences)/len(Key{}) - 1)
	err := w.l.exec(`INSERT INTO reconcile_page (id, body) VALUES ($1, $2)`, w.r.id<<pageBits|number, w.page)
	w.page = w.page[:0]
	return err
}

// close ends the run; one without entries is none.
func (w *writer) close() error {
	if w.r.entries == 0 {
		return nil
	}
	if len(w.page) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.r.filter = w.filter.Finish(nil)
	w.l.runs.add(w.p, w.r)
	return w.l.exec(`INSERT INTO reconcile_run (id, tenant, class, entries, newest, fences, filter) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		w.r.id, w.p.tenant, int64(w.p.class), w.r.entries, w.r.newest, w.r.fences, w.r.filter)
}

// convert puts the rows of an older version into runs.
func convert(ctx context.Context, db *store.DB, o *Options) error {
	var old bool
	err := db.Read().QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'reconcile_issue')`).Scan(&old)
	if err != nil || !old {
		return err
	}
	all, err := loadRuns(ctx, db.Read())
	if err != nil {
		return err
	}
	return db.Write(ctx, func(tx *sql.Tx) error {
		l := newLedger(ctx, tx, o, all)
		if err := l.exec(`
			INSERT INTO reconcile_cell (tenant, kind, hour, operation) SELECT DISTINCT tenant, kind, hour, operation FROM reconcile_act`); err != nil {
			return err
		}
		if err := l.exec(`
			INSERT INTO reconcile_shown (cell, channels, acts) SELECT c.id, a.channels, COUNT(*)
			FROM reconcile_act AS a JOIN reconcile_cell AS c USING (tenant, kind, hour, operation) GROUP BY c.id, a.channels`); err != nil {
			return err
		}
		of := map[place]map[Key]entry{}
		take := func(rows *sql.Rows) error {
			var p place
			var key []byte
			var e entry
			if err := rows.Scan(&p.tenant, &p.class, &key, &e.a, &e.b); err != nil || len(key) != len(e.key) {
				return err
			}
			if e.key = Key(key); p.class == issued {
				e.key = e.key.canonical()
			}
			if of[p] == nil {
				of[p] = map[Key]entry{}
			}
			if before, ok := of[p][e.key]; ok {
				e = p.class.join(before, e)
			}
			of[p][e.key] = e
			return nil
		}
		if err := l.each(`SELECT tenant, 0, key, first, last FROM reconcile_issue`, nil, take); err != nil {
			return err
		}
		err := l.each(`
			SELECT a.tenant, a.kind + 1, a.key, c.id, a.hour << $1 | a.channels
			FROM reconcile_act AS a JOIN reconcile_cell AS c USING (tenant, kind, hour, operation)`, []any{channelBits}, take)
		if err != nil {
			return err
		}
		for p, list := range of {
			if err := l.put(p, sortedEntries(list), 0); err != nil {
				return err
			}
		}
		if err := l.exec(`DROP TABLE reconcile_issue`); err != nil {
			return err
		}
		return l.exec(`DROP TABLE reconcile_act`)
	})
}

func sortedEntries(m map[Key]entry) []entry {
	return slices.SortedFunc(maps.Values(m), func(a, b entry) int { return byKey(a.key, b.key) })
}
