// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/api"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
)

func (a *app) serveCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Hold the data directory and serve the HTTP API",
		Long: `Serve holds the data directory and answers the HTTP API, by default on loopback, with
the token that it keeps in the data directory. The other commands find it by
themselves. docs/reference/config.md lists the settings; without a file the defaults
apply. Its own log goes to standard error, one JSON object a line.

The first SIGINT or SIGTERM stops it in good order.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(a.config)
			if err != nil {
				return usagef("%v", err)
			}
			if listen != "" {
				c.Server.Listen = listen
				if err := c.Check(); err != nil {
					return usagef("%v", err)
				}
			}
			return a.serve(cmd.Context(), c)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "`address` and port, instead of the configuration's server.listen")
	return cmd
}

func (a *app) serve(ctx context.Context, c config.Config) (err error) {
	log := a.serviceLog(c.Log.Level)
	n, err := a.open(ctx, node.Options{Role: "serve", Config: c, Log: log})
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, n.Close())
		log.Info("stopped", "clean", err == nil)
	}()
	version := buildVersion().Version
	s, err := api.Listen(n, c.Server, version, log)
	if err != nil {
		return usagef("%v", err)
	}
	withdraw, err := n.Announce(s.URL)
	if err != nil {
		return usagef("%v", err)
	}
	defer withdraw()
	log.Info("serving", "url", s.URL, "data", a.data, "version", version)

	// A journal that has failed ends the process: it recovers by being started.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-n.Failed():
			cancel(n.Err())
		case <-ctx.Done():
		}
	}()
	if err := s.Run(ctx); err != nil {
		return err
	}
	return n.Err()
}

// serviceLog is the log of a long-running process: JSON lines for machines.
func (a *app) serviceLog(level string) *slog.Logger {
	var l slog.Level
	_ = l.UnmarshalText([]byte(level)) // package config has checked it
	return slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: l}))
}
