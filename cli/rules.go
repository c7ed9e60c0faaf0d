// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/cases"
	"github.com/daybreak-sec/daybreak/detect/rules"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func (a *app) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "Sigma rules: check, list, test, coverage, backtest, explain",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.rulesLintCommand(), a.rulesListCommand(), a.rulesTestCommand(), a.rulesCoverageCommand(), a.rulesBacktestCommand(), a.rulesExplainCommand())
	return cmd
}

// lintLine is what lint says of one thing, with --json.
type lintLine struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

func (a *app) rulesLintCommand() *cobra.Command {
	var pipelines []string
	cmd := &cobra.Command{
		Use:   "lint PATH…",
		Short: "Check rules: what is refused, and what is expensive or suspicious",
		Long: `Lint reads files and folders of Sigma rules (detection rules, correlations, filters) as
Daybreak would load them. They may refer to Daybreak's own rules, and take their place by
having their ids. It exits with 1 if a rule would be refused; warnings are for the author.`,
		Args: args(cobra.MinimumNArgs(1), "files and folders of rules"),
		RunE: func(_ *cobra.Command, paths []string) error { return a.lint(paths, pipelines) },
	}
	cmd.Flags().StringArrayVar(&pipelines, "pipeline", nil, "`file` of a processing pipeline; may be given again")
	return cmd
}

func (a *app) lint(paths, pipelines []string) error {
	b, err := detect.Open(detect.BookOptions{Referred: true, Paths: paths, Pipelines: pipelines})
	if err != nil {
		return usagef("%v", err)
	}
	problems, documents := b.Problems, 0
	for _, d := range b.Documents {
		if b.Builtin(sigma.MetaOf(d).Key()) {
			continue // somebody refers to it
		}
		documents++
		problems = append(problems, sigma.Lint(d)...)
	}
	slices.SortStableFunc(problems, func(x, y sigma.Problem) int {
		return cmp.Or(strings.Compare(x.File, y.File), cmp.Compare(x.Line, y.Line))
	})
	failed, warned := 0, 0
	enc := json.NewEncoder(a.stdout)
	for _, p := range problems {
		severity := "warning"
		if warned++; p.Severity == sigma.Error {
			severity, failed, warned = "error", failed+1, warned-1
		}
		if a.json {
			if err := enc.Encode(lintLine{p.File, p.Line, severity, p.Message}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.stdout, "%s:%d: %s: %s\n", p.File, p.Line, severity, p.Message)
	}
	for _, r := range b.Replaced {
		a.say("%s:%d takes the place of Daybreak's own rule %q", r.By.File, r.By.Line, r.Builtin.Title)
	}
	a.say("%s, %s, %s", counted(documents, "document"), counted(failed, "error"), counted(warned, "warning"))
	if failed > 0 {
		return fmt.Errorf("%s: what has one would be refused", counted(failed, "error"))
	}
	return nil
}

// counted is "1 rule" or "2 rules".
func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return thousands(int64(n)) + " " + noun
}

// listedRule is a rule as list shows it with --json.
type listedRule struct {
	ID     string   `json:"id"`
	Title  string   `json:"title"`
	Level  string   `json:"level"`
	Status string   `json:"status"`
	Kind   string   `json:"kind"`
	Attack []string `json:"attack"` // technique ids
	Tags   []string `json:"tags"`
	Source string   `json:"logsource,omitempty"`
	File   string   `json:"file"`
	// Builtin rules are Daybreak's own; Replaces is the title of the one in whose place a rule is.
	Builtin  bool   `json:"builtin,omitempty"`
	Replaces string `json:"replaces,omitempty"`
}

// origin says whose rule it is, for people.
func (r *listedRule) origin() string {
	switch {
	case r.Builtin:
		return "built-in"
	case r.Replaces != "":
		return "own, instead of a built-in one"
	}
	return "own"
}

// techniques returns the ATT&CK technique ids of a document, in upper case.
func techniques(m *sigma.Meta) []string {
	list := []string{}
	for _, t := range m.Tags {
		if id, ok := strings.CutPrefix(strings.ToLower(t), "attack.t"); ok && id != "" && id[0] >= '0' && id[0] <= '9' {
			list = append(list, "T"+strings.ToUpper(id))
		}
	}
	return list
}

func listed(d sigma.Document) listedRule {
	m := sigma.MetaOf(d)
	r := listedRule{ID: m.Key(), Title: m.Title, Level: m.Level, Status: m.Status, Attack: techniques(m), Tags: append([]string{}, m.Tags...), File: m.File}
	switch d := d.(type) {
	case *sigma.Rule:
		r.Kind, r.Source = "single", d.LogSource.String()
	case *sigma.Correlation:
		r.Kind = d.Type
	}
	return r
}

