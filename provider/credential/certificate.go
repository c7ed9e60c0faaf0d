// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// Algorithm signs an assertion.
type Algorithm uint8

const (
	PS256 Algorithm = iota // with x5t#S256; what the identity platform documents today
	RS256                  // with x5t; what it documented before
)

const (
	minKeyBits    = 2048
	assertionLife = 5 * time.Minute // documented: ten minutes at most
	clockSlack    = time.Minute     // nbf lies so far back, for an endpoint whose clock is behind
)

type keyPair struct {
	leaf *x509.Certificate
	key  *rsa.PrivateKey
}

// assert makes the JWT that says: the holder of this certificate's key is the client.
func (c Credential) assert(ctx context.Context, clientID, audience string, now time.Time) (Secret, error) {
	pair, err := c.load(ctx)
	if err != nil {
		return Secret{}, err
	}
	header := map[string]string{"typ": "JWT"}
	if c.algorithm == RS256 {
		sum := sha1.Sum(pair.leaf.Raw) // a name for the certificate, not a proof
		header["alg"], header["x5t"] = "RS256", base64.RawURLEncoding.EncodeToString(sum[:])
	} else {
		sum := sha256.Sum256(pair.leaf.Raw)
		header["alg"], header["x5t#S256"] = "PS256", base64.RawURLEncoding.EncodeToString(sum[:])
	}
	unsigned := segment(header) + "." + segment(map[string]any{
		"aud": audience, "iss": clientID, "sub": clientID, "jti": newGUID(),
		"iat": now.Unix(), "nbf": now.Add(-clockSlack).Unix(), "exp": now.Add(assertionLife).Unix(),
	})
	digest := sha256.Sum256([]byte(unsigned))
	var signature []byte
	if c.algorithm == RS256 {
		signature, err = rsa.SignPKCS1v15(nil, pair.key, crypto.SHA256, digest[:])
	} else {
		signature, err = rsa.SignPSS(rand.Reader, pair.key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	if err != nil {
		return Secret{}, fmt.Errorf("%s: cannot sign: %w", c, err)
	}
	return NewSecret(unsigned + "." + base64.RawURLEncoding.EncodeToString(signature)), nil
}

// newGUID is how jti is documented.
func newGUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func segment(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("credential: maps of strings and numbers can be marshaled: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// load reads certificate and key, and refuses what cannot work.
func (c Credential) load(ctx context.Context) (keyPair, error) {
	var pair keyPair
	secret, err := c.key.Read(ctx)
	if err != nil {
		return pair, err
	}
	if pair.key, err = parseKey([]byte(secret.Reveal())); err != nil {
		return pair, fmt.Errorf("key %s: %w", c.key.name(), err)
	}
	text := []byte(secret.Reveal())
	if c.ref.String() != c.key.String() {
		if text, err = c.ref.readPublic(ctx); err != nil {
			return pair, err
		}
	}
	if pair.leaf, err = findLeaf(text, pair.key); err != nil {
		return pair, fmt.Errorf("certificate %s: %w", c.ref.name(), err)
	}
	return pair, nil
}

func parseKey(text []byte) (*rsa.PrivateKey, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errors.New("holds no private key in PEM")
		}
		var parsed any
		var err error
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return nil, errors.New("is encrypted: give it in the clear in a file that only its owner can read, or by a command that decrypts it")
		case block.Type == "RSA PRIVATE KEY":
			parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case block.Type == "PRIVATE KEY":
			parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case block.Type == "EC PRIVATE KEY":
			return nil, errors.New("is not an RSA key: the identity platform takes RSA only")
		default:
			continue
		}
		if err != nil {
			return nil, errors.New("cannot be read: it is damaged, or no PKCS #1 or PKCS #8 key")
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, errors.New("is not an RSA key: the identity platform takes RSA only")
		}
		if key.N.BitLen() < minKeyBits {
			return nil, fmt.Errorf("has %d bits and needs %d", key.N.BitLen(), minKeyBits)
		}
		return key, nil
	}
}

// findLeaf returns the certificate of the key, wherever it stands in a chain.
func findLeaf(text []byte, key *rsa.PrivateKey) (*x509.Certificate, error) {
	text = bytes.TrimSpace(text)
	found := false
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		found = true
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("cannot be read: it is damaged")
		}
		if key.PublicKey.Equal(cert.PublicKey) {
			return cert, nil
		}
	}
	if found {
		return nil, errors.New("does not belong to the key: give the two that were made together")
	}
	return nil, errors.New("holds no certificate in PEM")
}
