// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"strings"

	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Secret says where a secret is, as [credential.ParseReference] reads it, and
// never is one. Check has passed those of a configuration that was read.
type Secret string

// Reference returns what reads the secret.
func (s Secret) Reference() (credential.Reference, error) {
	if name, ok := strings.CutPrefix(string(s), "env:"); ok && !variable(name) {
		// Not repeated: it may be the secret itself.
		return credential.Reference{}, errors.New("env: wants the name of an environment variable: letters, digits and _")
	}
	return credential.ParseReference(string(s))
}

func variable(name string) bool {
	for _, r := range name {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
