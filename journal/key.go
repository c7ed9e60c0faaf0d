// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/mod/sumdb/note"

	"github.com/daybreak-sec/daybreak/internal/durable"
)

// key is one signing key of the log. It implements note.Signer, and refuses to
// sign a checkpoint that is larger than its reach: a key that is being replaced
// must not sign for the entry that replaces it, nor for anything after it.
type key struct {
	note.Signer
	vkey  string
	raw   ed25519.PrivateKey
	reach atomic.Uint64
}

var errReach = errors.New("this key does not sign checkpoints of that size")

// Sign signs the text of a checkpoint, whose second line is the tree's size.
func (k *key) Sign(text []byte) ([]byte, error) {
	lines := bytes.SplitN(text, []byte("\n"), 3)
	if len(lines) < 3 {
		return nil, errReach
	}
	size, err := strconv.ParseUint(string(lines[1]), 10, 64)
	if err != nil || size > k.reach.Load() {
		return nil, errReach
	}
	return k.Signer.Sign(text)
}

// sign signs the text of a key entry.
func (k *key) sign(text []byte) []byte { return ed25519.Sign(k.raw, text) }

// newKey makes a key for the log named origin; the secret is the text that goes
// into the key file.
func newKey(origin string) (k *key, secret string, err error) {
	secret, _, err = note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return nil, "", err
	}
	k, err = parseKey(secret)
	return k, secret, err
}

// parseKey reads a secret key of the signed-note form: PRIVATE+KEY, name, hash
// and base64 of the algorithm's byte and the seed, joined by +. Errors do not
// repeat the text.
func parseKey(secret string) (*key, error) {
	secret = strings.TrimSpace(secret)
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, errors.New("it is not a signing key of the form PRIVATE+KEY+name+hash+base64")
	}
	seed, err := base64.StdEncoding.DecodeString(strings.SplitN(secret, "+", 5)[4]) // base64 itself can hold a +
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, errors.New("it is not an Ed25519 key")
	}
	raw := ed25519.NewKeyFromSeed(seed[1:])
	vkey, err := note.NewEd25519VerifierKey(signer.Name(), raw.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	k := &key{Signer: signer, vkey: vkey, raw: raw}
	k.reach.Store(math.MaxUint64)
	return k, nil
}

// readKey reads the key of a file; it returns nil if there is no file.
func readKey(path string) (*key, error) {
	text, err := durable.ReadSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k, err := parseKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("key file %s: %v", path, err)
	}
	return k, nil
}

// createKey makes the key of a new journal. If the machine dies on the way, the
// secret is there or not; the public half is written again at the next start.
func createKey(ops durable.Ops, path, origin string) (*key, error) {
	if origin == "" {
		digits := make([]byte, 8)
		rand.Read(digits)
		origin = fmt.Sprintf("daybreak.local/%x", digits)
	}
	k, secret, err := newKey(origin)
	if err != nil {
		return nil, fmt.Errorf("origin %q cannot name a log (it may hold no spaces and no +): %v", origin, err)
	}
	if err := ops.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return k, ops.WriteFile(path, []byte(secret+"\n"), 0o600)
}

// publishKey puts the public half beside the secret one.
func publishKey(ops durable.Ops, path string, k *key) error {
	want := []byte(k.vkey + "\n")
	if have, err := os.ReadFile(path + ".pub"); err == nil && bytes.Equal(have, want) {
		return nil
	}
	return ops.WriteFile(path+".pub", want, 0o644)
}
