// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/journal/layout"
	"golang.org/x/mod/sumdb/note"
)

// maxCheckpoint bounds a checkpoint with its signatures.
const maxCheckpoint = 1 << 20

// maxSignatures bounds the signature lines of a checkpoint, as x/mod's note does.
const maxSignatures = 100

// signedCheckpoint is a parsed C2SP tlog-checkpoint whose signatures have not
// been looked at. The parser has one spelling for everything, base64 padding
// bits too, so that no byte of the note can change without a consequence but
// in the signatures of strangers.
type signedCheckpoint struct {
	origin string
	size   uint64
	root   layout.Hash
	text   string // what is signed
	sigs   []signature
}

type signature struct {
	name string
	hash uint32
	sig  []byte
}

func parseCheckpoint(data []byte) (*signedCheckpoint, error) {
	if len(data) > maxCheckpoint {
		return nil, fmt.Errorf("it is larger than %d bytes", maxCheckpoint)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	body, sigs, ok := strings.Cut(string(data), "\n\n")
	if !ok {
		return nil, errors.New("it has no empty line between the text and the signatures")
	}
	lines := strings.Split(body, "\n")
	if len(lines) != 3 {
		return nil, fmt.Errorf("its text has %d lines, want origin, size and root", len(lines))
	}
	c := &signedCheckpoint{origin: lines[0], text: body + "\n"}
	if c.origin == "" || strings.ContainsFunc(c.origin, unicode.IsControl) {
		return nil, errors.New("its first line is no origin")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return nil, errors.New("its second line is no tree size")
	}
	c.size = uint64(size)
	root, err := strictBase64(lines[2])
	if err != nil || len(root) != len(c.root) {
		return nil, errors.New("its third line is no root hash")
	}
	c.root = layout.Hash(root)
	c.sigs, err = parseSignatures(sigs)
	return c, err
}

func parseSignatures(lines string) ([]signature, error) {
	var sigs []signature
	seen := make(map[string]bool)
	for lines != "" {
		line, rest, ok := strings.Cut(lines, "\n")
		if lines = rest; !ok {
			return nil, errors.New("its last signature line does not end")
		}
		text, ok := strings.CutPrefix(line, "— ")
		name, b64, ok2 := strings.Cut(text, " ")
		raw, err := strictBase64(b64)
		if !ok || !ok2 || err != nil || len(raw) < 5 || !validName(name) {
			return nil, fmt.Errorf("signature line %d is malformed", len(sigs)+1)
		}
		s := signature{name: name, hash: binary.BigEndian.Uint32(raw), sig: raw[4:]}
		if key := fmt.Sprintf("%s+%08x", name, s.hash); seen[key] {
			return nil, fmt.Errorf("it is signed twice by %s", key)
		} else {
			seen[key] = true
		}
		if sigs = append(sigs, s); len(sigs) > maxSignatures {
			return nil, fmt.Errorf("it has more than %d signatures", maxSignatures)
		}
	}
	if len(sigs) == 0 {
		return nil, errors.New("it has no signature")
	}
	return sigs, nil
}

// validName is the rule of C2SP signed-note, section "Signatures".
func validName(name string) bool {
	return name != "" && !strings.Contains(name, "+") &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// strictBase64 decodes standard base64 in the one spelling that encoding gives.
func strictBase64(s string) ([]byte, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	// The decoder skips line ends; no two texts may decode to the same.
	if base64.StdEncoding.EncodedLen(len(raw)) != len(s) {
		return nil, errors.New("line ends within base64")
	}
	return raw, nil
}

// signedBy reports whether the checkpoint has a line by v's key, and whether
// that signature is right.
func (c *signedCheckpoint) signedBy(v note.Verifier) (present, valid bool) {
	for _, s := range c.sigs {
		if s.name == v.Name() && s.hash == v.KeyHash() {
			return true, v.Verify([]byte(c.text), s.sig)
		}
	}
	return false, false
}

// mustBeSignedBy is nil if v signed the checkpoint.
func (c *signedCheckpoint) mustBeSignedBy(v note.Verifier) error {
	switch present, valid := c.signedBy(v); {
	case !present:
		return fmt.Errorf("it is not signed by the key %s+%08x, which is in force at size %d", v.Name(), v.KeyHash(), c.size)
	case !valid:
		return fmt.Errorf("its signature by the key %s+%08x is wrong", v.Name(), v.KeyHash())
	}
	return nil
}

func (c *signedCheckpoint) public() Checkpoint {
	return Checkpoint{Origin: c.origin, Size: c.size, Root: base64.StdEncoding.EncodeToString(c.root[:])}
}
