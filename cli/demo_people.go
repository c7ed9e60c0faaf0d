// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/node"
)

// demoRecent is how far back a person and a session are looked for: what happened while somebody watched, and shortly before.
const demoRecent = time.Hour

// errNotYet says that there is nothing to show so far; it is tried again with the next line.
var errNotYet = errors.New("not yet")

// rows answers a search with the rows of a table.
func (w *watch) rows(ctx context.Context, query string, limit int) (list []map[string]any, err error) {
	_, err = w.client.Search(ctx, client.Search{Query: query, Since: time.Now().Add(-demoRecent), Limit: limit}, func(v1.SearchHeader) error { return nil }, func(m json.RawMessage) error {
		row := map[string]any{}
		err := json.Unmarshal(m, &row)
		list = append(list, row)
		return err
	})
	return list, err
}

// busiest finds who works in most suites, with the session that most logs tell of: each row is a number of events by user,
// session and family. Of equals it is the one with more events, and the first by name.
func busiest(rows []map[string]any) (user, session string, families int) {
	type one struct {
		families, wide int // of the user; of the widest session
		session        string
		events         float64
	}
	seen := map[[3]string]bool{} // (user, session or nothing, family)
	count := map[[2]string]int{} // families of (user, session or nothing)
	people := map[string]*one{}
	for _, r := range rows {
		u, _ := r["user"].(string)
		s, _ := r["session"].(string)
		f, _ := r["family"].(string)
		n, _ := r["count"].(float64)
		if u == "" || s == "" {
			continue
		}
		p := people[u]
		if p == nil {
			p = &one{}
			people[u] = p
		}
		p.events += n
		for _, of := range []string{"", s} {
			if k := [3]string{u, of, f}; !seen[k] {
				seen[k] = true
				count[[2]string{u, of}]++
			}
		}
		p.families = count[[2]string{u, ""}]
		if c := cmp.Or(cmp.Compare(count[[2]string{u, s}], p.wide), strings.Compare(p.session, s)); c > 0 {
			p.wide, p.session = count[[2]string{u, s}], s
		}
	}
	var best one
	for u, p := range people {
		c := cmp.Or(cmp.Compare(p.families, best.families), cmp.Compare(p.wide, best.wide), cmp.Compare(p.events, best.events), strings.Compare(user, u))
		if user == "" || c > 0 {
			user, best = u, *p
		}
	}
	return user, best.session, best.families
}

// person shows who one person is in all suites.
func (w *watch) person(ctx context.Context) error {
	rows, err := w.rows(ctx, "user:*@"+w.company.Domain()+" session:* -status:failure | count by user, session, family", 100_000)
	if err != nil {
		return err
	}
	who, session, families := busiest(rows)
	if families < 3 {
		return errNotYet
	}
	text, err := w.client.Person(ctx, who)
	if err != nil {
		return err
	}
	var p identity.Person
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	if len(p.Accounts) < 3 {
		return errNotYet
	}
	w.busy = session
	w.print("\n  Who is that, in all suites? What records show beside each other, with the record:\n  $ daybreak people show %s", who)
	for _, a := range p.Accounts {
		if len(a.Shown) > 0 {
			w.print("    %-8s %-38s %s", a.Suite, printable(a.ID, 60), a.Shown[0].FirstEvent)
		}
	}
	return w.ask(ctx, "What did all these accounts do?", "person:"+who+" | count by family | sort -count")
}

// demoSteps is how much of a session is shown.
const demoSteps = 8

// session follows one of this person's sessions.
func (w *watch) session(ctx context.Context) error {
	id := w.busy
	text, err := w.client.Session(ctx, id, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	var s node.Session
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	w.print("  And one session, over the logs that tell of it?\n  $ daybreak session %s", id)
	list := s.Events
	if n := len(list) - demoSteps; n > 0 {
		w.print("    … %d before", n)
		list = list[n:]
	}
	for i := range list {
		e := &list[i]
		changed := ""
		if len(e.Changed) > 0 {
			changed = "  another " + strings.Join(e.Changed, ", ")
		}
		w.print("    %s  %-14s %-34s %-16s%s", e.Time.UTC().Format(time.TimeOnly), e.Family, printable(e.Operation, 34), printable(e.IP, 40), changed)
	}
	beside := slices.SortedFunc(slices.Values(s.Beside), func(a, b node.SessionBeside) int { return cmp.Compare(b.Events, a.Events) })
	for _, b := range beside[:min(len(beside), 4)] {
		w.print("    beside it: %s in %s, %s", printable(b.Session, 40), b.Family, plural(b.Events, "event"))
	}
	w.print("")
	return nil
}

// vendors shows how well each vendor delivers.
func (w *watch) vendors(ctx context.Context) error {
	doc, err := w.client.Scorecard(ctx, "", w.co.Began.Add(-demoPast), time.Time{})
	if err != nil {
		return err
	}
	status, err := w.client.Status(ctx)
	if err != nil {
		return err
	}
	var card scorecard.Scorecard
	if _, err := statement.Open(doc, []string{status.Key}, statement.ScorecardTitle, &card); err != nil {
		return err
	}
	w.print("\n  How long after an event does each vendor offer its record, and what comes twice or late?\n  $ daybreak scorecard")
	for i := range card.Streams {
		s := &card.Streams[i]
		if s.Delay.Records > 0 {
			w.print("    %-7s %-28s %9s records, offered after %s (50 / 95 / 99 %%), twice %s", s.Vendor, printable(s.Stream, 28), thousands(int64(s.Delay.Records)), delays(s.Delay),
				cmp.Or(share(s.Duplicates, s.Records), strconv.Itoa(0)))
		}
	}
	w.print("")
	return nil
}
