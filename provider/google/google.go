// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package google reads the activities of Google Workspace through the Reports API of the Admin SDK. Promises, errors and
// limits are those of package rest.
//
// GET /admin/reports/v1/activity/users/all/applications/NAME takes a window of time and gives pages of at most 1,000
// activities, the newest first; nextPageToken leads to the next one
// (https://developers.google.com/workspace/admin/reports/reference/rest/v1/activities/list). Each application is a log of
// its own. Whether an activity of exactly startTime is in a window is not documented: it is asked for from a millisecond
// before. Both ends are given always, as gmail wants, of which a window may have 30 days.
//
// A nextPageToken is no address. It goes into the query of our own request, and nothing in an answer decides which host is
// asked.
//
// The token is one that a service account gets in the name of an administrator, by domain-wide delegation: a JWT that is
// signed with the account's key is exchanged for it at oauth2.googleapis.com
// (https://developers.google.com/identity/protocols/oauth2/service-account). It is good for an hour and for [Scope] alone.
//
// Of requests that are filtered, and one that names users in its path may be, 250 a minute are answered
// (https://developers.google.com/workspace/admin/reports/v1/limits): [PerMinute]. Too many are refused with 429, 403 or,
// as that page has it, 503.
package google

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The limit domain of activities.list, and what we ask in a minute at most.
const (
	Domain    = "google-reports"
	PerMinute = 240
)

// Scope is what the service account has to be authorized for.
const Scope = "https://www.googleapis.com/auth/admin.reports.audit.readonly"

// perPage is how many activities a page has at most.
const perPage = 1000

// Options of a client.
type Options struct {
	Customer string // id of the customer, which begins with C
	Admin    string // address of the administrator in whose name is read
	API      string // base URL; HTTPS, or HTTP on loopback; empty: https://admin.googleapis.com
	Login    string // base URL of the token service, likewise; empty: https://oauth2.googleapis.com
	// Key is the service account's, the JSON file of Google Cloud.
	Key         credential.Reference
	rest.Shared // the budget, if none is given, is of PerMinute
}

// Client is safe for concurrent use.
type Client struct {
	*rest.Client
	root     *url.URL
	customer string
	tokens   *rest.OAuth
}

const apiName = "google"

var customer = regexp.MustCompile(`^C[A-Za-z0-9]{4,32}$`)

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	if o.API == "" {
		o.API = "https://admin.googleapis.com"
	}
	if o.Login == "" {
		o.Login = "https://oauth2.googleapis.com"
	}
	switch {
	case !customer.MatchString(o.Customer):
		return nil, errors.New("the customer must be the id that the Admin console shows under Account settings: it begins with C")
	case !strings.Contains(o.Admin, "@"):
		return nil, errors.New("the administrator must be given by the mail address")
	case o.Key.IsZero():
		return nil, errors.New("no key of a service account is configured")
	}
	root, err := rest.BaseURL("API", o.API)
	if err != nil {
		return nil, err
	}
	login, err := rest.BaseURL("login", o.Login)
	if err != nil {
		return nil, err
	}
	o.Shared = o.OrDefaults(PerMinute)
	clock := rest.NewClock()
	tokens := rest.NewOAuth(rest.OAuthOptions{
		Name: apiName, Endpoint: login.JoinPath("token").String(), Credential: credential.FromServiceAccount(o.Key, o.Admin, Scope), Errors: tokenErrors,
		Transport: o.Transport, Clock: clock, Log: o.Log,
	})
	return &Client{
		Client: rest.New(rest.Options{
			Name: apiName, Root: root, Auth: tokens, Explain: explain, Judge: judge, Shared: o.Shared,
		}, clock),
		root: root, customer: o.Customer, tokens: tokens,
	}, nil
}

// Error is that of package rest.
type Error = rest.Error

// Authorize asks for a token, if there is none that is good, and says what is wrong if there is none to be had.
func (c *Client) Authorize(ctx context.Context) error {
	_, err := c.tokens.Token(ctx, "")
	return err
}

// Page is that of package rest.
type Page = rest.Page

// timeForm is how parameters give times.
const timeForm = "2006-01-02T15:04:05.000Z"

// List reads a page of a stream's activities whose time is in [from, to), or the one after it that next, a former page's of
// the same window, leads to. Activities of a millisecond before and of the end may be among them.
func (c *Client) List(ctx context.Context, p budget.Priority, s *Stream, from, to time.Time, next string) (*Page, error) {
	q := url.Values{
		"customerId": {c.customer}, "startTime": {from.Add(-time.Millisecond).UTC().Format(timeForm)}, "endTime": {to.UTC().Format(timeForm)},
		"maxResults": {strconv.Itoa(perPage)}, "prettyPrint": {"false"},
	}
	if next != "" {
		q.Set("pageToken", next)
	}
	k := rest.Call{Op: "page", Method: http.MethodGet, Records: true, URL: c.root.JoinPath("admin/reports/v1/activity/users/all/applications", s.Name), Accept: "{"}
	k.URL.RawQuery = q.Encode()
	page := (*Page)(nil)
	err := c.JSON(ctx, p, k, func(root jsontape.Value, a *rest.Answer) error {
		wrong := &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK}
		list, token := root.Get("items"), root.Get("nextPageToken").Str()
		switch {
		case len(token) > rest.MaxLink:
			wrong.Class, wrong.Message = rest.ClassHostile, "the answer holds a page token of more than 64 KiB"
			return wrong
		case list.Kind() == jsontape.Array:
		case list.Exists() || string(root.Get("kind").Str()) != kind: // what is empty has no items, but says what it is
			wrong.Class, wrong.Message = rest.ClassRetry, "the answer is no list of activities"
			return wrong
		}
		page = rest.NewPage(list, a)
		page.Next = string(token)
		return nil
	})
	return page, rest.Stale(err, next)
}

const kind = "admin#reports#activities"
