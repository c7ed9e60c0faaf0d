// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package loop

import (
	"context"
	"database/sql"
	"math"

	"github.com/daybreak-sec/daybreak/store"
)

// never is a size that no journal has: rows with it are not trusted.
const never = int64(math.MaxInt64)

// Distrust marks the rows of a table that are ahead of the journal, so that they are forgotten when what they belong to
// starts, and reports whether there are any. It is called before anything is appended: a journal that has grown would look as
// if it had what they speak of. The table has a column journal, of the origin, and one size, of how many entries the journal
// had when that was written which a row speaks of.
func Distrust(ctx context.Context, db *store.DB, table, origin string, size uint64) (found bool, err error) {
	err = db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE `+table+` SET size = ?1 WHERE (journal <> ?2 OR size > ?3) AND size <> ?1`, never, origin, int64(size))
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		found = n > 0
		return err
	})
	return found, err
}
