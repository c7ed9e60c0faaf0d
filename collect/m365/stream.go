// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/journal"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// stream is one content type: its cursors, and what is known of its blobs.
type stream struct {
	c    *Collector
	id   int64
	name string
	wake chan struct{} // the head
	work chan struct{} // back-fill

	// turn is held while a page is taken, so that the act that names its blobs and
	// the transaction that remembers them come in the same order, and no two
	// listings take the same blob for news.
	turn   sync.Mutex
	recent recent

	unsettled atomic.Int64 // progress of spans that waits to be written down

	// verdict is held while it is told that the stream is refused, or is not any more:
	// three loops meet the refusal at once.
	verdict sync.Mutex

	mu    sync.Mutex
	cur   cursors
	spans []*span // rows of collect_span, by start
	least int64   // the head begins here or later: what is before was given to back-fill
	level int     // of overlaps
	// punctual says that the provider has refused a window, perhaps because it ended
	// in the future.
	punctual bool
	// found says that the last sweep of all that is kept has found something.
	found bool
	// margin is how much less far back than the retention the provider lists.
	margin int64
	saved  time.Time
	idle   *act.Act  // the latest listing of the head that found nothing and was not told of yet
	told   time.Time // when the last one was
	heard  time.Time // the latest listing of the head that worked
	// The latest sweep that worked was begun at sweptAt.
	sweptAt int64
	listed  loop.Readings // by sweeps and back-fill, since the start
	got     time.Time     // the latest blob that was fetched

	disabled bool
	warned   bool // of a loss to come
	trouble  loop.Trouble
}

func newStream(tx *sql.Tx, c *Collector, name string, cur cursors) (*stream, error) {
	s := &stream{c: c, id: cur.id, name: name, trouble: loop.Trouble{Stream: name}, cur: cur, wake: make(chan struct{}, 1), work: make(chan struct{}, 1)}
	list, err := loadSpans(tx, s.id)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		if l.cursor == head {
			// The head died between two pages. Back-fill reads the rest, from
			// that page on, while the head looks at what is new by now.
			l.cursor = backfill
			if err := saveSpan(tx, s.id, l); err != nil {
				return nil, err
			}
		}
		l.due = min(l.due, ours()+loop.AsideMost.Milliseconds()) // a clock that was set back does not hold us up
		s.spans = append(s.spans, l)
	}
	return s, nil
}

// ours is our own time in Unix milliseconds, for what has to wait over a restart.
func ours() int64 { return time.Now().UnixMilli() }

// announce names to the journal what is in the queue and may not have been named: the
// machine died between the transaction and the journal's answer.
func (s *stream) announce(ctx context.Context) error {
	for {
		list, err := unannounced(ctx, s.c.o.DB.Read(), s.id, s.cur.announced, act.MaxNew)
		if err != nil || len(list) == 0 {
			return err
		}
		commit, err := s.c.book.Tell(ctx, act.Act{Kind: act.Listed, Stream: s.name, Cursor: backfill.String(), At: at(s.c.now()), New: named(list), Part: true})
		if err != nil {
			return err
		}
		if _, err := commit.Wait(ctx); err != nil {
			return err
		}
		s.cur.announced = list[len(list)-1].id
		if err := s.c.book.Write(ctx, func(tx *sql.Tx) error { return setAnnounced(tx, s.id, s.cur.announced) }); err != nil {
			return err
		}
	}
}

func setAnnounced(tx *sql.Tx, stream, id int64) error {
	_, err := tx.Exec(`UPDATE collect_stream SET announced = max(announced, ?) WHERE id = ?`, id, stream)
	return err
}

// named makes the acts' form of blobs.
func named(list []blob) []act.Blob {
	out := make([]act.Blob, len(list))
	for i := range list {
		out[i] = list[i].act()
	}
	return out
}

func (b *blob) act() act.Blob {
	return act.Blob{ID: b.name(), Created: at(b.created), Expires: at(b.expires)}
}

// name is the content id where names are bounded, or what stands for it.
func (b *blob) name() string {
	if len(b.content) > act.MaxID || !utf8.ValidString(b.content) {
		return "sha256:" + hex.EncodeToString(b.key[:])
	}
	return b.content
}

