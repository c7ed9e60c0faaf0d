// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

// Of how long ago things are kept, in milliseconds of the tenant's own time.
const (
	keepUses     = 7 * 24 * hourMillis // of which nothing could be said
	keepActs     = 4 * 24 * hourMillis
	keepFindings = 40 * 24 * hourMillis
)

// signInStreams are the logs in which the sign-in of a person, or of an application by itself, has to be.
func signInStreams(app bool) []string {
	if app {
		return []string{"signIns.servicePrincipal"}
	}
	return shows[SignIns][Graph]
}

// judgment is one round over what is known.
type judgment struct {
	r         *Reconciler
	ctx       context.Context
	forgotten int64
	records   int64            // forgotten of audit records
	known     map[string]Cover // what coverage said in this round, by tenant
	ahead     map[string]Cover // [Reconciler.ahead], in a round
	seen      uint64           // of the batches before it, all is known to the tables and to coverage
	parts     map[part]*taught // of the tenant
	agreed    map[part]bool    // of which that changed
	findings  []finding
	settled   []Key // of the tenant: uses of which nothing is to be said
	orphans   []Key
}

// taught is what records have told of an operation in a channel.
type taught struct {
	streams     []string // in their order
	first, last int64    // hours in which it had all that its partner had; 0: none
}

func (r *Reconciler) newJudgment(ctx context.Context) (*judgment, error) {
	j := &judgment{r: r, ctx: ctx, known: map[string]Cover{}, seen: r.Position()}
	return j, r.db.Read().QueryRowContext(ctx, `SELECT forgotten, max(forgotten, forgotten_records) FROM reconcile_state`).Scan(&j.forgotten, &j.records)
}

// since is the moment before which nothing is said of a kind of acts.
func (j *judgment) since(k Kind) int64 {
	if k == AuditRecords {
		return j.records
	}
	return j.forgotten
}

// judge looks at what is known, tenant by tenant, and notes what is to be said. Of the batches before seen, all was known.
func (r *Reconciler) judge(ctx context.Context) (seen uint64, err error) {
	tenants, err := r.tenants(ctx)
	if err != nil {
		return 0, err
	}
	j, err := r.newJudgment(ctx)
	if err != nil {
		return 0, err
	}
	j.ahead = r.ahead
	for i := range tenants {
		t := &tenants[i]
		if err := j.settle(t); err != nil {
			return 0, err
		}
		if err := j.uses(t); err != nil {
			return 0, err
		}
		if err := j.counts(t); err != nil {
			return 0, err
		}
		if err := j.write(t); err != nil {
			return 0, err
		}
	}
	return j.seen, r.bound(ctx)
}

type tenant struct {
	id     int64
	name   string
	latest int64
}

func (r *Reconciler) tenants(ctx context.Context) (list []tenant, err error) {
	err = r.rows(ctx, `SELECT id, tenant, latest FROM reconcile_tenant ORDER BY id`, nil, func(rows *sql.Rows) error {
		var t tenant
		err := rows.Scan(&t.id, &t.name, &t.latest)
		list = append(list, t)
		return err
	})
	return list, err
}

