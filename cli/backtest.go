// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (a *app) rulesBacktestCommand() *cobra.Command {
	var since, until string
	cmd := &cobra.Command{
		Use:   "backtest RULE [OTHER]",
		Short: "Say what rules would have found in the stored history",
		Long: `Backtest judges the stored records by a file or folder of rules, and by nothing else: how many
alerts there would have been, on which days, and the first of them. With a second file or
folder, another version of the rules, both are shown side by side. Nothing is kept.`,
		Args: args(cobra.RangeArgs(1, 2), "one or two files or folders of rules"),
		RunE: func(cmd *cobra.Command, paths []string) error {
			from, to, err := parseBounds(since, until)
			if err != nil {
				return err
			}
			return a.backtest(cmd, paths, from, to)
		},
	}
	cmd.Flags().StringVar(&since, "since", "30d", "only records that happened at this `time` or later")
	cmd.Flags().StringVar(&until, "until", "", "only records that happened before this `time`")
	return cmd
}

func (a *app) backtest(cmd *cobra.Command, paths []string, since, until time.Time) (err error) {
	var requests []v1.BacktestRequest
	for _, p := range paths {
		files, err := ruleFiles(p)
		if err != nil {
			return usagef("%v", err)
		}
		requests = append(requests, v1.BacktestRequest{Rules: files, Since: since, Until: until})
	}
	c, done, err := a.connect(cmd.Context(), "backtest")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	enc := json.NewEncoder(a.stdout)
	for i, r := range requests {
		found, err := c.Backtest(cmd.Context(), r)
		if err != nil {
			return asUsage(err)
		}
		if a.json {
			if err := enc.Encode(found); err != nil {
				return err
			}
			continue
		}
		if err := a.printBacktest(paths[i], since, &found); err != nil {
			return err
		}
	}
	return nil
}

// ruleFiles reads a file, or the .yml and .yaml files below a folder.
func ruleFiles(path string) (files []v1.RuleFile, err error) {
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir(), name != path && !strings.HasSuffix(name, ".yml") && !strings.HasSuffix(name, ".yaml"), strings.HasSuffix(name, ".cases.yml"):
			return nil
		}
		text, err := os.ReadFile(name)
		files = append(files, v1.RuleFile{Name: name, Text: string(text)})
		return err
	})
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s: there are no rules: they are in files that end in .yml", path)
	}
	return files, err
}

// widest is the longest bar of a histogram.
const widestBar = 50

func (a *app) printBacktest(path string, since time.Time, b *v1.Backtest) error {
	days := time.Since(since).Hours() / 24
	fmt.Fprintf(a.stdout, "%s: %s alerts of %s records in %.1f s, %.2g a day\n", path, thousands(int64(b.Alerts)), thousands(b.Records), b.Seconds, float64(b.Alerts)/max(days, 1))
	if b.Gone > 0 {
		fmt.Fprintf(a.stdout, "  %s records were not judged: they are gone by policy\n", thousands(b.Gone))
	}
	most := 1
	for _, d := range b.Days {
		most = max(most, d.Alerts)
	}
	for _, d := range b.Days {
		fmt.Fprintf(a.stdout, "  %s %6d %s\n", d.Day, d.Alerts, strings.Repeat("#", max(1, d.Alerts*widestBar/most)))
	}
	t := a.section("rules", "level,alerts,title,id", len(b.Rules))
	for _, r := range b.Rules {
		if err := t.row([]string{r.Level, fmt.Sprint(r.Alerts), r.Title, r.Rule}); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	t = a.section("samples", "first,records,what,event", len(b.Samples))
	for _, s := range b.Samples {
		id := ""
		if len(s.Events) > 0 {
			id = s.Events[0]
		}
		if err := t.row([]string{stamp(s.First), fmt.Sprint(s.Count), printable(s.Sentence, 120), id}); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	return nil
}
