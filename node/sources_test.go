// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
)

// floor is where the stand-ins for collectors meet: it remembers what happened to
// them.
type floor struct {
	mu     sync.Mutex
	events []string
	fail   map[string]error // of sources that cannot run
	awake  chan string
}

func newFloor() *floor { return &floor{fail: map[string]error{}, awake: make(chan string, 10)} }

func (f *floor) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, fmt.Sprintf(format, args...))
}

func (f *floor) count(event string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if e == event {
			n++
		}
	}
	return n
}

func (f *floor) troubled(name string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[name] = err
}

func (f *floor) trouble(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail[name]
}

func (f *floor) all() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.events)
}

// stand is one stand-in.
type stand struct {
	f    *floor
	c    config.Source
	acts *act.Writer
}

func (f *floor) build(c config.Source, acts *act.Writer, address, authID string) (node.Collector, error) {
	if address != "" {
		f.note("%s has hook %s %s", c.Name, address, authID)
	}
	return &stand{f, c, acts}, nil
}

// Run writes its last act when it is told to end: the journal must still be there.
func (s *stand) Run(ctx context.Context) error {
	if err := s.f.trouble(s.c.Name); err != nil {
		return err
	}
	s.f.note("%s begins", s.c.Name)
	<-ctx.Done()
	commit, err := s.acts.Write(context.WithoutCancel(ctx), act.Act{Kind: act.Stopped})
	if err == nil {
		_, err = commit.Wait(context.WithoutCancel(ctx))
	}
	s.f.note("%s ends: %v", s.c.Name, err)
	return nil
}

func (s *stand) Wake(stream string) { s.f.awake <- s.c.Name + " " + stream }
func (s *stand) Status() []node.StreamStatus {
	return []node.StreamStatus{{Stream: "Audit.Exchange", Listed: time.Now()}}
}

