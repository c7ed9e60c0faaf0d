// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// shown is what a record says of the token that it was done with.
type shown struct {
	UserID, UserKey, ClientIP, ClientIPAddress, OrganizationID string
	UserType                                                   int
	AppAccessContext                                           struct{ AADSessionID, UniqueTokenID, ClientAppID, IssuedAtTime string }
}

// longest is how long after it was given out a token is used here: no longer than two hours.
const longest = 2 * time.Hour

// tokens shows the sign-ins that gave out, in the window of a query, the tokens that records name: those of applications by
// themselves, or those of people, whom nobody asked anything.
func (s *Server) tokens(q query, self bool, show func(string, time.Time, time.Time, map[string]any)) {
	if !s.cfg.Tokens {
		return
	}
	seen := map[string]bool{}
	for _, t := range s.cfg.Tenant.Directory().Tokens() { // these have their rows
		seen[token64(t.ID)] = true
	}
	for _, st := range company.Streams {
		s.cfg.Tenant.Happened(st, q.from, q.to.Add(longest), func(at, settled time.Time, raw []byte) bool {
			var a shown
			if json.Unmarshal(raw, &a) != nil {
				return true
			}
			c := &a.AppAccessContext
			if c.UniqueTokenID == "" || seen[c.UniqueTokenID] || self != (c.AADSessionID == "") {
				return true
			}
			issued, told := a.issued(at)
			if told { // of those that do not say, each has its own
				seen[c.UniqueTokenID] = true
			}
			if !issued.Before(q.from) && issued.Before(q.to) {
				show(map[bool]string{false: "signIns", true: "signIns.servicePrincipal"}[self], issued, settled, a.row(issued, self))
			}
			return true
		})
	}
}

// issued is when the token was given out. told: the record says so.
func (a *shown) issued(used time.Time) (at time.Time, told bool) {
	at, err := time.Parse("2006-01-02T15:04:05", a.AppAccessContext.IssuedAtTime)
	if err != nil {
		return used.Add(-30 * time.Second), false
	}
	return at, true
}

// TokenSignIn makes the signIn object in which the token was given out that a record shows, which was used at a moment; nil
// if it shows none, or one that the directory knows.
func TokenSignIn(raw []byte, used time.Time, d *directory.Directory) map[string]any {
	var a shown
	if json.Unmarshal(raw, &a) != nil || a.AppAccessContext.UniqueTokenID == "" {
		return nil
	}
	for _, t := range d.Tokens() { // these have their rows
		if token64(t.ID) == a.AppAccessContext.UniqueTokenID {
			return nil
		}
	}
	issued, _ := a.issued(used)
	return a.row(issued, a.AppAccessContext.AADSessionID == "")
}

func token64(id record.GUID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// row makes the signIn object of a token that somebody used.
func (a *shown) row(issued time.Time, self bool) map[string]any {
	c := &a.AppAccessContext
	address := a.ClientIP
	if address == "" {
		address = a.ClientIPAddress
	}
	r := map[string]any{
		"id": record.HashText(c.UniqueTokenID + stamp(issued)).String(), "createdDateTime": stamp(issued), "appId": c.ClientAppID, "ipAddress": address,
		"isInteractive": false, "uniqueTokenIdentifier": c.UniqueTokenID, "conditionalAccessStatus": "notApplied", "incomingTokenType": "refreshToken",
		"homeTenantId": a.OrganizationID, "resourceTenantId": a.OrganizationID, "status": map[string]any{"errorCode": 0},
	}
	if self {
		r["servicePrincipalId"], r["signInEventTypes"] = a.UserKey, []string{"servicePrincipal"}
		return r
	}
	r["userPrincipalName"], r["userId"] = a.UserID, record.HashText(a.UserID).String()
	r["sessionId"], r["signInEventTypes"], r["clientAppUsed"] = c.AADSessionID, []string{"nonInteractiveUser"}, "Mobile Apps and Desktop clients"
	return r
}
