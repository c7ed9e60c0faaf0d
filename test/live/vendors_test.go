// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sim/aws"
	"github.com/daybreak-sec/daybreak/sim/eventhubs"
	"github.com/daybreak-sec/daybreak/sim/github"
	"github.com/daybreak-sec/daybreak/sim/google"
	"github.com/daybreak-sec/daybreak/sim/graph"
	sim "github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/okta"
	"github.com/daybreak-sec/daybreak/sim/service"
	"github.com/daybreak-sec/daybreak/sim/slack"
)

// vendors are all other sources that records come from, of the same company: simulated services with faults on, a folder, and
// senders that push.
type vendors struct {
	*world
	door    turnstile
	graph   *graph.Server
	okta    *okta.Server
	google  *google.Server
	github  *github.Server
	slack   *slack.Server
	aws     *aws.Server
	hubs    *eventhubs.Server
	folder  string
	files   []sim.Entry // what was put into the folder
	senders []*sender
	shift   time.Duration // of the brokers' clock against the company's
}

// turnstile counts the requests that simulators are sent, and does something at one of them.
type turnstile struct {
	asked atomic.Int64
	at    atomic.Pointer[bell]
}

type bell struct {
	n    int64
	ring func()
}

// after has f called at the nth request from now, in the middle of it.
func (t *turnstile) after(n int64, f func()) { t.at.Store(&bell{t.asked.Load() + n, f}) }

func (t *turnstile) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, b := t.asked.Add(1), t.at.Load(); b != nil && n >= b.n && t.at.CompareAndSwap(b, nil) {
			b.ring()
		}
		next.ServeHTTP(w, r)
	})
}

// late is after how long a record is shown that is late, and lateShare how many are.
const (
	late      = 35 * time.Minute
	lateShare = 0.05
)

// applications of Google Workspace in which the company does something and which the product reads every few seconds.
var applications = []string{"admin", "chat", "drive", "login", "saml"}

// entraStreams are the streams of Entra's sign-ins, by the kinds that the simulator knows, and the audits.
var entraStreams = map[string]string{
	"interactiveUser": "signIns", "nonInteractiveUser": "signIns.nonInteractiveUser", "servicePrincipal": "signIns.servicePrincipal",
	"managedIdentity": "signIns.managedIdentity", "directoryAudits": "directoryAudits",
}

// newVendors makes a world and puts everything else beside it. ahead is how far the company's clock will be moved: messages in the
// hubs bear times that this machine's clock has seen by then.
func newVendors(t testing.TB, set setting, ahead time.Duration) *vendors {
	t.Helper()
	v := new(vendors)
	set.between = func(next http.Handler) http.Handler { // the office's door, of which Entra's logs are behind, too
		return v.door.count(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1.0/") || strings.HasPrefix(r.URL.Path, "/beta/") {
				v.graph.Handler().ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		}))
	}
	v.world = newWorld(t, set)
	office := v.sim
	v.graph = graph.New(graph.Config{Tenant: office, PerMinute: 1_000_000, Late: lateShare, LateBy: late})
	v.okta = okta.New(okta.Config{Tenant: office, PerMinute: 1_000_000, Late: lateShare, LateBy: late, Fail: 0.03, Cut: 0.03})
	service := service.Config{
		Company: office.Company(), Now: office.Now, Begin: office.Begin(), Seed: 3, PerDay: 100, Late: lateShare, LateBy: late,
		Token: "simulated-token-of-services", Limit: 1_000_000_000, Throttle: 300, Fail: 30, Break: 30,
	}
	v.github, v.slack = github.New(service), slack.New(service)
	var err error
	if v.google, err = google.New(google.Config{Tenant: office, Page: 50, Stale: 30, Service: service}); err != nil {
		v.Fatal(err)
	}
	if v.aws, err = aws.New(aws.Config{Tenant: office, Late: lateShare, LateBy: late, Repeat: 0.1, PageSize: 20, Fail: 0.03, Cut: 0.03}); err != nil {
		v.Fatal(err)
	}
	v.shift = time.Since(office.Now()) - ahead
	v.hubs, err = eventhubs.New(eventhubs.Config{
		Tenant: office, Partitions: 3, Again: 0.05, Repeat: 0.03, Stamp: func(at time.Time) time.Time { return at.Add(v.shift) },
	})
	if err != nil {
		v.Fatal(err)
	}
	v.Cleanup(v.hubs.Close)
	v.folder = filepath.Join(filepath.Dir(v.dir), "folder")
	if err := os.Mkdir(v.folder, 0o700); err != nil {
		v.Fatal(err)
	}
	v.senders = []*sender{{name: "hec", send: sendHEC}, {name: "otlp", send: sendOTLP}, {name: "syslog"}}
	v.more, v.tell = v.ledger, v.told
	return v
}

