// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The forms of a moment, and what each leaves open.
var timeForms = []struct {
	layout string
	next   func(time.Time) time.Time // the first moment that it does not cover
}{
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01-02T15", plus(time.Hour)},
	{"2006-01-02T15:04", plus(time.Minute)},
	{"2006-01-02T15:04:05", plus(time.Second)},
}

func plus(d time.Duration) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.Add(d) }
}

// units are those of relative times and of histograms, the largest first. A day
// is 24 hours.
var units = []struct {
	name string
	d    time.Duration
}{
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
}

// ParseTime reads a moment as queries write it ("2026-01-31T08:00", "-24h",
// "now") and returns the first instant that it covers.
func ParseTime(text string, now time.Time) (time.Time, error) {
	first, _, err := moment(text)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(first.bind(now).At).UTC(), nil
}

// moment returns the first and the last millisecond that a text means.
func moment(s string) (first, last Bound, err error) {
	if s == "now" {
		return Bound{FromNow, 0}, Bound{FromNow, 0}, nil
	}
	if ago, ok := strings.CutPrefix(s, "-"); ok {
		d, err := span(ago)
		b := Bound{FromNow, -d.Milliseconds()}
		return b, b, err
	}
	// RFC 3339 section 5.6 allows the space and small letters. A zone may
	// follow any form that has an hour.
	norm := strings.ToUpper(strings.Replace(s, " ", "T", 1))
	for _, f := range timeForms {
		layouts := []string{f.layout}
		if strings.Contains(f.layout, "T") {
			layouts = append(layouts, f.layout+"Z07:00")
		}
		for _, layout := range layouts {
			t, err := time.Parse(layout, norm)
			if err != nil {
				continue
			}
			next := f.next(t)
			if strings.Contains(norm, ".") { // time.Parse takes a fraction after any second
				t = t.Truncate(time.Millisecond)
				next = t.Add(time.Millisecond)
			}
			return fixed(t, next.Add(-time.Millisecond))
		}
	}
	return first, last, fmt.Errorf("%q is not a time: want a form like 2026-01-31, 2026-01-31T08:00 or 2026-01-31T08:00:00Z, or -24h, or now", s)
}

// fixed returns the bounds for first and last, if both have a year of four
// digits.
func fixed(first, last time.Time) (a, b Bound, err error) {
	if first = first.UTC(); first.Year() < 1 || last.UTC().Year() > 9999 {
		return a, b, errors.New("times are from the year 1 to the year 9999")
	}
	return Bound{Fixed, first.UnixMilli()}, Bound{Fixed, last.UnixMilli()}, nil
}

// maxSpan keeps sums of spans and times far from overflow.
const maxSpan = 100 * 365 * 24 * time.Hour

// span reads a length of time such as 90s, 24h, 7d or 1h30m.
func span(s string) (time.Duration, error) {
	var sum time.Duration
	rest := s
	for rest != "" {
		i := 0
		for i < len(rest) && '0' <= rest[i] && rest[i] <= '9' {
			i++
		}
		n, err := strconv.ParseInt(rest[:i], 10, 32)
		unit := unitAt(rest[i:])
		if err != nil || unit == 0 {
			return 0, notSpan(s)
		}
		if n > int64((maxSpan-sum)/unit) {
			return 0, fmt.Errorf("%q is more than a hundred years", s)
		}
		sum += time.Duration(n) * unit
		rest = rest[i+1:]
	}
	if sum == 0 {
		return 0, notSpan(s)
	}
	return sum, nil
}

func notSpan(s string) error {
	return fmt.Errorf("%q is not a length of time: want numbers with s, m, h, d or w, such as 24h", s)
}

func unitAt(s string) time.Duration {
	for _, u := range units {
		if strings.HasPrefix(s, u.name) {
			return u.d
		}
	}
	return 0
}

// printSpan writes a length of whole seconds in the largest unit that fits.
func printSpan(d time.Duration) string {
	for _, u := range units {
		if d%u.d == 0 {
			return strconv.FormatInt(int64(d/u.d), 10) + u.name
		}
	}
	return d.String() // not reached: a span is made of whole seconds
}

func (p *parser) timeTest(at int, f field, op, text string) Expr {
	a, b, isRange := strings.Cut(text, "..")
	if op != "" || !isRange {
		first, last, err := moment(text)
		switch {
		case err != nil:
			p.fail(at, "%v", err)
			return And{}
		case op != "" && first.Kind == Fixed:
			return p.timeHalf(at, f, op, first.At, last.At)
		case op == "" && first.Kind == Fixed:
			return timeRange(f, first, last)
		case op == "<" || op == "<=":
			return timeRange(f, Bound{}, last)
		}
		return timeRange(f, first, Bound{})
	}
	lo, _, err := moment(a)
	if err != nil {
		p.fail(at, "%v", err)
	}
	_, hi, err := moment(b)
	if err != nil {
		p.fail(at+len(a)+2, "%v", err)
	}
	if lo.Kind == hi.Kind && lo.At > hi.At {
		p.fail(at, "this range ends before it begins")
	}
	return timeRange(f, lo, hi)
}

// timeHalf is half with the range of years kept.
func (p *parser) timeHalf(at int, f field, op string, first, last int64) Expr {
	edge := map[string]int64{"<": first - 1, ">": last + 1, "<=": last, ">=": first}[op]
	if _, _, err := fixed(time.UnixMilli(edge), time.UnixMilli(edge)); err != nil {
		p.fail(at, "%v", err)
	}
	return p.half(at, f, op, first, last)
}

func timeRange(f field, lo, hi Bound) Expr {
	return Term{f.name, []Test{{Op: Range, Lo: lo, Hi: hi}}}
}

// printTime writes a bound. As an upper end it is written to the millisecond:
// with fewer digits it would cover more.
func (b Bound) printTime(upper bool) string {
	switch {
	case b.Kind == FromNow && b.At == 0:
		return "now"
	case b.Kind == FromNow:
		return "-" + printSpan(time.Duration(-b.At)*time.Millisecond)
	}
	t := time.UnixMilli(b.At).UTC()
	if upper || b.At%1000 != 0 {
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	return t.Format("2006-01-02T15:04:05Z")
}
