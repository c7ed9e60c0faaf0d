// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/daybreak-sec/daybreak/journal/witness"
)

// TestWitness has a witness that can be reached, then not, then again.
func TestWitness(t *testing.T) {
	b := newBed(t)
	b.open()
	b.close()
	w, err := witness.New(witness.Options{
		Dir: filepath.Join(b.data, "witness"), Name: "example.com/witness", Logs: []witness.Log{{Keys: []string{b.vkey()}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(rw, "gone fishing", http.StatusServiceUnavailable)
			return
		}
		w.Handler().ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	b.opts.WitnessPolicy = fmt.Appendf(nil, "witness w %s %s\nquorum w\n", w.VerifierKey(), server.URL)
	b.opts.CloseTimeout = 300 * time.Millisecond
	j := b.open()
	b.add(recs(0, 10)...)
	bundle, err := j.Prove(t.Context(), event.ID{Batch: j.Size() - 1})
	if err != nil || len(bundle.VerifierKeys) != 2 {
		t.Fatalf("proof %+v, %v", bundle, err)
	}
	down.Store(true)
	b.add(recs(10, 20)...) // sealed all the same
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	if err := j.Published(ctx, j.Size()-1); err == nil {
		t.Error("published without a witness")
	}
	for deadline := time.Now().Add(time.Minute); j.Stats().WitnessTrouble == "" && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	if s := j.Stats(); s.Published >= s.Entries || s.WitnessTrouble == "" {
		t.Errorf("stats do not show it: %+v", s)
	}
	if err := j.Close(); err == nil {
		t.Error("closed as if it were published")
	}
	if _, err := os.Stat(filepath.Join(b.dir(), "open")); err != nil {
		t.Errorf("the mark is gone: %v", err)
	}
	if r := b.verify(b.dir()); r.Records != 10 {
		t.Errorf("verify counts %d records", r.Records)
	}
	b.open() // the witness is still down
	down.Store(false)
	if err := b.j.Published(t.Context(), b.j.Size()-1); err != nil {
		t.Fatal(err)
	}
	b.close()
	r, err := verify.Dir(t.Context(), b.dir(), verify.Options{Keys: []string{b.vkey()}, Witnesses: []string{w.VerifierKey()}})
	if err != nil || r.Records != 20 {
		t.Errorf("verify: %d records, %v", r.Records, err)
	}
}
