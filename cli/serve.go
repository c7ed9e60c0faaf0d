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
		Short: "Collect from the configured sources and serve the HTTP API",
		Long: `Serve holds the data directory, collects from the sources of the configuration and
answers the HTTP API, by default on loopback, with the token that it keeps in the data
directory. The other commands find it by themselves. docs/reference/config.md lists the
settings; without a file the defaults apply and nothing is collected. Its own log goes to
standard error, one JSON object a line.

The configuration file is read again when it changes and on SIGHUP. A file with a
mistake changes nothing; the log says what is wrong and which changes wait for a
restart.

The first SIGINT or SIGTERM stops it in good order.`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := &reloader{file: a.config, listen: listen, level: new(slog.LevelVar)}
			r.note()
			c, err := r.load()
			if err != nil {
				return usagef("%v", err)
			}
			return a.serve(cmd.Context(), c, r)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "`address` and port, instead of the configuration's server.listen")
	return cmd
}

func (a *app) serve(ctx context.Context, c config.Config, r *reloader) error {
	setLevel(r.level, c.Log.Level)
	log := a.serviceLog(r.level)
	err := a.hold(ctx, c, "serve", log, func(ctx context.Context, n *node.Node, url string) {
		log.Info("serving", "url", url, "data", a.data, "version", buildVersion().Version)
		r.node, r.log = n, log
		r.run(ctx)
	})
	log.Info("stopped", "clean", err == nil)
	return err
}

// hold opens the data directory, collects and answers the API until ctx ends or the
// journal fails. Meanwhile it calls beside, which returns when its ctx ends.
func (a *app) hold(ctx context.Context, c config.Config, role string, log *slog.Logger, beside func(ctx context.Context, n *node.Node, url string)) (err error) {
	n, err := a.open(ctx, node.Options{Role: role, Config: c, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	s, err := api.Listen(n, c.Server, buildVersion().Version, log)
	if err != nil {
		return usagef("%v", err)
	}
	withdraw, err := n.Announce(s.URL)
	if err != nil {
		return usagef("%v", err)
	}
	defer withdraw()

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
	// The address is taken: a provider may want to reach the webhook before it
	// lets a source begin.
	n.Collect(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		beside(ctx, n, s.URL)
	}()
	err = s.Run(ctx)
	cancel(nil)
	<-done
	if err != nil {
		return err
	}
	return n.Err()
}

// serviceLog is the log of a long-running process: JSON lines for machines.
func (a *app) serviceLog(level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}
