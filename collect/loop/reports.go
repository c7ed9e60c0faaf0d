// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"log/slog"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// Reports brings what goes wrong to the journal and the log: at once the first time, then
// once in reportEvery with how often it was.
type Reports struct {
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

// Add notes an act that may repeat itself.
func (r *Reports) Add(log *slog.Logger, a act.Act) {
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

// Due returns what is to be written now; all: whatever there is.
func (r *Reports) Due(all bool) (acts []act.Act) {
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