// serve answers for a simulator and returns its address.
func (v *vendors) serve(h http.Handler) string {
	server := httptest.NewServer(v.door.count(h))
	v.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// secret keeps a secret in a file, and has it looked for in all that the product writes.
func (v *vendors) secret(name, secret string) string {
	v.Helper()
	v.world.door.know(secret)
	file := filepath.Join(filepath.Dir(v.dir), name)
	v.writeSecret(file, secret)
	return "file:" + file
}

// configuration is what an administrator would write to connect all but the office.
func (v *vendors) configuration() string {
	v.Helper()
	tenant, client, secret := v.sim.Credentials()
	key, awsSecret := v.aws.AccessKey()
	services := v.secret("services", "simulated-token-of-services")
	var b strings.Builder
	source := func(typ, tenant, api, rest string) {
		fmt.Fprintf(&b, "[[source]]\nname = %q\ntype = %q\ntenant = %q\npoll = \"1s\"\n%s\n", typ, typ, tenant, rest)
		if api != "" {
			fmt.Fprintf(&b, "api = %q\nsweep = \"5s\"\nrequests_per_minute = 1000000\n", api)
		}
	}
	list := func(names []string) string { return `["` + strings.Join(names, `", "`) + `"]` }
	var logs []string
	for _, name := range entraStreams {
		logs = append(logs, name)
	}
	source("entra", tenant, v.url, fmt.Sprintf("client_id = %q\nclient_secret = %q\nlogin = %q\nstreams = %s", client, v.secret("entra", secret), v.url, list(logs)))
	source("okta", v.okta.Host(), v.serve(v.okta.Handler()), fmt.Sprintf("api_token = %q", v.secret("okta", v.okta.Token())))
	google := v.serve(v.google.Handler())
	source("google", v.google.Customer(), google, fmt.Sprintf("admin = %q\nservice_account = %q\nlogin = %q\nstreams = %s",
		v.google.Admin(), v.secret("google", string(v.google.Key())), google, list(applications)))
	source("github", v.github.Organization(), v.serve(v.github.Handler()), fmt.Sprintf("api_token = %q", services))
	source("slack", v.slack.Organization(), v.serve(v.slack.Handler()), fmt.Sprintf("api_token = %q", services))
	trail := v.serve(v.aws.Handler())
	source("cloudtrail", v.aws.Account(), trail, fmt.Sprintf("bucket = %q\nregion = %q\npath_style = true\ntrail_api = %q\naccess_key_id = %q\nsecret_access_key = %q\nstreams = [\"CloudTrail\", \"CloudTrail-Digest\"]",
		v.aws.Bucket(), aws.Home, trail, key, v.secret("aws", awsSecret)))
	source("eventhubs", hubsTenant, "", fmt.Sprintf("namespace = %q\nconnection_string = %q\nbrokers = [%q]\nstreams = %s",
		v.hubs.Namespace(), v.secret("hubs", v.hubs.ConnectionString()), v.hubs.Broker(), list(eventhubs.Hubs())))
	source("files", "drop", "", fmt.Sprintf("folder = %q\nquiet = \"1s\"\nsweep = \"1s\"", v.folder))
	for _, s := range v.senders {
		fmt.Fprintf(&b, "[[receive]]\nname = %q\ntype = %q\nlisten = \"127.0.0.1:0\"\ntenant = \"pushed\"\n", s.name, s.name)
		if s.name != "syslog" {
			fmt.Fprintf(&b, "token = %q\n", v.secret("push", pushToken))
		}
	}
	return b.String()
}

// step has the hubs send what is due, and puts a file into the folder.
func (v *vendors) step() {
	v.Helper()
	if err := v.hubs.Step(v.Context()); err != nil {
		v.Fatal(err)
	}
	var text []byte
	var hashes []sim.Hash
	for i := range 20 {
		line := fmt.Sprintf(`{"file":%d,"line":%d,"text":"%s"}`, len(v.files), i, strings.Repeat("x", i))
		hashes = append(hashes, canonical([]byte(line)))
		text = append(append(text, line...), '\n')
	}
	name := filepath.Join(v.folder, fmt.Sprintf("part-%d.jsonl", len(v.files)))
	if err := os.WriteFile(filepath.Join(v.folder, ".part"), text, 0o600); err != nil {
		v.Fatal(err)
	}
	before := time.Now()
	if err := os.Rename(filepath.Join(v.folder, ".part"), name); err != nil {
		v.Fatal(err)
	}
	for _, h := range hashes {
		v.files = append(v.files, sim.Entry{Stream: config.Streams("files")[0], SHA256: h, Created: before, Visible: time.Now()})
	}
}

// ledger is what all of them say has happened and can be had by now.
func (v *vendors) ledger() iter.Seq[sim.Entry] {
	from, now := v.sim.Begin(), v.sim.Now()
	to := now.Add(time.Millisecond)
	return func(yield func(sim.Entry) bool) {
		add := func(stream string, raw []byte, at, shown time.Time) {
			if !shown.After(now) {
				yield(sim.Entry{Stream: stream, SHA256: canonical(raw), Time: at, Created: at, Visible: shown})
			}
		}
		for kind, stream := range entraStreams {
			v.graph.Happened(kind, from, to, func(at, shown time.Time, row map[string]any) {
				raw, err := json.Marshal(row)
				if err != nil {
					v.Fatal(err)
				}
				add(stream, raw, at, shown)
			})
		}
		v.okta.Events(from, to, func(published, stored time.Time, raw []byte) { add("system-log", raw, published, stored) })
		for _, name := range applications {
			v.google.Happened(name, from, to, func(at, shown time.Time, raw []byte) { add(name, raw, at, shown) })
		}
		for log, stream := range map[string]string{github.Web: "audit-log", github.Git: "git"} {
			v.github.Happened(log, from, to, func(at, visible time.Time, raw []byte) bool { add(stream, raw, at, visible); return true })
		}
		v.slack.Happened(from, to, func(at, visible time.Time, raw []byte) bool { add("audit-logs", raw, at, visible); return true })
		for id, key := range v.aws.Events() {
			at := v.aws.Modified(key) // to the second
			yield(sim.Entry{Stream: "CloudTrail", ID: id, SHA256: named("CloudTrail", id), Created: at, Visible: at.Add(time.Second)})
		}
		for _, hub := range eventhubs.Hubs() {
			for id, r := range v.hubs.Sent(hub) {
				yield(sim.Entry{Stream: v.hubs.Namespace() + "/" + hub, ID: id, SHA256: v.wrapped([]byte(r.Properties)), Created: r.Enqueued, Visible: r.Sent})
			}
		}
		for _, e := range v.files {
			yield(e)
		}
		for _, s := range v.senders {
			for id := range s.made { // whoever pushes is called complete by nobody
				yield(sim.Entry{Stream: s.name, ID: s.text(id), SHA256: named(s.name, s.text(id)), Created: farAway, Visible: farAway})
			}
		}
	}
}

// hubsTenant is another one than the office's, for a tenant's coverage is by one clock, and brokers have this machine's.
const hubsTenant = "5c1d0b6e-4a4c-4f0e-9d55-0c3f1f6f3a10"

// farAway is a time that no statement is about.
var farAway = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// canonical is the hash of a record, whatever the order of its members.
func canonical(raw []byte) sim.Hash {
	canon, ok := canonjson.Append(nil, raw)
	if !ok {
		canon = raw
	}
	return sha256.Sum256(canon)
}

// named is the hash of what is told by a name and not by its bytes, which are ours.
func named(stream, id string) sim.Hash { return sha256.Sum256([]byte(stream + "\x00" + id)) }

// wrapped is the hash of what stands in the envelope of a hub's record, which is another one each time that it is delivered. The same
// row has no envelope in Graph, and is another record there.
func (v *vendors) wrapped(properties []byte) sim.Hash {
	return named(v.hubs.Namespace(), canonical(properties).String())
}

// told tells which entry of the ledger a stored record is. What no ledger is kept of is left out.
func (v *vendors) told(o *event.Origin, raw []byte) (h sim.Hash, ok bool) {
	var r struct {
		EventID    string
		Properties json.RawMessage
		Event      string
		Syslog     string
		LogRecord  struct {
			Body struct{ StringValue string }
		}
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return h, true // and in no ledger
	}
	switch o.Stream {
	case "CloudTrail-Digest":
		return h, false
	case "CloudTrail":
		return named(o.Stream, r.EventID), true
	case "hec":
		return named(o.Stream, r.Event), true
	case "otlp":
		return named(o.Stream, r.LogRecord.Body.StringValue), true
	case "syslog":
		return named(o.Stream, r.Syslog), true
	}
	if strings.HasPrefix(o.Stream, v.hubs.Namespace()+"/") {
		return v.wrapped(r.Properties), true
	}
	return canonical(raw), true
}

// doors are the addresses of a running program's receivers, as its log tells them.
type doors struct {
	mu    sync.Mutex
	line  []byte
	found map[string]string
}

func (d *doors) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.line = append(d.line, p...)
	for {
		i := bytes.IndexByte(d.line, '\n')
		if i < 0 {
			return len(p), nil
		}
		var said struct{ Msg, Receiver, Address string }
		if json.Unmarshal(d.line[:i], &said) == nil && said.Msg == "records can be sent" {
			d.found[said.Receiver] = said.Address
		}
		d.line = d.line[i+1:]
	}
}

