// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package graph is the part of a simulated Microsoft Graph that shows the logs of Entra ID (sign-ins of four kinds and
// directory audits), what Defender XDR has found, and the message trace of Exchange Online, of the same tenant, the same
// company and the same acts as the simulated Management Activity API (sim/m365). A sign-in has one request id, session and
// correlation in both, as in the real services; an alert is the one of which the unified audit log tells.
//
// It follows the documented contract where a collector depends on it: filters of a window of time, newest first, pages of
// $top with @odata.nextLink, error bodies, the permissions, the throttling of the reporting endpoints. Records become
// visible a while after they happened, some much later.
//
// # Holes
//
// Only filters of the form that collectors send are understood. Risk detections and provisioning are there and empty.
// Alerts are worked on by the clock: twenty minutes after they came, and two hours. Who is at risk, and what people have
// registered, is drawn and follows from nothing. alerts_v2 gives no link to a next page.
// Groups, drives and mailboxes are there for canaries alone, and only what canaries do with them can be done.
// Rows have the members that the tenant's own records tell; display names of people and applications are left out.
package graph

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Config says what is simulated. Zero values stand for the defaults given.
type Config struct {
	Tenant *m365.Server
	Delay  time.Duration // simulated, from the event to its row, at least; 20 s
	Spread time.Duration // and up to so much more; 40 s
	// Late is the share of rows that become visible only LateBy after the event; 0.
	Late   float64
	LateBy time.Duration
	// Keep is how long rows are shown; 7 days.
	Keep time.Duration
	// PerMinute is how many requests the reporting endpoints answer; 30.
	PerMinute int
	// Cap is how many records a query of the unified audit log gives at most; 1,000,000. SilentCap: it does not say so. Shaky: of
	// what it has found, every second reading lacks one of a hundred.
	Cap              int
	SilentCap, Shaky bool
	// Tokens adds the sign-in in which each token was given out that records of the unified audit log show, as the real log has
	// it: those of people are most of the log. All that happened in the window, and in the hours after it, is looked at for
	// each page, so that it is for small companies.
	Tokens bool
	// Hide leaves out rows: a log that does not say everything. nil: none.
	Hide func(stream string, row map[string]any) bool
	// Unrecorded are acts by this API that leave no record in the unified audit log. nil: none.
	Unrecorded func(directory.Record) bool
}

// Server is the simulated service. It is safe for concurrent use.
type Server struct {
	cfg Config

	mu    sync.Mutex
	left  float64
	since time.Time
	asked map[string]int
	// queries of the unified audit log, by their ids.
	queries map[string]*auditQuery
	// What canaries have left.
	files []string
	mail  []message
}

// New makes a server. It listens nowhere by itself: see Handler.
func New(cfg Config) *Server {
	or := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	or(&cfg.Delay, 20*time.Second)
	or(&cfg.Spread, 40*time.Second)
	or(&cfg.Keep, 7*24*time.Hour)
	if cfg.PerMinute == 0 {
		cfg.PerMinute = 30
	}
	if cfg.Cap == 0 {
		cfg.Cap = 1_000_000
	}
	return &Server{cfg: cfg, queries: map[string]*auditQuery{}, left: float64(cfg.PerMinute) / 6, since: time.Now(), asked: map[string]int{}}
}

// endpoint is a log: its path and what of it a stream shows.
type endpoint struct {
	path, time, role string
	top              int
	// rows calls yield with the rows of a window; nil: they are made of the directory's log. Those of states come whatever the
	// window, which is not asked for.
	rows     func(s *Server, from, to, now time.Time, yield func(stream string, at, settled time.Time, row map[string]any))
	states   bool
	unlinked bool
}

var endpoints = []endpoint{
	{path: "/v1.0/auditLogs/signIns", time: "createdDateTime", role: "AuditLog.Read.All", top: 1000},
	{path: "/beta/auditLogs/signIns", time: "createdDateTime", role: "AuditLog.Read.All", top: 1000},
	{path: "/v1.0/auditLogs/directoryAudits", time: "activityDateTime", role: "AuditLog.Read.All", top: 1000},
	{path: "/v1.0/auditLogs/provisioning", time: "activityDateTime", role: "AuditLog.Read.All", top: 1000},
	{path: "/v1.0/identityProtection/riskDetections", time: "detectedDateTime", role: "IdentityRiskEvent.Read.All", top: 500},
	{path: "/v1.0/identityProtection/riskyUsers", role: "IdentityRiskyUser.Read.All", top: 500, rows: riskyUsers, states: true},
	{path: "/v1.0/reports/authenticationMethods/userRegistrationDetails", role: "AuditLog.Read.All", top: 500, rows: registrations, states: true},
	{path: "/v1.0/security/alerts_v2", time: "lastUpdateDateTime", role: "SecurityAlert.Read.All", top: 1000, rows: alerts, unlinked: true},
	{path: "/v1.0/security/incidents", time: "lastUpdateDateTime", role: "SecurityIncident.Read.All", top: 50, rows: incidents},
	{path: "/v1.0/admin/exchange/tracing/messageTraces", time: "receivedDateTime", role: "ExchangeMessageTrace.Read.All", top: 5000, rows: traces},
}

