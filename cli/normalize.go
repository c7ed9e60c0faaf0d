// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/node"
)

func (a *app) normalizeCommand() *cobra.Command {
	var source string
	cmd := &cobra.Command{
		Use:   "normalize [FILE…]",
		Short: "Vendor records in, OCSF out; no state, no server",
		Long: `Normalize reads vendor records in any form that "daybreak import" takes, from files
or standard input, and prints one OCSF 1.8 event a line: as many lines as records, in
their order. A record that cannot be mapped becomes a Base Event that carries it
whole.`,
		Args: args(cobra.ArbitraryArgs, "files"),
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := node.CheckSource(source); err != nil {
				return usagef("%v", err)
			}
			if len(files) == 0 {
				files = []string{"-"}
			}
			return a.normalize(cmd.Context(), source, files)
		},
	}
	cmd.Flags().StringVar(&source, "source", "auto", "what the records are: auto, "+node.SourceNames())
	return cmd
}

func (a *app) normalize(ctx context.Context, source string, files []string) error {
	var notes, refused int64
	failed := 0
	for _, path := range files {
		r, name := io.NopCloser(a.stdin), "standard input"
		if path != "-" {
			f, err := os.Open(path)
			if err != nil {
				failed++
				a.complain("%v", err)
				continue
			}
			r, name = f, filepath.Base(path)
		}
		n, err := node.Normalize(ctx, source, name, r, a.stdout, func(text string) {
			if notes++; notes <= maxNotes {
				a.complain("%s", text)
			}
		})
		r.Close()
		refused += n
		if ctx.Err() != nil {
			return partlyf("interrupted")
		}
		if err != nil {
			failed++
			a.complain("%v", err)
		}
	}
	if notes > maxNotes {
		a.complain("… and %s more records like these", thousands(notes-maxNotes))
	}
	switch {
	case failed == len(files) && failed == 1:
		return usagef("nothing was read to its end")
	case failed > 0:
		return partlyf("%d of the inputs could not be read to their end", failed)
	case refused > 0:
		return partlyf("the source of %s records could not be told: they are Base Events", thousands(refused))
	}
	return nil
}
