// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// baseline.txt holds what was reached: a count by file of records understood
// ("specific") and of facts agreed on ("agreed"). eval fails below it.
//
//go:embed baseline.txt
var baselineText string

// regressions compares counts with the baseline. Of files that are not there
// nothing is said; files that are new have no baseline yet.
func (r *report) regressions(reached map[string]int) {
	for line := range strings.Lines(baselineText) {
		var kind, file string
		var least int
		if _, err := fmt.Sscan(line, &kind, &file, &least); err != nil {
			continue // a remark
		}
		if n, ok := reached[kind+" "+file]; ok && n < least {
			r.miss("%s: %s is %d and was %d", file, kind, n, least)
		}
	}
}

// writeBaseline makes what is reached the baseline.
func writeBaseline(name string, reached map[string]int) error {
	var b strings.Builder
	b.WriteString("# What eval reached; go run ./eval -update writes it. It fails below this.\n")
	for _, key := range slices.Sorted(maps.Keys(reached)) {
		if reached[key] > 0 {
			fmt.Fprintf(&b, "%s %d\n", key, reached[key])
		}
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}
