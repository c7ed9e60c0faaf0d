// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"errors"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// SignNote signs a text that is no checkpoint with the log's key and returns the
// signed note (C2SP signed-note). Its first line has to hold a space: a checkpoint
// begins with the log's origin, which names the key and so has none, and the entry that
// replaces a key begins with a word. No signature made here can be taken for one of
// those.
func (j *Journal) SignNote(text string) ([]byte, error) {
	first, rest, _ := strings.Cut(text, "\n")
	if !strings.Contains(first, " ") || rest == "" {
		return nil, errors.New("journal: a note to sign needs a first line with a space in it, and more lines")
	}
	return note.Sign(&note.Note{Text: text}, j.tree.signer().Signer)
}
