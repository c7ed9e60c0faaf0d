// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package controls

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/provider/admin"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Vendor is whose settings are watched.
type Vendor string

// The vendors.
const (
	Microsoft Vendor = "microsoft"
	GitHub    Vendor = "github"
	Okta      Vendor = "okta"
)

// Control is something that can switch logging off.
type Control struct {
	Name   string
	Vendor Vendor
	// Title says what it is, Needs what the application or the token must have for it to be read.
	Title, Needs string
	// Slow ones are read whole every Sweep only, for there are as many objects as mailboxes. In between, those are read that
	// are not as they should be, and those that a record names.
	Slow bool
	// Told ones are read only as records tell of a subject.
	Told bool
	// Unread ones are Told, and no API says how they stand: what the newest record says is all that is known, and before
	// there is one it is not known.
	Unread bool
	// reason of the blind interval, and the streams that it is of; empty: nothing is blind by it.
	reason  string
	streams func(w *Watch, s *state) []string
	read    func(ctx context.Context, w *Watch, only []subject) ([]state, error)
	// try reads as little as shows whether it may be read; nil: reading it does.
	try func(ctx context.Context, c Clients, clientID string) error
}

// state is what a reading says of a control, or of one subject of it.
type state struct {
	subject string // empty: the tenant
	asked   string // by which name it was asked for, if by one
	value   string // canonical JSON
	drift   string // a sentence that says what is not as it should be; empty: it is good
	// hold says that a value that differs is told of as [act.Changed]. Otherwise only what is good or not is.
	hold bool
}

// subject is who or what to read, what records have said of it, oldest first, and the time of the newest in milliseconds.
type subject struct {
	name, before string
	at           int64
}

// Clients are what facts are read with: those of one vendor.
type Clients struct {
	Admin  *admin.Client  // Microsoft
	Feed   *m365.Client   // Microsoft; nil if no source reads the Management Activity API
	GitHub *github.Client // of an enterprise
	Okta   *okta.Client
}

// API is one that has answered, whose clock is the provider's; before one has, any; nil if there is none.
func (c Clients) API() *rest.Client {
	switch {
	case c.GitHub != nil:
		return c.GitHub.Client
	case c.Okta != nil:
		return c.Okta.Client
	case c.Admin != nil:
		return c.Admin.Heard().Client
	}
	return nil
}

// All are the controls, in the order in which they are shown.
var All []Control

func init() {
	for _, of := range []struct {
		vendor Vendor
		list   []Control
	}{{Microsoft, microsoft()}, {GitHub, ofGitHub()}, {Okta, ofOkta()}} {
		for _, c := range of.list {
			c.Vendor = of.vendor
			All = append(All, c)
		}
	}
}

// Names are those of a vendor's controls.
func Names(of Vendor) (names []string) {
	for i := range All {
		if All[i].Vendor == of {
			names = append(names, All[i].Name)
		}
	}
	return names
}

// Lookup finds a control by its name.
func Lookup(name string) (*Control, bool) {
	i := slices.IndexFunc(All, func(c Control) bool { return c.Name == name })
	if i < 0 {
		return nil, false
	}
	return &All[i], true
}

// Try reads as little of a control as shows whether the application or the token may: nothing is written down. clientID is
// that of the application at Microsoft.
func (c *Control) Try(ctx context.Context, clients Clients, clientID string) error {
	switch {
	case c.try != nil:
		return c.try(ctx, clients, clientID)
	case c.Unread:
		return nil
	}
	_, err := c.read(ctx, &Watch{o: Options{Clients: clients}}, nil)
	return err
}

// Desired says how controls should stand, where that is not the same in every tenant. Empty fields: as the first reading
// found it.
type Desired struct {
	Bypassed   []string // accounts that mailbox auditing may leave out
	Unaudited  []string // mailboxes whose auditing may be off, or less than the default
	Categories []string // of Entra's logs, that a diagnostic setting sends out
	LogStreams []string // ids of the streams that a vendor sends its log out by, that must be there and on; others may do as they like
	EventHooks []string // ids of Okta's event hooks, likewise
}

// outlet is something that a vendor sends its log out by.
type outlet struct {
	id, name string
	off      string // why it sends nothing; empty: it is on
	value    map[string]any
}

// outlets are the states of those that there are. One that is off is not as it should be, and neither is one that is gone: of
// those that are desired or, if nobody says which, of those that were seen. fed are the streams of ours that come by them: if
// there are any and not one outlet is on, nothing says where they should come from.
func (w *Watch) outlets(control, what string, desired []string, have []outlet, fed []string) (list []state) {
	ids, all, on := []string{}, []any{}, false
	for _, o := range have {
		ids = append(ids, o.id)
		on = on || o.off == ""
		all = append(all, o.id)
		if len(desired) > 0 && !slices.Contains(desired, o.id) {
			continue
		}
		s := state{subject: o.id, value: canonical(o.value), hold: true}
		if o.off != "" {
			s.drift = "the " + what + " " + o.name + " is " + o.off + ": nothing is sent out by it"
		}
		list = append(list, s)
	}
	wanted := desired
	if len(wanted) == 0 {
		wanted = w.subjectsOf(control)
	}
	for _, id := range wanted {
		if !slices.Contains(ids, id) {
			list = append(list, state{subject: clip(id), value: "{}", drift: "the " + what + " " + id + " is gone: nothing is sent out by it"})
		}
	}
	whole := state{value: canonical(map[string]any{"ids": all}), hold: true}
	if !on && len(fed) > 0 && !slices.ContainsFunc(list, func(s state) bool { return s.drift != "" }) {
		whole.drift = "there is no " + what + ", by which " + strings.Join(fed, ", ") + " should come"
	}
	return append(list, whole)
}

func fixed(list []string) func(*Watch, *state) []string {
	return func(*Watch, *state) []string { return list }
}

// lacks is the error of an answer without what was asked for.
func lacks(what string) error {
	return &rest.Error{API: "admin", Op: "read", Status: http.StatusOK, Class: rest.ClassRetry, Message: "the answer does not say " + what}
}

// canonical writes a state: members in the order of their names.
func canonical(v map[string]any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("controls: " + err.Error()) // what we made of strings, numbers and lists
	}
	return string(b)
}

func missing(err error) bool {
	e := (*rest.Error)(nil)
	return errors.As(err, &e) && e.Class == rest.ClassMissing
}

func foldContains(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// clip makes a name of what an answer says.
func clip(s string) string {
	return rest.Clip(strings.ToValidUTF8(s, "\uFFFD"), act.MaxName-3)
}
