// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"fmt"
	"log/slog"
	"strings"
)

// Secret is text that never prints itself: whatever formats, logs or marshals it
// gets "[redacted]". Only [Secret.Reveal] gives it out.
type Secret struct{ text *string } // a pointer: reflection over the struct finds an address

const redacted = "[redacted]"

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text. Its result goes into a request and nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == nil || *s.text == "" }

// Hide replaces the secret wherever text contains it.
func (s Secret) Hide(text string) string {
	if s.Empty() {
		return text
	}
	return strings.ReplaceAll(text, *s.text, redacted)
}

// String returns a placeholder.
func (Secret) String() string { return redacted }

// Format prints a placeholder, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue logs a placeholder.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText writes a placeholder; encoding/json uses it too.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// GobEncode writes a placeholder.
func (Secret) GobEncode() ([]byte, error) { return []byte(redacted), nil }
