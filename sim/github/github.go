// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package github is the audit log of the organization that a simulated company (sim/company) has at GitHub: its people push,
// review, invite, give access and change settings, under logins made of their mail addresses, and with the address itself as
// the name that their identity provider knows them by. The enterprise above the organization has the same log.
//
// It follows the documented contract where a collector depends on it: the search syntax for times, include, order, pages by
// cursor in Link, error bodies, limits and their headers. Nothing is stored; any record can be made again. What the
// enterprise's stream has of the log is told too ([Server.Streamed]), for whoever tests what takes it in.
//
// # Holes
//
// Only the qualifier created is understood. Nothing has consequences, but that addresses are missing while owners do not have
// them disclosed: a member is removed who was never added, and what has the stream of the log goes on when it is paused. One
// organization, a few dozen kinds of actions of many hundred. The settings of streaming are shown and not taken. A record is the same bytes in the API and in the stream; whether
// GitHub's are is not documented.
package github

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
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// The logs, as the parameter include names them.
const (
	Web = "web"
	Git = "git"
)

// keep is how long each is shown.
var keep = map[string]time.Duration{Web: 180 * 24 * time.Hour, Git: 7 * 24 * time.Hour}

// perHour is how many requests are answered.
const perHour = 1750

// Server is the simulated service. It is safe for concurrent use.
type Server struct {
	*service.Door
	door *service.Door // of the settings of streaming, which have a limit of their own
	feed *service.Feed
	cfg  service.Config
	set  settings
}

// New makes a server. It listens nowhere by itself: see Handler.
func New(cfg service.Config) *Server {
	f := service.NewFeed(cfg)
	return &Server{Door: service.NewDoor(f.Config(), perHour), door: service.NewDoor(f.Config(), streamsPerHour), feed: f, cfg: f.Config()}
}

// SetToken exchanges the token: the old one is refused from now on.
func (s *Server) SetToken(token string) {
	s.Door.SetToken(token)
	s.door.SetToken(token)
}

// Organization and Enterprise are the accounts, as they stand in addresses.
func (s *Server) Organization() string {
	brand, _, _ := strings.Cut(s.cfg.Company.Domain(), ".")
	return brand
}

// Enterprise is the account that the organization belongs to.
func (s *Server) Enterprise() string { return s.Organization() + "-group" }

// Happened calls yield with the records of a log of [from, to), in the order of their time, and since when each is visible,
// which may be yet to come.
func (s *Server) Happened(include string, from, to time.Time, yield func(at, visible time.Time, raw []byte) bool) {
	s.happened(include, from, to, func(r row) bool { return yield(r.At, s.feed.Shown(&r.Act), s.raw(r)) })
}

// logs are the feed's numbers of the logs.
var logs = map[string]uint64{Web: 1, Git: 2, API: 3}

// row is an act of a log.
type row struct {
	service.Act
	log  string
	made []byte // the record, if it does not follow from the act
}

// raw is the record of a row.
func (s *Server) raw(r row) []byte {
	if r.made != nil {
		return r.made
	}
	raw, err := json.Marshal(s.record(r.log, &r.Act, base64.RawURLEncoding.EncodeToString(r.ID[:])))
	if err != nil {
		panic(err) // what we make ourselves
	}
	return raw
}

// Handler answers the API.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, path := range []string{
		"/orgs/" + s.Organization(), "/enterprises/" + s.Enterprise(),
		"/organizations/" + strconv.Itoa(organizationID), "/enterprises/" + strconv.Itoa(enterpriseID), // as links have it
	} {
		mux.HandleFunc("GET "+path+"/audit-log", s.serve)
	}
	mux.HandleFunc("GET /enterprises/"+s.Enterprise()+"/audit-log/streams", s.showStreams)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if s.admit(w, r, s.Door, perHour) != service.Stranger {
			refuse(w, http.StatusNotFound, "Not Found", "")
		}
	})
	return mux
}

// admit opens the door. What is not to be answered is, when it returns something else than Answer or Cut.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, d *service.Door, limit int) service.Pass {
	now := s.cfg.Now()
	p, left, reset := d.Open(r)
	h := w.Header()
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(reset).Unix(), 10))
	h.Set("X-RateLimit-Resource", "audit_log")
	switch p {
	case service.Stranger:
		refuse(w, http.StatusUnauthorized, "Bad credentials", "")
	case service.TooMany:
		refuse(w, http.StatusForbidden, "API rate limit exceeded for user ID 1.", "/using-the-rest-api/rate-limits-for-the-rest-api")
	case service.Slower:
		h.Set("Retry-After", "1")
		refuse(w, http.StatusForbidden, "You have exceeded a secondary rate limit.", "/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits")
	case service.Failing:
		service.Proxy(w)
	}
	return p
}

