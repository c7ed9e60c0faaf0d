// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/event"
)

// ErrTruncated says that a history has more events than it has given.
var ErrTruncated = errors.New("there are more events than were looked at")

// History is where the events of an incident's actors are read.
type History interface {
	// Events calls f with the events of a query, the oldest first, until f returns false. If these are not all of
	// them the error is ErrTruncated.
	Events(ctx context.Context, q Query, f func(*Event) bool) error
}

// Query asks for the events of tenants in [Since, Until) that one of the users did, by
// address or id, or one of the applications, by id or name. All are in lower case.
type Query struct {
	Tenants      []string
	Since, Until time.Time
	Users, Apps  []string
}

// Event is what of an event counts here. Fields that it has not are empty; names are as the
// lake's columns have them.
type Event struct {
	ID        event.ID
	Time      time.Time
	Operation string // as the provider calls it: "MailItemsAccessed"
	User      string
	App       string   // id or name
	AppNames  []string // further ids and names of the application
	Session   string
	IP        string
	Target    string
	Object    string
	Failed    bool
	// Of reading mail: how many items (Count, or 1), of whose mailbox, by Bind (each item) or
	// Sync (a whole folder), whether the account's owner, a delegate, an administrator or an
	// application (Logon), and whether the provider says that it stopped logging for a day
	// (Throttled): more may have been read then than is told.
	Count     int
	Mailbox   string
	Access    string
	Logon     string
	Throttled bool
}

// Blast is how far the incident reached.
type Blast struct {
	// FromEvents says that all events of the actors were looked at. Otherwise the numbers
	// are what the alerts tell, and there may be more.
	FromEvents bool `json:"from_events"`
	Events     int  `json:"events"` // of the actors
	// Truncated says that there were too many to look at all of them: numbers are lower bounds.
	Truncated bool       `json:"truncated,omitempty"`
	Mail      []MailRead `json:"mail_read"`
	MailItems int        `json:"mail_items"` // the sum
	Throttled bool       `json:"throttled"`  // more mail may have been read than is logged
	Mailboxes Names      `json:"mailboxes"`  // touched
	MailSent  int        `json:"mail_sent"`
	Files     int        `json:"files_read"`  // downloaded or opened
	Grants    Names      `json:"grants"`      // rights that were given: to what
	Keys      Names      `json:"credentials"` // secrets and sign-in methods that were added: to what
	Rules     Names      `json:"mail_rules"`  // and forwarding: of which mailboxes
	Accounts  Names      `json:"accounts"`    // made, changed or acted upon
	Apps      Names      `json:"applications"`
}

// MailRead counts mail that was read in one way.
type MailRead struct {
	By        string `json:"by"` // the application or account
	Logon     string `json:"logon,omitempty"`
	Access    string `json:"access,omitempty"` // Bind, Sync
	Items     int    `json:"items"`
	Mailboxes int    `json:"mailboxes"`
	Throttled bool   `json:"throttled"`
}

// Names is a set of names: how many there are, and the first of them by name.
type Names struct {
	Count int      `json:"count"`
	Names []string `json:"names"`
}

// Limits of what is counted and shown.
const (
	maxEvents  = 500_000
	maxNames   = 100
	maxNotable = 1000
	// around is how long after the last alert the actors' events still count.
	around = 24 * time.Hour
)

// What an operation means for the blast radius. Operations are compared in lower case, without
// a full stop at the end.
const (
	readsMail = iota + 1
	sendsMail
	readsFile
	givesRights
	addsKey
	changesRules
	changesAccount
	changesApp
)

