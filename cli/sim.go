// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/sim/admin"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

type simFlags struct {
	listen, start, faults string
	scenarios             []string
	after                 time.Duration
	secretFile, cert      string
	allowRemote           bool
	canary, officeHours   bool
	cfg                   m365.Config
	typ                   string // of the printed block
}

func (a *app) simCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sim",
		Short: "Simulated providers, for anybody's collector",
		Args:  args(cobra.NoArgs, "the name of a provider"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.simM365Command(), a.simEntraCommand(), a.simOktaCommand(), a.simGoogleCommand(), a.simEventHubsCommand(), a.simGitHubCommand(), a.simSlackCommand(), a.simAWSCommand())
	return cmd
}

func (a *app) simM365Command() *cobra.Command {
	f := simFlags{typ: "m365"}
	cmd := &cobra.Command{
		Use:   "m365",
		Short: "A simulated Office 365 Management Activity API in front of a simulated company",
		Long: `Sim m365 serves the Management Activity API and its token endpoint for a company that
is made up: the same one for the same --seed, of any size, with attacks woven into its
life if a --scenario is given, and with the faults that real providers have. It prints
where it listens, the credentials, and a [[source]] block for Daybreak's configuration.

Below /sim/v1/ it says what the truth is (ledger, requests, directory, status) and is
told what to do (faults, clock, roles). docs/reference/simulator.md has all of it, and
what differs from the real service.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simM365(cmd.Context(), f) },
	}
	f.flags(cmd)
	return cmd
}

func (a *app) simEntraCommand() *cobra.Command {
	f := simFlags{typ: "entra"}
	cmd := &cobra.Command{
		Use:   "entra",
		Short: "A simulated Microsoft Graph with the logs of Entra ID, of the same company",
		Long: `Sim entra serves the sign-in and audit logs of Entra ID as Microsoft Graph does, beside the
Management Activity API of "sim m365": the same tenant, company, attacks and acts, so that
one sign-in is in both. It prints a [[source]] block of type entra. Faults are those of the
Management Activity API and of the token endpoint.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simM365(cmd.Context(), f) },
	}
	f.flags(cmd)
	return cmd
}

// flags are those of both views of a tenant.
func (f *simFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8365", "`address` and port; port 0 takes a free one")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "listen beyond loopback, in plain HTTP; the control endpoints stay on loopback")
	flags.StringArrayVar(&f.scenarios, "scenario", nil, "`file` or name of an attack ("+strings.Join(scenario.Names(), ", ")+"); may be given again")
	flags.DurationVar(&f.after, "scenario-after", 2*time.Minute, "simulated `time` from the start to the attack; negative: it began before")
	flags.Uint64Var(&f.cfg.Seed, "seed", 1, "`number` that everything is drawn from")
	flags.StringVar(&f.faults, "faults", "", "`list` of faults; \"help\" lists them")
	flags.IntVar(&f.cfg.Company.People, "people", 1000, "people of the company, 10 to 1500000")
	flags.Float64Var(&f.cfg.Company.PerDay, "per-day", 200, "records a person on a working day")
	flags.Float64Var(&f.cfg.Company.Rate, "rate", 0, "constant records a `second`, instead of the rhythm of the day")
	flags.Float64Var(&f.cfg.Speed, "speed", 1, "simulated seconds a second")
	flags.StringVar(&f.start, "start", "", "simulated `time` at the start, RFC 3339 (default now)")
	flags.BoolVar(&f.officeHours, "office-hours", false, "it is a Wednesday afternoon for the company at the start, whatever the hour")
	flags.DurationVar(&f.cfg.Delay, "delay", time.Second, "simulated `time` from the end of a slot to its blobs")
	flags.DurationVar(&f.cfg.History, "history", 7*24*time.Hour, "simulated `time` before the start in which the company already lived")
	flags.DurationVar(&f.cfg.Company.SlotLength, "slot", 5*time.Second, "`time` that the records of a blob stem from")
	flags.IntVar(&f.cfg.MaxRecords, "max-records", 1000, "most records in a blob")
	flags.IntVar(&f.cfg.PageSize, "page-size", 200, "most blobs on a page")
	flags.IntVar(&f.cfg.Quota, "quota", 2000, "requests a minute that a publisher may make")
	flags.StringVar(&f.secretFile, "secret-file", "", "`file` to keep the client secret in (default: it is printed)")
	flags.BoolVar(&f.canary, "canary", false, "print a block for canaries as well, of an application of their own; with --secret-file its secret is in the file of that name and .canary")
	flags.StringVar(&f.cert, "certificate", "", "PEM `file` of a certificate that the collector may prove itself with")
}

