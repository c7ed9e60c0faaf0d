// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// maxProof is the longest consistency proof that the protocol allows.
const maxProof = 63

// request is the body of an add-checkpoint call.
type request struct {
	old   int64
	proof tlog.TreeProof
	note  []byte // the signed checkpoint, verbatim
}

func parseRequest(body []byte) (request, error) {
	var r request
	head, rest, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return r, errors.New("no empty line before the checkpoint")
	}
	first, more, _ := strings.Cut(string(head), "\n")
	size, ok := strings.CutPrefix(first, "old ")
	if !ok {
		return r, errors.New("the first line must be: old <size>")
	}
	var err error
	if r.old, err = parseSize(size); err != nil {
		return r, err
	}
	for more != "" {
		var line string
		line, more, _ = strings.Cut(more, "\n")
		if len(r.proof) == maxProof {
			return r, fmt.Errorf("more than %d proof lines", maxProof)
		}
		hash, err := parseHash(line)
		if err != nil {
			return r, fmt.Errorf("proof line %d: %w", len(r.proof)+1, err)
		}
		r.proof = append(r.proof, hash)
	}
	r.note = rest
	return r, nil
}

// checkpoint is the body of a C2SP tlog-checkpoint.
type checkpoint struct {
	origin string
	size   int64
	root   tlog.Hash
}

// parseCheckpoint reads a checkpoint's body: everything of the note up to the
// empty line before its signatures. Extension lines are allowed and ignored; as
// the protocol says, a cosignature states nothing about them.
func parseCheckpoint(text string) (checkpoint, error) {
	var c checkpoint
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || lines[len(lines)-1] != "" {
		return c, errors.New("a checkpoint has at least three lines: origin, size, root")
	}
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			return c, errors.New("a checkpoint has no empty lines")
		}
	}
	var err error
	c.origin = lines[0]
	if c.size, err = parseSize(lines[1]); err != nil {
		return c, err
	}
	if c.root, err = parseHash(lines[2]); err != nil {
		return c, fmt.Errorf("root: %w", err)
	}
	return c, nil
}

// parseSize reads a tree size in its only spelling. Sizes from 2^63 on, which no
// log reaches, are refused.
func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%.40q is not a tree size", s)
	}
	return n, nil
}

func parseHash(s string) (tlog.Hash, error) {
	var h tlog.Hash
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) != len(h) || base64.StdEncoding.EncodeToString(raw) != s {
		return h, fmt.Errorf("%.60q is not the base64 of a SHA-256 hash", s)
	}
	return tlog.Hash(raw), nil
}
