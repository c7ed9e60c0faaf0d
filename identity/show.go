// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// ErrUnknown says that nobody is known by a name.
var ErrUnknown = errors.New("nobody is known by this")

// Person is somebody with all accounts, and why they are theirs.
type Person struct {
	ID     string            `json:"person"` // the address that they are called by
	Name   string            `json:"name,omitempty"`
	Fields map[string]string `json:"fields,omitempty"` // other columns of the HR list
	// Evidence is of what people say: the line of the list, pairs of the configuration.
	Evidence  []string  `json:"evidence"`
	Addresses []Address `json:"addresses"`
	Accounts  []Account `json:"accounts"`
	// Apart are accounts that records show with one of the addresses and that are not joined.
	Apart []Apart `json:"not_joined"`
}

// Address is a mail address of a person.
type Address struct {
	Address string `json:"address"`
	// From and Until say since when and how long it is this person's; absent: as far as is known.
	From  *time.Time `json:"from,omitempty"`
	Until *time.Time `json:"until,omitempty"`

	from, to int64 // hours, from ≤ t < to
}

// Account is an account in a suite. Tenant is empty if the HR list or the configuration says so and no record shows it.
type Account struct {
	Suite  string  `json:"suite"`
	Tenant string  `json:"tenant,omitempty"`
	ID     string  `json:"id"`
	Shown  []Shown `json:"shown"`
}

// Shown is an address that records show an account with.
type Shown struct {
	Address    string    `json:"address"`
	First      time.Time `json:"first"` // in this hour
	Last       time.Time `json:"last"`
	FirstEvent string    `json:"first_event"` // ids, which prove takes
	LastEvent  string    `json:"last_event"`
}

// Apart is an account that is not joined.
type Apart struct {
	Account
	Why string `json:"why"`
}

// find reads what people call somebody by: an address, the name of a person, "suite:id".
func (s *Snapshot) find(name string) (scope int, p int32, address string, err error) {
	name = strings.TrimSpace(name)
	if address, since, ok := strings.Cut(Fold(name), "~"); ok && IsAddress(address) {
		for scope := range s.scopes {
			for _, x := range s.addresses[scoped{scope, address}] {
				if x.person != nobody && strings.EqualFold(s.people[x.person].id, address+"~"+since) {
					return scope, x.person, address, nil
				}
			}
		}
		return 0, nobody, "", fmt.Errorf("%w: %.80s", ErrUnknown, name)
	}
	ref, err := ParseRef(name)
	if err != nil {
		return 0, nobody, "", fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if ref.Suite != "" {
		if p, ok := s.declared[ref]; ok {
			return s.people[p].scope, p, "", nil
		}
		for tenant, has := range s.tenants {
			if has&(1<<slices.Index(Suites, ref.Suite)) == 0 {
				continue
			}
			if p, ok := s.accounts[accountKey(tenant, ref.ID)]; ok {
				return s.people[p].scope, p, "", nil
			}
		}
		return 0, nobody, "", fmt.Errorf("%w: %.80s", ErrUnknown, name)
	}
	// Who has it now; in the first organization that knows anything of it.
	for scope := range s.scopes {
		if _, special := s.addresses[scoped{scope, ref.ID}]; special {
			p, sure := s.holder(scope, ref.ID, math.MaxInt64)
			if !sure {
				p = nobody
			}
			return scope, p, ref.ID, nil
		}
	}
	return 0, nobody, ref.ID, nil
}

// Show returns who somebody is that people call by an address, by the name of a person, or by "suite:id". An address
// that nothing is known of is a person with that address alone.
func (b *Book) Show(ctx context.Context, name string) (*Person, error) {
	s := b.Snapshot()
	scope, p, address, err := s.find(name)
	if err != nil {
		return nil, err
	}
	out := &Person{ID: address, Evidence: []string{}, Addresses: []Address{}, Accounts: []Account{}, Apart: []Apart{}}
	v := visit{book: b, snap: s, scope: scope, person: p, out: out, asked: map[string]bool{}, accounts: map[key]bool{}, apart: map[key]int{}}
	if p != nobody {
		out.ID = s.people[p].id
	} else {
		// A person known by one address has a name and no entry; an account may say which it is.
		if err := v.own(ctx, address); err != nil {
			return nil, err
		}
	}
	v.declared()
	if p == nobody && address != "" {
		v.ask(address)
	} else if title, _, _ := strings.Cut(out.ID, "~"); IsAddress(title) {
		v.ask(title)
	}
	for len(v.queue) > 0 {
		next := v.queue[0]
		v.queue = v.queue[1:]
		if err := v.address(ctx, next); err != nil {
			return nil, fmt.Errorf("identity: %w", err)
		}
	}
	slices.SortFunc(out.Addresses, func(a, b Address) int {
		return cmp.Or(strings.Compare(a.Address, b.Address), cmp.Compare(a.from, b.from))
	})
	slices.SortFunc(out.Accounts, Account.compare)
	slices.SortFunc(out.Apart, func(a, b Apart) int { return a.compare(b.Account) })
	for i := range out.Accounts {
		slices.SortFunc(out.Accounts[i].Shown, func(a, b Shown) int { return a.First.Compare(b.First) })
	}
	return out, nil
}

func (a Account) compare(b Account) int {
	return cmp.Or(strings.Compare(a.Suite, b.Suite), strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.ID, b.ID))
}

// visit goes from addresses to accounts and back.
type visit struct {
	book     *Book
	snap     *Snapshot
	scope    int
	person   int32
	out      *Person
	asked    map[string]bool
	queue    []string
	accounts map[key]bool
	apart    map[key]int // places
}

