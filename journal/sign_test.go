// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// TestSignNote: the log's key signs other notes, but none that could be a checkpoint.
func TestSignNote(t *testing.T) {
	b := newBed(t)
	j := b.open()
	text := "Daybreak test v1\nmore\n"
	signed, err := j.SignNote(text)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(j.VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil || n.Text != text {
		t.Errorf("note %q, error %v", n.Text, err)
	}
	for _, text := range []string{"", "one line", "one line\n", j.Origin() + "\n9\nAAAA\n", "daybreak-key/v1\nindex 3\n"} {
		if _, err := j.SignNote(text); err == nil {
			t.Errorf("%q is signed", text)
		}
	}
}
