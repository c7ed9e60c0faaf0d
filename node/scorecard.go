// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/journal"
)

// What one scorecard looks at.
const (
	maxContent = 2000   // operations, the most frequent
	maxEffort  = 20_000 // acts of waits and failures, the latest
	scoreDays  = 35     // that delays are kept
)

// Scorecard makes the signed vendor scorecard of the time from since until until (the last seven days
// if they are zero), judges the targets, and writes its hash into the journal.
func (n *Node) Scorecard(ctx context.Context, since, until time.Time, targets []scorecard.Target) ([]byte, error) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	if until.IsZero() {
		until = now
	}
	if since.IsZero() {
		since = until.Add(-7 * 24 * time.Hour)
	}
	c, err := n.Coverage(ctx, since, until)
	if err != nil {
		return nil, err
	}
	card := &scorecard.Scorecard{Made: now, Since: c.Since, Until: c.Until, Streams: []scorecard.Stream{}, Content: []scorecard.Content{}, Drift: []scorecard.Drift{}, Targets: []scorecard.Outcome{}}
	effort, err := n.effort(ctx, c.Since, c.Until)
	if err != nil {
		return nil, err
	}
	apart := time.Until(c.Present)
	delays, err := n.covered.delays.Offers(ctx, c.Since.Add(-apart), c.Until.Add(-apart))
	if err != nil {
		return nil, err
	}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		s := scorecard.Delivered(n.vendor(f.Source), f, c.Gaps, effort[feedName{f.Tenant, f.Stream}])
		s.Delays(delays)
		card.Streams = append(card.Streams, s)
	}
	if c.Canaries == nil {
		return nil, errOldCanaries
	}
	card.Planted(c.Canaries, n.vendor)
	if err := n.days(ctx, card); err != nil {
		return nil, err
	}
	if card.Content, err = n.content(ctx, c.Since, c.Until); err != nil {
		return nil, err
	}
	if card.Drift, err = n.drifted(ctx); err != nil {
		return nil, err
	}
	card.Judge(targets)
	log, err := n.logState(ctx, c.Position)
	if err != nil {
		return nil, err
	}
	return n.seal(ctx, statement.ScorecardTitle, log, card, act.Act{
		Reason: "scorecard", From: card.Since, To: card.Until, Message: fmt.Sprintf("A vendor scorecard of %d streams was signed.", len(card.Streams)),
	})
}

// vendor is the type of a configured source, or else what the source is called.
func (n *Node) vendor(source string) string {
	for _, c := range n.live.Load().config.Sources {
		if c.Name == source {
			return c.Type
		}
	}
	return source
}

// days tells the delays of each day (UTC, our clock) apart.
func (n *Node) days(ctx context.Context, card *scorecard.Scorecard) error {
	const length = 24 * time.Hour
	at := card.Since
	if first := card.Until.Add(-scoreDays * length); at.Before(first) {
		at = first
	}
	for at = at.Truncate(length); at.Before(card.Until); at = at.Add(length) {
		list, err := n.covered.delays.Offers(ctx, at, at.Add(length))
		if err != nil {
			return err
		}
		day := at.Format("2006-01-02")
		for i := range card.Streams {
			card.Streams[i].Day(day, list)
		}
		canaries, err := n.covered.coverage.Canaries(ctx, at, at.Add(length), card.Made)
		if err != nil {
			return err
		}
		card.PlantedOn(day, canaries)
	}
	return nil
}

type feedName struct{ tenant, stream string }

// effort adds up what the acts say of listings, failures and waits.
func (n *Node) effort(ctx context.Context, since, until time.Time) (map[feedName]scorecard.Effort, error) {
	sum := map[feedName]scorecard.Effort{}
	found, err := n.Search(ctx, Query{Text: `family:daybreak op:listed | count by tenant, workload`, Since: since, Until: until, Limit: maxContent})
	if err != nil {
		return nil, err
	}
	for _, row := range found.rows {
		sum[feedName{row[0].Text, row[1].Text}] = scorecard.Effort{Listings: row[2].Int}
	}
	found, err = n.Search(ctx, Query{Text: `family:daybreak op:(throttled,failed)`, Since: since, Until: until, Limit: maxEffort})
	if err != nil {
		return nil, err
	}
	for _, id := range found.IDs() {
		s, err := n.journal.Read(ctx, id)
		if errors.Is(err, journal.ErrGone) || err == nil && (s.Gone || !coverage.Ours(&s.Origin)) {
			continue
		}
		if err != nil {
			return nil, n.lookup(err, id)
		}
		a, err := act.Parse(s.Raw)
		if err != nil {
			continue // coverage has said so in the log
		}
		name := feedName{a.Tenant, a.Stream}
		e := sum[name]
		if a.Kind == act.Throttled {
			e.ThrottledSeconds += int64(a.Seconds + 0.5)
		} else {
			e.Failures += int64(max(a.Count, 1))
		}
		sum[name] = e
	}
	return sum, nil
}

// content counts what the records of each operation lack.
func (n *Node) content(ctx context.Context, since, until time.Time) ([]scorecard.Content, error) {
	type name struct{ tenant, family, operation string }
	list := []scorecard.Content{}
	place := map[name]int{}
	for _, ask := range [...]struct {
		filter string
		count  func(*scorecard.Content) *int64
	}{
		{"", func(c *scorecard.Content) *int64 { return &c.Records }},
		{" -ip:*", func(c *scorecard.Content) *int64 { return &c.NoAddress }},
		{" -user:* -app:*", func(c *scorecard.Content) *int64 { return &c.NoActor }},
		{" -object:* -target:*", func(c *scorecard.Content) *int64 { return &c.NoObject }},
	} {
		found, err := n.Search(ctx, Query{
			Text: "-family:daybreak" + ask.filter + " | count by tenant, family, op | sort -count", Since: since, Until: until, Limit: maxContent,
		})
		if err != nil {
			return nil, err
		}
		for _, row := range found.rows {
			k := name{row[0].Text, row[1].Text, row[2].Text}
			i, ok := place[k]
			if !ok && ask.filter != "" {
				continue // beyond the most frequent, or come meanwhile
			}
			if !ok {
				i = len(list)
				place[k] = i
				list = append(list, scorecard.Content{Tenant: k.tenant, Family: k.family, Operation: k.operation})
			}
			*ask.count(&list[i]) = row[3].Int
		}
	}
	return list, nil
}

// drifted lists what the mapping did not know.
func (n *Node) drifted(ctx context.Context) ([]scorecard.Drift, error) {
	n.drift.save(ctx, n.log)
	kinds, err := n.drift.list(ctx)
	list := make([]scorecard.Drift, 0, len(kinds))
	for _, k := range kinds {
		list = append(list, scorecard.Drift{Family: string(k.Family), What: k.What, First: k.First, Last: k.Last, Count: k.Count})
	}
	return list, err
}
