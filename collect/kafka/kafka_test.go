// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/kafka"
	"github.com/daybreak-sec/daybreak/event"
)

func TestEverythingIsCollectedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, 4)
	b.fill("old", 300, 4)
	b.run()
	for i := range 5 {
		b.fill(string(rune('a'+i)), 40, 4)
	}
	b.all()
	b.until("it says so", func() bool { return len(b.acts(act.Listed)) > 0 })
	b.check()
	sealed := 0
	for _, a := range b.acts(act.Sealed) {
		sealed += a.Stored
	}
	if sealed != len(b.sent) {
		t.Errorf("acts speak of %d records that were stored, and there are %d", sealed, len(b.sent))
	}
}

// eventHubs limits a cluster to the requests that Event Hubs knows (IBM/sarama issue 2470): no ids of topics, no fetch sessions.
func eventHubs() kfake.Opt {
	v := kversion.V3_8_0()
	for key, most := range map[int16]int16{0: 7, 1: 6, 2: 5, 3: 5} {
		v.SetMaxKeyVersion(key, most)
	}
	return kfake.MaxVersions(v)
}

// kinds are clusters that have ids of topics, and such that have none.
var kinds = map[string][]kfake.Opt{"kafka": nil, "event hubs": {eventHubs()}}

func each(t *testing.T, f func(t *testing.T, opts []kfake.Opt)) {
	for name, opts := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, opts)
		})
	}
}

// TestF05Killed ends the collector at every kind of point, as a crash would, and starts another over what is there.
func TestF05Killed(t *testing.T) {
	each(t, func(t *testing.T, opts []kfake.Opt) {
		b := newBench(t, 3, opts...)
		b.opts.MaxFetch = 400 // so that there are many acts
		b.fill("old", 60, 3)
		died := errors.New("killed here")
		random := rand.New(rand.NewPCG(7, 7))
		for round := range 25 {
			var left atomic.Int64
			left.Store(int64(1 + random.IntN(30)))
			var dead atomic.Bool
			b.fail = func(string) error {
				if dead.Load() || left.Add(-1) == 0 {
					dead.Store(true)
					return died
				}
				return nil
			}
			b.run()
			b.fill(fmt.Sprint("round", round), 6, 3)
			b.until("it has died", dead.Load)
			b.stop()
		}
		b.fail = nil
		b.run()
		b.all()
		b.check()
		if gaps := b.acts(act.Gap); len(gaps) > 0 {
			t.Errorf("nothing was lost, and gaps say so: %+v", gaps)
		}
	})
}

// TestF05Restored: the journal is brought back from an older copy, and the positions are not. They are forgotten, and
// everything is read again.
func TestF05Restored(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	for round := range 3 {
		b.fill(fmt.Sprint("kept", round), 30, 2)
		b.run()
		b.all()
		b.saved()
		b.stop()
		b.j.Close()
		old := t.TempDir()
		if err := os.CopyFS(old, os.DirFS(b.dir)); err != nil {
			t.Fatal(err)
		}
		b.open()
		b.fill(fmt.Sprint("lost", round), 30, 2)
		b.run()
		b.all()
		b.saved()
		b.stop()
		b.j.Close()
		for _, part := range []string{"journal", "dedupe"} {
			if err := os.RemoveAll(filepath.Join(b.dir, part)); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(filepath.Join(b.dir, part), os.DirFS(filepath.Join(old, part))); err != nil {
				t.Fatal(err)
			}
		}
		b.db.Close()
		b.open()
		if found, err := kafka.Distrust(t.Context(), b.db, b.j.Origin(), b.j.Size()); err != nil || !found {
			t.Fatalf("round %d: the positions are trusted: %v", round, err)
		}
	}
	b.run()
	b.all()
	b.check()
	if len(b.acts(act.Alarm)) == 0 {
		t.Error("nothing says that collecting has started over")
	}
}