func (s *stand) Provider() node.ProviderStatus {
	return node.ProviderStatus{Skew: time.Second, TokenExpires: time.Now().Add(time.Hour)}
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// sourcesOf makes a configuration of sources, each in a tenant of its own unless its
// settings say otherwise.
func sourcesOf(t *testing.T, blocks ...string) config.Config {
	t.Helper()
	var b strings.Builder
	for i, block := range blocks {
		name, settings, _ := strings.Cut(block, "\n")
		fmt.Fprintf(&b, "[[source]]\nname = %q\ntype = \"m365\"\ntenant = \"11111111-2222-3333-4444-%012d\"\nclient_id = \"66666666-7777-8888-9999-000000000000\"\n%s\n", name, i+1, settings)
		if !strings.Contains(settings, "certificate") {
			b.WriteString("client_secret = \"env:DAYBREAK_TEST_SECRET\"\n")
		}
	}
	c, err := config.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openWith(t *testing.T, dir string, c config.Config, f *floor) (*node.Node, *locked) {
	t.Helper()
	log := new(locked)
	n, err := node.Open(context.Background(), node.Options{Dir: dir, Role: "test", Config: c, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	n.TestingCollectors(f.build)
	n.Collect(context.Background())
	return n, log
}

// locked is a log that can be read while it is written.
type locked struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func state(n *node.Node, name string) string {
	for _, s := range n.Sources() {
		if s.Name == name {
			return s.State
		}
	}
	return "none"
}

func acts(t *testing.T, n *node.Node, source string, kind act.Kind) []act.Act {
	t.Helper()
	all, err := n.TestingActs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(a act.Act) bool { return a.Source != source || a.Kind != kind })
}

// TestSupervision: a source that cannot run is tried again and says why, and holds up
// nobody.
func TestSupervision(t *testing.T) {
	f := newFloor()
	f.troubled("sick", errors.New("its secret is gone"))
	n, _ := openWith(t, t.TempDir(), sourcesOf(t, "sick", "sound"), f)
	defer closeNode(t, n)
	until(t, "sound runs", func() bool { return state(n, "sound") == node.Running })
	until(t, "sick was tried three times, and says why it fails", func() bool { // each try is running for a moment
		s := n.Sources()[0]
		return s.Restarts >= 3 && s.State == node.Failing && strings.Contains(s.Trouble, "its secret is gone")
	})
	if alarms := acts(t, n, "sick", act.Alarm); len(alarms) != 1 || !strings.Contains(alarms[0].Message, "its secret is gone") {
		t.Errorf("alarms of one trouble: %+v", alarms)
	}
	f.troubled("sick", nil)
	until(t, "sick runs", func() bool { return state(n, "sick") == node.Running && f.count("sick begins") == 1 })
	if s := n.Sources()[0]; s.Trouble != "" || len(s.Streams) != 1 || s.Provider.Skew != time.Second {
		t.Errorf("%+v", s)
	}
	if f.count("sound begins") != 1 {
		t.Errorf("sound was started anew: %v", f.all())
	}
}

// TestSourcesEndBeforeTheJournal: what a collector writes at its end is kept.
func TestSourcesEndBeforeTheJournal(t *testing.T) {
	f, dir := newFloor(), t.TempDir()
	n, _ := openWith(t, dir, sourcesOf(t, "a", "b"), f)
	until(t, "both run", func() bool { return f.count("a begins")+f.count("b begins") == 2 })
	closeNode(t, n)
	if f.count("a ends: <nil>") != 1 || f.count("b ends: <nil>") != 1 {
		t.Fatalf("%v", f.all())
	}
	n, _ = openWith(t, dir, config.Default(), newFloor())
	defer closeNode(t, n)
	if got := acts(t, n, "a", act.Stopped); len(got) != 1 {
		t.Errorf("acts of the end: %v", got)
	}
}

// TestConfigure: what does not change goes on untouched, and a changed source ends
// before it begins anew.
func TestConfigure(t *testing.T) {
	f := newFloor()
	n, _ := openWith(t, t.TempDir(), sourcesOf(t, "stays", "changes", "goes"), f)
	defer closeNode(t, n)
	until(t, "all run", func() bool { return f.count("stays begins")+f.count("changes begins")+f.count("goes begins") == 3 })
	next := sourcesOf(t, "stays", "changes\npoll = \"7s\"")
	next.Sources = append(next.Sources, sourcesOf(t, "x", "x2", "x3", "comes").Sources[3])
	next.Retention.RawDays, next.Search.Parallel = 30, 9
	next.Server.Listen = "127.0.0.1:1"
	done, err := n.Configure(context.Background(), next)
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Waiting) != 1 || done.Waiting[0].Path != "server.listen" {
		t.Errorf("waiting: %v", done.Waiting)
	}
	until(t, "the new one runs", func() bool { return f.count("comes begins") == 1 && f.count("changes begins") == 2 })
	var order []string
	for _, e := range f.all() {
		if strings.HasPrefix(e, "changes") {
			order = append(order, e)
		}
	}
	if diff := cmp.Diff([]string{"changes begins", "changes ends: <nil>", "changes begins"}, order); diff != "" {
		t.Error(diff)
	}
	if f.count("stays begins") != 1 || f.count("stays ends: <nil>") != 0 || f.count("goes ends: <nil>") != 1 {
		t.Errorf("%v", f.all())
	}
	var names []string
	for _, s := range n.Sources() {
		names = append(names, s.Name)
	}
	if diff := cmp.Diff([]string{"stays", "changes", "comes"}, names); diff != "" {
		t.Error(diff)
	}

	// A configuration that cannot be used changes nothing.
	bad := next
	bad.Sources, bad.Enrich.Databases = nil, []string{filepath.Join(t.TempDir(), "absent.mmdb")}
	if _, err := n.Configure(context.Background(), bad); err == nil || !strings.Contains(err.Error(), "absent.mmdb") {
		t.Errorf("got %v", err)
	}
	bad = next
	bad.Sources, bad.Journal.Name = nil, "example.com/other"
	if _, err := n.Configure(context.Background(), bad); err == nil || !strings.Contains(err.Error(), "a log keeps its name") {
		t.Errorf("got %v", err)
	}
	if len(n.Sources()) != 3 {
		t.Errorf("sources after a bad configuration: %v", n.Sources())
	}
	// What waits is said again.
	if done, err := n.Configure(context.Background(), next); err != nil || len(done.Applied) != 0 || len(done.Waiting) != 1 {
		t.Errorf("%+v, %v", done, err)
	}
}

// TestDeclaration: what was set up is in the journal, once, with no secret, and changes
// are found across a restart.
func TestDeclaration(t *testing.T) {
	t.Setenv("DAYBREAK_TEST_SECRET", "hunter2hunter2hunter2")
	dir, f := t.TempDir(), newFloor()
	first := sourcesOf(t, "contoso")
	first.Retention.RawDays = 30
	n, log := openWith(t, dir, first, f)
	got := acts(t, n, "contoso", act.Configured)
	if len(got) != 1 || !strings.Contains(got[0].Message, "client_secret: env:DAYBREAK_TEST_SECRET; ") || got[0].Tenant != first.Sources[0].Tenant {
		t.Errorf("%+v", got)
	}
	if got := acts(t, n, "daybreak", act.Configured); len(got) != 1 || got[0].Message != "retention.raw_days: 0 → 30" {
		t.Errorf("%+v", got)
	}
	if strings.Contains(log.String()+fmt.Sprint(got), "hunter2") {
		t.Error("a secret is in the log or in the journal")
	}
	closeNode(t, n)

	n, _ = openWith(t, dir, first, f)
	if got := acts(t, n, "contoso", act.Configured); len(got) != 1 {
		t.Errorf("an unchanged configuration was declared again: %+v", got)
	}
	closeNode(t, n)

	second := first
	second.Sources, second.Retention.RawDays = nil, 5
	n, _ = openWith(t, dir, second, f)
	defer closeNode(t, n)
	if got := acts(t, n, "contoso", act.Configured); len(got) != 2 || !strings.Contains(got[1].Message, "poll: 3s is gone") {
		t.Errorf("%+v", got)
	}
	if got := acts(t, n, "daybreak", act.Configured); len(got) != 2 || got[1].Message != "retention.raw_days: 30 → 5" {
		t.Errorf("%+v", got)
	}
}

// TestHint: who knows the AuthID wakes the streams that are collected, and a new AuthID
// counts from the next configuration on.
func TestHint(t *testing.T) {
	t.Setenv("DAYBREAK_TEST_HOOK", "the first of two words")
	f := newFloor()
	c := sourcesOf(t, "contoso\nstreams = [\"Audit.Exchange\"]\nwebhook = { url = \"https://a.example/hook/m365/contoso\", auth_id = \"env:DAYBREAK_TEST_HOOK\" }", "quiet")
	n, _ := openWith(t, t.TempDir(), c, f)
	defer closeNode(t, n)
	until(t, "both run", func() bool { return f.count("contoso begins")+f.count("quiet begins") == 2 })
	if f.count("contoso has hook https://a.example/hook/m365/contoso the first of two words") != 1 {
		t.Errorf("%v", f.all())
	}
	tenant, wake, err := n.Hint("contoso", "the first of two words")
	if err != nil || tenant != c.Sources[0].Tenant {
		t.Fatalf("%q, %v", tenant, err)
	}
	wake("DLP.All") // is not collected
	wake("Audit.Exchange")
	if got := <-f.awake; got != "contoso Audit.Exchange" {
		t.Errorf("woken: %s", got)
	}
	for _, who := range [][2]string{{"contoso", ""}, {"contoso", "the first"}, {"quiet", "the first of two words"}, {"quiet", ""}, {"nobody", ""}, {"", ""}} {
		if _, _, err := n.Hint(who[0], who[1]); !errors.Is(err, node.ErrHookDenied) {
			t.Errorf("%q: %v", who, err)
		}
	}
	t.Setenv("DAYBREAK_TEST_HOOK", "the second of two words")
	if _, err := n.Configure(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	until(t, "it runs with the new word", func() bool { return f.count("contoso begins") == 2 }) // to try would use up what strangers may
	if _, _, err := n.Hint("contoso", "the second of two words"); err != nil {
		t.Errorf("the new word: %v", err)
	}
	if _, _, err := n.Hint("contoso", "the first of two words"); !errors.Is(err, node.ErrHookDenied) {
		t.Errorf("the old word: %v", err)
	}
	if f.count("quiet begins") != 1 {
		t.Error("another source was started anew")
	}
	for i := range 1000 {
		if _, _, err := n.Hint("contoso", "the second of two words"); errors.Is(err, node.ErrHookBusy) {
			return
		} else if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	t.Error("a thousand at once were let in")
}

// certificate makes a file with a certificate and its key, and says when it ends.
func certificate(t *testing.T) (file string, ends time.Time) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "contoso.pem")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ends = time.Now().Add(10 * 24 * time.Hour)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file, ends
}

// TestExpiry: a certificate that ends soon is an alarm.
func TestExpiry(t *testing.T) {
	file, ends := certificate(t)
	n, _ := openWith(t, t.TempDir(), sourcesOf(t, "contoso\ncertificate = \"file:"+file+"\""), newFloor())
	defer closeNode(t, n)
	until(t, "the end is known", func() bool { return n.Sources()[0].Expires.Unix() == ends.Unix() })
	var alarms []act.Act
	until(t, "the alarm is written", func() bool { alarms = acts(t, n, "contoso", act.Alarm); return len(alarms) > 0 })
	if len(alarms) != 1 || alarms[0].Reason != "credential" || !strings.Contains(alarms[0].Message, "expires on "+ends.UTC().Format(time.DateOnly)+", in 9 days: upload a new one") {
		t.Errorf("%+v", alarms)
	}
}

// TestMetricsOfTheGuide: the metrics that administrators are told to watch exist.
func TestMetricsOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/connect-m365.md")
	if err != nil {
		t.Fatal(err)
	}
	file, _ := certificate(t)
	n, _ := openWith(t, t.TempDir(), sourcesOf(t, "contoso\ncertificate = \"file:"+file+"\""), newFloor())
	defer closeNode(t, n)
	until(t, "it runs", func() bool { return state(n, "contoso") == node.Running && !n.Sources()[0].Expires.IsZero() })
	n.CountHook("contoso", "forged")
	families, err := n.Metrics().Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
	}
	told := regexp.MustCompile(`daybreak_[a-z_]+`).FindAllString(string(guide), -1)
	if len(told) < 8 {
		t.Errorf("the guide names only %v", told)
	}
	for _, name := range told {
		if !names[name] {
			t.Errorf("there is no %s", name)
		}
	}
}
