// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/service"
)

// key is a service account's.
type key struct {
	private *rsa.PrivateKey
	id      string
}

func newKey() (*key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	return &key{private, fmt.Sprintf("%040x", draw(private.N.String()))}, nil
}

func (s *Server) account() string {
	return "daybreak@audit-" + s.word("project", 6) + ".iam.gserviceaccount.example"
}

// Key is the service account's key as Google Cloud gives it: a JSON file, on one line.
func (s *Server) Key() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(s.key.private)
	if err != nil {
		panic(err) // what we have made ourselves
	}
	text, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "audit-" + s.word("project", 6), "private_key_id": s.key.id, "client_email": s.account(),
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "client_id": s.number("client"),
		"token_uri": "https://oauth2.googleapis.com/token",
	})
	if err != nil {
		panic(err)
	}
	return text
}

// Rotate makes a new key, and deletes the old one.
func (s *Server) Rotate() error {
	k, err := newKey()
	if err == nil {
		s.alter(func() { s.key = k })
	}
	return err
}

const (
	grantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	scope     = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
	life      = time.Hour // of a token, in real time, as the API's clients count it
)

// token answers a grant with a token.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	now := s.cfg.Service.Now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	status, answer := http.StatusOK, map[string]any{}
	if word, why := s.judge(r, now); word != "" {
		status = http.StatusBadRequest
		if word == "unauthorized_client" {
			status = http.StatusUnauthorized
		}
		answer["error"], answer["error_description"] = word, why
	} else {
		answer["access_token"], answer["expires_in"], answer["token_type"] = s.give(), int(life.Seconds())-1, "Bearer"
	}
	service.Serve(w, service.Answer, status, answer)
}

// give makes a token.
func (s *Server) give() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.given++
	text := "ya29.simulated-" + s.word(fmt.Sprint("token ", s.given), 40)
	s.tokens[text] = time.Now().Add(life)
	return text
}

// judge says what is wrong with a grant.
func (s *Server) judge(r *http.Request, now time.Time) (word, why string) {
	s.mu.Lock()
	k, scopes := s.key, s.scopes
	s.mu.Unlock()
	parts := strings.Split(r.PostFormValue("assertion"), ".")
	if r.PostFormValue("grant_type") != grantType || len(parts) != 3 {
		return "unsupported_grant_type", "Invalid grant_type."
	}
	var header struct{ Alg, Kid string }
	var claims struct {
		Iss, Sub, Scope, Aud string
		Iat, Exp             int64
	}
	decode := func(i int, into any) bool {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		return err == nil && json.Unmarshal(b, into) == nil
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	timely := func(at time.Time) bool {
		return claims.Iat <= at.Unix()+60 && at.Unix() < claims.Exp
	}
	switch {
	case !decode(0, &header) || !decode(1, &claims) || err != nil:
		return "invalid_grant", "Invalid JWT."
	case claims.Iss != s.account():
		return "invalid_grant", "Invalid grant: account not found"
	case header.Alg != "RS256" || header.Kid != k.id || rsa.VerifyPKCS1v15(&k.private.PublicKey, crypto.SHA256, digest[:], signature) != nil:
		return "invalid_grant", "Invalid JWT Signature."
	case !strings.HasSuffix(claims.Aud, "/token"):
		return "invalid_grant", "Invalid JWT: audience"
	// The client may not have learned simulated time yet: its own is good too.
	case claims.Exp-claims.Iat > 3600 || !timely(now) && !timely(time.Now()):
		return "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
	case !scopes || !slices.Equal(strings.Fields(claims.Scope), []string{scope}):
		return "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."
	case !s.isPerson(claims.Sub):
		return "invalid_grant", "Invalid email or User ID"
	}
	return "", ""
}

func (s *Server) isPerson(mail string) bool {
	_, ok := s.cfg.Service.Company.Find(mail)
	return ok
}

// allowed tells whether a request has a token that is good.
func (s *Server) allowed(r *http.Request) bool {
	text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	end, ok := s.tokens[text]
	return ok && time.Now().Before(end)
}
