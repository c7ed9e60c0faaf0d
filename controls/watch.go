// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"cmp"
	"context"
	"database/sql"
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
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/store"
)

// Application is one that logs of the tenant are read with.
type Application struct {
	ClientID string
	Roles    []string // that it must have
}

// Scope is what depends on the controls.
type Scope struct {
	Streams      []string
	Streamed     []string      // those of Streams that a vendor sends us by the streams of its log
	Hooked       []string      // and by event hooks
	Applications []Application // the watch's own among them
}

// Options say what is watched.
type Options struct {
	Name     string // of the source in the configuration
	Tenant   string
	Controls []string // names of those to watch; the others are not
	Desired  Desired
	// Scope says what sources of the tenant collect, of which blindness is declared, and by which applications; it is asked
	// again for each reading.
	Scope   func() Scope
	Clients // of the vendor whose controls these are
	Journal *journal.Journal
	DB      *store.DB
	Acts    *act.Writer

	Poll  time.Duration // between two readings; 5 min
	Sweep time.Duration // between two readings of all mailboxes; 1 h
	Least time.Duration // between two readings, whatever is noticed; 2 s
	Stall time.Duration // a round without any progress is started anew; 30 min
	// PerHour is how many readings may begin in an hour, whatever is noticed and whatever Poll is; 0: any.
	PerHour int
	// Now is the provider's time; nil: as its answers tell it.
	Now func() time.Time
	Log *slog.Logger
}

// Watch watches one tenant's controls.
type Watch struct {
	o       Options
	log     *slog.Logger
	running atomic.Bool
	book    *loop.Book
	hint    chan struct{}
	watch   atomic.Pointer[loop.Watch]

	// Of the loop alone.
	scope Scope
	rows  map[key]*row
	sent  []setting // diagnostic settings, as last read
	roles map[assignment]string

	mu      sync.Mutex
	noticed []Notice
	status  map[string]*loop.StreamStatus
}

// Notice is what a record says of a change of a control.
type Notice struct {
	Control string
	Subject string    // empty: the control as a whole
	Before  string    // what the record says of the state before, if it does
	Time    time.Time // of the change
	Event   string    // event id of the record
}

// New checks the options.
func New(o Options) (*Watch, error) {
	or := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	or(&o.Poll, 5*time.Minute)
	or(&o.Sweep, time.Hour)
	or(&o.Least, 2*time.Second)
	or(&o.Stall, 30*time.Minute)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Name == "" || o.Tenant == "" || o.Scope == nil || o.API() == nil || o.Journal == nil || o.DB == nil || o.Acts == nil {
		return nil, errors.New("controls: name, tenant, client, journal, database and acts are needed")
	}
	log := o.Log.With("source", o.Name)
	w := &Watch{o: o, log: log, book: &loop.Book{Journal: o.Journal, DB: o.DB, Acts: o.Acts, Log: log}, hint: make(chan struct{}, 1), status: map[string]*loop.StreamStatus{}}
	for _, name := range o.Controls {
		if _, ok := Lookup(name); !ok {
			return nil, fmt.Errorf("controls: there is no control %q", name)
		}
		w.status[name] = &loop.StreamStatus{Stream: name, State: "collecting"}
	}
	return w, nil
}

// Wake says that a control may have changed: all are read a little sooner.
func (w *Watch) Wake(string) { loop.Poke(w.hint) }

// mostNoticed bounds what is noticed between two readings. Beyond it nothing is lost but the time of the change: all that
// is read quickly is read anyway, and mailboxes at the next sweep.
const mostNoticed = 1000

// Notice takes what a record says of a change of a control. It never blocks.
func (w *Watch) Notice(n Notice) {
	if !slices.Contains(w.o.Controls, n.Control) {
		return
	}
	if n.Control == "application" && !slices.ContainsFunc(w.o.Scope().Applications, func(a Application) bool { return strings.Contains(strings.ToLower(n.Before), a.ClientID) }) {
		return // of another application
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.noticed) < mostNoticed {
		w.noticed = append(w.noticed, n)
	}
	loop.Poke(w.hint)
}

// Status returns how each control stands with being read.
func (w *Watch) Status() (list []loop.StreamStatus) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range w.o.Controls {
		s := *w.status[name]
		_, s.Throttled = w.o.API().Pause()
		list = append(list, s)
	}
	return list
}

