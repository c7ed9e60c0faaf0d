// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

// arena holds blocks of bytes that refer to nothing, so that the garbage collector has
// nothing to look at in it. A block is named by its place, counted in grains.
type arena struct {
	pages [][]byte
	next  int // grains of the last page that are given out
	free  [maxBlock/grain + 1]uint32
	used  int64 // bytes of blocks given out
}

const (
	grain     = 4
	pageGrain = 1 << 17
	// maxBlock is the largest block; larger records are slices of their own.
	maxBlock = 16 << 10
)

// alloc returns a block of n bytes rounded up to whole grains, and how many these are. Its
// content is what was last in it.
func (a *arena) alloc(n int) (ref uint32, grains uint16) {
	g := (n + grain - 1) / grain
	a.used += int64(g * grain)
	if ref := a.free[g]; ref != 0 {
		b := a.bytes(ref, uint16(g))
		a.free[g] = uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		return ref, uint16(g)
	}
	if len(a.pages) == 0 || a.next+g > pageGrain {
		if len(a.pages) > 0 && a.next < pageGrain {
			a.give(uint32((len(a.pages)-1)*pageGrain+a.next), uint16(min(pageGrain-a.next, maxBlock/grain)))
		}
		a.pages = append(a.pages, make([]byte, pageGrain*grain))
		a.next = 0
		if len(a.pages) == 1 {
			a.next = 1 // no block has the name 0
		}
	}
	ref = uint32((len(a.pages)-1)*pageGrain + a.next)
	a.next += g
	return ref, uint16(g)
}

// release takes a block back.
func (a *arena) release(ref uint32, grains uint16) {
	a.used -= int64(grains) * grain
	a.give(ref, grains)
}

func (a *arena) give(ref uint32, grains uint16) {
	b, next := a.bytes(ref, grains), a.free[grains]
	b[0], b[1], b[2], b[3] = byte(next), byte(next>>8), byte(next>>16), byte(next>>24)
	a.free[grains] = ref
}

func (a *arena) bytes(ref uint32, grains uint16) []byte {
	at := int(ref%pageGrain) * grain
	end := at + int(grains)*grain
	return a.pages[ref/pageGrain][at:end:end]
}
