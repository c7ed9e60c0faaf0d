// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import "github.com/daybreak-sec/daybreak/sim/record"

// Every choice of the simulator is a hash of the seed, a purpose and a
// position: nothing is drawn from a sequence, so any choice can be made again.

// purpose keeps choices about the same position apart.
type purpose uint64

const (
	forLate purpose = iota + 1
	forMutate
	forRepeat
	forBackdate
	forRecord
	forShuffle
	forOrder
	forPoison
	forStrike
	forSize
	forID
	forPage
	forIdentity
	forJitter
	forOmit
)

func hash(seed uint64, p purpose, parts ...uint64) uint64 {
	h := record.Mix(seed, uint64(p))
	for _, x := range parts {
		h = record.Mix(h, x)
	}
	return h
}

// chance says whether an event of probability p happens at the hash h.
func chance(h uint64, p float64) bool {
	return p > 0 && float64(h>>11) < p*(1<<53)
}

// identity is one of the ids of the simulated tenant and its applications.
func identity(seed, n uint64) string {
	return record.Hash(seed, uint64(forIdentity), n).String()
}
