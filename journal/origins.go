// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"math"

	"github.com/daybreak-sec/daybreak/event"
)

// spoiled is the next ordinal of an origin of which it is not known how much was
// taken: nothing fits any more.
const spoiled = math.MaxUint64

// maxOrigins bounds how many origins can be under way at once. An origin that is
// forgotten cannot be continued, only read again under another Run.
const maxOrigins = 1 << 16

// origins remembers how far each origin was read, the latest ones only.
type origins struct {
	at    map[event.Origin]uint64
	order []event.Origin // as they came; the first are forgotten first
}

func (o *origins) next(origin event.Origin) uint64 { return o.at[origin] }

func (o *origins) set(origin event.Origin, next uint64) {
	if o.at == nil {
		o.at = make(map[event.Origin]uint64)
	}
	if _, known := o.at[origin]; !known {
		o.order = append(o.order, origin)
	}
	o.at[origin] = next
	if len(o.order) > maxOrigins {
		delete(o.at, o.order[0])
		o.order = o.order[1:]
	}
}
