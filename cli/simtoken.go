// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/github"
	"github.com/daybreak-sec/daybreak/sim/service"
	"github.com/daybreak-sec/daybreak/sim/slack"
)

// serviceFlags are those of the simulated services that take a token as it is.
type serviceFlags struct {
	listen, start string
	allowRemote   bool
	officeHours   bool
	speed         float64
	history       time.Duration
	people        int
	cfg           service.Config
}

// simCardOfService is what a collector needs to know.
type simCardOfService struct {
	Company string `json:"company"` // its domain
	API     string `json:"api"`
	Tenant  string `json:"tenant"`
	Token   string `json:"token"`
	Source  string `json:"source"` // a block for the configuration
}

// simTokenVariable holds the token for a source that is configured with the printed block.
const simTokenVariable = "DAYBREAK_SIM_TOKEN"

func (a *app) simGitHubCommand() *cobra.Command {
	var paused bool
	cmd := a.simServiceCommand("github", "127.0.0.1:8366", "A simulated audit log of GitHub of a simulated company",
		`Sim github serves the audit log of the organization, and of the enterprise above it, that
a simulated company has at GitHub: what its people do there on the web and by Git. The
enterprise, whose name is that of the organization and "-group", has its log streamed.`,
		func(cfg service.Config) (http.Handler, string) {
			s := github.New(cfg)
			stream, _ := s.AddStream(0, "Splunk", "siem."+cfg.Company.Domain()+":8088")
			if paused {
				s.PauseStream(0, stream, true)
			}
			return s.Handler(), s.Organization()
		})
	cmd.Flags().BoolVar(&paused, "stream-paused", false, "an owner pauses the stream of the enterprise's log at the start")
	return cmd
}

func (a *app) simSlackCommand() *cobra.Command {
	return a.simServiceCommand("slack", "127.0.0.1:8367", "A simulated audit log of Slack of a simulated company",
		`Sim slack serves the Audit Logs API of the organization that a simulated company has at
Slack: sign-ins, channels, files, applications and settings.`,
		func(cfg service.Config) (http.Handler, string) {
			s := slack.New(cfg)
			return s.Handler(), s.Organization()
		})
}

