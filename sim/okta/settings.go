// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Outlet is a log stream or an event hook, as the API shows it
// (https://developer.okta.com/docs/api/openapi/okta-management/management/tag/LogStream/ and …/EventHook/). What is not of
// its kind is left out.
type Outlet struct {
	ID           string            `json:"id"`
	Type         string            `json:"type,omitempty"`
	Name         string            `json:"name"`
	Status       string            `json:"status"`
	Created      time.Time         `json:"created"`
	LastUpdated  time.Time         `json:"lastUpdated"`
	Settings     map[string]string `json:"settings,omitempty"`
	Verification string            `json:"verificationStatus,omitempty"`
	Events       *subscription     `json:"events,omitempty"`
	Channel      map[string]any    `json:"channel,omitempty"`
}

type subscription struct {
	Type  string   `json:"type"`
	Items []string `json:"items"`
}

// mostPerPage is how many streams are in a page unless a request says otherwise.
const mostPerPage = 20

// Which of an organization's outlets something is about.
const (
	Streams = "logStreams"
	Hooks   = "eventHooks"
)

// lives are what events of outlets are called, by what was done.
var lives = map[string]map[string]string{
	Streams: {
		"create": "system.log_stream.lifecycle.create", "update": "system.log_stream.lifecycle.update", "delete": "system.log_stream.lifecycle.delete",
		"activate": "system.log_stream.lifecycle.activate", "deactivate": "system.log_stream.lifecycle.deactivate",
	},
	Hooks: {
		"create": "event_hook.created", "update": "event_hook.updated", "delete": "event_hook.deleted",
		"activate": "event_hook.activated", "deactivate": "event_hook.deactivated",
	},
}

// AddStream is an administrator, by mail address, who makes a log stream to Amazon EventBridge. It returns its id.
func (s *Server) AddStream(by, name string) string {
	id, _ := s.add(by, Streams, Outlet{
		ID: s.org.key("0oa", "stream "+name, 17), Type: "aws_eventbridge", Name: name,
		Settings: map[string]string{"accountId": "123456789012", "eventSourceName": "okta-" + name, "region": "eu-west-1"},
	})
	return id
}

// AddHook makes an event hook to an address, which has answered the verification.
func (s *Server) AddHook(by, name, uri string) string {
	id, _ := s.add(by, Hooks, Outlet{
		ID: s.org.key("who", "hook "+name, 17), Name: name, Verification: "VERIFIED", Events: &subscription{"EVENT_TYPE", []string{"user.session.start"}},
		Channel: map[string]any{"type": "HTTP", "version": "1.0.0", "config": map[string]any{
			"uri": uri, "method": "POST", "headers": []any{}, "authScheme": map[string]any{"type": "HEADER", "key": "authorization"},
		}},
	})
	return id
}

func (s *Server) add(by, of string, o Outlet) (id string, raw []byte) {
	now := s.cfg.Tenant.Now().UTC().Truncate(time.Millisecond)
	o.Status, o.Created, o.LastUpdated = "ACTIVE", now, now
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outlets[of] = append(s.outlets[of], o)
	return o.ID, s.told(by, of, "create", &o, now)
}

// Activate activates a stream or a hook, or deactivates it. It returns the event; nil: there is none of that id.
func (s *Server) Activate(by, of, id string, yes bool) (raw []byte) {
	what, status := "deactivate", "INACTIVE"
	if yes {
		what, status = "activate", "ACTIVE"
	}
	return s.change(by, of, what, id, func(o *Outlet) { o.Status = status })
}

// Redirect has a hook call another address, which has not answered the verification yet.
func (s *Server) Redirect(by, id, uri string) (raw []byte) {
	return s.change(by, Hooks, "update", id, func(o *Outlet) {
		o.Verification = "UNVERIFIED"
		o.Channel = map[string]any{"type": "HTTP", "version": "1.0.0", "config": map[string]any{"uri": uri}}
	})
}

func (s *Server) change(by, of, what, id string, set func(*Outlet)) []byte {
	now := s.cfg.Tenant.Now().UTC().Truncate(time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.outlets[of], func(o Outlet) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	o := &s.outlets[of][i]
	set(o)
	o.LastUpdated = now
	return s.told(by, of, what, o, now)
}

// Delete deletes a stream or a hook. It returns the event; nil: there is none of that id.
func (s *Server) Delete(by, of, id string) (raw []byte) {
	raw = s.change(by, of, "delete", id, func(*Outlet) {})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outlets[of] = slices.DeleteFunc(s.outlets[of], func(o Outlet) bool { return o.ID == id })
	return raw
}

// DenySettings takes the right to see streams and hooks from the token's owner, or gives it back.
func (s *Server) DenySettings(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = yes
}

// told makes the event of what was done. The lock is held.
func (s *Server) told(by, of, what string, o *Outlet, at time.Time) []byte {
	a := act{org: &s.org, at: at, RecordType: typeDirectory, UserID: by, ClientIP: s.org.desk(by), ID: fmt.Sprint(of, what, o.ID, len(s.made))}
	kind := map[string]string{Streams: "LogStream", Hooks: "EventHook"}[of]
	e := a.add(0, lives[of][what], what+" "+kind, "SUCCESS", "", party{ID: o.ID, Type: kind, AlternateID: "unknown", DisplayName: o.Name})
	e.Debug.Data["requestUri"] = "/api/v1/" + of
	s.made = append(s.made, e)
	return e.json()
}

// settings are the events of [from, to) of what administrators did to streams and hooks.
func (s *Server) settings(from, to time.Time) (list []*event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.made {
		if !e.at.Before(from) && e.at.Before(to) {
			list = append(list, e)
		}
	}
	return list
}

// show answers with the streams or the hooks of the organization; streams have pages.
func (s *Server) show(of string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g, ok := s.enter(w, r)
		if !ok {
			return
		}
		s.mu.Lock()
		list, closed := slices.Clone(s.outlets[of]), s.closed
		s.mu.Unlock()
		if closed {
			s.refuse(w, http.StatusForbidden, "E0000006", "The token's owner may not do this.")
			return
		}
		q := r.URL.Query()
		if of == Streams {
			if after := q.Get("after"); after != "" {
				list = list[1+slices.IndexFunc(list, func(o Outlet) bool { return o.ID == after }):]
			}
			limit := mostPerPage
			if text := q.Get("limit"); text != "" {
				n, err := strconv.Atoi(text)
				if err != nil || n < 1 || n > 200 {
					s.refuse(w, http.StatusBadRequest, "E0000001", "limit must be a number of 1 to 200.")
					return
				}
				limit = n
			}
			if len(list) > limit {
				list = list[:limit]
				q.Set("after", list[limit-1].ID)
				w.Header().Add("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
			}
		}
		body, err := json.Marshal(append([]Outlet{}, list...))
		if err != nil {
			panic(err) // what we make ourselves
		}
		s.answer(w, g, body)
	}
}
