// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/store"
)

// Options say what is done.
type Options struct {
	Name     string // of the source in the configuration
	Tenant   string
	ClientID string // of the application that does it all: records of its sign-ins name it
	// Live: canaries are planted. Otherwise it is only said what would be done.
	Live  bool
	Every time.Duration // between two of a kind; 1 h, and 5 min at least
	Kinds []Kind        // that are planted
	// Collected says whether a channel is collected of the tenant and, if that is sure, by what name acts call the stream that
	// has it. It is asked anew for each canary.
	Collected func(channel string) (c Collected, stream string)
	Journal   *journal.Journal
	DB        *store.DB
	Acts      *act.Writer
	Now       func() time.Time // ours; nil: time.Now
	Log       *slog.Logger     // nil: slog.Default
}

// Collected says whether a channel is collected.
type Collected uint8

func (c Collected) String() string { return [...]string{"no", "perhaps", "yes"}[min(c, Surely)] }

// Whether a channel is collected.
const (
	Never Collected = iota
	// Perhaps something that is collected has it, such as a hub that somebody gave a name of their own. It is awaited from
	// when it has shown a canary, for as long as that one is remembered.
	Perhaps
	Surely
)

const (
	leastEvery = 5 * time.Minute
	// keep is how long a canary is remembered, and awaited.
	keep  = 14 * 24 * time.Hour
	stall = 30 * time.Minute
)

// Watch plants the canaries of one tenant and waits for them.
type Watch struct {
	o       Options
	book    *loop.Book
	running atomic.Bool
	hint    chan struct{}
	kinds   []*kind

	mu     sync.Mutex
	all    []*planted // in the order of their time
	found  []found    // by Look, and not told yet
	looked uint64     // where the journal was looked at to
}

// found is a record that has come.
type found struct {
	canary    *planted
	channel   string
	stream    string // that it was in
	event     event.ID
	committed time.Time
}

