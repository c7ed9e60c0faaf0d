// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// people keeps who is who up to date. What records show comes with the rows that the lake's follower maps; the book has a
// position of its own, and what lies between that and the lake's at the start is mapped once more.
type people struct {
	n      *Node
	book   *identity.Book
	behind bool // the first batches are being mapped once more; the follower's do not move the position yet
	from   uint64
	to     uint64
}

// How often what records show is written down, and at most which part of the time goes into joining.
const (
	savePeople = 2 * time.Second
	joinShare  = 20
)

func openPeople(ctx context.Context, n *Node, c *config.Config, rebuild bool) (*people, error) {
	rules, err := identityRules(c)
	if err != nil {
		return nil, &DirError{"identity: " + err.Error()}
	}
	book, err := identity.Open(ctx, n.db, rules)
	if err != nil {
		return nil, err
	}
	if rebuild && n.actsGone(ctx) {
		n.log.Warn("people are not derived anew: the oldest records are gone by policy, and what is known from them would be lost")
	} else if rebuild {
		if err := book.Reset(ctx); err != nil {
			return nil, err
		}
	}
	p := &people{n: n, book: book, from: book.Position(), to: n.lake.Appended().Batch}
	p.behind = p.from < p.to
	return p, nil
}

func identityRules(c *config.Config) (*identity.Rules, error) {
	r := new(identity.Rules)
	if c.Identity.List != "" {
		var err error
		if r.List, err = identity.ReadList(c.Identity.List); err != nil {
			return nil, fmt.Errorf("list: %w", err)
		}
	}
	for _, x := range [...]struct {
		name  string
		texts []string
		pairs *[]identity.Pair
	}{{"links", c.Identity.Links, &r.Links}, {"deny", c.Identity.Deny, &r.Deny}} {
		for _, text := range x.texts {
			p, err := identity.ParsePair(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", x.name, err)
			}
			*x.pairs = append(*x.pairs, p)
		}
	}
	for _, text := range c.Identity.Organizations {
		r.Organizations = append(r.Organizations, strings.Fields(text))
	}
	return r, nil
}

// take takes in what the records of a batch show; the lake's follower has mapped them.
func (p *people) take(batch uint64, seen []identity.Seen) {
	next := batch + 1
	if p.behind && batch >= p.to {
		next = 0
	}
	p.book.Observe(next, seen)
}

// run writes down and joins until ctx ends.
func (p *people) run(ctx context.Context) {
	if p.behind {
		p.catchUp(ctx)
	}
	tick := time.NewTicker(savePeople)
	defer tick.Stop()
	var rest time.Time
	first := true
	for {
		began := time.Now()
		if first || began.After(rest) {
			if err := p.settle(ctx); err != nil && ctx.Err() == nil {
				p.n.log.Warn("who is who was not brought up to date; it is tried again", "err", err)
			}
			first, rest = false, time.Now().Add(joinShare*time.Since(began))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// catchUp maps what the lake has and the book has not: after a rebuild of the tables, or their first making.
func (p *people) catchUp(ctx context.Context) {
	from := p.n.journal.Follow(p.from)
	m := p.n.mappers.get()
	defer p.n.mappers.put(m)
	for {
		b, err := from.Next(ctx)
		if err != nil {
			return // the next start begins where this one did
		}
		if b.Index >= p.to {
			break
		}
		r := m.rows(p.n.mappers, b, nil)
		p.book.Observe(0, r.people)
		p.n.mappers.recycle(r)
		if p.book.Pending() > 10_000 && p.book.Save(ctx) != nil {
			return
		}
	}
	p.n.follow.whileStill(func() {
		p.behind = false
		p.book.Observe(p.to, nil)
	})
}

// settle writes down what was taken in, joins, and has incidents go by it.
func (p *people) settle(ctx context.Context) error {
	if err := p.book.Save(ctx); err != nil {
		return err
	}
	if p.book.Stale() {
		if err := p.book.Join(ctx); err != nil {
			return err
		}
	}
	digest := p.book.Snapshot().Digest()
	told, err := p.book.Told(ctx)
	if err != nil || told == digest {
		return err
	}
	moved, err := p.n.incidents.Recognize(ctx)
	if err != nil {
		return err
	}
	if moved > 0 {
		p.n.log.Info("alerts were joined anew, because people are known better", "alerts", moved)
	}
	if p.book.Snapshot().Digest() != digest {
		return nil // others meanwhile: again
	}
	return p.book.Tell(ctx, digest)
}

// person is what incidents ask.
func (p *people) person(tenant, account string, at int64) (organization, person string) {
	return p.book.Snapshot().Person(tenant, account, at)
}

// Person returns somebody by an address or an account, with the evidence.
func (n *Node) Person(ctx context.Context, name string) (*identity.Person, error) {
	if err := n.people.settle(ctx); err != nil {
		return nil, err
	}
	p, err := n.people.book.Show(ctx, name)
	if errors.Is(err, identity.ErrUnknown) {
		return nil, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return p, err
}

// resolve puts the accounts of people into the place of their names, and what our own acts are told by into that of own.
func (n *Node) resolve(ctx context.Context, e query.Expr) (query.Expr, error) {
	return query.Resolve(e, ownActs(&n.live.Load().config), func(name string) (query.Expr, error) {
		p, err := n.people.book.Show(ctx, name)
		if errors.Is(err, identity.ErrUnknown) {
			return nil, fmt.Errorf("%w: person:%s: %w", ErrQuery, name, err)
		}
		if err != nil {
			return nil, err
		}
		return accountsOf(p), nil
	})
}

// accountsOf is the condition for what somebody did: by one of the addresses, while it was theirs, or by the id of an
// account in records of its suite.
func accountsOf(p *identity.Person) query.Expr {
	equal := func(column, text string) query.Expr {
		return query.Term{Field: column, Any: []query.Test{{Op: query.Equal, Text: text}}}
	}
	any := query.Or{}
	for _, a := range p.Addresses {
		x := query.And{equal("user", a.Address)}
		if within := (query.Test{Op: query.Range}); a.From != nil || a.Until != nil {
			if a.From != nil {
				within.Lo = query.Bound{Kind: query.Fixed, At: a.From.UnixMilli()}
			}
			if a.Until != nil {
				within.Hi = query.Bound{Kind: query.Fixed, At: a.Until.UnixMilli() - 1}
			}
			x = append(x, query.Term{Field: "time", Any: []query.Test{within}})
		}
		any = append(any, x)
	}
	for _, a := range p.Accounts {
		families := query.Term{Field: "family"}
		for _, f := range identity.Families(a.Suite) {
			families.Any = append(families.Any, query.Test{Op: query.Like, Text: f + "*"})
		}
		x := query.And{families, query.Or{equal("user_uid", a.ID), equal("user", a.ID)}}
		if a.Tenant != "" {
			x = append(x, equal("tenant", a.Tenant))
		}
		any = append(any, x)
	}
	return any
}

// whileStill calls f while no batch is being appended to the lake.
func (f *follower) whileStill(do func()) {
	f.appending.Lock()
	defer f.appending.Unlock()
	do()
}
