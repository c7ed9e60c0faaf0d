// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Event is an audit record that an attack left, with the truth about it.
type Event struct {
	Stream    company.Stream
	Time      time.Time
	ID        string
	Operation string
	Raw       []byte

	Scenario string
	Step     string
	Attack   []string // techniques
	Actor    string   // who acted: a user principal name, or an application's display name
	Entities []string // object ids of who acted and of the accounts and applications it was about
}

// Blocked is an act that the tenant did not let happen.
type Blocked struct {
	Time time.Time
	Step string
	Err  error
}

// Play is a scenario on its way. It is not for concurrent use; the directory is.
type Play struct {
	s       *Scenario
	d       *directory.Directory
	c       *company.Company
	seed    uint64
	chosen  map[string][]int // people by the names of the file
	acts    []planned
	next    int
	blocked []Blocked

	// What the attacker has.
	sessions map[directory.ID]directory.Session
	keys     map[directory.ID][]directory.ID
	tokens   map[[2]directory.ID]directory.Token
}

// planned is an act that is to come.
type planned struct {
	time time.Time
	step *step
	n    int
}

// act is an act while it happens.
type act struct {
	*Play
	planned
	by       directory.By
	who      string
	target   directory.User
	device   directory.ID // the acting person's own
	entities []string
}

// Run plays the whole scenario and returns its events in the order of time.
func (s *Scenario) Run(d *directory.Directory, start time.Time, seed uint64) []Event {
	return s.Play(d, start, seed).Until(start.Add(s.Length() + time.Nanosecond))
}

// Play sets the scenario on a directory. Nothing happens yet.
func (s *Scenario) Play(d *directory.Directory, start time.Time, seed uint64) *Play {
	p := &Play{
		s: s, d: d, c: d.Company(), seed: seed, chosen: map[string][]int{},
		sessions: map[directory.ID]directory.Session{}, keys: map[directory.ID][]directory.ID{}, tokens: map[[2]directory.ID]directory.Token{},
	}
	for name, who := range s.file.People {
		p.chosen[name] = choose(p.c, &who, record.Mix(seed, wordOf(s.Name, name)))
	}
	for i := range s.file.Steps {
		p.plan(&s.file.Steps[i], start)
	}
	slices.SortStableFunc(p.acts, func(a, b planned) int { return a.time.Compare(b.time) })
	return p
}

func wordOf(texts ...string) uint64 {
	g := record.HashText(texts...)
	return uint64(g[0])<<40 | uint64(g[1])<<32 | uint64(g[2])<<24 | uint64(g[3])<<16 | uint64(g[4])<<8 | uint64(g[5])
}

// plan adds the acts of a step.
func (p *Play) plan(s *step, start time.Time) {
	n := s.Count
	if n == 0 {
		switch s.kind.each {
		case "targets":
			n = len(p.targets(s.Targets))
		case "applications":
			n = len(s.Applications)
		case "names":
			n = len(s.Names)
		default:
			n = 1
		}
	}
	begin := start.Add(s.begin)
	for i := range n {
		a := act{Play: p, planned: planned{step: s, n: i}}
		t := begin.Add(a.within(begin, n))
		if s.Jitter > 0 {
			t = t.Add(time.Duration(a.random("jitter") % uint64(s.Jitter)))
		}
		p.acts = append(p.acts, planned{t, s, i})
	}
}

// within is where in over an act lies.
func (a *act) within(begin time.Time, n int) time.Duration {
	over := time.Duration(a.step.Over)
	if over == 0 {
		return 0
	}
	if a.step.Spread == "" || a.step.Spread == "even" {
		return over / time.Duration(n) * time.Duration(a.n)
	}
	h := a.random("within")
	for range 64 {
		d := time.Duration(h % uint64(over))
		if a.step.Spread == "random" || working(begin.Add(d)) {
			return d
		}
		h = record.Mix(h, 1)
	}
	return time.Duration(h % uint64(over))
}

// working tells whether a time is in the working hours of Europe and Africa,
// where most of the simulated companies sit.
func working(t time.Time) bool {
	t = t.UTC()
	return t.Weekday() >= time.Monday && t.Weekday() <= time.Friday && t.Hour() >= 7 && t.Hour() < 17
}

// Next is when the next act is due; false if all have been done.
func (p *Play) Next() (time.Time, bool) {
	if p.next == len(p.acts) {
		return time.Time{}, false
	}
	return p.acts[p.next].time, true
}

// Blocked are the acts so far that the tenant did not let happen.
func (p *Play) Blocked() []Blocked { return slices.Clone(p.blocked) }

