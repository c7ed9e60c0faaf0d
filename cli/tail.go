// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"errors"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (a *app) tailCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tail [QUERY]",
		Short: "Follow new events",
		Long: `Tail shows events as they become searchable, from now on, until it is
interrupted. The query is as in "daybreak search", without pipes. Events come from
the server that holds the data directory.`,
		Args: args(cobra.MaximumNArgs(1), "at most one query (quote it)"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			text := ""
			if len(args) > 0 {
				text = args[0]
			}
			if err := a.checkQuery(text); err != nil {
				return err
			}
			c, done, err := a.connect(cmd.Context(), "tail")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			out := bufio.NewWriterSize(a.stdout, 1<<16)
			p := a.printer(out)
			if err := p.header(v1.SearchHeader{Kind: "events"}); err != nil {
				return err
			}
			if err := errors.Join(p.end(), out.Flush()); err != nil {
				return err
			}
			return asUsage(c.Tail(cmd.Context(), text, a.json, func(h v1.Hit) error {
				return errors.Join(p.hit(h), out.Flush())
			}))
		},
	}
}
