// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// forever is the end of what goes on.
const forever = int64(math.MaxInt64)

// ledger changes the tables in one transaction.
type ledger struct {
	ctx   context.Context
	tx    *sql.Tx
	opts  *Options
	stmts map[string]*sql.Stmt
}

func newLedger(ctx context.Context, tx *sql.Tx, o *Options) *ledger {
	return &ledger{ctx: ctx, tx: tx, opts: o, stmts: map[string]*sql.Stmt{}}
}

// take writes what a group says, in an order that is always the same.
func (l *ledger) take(g *group) error {
	for _, name := range slices.Sorted(maps.Keys(g.tenants)) {
		t := g.tenants[name]
		id, err := l.tenant(name, t.latest)
		if err != nil {
			return err
		}
		for _, do := range [...]func(int64, string, *gathered) error{l.issues, l.uses, l.acts, l.switches} {
			if err := do(id, name, t); err != nil {
				return err
			}
		}
	}
	for i := range g.told {
		if err := l.told(&g.told[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *ledger) tenant(name string, latest int64) (id int64, err error) {
	err = l.query(`
		INSERT INTO reconcile_tenant (tenant, latest) VALUES ($1, $2)
		ON CONFLICT (tenant) DO UPDATE SET latest = max(latest, excluded.latest) RETURNING id`, []any{name, latest}, &id)
	return id, err
}

func byKey(a, b Key) int { return bytes.Compare(a[:], b[:]) }

// issues notes sessions and tokens, where a log of sign-ins is collected: judge would forget them otherwise.
func (l *ledger) issues(tenant int64, name string, t *gathered) error {
	if !l.opts.signIns(name) {
		return nil
	}
	for _, k := range slices.SortedFunc(maps.Keys(t.issues), byKey) {
		s := t.issues[k]
		err := l.exec(`
			INSERT INTO reconcile_issue (tenant, key, first, last) VALUES ($1, $2, $3, $4)
			ON CONFLICT (tenant, key) DO UPDATE SET first = min(first, excluded.first), last = max(last, excluded.last)`, tenant, k[:], s.first, s.last)
		if err != nil {
			return err
		}
	}
	return nil
}

// issuedIn is the condition that a sign-in has given out a use's token or session: of a token, within the window before
// its use. skew is what two services' clocks may differ by.
const (
	skew     = 10 * int64(time.Minute/time.Millisecond)
	issuedIn = `EXISTS (SELECT 1 FROM reconcile_issue AS i WHERE i.tenant = u.tenant AND i.key IN (u.key, u.session) AND i.first <= u.first + $1 AND i.last >= u.first - $2)`
)

// uses notes those of which no sign-in is known, where something could be said of them.
func (l *ledger) uses(tenant int64, name string, t *gathered) error {
	people, apps := l.opts.collected(name, signInStreams(false)), l.opts.collected(name, signInStreams(true))
	for _, k := range slices.SortedFunc(maps.Keys(t.uses), byKey) {
		u := t.uses[k]
		if !u.app && !people || u.app && (!apps || l.opts.Microsoft(u.about.App)) {
			continue
		}
		about, err := json.Marshal(&u.about)
		if err != nil {
			return err
		}
		var session []byte
		if u.session != (Key{}) {
			session = u.session[:]
		}
		err = l.exec(`
			INSERT INTO reconcile_use (tenant, key, session, issued, first, last, app, about, event, orphan)
			SELECT tenant, key, session, issued, first, last, app, about, event, 0 FROM (
				SELECT $3 AS tenant, $4 AS key, $5 AS session, $6 AS issued, $7 AS first, $8 AS last, $9 AS app, $10 AS about, $11 AS event) AS u
			WHERE NOT `+issuedIn+`
			ON CONFLICT (tenant, key) DO UPDATE SET last = max(last, excluded.last), first = min(first, excluded.first),
				about = CASE WHEN excluded.first < first THEN excluded.about ELSE about END,
				event = CASE WHEN excluded.first < first THEN excluded.event ELSE event END`,
			skew, l.opts.Window.Milliseconds(), tenant, k[:], append([]byte{}, session...), u.issued, u.first, u.last, u.app, about, u.event.String())
		if err != nil {
			return err
		}
	}
	return nil
}

// counted is what acts are counted by.
type counted struct {
	kind    Kind
	op      string
	hour    int64
	channel int
}

// acts counts, and notes who has shown what, where two channels are collected that can be held against each other.
func (l *ledger) acts(tenant int64, name string, t *gathered) error {
	counts := map[counted]int64{}
	var compared [kinds]bool
	for k := range kinds {
		compared[k] = l.opts.compared(name, k)
	}
	for _, k := range slices.SortedFunc(maps.Keys(t.acts), byKey) {
		s := t.acts[k]
		var mask, had int64
		for c, shown := range s.channel {
			if shown {
				mask |= 1 << c
			}
		}
		if compared[s.kind] { // most are shown for the first time
			n, err := l.changed(`
				INSERT INTO reconcile_act (tenant, key, kind, operation, hour, channels) VALUES ($1, $2, $3, $4, $5, $6)
				ON CONFLICT (tenant, key) DO NOTHING`, tenant, k[:], int(s.kind), s.op, s.hour, mask)
			if err == nil && n == 0 {
				err = l.query(`SELECT channels FROM reconcile_act WHERE tenant = $1 AND key = $2`, []any{tenant, k[:]}, &had)
				if err == nil && mask|had != had {
					err = l.exec(`UPDATE reconcile_act SET channels = channels | $3 WHERE tenant = $1 AND key = $2`, tenant, k[:], mask)
				}
			}
			if err != nil {
				return err
			}
		}
		for c := range s.channel {
			if bit := int64(1) << c; mask&^had&bit != 0 {
				counts[counted{s.kind, s.op, s.hour, c}]++
			}
		}
	}
	for c, n := range counts { // sums, in whatever order
		err := l.exec(`
			INSERT INTO reconcile_count (tenant, kind, operation, hour, channel, acts) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant, kind, operation, hour, channel) DO UPDATE SET acts = acts + excluded.acts`, tenant, int(c.kind), c.op, c.hour, c.channel, n)
		if err != nil {
			return err
		}
	}
	return nil
}

// How long the recording of a subject stays off if nothing switches it on.
func offFor(reason string) int64 {
	switch reason {
	case act.AuditThrottled:
		return 24 * hourMillis
	case act.Truncated:
		return 1 // a moment: the record itself is what is not whole
	}
	return forever
}

// switches notes what went off and on, and derives anew where the subjects are blind.
func (l *ledger) switches(tenant int64, name string, t *gathered) error {
	concerned := map[change]bool{}
	list := slices.SortedFunc(maps.Keys(t.switches), func(a, b switched) int {
		return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(a.subject, b.subject), cmp.Compare(a.at, b.at))
	})
	for _, off := range [...]bool{true, false} {
		for _, s := range list {
			if s.off != off {
				continue
			}
			// What is on anyway says nothing: most reads of mail are recorded like any.
			n, err := l.changed(`
				INSERT INTO reconcile_switch (tenant, reason, subject, at, off, event) SELECT $1, $2, $3, $4, $5, $6
				WHERE $5 = 1 OR EXISTS (SELECT 1 FROM reconcile_switch WHERE tenant = $1 AND reason = $2 AND subject = $3 AND off = 1 AND at < $4 AND $7 > $4 - at)
				ON CONFLICT DO NOTHING`, tenant, s.reason, s.subject, s.at, s.off, t.switches[s], offFor(s.reason))
			if err != nil {
				return err
			}
			if n > 0 {
				concerned[change{s.reason, s.subject, true}] = true
			}
		}
	}
	for c := range concerned {
		if err := l.blind(tenant, name, c.reason, c.subject); err != nil {
			return err
		}
	}
	return nil
}

// streamOf is the stream that a reason is about.
func streamOf(reason string) string {
	if reason == act.Truncated {
		return "DLP.All"
	}
	return "Audit.Exchange"
}

// blind derives where a subject is blind.
func (l *ledger) blind(tenant int64, name, reason, subject string) error {
	type moment struct {
		at, off int64
		event   string
	}
	var list []moment
	err := l.each(`SELECT at, off, event FROM reconcile_switch WHERE tenant = $1 AND reason = $2 AND subject = $3 ORDER BY at, off DESC`,
		[]any{tenant, reason, subject}, func(rows *sql.Rows) error {
			var m moment
			err := rows.Scan(&m.at, &m.off, &m.event)
			list = append(list, m)
			return err
		})
	if err != nil {
		return err
	}
	for i, m := range list {
		if m.off == 0 {
			continue
		}
		stop := forever
		if d := offFor(reason); d != forever {
			stop = m.at + d
		}
		for _, later := range list[i+1:] {
			if later.off == 0 && later.at > m.at && later.at < stop {
				stop = later.at
				break
			}
		}
		f := finding{
			code: codeOf(name, reason, subject, m.at), kind: "switch", tenant: name, stream: streamOf(reason), reason: reason, subject: subject,
			start: m.at, stop: stop, message: sentences[reason] + ": record " + m.event,
		}
		if err := l.find(&f); err != nil {
			return err
		}
	}
	return nil
}

var sentences = map[string]string{
	act.AuditThrottled: "more than a thousand reads of single messages in a day: those of the next 24 hours are not recorded (IsThrottled)",
	act.Truncated:      "a match lists only some of what it has found (ResultsTruncated)",
	act.AuditBypassed:  "what the account does in mailboxes is not recorded (Set-MailboxAuditBypassAssociation)",
}

// finding is what is to be said, and what the journal says already.
type finding struct {
	code, kind, tenant, stream, reason, subject string
	start, stop                                 int64
	message                                     string
	record                                      []byte
}

const codePrefix = "reconcile-"

// codeOf names a finding by what it is about.
func codeOf(parts ...any) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%v\x00", p)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return codePrefix + hex.EncodeToString(sum[:16])
}

func isCode(s string) bool { return strings.HasPrefix(s, codePrefix) && len(s) == len(codePrefix)+32 }

// isDue says whether the journal says something else than what was found.
const isDue = `due = CASE
	WHEN record <> x'' THEN told = 0
	WHEN told = 0 THEN stop > start
	ELSE stop <> told_stop OR start < told_start OR stop > start AND message <> told_message END`

// find notes what was found.
func (l *ledger) find(f *finding) error {
	err := l.exec(`
		INSERT INTO reconcile_finding (code, tenant, stream, reason, subject, start, stop, message, record, kind, told, told_start, told_stop, told_message, due)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, '', 0)
		ON CONFLICT (code) DO UPDATE SET kind = excluded.kind, tenant = excluded.tenant, stream = excluded.stream, reason = excluded.reason, subject = excluded.subject,
			start = excluded.start, stop = excluded.stop, message = excluded.message, record = CASE WHEN told = 1 AND record <> x'' THEN record ELSE excluded.record END`,
		f.code, f.tenant, f.stream, f.reason, f.subject, f.start, f.stop, f.message, append([]byte{}, f.record...), f.kind)
	if err != nil {
		return err
	}
	return l.exec(`UPDATE reconcile_finding SET `+isDue+` WHERE code = $1`, f.code)
}

// told notes that the journal has an act of a finding. It may be read before the finding is made again.
func (l *ledger) told(t *toldAct) error {
	err := l.exec(`
		INSERT INTO reconcile_finding (code, kind, tenant, stream, reason, subject, start, stop, message, record, told, told_start, told_stop, told_message, due)
		VALUES ($1, '', $2, $3, $4, $5, 0, 0, '', x'', 0, 0, 0, '', 0) ON CONFLICT (code) DO NOTHING`,
		t.code, t.act.Tenant, t.act.Stream, t.act.Reason, t.act.Subject)
	if err != nil {
		return err
	}
	if t.own {
		return l.exec(`UPDATE reconcile_finding SET told = 1, due = 0 WHERE code = $1`, t.code)
	}
	start, stop := t.act.From.UnixMilli(), forever
	if !t.act.To.IsZero() {
		stop = t.act.To.UnixMilli()
	}
	if t.act.Kind == act.Filled {
		err = l.exec(`UPDATE reconcile_finding SET told_stop = max(told_start, min(told_stop, $2)) WHERE code = $1`, t.code, start)
	} else {
		err = l.exec(`
			UPDATE reconcile_finding SET told_start = CASE WHEN told = 1 THEN min(told_start, $2) ELSE $2 END,
				told_stop = CASE WHEN told = 1 AND told_stop <> $5 THEN max(told_stop, $3) ELSE $3 END, told_message = $4, told = 1
			WHERE code = $1`, t.code, start, stop, t.act.Message, forever)
	}
	if err != nil {
		return err
	}
	// A finding of which only the journal speaks so far is not due: it is made again, or was of records that are gone.
	return l.exec(`UPDATE reconcile_finding SET `+isDue+` WHERE code = $1 AND kind <> ''`, t.code)
}

func (l *ledger) stmt(text string) (*sql.Stmt, error) {
	if s, ok := l.stmts[text]; ok {
		return s, nil
	}
	s, err := l.tx.PrepareContext(l.ctx, text) // ends with the transaction
	if err == nil {
		l.stmts[text] = s
	}
	return s, err
}

func (l *ledger) exec(text string, args ...any) error {
	_, err := l.changed(text, args...)
	return err
}

// changed is exec, and returns how many rows it changed.
func (l *ledger) changed(text string, args ...any) (int64, error) {
	s, err := l.stmt(text)
	if err != nil {
		return 0, err
	}
	result, err := s.ExecContext(l.ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (l *ledger) query(text string, args []any, into ...any) error {
	s, err := l.stmt(text)
	if err != nil {
		return err
	}
	return s.QueryRowContext(l.ctx, args...).Scan(into...)
}

func (l *ledger) each(text string, args []any, do func(*sql.Rows) error) error {
	s, err := l.stmt(text)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(l.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
