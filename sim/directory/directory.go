// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package directory is the simulated company's tenant as it stands: accounts,
// applications and service principals with their credentials, what was granted
// to whom, roles, devices, mailboxes and sessions. Ordinary life (sim/company)
// passes by it; attacks (sim/scenario) and, later, the product's responses
// change it.
//
// A person's account is derived from the company when somebody asks. Only what
// was changed or does not belong to a person is kept, so memory grows with the
// changes and not with the company.
//
// Every method that changes something says who does it ([By]), refuses what the
// actor has no right to do, and returns a [Change] with the audit records that
// the service would write. What is refused changes nothing and, as in the real
// service, mostly leaves no record; failed sign-ins do. [Directory.Undo] takes a
// change back unless what it changed has changed since. Methods that only use
// rights (reading mail, downloading files) return records in the same way.
//
// A Directory is safe for concurrent use. The same calls on directories of the
// same company give the same ids and the same bytes.
//
// What differs from a real tenant: groups, administrative units, conditional
// access beyond one policy "a second factor for everybody but…", and roles that
// are only eligible do not exist; nothing expires from the recycle bin;
// directory writes are seen at once; a change has all its records in one second;
// directory records have a ClientIP for people and none for applications;
// what is refused is never logged, where the service logs some of it. Sign-ins
// of ordinary life are not kept here, and a person whose account is disabled
// goes on with ordinary life.
package directory

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Errors that callers tell apart.
var (
	// ErrDenied: the actor has no right to do it, or is no longer able to act.
	ErrDenied = errors.New("access denied")
	// ErrNotFound: there is no such object.
	ErrNotFound = errors.New("not found")
	// ErrConflict: it is so already, or has changed since.
	ErrConflict = errors.New("conflict")
)

// Directory is a tenant.
type Directory struct {
	company *company.Company
	tenant  ID
	domain  string

	mu     sync.Mutex
	people people
	state  state
	epoch  int // how often the state was replaced as a whole
	canary *canary
}

// state is what changes. Values in the tables are never written to after they
// were put there; a change puts a new one in their place. That makes a change
// the list of the pointers it replaced, and a snapshot a walk over the tables.
type state struct {
	serial      uint64 // of ids
	users       table[User]
	apps        table[Application]
	principals  table[ServicePrincipal]
	assignments table[AppRoleAssignment]
	grants      table[Grant]
	roles       table[RoleAssignment]
	devices     table[Device]
	mailboxes   table[Mailbox]
	logging     table[Logging] // one row, of the tenant
	licenses    table[License]
	sessions    table[Session]
	lockouts    table[lockout]
	binds       table[binds]
	tokens      []Token // newest last, at most maxTokens
	upns        map[string]ID
	appIDs      map[ID]ID // AppID to service principal
}

type table[T any] map[ID]*T

// New returns the tenant of a company as it stands before anything happens.
func New(c *company.Company) *Directory {
	d := &Directory{company: c, tenant: c.TenantID(), domain: c.Domain(), people: people{known: map[ID]int32{}}, state: emptyState()}
	d.seed()
	return d
}

func emptyState() state {
	return state{
		users: table[User]{}, apps: table[Application]{}, principals: table[ServicePrincipal]{},
		assignments: table[AppRoleAssignment]{}, grants: table[Grant]{}, roles: table[RoleAssignment]{},
		devices: table[Device]{}, mailboxes: table[Mailbox]{}, logging: table[Logging]{}, licenses: table[License]{}, sessions: table[Session]{}, lockouts: table[lockout]{}, binds: table[binds]{},
		upns: map[string]ID{}, appIDs: map[ID]ID{},
	}
}

// By says who does something, from where and when. The zero Actor is the
// service itself, which may do everything.
type By struct {
	Actor     ID // a user or a service principal
	Session   ID // of a user, or a service principal's token; zero if it does not matter
	Address   string
	UserAgent string
	Time      time.Time
}

// Record is an audit record as the Management Activity API delivers it.
type Record struct {
	Stream    company.Stream
	Time      time.Time
	ID        string
	Operation string
	Raw       []byte
}

// Change is what a method did.
type Change struct {
	Records          []Record
	forward, inverse []entry
	steps            []step
	epoch            int
}

// step is one replaced value.
type step interface {
	current() bool // still what the change made it
	restore() step // puts the former value back and returns the way forth
}

type swap[T any] struct {
	t             table[T]
	id            ID
	before, after *T
}

func (s swap[T]) current() bool { return s.t[s.id] == s.after }

func (s swap[T]) restore() step {
	put(s.t, s.id, s.before)
	return swap[T]{s.t, s.id, s.after, s.before}
}

func put[T any](t table[T], id ID, v *T) {
	if v == nil {
		delete(t, id)
	} else {
		t[id] = v
	}
}

// replace puts v, nil for nothing, in the place of what the table has, as a
// part of the change.
func replace[T any](c *Change, t table[T], id ID, v *T) {
	c.steps = append(c.steps, swap[T]{t, id, t[id], v})
	put(t, id, v)
}

// log adds what the service writes about the change, and what it would write
// about taking it back.
func (c *Change) log(forward, inverse entry) {
	c.forward = append(c.forward, forward)
	if inverse.operation != "" {
		c.inverse = append(c.inverse, inverse)
	}
}

// Undo takes a change back, as by. It changes nothing and returns ErrConflict if
// what the change made is no longer so. The change that it returns can be
// undone again.
func (d *Directory) Undo(by By, c *Change) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range c.steps {
		if c.epoch != d.epoch || !s.current() {
			return nil, fmt.Errorf("undo: what was changed has been changed again: %w", ErrConflict)
		}
	}
	back := &Change{forward: c.inverse, inverse: c.forward}
	for _, s := range slices.Backward(c.steps) {
		back.steps = append(back.steps, s.restore())
	}
	d.indexLocked()
	d.writeLocked(by, back)
	return back, nil
}

// newID makes the next id of the tenant.
func (d *Directory) newIDLocked() ID {
	d.state.serial++
	return record.Hash(wordOf(d.tenant), d.state.serial)
}

// wordOf makes a word of an id, to derive other ids from.
func wordOf(id ID) uint64 {
	var hi, lo uint64
	for i := range 8 {
		hi, lo = hi<<8|uint64(id[i]), lo<<8|uint64(id[8+i])
	}
	return record.Mix(hi, lo)
}
