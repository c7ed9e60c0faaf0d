// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package provider_test holds the provider's client against the simulated
// provider, which was written apart from it: what the one says, the other
// understands, and what goes wrong on the way is noticed.
//
// What is lost, late or repeated is the collector's matter and tested in
// test/live.
package provider_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/sim/company"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
)

// start is a Wednesday's noon in the simulation.
var start = time.Date(2026, 3, 18, 12, 0, 0, 0, time.UTC)

// world is a simulated tenant and its client.
type world struct {
	*testing.T
	sim    *sim.Server
	url    string
	secret string // the file
	log    text
}

type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func newWorld(t *testing.T, change func(*sim.Config)) *world {
	t.Helper()
	cfg := sim.Config{Seed: 11, Company: company.Config{People: 200}, Start: start, Subscribed: true}
	if change != nil {
		change(&cfg)
	}
	s, err := sim.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	w := &world{T: t, sim: s, url: server.URL, secret: filepath.Join(t.TempDir(), "secret")}
	_, _, secret := s.Credentials()
	w.writeSecret(secret)
	return w
}

func (w *world) writeSecret(secret string) {
	w.Helper()
	if err := os.WriteFile(w.secret, []byte(secret+"\n"), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) reference(text string) credential.Reference {
	w.Helper()
	ref, err := credential.ParseReference(text)
	if err != nil {
		w.Fatal(err)
	}
	return ref
}

func (w *world) file(content string) credential.Reference {
	w.Helper()
	path := filepath.Join(w.TempDir(), "f")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.Fatal(err)
	}
	return w.reference("file:" + path)
}

