// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/correlate"
)

// key names an entity of a tenant, or a person of an organization.
type key [16]byte

func keyOf(tenant, kind, id string) (k key) {
	h := sha256.New()
	for _, s := range [...]string{tenant, kind, id} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	var sum [sha256.Size]byte
	copy(k[:], h.Sum(sum[:0]))
	return k
}

// recordKey is the key of a record. It begins with the time, so that records of a time are kept
// side by side: each is a key of its own, and a thousand of them should not be on as many pages.
func recordKey(tenant string, r *correlate.Ref) key {
	k := keyOf(tenant, "record", string(r.Key[:]))
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(r.Time))
	copy(k[:6], at[:])
	return k
}

// link is one entity of an alert, as far as alerts are joined by it.
type link struct {
	key  key
	role role
	// about says that the alert is about it. Otherwise it is merely there, as the
	// address that somebody came from is.
	about bool
	// shared says that it is of a kind that several people use at a time: addresses,
	// applications, devices.
	shared bool
	// person says that it is an account or a mailbox: what busy entities are told by.
	person bool
	// self tells a person's account and mailbox apart from another's: the key of its
	// address alone.
	self key
	// bond says that alerts are joined by it, for it is not too busy (bind).
	bond bool
}

// role is what the entity did.
type role uint8

const (
	actor role = iota
	target
	source
)

// Limits on what is taken from one alert. Whoever has more entities than this is
// joined by the first of them.
const (
	maxEntities = 512
	maxID       = 512 // bytes of an id; the rest does not tell entities apart
)

// linksOf says what an alert can be joined by.
func (s *settings) linksOf(a *detect.Alert) []link {
	grouped := map[string]bool{}
	for _, g := range a.Group {
		grouped[strings.ToLower(g.Value)] = true
	}
	entities := a.Entities[:min(len(a.Entities), maxEntities)]
	// An application that acts with no person is what the alert is about, and so is an address
	// or a device with neither.
	noPerson := !slices.ContainsFunc(entities, isPerson)
	nobody := noPerson && !slices.ContainsFunc(entities, func(e detect.Entity) bool { return e.Type == "app" && e.Role == "actor" })
	owners := ownersOf(a)
	var links []link
	add := func(l link) {
		if i := slices.IndexFunc(links, func(o link) bool { return o.key == l.key && o.role == l.role }); i >= 0 {
			links[i].about = links[i].about || l.about
			return
		}
		links = append(links, l)
	}
	for i := range entities {
		e := &entities[i]
		id := strings.ToLower(e.ID[:min(len(e.ID), maxID)])
		if id == "" || s.isCommon(e.Type, id, strings.ToLower(e.Name)) {
			continue
		}
		l := link{key: keyOf(a.Tenant, e.Type, id), role: roleOf(e.Role), about: true}
		switch e.Type {
		case "user", "mailbox":
			organization, person := s.person(a.Tenant, id, a.First.UnixNano())
			l.person, l.self = true, keyOf(organization, "", person)
			if e.Type == "user" { // somebody's accounts in all suites are one; a mailbox may be many people's
				l.key = keyOf(organization, e.Type, person)
			}
			l.about = l.role != actor || !owners[id]
		case "session", "token", "group", "domain", "object":
		case "ip", "app", "device":
			l.shared = true
			l.about = l.role == target || grouped[id] || nobody || noPerson && e.Type == "app"
		default: // a role, a file, the tenant: they say what, not who
			continue
		}
		add(l)
		// Some records call a user by name where others have an id, and an application by an
		// id of the directory where others have that of the registration.
		if name := strings.ToLower(e.Name); name != id && (e.Type == "app" && len(name) > 3 || e.Type == "user" && strings.Contains(name, "@")) {
			tenant := a.Tenant
			if e.Type == "user" {
				tenant, name = s.person(a.Tenant, name, a.First.UnixNano())
			}
			l.key, l.person = keyOf(tenant, e.Type, name), false
			add(l)
		}
	}
	if a.Kind == "single" && len(a.Refs) == 1 { // several rules have matched the same record
		add(link{key: recordKey(a.Tenant, &a.Refs[0]), about: true})
	}
	return aloneCrowd(links)
}

// aloneCrowd makes the people that an alert has too many of in one role merely there: one of a
// hundred whose password was guessed at is not part of the matter yet.
func aloneCrowd(links []link) []link {
	for r := actor; r <= source; r++ {
		n := 0
		for i := range links {
			if links[i].person && links[i].role == r {
				n++
			}
		}
		for i := range links {
			if links[i].person && links[i].role == r && n > crowd {
				links[i].about = false
			}
		}
	}
	return links
}

// subjectOf is the account or application that the rule groups by, if there is one: what a
// correlation of many records is about.
func subjectOf(a *detect.Alert) *detect.Entity {
	for _, g := range a.Group {
		for i := range a.Entities {
			if e := &a.Entities[i]; e.Role == "actor" && (e.Type == "user" || e.Type == "app") && strings.EqualFold(e.ID, g.Value) && !nobodies[strings.ToLower(e.ID)] && !firstParty[strings.ToLower(e.ID)] {
				return e
			}
		}
	}
	return nil
}

// ownersOf are the accounts that an alert about an application names only because it was in their
// mailboxes: Exchange calls the owner the user.
func ownersOf(a *detect.Alert) map[string]bool {
	s := subjectOf(a)
	if s == nil || s.Type != "app" {
		return nil
	}
	owners := map[string]bool{}
	for i := range a.Entities {
		if e := &a.Entities[i]; e.Type == "mailbox" {
			owners[strings.ToLower(e.ID)] = true
		}
	}
	return owners
}

func roleOf(text string) role {
	switch text {
	case "actor":
		return actor
	case "target":
		return target
	}
	return source
}

// isPerson reports whether an entity is an account that acts and that is not an application's.
// Beside one, an application is the program that is used.
func isPerson(e detect.Entity) bool {
	if e.Type != "user" || e.Role == "target" || e.ID == "" {
		return false
	}
	id := strings.ToLower(e.ID)
	return !strings.HasPrefix(id, "serviceprincipal_") && !strings.HasPrefix(id, "app@") && !isGUID(id) && !nobodies[id]
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range s {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// settings are the entities that an installation knows to be everybody's.
type settings struct {
	ids    map[string]bool
	nets   []netip.Prefix
	person func(tenant, account string, at int64) (organization, person string)
}

// newSettings reads Options.Common.
func newSettings(common []string, person func(string, string, int64) (string, string)) *settings {
	s := &settings{ids: map[string]bool{}, person: person}
	if person == nil {
		s.person = func(tenant, account string, _ int64) (string, string) { return tenant, account }
	}
	for _, c := range common {
		if p, err := netip.ParsePrefix(c); err == nil {
			s.nets = append(s.nets, p.Masked())
		} else if a, err := netip.ParseAddr(c); err == nil {
			s.nets = append(s.nets, netip.PrefixFrom(a, a.BitLen()))
		} else {
			s.ids[strings.ToLower(c)] = true
		}
	}
	return s
}

// isCommon reports whether everybody shares an entity, so that sharing it says nothing.
func (s *settings) isCommon(kind, id, name string) bool {
	if s.ids[id] {
		return true
	}
	switch kind {
	case "app":
		return firstParty[id] || firstParty[name]
	case "user", "mailbox":
		return nobodies[id]
	case "ip":
		a, err := netip.ParseAddr(id)
		if err != nil {
			return false
		}
		a = a.Unmap()
		if a.IsPrivate() || a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() {
			return true
		}
		return slices.ContainsFunc(s.nets, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return false
}
