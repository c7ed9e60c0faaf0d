// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// GraphRoles are the application roles of Microsoft Graph that tokens for it carry, ExchangeRoles those of Exchange Online.
var (
	GraphRoles    = []string{"AuditLog.Read.All", "Directory.Read.All", "IdentityRiskEvent.Read.All", "Application.Read.All", "Organization.Read.All", "User.Read.All", "IdentityRiskyUser.Read.All", "SecurityAlert.Read.All", "SecurityIncident.Read.All", "ExchangeMessageTrace.Read.All", "AuditLogsQuery.Read.All", "AuditLogsQuery-Exchange.Read.All", "AuditLogsQuery-SharePoint.Read.All", "AuditLogsQuery-OneDrive.Read.All", "AuditLogsQuery-Entra.Read.All"}
	ExchangeRoles = []string{"Exchange.ManageAsApp"}
)

// rolesFor are the roles in a token for a resource: what the application was given, and nobody has taken away.
func (s *Server) rolesFor(resource string, now time.Time) (roles []string) {
	switch {
	case strings.Contains(resource, "graph.microsoft"):
		roles = slices.Clone(GraphRoles)
	case strings.Contains(resource, "outlook"):
		roles = slices.Clone(ExchangeRoles)
	case strings.Contains(resource, "management.azure") || strings.Contains(resource, "management.usgov"):
		return nil // Azure asks for roles on its resources, which no token carries
	default:
		roles = s.grantedRoles(now)
	}
	for _, f := range s.feed.faults.Load().byName["no-role"] {
		if f.on(now) {
			roles = slices.DeleteFunc(roles, func(have string) bool { return have == f.word })
		}
	}
	if s.directory != nil {
		app, err := record.ParseGUID(s.clientID)
		roles = slices.DeleteFunc(roles, func(have string) bool { return err == nil && s.directory.Lacks(app, have) })
	}
	return roles
}

// Granted returns the roles that a request's token carries; ok is false if it has none that is good. It is for other
// simulated services of the same tenant.
func (s *Server) Granted(r *http.Request) (roles []string, ok bool) {
	c := s.bearer(r, s.Now())
	if c == nil {
		return nil, false
	}
	return c.Roles, true
}

// Accepts reports whether a token is good now and for an audience. It is for services of the same tenant that do not speak HTTP.
func (s *Server) Accepts(token, audience string) bool {
	now := s.Now()
	s.catchUp(now)
	c := s.read(token, now)
	return c != nil && c.Audience == audience
}

// Happened calls yield for the events of a stream that happened in [from, to) and are over: those of the company's life
// and those of attacks. settled is the end of the slot that offers the event; raw is good until yield returns.
func (s *Server) Happened(st company.Stream, from, to time.Time, yield func(at, settled time.Time, raw []byte) bool) {
	now := s.Now()
	s.catchUp(now)
	f := s.feed
	if from.Before(s.Begin()) {
		from = s.Begin()
	}
	var raw []byte
	for slot := f.slot(from); slot <= f.slot(to); slot++ {
		settled := f.start(slot + 1)
		if settled.After(now) {
			break
		}
		for i := range f.life.Count(st, slot) {
			r := ref{Stream: st, Slot: slot, Index: i}
			if at := f.life.Time(r); !at.Before(from) && at.Before(to) {
				raw = f.life.Append(raw[:0], r)
				if !yield(at, settled, raw) {
					return
				}
			}
		}
	}
	// What attacks leave may be offered with a later slot than its own.
	for k, list := range f.events.all() {
		if settled := f.start(k.slot + 1); k.stream == st && !settled.After(now) {
			for _, e := range list {
				if !e.time.Before(from) && e.time.Before(to) && !yield(e.time, settled, e.raw) {
					return
				}
			}
		}
	}
}

// all returns what attacks have left so far.
func (w *woven) all() map[slotKey][]scripted {
	w.mu.RLock()
	defer w.mu.RUnlock()
	out := make(map[slotKey][]scripted, len(w.slots))
	for k, list := range w.slots {
		out[k] = list
	}
	return out
}
