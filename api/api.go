// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package api is the HTTP surface of the process that holds a data directory.
// All of it stands on this page; api/v1 has the types, docs/reference/openapi.json
// is generated from the code.
//
//	/healthz            the process runs                              anybody
//	/readyz             it can take records in and answer             anybody
//	/metrics            Prometheus                                    anybody on loopback, else token
//	/log/               the journal's tile log (C2SP tlog-tiles)      anybody
//	/hook/m365/SOURCE   announcements of new content                  who has the webhook's AuthID
//	/hook/google/SOURCE notifications of new activities               likewise, over a channel that is open
//	/api/v1/            everything else                               token
//
// The tile log holds hashes, counts and times, no record and no name of anybody:
// it is what witnesses and auditors read, and tile clients have no tokens.
//
// # Who may call
//
// The token in the data directory, which only its owner can read, opens
// everything. Requests that a browser sends for another site's page are refused,
// and on loopback also those whose Host is not this machine, so that no web page
// can talk to the server by way of its reader's browser. A webhook is meant for
// others: it has a word of its own, may be reached under any name, tells nothing, and
// can do no more than make the next poll come sooner.
//
// # Bad input
//
// Headers are capped at 64 KiB, queries at what package query takes, bodies at
// 1 MiB except for an import, which is read as a stream and stored as it comes, and
// for a webhook (64 KiB, and only from who knows the AuthID). A request that sends nothing for a minute is ended.
package api

import (
	"crypto/subtle"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/readiness"
)

// Limits of the server.
const (
	maxHeader = 64 << 10
	maxBody   = 1 << 20
	// idleTime is how long a request may send nothing, and an answer may be
	// left unread.
	idleTime = time.Minute
)

// surface is what the handlers have in hand.
type surface struct {
	node    *node.Node
	version string
	log     *slog.Logger
}

// Handler returns the whole surface of n without any question of who calls: for
// use in the same process. [Serve] puts the guards before it.
func Handler(n *node.Node, version string, log *slog.Logger) http.Handler {
	mux, _ := routes(&surface{n, version, log})
	return mux
}

