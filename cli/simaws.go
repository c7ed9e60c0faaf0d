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

	"github.com/daybreak-sec/daybreak/sim/aws"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

func (a *app) simAWSCommand() *cobra.Command {
	var f simFlags
	var cfg aws.Config
	cmd := &cobra.Command{
		Use:   "aws",
		Short: "A simulated bucket with the CloudTrail of the same simulated company",
		Long: `Sim aws serves a bucket, by the protocol of S3, to which CloudTrail delivers what the people
of the company do in AWS, and the digests that prove it: with the same --seed, --people,
--per-day, --start and --history as sim m365, a person's sign-in is in both. It prints where
it listens, the access key, and a [[source]] block for Daybreak's configuration.
docs/reference/simulator.md says what differs from the real service.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.simAWS(cmd.Context(), f, cfg) },
	}
	f.neighbor(cmd, "127.0.0.1:8369")
	flags := cmd.Flags()
	flags.StringVar(&f.secretFile, "secret-file", "", "`file` to keep the secret of the access key in (default: it is printed)")
	flags.StringVar(&cfg.Bucket, "bucket", "trail-logs", "`name` of the bucket")
	flags.DurationVar(&cfg.Every, "every", 5*time.Minute, "simulated `time` that the events of a log file stem from")
	flags.Float64Var(&cfg.Late, "late", 0, "`share` of the log files, 0 to 1, that are delivered only --late-by after their events")
	flags.DurationVar(&cfg.LateBy, "late-by", time.Hour, "simulated `time` that late files take")
	flags.Float64Var(&cfg.Repeat, "repeat", 0, "`share` of the log files whose events are delivered once more, in another file")
	flags.Float64Var(&cfg.Throttle, "throttle", 0, "`share` of the requests that are refused as too many")
	flags.Float64Var(&cfg.Fail, "fail", 0, "`share` of the requests that are answered with status 500")
	flags.Float64Var(&cfg.Cut, "cut", 0, "`share` of the answers that are cut")
	return cmd
}

// awsCard is what a collector needs to know.
type awsCard struct {
	Company string `json:"company"`
	API     string `json:"api"`
	Account string `json:"account"`
	Bucket  string `json:"bucket"`
	KeyID   string `json:"access_key_id"`
	Secret  string `json:"secret_access_key,omitempty"`
	File    string `json:"secret_access_key_file,omitempty"`
	Source  string `json:"source"` // a block for the configuration
}

const awsSecretVariable = "DAYBREAK_SIM_AWS_SECRET"

func (a *app) simAWS(ctx context.Context, f simFlags, cfg aws.Config) error {
	if err := f.resolve(); err != nil {
		return err
	}
	for _, share := range []float64{cfg.Late, cfg.Repeat, cfg.Throttle, cfg.Fail, cfg.Cut} {
		if !(share >= 0 && share <= 1) {
			return usagef("a share is %g: want 0 to 1", share)
		}
	}
	if cfg.LateBy < 0 || cfg.Every < time.Minute {
		return usagef("--late-by must be above zero, and --every at least 1m")
	}
	world, err := m365.New(f.cfg)
	if err != nil {
		return usagef("%v", err)
	}
	defer world.Close()
	cfg.Tenant = world
	s, err := aws.New(cfg)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return usagef("cannot listen on %s: %v", f.listen, errors.Unwrap(err))
	}
	card := awsCard{Company: world.Company().Domain(), API: "http://" + l.Addr().String(), Account: s.Account(), Bucket: s.Bucket()}
	card.KeyID, card.Secret = s.AccessKey()
	reference := "env:" + awsSecretVariable
	if f.secretFile != "" {
		if card.File, err = filepath.Abs(f.secretFile); err == nil {
			err = os.WriteFile(card.File, []byte(card.Secret+"\n"), 0o600)
		}
		if err != nil {
			_ = l.Close() // the reason is said
			return usagef("cannot write --secret-file: %v", err)
		}
		card.Secret, reference = "", "file:"+card.File
	}
	card.Source = "[[source]]\n" +
		"name = \"simulated-aws\"\n" +
		"type = \"cloudtrail\"\n" +
		"tenant = " + strconv.Quote(card.Account) + "\n" +
		"bucket = " + strconv.Quote(card.Bucket) + "\n" +
		"region = " + strconv.Quote(aws.Home) + "\n" +
		"streams = [\"CloudTrail\", \"CloudTrail-Digest\"]\n" +
		"access_key_id = " + strconv.Quote(card.KeyID) + "\n" +
		"secret_access_key = " + strconv.Quote(reference) + "\n" +
		"path_style = true\n" +
		"api = " + strconv.Quote(card.API) + "\n" +
		"trail_api = " + strconv.Quote(card.API) + "\n"
	if err := a.printAWSCard(card); err != nil {
		return err
	}
	a.say("%s, account %s: listening on %s", card.Company, card.Account, l.Addr())
	return serveSim(ctx, l, s.Handler(), world.Close)
}

func (a *app) printAWSCard(c awsCard) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(c)
	}
	_, err := fmt.Fprintf(a.stdout, "api      %s\naccount  %s\nbucket   %s\nkey      %s\n", c.API, c.Account, c.Bucket, c.KeyID)
	if err == nil && c.Secret != "" {
		_, err = fmt.Fprintf(a.stdout, "secret   %s\n\nexport %s='%s'\n", c.Secret, awsSecretVariable, c.Secret)
	}
	if err == nil {
		_, err = fmt.Fprintf(a.stdout, "\n%s", c.Source)
	}
	return err
}
