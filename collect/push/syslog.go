// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/journal"
)

const (
	// maxMessage is how much of a message is one record. RFC 5424 asks receivers for 2 KiB, and what is longer
	// than this comes in parts.
	maxMessage = 64 << 10
	// maxPending is how many appends of a connection may be on their way to disk. Then it is not read any more.
	maxPending = 16
	// maxCount is how many digits the length of a message may have.
	maxCount = 10
	// flushRecords ends a batch; so does having nothing more to read at once.
	flushRecords = 512
)

// serveSyslog takes connections until ctx ends.
func (r *Receiver) serveSyslog(ctx context.Context) error {
	var l net.Listener = r.listener
	if r.o.TLS != nil {
		l = tls.NewListener(l, r.o.TLS)
	}
	stop := context.AfterFunc(ctx, func() { r.stopping.Store(true); l.Close() })
	defer stop()
	var conns sync.WaitGroup
	defer conns.Wait()
	for pause := time.Millisecond; ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			pause = time.Millisecond
			conns.Go(func() { r.syslogConn(ctx, c) })
		case errors.Is(err, net.ErrClosed):
			return err
		default: // out of descriptors, or the peer was gone
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, time.Second)
		}
	}
}

// syslogConn reads one connection to its end.
func (r *Receiver) syslogConn(ctx context.Context, c net.Conn) {
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if t, ok := c.(*tls.Conn); ok {
		_ = c.SetDeadline(time.Now().Add(min(10*time.Second, r.o.ReadTime)))
		if err := t.HandshakeContext(ctx); err != nil {
			r.refuse(&refusal{reason: "token"})
			return
		}
		_ = c.SetDeadline(time.Time{})
	}
	s := &syslogReader{ctx: ctx, r: r, c: c, in: bufio.NewReaderSize(c, maxMessage), k: &worker{identify: r.o.Identify()}, b: new(batch)}
	s.run()
}

// syslogReader reads a connection.
type syslogReader struct {
	ctx     context.Context
	r       *Receiver
	c       net.Conn
	in      *bufio.Reader
	k       *worker
	b       *batch
	pending []underway
}

// underway is an append that is not known to be durable, and what it holds.
type underway struct {
	*journal.Commit
	records, bytes int
}

func (s *syslogReader) run() {
	for {
		err := s.message()
		if s.in.Buffered() == 0 || len(s.b.records) >= flushRecords || err != nil {
			if f := s.flush(); f != nil {
				s.r.refuse(f)
				return // the sender keeps what it could not send, and connects again
			}
		}
		if err != nil {
			break
		}
	}
	if f := s.settle(0); f != nil {
		s.r.refuse(f)
	}
}

// message reads one, in parts if it is long. What had come of one that broke off is kept.
func (s *syslogReader) message() error {
	s.await(0) // between messages there is no hurry
	if _, err := s.in.Peek(1); err != nil {
		return err
	}
	s.await(s.r.o.ReadTime)
	if n, ok := s.counted(); ok {
		return s.octets(n)
	}
	return s.line()
}

// await sets until when bytes must come; 0 for whenever.
func (s *syslogReader) await(d time.Duration) {
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	_ = s.c.SetReadDeadline(at)
	if s.ctx.Err() != nil { // the end came in between
		_ = s.c.SetReadDeadline(time.Unix(1, 0))
	}
}

// counted reads the length before a message, "LEN SP" (RFC 6587, section 3.4.1). Without one the message is a line.
func (s *syslogReader) counted() (n int64, ok bool) {
	for i := 1; i <= maxCount+1; i++ {
		b, err := s.in.Peek(i)
		if err != nil {
			return 0, false
		}
		switch c := b[i-1]; {
		case c >= '0' && c <= '9' && (i > 1 || c != '0'):
			n = 10*n + int64(c-'0')
		case c == ' ' && i > 1:
			_, _ = s.in.Discard(i)
			return n, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// octets reads a message of n bytes.
func (s *syslogReader) octets(n int64) error {
	for part := 1; n > 0; part++ {
		raw := make([]byte, min(n, maxMessage))
		got, err := io.ReadFull(s.in, raw)
		n -= int64(got)
		s.add(raw[:got], part, n > 0)
		if err != nil {
			return err
		}
		if err := s.room(); err != nil {
			return err
		}
	}
	return nil
}

// line reads a message that ends with a line feed, or NUL in older senders (RFC 6587, section 3.4.2).
func (s *syslogReader) line() error {
	for part := 1; ; part++ {
		raw, err := s.in.ReadSlice('\n')
		more := errors.Is(err, bufio.ErrBufferFull)
		text := bytes.Clone(raw)
		if !more {
			text = bytes.TrimRight(text, "\r\n\x00")
		}
		if len(text) > 0 {
			s.add(text, part, more)
		}
		if !more {
			return err
		}
		if err := s.room(); err != nil {
			return err
		}
	}
}

// room makes room in the middle of a long message.
func (s *syslogReader) room() error {
	s.await(s.r.o.ReadTime)
	if s.b.bytes < 1<<20 {
		return nil
	}
	if f := s.flush(); f != nil {
		s.r.refuse(f)
		return os.ErrDeadlineExceeded
	}
	return nil
}

// add makes a record of a message, or of a part of one.
func (s *syslogReader) add(raw []byte, part int, more bool) {
	if len(raw) == 0 {
		return
	}
	record, when := syslogRecord(raw, part, more)
	s.b.add(s.k.identify, record, when)
}

// flush hands the batch to the journal, which waits while the disk is behind.
func (s *syslogReader) flush() *refusal {
	if len(s.b.records) == 0 {
		return nil
	}
	c, err := s.r.append(context.WithoutCancel(s.ctx), peer(s.c.RemoteAddr().String()), s.b)
	if err != nil {
		return failed
	}
	s.pending = append(s.pending, underway{c, len(s.b.records), s.b.bytes})
	s.b = new(batch)
	return s.settle(maxPending)
}

// settle waits until at most so many appends are not durable.
func (s *syslogReader) settle(most int) *refusal {
	for len(s.pending) > most {
		if _, err := s.pending[0].Wait(context.WithoutCancel(s.ctx)); err != nil {
			return failed
		}
		s.r.o.Taken(s.pending[0].records, s.pending[0].bytes)
		s.pending = slices.Delete(s.pending, 0, 1)
	}
	return nil
}
