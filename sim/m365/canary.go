// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"encoding/base64"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// A second application of the tenant, without any permission: to sign in is all that it can do. Its tokens are refused by
// every API for what they do not carry, and each of its sign-ins is in the tenant's log. The collector's own sign-ins, which
// the real log shows as well, are not; its credential is the secret.

// Canary returns what a client needs to sign the second application in.
func (s *Server) Canary() (clientID, secret string) {
	return record.Hash(s.seed, uint64(forIdentity), 1<<40).String(), record.Hash(s.seed, uint64(forIdentity), 1<<40+1).String()
}

// CanarySignIns are the sign-ins of the second application, oldest first.
func (s *Server) CanarySignIns() []directory.Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.canaries)
}

// UniqueToken is how tokens and logs name a sign-in: the claim uti, and uniqueTokenIdentifier.
func UniqueToken(id record.GUID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// signInCanary notes a sign-in and returns the token's identifier.
func (s *Server) signInCanary(address string, now time.Time, life time.Duration) string {
	id, _ := s.Canary()
	app, err := record.ParseGUID(id)
	if err != nil {
		panic("m365: an id that is none: " + err.Error())
	}
	t := directory.Token{
		ID: record.Hash(s.seed, uint64(forIdentity)<<8, s.serial.Add(1)), AppID: app, Principal: record.Hash(s.seed, uint64(forIdentity), 1<<40+2),
		Address: address, Issued: now, Expires: now.Add(life),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.canaries = append(s.canaries, t)
	return UniqueToken(t.ID)
}
