// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// A trusted key is one that client assertions may be signed with: that of a
// registered certificate (issuer is empty), or that of another issuer whose
// tokens the application trusts (a federated credential).
type trustedKey struct {
	key     crypto.PublicKey
	names   []string // what x5t, x5t#S256 or kid may say
	issuer  string
	subject string
}

// minKeyBits is what the service asks of a certificate's key.
const minKeyBits = 2048

// TrustCertificate registers a certificate of the application.
func (s *Server) TrustCertificate(cert *x509.Certificate) error {
	if k, ok := cert.PublicKey.(*rsa.PublicKey); !ok || k.N.BitLen() < minKeyBits {
		return fmt.Errorf("the certificate's key is not RSA with at least %d bits", minKeyBits)
	}
	one, two := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw)
	enc := base64.RawURLEncoding.EncodeToString
	s.trust(trustedKey{key: cert.PublicKey, names: []string{enc(one[:]), enc(two[:]), fmt.Sprintf("%X", one)}})
	return nil
}

// TrustIssuer registers a federated credential: assertions of that issuer
// about that subject, signed with the key that they name by kid.
func (s *Server) TrustIssuer(issuer, subject, kid string, key crypto.PublicKey) {
	s.trust(trustedKey{key: key, names: []string{kid}, issuer: issuer, subject: subject})
}

func (s *Server) trust(k trustedKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, k)
}

// assertion is what of a JWT is looked at.
type assertion struct {
	header struct {
		Alg     string `json:"alg"`
		X5t     string `json:"x5t"`
		X5tS256 string `json:"x5t#S256"`
		Kid     string `json:"kid"`
	}
	claims struct {
		Aud any     `json:"aud"`
		Iss string  `json:"iss"`
		Sub string  `json:"sub"`
		Jti string  `json:"jti"`
		Nbf float64 `json:"nbf"`
		Exp float64 `json:"exp"`
	}
	signed    []byte
	signature []byte
}

func parseAssertion(text string) (*assertion, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return nil, errors.New("it has not three parts")
	}
	a := &assertion{signed: []byte(parts[0] + "." + parts[1])}
	for i, into := range []any{&a.header, &a.claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			return nil, err
		}
	}
	var err error
	a.signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return a, err
}

// federatedAudience is whom a federated assertion must be meant for.
const federatedAudience = "api://AzureADTokenExchange"

// proveAssertion checks a client assertion against the keys the application
// trusts.
func (s *Server) proveAssertion(text string, audiences []string, now time.Time) *refusedLogin {
	bad := func(number int, why string) *refusedLogin { return &refusedLogin{401, "invalid_client", number, why} }
	a, err := parseAssertion(text)
	if err != nil {
		return bad(50027, "JWT token is invalid or malformed.")
	}
	key := s.keyOf(a)
	if key == nil {
		return bad(700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
	}
	if !verify(key.key, a) {
		return bad(700027, "Client assertion contains an invalid signature.")
	}
	if key.issuer != "" {
		audiences = []string{federatedAudience}
		if a.claims.Iss != key.issuer || a.claims.Sub != key.subject {
			return bad(70021, "No matching federated identity record found for presented assertion.")
		}
	} else if a.claims.Iss != s.clientID || a.claims.Sub != s.clientID {
		return bad(700023, "Client assertion audience, issuer or subject is not the client.")
	}
	if !a.meant(audiences) {
		return bad(700023, "Client assertion audience claim does not match Realm issuer.")
	}
	// The client may not have learned simulated time yet: its own is good too.
	if !a.timely(now) && !a.timely(s.clock.wall()) {
		return bad(700024, "Client assertion is not within its valid time range.")
	}
	return nil
}

func (s *Server) keyOf(a *assertion) *trustedKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.keys {
		for _, name := range s.keys[i].names {
			if name != "" && (a.header.X5t == name || a.header.X5tS256 == name || strings.EqualFold(a.header.Kid, name)) {
				return &s.keys[i]
			}
		}
	}
	return nil
}

func (a *assertion) meant(audiences []string) bool {
	var list []any
	switch aud := a.claims.Aud.(type) {
	case []any:
		list = aud
	default:
		list = []any{aud}
	}
	for _, got := range list {
		for _, want := range audiences {
			if got == want {
				return true
			}
		}
	}
	return false
}

// timely allows the five minutes that the service allows.
func (a *assertion) timely(now time.Time) bool {
	const leeway = 300
	at := float64(now.Unix())
	return a.claims.Exp > at-leeway && a.claims.Nbf < at+leeway
}

func verify(key crypto.PublicKey, a *assertion) bool {
	sum := sha256.Sum256(a.signed)
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch a.header.Alg {
		case "RS256":
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], a.signature) == nil
		case "PS256":
			return rsa.VerifyPSS(key, crypto.SHA256, sum[:], a.signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		}
	case *ecdsa.PublicKey:
		if a.header.Alg != "ES256" || len(a.signature) != 64 {
			return false
		}
		return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(a.signature[:32]), new(big.Int).SetBytes(a.signature[32:]))
	}
	return false
}
