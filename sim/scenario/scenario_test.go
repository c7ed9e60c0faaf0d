// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

var monday = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)

func tenant(t testing.TB, people int) *directory.Directory {
	t.Helper()
	c, err := company.New(company.Config{Seed: 11, People: people})
	if err != nil {
		t.Fatal(err)
	}
	return directory.New(c)
}

func embedded(t testing.TB, name string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Embedded(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEmbedded plays every built-in scenario in companies of all sizes: nothing
// is blocked, everything lies where its step says, and the records are what
// their events say.
func TestEmbedded(t *testing.T) {
	for _, name := range scenario.Names() {
		s := embedded(t, name)
		if s.Name != name {
			t.Errorf("the file %s.toml has the name %s", name, s.Name)
		}
		for _, people := range []int{company.MinPeople, 2000, company.MaxPeople} {
			t.Run(fmt.Sprint(name, people), func(t *testing.T) {
				p := s.Play(tenant(t, people), monday, 3)
				events := p.Until(monday.Add(s.Length() + 1))
				if b := p.Blocked(); len(b) > 0 {
					t.Errorf("%d acts are blocked, the first: %v", len(b), b[0])
				}
				if _, more := p.Next(); more {
					t.Error("acts are left after the end")
				}
				checkEvents(t, s, events)
			})
		}
	}
}

func checkEvents(t *testing.T, s *scenario.Scenario, events []scenario.Event) {
	t.Helper()
	steps, seen, acted := map[string]scenario.Step{}, map[string]bool{}, map[string]bool{}
	for _, step := range s.Steps {
		steps[step.ID] = step
	}
	last := time.Time{}
	for _, e := range events {
		step, ok := steps[e.Step]
		if !ok || !slices.Equal(step.Attack, e.Attack) || e.Scenario != s.Name {
			t.Fatalf("event of step %q with %v", e.Step, e.Attack)
		}
		acted[e.Step] = true
		if e.Time.Before(monday.Add(step.Begin)) || e.Time.After(monday.Add(step.End)) || e.Time.Before(last) {
			t.Errorf("%s: %v, want from %v to %v and not before %v", e.Step, e.Time, monday.Add(step.Begin), monday.Add(step.End), last)
		}
		last = e.Time
		if seen[e.ID] {
			t.Errorf("id %s twice", e.ID)
		}
		seen[e.ID] = true
		var r struct{ ID, CreationTime, Operation, OrganizationID string }
		if err := json.Unmarshal(e.Raw, &r); err != nil {
			t.Fatalf("%v\n%s", err, e.Raw)
		}
		if r.ID != e.ID || r.CreationTime != e.Time.Format("2006-01-02T15:04:05") || r.Operation != e.Operation {
			t.Errorf("event %s %v is the record %+v", e.ID, e.Time, r)
		}
		if e.Actor == "" || len(e.Entities) == 0 {
			t.Errorf("%s %s: the truth lacks the actor or the entities", e.Step, e.Operation)
		}
	}
	for _, step := range s.Steps {
		if !acted[step.ID] && writes(step.Kind) != "none" {
			t.Errorf("step %s left nothing", step.ID)
		}
	}
}

// writes are the operations that a kind of step is said to write.
func writes(kind string) string {
	kinds := scenario.TestingOnlyKinds()
	return kinds[slices.IndexFunc(kinds, func(k scenario.TestingOnlyKind) bool { return k.Name == kind })].Writes
}

// TestEveryKind plays every kind of step: each does what it is for.
func TestEveryKind(t *testing.T) {
	text, err := os.ReadFile("testdata/all-kinds.toml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scenario.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	d := tenant(t, 300)
	p := s.Play(d, monday, 3)
	events := p.Until(monday.Add(s.Length() + 1))
	if b := p.Blocked(); len(b) > 0 {
		t.Errorf("blocked: %v", b)
	}
	checkEvents(t, s, events)
	did := map[string]string{} // operations of the last acts of the steps
	for _, e := range events {
		did[e.Step] = e.Operation
		if weekday := e.Time.Weekday(); e.Step == "spray" && (weekday == time.Saturday || weekday == time.Sunday || e.Time.Hour() < 7 || e.Time.Hour() >= 17) {
			t.Errorf("sprayed at %v, which are no business hours", e.Time)
		}
	}
	for _, k := range scenario.TestingOnlyKinds() {
		used := slices.ContainsFunc(s.Steps, func(st scenario.Step) bool { return st.Kind == k.Name })
		if !used {
			t.Errorf("no step of kind %s", k.Name)
		}
	}
	for _, st := range s.Steps {
		k := scenario.TestingOnlyKinds()[slices.IndexFunc(scenario.TestingOnlyKinds(), func(k scenario.TestingOnlyKind) bool { return k.Name == st.Kind })]
		if k.Writes != "none" && !strings.Contains(k.Writes, did[st.ID]) {
			t.Errorf("%s wrote %q, the reference says %q", st.ID, did[st.ID], k.Writes)
		}
	}
	boss := ""
	for _, e := range events {
		if e.Step == "sign-in" {
			boss = e.Actor
		}
	}
	u, _ := d.FindUser(boss)
	temp, _ := d.FindUser("temp-one@" + d.Domain())
	end := monday.Add(s.Length())
	if n := count(d.Footholds(u.ID, end), "device"); n != 2 {
		t.Errorf("%d devices were registered", n)
	}
	if got := d.Footholds(temp.ID, end); count(got, "mailbox-permission") != 3 || count(got, "role") != 1 || count(got, "owner") != 1 || count(got, "audit-bypass") != 1 {
		t.Errorf("footholds of temp-one: %v", got)
	}
}

// TestMidnightBlizzard holds the scenario to what is known of the intrusion.
func TestMidnightBlizzard(t *testing.T) {
	d := tenant(t, 2000)
	s := embedded(t, "midnight-blizzard")
	events := s.Run(d, monday, 3)
	var order []string
	perAccount, addresses, perAddress := map[string]int{}, map[string]int{}, 0
	mailboxes, readers := map[string]bool{}, map[string]bool{}
	for _, e := range events {
		if !slices.Contains(order, e.Step) {
			order = append(order, e.Step)
		}
		var r struct {
			ClientIP, ClientIPAddress, MailboxOwnerUPN, ClientInfoString, AppID string
			UserType                                                            int
		}
		if err := json.Unmarshal(e.Raw, &r); err != nil {
			t.Fatal(err)
		}
		switch e.Step {
		case "spray":
			perAccount[e.Actor]++
			addresses[r.ClientIP]++
			perAddress = max(perAddress, addresses[r.ClientIP])
		case "read-leaders", "read-lawyers", "read-defenders":
			mailboxes[r.MailboxOwnerUPN], readers[r.AppID] = true, true
			if e.Stream != company.Exchange || r.UserType != 5 || !strings.HasPrefix(r.ClientInfoString, "Client=WebServices;ExchangeWebServices") {
				t.Fatalf("mail is read by %s", e.Raw)
			}
		}
	}
	if want := []string{"spray", "foothold", "look-around", "take-over", "own-applications", "own-keys", "own-user", "own-user-signs-in", "consent", "full-access"}; len(order) < len(want) || !slices.Equal(order[:len(want)], want) {
		t.Errorf("the steps are in the order %v", order)
	}
	if len(perAccount) > 10 || perAccount["legacy.test@"+d.Domain()] == 0 || len(addresses) < 60 || perAddress > 4 {
		t.Errorf("the spray tries %v from %d addresses, up to %d times from one", perAccount, len(addresses), perAddress)
	}
	for who, n := range perAccount {
		if n > 20 {
			t.Errorf("%s is tried %d times: that is not low and slow", who, n)
		}
	}
	if len(mailboxes) < 10 || len(readers) != 3 {
		t.Errorf("%d mailboxes are read by %d applications", len(mailboxes), len(readers))
	}
	// What is left at the end is what there is to evict.
	exchange, _ := d.FindPrincipal(directory.ExchangeOnline)
	full := 0
	for _, a := range d.AssignedTo(exchange.ID) {
		sp, _ := d.Principal(a.Principal)
		if readers[sp.AppID.String()] {
			full++
		}
	}
	if full != 3 {
		t.Errorf("%d of the actor's applications have full access", full)
	}
	legacy, _ := d.FindPrincipal(directory.LegacyApplication)
	if n := count(d.Footholds(legacy.ID, monday.Add(s.Length())), "credential"); n != 2 {
		t.Errorf("the legacy application has %d credentials, want its own and the actor's", n)
	}
	user, ok := d.FindUser("svc.roomsync@" + d.Domain())
	if !ok || count(d.Footholds(user.ID, monday.Add(s.Length())), "grant") != 3 {
		t.Errorf("the actor's user: %v %v", user.UPN, d.Footholds(user.ID, monday.Add(s.Length())))
	}
	for _, token := range d.Tokens() {
		if !strings.HasPrefix(token.Address, "100.") {
			t.Errorf("an application signed in from %s", token.Address)
		}
	}
}

func count(list []directory.Foothold, kind string) (n int) {
	for _, f := range list {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

func TestDeterministic(t *testing.T) {
	for _, name := range scenario.Names() {
		s := embedded(t, name)
		print := func(seed uint64, stride time.Duration) string {
			var b bytes.Buffer
			p := s.Play(tenant(t, 500), monday, seed)
			for at := monday; ; at = at.Add(stride) {
				for _, e := range p.Until(at) {
					fmt.Fprintf(&b, "%v %s %v %s %s\n", e.Time, e.Step, e.Entities, e.ID, e.Raw)
				}
				if _, more := p.Next(); !more {
					return b.String()
				}
			}
		}
		whole := print(1, s.Length()+1)
		if again := print(1, 13*time.Minute); again != whole {
			t.Errorf("%s in pieces gives other events than at once", name)
		}
		if print(2, s.Length()+1) == whole {
			t.Errorf("%s is the same for another seed", name)
		}
	}
}

// TestDefended takes the legacy application's credential away after it was
// stolen: what was begun with its token goes on until that expires, then the
// attack stands still, and what it needs later is blocked.
func TestDefended(t *testing.T) {
	d := tenant(t, 500)
	s := embedded(t, "midnight-blizzard")
	p := s.Play(d, monday, 3)
	step := func(id string) scenario.Step {
		return s.Steps[slices.IndexFunc(s.Steps, func(st scenario.Step) bool { return st.ID == id })]
	}
	p.Until(monday.Add(step("own-user").Begin))
	admin := directory.By{Actor: d.RoleMembers("Global Administrator")[0].Principal, Time: monday.Add(step("own-user").Begin)}
	legacy, _ := d.FindApplication(directory.LegacyApplication)
	for _, k := range legacy.Credentials {
		if k.DisplayName == "maintenance" {
			if _, err := d.RemoveCredential(admin, legacy.ID, k.KeyID); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, e := range p.Until(monday.Add(s.Length() + 1)) {
		if e.Step == "full-access" || strings.HasPrefix(e.Step, "read-") || e.Step == "search-itself" {
			t.Fatalf("%s went on after the credential was gone", e.Step)
		}
	}
	blocked := map[string]int{}
	for _, b := range p.Blocked() {
		if !errors.Is(b.Err, directory.ErrDenied) && !errors.Is(b.Err, directory.ErrNotFound) {
			t.Errorf("%s: %v", b.Step, b.Err)
		}
		blocked[b.Step]++
	}
	if blocked["full-access"] != 3 || blocked["read-leaders"] != 160 {
		t.Errorf("blocked: %v", blocked)
	}
}

// TestBad: one file for every mistake, with the sentence that it gets in its
// first line.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := strings.CutPrefix(strings.SplitN(string(text), "\n", 2)[0], "# ")
		if !ok {
			t.Fatalf("%s does not begin with the sentence that it should get", name)
		}
		_, err = scenario.Load(text)
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\n got %v\nwant %s", name, err, want)
		}
	}
}

func TestTooMuch(t *testing.T) {
	head := "name = \"x\"\ntitle = \"x\"\n"
	one := "[[step]]\nid = \"s%d\"\nkind = \"spray\"\ntargets = [\"legacy.test\"]\n"
	var steps strings.Builder
	for i := range 101 {
		fmt.Fprintf(&steps, one, i)
	}
	for name, text := range map[string]string{
		"larger than 1 MiB":     head + "# " + strings.Repeat("x", 1<<20),
		"is not UTF-8":          head + "# \xff",
		"at most 100 steps":     head + steps.String(),
		"more than 50000 times": head + strings.ReplaceAll(steps.String()[:strings.Index(steps.String(), "id = \"s8\"")-len("[[step]]\n")], "kind", "count = 10000\nkind"),
	} {
		if _, err := scenario.Load([]byte(text)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
}

func TestEmbeddedNames(t *testing.T) {
	if _, err := scenario.Embedded("no-such"); err == nil || !strings.Contains(err.Error(), "midnight-blizzard") {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := scenario.Embedded("../scenario"); err == nil {
		t.Error("a path is accepted")
	}
}

// FuzzLoad: a file is refused with one line, or is one that can be played: then
// its acts lie in their steps, its records are JSON, and playing it again gives
// the same.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"library/*.toml", "testdata/*.toml", "testdata/bad/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	c, err := company.New(company.Config{Seed: 11, People: 40})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := scenario.Load(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 1000 {
				t.Errorf("the refusal is no sentence: %q", err)
			}
			return
		}
		acts := 0
		for _, step := range s.Steps {
			acts += max(step.Acts, 1)
		}
		if acts > 2000 {
			return // played as well, but not thousands of times a second
		}
		events := s.Run(directory.New(c), monday, 1)
		steps := map[string]scenario.Step{}
		for _, step := range s.Steps {
			steps[step.ID] = step
		}
		for _, e := range events {
			step := steps[e.Step]
			if e.Time.Before(monday.Add(step.Begin)) || e.Time.After(monday.Add(step.End)) {
				t.Fatalf("%s at %v", e.Step, e.Time)
			}
			if !json.Valid(e.Raw) {
				t.Fatalf("no JSON: %s", e.Raw)
			}
		}
		again := s.Run(directory.New(c), monday, 1)
		if len(again) != len(events) {
			t.Fatalf("%d events, again %d", len(events), len(again))
		}
		for i := range again {
			if !bytes.Equal(again[i].Raw, events[i].Raw) {
				t.Fatalf("%s, again %s", events[i].Raw, again[i].Raw)
			}
		}
	})
}
