// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package google is a simulated Google Workspace: the Reports API of the company that sim/m365 simulates, whose people sign
// in to Google's services as well, with one identity. A sign-in has the same person, mail address, network address and
// moment in both suites, and so have changes of accounts and groups, devices, and consent to applications. A part of the files that
// people open, edit and share is in Drive, a part of what they write and of their meetings in Chat and Meet, the mail and the calendar
// of a third of them in Gmail and Calendar; what they ask an assistant or look up in a report, the links they click and what rules about
// data loss find is here in part. Attacks that are woven into the company's life are seen here as well.
//
// Nothing is stored. The activities follow from the company's acts, so that equal configurations give equal bytes.
//
// It follows the documented contract where a collector depends on it:
//
//   - Tokens are had by a grant that a service account's key has signed, in an administrator's name and for one scope, and
//     refused with the documented words.
//   - A list gives a window of time, the newest first, in pages of at most 1,000, linked by nextPageToken, which is good for the
//     same query alone. An empty list has no items.
//   - Activities are shown a while after they happened, and some ([service.Config]: Late) much later; 180 days of them.
//   - 250 requests a minute, refused with 429, 403 or 503 and the documented reasons.
//   - Channels are opened (activities.watch) for the applications that can be watched, end after six hours at the latest, and are closed
//     with channels.stop. Each begins with a message of state sync; each activity is a message when it is shown. Messages come late,
//     twice, not at all, and from strangers ([Push]).
//
// # Holes
//
// Only the parameters that a collector sends are known. Messages hold no payload, and are not sent again. Both ends of a window are part of it. Activities of 17
// applications happen ([Applications]); the logs of the others are there and empty, as those of services are that nobody uses: this company
// teaches no classes, has no Jamboard, no LDAP clients, no synchronization of directories, and Google's own staff does not look into its data.
// What is documented for login and for user_accounts is in login alone. Each has one event. What an attack does is told with its slot.
package google

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// perHour is how many requests are answered: 250 a minute.
const perHour = 15_000

// keep is how far back activities are shown.
const keep = 180 * 24 * time.Hour

// Config says what is simulated.
type Config struct {
	Tenant *m365.Server // the company, its life and its clock
	// Service has what all services have. Company, Now and Begin are Tenant's.
	Service service.Config
	// Page is how many activities a page has at most, whatever is asked for; 1,000.
	Page int
	// Stale is a fault: one of so many page tokens is not good any more; 0: none.
	Stale int
	Push  Push // faults of notifications
}

// Server is the simulated service. It is safe for concurrent use.
type Server struct {
	*service.Door
	cfg  Config
	feed *service.Feed
	seed uint64
	key  *key
	push *channels

	mu     sync.Mutex
	tokens map[string]time.Time // that were given, with their end
	given  uint64
	pages  int      // page tokens that were shown
	scopes bool     // the service account may act for the organization
	denied []string // applications whose logs the administrator may not read
}

// New makes a server. It listens nowhere by itself: see Handler.
func New(cfg Config) (*Server, error) {
	if cfg.Page == 0 {
		cfg.Page = most
	}
	s := &Server{cfg: cfg, tokens: map[string]time.Time{}, scopes: true, seed: draw(cfg.Tenant.Company().Tenant()), push: newChannels()}
	var err error
	if s.key, err = newKey(); err != nil {
		return nil, err
	}
	c := cfg.Service
	c.Company, c.Now, c.Begin, c.Allowed = cfg.Tenant.Company(), cfg.Tenant.Now, cfg.Tenant.Begin(), s.allowed
	s.feed = service.NewFeed(c)
	s.cfg.Service = s.feed.Config()
	s.Door = service.NewDoor(s.cfg.Service, perHour)
	return s, nil
}

// Customer is the id of the customer.
func (s *Server) Customer() string { return "C0" + s.word("customer", 7) }

// Admin is the address of an administrator.
func (s *Server) Admin() string {
	c := s.cfg.Service.Company
	for n := range c.People() {
		if p := c.Person(n); p.Admin {
			return p.UPN
		}
	}
	return c.Person(0).UPN
}

// Authorize gives the service account the right to act for the organization, or takes it.
func (s *Server) Authorize(yes bool) { s.alter(func() { s.scopes = yes }) }

// Deny takes from the administrator the right to read the logs of these applications, and gives back that of all others.
func (s *Server) Deny(applications ...string) { s.alter(func() { s.denied = applications }) }

// Revoke ends all tokens that were given.
func (s *Server) Revoke() { s.alter(func() { clear(s.tokens) }) }

func (s *Server) alter(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Applications are the logs that there are
// (googleapis/google-api-go-client:admin/reports/v1/admin-api.json).
var applications = strings.Fields(`access_evaluation access_transparency admin assignments calendar chat chrome classroom cloud_search context_aware_access
	data_migration data_studio directory_sync drive gcp gemini_in_workspace_apps gmail gplus groups groups_enterprise jamboard keep ldap login meet
	meet_hardware mobile profile rules saml tasks token user_accounts vault`)

// Handler answers the API and the token endpoint.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /admin/reports/v1/activity/users/all/applications/{application}", s.list)
	mux.HandleFunc("POST /admin/reports/v1/activity/users/all/applications/{application}/watch", s.watch)
	mux.HandleFunc("POST /admin/reports_v1/channels/stop", s.stop)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "notFound", "NOT_FOUND") })
	return mux
}

