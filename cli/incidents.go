// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/incident"
)

func (a *app) incidentsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incidents",
		Short: "What alerts join into: who did what to whom, and how far it reached",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.incidentsListCommand(), a.incidentsShowCommand(), a.incidentsChangeCommand())
	return cmd
}

var (
	incidentStates = []string{incident.StateOpen, incident.StateAcknowledged, incident.StateContained, incident.StateClosed}
	incidentLevels = []string{"informational", "low", "medium", "high", "critical"}
)

// oneOf says what a flag may be, if it is something else.
func oneOf(flag, value string, words []string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return usagef("--%s is %q: want one of %s", flag, value, strings.Join(words, ", "))
}

func (a *app) incidentsListCommand() *cobra.Command {
	var p client.Picked
	var since, until string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List incidents, the one with the latest alert first",
		Args:  args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if p.Since, p.Until, err = parseBounds(since, until); err != nil {
				return err
			}
			for _, s := range p.States {
				if err := oneOf("state", s, incidentStates); err != nil {
					return err
				}
			}
			if p.Level != "" {
				if err := oneOf("level", p.Level, incidentLevels); err != nil {
					return err
				}
			}
			return a.listIncidents(cmd, p)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&p.States, "state", nil, "only in this `state`: open, acknowledged, contained, closed")
	flags.StringVar(&p.Level, "level", "", "only of this `level` or a graver one: low, medium, high, critical")
	flags.StringVar(&since, "since", "", "only what was still going on at this `time` or later")
	flags.StringVar(&until, "until", "", "only what had begun before this `time`")
	flags.IntVar(&p.Limit, "limit", 100, "at most `N`, the newest")
	return cmd
}

func (a *app) listIncidents(cmd *cobra.Command, p client.Picked) (err error) {
	c, done, err := a.connect(cmd.Context(), "incidents")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	text, err := c.Incidents(cmd.Context(), p)
	if err != nil {
		return asUsage(err)
	}
	if a.json {
		_, err := fmt.Fprintf(a.stdout, "%s\n", text)
		return err
	}
	var list []incident.Summary
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	t := newTable(a.stdout, []string{"level", "state", "first", "last", "alerts", "title", "id"})
	for _, x := range list {
		if err := t.row([]string{x.Level, x.State, short(x.First), short(x.Last), fmt.Sprint(x.Alerts), x.Title, x.ID}); err != nil {
			return err
		}
	}
	return t.flush()
}

func (a *app) incidentsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show one incident: its story, timeline, phases and blast radius",
		Args:  args(cobra.ExactArgs(1), "an incident's id"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c, done, err := a.connect(cmd.Context(), "incidents")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			text, err := c.Incident(cmd.Context(), args[0])
			if err != nil {
				return asUsage(err)
			}
			if a.json {
				_, err := fmt.Fprintf(a.stdout, "%s\n", text)
				return err
			}
			var in incident.Incident
			if err := json.Unmarshal(text, &in); err != nil {
				return err
			}
			return a.printIncident(&in)
		},
	}
}

