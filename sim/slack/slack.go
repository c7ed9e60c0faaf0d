// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package slack is the audit log of the Slack organization that a simulated company (sim/company) has: its people sign in,
// join and make channels, send files, install applications and change settings, under the same mail addresses as everywhere.
//
// It follows the documented contract where a collector depends on it: oldest and latest in whole seconds and inclusive,
// newest first, pages by cursor, error bodies with their statuses, the limit. Nothing is stored; any entry can be made again.
//
// # Holes
//
// The filters action, actor and entity are refused. Nothing has consequences. A few dozen kinds of actions of some
// hundred; anomalies are of one kind.
package slack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// perHour is how many requests are answered: fifty a minute.
const perHour = 3000

const most = 9999 // entries on a page

// Server is the simulated service. It is safe for concurrent use.
type Server struct {
	*service.Door
	feed *service.Feed
	cfg  service.Config
}

// New makes a server. It listens nowhere by itself: see Handler.
func New(cfg service.Config) *Server {
	f := service.NewFeed(cfg)
	return &Server{Door: service.NewDoor(f.Config(), perHour), feed: f, cfg: f.Config()}
}

// Organization is the id of the organization.
func (s *Server) Organization() string { return id('E', record.Mix(s.cfg.Seed, 1)) }

// id makes an id of the form that Slack's have.
func id(kind byte, h uint64) string {
	const signs = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	b := []byte{kind, '0'}
	for range 8 {
		h = record.Mix(h, 9)
		b = append(b, signs[h%uint64(len(signs))])
	}
	return string(b)
}

// Happened calls yield with the entries of [from, to), in the order of their time, and since when each is visible, which may
// be yet to come.
func (s *Server) Happened(from, to time.Time, yield func(at, visible time.Time, raw []byte) bool) {
	s.feed.Happened(log, from, to, func(a *service.Act) bool { return yield(a.At, s.feed.Shown(a), s.raw(*a)) })
}

const log = 3 // the feed's number

// raw is the entry of an act.
func (s *Server) raw(a service.Act) []byte {
	raw, err := json.Marshal(s.entry(&a))
	if err != nil {
		panic(err) // what we make ourselves
	}
	return raw
}

// Handler answers the API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /audit/v1/logs", s.serve)
	return mux
}

func refuse(w http.ResponseWriter, status int, code string) {
	service.Serve(w, service.Answer, status, map[string]any{"ok": false, "error": code})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	now := s.cfg.Now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	p, _, _ := s.Open(r)
	switch p {
	case service.Stranger:
		refuse(w, http.StatusUnauthorized, "invalid_auth")
		return
	case service.TooMany, service.Slower:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "ratelimited")
		return
	case service.Failing:
		service.Proxy(w)
		return
	}
	q, code := parse(r.URL.Query())
	if code != "" {
		refuse(w, http.StatusBadRequest, code)
		return
	}
	list, next := s.page(q, now)
	entries := make([]json.RawMessage, len(list))
	for i := range list {
		entries[i] = s.raw(list[i])
	}
	service.Serve(w, p, http.StatusOK, map[string]any{"entries": entries, "response_metadata": map[string]string{"next_cursor": next}})
}

// query is what is asked for: entries of [oldest, latest], in seconds, after a place in the order.
type query struct {
	oldest, latest int64
	limit          int
	after          bool
	at             time.Time // of the last entry of the page before, if after
	id             record.GUID
}

// parse reads the parameters; code says what is wrong.
func parse(v url.Values) (q query, code string) {
	q = query{latest: 1 << 40, limit: 100}
	number := func(name string, n *int64) {
		if text := v.Get(name); text != "" {
			var err error
			if *n, err = strconv.ParseInt(text, 10, 64); err != nil || *n < 0 {
				code = "invalid_arguments"
			}
		}
	}
	limit := int64(q.limit)
	number("oldest", &q.oldest)
	number("latest", &q.latest)
	number("limit", &limit)
	if limit < 1 || limit > most || v.Has("action") || v.Has("actor") || v.Has("entity") {
		code = "invalid_arguments"
	}
	q.limit = int(min(max(limit, 1), most))
	if text := v.Get("cursor"); text != "" {
		if q.at, q.id, q.after = service.ParseCursor(text); !q.after {
			code = "invalid_cursor"
		}
	}
	return q, code
}

// page returns the acts that a query asks for, newest first, and the cursor behind them.
func (s *Server) page(q query, now time.Time) (list []service.Act, next string) {
	to := time.Unix(min(q.latest, now.Unix())+1, 0)
	if end := q.at.Add(time.Millisecond); q.after && end.Before(to) {
		to = end
	}
	s.feed.Happened(log, time.Unix(q.oldest, 0), to, func(a *service.Act) bool {
		if s.feed.Visible(a, now) && !(q.after && a.Order(q.at, q.id) >= 0) {
			list = append(list, *a)
		}
		return true
	})
	slices.Reverse(list)
	if len(list) <= q.limit {
		return list, ""
	}
	list = list[:q.limit]
	return list, list[len(list)-1].Cursor()
}
