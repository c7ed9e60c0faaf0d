// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/loop"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Kind is something harmless that is done in the tenant again and again.
type Kind struct {
	Name string // [SignIn], [Group], [File] or [Mail]
	Says string // what is done, as an order: "sign application 1234 in"
	// Do does it once. What it writes holds [Tagged] of the marker. It returns what the records are known by: the marker, or,
	// where the service draws one of its own, that.
	Do func(ctx context.Context, marker string) (string, error)
	// Clean takes away what was left, and may be called when nothing is there any more; it returns [ErrNotThere] if there is
	// nothing to be found that may come yet. nil: nothing is left.
	Clean func(ctx context.Context, marker string) error
}

// ErrNotThere says that what is to be taken away is not there, or not there yet.
var ErrNotThere = errors.New("it is not there")

const (
	// again is the first wait after something has failed; it doubles. What was left is taken away after it, too.
	again = 10 * time.Second
	// most is how many canaries of a kind may have left something before no more are planted.
	most = 3
	// unsent is how long something may still turn up of a canary of which it is not known whether it was planted.
	unsent = time.Hour

	markerSize = 26 // of rand.Text: 130 bits
)

// kind is how one stands. It is the loop's alone, but for what Watch.mu guards.
type kind struct {
	Kind
	trouble   loop.Trouble
	said      bool      // what a dry run would do
	due       time.Time // the next one
	failed    int       // tries since one was planted
	clean     time.Time // when what was left is taken away
	uncleared int       // tries since something was

	idle  bool // none could be planted when one was due
	stuck bool // what was left could not be taken away
}

// begin takes up what is written down of a kind.
func (k *kind) begin(list []*planted, every time.Duration) {
	k.due, k.failed, k.clean, k.uncleared = time.Time{}, 0, time.Time{}, 0
	for _, p := range list {
		if p.kind == k.Name && p.done {
			k.due = p.at.Add(every)
		}
	}
}

// plant does the act, or says that it would. Only what is collected is awaited.
func (w *Watch) plant(ctx context.Context, k *kind) error {
	k.due = w.o.Now().Add(w.o.Every)
	p := &planted{id: rand.Text(), kind: k.Name, marker: rand.Text(), size: w.o.Journal.Size(), channels: map[string]*arrival{}}
	for _, name := range Channels(p.kind) {
		came := w.arrivals(p.kind, name)
		switch c, stream := w.o.Collected(name); {
		case c == Surely:
			p.channels[name] = &arrival{stream: stream}
		case c == Perhaps && len(came) > 0:
			p.channels[name] = &arrival{stream: came[len(came)-1].stream}
		case c == Perhaps:
			p.perhaps = append(p.perhaps, name)
		}
	}
	left := w.left(k)
	switch {
	case len(p.channels)+len(p.perhaps) == 0:
		w.fail(ctx, k, fmt.Errorf("no source of the tenant collects a log that would show it (%s): nothing is done", strings.Join(Channels(k.Name), ", ")))
		return nil
	case !w.o.Live && k.said:
		return nil
	case !w.o.Live:
		message := fmt.Sprintf("dry run: every %v this would be done, and awaited through %s: %s", w.o.Every, p.through(), k.Says)
		w.o.Log.Info("a canary was not planted", "message", message)
		k.said = true
		return w.book.Witnessed(ctx, act.Act{Kind: act.Canary, Code: p.kind, Reason: act.Planned, Message: message})
	case len(left) >= most:
		w.fail(ctx, k, fmt.Errorf("what %d canaries have left is still there: nothing is done until it is taken away", len(left)))
		return nil
	}
	p.at = w.now()
	if k.Clean != nil {
		// Whatever happens from here on, what it leaves will be found.
		p.left = true
		if err := w.add(ctx, p); err != nil {
			return err
		}
	}
	marker, err := k.Do(ctx, p.marker)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		k.due = w.o.Now().Add(loop.Backoff(again, k.failed, w.o.Every))
		k.failed++
		w.fail(ctx, k, err)
		if e := rest.Of(err); p.left && (e.Unasked() || e.Status >= 400 && e.Status < 500) {
			return w.drop(ctx, p) // it was surely not done
		}
		k.clean = w.o.Now().Add(again)
		return nil
	}
	k.failed = 0
	w.mu.Lock()
	p.marker, p.at, p.done = marker, w.now(), true
	w.mu.Unlock()
	k.clean = w.o.Now().Add(again)
	if err := w.add(ctx, p); err != nil {
		return err
	}
	w.mu.Lock()
	k.idle = false
	w.mu.Unlock()
	if err := w.introduce(ctx); err != nil {
		return err
	}
	return w.read(ctx, p.size) // the record may have come before anybody waited for it
}

func (w *Watch) now() time.Time { return w.o.Now().UTC().Truncate(time.Millisecond) }

