// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// recognizeAtOnce is how many alerts are looked at in one transaction: others want to write as well.
const recognizeAtOnce = 200

// Recognize joins alerts anew whose people are others than when they were taken in, and returns how many these were. It may be
// interrupted, and is then to be called again: what stands at the end is what would stand if all alerts had come now.
func (s *Store) Recognize(ctx context.Context) (moved int, err error) {
	for after, more := int64(0), true; more; {
		err := s.db.Write(ctx, func(tx *sql.Tx) error {
			return s.change(ctx, tx, func(l *ledger) (err error) {
				n := 0
				after, n, more, err = l.recognize(after)
				moved += n
				return err
			})
		})
		if err != nil {
			return moved, fmt.Errorf("incidents: %w", err)
		}
	}
	return moved, nil
}

// recognize looks at the alerts after a number.
func (l *ledger) recognize(after int64) (last int64, moved int, more bool, err error) {
	var rows []*row
	err = l.pick(`a.num > $1 AND a.revision > a.replaced ORDER BY a.num LIMIT $2`, []any{after, recognizeAtOnce}, func(r *row) { rows = append(rows, r) })
	if err != nil || len(rows) == 0 {
		return after, 0, false, err
	}
	bodies := make(map[int64][]byte, len(rows))
	err = l.each(`SELECT num, body FROM incident_body WHERE num BETWEEN $1 AND $2`, []any{rows[0].num, rows[len(rows)-1].num}, func(found *sql.Rows) error {
		var num int64
		var body []byte
		err := found.Scan(&num, &body)
		bodies[num] = body
		return err
	})
	if err != nil {
		return after, 0, false, err
	}
	for _, old := range rows {
		var a Alert
		if err := json.Unmarshal(bodies[old.num], &a); err != nil {
			return after, moved, false, fmt.Errorf("alert %s: %w", old.id, err)
		}
		r := *old
		r.links = l.s.settings.linksOf(&a.Alert)
		if a.Kind == "single" && len(a.Records) == 1 && len(old.links) > 0 {
			r.links = append(r.links, old.links[len(old.links)-1]) // the record's, whose key is kept there alone
		}
		if r.same(old) {
			continue
		}
		if err := l.unlink(old); err != nil {
			return after, moved, false, err
		}
		if err := l.link(&r); err != nil {
			return after, moved, false, err
		}
		if err := l.rebind(&r); err != nil {
			return after, moved, false, err
		}
		l.touch(r.incident)
		moved++
	}
	return rows[len(rows)-1].num, moved, len(rows) == recognizeAtOnce, nil
}
