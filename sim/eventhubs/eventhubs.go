// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventhubs simulates a namespace of Azure Event Hubs to which a diagnostic setting of Entra ID and the streaming API of
// Defender XDR stream: the acts of the same tenant and company as the simulated Management Activity API (sim/m365) and Microsoft
// Graph (sim/graph), a hub for each category and table. One sign-in has one request id in all three; a row of CloudAppEvents
// carries the record of the unified audit log; an alert and a message have the ids under which Microsoft Graph shows them; and a
// mailbox that is read through Microsoft Graph is a request in its activity log, with the token of the record.
//
// Brokers are those of kfake, which franz-go tests itself with: real connections, SASL, partitions and logs. They are limited to the
// requests that Event Hubs knows (IBM/sarama issue 2470), so that there are no ids of topics.
//
// # Faults
//
// Records are delivered again, up to four times, in another partition, and those of Azure Monitor with a new time in the
// envelope; messages are also repeated to the byte. Messages expire, hubs are deleted and made again, partitions stop, rights
// are taken away, tokens are refused, and records are left out ([Config.Hide]).
//
// # Holes
//
// There is no AMQP, no consumer group of Event Hubs and no throttling by throughput units; connections are plain, for loopback.
// A token (OAUTHBEARER) is one of the simulated tenant's for the namespace; what roles its application has is not asked. A
// connection whose token has ended is good until it has to prove itself again ([Config.Session]). What the records lack is what those of sim/graph lack.
//
// Of the tables of advanced hunting there are four. Rows have the columns that the tenant's records tell, and a delay like the
// others'. CloudAppEvents have all of the unified audit log but alerts and judged mail, where the real ones are of the workloads
// that are connected; what Defender knows besides (places, providers, what is uncommon) is left out, and so are columns of its
// objects. EmailEvents are of messages that the log tells of: those sent by people, to one colleague each, and those that were
// judged. An alert has no technique, and one piece of evidence at most. Microsoft Graph's activity shows what was done to
// mailboxes by a token for it, a request for each record; what collectors ask it for is not in it.
package eventhubs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/graph"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

// Config says what is simulated. Zero values stand for the defaults given.
type Config struct {
	Tenant     *m365.Server
	Namespace  string // "contoso-logs"
	Listen     string // address and port of the broker; "127.0.0.1:0"
	Partitions int    // of each hub; 4
	// Delay is simulated, from an act to its message; 20 s. A record's envelope says when it was written, as the real one does.
	Delay time.Duration
	Batch int // records of a message, at most; 20
	// Again is the share of records that are delivered again, one to three times; 0.03. Repeat is that of messages that are
	// repeated to the byte; 0.005. Negative: none.
	Again, Repeat float64
	// Hide leaves out records, by what they say apart from the envelope: a stream that does not say everything. nil: none.
	Hide func(hub string, fields map[string]any) bool
	// Stamp is what the broker's clock shows at a moment of the tenant's, so that messages bear times that the machine's clock
	// has seen; nil: that moment.
	Stamp func(time.Time) time.Time
	Dir   string // where messages are kept; empty: in memory
	// Session is after how long a connection has to prove itself again (KIP-368); 0: never. franz-go does it a second before, so that
	// of less than two seconds little else is done.
	Session time.Duration
	// Retention is how long messages are kept; 0: for ever. Only a [Loader] looks at it.
	Retention time.Duration
}

// The hubs, as a diagnostic setting names them: "insights-logs-" and the category.
const (
	SignIns          = "insights-logs-signinlogs"
	NonInteractive   = "insights-logs-noninteractiveusersigninlogs"
	ServicePrincipal = "insights-logs-serviceprincipalsigninlogs"
	Audits           = "insights-logs-auditlogs"
	GraphActivity    = "insights-logs-microsoftgraphactivitylogs"
)

// Hubs are all.
func Hubs() []string {
	return []string{AlertEvidence, Alerts, CloudApps, Emails, Audits, GraphActivity, NonInteractive, ServicePrincipal, SignIns}
}

