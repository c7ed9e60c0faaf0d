// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/github"
	"github.com/daybreak-sec/daybreak/sim/google"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/service"
	"github.com/daybreak-sec/daybreak/sim/slack"
)

// tried is how a simulated service behaves in these tests: some records are late, and one answer of a few is none.
func tried(t *testing.T) (cfg service.Config, clock *service.Clock) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes a simulated morning")
	}
	c, err := company.New(company.Config{Seed: 11, People: 120})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	clock = service.NewClock(start, 1500)
	return service.Config{
		Company: c, Now: clock.Now, Begin: start.Add(-6 * time.Hour), Seed: 11, PerDay: 24, Late: 0.02, LateBy: 50 * time.Minute,
		Token: "simulated-token", Limit: 1_000_000, Fail: 7, Break: 11, Throttle: 97,
	}, clock
}

// tokenFile is where a source finds the simulated services' token.
func tokenFile(t *testing.T) config.Secret {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("simulated-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Secret("file:" + file)
}

// collectAll runs the product's own collector until two simulated hours have passed and every record of happened is in the
// journal, and looks at what is there: each once, and understood.
func collectAll(t *testing.T, clock *service.Clock, api pages.Upstream, feeds []pages.Feed, happened func(to time.Time) []string) {
	t.Helper()
	w := new(world)
	w.open(t)
	for i := range feeds {
		feeds[i].Poll = 0
		feeds[i].Keep = 2 * 24 * time.Hour // the months before the beginning are empty
	}
	begin := clock.Now()
	w.run(t, "simulated", "simulated", api, feeds)
	until(t, "two simulated hours pass", func() bool { return clock.Now().After(begin.Add(2 * time.Hour)) })
	clock.Stop()
	want := happened(clock.Now().Add(-time.Hour))
	if len(want) < 200 {
		t.Fatalf("only %d records: this proves nothing", len(want))
	}
	until(t, "every record is there", func() bool {
		have := map[string]bool{}
		for _, r := range w.records(t) {
			have[string(r.raw)] = true
		}
		for _, raw := range want {
			if !have[raw] {
				return false
			}
		}
		return true
	})
	w.stop()
	seen := map[string]int{}
	var n normalize.Normalizer
	var tape jsontape.Tape
	for _, r := range w.records(t) {
		if seen[string(r.raw)]++; seen[string(r.raw)] > 1 {
			t.Errorf("%s is there %d times", r.raw, seen[string(r.raw)])
			continue
		}
		e := n.Event(r.raw, r.family)
		if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 {
			t.Errorf("%s: %v", r.raw, problems)
		}
		if err := tape.Parse(r.raw); err != nil {
			t.Fatal(err)
		}
		source, _ := normalize.Lookup(r.family)
		if d, ok := source.Drift(tape.Root()); ok || len(e.Issues) > 0 || e.Time == 0 {
			t.Errorf("%s: drift %v, issues %v, time %d", r.raw, d, e.Issues, e.Time)
		}
	}
}

// TestEveryKindIsUnderstood: each kind of act that is simulated becomes an event of its own kind, and none is news to the
// mapping.
func TestEveryKindIsUnderstood(t *testing.T) {
	c, err := company.New(company.Config{Seed: 11, People: 400})
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	cfg := service.Config{Company: c, Now: time.Now, Begin: begin, Seed: 11, PerDay: 60}
	code, chat := github.New(cfg), slack.New(cfg)
	world, err := m365.New(m365.Config{Seed: 11, Company: company.Config{People: 400, PerDay: 300}, Start: begin.Add(10 * time.Hour), History: 10 * time.Hour, Paused: true})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	suite, err := google.New(google.Config{Tenant: world})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	var n normalize.Normalizer
	var tape jsontape.Tape
	look := func(family event.Family) func(at, _ time.Time, raw []byte) bool {
		return func(at, _ time.Time, raw []byte) bool {
			if err := tape.Parse(raw); err != nil {
				t.Fatal(err)
			}
			source, _ := normalize.Lookup(family)
			root := tape.Root()
			if got := normalize.Detect(root); len(got) != 1 || got[0] != family {
				t.Errorf("%s is taken for %v, want %s", raw, got, family)
			}
			if d, ok := source.Drift(root); ok {
				t.Errorf("%s is news: %v", raw, d)
			}
			if known := source.Identify(root); len(known.ID) == 0 || at.Sub(time.Unix(0, known.Time)).Abs() > time.Second {
				t.Errorf("%s has id %q and time %d", raw, known.ID, known.Time)
			}
			action := string(root.Get("action").Str())
			if family == "google-workspace" {
				action = string(root.Get("events").First().Get("name").Str())
			}
			if kinds[action]++; kinds[action] > 5 {
				return true
			}
			e := n.Event(raw, family)
			if problems := ocsf.Validate(e.AppendJSON(nil)); len(problems) > 0 || len(e.Issues) > 0 || len(e.Unfit) > 0 || e.Activity == 0 {
				t.Errorf("%s: %v, issues %v, unfit %v, activity %d", raw, problems, e.Issues, e.Unfit, e.Activity)
			}
			return true
		}
	}
	end := begin.Add(10 * time.Hour)
	code.Happened(github.Web, begin, end, look("github"))
	code.Happened(github.Git, begin, begin.Add(time.Hour), look("github"))
	chat.Happened(begin, end, look("slack"))
	for _, application := range config.Streams("google") {
		suite.Happened(application, begin, end, func(at, shown time.Time, raw []byte) { look("google-workspace")(at, shown, raw) })
	}
	if len(kinds) < 100 {
		t.Errorf("only %d kinds of acts: %v", len(kinds), kinds)
	}
}

// TestGitHub: what happened in a simulated organization's two logs is in the journal, each record once.
func TestGitHub(t *testing.T) {
	t.Parallel()
	cfg, clock := tried(t)
	sim := github.New(cfg)
	web := httptest.NewServer(sim.Handler())
	t.Cleanup(web.Close)
	c := config.DefaultSource("github")
	c.Tenant, c.APIToken, c.API = sim.Organization(), tokenFile(t), web.URL
	client, err := node.NewGitHubClient(&c, rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000})})
	if err != nil {
		t.Fatal(err)
	}
	var feeds []pages.Feed
	for _, name := range config.Streams("github") {
		feeds = append(feeds, node.GitHubFeed(name))
	}
	collectAll(t, clock, node.GitHubPages(client), feeds, func(to time.Time) (list []string) {
		for _, log := range []string{github.Web, github.Git} {
			sim.Happened(log, cfg.Begin, to, func(_, _ time.Time, raw []byte) bool {
				list = append(list, string(raw))
				return true
			})
		}
		return list
	})
	if tally := sim.Tally(); tally["cut"] == 0 || tally["failed"] == 0 {
		t.Errorf("the faults did not happen: %v", tally)
	}
}

// TestSlack: the same of an organization's log at Slack.
func TestSlack(t *testing.T) {
	t.Parallel()
	cfg, clock := tried(t)
	sim := slack.New(cfg)
	web := httptest.NewServer(sim.Handler())
	t.Cleanup(web.Close)
	c := config.DefaultSource("slack")
	c.Tenant, c.APIToken, c.API = sim.Organization(), tokenFile(t), web.URL
	client, err := node.NewSlackClient(&c, rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000})})
	if err != nil {
		t.Fatal(err)
	}
	collectAll(t, clock, node.SlackPages(client), []pages.Feed{node.SlackFeed()}, func(to time.Time) (list []string) {
		sim.Happened(cfg.Begin, to, func(_, _ time.Time, raw []byte) bool {
			list = append(list, string(raw))
			return true
		})
		return list
	})
	if tally := sim.Tally(); tally["cut"] == 0 || tally["failed"] == 0 {
		t.Errorf("the faults did not happen: %v", tally)
	}
}
