// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// query is what a request asks for.
type query struct {
	polling, descending bool
	since, until        time.Time
	after               place // zero: from the beginning
	limit               int
	asked               url.Values
	epoch               int
}

// place is one in the order of a request: by when events were stored, or published.
type place struct {
	at   int64 // Unix nanoseconds
	uuid string
}

func (p place) compare(o place) int {
	if p.at != o.at {
		if p.at < o.at {
			return -1
		}
		return 1
	}
	return strings.Compare(p.uuid, o.uuid)
}

const maxLimit = 1000

func (s *Server) parse(v url.Values, g grant) (q query, err error) {
	q = query{limit: 100, asked: v, epoch: g.epoch, until: g.now}
	for key := range v {
		switch key {
		case "since", "until", "after", "limit", "sortOrder":
		default:
			return q, fmt.Errorf("%s is not understood by this simulation", key)
		}
	}
	if text := v.Get("limit"); text != "" {
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 0 || q.limit > maxLimit {
			return q, errors.New("limit must be a number of 0 to 1000")
		}
	}
	switch v.Get("sortOrder") {
	case "", "ASCENDING":
		q.polling = v.Get("until") == ""
	case "DESCENDING":
		q.descending = true
	default:
		return q, errors.New("sortOrder must be ASCENDING or DESCENDING")
	}
	if text := v.Get("until"); text != "" {
		if q.until, err = time.Parse(time.RFC3339, text); err != nil {
			return q, errors.New("until must be a time")
		}
	}
	q.since = q.until.Add(-7 * 24 * time.Hour)
	if text := v.Get("since"); text != "" {
		if q.since, err = time.Parse(time.RFC3339, text); err != nil {
			return q, errors.New("since must be a time")
		}
	}
	if q.since.After(q.until) && !q.polling {
		return q, errors.New("since must not be after until")
	}
	if oldest := g.now.Add(-s.cfg.Keep); q.since.Before(oldest) {
		q.since = oldest
	}
	if text := v.Get("after"); text != "" {
		if q.after, err = q.parseAfter(text); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *query) parseAfter(text string) (p place, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	words := strings.Split(string(raw), " ")
	if err != nil || len(words) != 4 || words[0] != q.kind() || words[1] != strconv.Itoa(q.epoch) {
		return p, errors.New("after is not valid")
	}
	p.uuid = words[3]
	if p.at, err = strconv.ParseInt(words[2], 10, 64); err != nil {
		return p, errors.New("after is not valid")
	}
	return p, nil
}

func (q *query) kind() string {
	switch {
	case q.polling:
		return "stored"
	case q.descending:
		return "down"
	}
	return "up"
}

// link is the query of the page behind a place.
func (q *query) link(after string) string {
	v := url.Values{}
	for key, list := range q.asked {
		v[key] = list
	}
	v.Set("after", after)
	return v.Encode()
}

func (q *query) token(p place) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d %s", q.kind(), q.epoch, p.at, p.uuid))
}

// found is an event and when it was stored.
type found struct {
	event  *event
	stored time.Time
	place  place
}

const (
	chunk = time.Hour
	// chain is how long after an act the last of its events is published, at most.
	chain = 10 * time.Second
	// slack is how much later than usual what attacks did may be told of.
	slack = 15 * time.Minute
)

// page returns the events and, if there is one, the place of the next page.
func (s *Server) page(q query, now time.Time) (list []found, next string) {
	from, to := q.since, q.until
	if q.polling {
		to = now
		if behind := time.Unix(0, q.after.at).Add(-max(s.cfg.Delay+s.cfg.Spread, s.cfg.LateBy) - slack); q.after.at != 0 && behind.After(from) {
			from = behind
		}
	} else if q.after.at != 0 && !q.descending {
		from = time.Unix(0, q.after.at).Add(-time.Millisecond)
	}
	complete := func(end time.Time) bool { // nothing that comes later belongs before the page's end
		if len(list) <= q.limit || q.descending {
			return false
		}
		slices.SortFunc(list, func(a, b found) int { return a.place.compare(b.place) })
		return !q.polling || list[q.limit].stored.Before(end.Add(s.cfg.Delay))
	}
	for ; from.Before(to) && !complete(from); from = from.Add(chunk) {
		end := from.Add(chunk)
		if end.After(to) {
			end = to
		}
		s.between(from, end, now, func(f found) {
			if !f.event.at.After(q.since) || !q.polling && !f.event.at.Before(q.until) {
				return
			}
			f.place = place{f.event.at.UnixNano(), f.event.UUID}
			if q.polling {
				f.place.at = f.stored.UnixNano()
			}
			if c := f.place.compare(q.after); q.after.at == 0 || c > 0 != q.descending && c != 0 {
				list = append(list, f)
			}
		})
	}
	slices.SortFunc(list, func(a, b found) int {
		if q.descending {
			a, b = b, a
		}
		return a.place.compare(b.place)
	})
	last := q.after
	more := len(list) > q.limit
	if list = list[:min(len(list), q.limit)]; len(list) > 0 {
		last = list[len(list)-1].place
	}
	if more || q.polling {
		next = q.token(last)
	}
	return list, next
}

// Events calls yield for the events that were published in [from, to) and are stored by now, in no order.
func (s *Server) Events(from, to time.Time, yield func(published, stored time.Time, raw []byte)) {
	s.between(from, to, s.cfg.Tenant.Now(), func(f found) { yield(f.event.at, f.stored, f.event.json()) })
}

func (s *Server) between(from, to, now time.Time, yield func(found)) {
	s.cfg.Tenant.Happened(company.AzureActiveDirectory, from.Add(-chain), to, func(at, settled time.Time, raw []byte) bool {
		for _, e := range s.org.events(at, raw) {
			if e.at.Before(from) || !e.at.Before(to) {
				continue
			}
			stored := e.at.Add(s.wait(e.UUID))
			if stored.Before(settled) {
				stored = settled
			}
			if !stored.After(now) {
				yield(found{event: e, stored: stored})
			}
		}
		return true
	})
	for _, e := range s.settings(from, to) {
		if stored := e.at.Add(s.wait(e.UUID)); !stored.After(now) {
			yield(found{event: e, stored: stored})
		}
	}
}

// wait is how long after an event it is stored.
func (s *Server) wait(uuid string) time.Duration {
	h := hash(uuid)
	if float64(record.Mix(h, 7)%1_000_000) < s.cfg.Late*1e6 {
		return s.cfg.LateBy
	}
	return s.cfg.Delay + time.Duration(h%uint64(max(1, s.cfg.Spread)))
}

func hash(text string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(text) {
		h = record.Mix(h, uint64(text[i]))
	}
	return h
}
