// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/journal"
)

const (
	driftEvery  = 30 * time.Second
	retainEvery = time.Hour
)

// maintain does what has to be done now and then. Retention is serve's: a short
// command must not delete by surprise.
func (n *Node) maintain(ctx context.Context) {
	notices, retention := time.NewTicker(driftEvery), time.NewTicker(retainEvery)
	defer notices.Stop()
	defer retention.Stop()
	if n.role == "serve" {
		n.retain(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-notices.C:
			n.drift.save(ctx, n.log)
			n.reload()
		case <-retention.C:
			if n.role == "serve" {
				n.retain(ctx)
			}
		}
	}
}

// reload takes up databases of addresses that were replaced.
func (n *Node) reload() {
	switch changed, err := n.mappers.load(); {
	case err != nil:
		n.log.Warn("databases of addresses were not read again; those in use stay", "err", err)
	case changed:
		n.log.Info("databases of addresses were replaced")
	}
}

func (n *Node) retain(ctx context.Context) {
	r, err := n.Retain(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		n.log.Error("retention", "err", err)
	case r.Journal > 0 || r.Lake > 0:
		n.log.Info("retention", "journal_segments", r.Journal, "lake_segments", r.Lake)
	}
}

// Retained counts the segments that retention deleted.
type Retained struct {
	Journal, Lake int
}

// Retain deletes what is older than the configuration allows.
func (n *Node) Retain(ctx context.Context) (Retained, error) {
	var r Retained
	var errs []error
	now := time.Now()
	policy := n.live.Load().config.Retention
	if days := policy.RawDays; days > 0 {
		gone, err := n.journal.Retain(ctx, journal.Policy{
			Text: fmt.Sprintf("raw records are kept for %d days", days), Before: now.AddDate(0, 0, -days),
		})
		r.Journal = len(gone)
		errs = append(errs, err)
	}
	if days := policy.LakeDays; days > 0 {
		gone, err := n.lake.Retain(ctx, now.AddDate(0, 0, -days))
		r.Lake = gone
		errs = append(errs, err)
	}
	return r, errors.Join(errs...)
}
