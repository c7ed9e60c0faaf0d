// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/m365"
)

// jwt signs claims as a client does.
func jwt(t *testing.T, key crypto.Signer, header, claims map[string]any) string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	h, _ := json.Marshal(header)
	c, _ := json.Marshal(claims)
	text := enc(h) + "." + enc(c)
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	var err error
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		if r, s, err = ecdsa.Sign(rand.Reader, k, sum[:]); err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	default:
		var opts crypto.SignerOpts = crypto.SHA256
		if header["alg"] == "PS256" {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		}
		sig, err = key.Sign(rand.Reader, sum[:], opts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + enc(sig)
}

// TestAssertions proves the client by certificate and by federation.
func TestAssertions(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 1}, 1)
	tenant, id, _ := s.Credentials()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.TrustCertificate(cert); err != nil {
		t.Fatal(err)
	}
	issuer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s.TrustIssuer("https://issuer.example", "system:collector", "k1", &issuer.PublicKey)
	one, two := sha1.Sum(der), sha256.Sum256(der)
	x5t, x5tS256 := base64.RawURLEncoding.EncodeToString(one[:]), base64.RawURLEncoding.EncodeToString(two[:])
	endpoint := r.base + "/" + tenant + "/oauth2/v2.0/token"

	own := func(change map[string]any) map[string]any {
		c := map[string]any{"aud": endpoint, "iss": id, "sub": id, "jti": "1", "nbf": noon.Unix(), "exp": noon.Add(10 * time.Minute).Unix()}
		for k, v := range change {
			c[k] = v
		}
		return c
	}
	theirs := own(map[string]any{"iss": "https://issuer.example", "sub": "system:collector", "aud": []string{"api://AzureADTokenExchange"}})
	head := map[string]any{"alg": "RS256", "x5t": x5t}
	good := jwt(t, key, head, own(nil))
	f := func(name, assertion string, want string) {
		t.Helper()
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {id}, "scope": {"https://manage.office.com/.default"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
		}
		got := r.must("POST", endpoint, form.Encode())
		if want == "" && got.status != 200 || want != "" && !strings.Contains(string(got.body), "AADSTS"+want+":") {
			t.Errorf("%s: %d %s, want %q", name, got.status, got.body, want)
		}
	}
	f("RS256 with x5t", good, "")
	f("PS256 with x5t#S256", jwt(t, key, map[string]any{"alg": "PS256", "x5t#S256": x5tS256}, own(nil)), "")
	f("federated", jwt(t, issuer, map[string]any{"alg": "ES256", "kid": "k1"}, theirs), "")
	f("federated, another subject", jwt(t, issuer, map[string]any{"alg": "ES256", "kid": "k1"}, own(map[string]any{"iss": "https://issuer.example", "aud": "api://AzureADTokenExchange"})), "70021")
	f("federated, meant for another", jwt(t, issuer, map[string]any{"alg": "ES256", "kid": "k1"}, own(map[string]any{"iss": "https://issuer.example", "sub": "system:collector"})), "700023")
	f("our certificate as the issuer's", jwt(t, key, map[string]any{"alg": "RS256", "kid": "k1"}, theirs), "700027")
	f("unknown certificate", jwt(t, key, map[string]any{"alg": "RS256", "x5t": "AAAA"}, own(nil)), "700027")
	f("algorithm none", jwt(t, key, map[string]any{"alg": "none", "x5t": x5t}, own(nil)), "700027")
	f("changed", good[:len(good)-8]+"AAAAAAAA", "700027")
	f("another audience", jwt(t, key, head, own(map[string]any{"aud": "https://elsewhere.example"})), "700023")
	f("another client", jwt(t, key, head, own(map[string]any{"sub": "somebody"})), "700023")
	f("too old", jwt(t, key, head, own(map[string]any{"exp": noon.Add(-6 * time.Minute).Unix()})), "700024")
	f("too early", jwt(t, key, head, own(map[string]any{"nbf": noon.Add(6 * time.Minute).Unix()})), "700024")
	f("garbage", "a.b", "50027")

	small, err := x509.CreateCertificate(rand.Reader, cert, cert, &issuer.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	weak, _ := x509.ParseCertificate(small)
	if err := s.TrustCertificate(weak); err == nil {
		t.Error("a certificate without an RSA key was taken")
	}
}
