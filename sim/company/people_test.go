// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
)

// reserved are the networks that the package's documentation names.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("::1/128"),
}

func isReserved(a netip.Addr) bool {
	for _, p := range reserved {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// TestPeople holds that no two people share what only one can have, in the
// largest company, and that the tree of managers is one.
func TestPeople(t *testing.T) {
	c := open(t, company.Config{Seed: 9, People: company.MaxPeople})
	seen := map[string]int{}
	unique := func(n int, what string) {
		if m, ok := seen[what]; ok {
			t.Fatalf("people %d and %d share %s", m, n, what)
		}
		seen[what] = n
	}
	admins := 0
	for n := 0; n < company.MaxPeople; n += 1 + n/4000 { // all of the first, then fewer and fewer
		p := c.Person(n)
		for _, what := range []string{p.UPN, p.PUID, p.SID, p.ObjectID.String(), p.MailboxGUID.String(), p.Home.String(), p.HomeIPv6.String(), p.Devices[0].ID.String()} {
			unique(n, what)
		}
		switch {
		case n == 0 && p.Manager != -1, n > 0 && (p.Manager < 0 || p.Manager >= n):
			t.Fatalf("person %d is led by %d", n, p.Manager)
		case !strings.HasSuffix(p.UPN, "@"+c.Domain()) || len(p.PUID) != 16 || p.Department == "" || p.Title == "" || p.Office.TimeZone == "":
			t.Fatalf("person %d: %+v", n, p)
		case !isReserved(p.Home) || !isReserved(p.OfficeNetwork.Addr()) || !isReserved(p.HomeIPv6.Addr()):
			t.Fatalf("person %d has an address that somebody else may own: %+v", n, p)
		}
		if p.Admin {
			admins++
			if p.Department != "Information Technology" {
				t.Errorf("administrator %d works in %s", n, p.Department)
			}
		}
	}
	if want := len(c.Admins()); admins != want {
		t.Errorf("%d people are administrators, Admins has %d", admins, want)
	}
	for i := range 100_000 {
		a := c.ResidentialAddress(i)
		unique(-1-i, a.String())
		if !isReserved(a) {
			t.Fatalf("stranger %d lives at %v", i, a)
		}
	}
}

func TestNamesComeOnceBeforeTheyComeAgain(t *testing.T) {
	c := open(t, company.Config{People: 20_000})
	seen := map[string]bool{}
	for n := range 96 * 128 {
		p := c.Person(n)
		if strings.ContainsAny(p.UPN, "0123456789") || seen[p.UPN] || seen[p.DisplayName] {
			t.Fatalf("person %d is %s, %s", n, p.DisplayName, p.UPN)
		}
		seen[p.UPN], seen[p.DisplayName] = true, true
	}
}

// TestSmallCompany holds that everybody a record names exists, where there are
// few.
func TestSmallCompany(t *testing.T) {
	c := open(t, company.Config{Seed: 5, People: company.MinPeople})
	known := map[string]bool{}
	for n := range company.MinPeople {
		known[c.Person(n).UPN] = true
	}
	for _, s := range c.Services() {
		known[s.Account] = true
	}
	visit(c, wednesday, wednesday.Add(24*time.Hour), func(r company.Ref) {
		raw := string(c.Append(nil, r))
		for rest := raw; ; {
			end := strings.Index(rest, "@"+c.Domain())
			if end < 0 {
				return
			}
			begin := end
			for begin > 0 && (rest[begin-1] >= 'a' && rest[begin-1] <= 'z' || rest[begin-1] >= '0' && rest[begin-1] <= '9' || rest[begin-1] == '.' || rest[begin-1] == '-') {
				begin--
			}
			if end > begin && !known[rest[begin:end]+"@"+c.Domain()] && strings.Trim(rest[begin:end], "0123456789") != "" { // a PUID, whose letters are capitals, ends in digits
				t.Fatalf("%v names %s, who does not exist\n%s", r, rest[begin:end], raw)
			}
			rest = rest[end+1:]
		}
	})
}

// joined is what of a record names a session and its token.
type joined struct {
	Operation, UserID, SessionID, IntraSystemID, ClientIP string
	UserType                                              int
	AppAccessContext                                      struct{ AADSessionID, UniqueTokenID, ClientAppID string }
	DeviceProperties                                      []struct{ Name, Value string }
}

// TestSessions holds that the records of one session can be joined: by its id,
// and by the token that a sign-in gave out.
func TestSessions(t *testing.T) {
	c := open(t, company.Config{Seed: 6, People: 12, PerDay: 1200})
	signedIn, tokens := map[string]string{}, map[string]bool{}
	var rest []joined
	visit(c, wednesday.Add(8*time.Hour), wednesday.Add(11*time.Hour), func(r company.Ref) {
		var j joined
		if err := json.Unmarshal(c.Append(nil, r), &j); err != nil {
			t.Fatal(err)
		}
		if j.Operation != "UserLoggedIn" {
			if j.AppAccessContext.AADSessionID != "" {
				rest = append(rest, j)
			}
			return
		}
		for _, p := range j.DeviceProperties {
			if p.Name == "SessionId" {
				if who, ok := signedIn[p.Value]; ok && who != j.UserID {
					t.Fatalf("%s and %s share a session", who, j.UserID)
				}
				signedIn[p.Value] = j.UserID
			}
		}
		id, err := hex.DecodeString(strings.ReplaceAll(j.IntraSystemID, "-", ""))
		if err != nil {
			t.Fatal(err)
		}
		tokens[base64.RawURLEncoding.EncodeToString(id)] = true
	})
	bySession, byToken := 0, 0
	for _, j := range rest {
		switch who, ok := signedIn[j.AppAccessContext.AADSessionID]; {
		case ok && who != j.UserID:
			t.Fatalf("%s works in a session of %s", j.UserID, who)
		case ok:
			bySession++
		}
		if j.SessionID != "" && j.SessionID != j.AppAccessContext.AADSessionID {
			t.Fatalf("a record is of two sessions: %+v", j)
		}
		if tokens[j.AppAccessContext.UniqueTokenID] {
			byToken++
		}
	}
	if n := len(rest); bySession < n*95/100 || byToken < n/10 {
		t.Errorf("of %d records, %d are of a session that was signed in to, %d have a token that was given out", n, bySession, byToken)
	}
}

// TestAddresses holds that no record names an address that belongs to anybody,
// and that addresses come in all the forms that the service has.
func TestAddresses(t *testing.T) {
	c := open(t, company.Config{Seed: 8, People: 3000})
	forms := map[string]int{}
	check := func(raw []byte, s string) {
		a, err := netip.ParseAddr(s)
		if err != nil {
			t.Fatalf("%q is no address: %s", s, raw)
		}
		if !isReserved(a) {
			t.Fatalf("%v may belong to somebody: %s", a, raw)
		}
		if a.Is4() {
			forms["v4"]++
		} else {
			forms["v6"]++
		}
	}
	visit(c, wednesday.Add(12*time.Hour), wednesday.Add(12*time.Hour+5*time.Minute), func(r company.Ref) {
		raw := c.Append(nil, r)
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"ClientIP", "ClientIPAddress", "ActorIpAddress", "SenderIp", "UserIp"} {
			switch v := m[key].(type) {
			case string:
				if p, err := netip.ParseAddrPort(v); err == nil {
					forms["port"]++
					v = p.Addr().String()
				}
				check(raw, v)
			case nil:
				if _, there := m[key]; there {
					forms["null"]++
				}
			}
		}
	})
	for _, form := range []string{"v4", "v6", "port", "null"} {
		if forms[form] == 0 {
			t.Errorf("no address of the form %s", form)
		}
	}
}

// TestAroundTheClock holds that applications work at night and that they can be
// told from people.
func TestAroundTheClock(t *testing.T) {
	c := open(t, company.Config{Seed: 10, People: 5_000})
	var night, day [2]int // of people, of machines
	count := func(n *[2]int) func(company.Ref) {
		return func(r company.Ref) {
			var j joined
			if err := json.Unmarshal(c.Append(nil, r), &j); err != nil {
				t.Fatal(err)
			}
			machine := 0
			if j.UserType > 2 || strings.HasPrefix(j.UserID, "svc-") || strings.HasPrefix(j.UserID, "S-1-5-18") {
				machine = 1
			}
			n[machine]++
		}
	}
	visit(c, wednesday.Add(-3*24*time.Hour), wednesday.Add(-3*24*time.Hour+10*time.Minute), count(&night)) // Sunday
	visit(c, wednesday.Add(10*time.Hour), wednesday.Add(10*time.Hour+2*time.Minute), count(&day))
	if night[1] < night[0]/2 {
		t.Errorf("on Sunday night machines write %d records, people %d", night[1], night[0])
	}
	if day[0] < 8*day[1] {
		t.Errorf("at noon people write %d records, machines %d", day[0], day[1])
	}
}

// TestClocks compares the offices' clocks with the time zone database.
func TestClocks(t *testing.T) {
	if _, err := time.LoadLocation("Europe/Amsterdam"); err != nil {
		t.Skip("no time zone database here")
	}
	c := open(t, company.Config{People: 1000})
	seen := map[string]bool{}
	for n := range 100 {
		zone := c.Person(n).Office.TimeZone
		if seen[zone] {
			continue
		}
		seen[zone] = true
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		for at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2031; at = at.Add(time.Hour) {
			_, offset := at.In(place).Zone()
			if got := c.Clock(n, at) - at.Unix(); got != int64(offset) {
				t.Fatalf("%s at %v is %d s east, want %d", zone, at, got, offset)
			}
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d time zones", len(seen))
	}
}

func TestNothingIsKept(t *testing.T) {
	c := open(t, company.Config{Seed: 11, People: company.MaxPeople})
	buf := make([]byte, 0, 1<<16)
	slot := c.Slot(wednesday.Add(9 * time.Hour))
	append5 := func() {
		for _, s := range company.Streams {
			buf = c.Append(buf[:0], company.Ref{Stream: s, Slot: slot, Index: int(slot % 7)})
			buf = c.AppendID(buf[:0], company.Ref{Stream: s, Slot: slot})
			_ = c.Count(s, slot)
		}
		slot++
	}
	append5()
	rounds := 500
	if !raceEnabled { // with it, pools drop things on purpose
		rounds = 10_000
		if n := testing.AllocsPerRun(1000, append5); n >= 1 {
			t.Errorf("%v allocations for five records", n)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range rounds {
		append5()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 256<<10 {
		t.Errorf("%d records leave %d bytes behind", 5*rounds, grown)
	}
	runtime.KeepAlive(c)
}
