// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/daybreak-sec/daybreak/internal/canonjson"
)

// MaxSize bounds a document in bytes: a stream whose every interval of 400 days differs
// from the one before takes a tenth of it.
const MaxSize = 512 << 20

// Title is the first line of the note, which says what is signed, and in which version of the form.
type Title string

// The titles of what is signed.
const (
	CoverageTitle  Title = "Daybreak coverage statement v2"
	ScorecardTitle Title = "Daybreak vendor scorecard v2"
	ReadinessTitle Title = "Daybreak readiness v1"
)

// The titles of documents from before canaries were a part of them.
const (
	coverageTitle1  Title = "Daybreak coverage statement v1"
	ScorecardTitle1 Title = "Daybreak vendor scorecard v1"
)

// Head is what the note says.
type Head struct {
	Title   Title
	Origin  string   // of the log, whose key signs
	Entries uint64   // of the log: it was made of these
	Sum     [32]byte // SHA-256 of the body's canonical form
}

// text is what is signed.
func (h *Head) text() string {
	return fmt.Sprintf("%s\n%s\n%d\n%s\n", h.Title, h.Origin, h.Entries, base64.StdEncoding.EncodeToString(h.Sum[:]))
}

// document is the form of a file.
type document struct {
	Note      string          `json:"note"`
	Statement json.RawMessage `json:"statement"`
}

// Seal brings body into canonical form and has its hash signed by sign, which returns
// a signed note of a text. It returns the document and the body's hash.
func Seal(title Title, log Log, body any, sign func(text string) ([]byte, error)) ([]byte, [32]byte, error) {
	canonical, err := encode(body)
	if err != nil {
		return nil, [32]byte{}, err
	}
	h := Head{title, log.Origin, log.Entries, sha256.Sum256(canonical)}
	signed, err := sign(h.text())
	if err != nil {
		return nil, h.Sum, fmt.Errorf("statement: it was not signed: %w", err)
	}
	doc, err := encode(document{string(signed), canonical})
	return append(doc, '\n'), h.Sum, err
}

// encode returns the canonical JSON of v.
func encode(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	canonical, ok := canonjson.Append(make([]byte, 0, len(text)), text)
	if !ok {
		return nil, errors.New("statement: it has no canonical form")
	}
	return canonical, nil
}

// Open checks a document against the verifier keys of the log, of which one must have
// signed it, and reads its body into body. Whatever is not exactly as [Seal] writes it is refused.
func Open(doc []byte, keys []string, title Title, body any) (Head, error) {
	var h Head
	if len(doc) > MaxSize {
		return h, fmt.Errorf("it is larger than %d bytes", MaxSize)
	}
	var d document
	if err := json.Unmarshal(doc, &d); err != nil {
		return h, fmt.Errorf("it is not a signed statement: %w", err)
	}
	h, err := openNote(d.Note, keys)
	if err != nil {
		return h, err
	}
	if h.Title != title {
		return h, fmt.Errorf("it is a %q, and a %q was expected", h.Title, title)
	}
	if sha256.Sum256(d.Statement) != h.Sum {
		return h, errors.New("its body is not the one that was signed")
	}
	if err := json.Unmarshal(d.Statement, body); err != nil {
		return h, fmt.Errorf("its body cannot be read: %w", err)
	}
	again, err := encode(body)
	if err != nil {
		return h, err
	}
	if !bytes.Equal(again, d.Statement) {
		return h, errors.New("its body is not in canonical form, or has members that this version does not know")
	}
	whole, err := encode(d)
	if err != nil {
		return h, err
	}
	if !bytes.Equal(append(whole, '\n'), doc) {
		return h, errors.New("the document is not in canonical form: something in it was changed that is not signed")
	}
	return h, nil
}

// TitleOf tells what a document says that it is; nothing of it is checked.
func TitleOf(doc []byte) Title {
	var d struct {
		Note string `json:"note"`
	}
	if len(doc) > MaxSize || json.Unmarshal(doc, &d) != nil {
		return ""
	}
	title, _, _ := strings.Cut(d.Note, "\n")
	return Title(title)
}

// openNote checks the note's one signature and reads its text.
func openNote(text string, keys []string) (h Head, err error) {
	signer, err := openSigned(text, keys)
	if err != nil {
		return h, err
	}
	body, _, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(body, "\n")
	if len(lines) != 4 {
		return h, errors.New("its note does not have the four lines of a statement's")
	}
	h.Title, h.Origin = Title(lines[0]), lines[1]
	if h.Origin != signer {
		return h, fmt.Errorf("its note names the log %.80q, and the key is of %.80q", h.Origin, signer)
	}
	h.Entries, err = strconv.ParseUint(lines[2], 10, 63)
	sum, bad := base64.StdEncoding.Strict().DecodeString(lines[3])
	if err != nil || bad != nil || len(sum) != len(h.Sum) {
		return h, errors.New("its note does not name the log's size and a SHA-256")
	}
	copy(h.Sum[:], sum)
	if h.text() != body+"\n" {
		return h, errors.New("its note is not in canonical form")
	}
	return h, nil
}

// openSigned checks that a note has one signature, by one of the keys and in the one spelling of
// base64, and returns the name of the key.
func openSigned(text string, keys []string) (string, error) {
	var known []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(strings.TrimSpace(k))
		if err != nil {
			return "", fmt.Errorf("%.100q is not a log's verifier key", k)
		}
		known = append(known, v)
	}
	n, err := note.Open([]byte(text), note.VerifierList(known...))
	if err != nil {
		return "", fmt.Errorf("its signature does not hold, or is by none of the given keys: %w", err)
	}
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return "", errors.New("its note has more signatures than the log's")
	}
	s := n.Sigs[0]
	raw, err := base64.StdEncoding.Strict().DecodeString(s.Base64)
	if err != nil || n.Text+"\n— "+s.Name+" "+base64.StdEncoding.EncodeToString(raw)+"\n" != text {
		return "", errors.New("its signature is not in canonical form")
	}
	return s.Name, nil
}
