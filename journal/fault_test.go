// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal"
)

// faults counts file operations and lets one of them fail.
type faults struct {
	mu     sync.Mutex
	n      int
	at     int  // the operation that fails, -1 for none
	stored bool // it happens all the same
	err    error
	log    []string
}

func (f *faults) wrap(op, path string, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	f.log = append(f.log, op+" "+filepath.Base(path))
	if f.n-1 != f.at {
		return do()
	}
	if f.stored {
		if err := do(); err != nil {
			return err
		}
	}
	return f.err
}

// work appends three origins, one after the other, and returns those that were
// confirmed.
func work(ctx context.Context, b *bed, j *journal.Journal) (confirmed []event.Record, err error) {
	for n := range 3 {
		in := recs(n*30, n*30+40) // the last ten come twice
		if _, err := add(ctx, j, b.origin(), in); err != nil {
			return confirmed, err
		}
		confirmed = append(confirmed, in[min(n, 1)*10:]...)
	}
	return confirmed, nil
}

// TestEveryOperationFails lets every file operation of ours fail once, lost or
// stored but reported as failed. What was confirmed before is there afterwards,
// the work can be done again and leaves each record once.
func TestEveryOperationFails(t *testing.T) {
	count := func() int {
		b := newBed(t)
		b.opts.SegmentBytes = 6000
		f := &faults{at: -1}
		b.opts.Ops.Wrap = f.wrap
		b.open()
		if _, err := work(t.Context(), b, b.j); err != nil {
			t.Fatal(err)
		}
		b.close()
		return f.n
	}()
	if count < 30 {
		t.Fatalf("only %d operations seen", count)
	}
	step := 1
	if testing.Short() {
		step = 5
	}
	var cases []*faults
	for at := 0; at < count; at += step {
		// A batch takes four operations, so each kind of them fails both ways.
		cases = append(cases, &faults{at: at, stored: at/4%2 == 0, err: syscall.EIO})
	}
	each(t, cases, func(f *faults) string { return fmt.Sprint("operation ", f.at, " stored ", f.stored) }, failOnce)
}

func failOnce(t *testing.T, f *faults) {
	b := newBed(t)
	b.opts.SegmentBytes = 6000
	b.opts.Ops.Wrap = f.wrap
	var confirmed []event.Record
	j, err := journal.Open(t.Context(), b.dir(), b.opts)
	if err == nil {
		confirmed, err = work(t.Context(), b, j)
		if err != nil && !errors.Is(err, journal.ErrFailed) {
			t.Errorf("the error is not ErrFailed: %v", err)
		}
		if err != nil {
			if _, again := j.Append(t.Context(), b.origin(), recs(0, 1), nil); !errors.Is(again, journal.ErrFailed) {
				t.Errorf("append after the failure: %v", again)
			}
		}
		closeErr := j.Close()
		if err == nil {
			err = closeErr
		}
	}
	if f.n <= f.at {
		return // this run took fewer operations
	}
	if err == nil {
		t.Errorf("operation %s failed and nobody says so", f.log[f.at])
	}
	f.at = -1
	b.open()
	b.sealedOnce(confirmed)
	if _, err := work(t.Context(), b, b.j); err != nil {
		t.Fatalf("after recovery: %v", err)
	}
	b.sealedOnce(recs(0, 100))
	if got := len(b.all()); got != 100 {
		t.Errorf("%d records in the journal, want 100", got)
	}
	b.close()
	b.verify(b.dir())
	b.fsck()
}

func TestFullDisk(t *testing.T) {
	b := newBed(t)
	f := &faults{at: -1, err: &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}}
	b.opts.Ops.Wrap = f.wrap
	j := b.open()
	b.add(recs(0, 10)...)
	f.mu.Lock()
	f.at = f.n
	f.mu.Unlock()
	_, err := add(t.Context(), j, b.origin(), recs(10, 20))
	if !errors.Is(err, journal.ErrFailed) || !strings.Contains(err.Error(), "is full: make room") {
		t.Fatalf("error is %v", err)
	}
	j.Close()
	b.open()
	b.sealedOnce(recs(0, 10))
	if got := b.add(recs(0, 20)...); got.Stored != 10 {
		t.Fatalf("after making room: %+v", got)
	}
}

// TestLogFails lets tessera fail, whose file operations are not ours to wrap.
func TestLogFails(t *testing.T) {
	b := newBed(t)
	j := b.open()
	b.add(recs(0, 10)...)
	state := filepath.Join(b.dir(), "log", ".state", "treeState")
	saved, err := os.ReadFile(state)
	if err == nil {
		err = errors.Join(os.Remove(state), os.Mkdir(state, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := add(t.Context(), j, b.origin(), recs(10, 20)); !errors.Is(err, journal.ErrFailed) {
		t.Fatalf("append: %v", err)
	}
	j.Close()
	if err := errors.Join(os.Remove(state), os.WriteFile(state, saved, 0o644)); err != nil {
		t.Fatal(err)
	}
	b.open()
	b.sealedOnce(recs(0, 10))
	if got := b.add(recs(0, 20)...); got.Stored != 10 || got.Duplicates != 10 {
		t.Errorf("after recovery: %+v", got)
	}
	b.close()
	b.verify(b.dir())
	b.fsck()
}

// TestKilled kills a process that appends, time and again, at random moments:
// what it had reported as confirmed is there afterwards, once.
func TestKilled(t *testing.T) {
	rounds := 5
	if testing.Short() {
		rounds = 2
	}
	b := newBed(t)
	b.shape()
	rng := rand.New(rand.NewPCG(11, 13))
	for range rounds {
		confirmed := b.killed(time.Duration(10+rng.IntN(60)) * time.Millisecond)
		b.verify(b.dir()) // as the dead process left it
		b.open()
		b.sealedOnce(recs(0, confirmed))
		if got, want := len(b.all()), confirmed; got < want {
			t.Fatalf("%d records in the journal, %d were confirmed", got, want)
		}
		b.close()
		b.verify(b.dir())
		b.fsck()
	}
}

// shape makes segments, batches and tables small, so that many begin and end.
func (b *bed) shape() {
	b.opts.BatchRecords, b.opts.SegmentBytes, b.opts.DedupeMemory = 20, 20_000, 256<<10
}

// killed runs [TestChild] on the bed's directory and kills it after a time that
// begins with its first confirmation. It returns how many records were confirmed.
func (b *bed) killed(after time.Duration) (confirmed int) {
	b.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childVar+"="+b.data)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			b.t.Fatalf("the child says %q", lines.Text())
		}
		if confirmed == 0 {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
		}
		confirmed = n
	}
	if cmd.Wait() == nil || confirmed == 0 {
		b.t.Fatalf("the child ended by itself after %d records", confirmed)
	}
	return confirmed
}

const childVar = "DAYBREAK_JOURNAL_TEST_CHILD"

// TestChild is not a test: it is the process that [TestKilled] kills.
func TestChild(t *testing.T) {
	data := os.Getenv(childVar)
	if data == "" {
		t.Skip("for TestKilled only")
	}
	b := newBed(t)
	b.data, b.opts.KeyFile, b.opts.DedupeDir = data, filepath.Join(data, "keys", "log.key"), filepath.Join(data, "dedupe")
	b.shape()
	j := b.open()
	for n := 0; n < 1_000_000; n += 50 {
		o := event.Origin{Tenant: "tenant-1", Family: "m365", Name: fmt.Sprint(n), Run: fmt.Sprint(os.Getpid())}
		if _, err := add(t.Context(), j, o, recs(n, n+50)); err != nil {
			t.Fatal(err)
		}
		fmt.Println(n + 50)
	}
}
