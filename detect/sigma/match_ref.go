// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"math"
	"strings"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// manyValues is from how many values on a field that is referred to is made a set of, so
// that a hostile record does not cost the square of its size.
const manyValues = 32

// someRef reports whether a value of the item's fields stands to one of the other field's as
// the test says.
func (m *Matcher) someRef(k *check, t *valueTest) bool {
	n := 0
	for o := m.first(t.ref[0]); o != nil; o = m.next(o) {
		n++
	}
	if n >= manyValues {
		return m.someRefOfMany(k, t)
	}
	for _, f := range k.fields {
		for v := m.first(f); v != nil; v = m.next(v) {
			if v.text != nil && m.testRef(t, v) {
				return true
			}
		}
	}
	return false
}

func (m *Matcher) someRefOfMany(k *check, t *valueTest) bool {
	texts, numbers := literals{}, map[float64]bool{}
	for o := m.first(t.ref[0]); o != nil; o = m.next(o) {
		if o.text == nil {
			continue
		}
		if key := (literalKey{t.text.shape, string(m.cased(t, o))}); texts[key] == nil {
			texts[key] = []int32{0}
		}
		if n, ok := exactNumber(o); ok {
			numbers[n] = true
		}
	}
	set := newLiteralSet(texts)
	for _, f := range k.fields {
		for v := m.first(f); v != nil; v = m.next(v) {
			if v.text == nil {
				continue
			}
			if m.hits = set.find(m.cased(t, v), m.hits[:0], true); len(m.hits) > 0 {
				return true
			}
			if n, ok := exactNumber(v); ok && t.text.shape == equalTo && numbers[n] {
				return true
			}
		}
	}
	return false
}

// testRef compares one value with those of the other field.
func (m *Matcher) testRef(t *valueTest, v *fieldValue) bool {
	text := m.cased(t, v)
	for o := m.first(t.ref[0]); o != nil; o = m.next(o) {
		if o.text == nil {
			continue
		}
		with := textTest{shape: t.text.shape, lit: m.cased(t, o)}
		if with.match(text) {
			return true
		}
		if t.text.shape == equalTo {
			a, ok1 := exactNumber(v)
			b, ok2 := exactNumber(o)
			if ok1 && ok2 && a == b {
				return true
			}
		}
	}
	return false
}

// cased returns a value's text, folded unless the test is cased.
func (m *Matcher) cased(t *valueTest, v *fieldValue) []byte {
	if t.text.cased {
		return v.text
	}
	return m.fold(v)
}

// exactBelow is up to where a float64 tells every whole number from the next.
const exactBelow = 1 << 53

// exactNumber reads a number, but not one so large that it cannot be told from its neighbors.
func exactNumber(v *fieldValue) (float64, bool) {
	if v.value.Kind() != jsontape.Number {
		return 0, false
	}
	n, ok := number(v.text)
	return n, ok && math.Abs(n) < exactBelow
}

// sameNumber compares with a number: a number by its value, and everything by the way it is
// written.
func sameNumber(want *Number, v *fieldValue, folded []byte) bool {
	if n, ok := exactNumber(v); ok && n == want.N {
		return true
	}
	return strings.EqualFold(stringOf(folded), want.Text)
}