// read lists a span's window from where it stands to its last page.
func (s *stream) read(ctx context.Context, w *loop.Watch, l *span, p provider.Priority) error {
	barren := 0 // pages in a row that named nothing
	s.mu.Lock()
	l.begin(s.c.now())
	s.mu.Unlock()
	for {
		page, err := s.c.up.Content(ctx, p, s.name, at(l.start), at(l.stage), l.next)
		w.Beat()
		if asked := floor(ms(page.At), second); l.pages == 0 && !page.At.IsZero() && asked < l.at {
			s.mu.Lock()
			l.at = asked // the answer knows better when it was asked for
			s.mu.Unlock()
		}
		if err != nil {
			if len(page.Blobs) > 0 { // sound ones beside something that is not
				page.Next = ""
				if err := s.take(ctx, l, page.Blobs, "", false); err != nil {
					return err
				}
			}
			return err
		}
		if l.pages == 0 {
			s.asOf(l, page.At)
		}
		if barren++; len(page.Blobs) > 0 {
			barren = 0
		}
		if page.Next != "" && (page.Next == l.next || barren > maxBarren || l.pages >= maxPages) {
			return &provider.Error{
				Op: "content", Class: provider.ClassPage,
				Message: fmt.Sprintf("the listing leads nowhere: page %d names the same next page again, or there are more than %d pages, or %d that named nothing", l.pages+1, maxPages, barren),
			}
		}
		if err := s.take(ctx, l, page.Blobs, page.Next, page.Next == ""); err != nil {
			return err
		}
		w.Beat()
		if page.Next == "" {
			return nil
		}
	}
}

// asOf takes back what a window was asked as of, if the provider's own answer to its first
// page says that it was not so late there: our idea of its clock may run ahead, and what it
// has not offered yet must not count as listed.
func (s *stream) asOf(l *span, said time.Time) {
	if said.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l.at = min(l.at, floor(ms(said), second))
}

// maxBarren is how many empty pages with a next link are followed; such pages were
// not seen, but nothing forbids them.
const maxBarren = 1000

// maxPages is how long a listing may be. A day of 1.5 million people has some
// thousands of pages; a window that seems to have more is halved like one that fails.
const maxPages = 20_000

// take records what a page names and how far the listing has come.
//
// The act that names the news is appended to the journal first, then one transaction
// puts them into the queue and moves the listing on. That a window was listed to its end
// is written down when the act that says so is durable.
//   - Dies before the transaction: the page is asked for again. An act may then name
//     blobs twice.
//   - Dies after it, before the act is durable: announced tells, and the next start
//     names them. The window is listed again if that was its last page.
func (s *stream) take(ctx context.Context, l *span, blobs []provider.Blob, next string, last bool) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	news, err := s.news(ctx, blobs, l.cursor)
	if err != nil {
		return err
	}
	moved := *l
	moved.pages++
	moved.named += len(blobs)
	moved.next = next
	commit, err := s.tell(ctx, &moved, news, last)
	if err != nil {
		return err
	}
	late := s.late(l, news)
	done := last && moved.advance()
	moved.quarantined = moved.quarantined && !last
	save := len(news) > 0 || l.id != 0 || !last && l.cursor == head || last && s.saveDue()
	later := l.id != 0 && last
	if l.id != 0 && !last { // the row says one thing at a time
		if err := s.settled(ctx); err != nil {
			return err
		}
	}
	var top int64
	if save {
		err = s.c.book.Write(ctx, func(tx *sql.Tx) (err error) {
			if top, err = addBlobs(tx, news); err != nil {
				return err
			}
			if late > 0 {
				if _, err := tx.Exec(`UPDATE collect_stream SET late = late + ? WHERE id = ?`, late, s.id); err != nil {
					return err
				}
			}
			if later {
				return nil
			}
			return s.move(tx, l, &moved, last, done)
		})
		if err != nil {
			return err
		}
	}
	s.settleListing(l, moved, commit, top, later, last, done)
	s.moved(l, moved, last, done, late, save)
	var filled [lanes]bool // a sweep's page may have blobs for the head and for back-fill
	for i := range news {
		s.recent.add(&news[i])
		filled[news[i].lane] = true
	}
	for ln, yes := range filled {
		if yes {
			s.c.pool.more(s, lane(ln))
		}
	}
	return nil
}

// settleListing writes down, when the act is durable, that it is; and, if that was to come
// later, how far a span has come. A window that is listed goes from the table only then:
// nobody would list it again, and if the machine died before, nothing would say that it
// was listed, or that its gap is filled.
func (s *stream) settleListing(l *span, moved span, commit *journal.Commit, top int64, later, last, done bool) {
	if !later && top == 0 {
		return
	}
	was := *l
	x := &settlement{tx: func(tx *sql.Tx, _ []journal.Result) error {
		if top != 0 {
			if err := setAnnounced(tx, s.id, top); err != nil {
				return err
			}
		}
		if !later {
			return nil
		}
		return s.move(tx, &was, &moved, last, done)
	}}
	if commit != nil {
		x.commits = []*journal.Commit{commit}
	}
	if later {
		s.unsettled.Add(1)
		x.done = func() { s.unsettled.Add(-1) }
	}
	s.c.settler.add(x)
}

