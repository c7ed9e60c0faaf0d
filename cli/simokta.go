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
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/okta"
)

func (a *app) simOktaCommand() *cobra.Command {
	var f simFlags
	var cfg okta.Config
	var off bool
	cmd := &cobra.Command{
		Use:   "okta",
		Short: "A simulated Okta organization in front of the same simulated company",
		Long: `Sim okta serves the System Log of the company that sim m365 serves the audit log of: with
the same --seed, --people, --per-day, --start and --history a person's sign-in is in both.
It prints where it listens, the API token, and a [[source]] block for Daybreak's
configuration. docs/reference/simulator.md says what differs from the real service.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simOkta(cmd.Context(), f, cfg, off) },
	}
	f.neighbor(cmd, "127.0.0.1:8366")
	flags := cmd.Flags()
	flags.StringVar(&f.secretFile, "token-file", "", "`file` to keep the API token in (default: it is printed)")
	flags.Float64Var(&cfg.Late, "late", 0, "`share` of the events, 0 to 1, that are stored only --late-by after they happened")
	flags.DurationVar(&cfg.LateBy, "late-by", 30*time.Minute, "simulated `time` that late events take")
	flags.IntVar(&cfg.PerMinute, "per-minute", okta.PerMinute, "requests that are answered in a minute")
	flags.Float64Var(&cfg.Throttle, "throttle", 0, "`share` of the requests that are refused as too many")
	flags.Float64Var(&cfg.Fail, "fail", 0, "`share` of the requests that are answered with status 500")
	flags.Float64Var(&cfg.Cut, "cut", 0, "`share` of the answers that are cut")
	flags.BoolVar(&off, "stream-off", false, "an administrator deactivates the organization's log stream at the start")
	return cmd
}

// neighbor are the flags of what stands beside Microsoft 365 in the same company.
func (f *simFlags) neighbor(cmd *cobra.Command, listen string) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", listen, "`address` and port; port 0 takes a free one")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "listen beyond loopback, in plain HTTP")
	flags.StringArrayVar(&f.scenarios, "scenario", nil, "`file` or name of an attack, as of sim m365; may be given again")
	flags.DurationVar(&f.after, "scenario-after", 2*time.Minute, "simulated `time` from the start to the attack; negative: it began before")
	flags.Uint64Var(&f.cfg.Seed, "seed", 1, "`number` that everything is drawn from")
	flags.IntVar(&f.cfg.Company.People, "people", 1000, "people of the company, 10 to 1500000")
	flags.Float64Var(&f.cfg.Company.PerDay, "per-day", 200, "records a person on a working day, in all of Microsoft 365")
	flags.Float64Var(&f.cfg.Company.Rate, "rate", 0, "constant records a `second` in all of Microsoft 365, instead of the rhythm of the day")
	flags.Float64Var(&f.cfg.Speed, "speed", 1, "simulated seconds a second")
	flags.StringVar(&f.start, "start", "", "simulated `time` at the start, RFC 3339 (default now)")
	flags.BoolVar(&f.officeHours, "office-hours", false, "it is a Wednesday afternoon for the company at the start, whatever the hour")
	flags.DurationVar(&f.cfg.History, "history", 7*24*time.Hour, "simulated `time` before the start in which the company already lived")
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

func (a *app) simOkta(ctx context.Context, f simFlags, cfg okta.Config, off bool) error {
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
	administrator := world.Company().Person(0).UPN
	s.AddHook(administrator, "siem", "https://siem."+world.Company().Domain()+"/okta")
	if stream := s.AddStream(administrator, "siem"); off {
		s.Activate(administrator, okta.Streams, stream, false)
	}
	card := oktaCard{Company: world.Company().Domain(), Org: s.Host()}
	var reference string
	if card.Token, card.File, reference, err = f.keep(s.Token(), "--token-file", oktaTokenVariable); err != nil {
		return err
	}
	l, err := listenSim(f.listen)
	if err != nil {
		return err
	}
	card.API = "http://" + l.Addr().String()
	card.Source = "[[source]]\n" +
		"name = \"simulated-okta\"\n" +
		"type = \"okta\"\n" +
		"tenant = " + strconv.Quote(card.Org) + "\n" +
		"api_token = " + strconv.Quote(reference) + "\n" +
		"api = " + strconv.Quote(card.API) + "\n"
	if err := a.printNeighbor(card, [][2]string{{"api", card.API}, {"org", card.Org}, {"token", card.Token}}, oktaTokenVariable, card.Token, card.Source); err != nil {
		return err
	}
	a.say("%s, organization of %s: listening on %s", card.Company, card.Org, l.Addr())
	return serveSim(ctx, l, s.Handler(), world.Close)
}

// keep puts what a collector proves itself with into the file that is named, or leaves it to be shown. reference is for the
// printed block.
func (f *simFlags) keep(secret, flag, variable string) (shown, file, reference string, err error) {
	if f.secretFile == "" {
		return secret, "", "env:" + variable, nil
	}
	if file, err = filepath.Abs(f.secretFile); err == nil {
		err = os.WriteFile(file, []byte(secret+"\n"), 0o600)
	}
	if err != nil {
		return "", "", "", usagef("cannot write %s: %v", flag, err)
	}
	return "", file, "file:" + file, nil
}

// listenSim takes the address of a simulator.
func listenSim(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, usagef("cannot listen on %s: %v", address, errors.Unwrap(err))
	}
	return l, nil
}

// printNeighbor prints a card as JSON, or its lines, the secret if it is to be shown, and the block for the configuration.
func (a *app) printNeighbor(card any, lines [][2]string, variable, secret, source string) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(card)
	}
	var b strings.Builder
	for _, l := range lines {
		if l[1] != "" {
			fmt.Fprintf(&b, "%-8s %s\n", l[0], l[1])
		}
	}
	if secret != "" {
		fmt.Fprintf(&b, "\nexport %s='%s'\n", variable, secret)
	}
	_, err := fmt.Fprintf(a.stdout, "%s\n%s", b.String(), source)
	return err
}
