// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package eventhubs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// molds is how many of the company's records a load is made of.
const molds = 20_000

// Sent is what a load has put into the hubs.
type Sent struct {
	Records  int64            `json:"records"` // each with an id that no other has
	Messages int64            `json:"messages"`
	Bytes    int64            `json:"bytes"` // of messages
	Hubs     map[string]int64 `json:"hubs"`  // records of each
	Seconds  float64          `json:"seconds"`
}

// Loader puts more into the hubs than the company's life gives, at little cost: what the company has done is repeated, each
// record with an id, a token, a correlation and a time of its own. It takes the place of [Server.Run]. Such records are in no
// other log of the tenant and not in [Server.Sent]; nothing is delivered again, and nothing repeated.
type Loader struct {
	s     *Server
	molds []mold
	made  uint64
	sent  Sent
	hubs  map[string]*cast
	err   atomic.Pointer[error]
}

// NewLoader reads what the company has done so far.
func (s *Server) NewLoader() (*Loader, error) {
	l := &Loader{s: s, hubs: map[string]*cast{}, sent: Sent{Hubs: map[string]int64{}}}
	s.happened(s.cfg.Tenant.Begin(), s.cfg.Tenant.Now(), func(_ time.Time, r row) bool {
		l.molds = append(l.molds, newMold(&r))
		return len(l.molds) < molds
	})
	if len(l.molds) == 0 {
		return nil, errors.New("the company has done nothing that a load could be made of: let it have more people or more history")
	}
	return l, nil
}

// Fill sends a number of records, as fast as the broker takes them, whose times are spread evenly over the latest span.
func (l *Loader) Fill(ctx context.Context, records int, span time.Duration) error {
	begun, now := time.Now(), l.s.cfg.Tenant.Now()
	const step = 1000
	for n := 0; n < records; n += step {
		at := now.Add(-span + time.Duration(float64(span)*float64(n)/float64(records)))
		if err := l.send(ctx, min(step, records-n), at); err != nil {
			return err
		}
	}
	return l.flush(ctx, begun)
}

// Keep sends so many records a second, for that long, or until ctx ends if it is 0. When it cannot keep up it sends later what it
// owes. Messages that are older than the retention are deleted meanwhile.
func (l *Loader) Keep(ctx context.Context, rate float64, long time.Duration) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	begun, before := time.Now(), l.sent.Records
	expired := begun
	for done := false; !done; {
		past := time.Since(begun)
		if long > 0 && past >= long {
			past, done = long, true
		}
		if owed := int64(rate*past.Seconds()) - (l.sent.Records - before); owed > 0 {
			if err := l.send(ctx, int(owed), l.s.cfg.Tenant.Now()); err != nil {
				return err
			}
		}
		if keep := l.s.cfg.Retention; keep > 0 && time.Since(expired) > keep/10 {
			l.s.cluster.ApplyRetention()
			expired = time.Now()
		}
		if !done {
			select {
			case <-tick.C:
			case <-ctx.Done():
				done = true
			}
		}
	}
	return l.flush(context.WithoutCancel(ctx), begun)
}

// Sent is what was sent so far, and the broker has.
func (l *Loader) Sent() Sent { return l.sent }

// send makes records of a moment, and messages of them.
func (l *Loader) send(ctx context.Context, records int, at time.Time) error {
	for range records {
		m := &l.molds[l.made%uint64(len(l.molds))]
		l.made++
		h := l.hubs[m.hub]
		if h == nil {
			h = &cast{}
			l.hubs[m.hub] = h
		}
		h.add(m, l.made, l.s.cfg.Delay, at)
		if h.records == l.s.cfg.Batch {
			l.produce(ctx, m.hub, h, at)
		}
	}
	for hub, h := range l.hubs {
		if h.records > 0 {
			l.produce(ctx, hub, h, at)
		}
	}
	return l.failure(ctx)
}

