// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/sim/google"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

func (a *app) simGoogleCommand() *cobra.Command {
	var f simFlags
	var cfg google.Config
	cmd := &cobra.Command{
		Use:   "google",
		Short: "A simulated Google Workspace in front of the same simulated company",
		Long: `Sim google serves the Reports API, and the token endpoint that goes with it, of the company
that sim m365 serves the audit log of: with the same --seed, --people, --per-day, --start
and --history a person's sign-in is in both, and in the log of sim okta. It prints where it
listens, the service account's key, and a [[source]] block for Daybreak's configuration.
docs/reference/simulator.md says what differs from the real service.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simGoogle(cmd.Context(), f, cfg) },
	}
	f.neighbor(cmd, "127.0.0.1:8368")
	faultFlags(cmd, &cfg.Service)
	cmd.Flags().StringVar(&f.secretFile, "key-file", "", "`file` to keep the service account's key in (default: it is printed)")
	cmd.Flags().IntVar(&cfg.Page, "page", 1000, "most activities on a page")
	cmd.Flags().IntVar(&cfg.Stale, "stale", 0, "one of so many page tokens is not good any more; 0 is none")
	push := &cfg.Push
	cmd.Flags().IntVar(&push.Lose, "push-lose", 0, "one of so many notifications is not sent; 0 is none")
	cmd.Flags().IntVar(&push.Repeat, "push-repeat", 0, "one of so many is sent twice")
	cmd.Flags().IntVar(&push.Late, "push-late", 0, "one of so many is sent a minute late")
	cmd.Flags().IntVar(&push.Forge, "push-forge", 0, "beside one of so many a stranger sends another")
	return cmd
}

// googleCard is what a collector needs to know.
type googleCard struct {
	Company  string `json:"company"` // its domain
	API      string `json:"api"`
	Customer string `json:"customer"`
	Admin    string `json:"admin"`
	Key      string `json:"service_account,omitempty"` // the JSON file's content
	File     string `json:"service_account_file,omitempty"`
	Source   string `json:"source"` // a block for the configuration
}

const googleKeyVariable = "DAYBREAK_SIM_GOOGLE_KEY"

func (a *app) simGoogle(ctx context.Context, f simFlags, cfg google.Config) error {
	if err := f.resolve(); err != nil {
		return err
	}
	if err := checkFaults(&cfg.Service); err != nil {
		return err
	}
	push := &cfg.Push
	if cfg.Page < 1 || min(cfg.Stale, push.Lose, push.Repeat, push.Late, push.Forge) < 0 {
		return usagef("--page must be above zero, --stale and those of notifications not negative")
	}
	push.Tardy = time.Minute
	world, err := m365.New(f.cfg)
	if err != nil {
		return usagef("%v", err)
	}
	defer world.Close()
	cfg.Tenant = world
	s, err := google.New(cfg)
	if err != nil {
		return err
	}
	card := googleCard{Company: world.Company().Domain(), Customer: s.Customer(), Admin: s.Admin()}
	var reference string
	if card.Key, card.File, reference, err = f.keep(string(s.Key()), "--key-file", googleKeyVariable); err != nil {
		return err
	}
	l, err := listenSim(f.listen)
	if err != nil {
		return err
	}
	card.API = "http://" + l.Addr().String()
	card.Source = "[[source]]\n" +
		"name = \"simulated-google\"\n" +
		"type = \"google\"\n" +
		"tenant = " + strconv.Quote(card.Customer) + "\n" +
		"admin = " + strconv.Quote(card.Admin) + "\n" +
		"service_account = " + strconv.Quote(reference) + "\n" +
		"api = " + strconv.Quote(card.API) + "\n" +
		"login = " + strconv.Quote(card.API) + "\n"
	if err := a.printNeighbor(card, [][2]string{{"api", card.API}, {"customer", card.Customer}, {"admin", card.Admin}}, googleKeyVariable, card.Key, card.Source); err != nil {
		return err
	}
	a.say("%s, customer %s: listening on %s", card.Company, card.Customer, l.Addr())
	defer s.Close()
	return serveSim(ctx, l, s.Handler(), world.Close)
}
