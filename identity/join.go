// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// link is a vendor's id that records show beside an address, from one hour to another.
type link struct {
	tenant, suite, uid, address string
	first, last                 int64
}

// Rules are what people say of identity.
type Rules struct {
	List  *List // nil: none
	Links []Pair
	Deny  []Pair
	// Organizations are tenants that belong together. Those that are in none of them do as well.
	Organizations [][]string
}

// maxNames is how many addresses an account of a person may have had.
const maxNames = 32

// scope is the organization of a tenant: 0 of those that are in none.
func (r *Rules) scope(tenant string) int {
	for i, org := range r.Organizations {
		if slices.Contains(org, tenant) {
			return i + 1
		}
	}
	return 0
}

// listScope is the organization that the list and the pairs speak of: the first one, or all tenants if there is none.
func (r *Rules) listScope() int { return min(1, len(r.Organizations)) }

// joiner finds out which nodes (accounts, and addresses for a time) are one person.
type joiner struct {
	rules *Rules

	parent []int32
	row    []int32 // of roots: the row of the list that is in it, or -1
	barred []bool  // of roots: something in it is denied

	accounts map[key]int32 // node of an account
	names    []name        // of address nodes
	nameAt   []int32       // of nodes: place in names, or -1
	count    map[int32]int // of account nodes: addresses
	pairs    [][2]int32    // that records show: account, address

	asked  map[Ref]int32 // what the list and the pairs name, and its node, once it is known
	denied [][2]int32

	tenants map[string]uint32  // the suites of a tenant, a bit each
	spans   map[scoped][]int32 // address nodes of an address that is not only one
	shared  map[scoped]bool
}

// name is an address in the time between two changes of hands.
type name struct {
	scope    int
	address  string
	from, to int64 // hours, from ≤ t < to
	first    int64 // when records show it first
	suffix   bool  // somebody else had it before
}

type scoped struct {
	scope   int
	address string
}

// join makes a snapshot of links, which come sorted by address.
func join(rules *Rules, links func(yield func(*link) error) error) (*Snapshot, error) {
	j := &joiner{
		rules: rules, accounts: map[key]int32{}, count: map[int32]int{}, asked: map[Ref]int32{},
		tenants: map[string]uint32{}, spans: map[scoped][]int32{}, shared: map[scoped]bool{},
	}
	j.ask()
	var group []link
	err := links(func(l *link) error {
		if len(group) > 0 && group[0].address != l.address {
			j.address(group)
			group = group[:0]
		}
		group = append(group, *l)
		return nil
	})
	if err != nil {
		return nil, err
	}
	j.address(group)
	j.declare()
	j.recorded()
	return j.snapshot(), nil
}

// ask notes what the list and the pairs name.
func (j *joiner) ask() {
	r := j.rules
	if r.List != nil {
		for i := range r.List.Rows {
			row := &r.List.Rows[i]
			j.asked[Ref{ID: row.Mail}] = -1
			for _, a := range row.Accounts {
				j.asked[a] = -1
			}
		}
	}
	for _, list := range [...][]Pair{r.Links, r.Deny} {
		for _, p := range list {
			j.asked[p[0]], j.asked[p[1]] = -1, -1
		}
	}
}

func (j *joiner) node() int32 {
	n := int32(len(j.parent))
	j.parent, j.row, j.barred, j.nameAt = append(j.parent, n), append(j.row, -1), append(j.barred, false), append(j.nameAt, -1)
	return n
}

func (j *joiner) account(scope int, l *link) int32 {
	k := accountKey(l.tenant, l.uid)
	n, ok := j.accounts[k]
	if !ok {
		n = j.node()
		j.accounts[k] = n
		if ref := (Ref{l.suite, l.uid}); scope == j.rules.listScope() {
			if _, asked := j.asked[ref]; asked {
				j.asked[ref] = n
			}
		}
	}
	return n
}

func (j *joiner) name(n name) int32 {
	at := j.node()
	j.nameAt[at] = int32(len(j.names))
	j.names = append(j.names, n)
	return at
}

