// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scorecard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxTargets and MaxTargetText bound a list of targets.
const (
	MaxTargets    = 100
	MaxTargetText = 16 << 10
)

// Target is what is asked of a vendor: records of an operation are offered within a time.
type Target struct {
	Stream    string `json:"stream,omitempty"`    // empty: any
	Operation string `json:"operation,omitempty"` // empty: all of the stream together
	Quantile  string `json:"quantile"`            // "p50", "p95" or "p99"
	Within    string `json:"within"`              // as "15m"
}

// Outcome is what became of a target on one stream.
type Outcome struct {
	Target
	Tenant   string `json:"tenant,omitempty"`
	Measured int64  `json:"measured_ms"` // -1: no record
	Records  uint64 `json:"records"`
	Result   string `json:"result"` // "met", "not met" or "not known"
}

// ParseTargets reads a JSON list of targets.
func ParseTargets(text []byte) ([]Target, error) {
	if len(text) > MaxTargetText {
		return nil, fmt.Errorf("the targets have %d bytes, more than %d", len(text), MaxTargetText)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var list []Target
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf(`targets are a JSON list such as [{"operation":"New-InboxRule","quantile":"p95","within":"15m"}]: %w`, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list of targets")
	}
	if len(list) > MaxTargets {
		return nil, fmt.Errorf("there are %d targets, more than %d", len(list), MaxTargets)
	}
	for i, t := range list {
		if within, err := time.ParseDuration(t.Within); err != nil || within <= 0 {
			return nil, fmt.Errorf(`target %d: within is %.40q and must be a time such as "15m"`, i+1, t.Within)
		}
		if _, ok := (Delay{}).quantile(t.Quantile); !ok {
			return nil, fmt.Errorf("target %d: quantile is %.40q and must be p50, p95 or p99", i+1, t.Quantile)
		}
	}
	return list, nil
}

func (d Delay) quantile(name string) (ms int64, ok bool) {
	switch name {
	case "p50":
		return d.P50, true
	case "p95":
		return d.P95, true
	case "p99":
		return d.P99, true
	}
	return 0, false
}

// Judge adds what became of the targets: a line for each stream that a target speaks of and that has such
// records; "not known" if none has.
func (s *Scorecard) Judge(targets []Target) {
	for _, t := range targets {
		before := len(s.Targets)
		for i := range s.Streams {
			if d, ok := s.Streams[i].delay(&t); ok {
				s.Targets = append(s.Targets, t.judge(&s.Streams[i], d))
			}
		}
		if len(s.Targets) == before {
			s.Targets = append(s.Targets, Outcome{Target: t, Measured: -1, Result: "not known"})
		}
	}
}

// delay returns what a target is about, if the stream has records of it.
func (s *Stream) delay(t *Target) (Delay, bool) {
	if t.Stream != "" && t.Stream != s.Stream {
		return Delay{}, false
	}
	if t.Operation == "" {
		return s.Delay, s.Delay.Records > 0
	}
	for i := range s.Operations {
		if o := &s.Operations[i]; o.Operation == t.Operation {
			return o.Delay, o.Records > 0
		}
	}
	return Delay{}, false
}

func (t Target) judge(s *Stream, d Delay) Outcome {
	o := Outcome{Target: t, Tenant: s.Tenant, Records: d.Records, Result: "not met"}
	o.Stream = s.Stream
	o.Measured, _ = d.quantile(t.Quantile)
	if within, err := time.ParseDuration(t.Within); err == nil && o.Measured <= within.Milliseconds() {
		o.Result = "met"
	}
	return o
}
