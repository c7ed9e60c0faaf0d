// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	mapping "github.com/daybreak-sec/daybreak/normalize/okta"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/okta"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

var start = time.Date(2026, 3, 3, 14, 0, 0, 0, time.UTC)

// newOrg returns an organization whose clock stands.
func newOrg(t testing.TB, cfg okta.Config, attacks ...m365.Attack) (*okta.Server, *m365.Server, string) {
	t.Helper()
	world, err := m365.New(m365.Config{
		Seed: 5, Company: company.Config{People: 60, PerDay: 200}, Paused: true, History: 8 * time.Hour, Start: start, Attacks: attacks,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.Close)
	cfg.Tenant = world
	if cfg.PerMinute == 0 {
		cfg.PerMinute = 1_000_000
	}
	s := okta.New(cfg)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return s, world, server.URL
}

// answer is what came back.
type answer struct {
	status int
	body   []byte
	list   []logEvent
	next   string
	header http.Header
}

type logEvent struct {
	UUID, Published, EventType string
	Actor                      struct{ Type, AlternateID string }
	Client                     struct{ IPAddress string }
}

func get(t testing.TB, s *okta.Server, address string) (a answer) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "SSWS "+s.Token())
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	if a.body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	if a.status == http.StatusOK {
		if err := json.Unmarshal(a.body, &a.list); err != nil {
			t.Fatalf("%v: %.300s", err, a.body)
		}
	}
	for _, l := range res.Header.Values("Link") {
		if target, rel, _ := strings.Cut(l, ">; "); rel == `rel="next"` {
			a.next = target[1:]
		}
	}
	return a
}

// good is get of what must not be refused.
func good(t testing.TB, s *okta.Server, address string) answer {
	t.Helper()
	a := get(t, s, address)
	if a.status != http.StatusOK {
		t.Fatalf("%s: %d %s", address, a.status, a.body)
	}
	return a
}