func refuse(w http.ResponseWriter, status int, message, page string) {
	service.Serve(w, service.Answer, status, map[string]string{"message": message, "documentation_url": "https://docs.github.com/rest" + page, "status": strconv.Itoa(status)})
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	p := s.admit(w, r, s.Door, perHour)
	if p != service.Answer && p != service.Cut {
		return
	}
	now := s.cfg.Now()
	q, err := parse(r.URL.Query(), now)
	if err != nil {
		refuse(w, http.StatusUnprocessableEntity, "Validation Failed: "+err.Error(), "")
		return
	}
	list, more := s.page(q, now)
	records := make([]json.RawMessage, len(list))
	for i := range list {
		records[i] = s.raw(list[i])
	}
	if more {
		w.Header().Set("Link", link(r, list[len(list)-1]))
	}
	service.Serve(w, p, http.StatusOK, records)
}

// link leads to the page behind a row. The account is a number in it.
func link(r *http.Request, last row) string {
	path := "/organizations/" + strconv.Itoa(organizationID)
	if strings.HasPrefix(r.URL.Path, "/enterprises/") {
		path = "/enterprises/" + strconv.Itoa(enterpriseID)
	}
	q := r.URL.Query()
	q.Set("after", last.Cursor())
	q.Set("before", "")
	next := "http://" + r.Host + path + "/audit-log?" + q.Encode()
	q.Set("after", "")
	return "<" + next + ">; rel=\"next\", <http://" + r.Host + path + "/audit-log?" + q.Encode() + ">; rel=\"first\""
}

// query is what is asked for: the records of a log in [from, to], after a place in the order.
type query struct {
	logs     []string
	from, to time.Time
	asc      bool
	size     int
	after    bool
	at       time.Time // of the last record of the page before, if after
	id       record.GUID
}

func parse(v url.Values, now time.Time) (q query, err error) {
	switch v.Get("include") {
	case "", Web:
		q.logs = []string{Web}
	case Git:
		q.logs = []string{Git}
	case "all":
		q.logs = []string{Web, Git}
	default:
		return q, errors.New("include must be web, git or all")
	}
	q.asc, q.size = v.Get("order") == "asc", 30
	if text := v.Get("per_page"); text != "" {
		if q.size, err = strconv.Atoi(text); err != nil {
			return q, errors.New("per_page is no number")
		}
		q.size = min(max(q.size, 1), 100)
	}
	if text := v.Get("after"); text != "" {
		if q.at, q.id, q.after = service.ParseCursor(text); !q.after {
			return q, errors.New("the cursor is not valid")
		}
	}
	q.from, q.to = now.Add(-90*24*time.Hour), now
	for word := range strings.FieldsSeq(v.Get("phrase")) {
		text, ok := strings.CutPrefix(word, "created:")
		if !ok {
			return q, fmt.Errorf("the simulator does not know the qualifier %q", word)
		}
		if err := q.created(text); err != nil {
			return q, err
		}
	}
	return q, nil
}

var span = regexp.MustCompile(`^(>=|<=)?([^.<>]+)(?:\.\.([^.<>]+))?$`)

// created reads a time, a bound or a range. A date without a time is the whole day.
func (q *query) created(text string) error {
	m := span.FindStringSubmatch(text)
	if m == nil || m[1] != "" && m[3] != "" {
		return fmt.Errorf("created:%s is not understood", text)
	}
	first, last, err := moment(m[2])
	if err != nil {
		return err
	}
	switch {
	case m[1] == ">=":
		q.from = first
	case m[1] == "<=":
		q.from, q.to = time.Unix(0, 0), last
	case m[3] != "":
		q.from = first
		_, q.to, err = moment(m[3])
	default:
		q.from, q.to = first, last
	}
	return err
}

// moment is the first and last instant of what a text says.
func moment(text string) (first, last time.Time, err error) {
	if first, err = time.Parse(time.DateOnly, text); err == nil {
		return first, first.AddDate(0, 0, 1).Add(-time.Millisecond), nil
	}
	if first, err = time.Parse(time.RFC3339, text); err != nil {
		return first, last, fmt.Errorf("%q is no time", text)
	}
	return first, first, nil
}

// page returns the rows that a query asks for, and whether there are more.
func (s *Server) page(q query, now time.Time) (list []row, more bool) {
	for _, log := range q.logs {
		from, to := q.from, q.to.Add(time.Millisecond)
		if oldest := now.Add(-keep[log]); from.Before(oldest) {
			from = oldest
		}
		if q.after && q.asc && from.Before(q.at) {
			from = q.at
		}
		before := len(list)
		s.happened(log, from, to, func(r row) bool {
			if c := r.Order(q.at, q.id); !s.feed.Visible(&r.Act, now) || q.after && (q.asc && c <= 0 || !q.asc && c >= 0) {
				return true
			}
			list = append(list, r)
			return !q.asc || len(list)-before <= q.size // the oldest come first
		})
	}
	slices.SortFunc(list, func(a, b row) int {
		if q.asc {
			return a.Order(b.At, b.ID)
		}
		return b.Order(a.At, a.ID)
	})
	if len(list) > q.size {
		return list[:q.size], true
	}
	return list, false
}
