// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"strings"
)

// Snapshot is who is who, at a moment. It is never changed; looking somebody up takes no memory.
type Snapshot struct {
	rules     *Rules
	people    []known
	accounts  map[key]int32     // person
	addresses map[scoped][]span // that are not simply a person's name
	declared  map[Ref]int32     // person of an account or a login name, whatever the tenant
	tenants   map[string]uint32 // the suites that a tenant has, a bit each of Suites
	scopes    []string
	digest    string
}

// known is a person: the name, the organization, the row of the list or -1.
type known struct {
	id    string
	scope int
	row   int32
}

// span is who has an address from an hour on.
type span struct {
	from   int64
	person int32
}

// nobody is the person of what is shared or not sure.
const nobody = -1

// key names an account: half of a SHA-256, so that no two are ever one.
type key [16]byte

func accountKey(tenant, uid string) (k key) {
	var buf [640]byte
	b := append(append(buf[:0], tenant...), 0)
	for i := range len(uid) {
		c := uid[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		b = append(b, c)
	}
	sum := sha256.Sum256(b)
	copy(k[:], sum[:])
	return k
}

// empty is the snapshot of no links and no rules.
var empty = func() *Snapshot {
	s := &Snapshot{rules: &Rules{}}
	s.sum()
	return s
}()

// sum makes what does not change any more.
func (s *Snapshot) sum() {
	s.scopes = []string{""}
	for i, org := range s.rules.Organizations {
		s.scopes = append(s.scopes, fmt.Sprintf("organization %d %s", i+1, strings.Join(org, " ")))
	}
	var total uint64
	var number [8]byte
	add := func(p int32, parts ...string) {
		h := fnv.New64a()
		if p != nobody {
			parts = append(parts, s.people[p].id)
		}
		for _, x := range parts {
			h.Write(binary.BigEndian.AppendUint32(number[:0], uint32(len(x))))
			h.Write([]byte(x))
		}
		total += h.Sum64() // whatever the order
	}
	for k, p := range s.accounts {
		add(p, "account", string(k[:]))
	}
	for of, spans := range s.addresses {
		for _, x := range spans {
			add(x.person, "address", s.scopes[of.scope], of.address, fmt.Sprint(x.from))
		}
	}
	for ref, p := range s.declared {
		add(p, "declared", ref.String())
	}
	add(nobody, s.scopes...)
	s.digest = fmt.Sprintf("%016x", total)
}

// Digest is equal for snapshots that say the same.
func (s *Snapshot) Digest() string { return s.digest }

// Person says who an account of a tenant is at a time in nanoseconds since 1970: whom it is the name of, and in which
// organization that is. The account is a mail address or a vendor's id, in lower case. Whom nothing is known of, or whose
// it is is not sure, stands for itself: an address in the organization, an id in the tenant.
func (s *Snapshot) Person(tenant, account string, at int64) (scope, person string) {
	of := s.rules.scope(tenant)
	p, sure := s.person(of, tenant, account, at)
	switch {
	case !sure:
		return tenant, account
	case p == nobody:
		return s.scopes[of], account
	}
	return s.scopes[of], s.people[p].id
}

// person finds a person; nobody for an address that is its own name. What is not sure is not known.
func (s *Snapshot) person(scope int, tenant, account string, at int64) (p int32, sure bool) {
	if IsAddress(account) {
		return s.holder(scope, account, floorHour(at))
	}
	if p, ok := s.accounts[accountKey(tenant, account)]; ok {
		return p, true
	}
	if len(s.declared) == 0 || scope != s.rules.listScope() {
		return nobody, false
	}
	has := s.tenants[tenant]
	for i, name := range Suites {
		if has&(1<<i) == 0 {
			continue
		}
		if p, ok := s.declared[Ref{name, account}]; ok {
			return p, true
		}
	}
	return nobody, false
}

// holder finds who has an address in an hour.
func (s *Snapshot) holder(scope int, address string, hour int64) (p int32, sure bool) {
	spans, special := s.addresses[scoped{scope, address}]
	if !special {
		return nobody, true
	}
	p = spans[0].person
	for _, x := range spans[1:] {
		if x.from <= hour {
			p = x.person
		}
	}
	return p, p != nobody
}

func floorHour(ns int64) int64 {
	h := ns / 3600e9
	if ns%3600e9 < 0 {
		h--
	}
	return h
}

// row is the line of the list that a person has.
func (s *Snapshot) row(p int32) *Row {
	if p == nobody || s.people[p].row < 0 {
		return nil
	}
	return &s.rules.List.Rows[s.people[p].row]
}

// contested reports whether it matters how long links of an address last.
func (s *Snapshot) contested(scope int, address string) bool {
	_, special := s.addresses[scoped{scope, address}]
	return special
}

// List returns the HR list, nil if there is none.
func (s *Snapshot) List() *List { return s.rules.List }
