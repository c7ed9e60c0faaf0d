// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

// cursor says why something is listed.
type cursor uint8

const (
	head     cursor = iota // what is new
	sweep                  // again, for what came late
	backfill               // what was never listed
)

var cursorNames = [...]string{"head", "sweep", "backfill"}

func (c cursor) String() string { return cursorNames[c] }

// part is keys that lie together: of a dated feed those of an account and a region, of another those of a prefix.
type part struct {
	prefix string // of a dated one, up to the year
	names  string // what the names of its objects begin with, up to the time; empty if they do not
}

// key is the least key of a dated part whose object is of a moment or later.
func (p part) key(t int64) string {
	dir := p.prefix + at(t).Format("2006/01/02/")
	if p.names == "" {
		return dir
	}
	return dir + p.names + at(t).Format("20060102T1504")
}

// walk is one listing of a stream, part by part.
type walk struct {
	why  cursor
	prio budget.Priority
	from int64 // of a dated feed: of the time in the keys
	to   int64 // likewise; 0: to the end
	// claim is what the store took in since, of which the listing speaks when it is read to its end; none: it speaks of nothing.
	claim, claimTo int64
	none           bool
	after          map[string]string // of a feed without days: the key that each part begins behind

	at     int64 // when it was begun
	pages  int
	named  int
	news   int
	oldest map[string]string // the least key of each part that the store took in lately
}

// lately is how far back the head of a bucket without days in its keys looks for where names have got to.
const lately = 2 * hour

// parts returns the parts of a stream, as the bucket has them now.
func (s *stream) parts(ctx context.Context, w *loop.Watch, prio budget.Priority) (list []part, err error) {
	if !s.f.Dated {
		for _, p := range s.f.Prefixes {
			list = append(list, part{prefix: p})
		}
		return list, nil
	}
	accounts := []string{s.f.Prefixes[0]}
	if s.f.Organization {
		if accounts, err = s.folders(ctx, w, prio, s.f.Prefixes[0], account); err != nil {
			return nil, err
		}
	}
	for _, a := range accounts {
		regions, err := s.folders(ctx, w, prio, a+s.f.Stream+"/", region)
		if err != nil {
			return nil, err
		}
		for _, r := range regions {
			p := part{prefix: r}
			if !s.f.Digest { // theirs have the trail before the time
				p.names = lastOf(a) + "_" + s.f.Stream + "_" + lastOf(r) + "_"
			}
			list = append(list, p)
		}
	}
	return list, nil
}

