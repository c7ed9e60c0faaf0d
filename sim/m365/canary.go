// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Each token that the endpoint gives out is a sign-in in the tenant's log, as in the real one: of the collector's
// application, and of a second one for canaries, which may sign in, change one group, put files into one library, and use
// one mailbox. Only for the library do its tokens carry a permission. Tokens that the endpoint refuses leave no trace,
// which differs from the service.

var canaryRoles = []string{"Sites.Selected"}

// Canary returns what a client needs to sign the second application in.
func (s *Server) Canary() (clientID, secret string) {
	return record.Hash(s.seed, uint64(forIdentity), 1<<40).String(), record.Hash(s.seed, uint64(forIdentity), 1<<40+1).String()
}

// SignIns are those of applications at the token endpoint, oldest first.
func (s *Server) SignIns() []directory.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.signIns)
}

// CanarySignIns are the sign-ins of the second application, oldest first.
func (s *Server) CanarySignIns() []directory.Token {
	canary, _ := s.Canary()
	return slices.DeleteFunc(s.SignIns(), func(t directory.Token) bool { return t.AppID.String() != canary })
}

// UniqueToken is how tokens and logs name a sign-in: the claim uti, and uniqueTokenIdentifier.
func UniqueToken(id record.GUID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// signIn notes the sign-in of an application and returns the token's identifier.
func (s *Server) signIn(client, address string, now time.Time, life time.Duration) string {
	app, err := record.ParseGUID(client)
	if err != nil {
		panic("m365: an id that is none: " + err.Error())
	}
	principal := s.canaryPrincipal()
	if client == s.clientID {
		principal = record.Hash(s.seed, uint64(forIdentity), idPrincipal)
	}
	t := directory.Token{
		ID: record.Hash(s.seed, uint64(forIdentity)<<8, s.serial.Add(1)), AppID: app, Principal: principal,
		Address: address, Issued: now, Expires: now.Add(life),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signIns = append(s.signIns, t)
	return UniqueToken(t.ID)
}

func (s *Server) canaryPrincipal() record.GUID {
	return record.Hash(s.seed, uint64(forIdentity), 1<<40+2)
}

// CanaryBy returns who asks, if it is the second application with a token that is good.
func (s *Server) CanaryBy(r *http.Request) (by directory.By, ok bool) {
	now := s.Now()
	id, _ := s.Canary()
	c := s.bearer(r, now)
	if c == nil || c.App != id {
		return by, false
	}
	app, err := record.ParseGUID(id)
	if err != nil {
		panic("m365: an id that is none: " + err.Error())
	}
	s.directory.JoinCanary(app, s.canaryPrincipal())
	by = directory.By{Actor: s.canaryPrincipal(), UserAgent: r.UserAgent(), Time: now}
	by.Address, _, _ = net.SplitHostPort(r.RemoteAddr)
	if token, err := base64.RawURLEncoding.DecodeString(c.Unique); err == nil {
		copy(by.Session[:], token)
	}
	return by, true
}

// Act does something in the tenant now. What it leaves in the log is offered with the slot after the present one, which may
// be offered at any moment.
func (s *Server) Act(do func(d *directory.Directory) ([]directory.Record, error)) error {
	s.catchUp(s.Now())
	records, err := do(s.directory)
	for _, r := range records {
		s.feed.events.add(r.Stream, s.feed.slot(s.Now())+1, scripted{r.Time, r.ID, r.Raw, ""})
	}
	return err
}
