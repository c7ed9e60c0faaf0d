// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scorecard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// MaxTargets and MaxTargetText bound a list of targets.
const (
	MaxTargets    = 100
	MaxTargetText = 16 << 10
)

// Target is what is asked of a vendor: records of an operation are offered within a time; canaries of a kind arrive within a
// time, or at least a share of them does.
type Target struct {
	Stream    string `json:"stream,omitempty"`                   // empty: any; of canaries their channel
	Operation string `json:"operation,omitempty"`                // empty: all of the stream together
	Canary    string `json:"canary,omitempty"`                   // kind of canary: the target is about those, and not about records
	Quantile  string `json:"quantile,omitempty"`                 // "p50", "p95" or "p99"
	Within    string `json:"within,omitempty"`                   // as "15m"
	AtLeast   string `json:"at_least,omitempty" toml:"at_least"` // of canaries, in place of a time: "99.5%" arrive
}

// Outcome is what became of a target on one stream.
type Outcome struct {
	Target
	Tenant   string `json:"tenant,omitempty"`
	Measured int64  `json:"measured_ms"` // -1: no record, or a share is asked for
	Share    *int64 `json:"measured_ppm,omitempty"`
	Records  uint64 `json:"records"` // or canaries
	Result   string `json:"result"`  // "met", "not met" or "not known"
}

// ReadTargets reads a file of targets: TOML, a [[target]] for each, or JSON as ParseTargets.
func ReadTargets(text []byte) ([]Target, error) {
	if len(text) > MaxTargetText || json.Valid(text) {
		return ParseTargets(text)
	}
	var file struct {
		Target []Target `toml:"target"`
	}
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&file); err != nil {
		if unknown := (*toml.StrictMissingError)(nil); errors.As(err, &unknown) && len(unknown.Errors) > 0 {
			row, _ := unknown.Errors[0].Position()
			return nil, fmt.Errorf("line %d: %q is not a setting of a target: see docs/reference/coverage.md", row, strings.Join(unknown.Errors[0].Key(), "."))
		}
		if bad := (*toml.DecodeError)(nil); errors.As(err, &bad) {
			row, _ := bad.Position()
			return nil, fmt.Errorf("line %d: %s", row, strings.TrimPrefix(bad.Error(), "toml: "))
		}
		return nil, err
	}
	return checked(file.Target)
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
	return checked(list)
}

func checked(list []Target) ([]Target, error) {
	if len(list) > MaxTargets {
		return nil, fmt.Errorf("there are %d targets, more than %d", len(list), MaxTargets)
	}
	for i := range list {
		if err := list[i].check(); err != nil {
			return nil, fmt.Errorf("target %d: %w", i+1, err)
		}
	}
	return list, nil
}

func (t *Target) check() error {
	if t.Canary != "" && t.Operation != "" {
		return errors.New("operation is of records and canary of canaries: name one of them")
	}
	if t.AtLeast != "" {
		switch _, ok := millionths(t.AtLeast); {
		case !ok:
			return fmt.Errorf(`at_least is %.40q and must be a share such as "99.5%%"`, t.AtLeast)
		case t.Canary == "":
			return errors.New("at_least is of canaries: name their kind in canary")
		case t.Within != "" || t.Quantile != "":
			return errors.New("at_least stands in place of quantile and within")
		}
		return nil
	}
	if within, err := time.ParseDuration(t.Within); err != nil || within <= 0 {
		return fmt.Errorf(`within is %.40q and must be a time such as "15m"`, t.Within)
	}
	if _, ok := (Delay{}).quantile(t.Quantile); !ok {
		return fmt.Errorf("quantile is %.40q and must be p50, p95 or p99", t.Quantile)
	}
	return nil
}

// millionths reads a share such as "99.5%".
func millionths(text string) (ppm int64, ok bool) {
	digits, ok := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(digits, 64)
	return int64(math.Round(percent * 10_000)), ok && err == nil && percent > 0 && percent <= 100
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
				s.Targets = append(s.Targets, t.judge(s.Streams[i].Tenant, s.Streams[i].Stream, d))
			}
		}
		for i := range s.Canaries {
			c := &s.Canaries[i]
			if t.Canary == "" || t.Canary != c.Kind || t.Stream != "" && t.Stream != c.Channel {
				continue
			}
			switch {
			case t.AtLeast != "" && c.ArrivedPPM >= 0:
				s.Targets = append(s.Targets, t.judgeShare(c))
			case t.AtLeast == "" && c.Delay.Records > 0:
				s.Targets = append(s.Targets, t.judge(c.Tenant, c.Channel, c.Delay))
			}
		}
		if len(s.Targets) == before {
			s.Targets = append(s.Targets, Outcome{Target: t, Measured: -1, Result: "not known"})
		}
	}
}

// delay returns what a target is about, if the stream has records of it.
func (s *Stream) delay(t *Target) (Delay, bool) {
	if t.Canary != "" || t.Stream != "" && t.Stream != s.Stream {
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

func (t Target) judge(tenant, stream string, d Delay) Outcome {
	o := Outcome{Target: t, Tenant: tenant, Records: d.Records, Result: "not met"}
	o.Stream = stream
	o.Measured, _ = d.quantile(t.Quantile)
	if within, err := time.ParseDuration(t.Within); err == nil && o.Measured <= within.Milliseconds() {
		o.Result = "met"
	}
	return o
}

func (t Target) judgeShare(c *Canary) Outcome {
	o := Outcome{Target: t, Tenant: c.Tenant, Measured: -1, Share: &c.ArrivedPPM, Records: uint64(c.Arrived + c.Missing), Result: "not met"}
	o.Stream = c.Channel
	if want, _ := millionths(t.AtLeast); c.ArrivedPPM >= want {
		o.Result = "met"
	}
	return o
}
