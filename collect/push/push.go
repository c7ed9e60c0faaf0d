// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

// Kind is what a receiver speaks. It is the stream that its records and acts are in.
type Kind string

// The kinds of receivers.
const (
	HEC    Kind = "hec"
	OTLP   Kind = "otlp"
	HTTP   Kind = "http"
	Syslog Kind = "syslog"
)

// Generic is the family of records whose shape is nothing known.
const Generic event.Family = "json"

// Identify reads the id and the time (nanoseconds since the epoch; both may be unknown) of a record, and whether it is JSON at
// all. The id is good until the next call.
type Identify func(raw []byte) (id []byte, time int64, ok bool)

// Options say what a receiver is. Name, Kind, Listen, Journal, Acts and Identify are required, and Token but for syslog.
type Options struct {
	Name   string
	Tenant string // of all records, whatever they say: a sender cannot write in another's name
	Kind   Kind
	Family event.Family // default Generic
	Listen string
	TLS    *tls.Config // nil: plain, which whoever makes the options allows on loopback only
	Token  credential.Secret

	Journal  *journal.Journal
	Acts     *act.Writer
	Identify func() Identify // of the family; each is used by one goroutine at a time

	// Taken and Refused are told of what was stored and what was not, by a reason out of [Reasons]; nil discards.
	Taken   func(records, bytes int)
	Refused func(reason string)
	Log     *slog.Logger

	MaxBody    int // of one request, as it is after decompression; default 8 MiB
	MaxMemory  int // of all requests under way; default 64 MiB
	MaxRecords int // of one request; default 50,000
	MaxConns   int // at once; more wait; default 512
	// ReadTime is how long a request, or the rest of a syslog message, may take to come in; default 30 s.
	ReadTime time.Duration
	// StoreTime is how long the journal may take before the sender is told to come back; default 20 s.
	StoreTime time.Duration
}

func (o *Options) fill() {
	set := func(v *int, to int) {
		if *v <= 0 {
			*v = to
		}
	}
	set(&o.MaxBody, 8<<20)
	set(&o.MaxMemory, 64<<20)
	set(&o.MaxRecords, 50_000)
	set(&o.MaxConns, 512)
	if o.Family == "" {
		o.Family = Generic
	}
	if o.ReadTime <= 0 {
		o.ReadTime = 30 * time.Second
	}
	if o.StoreTime <= 0 {
		o.StoreTime = 20 * time.Second
	}
	if o.Taken == nil {
		o.Taken = func(int, int) {}
	}
	if o.Refused == nil {
		o.Refused = func(string) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// Receiver takes records of one kind at one address.
type Receiver struct {
	o        Options
	sum      [sha256.Size]byte // of the token
	listener *limited
	workers  chan *worker
	memory   room
	reports  loop.Reports
	acks     atomic.Int64 // ack ids given out
	stopping atomic.Bool
}

// worker is what one core needs to read bodies.
type worker struct {
	identify Identify
	tape     jsontape.Tape
}

// Open takes the address. Whoever opens a receiver runs it.
func Open(o Options) (*Receiver, error) {
	o.fill()
	if o.Kind != Syslog && len(o.Token.Reveal()) < MinToken {
		return nil, fmt.Errorf("the token has fewer than %d characters, which can be guessed", MinToken)
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", o.Listen, errors.Unwrap(err))
	}
	r := &Receiver{
		o: o, sum: sha256.Sum256([]byte(o.Token.Reveal())), listener: limit(l, o.MaxConns),
		workers: make(chan *worker, runtime.GOMAXPROCS(0)), memory: room{most: int64(o.MaxMemory)},
	}
	for range cap(r.workers) {
		r.workers <- &worker{identify: o.Identify()}
	}
	return r, nil
}

// MinToken is the least length of a token, in bytes.
const MinToken = 16

// Addr is where it listens.
func (r *Receiver) Addr() net.Addr { return r.listener.Addr() }

const (
	reportEvery = 10 * time.Second
	stopTime    = 8 * time.Second // for answers under way
)

// Run takes records until ctx ends, and then lets what is under way be answered. It returns an error if it cannot go on.
func (r *Receiver) Run(ctx context.Context) error {
	defer r.listener.Close()
	stream := string(r.o.Kind)
	if err := r.tell(ctx, act.Act{Kind: act.Started, Stream: stream}); err != nil {
		return err
	}
	quit := make(chan struct{})
	var reports sync.WaitGroup
	reports.Go(func() { r.report(ctx, quit) })
	var err error
	if r.o.Kind == Syslog {
		err = r.serveSyslog(ctx)
	} else {
		err = r.serveHTTP(ctx)
	}
	close(quit)
	reports.Wait()
	if ctx.Err() == nil {
		return err
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return r.tell(end, append(r.reports.Due(true), act.Act{Kind: act.Stopped, Stream: stream})...)
}

// report writes the acts of what was refused for want of room or of the journal.
func (r *Receiver) report(ctx context.Context, quit <-chan struct{}) {
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		if acts := r.reports.Due(false); len(acts) > 0 {
			if err := r.tell(ctx, acts...); err != nil && ctx.Err() == nil {
				r.o.Log.Error("an act was not written", "err", err)
			}
		}
	}
}

// tell writes acts and waits for them.
func (r *Receiver) tell(ctx context.Context, acts ...act.Act) error {
	c, err := r.o.Acts.Write(ctx, acts...)
	if err == nil {
		_, err = c.Wait(ctx)
	}
	return err
}

// refuse counts what was refused. What a sender did wrong is its own matter; what we had no room for is an act.
func (r *Receiver) refuse(f *refusal) {
	r.o.Refused(f.reason)
	if f == busy || f == failed {
		r.reports.Add(r.o.Log, act.Act{Kind: act.Failed, Stream: string(r.o.Kind), Reason: f.reason, Message: f.message})
	}
}
