// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package github reads the audit log of an organization or enterprise of GitHub Enterprise Cloud. Promises, errors and
// limits are those of package rest.
//
// GET /orgs/ORG/audit-log and /enterprises/ENTERPRISE/audit-log (https://docs.github.com/rest/orgs/orgs,
// https://docs.github.com/rest/enterprise-admin/audit-log) take a window of time in the search syntax of the log and give
// pages of at most 100 records. The header Link leads to the next page by a cursor. What happens on the web and by the API
// is kept for 180 days, what Git clients do for seven; they are two streams, so that each has its own place in time.
//
// A window is written created:FROM..TO. The syntax has seconds and its ends are part of it
// (https://docs.github.com/search-github/getting-started-with-searching-on-github/understanding-the-search-syntax), so a
// window is widened to whole seconds: what is read twice is known by its id.
//
// Of a Link only the cursor is used. The path and the other parameters are ours each time: the links that are documented
// name the account by a number and do not repeat the search.
package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The limit domain of the audit log, and what we ask in a minute at most: 1,750 requests an hour are answered for a user
// and address (https://docs.github.com/admin/monitoring-activity-in-your-enterprise/reviewing-audit-logs-for-your-enterprise/using-the-audit-log-api-for-your-enterprise).
const (
	Domain    = "github-audit-log"
	PerMinute = 25
)

// perPage is how many records a page holds at most.
const perPage = 100

// Stream is one of the two parts of the log.
type Stream struct {
	Name    string
	Include string        // the parameter that chooses it
	Keep    time.Duration // how far back it goes
}

// Streams are the parts of the log.
var Streams = []Stream{
	{"audit-log", "web", 180 * 24 * time.Hour},
	{"git", "git", 7 * 24 * time.Hour},
}

// Lookup finds a stream by its name.
func Lookup(name string) (*Stream, bool) {
	i := slices.IndexFunc(Streams, func(s Stream) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &Streams[i], true
}

// Options of a client.
type Options struct {
	Account     string // the name of the organization or enterprise as it stands in addresses
	Enterprise  bool   // it is an enterprise
	API         string // base URL; HTTPS, or HTTP on loopback; empty: https://api.github.com
	Token       credential.Reference
	rest.Shared // the budget, if none is given, is of PerMinute
}

// Client is safe for concurrent use.
type Client struct {
	*rest.Client
	log *url.URL // the endpoint
}

// account is what names can be: those of enterprises may have more than those of organizations, which have no underscore.
var account = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,98}[A-Za-z0-9])?$`)

const apiName = "github"

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	if !account.MatchString(o.Account) {
		return nil, errors.New("the account must be the name of an organization or enterprise as it stands in its address: letters, digits and -")
	}
	if o.API == "" {
		o.API = "https://api.github.com"
	}
	root, err := rest.BaseURL("API", o.API)
	if err != nil {
		return nil, err
	}
	kind := "orgs"
	if o.Enterprise {
		kind = "enterprises"
	}
	o.Shared = o.OrDefaults(PerMinute)
	return &Client{
		Client: rest.New(rest.Options{
			Name: apiName, Root: root, Auth: rest.NewStatic(apiName, "Bearer", o.Token), Explain: explain, Judge: judge, RetryAfter: retryAfter,
			Shared: o.Shared,
		}, rest.NewClock()),
		log: root.JoinPath(kind, o.Account, "audit-log"),
	}, nil
}

// Error is that of package rest.
type Error = rest.Error

// Page is that of package rest.
type Page = rest.Page

// List reads a page of a stream's records whose time is in [from, to), or the one after it that next, a former page's of
// the same window, leads to. Records of the seconds at the ends of the window may be among them.
func (c *Client) List(ctx context.Context, p budget.Priority, s *Stream, from, to time.Time, next string) (*Page, error) {
	u := *c.log
	u.RawQuery = query(s, from, to, next)
	k := rest.Call{Op: "page", Method: http.MethodGet, Records: true, URL: &u, Accept: "["}
	page := (*Page)(nil)
	err := c.JSON(ctx, p, k, func(root jsontape.Value, a *rest.Answer) (err error) {
		page = rest.NewPage(root, a)
		page.Next, err = c.next(k.Op, a.Header)
		return err
	})
	if err != nil {
		e := (*rest.Error)(nil)
		if errors.As(err, &e) && (e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity) {
			e.Class = rest.ClassWindow
			if next != "" {
				e.Class = rest.ClassPage // a cursor that is not good any more
			}
		}
		return nil, err
	}
	return page, nil
}

// timeForm is how the search syntax takes times.
const timeForm = "2006-01-02T15:04:05Z"

func query(s *Stream, from, to time.Time, next string) string {
	if up := to.Truncate(time.Second); up.Before(to) {
		to = up.Add(time.Second)
	}
	q := url.Values{
		"phrase":  {"created:" + from.UTC().Format(timeForm) + ".." + to.UTC().Format(timeForm)},
		"include": {s.Include}, "order": {"asc"}, "per_page": {strconv.Itoa(perPage)},
	}
	if next != "" {
		q.Set("after", next)
	}
	return q.Encode()
}

// next reads the cursor of the next page; empty if there is none.
func (c *Client) next(op string, h http.Header) (string, error) {
	link := nextLink(h.Values("Link"))
	if link == "" {
		return "", nil
	}
	u, err := c.Follow(op, link)
	if err != nil {
		return "", err
	}
	after := u.Query().Get("after")
	if after == "" {
		return "", &rest.Error{API: apiName, Op: op, Status: http.StatusOK, Class: rest.ClassRetry, Message: "the answer's link to the next page has no cursor", Sample: rest.SampleOf([]byte(link))}
	}
	return after, nil
}

// nextLink finds the target of the relation "next" in headers of the form of RFC 8288: <URL>; rel="next", …. Of a header
// that is not of this form, what is before the fault counts.
func nextLink(headers []string) string {
	for _, rest := range headers {
		for {
			var target, params string
			_, after, ok := strings.Cut(rest, "<")
			if !ok {
				break
			}
			if target, after, ok = strings.Cut(after, ">"); !ok {
				break
			}
			params, rest, _ = cutOutside(after, ',')
			for params != "" {
				var param string
				param, params, _ = cutOutside(params, ';')
				name, value, _ := strings.Cut(param, "=")
				if !strings.EqualFold(strings.TrimSpace(name), "rel") {
					continue
				}
				if slices.Contains(strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))), "next") {
					return target
				}
			}
		}
	}
	return ""
}

// cutOutside cuts a text at a sign that stands outside of quotes.
func cutOutside(text string, sign byte) (before, after string, ok bool) {
	quoted := false
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == sign && !quoted:
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}