var operations = map[string]int{
	"mailitemsaccessed": readsMail, "messagebind": readsMail, "attachmentaccess": readsMail,
	"send": sendsMail, "sendas": sendsMail, "sendonbehalf": sendsMail,
	"filedownloaded": readsFile, "fileaccessed": readsFile, "fileaccessedextended": readsFile, "filesyncdownloadedfull": readsFile, "filesyncdownloadedpartial": readsFile, "filepreviewed": readsFile,
	"consent to application": givesRights, "add app role assignment to service principal": givesRights, "add delegated permission grant": givesRights,
	"add app role assignment grant to user": givesRights, "add member to role": givesRights, "add eligible member to role": givesRights,
	"add owner to application": givesRights, "add owner to service principal": givesRights, "add member to group": givesRights,
	"add-mailboxpermission": givesRights, "add-recipientpermission": givesRights, "add-mailboxfolderpermission": givesRights, "add-rolegroupmember": givesRights, "new-managementroleassignment": givesRights,
	"update application – certificates and secrets management": addsKey, "update application - certificates and secrets management": addsKey,
	"add service principal credentials": addsKey, "user registered security info": addsKey, "add passwordless phone sign-in credential": addsKey, "add registered owner to device": addsKey,
	"new-inboxrule": changesRules, "set-inboxrule": changesRules, "updateinboxrules": changesRules, "set-mailbox": changesRules, "new-transportrule": changesRules, "set-transportrule": changesRules,
	"add user": changesAccount, "update user": changesAccount, "delete user": changesAccount, "disable account": changesAccount, "enable account": changesAccount,
	"reset user password": changesAccount, "change user password": changesAccount, "disable strong authentication": changesAccount,
	"add application": changesApp, "add service principal": changesApp, "update application": changesApp, "set-mailboxauditbypassassociation": changesAccount,
	"set domain authentication": changesAccount, "set federation settings on domain": changesAccount, "add device": changesAccount,
}

// census counts what an incident's actors did.
type census struct {
	settings *settings
	blast    Blast
	// users are those who acted, each with the sessions and addresses from which that was. Where
	// some are known, what the account did from elsewhere was its owner.
	users map[string]map[string]bool
	apps  map[string]bool
	in    *Incident

	mail    map[[3]string]*mailCount
	sets    map[*Names]map[string]string // by the name in lower case
	notable []Entry
}

type mailCount struct {
	items     int
	throttled bool
	boxes     map[string]bool
}

func newCensus(s *settings, in *Incident) *census {
	c := &census{
		settings: s, users: map[string]map[string]bool{}, apps: map[string]bool{}, in: in,
		mail: map[[3]string]*mailCount{}, sets: map[*Names]map[string]string{},
	}
	for i := range in.List {
		a := &in.List[i]
		people := slices.ContainsFunc(a.Entities, isPerson)
		owners, subject := ownersOf(&a.Alert), subjectOf(&a.Alert)
		for j := range a.Entities {
			e := &a.Entities[j]
			id, name := strings.ToLower(e.ID), strings.ToLower(e.Name)
			switch {
			case s.isCommon(e.Type, id, name):
			case e.Type == "user" && e.Role == "actor":
				if !owners[id] {
					c.user(id, a)
				}
			case e.Type == "app" && (e.Role == "target" || !people || e == subject):
				c.apps[id] = true
				if name != "" {
					c.apps[name] = true
				}
				c.add(&c.blast.Apps, in.called(cmp.Or(e.Name, e.ID)))
			case e.Type == "user" && e.Role == "target":
				c.add(&c.blast.Accounts, id)
			case e.Type == "mailbox":
				c.add(&c.blast.Mailboxes, id)
			}
		}
	}
	return c
}

// user notes an account that acted, and from where.
func (c *census) user(id string, a *Alert) {
	from := c.users[id]
	if from == nil {
		from = map[string]bool{}
		c.users[id] = from
	}
	for i := range a.Entities {
		if e := &a.Entities[i]; e.Type == "ip" || e.Type == "session" || e.Type == "token" {
			from[strings.ToLower(e.ID)] = true
		}
	}
}

func (c *census) query(in *Incident) Query {
	tenants := map[string]bool{}
	for i := range in.List {
		tenants[in.List[i].Tenant] = true
	}
	return Query{
		Tenants: slices.Sorted(maps.Keys(tenants)), Since: in.First, Until: in.Last.Add(around),
		Users: slices.Sorted(maps.Keys(c.users)), Apps: slices.Sorted(maps.Keys(c.apps)),
	}
}

