// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/act"
	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (a *app) controlsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "controls",
		Short: "Say how everything stands that can switch the logging of a tenant off",
		Long: `Controls lists what can switch the logging of a tenant off, as the sources of type "controls",
"github-controls" and "okta-controls" read it: how it stands, since when, the act in the journal
that says so (which "daybreak prove" takes) and the record that told of the change. What does
not stand as it should, or has changed, has a line of its own behind its control. What cannot
be read is "not watched", with what the application or the token lacks.

The exit code is 1 if a control does not stand as it should.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, done, err := a.connect(cmd.Context(), "controls")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			list, err := c.Controls(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				err = json.NewEncoder(a.stdout).Encode(list)
			} else {
				err = a.printControls(list.Controls)
			}
			if err == nil && slices.ContainsFunc(list.Controls, func(c v1.Control) bool { return c.State == act.Drift }) {
				err = errors.New("a control does not stand as it should")
			}
			return err
		},
	}
}

func (a *app) printControls(list []v1.Control) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.stdout, `no control is watched: add a source of type "controls", "github-controls" or "okta-controls" (docs/reference/controls.md)`)
		return err
	}
	t := newTable(a.stdout, []string{"source", "control", "state", "since", "act", "event", ""})
	for i := range list {
		c := &list[i]
		since, text := "", c.Message
		if c.Since != nil {
			since = c.Since.UTC().Format(time.RFC3339)
		}
		if c.State == act.Unwatched {
			text = "needs " + c.Needs + ": " + text
		}
		name := c.Control
		if c.Subject != "" {
			name += " " + c.Subject
		}
		if err := t.row([]string{c.Source, name, c.State, since, c.Act, c.Event, text}); err != nil {
			return err
		}
	}
	return t.flush()
}
