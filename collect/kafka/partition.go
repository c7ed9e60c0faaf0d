// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
)

// partition is one of a stream's: its position, and the worker that moves it.
type partition struct {
	s      *stream
	number int32
	inbox  inbox

	// Guarded by the stream's lock, for others read them.
	place    place
	dirty    bool      // place is not saved
	moved    time.Time // ours: the latest progress, or nothing was left to read
	entering bool      // nothing is fetched just now
	reached  int64     // all before is taken, if not yet durable
	end      int64     // the broker's, as of the latest look
	asked    int64     // what was reached at the look before
	denied   time.Time // until then it holds that we may not read it

	// The worker's own.
	at      int64 // the offset that comes next; before it all is taken, if not yet durable
	offered int64 // of the message before at
	verify  bool  // the message at at must be the one before the position
	fresh   bool  // nothing has come since the partition was entered
	doubt   int64 // what came first after the last entry, and was not what was asked for
	beyond  int   // looks in a row at a log that ends before the position
	lost    *lost // a gap that is not told yet: the next message says when it ends
	failed  int   // entries in a row that led to nothing
	take    take
	pending pending
}

// lost is a stretch of offsets that cannot be had.
type lost struct {
	from, to int64
	reason   string
	message  string
}

// entry is where reading begins.
type entry struct {
	at     int64
	verify bool // at is the offset before the position
	lost   *lost
}

// decide says where reading begins in a log that has offsets from start up to end, exclusive. same says that nothing is known
// against it being the log that the position is of.
func decide(p *place, known bool, start, end int64, same bool) entry {
	switch {
	case !known:
		return entry{at: start}
	case !same || p.next > end:
		return entry{at: start, lost: &lost{p.next, p.next, act.Missing, fmt.Sprintf(
			"it is not the log that was read before: the position was %d, and the log has %d to %d; what the former one held behind the position is lost, and all of this one is read",
			p.next, start, end)}}
	case p.next < start:
		return entry{at: start, lost: &lost{p.next, start, act.Retention, fmt.Sprintf("offsets %d to %d were not read before the broker deleted them", p.next, start-1)}}
	case p.mark == "" || p.next == start:
		return entry{at: p.next}
	}
	return entry{at: p.next - 1, verify: true}
}

// mark is a hash of a message.
func mark(m *kgo.Record) string {
	h := sha256.New()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(m.Timestamp.UnixMilli())))
	_, _ = h.Write(m.Value)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (p *partition) name() string { return "partition " + strconv.Itoa(int(p.number)) }

// beyondTries is how often a log is looked at again that ends before the position.
const beyondTries = 3

// Why a partition is entered anew.
var (
	errNotOurs = errors.New("the log is not the one that was read before")
	errOrder   = errors.New("another offset came than the one that was asked for")
	errStalled = errors.New("there are messages, and none came for too long")
	errShorter = errors.New("the log ends before the position")
)

// work enters the partition and takes what comes, until ctx ends or what has failed may be mended by a new client.
func (p *partition) work(ctx context.Context, s *session) error {
	return p.confirmed(ctx, func(ctx context.Context) error { return p.read(ctx, s) })
}

