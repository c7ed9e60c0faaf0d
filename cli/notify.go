// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
)

func (a *app) notifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Messages about incidents that could not be delivered",
		Long: `Daybreak serve tells of incidents on the channels that the configuration names ([[notify]]).
A message that nobody takes for a day, or that its receiver refuses for good, is put aside.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		a.notifyDeadCommand(),
		a.deadLetterCommand("again", "Try a message again, as if it were new; daybreak serve sends it", "it is tried again", (*client.Client).TellAgain),
		a.deadLetterCommand("discard", "Forget a message", "it is discarded", (*client.Client).Discard),
	)
	return cmd
}

func (a *app) notifyDeadCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dead",
		Short: "List the messages that are not tried any more, the latest first",
		Args:  args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, done, err := a.connect(cmd.Context(), "notify")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			list, err := c.DeadLetters(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(list)
			}
			t := newTable(a.stdout, []string{"id", "channel", "since", "attempts", "level", "incident", "title", "error"})
			for i := range list {
				d := &list[i]
				row := []string{strconv.FormatInt(d.ID, 10), d.Channel, short(d.Since), strconv.Itoa(d.Attempts), d.Level, d.Incident, d.Title, d.Error}
				if err := t.row(row); err != nil {
					return err
				}
			}
			return t.flush()
		},
	}
}

// deadLetterCommand does something with one of them; with --json it lists those that are left.
func (a *app) deadLetterCommand(name, about, did string, do func(*client.Client, context.Context, int64) ([]v1.DeadLetter, error)) *cobra.Command {
	return &cobra.Command{
		Use:   name + " ID",
		Short: about,
		Args:  args(cobra.ExactArgs(1), "a message's id"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return usagef("%.40q is not the id of a message: \"daybreak notify dead\" lists them", args[0])
			}
			c, done, err := a.connect(cmd.Context(), "notify")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			left, err := do(c, cmd.Context(), id)
			if err != nil {
				return fmt.Errorf("message %d: %w", id, err)
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(left)
			}
			fmt.Fprintf(a.stdout, "%d: %s\n", id, did)
			return nil
		},
	}
}
