// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package witness_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/journal/witness"
	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"k8s.io/klog/v2"
)

// Two witnesses watch two logs that tessera keeps, with tessera's own witness
// client. Every published checkpoint carries both cosignatures.
func TestTwoWitnessesOfTwoTesseraLogs(t *testing.T) {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	var signers []note.Signer
	var logs []witness.Log
	for i := range 2 {
		skey, vkey, err := note.GenerateKey(rand.Reader, fmt.Sprintf("example.com/log%d", i))
		if err != nil {
			t.Fatal(err)
		}
		signer, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		signers, logs = append(signers, signer), append(logs, witness.Log{Keys: []string{vkey}})
	}
	var verifiers []note.Verifier
	policy := ""
	for i := range 2 {
		w := open(t, witness.Options{Name: fmt.Sprintf("example.com/witness%d", i), Logs: logs})
		server := httptest.NewServer(w.Handler())
		t.Cleanup(server.Close)
		v, err := fnote.NewVerifierForCosignatureV1(w.VerifierKey())
		if err != nil {
			t.Fatal(err)
		}
		verifiers = append(verifiers, v)
		policy += fmt.Sprintf("witness w%d %s %s\n", i, w.VerifierKey(), server.URL)
	}
	group, err := tessera.NewWitnessGroupFromPolicy([]byte(policy + "group both all w0 w1\nquorum both\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, signer := range signers {
		dir := t.TempDir()
		// The second run begins with a client that knows nothing of the witnesses.
		for run := range 2 {
			addTo(t, dir, signer, group, 3)
			raw, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
			if err != nil {
				t.Fatal(err)
			}
			n, err := note.Open(raw, note.VerifierList(verifiers...))
			if err != nil || len(n.Sigs) != 2 {
				t.Fatalf("%s is cosigned by %d: %v\n%s", signer.Name(), len(n.Sigs), err, raw)
			}
			if want := fmt.Sprintf("%s\n%d\n", signer.Name(), 3+3*run); !strings.HasPrefix(n.Text, want) {
				t.Errorf("got %q, want %q", n.Text, want)
			}
		}
	}
}

// addTo opens the log in dir, adds n entries, waits until they are published,
// and closes it.
func addTo(t *testing.T, dir string, signer note.Signer, group tessera.WitnessGroup, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).WithBatching(1, 10*time.Millisecond).
		WithCheckpointInterval(100*time.Millisecond).WithWitnesses(group, nil))
	if err != nil {
		t.Fatal(err)
	}
	await := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 20*time.Millisecond)
	for i := range n {
		if _, _, err := await.Await(ctx, appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "entry %d", i)))); err != nil {
			t.Fatal(err)
		}
	}
	if err := shutdown(ctx); err != nil {
		t.Fatal(err)
	}
}

const (
	childDir  = "WITNESS_TEST_DIR"
	childVkey = "WITNESS_TEST_LOG"
)

// TestMain is also the witness process that TestKill kills.
func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	w, err := witness.New(witness.Options{Dir: dir, Name: "example.com/w", Logs: []witness.Log{{Keys: []string{os.Getenv(childVkey)}}}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server := httptest.NewServer(w.Handler())
	fmt.Println(server.URL)
	select {}
}

// A witness that is killed at any moment has never forgotten what it cosigned.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	l := newLog(t, "example.com/log").grow(2000, "a")
	dir := t.TempDir()
	confirmed := int64(0) // the largest size that we hold a cosignature for
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, childVkey+"="+l.vkey)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		url := ""
		if _, err := fmt.Fscanln(out, &url); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(20+round*17)*time.Millisecond, func() { cmd.Process.Kill() })
		confirmed = l.feed(url, confirmed)
		timer.Stop()
		cmd.Process.Kill()
		cmd.Wait()
	}
	if confirmed == 0 {
		t.Error("no checkpoint was cosigned between the kills")
	}
	t.Logf("%d entries cosigned through 6 kills", confirmed)
}

// feed posts ever larger checkpoints until the witness is gone, and returns the
// last size that was cosigned.
func (l *testLog) feed(url string, confirmed int64) int64 {
	l.t.Helper()
	for old := confirmed; old < l.size; {
		status, answer, err := send(url+"/add-checkpoint", l.body(old, old+1))
		var size int64
		switch {
		case err != nil:
			return confirmed
		case status == 200:
			old++
			confirmed = old
		case status == 409:
			if _, err := fmt.Sscan(answer, &size); err != nil || size < confirmed || size > confirmed+1 {
				l.t.Fatalf("the witness says %q and has cosigned %d", answer, confirmed)
			}
			old = size
		default:
			l.t.Fatalf("status %d: %s", status, answer)
		}
	}
	return confirmed
}
