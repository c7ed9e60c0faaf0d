// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package okta is a simulated Okta organization: the System Log of the company that sim/m365 simulates, whose people sign in
// to Microsoft 365, and to some more applications, through Okta. One act is in both logs: a sign-in has the same person, mail
// address, network address, device and moment here and there, and so has what an administrator changes. Attacks that are
// woven into the company's life are seen here as well.
//
// Nothing is stored. The events follow from the company's acts, so that equal configurations give equal bytes.
//
// It follows the documented contract where a collector depends on it:
//
//   - A polling request (no until, ascending) gives events by the order in which they were stored, and always a next link,
//     which is good for ever. A bounded one gives them by published, and ends.
//   - Events are stored a while after they happened, and some ([Config.Late]) much later.
//   - since and after are exclusive, limit is 0 to 1,000, events are kept for 90 days, and older ones are left out silently.
//   - X-Rate-Limit headers, 429 with a reset, and the bodies of refusals.
//
// # Holes
//
// filter and q are refused. Log streams and event hooks are shown and changed by whoever runs the simulation, and send nothing. legacyEventType is always null. Who is at Microsoft 365 with a token that is still good has
// no event here, as in life; sessions of Okta end without one. There are some thirty types of events of nine hundred.
// What an attack does is told with its slot, and is missed by a cursor if that is more than a quarter of an hour later.
package okta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// PerMinute is how many requests a token may make in a minute, unless the configuration says otherwise.
const PerMinute = 60

// Config says what is simulated. Zero values stand for the defaults given.
type Config struct {
	Tenant *m365.Server  // the company, its life and its clock
	Token  string        // the API token; one that is made of the company
	Delay  time.Duration // simulated, from an event to its storage, at least; 1 s
	Spread time.Duration // and up to so much more, so that the order of storage is another one; 20 s
	// Late is the share of events that are stored only LateBy after they happened; 0.
	Late   float64
	LateBy time.Duration
	// Keep is how long events are shown; 90 days.
	Keep time.Duration
	// PerMinute is how many requests are answered in a minute of real time; 60.
	PerMinute int

	// Shares of the requests that meet a fault: a 429 although there were not too many, a 500, an answer that is cut.
	Throttle, Fail, Cut float64
}

// Server is the simulated organization. It is safe for concurrent use.
type Server struct {
	cfg Config
	org org

	mu      sync.Mutex
	token   string
	denied  bool
	busy    int
	epoch   int // of cursors
	since   time.Time
	left    int
	serial  uint64
	answers map[int]int

	outlets map[string][]Outlet // streams and hooks
	made    []*event            // of what was done to them
	closed  bool                // they may not be seen
}

// New makes a server. It listens nowhere by itself: see Handler.
func New(cfg Config) *Server {
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	or(&cfg.Delay, time.Second)
	or(&cfg.Spread, 20*time.Second)
	or(&cfg.Keep, 90*24*time.Hour)
	if cfg.PerMinute == 0 {
		cfg.PerMinute = PerMinute
	}
	s := &Server{cfg: cfg, org: newOrg(cfg.Tenant.Company()), token: cfg.Token, answers: map[int]int{}, outlets: map[string][]Outlet{}}
	if s.token == "" {
		// Of the form that scripts/scan-secrets.sh looks for.
		hex := strings.ReplaceAll(record.HashText("token", s.org.host).String()+record.HashText(s.org.host).String(), "-", "")
		s.token = "sim~" + hex[:40]
	}
	return s
}

// Host is the name of the organization at Okta.
func (s *Server) Host() string { return s.org.host }

// Token is what the API accepts.
func (s *Server) Token() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}

// SetToken replaces the token: the old one is revoked.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

// Deny takes the right to read the log from the token's owner, or gives it back.
func (s *Server) Deny(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied = yes
}

// Busy makes the next n requests too many.
func (s *Server) Busy(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = n
}

// Forget makes all next links that were given out so far invalid.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
}

// Answers counts the answers by their status.
func (s *Server) Answers() map[int]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[int]int{}
	for k, n := range s.answers {
		out[k] = n
	}
	return out
}

