// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"database/sql"

	"github.com/daybreak-sec/daybreak/canary"
	"github.com/daybreak-sec/daybreak/collect/auditquery"
	objects "github.com/daybreak-sec/daybreak/collect/bucket"
	"github.com/daybreak-sec/daybreak/collect/kafka"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/controls"
	"github.com/daybreak-sec/daybreak/store"
)

// Somebody may bring back the journal from an older copy and leave control.db and the lake
// as they are. What was derived from the end that is gone would then speak of records that are
// not there, and the collectors would not fetch them again. It is looked for at Open
// and never later: a journal that has grown since looks as if nothing had ever been missing.

// distrusts mark what collectors and watches remember of entries that the journal does not have.
var distrusts = []func(ctx context.Context, db *store.DB, origin string, size uint64) (found bool, err error){
	collect.Distrust, pages.Distrust, objects.Distrust, kafka.Distrust, auditquery.Distrust, controls.Distrust, canary.Distrust,
}

// forgetLost takes back what was remembered of a longer journal than this one, and reports
// whether the lake has to be made anew.
func (n *Node) forgetLost(ctx context.Context) (rebuild bool, err error) {
	size, lost := n.journal.Size(), false
	for _, distrust := range distrusts {
		found, err := distrust(ctx, n.db, n.journal.Origin(), size)
		if err != nil {
			return false, err
		}
		lost = lost || found
	}
	if rebuild = n.lake.Appended().Batch > size; !rebuild && !lost {
		return false, nil
	}
	n.log.Warn("the journal is shorter than what was derived from it, as if it were an older copy: what it lacks is forgotten, and collected again while providers have it",
		"entries", size)
	err = n.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM node_setting WHERE name = 'configured'`) // its act may be gone
		return err
	})
	return rebuild, err
}

// forgetChannels does the same for what is known of channels.
func (n *Node) forgetChannels(ctx context.Context) error {
	if n.reconciling.r.Position() <= n.journal.Size() {
		return nil
	}
	return n.reconciling.r.Reset(ctx)
}

// forgetCoverage does the same for what is known of coverage.
func (n *Node) forgetCoverage(ctx context.Context) error {
	if n.covered.coverage.Position() <= n.journal.Size() {
		return nil
	}
	return n.covered.coverage.Reset(ctx)
}