// refuse answers as Google's APIs do.
func refuse(w http.ResponseWriter, status int, reason, word string) {
	message := http.StatusText(status)
	service.Serve(w, service.Answer, status, map[string]any{"error": map[string]any{
		"code": status, "message": message, "status": word, "errors": []map[string]string{{"message": message, "domain": "global", "reason": reason}},
	}})
}

// admit opens the door. What is not to be answered is, when it returns false.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (now time.Time, p service.Pass, ok bool) {
	now = s.cfg.Service.Now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	p, left, _ := s.Open(r)
	switch p {
	case service.Stranger:
		refuse(w, http.StatusUnauthorized, "authError", "UNAUTHENTICATED")
		return now, p, false
	case service.TooMany:
		refuse(w, http.StatusTooManyRequests, "rateLimitExceeded", "RESOURCE_EXHAUSTED")
		return now, p, false
	case service.Slower: // in one of the forms of which Google has several
		form := []struct {
			status       int
			reason, word string
		}{{403, "userRateLimitExceeded", "PERMISSION_DENIED"}, {503, "quotaExceeded", "UNAVAILABLE"}, {429, "rateLimitExceeded", "RESOURCE_EXHAUSTED"}}[left%3]
		refuse(w, form.status, form.reason, form.word)
		return now, p, false
	case service.Failing:
		refuse(w, http.StatusServiceUnavailable, "backendError", "UNAVAILABLE")
		return now, p, false
	}
	s.mu.Lock()
	denied := slices.Contains(s.denied, r.PathValue("application"))
	s.mu.Unlock()
	if denied {
		refuse(w, http.StatusForbidden, "forbidden", "PERMISSION_DENIED")
		return now, p, false
	}
	return now, p, true
}

func (s *Server) list(w http.ResponseWriter, r *http.Request) {
	now, p, ok := s.admit(w, r)
	if !ok {
		return
	}
	q, err := s.parse(r, now)
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid", "INVALID_ARGUMENT")
		return
	}
	list, next := s.page(q, now)
	answer := map[string]any{"kind": "admin#reports#activities", "etag": s.etag(fmt.Sprint(q.application, next, len(list)))}
	if len(list) > 0 {
		items := make([]json.RawMessage, len(list))
		for i := range list {
			items[i] = list[i].raw
		}
		answer["items"] = items
	}
	if next != "" {
		answer["nextPageToken"] = next
	}
	service.Serve(w, p, http.StatusOK, answer)
}

// shown is an activity as it is answered.
type shown struct {
	at  time.Time
	id  record.GUID // orders those of one moment
	raw []byte
}

// page returns the activities of a query, newest first, and the token of the next page.
func (s *Server) page(q query, now time.Time) (list []shown, next string) {
	from, to := q.from, q.to.Add(time.Millisecond)
	if oldest := now.Add(-keep); from.Before(oldest) {
		from = oldest
	}
	s.between(q.application, from, to, func(a *activity, settled time.Time) {
		if s.visible(a, settled, now) && !(q.after && order(a, q.at, q.id) >= 0) {
			list = append(list, shown{a.at, a.id, s.raw(a)})
		}
	})
	slices.SortFunc(list, func(a, b shown) int {
		if c := b.at.Compare(a.at); c != 0 {
			return c
		}
		return compare(b.id, a.id)
	})
	if len(list) <= q.limit {
		return list, ""
	}
	list = list[:q.limit]
	last := list[len(list)-1]
	return list, s.pageToken(q, last.at, last.id)
}

// visible tells whether an activity that was over at settled is shown by now.
func (s *Server) visible(a *activity, settled, now time.Time) bool {
	return !s.shown(a, settled).After(now)
}

// shown is since when an activity is shown that was over at settled.
func (s *Server) shown(a *activity, settled time.Time) time.Time {
	at := s.feed.Shown(&service.Act{At: a.at, ID: a.id})
	if settled.After(at) {
		return settled
	}
	return at
}

// Happened calls yield with the activities of an application of [from, to), in no order, and since when each is shown, which
// may be yet to come.
func (s *Server) Happened(application string, from, to time.Time, yield func(at, shown time.Time, raw []byte)) {
	s.between(application, from, to, func(a *activity, settled time.Time) { yield(a.at, s.shown(a, settled), s.raw(a)) })
}

// Applications are those in which something happens.
func Applications() []string { return slices.Sorted(maps.Keys(streams)) }

// chain is how long after an act the last of its activities happens, at most.
const chain = 10 * time.Second

func (s *Server) between(application string, from, to time.Time, yield func(a *activity, settled time.Time)) {
	st, ok := streams[application]
	if !ok {
		return
	}
	s.cfg.Tenant.Happened(st, from.Add(-chain), to, func(at, settled time.Time, raw []byte) bool {
		for _, a := range s.activities(application, at, raw) {
			if !a.at.Before(from) && a.at.Before(to) {
				yield(a, settled)
			}
		}
		return true
	})
}

// streams say in which part of the company's life the acts of an application are.
var streams = map[string]company.Stream{
	"login": company.AzureActiveDirectory, "saml": company.AzureActiveDirectory, "admin": company.AzureActiveDirectory, "token": company.AzureActiveDirectory,
	"groups_enterprise": company.AzureActiveDirectory, "context_aware_access": company.AzureActiveDirectory, "mobile": company.AzureActiveDirectory,
	"drive": company.SharePoint, "rules": company.DLP, "calendar": company.Exchange, "gmail": company.Exchange,
	"chat": company.General, "meet": company.General, "chrome": company.General, "data_studio": company.General, "gemini_in_workspace_apps": company.General, "vault": company.General,
}