var categories = map[string]string{
	SignIns: "SignInLogs", NonInteractive: "NonInteractiveUserSignInLogs", ServicePrincipal: "ServicePrincipalSignInLogs", Audits: "AuditLogs",
	GraphActivity: "MicrosoftGraphActivityLogs",
}

const user = "$ConnectionString"

// Server is the simulated namespace. It is safe for concurrent use.
type Server struct {
	cfg     Config
	cluster *kfake.Cluster
	secret  string

	denied            atomic.Bool
	accepted, spurned atomic.Int64 // tokens
	known             sync.Map     // those that were accepted

	mu      sync.Mutex
	client  *kgo.Client
	random  *rand.Rand
	done    time.Time // acts before it have their messages
	pending map[string][]delivery
	sent    map[string]map[string]Record // of each hub, by their ids
	count   map[string]int
	stops   map[string]*kfake.FaultHandle
	tokens  map[string]time.Time // of applications, whose sign-in has its row: when they were seen first
}

// delivery is a record that is sent at a moment.
type delivery struct {
	at  time.Time
	row row
}

// New starts the broker. Messages come with [Server.Run] or [Server.Step].
func New(cfg Config) (*Server, error) {
	or := func(v *int, def int) {
		if *v == 0 {
			*v = def
		}
	}
	or(&cfg.Partitions, 4)
	or(&cfg.Batch, 20)
	if cfg.Namespace == "" {
		cfg.Namespace = "contoso-logs"
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Delay == 0 {
		cfg.Delay = 20 * time.Second
	}
	if cfg.Stamp == nil {
		cfg.Stamp = func(at time.Time) time.Time { return at }
	}
	if cfg.Again == 0 {
		cfg.Again = 0.03
	}
	if cfg.Repeat == 0 {
		cfg.Repeat = 0.005
	}
	tenant, _, key := cfg.Tenant.Credentials()
	s := &Server{
		cfg: cfg, random: rand.New(rand.NewPCG(1, 2)), done: cfg.Tenant.Begin(), pending: map[string][]delivery{}, sent: map[string]map[string]Record{},
		count: map[string]int{}, stops: map[string]*kfake.FaultHandle{}, tokens: map[string]time.Time{},
		secret: "Endpoint=sb://" + cfg.Namespace + ".servicebus.windows.net/;SharedAccessKeyName=listen;SharedAccessKey=" + tenant[:8] + key,
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.EnableSASL(), kfake.Superuser("PLAIN", user, s.secret), kfake.MaxVersions(Versions()),
		kfake.SeedTopics(int32(cfg.Partitions), Hubs()...),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, cfg.Listen) }),
	}
	if cfg.Retention > 0 { // in small segments, which are deleted as a whole
		opts = append(opts, kfake.BrokerConfigs(map[string]string{
			"log.retention.ms": strconv.FormatInt(cfg.Retention.Milliseconds(), 10), "log.segment.bytes": strconv.Itoa(8 << 20),
		}))
	}
	if cfg.Session > 0 {
		opts = append(opts, kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": strconv.FormatInt(cfg.Session.Milliseconds(), 10)}))
	}
	if cfg.Dir != "" {
		opts = append(opts, kfake.DataDir(cfg.Dir))
	}
	var err error
	if s.cluster, err = kfake.NewCluster(opts...); err != nil {
		return nil, err
	}
	s.cluster.ControlKey(int16(kmsg.SASLHandshake), s.handshake)
	s.cluster.ControlKey(int16(kmsg.SASLAuthenticate), s.authenticate)
	if err := s.connect(); err != nil {
		s.cluster.Close()
		return nil, err
	}
	return s, nil
}

// Versions are the requests that Event Hubs knows.
func Versions() *kversion.Versions {
	v := kversion.V3_8_0()
	for key, most := range map[kmsg.Key]int16{kmsg.Produce: 7, kmsg.Fetch: 6, kmsg.Metadata: 5} {
		v.SetMaxKeyVersion(int16(key), most)
	}
	return v
}

