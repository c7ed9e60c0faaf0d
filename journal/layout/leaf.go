// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package layout

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/daybreak-sec/daybreak/event"
)

// Hash is a SHA-256 sum.
type Hash = [sha256.Size]byte

const leafMagic = "daybreak-record/v1\n"

// AppendOriginPrefix appends the part of a leaf that all records of one origin
// share, for use with [AppendLeafRest].
func AppendOriginPrefix(dst []byte, o *event.Origin) []byte {
	dst = append(dst, leafMagic...)
	dst = appendString(dst, o.Tenant)
	dst = appendString(dst, string(o.Family))
	dst = appendString(dst, o.Stream)
	dst = appendString(dst, o.Name)
	return appendString(dst, o.Run)
}

// AppendLeafRest appends what follows the prefix in the leaf of r.
func AppendLeafRest(dst []byte, r *Receipt) []byte {
	dst = binary.AppendUvarint(dst, r.Ordinal)
	dst = binary.AppendVarint(dst, r.Time)
	dst = binary.AppendVarint(dst, r.Offered)
	dst = binary.AppendVarint(dst, r.Received)
	dst = binary.AppendUvarint(dst, uint64(r.Flags))
	dst = binary.AppendUvarint(dst, uint64(r.RawLength))
	dst = binary.AppendUvarint(dst, uint64(len(r.ID)))
	dst = append(dst, r.ID...)
	return append(dst, r.RawSum[:]...)
}

// AppendLeaf appends L of section 5, which [LeafHash] makes the leaf.
func AppendLeaf(dst []byte, o *event.Origin, r *Receipt) []byte {
	return AppendLeafRest(AppendOriginPrefix(dst, o), r)
}

// LeafHash returns SHA-256(0x00 ‖ leaf).
func LeafHash(leaf []byte) Hash {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(leaf)
	return Hash(h.Sum(nil))
}

// NodeHash returns SHA-256(0x01 ‖ left ‖ right).
func NodeHash(left, right *Hash) Hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// LeafHashes appends the leaves of all records to dst.
func (r *Receipts) LeafHashes(dst []Hash) []Hash {
	prefixes := make([][]byte, len(r.Origins))
	for i := range r.Origins {
		prefixes[i] = AppendOriginPrefix([]byte{0}, &r.Origins[i].Origin)
	}
	var buf []byte
	for i := range r.Records {
		rec := &r.Records[i]
		buf = AppendLeafRest(append(buf[:0], prefixes[rec.Origin]...), rec)
		dst = append(dst, sha256.Sum256(buf))
	}
	return dst
}

// Root returns the RFC 6962 root over leaves, which it overwrites.
func Root(leaves []Hash) Hash {
	if len(leaves) == 0 {
		return sha256.Sum256(nil)
	}
	for n := len(leaves); n > 1; n = (n + 1) / 2 {
		for i := 0; i+1 < n; i += 2 {
			leaves[i/2] = NodeHash(&leaves[i], &leaves[i+1])
		}
		if n%2 == 1 {
			leaves[n/2] = leaves[n-1]
		}
	}
	return leaves[0]
}

// Path returns the hashes that lead from leaf index to the root, nearest first
// (RFC 6962 section 2.1.1), and overwrites leaves. The index is below len(leaves).
func Path(leaves []Hash, index int) []Hash {
	path := []Hash{}
	for n := len(leaves); n > 1; n, index = (n+1)/2, index/2 {
		if sibling := index ^ 1; sibling < n {
			path = append(path, leaves[sibling])
		}
		for i := 0; i+1 < n; i += 2 {
			leaves[i/2] = NodeHash(&leaves[i], &leaves[i+1])
		}
		if n%2 == 1 {
			leaves[n/2] = leaves[n-1]
		}
	}
	return path
}

// RootFromPath returns the root that path proves for a leaf, index of n; ok is
// false if the path does not have the length that its place in the tree demands.
func RootFromPath(leaf Hash, index, n int, path []Hash) (root Hash, ok bool) {
	if index < 0 || index >= n {
		return Hash{}, false
	}
	for ; n > 1; n, index = (n+1)/2, index/2 {
		sibling := index ^ 1
		if sibling >= n {
			continue
		}
		if len(path) == 0 {
			return Hash{}, false
		}
		if sibling < index {
			leaf = NodeHash(&path[0], &leaf)
		} else {
			leaf = NodeHash(&leaf, &path[0])
		}
		path = path[1:]
	}
	return leaf, len(path) == 0
}
