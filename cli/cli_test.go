// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bufio"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/daybreak-sec/daybreak/cli"
	"github.com/daybreak-sec/daybreak/sample"
)

//go:generate go test -run TestReference -update .
var update = flag.Bool("update", false, "write docs/reference/cli.md")

// TestMain has four scripts run at once, unless -parallel says otherwise: most of the time they wait for servers.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"daybreak": func() { os.Exit(cli.Main()) }})
}

// TestScripts runs the scripts beside the commands, each against the real
// program in a process of its own.
//
// Beyond testscript's own commands:
//
//	exit N daybreak …       the program ends with this code
//	sample N [SEED] > FILE  N records of the made-up company, as JSON lines
//	field NAME VAR          sets VAR to the string or number of that name in stdout
//	await FILE [TEXT]       waits until the file is there, and holds the text
//	lines N FILE            the file (or stdout) has N lines
//	flip FILE OFFSET        changes a bit of the byte there
//	port VAR                sets VAR to a free port
//	listening PORT          waits until somebody listens there
//	policy KEY URL FILE     writes a policy of the one witness with that key file
//	tenant [KEY=VALUE]…     simulates a tenant, and sets API, TENANT, CLIENT and SECRET
//	expand FILE…            puts their values into files
//	metric PORT NAME        waits until the server's metric is above zero
//	nosecret FILE…          the files hold neither the secret nor a token
//	undelivered CONFIG FILE N imports the file; what is told of incidents is put aside, and it ends when that are N messages
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DAYBREAK_DATA", filepath.Join(e.WorkDir, "data"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":   cmdExit,
			"sample": cmdSample,
			"field":  cmdField,
			"await":  cmdAwait,
			"lines":  cmdLines,
			"flip":   cmdFlip,

			"port":      cmdPort,
			"listening": cmdListening,
			"policy":    cmdPolicy,

			"tenant":   cmdTenant,
			"expand":   cmdExpand,
			"nosecret": cmdNoSecret,
			"metric":   cmdMetric,

			"undelivered": cmdUndelivered,
		},
	})
}

func cmdExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit N PROGRAM ARGS…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		exit, ok := err.(interface{ ExitCode() int })
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

func cmdSample(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	seed := uint64(1)
	if len(args) > 2 {
		seed, err = strconv.ParseUint(args[1], 10, 64)
		ts.Check(err)
	}
	f, err := os.Create(ts.MkAbs(args[len(args)-1]))
	ts.Check(err)
	w := bufio.NewWriter(f)
	log := sample.New(sample.Options{Seed: seed})
	var line []byte
	for range n {
		line = append(log.Append(line[:0]), '\n')
		w.Write(line)
	}
	ts.Check(w.Flush())
	ts.Check(f.Close())
}

// cmdField finds the first "NAME": in standard output. It does not parse: what
// it reads may be many lines.
func cmdField(ts *testscript.TestScript, neg bool, args []string) {
	out := ts.ReadFile("stdout")
	_, rest, ok := strings.Cut(out, fmt.Sprintf("%q:", args[0]))
	if !ok {
		ts.Fatalf("no field %q in %s", args[0], out)
	}
	rest = strings.TrimLeft(rest, " ")
	if s, ok := strings.CutPrefix(rest, `"`); ok {
		rest, _, _ = strings.Cut(s, `"`)
	} else {
		rest = rest[:strings.IndexAny(rest, ",}\n")]
	}
	ts.Setenv(args[1], rest)
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	path, deadline := ts.MkAbs(args[0]), time.Now().Add(2*time.Minute)
	for time.Now().Before(deadline) {
		b, err := os.ReadFile(path)
		if err == nil && (len(args) < 2 || strings.Contains(string(b), args[1])) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s did not come", strings.Join(args, " with "))
}

func cmdLines(ts *testscript.TestScript, neg bool, args []string) {
	if got := strings.Count(ts.ReadFile(args[1]), "\n"); strconv.Itoa(got) != args[0] {
		ts.Fatalf("%s has %d lines, want %s", args[1], got, args[0])
	}
}

func cmdFlip(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	b[at] ^= 1
	ts.Check(os.WriteFile(path, b, 0o644))
}

func cmdPort(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	ts.Check(l.Close())
	ts.Setenv(args[0], port)
}

func cmdListening(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+args[0]); err == nil {
			c.Close()
			return
		}
	}
	ts.Fatalf("nobody listens on port %s", args[0])
}

func cmdPolicy(ts *testscript.TestScript, neg bool, args []string) {
	key := strings.TrimSpace(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), fmt.Appendf(nil, "witness w1 %s %s\nquorum w1\n", key, args[1]), 0o644))
}

func TestReference(t *testing.T) {
	const file = "../docs/reference/cli.md"
	got := cli.Reference()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/reference/cli.md is out of date: go generate ./cli\n%s", diff)
	}
	for _, promised := range []string{"serve", "import", "normalize", "search", "tail", "prove", "verify", "witness", "detect", "rules lint", "rules list", "rules test", "rules coverage", "rules backtest", "rules explain", "incidents list", "incidents show", "version"} {
		if !strings.Contains(got, "\n## `daybreak "+promised) {
			t.Errorf("the reference lacks %s", promised)
		}
	}
}