// Handler answers the API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/logs", s.logs)
	mux.HandleFunc("GET /api/v1/logStreams", s.show(Streams))
	mux.HandleFunc("GET /api/v1/eventHooks", s.show(Hooks))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, http.StatusNotFound, "E0000022", "There is no such endpoint.")
	})
	return mux
}

// grant is what a request may do.
type grant struct {
	now     time.Time
	serial  uint64
	epoch   int
	known   bool // the token
	denied  bool
	allowed bool // by the rate limit
}

// admit takes one request out of the minute's and sets the headers that every answer has.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (g grant) {
	g.now = s.cfg.Tenant.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	g.serial, g.epoch, g.denied = s.serial, s.epoch, s.denied
	scheme := "SSWS "
	if strings.Count(s.token, ".") == 2 { // an access token
		scheme = "Bearer "
	}
	g.known = r.Header.Get("Authorization") == scheme+s.token
	real := time.Now()
	if real.Sub(s.since) >= time.Minute {
		s.since, s.left = real, s.cfg.PerMinute
	}
	g.allowed = s.left > 0 && s.busy == 0 && !s.hit(g.serial, 1, s.cfg.Throttle)
	if g.allowed {
		s.left--
	}
	s.busy = max(0, s.busy-1)
	h := w.Header()
	reset := s.since.Add(time.Minute).Sub(real)
	if !g.allowed && s.left > 0 {
		reset = time.Second // a fault does not last
	}
	h.Set("Date", g.now.UTC().Format(http.TimeFormat))
	h.Set("X-Okta-Request-Id", s.org.key("a", "request "+strconv.FormatUint(g.serial, 10), 24))
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(s.cfg.PerMinute))
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(s.left))
	h.Set("X-Rate-Limit-Reset", strconv.FormatInt(g.now.Unix()+int64(reset/time.Second), 10))
	return g
}

// hit tells whether a request meets a fault of a kind.
func (s *Server) hit(serial, kind uint64, share float64) bool {
	return float64(record.Mix(serial, kind)%1_000_000) < share*1e6
}

// enter admits a request, or refuses it.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) (g grant, ok bool) {
	g = s.admit(w, r)
	switch {
	case !g.allowed:
		s.refuse(w, http.StatusTooManyRequests, "E0000047", "There were too many requests.")
	case !g.known:
		s.refuse(w, http.StatusUnauthorized, "E0000011", "The token is not valid.")
	case s.hit(g.serial, 2, s.cfg.Fail):
		s.refuse(w, http.StatusInternalServerError, "E0000009", "Something went wrong.")
	default:
		return g, true
	}
	return g, false
}

func (s *Server) logs(w http.ResponseWriter, r *http.Request) {
	g, ok := s.enter(w, r)
	if !ok {
		return
	}
	if g.denied {
		s.refuse(w, http.StatusForbidden, "E0000006", "The token's owner may not do this.")
		return
	}
	q, err := s.parse(r.URL.Query(), g)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "E0000031", err.Error())
		return
	}
	list, next := s.page(q, g.now)
	base := "http://" + r.Host + "/api/v1/logs?"
	w.Header().Add("Link", fmt.Sprintf(`<%s%s>; rel="self"`, base, r.URL.RawQuery))
	if next != "" {
		w.Header().Add("Link", fmt.Sprintf(`<%s%s>; rel="next"`, base, q.link(next)))
	}
	body := []byte{'['}
	for i := range list {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, list[i].event.json()...)
	}
	s.answer(w, g, append(body, ']'))
}

// answer sends a body, or a part of it.
func (s *Server) answer(w http.ResponseWriter, g grant, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	s.count(http.StatusOK)
	if s.hit(g.serial, 3, s.cfg.Cut) {
		_, _ = w.Write(body[:len(body)/2])
		panic(http.ErrAbortHandler) // the connection is closed
	}
	_, _ = w.Write(body) // the client is gone, or not
}

func (s *Server) count(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[status]++
}

func (s *Server) refuse(w http.ResponseWriter, status int, code, summary string) {
	s.count(status)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"errorCode": code, "errorSummary": summary, "errorLink": code, "errorId": s.org.key("oae", summary, 22), "errorCauses": []any{},
	})
}