// own finds the person that an address without an entry is the name of, by an account.
func (v *visit) own(ctx context.Context, address string) error {
	return v.book.each(ctx, `WHERE address = $1`, []any{address}, func(l *Link) error {
		p, ok := v.snap.accounts[accountKey(l.tenant, l.uid)]
		if ok && v.snap.people[p].id == address && v.snap.people[p].scope == v.scope {
			v.person = p
		}
		return nil
	})
}

// ask notes an address to be looked at, if it is the person's at some time.
func (v *visit) ask(address string) {
	if v.asked[address] {
		return
	}
	v.asked[address] = true
	v.queue = append(v.queue, address)
	spans, special := v.snap.addresses[scoped{v.scope, address}]
	if !special {
		v.out.Addresses = append(v.out.Addresses, Address{Address: address, from: math.MinInt64, to: math.MaxInt64})
		return
	}
	for i, x := range spans {
		if x.person != v.person && !(v.person == nobody && x.person == nobody) {
			continue
		}
		a := Address{Address: address, from: x.from, to: math.MaxInt64}
		if x.from != math.MinInt64 {
			t := hourTime(x.from)
			a.From = &t
		}
		if i+1 < len(spans) {
			a.to = spans[i+1].from
			t := hourTime(a.to)
			a.Until = &t
		}
		v.out.Addresses = append(v.out.Addresses, a)
	}
}

func hourTime(h int64) time.Time { return time.Unix(h*3600, 0).UTC() }

// declared adds what the list and the configuration say.
func (v *visit) declared() {
	s := v.snap
	if row := s.row(v.person); row != nil {
		l := s.rules.List
		v.out.Name, v.out.Fields = row.Name, map[string]string{}
		for i, column := range l.Columns {
			if row.Fields[i] != "" {
				v.out.Fields[column] = row.Fields[i]
			}
		}
		v.out.Evidence = append(v.out.Evidence, fmt.Sprintf("%s line %d", l.Name, row.Line))
		v.refs(Ref{ID: row.Mail})
		v.refs(row.Accounts...)
	}
	for _, p := range s.rules.Links {
		for _, r := range p {
			if v.is(r) {
				v.out.Evidence = append(v.out.Evidence, fmt.Sprintf("[identity] links: %s %s", p[0], p[1]))
				v.refs(p[:]...)
				break
			}
		}
	}
}

func (v *visit) is(r Ref) bool {
	if r.Suite != "" {
		p, ok := v.snap.declared[r]
		return ok && p == v.person && p != nobody
	}
	p, _ := v.snap.holder(v.scope, r.ID, math.MaxInt64)
	return p != nobody && p == v.person
}

func (v *visit) refs(list ...Ref) {
	for _, r := range list {
		switch {
		case !v.is(r):
		case r.Suite == "":
			v.ask(r.ID)
		default:
			v.out.Accounts = append(v.out.Accounts, Account{Suite: r.Suite, ID: r.ID, Shown: []Shown{}})
		}
	}
}

// address looks at the accounts that have an address.
func (v *visit) address(ctx context.Context, address string) error {
	var links []Link
	err := v.book.each(ctx, `WHERE address = $1 ORDER BY tenant, uid`, []any{address}, func(l *Link) error {
		if v.snap.rules.scope(l.tenant) == v.scope {
			links = append(links, *l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range links {
		l := &links[i]
		k := accountKey(l.tenant, l.uid)
		p, ok := v.snap.accounts[k]
		if ok && p == v.person {
			if !v.accounts[k] {
				if err := v.account(ctx, k, l); err != nil {
					return err
				}
			}
			continue
		}
		at, done := v.apart[k]
		if !done {
			at = len(v.out.Apart)
			v.apart[k] = at
			v.out.Apart = append(v.out.Apart, Apart{Account{Suite: l.suite, Tenant: l.tenant, ID: l.uid, Shown: []Shown{}}, v.why(l, p, ok)})
		}
		v.out.Apart[at].Shown = append(v.out.Apart[at].Shown, l.shown())
	}
	return nil
}

func (l *Link) shown() Shown {
	return Shown{l.address, hourTime(l.first), hourTime(l.last), l.From, l.Until}
}

// why says why an account is not this person's.
func (v *visit) why(l *Link, p int32, known bool) string {
	if _, sure := v.snap.holder(v.scope, l.address, l.first); !sure {
		return "the address is shared: two accounts at the same time"
	}
	if known && v.snap.people[p].id != v.out.ID {
		return "it is " + v.snap.people[p].id
	}
	if from, _ := v.snap.holder(v.scope, l.address, l.first); from != nobody {
		if to, _ := v.snap.holder(v.scope, l.address, l.last); to != from {
			return "the address changed hands meanwhile"
		}
	}
	return fmt.Sprintf("it is denied, or has over %d addresses", maxNames)
}

// account adds an account of the person, and asks for its other addresses.
func (v *visit) account(ctx context.Context, k key, of *Link) error {
	a := Account{Suite: of.suite, Tenant: of.tenant, ID: of.uid, Shown: []Shown{}}
	err := v.book.each(ctx, `WHERE tenant = $1 AND uid = $2 ORDER BY address`, []any{of.tenant, of.uid}, func(l *Link) error {
		a.Shown = append(a.Shown, l.shown())
		return nil
	})
	if err != nil {
		return err
	}
	v.accounts[k] = true
	// The list may have named it without knowing the tenant.
	v.out.Accounts = slices.DeleteFunc(v.out.Accounts, func(x Account) bool { return len(x.Shown) == 0 && x.Suite == a.Suite && x.ID == a.ID })
	v.out.Accounts = append(v.out.Accounts, a)
	for i := range a.Shown {
		x := &a.Shown[i]
		if p, sure := v.snap.holder(v.scope, x.Address, x.First.Unix()/3600); sure && (p == v.person || p == nobody) {
			v.ask(x.Address)
		}
	}
	return nil
}