func (d *doors) of(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.found[name]
}

// live runs the program until it has made n requests, and kills it. Half way its coverage statement is asked for.
func (v *vendors) live(t *testing.T, p *program, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	d := &doors{found: map[string]string{}}
	half, dead := make(chan struct{}), make(chan struct{})
	v.door.after(n/2, func() { close(half) })
	begun := time.Now()
	c := p.serve(t, d)
	defer func() { t.Logf("killed at request %d, after %v", n, time.Since(begun).Round(time.Millisecond)) }()
	var work sync.WaitGroup
	for _, s := range v.senders {
		work.Go(func() {
			for d.of(s.name) == "" && ctx.Err() == nil {
				pause(ctx)
			}
			s.run(ctx, d.of(s.name))
		})
	}
	wait := func(what string, happens chan struct{}) {
		select {
		case <-happens:
		case <-ctx.Done():
			t.Errorf("%s: not within %v\n%s", what, patience, v.log.tail(30))
		}
	}
	wait("half of the requests", half)
	v.door.after(n-n/2, func() {
		if err := c.Process.Kill(); err != nil {
			t.Error(err)
		}
		close(dead)
	})
	v.glance(ctx)
	wait("all requests", dead)
	_ = c.Process.Kill()
	_ = c.Wait() // killed
	cancel()
	work.Wait()
}

