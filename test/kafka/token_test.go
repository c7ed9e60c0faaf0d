// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/sim/eventhubs"
)

// byToken is the block of a configuration that reaches the hubs with tokens, and the file of the application's secret.
func (w *world) byToken() (c *config.Source, file string) {
	w.t.Helper()
	login := httptest.NewServer(w.sim.Handler())
	w.t.Cleanup(login.Close)
	c = w.source()
	_, client, secret := w.sim.Credentials()
	file = filepath.Join(w.dir, "client-secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		w.t.Fatal(err)
	}
	c.ConnectionString, c.ClientID, c.ClientSecret, c.Login = "", client, config.Secret("file:"+file), login.URL
	return c, file
}

// TestTokens: hubs are read with tokens of the tenant. A session ends and the connection proves itself anew, with another token
// when the first has ended or is refused before, and nothing is missed. While no token is accepted, or none is given out, the
// streams are refused for want of a permission; another namespace goes on. No log and no act shows what is secret.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := stillWorld(t, eventhubs.Config{Partitions: 2, Session: 2 * time.Second, Namespace: "contoso-tokens"}, 1)
	if err := w.sim.AddFaults("token-expiry=10s"); err != nil {
		t.Fatal(err)
	}
	l, err := w.hubs.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	logs := new(bytes.Buffer) // the handler writes one line at a time
	c, file := w.byToken()
	w.collectFrom(c, slog.New(slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})))
	keep := func(ok func(accepted, refused, tokens int) bool) {
		t.Helper()
		w.until("tokens are shown", func() bool {
			if err := l.Keep(t.Context(), 100, 500*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			return ok(w.hubs.Proofs())
		})
	}
	keep(func(accepted, refused, tokens int) bool {
		if refused != 0 {
			t.Fatalf("%d sessions with %d tokens, and %d refused", accepted, tokens, refused)
		}
		return accepted > 4 && (tokens > 1 || testing.Short() && tokens == 1) // the first one's life is not over
	})
	state := func(want string) {
		t.Helper()
		w.until("all is "+want, func() bool {
			list := w.c.Status()
			for _, s := range list {
				if s.State != want {
					return false
				}
			}
			return len(list) == len(c.Streams)
		})
	}
	all := func(what string) {
		t.Helper()
		w.until(what, func() bool { return w.count("contoso-tokens/") >= int(l.Sent().Records) })
	}
	all("what came meanwhile is there")
	if gaps := w.gaps(); len(gaps) != 0 {
		t.Errorf("gaps of %v", gaps)
	}

	// A token that is refused before its time is not shown for ever.
	if err := w.sim.AddFaults("revoke-tokens"); err != nil {
		t.Fatal(err)
	}
	_, _, before := w.hubs.Proofs()
	keep(func(_, refused, tokens int) bool { return refused > 0 && tokens > before })
	state("collecting")
	all("what came after the revocation is there")

	// Nobody's token is accepted, and another namespace goes on.
	other := *w
	if other.hubs, err = eventhubs.New(eventhubs.Config{Tenant: w.sim, Partitions: 2}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.hubs.Close)
	other.collect()
	w.hubs.RefuseTokens(true)
	state("refused")
	more, err := other.hubs.NewLoader()
	if err != nil {
		t.Fatal(err)
	}
	if err := more.Fill(t.Context(), 200, time.Hour); err != nil {
		t.Fatal(err)
	}
	w.until("the other namespace is read", func() bool { return w.count("contoso-logs/") == int(more.Sent().Records) })
	if err := l.Fill(t.Context(), 200, time.Hour); err != nil {
		t.Fatal(err)
	}
	w.hubs.RefuseTokens(false)
	state("collecting")
	all("what was missed is there")

	// The tenant gives no token out.
	secret, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("of-yesterday")
	state("refused")
	write(string(secret))
	state("collecting")
	w.stop()
	other.stop()

	for stream, reasons := range w.gaps() {
		if strings.HasPrefix(stream, "contoso-logs/") || len(reasons) < 2 || slices.ContainsFunc(reasons, func(r string) bool { return r != act.Permission }) {
			t.Errorf("gaps of %s: %v", stream, reasons)
		}
	}
	if n := len(w.gaps()); n != len(c.Streams) {
		t.Errorf("%d streams have gaps, of %d", n, len(c.Streams))
	}
	text := logs.String()
	for _, r := range w.records() {
		if r.family == act.Family {
			text += string(r.raw)
		}
	}
	for _, hidden := range []string{string(secret), "of-yesterday", "eyJ", "SharedAccessKey="} { // each token begins with "eyJ"
		if strings.Contains(text, hidden) {
			t.Errorf("%q is in a log or an act", hidden)
		}
	}
	if !strings.Contains(text, "refused") && !strings.Contains(text, "not collected") {
		t.Error("no log speaks of the refusal: this proves nothing")
	}
}

// count is how many records there are of streams whose names begin so.
func (w *world) count(prefix string) (n int) {
	for _, r := range w.records() {
		if r.family != act.Family && strings.HasPrefix(r.stream, prefix) {
			n++
		}
	}
	return n
}

// gaps are the reasons of the gaps of each stream.
func (w *world) gaps() map[string][]string {
	list := map[string][]string{}
	for _, r := range w.records() {
		if r.act.Kind == act.Gap {
			list[r.act.Stream] = append(list[r.act.Stream], r.act.Reason)
		}
	}
	return list
}