// Handler answers the API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, e := range endpoints {
		mux.HandleFunc("GET "+e.path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, e) })
	}
	s.acting(mux)
	mux.HandleFunc("POST "+auditQueries, s.startQuery)
	mux.HandleFunc("GET "+auditQueries+"/{id}", s.getQuery)
	mux.HandleFunc("GET "+auditQueries+"/{id}/records", s.getRecords)
	return mux
}

// Mount adds the API to a handler of the tenant's other services.
func (s *Server) Mount(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1.0/", s.Handler())
	mux.Handle("/beta/", s.Handler())
	mux.Handle("/", next)
	return mux
}

// Requests counts what was asked for, by path and by "throttled".
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for k, n := range s.asked {
		out[k] = n
	}
	return out
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, e endpoint) {
	now := s.cfg.Tenant.Now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.Header().Set("request-id", record.Hash(uint64(now.UnixNano()), 1).String())
	roles, ok := s.cfg.Tenant.Granted(r)
	switch {
	case !ok:
		refuse(w, http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty, has expired, or is not of this tenant.")
		return
	case !slices.Contains(roles, e.role):
		refuse(w, http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
		return
	case !s.spend(e.path):
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusTooManyRequests, "TooManyRequests", "Too many requests for this application and tenant.")
		return
	}
	q, err := parse(r.URL.Query(), e)
	if err != nil {
		refuse(w, http.StatusBadRequest, "BadRequest", err.Error())
		return
	}
	rows := s.rows(e, q, now)
	page := map[string]any{"@odata.context": base(r) + "/$metadata#" + strings.TrimPrefix(e.path, "/")}
	to := min(len(rows), q.skip+q.top)
	list := rows[min(q.skip, len(rows)):to]
	values := make([]map[string]any, len(list))
	for i := range list {
		values[i] = list[i].row
	}
	page["value"] = values
	if to < len(rows) && !e.unlinked {
		next := url.Values{"$filter": {r.URL.Query().Get("$filter")}, "$top": {strconv.Itoa(q.top)}, "$skiptoken": {token(to)}}
		page["@odata.nextLink"] = base(r) + e.path + "?" + next.Encode()
	}
	w.Header().Set("Content-Type", "application/json;odata.metadata=minimal;charset=utf-8")
	_ = json.NewEncoder(w).Encode(page) // the client is gone, or not
}

// spend takes one request out of the bucket, which holds ten seconds' worth and fills in real time, as fast as simulated
// time if that is faster.
func (s *Server) spend(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.left = min(float64(s.cfg.PerMinute)/6, s.left+now.Sub(s.since).Minutes()*float64(s.cfg.PerMinute))
	s.since = now
	if s.left < 1 {
		s.asked["throttled"]++
		return false
	}
	s.left--
	s.asked[path]++
	return true
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": code, "message": message}})
}

func base(r *http.Request) string { return "http://" + r.Host }

func token(n int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("from " + strconv.Itoa(n)))
}

// query is what a listing asks for.
type query struct {
	from, to  time.Time
	kind      string // of sign-ins: interactiveUser, …
	top, skip int
}

var (
	bound = regexp.MustCompile(`^(\w+) (ge|lt|le) (\S+)$`)
	event = regexp.MustCompile(`^signInEventTypes/any\((\w+): ?(\w+) eq '(\w+)'\)$`)
)

func parse(v url.Values, e endpoint) (q query, err error) {
	q.top = e.top
	if text := v.Get("$top"); text != "" {
		if q.top, err = strconv.Atoi(text); err != nil || q.top < 1 || q.top > e.top {
			return q, fmt.Errorf("invalid page size specified: '%s', must be between 1 and %d inclusive", text, e.top)
		}
	}
	if text := v.Get("$skiptoken"); text != "" {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		n, ok := strings.CutPrefix(string(raw), "from ")
		if q.skip, _ = strconv.Atoi(n); err != nil || !ok {
			return q, errors.New("skip token is not valid")
		}
	}
	if e.states && v.Get("$filter") == "" {
		return q, nil
	}
	for part := range strings.SplitSeq(v.Get("$filter"), " and ") {
		if m := event.FindStringSubmatch(part); m != nil && strings.HasPrefix(e.path, "/beta/") {
			q.kind = m[3]
			continue
		}
		m := bound.FindStringSubmatch(part)
		if m == nil || m[1] != e.time {
			return q, fmt.Errorf("could not find a property named '%s'", strings.SplitN(part, "/", 2)[0])
		}
		at, err := time.Parse(time.RFC3339, m[3])
		if err != nil {
			return q, fmt.Errorf("invalid filter clause: %s", part)
		}
		switch {
		case m[2] == "ge":
			q.from = at
		case m[2] == "le" != (e.time == "receivedDateTime"): // of which lt is not documented
			return q, fmt.Errorf("invalid filter clause: %s", part)
		case m[2] == "le":
			q.to = at.Add(time.Second)
		default:
			q.to = at
		}
	}
	if q.from.IsZero() || q.to.IsZero() {
		return q, fmt.Errorf("invalid filter clause: a window of %s is wanted", e.time)
	}
	return q, nil
}

