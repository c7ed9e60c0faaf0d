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
	runs  *runs
	stmts map[string]*sql.Stmt
}

func newLedger(ctx context.Context, tx *sql.Tx, o *Options, all *runs) *ledger {
	return &ledger{ctx: ctx, tx: tx, opts: o, runs: all, stmts: map[string]*sql.Stmt{}}
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
	if !l.opts.signIns(name) || len(t.issues) == 0 {
		return nil
	}
	list := make([]entry, 0, len(t.issues))
	for k, i := range t.issues {
		list = append(list, entry{k, i.first, i.last})
	}
	slices.SortFunc(list, func(a, b entry) int { return byKey(a.key, b.key) })
	if err := l.arrive(tenant, t.issues); err != nil {
		return err
	}
	return l.put(place{tenant, issued}, list, t.latest-l.opts.keepIssued())
}

// keepIssued is how long sessions and tokens are kept: as long as anything is said of a use that may come late, as in a back-fill.
func (o *Options) keepIssued() int64 { return keepUses + o.Window.Milliseconds() + skew }

// skew is what two services' clocks may differ by.
const skew = 10 * int64(time.Minute/time.Millisecond)

// asked is a use of which it is asked whether a sign-in has given out its token or session.
type asked struct {
	key, session Key // zeros: it has none
	first        int64
}

// issuedOf reports for each use whether a sign-in has given out its token or session: of a token, within the window before its use.
func (l *ledger) issuedOf(tenant int64, uses []asked) ([]bool, error) {
	keys := make([]Key, 0, 2*len(uses))
	for i := range uses {
		if keys = append(keys, uses[i].key.canonical()); uses[i].session != (Key{}) {
			keys = append(keys, uses[i].session.canonical())
		}
	}
	slices.SortFunc(keys, byKey)
	keys = slices.Compact(keys)
	found, err := l.get(place{tenant, issued}, keys)
	if err != nil {
		return nil, err
	}
	out := make([]bool, len(uses))
	for i := range uses {
		u := &uses[i]
		for _, k := range [...]Key{u.key.canonical(), u.session.canonical()} {
			n, ok := slices.BinarySearchFunc(keys, k, byKey)
			if !ok {
				continue
			}
			if e := &found[n]; e.key == k && l.opts.gives(e.a, e.b, u.first) {
				out[i] = true
			}
		}
	}
	return out, nil
}

