// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/daybreak-sec/daybreak/api"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
)

// connect returns a client of the data directory: of the process that holds it,
// or else of a node in this one, by the same routes. Call the function
// when done.
func (a *app) connect(ctx context.Context, role string) (*client.Client, func() error, error) {
	if c, _, err := a.dial(); c != nil || err != nil {
		return c, func() error { return nil }, err
	}
	n, err := a.open(ctx, node.Options{Role: role, MustExist: true})
	if err != nil {
		return nil, nil, err
	}
	if role == "search" && n.Behind() {
		if err := a.catchUp(ctx, n, "catching up with the journal"); err != nil {
			return nil, nil, errors.Join(err, n.Close())
		}
	}
	if role == "coverage" {
		n.CatchUpCoverage(ctx, func() { a.say("catching up with the journal") })
	}
	c := client.InProcess(api.Handler(n, buildVersion().Version, a.logger(slog.LevelWarn)))
	return c, func() error { c.Close(); return n.Close() }, nil
}

// catchUp waits until everything in the journal is searchable.
func (a *app) catchUp(ctx context.Context, n *node.Node, what string) error {
	p := a.startProgress(what)
	defer p.end()
	return n.CatchUp(ctx, func(done, total, records int64) {
		p.total.Store(total)
		p.done.Store(done)
		p.records.Store(records)
	})
}

// dial returns a client of the process that holds the data directory and the
// command that it runs; nil if nobody does, or without an API.
func (a *app) dial() (*client.Client, string, error) {
	holder, ok := node.Holder(a.data)
	if !ok || holder.API == "" {
		return nil, "", nil
	}
	token, err := node.Token(a.data)
	if err != nil {
		return nil, "", usagef("%v", err)
	}
	return client.New(holder.API, token), holder.Role, nil
}

// answer lets other commands ask this process while it holds the data directory
// for something that takes long. Where it cannot, they are told who holds it.
func (a *app) answer(n *node.Node) (stop func()) {
	log := slog.New(slog.DiscardHandler)
	s, err := api.Listen(n, config.Server{Listen: "127.0.0.1:0"}, buildVersion().Version, log)
	if err != nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Run(ctx) // those who ask see that it has ended
	}()
	withdraw, err := n.Announce(s.URL)
	return func() {
		if err == nil {
			withdraw()
		}
		cancel()
		<-done
	}
}

// open opens the data directory in this process, as the configuration says.
func (a *app) open(ctx context.Context, o node.Options) (*node.Node, error) {
	if o.Log == nil { // serve has read it
		c, err := config.Load(a.config)
		if err != nil {
			return nil, usagef("%v", err)
		}
		o.Config, o.Log = c, a.logger(slog.LevelWarn)
	}
	o.Dir = a.data
	n, err := node.Open(ctx, o)
	if dir := (*node.DirError)(nil); errors.As(err, &dir) {
		return nil, usagef("%v", err)
	}
	if held := (*node.HeldError)(nil); errors.As(err, &held) {
		return nil, usagef("%v", err)
	}
	if err == nil {
		limitMemory(n.RulesMemory())
	}
	return n, err
}

// logger writes for people who watch a command; serve has its own.
func (a *app) logger(level slog.Level) *slog.Logger {
	if a.quiet {
		level = slog.LevelError
	}
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: level}))
}

// asUsage gives exit code 2 to what the server calls a bad request.
func asUsage(err error) error {
	if client.StatusOf(err) == http.StatusBadRequest {
		return usagef("%v", err)
	}
	return err
}
