// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Static is an [Auth] of APIs that take a token as it is, which somebody has made for us: there is no endpoint to get one
// from. It is read when it is first needed, and anew when the API refuses it, so that one that was exchanged counts without
// a restart, and a program may mint one that ends. A refused token is not sent again until a pause is over that doubles.
type Static struct {
	api    string
	scheme string
	ref    credential.Reference
	turn   chan struct{} // held while the reference is read

	mu      sync.Mutex
	have    credential.Secret
	spurned string // the newest token that the API has refused
	spurn   rest
}

// NewStatic returns what authorizes with the token that ref leads to: "Authorization: scheme token". api is for errors.
func NewStatic(api, scheme string, ref credential.Reference) *Static {
	return &Static{api: api, scheme: scheme, ref: ref, turn: make(chan struct{}, 1)}
}

// Header is what goes into Authorization.
func (s *Static) Header(token string) string { return s.scheme + " " + token }

// Current is the token.
func (s *Static) Current() credential.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have
}

// Expires is zero: a token does not say when it ends.
func (s *Static) Expires() time.Time { return time.Time{} }

// Accepted tells that the API has taken the token.
func (s *Static) Accepted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spurned, s.spurn = "", rest{}
}

// Token returns the token, another one than refused.
func (s *Static) Token(ctx context.Context, refused string) (string, error) {
	if text := s.Current().Reveal(); text != "" && text != refused && !s.isSpurned(text) {
		return text, nil
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-s.turn }()
	if text := s.Current().Reveal(); text != "" && text != refused && !s.isSpurned(text) {
		return text, nil // somebody has read it meanwhile
	}
	text, err := s.read(ctx)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.have = credential.NewSecret(text)
	switch {
	case text == refused:
		if s.spurned != text || s.spurn.left() == 0 {
			s.spurned = text
			s.spurn.begin(0)
		}
	case text != s.spurned || s.spurn.left() == 0:
		return text, nil
	}
	return "", &Error{
		API: s.api, Op: OpToken, Status: http.StatusUnauthorized, Class: ClassAuth, RetryAfter: s.spurn.left(),
		Message: "the API does not accept the token",
		Action:  "make a new token and put it where the old one was (" + s.where() + "); it is read again at the next try, without a restart",
	}
}

func (s *Static) isSpurned(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return text == s.spurned
}

// where says what leads to the token, for people.
func (s *Static) where() string { return credential.FromSecret(s.ref).String() }

// read reads the reference. What a header cannot carry is no token.
func (s *Static) read(ctx context.Context) (string, error) {
	refuse := func(message string, err error) error {
		return &Error{API: s.api, Op: OpToken, Class: ClassAuth, Message: Clip(message, MaxMessage), Action: "correct the token; it is read again at the next try, without a restart", Err: err}
	}
	secret, err := s.ref.Read(ctx)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", refuse(err.Error(), err)
	}
	text := strings.TrimSpace(secret.Reveal())
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "", refuse("the "+s.where()+" holds characters that no token has", nil)
	}
	return text, nil
}
