// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package credential_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/gob"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

const (
	app      = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	endpoint = "https://login.example/tenant/oauth2/v2.0/token"
	text     = "Zx8~tops3cret.value"
)

func ref(t *testing.T, s string) credential.Reference {
	t.Helper()
	r, err := credential.ParseReference(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return r
}

// file writes a file and returns a reference to it.
func file(t *testing.T, mode fs.FileMode, content string) credential.Reference {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return ref(t, "file:"+path)
}

// script writes a program and returns its path.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReferencesReadWhatTheyName(t *testing.T) {
	t.Setenv("DAYBREAK_TEST_SECRET", text)
	hello := script(t, `printf '%s\n' "$1$2"`)
	for _, r := range []credential.Reference{
		ref(t, "env:DAYBREAK_TEST_SECRET"),
		file(t, 0o600, text),
		file(t, 0o400, text+"\r\n"),
		ref(t, "command:"+hello+" "+text),
		ref(t, fmt.Sprintf(`command:[%q,"",%q]`, hello, text)),
	} {
		got, err := r.Read(t.Context())
		if err != nil || got.Reveal() != text {
			t.Errorf("%s: %q, %v", r, got.Reveal(), err)
		}
		var again credential.Reference
		written, err := r.MarshalText()
		if err != nil || again.UnmarshalText(written) != nil || again.String() != r.String() {
			t.Errorf("%s is written as %s", r, written)
		}
	}
}

func TestReferencesThatCannotBe(t *testing.T) {
	for in, want := range map[string]string{
		text:                      "given by reference",
		"":                        "given by reference",
		"vault:" + text:           "given by reference",
		"https://u:" + text + "@": "given by reference",
		"env:":                    "names nothing",
		"env:A=" + text:           "name of an environment variable",
		"file:":                   "names nothing",
		"file:a\x00b":             "names nothing",
		"command:vault read x":    "whole path",
		"command:/bin/x 'a b'":    "not run by a shell",
		"command:/bin/x | y":      "not run by a shell",
		"command:/bin/x $HOME":    "not run by a shell",
		`command:["/bin/x"`:       "JSON array",
		`command:[1]`:             "JSON array",
		`command:[]`:              "whole path",
		"command:   ":             "whole path",
	} {
		_, err := credential.ParseReference(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "tops3cret") {
			t.Errorf("%q: the error repeats it: %v", in, err)
		}
	}
}

func TestReferencesThatCannotBeRead(t *testing.T) {
	defer credential.SetCommandTime(200 * time.Millisecond)()
	missing := filepath.Join(t.TempDir(), "none")
	for name, c := range map[string]struct {
		r    credential.Reference
		want string
	}{
		"not set":       {ref(t, "env:DAYBREAK_TEST_UNSET"), "env:DAYBREAK_TEST_UNSET: the environment variable is not set"},
		"no file":       {ref(t, "file:"+missing), "no such file"},
		"open to all":   {file(t, 0o644, text), "make it 0600"},
		"open to group": {file(t, 0o640, text), "make it 0600"},
		"empty":         {file(t, 0o600, "\n\r\n"), "is empty"},
		"too long":      {file(t, 0o600, strings.Repeat("x", 64<<10+1)), "longer than 65536 bytes"},
		"fails":         {ref(t, "command:"+script(t, "echo "+text+" >&2; exit 3")+" "+text), "exit status 3"},
		"no program":    {ref(t, "command:"+missing+" "+text), "cannot be run"},
		"endless":       {ref(t, "command:"+script(t, "while :; do echo "+text+"; done")), "prints more than"},
		"hangs":         {ref(t, "command:"+script(t, "sleep 1000 & wait")), "has not ended within"},
		"nothing":       {credential.Reference{}, "no secret is configured"},
	} {
		got, err := c.r.Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v; want %q", name, got.Reveal(), err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "tops3cret") {
			t.Errorf("%s: the error says the secret: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ref(t, "command:"+script(t, "echo x")).Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

// TestSecretsNeverPrintThemselves tries every way to print that there is in the library.
func TestSecretsNeverPrintThemselves(t *testing.T) {
	s := credential.NewSecret(text)
	type inside struct {
		S credential.Secret
		P *credential.Secret
		M map[string]credential.Secret
		L []credential.Secret
		u credential.Secret
	}
	in := inside{s, &s, map[string]credential.Secret{"k": s}, []credential.Secret{s}, s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%U", "%10v"} {
		for _, v := range []any{s, &s, in, &in, []any{s}, struct{ any }{s}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).With("s", s).Info("m", "s", s, "p", &s, "in", in, "err", fmt.Errorf("%w of %v", errors.ErrUnsupported, s), slog.Group("g", "s", s))
	}
	if err := json.NewEncoder(&out).Encode(in); err != nil {
		t.Error(err)
	}
	if err := gob.NewEncoder(&out).Encode(struct{ S credential.Secret }{s}); err != nil {
		t.Error(err)
	}
	fmt.Fprint(&out, in.u, errors.Join(fmt.Errorf("%v", s)))
	forms := []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), fmt.Sprintf("%d", []byte(text)), base64.StdEncoding.EncodeToString([]byte(text))}
	for _, form := range forms {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret was printed as %s", form)
		}
	}
	if n := strings.Count(out.String(), "[redacted]"); n < 50 {
		t.Errorf("only %d placeholders:\n%s", n, out.String())
	}
	if got := s.Hide("a " + text + " b"); got != "a [redacted] b" {
		t.Error(got)
	}
	if none := (credential.Secret{}); !none.Empty() || none.Reveal() != "" || none.Hide("a") != "a" {
		t.Error("an empty secret is not empty")
	}
}

