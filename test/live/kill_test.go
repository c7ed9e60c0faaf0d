// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
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
	"github.com/daybreak-sec/daybreak/sim/eventhubs"
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
	random := chance(t)

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
	p := buildProgram(t, w, "")
	begun := 0
	for i := range kills {
		c := p.serve(t)
		if i == kills-1 && begun == 0 { // a slow machine: the last one at the least dies at work
			w.until("a checkpoint", func() (bool, string) {
				_, err := os.Stat(filepath.Join(w.dir, node.JournalDir, "log", "checkpoint"))
				return err == nil, fmt.Sprint(err)
			})
		}
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

// TestKillEverySource kills the program while it collects from every kind of source at once: the office, Entra's logs through Graph,
// Okta, Google Workspace, GitHub, Slack, CloudTrail's bucket, event hubs, a folder, and senders that push and repeat what was not
// acknowledged. It dies in the middle of a request that it has made, at any of the first ones as well as far into its work.
func TestKillEverySource(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program and kills it")
	}
	people, kills, most := 15, 3, 1000.0
	if long() {
		people, kills, most = 120, 30, 4000.0 // it has all there is after some 3,000
	}
	random := chance(t)
	const step, lived = 20 * time.Minute, 6 * time.Hour
	ahead := time.Duration(kills)*step + 2*time.Hour
	v := newVendors(t, setting{sim: sim.Config{
		Faults:  "late,reorder,newest-first,repeat,relist,shuffle-keys,mutate,truncate,cut,wrong-length,truncated-gzip,html-200,nul-bytes,5xx,drop,401,missing,stale-page,empty-page",
		History: lived, MaxRecords: 50, Company: company.Config{Seed: 1, People: people, PerDay: 200, SlotLength: time.Minute},
	}}, ahead)
	p := buildProgram(t, v.world, v.configuration())
	begun, stopped := 0, -1
	for range kills {
		d := time.Duration(random.Int64N(int64(step)))
		v.jump(d)
		ahead -= d
		v.step()
		if stopped = random.IntN(3); random.IntN(2) == 0 {
			v.hubs.Stop(eventhubs.SignIns, stopped, true)
		}
		n := int64(math.Exp(random.Float64() * math.Log(most)))
		v.live(t, p, n)
		v.hubs.Stop(eventhubs.SignIns, stopped, false)
		if _, err := os.Stat(filepath.Join(v.dir, node.JournalDir, "log", "checkpoint")); err == nil {
			v.verify()
			begun++
		}
	}
	if begun == 0 {
		t.Error("no run came so far as to have a checkpoint: nothing was killed at work")
	}
	v.jump(ahead)
	v.step()
	v.finish(t, p)
	o := v.compare()
	for _, stream := range v.judged(o) {
		t.Errorf("nothing of %s was ever called complete: this proves nothing", stream)
	}
	if out, err := p.command(t.Context(), "verify", "--key", filepath.Join(v.dir, "log.pub"), v.dir).CombinedOutput(); err != nil {
		t.Errorf("daybreak verify: %v\n%s", err, out)
	}
}

// chance is a source of random numbers of which the log says how to repeat them.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("DAYBREAK_LIVE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("DAYBREAK_LIVE_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// program is the built program with a configuration.
type program struct {
	w            *world
	path, config string
}

// buildProgram has the program collect from the office, and from what more says.
func buildProgram(t *testing.T, w *world, more string) *program {
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
	if err := os.WriteFile(p.config, []byte(text+more), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, p.path, args...)
	c.Env = append(os.Environ(), "DAYBREAK_DATA="+p.w.dir)
	return c
}

// serve starts the program. What it logs is searched for secrets, and goes to whoever else listens.
func (p *program) serve(t *testing.T, listeners ...io.Writer) *exec.Cmd {
	t.Helper()
	c := p.command(context.Background(), "serve", "--config", p.config)
	c.Stderr = io.MultiWriter(append(listeners, p.w.log)...)
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
	w.keep(reportOf(&c))
}

// reportOf is what a statement of the API says, as far as it is judged.
func reportOf(c *v1.Coverage) *coverage.Report {
	r := &coverage.Report{Position: c.Statement.Log.Entries}
	for _, i := range c.Intervals {
		s := coverage.Span{Stream: i.Stream, From: i.From, To: i.To, State: coverage.State(i.State), Reason: i.Reason, Intervals: i.Intervals, Listing: i.Evidence.Listing}
		if i.AsOf != nil {
			s.AsOf = *i.AsOf
		}
		r.Spans = append(r.Spans, s)
	}
	return r
}