func (w *Watch) beat() {
	if p := w.watch.Load(); p != nil {
		p.Beat()
	}
}

// Run watches until ctx ends, or the journal fails. It can be called again when it has returned.
func (w *Watch) Run(ctx context.Context) error {
	if !w.running.CompareAndSwap(false, true) {
		return errors.New("controls: the watch runs already")
	}
	defer w.running.Store(false)
	if err := w.open(ctx); err != nil {
		return loop.EndOf(ctx, err)
	}
	paused := func() bool { now, _ := w.o.API().Pause(); return now > 0 }
	err := loop.Supervise(ctx, w.o.Stall, paused, w.rounds)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	w.book.Flush(ctx, true)
	return loop.EndOf(ctx, err)
}

func (w *Watch) rounds(ctx context.Context, watch *loop.Watch) error {
	w.watch.Store(watch)
	var swept time.Time
	var recent []time.Time
	for {
		begun := time.Now()
		recent = append(recent, begun)
		sweep := swept.IsZero() || begun.Sub(swept) >= w.o.Sweep
		if err := w.round(ctx, sweep); err != nil {
			return err
		}
		if sweep {
			swept = begun
		}
		w.book.Flush(ctx, false)
		free := free(&recent, w.o.PerHour)
		if err := loop.Hint(ctx, watch, begun, max(w.o.Least, free), max(w.o.Poll, free), w.hint); err != nil {
			return err
		}
	}
}

// free is how long after the last of the recent readings the next may begin, if so many may in an hour. It forgets those
// that do not matter any more.
func free(recent *[]time.Time, perHour int) time.Duration {
	n := len(*recent)
	*recent = (*recent)[max(0, n-perHour):]
	if perHour == 0 || n < perHour {
		return 0
	}
	list := *recent
	return max(0, list[0].Add(time.Hour).Sub(list[len(list)-1]))
}

// round reads every control once. One that cannot be read does not hold up the others.
func (w *Watch) round(ctx context.Context, sweep bool) error {
	w.scope = w.o.Scope()
	w.mu.Lock()
	noticed := w.noticed
	w.noticed = nil
	w.mu.Unlock()
	for i := range All {
		c := &All[i]
		if !slices.Contains(w.o.Controls, c.Name) {
			continue
		}
		w.beat()
		of := slices.DeleteFunc(slices.Clone(noticed), func(n Notice) bool { return n.Control != c.Name })
		whole := !c.Told && (!c.Slow || sweep || slices.ContainsFunc(of, func(n Notice) bool { return n.Subject == "" }))
		if err := w.look(ctx, c, of, whole); err != nil {
			return err
		}
	}
	return nil
}

// look reads a control and tells what is new. The error is that of the context, the journal or the database.
func (w *Watch) look(ctx context.Context, c *Control, noticed []Notice, whole bool) error {
	var only []subject
	if !whole {
		if only = w.subjects(c, noticed); len(only) == 0 {
			return nil
		}
	}
	asked, met := w.now()
	list, err := c.read(ctx, w, only)
	now, _ := w.now()
	if !met { // whatever it said, it has said what time it is there
		asked = now
	}
	e := (*rest.Error)(nil)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &e) && (e.Class == rest.ClassAdmin || e.Class == rest.ClassAuth):
		return w.unwatched(ctx, c, e, now)
	case err != nil:
		w.failed(c, err)
		w.again(noticed)
		return nil
	}
	return w.compare(ctx, c, list, noticed, whole, min(asked, now), now)
}

// subjects are those that records name, and those that were not as they should be.
func (w *Watch) subjects(c *Control, noticed []Notice) (list []subject) {
	find := func(name string) int {
		return slices.IndexFunc(list, func(s subject) bool { return s.name == name })
	}
	for _, n := range slices.SortedStableFunc(slices.Values(noticed), func(a, b Notice) int { return a.Time.Compare(b.Time) }) {
		s := subject{n.Subject, n.Before, n.Time.UnixMilli()}
		switch i := find(s.name); {
		case s.name == "":
		case i < 0:
			list = append(list, s)
		default:
			list[i].before, list[i].at = list[i].before+" "+s.before, s.at
		}
	}
	for k, r := range w.rows {
		if k.control == c.Name && k.subject != "" && r.verdict == act.Drift && find(k.subject) < 0 {
			list = append(list, subject{k.subject, drifting, 0})
		}
	}
	return list
}

