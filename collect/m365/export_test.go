// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

// Upstream lets tests be the provider.
type Upstream = upstream

// NewOver returns a collector over an upstream; fault is asked before and after every
// change of the journal and the database.
func NewOver(o Options, up Upstream, fault func(point string) error) (*Collector, error) {
	c, err := newCollector(o, up)
	if err == nil {
		c.testingOnlyFault = fault
	}
	return c, err
}
