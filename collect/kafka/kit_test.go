// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/kafka"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/store"
)

const (
	tenant = "contoso.example"
	topic  = "insights-logs-signinlogs"
	stream = "contoso/" + topic
)

var quiet = slog.New(slog.DiscardHandler)

// bench is a cluster, a data directory, and the collector over them.
type bench struct {
	t        testing.TB
	dir      string
	cluster  *kfake.Cluster
	producer *kgo.Client
	j        *journal.Journal
	db       *store.DB
	opts     kafka.Options
	fail     func(point string) error

	c    *kafka.Collector
	stop func()

	follower *journal.Follower
	read     []entry
	sent     map[string]int // records, and how often
}

func newBench(t testing.TB, partitions int32, opts ...kfake.Opt) *bench {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(2), kfake.SeedTopics(partitions, topic)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	b := &bench{t: t, dir: t.TempDir(), cluster: cluster, sent: map[string]int{}}
	b.produce()
	b.open()
	t.Cleanup(func() { // of what is open then
		b.j.Close()
		b.db.Close()
	})
	b.opts = kafka.Options{
		Name: "hubs", Tenant: tenant, Topics: []kafka.Topic{{Name: topic, Stream: stream}}, Classify: classifier,
		Dial: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kgo.NewClient(append(opts, kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.MetadataMinAge(10*time.Millisecond))...)
		},
		Poll: 20 * time.Millisecond, Retry: 2 * time.Millisecond, Idle: 50 * time.Millisecond, Stall: 30 * time.Second, Log: quiet,
	}
	return b
}

// produce makes the client that fills the topic.
func (b *bench) produce() {
	b.t.Helper()
	var err error
	b.producer, err = kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(b.producer.Close)
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	b.j, err = journal.Open(b.t.Context(), filepath.Join(b.dir, "journal"), journal.Options{
		KeyFile: filepath.Join(b.dir, "key"), DedupeDir: filepath.Join(b.dir, "dedupe"),
		BatchDelay: 2 * time.Millisecond, CheckpointInterval: 100 * time.Millisecond, Logger: quiet,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	if b.db, err = store.Open(b.t.Context(), filepath.Join(b.dir, "control.db")); err != nil {
		b.t.Fatal(err)
	}
	b.follower, b.read = nil, nil
}

// send puts messages into a partition.
func (b *bench) send(partition int32, messages ...string) {
	b.t.Helper()
	var list []*kgo.Record
	for _, m := range messages {
		list = append(list, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(m)})
	}
	if err := b.producer.ProduceSync(b.t.Context(), list...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

// fill sends n messages of a few records each, over all partitions, and notes the records.
func (b *bench) fill(name string, n int, partitions int32) {
	b.t.Helper()
	by := make([][]string, partitions)
	for i := range n {
		var records []string
		for k := range 1 + i%4 {
			r := fmt.Sprintf(`{"id":"%s-%d-%d","at":%d}`, name, i, k, time.Now().UnixNano())
			records = append(records, r)
			b.sent[r]++
		}
		m := `{"records": [` + strings.Join(records, ", ") + `]}`
		if len(records) == 1 {
			m = records[0]
		}
		p := i % int(partitions)
		by[p] = append(by[p], m)
	}
	for p, list := range by {
		b.send(int32(p), list...)
	}
}

// run starts a collector.
func (b *bench) run() {
	b.t.Helper()
	o := b.opts
	o.Journal, o.DB, o.Acts = b.j, b.db, act.NewWriter(b.j, o.Name, o.Tenant)
	c, err := kafka.New(o)
	if err != nil {
		b.t.Fatal(err)
	}
	c.Fault(b.fail)
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	stopped := false
	b.c, b.stop = c, func() {
		b.t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil && b.fail == nil {
				b.t.Errorf("Run: %v", err)
			}
		case <-time.After(time.Minute):
			b.t.Fatal("Run does not end")
		}
		if b.j.Err() == nil {
			if err := b.j.Flush(context.Background()); err != nil {
				b.t.Error(err)
			}
		}
		if held := c.Held(); held != 0 {
			b.t.Errorf("%d bytes of messages are held by nobody", held)
		}
	}
	b.t.Cleanup(b.stop)
}

// classifier reads id and at, and has memory of its own that is overwritten.
func classifier() kafka.Classify {
	var id []byte
	return func(v jsontape.Value) (event.Family, []byte, int64) {
		id = append(id[:0], v.Get("id").Str()...)
		when, _ := v.Get("at").Int()
		return "entra-diagnostic", id, when
	}
}

// entry is one record of the journal: of the vendor, or an act.
type entry struct {
	raw    string
	family event.Family
	origin string
	act    act.Act
}

// entries returns the records of the journal, in its order.
func (b *bench) entries() []entry {
	b.t.Helper()
	if b.follower == nil {
		b.follower = b.j.Follow(0)
	}
	for b.follower.Position() < b.j.End() {
		batch, err := b.follower.Next(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		for i := range batch.Records {
			o := batch.Envelope(i)
			e := entry{raw: string(batch.Raw(i)), family: o.Family, origin: o.Name}
			if e.family == act.Family {
				if e.act, err = act.Parse(batch.Raw(i)); err != nil {
					b.t.Fatal(err)
				}
			}
			b.read = append(b.read, e)
		}
	}
	return b.read
}

func (b *bench) acts(kind act.Kind) (list []act.Act) {
	for _, e := range b.entries() {
		if e.act.Kind == kind {
			list = append(list, e.act)
		}
	}
	return list
}

// until waits for something to become true.
func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("it did not happen: %s\n%+v", what, b.c.Status())
		}
	}
}

