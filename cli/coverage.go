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
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (a *app) coverageCommand() *cobra.Command {
	var since, until string
	var f statementFlags
	var channels bool
	cmd := &cobra.Command{
		Use:   "coverage",
		Short: "Say what was logged: complete, late, lost or not collected, with the evidence",
		Long: `Coverage says for each tenant, stream and interval of five minutes whether everything
that the provider offered then is in the journal:

  complete       all of it is, as of the moment named
  late           it is due, and is not: not listed, or listed and not fetched
  gap            something of it cannot be had, and why
  blind          not all that happened was recorded, or is shown, and of whom or what
  not collected  no subscription, no permission, or not configured
  unknown        too young to say, or from before collecting began

Of canaries that were planted in the time (docs/reference/canaries.md) it says for each stream
when the last one came and in what time, and which are overdue.

The ids are those of the acts in the journal that say so: "daybreak prove" takes them.
Times are the provider's. docs/reference/coverage.md has the rest.

With --statement it makes the document to hand to others: every stream and interval
with its evidence, signed with the log's key, its hash in the journal. "daybreak verify
--statement" checks it, also without the server. --html and --pdf write it for people
beside it.

With --channels it says instead how channels that show the same acts agree: what each
showed of an operation, what it lacks of what the others show, and why; and who acted
with a session or token that no sign-in has given out. docs/reference/reconcile.md has
the rest.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := parseBounds(since, until)
			if err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
			}
			if channels && f.on {
				return usagef("--channels and --statement are two things: ask for one")
			}
			if channels {
				return a.channels(cmd, from, to)
			}
			if f.on {
				f.since, f.until = from, to
				return a.statement(cmd.Context(), f)
			}
			return a.coverage(cmd, from, to)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "from the interval of this `time` on: 2026-11-21, 2026-11-21T08:00:00Z, 24h, 7d; a day before --until if absent")
	cmd.Flags().StringVar(&until, "until", "", "up to this `time`; the present if absent")
	cmd.Flags().BoolVar(&channels, "channels", false, "how channels that show the same acts agree")
	cmd.Flags().BoolVar(&f.on, "statement", false, "make the signed statement")
	cmd.Flags().StringVar(&f.tenant, "tenant", "", "of the statement: the only `tenant` that it is about")
	cmd.Flags().StringVar(&f.out, "out", "", "of the statement: the `file` it goes to; standard output if absent")
	cmd.Flags().StringVar(&f.html, "html", "", "of the statement: `file` for its page for people")
	cmd.Flags().StringVar(&f.pdf, "pdf", "", "of the statement: `file` for its pages as PDF")
	return cmd
}

func (a *app) coverage(cmd *cobra.Command, since, until time.Time) (err error) {
	c, done, err := a.connect(cmd.Context(), "coverage")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	v, err := c.Coverage(cmd.Context(), since, until)
	if err != nil {
		return asUsage(err)
	}
	if v.Statement.Log.Behind {
		a.say("the journal holds acts that are not counted yet: ask again in a moment")
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(v)
	}
	return a.printCoverage(&v)
}

func (a *app) printCoverage(v *v1.Coverage) error {
	st := &v.Statement
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "time\t%s – %s\n", stamp(st.Since), stamp(st.Until))
	fmt.Fprintf(w, "log\t%s, acts of the first %s entries, %s under a signed checkpoint\n",
		st.Log.Origin, thousands(int64(st.Log.Entries)), thousands(int64(st.Log.Checkpoint)))
	t := &st.Totals
	fmt.Fprintf(w, "intervals\t%s\n", states(t.Intervals))
	fmt.Fprintf(w, "records\t%s in %s blobs, %s of them stored before, %s changed, %s unreadable; %s blobs outstanding\n",
		thousands(t.Records), thousands(t.Sealed), thousands(t.Duplicates), thousands(t.Mutated), thousands(t.Unreadable), thousands(int64(t.Outstanding)))
	for _, p := range st.Promises {
		kept := "kept"
		if !p.Kept {
			kept = "BROKEN"
		}
		fmt.Fprintf(w, "%s\t%s: %s\n", p.Name, kept, p.Measured)
		for _, b := range p.Broken {
			fmt.Fprintf(w, "\t%s\n", printable(b, 200))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, section := range []func(*v1.Coverage) error{a.printAlarms, a.printStreams, a.printPlanted, a.printIntervals, a.printGaps, a.printLatency} {
		if err := section(v); err != nil {
			return err
		}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func short(t time.Time) string { return t.UTC().Format("01-02 15:04Z") }

func states(c v1.StateCounts) string {
	var list []string
	for _, s := range []struct {
		n    int
		name string
	}{{c.Complete, "complete"}, {c.Late, "late"}, {c.Gap, "gap"}, {c.Blind, "blind"}, {c.NotCollected, "not collected"}, {c.Unknown, "unknown"}} {
		if s.n > 0 {
			list = append(list, thousands(int64(s.n))+" "+s.name)
		}
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// section begins a table under a heading, if it has rows.
func (a *app) section(heading, names string, n int) *table {
	if n == 0 {
		return nil
	}
	fmt.Fprintf(a.stdout, "\n%s\n", heading)
	return newTable(a.stdout, strings.Split(names, ","))
}

func endTable(t *table) error {
	if t == nil {
		return nil
	}
	return t.flush()
}

func (a *app) printAlarms(v *v1.Coverage) error {
	t := a.section("alarms", "since,stream,what,of,act,message", len(v.Statement.Alarms))
	for _, x := range v.Statement.Alarms {
		what := x.Reason
		if x.Code != "" {
			what += " " + x.Code
		}
		// The message is the last cell: it may be as long as it is.
		if err := t.row([]string{short(x.Since), x.Stream, what, x.Subject, x.Act, x.Message}); err != nil {
			return err
		}
	}
	return endTable(t)
}

func (a *app) printStreams(v *v1.Coverage) error {
	t := a.section("streams", "source,stream,listed,outstanding,time to loss,late blobs,not seen for,swept back,intervals", len(v.Statement.Streams))
	for _, x := range v.Statement.Streams {
		listed := "never"
		if x.Listed != nil {
			listed = short(*x.Listed)
		}
		loss := seconds(x.TimeToLoss)
		switch {
		case x.Listed == nil:
			loss = ""
		case x.BackFilling:
			loss += " (back-filling)"
		case x.Endangered:
			loss += " (!)"
		}
		row := []string{
			x.Source, x.Stream, listed, thousands(int64(x.Outstanding)), loss, thousands(x.LateBlobs),
			seconds(x.LagP999), seconds(x.SweepReach), states(x.Intervals),
		}
		if err := t.row(row); err != nil {
			return err
		}
	}
	return endTable(t)
}

func (a *app) printPlanted(v *v1.Coverage) error {
	t := a.section("canaries", "stream,kind,channel,last came,took,awaited,overdue,act", len(v.Statement.Canaries))
	for i := range v.Statement.Canaries {
		x := &v.Statement.Canaries[i]
		came, took, overdue, evidence := "never", "", strconv.Itoa(x.Missing), ""
		if x.Latest != nil {
			came, took = short(*x.Latest), seconds(x.Took)
		}
		if n := len(x.Overdue); n > 0 {
			overdue += ", the last of " + short(x.Overdue[n-1].Planted)
			evidence = x.Overdue[n-1].Act
		}
		if err := t.row([]string{x.Stream, x.Kind, x.Channel, came, took, strconv.Itoa(x.Awaited), overdue, evidence}); err != nil {
			return err
		}
	}
	return endTable(t)
}

func (a *app) printIntervals(v *v1.Coverage) error {
	t := a.section("intervals", "stream,from,to,state,why,of,blobs,records,as of,evidence", len(v.Intervals))
	for _, x := range v.Intervals {
		asOf := ""
		if x.AsOf != nil {
			asOf = short(*x.AsOf)
		}
		blobs := thousands(x.Sealed)
		if x.Sealed != x.Blobs {
			blobs += " of " + thousands(x.Blobs)
		}
		var evidence []string
		for _, id := range []string{x.Evidence.Listing, x.Evidence.Last, x.Evidence.Why} {
			if id != "" {
				evidence = append(evidence, id)
			}
		}
		row := []string{x.Stream, short(x.From), short(x.To), x.State, x.Reason, x.Subject, blobs, thousands(x.Records), asOf, strings.Join(evidence, " ")}
		if err := t.row(row); err != nil {
			return err
		}
	}
	return endTable(t)
}

func (a *app) printGaps(v *v1.Coverage) error {
	t := a.section("gaps", "stream,from,to,reason,of,for good,blob,act,message", len(v.Statement.Gaps))
	for _, x := range v.Statement.Gaps {
		to := "now"
		if x.To != nil {
			to = stamp(*x.To)
		}
		if err := t.row([]string{x.Stream, stamp(x.From), to, x.Reason, x.Subject, yes(x.Permanent), x.Blob, x.Act, x.Message}); err != nil {
			return err
		}
	}
	return endTable(t)
}

// mostOperations is how many operations of a stream people are shown; JSON has
// all.
const mostOperations = 5

func (a *app) printLatency(v *v1.Coverage) error {
	t := a.section("delays (50% / 99% of the records)", "stream,operation,records,event to offered,offered to searchable,event to searchable", len(v.Latency))
	stream, n := "", 0
	for _, x := range v.Latency {
		operation := x.Operation
		if operation == "" {
			stream, n, operation = x.Stream, 0, "all"
			if !x.Live {
				operation = "all back-filled"
			}
		}
		if n++; n > mostOperations+1 || x.Stream != stream || !x.Live && x.Operation != "" {
			continue
		}
		row := []string{x.Stream, operation, thousands(int64(x.Records)), spread(x.Offering), spread(x.Added), spread(x.Whole)}
		if err := t.row(row); err != nil {
			return err
		}
	}
	return endTable(t)
}

func spread(p v1.Percentile) string { return seconds(p.P50) + " / " + seconds(p.P99) }

// seconds says a time as people do: three digits of it.
func seconds(s float64) string {
	switch {
	case s < 120:
		return strconv.FormatFloat(s, 'g', 3, 64) + "s"
	case s < 2*3600:
		return fmt.Sprintf("%dm", int(s/60))
	case s < 48*3600:
		return fmt.Sprintf("%dh%02dm", int(s/3600), int(s/60)%60)
	}
	return fmt.Sprintf("%dd%dh", int(s/86400), int(s/3600)%24)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
