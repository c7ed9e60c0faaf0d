// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package rules is Daybreak's own rule pack: Sigma rules by ATT&CK tactic, each with its cases
// beside it, which "daybreak rules test" runs as it runs anybody's.
package rules

import "embed"

// Files holds the pack: TACTIC/NAME.yml and TACTIC/NAME.cases.yml.
//
//go:embed */*.yml
var Files embed.FS
