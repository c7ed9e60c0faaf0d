// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/canary"
)

func (s *surface) canaries(context.Context, *nothing) (*body[v1.Canaries], error) {
	list := s.node.Canaries()
	out := v1.Canaries{Canaries: make([]v1.Canary, 0, len(list))}
	for i := range list {
		c := &list[i]
		out.Canaries = append(out.Canaries, v1.Canary{
			Tenant: c.Tenant, Source: c.Source, Live: c.Live, Every: c.Every.Seconds(), Kind: c.Kind, Channel: c.Channel, Collected: c.Collected.String(),
			Planted: known(c.Planted), Came: len(c.Delays), Waiting: c.Waiting, Missing: c.Missing, Allowed: c.Allowed.Seconds(),
			Median: canary.Quantile(c.Delays, 50).Seconds(), P95: canary.Quantile(c.Delays, 95).Seconds(), Slowest: canary.Quantile(c.Delays, 100).Seconds(),
			Message: c.Trouble,
		})
	}
	return &body[v1.Canaries]{out}, nil
}
