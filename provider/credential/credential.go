// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package credential proves to an OAuth 2.0 token endpoint who we are, without ever
// holding a secret longer than a request takes.
//
// Configurations name secrets by [Reference] (an environment variable, a file, a
// command), never by value. A [Credential] reads them anew each time it is asked
// to [Credential.Sign] a token request, so that a rotated secret needs no restart
// and a federated token may live for minutes. It is one of
//
//   - a client secret,
//   - a certificate with its RSA key, for an assertion as the Microsoft identity platform
//     documents it (a JWT signed with PS256 and named by x5t#S256; RS256 and x5t where an
//     older endpoint wants them),
//   - a token of another identity provider that the application trusts (workload
//     identity federation),
//   - the key of a service account of Google, for a grant in another user's name (a JWT signed with RS256).
//
// What is read is wrapped in [Secret], which prints as "[redacted]" whatever prints it.
// Errors name the reference and what is wrong with it, never the content. Garbage (an
// empty file, a key of another certificate, a key under 2048 bits, control characters,
// a command that prints without end) is refused with a sentence.
//
// Holes: strings cannot be wiped in Go, so a secret stays in memory until the collector
// of garbage reuses it; a variable of the environment can be read by whoever may read
// /proc/PID/environ. Prefer a certificate or a federated token.
package credential

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Credential is one way to prove who we are. Its zero value proves nothing.
type Credential struct {
	kind      string
	ref, key  Reference
	algorithm Algorithm

	subject, scopes string // of a service account
}

// FromSecret uses a client secret.
func FromSecret(ref Reference) Credential { return Credential{kind: "secret", ref: ref} }

// FromToken uses the token of another identity provider, as a workload finds it in a file.
func FromToken(ref Reference) Credential { return Credential{kind: "federated token", ref: ref} }

// FromCertificate uses a certificate and its key, both PEM. A zero key means that the
// key is found beside the certificate. The zero algorithm is [PS256].
func FromCertificate(certificate, key Reference, a Algorithm) Credential {
	if key.IsZero() {
		key = certificate
	}
	return Credential{kind: "certificate", ref: certificate, key: key, algorithm: a}
}

// Kind is "secret", "certificate", "federated token", "service account" or "".
func (c Credential) Kind() string { return c.kind }

// String says where the credential comes from.
func (c Credential) String() string { return strings.TrimSpace(c.kind + " " + c.ref.name()) }

// LogValue logs what String says.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Signed is what a token request needs besides its grant, or the grant as well: then grant_type is among it.
type Signed struct {
	Form url.Values // holds secrets
	hide []Secret
}

// Hide replaces what must not be printed in text.
func (s *Signed) Hide(text string) string {
	for _, secret := range s.hide {
		text = secret.Hide(text)
		if escaped := url.QueryEscape(secret.Reveal()); escaped != "" {
			text = strings.ReplaceAll(text, escaped, redacted)
		}
	}
	return text
}

// Sign reads the credential and returns the form values that prove it to the token
// endpoint at audience. now is the endpoint's time. A service account's clientID is in its key.
func (c Credential) Sign(ctx context.Context, clientID, audience string, now time.Time) (*Signed, error) {
	if c.kind == "certificate" {
		jwt, err := c.assert(ctx, clientID, audience, now)
		if err != nil {
			return nil, err
		}
		return assertion(jwt), nil
	}
	if c.kind == "service account" {
		return c.grant(ctx, audience, now)
	}
	if c.kind == "" {
		return nil, errors.New("no credential is configured: give a secret, a certificate or a federated token")
	}
	secret, err := c.ref.Read(ctx)
	if err != nil {
		return nil, err
	}
	if strings.ContainsFunc(secret.Reveal(), func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		return nil, fmt.Errorf("%s: holds control characters or more than one line", c)
	}
	if c.kind == "federated token" {
		return assertion(secret), nil
	}
	return &Signed{Form: url.Values{"client_secret": {secret.Reveal()}}, hide: []Secret{secret}}, nil
}

func assertion(jwt Secret) *Signed {
	return &Signed{Form: url.Values{"client_assertion_type": {assertionType}, "client_assertion": {jwt.Reveal()}}, hide: []Secret{jwt}}
}

// Expires is when the credential ends, zero where it does not say: a certificate
// does; the end of a client secret is known only to the directory.
func (c Credential) Expires(ctx context.Context) (time.Time, error) {
	if c.kind != "certificate" {
		return time.Time{}, nil
	}
	pair, err := c.load(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return pair.leaf.NotAfter, nil
}

// warnings are the days before a credential's end on which people want to hear of it.
var warnings = []int{3, 14, 30}

// Warning returns 30, 14 or 3 if no more than so many days are left until the
// credential ends, 0 if it has ended, and ok if there is something to say.
func Warning(expires, now time.Time) (days int, ok bool) {
	if expires.IsZero() {
		return 0, false
	}
	left := expires.Sub(now)
	if left <= 0 {
		return 0, true
	}
	for _, days := range warnings {
		if left <= time.Duration(days)*24*time.Hour {
			return days, true
		}
	}
	return 0, false
}
