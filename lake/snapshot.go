// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

// Snapshot is the lake at one moment: each row in exactly one of its blocks and
// segments. It keeps the segments' files from being removed until Release.
type Snapshot struct {
	// Blocks are the rows not yet written, in the order of the journal.
	Blocks []*Block
	// Segments are the files, in no particular order.
	Segments []*Segment

	lake *Lake
}

// Release ends the use of the snapshot. Files that were merged or have passed
// their retention meanwhile are removed with the last one that knew them.
func (s *Snapshot) Release() {
	if s.lake == nil {
		return
	}
	s.lake.unpin(s.Segments)
	s.lake, s.Blocks, s.Segments = nil, nil, nil
}
