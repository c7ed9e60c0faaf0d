// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"math"
	"net/netip"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
)

// holds evaluates a term, no further than is needed.
func (m *Matcher) holds(t *term) bool {
	switch t.op {
	case termItem:
		return m.item(t.item)
	case termNot:
		return !m.holds(&t.kids[0])
	case termAnd:
		for i := range t.kids {
			if !m.holds(&t.kids[i]) {
				return false
			}
		}
		return true
	}
	for i := range t.kids {
		if m.holds(&t.kids[i]) {
			return true
		}
	}
	return false
}

// item evaluates an item, once per record.
func (m *Matcher) item(id int32) bool {
	if known := m.memo[id]; known>>1 == m.epoch {
		return known&1 == 1
	}
	m.memo[id] = m.epoch << 1
	k := &m.p.items[id]
	for v := range m.views {
		if k.views>>v&1 == 1 {
			m.walk(v)
		}
	}
	if !m.check(k) {
		return false
	}
	m.memo[id] |= 1
	return true
}

func (m *Matcher) check(k *check) bool {
	if k.array != nil {
		return m.array(k)
	}
	if k.all {
		for i := range k.tests {
			if !m.some(k, &k.tests[i]) {
				return false
			}
		}
		return true
	}
	if k.set != nil && m.someOfSet(k) {
		return true
	}
	for i := range k.single {
		if m.some(k, &k.single[i]) {
			return true
		}
	}
	return false
}

// first returns the first value of a field, or nil, and next the one after.
func (m *Matcher) first(f int32) *fieldValue {
	if s := &m.fields[f]; s.epoch == m.epoch {
		return &m.values[s.head]
	}
	return nil
}

func (m *Matcher) next(v *fieldValue) *fieldValue {
	if v.next == 0 {
		return nil
	}
	return &m.values[v.next]
}

// some reports whether the test is true of a value of one of the item's fields; a test for
// null, whether all of the fields are absent or null.
func (m *Matcher) some(k *check, t *valueTest) bool {
	switch t.kind {
	case testNull:
		for _, f := range k.fields {
			if !m.isNull(f) {
				return false
			}
		}
		return true
	case testExists:
		for _, f := range k.fields {
			if m.first(f) != nil {
				return t.yes
			}
		}
		return !t.yes
	case testRef:
		return m.someRef(k, t)
	}
	for _, f := range k.fields {
		for v := m.first(f); v != nil; v = m.next(v) {
			if m.test(t, v) {
				return true
			}
		}
	}
	return false
}

func (m *Matcher) isNull(f int32) bool {
	v := m.first(f)
	if v == nil {
		return true
	}
	for ; v != nil; v = m.next(v) {
		if v.value.Kind() == jsontape.Null {
			return true
		}
	}
	return false
}

func (m *Matcher) someOfSet(k *check) bool {
	for _, f := range k.fields {
		for v := m.first(f); v != nil; v = m.next(v) {
			if v.text == nil {
				continue
			}
			m.hits = k.set.find(m.fold(v), m.hits[:0], true)
			if len(m.hits) > 0 {
				return true
			}
		}
	}
	return false
}

// test compares one value.
func (m *Matcher) test(t *valueTest, v *fieldValue) bool {
	if v.text == nil {
		return false
	}
	switch t.kind {
	case testText:
		return t.text.match(m.cased(t, v))
	case testNumber:
		return sameNumber(&t.number, v, m.fold(v))
	case testBool:
		is, ok := v.value.Bool()
		return ok && is == t.yes
	case testRegexp:
		return t.re.match(v.text, m.fold(v))
	case testCompare:
		n, ok := numericValue(v)
		return ok && t.op.holds(n)
	case testCIDR:
		a, ok := address(v)
		return ok && t.cidr.Contains(a)
	case testTime:
		at, ok := timeOf(v)
		return ok && t.op.holds(float64(partOf(at, t.part)))
	case testRef:
		return m.testRef(t, v)
	}
	return false
}

// numericValue reads a number, or a string that holds one.
func numericValue(v *fieldValue) (float64, bool) {
	if k := v.value.Kind(); k != jsontape.Number && k != jsontape.String {
		return 0, false
	}
	return number(v.text)
}

// number reads a decimal number as JSON has it; a sign of plus and leading zeros are accepted.
func number(b []byte) (float64, bool) {
	digits, dots, n := 0, 0, 0
	for i, c := range b {
		switch {
		case c-'0' <= 9:
			digits++
			n = n*10 + int(c-'0')
			if digits > 15 {
				n = 0 // not used: below it is read in full
			}
		case c == '.':
			dots++
		case c|0x20 == 'e':
		case c == '-', c == '+':
			if i > 0 && b[i-1]|0x20 != 'e' {
				return 0, false
			}
		default:
			return 0, false
		}
	}
	if digits == 0 || dots > 1 {
		return 0, false
	}
	if digits == len(b) && digits <= 15 {
		return float64(n), true
	}
	f, err := strconv.ParseFloat(stringOf(b), 64)
	return f, err == nil
}

// address reads an address in the ways that vendors write one.
func address(v *fieldValue) (netip.Addr, bool) {
	if v.value.Kind() != jsontape.String {
		return netip.Addr{}, false
	}
	e, ok := field.ParseEndpoint(v.text)
	return e.Addr, ok && e.Addr.IsValid()
}

// timeOf reads a time: text as package field does, or a number of seconds, milliseconds,
// microseconds or nanoseconds since 1970, which their size tells apart. Less than 1e8 seconds
// (1973) is no time.
func timeOf(v *fieldValue) (time.Time, bool) {
	if v.value.Kind() == jsontape.String {
		if ns, ok := field.Time(v.text); ok {
			return time.Unix(0, ns).UTC(), true
		}
	}
	n, ok := numericValue(v)
	if !ok || n < 1e8 {
		return time.Time{}, false
	}
	unit := 1e9
	for _, limit := range [...]float64{1e11, 1e14, 1e17} {
		if n >= limit {
			unit /= 1e3
		}
	}
	if n *= unit; n >= math.MaxInt64 {
		return time.Time{}, false
	}
	return time.Unix(0, int64(n)).UTC(), true
}

func partOf(t time.Time, part string) int {
	switch part {
	case "minute":
		return t.Minute()
	case "hour":
		return t.Hour()
	case "day":
		return t.Day()
	case "week":
		_, week := t.ISOWeek()
		return week
	case "month":
		return int(t.Month())
	}
	return t.Year()
}
