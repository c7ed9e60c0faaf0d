// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// TestKill kills the program, `daybreak serve --config`, with SIGKILL again and again while it collects
// and judges a company under attack, and lets it finish. The alerts that stand then are those that
// judging the same journal in one go gives.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and kills it")
	}
	records, kills, most := 15_000, 3, 2*time.Second
	if os.Getenv("DAYBREAK_LIVE") == "long" {
		records, kills, most = 300_000, 30, 8*time.Second
	}
	random := chance(t)
	w := newWatched(t, records)
	program := w.build(t)
	judging := 0
	for i := range kills {
		c := exec.Command(program, "serve", "--config", w.config)
		c.Env = append(os.Environ(), "DAYBREAK_DATA="+w.dir)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(patience); i == kills-1 && judging == 0; time.Sleep(10 * time.Millisecond) { // one at the least at work
			if _, err := os.Stat(filepath.Join(w.dir, node.DetectDir)); err == nil || time.Now().After(deadline) {
				break
			}
		}
		time.Sleep(time.Duration(random.Int64N(int64(most)))) // the moment is the test
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // killed
		if _, err := os.Stat(filepath.Join(w.dir, node.DetectDir)); err == nil {
			judging++
		}
	}
	if judging == 0 {
		t.Error("no run came so far as to judge: nothing was killed at work")
	}

	killed := w.finish(t)
	again := w.rebuild(t)
	t.Logf("%d of %d kills with detection at work, %d records, %d alerts", judging, kills, len(w.ledger()), len(again))
	if len(again) < 20 {
		t.Errorf("only %d alerts: this proves nothing", len(again))
	}
	for _, line := range differences(again, killed) {
		t.Errorf("after the kills: %s", line)
	}
}

// watched is a simulated company that was attacked last week, and what watches it.
type watched struct {
	sim    *sim.Server
	dir    string
	config string // file
	source config.Source
}

func newWatched(t *testing.T, records int) *watched {
	t.Helper()
	const lived = 6*day + 12*time.Hour // what is older would expire
	s, err := scenario.Embedded("midnight-blizzard")
	if err != nil {
		t.Fatal(err)
	}
	server, err := sim.New(sim.Config{
		Seed: 1, Start: monday.Add(10 * day), Paused: true, History: lived, Quota: 1_000_000, MaxRecords: 100, Faults: "reorder,newest-first",
		Company: company.Config{People: 100, Rate: float64(records) / lived.Seconds(), SlotLength: 30 * time.Minute},
		Attacks: []sim.Attack{{Scenario: s, After: 6*time.Hour - lived}},
	})
	if err != nil {
		t.Fatal(err)
	}
	door := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		server.Close()
		door.CloseClientConnections()
		door.Close()
	})
	root := t.TempDir()
	w := &watched{sim: server, dir: filepath.Join(root, "data"), config: filepath.Join(root, "daybreak.toml")}
	secret := filepath.Join(root, "secret")
	tenant, client, text := server.Credentials()
	write(t, secret, text)
	w.source = config.DefaultSource("m365")
	w.source.Name, w.source.Type, w.source.Tenant, w.source.ClientID = "brightmere", "m365", tenant, client
	w.source.API, w.source.Login, w.source.ClientSecret = door.URL, door.URL, config.Secret("file:"+secret)
	w.source.Poll, w.source.RequestsPerMinute = config.Duration(time.Second), 1_000_000
	write(t, w.config, fmt.Sprintf(`[server]
listen = "127.0.0.1:0"
[[source]]
name = %q
type = "m365"
tenant = %q
client_id = %q
client_secret = %q
api = %q
login = %q
poll = "1s"
requests_per_minute = 1000000
`, w.source.Name, tenant, client, "file:"+secret, door.URL, door.URL))
	return w
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (w *watched) build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "daybreak")
	if out, err := exec.Command("go", "build", "-o", path, "github.com/daybreak-sec/daybreak/cmd/daybreak").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func (w *watched) ledger() []sim.Entry {
	var list []sim.Entry
	for e := range w.sim.Ledger(time.Time{}, time.Time{}, time.Time{}) {
		list = append(list, e)
	}
	return list
}

// open takes the data directory.
func (w *watched) open(t *testing.T, rebuild bool, sources ...config.Source) *node.Node {
	t.Helper()
	c := config.Default()
	c.Sources = sources
	n, err := node.Open(t.Context(), node.Options{Dir: w.dir, Role: "test", Config: c, Log: slog.New(slog.DiscardHandler), Rebuild: rebuild})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// patience is how long anything may take on the slowest machine, and in the long form.
const patience = 10 * time.Minute

// finish lets the product collect and judge all that there is, and returns the alerts that stand.
func (w *watched) finish(t *testing.T) []outline {
	t.Helper()
	n := w.open(t, false, w.source)
	defer n.Close()
	n.Collect(t.Context())
	want := len(w.ledger())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for have := -1; have < want; {
		found, err := n.Search(ctx, node.Query{Text: "family:m365 | count", Limit: 1})
		if err != nil {
			t.Fatalf("%d of %d records after %v: %v", have, want, patience, err)
		}
		var row struct{ Count int }
		if found.Len() > 0 {
			if err := json.Unmarshal(found.AppendRow(nil, 0), &row); err != nil {
				t.Fatal(err)
			}
		}
		have = row.Count
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return standing(ctx, t, n)
}

// rebuild judges the journal in one go.
func (w *watched) rebuild(t *testing.T) []outline {
	t.Helper()
	n := w.open(t, true)
	defer n.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return standing(ctx, t, n)
}

// standing waits until all that the journal has is judged, and returns the alerts.
func standing(ctx context.Context, t *testing.T, n *node.Node) []outline {
	t.Helper()
	if err := n.CatchUp(ctx, func(_, _, _ int64) {}); err != nil {
		t.Fatal(err)
	}
	st, err := n.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Judged(ctx, st.Searchable); err != nil {
		t.Fatal(err)
	}
	list, err := n.Alerts(ctx, incident.Filter{Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]outline, len(list))
	for i := range list {
		out[i] = summarize(&list[i].Alert)
		for _, r := range list[i].Records {
			out[i].refs += r.ID
		}
	}
	return out
}