func (w *world) client(change ...func(*m365.Options)) *m365.Client {
	w.Helper()
	tenant, id, _ := w.sim.Credentials()
	o := m365.Options{
		Tenant: tenant, ClientID: id, API: w.url, Login: w.url,
		Credential: credential.FromSecret(w.reference("file:" + w.secret)),
		Shared: rest.Shared{
			Log:    slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Budget: budget.New(budget.Options{PerMinute: 1_000_000}),
			Limits: rest.Limits{Stall: 2 * time.Second},
		},
	}
	for _, f := range change {
		f(&o)
	}
	c, err := m365.New(o)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// again repeats what fails in a way that another try may cure.
func (w *world) again(do func() error, classes ...m365.Class) {
	w.Helper()
	for range 60 {
		err := do()
		if err == nil {
			return
		}
		var e *m365.Error
		if !errors.As(err, &e) || !slices.Contains(append(classes, m365.ClassRetry, m365.ClassAuth), e.Class) {
			w.Fatalf("%v", err)
		}
		if e.Class == m365.ClassAuth || e.Op == "token" { // not asked for again at once
			time.Sleep(max(e.RetryAfter, 50*time.Millisecond))
		}
	}
	w.Fatal("sixty tries were not enough")
}

// listing reads a window of a stream to its last page.
func (w *world) listing(c *m365.Client, stream string, from, to time.Time) (blobs []m365.Blob, pages int) {
	w.Helper()
	next := ""
	for {
		var page m365.Page
		w.again(func() (err error) {
			page, err = c.Content(w.Context(), budget.Head, stream, from, to, next)
			if e := (*m365.Error)(nil); errors.As(err, &e) && e.Class == m365.ClassPage {
				next, blobs = "", nil
			}
			return err
		}, m365.ClassPage)
		blobs = append(blobs, page.Blobs...)
		pages++
		if next = page.Next; next == "" {
			return blobs, pages
		}
	}
}

// fetch returns the hashes of a blob's records.
func (w *world) fetch(c *m365.Client, b m365.Blob) (sums []sim.Hash) {
	w.Helper()
	w.again(func() error {
		body, err := c.Fetch(w.Context(), budget.Head, b)
		if err != nil {
			return err
		}
		defer body.Close()
		text, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		var records []json.RawMessage
		if err := json.Unmarshal(text, &records); err != nil {
			w.Fatalf("a body that ended well is no array: %v", err)
		}
		sums = sums[:0]
		for _, r := range records {
			canonical, ok := canonjson.Append(nil, r)
			if !ok {
				w.Fatalf("record %s", r)
			}
			sums = append(sums, sha256.Sum256(canonical))
		}
		return nil
	}, m365.ClassMissing)
	return sums
}

// everything reads a window of all streams.
func (w *world) everything(c *m365.Client, from, to time.Time) map[sim.Hash]bool {
	w.Helper()
	got := map[sim.Hash]bool{}
	for _, stream := range m365.Streams {
		blobs, _ := w.listing(c, stream, from, to)
		for _, b := range blobs {
			if b.ContentType != stream || b.Created.Before(from) || !b.Created.Before(to) || !b.Expires.After(b.Created) {
				w.Errorf("blob %+v", b)
			}
			for _, sum := range w.fetch(c, b) {
				got[sum] = true
			}
		}
	}
	return got
}

// compare holds what was read against the ledger.
func (w *world) compare(got map[sim.Hash]bool, from, to time.Time) {
	w.Helper()
	want, missing := map[sim.Hash]bool{}, 0
	for e := range w.sim.Ledger(from, to, time.Time{}) {
		want[e.SHA256] = true
		if !got[e.SHA256] {
			missing++
		}
	}
	if len(want) < 100 {
		w.Fatalf("the ledger holds %d records: too few for a test", len(want))
	}
	if missing > 0 {
		w.Errorf("%d of %d records are missing", missing, len(want))
	}
	for sum := range got {
		if !want[sum] {
			w.Errorf("record %v is not in the ledger", sum)
		}
	}
	w.police()
}

// police checks what must hold after every test: no secret in the log, nothing sent
// without the publisher, or to another host, or in a time of quiet.
func (w *world) police() {
	w.Helper()
	_, _, secret := w.sim.Credentials()
	log := w.log.b.String()
	if strings.Contains(log, secret) || strings.Contains(log, "eyJ") || strings.Contains(log, "PRIVATE KEY") {
		w.Errorf("a secret is in the log:\n%s", log)
	}
	r := w.sim.Requests()
	if r.NoPublisher > 0 || r.Early > 0 {
		w.Errorf("%d calls without publisher, %d too early", r.NoPublisher, r.Early)
	}
	for host := range r.Hosts {
		if host != "127.0.0.1" {
			w.Errorf("a request went to %s", host)
		}
	}
}

func TestReadsAllThereIs(t *testing.T) {
	w := newWorld(t, func(c *sim.Config) { c.PageSize = 7 })
	from, to := start.Add(-20*time.Minute), start.Add(-5*time.Minute)
	w.compare(w.everything(w.client(), from, to), from, to)
	if got := w.sim.Requests().Operations["token"]; got != 1 {
		t.Errorf("%d tokens were asked for", got)
	}
}

// TestReadsThroughEveryFaultOfTheNetwork: whatever spoils answers, what is taken for whole
// is whole (F4, F10, F11).
func TestReadsThroughEveryFaultOfTheNetwork(t *testing.T) {
	faults := strings.Split("truncate=0.3,cut=0.3,wrong-length=0.3,truncated-gzip=0.3,html-200=0.3,nul-bytes=0.3,5xx=0.3,drop=0.3,401=0.3,unknown-error=0.3,missing=0.3,stale-page=0.3,empty-page=0.3,long-page-link=32KB,next-page-url", ",")
	for _, fault := range append(faults, "truncate=0.05,cut=0.05,wrong-length=0.05,truncated-gzip=0.05,html-200=0.05,nul-bytes=0.05,5xx=0.05,drop=0.05,401=0.05,unknown-error=0.05,empty-page=0.05,next-page-url") {
		name, _, _ := strings.Cut(fault, "=")
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *sim.Config) {
				c.Faults, c.PageSize = fault, 5
			})
			from, to := start.Add(-8*time.Minute), start.Add(-5*time.Minute)
			w.compare(w.everything(w.client(), from, to), from, to)
			r := w.sim.Requests()
			if name != "long-page-link" && name != "next-page-url" && r.Struck[name] == 0 && r.Refused["blob "+name] == 0 && len(r.Struck)+len(r.Refused) == 0 {
				t.Errorf("the fault struck nothing: %+v", r)
			}
		})
	}
}

// TestATokenEndsInTheMiddle: it is revoked between pages and between blobs.
func TestATokenEndsInTheMiddle(t *testing.T) {
	w := newWorld(t, func(c *sim.Config) { c.PageSize = 5 })
	from, to := start.Add(-10*time.Minute), start.Add(-5*time.Minute)
	c := w.client()
	revoke := func() {
		if err := w.sim.AddFaults("revoke-tokens"); err != nil {
			t.Fatal(err)
		}
	}
	got := map[sim.Hash]bool{}
	for _, stream := range m365.Streams {
		var blobs []m365.Blob
		for next, page := "", 0; page == 0 || next != ""; page++ {
			if page == 1 {
				revoke()
			}
			p, err := c.Content(t.Context(), budget.Head, stream, from, to, next)
			if err != nil {
				t.Fatal(err)
			}
			blobs, next = append(blobs, p.Blobs...), p.Next
		}
		for i, b := range blobs {
			if i == 1 {
				revoke()
			}
			for _, sum := range w.fetch(c, b) {
				got[sum] = true
			}
		}
	}
	w.compare(got, from, to)
	if n := w.sim.Requests().Operations["token"]; n < 5 || n > 12 {
		t.Errorf("%d tokens were asked for", n)
	}
}