type row struct {
	at  time.Time
	id  string
	row map[string]any
}

// rows are those of a window that are visible, newest first.
func (s *Server) rows(e endpoint, q query, now time.Time) (list []row) {
	if oldest := now.Add(-s.cfg.Keep); q.from.Before(oldest) {
		q.from = oldest
	}
	s.window(e, q, now, func(at, shown time.Time, id string, r map[string]any) {
		if !shown.After(now) {
			list = append(list, row{at, id, r})
		}
	})
	slices.SortFunc(list, func(a, b row) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	return list
}

// Happened calls yield with the rows of a kind of sign-ins ("interactiveUser", "nonInteractiveUser", "servicePrincipal",
// "managedIdentity"), or of the directory's audits ("directoryAudits"), of [from, to), in no order, and since when each is shown, which may be
// yet to come.
func (s *Server) Happened(kind string, from, to time.Time, yield func(at, shown time.Time, row map[string]any)) {
	path, q := "/beta/auditLogs/signIns", query{from: from, to: to, kind: kind}
	switch kind {
	case "interactiveUser":
		path, q.kind = "/v1.0/auditLogs/signIns", ""
	case "directoryAudits":
		path = "/v1.0/auditLogs/directoryAudits"
	}
	s.window(endpoint{path: path}, q, s.cfg.Tenant.Now(), func(at, shown time.Time, _ string, row map[string]any) { yield(at, shown, row) })
}

// window calls yield with the rows of a window that are not left out, in no order, and since when each is shown.
func (s *Server) window(e endpoint, q query, now time.Time, yield func(at, shown time.Time, id string, row map[string]any)) {
	show := func(stream string, at, since time.Time, r map[string]any) {
		if id, _ := r["id"].(string); r != nil && (s.cfg.Hide == nil || !s.cfg.Hide(stream, r)) {
			yield(at, s.shown(id, at, since), id, r)
		}
	}
	switch {
	case e.rows != nil:
		e.rows(s, q.from, q.to, now, show)
	case strings.HasSuffix(e.path, "/signIns") && q.kind != "servicePrincipal" && q.kind != "managedIdentity":
		beta := strings.HasPrefix(e.path, "/beta/")
		s.cfg.Tenant.Happened(company.AzureActiveDirectory, q.from, q.to, func(at, settled time.Time, raw []byte) bool {
			if r := SignIn(raw, at, beta); r != nil && (r["isInteractive"] == (q.kind != "nonInteractiveUser")) {
				show("signIns", at, settled, r)
			}
			return true
		})
		if q.kind == "nonInteractiveUser" {
			s.tokens(q, false, show)
		}
	case strings.HasSuffix(e.path, "/signIns") && q.kind == "servicePrincipal":
		tenant, _, _ := s.cfg.Tenant.Credentials()
		for _, t := range s.cfg.Tenant.Directory().Tokens() {
			if !t.Issued.Before(q.from) && t.Issued.Before(q.to) {
				show("signIns.servicePrincipal", t.Issued, t.Issued, ServiceSignIn(t, tenant))
			}
		}
		for _, t := range s.cfg.Tenant.SignIns() {
			if !t.Issued.Before(q.from) && t.Issued.Before(q.to) {
				row := ServiceSignIn(t, tenant)
				row["uniqueTokenIdentifier"] = m365.UniqueToken(t.ID)
				show("signIns.servicePrincipal", t.Issued, t.Issued, row)
			}
		}
		s.tokens(q, true, show)
	case strings.HasSuffix(e.path, "/directoryAudits"):
		s.cfg.Tenant.Happened(company.AzureActiveDirectory, q.from, q.to, func(at, settled time.Time, raw []byte) bool {
			show("directoryAudits", at, settled, Audit(raw, at))
			return true
		})
	}
}

// shown is since when the row of an event of a moment, settled since, is shown.
func (s *Server) shown(id string, at, since time.Time) time.Time {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = record.Mix(h, uint64(id[i]))
	}
	wait := s.cfg.Delay + time.Duration(h%uint64(max(1, s.cfg.Spread)))
	if float64(record.Mix(h, 7)%1_000_000) < s.cfg.Late*1e6 {
		wait = s.cfg.LateBy
	}
	if open := at.Add(wait); open.After(since) {
		return open
	}
	return since
}