func logs(base string, params ...string) string {
	v := url.Values{}
	for i := 0; i < len(params); i += 2 {
		v.Set(params[i], params[i+1])
	}
	return base + "/api/v1/logs?" + v.Encode()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// TestEventsAreOkta: the mapping takes each event for what it is, and nothing about one is news to it.
func TestEventsAreOkta(t *testing.T) {
	midnight, err := scenario.Embedded("midnight-blizzard")
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := newOrg(t, okta.Config{}, m365.Attack{Scenario: midnight, After: -7 * time.Hour})
	seen := map[string]int{}
	s.Events(start.Add(-8*time.Hour), start, func(published, stored time.Time, raw []byte) {
		var tape jsontape.Tape
		if err := tape.Parse(raw); err != nil {
			t.Fatal(err)
		}
		root := tape.Root()
		kind := string(root.Get("eventType").Str())
		seen[kind]++
		if !mapping.Source.Detect(root) {
			t.Errorf("not detected: %s", raw)
		}
		if _, drift := mapping.Source.Drift(root); drift {
			t.Errorf("%s is not known", kind)
		}
		if known := mapping.Source.Identify(root); len(known.ID) != 36 || known.Time != published.UnixNano() {
			t.Errorf("identified as %s at %d", known.ID, known.Time)
		}
		if stored.Before(published.Add(time.Second)) {
			t.Errorf("%s was stored before it can be", raw)
		}
		var e ocsf.Event
		mapping.Source.Map(root, &e)
		for _, problem := range ocsf.Validate(e.AppendJSON(nil)) {
			t.Errorf("%s: %v", kind, problem)
		}
		for _, a := range e.Unfit {
			t.Errorf("%s: class %d has no place for %s", kind, e.Class, a.Path)
		}
		for _, issue := range e.Issues {
			t.Errorf("%s: %s", kind, issue)
		}
		if who := e.Str(ocsf.PathUserEmailAddr); strings.HasPrefix(kind, "user.session.start") && who == nil && !strings.Contains(string(raw), `"unknown"`) {
			t.Errorf("who signs in: %s", raw)
		}
	})
	if len(seen) < 15 {
		t.Errorf("only these types: %v", slices.Sorted(maps.Keys(seen)))
	}
}

// TestOneActInBothLogs: whoever signs in to Microsoft 365 came through Okta, from the same place, a few seconds away.
func TestOneActInBothLogs(t *testing.T) {
	s, world, _ := newOrg(t, okta.Config{})
	type key struct{ who, from string }
	here := map[key][]time.Time{}
	s.Events(start.Add(-6*time.Hour), start, func(published, _ time.Time, raw []byte) {
		var e logEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		if e.EventType == "user.authentication.sso" {
			k := key{e.Actor.AlternateID, e.Client.IPAddress}
			here[k] = append(here[k], published)
		}
	})
	n := 0
	world.Happened(company.AzureActiveDirectory, start.Add(-6*time.Hour), start.Add(-time.Minute), func(at, _ time.Time, raw []byte) bool {
		var v struct{ Operation, UserID, ClientIP string }
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if v.Operation != "UserLoggedIn" || strings.HasPrefix(v.UserID, "svc-") || strings.Contains(string(raw), `"OAuth2:Token"`) {
			return true
		}
		n++
		if !slices.ContainsFunc(here[key{v.UserID, v.ClientIP}], func(t time.Time) bool { return t.Sub(at).Abs() < 10*time.Second }) {
			t.Errorf("%s at %s did not come through Okta", v.UserID, at)
		}
		return true
	})
	if n < 50 {
		t.Errorf("only %d sign-ins: this proves nothing", n)
	}
}

// TestPolling: following the next link gives every event once, in the order of storage, whatever the size of pages and
// however late events are.
func TestPolling(t *testing.T) {
	s, world, base := newOrg(t, okta.Config{Late: 0.05, LateBy: 50 * time.Minute})
	have := map[string]int{}
	shuffled := false
	last := ""
	next := logs(base, "since", stamp(start.Add(-2*time.Hour)), "limit", "37")
	follow := func() {
		for {
			a := good(t, s, next)
			if a.next == "" {
				t.Fatal("there is no next link")
			}
			next = a.next
			for _, e := range a.list {
				have[e.UUID]++
				shuffled = shuffled || e.Published < last
				last = e.Published
			}
			if len(a.list) == 0 {
				return
			}
		}
	}
	follow()
	before := len(have)
	for range 4 {
		if err := world.Jump(17 * time.Minute); err != nil {
			t.Fatal(err)
		}
		follow()
	}
	want := 0
	s.Events(start.Add(-2*time.Hour), world.Now(), func(published, _ time.Time, raw []byte) {
		var e logEvent
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		want++
		if have[e.UUID] != 1 {
			t.Errorf("%s, published %s, was given %d times", e.UUID, e.Published, have[e.UUID])
		}
	})
	if want != len(have) || before < 100 || want < before+50 || !shuffled {
		t.Errorf("%d of %d events, %d before, shuffled %v", len(have), want, before, shuffled)
	}
}

// TestBounded: a window ends, is in order, and leaves out its bounds.
func TestBounded(t *testing.T) {
	s, _, base := newOrg(t, okta.Config{})
	read := func(order, limit string) (list []string) {
		next := logs(base, "since", stamp(start.Add(-3*time.Hour)), "until", stamp(start.Add(-time.Hour)), "sortOrder", order, "limit", limit)
		for next != "" {
			a := good(t, s, next)
			for _, e := range a.list {
				list = append(list, e.Published+" "+e.UUID)
			}
			next = a.next
		}
		return list
	}
	up, down := read("ASCENDING", "61"), read("DESCENDING", "150")
	if len(up) < 100 || !slices.IsSorted(up) {
		t.Errorf("%d events, sorted %v", len(up), slices.IsSorted(up))
	}
	slices.Reverse(down)
	if !slices.Equal(up, down) {
		t.Error("the other order has other events")
	}
	first, _, _ := strings.Cut(up[0], " ")
	a := good(t, s, logs(base, "since", first, "until", stamp(start.Add(-time.Hour)), "limit", "1000"))
	if len(a.list) >= len(up) || a.list[0].Published <= first || a.next != "" {
		t.Errorf("since is inclusive, or there is more: %s, %q", a.list[0].Published, a.next)
	}
}

// TestRetention: what is older than the log keeps is left out without a word.
func TestRetention(t *testing.T) {
	s, _, base := newOrg(t, okta.Config{Keep: 2 * time.Hour})
	a := good(t, s, logs(base, "since", stamp(start.Add(-24*time.Hour)), "until", stamp(start), "limit", "1000"))
	if len(a.list) == 0 || a.list[0].Published < stamp(start.Add(-2*time.Hour)) {
		t.Errorf("%d events, the first of %s", len(a.list), a.list[0].Published)
	}
}

// TestDeterministic: two servers of one configuration say the same.
func TestDeterministic(t *testing.T) {
	one, _, a := newOrg(t, okta.Config{Late: 0.1, LateBy: time.Hour})
	two, _, b := newOrg(t, okta.Config{Late: 0.1, LateBy: time.Hour})
	x := good(t, one, logs(a, "since", stamp(start.Add(-2*time.Hour)), "limit", "200"))
	y := good(t, two, logs(b, "since", stamp(start.Add(-2*time.Hour)), "limit", "200"))
	if len(x.list) != 200 || string(x.body) != string(y.body) {
		t.Errorf("%d events; the same: %v", len(x.list), string(x.body) == string(y.body))
	}
}

func TestRefusals(t *testing.T) {
	s, _, base := newOrg(t, okta.Config{})
	for query, want := range map[string]int{
		"limit=1001": 400, "limit=-1": 400, "limit=x": 400, "since=yesterday": 400, "until=x": 400, "sortOrder=UP": 400, "after=zzz": 400, "filter=x": 400,
		"since=2026-03-03T10:00:00Z&until=2026-03-03T09:00:00Z": 400, "limit=0": 200, "": 200,
	} {
		a := get(t, s, base+"/api/v1/logs?"+query)
		if a.status != want || want == 400 && !strings.Contains(string(a.body), `"errorCode":"E0000031"`) {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	stale := good(t, s, logs(base)).next
	s.Forget()
	if a := get(t, s, stale); a.status != 400 {
		t.Errorf("a place that was forgotten: %d", a.status)
	}
	s.Deny(true)
	if a := get(t, s, logs(base)); a.status != 403 || !strings.Contains(string(a.body), "E0000006") {
		t.Errorf("no right: %d %s", a.status, a.body)
	}
	if a := get(t, s, base+"/api/v1/users"); a.status != 404 {
		t.Errorf("another endpoint: %d", a.status)
	}
	s.Deny(false)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, logs(base), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 401 {
		t.Errorf("no token: %d", res.StatusCode)
	}
}

// TestThrottling: a minute has so many requests, and a refusal says when the next begins.
func TestThrottling(t *testing.T) {
	s, world, base := newOrg(t, okta.Config{PerMinute: 3})
	for i := range 3 {
		a := good(t, s, logs(base, "limit", "1"))
		if got := a.header.Get("X-Rate-Limit-Remaining"); got != strconv.Itoa(2-i) {
			t.Errorf("remaining %s after %d", got, i+1)
		}
	}
	a := get(t, s, logs(base, "limit", "1"))
	reset, err := strconv.ParseInt(a.header.Get("X-Rate-Limit-Reset"), 10, 64)
	if err != nil || a.status != 429 || !strings.Contains(string(a.body), "E0000047") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if left := reset - world.Now().Unix(); left < 30 || left > 60 {
		t.Errorf("the reset is %d s away", left)
	}
}

// TestFaults: as many requests fail as were ordered, in the ways that were.
func TestFaults(t *testing.T) {
	s, _, base := newOrg(t, okta.Config{Throttle: 0.2, Fail: 0.2, Cut: 0.2})
	cut := 0
	for range 200 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, logs(base, "since", stamp(start.Add(-5*time.Minute)), "limit", "3"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "SSWS "+s.Token())
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			cut++
			continue
		}
		if _, err := io.ReadAll(res.Body); err != nil {
			cut++
		}
		res.Body.Close()
	}
	n := s.Answers()
	if n[429] < 20 || n[500] < 15 || cut < 10 || n[200] < 80 {
		t.Errorf("answers %v, %d cut", n, cut)
	}
}

// TestSettings: streams and hooks are shown as Okta shows them, in pages, and what is done to them is in the System Log, in both
// kinds of requests.
func TestSettings(t *testing.T) {
	s, world, base := newOrg(t, okta.Config{})
	const by = "admin@contoso.example"
	show := func(path string) (status int, list []okta.Outlet, link string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "SSWS "+s.Token())
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_ = json.NewDecoder(res.Body).Decode(&list) // of a refusal nothing
		return res.StatusCode, list, res.Header.Get("Link")
	}
	first, second := s.AddStream(by, "one"), s.AddStream(by, "two")
	hook := s.AddHook(by, "hook", "https://siem.example/okta")
	status, list, link := show("/api/v1/logStreams?limit=1")
	if status != 200 || len(list) != 1 || list[0].ID != first || !strings.Contains(link, "after="+first) {
		t.Errorf("the first page is %d %+v %s", status, list, link)
	}
	if _, list, link = show("/api/v1/logStreams?limit=1&after=" + first); len(list) != 1 || list[0].ID != second || link != "" {
		t.Errorf("the second page is %+v %s", list, link)
	}
	if status, _, _ = show("/api/v1/logStreams?limit=201"); status != 400 {
		t.Errorf("a limit that is too large is answered %d", status)
	}
	s.Activate(by, okta.Hooks, hook, false)
	if _, list, _ = show("/api/v1/eventHooks"); len(list) != 1 || list[0].Status != "INACTIVE" || list[0].Verification != "VERIFIED" {
		t.Errorf("hooks are %+v", list)
	}
	if s.Delete(by, okta.Streams, first) == nil || s.Delete(by, okta.Streams, first) != nil || s.Activate(by, okta.Hooks, "who0", true) != nil {
		t.Error("what is there is deleted once, and what is not there is not changed")
	}
	s.DenySettings(true)
	if status, _, _ = show("/api/v1/logStreams"); status != 403 {
		t.Errorf("who may not see streams is answered %d", status)
	}
	if err := world.Jump(10 * time.Minute); err != nil {
		t.Fatal(err)
	}
	want := "event_hook.created event_hook.deactivated system.log_stream.lifecycle.create system.log_stream.lifecycle.create system.log_stream.lifecycle.delete"
	for _, until := range []string{"", stamp(start.Add(9 * time.Minute))} {
		query := []string{"since", stamp(start.Add(-time.Second)), "limit", "1000"}
		if until != "" {
			query = append(query, "until", until)
		}
		var kinds []string
		for _, e := range good(t, s, logs(base, query...)).list {
			if strings.HasPrefix(e.EventType, "event_hook.") || strings.Contains(e.EventType, "log_stream") {
				kinds = append(kinds, e.EventType)
			}
		}
		slices.Sort(kinds)
		if got := strings.Join(kinds, " "); got != want {
			t.Errorf("in the log until %q are %s: want %s", until, got, want)
		}
	}
}