// address takes the links of one address in all organizations.
func (j *joiner) address(links []link) {
	slices.SortFunc(links, func(a, b link) int {
		return cmp.Or(cmp.Compare(j.rules.scope(a.tenant), j.rules.scope(b.tenant)), cmp.Compare(a.first, b.first), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.uid, b.uid))
	})
	for len(links) > 0 {
		scope, n := j.rules.scope(links[0].tenant), 1
		for n < len(links) && j.rules.scope(links[n].tenant) == scope {
			n++
		}
		j.held(scope, links[:n])
		links = links[n:]
	}
}

// held takes the links of an address in an organization, in the order in which they begin.
func (j *joiner) held(scope int, links []link) {
	cuts, shared := holders(links)
	at := scoped{scope, links[0].address}
	nodes := make([]int32, 0, len(links))
	for i := range links {
		l := &links[i]
		j.tenants[l.tenant] |= 1 << slices.Index(Suites, l.suite)
		n := j.account(scope, l)
		j.count[n]++
		nodes = append(nodes, n)
	}
	if shared {
		j.shared[at] = true
		return
	}
	var spans []int32
	for i := 0; i <= len(cuts); i++ {
		n := name{scope: scope, address: at.address, from: math.MinInt64, to: math.MaxInt64, first: math.MaxInt64, suffix: i > 0}
		if i > 0 {
			n.from = cuts[i-1]
		}
		if i < len(cuts) {
			n.to = cuts[i]
		}
		spans = append(spans, j.name(n))
	}
	for i := range links {
		l := &links[i]
		for _, s := range spans {
			n := &j.names[j.nameAt[s]]
			if n.from <= l.first && l.last < n.to {
				n.first = min(n.first, l.first)
				j.pairs = append(j.pairs, [2]int32{nodes[i], s})
			}
		}
	}
	ref := Ref{ID: at.address}
	if _, asked := j.asked[ref]; asked && scope == j.rules.listScope() {
		j.asked[ref] = spans[len(spans)-1] // the list is of the present
	}
	if len(spans) > 1 {
		j.spans[at] = spans
	}
}

// holders finds out when an address came into other hands, and whether several accounts of a tenant have it at a time. Each
// tenant shows a change of hands between the last hour of one account and the first of the next; changes that may be one are
// one, as early as they can be.
func holders(links []link) (cuts []int64, shared bool) {
	type change struct{ after, by int64 }
	var changes []change
	last := map[string]int64{} // by tenant
	for i := range links {
		l := &links[i]
		if manyHolders(l.suite) {
			continue
		}
		until, before := last[l.tenant]
		if before && l.first <= until {
			return nil, true
		}
		if before {
			changes = append(changes, change{until, l.first})
		}
		last[l.tenant] = max(until, l.last)
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.by, b.by) })
	for _, c := range changes {
		if n := len(cuts); n == 0 || cuts[n-1] <= c.after {
			cuts = append(cuts, c.by)
		}
	}
	return cuts, false
}

func (j *joiner) find(n int32) int32 {
	for j.parent[n] != n {
		j.parent[n] = j.parent[j.parent[n]]
		n = j.parent[n]
	}
	return n
}

// unite joins two nodes, unless somebody says that they are apart.
func (j *joiner) unite(a, b int32) {
	a, b = j.find(a), j.find(b)
	if a == b || j.row[a] >= 0 && j.row[b] >= 0 {
		return
	}
	if j.barred[a] && j.barred[b] {
		for _, d := range j.denied {
			x, y := j.find(d[0]), j.find(d[1])
			if x == a && y == b || x == b && y == a {
				return
			}
		}
	}
	j.parent[b] = a
	j.row[a] = max(j.row[a], j.row[b])
	j.barred[a] = j.barred[a] || j.barred[b]
}

