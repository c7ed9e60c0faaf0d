// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

//go:generate go test -run TestReference -update .
var update = flag.Bool("update", false, "write docs/reference/scenarios.md")

const preface = `# Scenario files

<!-- Made from the tables of sim/scenario by "go generate ./sim/scenario"; do not edit. -->

A scenario is an attack on the simulated company, written as a [TOML](https://toml.io) file: who is attacked, from which
addresses, and in which steps. The simulator weaves the audit records that it leaves into those of ordinary life, and knows
of each to which step it belongs. Built in are %s.

Every step happens on the simulated tenant as it is at that time. What an account or application may do is checked as in a
real tenant: an act that it has no right to, or no longer, does not happen and leaves no record. So a scenario can be stopped.

## An example

` + "```toml\n%s```" + `

## How it works

- **Time.** A step begins ` + "`at`" + ` after the start of the scenario or, with ` + "`after`" + `, after the end of another step. It ends
  ` + "`over`" + ` and ` + "`jitter`" + ` later, and all its acts lie in between. Lengths are written ` + "`2d12h`, `90m`, `30s`" + `; no step ends later than
  90 days after the start.
- **How often.** ` + "`count`" + ` times, taking the targets, applications, names or queries in turn; without it once for each target (or
  application, or name).
- **Who acts.** ` + "`by`" + ` names an account or an application. An account must have signed in in an earlier step; it then acts with its
  newest session, from that session's address unless the step names others. An application acts by a credential that an
  earlier step gave it, and gets new tokens by itself as the old ones expire.
- **Accounts** are names of ` + "`[people]`" + `, which are chosen anew for every seed and company; the account ` + "`%s`" + ` that
  every tenant has, which is never asked for a second factor; and what an earlier ` + "`add-user`" + ` step made.
- **Applications** are %s; and what an earlier ` + "`add-application`" + ` step made. The application
  ` + "`%s`" + ` belongs to the account ` + "`%s`" + `.
- **Chance** follows from the seed: the same file, seed, company and start give the same records, byte for byte.
- **Mistakes** are refused with one sentence and the line: unknown keys, kinds and names, keys that a kind does not use, values
  out of range.

What the Management Activity API does not show leaves no record here either: sign-ins of applications, and what somebody only
looks at in the directory.
`

// reference makes docs/reference/scenarios.md.
func reference(t *testing.T) string {
	t.Helper()
	example, err := os.ReadFile("testdata/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	code := func(list []string) string { return "`" + strings.Join(list, "`, `") + "`" }
	var b strings.Builder
	fmt.Fprintf(&b, preface, code(scenario.Names()), example, directory.LegacyAccount, code(directory.ApplicationNames()), directory.LegacyApplication, directory.LegacyAccount)
	b.WriteString("\n## Keys\n")
	for _, table := range scenario.TestingOnlyKeys() {
		title := table.Title
		if title[0] == '[' {
			title = "`" + title + "`"
		}
		fmt.Fprintf(&b, "\n### %s\n\n| key | meaning |\n|---|---|\n", title)
		for _, row := range table.Rows {
			fmt.Fprintf(&b, "| `%s` | %s |\n", row[0], row[1])
		}
	}
	fmt.Fprintf(&b, "\n`[agents]` has no keys of its own: each is a name and its list.\n\n## Kinds of steps\n\nEvery step may have %s.\n\n", code(scenario.TestingOnlyEveryStep))
	b.WriteString("| kind | what it does | needs | may have | records (type) |\n|---|---|---|---|---|\n")
	for _, k := range scenario.TestingOnlyKinds() {
		may := ""
		if len(k.May) > 0 {
			may = code(k.May)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.Name, k.Does, code(k.Needs), may, k.Writes)
	}
	return b.String()
}

func TestReference(t *testing.T) {
	const file = "../../docs/reference/scenarios.md"
	got := reference(t)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/reference/scenarios.md is out of date: go generate ./sim/scenario\n%s", diff)
	}
}

// TestReferenceIsWhole: every key of a step is one of some kind's or of every
// step's, and every key that a kind has exists and is explained.
func TestReferenceIsWhole(t *testing.T) {
	var used []string
	used = append(used, scenario.TestingOnlyEveryStep...)
	used = append(used, "by")
	for _, k := range scenario.TestingOnlyKinds() {
		if k.Does == "" || k.Writes == "" {
			t.Errorf("kind %s is not explained", k.Name)
		}
		used = append(append(used, k.Needs...), k.May...)
	}
	tables := scenario.TestingOnlyKeys()
	steps := tables[len(tables)-1]
	var keys []string
	for _, row := range steps.Rows {
		keys = append(keys, row[0])
		if row[1] == "" {
			t.Errorf("key %s is not explained", row[0])
		}
		if !slices.Contains(used, row[0]) {
			t.Errorf("no kind uses the key %s", row[0])
		}
	}
	for _, u := range used {
		if !slices.Contains(keys, u) {
			t.Errorf("a kind uses %s, which is no key", u)
		}
	}
}

func TestExample(t *testing.T) {
	text, err := os.ReadFile("testdata/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	p := s.Play(tenant(t, 1000), monday, 5)
	events := p.Until(monday.Add(24 * time.Hour))
	if b := p.Blocked(); len(b) > 0 {
		t.Errorf("blocked: %v", b)
	}
	if len(events) != 6+1+3+12 {
		t.Errorf("%d events", len(events))
	}
}
