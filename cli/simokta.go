// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/okta"
)

func (a *app) simOktaCommand() *cobra.Command {
	var f simFlags
	var cfg okta.Config
	cmd := &cobra.Command{
		Use:   "okta",
		Short: "A simulated Okta organization in front of the same simulated company",
		Long: `Sim okta serves the System Log of the company that sim m365 serves the audit log of: with
the same --seed, --people, --per-day, --start and --history a person's sign-in is in both.
It prints where it listens, the API token, and a [[source]] block for Daybreak's
configuration. docs/reference/simulator.md says what differs from the real service.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simOkta(cmd.Context(), f, cfg) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8366", "`address` and port; port 0 takes a free one")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "listen beyond loopback, in plain HTTP")
	flags.StringArrayVar(&f.scenarios, "scenario", nil, "`file` or name of an attack, as of sim m365; may be given again")
	flags.DurationVar(&f.after, "scenario-after", 2*time.Minute, "simulated `time` from the start to the attack; negative: it began before")
	flags.Uint64Var(&f.cfg.Seed, "seed", 1, "`number` that everything is drawn from")
	flags.IntVar(&f.cfg.Company.People, "people", 1000, "people of the company, 10 to 1500000")
	flags.Float64Var(&f.cfg.Company.PerDay, "per-day", 200, "records a person on a working day, in all of Microsoft 365")
	flags.Float64Var(&f.cfg.Company.Rate, "rate", 0, "constant records a `second` in all of Microsoft 365, instead of the rhythm of the day")
	flags.Float64Var(&f.cfg.Speed, "speed", 1, "simulated seconds a second")
	flags.StringVar(&f.start, "start", "", "simulated `time` at the start, RFC 3339 (default now)")
	flags.DurationVar(&f.cfg.History, "history", 7*24*time.Hour, "simulated `time` before the start in which the company already lived")
	flags.StringVar(&f.secretFile, "token-file", "", "`file` to keep the API token in (default: it is printed)")
	flags.Float64Var(&cfg.Late, "late", 0, "`share` of the events, 0 to 1, that are stored only --late-by after they happened")
	flags.DurationVar(&cfg.LateBy, "late-by", 30*time.Minute, "simulated `time` that late events take")
	flags.IntVar(&cfg.PerMinute, "per-minute", okta.PerMinute, "requests that are answered in a minute")
	flags.Float64Var(&cfg.Throttle, "throttle", 0, "`share` of the requests that are refused as too many")
	flags.Float64Var(&cfg.Fail, "fail", 0, "`share` of the requests that are answered with status 500")
	flags.Float64Var(&cfg.Cut, "cut", 0, "`share` of the answers that are cut")
	return cmd
}

// oktaCard is what a collector needs to know.
type oktaCard struct {
	Company string `json:"company"`
	API     string `json:"api"`
	Org     string `json:"org"`
	Token   string `json:"api_token,omitempty"`
	File    string `json:"api_token_file,omitempty"`
	Source  string `json:"source"` // a block for the configuration
}

const oktaTokenVariable = "DAYBREAK_SIM_OKTA_TOKEN"

func (a *app) simOkta(ctx context.Context, f simFlags, cfg okta.Config) error {
	if err := f.resolve(); err != nil {
		return err
	}
	for _, share := range []float64{cfg.Late, cfg.Throttle, cfg.Fail, cfg.Cut} {
		if !(share >= 0 && share <= 1) {
			return usagef("a share is %g: want 0 to 1", share)
		}
	}
	if cfg.LateBy < 0 || cfg.PerMinute < 1 {
		return usagef("--late-by and --per-minute must be above zero")
	}
	world, err := m365.New(f.cfg)
	if err != nil {
		return usagef("%v", err)
	}
	defer world.Close()
	cfg.Tenant = world
	s := okta.New(cfg)
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return usagef("cannot listen on %s: %v", f.listen, errors.Unwrap(err))
	}
	card := oktaCard{Company: world.Company().Domain(), API: "http://" + l.Addr().String(), Org: s.Host(), Token: s.Token()}
	reference := "env:" + oktaTokenVariable
	if f.secretFile != "" {
		if card.File, err = filepath.Abs(f.secretFile); err == nil {
			err = os.WriteFile(card.File, []byte(card.Token+"\n"), 0o600)
		}
		if err != nil {
			_ = l.Close() // the reason is said
			return usagef("cannot write --token-file: %v", err)
		}
		card.Token, reference = "", "file:"+card.File
	}
	card.Source = "[[source]]\n" +
		"name = \"simulated-okta\"\n" +
		"type = \"okta\"\n" +
		"tenant = " + strconv.Quote(card.Org) + "\n" +
		"api_token = " + strconv.Quote(reference) + "\n" +
		"api = " + strconv.Quote(card.API) + "\n"
	if err := a.printOktaCard(card); err != nil {
		return err
	}
	a.say("%s, organization of %s: listening on %s", card.Company, card.Org, l.Addr())
	return serveSim(ctx, l, s.Handler(), world.Close)
}

func (a *app) printOktaCard(c oktaCard) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(c)
	}
	_, err := fmt.Fprintf(a.stdout, "api      %s\norg      %s\n", c.API, c.Org)
	if err == nil && c.Token != "" {
		_, err = fmt.Fprintf(a.stdout, "token    %s\n\nexport %s='%s'\n", c.Token, oktaTokenVariable, c.Token)
	}
	if err == nil {
		_, err = fmt.Fprintf(a.stdout, "\n%s", c.Source)
	}
	return err
}
