// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Tenant is the tenant's id.
func (d *Directory) Tenant() ID { return d.tenant }

// Domain is what its user principal names end in.
func (d *Directory) Domain() string { return d.domain }

// Company is whose tenant it is.
func (d *Directory) Company() *company.Company { return d.company }

// Person returns the account of the n-th person of the company.
func (d *Directory) Person(n int) (User, error) {
	if n < 0 || n >= d.company.People() {
		return User{}, fmt.Errorf("person %d: the company has %d: %w", n, d.company.People(), ErrNotFound)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	id := d.company.ObjectID(n)
	d.people.known[id] = int32(n)
	u, _ := d.userLocked(id)
	return u, nil
}

// User returns the account with the id, deleted ones too.
func (d *Directory) User(id ID) (User, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.userLocked(id)
}

// FindUser finds an account by its user principal name.
func (d *Directory) FindUser(upn string) (User, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, ok := d.findLocked(upn)
	if !ok {
		return User{}, false
	}
	return d.userLocked(id)
}

// Users are the accounts that were changed or that belong to no person, in the
// order of their ids; every other one is as [Directory.Person] derives it.
func (d *Directory) Users() []User {
	d.mu.Lock()
	defer d.mu.Unlock()
	return collect(d.state.users, func(*User) bool { return true })
}

func (d *Directory) userLocked(id ID) (User, bool) {
	if u := d.state.users[id]; u != nil {
		return *u, true
	}
	if d.state.principals[id] != nil || d.state.apps[id] != nil || d.state.devices[id] != nil || id.IsZero() {
		return User{}, false // known to be something else: no need to look through the people
	}
	n, ok := d.people.byID(d.company, id)
	if !ok {
		return User{}, false
	}
	return d.derive(n), true
}

func (d *Directory) findLocked(upn string) (ID, bool) {
	upn = strings.ToLower(upn)
	if id, ok := d.state.upns[upn]; ok {
		return id, !d.state.users[id].Deleted
	}
	n, ok := d.company.Find(upn)
	if !ok {
		return ID{}, false
	}
	id := d.company.ObjectID(n)
	d.people.known[id] = int32(n)
	if u := d.state.users[id]; u != nil && u.Deleted {
		return ID{}, false
	}
	return id, true
}

// derive makes a person's account as it is if nobody has changed it.
func (d *Directory) derive(n int) User {
	p := d.company.Person(n)
	word := wordOf(p.ObjectID)
	created := time.Date(2015, 1, 5, 8, 0, 0, 0, time.UTC).Add(time.Duration(word%3600) * 24 * time.Hour)
	u := User{
		ID: p.ObjectID, UPN: p.UPN, PUID: p.PUID, DisplayName: p.DisplayName, Department: p.Department, Title: p.Title, Person: n,
		Enabled: true, Created: created, PasswordChanged: created.Add(time.Duration(word>>16%90) * 24 * time.Hour),
		Methods: []Method{{ID: record.Hash(word, 1), Kind: Authenticator, Detail: p.GivenName + "'s phone", Created: created}},
	}
	if word>>32%3 == 0 {
		u.Methods = append(u.Methods, Method{ID: record.Hash(word, 2), Kind: Phone, Detail: fmt.Sprintf("+1 555 01%02d", word>>40%100), Created: created})
	}
	return u
}

// derived makes an id that belongs to the tenant for good.
func (d *Directory) derived(words ...string) ID {
	return record.HashText(append([]string{d.tenant.String()}, words...)...)
}

// people finds the company's people by their object ids. Those who were looked
// at by number or name are known; an index of everybody, 16 bytes a person, is
// made when somebody asks for another.
type people struct {
	known map[ID]int32
	ids   []indexed
}

type indexed struct {
	hash   uint64
	person int32
}

func wordAt(id ID) uint64 { return binary.BigEndian.Uint64(id[8:]) }

func (p *people) byID(c *company.Company, id ID) (int, bool) {
	if n, ok := p.known[id]; ok {
		return int(n), true
	}
	p.index(c)
	byHash := func(e indexed, h uint64) int { return cmp.Compare(e.hash, h) }
	i, _ := slices.BinarySearchFunc(p.ids, wordAt(id), byHash)
	for ; i < len(p.ids) && p.ids[i].hash == wordAt(id); i++ {
		if n := int(p.ids[i].person); c.ObjectID(n) == id {
			return n, true
		}
	}
	return 0, false
}

func (p *people) index(c *company.Company) {
	if p.ids != nil {
		return
	}
	p.ids = make([]indexed, c.People())
	for n := range p.ids {
		p.ids[n] = indexed{wordAt(c.ObjectID(n)), int32(n)}
	}
	slices.SortFunc(p.ids, func(a, b indexed) int { return cmp.Compare(a.hash, b.hash) })
}

// indexLocked brings the lookups in line with the tables.
func (d *Directory) indexLocked() {
	clear(d.state.upns)
	for id, u := range d.state.users {
		if other, taken := d.state.upns[strings.ToLower(u.UPN)]; taken && !d.state.users[other].Deleted {
			continue
		}
		d.state.upns[strings.ToLower(u.UPN)] = id
	}
	clear(d.state.appIDs)
	for id, sp := range d.state.principals {
		if !sp.Deleted {
			d.state.appIDs[sp.AppID] = id
		}
	}
}

// mustID reads an id that this package wrote or has in its tables.
func mustID(s string) ID {
	id, err := record.ParseGUID(s)
	if err != nil {
		panic("directory: " + s + " was written as an id and is none")
	}
	return id
}
