// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"sync/atomic"
	"time"
)

// Cost is what a rule has cost a program's matchers so far.
type Cost struct {
	Rule       *Rule
	Candidates uint64        // how often it had to be evaluated
	Hits       uint64        // how often it matched
	Time       time.Duration // evaluating it, estimated from every 1024th record
}

// sampleEvery is how many records there are to one whose rules are timed.
const sampleEvery = 1024

// unitCost counts for one unit. costShard has one for each; matchers share a few of them, so
// that cores seldom write to the same.
type unitCost struct {
	candidates, hits, nanos atomic.Uint64
}

type costShard []unitCost

func (c *unitCost) count(hit bool) {
	c.candidates.Add(1)
	if hit {
		c.hits.Add(1)
	}
}

// Costs returns what each rule has cost, in the order of the rules.
func (p *Program) Costs() []Cost {
	out := make([]Cost, len(p.rules))
	for i := range p.units {
		cost := &out[p.units[i].ruleID]
		cost.Rule = p.units[i].rule
		for _, shard := range p.costs {
			cost.Candidates += shard[i].candidates.Load()
			cost.Hits += shard[i].hits.Load()
			cost.Time += time.Duration(shard[i].nanos.Load() * sampleEvery)
		}
	}
	return out
}