func (a *app) printIncident(in *incident.Incident) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "incident\t%s\n", in.ID)
	fmt.Fprintf(w, "title\t%s\n", printable(in.Title, 200))
	fmt.Fprintf(w, "level\t%s\n", in.Level)
	state := in.State
	if in.Assignee != "" {
		state += ", with " + printable(in.Assignee, 60)
	}
	fmt.Fprintf(w, "state\t%s\n", state)
	fmt.Fprintf(w, "time\t%s – %s\n", stamp(in.First), stamp(in.Last))
	for _, p := range in.Phases {
		fmt.Fprintf(w, "%s\t%s\n", p.Tactic.Name, strings.Join(p.Techniques, " "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout)
	for _, line := range wrap(in.Text, 110) {
		fmt.Fprintln(a.stdout, printable(line, 1000))
	}

	t := a.section("timeline", "time,level,what,who,event", len(in.Timeline))
	for _, e := range in.Timeline {
		id := ""
		if len(e.Events) > 0 {
			id = e.Events[0]
		}
		what := e.Title
		switch {
		case e.Text == "" || e.Text == e.Title:
		case strings.HasPrefix(e.Text, e.Title):
			what = e.Text
		default:
			what += ": " + e.Text
		}
		if err := t.row([]string{stamp(e.Time), e.Level, printable(what, 110), printable(e.Who, 60), id}); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	return a.printBlast(&in.Blast)
}

// wrap breaks text between words, so that no line is longer than width unless a word is.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func (a *app) printBlast(b *incident.Blast) error {
	fmt.Fprintf(a.stdout, "\nblast radius\n")
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	if b.FromEvents {
		fmt.Fprintf(w, "looked at\t%s of the actors\n", counted(b.Events, "event"))
	}
	for _, m := range b.Mail {
		note := ""
		if m.Throttled {
			note = "; logging was throttled: there may be more"
		}
		fmt.Fprintf(w, "mail read\t%s items in %d mailboxes by %s %s%s\n", thousands(int64(m.Items)), m.Mailboxes, printable(m.By, 60), strings.Join(nonEmpty(m.Logon, m.Access), ", "), note)
	}
	if b.MailSent > 0 {
		fmt.Fprintf(w, "mail sent\t%s\n", thousands(int64(b.MailSent)))
	}
	if b.Files > 0 {
		fmt.Fprintf(w, "files read\t%s\n", thousands(int64(b.Files)))
	}
	for _, n := range []struct {
		what  string
		names incident.Names
	}{
		{"mailboxes", b.Mailboxes},
		{"rights given", b.Grants},
		{"credentials", b.Keys},
		{"mail rules", b.Rules},
		{"accounts", b.Accounts},
		{"applications", b.Apps},
	} {
		if n.names.Count > 0 {
			fmt.Fprintf(w, "%s\t%d: %s\n", n.what, n.names.Count, printable(strings.Join(n.names.Names, ", "), 160))
		}
	}
	if !b.FromEvents || b.Truncated {
		fmt.Fprintf(w, "bounds\tthese are lower bounds: not all events of the actors were looked at\n")
	}
	return w.Flush()
}

func nonEmpty(list ...string) (out []string) {
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (a *app) incidentsChangeCommand() *cobra.Command {
	var d client.Decision
	var assignee string
	cmd := &cobra.Command{
		Use:   "change ID",
		Short: "Change an incident: its state, who takes care of it, a note, what belongs to it",
		Long: `Change writes a decision about an incident into the journal, where it can be proved like any
record, and applies it. Decide one thing at a time; a note may go with it.`,
		Args: args(cobra.ExactArgs(1), "an incident's id"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if cmd.Flags().Changed("assignee") {
				d.Assignee = &assignee
			}
			if d.State != "" {
				if err := oneOf("state", d.State, incidentStates); err != nil {
					return err
				}
			}
			if d.State == "" && d.Assignee == nil && d.Note == "" && len(d.Split) == 0 && d.Merge == "" {
				return usagef("nothing is to be changed: give --state, --assignee, --note, --split or --merge")
			}
			if d.By == "" {
				if u, err := user.Current(); err == nil {
					d.By = u.Username
				}
			}
			c, done, err := a.connect(cmd.Context(), "incidents")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			text, err := c.Decide(cmd.Context(), args[0], d)
			if err != nil {
				return asUsage(err)
			}
			if a.json {
				_, err := fmt.Fprintf(a.stdout, "%s\n", text)
				return err
			}
			var x incident.Summary
			if err := json.Unmarshal(text, &x); err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s  %s  %s\n", x.ID, x.State, printable(x.Title, 120))
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&d.State, "state", "", "its `state` now: open, acknowledged, contained, closed")
	flags.StringVar(&assignee, "assignee", "", "`who` takes care of it; empty for nobody")
	flags.StringVar(&d.Note, "note", "", "a `text` to be kept with it")
	flags.StringSliceVar(&d.Split, "split", nil, "`ids` of alerts that are another matter")
	flags.StringVar(&d.Merge, "merge", "", "`id` of an incident that is the same matter")
	flags.StringVar(&d.By, "by", "", "`who` decides (default: the user of this system)")
	return cmd
}
