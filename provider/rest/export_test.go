// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"net/http"
	"time"
)

// ObserveDate lets a clock learn from an answer of the API.
func (c *Clock) ObserveDate(date string, asked, answered time.Time) {
	c.observe(http.Header{"Date": {date}}, asked, answered, true)
}

// Closed tells what the shape of a text is that passes in two parts.
func Closed(a, b []byte) bool {
	var s shape
	s.add(a)
	s.add(b)
	return s.closed()
}

// Sift passes a text through a sieve for objects beyond most bytes, in parts of n.
func Sift(text []byte, most int64, n int) (kept []byte, left []LeftOut) {
	s := &sieve{most: most}
	for ; len(text) > n; text = text[n:] {
		s.add(text[:n])
	}
	s.add(text)
	return s.kept, s.left
}
