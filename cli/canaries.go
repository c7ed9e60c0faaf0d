// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (a *app) canariesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "canaries",
		Short: "Say how long harmless acts take to become records, and which have not",
		Long: `Canaries lists the harmless acts that sources of type "canary" do, by kind and by the channel
that their records come through: how many came in the last 14 days and in what time from the act
to the log, how many are awaited, and how many have not come in the time that they may take,
which is learned from the others.

The exit code is 1 if one is missing.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, done, err := a.connect(cmd.Context(), "canaries")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			list, err := c.Canaries(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				err = json.NewEncoder(a.stdout).Encode(list)
			} else {
				err = a.printCanaries(list.Canaries)
			}
			if err == nil && slices.ContainsFunc(list.Canaries, func(c v1.Canary) bool { return c.Missing > 0 }) {
				err = errors.New("a canary is missing")
			}
			return err
		},
	}
}

func (a *app) printCanaries(list []v1.Canary) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.stdout, `no canary is planted: add a source of type "canary" (docs/reference/canaries.md)`)
		return err
	}
	t := newTable(a.stdout, []string{"source", "kind", "channel", "planted", "came", "median", "p95", "may take", "waiting", "missing", ""})
	span := func(seconds float64) string {
		return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond).String()
	}
	for i := range list {
		c := &list[i]
		planted, median, p95, text := "", "", "", c.Message
		if c.Planted != nil {
			planted = c.Planted.UTC().Format(time.RFC3339)
		}
		if c.Came > 0 {
			median, p95 = span(c.Median), span(c.P95)
		}
		switch {
		case !c.Live:
			text = cmp.Or(text, "a dry run: nothing is planted")
		case c.Collected == "perhaps" && c.Came+c.Waiting+c.Missing == 0:
			text = cmp.Or(text, "whether a hub has it is not known")
		case c.Collected == "no":
			text = cmp.Or(text, "not collected")
		}
		err := t.row([]string{
			c.Source, c.Kind, c.Channel, planted, strconv.Itoa(c.Came), median, p95, span(c.Allowed), strconv.Itoa(c.Waiting), strconv.Itoa(c.Missing), text,
		})
		if err != nil {
			return err
		}
	}
	return t.flush()
}
