// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

// channels shows how channels that show the same acts agree.
func (a *app) channels(cmd *cobra.Command, since, until time.Time) (err error) {
	c, done, err := a.connect(cmd.Context(), "coverage")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	v, err := c.Channels(cmd.Context(), since, until)
	if err != nil {
		return asUsage(err)
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(v)
	}
	return a.printChannels(&v)
}

// sum adds up the hours of an operation in a channel of which the same is said.
type sum struct{ tenant, kind, operation, channel, verdict string }

func (a *app) printChannels(v *v1.Channels) error {
	acts, lacking, hours := map[sum]int64{}, map[sum]int64{}, map[sum]int64{}
	var order []sum
	for i := range v.Hours {
		h := &v.Hours[i]
		for _, c := range h.Channels {
			if c.Acts == 0 && c.Lacking == 0 && c.Verdict != "unmatched" { // of old hours it is not known any more how much was lacking
				continue
			}
			k := sum{h.Tenant, h.Kind, h.Operation, c.Channel, c.Verdict}
			if hours[k] == 0 {
				order = append(order, k)
			}
			acts[k] += c.Acts
			lacking[k] += c.Lacking
			hours[k]++
		}
	}
	t := a.section("channels", "tenant,acts of,operation,channel,hours,acts,lacking,verdict", len(order))
	for _, k := range order {
		if err := t.row([]string{k.tenant, k.kind, k.operation, k.channel, thousands(hours[k]), thousands(acts[k]), thousands(lacking[k]), k.verdict}); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	t = a.section("without a sign-in", "from,to,stream,who,message", len(v.Orphans))
	for _, o := range v.Orphans {
		if err := t.row([]string{short(o.From), short(o.To), o.Stream, o.Subject, o.Message}); err != nil {
			return err
		}
	}
	if err := endTable(t); err != nil {
		return err
	}
	if v.Waiting > 0 {
		a.say("of " + thousands(int64(v.Waiting)) + " sessions and tokens no sign-in is known, and nothing can be said yet")
	}
	if v.Forgotten != nil {
		a.say("nothing is said of what happened before " + stamp(*v.Forgotten) + ": there was more than is kept")
	}
	if len(v.Hours) == 0 && len(v.Orphans) == 0 {
		a.say("no acts of that time are shown by more channels than one, or no source is configured")
	}
	return nil
}