// Until does what is due before t and returns the records of it, in the order of
// time.
func (p *Play) Until(t time.Time) []Event {
	var events []Event
	for ; p.next < len(p.acts) && p.acts[p.next].time.Before(t); p.next++ {
		events = append(events, p.perform(p.acts[p.next])...)
	}
	return events
}

func (p *Play) perform(what planned) []Event {
	a := &act{Play: p, planned: what}
	records, err := a.happen()
	if err != nil {
		p.blocked = append(p.blocked, Blocked{a.time, a.step.ID, err})
	}
	slices.Sort(a.entities)
	entities := slices.Compact(a.entities)
	events := make([]Event, len(records))
	for i, r := range records {
		events[i] = Event{Stream: r.Stream, Time: r.Time, ID: r.ID, Operation: r.Operation, Raw: r.Raw, Scenario: p.s.Name, Step: a.step.ID, Attack: a.step.Attack, Actor: a.who, Entities: entities}
	}
	return events
}

func (a *act) happen() ([]directory.Record, error) {
	a.by.Time = a.time
	if targets := a.targets(a.step.Targets); len(targets) > 0 {
		// Over many acts all targets have their turn, in an order of each round's own.
		round, place := a.n/len(targets), a.n%len(targets)
		u, err := a.find(targets[(place*stride(len(targets))+round)%len(targets)])
		if err != nil {
			return nil, err
		}
		a.target, a.who = u, u.UPN
		a.about(u.ID)
	}
	if a.step.By != "" {
		if err := a.actor(); err != nil {
			return nil, err
		}
	}
	a.place()
	if a.step.By != "" && a.by.Session.IsZero() {
		if err := a.token(); err != nil {
			return nil, err
		}
	}
	return a.step.kind.do(a)
}

// stride is a number that has no factor in common with n.
func stride(n int) int {
	for s := n*5/8 + 1; ; s++ {
		a, b := s, n
		for b > 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return s
		}
	}
}

// targets are the names of single accounts that a list of names stands for:
// "#12" is the person of that number.
func (p *Play) targets(names []string) []string {
	var list []string
	for _, name := range names {
		people, ok := p.chosen[name]
		if !ok {
			list = append(list, name)
		}
		for _, n := range people {
			list = append(list, fmt.Sprintf("#%d", n))
		}
	}
	return list
}

// account finds the account that one name stands for, the first if there are
// several.
func (p *Play) account(name string) (directory.User, error) {
	return p.find(p.targets([]string{name})[0])
}

func (p *Play) find(name string) (directory.User, error) {
	n := 0
	if _, err := fmt.Sscanf(name, "#%d", &n); err == nil {
		return p.d.Person(n)
	}
	u, ok := p.d.FindUser(name + "@" + p.d.Domain())
	if !ok {
		return directory.User{}, fmt.Errorf("account %s: %w", name, directory.ErrNotFound)
	}
	return u, nil
}

// about notes an entity that the act concerns.
func (a *act) about(id directory.ID) {
	if !id.IsZero() {
		a.entities = append(a.entities, id.String())
	}
}

// actor finds out who acts: an application by its name, else an account.
func (a *act) actor() error {
	if sp, ok := a.d.FindPrincipal(a.step.By); ok {
		a.by.Actor, a.who = sp.ID, sp.DisplayName
		a.about(sp.ID)
		return nil
	}
	u, err := a.account(a.step.By)
	if err != nil {
		return err
	}
	session, ok := a.sessions[u.ID]
	if !ok {
		return fmt.Errorf("%s has not signed in: %w", u.UPN, directory.ErrDenied)
	}
	a.by.Actor, a.by.Session, a.by.Address, a.by.UserAgent, a.who = u.ID, session.ID, session.Address, session.UserAgent, u.UPN
	a.about(u.ID)
	return nil
}

const defaultAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"

// place finds out where the act comes from. A session keeps its program, and its
// address unless the step names others.
func (a *act) place() {
	self := a.target.Person
	if u, ok := a.d.User(a.by.Actor); ok {
		self = u.Person
	}
	if pool, ok := a.s.file.Addresses[a.step.Addresses]; ok {
		a.by.Address = a.address(&pool, self)
	} else if a.by.Address == "" {
		a.by.Address = a.c.ResidentialAddress(int(wordOf(a.s.Name, fmt.Sprint(a.seed)) % 1_500_000)).String()
	}
	switch {
	case a.step.Agent == "own" && self >= 0:
		own := a.c.Person(self).Devices[0]
		a.by.UserAgent, a.device = own.UserAgent, own.ID
	case a.step.Agent != "" && a.step.Agent != "own":
		list := a.s.file.Agents[a.step.Agent]
		a.by.UserAgent = list[int(a.random("agent")%uint64(len(list)))]
	case a.by.UserAgent == "":
		a.by.UserAgent = defaultAgent
	}
}

