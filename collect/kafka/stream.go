// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
)

// stream is a topic and its partitions.
type stream struct {
	c     *Collector
	topic Topic

	verdict sync.Mutex // held while it is told that the stream is refused: each partition meets the refusal

	mu         sync.Mutex
	header     header
	dirty      bool // header is not saved
	id         string
	places     map[int32]place // of partitions that are not collected yet
	partitions map[int32]*partition
	stalls     map[int32]*stall // alarms that are on
	told       time.Time        // ours: the latest act that says how far it is complete
	stored     int              // records since
	heard      time.Time        // ours: the latest look that worked
	readTo     int64            // all that was offered before is in the journal
	least      int64            // and from when on

	trouble loop.Trouble
}

func newStream(c *Collector, t Topic, h header, places map[int32]place) *stream {
	return &stream{c: c, topic: t, trouble: loop.Trouble{Stream: t.Stream}, header: h, places: places, partitions: map[int32]*partition{}, stalls: map[int32]*stall{}, readTo: h.stated, least: h.stated}
}

// alter changes what others read.
func (s *stream) alter(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// before is the time before which nothing of a partition that is new was offered: it was not there then.
func (s *stream) before() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header.stated
}

// reading reports whether partitions are read.
func (s *stream) reading() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.partitions) > 0
}

// leave ends the partitions of a session; their places stay.
func (s *stream) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, p := range s.partitions {
		s.c.room.give(p.inbox.clear())
		s.places[n] = p.place
	}
	clear(s.partitions)
}

// keep looks where the logs end, begins to read partitions that are new, says how far streams are complete, and watches
// over the progress of each partition.
func (s *session) keep(ctx context.Context) error {
	failed := make([]int, len(s.c.streams))
	for {
		begun := time.Now()
		wait := s.c.o.Poll
		for i, st := range s.c.streams {
			err := s.look(ctx, st)
			if err == nil {
				failed[i] = 0
				continue
			}
			if ctx.Err() != nil || isOurs(err) {
				return err
			}
			failed[i]++
			st.failed("listing", "", err)
			if reason := refusal(err, failed[i]); reason != "" {
				if err := st.refused(ctx, reason, err); err != nil {
					return err
				}
			}
			if errors.Is(err, errNotOurs) || errors.Is(err, kerr.UnknownTopicOrPartition) && st.reading() {
				return err // of what is, or comes back, under its name, a new client knows more than this one
			}
			wait = max(wait, loop.Backoff(s.c.o.Retry, slices.Min(failed), time.Minute))
		}
		s.c.book.Flush(ctx, false)
		if err := s.watch(ctx); err != nil {
			return err
		}
		if err := loop.Hint(ctx, loop.NewWatch(), begun, min(time.Second, wait), wait, s.c.wake); err != nil {
			return err
		}
	}
}

// refusal is the reason of a gap that a failure means; empty: it is to be tried again.
func refusal(err error, failed int) string {
	var eof *kgo.ErrFirstReadEOF
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.SaslAuthenticationFailed):
		return act.Permission
	case errors.As(err, &eof) && failed >= 3: // brokers close the connection instead of saying that they do not know us
		return act.Permission
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return act.Disabled
	}
	return ""
}

// look asks for a topic and where its partitions end. (Of several topics at once there would be no answer if one of them may
// not be read.)
func (s *session) look(ctx context.Context, st *stream) error {
	asked := time.Now()
	ask, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	topics, err := s.admin.ListTopics(ask, st.topic.Name)
	if err != nil {
		return err
	}
	s.c.heard.Store(true)
	t := topics[st.topic.Name]
	if t.Err == nil && len(t.Partitions) == 0 {
		t.Err = kerr.UnknownTopicOrPartition
	}
	if t.Err != nil {
		return t.Err
	}
	if err := s.arrange(ctx, st, t); err != nil {
		return err
	}
	ends, err := s.admin.ListEndOffsets(ask, st.topic.Name)
	var some *kadm.ShardErrors // others have answered
	if err != nil && !errors.As(err, &some) {
		return err
	}
	return st.ended(ctx, ends[st.topic.Name], asked)
}

