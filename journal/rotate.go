// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"fmt"

	"github.com/daybreak-sec/daybreak/journal/layout"
)

// RotateKey replaces the signing key by a new one and records that in the log,
// signed by both. Appends wait meanwhile; it needs the witnesses, because the old
// key first publishes all it has to.
//
// What is true if the machine dies
//   - after the new key is staged in KeyFile+".next": the old key is in force;
//     the next Open removes the staged one;
//   - after the entry is in the log: the new key is in force; the next Open finds
//     the entry at the end of the log and puts the staged key in place;
//   - after the rename: the rotation is over.
func (j *Journal) RotateKey(ctx context.Context) error {
	return j.alone(ctx, func() error {
		if err := j.tree.waitPublished(ctx, j.tree.size.Load()); err != nil {
			return err
		}
		old := j.tree.signer()
		next, secret, err := newKey(old.Name())
		if err != nil {
			return err
		}
		staged := j.opts.KeyFile + ".next"
		if err := j.opts.Ops.WriteFile(staged, []byte(secret+"\n"), 0o600); err != nil {
			return fmt.Errorf("staging the new key: %w", err)
		}
		e := layout.KeyEntry{Index: j.next, Created: j.opts.Now(), Old: old.vkey, New: next.vkey}
		e.OldSignature, e.NewSignature = old.sign(e.SignedText()), next.sign(e.SignedText())
		old.reach.Store(e.Index)
		if err := j.addEntry(e); err != nil {
			return err
		}
		if err := j.opts.Ops.Rename(staged, j.opts.KeyFile); err != nil {
			return j.fail(fmt.Errorf("putting the new key in place: %w", err))
		}
		// From here on a failure of ours could only repeat what Open does.
		if err := publishKey(j.opts.Ops, j.opts.KeyFile, next); err != nil {
			return j.fail(err)
		}
		j.tree.close()
		if err := j.tree.open(next, true); err != nil {
			return j.fail(err)
		}
		return nil
	})
}
