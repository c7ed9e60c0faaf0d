// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"
)

// progress tells people how far long work is: on a terminal one line that is
// drawn again and again, otherwise a line every few seconds.
type progress struct {
	w        io.Writer
	terminal bool
	start    time.Time
	what     string

	records atomic.Int64 // done so far
	done    atomic.Int64 // of total: what the share is told from
	total   atomic.Int64 // 0 if not known

	stop, ended chan struct{}
}

// startProgress begins to report; call its end. A quiet app gets a progress
// that is silent.
func (a *app) startProgress(what string) *progress {
	p := &progress{w: a.stderr, terminal: a.terminal, start: time.Now(), what: what}
	if a.quiet {
		return p
	}
	p.stop, p.ended = make(chan struct{}), make(chan struct{})
	every := 5 * time.Second
	if p.terminal {
		every = 200 * time.Millisecond
	}
	go p.loop(every)
	return p
}

func (p *progress) loop(every time.Duration) {
	defer close(p.ended)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			if p.terminal {
				fmt.Fprint(p.w, "\r\x1b[K")
			}
			return
		case now := <-tick.C:
			line := p.line(now)
			if p.terminal {
				fmt.Fprint(p.w, "\r\x1b[K"+line)
			} else {
				fmt.Fprintln(p.w, line)
			}
		}
	}
}

// line is the report: rate, share done, time left.
func (p *progress) line(now time.Time) string {
	spent := now.Sub(p.start)
	records, done, total := p.records.Load(), p.done.Load(), p.total.Load()
	rate := float64(records) / max(spent.Seconds(), 1e-9)
	s := fmt.Sprintf("%s: %s records, %s/s", p.what, thousands(records), thousands(int64(rate)))
	if total > 0 && done > 0 {
		share := min(1, float64(done)/float64(total))
		left := time.Duration(float64(spent) * (1 - share) / share)
		s += fmt.Sprintf(", %.0f %%, %s left", share*100, left.Round(time.Second))
	}
	return s
}

// end stops the reports and removes the line from a terminal.
func (p *progress) end() {
	if p.stop != nil {
		close(p.stop)
		<-p.ended
		p.stop = nil
	}
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