// client asks the running program.
func (v *vendors) client() (*client.Client, bool) {
	holder, ok := node.Holder(v.dir)
	if !ok || holder.API == "" {
		return nil, false
	}
	token, err := node.Token(v.dir)
	return client.New(holder.API, token), err == nil
}

// glance keeps the coverage statement that the program gives of the company's life, and of that by the brokers' clock, if it is so far.
func (v *vendors) glance(ctx context.Context) (spans []coverage.Span, ok bool) {
	c, ok := v.client()
	if !ok {
		return nil, false
	}
	defer c.Close()
	for _, since := range []time.Time{v.sim.Begin(), v.sim.Begin().Add(v.shift)} {
		said, err := c.Coverage(ctx, since.Add(-time.Hour), since.Add(v.sim.Now().Sub(v.sim.Begin())+time.Hour))
		if err != nil {
			return nil, false // it dies
		}
		r := reportOf(&said)
		v.keep(r)
		spans = append(spans, r.Spans...)
	}
	return spans, true
}

// finish runs the program until all that there is can be searched and is called complete, and ends it in good order.
func (v *vendors) finish(t *testing.T, p *program) {
	t.Helper()
	d := &doors{found: map[string]string{}}
	begun := time.Now()
	c := p.serve(t, d)
	defer func() { _ = c.Process.Kill() }()
	for _, s := range v.senders {
		v.until("what was not acknowledged is sent again", func() (bool, string) {
			if d.of(s.name) == "" {
				return false, s.name + " is not there"
			}
			err := s.drain(t.Context(), d.of(s.name))
			return err == nil, fmt.Sprint(err)
		})
	}
	want := len(v.truth()) + len(v.aws.Keys("AWSLogs/"+v.aws.Account()+"/CloudTrail-Digest/"))
	v.until("all is stored", func() (bool, string) {
		c, ok := v.client()
		if !ok {
			return false, "it does not answer"
		}
		defer c.Close()
		var row struct{ Count int }
		_, err := c.Search(t.Context(), client.Search{Query: "-family:daybreak | count"}, func(v1.SearchHeader) error { return nil }, func(hit json.RawMessage) error { return json.Unmarshal(hit, &row) })
		return err == nil && row.Count >= want, fmt.Sprintf("%d records of %d, %v", row.Count, want, err)
	})
	t.Logf("all %d are stored after %v", want, time.Since(begun).Round(time.Millisecond))
	v.until("all is complete", func() (bool, string) {
		spans, ok := v.glance(t.Context())
		why := ""
		for i := range spans {
			s := &spans[i]
			bound := v.sim.Now()
			if strings.HasPrefix(s.Stream, v.hubs.Namespace()) {
				bound = bound.Add(v.shift)
			}
			life := s.From.After(bound.Add(v.sim.Begin().Sub(v.sim.Now()))) && s.To.Before(bound.Add(-time.Hour))
			if life && s.State != coverage.Complete && !declared(s) && !tokenless(s) && s.Stream != config.Streams("files")[0] {
				why += fmt.Sprintf("%s from %v, as of %v, %s\n", s.String(), s.From, s.AsOf, s.Listing)
			}
		}
		return ok && why == "", why
	})
	t.Logf("and complete after %v", time.Since(begun).Round(time.Millisecond))
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the program did not end in good order: %v\n%s", err, v.log.tail(10))
	}
}

