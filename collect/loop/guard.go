// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Guard keeps the loops of a collector running.
type Guard struct {
	Book  *Book
	Stall time.Duration // a loop without any progress for so long is started anew
	Retry time.Duration // the first wait before that, which doubles
	// Pause is how long nobody may ask the provider now, and how long that was in all. What waits for it makes progress.
	Pause func() (now, all time.Duration)

	throttled time.Duration // as the journal knows it
}

// Run runs a loop until ctx ends, and starts it anew when it fails, panics or makes no progress. A journal that has failed
// ends the collector with its error. of is nil if the loop is of no stream.
func (g *Guard) Run(ctx context.Context, end context.CancelCauseFunc, name string, of *Trouble, run func(context.Context, *Watch) error) {
	for failed := 0; ctx.Err() == nil; failed++ {
		begun := time.Now()
		err := Supervise(ctx, g.Stall, g.Paused, run)
		if ctx.Err() != nil {
			return
		}
		if broken := g.Book.Journal.Err(); broken != nil {
			end(broken)
			return
		}
		if time.Since(begun) > time.Hour {
			failed = 0
		}
		g.Book.restarted(ctx, name, of, err)
		if Sleep(ctx, Backoff(g.Retry, failed, time.Minute)) != nil {
			return
		}
	}
}

// Paused reports whether requests wait because the provider wants them to.
func (g *Guard) Paused() bool {
	now, _ := g.Pause()
	return now > 0
}

// Throttled tells for how long the provider has made everybody wait since it was last told. Only one goroutine may use it.
func (g *Guard) Throttled(ctx context.Context) {
	if _, all := g.Pause(); all > g.throttled {
		g.Book.Say(ctx, act.Act{Kind: act.Throttled, Seconds: (all - g.throttled).Seconds(), Message: "the provider, or our budget, has made us wait"})
		g.throttled = all
	}
}

// restarted tells of a loop that has to be started anew.
func (b *Book) restarted(ctx context.Context, name string, of *Trouble, err error) {
	log := b.Log.With("loop", name)
	a := act.Act{Kind: act.Alarm, Reason: "restarted", Message: fmt.Sprintf("%s: %v; it is started anew", name, err)}
	if of != nil {
		log, a.Stream = log.With("stream", of.Stream), of.Stream
		of.Restarted(a.Message)
	}
	if p := (*Panicked)(nil); errors.As(err, &p) {
		log.Error("a loop has panicked and is started anew", "panic", p.Value, "stack", string(p.Stack))
	} else {
		log.Warn("a loop is started anew", "error", err)
	}
	b.Report(a)
	b.Flush(ctx, false)
}

// Failed reports an error that an API or a context has given during something; of is nil if it is about no stream.
func (b *Book) Failed(ctx context.Context, of *Trouble, during string, err error) {
	if ctx.Err() != nil {
		return
	}
	e := rest.Of(err)
	a := act.Act{Kind: act.Failed, Reason: during, Code: e.Code, Status: max(e.Status, 0), Message: rest.Sentence(err)}
	if of != nil {
		a.Stream = of.Stream
		of.Met(a.Message)
	}
	b.Report(a)
}

// Forgotten tells that the positions were ahead of the journal, which has lost its end, or is another one.
func (b *Book) Forgotten(ctx context.Context) {
	b.Log.Warn("what was collected before is not in this journal: collecting starts over, and nothing is stored twice")
	b.Say(ctx, act.Act{Kind: act.Alarm, Reason: "restored", Message: "the positions were ahead of the journal and were forgotten: collecting starts over"})
}
