// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/node"
)

func (a *app) keyCommand() *cobra.Command {
	key := &cobra.Command{
		Use:   "key",
		Short: "The log's signing key",
		Args:  args(cobra.NoArgs, `a subcommand: "rotate"`),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	key.AddCommand(&cobra.Command{
		Use:   "rotate",
		Short: "Replace the log's signing key; the log records it",
		Long: `Rotate makes a new signing key. The log records the change, signed by the old and the
new key, so that whoever has the old verifier key can verify on. The new verifier key
is printed and added to log.pub: hand it to those who check single proofs.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, done, err := a.connect(cmd.Context(), "key rotate")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, done()) }()
			vkey, err := c.RotateKey(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]string{"key": vkey})
			}
			_, err = fmt.Fprintln(a.stdout, vkey)
			return err
		},
	})
	return key
}

func (a *app) retainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retain",
		Short: "Delete what is older than the configuration's retention says, now",
		Long: `Retain applies the settings retention.raw_days and retention.lake_days once, as "serve"
does by itself every hour. Raw records go in whole segments after the log has recorded
it; their receipts and proofs stay.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if a.config == "" {
				return usagef("retain needs --config FILE with a [retention] section")
			}
			n, err := a.open(cmd.Context(), node.Options{Role: "retain", MustExist: true})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, n.Close()) }()
			r, err := n.Retain(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]int{"journal_segments": r.Journal, "lake_segments": r.Lake})
			}
			_, err = fmt.Fprintf(a.stdout, "%d journal segments and %d lake segments deleted\n", r.Journal, r.Lake)
			return err
		},
	}
}

func (a *app) rebuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: "Make the searchable rows, alerts and what is known of coverage anew from the journal",
		Long: `Rebuild drops the lake and maps every raw record of the journal again, with the
mapping of this build, and judges it again, with the rules of today. The journal is
only read. Rows whose raw records are gone by policy are gone with it; alerts and
coverage are left as they are where that would lose some of them. Stop the server first.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			n, err := a.open(cmd.Context(), node.Options{Role: "rebuild", MustExist: true, Rebuild: true})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, n.Close()) }()
			if err := a.catchUp(cmd.Context(), n, "rebuild"); err != nil {
				return err
			}
			n.CatchUpCoverage(cmd.Context(), func() {})
			if err := n.CatchUpDetection(cmd.Context()); err != nil {
				return err
			}
			st, err := n.Status(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]int64{"rows": st.Rows})
			}
			_, err = fmt.Fprintf(a.stdout, "%s rows, mapping %s\n", thousands(st.Rows), st.Mapper)
			return err
		},
	}
}
