// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/readiness"
)

func (a *app) readinessCommand() *cobra.Command {
	var file, tenant, group, out string
	cmd := &cobra.Command{
		Use:   "readiness",
		Short: "Judge requirements: pass, fail or not known, with figures and evidence",
		Long: `Readiness judges the requirements of a TOML file by what was measured: coverage, delays,
alarms, sign-in strength, open incidents. docs/reference/readiness.md lists the facts and has
an example. --group judges facts about people for those of the HR list only ("ring=1"), so
that a step of a rollout can wait for it.

It ends with 0 if all pass, with 1 if one fails, and with 3 if none fails and something is
not known. A verdict that is another than the last time is an act in the journal:
"daybreak search 'family:daybreak op:readiness'" is the history. --out keeps the signed
document, which "daybreak verify --statement" checks; --json prints it.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return usagef("--requirements names no file: see docs/reference/readiness.md for an example")
			}
			return a.readiness(cmd.Context(), file, tenant, group, out)
		},
	}
	cmd.Flags().StringVar(&file, "requirements", "", "TOML `file` with requirements")
	cmd.Flags().StringVar(&tenant, "tenant", "", "only of this `tenant`")
	cmd.Flags().StringVar(&group, "group", "", "`column=value` of the HR list")
	cmd.Flags().StringVar(&out, "out", "", "`file` for the signed document")
	return cmd
}

func (a *app) readiness(ctx context.Context, file, tenant, group, out string) error {
	text, err := a.readFile(file, readiness.MaxFile)
	if err != nil {
		return err
	}
	if _, err := readiness.Parse(text); err != nil {
		return usagef("%s: %v", file, err)
	}
	doc, keys, err := a.signed(ctx, func(c *client.Client) ([]byte, error) { return c.Readiness(ctx, string(text), tenant, group) })
	if err != nil {
		return err
	}
	if out != "" {
		if err := a.writeDocument(out, doc); err != nil {
			return err
		}
	}
	var d readiness.Document
	if _, err := statement.Open(doc, keys, statement.ReadinessTitle, &d); err != nil {
		return fmt.Errorf("the server's judgment does not hold: %w", err)
	}
	if a.json {
		_, err = a.stdout.Write(doc)
	} else {
		err = a.printReadiness(&d)
	}
	if err != nil {
		return err
	}
	switch d.Verdict {
	case readiness.Fail:
		return &exitError{exitFailed, errors.New("not ready: a requirement fails")}
	case readiness.Unknown:
		return partlyf("not known: no requirement fails, but not all could be judged")
	}
	return nil
}

func (a *app) printReadiness(d *readiness.Document) error {
	of := "everybody"
	if d.Group != "" {
		of = fmt.Sprintf("%s, of the HR list: %s", d.Group, thousands(d.People))
	}
	fmt.Fprintf(a.stdout, "made     %s\nof       %s\nverdict  %s\n", stamp(d.Made), printable(of, 120), d.Verdict)
	t := a.section("requirements", "requirement,verdict,since,wanted,measured,of,evidence", len(d.Results))
	for i := range d.Results {
		r := &d.Results[i]
		evidence := strings.Join(r.Evidence[:min(len(r.Evidence), 3)], " ")
		if n := len(r.Evidence) - 3; n > 0 {
			evidence += fmt.Sprintf(" +%d", n)
		}
		if err := t.row([]string{r.ID, string(r.Verdict), r.Since, r.Want, r.Measured, printable(r.Figures, 80), evidence}); err != nil {
			return err
		}
	}
	return endTable(t)
}
