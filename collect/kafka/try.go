// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Bounds are how much a topic holds.
type Bounds struct{ Partitions, Messages int64 }

// Try asks the brokers for a topic and begins to read it, which takes other rights than to ask. It changes nothing.
func Try(ctx context.Context, dial func(...kgo.Opt) (*kgo.Client, error), topic string) (b Bounds, err error) {
	client, err := dial(kgo.DisableClientMetrics(), kgo.ConsumeTopics(topic), kgo.KeepRetryableFetchErrors())
	if err != nil {
		return b, err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return b, err
	}
	if err := starts.Error(); err != nil {
		return b, err
	}
	ends, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return b, err
	}
	for n, end := range ends[topic] {
		b.Partitions++
		b.Messages += end.Offset - starts[topic][n].Offset
	}
	if b.Partitions == 0 {
		return b, errors.New("there is no such topic")
	}
	wait := time.Second // an empty topic gives nothing, and no error
	if b.Messages > 0 {
		wait *= 10
	}
	short, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := client.PollFetches(short).Err(); err != nil && short.Err() == nil {
		return b, err
	}
	return b, nil
}
