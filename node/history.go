// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// history reads what the actors of incidents did from the lake and the journal.
type history struct{ n *Node }

// maxActors is how many actors one search names.
const maxActors = 64

// Limits of what one incident is told with; beyond them it is said that there is more.
var (
	maxHistory  = 50_000 // events
	maxSearches = 32
)

// Events implements [incident.History]. Events whose raw records are gone by policy are missing, too.
func (h history) Events(ctx context.Context, q incident.Query, f func(*incident.Event) bool) error {
	ids, whole, err := h.find(ctx, q)
	if err != nil {
		return err
	}
	events, err := h.read(ctx, ids)
	if err != nil {
		return err
	}
	slices.SortStableFunc(events, func(a, b incident.Event) int { return a.Time.Compare(b.Time) })
	for i := range events {
		if !f(&events[i]) {
			return nil
		}
	}
	if !whole || len(events) < len(ids) {
		return incident.ErrTruncated
	}
	return nil
}

// find returns the events of a query, and whether these are all.
func (h history) find(ctx context.Context, q incident.Query) (ids []event.ID, whole bool, err error) {
	whole = true
	searches := 0
	for _, of := range [...]struct {
		column string
		names  []string
	}{{"user", q.Users}, {"app", q.Apps}} {
		for names := range slices.Chunk(of.names, maxActors) {
			if searches++; searches > maxSearches || len(ids) >= maxHistory {
				return distinct(ids), false, nil
			}
			text := of.column + ":(" + quotedList(names) + ")"
			if len(q.Tenants) > 0 && !slices.Contains(q.Tenants, "") {
				text += " tenant:(" + quotedList(q.Tenants) + ")"
			}
			found, err := h.n.Search(ctx, Query{Text: text, Since: q.Since, Until: q.Until, Limit: maxHistory - len(ids)})
			if err != nil {
				return nil, false, err
			}
			ids = append(ids, found.IDs()...)
			whole = whole && !found.Truncated
		}
	}
	return distinct(ids), whole, nil
}

// distinct sorts ids, and leaves each there once.
func distinct(ids []event.ID) []event.ID {
	slices.SortFunc(ids, func(a, b event.ID) int {
		switch {
		case a.Less(b):
			return -1
		case b.Less(a):
			return 1
		}
		return 0
	})
	return slices.Compact(ids)
}

func quotedList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = strconv.Quote(n)
	}
	return strings.Join(quoted, ",")
}

// read reads the events; those whose raw records are gone by policy are left out.
func (h history) read(ctx context.Context, ids []event.ID) ([]incident.Event, error) {
	m := h.n.mappers.get()
	defer h.n.mappers.put(m)
	var tape jsontape.Tape
	out := make([]incident.Event, 0, len(ids))
	for _, id := range ids {
		s, err := h.n.journal.Read(ctx, id)
		if errors.Is(err, journal.ErrGone) || err == nil && s.Gone {
			continue
		}
		if err != nil {
			return nil, h.n.lookup(err, id)
		}
		e := historyEvent(id, m.event(s.Raw, s.Origin.Family))
		if e.Time.IsZero() {
			e.Time = time.Unix(0, s.Receipt.Time).UTC()
		}
		if tape.Parse(s.Raw) == nil {
			mailRead(&e, tape.Root())
		}
		out = append(out, e)
	}
	return out, nil
}

// historyEvent takes what counts for incidents out of an event.
func historyEvent(id event.ID, e *ocsf.Event) incident.Event {
	str := func(paths ...ocsf.Path) string {
		for _, p := range paths {
			if s := e.Str(p); len(s) > 0 {
				return string(s)
			}
		}
		return ""
	}
	h := incident.Event{
		ID:        id,
		Operation: str(ocsf.PathMetadataEventCode, ocsf.PathAPIOperation),
		User:      strings.ToLower(str(ocsf.PathActorUserEmailAddr, ocsf.PathActorUserName)),
		App:       strings.ToLower(str(ocsf.PathActorAppUID, ocsf.PathActorAppName)),
		Session:   strings.ToLower(str(ocsf.PathActorSessionUID, ocsf.PathSessionUID)),
		IP:        str(ocsf.PathSrcEndpointIP),
		Target: str(ocsf.PathUserEmailAddr, ocsf.PathUserName, ocsf.PathEntityUserEmailAddr, ocsf.PathEntityUserName,
			ocsf.PathServiceName, ocsf.PathServiceUID, ocsf.PathAppName, ocsf.PathEntityName, ocsf.PathGroupName, ocsf.PathDatabucketName),
		Object:  str(ocsf.PathFilePath, ocsf.PathFileName, ocsf.PathEntityName, ocsf.PathResourcesName),
		Mailbox: strings.ToLower(str(ocsf.PathDatabucketName)),
		Count:   1,
	}
	if e.Time > 0 {
		h.Time = time.Unix(0, e.Time).UTC()
	}
	if name := str(ocsf.PathActorAppName); name != "" && !strings.EqualFold(name, h.App) {
		h.AppNames = []string{strings.ToLower(name)}
	}
	if a, ok := e.Get(ocsf.PathCount); ok && a.Num > 0 {
		h.Count = int(a.Num)
	}
	if a, ok := e.Get(ocsf.PathStatusID); ok {
		h.Failed = a.Num == 2 // OCSF: Failure
	}
	return h
}

// logonTypes are those of Exchange's audit records (Office 365 Management Activity API schema,
// "LogonType"); 0 is the owner.
var logonTypes = map[string]string{"0": "owner", "1": "admin", "2": "delegate"}

// mailRead adds what a record of Exchange says of how mail was read.
func mailRead(e *incident.Event, root jsontape.Value) {
	if e.Operation != "MailItemsAccessed" {
		return
	}
	for p := root.Get("OperationProperties").First(); p.Exists(); p = p.Next() {
		value := string(p.Get("Value").Text())
		switch string(p.Get("Name").Str()) {
		case "MailAccessType":
			e.Access = value
		case "IsThrottled":
			e.Throttled = strings.EqualFold(value, "true")
		}
	}
	e.Logon = logonTypes[string(root.Get("LogonType").Text())]
	if ut := root.Get("UserType").Text(); bytes.Equal(ut, []byte("5")) || bytes.Equal(ut, []byte("6")) {
		e.Logon = "application" // UserType Application, ServicePrincipal
	}
	if id := strings.ToLower(string(root.Get("ClientAppId").Str())); id != "" && id != e.App {
		e.AppNames = append(e.AppNames, id)
	}
}

// Incidents returns those that the filter picks, the one with the latest alert first.
func (n *Node) Incidents(ctx context.Context, f incident.Filter) ([]incident.Summary, error) {
	return n.incidents.List(ctx, f)
}

// Incident returns one with all that is known of it.
func (n *Node) Incident(ctx context.Context, id string) (*incident.Incident, error) {
	return n.incidents.Show(ctx, id, history{n})
}

// Decide writes what a person decided about an incident into the journal, and returns the
// incident as it is then.
func (n *Node) Decide(ctx context.Context, id string, d incident.Decision) (*incident.Summary, error) {
	return n.incidents.Change(ctx, n.journal, id, d)
}

// Alerts returns the alerts that stand and that the filter picks, the latest first.
func (n *Node) Alerts(ctx context.Context, f incident.Filter) ([]incident.Alert, error) {
	return n.incidents.Alerts(ctx, f)
}

// Alert returns an alert, or the one that stands for it now.
func (n *Node) Alert(ctx context.Context, id string) (*incident.Alert, error) {
	return n.incidents.Alert(ctx, id)
}
