// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/identity"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/store"
)

func open(t testing.TB, rules *identity.Rules) *identity.Book {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "control.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b, err := identity.Open(t.Context(), db, rules)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// seen reads "suite:uid address first [last]", hours; the tenant is the suite's name.
func seen(lines ...string) (list []identity.Seen) {
	for i, line := range lines {
		f := strings.Fields(line)
		ref, err := identity.ParseRef(f[0])
		if err != nil {
			panic(err)
		}
		for _, h := range f[2:] {
			var hour int64
			fmt.Sscan(h, &hour)
			list = append(list, identity.Seen{Tenant: ref.Suite, Suite: ref.Suite, UID: ref.ID, Address: f[1], Hour: hour, ID: event.ID{Batch: 1, Index: uint32(i)}})
		}
	}
	return list
}

func take(t testing.TB, b *identity.Book, next uint64, list []identity.Seen) {
	t.Helper()
	b.Observe(next, list)
	if err := b.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b.Stale() {
		if err := b.Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func rules(t testing.TB, list string, links, deny []string) *identity.Rules {
	t.Helper()
	r := new(identity.Rules)
	if list != "" {
		l, err := identity.ParseList(strings.NewReader(list))
		if err != nil {
			t.Fatal(err)
		}
		l.Name, r.List = "people.csv", l
	}
	for _, x := range [...]struct {
		texts []string
		pairs *[]identity.Pair
	}{{links, &r.Links}, {deny, &r.Deny}} {
		for _, text := range x.texts {
			p, err := identity.ParsePair(text)
			if err != nil {
				t.Fatal(err)
			}
			*x.pairs = append(*x.pairs, p)
		}
	}
	return r
}

// TestJoining says who an account is at an hour: "account@hour" as "tenant account hour".
func TestJoining(t *testing.T) {
	for _, c := range []struct {
		name        string
		list        string
		links, deny []string
		records     []string
		asks        map[string]string
	}{
		{
			name:    "an address in several suites",
			records: []string{"entra:g1 ann@x.example 5 90", "okta:o1 ann@x.example 7 80", "slack:S1 ann@x.example 9"},
			asks:    map[string]string{"entra g1 6": "ann@x.example", "okta O1 1": "ann@x.example", "slack s1 99": "ann@x.example", "entra ann@x.example 6": "ann@x.example", "okta o2 6": "? o2"},
		},
		{
			name:    "an account that was renamed",
			records: []string{"entra:g1 ann@x.example 5 90", "entra:g1 ann.lee@x.example 91 200", "okta:o1 ann.lee@x.example 95"},
			asks:    map[string]string{"okta o1 95": "ann@x.example", "entra ann.lee@x.example 100": "ann@x.example"},
		},
		{
			name:    "an address that was handed over",
			records: []string{"entra:g1 ann@x.example 5 90", "entra:g2 ann@x.example 91 200", "okta:o1 ann@x.example 10 20", "okta:o2 ann@x.example 100 110", "slack:S1 ann@x.example 20 120"},
			asks: map[string]string{
				"entra g1 5": "ann@x.example", "entra g2 100": "ann@x.example~1970-01-04T19", "okta o1 1": "ann@x.example", "okta o2 1": "ann@x.example~1970-01-04T19",
				"entra ann@x.example 90": "ann@x.example", "entra ann@x.example 91": "ann@x.example~1970-01-04T19", "slack s1 20": "? s1",
			},
		},
		{
			name:    "a shared address",
			records: []string{"entra:g1 desk@x.example 5 90", "entra:g2 desk@x.example 90", "okta:o1 desk@x.example 7", "entra:g1 ann@x.example 6"},
			asks:    map[string]string{"entra desk@x.example 5": "? desk@x.example", "entra g1 6": "ann@x.example", "entra g2 90": "? g2", "okta o1 7": "? o1"},
		},
		{
			name:    "roles of AWS may share an address",
			records: []string{"aws:AROA1:ann ann@x.example 5 90", "aws:AROA2:ann ann@x.example 6 80", "entra:g1 ann@x.example 1"},
			asks:    map[string]string{"aws aroa1:ann 5": "ann@x.example", "entra g1 5": "ann@x.example"},
		},
		{
			name: "what the list says", list: "mail,accounts\nann@x.example,a.lee@y.example github:ann-lee\nbob@x.example,\n",
			records: []string{"entra:g1 a.lee@y.example 5", "okta:o1 ann@x.example 5", "github:7 bob@x.example 5", "slack:S2 bob@x.example 9", "slack:S2 ann@x.example 6"},
			asks: map[string]string{
				"entra g1 5": "ann@x.example", "okta a.lee@y.example 5": "ann@x.example", "github ann-lee 5": "ann@x.example", "github 7 5": "bob@x.example", "okta ann-lee 5": "? ann-lee",
				// S2 was seen with both of two people, who stay two.
				"entra bob@x.example 5": "bob@x.example", "entra ann@x.example 5": "ann@x.example",
			},
		},
		{
			name: "what is denied, by a detour as well", deny: []string{"okta:o1 entra:g1"},
			records: []string{"entra:g1 ann@x.example 5", "okta:o1 ann@x.example 5", "slack:S1 ann@x.example 5"},
			asks:    map[string]string{"okta o1 5": "? o1", "slack s1 5": "ann@x.example", "entra g1 5": "ann@x.example"},
		},
		{
			name: "a declared link", links: []string{"ann@x.example ann@home.example"},
			records: []string{"entra:g1 ann@x.example 5", "slack:S1 ann@home.example 3"},
			asks:    map[string]string{"slack s1 5": "ann@home.example", "entra g1 5": "ann@home.example"},
		},
		{
			name:    "look-alikes",
			records: []string{"entra:g1 kim@x.example 5", "okta:o1 \u212aim@x.example 5"},
			asks:    map[string]string{"okta o1 5": "\u212aim@x.example", "entra g1 5": "kim@x.example"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := open(t, rules(t, c.list, c.links, c.deny))
			take(t, b, 1, seen(c.records...))
			for ask, want := range c.asks {
				f := strings.Fields(ask)
				var hour int64
				fmt.Sscan(f[2], &hour)
				scope, person := b.Snapshot().Person(f[0], strings.ToLower(f[1]), hour*3600e9)
				if scope == f[0] {
					person = "? " + person
				}
				if person != want {
					t.Errorf("%s is %s, want %s", ask, person, want)
				}
			}
		})
	}
}

// TestOrganizations: the same address in two organizations is two people.
func TestOrganizations(t *testing.T) {
	b := open(t, &identity.Rules{Organizations: [][]string{{"entra", "okta"}, {"slack"}}})
	take(t, b, 1, seen("entra:g1 ann@x.example 5", "okta:o1 ann@x.example 5", "slack:S1 ann@x.example 5"))
	entra, _ := b.Snapshot().Person("entra", "g1", 0)
	okta, _ := b.Snapshot().Person("okta", "o1", 0)
	slack, _ := b.Snapshot().Person("slack", "s1", 0)
	if entra != okta || entra == slack {
		t.Errorf("the organizations are %q, %q, %q", entra, okta, slack)
	}
}

// TestAnyOrder: what stands is a function of the set of records, in whatever order, portions and repetitions they come, and
// whenever joining is done in between.
func TestAnyOrder(t *testing.T) {
	for n := range uint64(40) {
		r := rand.New(rand.NewPCG(n, 7))
		suites := []string{"entra", "okta", "slack", "aws"}
		var lines []string
		for range 5 + r.IntN(60) {
			s := suites[r.IntN(len(suites))]
			from := r.IntN(60)
			lines = append(lines, fmt.Sprintf("%s:u%d p%d@x.example %d %d", s, r.IntN(12), r.IntN(10), from, from+r.IntN(1+r.IntN(40))))
		}
		list := ""
		var deny []string
		if n%2 == 1 {
			list, deny = "mail,accounts\np1@x.example,p2@x.example okta:u3\np4@x.example,\n", []string{"entra:u1 okta:u1", "p5@x.example slack:u2"}
		}
		all := seen(lines...)
		var want, wantShown string
		for try := range 4 {
			b := open(t, rules(t, list, nil, deny))
			todo := append([]identity.Seen{}, all...)
			if try > 0 {
				r.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
				todo = append(todo, todo[:r.IntN(len(todo))]...)
			}
			for next := uint64(1); len(todo) > 0; next++ {
				k := len(todo)
				if try > 0 {
					k = 1 + r.IntN(len(todo))
				}
				take(t, b, next, todo[:k])
				todo = todo[k:]
			}
			var shown strings.Builder
			for i := range 10 {
				p, err := b.Show(t.Context(), fmt.Sprintf("p%d@x.example", i))
				if err != nil {
					t.Fatal(err)
				}
				for _, list := range [][]identity.Account{p.Accounts} {
					for j := range list {
						for k := range list[j].Shown { // which record of an hour is named depends on which came first
							list[j].Shown[k].FirstEvent, list[j].Shown[k].LastEvent = "", ""
						}
					}
				}
				for j := range p.Apart {
					for k := range p.Apart[j].Shown {
						p.Apart[j].Shown[k].FirstEvent, p.Apart[j].Shown[k].LastEvent = "", ""
					}
				}
				text, _ := json.Marshal(p)
				fmt.Fprintf(&shown, "%s\n", text)
				checkPerson(t, b, p)
			}
			if try == 0 {
				want, wantShown = b.Snapshot().Digest(), shown.String()
				continue
			}
			if got := b.Snapshot().Digest(); got != want || shown.String() != wantShown {
				t.Fatalf("seed %d, try %d: other people\n%s\n%s", n, try, wantShown, shown.String())
			}
		}
	}
}

// checkPerson: each account that is shown is said to be this person's, and none that is not joined.
func checkPerson(t *testing.T, b *identity.Book, p *identity.Person) {
	t.Helper()
	s := b.Snapshot()
	for _, a := range p.Accounts {
		if len(a.Shown) == 0 {
			continue
		}
		if _, person := s.Person(a.Tenant, strings.ToLower(a.ID), a.Shown[0].First.UnixNano()); person != p.ID {
			t.Errorf("%s:%s is shown with %s and is %s", a.Suite, a.ID, p.ID, person)
		}
	}
	for _, a := range p.Apart {
		if scope, person := s.Person(a.Tenant, strings.ToLower(a.ID), a.Shown[0].First.UnixNano()); person == p.ID && scope != a.Tenant {
			t.Errorf("%s:%s is not joined with %s, and is %s", a.Suite, a.ID, p.ID, person)
		}
	}
}

// TestAgain: what was saved is there after a start, and what a failed or missing save lost comes again.
func TestAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "control.db")
	start := func() (*store.DB, *identity.Book) {
		db, err := store.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := identity.Open(t.Context(), db, new(identity.Rules))
		if err != nil {
			t.Fatal(err)
		}
		return db, b
	}
	db, b := start()
	take(t, b, 3, seen("entra:g1 ann@x.example 5"))
	b.Observe(4, seen("okta:o1 ann@x.example 5")) // and the machine dies
	db.Close()
	db, b = start()
	if at := b.Position(); at != 3 {
		t.Fatalf("the position is %d, want 3", at)
	}
	if _, person := b.Snapshot().Person("entra", "g1", 0); person != "ann@x.example" {
		t.Errorf("g1 is %s after a start", person)
	}
	take(t, b, 4, seen("okta:o1 ann@x.example 5"))
	if _, person := b.Snapshot().Person("okta", "o1", 0); person != "ann@x.example" {
		t.Errorf("o1 is %s", person)
	}
	if err := b.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, person := b.Snapshot().Person("okta", "o1", 0); person != "o1" || b.Position() != 0 {
		t.Errorf("o1 is %s after a reset to %d", person, b.Position())
	}
	db.Close()
}

func TestLists(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "the list is empty",
		"name,department\nAnn,Sales\n":         `line 1: there is no column "mail"`,
		"mail,mail\na@x.example,b@x.example\n": `line 1: there are two columns "mail"`,
		"mail,\na@x.example,b\n":               "line 1: column 2 has no name",
		"mail\nann\n":                          `line 2: mail is "ann", which is no mail address`,
		"mail,accounts\na@x.example,foo\n":     `line 2: accounts: "foo" is neither`,
		"mail,accounts\na@x.example,b@x.example\nb@x.example,\n": "line 3: b@x.example is in line 2 as well",
		"mail,name\na@x.example\n":                               "line 2: wrong number of fields",
		"mail\n\"a\n":                                            "line 2: extraneous or missing",
	} {
		if _, err := identity.ParseList(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	l, err := identity.ParseList(strings.NewReader("\ufeffMail,Name,Ring,Accounts\n Ann@X.example ,Ann,2,a@y.example; okta:00uA\n"))
	if err != nil {
		t.Fatal(err)
	}
	row := &l.Rows[0]
	if ring, ok := l.Field(row, "ring"); row.Mail != "ann@x.example" || row.Name != "Ann" || !ok || ring != "2" || fmt.Sprint(row.Accounts) != "[a@y.example okta:00uA]" {
		t.Errorf("%+v", row)
	}
}

// FuzzList: a list that is taken says of each account whose it is once.
func FuzzList(f *testing.F) {
	f.Add("mail,accounts\na@x.example,b@x.example okta:00u1\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := identity.ParseList(strings.NewReader(text))
		if err != nil {
			return
		}
		said := map[string]int{}
		for i, row := range l.Rows {
			for _, a := range append([]identity.Ref{{ID: row.Mail}}, row.Accounts...) {
				if before, ok := said[a.String()]; ok && before != i {
					t.Fatalf("%s is in rows %d and %d", a, before, i)
				}
				said[a.String()] = i
			}
		}
	})
}

// eventOf makes an event with a user who acts.
func eventOf(uid, mail string, kind int64) *ocsf.Event {
	e := new(ocsf.Event)
	e.Reset()
	e.SetString(ocsf.PathActorUserUID, []byte(uid))
	e.SetString(ocsf.PathActorUserEmailAddr, []byte(mail))
	if kind != 0 {
		e.SetInt(ocsf.PathActorUserTypeID, kind)
	}
	return e
}

func TestObserver(t *testing.T) {
	const guid = "11111111-AAAA-4bbb-8ccc-000000000001"
	var o identity.Observer
	for _, c := range []struct {
		family    event.Family
		uid, mail string
		kind      int64
		want      string
	}{
		{"m365", guid, "Ann@x.example", 1, "entra:11111111-aaaa-4bbb-8ccc-000000000001 ann@x.example"},
		{"m365", "10032001A1B2C3D4", "bob@x.example", 1, ""}, // a PUID
		{"m365", guid, "svc@x.example", 4, ""},
		{"entra-signin", "00000000-0000-0000-0000-000000000000", "cy@x.example", 1, ""},
		{"okta", "00uAbCdEfGhIjKlMnOpQ", "dan@x.example", 1, "okta:00uAbCdEfGhIjKlMnOpQ dan@x.example"},
		{"okta", "unknown", "eve@x.example", 1, ""},
		{"slack", "U0ANN1", "fay@x.example", 0, "slack:U0ANN1 fay@x.example"},
		{"github", "42", "gil@x.example", 1, "github:42 gil@x.example"},
		{"cloudtrail", "AROA1:hal@x.example", "hal@x.example", 1, "aws:AROA1:hal@x.example hal@x.example"},
		{"json", "42", "ida@x.example", 1, ""},
		{"okta", "00uAbCdEfGhIjKlMnOpQ", "two@at@x.example", 1, ""},
		{"okta", "00uAbCdEfGhIjKlMnOpQ", "a b@x.example", 1, ""},
	} {
		got := ""
		for _, s := range o.Take(nil, eventOf(c.uid, c.mail, c.kind), c.family, "t", 3600e9*7+1, event.ID{}) {
			got += s.Suite + ":" + s.UID + " " + s.Address
			if s.Hour != 7 {
				t.Errorf("the hour is %d", s.Hour)
			}
		}
		if got != c.want {
			t.Errorf("%s %s %s: %q, want %q", c.family, c.uid, c.mail, got, c.want)
		}
	}
}

// TestNoMemory: what records show again, and who somebody is, cost no memory.
func TestNoMemory(t *testing.T) {
	b := open(t, rules(t, "mail,accounts\nann@x.example,okta:o9\n", nil, nil))
	take(t, b, 1, seen("entra:g1 ann@x.example 5 90", "entra:g2 ann@x.example 91"))
	s := b.Snapshot()
	var o identity.Observer
	e := eventOf("00uAbCdEfGhIjKlMnOpQ", "ann@x.example", 1)
	list := o.Take(nil, e, "okta", "t", 3600e9, event.ID{})
	if n := testing.AllocsPerRun(100, func() {
		list = o.Take(list[:0], e, "okta", "t", 3600e9, event.ID{})
		s.Person("entra", "ann@x.example", 3600e9)
		s.Person("entra", "g1", 3600e9)
		s.Person("entra", "nobody@x.example", 3600e9)
		s.Person("okta", "o9", 3600e9)
	}); n != 0 || len(list) != 0 {
		t.Errorf("%v allocations, %d told again", n, len(list))
	}
}
