// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line: one file a command, and a script beside it
// under testdata that shows what the command promises.
//
// # Output
//
// Data goes to standard output. Everything for people (progress, hints,
// warnings, logs) goes to standard error. With --json nothing but JSON is on
// standard output.
//
// # Exit codes
//
//	0  done
//	1  what was asked for failed or does not hold
//	2  wrong usage, unreadable configuration, or a data directory that cannot
//	   be used; one sentence says what to change
//	3  partly done: what was refused is listed on standard error, and nothing
//	   else was lost
//
// # Signals
//
// The first SIGINT or SIGTERM ends a command in good order: what was taken in
// is made durable. The second one ends the process at once, and loses nothing
// that was reported as stored, because the journal recovers by its normal path.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitPartly = 3
)

// exitError is an error that decides the exit code. Any other error of a
// command means exitFailed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usagef is the error of a command that was called wrongly, or that cannot run
// with the configuration or the data directory it was given.
func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// partlyf is the error of a command that did a part of what was asked.
func partlyf(format string, args ...any) error {
	return &exitError{exitPartly, fmt.Errorf(format, args...)}
}

// app is one run of the program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr is one

	data   string // --data
	config string // --config
	json   bool   // --json
	quiet  bool   // --quiet

	started bool // a command's own code has begun: errors are no longer of usage
}

// Main runs the program with the process's arguments and streams and returns
// the exit code.
func Main() int {
	limitMemory(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal has the operating system's default effect.
	context.AfterFunc(ctx, stop)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, terminal: isTerminal(os.Stderr)}
	return a.run(ctx, os.Args[1:])
}

func isTerminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" && os.Getenv("TERM") != ""
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitFailed
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		code = exit.code
	case !a.started:
		code = exitUsage
	}
	a.complain("%v", err)
	return code
}

// complain tells people what went wrong. --quiet does not silence it.
func (a *app) complain(format string, args ...any) {
	fmt.Fprintf(a.stderr, "daybreak: "+format+"\n", args...)
}

// say tells people something that they may do without.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "daybreak",
		Short: "Collect, seal, normalize and search the audit records of an office suite",
		Long: "Daybreak collects the audit records of an office suite, keeps them in a\n" +
			"tamper-evident journal that anybody can verify, normalizes them to OCSF and\n" +
			"makes them searchable.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.started = true
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true, Use: "no-help"})
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v (see %s --help)", err, cmd.CommandPath())
	})
	data := os.Getenv("DAYBREAK_DATA")
	if data == "" {
		data = "./daybreak-data"
	}
	flags := root.PersistentFlags()
	flags.StringVar(&a.data, "data", data, "data `directory` (or DAYBREAK_DATA)")
	flags.Lookup("data").DefValue = "./daybreak-data"
	flags.StringVar(&a.config, "config", os.Getenv("DAYBREAK_CONFIG"), "configuration `file` (or DAYBREAK_CONFIG)")
	flags.Lookup("config").DefValue = ""
	flags.BoolVar(&a.json, "json", false, "nothing but JSON on standard output")
	flags.BoolVar(&a.quiet, "quiet", false, "no progress and no hints on standard error")
	for _, command := range commands {
		root.AddCommand(command(a))
	}
	return root
}

// commands are in the order of a record's life.
var commands = []func(*app) *cobra.Command{
	(*app).demoCommand,
	(*app).serveCommand,
	(*app).checkConfigCommand,
	(*app).importCommand,
	(*app).normalizeCommand,
	(*app).searchCommand,
	(*app).tailCommand,
	(*app).peopleCommand,
	(*app).sessionCommand,
	(*app).detectCommand,
	(*app).rulesCommand,
	(*app).incidentsCommand,
	(*app).notifyCommand,
	(*app).coverageCommand,
	(*app).controlsCommand,
	(*app).canariesCommand,
	(*app).scorecardCommand,
	(*app).readinessCommand,
	(*app).proveCommand,
	(*app).verifyCommand,
	(*app).witnessCommand,
	(*app).simCommand,
	(*app).statusCommand,
	(*app).keyCommand,
	(*app).retainCommand,
	(*app).rebuildCommand,
	(*app).versionCommand,
}

// args wraps a cobra argument check with the sentence that people need.
func args(check cobra.PositionalArgs, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if err := check(cmd, got); err != nil {
			return usagef("%s takes %s: %d given (see %s --help)", cmd.CommandPath(), want, len(got), cmd.CommandPath())
		}
		return nil
	}
}
