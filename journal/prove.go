// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"

	"github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/tessera/client"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/layout"
)

// Prove returns what convinces somebody who holds only the log's public key that
// the record id is in the log and is what it was. It waits until a published
// checkpoint covers the record.
func (j *Journal) Prove(ctx context.Context, id event.ID) (*layout.Bundle, error) {
	b, e, err := j.batch(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := j.Published(ctx, id.Batch); err != nil {
		return nil, err
	}
	checkpoint, size, err := j.tree.checkpoint()
	if err != nil {
		return nil, err
	}
	builder, err := client.NewProofBuilder(ctx, size, j.tree.reader.ReadTile)
	if err != nil {
		return nil, err
	}
	hashes, err := builder.InclusionProof(ctx, id.Batch)
	if err != nil {
		return nil, err
	}
	i := int(id.Index)
	path := layout.RecordPath{Index: i, Records: len(b.Records), Hashes: layout.Path(b.LeafHashes(nil), i)}
	p := proof.TLogProof{Index: id.Batch, Checkpoint: checkpoint, ExtraData: path.Text()}
	for _, h := range hashes {
		p.Hashes = append(p.Hashes, layout.Hash(h))
	}
	return &layout.Bundle{
		Format: layout.BundleFormat, Event: id.String(), Raw: b.Raw(i),
		Receipt: layout.NewBundleReceipt(b.Envelope(i), &b.Records[i]),
		Batch:   string(e.Text()), Proof: string(p.Marshal()), VerifierKeys: j.tree.verifierKeys(),
	}, nil
}
