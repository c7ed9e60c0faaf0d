// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/journal/layout"
	"github.com/daybreak-sec/daybreak/store"
)

// Cover is what coverage knows of a tenant.
type Cover struct {
	// Position is the log index up to which its acts are taken into account: what they say is in the journal is before it.
	Position uint64
	Streams  map[string]StreamCover
}

// StreamCover is what is known of a stream.
type StreamCover struct {
	// Complete are stretches of the provider's time of offering of which all that was offered is in the journal, in their order.
	Complete []Stretch
	// Read are those of which nothing more is expected: what is complete, and gaps. Two that touch are one.
	Read []Stretch
	Now  time.Time // the present by the provider's clock
	// Late is how long after an event its record may be offered, and Lag how long after its time of offering it
	// may show, by what was measured.
	Late, Lag time.Duration
}

// Covers reports whether all of [from, to) is complete.
func (c *StreamCover) Covers(from, to time.Time) bool {
	return c.covers(from.UnixMilli(), to.UnixMilli())
}

// Stretch is [From, To).
type Stretch struct{ From, To time.Time }

// covers reports whether all of [from, to) is complete.
func (c *StreamCover) covers(from, to int64) bool { return within(c.Complete, from, to) }

// within reports whether [from, to) lies in one of a list.
func within(list []Stretch, from, to int64) bool {
	return slices.ContainsFunc(list, func(s Stretch) bool { return s.From.UnixMilli() <= from && to <= s.To.UnixMilli() })
}

// Options say what the answers depend on.
type Options struct {
	// Source is the name of the source that collects a stream; empty: none does, and nothing is said of it. Of [CloudAppEvents] it
	// is one that may have these rows.
	Source func(tenant, stream string) string
	// Cover answers for [from, to) of a tenant.
	Cover func(ctx context.Context, tenant string, from, to time.Time) (Cover, error)
	// Microsoft reports whether an application is Microsoft's own: its sign-ins are in a log that nobody is shown.
	Microsoft func(application string) bool
	// Pass are streams whose records are passed over: those that were given by hand, for of these nobody can say that
	// they are all there are, and those that a check has found missing in another stream.
	Pass []string
	// Window is how long before its use a token can have been given out: 28 hours, the longest life of
	// an access token (learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation).
	Window time.Duration
	// Wait is how long at least the sign-in may be in coming: 30 minutes.
	Wait time.Duration
	// Every is how often what is known is judged: 10 seconds.
	Every time.Duration
	// MaxEntries bounds sessions, tokens and acts that are kept but for audit records, and MaxRecords these: 16,000,000 each.
	MaxEntries, MaxRecords int
	// MaxUses bounds uses that are kept because no sign-in is known: 1,000,000.
	MaxUses int
	Log     *slog.Logger
}

// collected reports whether all of some streams are.
func (o *Options) collected(tenant string, streams []string) bool {
	return len(streams) > 0 && !slices.ContainsFunc(streams, func(s string) bool { return o.Source(tenant, s) == "" })
}

// has reports whether a channel is collected for a kind of acts: all of its streams, of audit records any.
func (o *Options) has(tenant string, k Kind, c Channel) bool {
	if k == AuditRecords {
		return slices.ContainsFunc(shows[k][c], func(s string) bool { return o.Source(tenant, s) != "" })
	}
	return o.collected(tenant, shows[k][c])
}

// compared reports whether two channels or more of a kind of acts are collected, so that there is something to hold against each other.
func (o *Options) compared(tenant string, k Kind) bool {
	n := 0
	for c := range channels {
		if o.has(tenant, k, c) {
			n++
		}
	}
	return n > 1
}

// signIns reports whether a log of sign-ins is collected that a use could be missing from.
func (o *Options) signIns(tenant string) bool {
	return o.collected(tenant, signInStreams(false)) || o.collected(tenant, signInStreams(true))
}

// Reconciler holds channels against each other. It is safe for concurrent use.
type Reconciler struct {
	db   *store.DB
	j    *journal.Journal
	opts Options
	runs *runs // who follows the journal has them
	// ahead is what coverage has said, by tenant, of records that were not read yet. Who follows the journal has it, too.
	ahead map[string]Cover

	mu     sync.Mutex
	next   uint64 // log index of the first batch that is not in the tables
	judged uint64 // and of the first that no round has judged
	err    error
}

