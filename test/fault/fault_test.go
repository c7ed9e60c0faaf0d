// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package fault_test runs the whole program where something is wrong: a full
// disk, a directory that cannot be written to, a second writer, a signal in the
// middle of the work.
package fault_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sample"
)

// program is the built program, made once for all tests.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "daybreak-fault")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "daybreak")
	if out, err := exec.Command("go", "build", "-o", program, "github.com/daybreak-sec/daybreak/cmd/daybreak").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// run runs the program and returns its output and exit code.
func run(t *testing.T, data string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	c := command(data, args...)
	var out, errs strings.Builder
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func command(data string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), "DAYBREAK_DATA="+data)
	return c
}

func writeLog(t *testing.T, records int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, log := bufio.NewWriter(f), sample.New(sample.Options{Seed: 5})
	var line []byte
	for range records {
		line = append(log.Append(line[:0]), '\n')
		w.Write(line)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return path
}

// tmpfs mounts a file system of its own, or skips the test where that is not
// allowed.
func tmpfs(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("daybreak", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("needs the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// oneSentence fails unless what people are told is short and names what is
// wrong.
func oneSentence(t *testing.T, stderr, want string) {
	t.Helper()
	var told []string
	for line := range strings.Lines(stderr) {
		if strings.HasPrefix(line, "daybreak: ") {
			told = append(told, line)
		}
	}
	if len(told) != 1 || !regexp.MustCompile(want).MatchString(told[0]) {
		t.Errorf("want one sentence like %q, got:\n%s", want, stderr)
	}
}

// TestFullDisk: the import ends with one sentence, nothing that was confirmed is
// lost, and with more room everything goes on.
func TestFullDisk(t *testing.T) {
	fs := tmpfs(t, "size=6m")
	data, log := filepath.Join(fs, "data"), writeLog(t, 30_000)
	_, stderr, code := run(t, data, "import", "--quiet", log)
	if code == 0 {
		t.Fatal("30,000 records fit into 6 MiB: the disk was never full")
	}
	oneSentence(t, stderr, `the disk of .* is full \(no space left on device\): make room and run this again`)
	if err := syscall.Mount("daybreak", fs, "tmpfs", syscall.MS_REMOUNT, "size=200m"); err != nil {
		t.Skipf("cannot make room: %v", err)
	}
	stdout, stderr, code := run(t, data, "import", "--quiet", "--json", log)
	if code != 0 {
		t.Fatalf("after making room: exit %d\n%s", code, stderr)
	}
	complete(t, data, stdout, 30_000)
}

// complete checks that an import's summary accounts for all records, and that
// the journal verifies and holds each once.
func complete(t *testing.T, data, summary string, records int) {
	t.Helper()
	var sum struct{ Read, Stored, Duplicates int }
	if err := json.Unmarshal([]byte(summary), &sum); err != nil {
		t.Fatalf("%v: %s", err, summary)
	}
	if sum.Read != records || sum.Stored+sum.Duplicates != records {
		t.Errorf("%+v, want %d records", sum, records)
	}
	stdout, stderr, code := run(t, data, "verify", "--json")
	if want := `{"ok":true,"events":` + strconv.Itoa(records) + ","; code != 0 || !strings.HasPrefix(stdout, want) {
		t.Errorf("verify: exit %d\n%s%s", code, stdout, stderr)
	}
	if stdout, _, _ := run(t, data, "search", "--json", "| count"); stdout != `{"count":`+strconv.Itoa(records)+"}\n" {
		t.Errorf("search counts %s", stdout)
	}
}

func TestReadOnly(t *testing.T) {
	fs := tmpfs(t, "size=200m")
	data, log := filepath.Join(fs, "data"), writeLog(t, 1000)
	if _, stderr, code := run(t, data, "import", "--quiet", log); code != 0 {
		t.Fatal(stderr)
	}
	if err := syscall.Mount("daybreak", fs, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot make it read-only: %v", err)
	}
	_, stderr, code := run(t, data, "import", "--quiet", log)
	if code != 2 {
		t.Errorf("exit %d, want 2", code)
	}
	oneSentence(t, stderr, `cannot be written to \(read-only file system\): give this user the right to, or name another directory with --data`)
	// Evidence is verified where it cannot be written.
	if stdout, stderr, code := run(t, data, "verify", "--json"); code != 0 || !strings.HasPrefix(stdout, `{"ok":true,"events":1000,`) {
		t.Errorf("verify: exit %d\n%s%s", code, stdout, stderr)
	}
}

// TestSecondWriter: it is refused with the first one's process id.
func TestSecondWriter(t *testing.T) {
	data, log := filepath.Join(t.TempDir(), "data"), writeLog(t, 100)
	first := command(data, "import", "--quiet", "-")
	in, err := first.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, filepath.Join(data, "log.pub"))
	for _, args := range [][]string{{"import", log}, {"serve", "--listen", "127.0.0.1:0"}, {"rebuild"}} {
		_, stderr, code := run(t, data, args...)
		if code != 2 {
			t.Errorf("%v: exit %d, want 2", args, code)
		}
		oneSentence(t, stderr, `is in use by process `+strconv.Itoa(first.Process.Pid)+`: only one process writes`)
	}
	// Whoever only asks is answered by the one that writes.
	await(t, filepath.Join(data, "api.address"))
	if stdout, stderr, code := run(t, data, "search", "--json", "| count"); code != 0 || stdout != "{\"count\":0}\n" {
		t.Errorf("search meanwhile: exit %d\n%s%s", code, stdout, stderr)
	}
	in.Close()
	if err := first.Wait(); err != nil {
		t.Error(err)
	}
}

func await(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("%s did not come", path)
}

// TestSignal: the first signal ends an import in good order, whether it reads a
// file or waits for input that does not come; a second run completes it.
func TestSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		data, log := filepath.Join(t.TempDir(), "data"), writeLog(t, 20_000)
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		c := command(data, "import", "--json", "-")
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out, errs strings.Builder
		c.Stdout, c.Stderr = &out, &errs
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write(text[:len(text)/2]); err != nil { // and no more: it waits
			t.Fatal(err)
		}
		await(t, filepath.Join(data, "log.pub"))
		time.Sleep(300 * time.Millisecond)
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		if code := c.ProcessState.ExitCode(); code != 3 {
			t.Errorf("%v: exit %d, want 3\n%s", sig, code, errs.String())
		}
		oneSentence(t, errs.String(), `interrupted after [0-9,]+ records, which are stored: run the same command again`)
		var sum struct{ Read, Stored int }
		if err := json.Unmarshal([]byte(out.String()), &sum); err != nil || sum.Read != sum.Stored || sum.Read == 0 {
			t.Errorf("%v: %v: %s", sig, err, out.String())
		}
		stdout, stderr, code := run(t, data, "import", "--quiet", "--json", log)
		if code != 0 {
			t.Fatal(stderr)
		}
		complete(t, data, stdout, 20_000)
	}
}

// TestLostIndex: everything but the evidence and the keys can be removed.
func TestLostIndex(t *testing.T) {
	data, log := filepath.Join(t.TempDir(), "data"), writeLog(t, 3000)
	if _, stderr, code := run(t, data, "import", "--quiet", log); code != 0 {
		t.Fatal(stderr)
	}
	before, _, _ := run(t, data, "search", "--json", "--limit", "10000", "")
	for _, name := range []string{"lake", "dedupe", "control.db", "lock"} {
		if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	stdout, stderr, code := run(t, data, "import", "--quiet", "--json", log)
	if code != 0 {
		t.Fatal(stderr)
	}
	complete(t, data, stdout, 3000)
	if after, _, _ := run(t, data, "search", "--json", "--limit", "10000", ""); after != before {
		t.Error("the lake that was made anew gives other answers")
	}
}