func (r *Reconciler) rows(ctx context.Context, text string, args []any, do func(*sql.Rows) error) error {
	rows, err := r.db.Read().QueryContext(ctx, text, args...)
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

// cover asks coverage, once a round. What speaks of records that are not read yet waits for a later round, when they are: where much comes,
// coverage is always ahead.
func (j *judgment) cover(t *tenant, stream string) (c StreamCover, err error) {
	all, ok := j.known[t.name]
	if ok {
		return all.Streams[stream], nil
	}
	all, waited := j.ahead[t.name]
	if !waited {
		from := t.latest - keepUses - j.r.opts.Window.Milliseconds() - 24*hourMillis
		all, err = j.r.opts.Cover(j.ctx, t.name, time.UnixMilli(from), time.UnixMilli(t.latest+24*hourMillis))
		if err != nil {
			return c, err
		}
	}
	delete(j.ahead, t.name)
	if all.Position > j.r.Position() {
		if j.ahead != nil {
			j.ahead[t.name] = all
		}
		all = Cover{}
	}
	j.known[t.name], j.seen = all, min(j.seen, all.Position)
	return all.Streams[stream], nil
}

// complete reports whether all of some streams is in the journal that happened in [from, to), and has had the time to come.
func (j *judgment) complete(t *tenant, streams []string, from, to int64) (bool, error) {
	if from < max(j.forgotten, t.latest-j.r.opts.keepIssued()) {
		return false, nil
	}
	for _, s := range streams {
		c, err := j.cover(t, s)
		if err != nil || !c.covers(from, to) || c.Now.UnixMilli() < to+max(j.r.opts.Wait, c.Lag).Milliseconds() {
			return false, err
		}
	}
	return true, nil
}

// read reports whether nothing more is expected of some streams in [from, to).
func (j *judgment) read(t *tenant, streams []string, from, to int64) (bool, error) {
	for _, s := range streams {
		c, err := j.cover(t, s)
		if err != nil || !within(c.Read, from, to) {
			return false, err
		}
	}
	return true, nil
}

// settle forgets the uses whose sign-in has come, and takes back what was said of them.
func (j *judgment) settle(t *tenant) error {
	const atOnce = 10_000
	for after := []byte{}; ; {
		var ask []asked
		var said []settled
		err := j.r.rows(j.ctx, `SELECT key, session, first, orphan, came FROM reconcile_use WHERE tenant = $1 AND key > $2 ORDER BY key LIMIT $3`, []any{t.id, after, atOnce}, func(rows *sql.Rows) error {
			var session, came []byte
			var u asked
			var s settled
			err := rows.Scan(&after, &session, &u.first, &s.orphan, &came)
			copy(u.key[:], after)
			copy(u.session[:], session)
			if len(came) > 0 && err == nil {
				s.came = &arrived{}
				err = json.Unmarshal(came, s.came)
			}
			ask, said = append(ask, u), append(said, s)
			return err
		})
		if err != nil || len(ask) == 0 {
			return err
		}
		if err := j.r.db.Write(j.ctx, func(tx *sql.Tx) error {
			return newLedger(j.ctx, tx, &j.r.opts, j.r.runs).settle(t, ask, said)
		}); err != nil {
			return err
		}
	}
}

// settled is what was said of a use, and the record that has brought its sign-in since.
type settled struct {
	orphan bool
	came   *arrived
}

func (l *ledger) settle(t *tenant, ask []asked, said []settled) error {
	given, err := l.issuedOf(t.id, ask)
	if err != nil {
		return err
	}
	came := map[Key]*arrived{} // the last, of each orphan
	for i := range ask {
		if !given[i] && said[i].came == nil { // a sign-in of long ago may be forgotten as soon as it has come
			continue
		}
		u := &ask[i]
		if said[i].orphan {
			k := groupOf(u.key, u.session)
			if by := said[i].came; came[k] == nil || by != nil && by.At > came[k].At {
				came[k] = by
			}
			gap := gapCode(t.name, k)
			err := l.exec(`UPDATE reconcile_finding SET start = iif(kind = '', told_start, start), stop = iif(kind = '', told_start, start), kind = 'orphan' WHERE code = $1`, gap)
			if err == nil {
				err = l.exec(`UPDATE reconcile_finding SET `+isDue+` WHERE code = $1`, gap)
			}
			if err != nil {
				return err
			}
		}
		if err := l.exec(`DELETE FROM reconcile_use WHERE tenant = $1 AND key = $2`, t.id, u.key[:]); err != nil {
			return err
		}
	}
	for k, by := range came {
		var left bool
		err := l.query(`SELECT EXISTS (SELECT 1 FROM reconcile_use WHERE tenant = $1 AND session = $2 AND orphan = 1)`, []any{t.id, k[:]}, &left)
		if err == nil && !left && by != nil {
			err = l.arrival(t.name, k, by)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// groupOf is what the uses of one orphan have in common: the session, or the token where there is none.
func groupOf(key, session Key) Key {
	if session != (Key{}) {
		return session
	}
	return key
}

func gapCode(tenant string, k Key) string { return codeOf(tenant, "orphan", k) }

// recordCode names the record of an orphan, which was told of so often before, and arrivalCode the one that takes it back.
func recordCode(tenant string, k Key, before int) string {
	if before > 0 {
		return codeOf(tenant, "orphan record", k, before)
	}
	return codeOf(tenant, "orphan record", k)
}

func arrivalCode(tenant string, k Key, before int) string {
	return codeOf(tenant, "orphan arrived", k, before)
}

// pending is a use of which no sign-in is known.
type pending struct {
	key, session        Key
	issued, first, last int64
	app                 bool
	about               About
	event               string
}

// begun is when the sign-in must have been, at the latest.
func (p *pending) begun() int64 {
	if p.issued > 0 && p.issued < p.first {
		return p.issued
	}
	return p.first
}

const pendingColumns = `SELECT key, session, issued, first, last, app, about, event FROM reconcile_use WHERE tenant = $1 AND orphan = $2 ORDER BY first, event, key`

func scanPending(rows *sql.Rows) (p pending, err error) {
	var key, session, about []byte
	if err = rows.Scan(&key, &session, &p.issued, &p.first, &p.last, &p.app, &about, &p.event); err == nil {
		copy(p.key[:], key)
		copy(p.session[:], session)
		err = json.Unmarshal(about, &p.about)
	}
	return p, err
}

// uses tells of each use what can be said of it.
func (j *judgment) uses(t *tenant) error {
	return j.r.rows(j.ctx, pendingColumns, []any{t.id, 0}, func(rows *sql.Rows) error {
		p, err := scanPending(rows)
		if err != nil {
			return err
		}
		return j.use(t, &p)
	})
}

func (j *judgment) use(t *tenant, p *pending) error {
	streams := signInStreams(p.app)
	if !j.r.opts.collected(t.name, streams) || p.app && j.r.opts.Microsoft(p.about.App) || p.last < t.latest-keepUses {
		j.settled = append(j.settled, p.key)
		return nil
	}
	from, to := p.first-j.r.opts.Window.Milliseconds(), p.first+skew
	if p.issued > 0 && p.issued <= p.first+skew {
		from, to = p.issued-skew, p.issued+skew
	}
	ok, err := j.complete(t, streams, from, to)
	if err == nil && ok { // and so for what shows late although it was given out long before
		ok, err = j.complete(t, streams, p.first, p.first+1)
	}
	if err == nil && ok && p.session != (Key{}) { // an earlier sign-in of the session would do, which back-fill may have still to read
		ok, err = j.read(t, streams, p.first-j.r.opts.Window.Milliseconds(), p.first)
	}
	if ok && err == nil {
		j.orphans = append(j.orphans, p.key)
	}
	return err
}

// write notes what a round has found of a tenant.
func (j *judgment) write(t *tenant) error {
	err := j.r.db.Write(j.ctx, func(tx *sql.Tx) error {
		l := newLedger(j.ctx, tx, &j.r.opts, j.r.runs)
		for _, k := range j.settled {
			if err := l.exec(`DELETE FROM reconcile_use WHERE tenant = $1 AND key = $2 AND orphan = 0`, t.id, k[:]); err != nil {
				return err
			}
		}
		for _, k := range j.orphans {
			if err := l.exec(`UPDATE reconcile_use SET orphan = 1 WHERE tenant = $1 AND key = $2`, t.id, k[:]); err != nil {
				return err
			}
		}
		if err := l.orphans(t); err != nil {
			return err
		}
		if err := l.unneeded(t); err != nil {
			return err
		}
		for i := range j.findings {
			if err := l.find(&j.findings[i]); err != nil {
				return err
			}
		}
		if err := l.agreed(t, j); err != nil {
			return err
		}
		return l.forget(t)
	})
	j.settled, j.orphans, j.findings = j.settled[:0], j.orphans[:0], j.findings[:0]
	return err
}

// orphans makes the findings of all uses that are said to have no sign-in: a gap of the sign-in log from when it should
// have been until the last use, by the hour, and a record of the first.
func (l *ledger) orphans(t *tenant) error {
	gaps := map[Key]*finding{}
	var order []Key
	err := l.each(pendingColumns, []any{t.id, 1}, func(rows *sql.Rows) error {
		p, err := scanPending(rows)
		if err != nil {
			return err
		}
		k := groupOf(p.key, p.session)
		stop := (p.last/hourMillis + 1) * hourMillis
		if f := gaps[k]; f != nil {
			f.start, f.stop = min(f.start, p.begun()), max(f.stop, stop)
			return nil
		}
		n, err := l.again(t.name, k)
		if err != nil {
			return err
		}
		gap, record, err := orphanOf(t.name, k, n, &p)
		if err != nil {
			return err
		}
		gap.stop = stop
		gaps[k], order = gap, append(order, k)
		return l.find(record)
	})
	for _, k := range order {
		if err == nil {
			err = l.find(gaps[k])
		}
	}
	return err
}

// orphanOf makes the findings of an orphan from its first use; it was told of so often before.
func orphanOf(tenant string, k Key, before int, p *pending) (gap, record *finding, err error) {
	who, stream := p.about.User, signInStreams(p.app)[0]
	message := "%s acts with a session that no sign-in has given out, though the sign-in log is complete: record %s"
	switch {
	case p.app:
		who = p.about.App
		message = "the application %s acts with a token that no sign-in has given out, though the sign-in log is complete: record %s"
	case who == "":
		who = "somebody"
	}
	message = fmt.Sprintf(message, who, p.event)
	gap = &finding{
		code: gapCode(tenant, k), kind: "orphan", tenant: tenant, stream: stream, reason: act.Unmatched, subject: who,
		start: p.begun(), message: message,
	}
	o := act.Orphan{
		ID: recordCode(tenant, k, before), Time: time.UnixMilli(p.first).UTC(), Kind: act.OrphanKind, Tenant: tenant, Stream: stream, User: p.about.User, App: p.about.App,
		Self: p.app, Session: p.about.Session, Token: p.about.Token, Address: p.about.Address, Record: p.event, Message: message,
	}
	if p.app {
		o.User = "" // whose mailbox it is, in some records
	}
	if p.issued > 0 {
		o.Issued = time.UnixMilli(p.issued).UTC()
	}
	record = &finding{code: o.ID, kind: "orphan", tenant: tenant, stream: stream, subject: who, start: p.first, stop: p.first, record: o.Append(nil)}
	return gap, record, o.Check()
}

// lacking is how many acts of an operation a channel has not shown in an hour, and others have.
type lacking struct {
	kind      Kind
	operation string
	hour      int64
	channel   Channel
}

// counts finds the operations and hours in which a channel lacks what it owes.
func (j *judgment) counts(t *tenant) error {
	missing, both, err := j.missing(t)
	if err != nil {
		return err
	}
	if err := j.learn(t, missing, both); err != nil {
		return err
	}
	wanted := map[string]bool{}
	for m, acts := range missing {
		v, stream, err := j.verdict(t, &m)
		if err != nil {
			return err
		}
		if v != Blind {
			continue
		}
		f := finding{
			code: m.code(t), kind: "count", tenant: t.name, stream: stream,
			reason: act.Unmatched, subject: m.operation, start: m.hour * hourMillis, stop: (m.hour + 1) * hourMillis,
			message: fmt.Sprintf("%d acts that other channels show are not in the %s", acts, m.channel),
		}
		wanted[f.code] = true
		j.findings = append(j.findings, f)
	}
	// What was said and is not so any more, because the acts have come after all. Of what is forgotten nothing more is said.
	return j.r.rows(j.ctx, `SELECT code, tenant, stream, reason, subject, start, message FROM reconcile_finding WHERE kind = 'count' AND tenant = $1 AND stop > start AND start >= $2`,
		[]any{t.name, max(j.forgotten, t.latest-keepActs+hourMillis)}, func(rows *sql.Rows) error {
			f := finding{kind: "count"}
			err := rows.Scan(&f.code, &f.tenant, &f.stream, &f.reason, &f.subject, &f.start, &f.message)
			if err != nil || wanted[f.code] {
				return err
			}
			if m := j.r.lackingOf(t, &f); missing[m] == 0 && f.start >= j.since(m.kind) {
				f.stop = f.start
				j.findings = append(j.findings, f)
			}
			return nil
		})
}

// lackingOf tells from a finding what it is about.
func (r *Reconciler) lackingOf(t *tenant, f *finding) lacking {
	for k := range kinds {
		for c := range channels {
			m := lacking{k, f.subject, f.start / hourMillis, c}
			if m.code(t) == f.code {
				return m
			}
		}
	}
	return lacking{}
}

// code is the name of the finding that says so.
func (m *lacking) code(t *tenant) string {
	return codeOf(t.name, "count", m.kind, m.operation, m.hour, m.channel)
}

// firstActs is the first hour of which all acts are remembered: of the one before some are forgotten.
func firstActs(t *tenant) int64 { return (t.latest-keepActs)/hourMillis + 1 }

// missing counts what channels have not shown and may owe. both are the operations and hours of which channels that learn what they
// owe have shown acts that their partners have, too.
func (j *judgment) missing(t *tenant) (out map[lacking]int64, both map[lacking]bool, err error) {
	out, both = map[lacking]int64{}, map[lacking]bool{}
	err = j.r.rows(j.ctx, `SELECT c.kind, c.operation, c.hour, s.channels, s.acts FROM reconcile_cell AS c JOIN reconcile_shown AS s ON s.cell = c.id WHERE c.tenant = $1 AND c.hour >= $2 AND s.acts > 0`,
		[]any{t.id, firstActs(t)}, func(rows *sql.Rows) error {
			var m lacking
			var mask, n int64
			if err := rows.Scan(&m.kind, &m.operation, &m.hour, &mask, &n); err != nil {
				return err
			}
			for other := range channels {
				for shown := range channels {
					if mask&(1<<other) == 0 && mask&(1<<shown) != 0 && owes(m.kind, shown, other) {
						m.channel = other
						out[m] += n
						break
					}
				}
				if learned(m.kind, other) && mask&(1<<other) != 0 && mask&(1<<partner(other)) != 0 {
					m.channel = other
					both[m] = true
				}
			}
			return nil
		})
	return out, both, err
}

// load reads what is known of a tenant's operations.
func (j *judgment) load(t *tenant) error {
	j.parts, j.agreed = map[part]*taught{}, map[part]bool{}
	of := func(p part) *taught {
		if j.parts[p] == nil {
			j.parts[p] = &taught{}
		}
		return j.parts[p]
	}
	err := j.r.rows(j.ctx, `SELECT kind, operation, channel, stream FROM reconcile_stream WHERE tenant = $1 ORDER BY stream`, []any{t.id}, func(rows *sql.Rows) error {
		var p part
		var stream string
		err := rows.Scan(&p.kind, &p.op, &p.channel, &stream)
		if err == nil && j.r.opts.Source(t.name, stream) != "" {
			of(p).streams = append(of(p).streams, stream)
		}
		return err
	})
	if err != nil {
		return err
	}
	return j.r.rows(j.ctx, `SELECT kind, operation, channel, first, last FROM reconcile_agreed WHERE tenant = $1`, []any{t.id}, func(rows *sql.Rows) error {
		var p part
		var first, last int64
		err := rows.Scan(&p.kind, &p.op, &p.channel, &first, &last)
		of(p).first, of(p).last = first, last
		return err
	})
}

// learn notes in which hours channels have shown all that their partners have, as far as both are complete.
func (j *judgment) learn(t *tenant, missing map[lacking]int64, both map[lacking]bool) error {
	if err := j.load(t); err != nil {
		return err
	}
	for m := range both {
		p := part{m.kind, m.operation, m.channel}
		of := j.parts[p]
		if missing[m] > 0 || of == nil || of.first > 0 && of.first <= m.hour && m.hour <= of.last {
			continue
		}
		other := m
		other.channel = partner(m.channel)
		for _, side := range [...]*lacking{&m, &other} {
			if ok, err := j.whole(t, side, j.streams(side)); err != nil || !ok {
				of = nil
				if err != nil {
					return err
				}
			}
		}
		if of == nil {
			continue
		}
		if of.first == 0 || m.hour < of.first {
			of.first = m.hour
		}
		of.last = max(of.last, m.hour)
		j.agreed[p] = true
	}
	return nil
}

// agreed writes that down.
func (l *ledger) agreed(t *tenant, j *judgment) error {
	for p := range j.agreed {
		err := l.exec(`
			INSERT INTO reconcile_agreed (tenant, kind, operation, channel, first, last) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant, kind, operation, channel) DO UPDATE SET first = excluded.first, last = excluded.last`,
			t.id, int(p.kind), p.op, int(p.channel), j.parts[p].first, j.parts[p].last)
		if err != nil {
			return err
		}
	}
	return nil
}

// streams are those in which a channel shows an operation, as far as they are collected.
func (j *judgment) streams(m *lacking) []string {
	if !learned(m.kind, m.channel) {
		return shows[m.kind][m.channel]
	}
	if of := j.parts[part{m.kind, m.operation, m.channel}]; of != nil {
		return of.streams
	}
	return nil
}

// whole reports whether all of some streams is in the journal that a channel shows of an hour.
func (j *judgment) whole(t *tenant, m *lacking, streams []string) (bool, error) {
	from, to := m.hour*hourMillis, (m.hour+1)*hourMillis
	if len(streams) == 0 || from < j.since(m.kind) {
		return false, nil
	}
	for _, s := range streams {
		end := to
		if m.channel != Graph { // whose time is that of offering: what happened in the hour may be offered later
			c, err := j.cover(t, s)
			if err != nil {
				return false, err
			}
			end += c.Late.Milliseconds()
		}
		if ok, err := j.complete(t, []string{s}, from, end); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// Verdict is what is said of a channel that lacks acts.
type Verdict string

// The verdicts.
const (
	Agree        Verdict = "agree"
	Blind        Verdict = "unmatched"     // it should show them, and does not
	NotCollected Verdict = "not collected" // nobody asks for it
	NoPart       Verdict = "no part"       // it has never shown the operation, or not all of it: it may be no part of it
	CannotSay    Verdict = "cannot say"    // it is not complete for the time, or may still come, or its acts are forgotten
)

// verdict tells why a channel lacks acts, and in which stream.
func (j *judgment) verdict(t *tenant, m *lacking) (Verdict, string, error) {
	if !j.r.opts.has(t.name, m.kind, m.channel) {
		return NotCollected, "", nil
	}
	part, err := j.part(t, m)
	if err != nil || !part {
		return NoPart, "", err
	}
	streams := j.streams(m)
	if len(streams) == 0 {
		return NotCollected, "", nil
	}
	if ok, err := j.whole(t, m, streams); !ok || err != nil {
		return CannotSay, "", err
	}
	return Blind, streams[0], nil
}

// part reports whether an operation is known to be part of a channel.
func (j *judgment) part(t *tenant, m *lacking) (ever bool, err error) {
	if learned(m.kind, m.channel) {
		of := j.parts[part{m.kind, m.operation, m.channel}]
		return of != nil && of.first > 0 && of.first < m.hour, nil
	}
	err = j.r.db.Read().QueryRowContext(j.ctx, `SELECT EXISTS (SELECT 1 FROM reconcile_count WHERE tenant = $1 AND kind = $2 AND operation = $3 AND channel = $4)`,
		t.id, m.kind, m.operation, m.channel).Scan(&ever)
	return ever, err
}

// unneeded deletes what is to be held against a channel that nobody collects.
func (l *ledger) unneeded(t *tenant) error {
	if !l.opts.signIns(t.name) {
		if err := l.dropAll(place{t.id, issued}, forever); err != nil {
			return err
		}
	}
	for k := range kinds {
		if !l.opts.compared(t.name, k) {
			err := l.exec(`DELETE FROM reconcile_cell WHERE tenant = $1 AND kind = $2`, t.id, int(k))
			if err == nil {
				err = l.dropAll(place{t.id, actsOf(k)}, forever)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// forget deletes what is too old to matter.
func (l *ledger) forget(t *tenant) error {
	if err := l.dropAll(place{t.id, issued}, t.latest-l.opts.keepIssued()-1); err != nil {
		return err
	}
	for k := range kinds {
		if err := l.dropAll(place{t.id, actsOf(k)}, t.latest-keepActs-1); err != nil {
			return err
		}
	}
	for _, d := range [...]struct {
		text   string
		before int64
	}{
		{`DELETE FROM reconcile_use WHERE tenant = $1 AND orphan = 0 AND last < $2`, t.latest - keepUses},
		{`DELETE FROM reconcile_use WHERE tenant = $1 AND last < $2`, t.latest - keepFindings},
		{`DELETE FROM reconcile_cell WHERE tenant = $1 AND hour < $2`, (t.latest - keepActs) / hourMillis},
		{`DELETE FROM reconcile_count WHERE tenant = $1 AND hour < $2`, (t.latest - keepFindings) / hourMillis},
		{`DELETE FROM reconcile_stream WHERE tenant = $1 AND hour < $2`, (t.latest - keepFindings) / hourMillis},
		{`DELETE FROM reconcile_agreed WHERE tenant = $1 AND last < $2`, (t.latest - keepFindings) / hourMillis},
		{`DELETE FROM reconcile_switch WHERE tenant = $1 AND at < $2 AND reason <> 'audit bypassed'`, t.latest - keepFindings},
	} {
		if err := l.exec(d.text, t.id, d.before); err != nil {
			return err
		}
	}
	return l.exec(`DELETE FROM reconcile_finding WHERE tenant = $1 AND due = 0 AND start < $2 AND stop < $2 AND kind <> ''`, t.name, t.latest-keepFindings)
}

// beyond is the moment up to which entries of some classes are to be forgotten so that a tenth less than the most is left; -1: there are not too many.
func (r *Reconciler) beyond(most int, of func(class) bool) int64 {
	n := r.runs.count(of)
	if n <= most {
		return -1
	}
	list := r.runs.oldestFirst(n-most*9/10, of)
	return list[len(list)-1].newest
}

// bound forgets the oldest of sessions, tokens and acts, a tenth or more, when there are more than are kept, and the oldest of
// uses likewise; and of audit records. Nothing is said of the time before.
func (r *Reconciler) bound(ctx context.Context) error {
	if before := r.beyond(r.opts.MaxRecords, auditRecords); before >= 0 {
		r.opts.Log.Warn("more audit records than are kept: the oldest are forgotten, and their channels are not held against each other for the time before",
			"kept", r.runs.count(auditRecords), "before", time.UnixMilli(before).UTC())
		if err := r.drop(ctx, before, auditRecords,
			`UPDATE reconcile_state SET forgotten_records = max(forgotten_records, $1)`,
			fmt.Sprintf(`DELETE FROM reconcile_cell WHERE hour <= $1 / %d AND kind = %d`, hourMillis, AuditRecords),
		); err != nil {
			return err
		}
	}
	before := r.beyond(r.opts.MaxEntries, others)
	var uses int
	err := r.db.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM reconcile_use WHERE orphan = 0`).Scan(&uses)
	if err == nil && uses > r.opts.MaxUses {
		var last int64
		err = r.db.Read().QueryRowContext(ctx, `SELECT last FROM reconcile_use WHERE orphan = 0 ORDER BY last LIMIT 1 OFFSET $1`, uses-r.opts.MaxUses*9/10).Scan(&last)
		before = max(before, last)
	}
	if err != nil || before < 0 {
		return err
	}
	r.opts.Log.Warn("more sessions, tokens and acts than are kept: the oldest are forgotten, and nothing is said of the time before",
		"kept", r.runs.count(others), "uses", uses, "before", time.UnixMilli(before).UTC())
	return r.drop(ctx, before, func(class) bool { return true },
		`DELETE FROM reconcile_use WHERE last <= $1 AND orphan = 0`,
		`UPDATE reconcile_state SET forgotten = max(forgotten, $1)`,
		fmt.Sprintf(`DELETE FROM reconcile_cell WHERE hour <= $1 / %d`, hourMillis),
	)
}

// drop forgets the entries of some classes up to a moment, and does what else there is to do of that moment.
func (r *Reconciler) drop(ctx context.Context, before int64, of func(class) bool, do ...string) error {
	return r.db.Write(ctx, func(tx *sql.Tx) error {
		l := newLedger(ctx, tx, &r.opts, r.runs)
		for p := range maps.Clone(r.runs.at) {
			if of(p.class) {
				if err := l.dropAll(p, before); err != nil {
					return err
				}
			}
		}
		for _, text := range do {
			if err := l.exec(text, before); err != nil {
				return err
			}
		}
		return nil
	})
}