// subjectsOf are the subjects of a control that are known.
func (w *Watch) subjectsOf(control string) (list []string) {
	for k := range w.rows {
		if k.control == control && k.subject != "" {
			list = append(list, k.subject)
		}
	}
	slices.Sort(list)
	return list
}

// now is the provider's time in milliseconds, as the API says that has answered; before one has, the machine's.
func (w *Watch) now() (ms int64, heard bool) {
	if w.o.Now != nil {
		return w.o.Now().UnixMilli(), true
	}
	api := w.o.API()
	return api.Now().UnixMilli(), api.Heard()
}

// again keeps notices for the next round.
func (w *Watch) again(list []Notice) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.noticed = append(list, w.noticed...)
	w.noticed = w.noticed[:min(len(w.noticed), mostNoticed)]
}

// failed notes a failure, which is tried again at the next round.
func (w *Watch) failed(c *Control, err error) {
	a := act.Act{Kind: act.Failed, Reason: "control", Code: c.Name, Message: c.Name + ": " + err.Error()}
	e := (*rest.Error)(nil)
	if errors.As(err, &e) {
		a.Status = e.Status
	}
	w.book.Report(a)
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status[c.Name]
	s.State, s.LastError, s.LastErrorAt = "failing", err.Error(), time.Now()
}

// unwatched tells that a control cannot be read for want of a permission.
func (w *Watch) unwatched(ctx context.Context, c *Control, e *rest.Error, now int64) error {
	w.mu.Lock()
	s := w.status[c.Name]
	s.State, s.LastError, s.LastErrorAt = "refused", e.Error(), time.Now()
	w.mu.Unlock()
	k := key{c.Name, ""}
	if r := w.rows[k]; r != nil && r.verdict == act.Unwatched {
		return nil
	}
	before := w.row(k)
	r := *before
	r.verdict, r.since = act.Unwatched, now
	message := "it cannot be read and is not watched: " + e.Error()
	w.log.Warn("a control is not watched", "control", c.Name, "needs", c.Needs, "error", e.Error())
	return w.tell(ctx, []act.Act{{Kind: act.Control, Code: c.Name, Reason: act.Unwatched, At: moment(now), Message: message, Status: e.Status}}, map[key]row{k: r})
}

// compare finds what a reading says that the last one did not. What is good was so when it was asked for, and what is good
// again was so when the answer had come: a blind interval is rather too long.
func (w *Watch) compare(ctx context.Context, c *Control, list []state, noticed []Notice, whole bool, asked, now int64) error {
	var acts []act.Act
	rows := map[key]row{}
	if whole {
		list = append(list, w.absent(c, list)...)
	}
	for i := range list {
		s := &list[i]
		k := key{c.Name, s.subject}
		before, known := w.rows[k]
		r := row{good: w.row(key{c.Name, ""}).good}
		if known {
			r = *before
		}
		said := notice(noticed, cmp.Or(s.asked, s.subject))
		verdict := act.Good
		if s.drift != "" {
			verdict = act.Drift
		}
		told := act.Act{
			Kind: act.Control, Code: c.Name, Subject: s.subject, Reason: verdict, At: moment(now), Before: digest(r.state), After: digest(s.value), Message: s.drift, Event: said.Event,
		}
		switch {
		case verdict == act.Drift && (!known || r.verdict != act.Drift):
			r.since = began(r.good, said.Time, now)
			told.From = moment(r.since)
			acts = append(acts, told)
			acts = append(acts, w.blind(c, s, r.since, 0)...)
			w.log.Warn("a control does not stand as it should", "control", c.Name, "subject", s.subject, "message", s.drift)
		case verdict == act.Drift && (r.state != s.value || r.event == "" && said.Event != ""): // otherwise bad than before, or the record has come
			told.From = moment(r.since)
			acts = append(acts, told)
		case verdict == act.Good && known && r.verdict == act.Drift:
			told.From, told.Message = moment(r.since), "it is as it should be again"
			acts = append(acts, told)
			acts = append(acts, w.seen(c, s, rows, r.since, now)...)
			r.since = now
		case verdict == act.Good && known && r.verdict == act.Good && s.hold && r.state != s.value:
			told.Reason, told.Message = act.Changed, changedMessage(c, s.subject)
			acts = append(acts, told)
			r.since = now
		case verdict == act.Good && (!known || r.verdict == act.Unwatched) && !c.Slow && !c.Told || verdict == act.Good && !known && s.subject == "":
			acts = append(acts, told)
			r.since = now
		}
		if said.Event != "" {
			r.event = said.Event
		}
		if verdict == act.Good {
			r.event = ""
		}
		r.verdict, r.state, r.read = verdict, s.value, asked
		if verdict == act.Good {
			r.good = asked
		}
		rows[k] = r
	}
	if err := w.tell(ctx, acts, rows); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status[c.Name]
	s.State, s.Listed = "collecting", time.Now()
	return nil
}