func (p *partition) read(ctx context.Context, s *session) error {
	if err := p.enter(ctx, s, true); err != nil {
		return err
	}
	for {
		it, err := p.inbox.get(ctx)
		if err != nil {
			return err
		}
		switch {
		case it.err == nil:
			it.err = p.takeItem(ctx, &it)
			s.c.room.give(it.size)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if it.err == nil {
			continue
		}
		if err := p.mend(ctx, s, it.err); err != nil {
			return err
		}
	}
}

// mend enters the partition anew after a failure. It returns an error if that will not do.
func (p *partition) mend(ctx context.Context, s *session, cause error) error {
	if isOurs(cause) || errors.Is(cause, kerr.UnknownTopicID) || ctx.Err() != nil {
		return cause // others meet it, too; or this client knows another topic of the name
	}
	p.s.alter(func() { p.entering = true })
	s.client.RemoveConsumePartitions(map[string][]int32{p.s.topic.Name: {p.number}})
	s.c.room.give(p.inbox.clear())
	if err := p.pending.settled(ctx); err != nil {
		return err
	}
	var large *kgo.ErrDecompressTooLarge
	switch {
	case errors.As(cause, &large):
		p.leaveOut(large)
		fallthrough
	case errors.Is(cause, errNotOurs), errors.Is(cause, errOrder), errors.Is(cause, errShorter):
	default:
		p.s.failed("fetch", p.name(), cause)
		if reason := refusal(cause, 1); reason != "" {
			if err := p.s.refused(ctx, reason, cause); err != nil {
				return err
			}
			p.s.alter(func() {
				p.denied = time.Now().Add(5*time.Second + 2*loop.Backoff(p.s.c.o.Retry, p.failed, time.Minute))
			})
		}
		if err := p.pause(ctx); err != nil {
			return err
		}
	}
	return p.enter(ctx, s, !errors.Is(cause, errNotOurs))
}

// enter begins to read, and tries until it can.
func (p *partition) enter(ctx context.Context, s *session, same bool) error {
	for {
		err := p.begin(ctx, s, same)
		if err == nil || ctx.Err() != nil || isOurs(err) {
			return err
		}
		p.s.failed("fetch", p.name(), err)
		if err := p.pause(ctx); err != nil {
			return err
		}
	}
}

// pause waits after a failure.
func (p *partition) pause(ctx context.Context) error {
	p.failed++
	return loop.Sleep(ctx, loop.Backoff(p.s.c.o.Retry, p.failed-1, time.Minute))
}

// begin looks where the log begins and ends, says what is lost, and has it fetched. The position stays where it is until
// that has been told.
func (p *partition) begin(ctx context.Context, s *session, same bool) error {
	start, end, err := s.bounds(ctx, p.s.topic.Name, p.number)
	if err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	p.s.mu.Lock()
	pl, id := p.place, p.s.id
	p.s.mu.Unlock()
	known := pl.next >= 0
	same = same && (pl.id == "" || id == "" || pl.id == id)
	if known && same && pl.next > end && p.beyond < beyondTries { // after a change of leaders, a broker may not know yet what it has
		p.beyond++
		return fmt.Errorf("the position %d is behind the end %d", pl.next, end)
	}
	p.beyond = 0
	e := decide(&pl, known, start, end, same)
	if !known {
		pl = place{next: start, whole: start == 0, readTo: p.s.before()}
		if !pl.whole && start == end { // nothing is left of what was there
			pl.first = now
		}
	}
	switch {
	case e.lost != nil:
		p.lost = e.lost
	case p.lost != nil: // told by nobody yet: a batch that is left out
		e.at, e.verify = max(p.lost.to, start), false
	}
	p.at, p.offered, p.verify, p.fresh = e.at, pl.readTo, e.verify, true
	if pl.id = id; p.lost != nil && p.at >= end { // no message will tell when the gap ends
		if err := p.s.c.book.Witnessed(ctx, p.gap(now)); err != nil {
			return &ours{err}
		}
		p.lost = nil
		pl.next, pl.mark = p.at, ""
	}
	p.s.alter(func() {
		if p.lost == nil {
			p.place, p.dirty = pl, true
		}
		p.reached, p.moved, p.entering, p.end = p.at, time.Now(), false, end
	})
	s.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{p.s.topic.Name: {p.number: kgo.NoResetOffset().At(p.at)}})
	return nil
}

// gap is the act of what is lost, which ends at a moment.
func (p *partition) gap(to int64) act.Act {
	from := p.offered
	if from == 0 {
		from = to - 1
	}
	l := p.lost
	p.s.c.log.Error("messages are lost", "stream", p.s.topic.Stream, "partition", p.number, "reason", l.reason, "message", l.message)
	return act.Act{
		Kind: act.Gap, Stream: p.s.topic.Stream, From: at(from), To: at(max(to, from+1)), Permanent: true, Reason: l.reason, Code: p.name(),
		Count: int(l.to - l.from), Message: p.name() + ": " + l.message,
	}
}

// leaveOut gives up a batch that cannot be unpacked.
func (p *partition) leaveOut(e *kgo.ErrDecompressTooLarge) {
	if e.NextOffset > p.at {
		p.lost = &lost{p.at, e.NextOffset, act.Quarantined, fmt.Sprintf(
			"offsets %d to %d are a batch of more than %d bytes when it is unpacked, and are left out", p.at, e.NextOffset-1, p.s.c.o.MaxBatch)}
	}
}

// ours is a failure of the journal or the database.
type ours struct{ err error }

func (o *ours) Error() string { return o.err.Error() }
func (o *ours) Unwrap() error { return o.err }

func isOurs(err error) bool {
	var o *ours
	return errors.As(err, &o)
}

// item is what a worker is given: messages, or why there are none.
type item struct {
	messages []*kgo.Record
	size     int64
	received time.Time
	err      error
}

// inbox holds what a worker has yet to take. What is in it has room.
type inbox struct {
	mu    sync.Mutex
	items []item
	some  chan struct{}
}

func (b *inbox) put(it item) {
	b.mu.Lock()
	b.items = append(b.items, it)
	b.mu.Unlock()
	loop.Poke(b.some)
}

// get waits for an item.
func (b *inbox) get(ctx context.Context) (item, error) {
	for {
		b.mu.Lock()
		if len(b.items) > 0 {
			it := b.items[0]
			b.items[0] = item{}
			b.items = b.items[1:]
			b.mu.Unlock()
			return it, nil
		}
		b.mu.Unlock()
		select {
		case <-b.some:
		case <-ctx.Done():
			return item{}, ctx.Err()
		}
	}
}

func (b *inbox) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.items) == 0
}

// clear forgets what is in it, and returns its size.
func (b *inbox) clear() (size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.items {
		size += b.items[i].size
	}
	b.items = nil
	return size
}

// at is a moment of Unix milliseconds.
func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