// kfake knows no OAUTHBEARER. Whoever asks for it is let in by PLAIN, with our own connection string in the place of a good token.
const bearer = "OAUTHBEARER"

func (s *Server) handshake(req kmsg.Request) (kmsg.Response, error, bool) {
	s.cluster.KeepControl()
	if r := req.(*kmsg.SASLHandshakeRequest); r.Mechanism == bearer {
		r.Mechanism = "PLAIN"
	}
	return nil, nil, false
}

// authenticate answers who has no good connection string or token as Kafka does. (kfake closes the connection.)
func (s *Server) authenticate(req kmsg.Request) (kmsg.Response, error, bool) {
	s.cluster.KeepControl()
	r := req.(*kmsg.SASLAuthenticateRequest)
	resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
	plain := []byte("\x00" + user + "\x00" + s.secret)
	// RFC 7628, 3.1: a header, then pairs, each behind a byte 1.
	if token, ok := bytes.CutPrefix(r.SASLAuthBytes, []byte("n,,\x01auth=Bearer ")); ok {
		token = bytes.TrimRight(token, "\x01")
		if s.denied.Load() || !s.cfg.Tenant.Accepts(string(token), "https://"+s.cfg.Namespace+".servicebus.windows.net") {
			s.spurned.Add(1)
			resp.SASLAuthBytes = []byte(`{"status":"invalid_token"}`) // 3.2.2; the client answers with a byte 1, and fails
			return resp, nil, true
		}
		s.accepted.Add(1)
		s.known.Store(string(token), true)
		r.SASLAuthBytes = plain
	}
	if bytes.Equal(r.SASLAuthBytes, plain) {
		return nil, nil, false
	}
	resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, kmsg.StringPtr("Invalid SASL credentials.")
	return resp, nil, true
}

// Proofs is how often a token was accepted and refused, and how many different ones were accepted.
func (s *Server) Proofs() (accepted, refused, tokens int) {
	s.known.Range(func(any, any) bool { tokens++; return true })
	return int(s.accepted.Load()), int(s.spurned.Load()), tokens
}

// RefuseTokens has all tokens refused, or no longer.
func (s *Server) RefuseTokens(yes bool) { s.denied.Store(yes) }

// connect makes the client that stands for Azure Monitor.
func (s *Server) connect() (err error) {
	if s.client != nil {
		s.client.Close()
	}
	s.client, err = kgo.NewClient(
		kgo.SeedBrokers(s.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.DisableIdempotentWrite(), kgo.MetadataMinAge(10*time.Millisecond), kgo.SASL(plain.Auth{User: user, Pass: s.secret}.AsMechanism()),
	)
	return err
}

// Close ends it.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.client.Close()
	s.cluster.Close()
}

// Broker is the address of the broker.
func (s *Server) Broker() string { return s.cluster.ListenAddrs()[0] }

// Namespace is its name, and ConnectionString what lets one listen.
func (s *Server) Namespace() string { return s.cfg.Namespace }

// ConnectionString is the one of a policy with the right Listen.
func (s *Server) ConnectionString() string { return s.secret }