// Open reads how far the tables are.
func Open(ctx context.Context, db *store.DB, j *journal.Journal, o Options) (*Reconciler, error) {
	o.Window, o.Wait = cmp.Or(o.Window, 28*time.Hour), cmp.Or(o.Wait, 30*time.Minute)
	o.Every, o.MaxEntries, o.MaxUses = cmp.Or(o.Every, 10*time.Second), cmp.Or(o.MaxEntries, 16_000_000), cmp.Or(o.MaxUses, 1_000_000)
	o.MaxRecords = cmp.Or(o.MaxRecords, 16_000_000)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Microsoft == nil {
		o.Microsoft = func(string) bool { return false }
	}
	r := &Reconciler{db: db, j: j, opts: o, ahead: map[string]Cover{}}
	if err := convert(ctx, db, &r.opts); err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	var next int64
	if err := db.Read().QueryRowContext(ctx, `SELECT next_batch FROM reconcile_state`).Scan(&next); err != nil {
		return nil, fmt.Errorf("reconcile: %w", err)
	}
	r.next = uint64(next)
	return r, nil
}

// load reads which runs there are: at the start, and after a transaction that may have failed.
func (r *Reconciler) load(ctx context.Context) error {
	all, err := loadRuns(ctx, r.db.Read())
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	r.runs = all
	return nil
}

// How much is written in one transaction. The more there are, the closer together are the keys of a group that are on one page of a run.
const (
	groupFacts = 50_000
	groupTime  = 500 * time.Millisecond
	idleTime   = 30 * time.Second
)

// Follow reads the journal, judges now and then, and says what it finds, until ctx ends or the journal is closed, of
// which neither is an error.
func (r *Reconciler) Follow(ctx context.Context) error {
	err := r.follow(ctx)
	if errors.Is(err, journal.ErrClosed) || ctx.Err() != nil {
		err = nil
	}
	r.move(0, err)
	return err
}

func (r *Reconciler) follow(ctx context.Context) error {
	if err := r.load(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	f := r.j.Follow(r.Position())
	// It is silent until it has read all that was there: what was said before is among it.
	end, current := r.j.Size(), false
	g := newGroup(&r.opts)
	saved, next := time.Now(), time.Time{}
	for {
		wait, cancel := context.WithTimeout(ctx, min(groupTime, r.opts.Every))
		b, err := f.Next(wait)
		cancel()
		late := ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded)
		if err == nil {
			g.take(b)
		}
		current = current || late || f.Position() >= end
		stop := err != nil && !late
		now := time.Now()
		if g.size >= groupFacts || g.whole || g.size > 0 && (late || stop || now.Sub(g.began) >= groupTime) || now.Sub(saved) >= idleTime || stop {
			// A group that is under way is finished also when ctx ends.
			if err := r.apply(context.WithoutCancel(ctx), f.Position(), g); err != nil {
				return err
			}
			g.reset()
			saved = now
		} else if g.size == 0 {
			r.move(f.Position(), nil)
		}
		if stop {
			return err
		}
		if current && g.size == 0 && now.After(next) {
			if err := r.round(ctx); err != nil {
				return err
			}
			// A tenth of the time at most.
			next = time.Now().Add(max(r.opts.Every, 9*time.Since(now)))
		}
	}
}