func (a *act) address(pool *addresses, self int) string {
	h := a.random("address")
	count := uint64(max(pool.Count, 1))
	first := int(wordOf(a.s.Name, a.step.Addresses, fmt.Sprint(a.seed)) % 1_500_000)
	switch {
	case pool.Pool == "list":
		return pool.List[int(h%uint64(len(pool.List)))]
	case pool.Pool == "hosting":
		return a.c.ServiceAddress(100 + (first+int(h%count))%100).String()
	case pool.Pool == "home" && self >= 0:
		return a.c.Person(self).Home.String()
	case pool.Pool == "office" && self >= 0:
		return a.c.Person(self).OfficeNetwork.Addr().Next().String()
	}
	return a.c.ResidentialAddress(first + int(h%count)).String()
}

// token gives an application that acts a token: the one it has for the service,
// or another by one of the credentials that the attacker has, newest first.
func (a *act) token() error {
	resource := a.step.Resource
	switch {
	case a.step.kind.name == "app-sign-in", slices.Contains([]string{"read-mail", "search-mail", "send-mail"}, a.step.kind.name) && resource != "":
	case slices.Contains([]string{"read-mail", "search-mail", "send-mail", "inbox-rule", "forwarding", "mailbox-permission", "bypass-audit", "mailbox-audit", "organization-audit", "unified-audit"}, a.step.kind.name):
		resource = directory.ExchangeOnline
	default:
		resource = directory.MicrosoftGraph
	}
	service, ok := a.d.FindPrincipal(resource)
	if !ok {
		return fmt.Errorf("service %s: %w", resource, directory.ErrNotFound)
	}
	at := [2]directory.ID{a.by.Actor, service.AppID}
	if t, ok := a.tokens[at]; ok && a.time.Before(t.Expires) {
		a.by.Session = t.ID
		return nil
	}
	keys := a.keys[a.by.Actor]
	if len(keys) == 0 {
		return fmt.Errorf("the attacker has no credential of %s: %w", a.who, directory.ErrDenied)
	}
	var failed error
	for _, key := range slices.Backward(keys) {
		t, err := a.d.SignInApp(a.by, a.by.Actor, key, service.AppID)
		if err == nil {
			a.tokens[at], a.by.Session = t, t.ID
			return nil
		}
		failed = cmp.Or(failed, err)
	}
	return fmt.Errorf("%s: %w", a.who, failed)
}

// change takes the records out of a change.
func (a *act) change(c *directory.Change, err error) ([]directory.Record, error) {
	if err != nil {
		return nil, err
	}
	return c.Records, nil
}

// principals are the application that the act is about and the service.
func (a *act) principals() (app, service directory.ID, err error) {
	name := a.step.Applications[a.n%len(a.step.Applications)]
	one, ok := a.d.FindPrincipal(name)
	two, known := a.d.FindPrincipal(a.step.Resource)
	if !ok || !known {
		return app, service, fmt.Errorf("application %s or service %s: %w", name, a.step.Resource, directory.ErrNotFound)
	}
	a.about(one.ID)
	return one.ID, two.ID, nil
}

// choose picks people of the company. It looks at a few thousand drawn ones and
// at the first ones, among whom are those who lead.
func choose(c *company.Company, who *people, seed uint64) []int {
	count := max(who.Count, 1)
	var fit, others []int
	seen := map[int]bool{}
	look := func(n int) {
		if n >= c.People() || seen[n] || len(fit) >= count {
			return
		}
		seen[n] = true
		if p := c.Person(n); fits(who, &p) {
			fit = append(fit, n)
		} else if len(others) < count {
			others = append(others, n)
		}
	}
	if who.Administrators {
		admins := c.Admins()
		for i := range admins {
			look(admins[(i+int(seed%uint64(len(admins))))%len(admins)])
		}
	}
	if len(who.Titles) > 0 {
		for i := range leaders {
			look(int((uint64(i) + seed) % leaders))
		}
	}
	for i := range uint64(4000) {
		look(int(record.Mix(seed, i) % uint64(c.People())))
	}
	for n := range 1000 {
		look(n)
	}
	if len(fit) == 0 {
		return others[:1]
	}
	return fit
}

// leaders is how many people from the first on are looked at for a title before
// chance decides: heads of companies and departments come first.
const leaders = 13

func fits(who *people, p *company.Person) bool {
	if len(who.Departments) > 0 && !slices.Contains(who.Departments, p.Department) {
		return false
	}
	if who.Administrators && !p.Admin {
		return false
	}
	return len(who.Titles) == 0 || slices.ContainsFunc(who.Titles, func(t string) bool { return strings.HasPrefix(p.Title, t) })
}