// Run sends messages as time passes, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	for {
		if err := s.Step(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Step sends what is to be sent by now.
func (s *Server) Step(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Tenant.Now()
	to := now.Add(-s.cfg.Delay)
	if to.After(s.done) {
		s.take(s.done, to)
		s.done = to
	}
	for _, hub := range Hubs() {
		if err := s.flush(ctx, hub, now); err != nil {
			return err
		}
	}
	return nil
}

// take makes records of the acts of a stretch of time, and decides which are delivered again, and when.
func (s *Server) take(from, to time.Time) {
	deliver := func(at time.Time, r row) bool {
		if s.cfg.Hide != nil && s.cfg.Hide(r.hub, r.fields) {
			return true
		}
		send := func(after time.Duration) {
			s.pending[r.hub] = append(s.pending[r.hub], delivery{at.Add(s.cfg.Delay + after), r})
		}
		send(0)
		if s.random.Float64() < s.cfg.Again {
			for range 1 + s.random.IntN(3) { // minutes later
				send(time.Minute + time.Duration(s.random.Int64N(int64(5*time.Minute))))
			}
		}
		return true
	}
	s.happened(from, to, deliver)
	s.elsewhere(from, to, deliver)
}

// happened yields what Entra's own logs say of a stretch of time.
func (s *Server) happened(from, to time.Time, yield func(at time.Time, r row) bool) {
	tenant, _, _ := s.cfg.Tenant.Credentials()
	more := true
	s.cfg.Tenant.Happened(company.AzureActiveDirectory, from, to, func(at, _ time.Time, raw []byte) bool {
		if fields := graph.SignIn(raw, at, true); fields != nil {
			hub := NonInteractive
			if fields["isInteractive"] == true {
				hub = SignIns
			}
			more = yield(at, row{hub: hub, tenant: tenant, fields: fields})
		} else if fields := graph.Audit(raw, at); fields != nil {
			more = yield(at, row{hub: Audits, tenant: tenant, fields: fields})
		}
		return more
	})
	for _, t := range s.cfg.Tenant.Directory().Tokens() {
		if more && !t.Issued.Before(from) && t.Issued.Before(to) {
			more = yield(t.Issued, row{hub: ServicePrincipal, tenant: tenant, fields: graph.ServiceSignIn(t, tenant)})
		}
	}
}

// flush sends the records of a hub that are due.
func (s *Server) flush(ctx context.Context, hub string, now time.Time) error {
	var due []delivery
	s.pending[hub] = slices.DeleteFunc(s.pending[hub], func(d delivery) bool {
		if d.at.After(now) {
			return false
		}
		due = append(due, d)
		return true
	})
	slices.SortStableFunc(due, func(a, b delivery) int { return a.at.Compare(b.at) })
	var list []*kgo.Record
	for len(due) > 0 {
		n := min(len(due), 1+s.random.IntN(s.cfg.Batch))
		at := due[n-1].at // it was enqueued when its last record was there
		m := &kgo.Record{Topic: hub, Partition: int32(s.random.IntN(s.cfg.Partitions)), Value: s.envelope(due[:n], at), Timestamp: s.cfg.Stamp(at)}
		list = append(list, m)
		if s.random.Float64() < s.cfg.Repeat {
			again := *m
			again.Partition = int32(s.random.IntN(s.cfg.Partitions))
			list = append(list, &again)
			s.count["repeated"]++
		}
		due = due[n:]
	}
	s.count["messages"] += len(list)
	if err := s.client.ProduceSync(ctx, list...).FirstErr(); err != nil {
		return err
	}
	for id, r := range s.sent[hub] {
		if r.Sent.IsZero() {
			r.Sent = time.Now()
			s.sent[hub][id] = r
		}
	}
	return nil
}

// row is that of a log, before it has an envelope.
type row struct {
	hub, tenant string
	id          string    // empty: the member id
	received    time.Time // by Defender, for its tables
	fields      map[string]any
}

// envelope makes a message.
func (s *Server) envelope(list []delivery, now time.Time) []byte {
	var b strings.Builder
	b.WriteString(`{"records": [`)
	for i := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		r := &list[i].row
		text, err := json.Marshal(r.wrap(now))
		if err != nil {
			panic(err) // strings, numbers and lists of them
		}
		b.Write(text)
		id := r.id
		if id == "" {
			id, _ = r.fields["id"].(string)
		}
		properties, _ := json.Marshal(r.fields)
		known := s.sent[r.hub]
		if known == nil {
			known = map[string]Record{}
			s.sent[r.hub] = known
		}
		if _, again := known[id]; again {
			s.count["again"]++
		} else {
			known[id] = Record{Properties: string(properties), Enqueued: s.cfg.Stamp(now)}
		}
		s.count["records"]++
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// wrap puts a row into the envelope of Azure Monitor (entra-docs: "Stream activity logs to an event hub"), or of Defender's
// streaming API (https://learn.microsoft.com/defender-xdr/streaming-api-event-hub).
func (r *row) wrap(now time.Time) map[string]any {
	if table, ok := tables[r.hub]; ok {
		return map[string]any{
			"time": r.received.UTC().Format(writtenLayout), "tenantId": r.tenant, "operationName": "Publish", "category": "AdvancedHunting-" + table, "properties": r.fields,
		}
	}
	operation, result, signature, level := "Sign-in activity", "0", "None", any("4")
	if status, ok := r.fields["status"].(map[string]any); ok {
		result = fmt.Sprint(status["errorCode"])
		signature = "SUCCESS"
		if result != "0" {
			signature = "FAILURE"
		}
	}
	if r.hub == Audits {
		operation, _ = r.fields["activityDisplayName"].(string)
		result, _ = r.fields["operationType"].(string)
		signature, level = "None", "Informational"
	}
	if r.hub == GraphActivity {
		operation, result, signature = "Microsoft Graph Activity", "", fmt.Sprint(r.fields["responseStatusCode"])
	}
	address, _ := r.fields["ipAddress"].(string)
	return map[string]any{
		"time": now.UTC().Format(writtenLayout), "resourceId": "/tenants/" + r.tenant + "/providers/Microsoft.aadiam",
		"operationName": operation, "operationVersion": "1.0", "category": categories[r.hub], "tenantId": r.tenant, "resultType": result,
		"resultSignature": signature, "durationMs": 0, "callerIpAddress": address, "correlationId": r.fields["correlationId"], "level": level, "properties": r.fields,
	}
}

// Record is one that was sent.
type Record struct {
	Properties string    // what it says apart from the envelope
	Enqueued   time.Time // the time of its first message
	Sent       time.Time // by the machine's clock, when the broker had that; zero while it has not
}

// Sent are the records of a hub that were ever sent, by their ids.
func (s *Server) Sent(hub string) iter.Seq2[string, Record] {
	return func(yield func(string, Record) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for id, r := range s.sent[hub] {
			if !yield(id, r) {
				return
			}
		}
	}
}

// Settled reports whether nothing is left to be delivered again.
func (s *Server) Settled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, list := range s.pending {
		if len(list) > 0 {
			return false
		}
	}
	return true
}

// Tally counts messages, records, those that were sent again, and messages that were repeated.
func (s *Server) Tally() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for k, n := range s.count {
		out[k] = n
	}
	return out
}