// TestForeignLinks (F20): the simulator counts where bearer tokens turn up.
func TestForeignLinks(t *testing.T) {
	w := newWorld(t, func(c *sim.Config) { c.Faults, c.PageSize = "foreign-link=evil.test", 3 })
	c := w.client()
	from := start.Add(-10 * time.Minute)
	page, err := c.Content(t.Context(), budget.Head, "Audit.Exchange", from, start, "")
	var e *m365.Error
	if !errors.As(err, &e) || e.Class != m365.ClassHostile || len(page.Blobs) == 0 || page.Next != "" {
		t.Errorf("%d blobs, next %q, %v", len(page.Blobs), page.Next, err)
	}
	if err := w.sim.ClearFaults(); err != nil {
		t.Fatal(err)
	}
	w = newWorld(t, func(c *sim.Config) { c.Faults = "foreign-uri=evil.test:1" })
	c = w.client()
	page, err = c.Content(t.Context(), budget.Head, "Audit.Exchange", from, start, "")
	if err != nil || len(page.Blobs) == 0 {
		t.Fatalf("%d blobs, %v", len(page.Blobs), err)
	}
	for _, b := range page.Blobs {
		if _, err := c.Fetch(t.Context(), budget.Head, b); !errors.As(err, &e) || e.Class != m365.ClassHostile {
			t.Errorf("%s: %v", b.URI, err)
		}
	}
	w.police()
}

// TestThrottled (F9): refusals are waited out, in silence.
func TestThrottled(t *testing.T) {
	w := newWorld(t, func(c *sim.Config) { c.Faults = "af429=0.3,retry-after=1s" })
	c := w.client()
	for i := range 5 {
		at := start.Add(time.Duration(-i) * time.Minute)
		if _, err := c.Content(t.Context(), budget.Head, "Audit.Exchange", at.Add(-time.Minute), at, ""); err != nil {
			t.Error(err)
		}
	}
	if s := c.Budget().Status(); s.Refused == 0 || s.Paused < time.Second {
		t.Errorf("%+v", s)
	}
	w.police()
}

// TestASecretIsReplaced (F10): refused, replaced, accepted, without a restart.
func TestASecretIsReplaced(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client()
	if _, err := c.Subscriptions(t.Context(), budget.Head); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // a revocation is exact to the millisecond
	if err := w.sim.AddFaults("secret-rotation,revoke-tokens"); err != nil {
		t.Fatal(err)
	}
	var e *m365.Error
	_, err := c.Subscriptions(t.Context(), budget.Head)
	if !errors.As(err, &e) || e.Class != m365.ClassAuth || e.Code != "AADSTS7000222" || !strings.Contains(e.Action, "expired") {
		t.Fatalf("%v", err)
	}
	_, _, secret := w.sim.Credentials()
	w.writeSecret(secret)
	time.Sleep(1500 * time.Millisecond) // after a failure the endpoint has a second's rest, and some
	if _, err := c.Subscriptions(t.Context(), budget.Head); err != nil {
		t.Error(err)
	}
	w.police()
}

