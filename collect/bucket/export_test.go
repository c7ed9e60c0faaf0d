// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

// Fault makes a collector ask before and after everything that changes the journal or the database.
func (c *Collector) Fault(f func(point string) error) { c.book.TestingOnlyFault = f }

// ParseDigest reads a digest, and returns the text that is signed.
func ParseDigest(text, sum []byte) (signed []byte, err error) {
	d, err := parseDigest(text)
	if err != nil {
		return nil, err
	}
	return d.signed(sum), nil
}

// ChainOf takes the name of a digest apart.
var ChainOf = chainOf
