// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package readiness judges requirements: whether logging, delay, completeness, the strength of sign-ins and the handling of
// incidents are good enough for the next step of a rollout.
//
//	requirements.toml ──▶ Parse ──▶ Judge ◀── Measured, by the fact's name (package node)
//	                                  └──▶ Document: pass, fail or not known, with figures and evidence
//
// A requirement is bound to a fact, one of a table ([Facts]); what the facts are measured from is the table's other half, in
// package node. A further fact is a row here and a row there. What cannot be measured is "not known" and never a pass.
package readiness

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Fact is something that is measured.
type Fact struct {
	Name  string
	About string
	Unit  Unit
	// Keys are the settings of a requirement that the fact takes, beside its bound.
	Keys []string
	// People says that the fact is of people, and is measured on those of a group.
	People bool
}

// Unit says what a fact is measured in, and with it how a requirement bounds it.
type Unit string

// The units, with the setting that bounds a fact of each.
const (
	Percent Unit = "percent" // at_least
	Count   Unit = "count"   // at_most
	Seconds Unit = "seconds" // within
)

// Facts are all there are.
var Facts = []Fact{
	{"coverage.complete", "share of the five-minute intervals of which it is due to say so that are complete", Percent, []string{"stream", "over"}, false},
	{"coverage.open_gaps", "gaps that are open", Count, []string{"stream", "over"}, false},
	{"coverage.alarms", "alarms of coverage that are on: silent workloads, logging that was switched off", Count, []string{"stream", "over"}, false},
	{"delay.offered", "time from an event to the provider's offer of its record, at a quantile, of the slowest stream that has such records", Seconds, []string{"stream", "operation", "quantile", "over"}, false},
	{"delay.searchable", "time from an event until searches find it, at a quantile, of records that came live, of the slowest stream", Seconds, []string{"stream", "operation", "quantile", "over"}, false},
	{"canary.missing", "harmless acts (canaries) whose record has not come in the time that such records take", Count, []string{"stream", "operation", "over"}, false},
	{"canary.delay", "time from a harmless act (a canary) until its record is durable, at a quantile, of the slowest kind and channel", Seconds, []string{"stream", "operation", "quantile", "over"}, false},
	{"sources.failing", "configured sources that do not collect at present", Count, nil, false},
	{"signin.phishing_resistant", "share of the people whose sign-ins show a factor who have used WebAuthn, U2F, Windows Hello for Business or a certificate", Percent, []string{"over"}, true},
	{"incidents.open", "incidents of a level or a graver one that began more than a time ago and are not closed", Count, []string{"level", "older_than"}, true},
}

func factOf(name string) *Fact {
	for i := range Facts {
		if Facts[i].Name == name {
			return &Facts[i]
		}
	}
	return nil
}

// Requirement is one line of what is asked for.
type Requirement struct {
	ID        string   `toml:"id" json:"id"`
	Title     string   `toml:"title" json:"title,omitempty"`
	Fact      string   `toml:"fact" json:"fact"`
	Stream    string   `toml:"stream" json:"stream,omitempty"`
	Operation string   `toml:"operation" json:"operation,omitempty"`
	Quantile  string   `toml:"quantile" json:"quantile,omitempty"` // p50, p95 (the default), p99
	Level     string   `toml:"level" json:"level,omitempty"`
	Over      string   `toml:"over" json:"over,omitempty"` // "24h", "7d" (the default)
	OlderThan string   `toml:"older_than" json:"older_than,omitempty"`
	AtLeast   *float64 `toml:"at_least" json:"-"`
	AtMost    *float64 `toml:"at_most" json:"-"`
	Within    string   `toml:"within" json:"-"`
}

// File is a file of requirements.
type File struct {
	Requirements []Requirement `toml:"requirement"`

	sum string
}

