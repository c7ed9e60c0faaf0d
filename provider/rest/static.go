// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Static authorizes with a token that somebody has made and that is kept where a reference says. It is read when it is
// first needed, and again when the API has refused it: a token that was replaced needs no restart.
type Static struct {
	api, scheme string
	ref         credential.Reference

	turn chan struct{} // holds one while the reference is read

	mu    sync.Mutex
	have  credential.Secret
	bad   credential.Secret // the API did not accept it
	spurn rest              // after that
}

// NewStatic returns the tokens that a reference names. scheme is what stands before one in Authorization, and api the name
// of the API in errors. It reads nothing yet.
func NewStatic(api, scheme string, ref credential.Reference) *Static {
	return &Static{api: api, scheme: scheme, ref: ref, turn: make(chan struct{}, 1)}
}

// Header is the Authorization of a token.
func (s *Static) Header(token string) string { return s.scheme + " " + token }

// Expires is not known.
func (s *Static) Expires() time.Time { return time.Time{} }

// Current is the newest token.
func (s *Static) Current() credential.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have
}

// Accepted tells that the API has taken the token.
func (s *Static) Accepted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad, s.spurn = credential.Secret{}, rest{}
}

// Token returns the token. refused is one that the API did not accept; as long as the reference names no other, it is given
// out ever more rarely.
func (s *Static) Token(ctx context.Context, refused string) (string, error) {
	if text, ok := s.look(refused); ok {
		return text, nil
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-s.turn }()
	if text, ok := s.look(refused); ok { // it came while we waited
		return text, nil
	}
	fresh, err := s.ref.Read(ctx)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err == nil && strings.ContainsFunc(fresh.Reveal(), func(r rune) bool { return r <= 0x20 || r >= 0x7f }):
		err = errors.New("the token holds blanks, control characters or more than one line")
	}
	if err != nil {
		return "", &Error{API: s.api, Op: "token", Message: Clip(err.Error(), MaxMessage), Action: "correct the token; it is read again at the next try, without a restart", Class: ClassAuth, Err: err}
	}
	return s.keep(fresh, refused)
}

// look returns the token if it may be used without reading it anew.
func (s *Static) look(refused string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.have.Reveal()
	return text, text != "" && text != refused && text != s.bad.Reveal()
}

// keep takes up what was read, unless it is what the API refuses.
func (s *Static) keep(fresh credential.Secret, refused string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.have = fresh
	text := fresh.Reveal()
	switch {
	case text == refused:
		s.bad = fresh
		s.spurn.begin(0)
	case text != s.bad.Reveal():
		return text, nil
	case s.spurn.left() == 0:
		return text, nil // it may be good by now
	}
	m := Statuses[http.StatusUnauthorized]
	return "", &Error{
		API: s.api, Op: "token", Status: http.StatusUnauthorized, Class: m.Class, Message: "the API does not accept the token",
		Action: "make a new token and put it in the old one's place; it is read again without a restart", RetryAfter: s.spurn.left(),
	}
}
