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

func (a *app) simEventHubsCommand() *cobra.Command {
	var f simFlags
	var cfg eventhubs.Config
	var faults hubFaults
	cmd := &cobra.Command{
		Use:   "eventhubs",
		Short: "A simulated Event Hubs namespace to which the same tenant streams Entra's logs",
		Long: `Sim eventhubs speaks Kafka's protocol, as Azure Event Hubs does, and holds what a diagnostic
setting of Entra ID would stream there: sign-ins of three kinds and directory audits of the
company that sim m365 shows, a hub for each category. With the same --seed, --people,
--per-day, --start and --history an act is in both. It prints the broker, the connection
string, and a [[source]] block for Daybreak's configuration. docs/reference/simulator.md says
what differs from the real service.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simEventHubs(cmd.Context(), f, cfg, faults) },
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

func (a *app) simEventHubs(ctx context.Context, f simFlags, cfg eventhubs.Config, faults hubFaults) error {
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
	return s.Run(ctx)
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
