// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// What lies in the data directory of a demo beside the product's own files.
const (
	demoFile   = "demo.json"   // what company it is: a demo
	demoSecret = "demo.secret" // the simulated application's client secret; each service's token is in demo.TYPE.token
	demoLog    = "demo.log"    // what serve says on standard error
)

const (
	// demoPast is how much of the company's life lies before the demo, for the
	// back-fill to find.
	demoPast = 6 * time.Hour
	// demoQuota is how many requests a minute the provider lets through: more than
	// the baseline, so that the back-fill is over while somebody watches.
	demoQuota = 30_000
	// demoLead is when the live part of the attack begins, demoAttack how long
	// it lasts.
	demoLead   = 10 * time.Second
	demoAttack = 80 * time.Second
	noAttack   = "none"
)

type demoFlags struct {
	users  int
	length time.Duration
	attack string
	addr   string
}

func (a *app) demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "A simulated company at work, and the whole product watching it",
		Long: `Demo starts a simulated company that works with Microsoft 365 and Entra ID, Okta, Slack and
GitHub, and the product, which collects from all of them over HTTP like from real tenants:
the last hours of the company's life are back-filled, what happens now arrives a moment
later, and an attack unfolds. Nothing needs to be installed or configured. It shows how many
records there are, how long they took, what is complete, and what just happened; who one
person is in all suites, and what a session of theirs did; and how well each vendor
delivers. The other commands work beside it, on the same --data.

The company stays in --data: a second demo goes on where the first one stopped, and
collects what happened meanwhile. A directory that holds anything else is refused.
Ctrl-C stops it in good order.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd, f) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.users, "users", 5000, "people of the company, 10 to 1500000")
	flags.DurationVar(&f.length, "for", 0, "stop after this `time` (default: on Ctrl-C)")
	flags.StringVar(&f.attack, "attack", "midnight-blizzard", "`name` of the attack ("+strings.Join(scenario.Names(), ", ")+"), or none")
	flags.StringVar(&f.addr, "addr", "127.0.0.1:0", "`address` and port of the product's API; port 0 takes a free one")
	flags.Bool("no-open", false, "do not open a browser (there is nothing to open yet)")
	return cmd
}

// demoCompany is what a demo's directory says of its company.
type demoCompany struct {
	Seed   uint64    `json:"seed"`
	Users  int       `json:"users"`
	Attack string    `json:"attack"`
	Began  time.Time `json:"began"` // the first demo, from which the attack's times count
}

func (a *app) demo(cmd *cobra.Command, f demoFlags) error {
	if f.attack != noAttack && !slices.Contains(scenario.Names(), f.attack) {
		return usagef("--attack is %q: want %s, or none", f.attack, strings.Join(scenario.Names(), ", "))
	}
	co, again, err := a.demoCompany(cmd, f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	logs, err := os.OpenFile(filepath.Join(a.data, demoLog), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return usagef("%v", err)
	}
	defer logs.Close()
	log := slog.New(slog.NewJSONHandler(logs, nil))

	// The provider outlives the product, so that nothing fails at the end.
	provider, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	world, err := co.simulate(provider, again)
	if err != nil {
		return err
	}
	defer world.office.Close()
	c, err := world.configuration(a.data, f.addr)
	if err != nil {
		return err
	}
	w := &watch{app: a, company: world.office.Company(), co: co, world: world, steps: world.steps, again: again}
	err = a.hold(ctx, c, "demo", log, func(ctx context.Context, _ *node.Node, url string) {
		token, err := node.Token(a.data)
		if err != nil {
			log.Error("no token", "err", err)
			return
		}
		w.url, w.client = url, client.New(url, token)
		if f.length > 0 { // of watching, however long it took to begin
			defer time.AfterFunc(f.length, cancel).Stop()
		}
		w.run(ctx)
	})
	if err == nil {
		err = w.end()
	}
	return err
}

// demoCompany reads which company lives in the data directory, or founds it.
func (a *app) demoCompany(cmd *cobra.Command, f demoFlags) (co demoCompany, again bool, err error) {
	file := filepath.Join(a.data, demoFile)
	text, err := os.ReadFile(file)
	if err == nil {
		if err := json.Unmarshal(text, &co); err != nil {
			return co, false, usagef("%s cannot be read: remove the directory to begin anew", file)
		}
		if cmd.Flags().Changed("users") && f.users != co.Users || cmd.Flags().Changed("attack") && f.attack != co.Attack {
			return co, false, usagef("%s holds a company of %d people with attack %s: name another directory with --data for another one", a.data, co.Users, co.Attack)
		}
		return co, true, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return co, false, usagef("%v", err)
	}
	if entries, err := os.ReadDir(a.data); err == nil && len(entries) > 0 {
		return co, false, usagef("%s holds data that is no demo's: a made-up company must not get among real records; name another directory with --data", a.data)
	}
	co = demoCompany{Seed: 1, Users: f.users, Attack: f.attack, Began: time.Now().UTC().Truncate(time.Second)}
	if _, err := company.New(company.Config{Seed: co.Seed, People: co.Users}); err != nil {
		return co, false, usagef("--users: %v", err)
	}
	if err := os.MkdirAll(a.data, 0o700); err != nil {
		return co, false, usagef("%v", err)
	}
	text, err = json.Marshal(co)
	if err != nil {
		return co, false, err
	}
	if err := new(durable.Ops).WriteFile(file, append(text, '\n'), 0o600); err != nil {
		return co, false, usagef("%v", err)
	}
	return co, false, nil
}

// demoStep is a step of the attack that is still to come.
type demoStep struct {
	at   time.Time
	step scenario.Step
}

// demoPace plays the first step of a long attack in the time before the demo, and
// the rest while people watch. A short one is played as it is, from the beginning.
func demoPace(s *scenario.Scenario) (*scenario.Scenario, time.Duration) {
	first, length := s.Steps[0].End, s.Length()
	const before = demoPast - time.Hour
	live := func(at time.Duration) time.Duration {
		return time.Duration(float64(max(0, at-first)) / float64(length-first) * float64(demoAttack))
	}
	if first < before {
		return s.Warped(func(at time.Duration) time.Duration { return min(at, first) + live(at) }), demoLead - first
	}
	return s.Warped(func(at time.Duration) time.Duration {
		return time.Duration(float64(min(at, first))/float64(first)*float64(before)) + live(at)
	}), demoLead - before
}