func (l *Loader) failure(ctx context.Context) error {
	if err := l.err.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

func (l *Loader) produce(ctx context.Context, hub string, h *cast, at time.Time) {
	s := l.s
	value := h.end()
	s.mu.Lock()
	p, client := s.random.IntN(s.cfg.Partitions), s.client
	s.count["records"] += h.records
	s.count["messages"]++
	s.mu.Unlock()
	l.sent.Records += int64(h.records)
	l.sent.Hubs[hub] += int64(h.records)
	l.sent.Messages++
	l.sent.Bytes += int64(len(value))
	h.records = 0
	client.Produce(ctx, &kgo.Record{Topic: hub, Partition: int32(p), Value: value, Timestamp: at}, func(_ *kgo.Record, err error) {
		if err != nil {
			l.err.CompareAndSwap(nil, &err)
		}
	})
}

// flush waits until the broker has everything.
func (l *Loader) flush(ctx context.Context, begun time.Time) error {
	if err := l.s.client.Flush(ctx); err != nil {
		return err
	}
	l.sent.Seconds = time.Since(begun).Seconds()
	return l.failure(ctx)
}

// What stands in a mold where a record that is cast from it has its own. None occurs otherwise.
const (
	moldToken       = "00000000-0000-4000-8000-00000000a0a0"
	moldCorrelation = "00000000-0000-4000-8000-00000000b0b0"
	moldID          = "00000000-0000-4000-8000-00000000c0c0"
	moldTime        = "0001-01-01T00:00:00Z"
)

// moldWritten is the time of the envelope.
var moldWritten = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC)

const writtenLayout = "2006-01-02T15:04:05.0000000Z"

// mold is the text of a record, and where it is filled in.
type mold struct {
	hub   string
	text  []byte
	holes []hole
}

type hole struct {
	at   int
	kind byte // 'i' and 'k' the id and the token, 'c' the correlation, 't' when it happened, 'w' when it was written
}

func newMold(r *row) mold {
	prefix := ""
	if r.hub == Audits {
		prefix = "Directory_"
	}
	for key, value := range map[string]string{
		"id": prefix + moldID, "uniqueTokenIdentifier": moldToken, "correlationId": moldCorrelation, "createdDateTime": moldTime, "activityDateTime": moldTime,
	} {
		if _, ok := r.fields[key]; ok {
			r.fields[key] = value
		}
	}
	m := mold{hub: r.hub}
	m.text, _ = json.Marshal(r.wrap(moldWritten)) // strings, numbers and lists of them
	for _, h := range []struct {
		text string
		kind byte
	}{{moldID, 'i'}, {moldToken, 'k'}, {moldCorrelation, 'c'}, {moldTime, 't'}, {moldWritten.Format(writtenLayout), 'w'}} {
		for from := 0; ; {
			at := bytes.Index(m.text[from:], []byte(h.text))
			if at < 0 {
				break
			}
			m.holes = append(m.holes, hole{from + at, h.kind})
			from += at + len(h.text)
		}
	}
	return m
}

// cast is a message under way.
type cast struct {
	records int
	text    []byte
	usual   int // bytes of the largest message so far

	moment   int64 // of happened and written, in milliseconds
	happened []byte
	written  []byte
	word     []byte
}

const opening = `{"records": [`

// add casts a record that was written at a moment, and happened delay before.
func (c *cast) add(m *mold, number uint64, delay time.Duration, at time.Time) {
	if c.records == 0 {
		c.text = append(make([]byte, 0, max(c.usual, 64<<10)), opening...)
	} else {
		c.text = append(c.text, ',')
	}
	if ms := at.UnixMilli(); ms != c.moment {
		c.moment = ms
		c.happened = at.UTC().Add(-delay).AppendFormat(c.happened[:0], "2006-01-02T15:04:05Z")
		c.written = at.UTC().AppendFormat(c.written[:0], writtenLayout)
	}
	start := len(c.text)
	c.text = append(c.text, m.text...)
	for _, h := range m.holes {
		to := c.text[start+h.at:]
		switch h.kind {
		case 't':
			copy(to, c.happened)
		case 'w':
			copy(to, c.written)
		default:
			c.word = record.Hash(number, uint64(h.kind)).Append(c.word[:0])
			copy(to, c.word)
		}
	}
	c.records++
}

// end is the message.
func (c *cast) end() []byte {
	text := append(c.text, "]}"...)
	c.text, c.usual = nil, max(c.usual, len(text))
	return text
}
