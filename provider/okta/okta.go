// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package okta reads the System Log of an Okta organization, in two ways:
//
//   - [Client.Poll] asks a polling request: without an end, oldest first. Its events come in the order in which Okta has
//     stored them, not in that of their time, and none is left out. There is always a next link, also when there is nothing
//     more now: it is the place in the log, good for as long as Okta keeps the events.
//   - [Client.List] asks a bounded request, for a window of the events' time, which ends. What Okta stores later than it is
//     asked is not in it.
//
// Contract: https://developer.okta.com/docs/reference/system-log-query/. since and after are exclusive there; times have
// milliseconds. A page holds at most 1,000 events, and events are kept for 90 days: older ones are left out without a word.
//
// How often an organization may ask depends on what it has bought. 120 a minute is common, and a token may have half of
// it unless an administrator has given it more (https://developer.okta.com/docs/reference/rate-limits/): [PerMinute].
package okta

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The limit domain of the endpoint, and what it answers to one token in a minute.
const (
	Domain    = "okta-logs"
	PerMinute = 60
)

// Stream is the only one.
const Stream = "system-log"

// Limit is how many events a page has at most.
const Limit = 1000

// Options of a client.
type Options struct {
	Org         string               // host name: "contoso.okta.com"
	API         string               // base URL instead of https://Org; HTTPS, or HTTP on loopback
	Token       credential.Reference // an API token, or an access token of OAuth 2.0
	rest.Shared                      // the budget, if none is given, is of PerMinute
}

// Client is safe for concurrent use.
type Client struct {
	*rest.Client
	root *url.URL
}

const (
	apiName = "okta"
	path    = "api/v1/logs"
)

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	if o.API == "" {
		o.API = "https://" + o.Org
	}
	root, err := rest.BaseURL("API", o.API)
	switch {
	case o.Org == "":
		return nil, errors.New("the organization is missing: give its host name, such as contoso.okta.com")
	case err != nil:
		return nil, err
	case o.Token.IsZero():
		return nil, errors.New("no token is configured")
	}
	o.Shared = o.OrDefaults(PerMinute)
	return &Client{
		Client: rest.New(rest.Options{
			Name: apiName, Root: root, Auth: auth{rest.NewStatic(apiName, "SSWS", o.Token)}, Explain: explain, Judge: judge, RetryAfter: retryAfter,
			Shared: o.Shared,
		}, rest.NewClock()),
		root: root,
	}, nil
}

// Error is that of package rest.
type Error = rest.Error

// Page is that of package rest. Caught is of Poll: Okta had stored nothing more by then, as far as a page can tell.
type Page = rest.Page

// timeForm is how parameters give times.
const timeForm = "2006-01-02T15:04:05.000Z"

// before makes an exclusive bound of an inclusive one: times have milliseconds.
func before(t time.Time) string { return t.Add(-time.Millisecond).UTC().Format(timeForm) }

// Poll reads what was stored behind next, a former page's, or, if that is empty, what is of since or later.
func (c *Client) Poll(ctx context.Context, p budget.Priority, since time.Time, next string) (*Page, error) {
	page, fresh, err := c.page(ctx, p, url.Values{"since": {before(since)}}, next)
	if err != nil {
		return nil, err
	}
	if page.Next == "" {
		return nil, lost(rest.ClassRetry)
	}
	page.Caught = page.Len() == 0 || page.Len() < Limit && fresh
	return page, nil
}

// freshness: a page that is not full ends what there is if it has an event as young as this. One that has only old events
// may be short for another reason, which the next page tells.
const freshness = time.Minute

// List reads a page of the events whose time is in [from, to), or the one that next, a former page's, leads to. A full page
// that is said to be the last one is an error: a smaller window tells.
func (c *Client) List(ctx context.Context, p budget.Priority, from, to time.Time, next string) (*Page, error) {
	page, _, err := c.page(ctx, p, url.Values{"since": {before(from)}, "until": {to.UTC().Format(timeForm)}}, next)
	if err == nil && page.Next == "" && page.Len() >= Limit {
		return nil, lost(rest.ClassPage)
	}
	return page, err
}

// lost is the error of an answer that does not say where to go on.
func lost(class rest.Class) error {
	return &Error{
		API: apiName, Op: "page", Status: http.StatusOK, Class: class, Message: "the answer does not say where to go on: it has no next link that can be read",
		Action: "check that no proxy takes away the Link headers",
	}
}

// page reads a page. fresh: one of its events is younger than freshness.
func (c *Client) page(ctx context.Context, p budget.Priority, q url.Values, next string) (page *Page, fresh bool, err error) {
	k := rest.Call{Op: "page", Method: http.MethodGet, Records: true, Accept: "["}
	if next == "" {
		k.URL = c.root.JoinPath(path)
		q.Set("sortOrder", "ASCENDING")
		q.Set("limit", strconv.Itoa(Limit))
		k.URL.RawQuery = q.Encode()
	} else {
		u, err := c.Follow(k.Op, next)
		if err != nil {
			return nil, false, err
		}
		k.URL = u
	}
	err = c.JSON(ctx, p, k, func(list jsontape.Value, a *rest.Answer) error {
		page = rest.NewPage(list, a)
		young, future := a.At.Add(-freshness).UTC().Format(timeForm), a.At.Add(freshness).UTC().Format(timeForm)
		for v := list.First(); v.Exists(); v = v.Next() {
			at := string(v.Get("published").Str()) // all are of one form, so that they compare as text
			fresh = fresh || at >= young && at < future
		}
		var ok bool
		if page.Next, ok = nextLink(a.Header.Values("Link")); !ok {
			return lost(rest.ClassRetry)
		}
		if page.Next != "" {
			_, err := c.Follow(k.Op, page.Next)
			return err
		}
		return nil
	})
	if err != nil {
		return nil, false, rest.Stale(err, next)
	}
	return page, fresh, nil
}

// explain reads the code and the message of a refusal: {"errorCode":"E0000011","errorSummary":"…","errorId":"…"}.
func explain(body []byte) (code, message string) {
	var answer struct{ ErrorCode, ErrorSummary any }
	if json.Unmarshal(body, &answer) != nil {
		return "", ""
	}
	return rest.Word(answer.ErrorCode), rest.Line(answer.ErrorSummary)
}

const newToken = "make a new API token and put it in the old one's place; it is read again without a restart"

// codes are those that mean more than their status (https://developer.okta.com/docs/reference/error-codes/). Texts are
// never looked at.
var codes = map[string]rest.Meaning{
	"E0000004": {Class: rest.ClassAuth, Action: newToken},
	"E0000005": {Class: rest.ClassAuth, Action: newToken},
	"E0000011": {Class: rest.ClassAuth, Action: newToken},
	"E0000006": {Class: rest.ClassAdmin, Action: "give the administrator who made the token a role that may read the System Log, such as Read-only Administrator"},
	"E0000015": {Class: rest.ClassAdmin, Action: "the organization lacks a feature: ask Okta's support for API access"},
	"E0000047": {Class: rest.ClassThrottled},
	"E0000009": {Class: rest.ClassRetry},
}

// judge fills in class and action of an error that has its status, code and message.
func judge(e *Error) {
	if !e.ByCode(codes) && e.Status == http.StatusUnauthorized {
		e.Action = newToken
	}
}
