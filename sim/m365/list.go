// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	day = 24 * time.Hour
	// The documents say that a listing may begin 7 days ago; what was seen to
	// fail is one that begins an hour before that.
	retention = 7*day + time.Hour
)

// window is what a listing asks for, in milliseconds: from ≤ contentCreated < to.
type window struct{ from, to int64 }

// parseTime reads one of the three forms that the reference gives. Others are
// refused, so that a client that sends them is found out here.
func parseTime(s string) (time.Time, bool) {
	for _, form := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		// time.Parse would take a fraction of a second with the first one.
		if len(s) == len(form) {
			if t, err := time.Parse(form, s); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// ask finds a parameter of the query whatever the case of its name.
func ask(q url.Values, name string) string {
	for k, v := range q {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

// asked is the window as the query has it. times are the two as written.
func (c *call) window() (win window, times [2]string, _ *refusal) {
	times = [2]string{ask(c.query, "startTime"), ask(c.query, "endTime")}
	if times[0] == "" && times[1] == "" {
		to := c.now.Truncate(time.Second).Add(time.Second)
		from := to.Add(-day)
		return window{from.UnixMilli(), to.UnixMilli()}, [2]string{from.Format("2006-01-02T15:04:05"), to.Format("2006-01-02T15:04:05")}, nil
	}
	if times[0] == "" || times[1] == "" {
		return win, times, refuse("AF20030")
	}
	from, ok := parseTime(times[0])
	if !ok {
		return win, times, refuse("AF20002", "startTime", "datetime")
	}
	to, ok := parseTime(times[1])
	if !ok {
		return win, times, refuse("AF20002", "endTime", "datetime")
	}
	if to.Sub(from) > day && c.faults.active("wide-window", c.now) != nil {
		to = from.Add(day) // and says nothing of the rest
	}
	if !from.Before(to) || to.Sub(from) > day || from.Before(c.now.Add(-retention)) {
		return win, times, refuse("AF20055")
	}
	return window{from.UnixMilli(), to.UnixMilli()}, times, nil
}

// contentJSON is a blob as listings and notifications name it.
type contentJSON struct {
	ContentType string `json:"contentType"`
	ContentID   string `json:"contentId"`
	ContentURI  string `json:"contentUri"`
	Created     string `json:"contentCreated"`
	Expires     string `json:"contentExpiration"`
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

func (s *Server) contentJSON(o *offer, base string) contentJSON {
	id := s.feed.id(o.place)
	return contentJSON{o.stream.String(), id, base + "/api/v1.0/" + s.tenant + "/activity/feed/audit/" + id, stamp(o.created), stamp(o.expires)}
}

// cursor is a place in a listing: the offer-th blob of the position-th slot.
type cursor struct {
	position int64
	offer    int
}

// page is one page of a listing.
type page struct {
	offers []offer
	next   *cursor
	poison bool // it came upon a slot that no listing gets past
}

// list reads one page. It costs time with the page and a bit a slot, not with
// what lies in the window.
func (f *feed) list(s stream, sub subscription, win window, at *cursor, size int, now int64) page {
	set := f.faults.Load()
	first := floorDiv(win.from-f.delay.Milliseconds(), f.slotLen.Milliseconds()) - 1
	last := floorDiv(min(win.to, now+1)-1-f.delay.Milliseconds(), f.slotLen.Milliseconds()) - 1
	o := newOrder(f, set, s, first, last)
	var p page
	var b *block
	var number int64
	current := f.slot(time.UnixMilli(now))
	c := cursor{o.first, 0}
	if at != nil {
		c = *at
	}
	for ; o.inside(c.position); c = (cursor{c.position + o.step, 0}) {
		slot := o.slot(c.position)
		if slot < first || slot > last {
			continue
		}
		if n := floorDiv(slot, blockLen); b == nil || n != number {
			b, number = f.block(s, slot, current), n
		}
		if !b.has(slot) {
			continue
		}
		for i, o := range f.offers(nil, s, slot) {
			opens, shown := sub.shows(o.created)
			if i < c.offer || !shown || opens > now || o.visible > now || o.expires <= now || o.created < win.from || o.created >= win.to {
				continue
			}
			if f.pageHealed(s, slot) > now {
				return page{poison: true}
			}
			if len(p.offers) == size {
				p.next = &cursor{c.position, i}
				return p
			}
			p.offers = append(p.offers, o)
		}
	}
	return p
}

// order is the order in which a listing goes through the slots.
type order struct {
	feed        *feed
	stream      stream
	shuffle     bool
	first, last int64
	step        int64
}

// orderLen is how many slots are put in disorder among themselves.
const orderLen = 16

func newOrder(f *feed, set *faultSet, s stream, first, last int64) order {
	o := order{f, s, false, first, last, 1}
	if r := set.covering("reorder", s, last); r != nil {
		o.shuffle = true
		o.first = floorDiv(first, orderLen) * orderLen
		o.last = floorDiv(last, orderLen)*orderLen + orderLen - 1
	}
	if r := set.covering("newest-first", s, last); r != nil {
		o.first, o.last, o.step = o.last, o.first, -1
	}
	return o
}

func (o *order) inside(position int64) bool {
	if o.step > 0 {
		return position >= o.first && position <= o.last
	}
	return position <= o.first && position >= o.last
}

// slot is which slot stands at a position: itself, or with disorder another one
// of its group (a bijection: an odd factor and an offset modulo 16).
func (o *order) slot(position int64) int64 {
	if !o.shuffle {
		return position
	}
	group := floorDiv(position, orderLen)
	h := hash(o.feed.seed, forOrder, uint64(o.stream), uint64(group))
	return group*orderLen + int64((uint64(position-group*orderLen)*(h|1)+h>>8)%orderLen)
}

// A page link's last number is the place where the page begins, when the link
// was made, and a check.
func (f *feed) pageToken(s stream, times [2]string, c cursor, now time.Time) string {
	return fmt.Sprintf("%sR%012d%05d%011d%04d", now.Format("2006010215"), c.position, c.offer, now.Unix(), f.pageCheck(s, times, c, now.Unix()))
}

func (f *feed) pageCheck(s stream, times [2]string, c cursor, made int64) uint64 {
	h := hash(f.seed, forPage, uint64(s), uint64(c.position), uint64(c.offer), uint64(made))
	for _, b := range []byte(times[0] + times[1]) {
		h = hash(h, forPage, uint64(b))
	}
	return h % 10_000
}

// pageLife is how long a page link is good.
const pageLife = time.Hour

func (f *feed) parsePage(token string, s stream, times [2]string, now time.Time) (*cursor, bool) {
	_, digits, ok := strings.Cut(token, "R")
	if !ok || len(digits) != 12+5+11+4 {
		return nil, false
	}
	var n [4]int64
	at := 0
	for i, width := range []int{12, 5, 11, 4} {
		v, err := strconv.ParseInt(digits[at:at+width], 10, 64)
		if err != nil || v < 0 {
			return nil, false
		}
		n[i], at = v, at+width
	}
	c := cursor{n[0], int(n[1])}
	if f.pageCheck(s, times, c, n[2]) != uint64(n[3]) || now.Sub(time.Unix(n[2], 0)) > pageLife {
		return nil, false
	}
	return &c, true
}

// handleContent lists the content of a window.
func (s *Server) handleContent(w http.ResponseWriter, r *http.Request, c call) *refusal {
	if refused := s.subs.missing(c.stream); refused != nil {
		return refused
	}
	win, times, refused := c.window()
	if refused != nil {
		return refused
	}
	var at *cursor
	if token := ask(c.query, "nextPage"); token != "" {
		var ok bool
		if at, ok = s.feed.parsePage(token, c.stream, times, c.now); !ok || s.strikes(c, "stale-page", nil) != nil {
			return refuse("AF20031", token)
		}
	}
	p := s.feed.list(c.stream, s.subs.of(c.stream), win, at, s.pageSize, c.now.UnixMilli())
	if p.poison {
		s.tally.struck("poison-page")
		return refuse("AF50000")
	}
	if at == nil {
		at = &cursor{s.feed.firstPosition(c.stream, win, c.now.UnixMilli()), 0}
	}
	if len(p.offers) > 0 && s.strikes(c, "empty-page", nil) != nil {
		p.offers, p.next = nil, at
	}
	base := s.base(r)
	list := make([]contentJSON, 0, len(p.offers))
	for i := range p.offers {
		j := s.contentJSON(&p.offers[i], base)
		if f := s.strikes(c, "foreign-uri", &p.offers[i].place); f != nil {
			j.ContentURI = foreign(j.ContentURI, f.word)
		}
		list = append(list, j)
	}
	if p.next != nil {
		s.linkPage(w, c, base, times, *p.next)
	}
	s.answer(w, r, c, list)
	return nil
}

// firstPosition is where a listing begins.
func (f *feed) firstPosition(s stream, win window, now int64) int64 {
	first := floorDiv(win.from-f.delay.Milliseconds(), f.slotLen.Milliseconds()) - 1
	last := floorDiv(min(win.to, now+1)-1-f.delay.Milliseconds(), f.slotLen.Milliseconds()) - 1
	return newOrder(f, f.faults.Load(), s, first, last).first
}

// linkPage sets the header that leads to the next page. The path says v1, as
// the reference's sample does: a client must follow the link as it is.
func (s *Server) linkPage(w http.ResponseWriter, c call, base string, times [2]string, next cursor) {
	link := base + "/api/v1/" + s.tenant + "/activity/feed/subscriptions/" + c.op + "?contentType=" + c.stream.String() +
		"&startTime=" + times[0] + "&endTime=" + times[1] + "&nextPage=" + s.feed.pageToken(c.stream, times, next, c.now)
	if f := s.strikes(c, "long-page-link", nil); f != nil {
		link += "&context=" + strings.Repeat("x", max(0, int(f.size)-len(link)-len("&context=")))
	}
	if f := s.strikes(c, "foreign-link", nil); f != nil {
		link = foreign(link, f.word)
	}
	name := "NextPageUri"
	if c.faults.active("next-page-url", c.now) != nil {
		name = "NextPageUrl"
	}
	w.Header()[name] = []string{link}
}

// foreign leads a link to another host.
func foreign(link, host string) string {
	u, err := url.Parse(link)
	if err != nil {
		panic("m365: a link that is no URL: " + err.Error())
	}
	u.Host = host
	return u.String()
}