func (a *app) simServiceCommand(name, listen, short, long string, open func(service.Config) (h http.Handler, tenant string)) *cobra.Command {
	var f serviceFlags
	cmd := &cobra.Command{
		Use: name, Short: short,
		Long: long + `
It is the same company as that of sim m365 with the same --seed and --people, under the
same mail addresses. Some records can be late, and some answers faults. It prints where it
listens, the token, and a [[source]] block for Daybreak's configuration.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simService(cmd.Context(), name, f, open) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", listen, "`address` and port; port 0 takes a free one")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "listen beyond loopback, in plain HTTP")
	flags.Uint64Var(&f.cfg.Seed, "seed", 1, "`number` that everything is drawn from")
	flags.IntVar(&f.people, "people", 1000, "people of the company, 10 to 1500000")
	flags.Float64Var(&f.cfg.PerDay, "per-day", 20, "records a person on a working day, in each log")
	flags.Float64Var(&f.speed, "speed", 1, "simulated seconds a second")
	flags.StringVar(&f.start, "start", "", "simulated `time` at the start, RFC 3339 (default now)")
	flags.BoolVar(&f.officeHours, "office-hours", false, "it is a Wednesday afternoon for the company at the start, whatever the hour")
	flags.DurationVar(&f.history, "history", 7*24*time.Hour, "simulated `time` before the start in which the company already lived")
	faultFlags(cmd, &f.cfg)
	return cmd
}

// faultFlags are those of what all simulated services can do wrong.
func faultFlags(cmd *cobra.Command, cfg *service.Config) {
	flags := cmd.Flags()
	flags.Float64Var(&cfg.Late, "late", 0, "`share` of records that become visible late, 0 to 1")
	flags.DurationVar(&cfg.LateBy, "late-by", time.Hour, "simulated `time` after which these do")
	flags.IntVar(&cfg.Limit, "limit", 0, "requests an hour that are answered (default the service's own limit)")
	flags.IntVar(&cfg.Throttle, "throttle", 0, "one of so many requests is refused as too many; 0 is none")
	flags.IntVar(&cfg.Fail, "fail", 0, "one of so many answers is an error of a proxy; 0 is none")
	flags.IntVar(&cfg.Break, "break", 0, "one of so many answers is cut; 0 is none")
}

// checkFaults says what is wrong with them.
func checkFaults(cfg *service.Config) error {
	switch {
	case !(cfg.Late >= 0 && cfg.Late <= 1):
		return usagef("--late is %v: want a share from 0 to 1", cfg.Late)
	case cfg.LateBy < 0 || min(cfg.Limit, cfg.Throttle, cfg.Fail, cfg.Break) < 0:
		return usagef("--late-by, --limit, --throttle, --fail and --break must not be negative")
	}
	return nil
}

func (a *app) simService(ctx context.Context, name string, f serviceFlags, open func(service.Config) (http.Handler, string)) error {
	if err := f.resolve(); err != nil {
		return err
	}
	h, tenant := open(f.cfg)
	l, err := listenSim(f.listen)
	if err != nil {
		return err
	}
	base := "http://" + l.Addr().String()
	card := simCardOfService{Company: f.cfg.Company.Domain(), API: base, Tenant: tenant, Token: f.cfg.Token}
	card.Source = "[[source]]\n" +
		"name = \"simulated-" + name + "\"\n" +
		"type = " + strconv.Quote(name) + "\n" +
		"tenant = " + strconv.Quote(tenant) + "\n" +
		"api_token = " + strconv.Quote("env:"+simTokenVariable) + "\n" +
		"api = " + strconv.Quote(base) + "\n"
	if a.json {
		err = json.NewEncoder(a.stdout).Encode(card)
	} else {
		_, err = fmt.Fprintf(a.stdout, "api      %s\ntenant   %s\ntoken    %s\n\nexport %s='%s'\n\n%s", card.API, card.Tenant, card.Token, simTokenVariable, card.Token, card.Source)
	}
	if err != nil {
		return err
	}
	a.say("%s, tenant %s: listening on %s", card.Company, tenant, l.Addr())
	return serveSim(ctx, l, h, func() {})
}

// resolve checks the flags and makes of them what is simulated.
func (f *serviceFlags) resolve() error {
	host, _, err := net.SplitHostPort(f.listen)
	switch {
	case err != nil:
		return usagef("--listen is %q: want address:port, for example 127.0.0.1:8366", f.listen)
	case !config.Loopback(host) && !f.allowRemote:
		return usagef("--listen is %q, which other machines reach in plain HTTP: listen on 127.0.0.1, or say --allow-remote", f.listen)
	case !(f.speed > 0 && f.speed <= 1e6):
		return usagef("--speed is %v: want more than 0, and at most 1000000", f.speed)
	case !(f.cfg.PerDay > 0 && f.cfg.PerDay <= 1e4):
		return usagef("--per-day is %v: want more than 0, and at most 10000", f.cfg.PerDay)
	case f.history < 0:
		return usagef("--history must not be negative")
	}
	if err := checkFaults(&f.cfg); err != nil {
		return err
	}
	start := time.Now()
	if f.start != "" {
		if start, err = time.Parse(time.RFC3339, f.start); err != nil {
			return usagef("--start is %q: want RFC 3339, for example 2026-03-02T09:00:00Z", f.start)
		}
	}
	co := company.Config{Seed: f.cfg.Seed, People: f.people}
	if f.officeHours {
		co.Shift = company.OfficeHours(start)
	}
	if f.cfg.Company, err = company.New(co); err != nil {
		return usagef("--people: %v", err)
	}
	f.cfg.Begin, f.cfg.Now, f.cfg.Token = start.Add(-f.history), service.NewClock(start, f.speed).Now, "simulated-"+rand.Text()
	return nil
}