var (
	account = regexp.MustCompile(`^[0-9]{12}$`)
	region  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$`)
)

// lastOf is the last folder of a prefix.
func lastOf(prefix string) string {
	prefix = strings.TrimSuffix(prefix, "/")
	return prefix[strings.LastIndexByte(prefix, '/')+1:]
}

// folders returns the prefixes one level below a prefix whose names have a form.
func (s *stream) folders(ctx context.Context, w *loop.Watch, prio budget.Priority, below string, form *regexp.Regexp) (list []string, err error) {
	for q := (s3.Query{Prefix: below, Delimiter: "/"}); ; {
		page, err := s.list(ctx, w, prio, q)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Prefixes {
			if form.MatchString(lastOf(p)) {
				list = append(list, p)
			}
		}
		if q.Next = page.Next; q.Next == "" {
			return list, nil
		}
	}
}

// pageTries is how often in a row a page is asked for.
const pageTries = 4

// list asks for a page, and again if it fails alone: a walk of thousands of pages would seldom be through if it ended with the first
// that was refused.
func (s *stream) list(ctx context.Context, w *loop.Watch, prio budget.Priority, q s3.Query) (*s3.Page, error) {
	for try := 1; ; try++ {
		page, err := s.c.o.Upstream.List(ctx, prio, q)
		w.Beat()
		if err == nil || try == pageTries || s.fatal(ctx, err) {
			return page, err
		}
		if e := rest.Of(err); e.Everybodys() && e.Class != rest.ClassThrottled { // what is throttled the budget holds back
			return nil, err
		}
		if err := loop.Hint(ctx, w, time.Now(), 0, loop.Backoff(s.c.o.Retry, try-1, headWait), nil); err != nil {
			return nil, err
		}
	}
}

// read lists a walk to its end, and says so. A part that fails does not hold up the others, and the first failure is
// returned.
func (s *stream) read(ctx context.Context, w *loop.Watch, k *walk) error {
	k.at, k.oldest = s.c.now(), map[string]string{}
	parts, err := s.parts(ctx, w, k.prio)
	if err != nil {
		return err
	}
	var first error
	for _, p := range parts {
		if err := s.readPart(ctx, w, k, p); err != nil {
			if s.fatal(ctx, err) || rest.Of(err).Everybodys() {
				return err
			}
			if first == nil {
				first = fmt.Errorf("%s: %w", p.prefix, err)
			}
		}
	}
	if first != nil || k.none {
		return first
	}
	return s.close(ctx, k)
}

func (s *stream) readPart(ctx context.Context, w *loop.Watch, k *walk, p part) error {
	q := s3.Query{Prefix: p.prefix, After: k.after[p.prefix]}
	end := ""
	if s.f.Dated {
		q.After = p.key(k.from)
		if k.to != 0 {
			end = part{prefix: p.prefix}.key(floor(k.to+day-1, day)) // the day's end: names go by days
		}
	}
	for {
		if k.why == backfill {
			w.Rest()
			s.c.o.Pace(ctx)
			w.Beat()
		}
		page, err := s.list(ctx, w, k.prio, q)
		if err != nil {
			return err
		}
		if k.pages == 0 && !page.At.IsZero() {
			// The answer knows better when it was asked for, and what the store had not taken in yet must not count as listed.
			k.at = min(k.at, floor(ms(page.At), second))
		}
		list, over := page.Objects, false
		for i := range list {
			if end != "" && list[i].Key >= end {
				list, over = list[:i], true
				break
			}
			if _, has := k.oldest[p.prefix]; !has && ms(list[i].Modified) > k.at-lately {
				k.oldest[p.prefix] = list[i].Key
			}
		}
		k.pages++
		k.named += len(list)
		if err := s.take(ctx, k, list); err != nil {
			return err
		}
		if over || page.Next == "" {
			if _, has := k.oldest[p.prefix]; !has && len(list) > 0 {
				k.oldest[p.prefix] = list[len(list)-1].Key
			}
			return nil
		}
		q.Next = page.Next
	}
}

// take names a page's news to the journal and, when that is durable, puts them into the queue.
func (s *stream) take(ctx context.Context, k *walk, list []s3.Object) error {
	s.turn.Lock() // no two listings take the same object for news
	defer s.turn.Unlock()
	oldest := s.oldest()
	var news []object
	var acts []act.Act
	for i := range list {
		o := objectOf(s.p.id, &list[i])
		if o.modified < oldest || o.size == 0 && strings.HasSuffix(o.key, "/") { // a folder that the console made
			continue
		}
		was, err := known(ctx, s.c.o.DB.Read(), s.p.id, o.hash)
		switch {
		case err != nil:
			return err
		case (was.queued || was.done) && (was.etag == o.etag || was.queued && was.etag == ""):
			continue
		case was.queued || was.done:
			acts = append(acts, s.replaced(&o, &was)...)
		}
		o.lane = laneHead
		if o.modified < s.p.began-lately || k.why == backfill {
			o.lane = laneBackfill
		}
		news = append(news, o)
	}
	if len(news) == 0 {
		return nil
	}
	named := act.Act{Kind: act.Listed, Stream: s.f.Stream, Cursor: k.why.String(), At: at(k.at), Part: true}
	for i := range news {
		named.New = append(named.New, news[i].act())
	}
	if len(named.New) > act.MaxNew { // a store that gives more than 1,000 a page
		return &rest.Error{API: "s3", Op: "list", Class: rest.ClassHostile, Message: "the listing has more than 1,000 objects on a page"}
	}
	if err := s.c.book.Witnessed(ctx, append(acts, named)...); err != nil {
		return err
	}
	s.late(k, news)
	if err := s.save(ctx, func(tx *sql.Tx) error { return addObjects(tx, news) }); err != nil {
		return err
	}
	k.news += len(news)
	s.c.pool.more()
	return nil
}

// replaced says that a key holds something else than what it held.
func (s *stream) replaced(o *object, was *knownAs) (acts []act.Act) {
	message := o.name() + " was replaced: what it holds now is fetched too"
	if was.queued {
		message = o.name() + " was replaced before it was fetched: what it held is lost"
		blob := act.Blob{ID: o.name(), Created: at(was.modified)}
		acts = append(acts, act.Act{Kind: act.Gap, Stream: s.f.Stream, Blob: &blob, Permanent: true, Reason: act.Missing, Message: message})
	}
	s.c.log.Warn("an object was replaced", "stream", s.f.Stream, "key", o.name(), "fetched_before", !was.queued)
	return append(acts, act.Act{Kind: act.Alarm, Stream: s.f.Stream, Reason: replacedReason, Code: codeOf(o.key), Message: message})
}

// replacedReason is that of the alarm about an object that holds something else than it did.
const replacedReason = "replaced"

// codeOf makes a short word of a key: its name, which is unique in CloudTrail's.
func codeOf(key string) string {
	name := nameOf(lastOf(key), act.MaxName)
	if name == "" {
		return nameOf(key, 0)
	}
	return name
}

// late counts the news that only a sweep has found, and learns how late objects are.
func (s *stream) late(k *walk, news []object) {
	now := s.c.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range news {
		if news[i].lane != laneHead {
			continue
		}
		s.p.lags.Add(now - news[i].modified)
		if k.why == sweep {
			s.p.late++
		}
	}
}

// oldest is the moment before which objects are not collected: what was missed in an outage is, however long ago.
func (s *stream) oldest() int64 {
	limit := s.c.floor()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p.fillFrom < s.p.fillTo {
		limit = min(limit, s.p.fillFrom)
	}
	return min(limit, s.p.headTo-overlap)
}

// close says that a walk was read to its end. Of a head that found nothing it is said once in Idle.
func (s *stream) close(ctx context.Context, k *walk) error {
	to := k.at
	if k.claimTo != 0 {
		to = min(to, k.claimTo)
	}
	if s.f.Digest || k.claim >= to {
		return nil // of digests those speak that are verified
	}
	s.mu.Lock()
	quiet := k.why == head && k.news == 0 && time.Since(s.told) < s.c.o.Idle
	s.mu.Unlock()
	if quiet {
		return nil
	}
	err := s.c.book.Witnessed(ctx, act.Act{
		Kind: act.Listed, Stream: s.f.Stream, Cursor: k.why.String(), At: at(k.at), From: at(k.claim), To: at(to), Pages: k.pages, Blobs: k.named,
	})
	if err == nil && k.why == head {
		s.alter(func() { s.told = time.Now() })
	}
	return err
}
