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
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
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

// Happened calls yield with the entries of [from, to), in the order of their time, whether they are visible or not.
func (s *Server) Happened(from, to time.Time, yield func(at time.Time, raw []byte) bool) {
	s.rows(from, to, func(*service.Act) bool { return true }, func(r row) bool { return yield(r.at, r.raw) })
}

// row is an entry.
type row struct {
	at  time.Time
	id  string
	raw []byte
}

func (s *Server) rows(from, to time.Time, visible func(*service.Act) bool, yield func(row) bool) {
	s.feed.Happened(3, from, to, func(a *service.Act) bool {
		if !visible(a) {
			return true
		}
		raw, err := json.Marshal(s.entry(a))
		if err != nil {
			panic(err) // what we make ourselves
		}
		return yield(row{a.At, a.ID.String(), raw})
	})
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
		entries[i] = list[i].raw
	}
	service.Serve(w, p, http.StatusOK, map[string]any{"entries": entries, "response_metadata": map[string]string{"next_cursor": next}})
}

// query is what is asked for: entries of [oldest, latest], in seconds, after a place in the order.
type query struct {
	oldest, latest int64
	limit          int
	at             int64 // of the last entry of the page before, in milliseconds; 0: none
	id             string
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
		raw, err := base64.StdEncoding.DecodeString(text)
		at, id, ok := strings.Cut(string(raw), "|")
		if q.at, _ = strconv.ParseInt(at, 10, 64); err != nil || !ok || q.at == 0 {
			code = "invalid_cursor"
		}
		q.id = id
	}
	return q, code
}

// page returns the rows that a query asks for, newest first, and the cursor behind them.
func (s *Server) page(q query, now time.Time) (list []row, next string) {
	to := time.Unix(min(q.latest, now.Unix())+1, 0)
	s.rows(time.Unix(q.oldest, 0), to, func(a *service.Act) bool { return s.feed.Visible(a, now) }, func(r row) bool {
		list = append(list, r)
		return true
	})
	slices.SortFunc(list, func(a, b row) int { return newer(a.at.UnixMilli(), a.id, b) })
	if q.at != 0 {
		list = slices.DeleteFunc(list, func(r row) bool { return newer(q.at, q.id, r) >= 0 })
	}
	if len(list) <= q.limit {
		return list, ""
	}
	list = list[:q.limit]
	last := list[len(list)-1]
	return list, base64.StdEncoding.EncodeToString([]byte(strconv.FormatInt(last.at.UnixMilli(), 10) + "|" + last.id))
}

// newer orders by time, the newest first.
func newer(at int64, id string, b row) int {
	if c := b.at.Compare(time.UnixMilli(at)); c != 0 {
		return c
	}
	return strings.Compare(id, b.id)
}
