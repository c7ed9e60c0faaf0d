// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// The limit domain of how the organization is set up to send its log out, and what we ask in a minute at most: far less than
// what Okta answers, for nothing of it is urgent.
const (
	SettingsDomain    = "okta-settings"
	SettingsPerMinute = 30
)

// Outlet is something by which an organization has its System Log sent out: a log stream or an event hook.
type Outlet struct {
	ID, Name string
	Status   string   // ACTIVE or INACTIVE
	Type     string   // of a log stream: aws_eventbridge or splunk_cloud_logstreaming
	Verified bool     // of an event hook: only one that is gets events
	To       []string // where to: the settings of a stream or the address of a hook, without secrets
	Events   []string // of an event hook: the types of events
}

// settings of a log stream that say where it goes. The token of a Splunk is not among them.
var settings = []string{"accountId", "eventSourceName", "region", "edition", "host"}

// LogStreams reads the log streams: GET /api/v1/logStreams, with the scope okta.logStreams.read
// (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/LogStream/).
func (c *Client) LogStreams(ctx context.Context, p budget.Priority) ([]Outlet, error) {
	return c.outlets(ctx, p, "logStreams", "limit=200", "okta.logStreams.read", func(v jsontape.Value, o *Outlet) {
		o.Type = line(v.Get("type"))
		for _, name := range settings {
			if text := line(v.Path("settings", name)); text != "" {
				o.To = append(o.To, name+"="+text)
			}
		}
	})
}

// EventHooks reads the event hooks: GET /api/v1/eventHooks, with the scope okta.eventHooks.read
// (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/EventHook/).
func (c *Client) EventHooks(ctx context.Context, p budget.Priority) ([]Outlet, error) {
	return c.outlets(ctx, p, "eventHooks", "", "okta.eventHooks.read", func(v jsontape.Value, o *Outlet) {
		o.Verified = line(v.Get("verificationStatus")) == "VERIFIED"
		if text := line(v.Path("channel", "config", "uri")); text != "" {
			o.To = []string{bare(text)}
		}
		for e := v.Path("events", "items").First(); e.Exists(); e = e.Next() {
			o.Events = append(o.Events, line(e))
		}
		slices.Sort(o.Events)
	})
}

func line(v jsontape.Value) string { return rest.Line(string(v.Str())) }

// bare is an address without what may be a secret: the user and the query.
func bare(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return rest.Line(u.String())
}

// mostPages and mostOutlets bound what a listing reads: an organization may have two streams and 25 active hooks.
const (
	mostPages   = 20
	mostOutlets = 2000
)

func (c *Client) outlets(ctx context.Context, p budget.Priority, what, query, scope string, read func(jsontape.Value, *Outlet)) (list []Outlet, err error) {
	u := c.root.JoinPath("api/v1", what)
	u.RawQuery = query
	hostile := func(message string) error {
		return &Error{API: apiName, Op: what, Status: http.StatusOK, Class: rest.ClassHostile, Message: message}
	}
	for range mostPages {
		next := ""
		err = c.JSON(ctx, p, rest.Call{Op: what, Method: http.MethodGet, URL: u, Accept: "["}, func(root jsontape.Value, a *rest.Answer) error {
			for v := root.First(); v.Exists(); v = v.Next() {
				o := Outlet{ID: line(v.Get("id")), Name: line(v.Get("name")), Status: line(v.Get("status"))}
				if o.ID == "" || o.Status == "" {
					return hostile("an element of the answer has no id or no status")
				}
				if len(list) == mostOutlets {
					return hostile("the answer has more elements than an organization can have")
				}
				read(v, &o)
				list = append(list, o)
			}
			var ok bool
			if next, ok = nextLink(a.Header.Values("Link")); !ok {
				return lost(rest.ClassRetry)
			}
			return nil
		})
		if e := rest.Of(err); err != nil && e.Class == rest.ClassAdmin {
			e.Action = "give an access token of a service app with the scope " + scope + ", or an API token of an administrator who may see it, which as far as Okta says only a super administrator may"
		}
		if err != nil || next == "" {
			return list, err
		}
		if u, err = c.Follow(what, next); err != nil {
			return nil, err
		}
	}
	return nil, hostile("the list has too many pages")
}

// auth tells the two kinds of tokens apart: an access token of OAuth 2.0 is a JWT and is sent as Bearer, an API token has no
// dots and is sent as SSWS (https://developer.okta.com/docs/api/openapi/okta-management/guides/overview).
type auth struct{ *rest.Static }

func (a auth) Header(token string) string {
	if strings.Count(token, ".") == 2 {
		return "Bearer " + token
	}
	return a.Static.Header(token)
}
