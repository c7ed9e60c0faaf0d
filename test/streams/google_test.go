// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package streams_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/google"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// TestGoogleTells: with a poll that is far too slow, what Google tells makes the logs be read, although some notifications are lost,
// late, twice or a stranger's; channels are opened anew before they end, closed when the collector ends, and those of a former run
// are refused.
func TestGoogleTells(t *testing.T) {
	t.Setenv("DAYBREAK_TEST_TOKEN", token)
	tenant, err := m365.New(m365.Config{
		Seed: 5, Company: company.Config{People: 30, PerDay: 600}, Speed: 900, History: time.Hour, Start: time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	cfg := google.Config{Tenant: tenant, Push: google.Push{Lose: 3, Repeat: 4, Late: 5, Forge: 2, Tardy: 300 * time.Millisecond}}
	cfg.Service.Limit = 1_000_000_000
	suite, err := google.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer suite.Close()
	api := httptest.NewServer(suite.Handler())
	defer api.Close()

	var n atomic.Pointer[node.Node]
	var taken, forged, ended atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wake, err := n.Load().HintChannel("workspace", r.Header.Get("X-Goog-Channel-Token"), r.Header.Get("X-Goog-Channel-Id"))
		switch {
		case errors.Is(err, node.ErrHookEnded):
			ended.Add(1)
		case errors.Is(err, node.ErrHookDenied):
			forged.Add(1)
		case err == nil:
			taken.Add(1)
			wake()
		}
	}))
	defer hook.Close()
	key := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(key, suite.Key(), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse([]byte(fmt.Sprintf("[[source]]\nname = \"workspace\"\ntype = \"google\"\ntenant = %q\nadmin = %q\nservice_account = \"file:%s\"\napi = %q\nlogin = %q\nstreams = [\"drive\", \"login\"]\npoll = \"10m\"\nsweep = \"10m\"\nrequests_per_minute = 1000000\nwebhook = { url = %q, auth_id = \"env:DAYBREAK_TEST_TOKEN\" }\n",
		suite.Customer(), suite.Admin(), key, api.URL, api.URL, hook.URL+"/hook/google/workspace")))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	start := func() {
		one, err := node.Open(t.Context(), node.Options{Dir: dir, Role: "test", Config: c, Log: slog.New(slog.DiscardHandler), Adjust: node.Adjust{Pages: func(o *pages.Options) {
			o.Hint, o.Renew = 20*time.Millisecond, 20*time.Millisecond
		}}})
		if err != nil {
			t.Fatal(err)
		}
		n.Store(one)
		one.Collect(context.Background())
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited for too long: %s; %+v; pushed %v", what, n.Load().Sources(), suite.Pushed())
			}
		}
	}
	start()
	var first []string
	until("both logs are watched", func() bool {
		open := suite.Channels()
		first = slices.Concat(open["drive"], open["login"])
		return len(open["drive"]) == 1 && len(open["login"]) == 1
	})
	from := tenant.Now()
	want := func() (list int) {
		for _, name := range []string{"drive", "login"} {
			suite.Happened(name, from, from.Add(30*time.Minute), func(time.Time, time.Time, []byte) { list++ })
		}
		return list
	}
	until("what happens is there long before the next poll", func() bool {
		f, err := n.Load().Search(context.Background(), node.Query{Text: "family:google-workspace", Since: from, Until: from.Add(30 * time.Minute), Limit: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		return want() >= 20 && len(f.IDs()) == want()
	})
	until("the channels have been opened anew, and the former ones are closed", func() bool {
		open := suite.Channels()
		now := slices.Concat(open["drive"], open["login"])
		return len(now) == 2 && !slices.Contains(first, now[0]) && !slices.Contains(first, now[1])
	})
	for _, id := range first {
		until("a channel that was closed is refused", func() bool {
			_, err := n.Load().HintChannel("workspace", token, id)
			return errors.Is(err, node.ErrHookEnded)
		})
	}
	open := suite.Channels()["drive"]
	if err := n.Load().Close(); err != nil {
		t.Fatal(err)
	}
	if left := suite.Channels(); len(left) > 0 {
		t.Errorf("%v are open still", left)
	}
	start()
	until("the source runs again", func() bool { return len(suite.Channels()) == 2 })
	if _, err := n.Load().HintChannel("workspace", token, open[0]); !errors.Is(err, node.ErrHookEnded) {
		t.Errorf("a channel of a former run: %v", err)
	}
	if err := n.Load().Close(); err != nil {
		t.Fatal(err)
	}
	pushed := suite.Pushed()
	for _, what := range []string{"sent", "lost", "repeated", "late", "forged"} {
		if pushed[what] == 0 {
			t.Errorf("no notification was %s: %v", what, pushed)
		}
	}
	if taken.Load() == 0 || forged.Load() == 0 || ended.Load() == 0 {
		t.Errorf("%d taken, %d forged, %d of no channel", taken.Load(), forged.Load(), ended.Load())
	}
}
