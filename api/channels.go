// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"time"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
)

func (s *surface) channels(ctx context.Context, in *CoverageInput) (*body[v1.Channels], error) {
	if err := in.check(time.Now()); err != nil {
		return nil, err
	}
	r, err := s.node.Channels(ctx, in.Since, in.Until)
	if err != nil {
		return nil, problem(err)
	}
	out := v1.Channels{Hours: make([]v1.ChannelHour, len(r.Hours)), Orphans: make([]v1.ChannelOrphan, len(r.Orphans)), Waiting: r.Waiting, Forgotten: some(r.Forgotten), Entries: r.Position}
	for i := range r.Hours {
		h := &r.Hours[i]
		out.Hours[i] = v1.ChannelHour{Tenant: h.Tenant, Kind: h.Kind, Operation: h.Operation, Hour: h.Hour, Channels: make([]v1.ChannelShown, len(h.Channels))}
		for k, c := range h.Channels {
			out.Hours[i].Channels[k] = v1.ChannelShown{Channel: c.Channel, Acts: c.Acts, Lacking: c.Lacking, Verdict: string(c.Verdict)}
		}
	}
	for i, o := range r.Orphans {
		out.Orphans[i] = v1.ChannelOrphan(o)
	}
	return &body[v1.Channels]{out}, nil
}
