// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/event"
)

func (a *app) proveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "prove EVENT_ID",
		Short: "Print the evidence bundle of one event",
		Long: `Prove prints one JSON object: the raw record, its receipt, the proof that it is in
the log, the signed checkpoint and the witnesses' signatures. Whoever has the log's
key checks it with "daybreak verify --proof FILE --key FILE", without the log.
docs/format/journal.md, section 7, describes it.`,
		Args: args(cobra.ExactArgs(1), "one event id of the form e12.345"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if _, err := event.ParseID(args[0]); err != nil {
				return usagef("%v; \"daybreak search\" shows the ids of events", err)
			}
			c, done, err := a.connect(cmd.Context(), "prove")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			return asUsage(c.Prove(cmd.Context(), args[0], a.stdout))
		},
	}
}
