// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/node"
)

// ruleFlags are those of every command that reads rules.
type ruleFlags struct {
	rules, pipelines []string
	noBuiltin        bool
	anySource        bool
}

func (f *ruleFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.rules, "rules", nil, "`file or folder` of Sigma rules; may be given again")
	flags.StringArrayVar(&f.pipelines, "pipeline", nil, "`file` of a processing pipeline; may be given again")
	flags.BoolVar(&f.noBuiltin, "no-builtin", false, "leave out Daybreak's own rules")
}

// book reads the rules; whose applications are Daybreak's own says the configuration. Those that are refused are told of, and the others are the book.
func (a *app) book(f *ruleFlags) (*detect.Book, error) {
	if f.noBuiltin && len(f.rules) == 0 {
		return nil, usagef("there are no rules: give --rules, or leave out --no-builtin")
	}
	c, err := config.Load(a.config)
	if err != nil {
		return nil, usagef("%v", err)
	}
	b, err := detect.Open(detect.BookOptions{Builtin: !f.noBuiltin, Paths: f.rules, Pipelines: f.pipelines, Own: node.Own(&c), AnySource: f.anySource})
	if err != nil {
		return nil, usagef("%v", err)
	}
	a.complainOfRules(b)
	if len(b.Documents) == 0 {
		return nil, usagef("no rule is left: \"daybreak rules lint\" says what to change")
	}
	return b, nil
}

// complainOfRules says on standard error which rules were refused, and why.
func (a *app) complainOfRules(b *detect.Book) {
	shown := 0
	for _, p := range b.Problems {
		if p.Severity == sigma.Error {
			if shown++; shown <= maxNotes {
				a.complain("%s", p.Error())
			}
		}
	}
	if shown > maxNotes {
		a.complain("… and %s more rules were refused: see \"daybreak rules lint\"", thousands(int64(shown-maxNotes)))
	}
}

func (a *app) detectCommand() *cobra.Command {
	var source, window string
	var f ruleFlags
	cmd := &cobra.Command{
		Use:   "detect [FILE…]",
		Short: "Vendor records in, detections out; no server",
		Long: `Detect judges vendor records, in any form that "daybreak import" takes, by Daybreak's own rules
and those given with --rules, and prints one JSON object a match. "line" is the 1-based
number of the record that completed the match, "lines" those of all records of a
correlation, "why" what held. Correlations are judged in event time, whatever the order
of the records; they are printed at the end.`,
		Args: args(cobra.ArbitraryArgs, "files"),
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := node.CheckSource(source); err != nil {
				return usagef("%v", err)
			}
			if window != "event-time" {
				return usagef("--window-by is %q: windows are by event-time", window)
			}
			if len(files) == 0 {
				files = []string{"-"}
			}
			return a.detect(cmd, source, &f, files)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&source, "source", "auto", "what the records are: auto, "+node.SourceNames())
	cmd.Flags().BoolVar(&f.anySource, "any-logsource", false, "let every rule judge every record, whatever its log source")
	cmd.Flags().StringVar(&window, "window-by", "event-time", "by which time correlations are judged: `event-time`")
	return cmd
}

// detection is one line of what detect prints.
type detection struct {
	Line     uint32            `json:"line"`
	Lines    []uint32          `json:"lines"`
	RuleID   string            `json:"rule_id"`
	Title    string            `json:"title"`
	Level    string            `json:"level"`
	Kind     string            `json:"kind"`
	Count    int               `json:"count"`
	Group    map[string]string `json:"group,omitempty"`
	Why      []detect.Reason   `json:"why"`
	Sentence string            `json:"sentence,omitempty"`
	ID       string            `json:"id"`
}

func (a *app) detect(cmd *cobra.Command, source string, f *ruleFlags, files []string) error {
	c, err := config.Load(a.config)
	if err != nil {
		return usagef("%v", err)
	}
	book, err := a.book(f)
	if err != nil {
		return err
	}
	trial, err := node.NewTrial(book, c.Enrich.Databases)
	if err != nil {
		return usagef("%v", err)
	}
	out := bufio.NewWriterSize(a.stdout, 1<<16)
	var later []detect.Alert // of several records: they may be revised
	take := func(x *detect.Alert) error {
		if x.Kind != "single" || x.Count != 1 || len(x.Group) > 0 {
			later = append(later, *x)
			return nil
		}
		return printDetection(out, x)
	}
	failed := 0
	for _, path := range files {
		if err := a.readInto(path, func(name string, r io.Reader) error {
			return trial.Read(cmd.Context(), source, name, r, func(text string) { a.complain("%s", text) }, take)
		}); err != nil {
			failed++
			a.complain("%v", err)
		}
	}
	if err := trial.Finish(take); err != nil {
		return err
	}
	for _, x := range detect.Standing(later) {
		if err := printDetection(out, &x); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	switch {
	case failed == len(files):
		return usagef("nothing was read to its end")
	case failed > 0:
		return partlyf("%d of the inputs could not be read to their end", failed)
	case trial.Refused() > 0:
		return partlyf("the source of %s records could not be told: they were not judged", thousands(trial.Refused()))
	}
	return nil
}

// readInto calls f with a file, or with standard input if path is "-".
func (a *app) readInto(path string, f func(name string, r io.Reader) error) error {
	if path == "-" {
		return f("standard input", a.stdin)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return f(filepath.Base(path), file)
}

func printDetection(w io.Writer, x *detect.Alert) error {
	d := detection{RuleID: x.Rule, Title: x.Title, Level: x.Level, Kind: x.Kind, Count: x.Count, Why: x.Why, Sentence: x.Sentence, ID: x.ID}
	for _, r := range x.Refs {
		d.Lines = append(d.Lines, r.ID.Index)
	}
	slices.Sort(d.Lines)
	d.Lines = slices.Compact(d.Lines)
	if d.Line = x.Completed.ID.Index; d.Line == 0 && len(x.Refs) > 0 {
		d.Line = x.Refs[len(x.Refs)-1].ID.Index
	}
	for _, g := range x.Group {
		if d.Group == nil {
			d.Group = map[string]string{}
		}
		d.Group[g.Field] = g.Value
	}
	if d.Why == nil {
		d.Why = []detect.Reason{}
	}
	if strings.HasPrefix(d.Sentence, d.Title) && x.Kind == "single" {
		d.Sentence = ""
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