func (a *app) simM365(ctx context.Context, f simFlags) error {
	if f.faults == "help" {
		_, err := fmt.Fprint(a.stdout, m365.FaultHelp())
		return err
	}
	if err := f.resolve(); err != nil {
		return err
	}
	f.cfg.Log = a.logger(slog.LevelInfo)
	s, err := m365.New(f.cfg)
	if err != nil {
		return usagef("%v", err)
	}
	defer s.Close()
	if f.cert != "" {
		if err := trustCertificate(s, f.cert); err != nil {
			return usagef("--certificate %s: %v", f.cert, err)
		}
	}
	l, err := listenSim(f.listen)
	if err != nil {
		return err
	}
	card := newSimCard(s, l.Addr().String(), f)
	if f.secretFile != "" {
		if err := keepSecret(s, f.secretFile, f.canary); err != nil {
			_ = l.Close() // the reason is said
			return err
		}
	}
	if err := a.printCard(card); err != nil {
		return err
	}
	a.say("%s, tenant of %s: listening on %s", card.Company, card.Tenant, card.Address)
	tokens := f.cfg.Company.People <= 2000 && f.cfg.Company.Rate == 0 // of larger companies it would take too long
	return serveSim(ctx, l, admin.New(admin.Config{Tenant: s}).Mount(graph.New(graph.Config{Tenant: s, Tokens: tokens}).Mount(s.Handler())), s.Close)
}

// resolve checks the flags and reads what they name.
func (f *simFlags) resolve() error {
	host, _, err := net.SplitHostPort(f.listen)
	switch {
	case err != nil:
		return usagef("--listen is %q: want address:port, for example 127.0.0.1:8365", f.listen)
	case !config.Loopback(host) && !f.allowRemote:
		return usagef("--listen is %q, which other machines reach in plain HTTP: listen on 127.0.0.1, or say --allow-remote", f.listen)
	}
	if f.start != "" {
		if f.cfg.Start, err = time.Parse(time.RFC3339, f.start); err != nil {
			return usagef("--start is %q: want RFC 3339, for example 2026-03-02T09:00:00Z", f.start)
		}
	}
	if f.officeHours {
		start := f.cfg.Start
		if start.IsZero() {
			start = time.Now()
		}
		f.cfg.Company.Shift = company.OfficeHours(start)
	}
	for _, name := range f.scenarios {
		sc, err := readScenario(name)
		if err != nil {
			return usagef("--scenario %s: %v", name, err)
		}
		f.cfg.Attacks = append(f.cfg.Attacks, m365.Attack{Scenario: sc, After: f.after})
	}
	f.cfg.Faults = f.faults
	return nil
}

// readScenario takes a name of a built-in scenario, or a file.
func readScenario(name string) (*scenario.Scenario, error) {
	if slices.Contains(scenario.Names(), name) {
		return scenario.Embedded(name)
	}
	text, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no such file, and the built-in scenarios are %s", strings.Join(scenario.Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	return scenario.Load(text)
}

// keepSecret writes the client secret to a file, and each that replaces it; and that of canaries.
func keepSecret(s *m365.Server, file string, canary bool) error {
	write := func(secret string) error {
		next := file + ".new"
		if err := os.WriteFile(next, []byte(secret+"\n"), 0o600); err != nil {
			return usagef("cannot write --secret-file: %v", err)
		}
		return os.Rename(next, file)
	}
	_, _, secret := s.Credentials()
	s.OnSecret(func(secret string) { _ = write(secret) }) // the old file stays: the collector is refused, as with a real one
	if err := write(secret); err != nil {
		return err
	}
	if !canary {
		return nil
	}
	_, secret = s.Canary()
	if err := os.WriteFile(file+canarySuffix, []byte(secret+"\n"), 0o600); err != nil {
		return usagef("cannot write the file of the canaries' secret: %v", err)
	}
	return nil
}

// canarySuffix is what the file of the canaries' secret has behind the name of the other one.
const canarySuffix = ".canary"

func trustCertificate(s *m365.Server, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return errors.Unwrap(err)
	}
	block, rest := pem.Decode(text)
	for block != nil && block.Type != "CERTIFICATE" {
		block, rest = pem.Decode(rest)
	}
	if block == nil {
		return errors.New("want a PEM block of type CERTIFICATE")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	return s.TrustCertificate(cert)
}