// arrange starts a worker for each partition that is new.
func (s *session) arrange(ctx context.Context, st *stream, t kadm.TopicDetail) error {
	id := ""
	if t.ID != (kadm.TopicID{}) {
		id = t.ID.String()
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.partitions) > 0 && id != st.id {
		return fmt.Errorf("topic %s has another id than before: %w", t.Topic, errNotOurs)
	}
	if st.id != id { // before there are workers, who read it
		st.id = id
	}
	for n := range t.Partitions {
		if st.partitions[n] != nil {
			continue
		}
		pl, known := st.places[n]
		if !known {
			pl.next = -1
		}
		p := &partition{s: st, number: n, place: pl, moved: time.Now(), entering: true, reached: pl.next, doubt: -1, inbox: inbox{some: make(chan struct{}, 1)}}
		st.partitions[n] = p
		s.run(ctx, func(ctx context.Context) error { return p.work(ctx, s) })
	}
	return nil
}

// ended takes in where the partitions ended, and says how far the stream is complete.
func (s *stream) ended(ctx context.Context, list map[int32]kadm.ListedOffset, asked time.Time) error {
	var shorter []*partition
	var troubles []error
	s.mu.Lock()
	now, least := asked.UnixMilli(), asked.UnixMilli()
	known, denied := true, false
	for n, p := range s.partitions {
		e, ok := list[n]
		switch {
		case !ok || e.Err != nil:
			if e.Err != nil {
				troubles = append(troubles, fmt.Errorf("%s: %w", p.name(), e.Err))
			}
		case p.entering:
		default:
			p.end = e.Offset
			switch {
			case p.asked > e.Offset: // what was reached before we asked
				shorter = append(shorter, p)
			case p.place.next >= e.Offset:
				if p.place.readTo < now {
					p.place.readTo, p.dirty = now, true
				}
				p.moved = time.Now()
			}
		}
		denied = denied || time.Now().Before(p.denied)
		p.asked = p.reached
		known = known && p.place.next >= 0
		least = min(least, p.place.readTo)
	}
	if known {
		s.readTo = max(s.readTo, least)
	}
	s.heard = time.Now()
	if s.header.stated == 0 {
		s.least = s.since(now)
	}
	from, to, stored := max(s.least, min(s.header.stated, now-time.Hour.Milliseconds())), s.readTo, s.stored
	due := known && to > from && to > s.header.stated && (stored > 0 || time.Since(s.told) >= s.c.o.Idle)
	refused, refusal := s.header.refused, s.header.refusal
	parts := len(s.partitions)
	s.mu.Unlock()
	for _, err := range troubles {
		s.failed("listing", "", err)
	}
	for _, p := range shorter {
		p.inbox.put(item{err: errShorter})
	}
	var acts []act.Act
	readable := refused != 0 && len(troubles) == 0 && !denied
	if readable {
		acts = append(acts, act.Act{
			Kind: act.Filled, Stream: s.topic.Stream, From: at(refused), To: at(max(now, refused+1)), Reason: refusal, Message: "it can be read again; what was missed is read now",
		})
	}
	if due {
		acts = append(acts, act.Act{Kind: act.Listed, Stream: s.topic.Stream, Cursor: "head", At: asked, From: at(from), To: at(to), Pages: parts, Records: stored})
	}
	if len(acts) == 0 {
		return nil
	}
	if err := s.c.book.Witnessed(ctx, acts...); err != nil {
		return &ours{err}
	}
	s.alter(func() {
		if readable {
			s.header.refused, s.header.refusal = 0, ""
		}
		if due {
			s.header.stated, s.told = to, time.Now()
			s.stored -= stored
		}
		s.dirty = true
	})
	return nil
}

