// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	statuses      = []string{"stable", "test", "experimental", "deprecated", "unsupported"}
	levels        = []string{"informational", "low", "medium", "high", "critical"}
	relationTypes = []string{"derived", "obsolete", "obsoletes", "merged", "renamed", "similar"}
)

// meta reads a key that every kind of document may have.
func (p *parser) meta(m *Meta, e entry) {
	switch e.key {
	case "title":
		m.Title = p.text(e)
	case "id":
		m.ID = p.text(e)
	case "name":
		m.Name = p.text(e)
	case "status":
		m.Status = p.oneOf(e, statuses)
	case "level":
		m.Level = p.oneOf(e, levels)
	case "taxonomy":
		m.Taxonomy = p.text(e)
	case "description":
		m.Description = p.text(e)
	case "license":
		m.License = p.text(e)
	case "author":
		m.Author = strings.Join(p.texts(e), ", ")
	case "date":
		m.Date = p.text(e)
	case "modified":
		m.Modified = p.text(e)
	case "references":
		m.References = p.texts(e)
	case "tags":
		m.Tags = p.texts(e)
	case "falsepositives":
		m.FalsePositives = p.texts(e)
	case "fields":
		m.Fields = p.texts(e)
	case "related":
		m.Related = p.related(e)
	default:
		if m.Custom == nil {
			m.Custom = map[string]any{}
		}
		m.Custom[e.key] = p.any(e.value, 0)
	}
}

func (p *parser) oneOf(e entry, allowed []string) string {
	s := p.text(e)
	if s != "" && !slices.Contains(allowed, s) {
		p.errorf(e.line, "%s is %s; it has to be one of %s", e.key, quoted(s), strings.Join(allowed, ", "))
	}
	return s
}

func (p *parser) related(e entry) []Related {
	if e.value.Tag == "!!null" {
		return nil
	}
	var list []Related
	for _, c := range p.list(e) {
		var r Related
		for _, e := range p.mapping(c, "an element of related") {
			switch e.key {
			case "id":
				r.ID = p.text(e)
			case "type":
				r.Type = p.oneOf(e, relationTypes)
			default:
				p.warnf(e.line, "an element of related has an id and a type; %s is ignored", quoted(e.key))
			}
		}
		if r.Type == "obsoletes" {
			r.Type = "obsolete" // its name before specification 2
		}
		if r.ID == "" || r.Type == "" {
			p.errorf(c.Line, "an element of related needs an id and a type")
		}
		list = append(list, r)
	}
	return list
}

// Numbers of detections and of footholds.
var (
	ideaForm     = regexp.MustCompile(`^D\d{3}$`)
	footholdForm = regexp.MustCompile(`^F\d{2}$`)
)

// own reads the key `daybreak`.
func (p *parser) own(e entry) *Own {
	o := new(Own)
	for _, e := range p.mapping(e.value, "daybreak") {
		switch e.key {
		case "idea":
			o.Ideas = p.numbered(e, ideaForm, "D093")
		case "footholds":
			o.Footholds = p.numbered(e, footholdForm, "F05")
		case "suppress":
			o.Suppress = p.suppress(e)
		default:
			p.errorf(e.line, "daybreak has no key %s; there are idea, footholds and suppress", quoted(e.key))
		}
	}
	return o
}

// numbered reads numbers of a catalogue.
func (p *parser) numbered(e entry, form *regexp.Regexp, example string) []string {
	list := p.texts(e)
	for _, s := range list {
		if !form.MatchString(s) {
			p.errorf(e.line, "%s needs numbers such as %s, not %s", e.key, example, quoted(s))
		}
	}
	return list
}

func (p *parser) suppress(e entry) *Suppress {
	s := new(Suppress)
	for _, e := range p.mapping(e.value, "suppress") {
		switch e.key {
		case "by":
			s.By = p.texts(e)
		case "for":
			s.For = p.duration(e)
		default:
			p.errorf(e.line, "suppress has no key %s; there are by (fields) and for (a duration)", quoted(e.key))
		}
	}
	if s.For == 0 {
		p.errorf(e.line, "suppress needs a duration in for, such as for: 24h")
	}
	return s
}

// Units of a timespan. A month and a year are the Gregorian calendar's mean, as in pySigma.
var timeUnits = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour,
	'M': 2629746 * time.Second, 'y': 31556952 * time.Second,
}

const maxTimespan = 100 * 31556952 * time.Second

// duration reads a number and a unit: 15m.
func (p *parser) duration(e entry) time.Duration {
	d, err := parseDuration(p.text(e))
	if err != nil {
		p.errorf(e.line, "%s %v", e.key, err)
	}
	return d
}

func parseDuration(s string) (time.Duration, error) {
	if s == "" {
		return 0, fmt.Errorf("is empty; write a number and a unit, such as 15m")
	}
	unit, known := timeUnits[s[len(s)-1]]
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	switch {
	case !known || err != nil:
		return 0, fmt.Errorf("is %s; write a number and one of s, m, h, d, w, M (month), y, such as 15m", quoted(s))
	case n == 0:
		return 0, fmt.Errorf("is %s and has to be longer than nothing", quoted(s))
	case n > uint64(maxTimespan/unit):
		return 0, fmt.Errorf("is %s, longer than a hundred years", quoted(s))
	}
	return time.Duration(n) * unit, nil
}