// simCard is what a collector needs to know.
type simCard struct {
	Company  string `json:"company"` // its domain
	Address  string `json:"address"`
	API      string `json:"api"`
	Login    string `json:"login"`
	Control  string `json:"control"`
	Tenant   string `json:"tenant"`
	ClientID string `json:"client_id"`
	Secret   string `json:"client_secret,omitempty"`
	File     string `json:"client_secret_file,omitempty"`
	Source   string `json:"source"` // a block for the configuration
	Canary   string `json:"canary_client_secret,omitempty"`
}

// simSecretVariable holds the secret for a source that is configured with the
// printed block.
const (
	simSecretVariable = "DAYBREAK_SIM_SECRET"
	simCanaryVariable = "DAYBREAK_SIM_CANARY"
)

func newSimCard(s *m365.Server, address string, f simFlags) simCard {
	base := "http://" + address
	tenant, client, secret := s.Credentials()
	c := simCard{
		Company: s.Company().Domain(), Address: address, API: base, Login: base, Control: base + "/sim/v1/status",
		Tenant: tenant, ClientID: client, Secret: secret,
	}
	reference := "env:" + simSecretVariable
	if f.secretFile != "" {
		if path, err := filepath.Abs(f.secretFile); err == nil {
			f.secretFile = path
		}
		c.Secret, c.File, reference = "", f.secretFile, "file:"+f.secretFile
	}
	// Who reads a simulator on loopback comes from there.
	addresses := ""
	if host, _, err := net.SplitHostPort(address); err == nil && net.ParseIP(host).IsLoopback() {
		addresses = "addresses = [" + strconv.Quote(host) + "]\n"
	}
	c.Source = "[[source]]\n" +
		"name = \"simulated\"\n" +
		"type = " + strconv.Quote(f.typ) + "\n" +
		"tenant = " + strconv.Quote(tenant) + "\n" +
		"client_id = " + strconv.Quote(client) + "\n" +
		addresses +
		"client_secret = " + strconv.Quote(reference) + "\n" +
		"api = " + strconv.Quote(base) + "\n" +
		"login = " + strconv.Quote(base) + "\n"
	if f.canary {
		reference := "env:" + simCanaryVariable
		id, secret := s.Canary()
		if f.secretFile != "" {
			reference = "file:" + f.secretFile + canarySuffix
		} else {
			c.Canary = secret
		}
		c.Source += "\n[[source]]\n" +
			"name = \"canaries\"\n" +
			"type = \"canary\"\n" +
			"mode = \"live\"\n" +
			"tenant = " + strconv.Quote(tenant) + "\n" +
			"client_id = " + strconv.Quote(id) + "\n" +
			addresses +
			"client_secret = " + strconv.Quote(reference) + "\n" +
			"api = " + strconv.Quote(base) + "\n" +
			"login = " + strconv.Quote(base) + "\n"
		if f.typ == "entra" {
			group, drive, mailbox := s.Directory().CanaryTargets()
			c.Source += "group = " + strconv.Quote(group.String()) + "\ndrive = " + strconv.Quote(drive) + "\nmailbox = " + strconv.Quote(mailbox) + "\n"
		}
	}
	return c
}

func (a *app) printCard(c simCard) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(c)
	}
	_, err := fmt.Fprintf(a.stdout, "api      %s\nlogin    %s\ncontrol  %s\ntenant   %s\nclient   %s\n", c.API, c.Login, c.Control, c.Tenant, c.ClientID)
	if err == nil && c.Secret != "" {
		_, err = fmt.Fprintf(a.stdout, "secret   %s\n\nexport %s='%s'\n", c.Secret, simSecretVariable, c.Secret)
	}
	if err == nil && c.Canary != "" {
		_, err = fmt.Fprintf(a.stdout, "export %s='%s'\n", simCanaryVariable, c.Canary)
	}
	if err == nil {
		_, err = fmt.Fprintf(a.stdout, "\n%s", c.Source)
	}
	return err
}

// serveSim answers until ctx ends. Bodies may be slow or hang on purpose, so
// writing has no deadline, and what hangs is ended first.
func serveSim(ctx context.Context, l net.Listener, handler http.Handler, end func()) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 256 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		end()
		grace, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(grace) // what is cut off asks again
	})
	err := server.Serve(l)
	if stop() {
		return err
	}
	<-stopped
	return nil
}