// TestCertificatesAndFederatedTokens are verified by somebody who did not write them.
func TestCertificatesAndFederatedTokens(t *testing.T) {
	w := newWorld(t, nil)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: start, NotAfter: start.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pair := w.file(string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	for _, algorithm := range []credential.Algorithm{credential.PS256, credential.RS256} {
		use := func(o *m365.Options) {
			o.Credential = credential.FromCertificate(pair, credential.Reference{}, algorithm)
		}
		_, err := w.client(use).Subscriptions(t.Context(), budget.Head)
		if algorithm == credential.PS256 {
			if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassAuth || e.Action == "" {
				t.Errorf("a certificate that nobody knows: %v", err)
			}
			if err := w.sim.TrustCertificate(cert); err != nil {
				t.Fatal(err)
			}
		}
		// The simulation's clock is months from ours: the first try tells, the second knows.
		c := w.client(use)
		w.again(func() error { _, err := c.Subscriptions(t.Context(), budget.Head); return err })
	}
	w.sim.TrustIssuer("https://issuer.example", "daybreak", "k1", &key.PublicKey)
	enc := base64.RawURLEncoding.EncodeToString
	unsigned := enc([]byte(`{"alg":"RS256","kid":"k1","typ":"JWT"}`)) + "." +
		enc(fmt.Appendf(nil, `{"iss":"https://issuer.example","sub":"daybreak","aud":"api://AzureADTokenExchange","nbf":%d,"exp":%d,"jti":"1"}`, start.Add(-time.Hour).Unix(), start.Add(time.Hour).Unix()))
	sum := sha256.Sum256([]byte(unsigned))
	signature, err := rsa.SignPKCS1v15(nil, key, 5, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	token := w.file(unsigned + "." + enc(signature) + "\n")
	if _, err := w.client(func(o *m365.Options) { o.Credential = credential.FromToken(token) }).Subscriptions(t.Context(), budget.Head); err != nil {
		t.Error(err)
	}
	w.police()
}

func TestRolesAndSubscriptions(t *testing.T) {
	w := newWorld(t, func(c *sim.Config) { c.Subscribed = false })
	c := w.client()
	roles, err := c.Roles(t.Context())
	if err != nil || !slices.Contains(roles, "ActivityFeed.Read") || !slices.Contains(roles, "ActivityFeed.ReadDlp") {
		t.Errorf("%v, %v", roles, err)
	}
	var e *m365.Error
	if _, err := c.Content(t.Context(), budget.Head, "DLP.All", start.Add(-time.Hour), start, ""); !errors.As(err, &e) || e.Class != m365.ClassDisabled || e.Code != "AF20022" {
		t.Errorf("no subscription: %v", err)
	}
	for range 2 { // the second time it is enabled already
		for _, stream := range m365.Streams {
			if sub, err := c.Start(t.Context(), budget.Head, stream, nil); err != nil || !sub.Enabled() {
				t.Errorf("%+v, %v", sub, err)
			}
		}
	}
	subs, err := c.Subscriptions(t.Context(), budget.Head)
	if err != nil || len(subs) != len(m365.Streams) {
		t.Errorf("%+v, %v", subs, err)
	}
	if err := w.sim.AddFaults("disable=Audit.Exchange"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Content(t.Context(), budget.Head, "Audit.Exchange", start.Add(-time.Hour), start, ""); !errors.As(err, &e) || e.Class != m365.ClassDisabled || e.Code != "AF20023" || !strings.Contains(e.Action, "find out who") {
		t.Errorf("disabled: %v", err)
	}
	for faults, want := range map[string]string{"audit-off": "audit logging", "ca-block": "conditional access", "app-removed": "client id"} {
		w := newWorld(t, func(c *sim.Config) { c.Subscribed, c.Faults = false, faults })
		if _, err := w.client().Start(t.Context(), budget.Head, "Audit.General", nil); !errors.As(err, &e) || !strings.Contains(e.Action, want) {
			t.Errorf("%s: %v", faults, err)
		}
	}
}

// TestWindows: what the service refuses is told apart.
func TestWindows(t *testing.T) {
	w := newWorld(t, nil)
	c := w.client()
	for name, window := range map[string][2]time.Time{
		"too wide": {start.Add(-48 * time.Hour), start},
		"too old":  {start.Add(-9 * 24 * time.Hour), start.Add(-9*24*time.Hour + time.Hour)},
		"reversed": {start, start.Add(-time.Hour)},
	} {
		_, err := c.Content(t.Context(), budget.Head, "Audit.Exchange", window[0], window[1], "")
		if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassWindow {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTheClock (F15): the product's idea of now is the provider's, whatever it is and
// however fast it runs.
func TestTheClock(t *testing.T) {
	for _, speed := range []float64{1, 1000} {
		w := newWorld(t, func(c *sim.Config) { c.Speed = speed })
		c := w.client()
		for range 40 {
			if _, err := c.Subscriptions(t.Context(), budget.Head); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		// A busy machine may put some time between the two looks.
		begun := time.Now()
		off := c.Now().Sub(w.sim.Now()).Abs()
		for off > 20*time.Second && time.Since(begun) < 2*time.Minute {
			time.Sleep(10 * time.Millisecond)
			_, _ = c.Subscriptions(t.Context(), budget.Head)
			off = c.Now().Sub(w.sim.Now()).Abs()
		}
		if off > 20*time.Second {
			t.Errorf("speed %v: off by %v, after %v", speed, off, time.Since(begun))
		}
	}
}

// TestAHang (F10): a body that stops is given up, and the next try has it.
func TestAHang(t *testing.T) {
	w := newWorld(t, func(c *sim.Config) { c.Faults, c.Company.People = "hang=0.5:1h", 60 })
	c := w.client(func(o *m365.Options) { o.Limits.Stall = 300 * time.Millisecond })
	from, to := start.Add(-5*time.Minute-20*time.Second), start.Add(-5*time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	got := w.everything(c, from, to)
	if ctx.Err() != nil {
		t.Error("it took three minutes")
	}
	missing := 0
	for e := range w.sim.Ledger(from, to, time.Time{}) {
		if !got[e.SHA256] {
			missing++
		}
	}
	if missing > 0 || len(got) == 0 || w.sim.Requests().Struck["hang"] == 0 {
		t.Errorf("%d records, %d missing, %v", len(got), missing, w.sim.Requests().Struck)
	}
}