func (c *census) add(n *Names, name string) {
	if name == "" {
		return
	}
	set := c.sets[n]
	if set == nil {
		set = map[string]string{}
		c.sets[n] = set
	}
	name = cut(name)
	if k := strings.ToLower(name); set[k] == "" || set[k] > name {
		set[k] = name
	}
}

// ours reports whether an intruder did it, as far as that can be told.
func (c *census) ours(e *Event) bool {
	if slices.ContainsFunc(append(e.AppNames, e.App), func(name string) bool { return c.apps[strings.ToLower(name)] }) {
		return true
	}
	from, ok := c.users[strings.ToLower(e.User)]
	return ok && (len(from) == 0 || from[strings.ToLower(e.IP)] || from[strings.ToLower(e.Session)])
}

// take counts one event; it returns false when it has seen enough.
func (c *census) take(e *Event) bool {
	if !c.ours(e) {
		return true
	}
	if c.blast.Events == maxEvents {
		c.blast.Truncated = true
		return false
	}
	c.blast.Events++
	if e.Failed {
		return true
	}
	kind := operations[strings.TrimRight(strings.ToLower(e.Operation), ". ")]
	object := cmp.Or(e.Target, e.Object)
	c.add(&c.blast.Mailboxes, strings.ToLower(e.Mailbox))
	switch kind {
	case readsMail:
		c.readMail(e)
	case sendsMail:
		c.blast.MailSent++
	case readsFile:
		c.blast.Files++
	case givesRights:
		c.add(&c.blast.Grants, object)
	case addsKey:
		c.add(&c.blast.Keys, object)
	case changesRules:
		c.add(&c.blast.Rules, cmp.Or(e.Mailbox, object))
	case changesAccount:
		c.add(&c.blast.Accounts, object)
	case changesApp:
		c.add(&c.blast.Apps, object)
	}
	if kind >= givesRights && len(c.notable) < maxNotable {
		c.notable = append(c.notable, Entry{
			Time: e.Time, Kind: "event", Title: strings.TrimRight(e.Operation, ". "), Text: cut(object), Who: cut(cmp.Or(e.User, e.App)), Events: []string{e.ID.String()},
		})
	}
	return true
}

func (c *census) readMail(e *Event) {
	by := c.in.called(e.App)
	if by == "" || len(c.users) > 0 && c.users[strings.ToLower(e.User)] != nil && c.settings.isCommon("app", strings.ToLower(e.App), "") {
		by = e.User
	}
	k := [3]string{cut(by), e.Logon, e.Access}
	m := c.mail[k]
	if m == nil {
		m = &mailCount{boxes: map[string]bool{}}
		c.mail[k] = m
	}
	m.items += max(1, e.Count)
	m.throttled = m.throttled || e.Throttled
	if e.Mailbox != "" {
		m.boxes[strings.ToLower(e.Mailbox)] = true
	}
}

// result sums up.
func (c *census) result(in *Incident) Blast {
	b := &c.blast
	b.Mail = []MailRead{}
	for k, m := range c.mail {
		b.Mail = append(b.Mail, MailRead{By: k[0], Logon: k[1], Access: k[2], Items: m.items, Mailboxes: len(m.boxes), Throttled: m.throttled})
		b.MailItems += m.items
		b.Throttled = b.Throttled || m.throttled
	}
	slices.SortFunc(b.Mail, func(x, y MailRead) int {
		return cmp.Or(cmp.Compare(y.Items, x.Items), cmp.Compare(x.By, y.By), cmp.Compare(x.Logon, y.Logon), cmp.Compare(x.Access, y.Access))
	})
	for id := range c.apps { // records of the directory call them users too
		delete(c.sets[&b.Accounts], id)
	}
	for _, name := range in.names {
		delete(c.sets[&b.Accounts], strings.ToLower(name))
	}
	for _, n := range []*Names{&b.Mailboxes, &b.Grants, &b.Keys, &b.Rules, &b.Accounts, &b.Apps} {
		names := slices.Sorted(maps.Values(c.sets[n]))
		n.Count, n.Names = len(names), append([]string{}, names[:min(len(names), maxNames)]...)
	}
	b.Truncated = b.Truncated || in.Truncated
	return *b
}
