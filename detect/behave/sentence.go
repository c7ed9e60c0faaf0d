// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// who names the group of the hit.
func (s *State) who() string { return pairs(s.hit.groupBy, s.hit.group) }

// pairs is "field value, field value".
func pairs(fields []string, values [][]byte) string {
	var b strings.Builder
	for i, field := range fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(field)
		b.WriteByte(' ')
		b.WriteString(shown(values[i]))
	}
	return b.String()
}

// shown is a value in a sentence: short, and of one line.
func shown(v []byte) string {
	if len(v) == 0 {
		return `""`
	}
	text := strings.ToValidUTF8(string(v[:min(len(v), maxText)]), "")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return ' ' // what could make a sentence look like another
		}
		return r
	}, text)
}

// number is n with its thousands apart.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func several(n int64, one string, more ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(more) > 0:
		return number(n) + " " + more[0]
	}
	return number(n) + " " + one + "s"
}

// span is a length of time, in its largest unit.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return several(int64(d/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return several(int64(d/time.Hour), "hour")
	case d >= time.Minute:
		return several(int64(d/time.Minute), "minute")
	}
	return several(int64(d/time.Second), "second")
}

func minuteOf(t int64) string { return moment(t).Format("2006-01-02 15:04 UTC") }

func (s *State) sayHabit(h *habit, o *opening, since int64, others int) string {
	var before *spell // the value's, before it was forgotten
	for i := range h.spells {
		if sp := &h.spells[i]; sp.value == o.value && sp.first < o.ref.Time {
			before = sp
		}
	}
	watched := time.Duration(o.ref.Time - since)
	switch {
	case s.hit.typ == Dormant && before != nil:
		return fmt.Sprintf("%s is active after %s without activity, since %s.", s.who(), span(time.Duration(o.ref.Time-before.last)), minuteOf(before.last))
	case s.hit.typ == Dormant:
		return fmt.Sprintf("%s is active after more than %s without activity.", s.who(), span(s.hit.Quiet))
	}
	what := pairs(s.hit.Fields, o.texts[len(s.hit.groupBy):])
	var b strings.Builder
	if before != nil {
		fmt.Fprintf(&b, "%s shows %s again, after %s", s.who(), what, span(time.Duration(o.ref.Time-before.last)))
	} else {
		fmt.Fprintf(&b, "first time that %s shows %s", s.who(), what)
	}
	if s.hit.Rare > 0 {
		groups := s.population().groups - 1
		fmt.Fprintf(&b, "; %s of %s had shown it before, in %s of watching", number(int64(others)), several(max(groups, int64(others)), "other"), span(watched))
	} else {
		fmt.Fprintf(&b, ", in %s of watching", span(watched))
	}
	b.WriteByte('.')
	return b.String()
}

func (s *State) sayVaried(n int64) string {
	return fmt.Sprintf("%s has shown more than %s values of %s: it is taken as varied, and further values of it are not told.",
		s.who(), number(n-1), strings.Join(s.hit.Fields, ", "))
}
