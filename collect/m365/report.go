// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

// reports brings what goes wrong to the journal and the log: at once the first time, then
// once in reportEvery with how often it was.
type reports struct {
	mu   sync.Mutex
	open map[reportKey]*report
}

const (
	reportEvery = time.Minute
	maxReports  = 256 // kinds of trouble at once; more are told of without being counted
)

type reportKey struct {
	kind                 act.Kind
	stream, reason, code string
	status               int
}

type report struct {
	act   act.Act // the latest one
	count int     // since it was written
	told  time.Time
}

func (r *reports) add(log *slog.Logger, a act.Act) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := reportKey{a.Kind, a.Stream, a.Reason, a.Code, a.Status}
	x := r.open[k]
	if x == nil {
		if r.open == nil {
			r.open = map[reportKey]*report{}
		}
		if len(r.open) >= maxReports {
			return
		}
		x = new(report)
		r.open[k] = x
	}
	seconds := x.act.Seconds
	if x.count == 0 {
		seconds = 0
	}
	x.act = a
	x.act.Seconds += seconds
	x.count++
	if x.count == 1 && time.Since(x.told) >= reportEvery && a.Kind == act.Failed {
		log.Warn("collecting has met a failure, which is tried again", "stream", a.Stream, "during", a.Reason, "error", a.Message)
	}
}

// due returns what is to be written now.
func (r *reports) due(all bool) (acts []act.Act) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k, x := range r.open {
		switch old := time.Since(x.told) >= reportEvery; {
		case x.count > 0 && (old || all):
			a := x.act
			a.Count = x.count
			acts = append(acts, a)
			x.count, x.told = 0, time.Now()
		case old:
			delete(r.open, k)
		}
	}
	return acts
}

// failed reports an error; s is nil if it is about no stream.
func (c *Collector) failed(ctx context.Context, s *stream, during string, err error) {
	if ctx.Err() != nil {
		return
	}
	a := act.Act{Kind: act.Failed, Reason: during, Code: codeOf(err), Status: statusOf(err), Message: sentence(err)}
	if s != nil {
		a.Stream = s.name
		s.mu.Lock()
		s.last, s.lastAt = a.Message, time.Now()
		s.mu.Unlock()
	}
	c.reports.add(c.log, a)
}

// flush writes the reports that are due.
func (c *Collector) flush(ctx context.Context, all bool) {
	acts := c.reports.due(all)
	for _, s := range c.streams {
		if a := s.idleAct(all); a != nil {
			acts = append(acts, *a)
		}
	}
	if len(acts) > 0 {
		c.say(ctx, acts...)
	}
}

// say writes acts that nothing else hangs on.
func (c *Collector) say(ctx context.Context, acts ...act.Act) {
	if _, err := c.tell(ctx, acts...); err != nil && ctx.Err() == nil {
		c.log.Error("an act could not be written to the journal", "kind", acts[0].Kind, "error", err)
	}
}

func classOf(err error) provider.Class {
	var e *provider.Error
	if errors.As(err, &e) {
		return e.Class
	}
	return provider.ClassRetry
}

func codeOf(err error) string {
	var e *provider.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func statusOf(err error) int {
	var e *provider.Error
	if errors.As(err, &e) {
		return max(e.Status, 0)
	}
	return 0
}

// sentence says what an error is, with the beginning of the answer that was not
// understood.
func sentence(err error) string {
	text := err.Error()
	var e *provider.Error
	if errors.As(err, &e) && len(e.Sample) > 0 {
		text += fmt.Sprintf(" (it begins %q)", e.Sample[:min(len(e.Sample), 512)])
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
