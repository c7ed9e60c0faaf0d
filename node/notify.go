// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/notify"
)

// ErrNoMessage says that no message of this number was put aside.
var ErrNoMessage = notify.ErrNotFound

// teller tells of incidents on the channels that the configuration names. What is to be told is
// put into the control database by every command that changes incidents; it is sent by those
// that stay.
type teller struct {
	mu       sync.Mutex
	box      *notify.Outbox
	replaced chan struct{} // closed when there is another box
}

// tells reports whether a command sends what is to be told.
func tells(role string) bool { return role == "serve" || role == "demo" }

func (t *teller) current() (box *notify.Outbox, replaced <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.box, t.replaced
}

// use makes a box the one that counts.
func (t *teller) use(box *notify.Outbox) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.replaced != nil {
		close(t.replaced)
	}
	t.box, t.replaced = box, make(chan struct{})
}

// changed is incident.Options.Changed.
func (t *teller) changed(ctx context.Context, tx *sql.Tx, changes []incident.Change) error {
	box, _ := t.current()
	return box.Changed(ctx, tx, changes)
}

// run sends until ctx ends, by the box that counts. An attempt that another box interrupts
// is made again by that one.
func (t *teller) run(ctx context.Context) {
	for ctx.Err() == nil {
		box, replaced := t.current()
		until, stop := context.WithCancel(ctx)
		go func() {
			select {
			case <-replaced:
			case <-until.Done():
			}
			stop()
		}()
		box.Run(until)
		stop()
	}
}

// newOutbox makes the outbox for the channels that a configuration names.
func (n *Node) newOutbox(c *config.Config) (*notify.Outbox, error) {
	o := notify.Options{Log: n.log}
	for i := range c.Notify {
		ch, err := channelOf(&c.Notify[i])
		if err != nil {
			return nil, &DirError{fmt.Sprintf("notify %q: %v", c.Notify[i].Name, err)}
		}
		o.Channels = append(o.Channels, ch)
	}
	if adjust := n.sources.adjust.Notify; adjust != nil {
		adjust(&o)
	}
	box, err := notify.New(n.db, o)
	if err != nil {
		return nil, &DirError{"notify: " + err.Error()}
	}
	return box, nil
}

// CheckChannel says what would keep a channel from telling, without telling anybody.
func CheckChannel(ctx context.Context, c *config.Notify) error {
	ch, err := channelOf(c)
	if err != nil {
		return err
	}
	return ch.Try(ctx)
}

func channelOf(c *config.Notify) (ch notify.Channel, err error) {
	ch = notify.Channel{
		Name: c.Name, Kind: c.Kind, Level: c.Level, URL: string(c.URL), Hosts: c.Hosts,
		Server: c.Server, User: c.User, From: c.From, To: strings.Join(c.To, ", "),
	}
	if c.Secret != "" {
		ch.Secret, err = c.Secret.Reference()
	}
	return ch, err
}

// tell sends what is to be told until ctx ends. It begins when what the journal held was judged
// and decided: an incident that is being made anew passes through states that nobody is to be told of.
func (n *Node) tell(ctx context.Context) {
	if err := n.settled(ctx); err != nil && ctx.Err() == nil {
		n.log.Warn("incidents may lack what the journal held at the start; they are told of as they are", "err", err)
	}
	n.teller.run(ctx)
}

// settled waits until incidents have everything that the journal held when it was called.
func (n *Node) settled(ctx context.Context) error {
	end := n.journal.End()
	if err := n.Judged(ctx, event.ID{Batch: end}); err != nil {
		return err
	}
	return n.incidents.CaughtUp(ctx, end)
}

// DeadLetters returns the messages that are not tried any more, the latest first.
func (n *Node) DeadLetters(ctx context.Context) ([]notify.Dead, error) {
	box, _ := n.teller.current()
	return box.Dead(ctx)
}

// TellAgain has a message tried again, as if it were new.
func (n *Node) TellAgain(ctx context.Context, id int64) error {
	box, _ := n.teller.current()
	return box.Again(ctx, id)
}

// Discard forgets a message that is not tried any more.
func (n *Node) Discard(ctx context.Context, id int64) error {
	box, _ := n.teller.current()
	return box.Discard(ctx, id)
}