// since is the time from which on all that was offered is read. It is called with mu held.
func (s *stream) since(now int64) int64 {
	whole, first := int64(0), now-s.c.o.Idle.Milliseconds() // if nothing was in it, nothing was offered lately
	for _, p := range s.partitions {
		if p.place.first == 0 {
			continue // nothing was in it
		}
		first = min(first, p.place.first)
		if !p.place.whole {
			whole = max(whole, p.place.first)
		}
	}
	return max(whole, first)
}

// refused notes that a stream cannot be read: nobody may, or it is not there. The others go on, and it is tried again.
func (s *stream) refused(ctx context.Context, reason string, cause error) error {
	s.verdict.Lock()
	defer s.verdict.Unlock()
	now := time.Now().UnixMilli()
	s.mu.Lock()
	from, known := s.readTo, s.header.refused != 0
	s.mu.Unlock()
	if known {
		return nil
	}
	if from == 0 {
		from = now
	}
	err := s.c.book.Witnessed(ctx,
		act.Act{Kind: act.Gap, Stream: s.topic.Stream, From: at(from), To: at(max(now, from+1)), Reason: reason, Message: cause.Error()},
		act.Act{Kind: act.Alarm, Stream: s.topic.Stream, Reason: reason, Message: cause.Error()},
	)
	if err != nil {
		return &ours{err}
	}
	s.c.log.Error("the stream is not collected", "stream", s.topic.Stream, "reason", reason, "error", cause)
	s.alter(func() { s.header.refused, s.header.refusal, s.dirty = from, reason, true })
	return nil
}

// stall is that of a partition that gives no messages.
type stall struct {
	at    int64 // what was reached when it was noticed
	times int
}

// watch looks for partitions that should give messages and give none, says which, and has them entered anew. If that was of
// no use, the client is made anew, ever more rarely: the others read on with it.
func (s *session) watch(ctx context.Context) error {
	again := false
	for _, st := range s.c.streams {
		var acts []act.Act
		st.mu.Lock()
		for n, p := range st.partitions {
			known := st.stalls[n]
			switch quiet := time.Since(p.moved); {
			case quiet < s.c.o.Stall:
				if known != nil && !p.entering && (p.reached > known.at || p.reached >= p.end) {
					delete(st.stalls, n)
					acts = append(acts, act.Act{Kind: act.Alarm, Stream: st.topic.Stream, Reason: act.Cleared, Cursor: reasonStalled, Code: p.name(), Message: p.name() + " gives messages again"})
				}
			case (p.entering || p.end > p.reached) && p.inbox.empty():
				if known == nil {
					known = &stall{at: p.reached}
					st.stalls[n] = known
				}
				known.times++
				again = again || known.times > 1 && known.times&(known.times-1) == 0
				p.moved = time.Now()
				message := fmt.Sprintf("%s gives no messages for %v, and has %d more than were read; it is entered anew, and the others go on", p.name(), s.c.o.Stall, max(0, p.end-p.reached))
				st.trouble.Met(message)
				acts = append(acts, act.Act{Kind: act.Alarm, Stream: st.topic.Stream, Reason: reasonStalled, Code: p.name(), Message: message})
				p.inbox.put(item{err: errStalled})
			}
		}
		st.mu.Unlock()
		for i := range acts {
			if acts[i].Reason == reasonStalled {
				s.c.log.Error("a partition gives no messages", "stream", st.topic.Stream, "message", acts[i].Message)
			}
		}
		if len(acts) > 0 {
			s.c.book.Say(ctx, acts...)
		}
	}
	if again {
		return errStalled
	}
	return nil
}

// reasonStalled is the alarm of a partition that gives no messages.
const reasonStalled = "stalled"

// failed reports an error; code says of what, if not of all.
func (s *stream) failed(during, code string, err error) {
	text := err.Error()
	if code != "" {
		text = code + ": " + text
	}
	s.trouble.Met(text)
	s.c.book.Report(act.Act{Kind: act.Failed, Stream: s.topic.Stream, Reason: during, Code: code, Message: text})
}