// TestF03Duplicates: what a diagnostic setting delivers again, up to four times and in other partitions, is there once.
func TestF03Duplicates(t *testing.T) {
	t.Parallel()
	b := newBench(t, 4)
	random := rand.New(rand.NewPCG(3, 3))
	again := 0
	var messages []string
	for i := range 400 {
		r := fmt.Sprintf(`{"id":"%d","at":%d,"x":[1,2]}`, i, time.Now().UnixNano())
		b.sent[r]++
		messages = append(messages, `{"records":[`+r+`]}`)
		if random.IntN(25) == 0 {
			for range 1 + random.IntN(3) {
				again++
				// The same record, with its members in another order: a copy is told by what it says.
				messages = append(messages, fmt.Sprintf(`{"records":[{"x":[1,2],%s}]}`, strings.TrimSuffix(strings.TrimPrefix(r, "{"), `,"x":[1,2]}`)))
			}
		}
	}
	for i, m := range messages {
		b.send(int32(i%4), m)
	}
	b.run()
	b.until("all offsets are accounted for", func() bool { return len(b.have()) >= 400 && b.accounted() == "" })
	b.stop()
	duplicates := 0
	for _, a := range b.acts(act.Sealed) {
		duplicates += a.Duplicates
	}
	if n := len(b.have()); n != 400 || duplicates != again || again == 0 {
		t.Errorf("%d records, %d duplicates; want 400 and %d", n, duplicates, again)
	}
}

// lostOffsets are those of gaps for good of a reason, by partition.
func (b *bench) lostOffsets(reason string) map[string]int {
	out := map[string]int{}
	for _, a := range b.acts(act.Gap) {
		if a.Permanent && a.Reason == reason && a.Stream == stream && a.From.Before(a.To) {
			out[a.Code] += a.Count
		}
	}
	return out
}

// TestF08Expired: of what the broker has deleted before it was read exactly that is a gap, and all else is there.
func TestF08Expired(t *testing.T) {
	each(t, func(t *testing.T, opts []kfake.Opt) {
		b := newBench(t, 2, opts...)
		b.fill("read", 20, 2)
		b.run()
		b.all()
		b.saved()
		b.stop()
		before := time.Now()
		for i := range 10 {
			b.send(0, fmt.Sprintf(`{"id":"gone-%d"}`, i))
		}
		time.Sleep(5 * time.Millisecond)
		if err := b.cluster.DeleteRecords(topic, 0, 20); err != nil {
			t.Fatal(err)
		}
		b.fill("after", 20, 2)
		b.run()
		b.all()
		b.saved() // acts stand behind the records that they are of
		b.check()
		if lost := b.lostOffsets(act.Retention); len(lost) != 1 || lost["partition 0"] != 10 {
			t.Errorf("gaps of %v, want 10 offsets of partition 0", lost)
		}
		for _, a := range b.acts(act.Gap) {
			if a.From.After(before) || a.To.Before(before) || !strings.Contains(a.Message, "offsets 10 to 19") {
				t.Errorf("gap %+v, and the messages were of %v", a, before)
			}
		}
	})
}