// New checks the options.
func New(o Options) (*Watch, error) {
	if o.Every == 0 {
		o.Every = time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	switch {
	case o.Every < leastEvery:
		return nil, fmt.Errorf("canary: one every %v is too often: write %v or more", o.Every, leastEvery)
	case o.Name == "" || o.Tenant == "" || o.ClientID == "" || len(o.Kinds) == 0 || o.Collected == nil || o.Journal == nil || o.DB == nil || o.Acts == nil:
		return nil, errors.New("canary: name, tenant, application, kinds, channels, journal, database and acts are needed")
	}
	o.ClientID = strings.ToLower(o.ClientID) // as records have it
	o.Log = o.Log.With("source", o.Name)
	w := &Watch{o: o, hint: make(chan struct{}, 1), book: &loop.Book{Journal: o.Journal, DB: o.DB, Acts: o.Acts, Log: o.Log}}
	for _, k := range o.Kinds {
		if Channels(k.Name) == nil || k.Do == nil || k.Says == "" {
			return nil, fmt.Errorf("canary: there is no kind %q, or it does nothing", k.Name)
		}
		own := &kind{Kind: k}
		own.trouble.Stream = k.Name
		w.kinds = append(w.kinds, own)
	}
	return w, nil
}

// Wake has what has come looked at; it does not make the next canary come sooner.
func (w *Watch) Wake(string) { loop.Poke(w.hint) }

// Run plants and waits until ctx ends or the journal or the database fails. It can be called again when it has returned.
func (w *Watch) Run(ctx context.Context) error {
	if !w.running.CompareAndSwap(false, true) {
		return errors.New("canary: it runs already")
	}
	defer w.running.Store(false)
	if err := w.open(ctx); err != nil {
		return loop.EndOf(ctx, err)
	}
	return loop.EndOf(ctx, loop.Supervise(ctx, stall, func() bool { return false }, func(ctx context.Context, watch *loop.Watch) error {
		for {
			begun := time.Now()
			wait, err := w.round(ctx)
			if err != nil {
				return err
			}
			if err := loop.Hint(ctx, watch, begun, 0, wait, w.hint); err != nil {
				return err
			}
		}
	}))
}

// open takes up what is written down, and what the journal has got since.
func (w *Watch) open(ctx context.Context) error {
	list, err := w.load(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.all, w.found, w.looked = list, nil, 0
	oldest := w.o.Journal.Size()
	for _, p := range list {
		if p.awaited() {
			oldest = min(oldest, p.size)
		}
	}
	w.mu.Unlock()
	for _, k := range w.kinds {
		k.begin(list, w.o.Every)
	}
	if err := w.abandon(ctx); err != nil {
		return err
	}
	if err := w.introduce(ctx); err != nil {
		return err
	}
	return w.read(ctx, oldest)
}

// read looks at what the journal has from a place on.
func (w *Watch) read(ctx context.Context, from uint64) error {
	end, f := w.o.Journal.End(), w.o.Journal.Follow(from)
	for f.Position() < end {
		b, err := f.Next(ctx)
		if err != nil {
			return err
		}
		w.Look(b)
	}
	return nil
}

func (p *planted) awaited() bool {
	for _, a := range p.channels {
		if p.done && !a.came {
			return true
		}
	}
	return false
}

// Look takes the records of a batch that is durable. Batches are given in their order from before Run is called, and may be
// given more than once. It never blocks on anything that does input or output.
func (w *Watch) Look(b *journal.Batch) {
	if !w.awaits(b.Index+1) || b.Gone {
		return
	}
	var tape jsontape.Tape
	for i := range b.Records {
		raw := b.Raw(i)
		if !bytes.Contains(raw, []byte(w.o.ClientID)) && !bytes.Contains(raw, []byte(tag)) {
			continue
		}
		o := b.Envelope(i)
		if o.Tenant != w.o.Tenant || o.Family == act.Family || tape.Parse(raw) != nil {
			continue
		}
		for k := range channels {
			channels[k].of(o.Stream, tape.Root(), func(marker string) {
				w.meet(marker, found{channel: channels[k].name, stream: o.Stream, event: b.ID(i), committed: b.Committed})
			})
		}
	}
}

// awaits reports whether any record is awaited, and notes that the journal is looked at up to a place.
func (w *Watch) awaits(upTo uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looked = max(w.looked, upTo)
	return slices.ContainsFunc(w.all, func(p *planted) bool { return p.done && len(p.perhaps) > 0 || p.awaited() })
}

// meet notes a record with a marker, if somebody waits for it.
func (w *Watch) meet(marker string, f found) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.all {
		a := p.channels[f.channel]
		if p.done && p.marker == marker && (a != nil && !a.came || a == nil && slices.Contains(p.perhaps, f.channel)) {
			f.canary = p
			w.found = append(w.found, f)
			loop.Poke(w.hint)
		}
	}
}

// round tells what has come and what has not, and plants a canary if it is time. It returns how long nothing is to be done.
func (w *Watch) round(ctx context.Context) (wait time.Duration, err error) {
	if slices.ContainsFunc(w.all, func(p *planted) bool { return len(w.overdue(p)) > 0 }) {
		// Whoever shows us the batches may be behind: nothing is missing that is in the journal.
		w.mu.Lock()
		looked := w.looked
		w.mu.Unlock()
		if err := w.read(ctx, looked); err != nil {
			return 0, err
		}
	}
	if err := w.arrived(ctx); err != nil {
		return 0, err
	}
	wait, err = w.missing(ctx)
	if err != nil {
		return 0, err
	}
	for _, k := range w.kinds {
		if err := w.clean(ctx, k); err != nil {
			return 0, err
		}
		if !w.o.Now().Before(k.due) {
			if err := w.plant(ctx, k); err != nil {
				return 0, err
			}
		}
		wait = min(wait, k.due.Sub(w.o.Now()))
		if len(w.left(k)) > 0 { // by the one that was planted just now, too
			wait = min(wait, k.clean.Sub(w.o.Now()))
		}
	}
	w.book.Flush(ctx, false)
	return max(0, min(wait, w.o.Every)), nil
}

// arrived tells of the records that have come.
func (w *Watch) arrived(ctx context.Context) error {
	w.mu.Lock()
	list := w.found
	w.found = nil
	w.mu.Unlock()
	var acts []act.Act
	var changed []*planted
	for _, f := range list {
		a := f.canary.channels[f.channel]
		if a == nil {
			a = new(arrival)
		}
		if a.came {
			continue // met twice
		}
		delay := max(0, f.committed.Sub(f.canary.at))
		a.stream = f.stream
		message := "the record of a canary has come"
		if a.missing {
			message = "the record of a canary that was missing has come after all"
		}
		late := a.missing || delay >= w.allowed(f.canary.kind, f.channel)
		acts = append(acts, w.act(f.canary, act.Arrived, f.channel, act.Act{Event: f.event.String(), Seconds: delay.Seconds(), Late: late, After: a.where(f.channel), Message: message}))
		w.mu.Lock()
		a.came, a.delay = true, delay
		f.canary.channels[f.channel] = a
		w.mu.Unlock()
		changed = append(changed, f.canary)
	}
	return w.tell(ctx, acts, changed)
}

// missing tells of the records that are overdue, and returns how long none else will be.
func (w *Watch) missing(ctx context.Context) (next time.Duration, err error) {
	now := w.o.Now()
	next = keep
	var acts []act.Act
	var changed []*planted
	for _, p := range w.all {
		for channel, a := range p.channels {
			if p.done && !a.came && !a.missing {
				next = min(next, max(0, p.at.Add(w.allowed(p.kind, channel)).Sub(now)))
			}
		}
		for _, channel := range w.overdue(p) {
			a, allowed := p.channels[channel], w.allowed(p.kind, channel)
			message := fmt.Sprintf("the record of a canary has not come through %s in %v: what happens in the tenant may be missing from there", channel, allowed.Round(time.Second))
			w.o.Log.Warn("a canary has not arrived", "kind", p.kind, "channel", channel, "planted", p.at)
			acts = append(acts, w.act(p, act.Missing, channel, act.Act{Seconds: now.Sub(p.at).Seconds(), After: a.where(channel), Message: message}))
			w.mu.Lock()
			a.missing = true
			w.mu.Unlock()
			changed = append(changed, p)
		}
	}
	return next, w.tell(ctx, acts, changed)
}

// overdue are the channels through which a canary should have come.
func (w *Watch) overdue(p *planted) (list []string) {
	for channel, a := range p.channels {
		if p.done && !a.came && !a.missing && !w.o.Now().Before(p.at.Add(w.allowed(p.kind, channel))) {
			list = append(list, channel)
		}
	}
	slices.Sort(list)
	return list
}

// allowed is how long records of a kind may take through a channel.
func (w *Watch) allowed(kind, name string) time.Duration {
	allowed := longest
	for i := range channels {
		if channels[i].kind == kind && channels[i].name == name {
			allowed = channels[i].allowed
		}
	}
	return learned(w.delays(kind, name), allowed)
}

// arrivals are those of a kind that have come through a channel, oldest first.
func (w *Watch) arrivals(kind, channel string) (list []*arrival) {
	for _, p := range w.all {
		if a := p.channels[channel]; p.kind == kind && a != nil && a.came {
			list = append(list, a)
		}
	}
	return list
}

// delays are those that were measured, oldest first.
func (w *Watch) delays(kind, channel string) (list []time.Duration) {
	for _, a := range w.arrivals(kind, channel) {
		list = append(list, a.delay)
	}
	return list
}

// introduce tells of canaries that were planted and are not told of.
func (w *Watch) introduce(ctx context.Context) error {
	var acts []act.Act
	var changed []*planted
	for _, p := range w.all {
		if p.told || !p.done {
			continue
		}
		acts = append(acts, w.act(p, act.Planted, "", act.Act{After: p.known(), Message: "done, to be seen through " + p.through() + ": " + w.says(p.kind)}))
		p.told = true
		changed = append(changed, p)
	}
	return w.tell(ctx, acts, changed)
}

func (w *Watch) act(p *planted, reason, channel string, a act.Act) act.Act {
	a.Kind, a.Code, a.Reason, a.Stream, a.Cursor, a.At = act.Canary, p.kind, reason, channel, p.id, p.at
	return a
}

// tell makes acts durable, and then the rows that say that they were written.
func (w *Watch) tell(ctx context.Context, acts []act.Act, changed []*planted) error {
	if len(acts) == 0 {
		return nil
	}
	if err := w.book.Witnessed(ctx, acts...); err != nil {
		return err
	}
	return w.save(ctx, changed...)
}

// Standing is how canaries of a kind stand with a channel.
type Standing struct {
	Kind, Channel string
	Collected     Collected
	// Allowed is how long a record may take, as learned from those that came.
	Allowed time.Duration
	Delays  []time.Duration // of those, oldest first
	Missing int             // that are overdue
	Waiting int             // that are not
	Planted time.Time       // the newest; zero if there is none
}

// Standings returns how each kind stands with each channel that is collected, or was when canaries were planted that are
// remembered.
func (w *Watch) Standings() (out []Standing) {
	for i := range channels {
		collected, _ := w.o.Collected(channels[i].name)
		out = append(out, Standing{Kind: channels[i].kind, Channel: channels[i].name, Collected: collected})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range out {
		s := &out[i]
		s.Allowed, s.Delays = w.allowed(s.Kind, s.Channel), w.delays(s.Kind, s.Channel)
		for _, p := range w.all {
			if p.kind != s.Kind || !p.done {
				continue
			}
			s.Planted = p.at
			switch a := p.channels[s.Channel]; {
			case a == nil || a.came:
			case a.missing:
				s.Missing++
			default:
				s.Waiting++
			}
		}
	}
	return slices.DeleteFunc(out, func(s Standing) bool { return s.Collected == Never && len(s.Delays)+s.Missing+s.Waiting == 0 })
}

// Status returns how each kind stands with being planted.
func (w *Watch) Status() (list []loop.StreamStatus) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.kinds {
		s := loop.StreamStatus{State: "collecting"}
		k.trouble.Into(&s)
		if k.idle || k.stuck {
			s.State = "failing"
		}
		for _, p := range w.all {
			if p.kind == k.Name && p.done {
				s.Listed = p.at
			}
		}
		list = append(list, s)
	}
	return list
}