func TestASecretIsReadAnewEachTime(t *testing.T) {
	r := file(t, 0o600, "first")
	for kind, c := range map[string]credential.Credential{"client_secret": credential.FromSecret(r), "client_assertion": credential.FromToken(r)} {
		for _, value := range []string{"second", "third&=%"} {
			if err := os.WriteFile(strings.TrimPrefix(r.String(), "file:"), []byte(value+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			signed, err := c.Sign(t.Context(), app, endpoint, time.Now())
			if err != nil || signed.Form.Get(kind) != value {
				t.Fatalf("%s: %v", kind, err)
			}
			if typ := signed.Form.Get("client_assertion_type"); kind == "client_assertion" && typ != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
				t.Errorf("assertion type %q", typ)
			}
			if got := signed.Hide("echo: " + signed.Form.Encode() + " " + value); strings.Contains(got, value) || strings.Contains(got, "third") {
				t.Errorf("hidden as %s", got)
			}
		}
		if end, err := c.Expires(t.Context()); !end.IsZero() || err != nil {
			t.Errorf("%s expires %v, %v", kind, end, err)
		}
	}
}

func TestSecretsThatNoSecretCanBe(t *testing.T) {
	for _, bad := range []string{"a\nb", "a\x00b", "a\tb", "\x7f"} {
		c := credential.FromSecret(file(t, 0o600, bad))
		if _, err := c.Sign(t.Context(), app, endpoint, time.Now()); err == nil || !strings.Contains(err.Error(), "control characters") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := (credential.Credential{}).Sign(t.Context(), app, endpoint, time.Now()); err == nil || !strings.Contains(err.Error(), "no credential is configured") {
		t.Errorf("no credential: %v", err)
	}
}

// keys are made once: it takes long.
var (
	goodKey  = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
	otherKey = sync.OnceValue(func() *rsa.PrivateKey { return newKey(2048) })
)

func newKey(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

var notAfter = time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)

func certificate(t *testing.T, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "daybreak"},
		NotBefore: notAfter.AddDate(-1, 0, 0), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

func decode(t *testing.T, segment string) map[string]any {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAssertionsAreWhatTheIdentityPlatformDocuments(t *testing.T) {
	cert := certificate(t, goodKey())
	chain := block("CERTIFICATE", certificate(t, otherKey()).Raw) + block("CERTIFICATE", cert.Raw)
	keys := map[string]string{"PKCS #8": pkcs8(t, goodKey()), "PKCS #1": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(goodKey()))}
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	for name, key := range keys {
		for _, algorithm := range []credential.Algorithm{credential.PS256, credential.RS256} {
			for _, c := range []credential.Credential{
				credential.FromCertificate(file(t, 0o644, chain), file(t, 0o600, key), algorithm),
				credential.FromCertificate(file(t, 0o600, key+chain), credential.Reference{}, algorithm),
			} {
				signed, err := c.Sign(t.Context(), app, endpoint, now)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				parts := strings.Split(signed.Form.Get("client_assertion"), ".")
				if len(parts) != 3 {
					t.Fatalf("%d parts", len(parts))
				}
				signature, err := base64.RawURLEncoding.DecodeString(parts[2])
				if err != nil {
					t.Fatal(err)
				}
				digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
				header, claims := decode(t, parts[0]), decode(t, parts[1])
				if algorithm == credential.PS256 {
					sum := sha256.Sum256(cert.Raw)
					if header["alg"] != "PS256" || header["x5t#S256"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
						t.Errorf("header %v", header)
					}
					err = rsa.VerifyPSS(&goodKey().PublicKey, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
				} else {
					sum := sha1.Sum(cert.Raw)
					if header["alg"] != "RS256" || header["x5t"] != base64.RawURLEncoding.EncodeToString(sum[:]) {
						t.Errorf("header %v", header)
					}
					err = rsa.VerifyPKCS1v15(&goodKey().PublicKey, crypto.SHA256, digest[:], signature)
				}
				if err != nil {
					t.Errorf("signature: %v", err)
				}
				if claims["aud"] != endpoint || claims["iss"] != app || claims["sub"] != app || !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(claims["jti"].(string)) {
					t.Errorf("claims %v", claims)
				}
				nbf, exp := int64(claims["nbf"].(float64)), int64(claims["exp"].(float64))
				if nbf > now.Unix() || exp <= now.Unix() || exp-nbf > 600 {
					t.Errorf("valid from %d to %d at %d", nbf, exp, now.Unix())
				}
				again, _ := c.Sign(t.Context(), app, endpoint, now)
				if decode(t, strings.Split(again.Form.Get("client_assertion"), ".")[1])["jti"] == claims["jti"] {
					t.Error("jti is used twice")
				}
				if end, err := c.Expires(t.Context()); err != nil || !end.Equal(notAfter) {
					t.Errorf("expires %v, %v", end, err)
				}
			}
		}
	}
}

func TestCertificatesThatCannotWork(t *testing.T) {
	good := block("CERTIFICATE", certificate(t, goodKey()).Raw)
	key := pkcs8(t, goodKey())
	weak := newKey(1024)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curveDER, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cert, key string
		keyMode   fs.FileMode
		want      string
	}{
		"key open":     {good, key, 0o644, "make it 0600"},
		"other key":    {good, pkcs8(t, otherKey()), 0o600, "does not belong to the key"},
		"weak key":     {block("CERTIFICATE", certificate(t, weak).Raw), pkcs8(t, weak), 0o600, "has 1024 bits and needs 2048"},
		"curve":        {good, pkcs8(t, curve), 0o600, "RSA only"},
		"old curve":    {good, block("EC PRIVATE KEY", curveDER), 0o600, "RSA only"},
		"encrypted":    {good, block("ENCRYPTED PRIVATE KEY", []byte("x")), 0o600, "is encrypted"},
		"damaged key":  {good, block("PRIVATE KEY", []byte("x")), 0o600, "cannot be read"},
		"no key":       {good, good, 0o600, "no private key"},
		"no PEM":       {good, text, 0o600, "no private key"},
		"no cert":      {text, key, 0o600, "no certificate"},
		"damaged cert": {block("CERTIFICATE", []byte("x")), key, 0o600, "damaged"},
		"huge cert":    {strings.Repeat("x", 70<<10), key, 0o600, "longer than"},
	} {
		cred := credential.FromCertificate(file(t, 0o644, c.cert), file(t, c.keyMode, c.key), credential.PS256)
		_, err := cred.Sign(t.Context(), app, endpoint, time.Now())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := cred.Expires(t.Context()); err == nil {
			t.Errorf("%s: has an end", name)
		}
		if err != nil && (strings.Contains(err.Error(), "tops3cret") || strings.Contains(err.Error(), "PRIVATE KEY")) {
			t.Errorf("%s: the error repeats the content: %v", name, err)
		}
	}
}

func TestWarnsBeforeTheEnd(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct {
		left time.Duration
		days int
		ok   bool
	}{
		{31 * day, 0, false},
		{30*day + 1, 0, false},
		{30 * day, 30, true},
		{15 * day, 30, true},
		{14 * day, 14, true},
		{3*day + 1, 14, true},
		{3 * day, 3, true},
		{1, 3, true},
		{0, 0, true},
		{-day, 0, true},
	} {
		if days, ok := credential.Warning(now.Add(c.left), now); days != c.days || ok != c.ok {
			t.Errorf("%v before the end: %d, %v; want %d, %v", c.left, days, ok, c.days, c.ok)
		}
	}
	if _, ok := credential.Warning(time.Time{}, now); ok {
		t.Error("a warning for what has no end")
	}
}

func TestCredentialsSayWhereTheyComeFrom(t *testing.T) {
	c := credential.FromSecret(ref(t, "command:/bin/echo "+text))
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "c", c)
	fmt.Fprint(&out, c)
	if got := out.String(); strings.Contains(got, "tops3cret") || !strings.Contains(got, "secret command:/bin/echo …") {
		t.Error(got)
	}
	if c.Kind() != "secret" {
		t.Error(c.Kind())
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"env:A", "file:/a b", `command:["/a","b c"]`, "command:/a b", "x", "env:A=b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, err := credential.ParseReference(in)
		if err != nil {
			// Whatever does not parse may be the secret itself.
			if len(in) > 12 && strings.Contains(err.Error(), in) {
				t.Fatalf("the error repeats %q: %v", in, err)
			}
			return
		}
		again, err := credential.ParseReference(r.String())
		if err != nil || again.String() != r.String() || r.String() != in {
			t.Fatalf("%q is written as %q: %v", in, r.String(), err)
		}
	})
}