// TestF08Outage: a hub keeps messages for seven days. Of an outage of six days and 23 hours nothing is lost; of one of eight days
// exactly the offsets that the hub has deleted are a gap, which holds the time of each of them and of no message that is there.
func TestF08Outage(t *testing.T) {
	const day, keep, every = 24 * time.Hour, 7 * 24 * time.Hour, time.Hour
	for _, out := range []time.Duration{keep - time.Hour, 8 * day} {
		t.Run(out.String(), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 2, eventHubs())
			b.opts.Keep = keep
			now := time.Now()
			begun := now.Add(-out)
			put := func(partition int32, at time.Time, kept bool) {
				r := fmt.Sprintf(`{"id":"%d-%d","at":%d}`, partition, at.UnixMilli(), at.UnixNano())
				if kept {
					b.sent[r]++
				}
				m := &kgo.Record{Topic: topic, Partition: partition, Value: []byte(r), Timestamp: at}
				if err := b.producer.ProduceSync(t.Context(), m).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			for p := range int32(2) {
				for i := range 5 {
					put(p, begun.Add(time.Duration(i-5)*time.Minute), true)
				}
			}
			b.run()
			b.all()
			b.saved()
			b.stop()
			// It is this machine's clock that says up to when a log was read to its end: the collector was last at work then.
			err := b.db.Write(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.Exec(`UPDATE kafka_partition SET read_to = ?`, begun.UnixMilli())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int{}
			var deleted, kept []time.Time
			for p := range int32(2) {
				for at := begun.Add(every / 2); at.Before(now); at = at.Add(every) {
					gone := at.Before(now.Add(-keep))
					if put(p, at, !gone); gone {
						want[fmt.Sprint("partition ", p)]++
						deleted = append(deleted, at)
					} else {
						kept = append(kept, at)
					}
				}
				if err := b.cluster.DeleteRecords(topic, p, int64(5+want[fmt.Sprint("partition ", p)])); err != nil {
					t.Fatal(err)
				}
			}
			b.run()
			b.all()
			b.saved()
			b.check()
			if lost := b.lostOffsets(act.Retention); !maps.Equal(lost, want) || (len(want) > 0) != (out > keep) {
				t.Errorf("gaps of %v offsets, want %v", lost, want)
			}
			for _, a := range b.acts(act.Gap) {
				in := func(at time.Time) bool { return !at.Before(a.From) && at.Before(a.To) }
				if slices.ContainsFunc(kept, in) || slices.ContainsFunc(deleted, func(at time.Time) bool { return !in(at) }) {
					t.Errorf("the gap from %v to %v is not of what was deleted, from %v to %v", a.From, a.To, deleted[0], deleted[len(deleted)-1])
				}
			}
		})
	}
}

// remake deletes the topic and makes it again.
func (b *bench) remake(partitions int32) {
	b.t.Helper()
	if err := b.cluster.DeleteTopic(topic); err != nil {
		b.t.Fatal(err)
	}
	if err := b.cluster.CreateTopic(topic, partitions, nil); err != nil {
		b.t.Fatal(err)
	}
	b.producer.Close()
	b.produce() // a client knows a topic by its id
}

// TestF08Remade: a hub that was deleted and made again under its name is read from its beginning, whether it has more or
// fewer messages than the former one, and a gap says that what the former one held is lost.
func TestF08Remade(t *testing.T) {
	for name, messages := range map[string]int{"shorter": 6, "as long": 20, "longer": 60} {
		each(t, func(t *testing.T, opts []kfake.Opt) {
			t.Run(name, func(t *testing.T) {
				b := newBench(t, 2, opts...)
				b.fill("old", 20, 2)
				b.run()
				b.all()
				b.saved()
				b.stop()
				b.remake(2)
				b.fill("new", messages, 2)
				b.run()
				b.all()
				b.until("both partitions have their gap", func() bool { return len(b.lostOffsets(act.Missing))+gapsOf(b, act.Missing) >= 2 })
				b.check()
				if n := gapsOf(b, act.Missing); n != 2 {
					t.Errorf("%d gaps, want one a partition: %+v", n, b.acts(act.Gap))
				}
			})
		})
	}
}

func gapsOf(b *bench, reason string) (n int) {
	for _, a := range b.acts(act.Gap) {
		if a.Reason == reason && a.Permanent {
			n++
		}
	}
	return n
}