// tokenless says that a sign-in log is called blind because it lacks what the simulated one does not have: where the tokens come from
// that records of other logs show.
func tokenless(s *coverage.Span) bool {
	return s.State == coverage.Blind && s.Reason == act.Unmatched && strings.HasPrefix(s.Stream, "signIns")
}

// few is how many records a stream may have, such as the hub of alerts' evidence, without one of them being where anything is
// complete yet.
const few = 5

// judged returns the streams of which no statement has ever called something complete that there are records in, but of those that
// nobody calls complete so soon, and of those with few records.
func (v *vendors) judged(o *outcome) (none []string) {
	seen, records := map[string]bool{}, map[string]int{}
	for _, e := range o.truth {
		if records[e.Stream]++; seen[e.Stream] {
			continue
		}
		seen[e.Stream] = false
		for _, r := range v.seen {
			for i := range r.Spans {
				s := &r.Spans[i]
				if s.Stream == e.Stream && (s.State == coverage.Complete || tokenless(s)) && !e.Created.Before(s.From) && e.Created.Before(s.To) {
					seen[e.Stream] = true
				}
			}
		}
	}
	for stream, judged := range seen {
		pushed := slices.ContainsFunc(v.senders, func(s *sender) bool { return s.name == stream })
		if !judged && !pushed && records[stream] > few && stream != config.Streams("files")[0] {
			none = append(none, stream)
		}
	}
	return none
}