// round judges what is known and says what is new of it.
func (r *Reconciler) round(ctx context.Context) error {
	seen, err := r.judge(ctx)
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if err := r.say(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judged = max(r.judged, seen)
	return nil
}

// group is what several batches say, to be written in one transaction.
type group struct {
	opts     *Options
	observer observer
	tenants  map[string]*gathered
	told     []toldAct
	size     int
	began    time.Time
	whole    bool // it ends here: what comes next is to find in the tables what was said
}

// gathered is what a group says of a tenant.
type gathered struct {
	records  bool // are held against each other
	latest   int64
	issues   map[Key]*issue
	uses     map[Key]*used
	acts     map[Key]shown
	streams  map[source]int64    // with the latest hour
	switches map[switched]string // with the record's event id
}

type span struct{ first, last int64 }

type used struct {
	use
	span
	event event.ID
}

type shown struct {
	kind     Kind
	op       string
	hour     int64
	channels int64 // a bit for each
}

// part is an operation in a channel.
type part struct {
	kind    Kind
	op      string
	channel Channel
}

// source is the stream in which a channel shows an operation.
type source struct {
	part
	stream string
}

type switched struct {
	change
	at int64
}

// toldAct is an act of our own that the journal has, or a record.
type toldAct struct {
	code   string
	act    act.Act
	record []byte
}

func newGroup(o *Options) *group {
	g := &group{opts: o}
	g.reset()
	return g
}

func (g *group) reset() {
	g.tenants, g.told, g.size, g.began, g.whole = map[string]*gathered{}, nil, 0, time.Time{}, false
}

const hourMillis = int64(time.Hour / time.Millisecond)

// take reads a batch, but for what is of streams that are passed over.
func (g *group) take(b *journal.Batch) {
	if b.Gone {
		return
	}
	for i := range b.Records {
		rec, o := &b.Records[i], b.Envelope(i)
		if o.Family == act.Family {
			g.own(o, b.Raw(i))
			continue
		}
		if !concerns(o.Family) || slices.Contains(g.opts.Pass, o.Stream) || rec.Flags&layout.Mutated != 0 {
			continue
		}
		t := g.tenant(o.Tenant)
		g.observer.records = t.records
		t.latest = max(t.latest, min(rec.Time, rec.Received)/1e6)
		g.fact(t, b.ID(i), g.observer.observe(b.Raw(i), o.Family, rec.Time), o.Stream, rec.Received/1e6)
	}
	if g.size > 0 && g.began.IsZero() {
		g.began = time.Now()
	}
}

func (g *group) tenant(name string) *gathered {
	t := g.tenants[name]
	if t == nil {
		t = &gathered{
			records: g.opts.compared(name, AuditRecords),
			issues:  map[Key]*issue{}, uses: map[Key]*used{}, acts: map[Key]shown{}, streams: map[source]int64{}, switches: map[switched]string{},
		}
		g.tenants[name] = t
		g.size++
	}
	return t
}

// fact adds what a record of a stream says, which was received at a moment.
func (g *group) fact(t *gathered, id event.ID, f *facts, stream string, received int64) {
	for _, k := range f.issued {
		if t.issues[k] == nil {
			t.issues[k] = &issue{}
			g.size++
		}
		t.issues[k].add(stream, id, f.at, received)
	}
	if f.use != nil {
		if u := t.uses[f.use.key]; u == nil {
			t.uses[f.use.key] = &used{*f.use, span{f.at, f.at}, id}
			g.size++
		} else {
			u.last = max(u.last, f.at)
			if f.at < u.first || f.at == u.first && id.Less(u.event) {
				u.use, u.first, u.event = *f.use, f.at, id
			}
		}
	}
	if f.op != "" {
		s, ok := t.acts[f.key]
		if !ok {
			s = shown{kind: f.kind, op: f.op, hour: f.at / hourMillis}
			g.size++
		}
		s.channels |= 1 << f.channel
		t.acts[f.key] = s
		if learned(f.kind, f.channel) && (f.channel != Unified || slices.Contains(shows[f.kind][Unified], stream)) {
			of := source{part{f.kind, f.op, f.channel}, stream}
			t.streams[of] = max(t.streams[of], f.at/hourMillis)
		}
	}
	for _, c := range f.switches {
		k := switched{c, f.at}
		if _, ok := t.switches[k]; !ok {
			t.switches[k] = id.String()
			g.size++
		}
	}
}

// own notes an act of ours that is in the journal.
func (g *group) own(o *event.Origin, raw []byte) {
	switch o.Stream {
	case act.Stream:
		if o.Name == "" {
			return
		}
		if a, err := act.Parse(raw); err == nil && isCode(a.Code) && (a.Kind == act.Gap || a.Kind == act.Filled) {
			g.told = append(g.told, toldAct{a.Code, a, nil})
			g.size++
		}
	case act.Findings:
		if orphan, err := act.ParseOrphan(raw); err == nil && isCode(orphan.ID) {
			g.told = append(g.told, toldAct{orphan.ID, act.Act{}, bytes.Clone(raw)})
			g.size++
			g.whole = true
		}
	}
}

// apply takes a group in, and all batches before next with it, in one transaction.
func (r *Reconciler) apply(ctx context.Context, next uint64, g *group) error {
	err := r.db.Write(ctx, func(tx *sql.Tx) error {
		l := newLedger(ctx, tx, &r.opts, r.runs)
		if err := l.take(g); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE reconcile_state SET next_batch = $1`, int64(next))
		return err
	})
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	r.move(next, nil)
	return nil
}

func (r *Reconciler) move(next uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = max(r.next, next)
	r.err = err
}

// Position returns the log index before which every record is in.
func (r *Reconciler) Position() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.next
}

// Err returns why it has stopped following, nil if it has not.
func (r *Reconciler) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Reset forgets everything; it comes back by replay. Nothing may follow the journal meanwhile.
func (r *Reconciler) Reset(ctx context.Context) error {
	err := r.db.Write(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"tenant", "run", "page", "cell", "use", "count", "stream", "agreed", "switch", "finding"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM reconcile_"+table); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE reconcile_state SET next_batch = 0, forgotten = 0, forgotten_records = 0`)
		return err
	})
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	r.mu.Lock()
	r.next, r.err = 0, nil
	r.mu.Unlock()
	return r.load(ctx)
}
