// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
)

// arrived is a record that has given out what was said to be given out by none.
type arrived struct {
	Event    string `json:"event"`  // its id
	Stream   string `json:"stream"` // that it came through
	At       int64  `json:"at"`     // when it was received, in milliseconds
	Happened int64  `json:"happened"`
}

// issue is what a group says of a session or token that was given out: from when to when, and by which record first.
type issue struct {
	span
	by arrived
}

// add takes in a record of a stream that gave it out.
func (i *issue) add(stream string, id event.ID, at, received int64) {
	if i.by.Event == "" || at < i.first {
		i.by = arrived{id.String(), stream, received, at}
		i.first = at
	}
	i.last = max(i.last, at)
}

// gives reports whether what was given out from first to last may be used at a moment.
func (o *Options) gives(first, last, use int64) bool {
	return first <= use+skew && last >= use-o.Window.Milliseconds()
}

// arrive notes, of uses that were said to be orphans, the record that has brought their sign-in. A session that was given out both long before
// and after a use is taken for given by [ledger.issuedOf], though by no record of its own: of such no arrival is said.
func (l *ledger) arrive(tenant int64, issues map[Key]*issue) error {
	came := map[Key]*arrived{}
	err := l.each(`SELECT key, session, first FROM reconcile_use WHERE tenant = $1 AND orphan = 1 AND came = x''`, []any{tenant}, func(rows *sql.Rows) error {
		var key, session []byte
		var first int64
		if err := rows.Scan(&key, &session, &first); err != nil || len(key) != len(Key{}) {
			return err
		}
		for _, b := range [...][]byte{key, session} {
			if len(b) != len(Key{}) || came[Key(key)] != nil {
				continue
			}
			if i := issues[Key(b).canonical()]; i != nil && l.opts.gives(i.first, i.last, first) {
				came[Key(key)] = &i.by
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k, by := range came { // in whatever order
		body, err := json.Marshal(by)
		if err != nil {
			return err
		}
		if err := l.exec(`UPDATE reconcile_use SET came = $3 WHERE tenant = $1 AND key = $2`, tenant, k[:], body); err != nil {
			return err
		}
	}
	return nil
}

// again is how often what an orphan lacked has come: a session that is used without a sign-in once more is told of once more.
func (l *ledger) again(tenant string, k Key) (n int, err error) {
	for known := true; ; n++ {
		if err := l.query(`SELECT EXISTS (SELECT 1 FROM reconcile_finding WHERE code = $1)`, []any{arrivalCode(tenant, k, n)}, &known); err != nil || !known {
			return n, err
		}
	}
}

// arrival takes an orphan back of which no use is left: by, the last record that was missing, has come. If nobody was told of the
// orphan yet, nobody is.
func (l *ledger) arrival(tenant string, k Key, by *arrived) error {
	n, err := l.again(tenant, k)
	if err != nil {
		return err
	}
	code, raw, told := recordCode(tenant, k, n), []byte{}, false
	err = l.query(`SELECT record, told FROM reconcile_finding WHERE code = $1`, []any{code}, &raw, &told)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	case !told:
		return l.exec(`DELETE FROM reconcile_finding WHERE code = $1`, code)
	}
	f, err := arrivalOf(raw, arrivalCode(tenant, k, n), by)
	if err != nil {
		return err
	}
	return l.find(f)
}

// arrivalOf makes the finding that takes back an orphan, as it was told.
func arrivalOf(orphan []byte, code string, by *arrived) (*finding, error) {
	o, err := act.ParseOrphan(orphan)
	if err != nil {
		return nil, err
	}
	a := o.Arrive(code, "the sign-in", by.Event, by.Stream, time.UnixMilli(by.At), time.UnixMilli(by.Happened))
	return &finding{code: code, kind: "orphan", tenant: o.Tenant, stream: o.Stream, start: by.At, stop: by.At, record: a.Append(nil)}, a.Check()
}