// settled waits until what listings have settled is written down, for who writes down
// something else of a span.
func (s *stream) settled(ctx context.Context) error {
	if s.unsettled.Load() == 0 {
		return nil
	}
	over := make(chan struct{})
	s.c.settler.add(&settlement{tx: func(*sql.Tx, []journal.Result) error { return nil }, done: func() { close(over) }})
	select {
	case <-over:
		return nil
	case <-s.c.settler.over:
		return errors.New("collect/m365: what was listed could not be written down")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// news returns the blobs that are not known, once each.
func (s *stream) news(ctx context.Context, blobs []provider.Blob, c cursor) (news []blob, err error) {
	from, to := never, int64(0)
	for i := range blobs {
		b := blobOf(s.id, &blobs[i])
		if !s.recent.has(recentKey{b.created, b.key}) {
			news = append(news, b)
			from, to = min(from, b.created), max(to, b.created)
		}
	}
	if len(news) == 0 {
		return nil, nil
	}
	// The blobs of a page are near each other in time, and then one question is enough.
	known, all, err := s.c.queries.knownBetween(ctx, s.id, from, to, 2*len(news)+1000)
	if err != nil {
		return nil, err
	}
	n := 0
	for i := range news {
		b := news[i]
		k := recentKey{b.created, b.key}
		is := known[k]
		if !is && !all {
			if is, err = s.c.queries.isKnown(ctx, &b); err != nil {
				return nil, err
			}
		}
		if is {
			s.recent.add(&b)
			continue
		}
		known[k] = true
		b.lane = laneHead
		if c == backfill || c == sweep && s.unlisted(b.created) {
			b.lane = laneBackfill
		}
		news[n] = b
		n++
	}
	return news[:n], nil
}

// unlisted reports whether a moment is in a stretch that back-fill has still to list.
func (s *stream) unlisted(created int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.spans, func(l *span) bool { return l.cursor == backfill && l.start <= created && created < l.stop })
}

// late counts the news that only a sweep has found, and learns how late blobs are: as late as the
// sweeps before have not found them. See [loop.Readings].
func (s *stream) late(l *span, news []blob) (late int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range news {
		if l.cursor == backfill || news[i].lane != laneHead {
			continue
		}
		s.cur.lags.Add(s.listed.Late(news[i].created))
		if l.cursor == sweep {
			late++
			s.found = s.found || l.id != 0
		}
	}
	return late
}

// tell writes the acts of a page.
func (s *stream) tell(ctx context.Context, l *span, news []blob, last bool) (*journal.Commit, error) {
	var acts []act.Act
	all := named(news)
	for len(all) > act.MaxNew || !last && len(all) > 0 {
		n := min(len(all), act.MaxNew)
		acts = append(acts, act.Act{Kind: act.Listed, Stream: s.name, Cursor: l.cursor.String(), At: at(l.at), From: at(l.start), To: at(l.stage), New: all[:n], Part: true})
		all = all[n:]
	}
	if last {
		closing := act.Act{
			Kind: act.Listed, Stream: s.name, Cursor: l.cursor.String(), At: at(l.at), From: at(l.start),
			To: at(max(min(l.stage, l.at), l.start)), Pages: l.pages, Blobs: l.named, New: all,
		}
		acts = append(acts, s.calm(closing, l.cursor == head && len(news) == 0)...)
		if l.quarantined {
			acts = append(acts, act.Act{Kind: act.Filled, Stream: s.name, From: at(l.start), To: at(l.stage), Reason: act.Quarantined})
		}
	}
	if len(acts) == 0 {
		return nil, nil
	}
	return s.c.book.Tell(ctx, acts...)
}

// calm keeps a listing back that found nothing, if one was told of lately. It returns
// what is to be told now: one that was kept back is, if the new one begins elsewhere and so
// does not stand for it.
func (s *stream) calm(closing act.Act, quiet bool) (acts []act.Act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if closing.Cursor != head.String() {
		return []act.Act{closing}
	}
	if s.idle != nil && s.idle.From.Before(closing.From) {
		acts = append(acts, *s.idle)
	}
	s.idle = nil
	if quiet && time.Since(s.told) < s.c.o.Idle {
		s.idle = &closing
		return acts
	}
	s.told = time.Now()
	return append(acts, closing)
}

// idleAct lets go of a listing that has been kept back for long enough.
func (s *stream) idleAct(all bool) *act.Act {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == nil || !all && time.Since(s.told) < s.c.o.Idle {
		return nil
	}
	a := s.idle
	s.idle, s.told = nil, time.Now()
	return a
}

// saveDue reports whether the head's place was last saved long ago. It need not be saved
// for what found nothing: an older place means only that more is listed again.
func (s *stream) saveDue() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.saved) >= s.c.o.Idle
}

