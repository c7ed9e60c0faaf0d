// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say what the data directory holds and what needs attention",
		Args:  args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, done, err := a.connect(cmd.Context(), "status")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			st, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(st)
			}
			return a.printStatus(st)
		},
	}
}

func (a *app) printStatus(st v1.Status) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	behind := "yes"
	if st.Behind {
		behind = "no: the lake is catching up with the journal"
	}
	mapping := st.Mapper
	if st.Stale {
		mapping += " (rows were made by an older one: \"daybreak rebuild\" makes them anew)"
	}
	for _, line := range [][2]string{
		{"data", st.Dir},
		{"held by", fmt.Sprintf("process %d (%s) since %s", st.PID, st.Role, st.Started.Local().Format(time.DateTime))},
		{"log", fmt.Sprintf("%s, %s entries, %s of them under a signed checkpoint", st.Origin, thousands(int64(st.LogEntries)), thousands(int64(st.LogSize)))},
		{"key", st.Key},
		{"searchable", fmt.Sprintf("%s rows in %d segments", thousands(st.Rows), st.Segments)},
		{"up to date", behind},
		{"mapping", mapping},
	} {
		fmt.Fprintf(w, "%s\t%s\n", line[0], line[1])
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := a.printSources(st.Sources); err != nil || len(st.Drift) == 0 {
		return err
	}
	fmt.Fprintln(a.stdout, "\nnot known to the mapping (kept whole under \"unmapped\"):")
	t := newTable(a.stdout, strings.Fields("source what count first last sample"))
	for _, d := range st.Drift {
		t.row([]string{d.Family, d.What, thousands(d.Count), d.First.UTC().Format(time.RFC3339), d.Last.UTC().Format(time.RFC3339), d.Sample})
	}
	return t.flush()
}

// printSources says how the sources stand, one line a stream.
func (a *app) printSources(sources []v1.Source) error {
	for i := range sources {
		s := &sources[i]
		fmt.Fprintf(a.stdout, "\nsource %s: %s since %s, tenant %s, %s\n", s.Name, s.State, s.Since.Local().Format(time.DateTime), s.Tenant, s.Credential)
		if s.Trouble != "" {
			fmt.Fprintf(a.stdout, "  %s\n", printable(s.Trouble, 400))
		}
		if s.Expires != nil {
			fmt.Fprintf(a.stdout, "  the credential ends on %s\n", s.Expires.Format(time.DateOnly))
		}
		if len(s.Streams) == 0 {
			continue
		}
		t := newTable(a.stdout, strings.Fields("stream state listed-to backlog time-to-loss late trouble"))
		for _, st := range s.Streams {
			head := ""
			if st.Head != nil {
				head = st.Head.Format(time.RFC3339)
			}
			left := time.Duration(st.TimeToLoss * float64(time.Second)).Round(time.Minute)
			t.row([]string{st.Name, st.State, head, thousands(int64(st.Backlog)), left.String(), thousands(st.Late), st.Error})
		}
		if err := t.flush(); err != nil {
			return err
		}
	}
	return nil
}
