// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Handler answers the API, the token endpoint and the control endpoints.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/token", s.dated("token", s.handleToken))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.dated("token", s.handleToken))
	for _, root := range []string{"/api/v1.0/{tenant}/activity/feed", "/api/v1/{tenant}/activity/feed"} {
		for _, op := range operations {
			mux.HandleFunc(op.method+" "+root+op.path, s.dated(op.name, s.operation(op)))
		}
	}
	s.controlRoutes(mux)
	mux.HandleFunc("/", s.dated("unknown", func(w http.ResponseWriter, r *http.Request, _ time.Time) { http.NotFound(w, r) }))
	return mux
}

// operation is one row of the API's surface.
type operation struct {
	name, method, path string
	typed              bool // takes a content type
	handle             func(*Server, http.ResponseWriter, *http.Request, call) *refusal
}

var operations = []operation{
	{"start", "POST", "/subscriptions/start", true, (*Server).handleStart},
	{"stop", "POST", "/subscriptions/stop", true, (*Server).handleStop},
	{"list", "GET", "/subscriptions/list", false, (*Server).handleSubscriptions},
	{"content", "GET", "/subscriptions/content", true, (*Server).handleContent},
	{"notifications", "GET", "/subscriptions/notifications", true, (*Server).handleNotifications},
	{"blob", "GET", "/audit/{id}", false, (*Server).handleBlob},
	{"resources", "GET", "/resources/dlpSensitiveTypes", false, (*Server).handleSensitiveTypes},
}

// call is a request that has passed the door.
type call struct {
	op      string
	now     time.Time
	faults  *faultSet
	stream  stream // -1 where the operation has none
	query   url.Values
	key     uint64 // what is asked for
	attempt int    // how often it was asked for before
	method  string
}

// dated is the outermost step of every answer: simulated time, counts.
func (s *Server) dated(op string, next func(http.ResponseWriter, *http.Request, time.Time)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := s.Now()
		s.catchUp(now)
		set := s.feed.faults.Load()
		said := now
		if f := set.active("skew", now); f != nil {
			said = now.Add(f.span)
		}
		if set.active("no-date", now) != nil {
			w.Header()["Date"] = nil
		} else {
			w.Header().Set("Date", said.UTC().Format(http.TimeFormat))
		}
		s.tally.asked(op, r, s.throttle.early(s.clock.wall()))
		next(w, r, now)
	}
}

// operation is the door of the API: token, tenant, throttle, role, in this
// order, then what was asked for.
func (s *Server) operation(op operation) func(http.ResponseWriter, *http.Request, time.Time) {
	return func(w http.ResponseWriter, r *http.Request, now time.Time) {
		c := call{op: op.name, now: now, faults: s.feed.faults.Load(), stream: -1, query: r.URL.Query(), method: r.Method}
		token := s.bearer(r, c.now)
		if token == nil {
			s.tally.refused(op.name, "401")
			s.unauthorized(w)
			return
		}
		c.key = c.identify(r)
		c.attempt = s.attempts.next(c.key)
		refused := s.admit(w, r, &c, token, op)
		if refused == nil {
			var answered bool
			if refused, answered = s.refusedBefore(w, c); answered {
				return
			}
		}
		if refused == nil {
			refused = op.handle(s, w, r, c)
		}
		if refused != nil {
			s.tally.refused(op.name, refused.code)
			refused.write(w)
		}
	}
}

// identify hashes what is asked for. The end of a window is left out, because
// it moves on with every poll while the page stays.
func (c *call) identify(r *http.Request) uint64 {
	h := hash(0, forStrike, uint64(len(c.op)))
	for _, text := range []string{c.op, r.PathValue("id"), ask(c.query, "contentType"), ask(c.query, "startTime"), ask(c.query, "nextPage")} {
		for i := range len(text) {
			h = record.Mix(h, uint64(text[i]))
		}
		h = record.Mix(h, 1<<32)
	}
	return h
}

// admit tells why a call may not be, or nil.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, c *call, token *claims, op operation) *refusal {
	tenant := r.PathValue("tenant")
	publisher := ask(c.query, "PublisherIdentifier")
	if publisher == "" {
		publisher = noPublisher
		s.tally.nobody()
	}
	if _, err := record.ParseGUID(tenant); err != nil {
		return refuse("AF20013", tenant)
	}
	if !strings.EqualFold(tenant, token.Tenant) {
		return refuse("AF20010", tenant, token.Tenant)
	}
	if _, err := record.ParseGUID(publisher); err != nil {
		return refuse("AF20002", "PublisherIdentifier", "guid")
	}
	share := 1.0
	if f := c.faults.active("noisy", c.now); f != nil {
		share = 1 - f.p
	}
	if !s.throttle.spend(strings.ToLower(publisher), s.clock.wall(), s.clock.Speed(), share) {
		return s.throttled(w, *c)
	}
	if op.typed {
		name := ask(c.query, "contentType")
		if name == "" {
			return refuse("AF20001", "contentType")
		}
		st, ok := exactStream(name)
		if !ok {
			return refuse("AF20020")
		}
		c.stream = st
	}
	role := RoleRead
	if c.stream == dlp {
		role = RoleReadDLP
	} else if op.name == "blob" && strings.HasSuffix(r.PathValue("id"), "$DLP_All") {
		role = RoleReadDLP
	}
	if op.name != "list" && !token.has(role) || len(token.Roles) == 0 {
		return refuse("AF10001", strings.Join(token.Roles, " "), role)
	}
	return nil
}

func (c *claims) has(role string) bool {
	for _, r := range c.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// throttled is the refusal of a call beyond the quota.
func (s *Server) throttled(w http.ResponseWriter, c call) *refusal {
	publisher := ask(c.query, "PublisherIdentifier")
	if publisher == "" {
		publisher = noPublisher
	}
	r := refuse("AF429", c.method, publisher)
	if c.faults.active("status-429", c.now) != nil {
		r.status = http.StatusTooManyRequests
	}
	if f := c.faults.active("retry-after", c.now); f != nil {
		w.Header().Set("Retry-After", fmt.Sprint(int(f.span.Seconds())))
		s.throttle.quiet(s.clock.wall().Add(f.span))
	}
	return r
}

func (s *Server) unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="https://login.microsoftonline.com/`+s.tenant+`/oauth2/authorize"`)
	writeJSON(w, http.StatusUnauthorized, map[string]string{"Message": "Authorization has been denied for this request."})
}

// base is what links to this server begin with.
func (s *Server) base(r *http.Request) string {
	if s.baseURL != "" {
		return s.baseURL
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// tokenURLs are the audiences of a client assertion.
func (s *Server) tokenURLs(r *http.Request) []string {
	var list []string
	for _, host := range []string{s.base(r), "https://login.microsoftonline.com", "https://login.microsoftonline.us", "https://login.windows.net"} {
		for _, tenant := range []string{s.tenant, r.PathValue("tenant")} {
			list = append(list, host+"/"+tenant+"/oauth2/token", host+"/"+tenant+"/oauth2/v2.0/token", host+"/"+tenant+"/v2.0")
		}
	}
	return list
}

// loopback tells whether a request comes from this machine.
func loopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