// of returns the node of what the list or a pair names; an address that no record shows gets one.
func (j *joiner) of(r Ref) int32 {
	n := j.asked[r]
	if n < 0 && r.Suite == "" {
		at := scoped{j.rules.listScope(), r.ID}
		n = j.name(name{scope: at.scope, address: at.address, from: math.MinInt64, to: math.MaxInt64, first: math.MaxInt64})
		j.asked[r] = n
		if j.shared[at] { // the list knows whose it is
			delete(j.shared, at)
			j.spans[at] = []int32{n}
		}
	} else if n < 0 {
		n = j.node() // an account that was not seen, or a login name
		j.asked[r] = n
	}
	return n
}

// declare joins what people say.
func (j *joiner) declare() {
	r := j.rules
	for _, p := range r.Deny {
		d := [2]int32{j.of(p[0]), j.of(p[1])}
		j.denied = append(j.denied, d)
		j.barred[d[0]], j.barred[d[1]] = true, true
	}
	if r.List != nil {
		for i := range r.List.Rows {
			row := &r.List.Rows[i]
			n := j.of(Ref{ID: row.Mail})
			if root := j.find(n); j.row[root] < 0 {
				j.row[root] = int32(i)
			}
			for _, a := range row.Accounts {
				j.unite(n, j.of(a))
			}
		}
	}
	for _, p := range r.Links {
		j.unite(j.of(p[0]), j.of(p[1]))
	}
}

// recorded joins what records show.
func (j *joiner) recorded() {
	for _, p := range j.pairs {
		if j.count[p[0]] <= maxNames {
			j.unite(p[1], p[0])
		}
	}
}

// title is what a person is called by an address.
func (n *name) title() string {
	if !n.suffix {
		return n.address
	}
	return fmt.Sprintf("%s~%s", n.address, time.Unix(n.from*3600, 0).UTC().Format("2006-01-02T15"))
}

// snapshot names the people and forgets what goes without saying.
func (j *joiner) snapshot() *Snapshot {
	s := &Snapshot{rules: j.rules, accounts: make(map[key]int32, len(j.accounts)), addresses: map[scoped][]span{}, declared: map[Ref]int32{}, tenants: j.tenants}
	best := map[int32]int32{} // the name that a root is called by
	for i := range j.nameAt {
		at := j.nameAt[i]
		if at < 0 {
			continue
		}
		n, root := &j.names[at], j.find(int32(i))
		b, ok := best[root]
		if !ok || cmp.Or(cmp.Compare(n.first, j.names[b].first), cmp.Compare(n.address, j.names[b].address), cmp.Compare(n.from, j.names[b].from)) < 0 {
			best[root] = at
		}
	}
	if l := j.rules.List; l != nil {
		for i := range l.Rows {
			n := j.asked[Ref{ID: l.Rows[i].Mail}]
			if root := j.find(n); j.row[root] == int32(i) {
				best[root] = j.nameAt[n]
			}
		}
	}
	people := map[int32]int32{} // by root
	person := func(node int32) int32 {
		root := j.find(node)
		p, ok := people[root]
		if ok {
			return p
		}
		at, named := best[root]
		if !named {
			return nobody
		}
		n := &j.names[at]
		p = int32(len(s.people))
		people[root] = p
		s.people = append(s.people, known{id: n.title(), scope: n.scope, row: j.row[root]})
		return p
	}
	for k, n := range j.accounts {
		if p := person(n); p != nobody {
			s.accounts[k] = p
		}
	}
	for i := range j.nameAt {
		at := j.nameAt[i]
		if at < 0 {
			continue
		}
		n, p := &j.names[at], person(int32(i))
		of := scoped{n.scope, n.address}
		if _, several := j.spans[of]; several || s.people[p].id != n.address || s.people[p].row >= 0 {
			s.addresses[of] = append(s.addresses[of], span{n.from, p})
		}
	}
	for of := range j.shared {
		s.addresses[of] = []span{{math.MinInt64, nobody}}
	}
	for of := range s.addresses {
		slices.SortFunc(s.addresses[of], func(a, b span) int { return cmp.Compare(a.from, b.from) })
	}
	for ref, n := range j.asked {
		if ref.Suite != "" && n >= 0 {
			if p := person(n); p != nobody {
				s.declared[ref] = p
			}
		}
	}
	s.sum()
	return s
}