// routes is the page that lists every route.
func routes(s *surface) (*recorder, huma.API) {
	mux := &recorder{ServeMux: http.NewServeMux()}
	c := huma.DefaultConfig("Daybreak", "1")
	c.Info.Description = "The API of the process that holds a Daybreak data directory."
	c.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "/api/v1/openapi", "", ""
	c.CreateHooks = nil // no $schema members in answers
	c.RejectUnknownQueryParameters = true
	// Packages call what they show by the same names: each is what it is of.
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		name := huma.DefaultSchemaNamer(t, hint)
		if t.PkgPath() == reflect.TypeFor[detect.Alert]().PkgPath() {
			name = "Alert" + strings.TrimPrefix(name, "Alert")
		}
		if t.PkgPath() == reflect.TypeFor[statement.Statement]().PkgPath() {
			name = "Statement" + strings.TrimPrefix(name, "Statement")
		}
		if t.PkgPath() == reflect.TypeFor[scorecard.Scorecard]().PkgPath() {
			name = "Scorecard" + strings.TrimPrefix(name, "Scorecard")
		}
		if t.PkgPath() == reflect.TypeFor[readiness.Document]().PkgPath() {
			name = "Readiness" + strings.TrimPrefix(name, "Readiness")
		}
		if t.PkgPath() == reflect.TypeFor[identity.Person]().PkgPath() {
			name = "Identity" + strings.TrimPrefix(name, "Identity")
		}
		return name
	})
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "The content of DATA/" + node.TokenFile},
	}
	c.Security = []map[string][]string{{"token": {}}}
	a := humago.New(mux, c)
	mux.patterns = nil // the document's own routes

	plain(a, mux, "/healthz", "Whether the process runs", s.healthz)
	plain(a, mux, "/readyz", "Whether records can be taken in and found", s.readyz)
	plain(a, mux, "/metrics", "Prometheus metrics", s.metrics)
	plain(a, mux, "/log/checkpoint", "The log's latest signed checkpoint, as tile clients read it", s.tile)
	plain(a, mux, "/log/tile/{path...}", "Tiles and entry bundles of the log (C2SP tlog-tiles)", s.tile)

	mux.HandleFunc("POST /hook/m365/{source}", s.hook(s.takeAnnouncement))
	mux.HandleFunc("POST /hook/google/{source}", s.hook(s.takeNotification))
	hookDocument(a)

	get(a, "status", "/api/v1/status", "The state of the process and its data", s.status)
	get(a, "event", "/api/v1/events/{id}", "One event, with its raw record", s.event)
	stream(a, http.MethodGet, "search", "/api/v1/search", "Search the stored events", searchAnswer{}, s.search)
	stream(a, http.MethodGet, "tail", "/api/v1/tail", "Follow new events: one Hit a line, and an empty object every few seconds", v1.Hit{}, s.tail)
	stream(a, http.MethodGet, "proof", "/api/v1/events/{id}/proof", "The evidence bundle of one event (docs/format/journal.md, section 7)", layout.Bundle{}, s.proof)
	stream(a, http.MethodGet, "checkpoint", "/api/v1/checkpoint", "The log's latest signed checkpoint (C2SP tlog-checkpoint)", nil, s.checkpoint)
	get(a, "coverage", "/api/v1/coverage", "What was logged, interval by interval, with evidence, and how long records took", s.coverage)
	get(a, "channels", "/api/v1/coverage/channels", "How channels that show the same acts agree, hour by hour, and sessions and tokens in use without a sign-in", s.channels)
	stream(a, http.MethodGet, "coverage-statement", "/api/v1/coverage/statement", "The signed coverage statement; its hash goes into the journal", statementAnswer{}, s.coverageStatement)
	stream(a, http.MethodGet, "scorecard", "/api/v1/scorecard", "The signed vendor scorecard: how well each vendor delivers; its hash goes into the journal", scorecardAnswer{}, s.scorecard)
	get(a, "person", "/api/v1/people/{name}", "Somebody's addresses and accounts in all suites, with the evidence", s.person)
	get(a, "session", "/api/v1/sessions/{id}", "What a session did, over all channels and suites, and what is to be seen beside it", s.session)
	get(a, "controls", "/api/v1/controls", "How everything stands that can switch the logging of a tenant off", s.controls)
	get(a, "canaries", "/api/v1/canaries", "How the canaries stand: harmless acts whose records are awaited through each channel", s.canaries)
	stream(a, http.MethodPost, "readiness", "/api/v1/readiness", "Judge requirements; signed. Its hash, and each verdict that has changed, go into the journal", readinessAnswer{}, s.readiness)
	get(a, "incidents", "/api/v1/incidents", "Incidents, the one with the latest alert first", s.incidents)
	get(a, "incident", "/api/v1/incidents/{id}", "One incident: what happened, in what order, to whom, and how far it reached", s.incident)
	post(a, "decide", "/api/v1/incidents/{id}/decisions", "Change an incident: its state, who takes care of it, a note, what belongs to it", s.decide)
	get(a, "alerts", "/api/v1/alerts", "Alerts that stand, the latest first", s.alerts)
	get(a, "alert", "/api/v1/alerts/{id}", "One alert, or the one that stands for it now", s.alert)
	post(a, "backtest", "/api/v1/rules/backtest", "Say what rules would have found in the stored history", s.backtest)
	get(a, "dead-letters", "/api/v1/notify/dead", "Messages about incidents that are not tried any more, the latest first", s.deadLetters)
	post(a, "tell-again", "/api/v1/notify/dead/{id}/again", "Try such a message again, as if it were new; the answer lists those that are left", s.tellAgain)
	post(a, "discard", "/api/v1/notify/dead/{id}/discard", "Forget such a message; the answer lists those that are left", s.discard)
	post(a, "import", "/api/v1/import", "Take vendor records in; the answer comes when they are sealed and searchable", s.importRecords)
	post(a, "rotate-key", "/api/v1/key/rotate", "Replace the log's signing key", s.rotateKey)
	return mux, a
}

// tile serves the files of the log but not what tessera keeps for itself, which
// no route leads to.
func (s *surface) tile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/log/")
	if strings.HasSuffix(name, "/") || !fs.ValidPath(name) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	if name == "checkpoint" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
	}
	http.ServeFileFS(w, r, os.DirFS(filepath.Join(s.node.Dir(), node.JournalDir, "log")), name)
}

func (s *surface) metrics(w http.ResponseWriter, r *http.Request) {
	promhttp.HandlerFor(s.node.Metrics(), promhttp.HandlerOpts{}).ServeHTTP(w, r)
}

func (s *surface) healthz(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }

func (s *surface) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := s.node.Ready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ok\n"))
}

// guard stands before the routes of a server: it decides who may call.
func guard(next http.Handler, token string, loopback bool) http.Handler {
	cross := http.NewCrossOriginProtection()
	want := []byte("Bearer " + token)
	check := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hook := strings.HasPrefix(r.URL.Path, "/hook/")
		if loopback && !hook && !localHost(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "this server answers to localhost only, not to "+strip(r.Host))
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
			refuse(w, http.StatusForbidden, "a page of another site asks: that is not allowed")
			return
		}
		if !open(r.URL.Path, loopback) && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "send the token that stands in "+node.TokenFile+" of the data directory: Authorization: Bearer TOKEN")
			return
		}
		if r.URL.Path != "/api/v1/import" {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		next.ServeHTTP(w, r)
	})
	return cross.Handler(check)
}

// open reports whether a path needs no token.
func open(path string, loopback bool) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics" && loopback || strings.HasPrefix(path, "/hook/") || strings.HasPrefix(path, "/log/")
}

func localHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return config.Loopback(strings.Trim(host, "[]"))
}