// add writes a canary down, and remembers it.
func (w *Watch) add(ctx context.Context, p *planted) error {
	if err := w.save(ctx, p); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.all, p) {
		w.all = append(w.all, p)
	}
	w.all = slices.DeleteFunc(w.all, func(old *planted) bool { return !old.left && old.at.Before(p.at.Add(-keep)) })
	return nil
}

// drop forgets a canary that was none.
func (w *Watch) drop(ctx context.Context, p *planted) error {
	if err := w.forget(ctx, p.id); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = slices.DeleteFunc(w.all, func(old *planted) bool { return old == p })
	return nil
}

// left are the canaries of a kind that have left something.
func (w *Watch) left(k *kind) (list []*planted) {
	for _, p := range w.all {
		if p.kind == k.Name && p.left {
			list = append(list, p)
		}
	}
	return list
}

// clean takes away what was left, if it is time.
func (w *Watch) clean(ctx context.Context, k *kind) error {
	list := w.left(k)
	if len(list) == 0 || w.o.Now().Before(k.clean) {
		return nil
	}
	var failure error
	waiting := false
	for _, p := range list {
		err := k.Clean(ctx, p.marker)
		patience := longest
		if !p.done {
			patience = unsent
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrNotThere) && w.o.Now().Before(p.at.Add(patience)):
			waiting = true
		case err != nil && !errors.Is(err, ErrNotThere):
			failure = err
		case !p.done:
			if err := w.drop(ctx, p); err != nil {
				return err
			}
		default:
			p.left = false
			message := "what the canary left is taken away"
			if err != nil {
				message = fmt.Sprintf("what the canary should have left was not found in %v, and is not looked for any more", patience)
			}
			if err := w.tell(ctx, []act.Act{w.act(p, act.Cleaned, "", act.Act{Message: message})}, []*planted{p}); err != nil {
				return err
			}
		}
	}
	w.mu.Lock()
	k.stuck = failure != nil
	w.mu.Unlock()
	if failure != nil {
		w.book.Failed(ctx, &k.trouble, "canary", fmt.Errorf("what a canary left could not be taken away: %w", failure))
	}
	if failure == nil && !waiting {
		k.uncleared = 0
		return nil
	}
	k.clean = w.o.Now().Add(loop.Backoff(again, k.uncleared, w.o.Every))
	k.uncleared++
	return nil
}

// abandon forgets what canaries have left of which the source does not say any more where it is.
func (w *Watch) abandon(ctx context.Context) error {
	for _, p := range slices.Clone(w.all) {
		if p.left && !slices.ContainsFunc(w.kinds, func(k *kind) bool { return k.Name == p.kind && k.Clean != nil }) {
			w.o.Log.Warn("what a canary left is not taken away, for the source does not say any more where it is", "kind", p.kind, "name", Tagged(p.marker))
			if err := w.drop(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// fail notes why none was planted.
func (w *Watch) fail(ctx context.Context, k *kind, err error) {
	w.book.Failed(ctx, &k.trouble, "canary", err)
	w.mu.Lock()
	defer w.mu.Unlock()
	k.idle = true
}

// through names the channels.
func (p *planted) through() string {
	names := slices.Sorted(maps.Keys(p.channels))
	for _, name := range p.perhaps {
		names = append(names, "perhaps "+name)
	}
	return strings.Join(names, ", ")
}

// known is what acts have, as JSON, of a canary: what its records are known by, the channels they are awaited through, and by
// channel the stream that has it, by the name that the acts of its own collector have.
type known struct {
	UniqueTokenIdentifier string            `json:"uniqueTokenIdentifier,omitempty"`
	Name                  string            `json:"name,omitempty"`
	Channels              []string          `json:"channels,omitempty"`
	Streams               map[string]string `json:"streams,omitempty"`
}

func (k *known) text() string {
	text, _ := json.Marshal(k) // strings alone: it cannot fail
	return string(text)
}

// known is of one that was planted.
func (p *planted) known() string {
	k := known{Channels: slices.Sorted(maps.Keys(p.channels)), Streams: map[string]string{}}
	for channel, a := range p.channels {
		if a.stream != "" {
			k.Streams[channel] = a.stream
		}
	}
	if p.kind == SignIn {
		k.UniqueTokenIdentifier = p.marker
	} else {
		k.Name = Tagged(p.marker)
	}
	return k.text()
}

// where says, as [known], which stream has the channel; it is empty if that is not known.
func (a *arrival) where(channel string) string {
	if a.stream == "" {
		return ""
	}
	return (&known{Streams: map[string]string{channel: a.stream}}).text()
}

// says is what is done by a kind.
func (w *Watch) says(name string) string {
	for _, k := range w.kinds {
		if k.Name == name {
			return k.Says
		}
	}
	return name
}
