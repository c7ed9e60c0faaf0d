// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/notify"
)

// cmdUndelivered imports a file as the program would, gives up on messages at the first failure instead of
// after a day, and ends when so many are given up: one that was to be tried again counts when it failed again.
func cmdUndelivered(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: undelivered CONFIG FILE MESSAGES")
	}
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	c, err := config.Load(ts.MkAbs(args[0]))
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	n, err := node.Open(ctx, node.Options{
		Dir: ts.Getenv("DAYBREAK_DATA"), Role: "demo", Config: c, Log: slog.New(slog.DiscardHandler),
		Adjust: node.Adjust{Notify: func(o *notify.Options) {
			o.Settle, o.Poll, o.GiveUp = time.Nanosecond, 5*time.Millisecond, time.Nanosecond
		}},
	})
	ts.Check(err)
	defer func() { ts.Check(n.Close()) }()
	f, err := os.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	defer f.Close()
	im, err := n.NewImport(node.ImportOptions{})
	ts.Check(err)
	ts.Check(im.Read(ctx, args[1], f))
	_, err = im.Finish(ctx)
	ts.Check(err)
	for {
		dead, err := n.DeadLetters(ctx)
		ts.Check(err)
		if len(dead) == want {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
}