// TestF08RemadeWhileRead: the same under the eyes of a collector. While the hub is gone, nobody collects it, and an act says so.
func TestF08RemadeWhileRead(t *testing.T) {
	each(t, func(t *testing.T, opts []kfake.Opt) {
		b := newBench(t, 2, opts...)
		b.fill("old", 40, 2)
		b.run()
		b.all()
		if err := b.cluster.DeleteTopic(topic); err != nil {
			t.Fatal(err)
		}
		b.until("it is gone", func() bool { return b.c.Status()[0].State == "refused" })
		if err := b.cluster.CreateTopic(topic, 2, nil); err != nil {
			t.Fatal(err)
		}
		b.producer.Close()
		b.produce()
		b.fill("new", 10, 2)
		b.all()
		b.until("it is read again", func() bool {
			return b.c.Status()[0].State == "collecting" && gapsOf(b, act.Missing) == 2 && len(b.acts(act.Filled)) > 0
		})
		b.check()
		disabled, filled := 0, 0
		for _, a := range b.acts(act.Gap) {
			if a.Reason == act.Disabled {
				disabled++
			}
		}
		for _, a := range b.acts(act.Filled) {
			if a.Reason == act.Disabled {
				filled++
			}
		}
		if disabled != 1 || filled != 1 || gapsOf(b, act.Missing) != 2 {
			t.Errorf("%d times gone, %d times back: %+v", disabled, filled, b.acts(act.Gap))
		}
	})
}

// TestF10OnePartitionStops: of 32 partitions one gives nothing any more. The others go on, an alarm names it, and it ends when
// the partition is well.
func TestF10OnePartitionStops(t *testing.T) {
	t.Parallel()
	b := newBench(t, 32)
	b.opts.Stall = 3 * time.Second
	b.fill("old", 64, 32)
	b.run()
	b.all()
	before := len(b.acts(act.Alarm))
	fault := b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Partitions: []int32{17}, Err: kerr.OffsetNotAvailable, Count: -1})
	b.fill("new", 64, 32)
	b.until("an alarm names it", func() bool { // on a machine that is slow, another one may be named for a while
		return slices.ContainsFunc(b.acts(act.Alarm)[before:], func(a act.Act) bool { return a.Reason == "stalled" && a.Code == "partition 17" })
	})
	b.until("the others go on", func() bool {
		missing := 0
		have := b.have()
		for r := range b.sent {
			if have[r] == 0 {
				missing++
			}
		}
		return missing == 2+2 // what is in it: messages 17 and 49 of the second filling
	})
	if st := b.c.Status()[0]; st.State != "failing" || !strings.Contains(st.LastError, "partition 17") {
		t.Errorf("the status says %s: %s", st.State, st.LastError)
	}
	fault.Remove()
	b.all()
	b.until("the alarm ends", func() bool {
		for _, a := range b.acts(act.Alarm) {
			if a.Reason == act.Cleared && a.Cursor == "stalled" && a.Code == "partition 17" {
				return true
			}
		}
		return false
	})
	b.check()
}

// TestF13Memory: of a backlog no more is in memory than is allowed, though the journal is slow, and all of it comes.
func TestF13Memory(t *testing.T) {
	t.Parallel()
	b := newBench(t, 4)
	b.opts.MaxMemory, b.opts.MaxFetch = 20_000, 4_000
	b.fill("backlog", 2000, 4)
	var most atomic.Int64
	b.fail = func(point string) error {
		if point == "before records" {
			most.Store(max(most.Load(), b.c.Held()))
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	b.run()
	b.all()
	b.check()
	if n := most.Load(); n > 20_000 || n < 4_000 {
		t.Errorf("%d bytes were held, and 20,000 may be", n)
	}
}

// TestF19Refused: a right that is missing, for one kind of request or for all, is a gap of its own kind of exactly this
// stream, and what was missed is read when it is there.
func TestF19Refused(t *testing.T) {
	for name, keys := range map[string][]kmsg.Key{"to read": {kmsg.Fetch}, "at all": {kmsg.Metadata, kmsg.ListOffsets, kmsg.Fetch}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, 2, kfake.SeedTopics(1, "other"))
			b.opts.Topics = append(b.opts.Topics, kafka.Topic{Name: "other", Stream: "contoso/other"})
			b.fill("old", 20, 2)
			fault := b.cluster.Fault(kfake.Fault{Keys: keys, Topic: topic, Err: kerr.TopicAuthorizationFailed, Count: -1})
			b.run()
			b.until("the refusal is told", func() bool {
				return len(b.acts(act.Gap)) > 0 && b.c.Status()[0].State == "refused" && b.c.Status()[1].State == "collecting"
			})
			fault.Remove()
			b.all()
			b.until("it is over", func() bool { return len(b.acts(act.Filled)) > 0 && b.c.Status()[0].State == "collecting" })
			b.check()
			for _, a := range b.acts(act.Gap) {
				if a.Stream != stream || a.Reason != act.Permission {
					t.Errorf("gap %+v", a)
				}
			}
			if n := len(b.acts(act.Gap)); n != 1 {
				t.Errorf("%d gaps for one refusal", n)
			}
		})
	}
}

