// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"net/http"
	"time"
)

// Clock gives tests the clock alone.
type Clock struct{ c *clock }

func NewClock() Clock { return Clock{newClock()} }

func (c Clock) Observe(date string, asked, answered time.Time) {
	c.c.observe(http.Header{"Date": {date}}, asked, answered, true)
}

func (c Clock) Now() time.Time { return c.c.now() }

// Codes are the codes that the error table knows.
func Codes() (list []string) {
	for code := range codes {
		list = append(list, code)
	}
	return list
}

// OAuthCodes are those of the token endpoint: words and numbers.
func OAuthCodes() (words []string, numbers []int64) {
	for word := range oauth {
		words = append(words, word)
	}
	for number := range aadsts {
		numbers = append(numbers, number)
	}
	return words, numbers
}

// Closed tells what the shape of a text is that passes in two parts.
func Closed(a, b []byte) bool {
	var s shape
	s.add(a)
	s.add(b)
	return s.closed()
}
