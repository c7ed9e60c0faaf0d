// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package crash_test kills the program with SIGKILL again and again while it
// takes a log in, and then looks whether every record is there once and the
// journal verifies.
//
// The long form (DAYBREAK_CRASH=long, `make crash`) is 30 kills over 300,000
// records, the normal one a few over 20,000. DAYBREAK_CRASH_SEED repeats a run's
// moments, as far as a scheduler lets anything be repeated.
package crash_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sample"
)

func TestKill(t *testing.T) {
	records, kills, most := 20_000, 6, 900*time.Millisecond
	switch {
	case os.Getenv("DAYBREAK_CRASH") == "long":
		records, kills, most = 300_000, 30, 5*time.Second
	case testing.Short():
		records, kills = 5_000, 2
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("DAYBREAK_CRASH_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("DAYBREAK_CRASH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	p := build(t)
	log := writeLog(t, records)

	killed := 0
	for i := range kills {
		after := time.Duration(rng.Int64N(int64(most)))
		var done bool
		if i%3 == 2 {
			done = p.killServe(t, log, after)
		} else {
			done = p.killImport(t, log, after)
		}
		if !done {
			killed++
		}
		// A journal that a writer died on must verify as it stands, if it
		// came so far as to have a checkpoint.
		if _, err := os.Stat(filepath.Join(p.data, "journal", "log", "checkpoint")); err == nil {
			p.run(t, "verify", "--json")
		}
	}
	t.Logf("%d of %d runs were killed at work", killed, kills)
	p.check(t, log, records)
}

// program is the built program with a data directory.
type program struct {
	path, data string
}

func build(t *testing.T) *program {
	t.Helper()
	p := &program{path: filepath.Join(t.TempDir(), "daybreak"), data: filepath.Join(t.TempDir(), "data")}
	if out, err := exec.Command("go", "build", "-o", p.path, "github.com/daybreak-sec/daybreak/cmd/daybreak").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return p
}

func writeLog(t *testing.T, records int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, log := bufio.NewWriterSize(f, 1<<20), sample.New(sample.Options{Seed: 3})
	var line []byte
	for range records {
		line = append(log.Append(line[:0]), '\n')
		if _, err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func (p *program) command(args ...string) *exec.Cmd {
	c := exec.Command(p.path, args...)
	c.Env = append(os.Environ(), "DAYBREAK_DATA="+p.data)
	return c
}

// run runs the program, which must succeed, and returns its standard output.
func (p *program) run(t *testing.T, args ...string) string {
	t.Helper()
	c := p.command(args...)
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Fatalf("daybreak %s: %v\n%s%s", strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}

// killImport kills an import after some time. It reports whether the import was
// done before.
func (p *program) killImport(t *testing.T, log string, after time.Duration) bool {
	t.Helper()
	var errs strings.Builder
	c := p.command("import", "--quiet", log)
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { c.Process.Kill() })
	err := c.Wait()
	timer.Stop()
	if err != nil && c.ProcessState.ExitCode() != -1 {
		t.Fatalf("import failed before it was killed: %v\n%s", err, errs.String())
	}
	return err == nil
}

// killServe kills a server, after some time, while an import is sent to it.
func (p *program) killServe(t *testing.T, log string, after time.Duration) bool {
	t.Helper()
	address := filepath.Join(p.data, "api.address")
	os.Remove(address)
	var errs strings.Builder
	c := p.command("serve", "--listen", "127.0.0.1:0")
	c.Stderr = &errs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(address); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server did not come up\n%s", errs.String())
		}
	}
	im := p.command("import", "--quiet", log)
	if err := im.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { c.Process.Kill() })
	defer timer.Stop()
	return im.Wait() == nil
}

// check imports the log to its end and counts.
func (p *program) check(t *testing.T, log string, records int) {
	t.Helper()
	var sum struct{ Read, Stored, Duplicates, Mutated, Unparsed int }
	if err := json.Unmarshal([]byte(p.run(t, "import", "--quiet", "--json", log)), &sum); err != nil {
		t.Fatal(err)
	}
	t.Logf("last import: %+v", sum)
	if sum.Read != records || sum.Stored+sum.Duplicates != records || sum.Mutated != 0 || sum.Unparsed != 0 {
		t.Errorf("the last import read %d records of %d: %+v", sum.Read, records, sum)
	}
	var report struct {
		OK     bool
		Events int
	}
	if err := json.Unmarshal([]byte(p.run(t, "verify", "--quiet", "--json", "--key", filepath.Join(p.data, "log.pub"))), &report); err != nil {
		t.Fatal(err)
	}
	if !report.OK || report.Events != records {
		t.Errorf("the journal holds %d records, want %d (ok %v)", report.Events, records, report.OK)
	}
	// In the lake, too, each record is there once.
	if got, want := p.run(t, "search", "--json", "| count"), fmt.Sprintf("{\"count\":%d}\n", records); got != want {
		t.Errorf("search counts %s, want %s", got, want)
	}
	if got := p.run(t, "search", "--json", "| top 1 uid"); !strings.HasSuffix(got, "\"count\":1}\n") {
		t.Errorf("a record is searchable twice: %s", got)
	}
	var again struct{ Stored, Duplicates int }
	if err := json.Unmarshal([]byte(p.run(t, "import", "--quiet", "--json", log)), &again); err != nil {
		t.Fatal(err)
	}
	if again.Stored != 0 || again.Duplicates != records {
		t.Errorf("one more import stored %d, duplicates %d", again.Stored, again.Duplicates)
	}
}
