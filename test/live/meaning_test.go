// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata" // the zones of these tests, whatever the machine has

	"github.com/daybreak-sec/daybreak/api"
	collect "github.com/daybreak-sec/daybreak/collect/m365"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/node"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// TestF14Drift: records of unknown types, with types that are strings, that nest
// deep or hold U+0000. All are stored and can be searched, and what is new is noticed.
func TestF14Drift(t *testing.T) {
	t.Parallel()
	thorough(t)
	w := newWorld(t, setting{sim: sim.Config{Faults: "unknown-record-type=0.1,string-record-type=0.1,deep=0.05,nul-escape=0.1"}})
	w.start()
	w.quiet()
	w.pass(20*time.Minute, 10*time.Minute)
	w.allComplete()

	st, err := w.node.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.node.Searchable(t.Context(), event.ID{Batch: st.Entries}); err != nil {
		t.Fatal(err)
	}
	found, err := w.node.Search(t.Context(), node.Query{Text: "family:m365", Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	drift := false
	if st, err = w.node.Status(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, d := range st.Drift {
		drift = drift || strings.Contains(d.What, "99999")
	}
	if !drift {
		t.Errorf("nothing is noticed of RecordType 99999: %+v", st.Drift)
	}
	o := w.compare()
	for _, f := range []string{"unknown-record-type", "string-record-type", "deep", "nul-escape"} {
		some(t, f, o.marked(f))
	}
	if found.Len() != len(o.records) {
		t.Errorf("%d records can be searched, and %d are stored", found.Len(), len(o.records))
	}
	if o.refused > 0 {
		t.Errorf("%d records were refused as unreadable", o.refused)
	}
}

// TestF15Skew: the provider's Date is ten minutes off. All is stored.
func TestF15Skew(t *testing.T) {
	t.Parallel()
	thorough(t)
	for name, by := range map[string]string{"ahead": "10m", "behind": "-10m"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setting{blurred: true, sim: sim.Config{Faults: "skew=" + by, Subscribed: true}})
			w.start()
			off, err := time.ParseDuration(by)
			if err != nil {
				t.Fatal(err)
			}
			w.quietAt(w.sim.Now().Add(off))
			for range 3 {
				w.jump(10 * time.Minute)
				w.quietAt(w.sim.Now().Add(off))
			}
			known := w.sim.Now().Add(min(off, 0)) // what comes later it believes to be the future
			w.compareBut(func(e *sim.Entry) bool { return e.Visible.After(known) })
		})
	}
}

// TestF15HostTime runs a day's change to summer time with the machine in zones that
// are half an hour off, or change themselves.
func TestF15HostTime(t *testing.T) {
	t.Parallel()
	thorough(t)
	for _, zone := range []string{"Asia/Kolkata", "Europe/Berlin"} {
		t.Run(zone, func(t *testing.T) {
			ctx, cancel := bounded(t)
			defer cancel()
			c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestF15InZone$", "-test.v")
			c.Env = append(os.Environ(), "TZ="+zone, "DAYBREAK_LIVE_ZONE="+zone)
			out, err := c.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: TestF15InZone") {
				t.Errorf("in %s: %v\n%s", zone, err, out)
			}
		})
	}
}

// TestF15InZone is what TestF15HostTime runs.
func TestF15InZone(t *testing.T) {
	zone := os.Getenv("DAYBREAK_LIVE_ZONE")
	if zone == "" {
		t.Skip("TestF15HostTime runs it")
	}
	if got := time.Local.String(); got != zone {
		t.Fatalf("the zone is %s", got)
	}
	// Berlin changes to summer time at 01:00 UTC.
	w := newWorld(t, setting{sim: sim.Config{Start: time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)}})
	w.start()
	w.quiet()
	w.pass(time.Hour, 10*time.Minute)
	w.allComplete()
	w.compare()
}

// TestF16WebhookAndPolls: the provider announces what the polls find as well. Nothing is
// stored twice, and what is announced does not wait for the next poll, which here
// would be in an hour.
func TestF16WebhookAndPolls(t *testing.T) {
	t.Parallel()
	var surface atomic.Pointer[http.Handler]
	hooks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := surface.Load(); h != nil {
			(*h).ServeHTTP(w, r)
		}
	}))
	defer hooks.Close()
	word := filepath.Join(t.TempDir(), "word")
	const authID = "a word of the test that nobody knows"
	if err := os.WriteFile(word, []byte(authID), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, setting{
		source: func(s *config.Source) {
			s.Webhook = &config.Webhook{URL: hooks.URL + "/hook/m365/contoso", AuthID: config.Secret("file:" + word)}
		},
		collect: func(c *collect.Options) { c.Poll = time.Hour },
		opened: func(n *node.Node) {
			h := api.Handler(n, "test", slog.New(slog.DiscardHandler))
			surface.Store(&h)
		},
	})
	w.door.know(authID)
	w.start()
	w.until("subscribed", func() (bool, string) {
		n := 0
		for _, s := range w.streams() {
			if s.State == "collecting" && !s.Swept.IsZero() {
				n++
			}
		}
		return n == 5, "not all streams are"
	})
	begun := w.sim.Now()
	w.jump(10 * time.Minute)
	w.until("what was announced is there", func() (bool, string) {
		for _, s := range w.streams() {
			if s.Stream != "DLP.All" && s.HeadTo.Before(begun) {
				return false, s.Stream + " was not looked at"
			}
		}
		return true, ""
	})
	forge(t, hooks.URL, authID, w.sources[0].Tenant)
	// A restart lists without a hint what nobody announced.
	w.restart()
	w.until("listed", func() (bool, string) {
		for _, s := range w.streams() {
			if s.HeadTo.Before(w.sim.Now().Truncate(time.Second)) || s.Head+s.Backfill+s.Retry > 0 || s.Unlisted > 0 {
				return false, s.Stream
			}
		}
		return len(w.streams()) == 5, "no stream"
	})
	w.compare()
}

// forge sends what a webhook must not believe: F20.
func forge(t *testing.T, url, authID, tenant string) {
	t.Helper()
	evil := `[{"tenantId":"` + tenant + `","contentType":"Audit.Exchange","contentId":"x","contentUri":"https://evil.test/x"}]`
	for _, c := range []struct {
		authID, body string
		want         int
	}{
		{"", evil, http.StatusForbidden},
		{"another word than the right one", evil, http.StatusForbidden},
		{authID, evil, http.StatusOK}, // a hint that makes us look, and no more
		{authID, `[{"tenantId":"00000000-0000-0000-0000-00000000000e","contentType":"Audit.Exchange"}]`, http.StatusBadRequest},
		{authID, `{"contentType":`, http.StatusBadRequest},
		{authID, `[` + strings.Repeat(`{},`, 40_000) + `{}]`, http.StatusRequestEntityTooLarge},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/hook/m365/contoso", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Webhook-AuthID", c.authID)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%.40s… with %q was answered %d, want %d", c.body, c.authID, resp.StatusCode, c.want)
		}
	}
}
