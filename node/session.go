// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// Session is what a session did, over all channels and suites, and what else is to be seen beside it.
type Session struct {
	// IDs are those of the session: the one that channels share, and further ones that records tie to it by a root or a token.
	IDs   []string  `json:"ids"`
	Users []string  `json:"users"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Events is the timeline, the oldest first. Truncated says that there are more.
	Events    []SessionEvent `json:"events"`
	Truncated bool           `json:"truncated,omitempty"`
	// Beside are sessions of the same people at the same time, in any suite. No record says that they are this one.
	Beside []SessionBeside `json:"beside"`
	Notes  []string        `json:"notes"`
}

// SessionEvent is one step.
type SessionEvent struct {
	ID        string    `json:"id"` // event id, which prove takes
	Time      time.Time `json:"time"`
	Family    string    `json:"family"`
	Workload  string    `json:"workload,omitempty"`
	Operation string    `json:"operation"`
	User      string    `json:"user,omitempty"`
	Session   string    `json:"session"`
	IP        string    `json:"ip,omitempty"`
	Country   string    `json:"country,omitempty"`
	Device    string    `json:"device,omitempty"`
	App       string    `json:"app,omitempty"`
	Status    string    `json:"status,omitempty"`
	// Changed names what is another than it was last known to be in this session: address, country, device.
	Changed []string `json:"changed,omitempty"`
}

// SessionBeside is another session.
type SessionBeside struct {
	Session string    `json:"session"`
	Family  string    `json:"family"`
	User    string    `json:"user"`
	First   time.Time `json:"first"` // of those that were looked at
	Last    time.Time `json:"last"`
	Events  int       `json:"events"`
	IPs     []string  `json:"ips"`
	// SameAddress says that it was seen from an address of the session.
	SameAddress bool `json:"same_address"`
}

// Limits of what is read of a session.
const (
	maxSessionEvents = 5000
	maxBeside        = 20_000 // events
	maxSessionIDs    = 32
	besideTime       = 15 * time.Minute // before and after
)

// tokenPaths are where events have ids that stand for a session's: its root, and the tokens that it gave out.
var tokenPaths = []string{"actor.session.uid_alt", "actor.session.credential_uid", "authentication_token.uid"}

// Session returns what a session did between since and until; zero times leave a side open. The id is that of a session, or of
// a token or root session of one; these are looked for in the last day if since is zero, because no column holds them.
func (n *Node) Session(ctx context.Context, id string, since, until time.Time) (*Session, error) {
	s := &Session{IDs: []string{}, Users: []string{}, Events: []SessionEvent{}, Beside: []SessionBeside{}, Notes: []string{}}
	if id = strings.TrimSpace(id); id == "" || len(id) > 512 {
		return nil, fmt.Errorf("%w: want the id of a session or a token", ErrQuery)
	}
	rows, err := n.sessionRows(ctx, []string{id}, since, until)
	if err != nil {
		return nil, err
	}
	s.IDs = append(s.IDs, id)
	if len(rows.list) == 0 {
		if s.IDs, err = n.sessionsOf(ctx, id, since, until); err != nil {
			return nil, err
		}
		if rows, err = n.sessionRows(ctx, s.IDs, since, until); err != nil {
			return nil, err
		}
		s.Notes = append(s.Notes, fmt.Sprintf("%s is a token or a root of the session", id))
	} else if more, err := n.sameRoot(ctx, rows.list, since, until); err != nil {
		return nil, err
	} else if len(more) > 0 {
		s.IDs = append(s.IDs, more...)
		if rows, err = n.sessionRows(ctx, s.IDs, since, until); err != nil {
			return nil, err
		}
		s.Notes = append(s.Notes, "further ids have the same root session")
	}
	s.tell(rows)
	return s, n.beside(ctx, s)
}

// sessionRow is what of a row of the lake a timeline needs.
type sessionRow struct {
	id     event.ID
	values map[string]query.Value
}

func (r *sessionRow) text(column string) string { return r.values[column].Text }
func (r *sessionRow) time() time.Time           { return time.UnixMilli(r.values["time"].Int).UTC() }

type sessionRows struct {
	list      []sessionRow // the oldest first
	truncated bool
}

func (n *Node) sessionRows(ctx context.Context, ids []string, since, until time.Time) (sessionRows, error) {
	return n.eventRows(ctx, "session:("+quotedList(ids)+")", since, until, maxSessionEvents)
}

// eventRows returns the newest events of a query, the oldest of them first.
func (n *Node) eventRows(ctx context.Context, text string, since, until time.Time, limit int) (out sessionRows, err error) {
	found, err := n.Search(ctx, Query{Text: text, Since: since, Until: until, Limit: limit})
	if err != nil {
		return out, err
	}
	out.truncated = found.Truncated
	for i := range found.rows {
		r := sessionRow{id: found.ids[i], values: make(map[string]query.Value, len(found.columns))}
		for c := range found.columns {
			r.values[found.columns[c].Name] = found.rows[i][c]
		}
		out.list = append(out.list, r)
	}
	slices.SortStableFunc(out.list, func(a, b sessionRow) int { return a.time().Compare(b.time()) })
	return out, nil
}

// sessionsOf finds the sessions that a token or a root is of.
func (n *Node) sessionsOf(ctx context.Context, id string, since, until time.Time) ([]string, error) {
	if since.IsZero() {
		since = time.Now().Add(-24 * time.Hour)
	}
	var paths []string
	for _, p := range tokenPaths {
		paths = append(paths, p+":"+strconv.Quote(id))
	}
	found, err := n.Search(ctx, Query{Text: "session:* (" + strings.Join(paths, " OR ") + ") | top " + strconv.Itoa(maxSessionIDs) + " session", Since: since, Until: until, Limit: maxSessionIDs})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range found.rows {
		ids = append(ids, row[0].Text)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: no event has %.80q as its session, nor, since %s, as the token or root of one", ErrNotFound, id, since.UTC().Format(time.RFC3339))
	}
	slices.Sort(ids)
	return ids, nil
}

// sameRoot finds further sessions with the root of these, among those of the same user around that time.
func (n *Node) sameRoot(ctx context.Context, rows []sessionRow, since, until time.Time) (more []string, err error) {
	first, last := &rows[0], &rows[len(rows)-1]
	root, err := n.rootOf(ctx, first.id)
	if root == "" || err != nil {
		return nil, err
	}
	from, to := first.time().Add(-24*time.Hour), last.time().Add(24*time.Hour)
	if from.Before(since) {
		from = since
	}
	if !until.IsZero() && to.After(until) {
		to = until
	}
	found, err := n.Search(ctx, Query{
		Text:  "user:" + strconv.Quote(first.text("user")) + " family:" + strconv.Quote(first.text("family")) + " actor.session.uid_alt:" + strconv.Quote(root) + " | top " + strconv.Itoa(maxSessionIDs) + " session",
		Since: from, Until: to, Limit: maxSessionIDs,
	})
	if errors.Is(err, ErrQuery) {
		return nil, nil // beyond the limits of a search: the session is told without
	}
	if err != nil {
		return nil, err
	}
	for _, row := range found.rows {
		if id := row[0].Text; id != "" && id != first.text("session") {
			more = append(more, id)
		}
	}
	slices.Sort(more)
	return more, nil
}

// rootOf reads the root session of an event.
func (n *Node) rootOf(ctx context.Context, id event.ID) (string, error) {
	values, err := n.deep(ctx, []event.ID{id}, []string{"actor.session.uid_alt"})
	if err != nil || len(values) == 0 || len(values[0]) == 0 || len(values[0][0]) == 0 {
		return "", err
	}
	return values[0][0][0], nil
}

// tell makes the timeline.
func (s *Session) tell(rows sessionRows) {
	s.Truncated = rows.truncated
	known := map[string]string{} // what the session had last
	for i := range rows.list {
		r := &rows.list[i]
		e := SessionEvent{
			ID: r.id.String(), Time: r.time(), Family: r.text("family"), Workload: r.text("workload"), Operation: r.text("op"), User: r.text("user"), Session: r.text("session"),
			IP: r.text("ip"), Country: r.text("country"), Device: r.text("device"), App: r.text("app"), Status: r.text("status"),
		}
		for _, x := range [...]struct{ what, value string }{{"address", e.IP}, {"country", e.Country}, {"device", e.Device}} {
			if was := known[x.what]; was != "" && x.value != "" && was != x.value {
				e.Changed = append(e.Changed, x.what)
			}
			known[x.what] = cmp.Or(x.value, known[x.what])
		}
		if e.User != "" && !slices.Contains(s.Users, e.User) {
			s.Users = append(s.Users, e.User)
		}
		s.Events = append(s.Events, e)
	}
	if len(s.Events) > 0 {
		s.First, s.Last = s.Events[0].Time, s.Events[len(s.Events)-1].Time
	}
}

// beside finds what else the same people did at the time, in sessions of their own.
func (n *Node) beside(ctx context.Context, s *Session) error {
	var people []string
	for _, user := range s.Users[:min(len(s.Users), 8)] {
		if identity.IsAddress(user) {
			people = append(people, "person:"+strconv.Quote(user))
		}
	}
	if len(people) == 0 {
		return nil
	}
	rows, err := n.eventRows(ctx, "session:* -session:("+quotedList(s.IDs)+") ("+strings.Join(people, " OR ")+")", s.First.Add(-besideTime), s.Last.Add(besideTime), maxBeside)
	if err != nil {
		return err
	}
	if rows.truncated {
		s.Notes = append(s.Notes, "there are more sessions beside it than are shown")
	}
	mine := map[string]bool{}
	for i := range s.Events {
		mine[s.Events[i].IP] = s.Events[i].IP != ""
	}
	type name struct{ session, family string }
	places := map[name]int{}
	for i := range rows.list {
		r := &rows.list[i]
		k := name{r.text("session"), r.text("family")}
		at, ok := places[k]
		if !ok {
			at = len(s.Beside)
			places[k] = at
			s.Beside = append(s.Beside, SessionBeside{Session: k.session, Family: k.family, User: r.text("user"), First: r.time(), IPs: []string{}})
		}
		b := &s.Beside[at]
		b.Last, b.Events = r.time(), b.Events+1
		if ip := r.text("ip"); ip != "" && !slices.Contains(b.IPs, ip) && len(b.IPs) < 10 {
			b.IPs = append(b.IPs, ip)
			b.SameAddress = b.SameAddress || mine[ip]
		}
	}
	return nil
}
