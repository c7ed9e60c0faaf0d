// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// snapshot is the JSON form of what a directory holds beside what follows from
// the company.
type snapshot struct {
	Format      int
	Tenant      ID
	Serial      uint64
	Users       table[User]
	Apps        table[Application]
	Principals  table[ServicePrincipal]
	Assignments table[AppRoleAssignment]
	Grants      table[Grant]
	Roles       table[RoleAssignment]
	Devices     table[Device]
	Mailboxes   table[Mailbox]
	Logging     table[Logging] `json:",omitempty"`
	Licenses    table[License] `json:",omitempty"`
	Sessions    table[Session]
	Lockouts    table[lockout]
	Binds       table[binds]
	Tokens      []Token
}

const snapshotFormat = 1

// Snapshot writes the directory as JSON: what was changed, what belongs to no
// person, and what every tenant begins with. Equal directories give equal
// bytes.
func (d *Directory) Snapshot() ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &d.state
	return json.Marshal(snapshot{snapshotFormat, d.tenant, s.serial, s.users, s.apps, s.principals, s.assignments, s.grants, s.roles, s.devices, s.mailboxes, s.logging, s.licenses, s.sessions, s.lockouts, s.binds, s.tokens})
}

// Restore puts a snapshot of the same company in the place of what the
// directory holds. Changes from before cannot be undone any more.
func (d *Directory) Restore(text []byte) error {
	n := snapshot{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&n); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if dec.More() {
		return errors.New("snapshot: there is more after its end")
	}
	if n.Format != snapshotFormat || n.Tenant != d.tenant {
		return fmt.Errorf("snapshot: is of tenant %s in format %d: want tenant %s in format %d", n.Tenant, n.Format, d.tenant, snapshotFormat)
	}
	s := emptyState()
	s.serial, s.tokens = n.Serial, n.Tokens
	for _, err := range []error{
		fill(s.users, n.Users, "user", func(u *User) ID { return u.ID }),
		fill(s.apps, n.Apps, "application", func(a *Application) ID { return a.ID }),
		fill(s.principals, n.Principals, "service principal", func(p *ServicePrincipal) ID { return p.ID }),
		fill(s.assignments, n.Assignments, "app role assignment", func(a *AppRoleAssignment) ID { return a.ID }),
		fill(s.grants, n.Grants, "grant", func(g *Grant) ID { return g.ID }),
		fill(s.roles, n.Roles, "role assignment", func(r *RoleAssignment) ID { return r.ID }),
		fill(s.devices, n.Devices, "device", func(v *Device) ID { return v.ID }),
		fill(s.mailboxes, n.Mailboxes, "mailbox", func(m *Mailbox) ID { return m.Owner }),
		fill(s.logging, n.Logging, "logging", nil),
		fill(s.licenses, n.Licenses, "license", func(l *License) ID { return l.User }),
		fill(s.sessions, n.Sessions, "session", func(v *Session) ID { return v.ID }),
		fill(s.lockouts, n.Lockouts, "lockout", nil),
		fill(s.binds, n.Binds, "count of binds", nil),
		s.sound(),
	} {
		if err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.state = s
	d.epoch++
	d.indexLocked()
	return nil
}

// fill copies a table and refuses values that stand in a wrong place.
func fill[T any](to, from table[T], what string, id func(*T) ID) error {
	for key, v := range from {
		if v == nil || id != nil && id(v) != key {
			return fmt.Errorf("snapshot: the %s %s is not what its key says", what, key)
		}
		to[key] = v
	}
	return nil
}

// sound checks what the methods rely on: that what assignments and grants tie
// exists.
func (s *state) sound() error {
	for id, a := range s.assignments {
		if s.principals[a.Resource] == nil {
			return fmt.Errorf("snapshot: the app role assignment %s is on a service principal that does not exist", id)
		}
	}
	for id, g := range s.grants {
		if s.principals[g.Client] == nil || s.principals[g.Resource] == nil {
			return fmt.Errorf("snapshot: the grant %s is for or on a service principal that does not exist", id)
		}
	}
	return nil
}