// Limits of a file.
const (
	MaxFile         = 256 << 10
	maxRequirements = 500
	maxText         = 256
	longest         = 400 * 24 * time.Hour
)

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,79}$`)

// Parse reads requirements. What is wrong is one sentence with the requirement's id or number.
func Parse(text []byte) (*File, error) {
	if len(text) > MaxFile {
		return nil, fmt.Errorf("the requirements have %d bytes, more than %d", len(text), MaxFile)
	}
	var f File
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&f); err != nil {
		if strict := (*toml.StrictMissingError)(nil); errors.As(err, &strict) && len(strict.Errors) > 0 {
			line, _ := strict.Errors[0].Position()
			return nil, fmt.Errorf("line %d: %q is not a setting of a requirement: see docs/reference/readiness.md", line, strings.Join(strict.Errors[0].Key(), "."))
		}
		if bad := (*toml.DecodeError)(nil); errors.As(err, &bad) {
			line, column := bad.Position()
			return nil, fmt.Errorf("line %d, column %d: %s", line, column, strings.TrimPrefix(bad.Error(), "toml: "))
		}
		return nil, err
	}
	if len(f.Requirements) == 0 {
		return nil, errors.New("there is no requirement: want [[requirement]] blocks")
	}
	if len(f.Requirements) > maxRequirements {
		return nil, fmt.Errorf("there are %d requirements, more than %d", len(f.Requirements), maxRequirements)
	}
	seen := map[string]bool{}
	for i := range f.Requirements {
		r := &f.Requirements[i]
		name := cmp.Or(r.ID, "number "+strconv.Itoa(i+1))
		if !idForm.MatchString(r.ID) {
			return nil, fmt.Errorf("requirement %.80s: id is %.40q: want a to z, digits, dots and hyphens, as in logging.complete", name, r.ID)
		}
		if seen[r.ID] {
			return nil, fmt.Errorf("requirement %s is there twice", r.ID)
		}
		seen[r.ID] = true
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("requirement %s: %w", r.ID, err)
		}
	}
	sum := sha256.Sum256(text)
	f.sum = hex.EncodeToString(sum[:])
	return &f, nil
}

func (r *Requirement) check() error {
	fact := factOf(r.Fact)
	if fact == nil {
		var names []string
		for _, f := range Facts {
			names = append(names, f.Name)
		}
		return fmt.Errorf("fact is %.60q: want one of %s", r.Fact, strings.Join(names, ", "))
	}
	for _, x := range [...]struct{ key, value string }{{"stream", r.Stream}, {"operation", r.Operation}, {"quantile", r.Quantile}, {"level", r.Level}, {"over", r.Over}, {"older_than", r.OlderThan}} {
		if x.value != "" && !slices.Contains(fact.Keys, x.key) {
			return fmt.Errorf("%s does not belong to %s", x.key, fact.Name)
		}
		if len(x.value) > maxText {
			return fmt.Errorf("%s is longer than %d bytes", x.key, maxText)
		}
	}
	if len(r.Title) > maxText {
		return fmt.Errorf("title is longer than %d bytes", maxText)
	}
	bounds := map[Unit]bool{Percent: r.AtLeast != nil, Count: r.AtMost != nil, Seconds: r.Within != ""}
	keys := map[Unit]string{Percent: "at_least", Count: "at_most", Seconds: "within"}
	for unit, said := range bounds {
		switch {
		case unit == fact.Unit && !said:
			return fmt.Errorf("%s is missing: %s is measured in %s", keys[unit], fact.Name, unit)
		case unit != fact.Unit && said:
			return fmt.Errorf("%s does not belong to %s, which is measured in %s and bounded by %s", keys[unit], fact.Name, fact.Unit, keys[fact.Unit])
		}
	}
	switch {
	case r.AtLeast != nil && !(*r.AtLeast >= 0 && *r.AtLeast <= 100):
		return errors.New("at_least must be from 0 to 100")
	case r.AtMost != nil && !(*r.AtMost >= 0):
		return errors.New("at_most must not be negative")
	case r.Quantile != "" && !slices.Contains([]string{"p50", "p95", "p99"}, r.Quantile):
		return fmt.Errorf("quantile is %.40q: want p50, p95 or p99", r.Quantile)
	case r.Level != "" && !slices.Contains([]string{"informational", "low", "medium", "high", "critical"}, r.Level):
		return fmt.Errorf("level is %.40q: want informational, low, medium, high or critical", r.Level)
	}
	for _, x := range [...]struct{ key, value string }{{"within", r.Within}, {"over", r.Over}, {"older_than", r.OlderThan}} {
		if _, err := span(x.value); x.value != "" && err != nil {
			return fmt.Errorf("%s is %.40q: want a time such as \"15m\", \"24h\" or \"7d\"", x.key, x.value)
		}
	}
	return nil
}

// span reads a time, in days too.
func span(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(max(n, 0), 1000)) * 24 * time.Hour
	}
	if err == nil && (d <= 0 || d > longest) {
		err = errors.New("out of bounds")
	}
	return d, err
}

// Period is how far back the fact is measured.
func (r *Requirement) Period() time.Duration {
	d, err := span(cmp.Or(r.Over, "7d"))
	if err != nil {
		return 7 * 24 * time.Hour
	}
	return d
}

// Age is how old something must be to count.
func (r *Requirement) Age() time.Duration {
	d, _ := span(r.OlderThan) // none counts at once
	return d
}

// Measured is what was found of a fact.
type Measured struct {
	Value float64 // percent, count or seconds
	Known bool
	// Figures says in words what it is made of, or why it is not known; Evidence are ids of events, acts or incidents.
	Figures  string
	Evidence []string
}

// Verdict is what a requirement comes to.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unknown Verdict = "not known"
)

// MaxEvidence is how many ids a result has.
const MaxEvidence = 20

// Result is a requirement with its verdict. What has a fraction is text, for it is signed.
type Result struct {
	Requirement
	Verdict  Verdict  `json:"verdict"`
	Want     string   `json:"want"`     // "≥ 99.9 %"
	Measured string   `json:"measured"` // "97.2 %"; empty if it is not known
	Figures  string   `json:"figures"`
	Evidence []string `json:"evidence"`
	Since    string   `json:"since,omitempty"` // when the verdict became this one, RFC 3339; empty if that is not known
}

// Judge says what a requirement comes to.
func (r *Requirement) Judge(m Measured) Result {
	out := Result{Requirement: *r, Verdict: Unknown, Figures: m.Figures, Evidence: append([]string{}, m.Evidence[:min(len(m.Evidence), MaxEvidence)]...)}
	ok := false
	switch factOf(r.Fact).Unit {
	case Percent:
		out.Want, out.Measured, ok = "≥ "+number(*r.AtLeast)+" %", number(m.Value)+" %", m.Value >= *r.AtLeast
	case Count:
		out.Want, out.Measured, ok = "≤ "+number(*r.AtMost), number(m.Value), m.Value <= *r.AtMost
	case Seconds:
		within, _ := span(r.Within)
		out.Want, out.Measured, ok = "≤ "+r.Within, number(m.Value)+" s", m.Value <= within.Seconds()
	}
	switch {
	case !m.Known:
		out.Measured = ""
	case ok:
		out.Verdict = Pass
	default:
		out.Verdict = Fail
	}
	return out
}

// number writes a figure with at most three digits behind the point.
func number(x float64) string {
	s := strconv.FormatFloat(x, 'f', 3, 64)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Document is what is signed.
type Document struct {
	Made    time.Time `json:"made"`
	Tenant  string    `json:"tenant"` // empty: all
	Group   string    `json:"group"`  // "ring=1"; empty: everybody
	People  int64     `json:"people"` // of the group, by the HR list; 0 without a group
	File    string    `json:"requirements_sha256"`
	Verdict Verdict   `json:"verdict"`
	Results []Result  `json:"results"`
}

// Conclude makes the verdict of all: fail if one fails, and pass only if all do.
func (f *File) Conclude(d *Document) {
	d.File, d.Verdict = f.sum, Pass
	for i := range d.Results {
		switch d.Results[i].Verdict {
		case Fail:
			d.Verdict = Fail
		case Unknown:
			if d.Verdict == Pass {
				d.Verdict = Unknown
			}
		}
	}
}
