// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// bearer is the mechanism OAUTHBEARER (RFC 7628) with tokens that end, and may be refused before. The client asks for one for each
// connection, and again when the broker's session ends (KIP-368).
type bearer struct {
	tokens *rest.OAuth

	mu     sync.Mutex
	shown  string    // a token that no broker has accepted yet
	before time.Time // when it counts as refused: nobody tells us, but by closing the connection
}

// patience is how long brokers may take to accept a token.
const patience = time.Second

func (b *bearer) Name() string { return "OAUTHBEARER" }

// Authenticate begins a session. A token that the endpoint refuses us is as one that the broker refuses.
func (b *bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	b.mu.Lock()
	refused := ""
	if b.shown != "" && time.Now().After(b.before) {
		refused = b.shown
	}
	b.mu.Unlock()
	token, err := b.tokens.Token(ctx, refused)
	if errors.Is(err, rest.ErrSpurned) { // the one we have, then: whoever refuses all tokens may have changed their mind
		token, err = b.tokens.Token(ctx, "")
	}
	if err != nil {
		if c := rest.Of(err).Class; c == rest.ClassAuth || c == rest.ClassAdmin {
			err = fmt.Errorf("%w: %w", kerr.SaslAuthenticationFailed, err)
		}
		return nil, nil, err
	}
	b.mu.Lock()
	if b.shown != token {
		b.shown, b.before = token, time.Now().Add(patience)
	}
	b.mu.Unlock()
	s, first, err := oauth.Auth{Token: token}.AsMechanism().Authenticate(ctx, host)
	return &session{s, b, token}, first, err
}

// session is that of one connection.
type session struct {
	sasl.Session
	b     *bearer
	token string
}

// Challenge reads the broker's answer: nothing if it accepts the token.
func (s *session) Challenge(answer []byte) (done bool, reply []byte, err error) {
	done, reply, err = s.Session.Challenge(answer)
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	switch {
	case s.b.shown != s.token:
	case done:
		s.b.shown = ""
		s.b.tokens.Accepted()
	default:
		s.b.before = time.Time{}
	}
	return done, reply, err
}
