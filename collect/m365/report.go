// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	provider "github.com/daybreak-sec/daybreak/provider/m365"
)

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
	c.reports.Add(c.log, a)
}

// flush writes the reports that are due.
func (c *Collector) flush(ctx context.Context, all bool) {
	acts := c.reports.Due(all)
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
