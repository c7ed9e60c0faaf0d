// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/sim/eventhubs"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// hubFaults are what befalls the hub of interactive sign-ins so long after the start.
type hubFaults struct{ expire, remake, stall time.Duration }

// hubLoad is what is sent instead of the company's life.
type hubLoad struct {
	rate    float64
	backlog int
	long    time.Duration
}

func (a *app) simEventHubsCommand() *cobra.Command {
	var f simFlags
	var cfg eventhubs.Config
	var faults hubFaults
	var load hubLoad
	cmd := &cobra.Command{
		Use:   "eventhubs",
		Short: "A simulated Event Hubs namespace to which the same tenant streams Entra's and Defender's logs",
		Long: `Sim eventhubs speaks Kafka's protocol, as Azure Event Hubs does, and holds what a diagnostic
setting of Entra ID would stream there, sign-ins of three kinds, directory audits and requests
to Microsoft Graph, and of Defender XDR's streaming API CloudAppEvents, EmailEvents, AlertInfo
and AlertEvidence, of the company that sim m365 shows, a hub for each. With the same --seed, --people,
--per-day, --start and --history an act is in both. It prints the broker, the connection
string, and a [[source]] block for Daybreak's configuration. docs/reference/simulator.md says
what differs from the real service.

With --backlog or --load it is a load instead: what the company has done is repeated, each
record with an id and a time of its own, at tens of thousands of records a second. The backlog
is in the hubs before anything is printed. When all is sent, it says how much that was
(with --json as a second line) and goes on to be read from.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simEventHubs(cmd.Context(), f, cfg, faults, load) },
	}
	f.neighbor(cmd, "127.0.0.1:9392")
	flags := cmd.Flags()
	flags.StringVar(&f.secretFile, "secret-file", "", "`file` to keep the connection string in (default: it is printed)")
	flags.IntVar(&cfg.Partitions, "partitions", 4, "partitions of a hub")
	flags.IntVar(&cfg.Batch, "batch", 20, "records of a message, at most")
	flags.DurationVar(&cfg.Delay, "delay", 20*time.Second, "simulated `time` from an act to its message")
	flags.Float64Var(&cfg.Again, "again", 0.03, "`share` of the records that are delivered again, one to three times")
	flags.Float64Var(&cfg.Repeat, "repeat", 0.005, "`share` of the messages that are repeated to the byte")
	flags.StringVar(&cfg.Dir, "dir", "", "`directory` to keep messages in (default: memory)")
	flags.Float64Var(&load.rate, "load", 0, "records a `second` to send, instead of the company's life")
	flags.DurationVar(&load.long, "load-for", 0, "`time` after which --load ends (default never)")
	flags.IntVar(&load.backlog, "backlog", 0, "`number` of records that are there at the start, spread evenly over --history, instead of the company's life")
	flags.DurationVar(&cfg.Retention, "retention", 0, "`time` that messages of a --load are kept (default for ever)")
	flags.DurationVar(&faults.expire, "expire-after", 0, "`time` after which all messages of the sign-ins' hub expire (default never)")
	flags.DurationVar(&faults.remake, "remake-after", 0, "`time` after which that hub is deleted and made again (default never)")
	flags.DurationVar(&faults.stall, "stall-after", 0, "`time` after which its partition 0 gives nothing any more (default never)")
	return cmd
}

// hubsCard is what a collector needs to know.
type hubsCard struct {
	Company   string   `json:"company"`
	Broker    string   `json:"broker"`
	Namespace string   `json:"namespace"`
	Hubs      []string `json:"hubs"`
	Secret    string   `json:"connection_string,omitempty"`
	File      string   `json:"connection_string_file,omitempty"`
	Source    string   `json:"source"` // a block for the configuration
}

const hubsVariable = "DAYBREAK_SIM_CONNECTION_STRING"

func (a *app) simEventHubs(ctx context.Context, f simFlags, cfg eventhubs.Config, faults hubFaults, load hubLoad) error {
	if err := f.resolve(); err != nil {
		return err
	}
	for _, share := range []float64{cfg.Again, cfg.Repeat} {
		if !(share >= 0 && share <= 1) {
			return usagef("a share is %g: want 0 to 1", share)
		}
	}
	if cfg.Partitions < 1 || cfg.Partitions > 1024 || cfg.Batch < 1 || cfg.Batch > 500 || cfg.Delay < 0 {
		return usagef("want --partitions of 1 to 1024, --batch of 1 to 500, and a --delay that is not negative")
	}
	if err := load.check(cfg.Retention); err != nil {
		return err
	}
	world, err := m365.New(f.cfg)
	if err != nil {
		return usagef("%v", err)
	}
	defer world.Close()
	cfg.Tenant, cfg.Listen = world, f.listen
	never(&cfg.Again)
	never(&cfg.Repeat)
	s, err := eventhubs.New(cfg)
	if err != nil {
		return usagef("cannot listen on %s: %v", f.listen, err)
	}
	defer s.Close()
	card := hubsCard{Company: world.Company().Domain(), Broker: s.Broker(), Namespace: s.Namespace(), Hubs: eventhubs.Hubs(), Secret: s.ConnectionString()}
	reference := "env:" + hubsVariable
	if f.secretFile != "" {
		if card.File, err = filepath.Abs(f.secretFile); err == nil {
			err = os.WriteFile(card.File, []byte(card.Secret+"\n"), 0o600)
		}
		if err != nil {
			return usagef("cannot write --secret-file: %v", err)
		}
		card.Secret, reference = "", "file:"+card.File
	}
	var loader *eventhubs.Loader
	if load.on() {
		if loader, err = s.NewLoader(); err != nil {
			return usagef("%v", err)
		}
		if err := loader.Fill(ctx, load.backlog, f.cfg.History); err != nil {
			return err
		}
	} else if err := s.Step(ctx); err != nil { // what has happened so far is there before anybody reads
		return err
	}
	tenant, _, _ := world.Credentials()
	card.Source = "[[source]]\n" +
		"name = \"simulated-hubs\"\n" +
		"type = \"eventhubs\"\n" +
		"tenant = " + strconv.Quote(tenant) + "\n" +
		"namespace = " + strconv.Quote(card.Namespace) + "\n" +
		"connection_string = " + strconv.Quote(reference) + "\n" +
		"brokers = [" + strconv.Quote(card.Broker) + "]\n" +
		"streams = [\"" + strings.Join(card.Hubs, "\", \"") + "\"]\n"
	if err := a.printHubsCard(card); err != nil {
		return err
	}
	a.say("%s, namespace %s: listening on %s", card.Company, card.Namespace, card.Broker)
	for _, fault := range []struct {
		after time.Duration
		what  string
		do    func() error
	}{
		{faults.expire, "all its messages have expired", func() error { return s.Expire(eventhubs.SignIns) }},
		{faults.remake, "it was deleted and made again", func() error {
			if err := s.Delete(eventhubs.SignIns); err != nil {
				return err
			}
			return s.Make(eventhubs.SignIns)
		}},
		{faults.stall, "its partition 0 gives nothing any more", func() error { s.Stop(eventhubs.SignIns, 0, true); return nil }},
	} {
		if fault.after > 0 {
			t := time.AfterFunc(fault.after, func() {
				if err := fault.do(); err != nil {
					a.say("%s: %v", eventhubs.SignIns, err)
					return
				}
				a.say("%s: %s", eventhubs.SignIns, fault.what)
			})
			defer t.Stop()
		}
	}
	if loader != nil {
		return a.keepLoad(ctx, loader, load)
	}
	return s.Run(ctx)
}

func (l *hubLoad) on() bool { return l.rate > 0 || l.backlog > 0 }

func (l *hubLoad) check(retention time.Duration) error {
	switch {
	case !(l.rate >= 0 && l.rate <= 1e6) || l.backlog < 0 || l.long < 0 || retention < 0:
		return usagef("want a --load of 0 to 1000000, and a --backlog, --load-for and --retention that are not negative")
	case l.rate == 0 && (l.long > 0 || retention > 0):
		return usagef("--load-for and --retention are of a --load: say its rate")
	case l.backlog > 0 && retention > 0:
		return usagef("--retention would delete what --backlog has sent: leave one of them out")
	}
	return nil
}

// keepLoad sends the load, says how much it was, and waits for the end.
func (a *app) keepLoad(ctx context.Context, loader *eventhubs.Loader, load hubLoad) error {
	if load.rate > 0 {
		if err := loader.Keep(ctx, load.rate, load.long); err != nil {
			return err
		}
	}
	sent := loader.Sent()
	a.say("sent %d records in %d messages", sent.Records, sent.Messages)
	if a.json {
		if err := json.NewEncoder(a.stdout).Encode(map[string]eventhubs.Sent{"sent": sent}); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// never makes of no share one that is not the default.
func never(share *float64) {
	if *share == 0 {
		*share = -1
	}
}

func (a *app) printHubsCard(c hubsCard) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(c)
	}
	_, err := fmt.Fprintf(a.stdout, "broker     %s\nnamespace  %s\n", c.Broker, c.Namespace)
	if err == nil && c.Secret != "" {
		_, err = fmt.Fprintf(a.stdout, "\nexport %s='%s'\n", hubsVariable, c.Secret)
	}
	if err == nil {
		_, err = fmt.Fprintf(a.stdout, "\n%s", c.Source)
	}
	return err
}
