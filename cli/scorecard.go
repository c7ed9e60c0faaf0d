// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
	"github.com/daybreak-sec/daybreak/coverage/statement"
)

func (a *app) scorecardCommand() *cobra.Command {
	var since, until, targets, out string
	cmd := &cobra.Command{
		Use:   "scorecard",
		Short: "Say how well each vendor delivers: delays, what is late, lost or lacking",
		Long: `Scorecard measures every vendor by the same yardstick: for each stream and operation how
long after an event its record was offered, what came twice or late or not at all, how
often listings worked and for how long we were made to wait; how long harmless acts of our
own took to become durable records, and which did not; and what records lack.

--targets names a file of what you ask of a vendor, and each is met, not met or not known:

  [[target]]
  operation = "New-InboxRule"
  quantile = "p95"
  within = "15m"

  [[target]]
  canary = "sign-in"
  at_least = "99.5%"

--out keeps the signed document, which "daybreak verify --statement" checks; --json prints it.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := parseBounds(since, until)
			if err != nil {
				return err
			}
			return a.scorecard(cmd.Context(), from, to, targets, out)
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "from this `time` on: 2026-11-21, 2026-11-21T08:00:00Z, 24h, 7d; a week before --until if absent")
	cmd.Flags().StringVar(&until, "until", "", "up to this `time`; the present if absent")
	cmd.Flags().StringVar(&targets, "targets", "", "`file` with targets, TOML or a JSON list")
	cmd.Flags().StringVar(&out, "out", "", "`file` for the signed document")
	return cmd
}

func (a *app) scorecard(ctx context.Context, since, until time.Time, targets, out string) error {
	var text []byte
	if targets != "" {
		var err error
		if text, err = a.readFile(targets, scorecard.MaxTargetText); err != nil {
			return err
		}
		list, err := scorecard.ReadTargets(text)
		if err != nil {
			return usagef("%s: %v", targets, err)
		}
		if text, err = json.Marshal(list); err != nil {
			return err
		}
	}
	doc, keys, err := a.signed(ctx, func(c *client.Client) ([]byte, error) { return c.Scorecard(ctx, string(text), since, until) })
	if err != nil {
		return err
	}
	if out != "" {
		if err := a.writeDocument(out, doc); err != nil {
			return err
		}
	}
	if a.json {
		_, err := a.stdout.Write(doc)
		return err
	}
	var card scorecard.Scorecard
	if _, err := statement.Open(doc, keys, statement.ScorecardTitle, &card); err != nil {
		return fmt.Errorf("the server's scorecard does not hold: %w", err)
	}
	return a.printScorecard(&card)
}

func (a *app) printScorecard(card *scorecard.Scorecard) error {
	fmt.Fprintf(a.stdout, "time  %s – %s\n", stamp(card.Since), stamp(card.Until))
	t := a.section("delivery (offered after the event: 50% / 95% / 99%)", "vendor,stream,operation,records,our own,offered after,out of order,twice,late,gaps,available,throttled", len(card.Streams))
	for i := range card.Streams {
		s := &card.Streams[i]
		available := "not known"
		if s.AvailabilityPPM >= 0 {
			available = share(s.AvailabilityPPM, 1_000_000)
		}
		row := []string{
			s.Vendor, s.Stream, "all", thousands(int64(s.Delay.Records)), share(int64(s.Own.Own), int64(s.Own.Records)), delays(s.Delay), share(int64(s.Order.Behind), int64(s.Order.Records)), share(s.Duplicates, s.Records), share(s.LateBlobs, s.Blobs),
			strconv.Itoa(s.OpenGaps), available, seconds(float64(s.ThrottledSeconds)),
		}
		if err := t.row(row); err != nil {
			return err
		}
		for j := range s.Operations[:min(len(s.Operations), mostOperations)] {
			o := &s.Operations[j]
			if err := t.row([]string{s.Vendor, s.Stream, o.Operation, thousands(int64(o.Records)), "", delays(o.Delay), "", "", "", "", "", ""}); err != nil {
				return err
			}
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	t = a.section("canaries (arrived after the act: 50% / 95% / 99%)", "vendor,canary,channel,done,arrived,missing,share,arrived after", len(card.Canaries))
	for i := range card.Canaries {
		c := &card.Canaries[i]
		part := "not known"
		if c.ArrivedPPM >= 0 {
			part = share(c.ArrivedPPM, 1_000_000)
		}
		if err := t.row([]string{c.Vendor, c.Kind, c.Channel, strconv.Itoa(c.Planted), strconv.Itoa(c.Arrived), strconv.Itoa(c.Missing), part, delays(c.Delay)}); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	t = a.section("records without", "family,operation,records,address,actor,object", len(card.Content))
	for _, c := range card.Content {
		if err := t.row([]string{c.Family, c.Operation, thousands(c.Records), share(c.NoAddress, c.Records), share(c.NoActor, c.Records), share(c.NoObject, c.Records)}); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	t = a.section("targets", "stream,operation,target,measured,records,result", len(card.Targets))
	for _, o := range card.Targets {
		measured, of, want := "", o.Operation, o.Quantile+" within "+o.Within
		switch {
		case o.Share != nil:
			measured = share(*o.Share, 1_000_000)
		case o.Measured >= 0:
			measured = seconds(float64(o.Measured) / 1000)
		}
		if o.Canary != "" {
			of = "canary " + o.Canary
		}
		if o.AtLeast != "" {
			want = "at least " + o.AtLeast
		}
		if err := t.row([]string{o.Stream, of, want, measured, thousands(int64(o.Records)), o.Result}); err != nil {
			return err
		}
	}
	return endTable(t)
}

func delays(d scorecard.Delay) string {
	if d.Records == 0 {
		return "not known"
	}
	return seconds(float64(d.P50)/1000) + " / " + seconds(float64(d.P95)/1000) + " / " + seconds(float64(d.P99)/1000)
}

// share is a part of all in hundredths.
func share(part, all int64) string {
	if all == 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(part)/float64(all), 'f', 1, 64) + "%"
}
