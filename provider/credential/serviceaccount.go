// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"
)

// grantType is that of RFC 7523, section 2.1.
const grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"

// FromServiceAccount uses the key of a service account of Google, the JSON file that Google Cloud gives: its holder may act
// as subject, a user who need not be there, within scopes
// (https://developers.google.com/identity/protocols/oauth2/service-account).
func FromServiceAccount(key Reference, subject, scopes string) Credential {
	return Credential{kind: "service account", ref: key, key: key, subject: subject, scopes: scopes}
}

// serviceAccount is what is needed of the file. Where its token_uri leads is not: the endpoint is the caller's.
type serviceAccount struct {
	Type  string
	Email string `json:"client_email"`
	KeyID string `json:"private_key_id"`
	Key   string `json:"private_key"`
}

// grant makes the JWT that is the grant itself.
func (c Credential) grant(ctx context.Context, audience string, now time.Time) (*Signed, error) {
	secret, err := c.ref.Read(ctx)
	if err != nil {
		return nil, err
	}
	account, key, err := parseServiceAccount([]byte(secret.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", c.ref.name(), err)
	}
	unsigned := segment(map[string]string{"alg": "RS256", "typ": "JWT", "kid": account.KeyID}) + "." + segment(map[string]any{
		"iss": account.Email, "sub": c.subject, "scope": c.scopes, "aud": audience,
		"iat": now.Add(-clockSlack).Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	digest := sha256.Sum256([]byte(unsigned))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		return nil, fmt.Errorf("%s: cannot sign: %w", c, err)
	}
	jwt := NewSecret(unsigned + "." + base64.RawURLEncoding.EncodeToString(signature))
	return &Signed{Form: url.Values{"grant_type": {grantType}, "assertion": {jwt.Reveal()}}, hide: []Secret{jwt}}, nil
}

func parseServiceAccount(text []byte) (account serviceAccount, key *rsa.PrivateKey, err error) {
	switch err := json.Unmarshal(text, &account); {
	case err != nil: // which repeats what it could not read
		return account, nil, errors.New("is not the JSON file of a service account's key")
	case account.Type != "service_account":
		return account, nil, errors.New(`is not the key of a service account: its type must be "service_account"`)
	case account.Email == "" || account.KeyID == "":
		return account, nil, errors.New("lacks client_email or private_key_id: give the JSON file as Google Cloud has made it")
	}
	if key, err = parseKey([]byte(account.Key)); err != nil {
		return account, nil, fmt.Errorf("private_key %w", err)
	}
	return account, key, nil
}