// absent are the subjects that a whole reading does not have any more: of mailboxes only those are had that are not as
// they should be, and what is gone otherwise blinds nobody.
func (w *Watch) absent(c *Control, list []state) (gone []state) {
	for k, r := range w.rows {
		if k.control == c.Name && k.subject != "" && r.verdict == act.Drift && !slices.ContainsFunc(list, func(s state) bool { return s.subject == k.subject }) {
			gone = append(gone, state{subject: k.subject, value: "{}"})
		}
	}
	return gone
}

func changedMessage(c *Control, subject string) string {
	if subject == "" {
		return c.Title + ": another state than before"
	}
	return c.Title + ": another state of " + subject + " than before"
}

// notice is the one that tells of a subject, or else of the control; of several the first.
func notice(list []Notice, subject string) (found Notice) {
	for _, n := range list {
		if foldContains([]string{n.Subject}, subject) || n.Subject == "" || subject == "" {
			return n
		}
	}
	return found
}

// began is since when a control is not as it should be: since the record of the change, if that is later than the last
// reading that was good; and as far as anybody knows since now, if none ever was.
func began(good int64, said time.Time, now int64) int64 {
	at := good
	if ms := said.UnixMilli(); !said.IsZero() && ms > good && ms <= now {
		at = ms
	}
	if at == 0 || at > now {
		return now
	}
	return at
}

// blind declares the streams of a control blind from a moment on; until zero: as long as nobody says otherwise.
func (w *Watch) blind(c *Control, s *state, from, until int64) (acts []act.Act) {
	if c.streams == nil {
		return nil
	}
	for _, stream := range c.streams(w, s) {
		if !slices.Contains(w.scope.Streams, stream) {
			continue
		}
		a := act.Act{Kind: act.Gap, Stream: stream, Subject: s.subject, Reason: c.reason, Code: c.Name, From: moment(from), At: moment(from), Message: s.drift}
		if until != 0 {
			a.To, a.At, a.Message = moment(until), moment(until), "logging was off: "+c.Title
		}
		acts = append(acts, a)
	}
	return acts
}

// seen ends the blind interval of what is good again, of the streams that no other control keeps blind in the same way.
func (w *Watch) seen(c *Control, s *state, fresh map[key]row, since, now int64) (acts []act.Act) {
	acts = w.blind(c, s, since, now)
	return slices.DeleteFunc(acts, func(a act.Act) bool {
		for k, r := range w.rows {
			if f, ok := fresh[k]; ok {
				r = &f
			}
			o, ok := Lookup(k.control)
			if !ok || k.control == c.Name || k.subject != s.subject || r.verdict != act.Drift || o.reason != c.reason || o.streams == nil {
				continue
			}
			if slices.Contains(o.streams(w, &state{subject: k.subject}), a.Stream) {
				return true
			}
		}
		return false
	})
}

// tell makes acts durable, and then the rows that say that they were written.
func (w *Watch) tell(ctx context.Context, acts []act.Act, rows map[key]row) error {
	if len(acts) > 0 {
		if err := w.book.Witnessed(ctx, acts...); err != nil {
			return err
		}
		for k, v := range rows {
			v.size = w.book.Size()
			rows[k] = v
		}
	}
	err := w.book.Write(ctx, func(tx *sql.Tx) error { return saveRows(tx, w.o.Tenant, w.o.Journal.Origin(), rows) })
	if err != nil {
		return err
	}
	for k, r := range rows {
		w.rows[k] = &r
	}
	return nil
}

// row is what is known of a control, or nothing.
func (w *Watch) row(k key) *row {
	if r := w.rows[k]; r != nil {
		return r
	}
	return new(row)
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
