// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/internal/durable"
)

// algCosignature is the signature type of an Ed25519 cosignature in verifier
// keys and key ids: C2SP tlog-cosignature, section "Format".
const algCosignature = 4

// cosigner makes and checks cosignature/v1 signatures under one Ed25519 key.
// It is a golang.org/x/mod/sumdb/note.Verifier.
type cosigner struct {
	name string
	key  ed25519.PrivateKey
	hash uint32
}

func newCosigner(name string, seed []byte) *cosigner {
	c := &cosigner{name: name, key: ed25519.NewKeyFromSeed(seed)}
	id := sha256.Sum256(append([]byte(name+"\n"), c.publicBytes()...))
	c.hash = binary.BigEndian.Uint32(id[:])
	return c
}

func (c *cosigner) publicBytes() []byte {
	return append([]byte{algCosignature}, c.key.Public().(ed25519.PublicKey)...)
}

// vkey is the verifier key in signed-note form, with the type of cosignatures.
func (c *cosigner) vkey() string {
	return fmt.Sprintf("%s+%08x+%s", c.name, c.hash, base64.StdEncoding.EncodeToString(c.publicBytes()))
}

// line returns the note signature line over text (a checkpoint's body with its
// last newline) for the given POSIX second.
func (c *cosigner) line(text string, seconds uint64) string {
	sig := binary.BigEndian.AppendUint32(nil, c.hash)
	sig = binary.BigEndian.AppendUint64(sig, seconds)
	sig = append(sig, ed25519.Sign(c.key, cosigned(text, seconds))...)
	return "— " + c.name + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
}

// cosigned is the message that a cosignature signs: C2SP tlog-cosignature,
// section "Ed25519 signed message".
func cosigned(text string, seconds uint64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", seconds, text)
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 8+ed25519.SignatureSize {
		return false
	}
	return ed25519.Verify(c.key.Public().(ed25519.PublicKey), cosigned(string(msg), binary.BigEndian.Uint64(sig)), sig[8:])
}

// timeOf is the second that a signature in note form (base64 of key id, time,
// signature) was made for. The signature must have been verified.
func timeOf(b64 string) uint64 {
	raw, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(raw) < 12 {
		return 0
	}
	return binary.BigEndian.Uint64(raw[4:])
}

// loadKey reads the secret key in dir, or makes one for name if there is none.
func loadKey(dir, name string) (*cosigner, error) {
	path := filepath.Join(dir, "key")
	text, err := durable.ReadSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createKey(dir, name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the witness key: %w", err)
	}
	c, err := parseKey(strings.TrimSuffix(string(text), "\n"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if name != "" && name != c.name {
		return nil, fmt.Errorf("%s belongs to the witness %q, not %q: a witness keeps its name with its key", path, c.name, name)
	}
	return c, nil
}

// createKey makes a key for name. It refuses if there are checkpoints: signing
// on under a new key would look to everybody like another witness.
func createKey(dir, name string) (*cosigner, error) {
	if !validName(name) {
		return nil, fmt.Errorf("the witness name %q must be non-empty, without spaces and plus signs, such as example.com/witness", name)
	}
	if old, _ := filepath.Glob(filepath.Join(dir, "*"+checkpointSuffix)); len(old) > 0 {
		return nil, fmt.Errorf("%s holds checkpoints but no key: restore the key, or start a new witness in an empty folder", dir)
	}
	seed := make([]byte, ed25519.SeedSize)
	if _, err := rand.Read(seed); err != nil {
		return nil, err
	}
	c := newCosigner(name, seed)
	secret := base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, seed...))
	text := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s\n", name, c.hash, secret)
	if err := replaceFile(filepath.Join(dir, "key"), []byte(text)); err != nil {
		return nil, fmt.Errorf("cannot store a new witness key: %w", err)
	}
	return c, nil
}

// parseKey reads the signed-note form of a secret key:
// PRIVATE+KEY+<name>+<hash>+<base64 of type and seed>.
func parseKey(text string) (*cosigner, error) {
	bad := errors.New("not a witness key (want PRIVATE+KEY+name+hash+secret with an Ed25519 cosignature key)")
	rest, ok := strings.CutPrefix(text, "PRIVATE+KEY+")
	name, rest, ok2 := strings.Cut(rest, "+")
	hash, secret, ok3 := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(secret)
	if !ok || !ok2 || !ok3 || err != nil || !validName(name) || len(raw) != 1+ed25519.SeedSize || raw[0] != algCosignature {
		return nil, bad
	}
	c := newCosigner(name, raw[1:])
	if fmt.Sprintf("%08x", c.hash) != hash {
		return nil, bad
	}
	return c, nil
}

// validName reports whether name can stand in a signature line: C2SP
// signed-note, section "Signatures".
func validName(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsRune(name, '+') &&
		strings.IndexFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r < 0x20 }) < 0
}
