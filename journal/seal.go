// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"crypto/sha256"
	"fmt"
	"sync"

	"github.com/daybreak-sec/daybreak/internal/zstdframe"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// sealer is one worker of stage B with its buffers.
type sealer struct {
	enc    *zstdframe.Compressor
	leaves []layout.Hash
	plain  []byte
}

func newSealer() (*sealer, error) {
	enc, err := zstdframe.New()
	return &sealer{enc: enc}, err
}

// nothing is the zstd frame of no bytes, with size and checksum, which libraries
// leave out of one (RFC 8878 section 3.1.1): magic number, descriptor, content
// size, an empty last block, the low half of the XXH64 of nothing.
const nothing = "\x28\xb5\x2f\xfd" + "\x24" + "\x00" + "\x01\x00\x00" + "\x99\xe9\xd8\x51"

// seal makes the blocks and the root of a batch.
func (s *sealer) seal(b *building) (err error) {
	s.leaves = b.LeafHashes(s.leaves[:0])
	b.root = layout.Root(s.leaves)
	switch {
	case len(b.raw) > 0:
		if b.frame, err = s.enc.Append(blocks.get(), b.raw); err != nil {
			return fmt.Errorf("compressing batch %d: %w", b.Index, err)
		}
	case len(b.Records) > 0:
		b.frame = []byte(nothing)
	}
	b.frameSum = sha256.Sum256(b.frame)
	s.plain = b.Receipts.Append(s.plain[:0])
	if b.receipts, err = s.enc.Append(blocks.get(), s.plain); err != nil {
		return fmt.Errorf("compressing the receipts of batch %d: %w", b.Index, err)
	}
	b.receiptsSum = sha256.Sum256(b.receipts)
	return nil
}

func (j *Journal) sealLoop() {
	s, err := newSealer()
	if err != nil {
		_ = j.fail(err)
		return
	}
	for b := range j.work {
		if err := s.seal(b); err != nil {
			_ = j.fail(err) // the committer and all who wait hear it from j.broken
			continue
		}
		close(b.ready)
	}
}

// commitLoop is stage C: one batch after the other becomes durable.
func (j *Journal) commitLoop() {
	for s := range j.order {
		if j.Err() != nil {
			continue // whoever waits hears it from j.broken
		}
		if s.reached != nil {
			close(s.reached)
			continue
		}
		select {
		case <-s.batch.ready:
		case <-j.broken:
			continue
		}
		if err := j.commit(s.batch); err != nil {
			_ = j.fail(err)
		}
	}
}

// commit writes one batch down. What is true if the machine dies
//   - before files.write returns: bytes may stand in the newest segment that no
//     entry names; recover cuts them off, and nobody was told of the records;
//   - before tree.add returns: the same, or the entry is integrated and then so
//     is everything it names, because that was durable before;
//   - before index.apply returns: the batch is sealed; the memory of duplicates
//     does not know it, and replay tells it before anybody appends;
//   - after: the batch is sealed. Who appended it may not have heard so, appends
//     it again, and gets duplicates.
func (j *Journal) commit(b *building) error {
	b.Committed = j.opts.Now().UTC()
	frame, receipts, segment, err := j.files.write(b, j.opts.SegmentBytes, j.opts.SegmentAge)
	if err != nil {
		return fmt.Errorf("writing segment %d: %w", j.files.number, err)
	}
	entry := layout.BatchEntry{
		Index: b.Index, Committed: b.Committed, Records: len(b.Records), Root: b.root, RawBytes: uint64(len(b.raw)),
		Segment: segment, Frame: frame, Receipts: receipts,
	}
	if err := j.tree.add(b.Index, entry.Text()); err != nil {
		return err
	}
	if err := j.index.apply(b.Index, b.Committed, b.keys); err != nil {
		return fmt.Errorf("memory of duplicates: %w", err)
	}
	j.stats.batch(b)
	blocks.put(b.frame)
	blocks.put(b.receipts)
	b.frame, b.receipts, b.keys, b.pieces = nil, nil, nil, nil
	j.live.publish(b.Index, &b.Batch)
	close(b.done)
	return nil
}

// blocks lends the buffers that compressed blocks stand in until they are written.
var blocks blockPool

type blockPool struct{ p sync.Pool }

func (p *blockPool) get() []byte {
	if b, ok := p.p.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

func (p *blockPool) put(b []byte) {
	if cap(b) > 0 && cap(b) <= 8<<20 {
		p.p.Put(&b)
	}
}