func (a *app) rulesListCommand() *cobra.Command {
	var f ruleFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the rules that are loaded",
		Args:  args(cobra.NoArgs, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			b, err := a.book(&f)
			if err != nil {
				return err
			}
			list := make([]listedRule, 0, len(b.Documents))
			replaces := map[string]string{}
			for _, r := range b.Replaced {
				replaces[r.By.Key()] = r.Builtin.Title
			}
			for _, d := range b.Documents {
				r := listed(d)
				r.Builtin, r.Replaces = b.Builtin(r.ID), replaces[r.ID]
				list = append(list, r)
			}
			slices.SortFunc(list, func(x, y listedRule) int { return cmp.Or(strings.Compare(x.File, y.File), strings.Compare(x.ID, y.ID)) })
			if a.json {
				return json.NewEncoder(a.stdout).Encode(list)
			}
			t := newTable(a.stdout, []string{"level", "title", "kind", "attack", "origin", "id"})
			for _, r := range list {
				if err := t.row([]string{r.Level, r.Title, r.Kind, strings.Join(r.Attack, " "), r.origin(), r.ID}); err != nil {
					return err
				}
			}
			return t.flush()
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func (a *app) rulesTestCommand() *cobra.Command {
	var pipelines []string
	cmd := &cobra.Command{
		Use:   "test [PATH…]",
		Short: "Run the cases beside rules: hits, near misses, normal life",
		Long: `Test runs the cases that stand beside rules (NAME.cases.yml beside NAME.yml) and says which rule
did not find what it has to, or found what it must not. They may refer to Daybreak's own rules.
Without PATH it tests these; docs/reference/rules.md says how cases are written. It exits
with 1 if a case fails.`,
		Args: args(cobra.ArbitraryArgs, "folders of rules"),
		RunE: func(_ *cobra.Command, paths []string) error { return a.testRules(paths, pipelines) },
	}
	cmd.Flags().StringArrayVar(&pipelines, "pipeline", nil, "`file` of a processing pipeline; may be given again")
	return cmd
}

// testLine is the result of a case, with --json.
type testLine struct {
	File   string `json:"file"`
	Rule   string `json:"rule"`
	Case   string `json:"case"`
	Kind   string `json:"kind"`
	Want   int    `json:"want"`
	Got    int    `json:"got"`
	OK     bool   `json:"ok"`
	Reason string `json:"reason,omitempty"`
}

func (a *app) testRules(paths, pipelines []string) error {
	b, err := detect.Open(detect.BookOptions{Builtin: len(paths) == 0, Referred: true, Paths: paths, Pipelines: pipelines, Own: cases.Own})
	if err != nil {
		return usagef("%v", err)
	}
	a.complainOfRules(b)
	files, err := caseFiles(paths)
	if err != nil {
		return usagef("%v", err)
	}
	run, failed := 0, 0
	tested := map[string]bool{}
	enc := json.NewEncoder(a.stdout)
	for _, f := range files {
		if key, ok := b.Key(f.Rule); ok {
			tested[key] = true
		}
		cases.Run(b, f, func(r *cases.Result) {
			run++
			if !r.OK() {
				failed++
			}
			switch {
			case a.json:
				line := testLine{r.File, r.Rule, r.Case, r.Kind, r.Want, r.Got, r.OK(), ""}
				if r.Err != nil {
					line.Reason = r.Err.Error()
				}
				err = errors.Join(err, enc.Encode(line))
			case !r.OK():
				fmt.Fprintf(a.stdout, "FAIL %s\n", r)
			}
		})
	}
	a.say("%s of %s, %s failed", counted(run, "case"), counted(len(tested), "rule"), thousands(int64(failed)))
	switch {
	case err != nil:
		return err
	case run == 0:
		return usagef("there are no cases: put NAME.cases.yml beside NAME.yml")
	case failed > 0:
		return fmt.Errorf("%d of %d cases failed", failed, run)
	}
	return nil
}

// caseFiles reads the cases below folders, or those of the built-in pack.
func caseFiles(paths []string) ([]*cases.File, error) {
	if len(paths) == 0 {
		return cases.Read(rules.Files, "")
	}
	var list []*cases.File
	for _, p := range paths {
		if st, err := os.Stat(p); err != nil {
			return nil, err
		} else if !st.IsDir() {
			if p, _ = strings.CutSuffix(p, ".yml"); !strings.HasSuffix(p, ".cases") {
				p += ".cases"
			}
			text, err := os.ReadFile(p + ".yml")
			if err != nil {
				return nil, err
			}
			found, err := cases.Parse(p+".yml", text)
			if err != nil {
				return nil, err
			}
			list = append(list, found...)
			continue
		}
		found, err := cases.Read(os.DirFS(p), p)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

func (a *app) rulesCoverageCommand() *cobra.Command {
	var f ruleFlags
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Which ATT&CK techniques the rules are about",
		Args:  args(cobra.NoArgs, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			b, err := a.book(&f)
			if err != nil {
				return err
			}
			return a.ruleCoverage(b)
		},
	}
	f.add(cmd.Flags())
	return cmd
}

// coveredTechnique is an ATT&CK technique and the rules about it.
type coveredTechnique struct {
	Technique string   `json:"technique"`
	Rules     []string `json:"rules"` // ids
}

func (a *app) ruleCoverage(b *detect.Book) error {
	by := map[string][]string{}
	for _, d := range b.Documents {
		m := sigma.MetaOf(d)
		for _, t := range techniques(m) {
			by[t] = append(by[t], m.Key())
		}
	}
	list := make([]coveredTechnique, 0, len(by))
	for t, keys := range by {
		slices.Sort(keys)
		list = append(list, coveredTechnique{t, keys})
	}
	slices.SortFunc(list, func(x, y coveredTechnique) int { return strings.Compare(x.Technique, y.Technique) })
	if a.json {
		return json.NewEncoder(a.stdout).Encode(list)
	}
	t := newTable(a.stdout, []string{"technique", "rules"})
	for _, c := range list {
		if err := t.row([]string{c.Technique, fmt.Sprint(len(c.Rules))}); err != nil {
			return err
		}
	}
	return t.flush()
}
