// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bufio"
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/lake/query"
)

func (a *app) tailCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tail [QUERY]",
		Short: "Follow new events",
		Long: `Tail shows events as they become searchable, from now on, until it is
interrupted. The query is as in "daybreak search", without pipes. Events come from the
process that holds the data directory, a server or an import; while there is none, tail
waits for one. What was stored before it came to it is for "daybreak search".`,
		Args: args(cobra.MaximumNArgs(1), "at most one query (quote it)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text := ""
			if len(args) > 0 {
				text = args[0]
			}
			if err := a.checkQuery(text); err != nil {
				return err
			}
			if q, err := query.Parse(text); err == nil && len(q.Pipes) > 0 {
				return usagef("tail shows events as they come and takes no pipes")
			}
			return a.tail(cmd.Context(), text)
		},
	}
}

// tail never takes the data directory itself: it would keep everybody else from
// storing what it waits for.
func (a *app) tail(ctx context.Context, text string) error {
	out := bufio.NewWriterSize(a.stdout, 1<<16)
	p := a.printer(out)
	if err := p.header(v1.SearchHeader{Kind: "events"}); err != nil {
		return err
	}
	if err := errors.Join(p.end(), out.Flush()); err != nil {
		return err
	}
	told := false
	for ctx.Err() == nil {
		c, _, err := a.dial()
		if err != nil {
			return err
		}
		if c != nil {
			told = false
			err = c.Tail(ctx, text, a.json, func(h v1.Hit) error {
				if err := errors.Join(p.hit(h), out.Flush()); err != nil {
					return &outputError{err}
				}
				return nil
			})
			if full := (*outputError)(nil); client.StatusOf(err) != 0 || errors.As(err, &full) {
				return asUsage(err)
			}
		}
		if !told && ctx.Err() == nil {
			a.say("no process takes records into %s at present: waiting for one", a.data)
			told = true
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

// outputError is a failure to print, which no other server mends.
type outputError struct{ error }