// uses notes those of which no sign-in is known, where something could be said of them.
func (l *ledger) uses(tenant int64, name string, t *gathered) error {
	people, apps := l.opts.collected(name, signInStreams(false)), l.opts.collected(name, signInStreams(true))
	var list []*used
	var ask []asked
	for _, k := range slices.SortedFunc(maps.Keys(t.uses), byKey) {
		u := t.uses[k]
		if !u.app && people || u.app && apps && !l.opts.Microsoft(u.about.App) {
			list, ask = append(list, u), append(ask, asked{k, u.session, u.first})
		}
	}
	given, err := l.issuedOf(tenant, ask)
	if err != nil {
		return err
	}
	for i, u := range list {
		if given[i] {
			continue
		}
		about, err := json.Marshal(&u.about)
		if err != nil {
			return err
		}
		session := []byte{}
		if u.session != (Key{}) {
			session = u.session[:]
		}
		err = l.exec(`
			INSERT INTO reconcile_use (tenant, key, session, issued, first, last, app, about, event, orphan) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)
			ON CONFLICT (tenant, key) DO UPDATE SET last = max(last, excluded.last), first = min(first, excluded.first),
				about = CASE WHEN excluded.first < first THEN excluded.about ELSE about END,
				event = CASE WHEN excluded.first < first THEN excluded.event ELSE event END`,
			tenant, u.key[:], session, u.issued, u.first, u.last, u.app, about, u.event.String())
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
	channel Channel
}

// acts counts, and notes who has shown what, where two channels are collected that can be held against each other.
func (l *ledger) acts(tenant int64, name string, t *gathered) error {
	counts := map[counted]int64{}
	for kind := range kinds {
		var keys []Key
		for k, s := range t.acts {
			if s.kind == kind {
				keys = append(keys, k)
			}
		}
		slices.SortFunc(keys, byKey)
		had := make([]int64, len(keys))
		if l.opts.compared(name, kind) {
			var err error
			if had, err = l.show(tenant, kind, keys, t); err != nil {
				return err
			}
		}
		for i, k := range keys {
			s := t.acts[k]
			for c := range channels {
				if bit := int64(1) << c; s.channels&^had[i]&bit != 0 {
					counts[counted{kind, s.op, s.hour, c}]++
				}
			}
		}
	}
	for s, hour := range t.streams {
		if !l.opts.compared(name, s.kind) {
			continue
		}
		err := l.exec(`
			INSERT INTO reconcile_stream (tenant, kind, operation, channel, stream, hour) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant, kind, operation, channel, stream) DO UPDATE SET hour = max(hour, excluded.hour)`, tenant, int(s.kind), s.op, int(s.channel), s.stream, hour)
		if err != nil {
			return err
		}
	}
	for c, n := range counts { // sums, in whatever order
		err := l.exec(`
			INSERT INTO reconcile_count (tenant, kind, operation, hour, channel, acts) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant, kind, operation, hour, channel) DO UPDATE SET acts = acts + excluded.acts`, tenant, int(c.kind), c.op, c.hour, int(c.channel), n)
		if err != nil {
			return err
		}
	}
	return nil
}

// shift is that an act, which some channels had shown, has now been shown by more.
type shift struct{ cell, from, to int64 }

// show notes which channels have shown acts, whose keys are sorted, and returns which had before.
func (l *ledger) show(tenant int64, kind Kind, keys []Key, t *gathered) ([]int64, error) {
	p := place{tenant, actsOf(kind)}
	found, err := l.get(p, keys)
	if err != nil {
		return nil, err
	}
	had := make([]int64, len(keys))
	cells, shifts := map[counted]int64{}, map[shift]int64{}
	var list []entry
	for i, k := range keys {
		s, e := t.acts[k], found[i]
		if e.key != k { // the cell of an act is that of the record that showed it first
			c := counted{kind: kind, op: s.op, hour: s.hour}
			if cells[c] == 0 {
				if cells[c], err = l.cell(tenant, &c); err != nil {
					return nil, err
				}
			}
			e = entry{k, cells[c], s.hour << channelBits}
		}
		had[i] = e.channels()
		if s.channels&^had[i] == 0 {
			continue
		}
		e.b |= s.channels
		list = append(list, e)
		shifts[shift{e.a, had[i], e.channels()}]++
	}
	for s, n := range shifts { // sums, in whatever order; of cells that are forgotten, none
		if s.from != 0 {
			if err := l.exec(`UPDATE reconcile_shown SET acts = acts - $3 WHERE cell = $1 AND channels = $2`, s.cell, s.from, n); err != nil {
				return nil, err
			}
		}
		err := l.exec(`
			INSERT INTO reconcile_shown (cell, channels, acts) SELECT id, $2, $3 FROM reconcile_cell WHERE id = $1
			ON CONFLICT (cell, channels) DO UPDATE SET acts = acts + excluded.acts`, s.cell, s.to, n)
		if err != nil {
			return nil, err
		}
	}
	return had, l.put(p, list, t.latest-keepActs)
}

func (l *ledger) cell(tenant int64, c *counted) (id int64, err error) {
	err = l.query(`
		INSERT INTO reconcile_cell (tenant, kind, hour, operation) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant, kind, hour, operation) DO UPDATE SET hour = excluded.hour RETURNING id`, []any{tenant, int(c.kind), c.hour, c.op}, &id)
	return id, err
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
	if t.record != nil {
		return l.toldRecord(t)
	}
	err := l.exec(`
		INSERT INTO reconcile_finding (code, kind, tenant, stream, reason, subject, start, stop, message, record, told, told_start, told_stop, told_message, due)
		VALUES ($1, '', $2, $3, $4, $5, 0, 0, '', x'', 0, 0, 0, '', 0) ON CONFLICT (code) DO NOTHING`,
		t.code, t.act.Tenant, t.act.Stream, t.act.Reason, t.act.Subject)
	if err != nil {
		return err
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

// toldRecord notes that the journal has a record of a finding. A use that it says to be an orphan is one, also where the tables are made anew:
// so it is known of the sign-in that is read next that it came late.
func (l *ledger) toldRecord(t *toldAct) error {
	o, err := act.ParseOrphan(t.record)
	if err != nil {
		return err
	}
	err = l.exec(`
		INSERT INTO reconcile_finding (code, kind, tenant, stream, reason, subject, start, stop, message, record, told, told_start, told_stop, told_message, due)
		VALUES ($1, 'orphan', $2, $3, '', '', $4, $4, '', $5, 1, 0, 0, '', 0) ON CONFLICT (code) DO UPDATE SET told = 1, due = 0`,
		t.code, o.Tenant, o.Stream, o.Time.UnixMilli(), t.record)
	if err != nil || o.Kind != act.OrphanKind {
		return err
	}
	k := useKey(o.Session, o.Token)
	return l.exec(`UPDATE reconcile_use SET orphan = 1 WHERE key = $2 AND tenant = (SELECT id FROM reconcile_tenant WHERE tenant = $1)`, o.Tenant, k[:])
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