// TestNewPartitions: a partition that is added is read from its beginning.
func TestNewPartitions(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.fill("old", 20, 2)
	b.run()
	b.all()
	if _, err := kadm.NewClient(b.producer).UpdatePartitions(t.Context(), 5, topic); err != nil {
		t.Fatal(err)
	}
	b.producer.Close()
	b.produce()
	b.fill("new", 40, 5)
	b.all()
	b.check()
}

// TestFaults: brokers that fail, move partitions and cut connections lose nothing.
func TestFaults(t *testing.T) {
	each(t, func(t *testing.T, opts []kfake.Opt) {
		b := newBench(t, 6, opts...)
		b.run()
		errs := []*kerr.Error{kerr.NotLeaderForPartition, kerr.UnknownServerError, kerr.KafkaStorageError, kerr.RequestTimedOut, kerr.LeaderNotAvailable}
		for i := range 12 {
			b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets}, Topic: topic, Err: errs[i%len(errs)], Count: 2},
				kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: topic, Err: kerr.LeaderNotAvailable, Count: 1})
			b.fill(fmt.Sprint("part", i), 30, 6)
			b.cluster.ShufflePartitionLeaders()
			time.Sleep(20 * time.Millisecond)
		}
		b.all()
		b.check()
		if gaps := b.acts(act.Gap); len(gaps) > 0 {
			t.Errorf("nothing was lost, and gaps say so: %+v", gaps)
		}
	})
}

// TestABombIsLeftOut: a batch that cannot be unpacked within bounds is a gap of exactly its offsets, and does not hold up what
// comes behind it.
func TestABombIsLeftOut(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.opts.MaxFetch, b.opts.MaxBatch = 10_000, 100_000
	b.fill("before", 5, 1)
	b.send(0, `{"id":"bomb","x":"`+strings.Repeat("0", 200_000)+`"}`)
	b.fill("after", 5, 1)
	b.run()
	b.all()
	b.stop()
	if lost := b.lostOffsets(act.Quarantined); lost["partition 0"] != 1 || len(b.have()) != len(b.sent) {
		t.Errorf("gaps of %v, %d records of %d: %+v", lost, len(b.have()), len(b.sent), b.acts(act.Gap))
	}
}

// TestHoles: offsets that the broker does not have any more (a topic that is compacted) are a gap of exactly these.
func TestHoles(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	b.remakeCompacted()
	for i := range 30 {
		r := fmt.Sprintf(`{"id":"%d"}`, i)
		if i%10 == 9 {
			b.sent[r]++
		}
		rec := &kgo.Record{Topic: topic, Key: fmt.Append(nil, i/10), Value: []byte(r)}
		if err := b.producer.ProduceSync(t.Context(), rec).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	b.cluster.Compact()
	b.run()
	b.all()
	begin := int(b.cluster.PartitionInfo(topic, 0).LogStartOffset)
	b.until("each offset is a record or lost", func() bool { return b.lostOffsets(act.Missing)["partition 0"]+len(b.have()) == 30-begin })
	b.stop()
	if n := b.lostOffsets(act.Missing)["partition 0"]; n == 0 {
		t.Error("nothing was compacted: this proves nothing")
	}
}

func (b *bench) remakeCompacted() {
	b.t.Helper()
	compact, small := "compact", "100"
	_ = b.cluster.DeleteTopic(topic)
	if err := b.cluster.CreateTopic(topic, 1, map[string]string{"cleanup.policy": compact, "segment.bytes": small}); err != nil {
		b.t.Fatal(err)
	}
	b.producer.Close()
	b.produce()
}

// TestTheJournalFails: appends fail, as they do on a full disk; the collector does not go on as if nothing were, and another
// one over a journal that works has all.
func TestTheJournalFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, 2)
	b.fill("old", 40, 2)
	var full atomic.Bool
	full.Store(true)
	b.fail = func(point string) error {
		if full.Load() && point != "before database" && point != "after database" {
			return syscall.ENOSPC
		}
		return nil
	}
	b.run()
	b.until("it has tried", func() bool { return len(b.c.Status()) == 0 || b.c.Status()[0].Restarts > 2 || b.j.Err() != nil })
	if n := len(b.have()); n != 0 {
		t.Errorf("%d records are there", n)
	}
	b.stop()
	full.Store(false)
	b.run()
	b.all()
	b.check()
}

