// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/daybreak-sec/daybreak/collect/loop"
)

const (
	// askTime is how long brokers may take to answer what is not a fetch. Event Hubs wants a minute.
	askTime = time.Minute
	// fetches is how many fetches may be under way or in memory. What a fetch brings is kept whole while any message of it is: so
	// it is what a few partitions may give, and not all of them.
	fetches = 4
	answer  = 4 // times MaxFetch
	// fetchWait is for how long a broker may keep a fetch that has nothing to bring. A partition that is entered waits until
	// the one under way is over.
	fetchWait = time.Second
	// idleConnection is when we close one: Azure does it after 240 s and says nothing.
	idleConnection = 3 * time.Minute
	saveEvery      = 250 * time.Millisecond
	farewell       = 5 * time.Second // for what is under way when collecting ends
)

// session is the life of one client. Its end loses nothing but what is fetched and not yet in the journal.
type session struct {
	c      *Collector
	client *kgo.Client
	admin  *kadm.Client
	end    context.CancelCauseFunc
	all    sync.WaitGroup
}

// session runs until ctx ends or something fails that a new client may mend.
func (c *Collector) session(ctx context.Context) error {
	topics := map[string]map[int32]kgo.Offset{}
	for _, s := range c.streams {
		topics[s.topic.Name] = map[int32]kgo.Offset{} // partitions follow
	}
	client, err := c.o.Dial(
		kgo.ConsumePartitions(topics), kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.KeepControlRecords(),
		kgo.FetchMaxPartitionBytes(int32(c.o.MaxFetch)), kgo.FetchMaxBytes(int32(answer*c.o.MaxFetch)), kgo.MaxConcurrentFetches(fetches),
		kgo.FetchMaxWait(fetchWait),
		// Fetch sessions spare some bytes of a request, which is little. Event Hubs has none, and the client's Close races with its own fetches for them.
		kgo.DisableFetchSessions(), kgo.MaxDecompressBatchBytes(c.o.MaxBatch), kgo.BrokerMaxReadBytes(int32(max(c.o.MaxBatch, 32*c.o.MaxFetch))),
		kgo.RequestTimeoutOverhead(askTime), kgo.ConnIdleTimeout(idleConnection), kgo.MetadataMaxAge(idleConnection),
		kgo.DisableClientMetrics(), kgo.ClientID("daybreak"), kgo.WithHooks(throttled{c}),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s := &session{c: c, client: client, admin: kadm.NewClient(client), end: cancel}
	defer func() {
		cancel(nil)
		client.Close()
		s.all.Wait()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if err := c.save(end); err != nil {
			c.log.Error("the positions could not be saved", "error", err)
		}
		for _, st := range c.streams {
			st.leave()
		}
	}()
	s.run(ctx, s.poll)
	s.run(ctx, s.saveOften)
	s.run(ctx, s.keep)
	<-ctx.Done()
	return context.Cause(ctx)
}

// run starts a loop of the session; its failure ends all.
func (s *session) run(ctx context.Context, f func(context.Context) error) {
	s.all.Go(func() {
		if err := loop.Contain(func() error { return f(ctx) }); err != nil && ctx.Err() == nil {
			s.end(err)
		}
	})
}

// poll hands what was fetched to the workers. It waits while there is no room.
func (s *session) poll(ctx context.Context) error {
	for {
		got := s.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		received := time.Now()
		var failed error
		got.EachPartition(func(f kgo.FetchTopicPartition) {
			p := s.c.partition(f.Topic, f.Partition)
			switch {
			case p == nil && f.Topic == "" && f.Err != nil && failed == nil:
				failed = f.Err // the client's own
			case p == nil: // a topic's as a whole: whoever looks at it knows more
				return
			}
			if len(f.Records) > 0 && failed == nil {
				failed = s.hand(ctx, p, &f.FetchPartition, received)
			}
			if f.Err != nil && failed == nil {
				p.inbox.put(item{err: f.Err})
			}
		})
		if failed != nil {
			return failed
		}
	}
}

// hand gives messages to a worker, in pieces of what becomes one act.
func (s *session) hand(ctx context.Context, p *partition, f *kgo.FetchPartition, received time.Time) error {
	for from := 0; from < len(f.Records); {
		to, size := from, 0
		for to < len(f.Records) && (to == from || size+len(f.Records[to].Value) <= s.c.o.MaxFetch) {
			size += len(f.Records[to].Value)
			to++
		}
		if err := s.c.room.take(ctx, int64(size)); err != nil {
			return err
		}
		p.inbox.put(item{messages: f.Records[from:to], size: int64(size), received: received})
		from = to
	}
	return nil
}

// saveOften writes down the positions that have moved.
func (s *session) saveOften(ctx context.Context) error {
	for {
		if err := loop.Sleep(ctx, min(saveEvery, s.c.o.Poll)); err != nil {
			return err
		}
		if err := s.c.save(ctx); err != nil {
			return err
		}
	}
}

// partition finds one that is collected.
func (c *Collector) partition(topic string, number int32) *partition {
	for _, s := range c.streams {
		if s.topic.Name == topic {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.partitions[number]
		}
	}
	return nil
}

// bounds asks where a partition's log begins and where it ends.
func (s *session) bounds(ctx context.Context, topic string, number int32) (start, end int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	ask := func(which int64) (int64, error) {
		req := kmsg.NewPtrListOffsetsRequest()
		t := kmsg.NewListOffsetsRequestTopic()
		p := kmsg.NewListOffsetsRequestTopicPartition()
		t.Topic, p.Partition, p.Timestamp = topic, number, which
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		resp, err := req.RequestWith(ctx, s.client)
		if err != nil {
			return 0, err
		}
		if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
			return 0, errors.New("the broker did not say where the partition begins and ends")
		}
		got := resp.Topics[0].Partitions[0]
		return got.Offset, kerr.ErrorForCode(got.ErrorCode)
	}
	if end, err = ask(-1); err != nil {
		return 0, 0, err
	}
	start, err = ask(-2)
	return start, max(start, end), err
}

// throttled counts how long brokers make us wait.
type throttled struct{ c *Collector }

func (t throttled) OnBrokerThrottle(_ kgo.BrokerMetadata, wait time.Duration, _ bool) {
	t.c.waited.Add(int64(wait))
}