// move writes down how far a listing has come.
func (s *stream) move(tx *sql.Tx, l, moved *span, last, done bool) error {
	switch {
	case l.cursor == head && last:
		if _, err := tx.Exec(`UPDATE collect_stream SET head_from = ?, head_to = ? WHERE id = ?`, l.start, l.listedTo(), s.id); err != nil {
			return err
		}
		if l.id == 0 {
			return nil
		}
		return dropSpan(tx, l)
	case l.id == 0 && l.cursor != head:
		return nil // a sweep starts again after a crash
	case done:
		return dropSpan(tx, l)
	}
	return saveSpan(tx, s.id, moved)
}

// moved does the same in memory, once the transaction is durable.
func (s *stream) moved(l *span, moved span, last, done bool, late int64, saved bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.cursor == head && last {
		s.cur.headFrom, s.cur.headTo = l.start, l.listedTo()
		s.adapt(l.pages + 1)
		if saved {
			s.saved = time.Now()
		}
	}
	if l.cursor != head && last {
		s.listed.Add(l.start, l.listedTo(), l.at, l.at-s.c.retention())
	}
	s.cur.late += late
	*l = moved
	if done {
		s.spans = slices.DeleteFunc(s.spans, func(x *span) bool { return x == l })
	}
}

// adapt chooses the head's overlap by the pages that it took.
func (s *stream) adapt(pages int) {
	switch {
	case pages > manyPages && s.level < len(overlaps)-1:
		s.level++
	case pages == 1 && s.level > 0:
		s.level--
	}
}

// remember saves what changes all the time and may be a little old.
func (s *stream) remember(ctx context.Context) {
	s.mu.Lock()
	cur := s.cur
	s.mu.Unlock()
	err := s.c.book.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE collect_stream SET head_from = ?, head_to = ?, lags = ?, swept = ?, swept_to = ? WHERE id = ?`,
			cur.headFrom, cur.headTo, cur.lags.String(), cur.swept, cur.sweptTo, s.id)
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.c.log.Error("the cursors could not be saved", "stream", s.name, "error", err)
	}
}

// put writes down what a span has become, and one that is new if more is not nil, with
// whatever else f changes in the transaction. A span of which nothing is left goes.
func (s *stream) put(ctx context.Context, l *span, to span, more *span, f func(tx *sql.Tx) error) error {
	if err := s.settled(ctx); err != nil {
		return err
	}
	gone := to.start >= to.stop
	err := s.c.book.Write(ctx, func(tx *sql.Tx) (err error) {
		if gone {
			err = dropSpan(tx, l)
		} else {
			err = saveSpan(tx, s.id, &to)
		}
		if err == nil && more != nil {
			err = saveSpan(tx, s.id, more)
		}
		if err == nil && f != nil {
			err = f(tx)
		}
		return err
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	*l = to
	s.spans = slices.DeleteFunc(s.spans, func(x *span) bool { return x == l })
	if !gone {
		s.spans = append(s.spans, l)
	}
	if more != nil {
		s.spans = append(s.spans, more)
	}
	slices.SortFunc(s.spans, func(a, b *span) int { return cmp.Compare(a.start, b.start) })
	s.mu.Unlock()
	loop.Poke(s.work)
	return nil
}

// recent remembers the blobs that listings named lately, so that those that are listed
// again and again are not looked up. Two generations bound it.
type recent struct {
	young, old map[recentKey]struct{}
}

type recentKey struct {
	created int64
	key     blobKey
}

const recentBlobs = 1 << 15 // in a generation: a few megabytes a stream

func (r *recent) has(k recentKey) bool {
	if _, ok := r.young[k]; ok {
		return true
	}
	_, ok := r.old[k]
	if ok {
		r.put(k)
	}
	return ok
}

func (r *recent) add(b *blob) { r.put(recentKey{b.created, b.key}) }

func (r *recent) put(k recentKey) {
	if len(r.young) >= recentBlobs || r.young == nil {
		r.old, r.young = r.young, make(map[recentKey]struct{})
	}
	r.young[k] = struct{}{}
}