// TestMessages: what is in a message is kept as it stands there, and what is none is kept as it is.
func TestMessages(t *testing.T) {
	t.Parallel()
	b := newBench(t, 1)
	for _, m := range []struct {
		message    string
		records    []string
		unreadable []string
	}{
		{`{"records":[ {"id":"a1"} ,{"id": "a2"}]}`, []string{`{"id":"a1"}`, `{"id": "a2"}`}, nil},
		{`{"records":[]}`, nil, nil},
		{` {"id":"b", "records":[{"id":"in"}]} `, []string{`{"id":"b", "records":[{"id":"in"}]}`}, nil},
		{"{\"id\":\"c1\"}\r\n{\"id\":\"c2\"}\r\n", []string{`{"id":"c1"}`, `{"id":"c2"}`}, nil},
		{`[{"id":"d1"},{"id":"d2"}]`, []string{`{"id":"d1"}`, `{"id":"d2"}`}, nil},
		{`{"Records":[{"id":"e"}]}`, []string{`{"id":"e"}`}, nil},
		{"{\"records\":[{\"id\":\"f1\"},\n{\"id\":\"f2\",},\n{\"id\":\"f3\"}]}", []string{`{"id":"f1"}`, `{"id":"f3"}`}, []string{`{"id":"f2",}`}},
		{"no JSON \xff at all", nil, []string{"no JSON \xff at all"}},
		{`{"records":[{"id":"g1"},{"id":"g2"`, []string{`{"id":"g1"}`}, nil}, // and its end, whatever it is cut into
		{``, nil, nil},
	} {
		b.send(0, m.message)
		for _, r := range m.records {
			b.sent[r]++
		}
		for _, r := range m.unreadable {
			b.sent[r]++
		}
	}
	b.run()
	b.all()
	b.until("all offsets are accounted for", func() bool { return b.accounted() == "" })
	b.stop()
	cutOff := false
	for _, e := range b.entries() {
		switch {
		case e.family == "entra-diagnostic":
			valid(t, e.raw)
			if b.sent[e.raw] == 0 {
				t.Errorf("%s is no record of a message", e.raw)
			}
		case e.family == event.Unreadable:
			cutOff = cutOff || strings.Contains(e.raw, `{"id":"g2"`)
		}
	}
	unreadable := 0
	for _, a := range b.acts(act.Sealed) {
		unreadable += a.Unreadable
	}
	if !cutOff || unreadable < 4 {
		t.Errorf("what is no record is not kept, or not counted: %d", unreadable)
	}
}

func TestNewRefuses(t *testing.T) {
	b := newBench(t, 1)
	good := b.opts
	good.Journal, good.DB, good.Acts = b.j, b.db, act.NewWriter(b.j, "a", "b")
	for want, change := range map[string]func(o *kafka.Options){
		"name":  func(o *kafka.Options) { o.Tenant = "" },
		"dial":  func(o *kafka.Options) { o.Dial = nil },
		"named": func(o *kafka.Options) { o.Topics = append(o.Topics, o.Topics[0]) },
	} {
		o := good
		o.Topics = slices.Clone(o.Topics)
		change(&o)
		if _, err := kafka.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
