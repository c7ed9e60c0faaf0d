// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"strings"
	"time"
)

// Readiness says which requirements are judged again and again.
type Readiness struct {
	Requirements string   `toml:"requirements" doc:"TOML file with requirements, see docs/reference/readiness.md. It is read anew each time. Empty: none are judged, but by \"daybreak readiness\"."`
	Groups       []string `toml:"groups" doc:"Groups of people that they are judged for as well: a column of the HR list and its value, such as \"ring=1\"."`
	Every        Duration `toml:"every" doc:"How often. A verdict that is another than before is an act in the journal."`
}

func (r *Readiness) check() error {
	if r.Every.Std() < 10*time.Second {
		return problemf("readiness.every", "readiness.every must be at least \"10s\"")
	}
	for _, g := range r.Groups {
		if column, _, ok := strings.Cut(g, "="); !ok || column == "" {
			return problemf("readiness.groups", "readiness.groups holds %.80q: want a column of the HR list and its value, such as \"ring=1\"", g)
		}
	}
	return nil
}