// have counts how often each record is in the journal.
func (b *bench) have() map[string]int {
	have := map[string]int{}
	for _, e := range b.entries() {
		if e.family != act.Family {
			have[e.raw]++
		}
	}
	return have
}

// all waits until every record that was sent is there.
func (b *bench) all() {
	b.t.Helper()
	b.until("all records are there", func() bool {
		have := b.have()
		for r := range b.sent {
			if have[r] == 0 {
				return false
			}
		}
		return true
	})
}

// saved waits until the positions are those of all that was sent.
func (b *bench) saved() {
	b.t.Helper()
	b.until("the positions are saved", func() bool {
		var sum, want int64
		if err := b.db.Read().QueryRow(`SELECT coalesce(sum(next), 0) FROM kafka_partition`).Scan(&sum); err != nil {
			b.t.Fatal(err)
		}
		for _, p := range b.cluster.PartitionInfos(topic) {
			want += p.HighWatermark
		}
		return sum == want
	})
}

// check waits until acts account for each offset of each partition, ends the collector, and holds the journal against what was
// sent: each record once, and none that was never there.
func (b *bench) check() {
	b.t.Helper()
	b.until("each offset is accounted for", func() bool { return b.accounted() == "" })
	b.stop()
	for r, n := range b.have() {
		if n != 1 || b.sent[r] == 0 {
			b.t.Errorf("%s is there %d times, and was sent %d times", r, n, b.sent[r])
		}
	}
}

// accounted says what offsets no act accounts for, sealed or lost.
func (b *bench) accounted() string {
	seen := map[string]map[int64]bool{}
	note := func(p string, from, to int64) {
		if seen[p] == nil {
			seen[p] = map[int64]bool{}
		}
		for ; from <= to; from++ {
			seen[p][from] = true
		}
	}
	for _, a := range b.acts(act.Sealed) {
		parts := strings.Split(a.Blob.ID, "/")
		from, to, _ := strings.Cut(parts[2], "-")
		lo, _ := strconv.ParseInt(from, 10, 64)
		hi, _ := strconv.ParseInt(to, 10, 64)
		note(parts[1], lo, hi)
	}
	for _, p := range b.cluster.PartitionInfos(topic) {
		for o := p.LogStartOffset; o < p.HighWatermark; o++ {
			if !seen[strconv.Itoa(int(p.Partition))][o] {
				return fmt.Sprintf("offset %d of partition %d", o, p.Partition)
			}
		}
	}
	return ""
}

func valid(t testing.TB, raw string) {
	t.Helper()
	if !json.Valid([]byte(raw)) {
		t.Errorf("%q is not JSON", raw)
	}
}
