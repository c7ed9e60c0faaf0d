// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package slack reads the audit log of a Slack organization on an Enterprise plan. Promises, errors and limits are those of
// package rest.
//
// GET /audit/v1/logs (https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference) takes a window of time in
// whole seconds and gives pages, newest first; a cursor in the answer leads to the next one. A window is widened to whole
// seconds at both ends: what is read twice is known by its id. The log goes back to March 2018.
//
// Refusals are {"ok": false, "error": "code"}, with a status that says so or with 200: both are taken for what they are.
package slack

import (
	"context"
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

// The limit domain of the audit log, and what we ask in a minute at most. Slack answers some fifty, to all applications of
// an organization together (as above, "Rate limits").
const (
	Domain    = "slack-audit-logs"
	PerMinute = 40
)

// Stream is the only one there is.
const Stream = "audit-logs"

// perPage is how many entries a page has at most; the API gives up to 9,999.
const perPage = 1000

// Options of a client.
type Options struct {
	API         string // base URL; HTTPS, or HTTP on loopback; empty: https://api.slack.com
	Token       credential.Reference
	rest.Shared // the budget, if none is given, is of PerMinute
}

// Client is safe for concurrent use.
type Client struct {
	*rest.Client
	logs   *url.URL // the endpoint
	tokens *rest.Static
}

const apiName = "slack"

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	if o.API == "" {
		o.API = "https://api.slack.com"
	}
	root, err := rest.BaseURL("API", o.API)
	if err != nil {
		return nil, err
	}
	o.Shared = o.OrDefaults(PerMinute)
	tokens := rest.NewStatic(apiName, "Bearer", o.Token)
	return &Client{
		Client: rest.New(rest.Options{
			Name: apiName, Root: root, Auth: tokens, Judge: judge, Shared: o.Shared,
		}, rest.NewClock()),
		logs: root.JoinPath("audit/v1/logs"), tokens: tokens,
	}, nil
}

// Error is that of package rest.
type Error = rest.Error

// Page is that of package rest.
type Page = rest.Page

// List reads a page of the entries whose time is in [from, to), or the one that next, a former page's of the same window,
// leads to. Entries of the seconds at the ends of the window may be among them.
func (c *Client) List(ctx context.Context, p budget.Priority, from, to time.Time, next string) (*Page, error) {
	for again := true; ; again = false {
		used := c.tokens.Current().Reveal()
		page, err := c.list(ctx, p, from, to, next)
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) {
			return page, err
		}
		if next != "" && (e.Status == http.StatusBadRequest || e.Code == "invalid_cursor") {
			e.Class = rest.ClassPage
		}
		// A token that is refused with status 200 nobody has read anew yet.
		if !again || e.Status != http.StatusOK || e.Class != rest.ClassAuth {
			return nil, err
		}
		if used == "" {
			used = c.tokens.Current().Reveal()
		}
		if _, err := c.tokens.Token(ctx, used); err != nil {
			return nil, err
		}
	}
}

func (c *Client) list(ctx context.Context, p budget.Priority, from, to time.Time, next string) (*Page, error) {
	u := *c.logs
	u.RawQuery = query(from, to, next)
	k := rest.Call{Op: "page", Method: http.MethodGet, Records: true, URL: &u, Accept: "{"}
	page := (*Page)(nil)
	err := c.JSON(ctx, p, k, func(root jsontape.Value, a *rest.Answer) error {
		list, cursor := root.Get("entries"), root.Path("response_metadata", "next_cursor").Str()
		if list.Kind() != jsontape.Array {
			e := &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Code: rest.Word(string(root.Get("error").Str())), Message: "the answer has no list of entries"}
			judge(e)
			return e
		}
		if len(cursor) > rest.MaxLink {
			return &rest.Error{API: apiName, Op: k.Op, Status: http.StatusOK, Class: rest.ClassHostile, Message: "the answer holds a cursor of more than 64 KiB"}
		}
		page = rest.NewPage(list, a)
		page.Next = string(cursor)
		return nil
	})
	return page, err
}

func query(from, to time.Time, next string) string {
	latest := to.Unix()
	if to.Nanosecond() > 0 {
		latest++
	}
	q := url.Values{"oldest": {strconv.FormatInt(from.Unix(), 10)}, "latest": {strconv.FormatInt(latest, 10)}, "limit": {strconv.Itoa(perPage)}}
	if next != "" {
		q.Set("cursor", next)
	}
	return q.Encode()
}

const newToken = "install the application on the organization by its owner, with the scope auditlogs:read, and put the new token in the old one's place; it is read again without a restart"

// codes are those that mean more than their status (https://docs.slack.dev/reference/audit-logs-api/methods-actions-reference,
// and the errors that all of Slack's methods share).
var codes = map[string]rest.Meaning{
	"invalid_auth":             {Class: rest.ClassAuth, Action: newToken},
	"not_authed":               {Class: rest.ClassAuth, Action: newToken},
	"invalid_authentication":   {Class: rest.ClassAuth, Action: newToken},
	"missing_authentication":   {Class: rest.ClassAuth, Action: newToken},
	"token_revoked":            {Class: rest.ClassAuth, Action: newToken},
	"token_expired":            {Class: rest.ClassAuth, Action: newToken},
	"account_inactive":         {Class: rest.ClassAuth, Action: "the token's user is deactivated: " + newToken},
	"not_allowed_token_type":   {Class: rest.ClassAdmin, Action: "give the user token, which begins with xoxp-"},
	"missing_scope":            {Class: rest.ClassAdmin, Action: newToken},
	"access_denied":            {Class: rest.ClassAdmin, Action: newToken},
	"team_not_authorized":      {Class: rest.ClassAdmin, Action: newToken},
	"invalid_workspace":        {Class: rest.ClassAdmin, Action: "the token is of a workspace: " + newToken},
	"feature_not_enabled":      {Class: rest.ClassAdmin, Action: "only organizations on an Enterprise plan have the Audit Logs API"},
	"invalid_arguments":        {Class: rest.ClassWindow},
	"invalid_cursor":           {Class: rest.ClassPage},
	"ratelimited":              {Class: rest.ClassThrottled},
	"internal_error":           {Class: rest.ClassRetry},
	"fatal_error":              {Class: rest.ClassRetry},
	"service_unavailable":      {Class: rest.ClassRetry},
	"request_timeout":          {Class: rest.ClassRetry},
	"team_added_to_org":        {Class: rest.ClassRetry},
	"org_login_required":       {Class: rest.ClassRetry, Action: "the workspace is being moved to the organization: wait for it"},
	"accesslimited":            {Class: rest.ClassAdmin, Action: "Slack has limited the application: ask its support"},
	"no_permission":            {Class: rest.ClassAdmin, Action: newToken},
	"ekm_access_denied":        {Class: rest.ClassAdmin, Action: "the organization's keys are withdrawn from Slack: ask who keeps them"},
	"enterprise_is_restricted": {Class: rest.ClassAdmin, Action: newToken},
}

// judge fills in class and action of an error that has its status, code and message.
func judge(e *rest.Error) {
	if !e.ByCode(codes) && (e.Class == rest.ClassAdmin && e.Action != "" || e.Class == rest.ClassAuth) {
		e.Action = newToken
	}
}
