// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/node"
)

func (a *app) sessionCommand() *cobra.Command {
	var since, until string
	cmd := &cobra.Command{
		Use:   "session ID",
		Short: "Follow a session over channels and suites",
		Long: `Session shows what a session did, in the order of time, whatever channel told of it: the
sign-in in Entra's log, the mailbox and the files in that of Microsoft 365, which have one
id. A change of address, country or device on the way is marked. ID is that of a session,
or of a token or a root session (those are looked for in the last day, or since --since).
Below are sessions that the same people had at the same time in any suite: no record says
that they are this one. docs/reference/sessions.md says which ids are followed.`,
		Args: args(cobra.ExactArgs(1), "the id of a session or a token"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			from, to, err := parseBounds(since, until)
			if err != nil {
				return err
			}
			c, done, err := a.connect(cmd.Context(), "search")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			text, err := c.Session(cmd.Context(), args[0], from, to)
			if err != nil {
				return asUsage(err)
			}
			if a.json {
				_, err := fmt.Fprintf(a.stdout, "%s\n", text)
				return err
			}
			var s node.Session
			if err := json.Unmarshal(text, &s); err != nil {
				return err
			}
			return a.printSession(&s)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "only events at this `time` or later: 2026-11-21, 2026-11-21T08:00:00Z, 24h, 7d")
	cmd.Flags().StringVar(&until, "until", "", "only events before this `time`")
	return cmd
}

func (a *app) printSession(s *node.Session) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "session\t%s\n", printable(strings.Join(s.IDs, ", "), 200))
	fmt.Fprintf(w, "of\t%s\n", printable(strings.Join(s.Users, ", "), 200))
	fmt.Fprintf(w, "time\t%s – %s\n", stamp(s.First), stamp(s.Last))
	for _, note := range s.Notes {
		fmt.Fprintf(w, "note\t%s\n", printable(note, 200))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	t := a.section("timeline", "time,log,what,address,device,app,event,changed", len(s.Events))
	for i := range s.Events {
		if err := t.row(sessionCells(&s.Events[i])); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	if s.Truncated {
		a.say("the newest %s events are shown, there are more: give --since and --until", thousands(int64(len(s.Events))))
	}
	t = a.section("at the same time (no record says that it is this session)", "session,log,user,from,to,events,addresses,same address", len(s.Beside))
	for i := range s.Beside {
		b := &s.Beside[i]
		same := ""
		if b.SameAddress {
			same = "yes"
		}
		if err := t.row([]string{printable(b.Session, 40), b.Family, printable(b.User, 60), stamp(b.First), stamp(b.Last), strconv.Itoa(b.Events), printable(strings.Join(b.IPs, " "), 60), same}); err != nil {
			return err
		}
	}
	return endTable(t)
}

func sessionCells(e *node.SessionEvent) []string {
	changed := ""
	if len(e.Changed) > 0 {
		changed = "other " + strings.Join(e.Changed, ", ")
	}
	return []string{stamp(e.Time), e.Family, printable(e.Operation, 50), printable(e.IP, 40), printable(e.Device, 30), printable(e.App, 40), e.ID, changed}
}
