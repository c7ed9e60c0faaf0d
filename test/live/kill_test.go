// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// TestKill kills the program, `daybreak serve --config`, with SIGKILL again and again
// while every fault of the provider is on, and lets it finish. The store equals the
// ledger, the journal verified after each kill, and no coverage statement that the
// program gave before it died was wrong. DAYBREAK_LIVE_SEED repeats a run's moments,
// as far as a scheduler lets anything be repeated.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and kills it")
	}
	records, kills, most := 20_000, 5, 2*time.Second
	if long() {
		records, kills, most = 200_000, 30, 12*time.Second
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("DAYBREAK_LIVE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("DAYBREAK_LIVE_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))

	const lived = 6*day + 12*time.Hour // what is older would expire while we kill
	w := newWorld(t, setting{week: true, sim: sim.Config{
		Faults: "all", History: lived, MaxRecords: 200,
		Company: company.Config{Seed: 1, People: 100, Rate: float64(records) / lived.Seconds(), SlotLength: time.Hour},
	}})
	// A refusal without Retry-After is a pause of seconds, which a simulated day has
	// not: some are enough.
	if err := w.sim.ClearFaults("af429"); err != nil {
		t.Fatal(err)
	}
	w.fault("af429=0.002")
	p := buildProgram(t, w)
	begun := 0
	for range kills {
		c := p.serve(t)
		life := time.Duration(random.Int64N(int64(most)))
		time.Sleep(life / 2) // the moment is the test
		p.look(w)
		time.Sleep(life / 2)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // killed
		if _, err := os.Stat(filepath.Join(w.dir, node.JournalDir, "log", "checkpoint")); err == nil {
			w.verify()
			begun++
		}
		w.jump(time.Duration(random.Int64N(int64(20 * time.Minute))))
	}
	if begun == 0 {
		t.Error("no run came so far as to have a checkpoint: nothing was killed at work")
	}
	w.start()
	w.quiet()
	// What was hidden when it was listed first is found by the sweep of the whole
	// retention, once a day.
	w.jump(25 * time.Hour)
	w.sweptAll(w.sim.Now().Add(-time.Hour))
	w.allComplete()
	o := w.compare()
	if len(o.truth) < records {
		t.Errorf("only %d records", len(o.truth))
	}
}

// program is the built program with a configuration.
type program struct {
	w            *world
	path, config string
}

func buildProgram(t *testing.T, w *world) *program {
	t.Helper()
	dir := t.TempDir()
	p := &program{w: w, path: filepath.Join(dir, "daybreak"), config: filepath.Join(dir, "daybreak.toml")}
	if out, err := exec.Command("go", "build", "-o", p.path, "github.com/daybreak-sec/daybreak/cmd/daybreak").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	s := &w.sources[0]
	text := fmt.Sprintf(`[server]
listen = "127.0.0.1:0"
[log]
level = "debug"
[[source]]
name = %q
type = "m365"
tenant = %q
client_id = %q
client_secret = %q
api = %q
login = %q
poll = "1s"
sweep = "1s"
requests_per_minute = 1000000
`, s.Name, s.Tenant, s.ClientID, string(s.ClientSecret), s.API, s.Login)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.path, args...)
	c.Env = append(os.Environ(), "DAYBREAK_DATA="+p.w.dir)
	return c
}

// serve starts the program. What it logs is searched for secrets.
func (p *program) serve(t *testing.T) *exec.Cmd {
	t.Helper()
	c := p.command(context.Background(), "serve", "--config", p.config)
	c.Stderr = p.w.log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// look keeps the coverage statement that the program gives, if it is so far.
func (p *program) look(w *world) {
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	out, err := p.command(ctx, "coverage", "--json",
		"--since", w.sim.Begin().Format(time.RFC3339), "--until", w.sim.Now().Add(time.Hour).Format(time.RFC3339)).Output()
	if err != nil {
		return // it is not up yet
	}
	leaks(w, w.door.list(), "the coverage statement", out)
	var c v1.Coverage
	if err := json.Unmarshal(out, &c); err != nil {
		w.Errorf("the coverage statement is no JSON: %v", err)
		return
	}
	r := &coverage.Report{Position: c.Statement.Log.Entries}
	for _, i := range c.Intervals {
		s := coverage.Span{Stream: i.Stream, From: i.From, To: i.To, State: coverage.State(i.State), Reason: i.Reason, Intervals: i.Intervals}
		if i.AsOf != nil {
			s.AsOf = *i.AsOf
		}
		r.Spans = append(r.Spans, s)
	}
	w.keep(r)
}