// Expire deletes all messages of a hub, as its retention would.
func (s *Server) Expire(hub string) error {
	for _, p := range s.cluster.PartitionInfos(hub) {
		if err := s.cluster.DeleteRecords(hub, p.Partition, -1); err != nil {
			return err
		}
	}
	return nil
}

// Delete deletes a hub, and Make makes it again, empty.
func (s *Server) Delete(hub string) error { return s.cluster.DeleteTopic(hub) }

// Make makes a hub.
func (s *Server) Make(hub string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cluster.CreateTopic(hub, int32(s.cfg.Partitions), nil); err != nil {
		return err
	}
	return s.connect()
}

// Stop has a partition give nothing any more, or again.
func (s *Server) Stop(hub string, partition int, stop bool) {
	s.fault(fmt.Sprint(hub, "/", partition), stop, kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: hub, Partitions: []int32{int32(partition)}, Err: kerr.OffsetNotAvailable, Count: -1})
}

// Deny takes the right to read a hub away, or gives it back.
func (s *Server) Deny(hub string, deny bool) {
	s.fault(hub, deny, kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: hub, Err: kerr.TopicAuthorizationFailed, Count: -1})
}

func (s *Server) fault(name string, on bool, f kfake.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.stops[name]; h != nil {
		h.Remove()
		delete(s.stops, name)
	}
	if on {
		s.stops[name] = s.cluster.Fault(f)
	}
}
