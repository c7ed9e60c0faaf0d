// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package m365 is a simulated Office 365 Management Activity API over HTTP, in
// front of a simulated company, with the faults that the real one and the way
// to it have, and with a ledger of what a perfect collector would hold.
//
// It feeds the tests, the benchmarks and the demo, and stands by itself as
// "daybreak sim m365" for anybody's collector. What it does differently from
// the service is listed in docs/reference/simulator.md.
//
// # Promises
//
// Content is computed and not stored. A blob is a function of the seed, of its
// place (stream, slot of time, part) and of the faults that were on in its
// time; it reads the same whenever it is asked for, and memory grows neither
// with time nor with the rate. Switching a fault changes nothing that was
// offered before.
//
// Time is simulated: it runs at any speed, stops and jumps. All the server says
// about time (Date, contentCreated, expiry of tokens and content, windows) is
// in it. What the network does (slow bodies, hangs, Retry-After) is in real
// time.
//
// The ledger ([Server.Ledger]) is computed from the same places, apart from
// the HTTP path: it knows when each record can be had first, and leaves out
// what nobody can have, such as what was created while a subscription was off.
//
// # Garbage
//
// What is no request of the API is answered with the service's error codes.
// Everything a client sends is bounded.
//
// # Holes
//
// Access tokens are signed with HMAC, so a client cannot verify them (none
// does). Blobs are not compressed. Notifications are kept in memory, the latest
// thousand a stream.
package m365

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Config says what is simulated. Zero values stand for the defaults given.
type Config struct {
	Seed uint64
	// Company is who lives there. If it has no seed of its own, it takes Seed.
	Company company.Config
	Attacks []Attack      // woven into the company's life
	Start   time.Time     // simulated time at the start; real time
	Speed   float64       // simulated seconds a second; 1
	Paused  bool          // the clock stands until it is told to run
	Faults  string        // as --faults has them; none
	Delay   time.Duration // from the end of a slot to the offer of its blobs; 1 s
	// History is how long before Start the company's life begins; 7 days.
	History time.Duration
	// Backfill is how much older content than itself a subscription shows that
	// is started for the first time; 7 days. Negative: none.
	Backfill   time.Duration
	MaxRecords int           // in a blob; 1,000
	PageSize   int           // blobs on a page of a listing; 200
	Quota      int           // requests a minute, for each publisher; 2,000
	Expiry     time.Duration // from contentCreated to contentExpiration; 7 days
	Subscribed bool          // all subscriptions are on since the beginning
	// BaseURL is what links begin with. Empty: what the client called.
	BaseURL string
	// RemoteControl answers the control endpoints to other machines as well.
	RemoteControl bool
	// Webhooks sends notifications. nil: the default transport.
	Webhooks http.RoundTripper
	Log      *slog.Logger // nil: nothing
}

// Server is the simulated service. It is safe for concurrent use.
type Server struct {
	seed      uint64
	clock     *clock
	start     time.Time
	feed      *feed
	subs      subscriptions
	hooks     *hooks
	company   *company.Company
	directory *directory.Directory
	throttle  *throttle
	tally     tally
	attempts  *attempts
	serial    atomic.Uint64 // of answers, for trace ids
	log       *slog.Logger
	closed    chan struct{}
	close     sync.Once

	tenant, domain, clientID string
	baseURL                  string
	backfill                 time.Duration
	pageSize                 int
	remoteControl            bool
	key                      []byte // signs tokens

	mu         sync.Mutex
	secret     string
	oldSecrets []string
	keys       []trustedKey
	roles      []string
	revoked    time.Time // tokens issued before are refused
	done       map[int]bool
	onSecret   func(string)
	switching  sync.Mutex
}

// The numbers of identities.
const (
	idClient = iota + 1
	idPrincipal
	idSecret
	idKey
	idSensitive
)

// New makes a server. It listens nowhere by itself: see Handler.
func New(cfg Config) (*Server, error) {
	if cfg.Company.Seed == 0 {
		cfg.Company.Seed = cfg.Seed
	}
	co, err := company.New(cfg.Company)
	if err != nil {
		return nil, err
	}
	// The numbers of a slot's blobs have four digits in their ids.
	busy := max(cfg.Company.Rate, 8*float64(co.People())*cfg.Company.PerDay/86400)
	if cfg.MaxRecords > 0 && busy*co.SlotLength().Seconds()/float64(cfg.MaxRecords) > 9000 {
		return nil, fmt.Errorf("slots of %v with up to %.0f records a second make too many blobs of %d records: want larger blobs or shorter slots", co.SlotLength(), busy, cfg.MaxRecords)
	}
	s, err := newServer(cfg, co, co.SlotLength(), co.Domain(), time.Now)
	if err != nil {
		return nil, err
	}
	s.company, s.directory = co, directory.New(co)
	w := s.feed.events
	w.until = s.Begin()
	for _, a := range cfg.Attacks {
		w.plays = append(w.plays, a.Scenario.Play(s.directory, s.start.Add(a.After), cfg.Seed))
	}
	return s, nil
}

// Company is who lives behind the server.
func (s *Server) Company() *company.Company { return s.company }

// Directory is the tenant's state, which attacks change.
func (s *Server) Directory() *directory.Directory { return s.directory }

func newServer(cfg Config, co life, slotLen time.Duration, domain string, wall func() time.Time) (*Server, error) {
	cfg.defaults()
	if err := cfg.check(slotLen); err != nil {
		return nil, err
	}
	clk := newClock(cfg.Start, cfg.Speed, wall)
	clk.paused = cfg.Paused
	start := clk.base
	s := &Server{
		seed: cfg.Seed, clock: clk, start: start, log: cfg.Log, closed: make(chan struct{}), attempts: new(attempts),
		tenant: co.Tenant(), domain: domain, clientID: identity(cfg.Seed, idClient), baseURL: strings.TrimSuffix(cfg.BaseURL, "/"),
		backfill: max(0, cfg.Backfill), pageSize: cfg.PageSize, remoteControl: cfg.RemoteControl,
		key: []byte(identity(cfg.Seed, idKey) + identity(cfg.Seed, idKey+100)), secret: secretNumber(cfg.Seed, 0),
		roles: []string{RoleRead, RoleReadDLP, RoleHealth}, done: map[int]bool{},
		throttle: &throttle{quota: float64(cfg.Quota), pools: map[string]*pool{}},
	}
	s.tally.reset()
	s.feed = &feed{
		seed: cfg.Seed, life: co, events: new(woven), slotLen: slotLen, delay: cfg.Delay,
		jitter: min(time.Second, slotLen/4), most: cfg.MaxRecords, expiry: cfg.Expiry, empty: map[blockKey]*block{},
	}
	s.feed.begin = s.feed.slot(start.Add(-cfg.History))
	s.feed.faults.Store(newFaultSet(nil))
	s.hooks = newHooks(s, cfg.Webhooks)
	if err := s.switchFaults(cfg.Faults, time.Time{}); err != nil {
		return nil, err
	}
	if cfg.Subscribed {
		for _, st := range company.Streams {
			s.subs.begin(st, start, cfg.History, 0)
		}
	}
	return s, nil
}

func (cfg *Config) defaults() {
	if cfg.Speed == 0 {
		cfg.Speed = 1
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		value *time.Duration
		def   time.Duration
	}{{&cfg.Delay, time.Second}, {&cfg.History, 7 * day}, {&cfg.Backfill, 7 * day}, {&cfg.Expiry, 7 * day}} {
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	for _, n := range []struct {
		value *int
		def   int
	}{{&cfg.MaxRecords, 1000}, {&cfg.PageSize, 200}, {&cfg.Quota, 2000}} {
		if *n.value == 0 {
			*n.value = n.def
		}
	}
}

func (cfg *Config) check(slotLen time.Duration) error {
	switch {
	case cfg.Speed < 0 || cfg.Speed > maxSpeed:
		return fmt.Errorf("the speed is %g: want more than 0 and at most %d simulated seconds a second", cfg.Speed, maxSpeed)
	case cfg.Delay < 0 || cfg.Delay > day:
		return fmt.Errorf("the delay is %v: want 0 to 24h", cfg.Delay)
	case cfg.History < 0 || cfg.History > 400*day:
		return fmt.Errorf("the history is %v: want 0 to 400 days", cfg.History)
	case cfg.MaxRecords < 1 || cfg.PageSize < 1 || cfg.Quota < 1:
		return fmt.Errorf("records in a blob, blobs on a page and requests a minute must be above 0")
	case slotLen < time.Second:
		return fmt.Errorf("a slot of %v is too short: want at least 1s", slotLen)
	}
	return nil
}

// Close ends notifications and the answers that faults hold back. The handler
// goes on answering.
func (s *Server) Close() {
	s.close.Do(func() {
		close(s.closed)
		s.hooks.stop()
	})
}

// Now is the simulated time.
func (s *Server) Now() time.Time { return s.clock.Now() }

// Begin is when the company's life begins: no event is older.
func (s *Server) Begin() time.Time { return s.feed.start(s.feed.begin) }

// SetSpeed changes how fast simulated time runs.
func (s *Server) SetSpeed(speed float64) error { return s.clock.change(&speed, nil, nil) }

// Jump moves simulated time forward.
func (s *Server) Jump(by time.Duration) error { return s.clock.change(nil, &by, nil) }

// Pause stops simulated time, or lets it run again.
func (s *Server) Pause(stop bool) { _ = s.clock.change(nil, nil, &stop) } // nothing to refuse

// Credentials are what the collector needs to ask for a token. The secret
// changes with the fault secret-rotation.
func (s *Server) Credentials() (tenant, clientID, secret string) {
	s.catchUp(s.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenant, s.clientID, s.secret
}

// Requests is what was asked of the server since the start or the last
// ResetRequests.
func (s *Server) Requests() Requests { return s.tally.snapshot() }

// ResetRequests begins to count anew.
func (s *Server) ResetRequests() { s.tally.reset() }

// SetRoles changes which application roles new tokens carry.
func (s *Server) SetRoles(roles ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roles = roles
}

func secretNumber(seed uint64, n int) string {
	a, b := record.Hash(seed, idSecret, uint64(n)), record.Hash(seed, idSecret, uint64(n), 1)
	return fmt.Sprintf("sim~%x%x", a[:], b[:4])
}

// Handler answers the API, the token endpoint and the control endpoints.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{tenant}/oauth2/token", s.dated("token", s.handleToken))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.dated("token", s.handleToken))
	for _, root := range []string{"/api/v1.0/{tenant}/activity/feed", "/api/v1/{tenant}/activity/feed"} {
		for _, op := range operations {
			mux.HandleFunc(op.method+" "+root+op.path, s.dated(op.name, s.operation(op)))
		}
	}
	s.controlRoutes(mux)
	mux.HandleFunc("/", s.dated("unknown", func(w http.ResponseWriter, r *http.Request, _ time.Time) { http.NotFound(w, r) }))
	return mux
}

// operation is one row of the API's surface.
type operation struct {
	name, method, path string
	typed              bool // takes a content type
	handle             func(*Server, http.ResponseWriter, *http.Request, call) *refusal
}

var operations = []operation{
	{"start", "POST", "/subscriptions/start", true, (*Server).handleStart},
	{"stop", "POST", "/subscriptions/stop", true, (*Server).handleStop},
	{"list", "GET", "/subscriptions/list", false, (*Server).handleSubscriptions},
	{"content", "GET", "/subscriptions/content", true, (*Server).handleContent},
	{"notifications", "GET", "/subscriptions/notifications", true, (*Server).handleNotifications},
	{"blob", "GET", "/audit/{id}", false, (*Server).handleBlob},
	{"resources", "GET", "/resources/dlpSensitiveTypes", false, (*Server).handleSensitiveTypes},
}

// call is a request that has passed the door.
type call struct {
	op      string
	now     time.Time
	faults  *faultSet
	stream  stream // -1 where the operation has none
	query   url.Values
	key     uint64 // what is asked for
	attempt int    // how often it was asked for before
	method  string
}

// dated is the outermost step of every answer: simulated time, counts.
func (s *Server) dated(op string, next func(http.ResponseWriter, *http.Request, time.Time)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := s.Now()
		s.catchUp(now)
		set := s.feed.faults.Load()
		said := now
		if f := set.active("skew", now); f != nil {
			said = now.Add(f.span)
		}
		if set.active("no-date", now) != nil {
			w.Header()["Date"] = nil
		} else {
			w.Header().Set("Date", said.UTC().Format(http.TimeFormat))
		}
		s.tally.asked(op, r, s.throttle.early(s.clock.wall()))
		next(w, r, now)
	}
}

// operation is the door of the API: token, tenant, throttle, role, in this
// order, then what was asked for.
func (s *Server) operation(op operation) func(http.ResponseWriter, *http.Request, time.Time) {
	return func(w http.ResponseWriter, r *http.Request, now time.Time) {
		c := call{op: op.name, now: now, faults: s.feed.faults.Load(), stream: -1, query: r.URL.Query(), method: r.Method}
		token := s.bearer(r, c.now)
		if token == nil {
			s.tally.refused(op.name, "401")
			s.unauthorized(w)
			return
		}
		c.key = c.identify(r)
		c.attempt = s.attempts.next(c.key)
		refused := s.admit(w, r, &c, token, op)
		if refused == nil {
			var answered bool
			if refused, answered = s.refusedBefore(w, c); answered {
				return
			}
		}
		if refused == nil {
			refused = op.handle(s, w, r, c)
		}
		if refused != nil {
			s.tally.refused(op.name, refused.code)
			refused.write(w)
		}
	}
}

// identify hashes what is asked for. The end of a window is left out, because
// it moves on with every poll while the page stays.
func (c *call) identify(r *http.Request) uint64 {
	h := hash(0, forStrike, uint64(len(c.op)))
	for _, text := range []string{c.op, r.PathValue("id"), ask(c.query, "contentType"), ask(c.query, "startTime"), ask(c.query, "nextPage")} {
		for i := range len(text) {
			h = record.Mix(h, uint64(text[i]))
		}
		h = record.Mix(h, 1<<32)
	}
	return h
}

// admit tells why a call may not be, or nil.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, c *call, token *claims, op operation) *refusal {
	tenant := r.PathValue("tenant")
	publisher := ask(c.query, "PublisherIdentifier")
	if publisher == "" {
		publisher = noPublisher
		s.tally.nobody()
	}
	if _, err := record.ParseGUID(tenant); err != nil {
		return refuse("AF20013", tenant)
	}
	if !strings.EqualFold(tenant, token.Tenant) {
		return refuse("AF20010", tenant, token.Tenant)
	}
	if _, err := record.ParseGUID(publisher); err != nil {
		return refuse("AF20002", "PublisherIdentifier", "guid")
	}
	share := 1.0
	if f := c.faults.active("noisy", c.now); f != nil {
		share = 1 - f.p
	}
	if !s.throttle.spend(strings.ToLower(publisher), s.clock.wall(), s.clock.Speed(), share) {
		return s.throttled(w, *c)
	}
	if op.typed {
		name := ask(c.query, "contentType")
		if name == "" {
			return refuse("AF20001", "contentType")
		}
		st, ok := exactStream(name)
		if !ok {
			return refuse("AF20020")
		}
		c.stream = st
	}
	role := RoleRead
	if c.stream == dlp {
		role = RoleReadDLP
	} else if op.name == "blob" && strings.HasSuffix(r.PathValue("id"), "$DLP_All") {
		role = RoleReadDLP
	}
	if op.name != "list" && !token.has(role) || len(token.Roles) == 0 {
		return refuse("AF10001", strings.Join(token.Roles, " "), role)
	}
	return nil
}

func (c *claims) has(role string) bool {
	for _, r := range c.Roles {
		if r == role {
			return true
		}
	}
	return false
}

// throttled is the refusal of a call beyond the quota.
func (s *Server) throttled(w http.ResponseWriter, c call) *refusal {
	publisher := ask(c.query, "PublisherIdentifier")
	if publisher == "" {
		publisher = noPublisher
	}
	r := refuse("AF429", c.method, publisher)
	if c.faults.active("status-429", c.now) != nil {
		r.status = http.StatusTooManyRequests
	}
	if f := c.faults.active("retry-after", c.now); f != nil {
		w.Header().Set("Retry-After", fmt.Sprint(int(f.span.Seconds())))
		s.throttle.quiet(s.clock.wall().Add(f.span))
	}
	return r
}

func (s *Server) unauthorized(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer authorization_uri="https://login.microsoftonline.com/`+s.tenant+`/oauth2/authorize"`)
	writeJSON(w, http.StatusUnauthorized, map[string]string{"Message": "Authorization has been denied for this request."})
}

// base is what links to this server begin with.
func (s *Server) base(r *http.Request) string {
	if s.baseURL != "" {
		return s.baseURL
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// tokenURLs are the audiences of a client assertion.
func (s *Server) tokenURLs(r *http.Request) []string {
	var list []string
	for _, host := range []string{s.base(r), "https://login.microsoftonline.com", "https://login.microsoftonline.us", "https://login.windows.net"} {
		for _, tenant := range []string{s.tenant, r.PathValue("tenant")} {
			list = append(list, host+"/"+tenant+"/oauth2/token", host+"/"+tenant+"/oauth2/v2.0/token", host+"/"+tenant+"/v2.0")
		}
	}
	return list
}

// switchFaults switches faults on from a moment on.
func (s *Server) switchFaults(list string, from time.Time) error {
	rules, err := parseFaults(list)
	if err != nil {
		return err
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	set, err := s.feed.faults.Load().with(rules, from, s.start, s.feed.slot)
	if err != nil {
		return err
	}
	s.feed.faults.Store(set)
	return nil
}

// AddFaults switches faults on, from now on: what was offered stays as it was.
func (s *Server) AddFaults(list string) error { return s.switchFaults(list, s.Now()) }

// ClearFaults switches faults off by their names; all of them without a name.
func (s *Server) ClearFaults(names ...string) error {
	for _, n := range names {
		if faultNamed(n) == nil {
			return fmt.Errorf("there is no fault %q: --faults help lists them", n)
		}
	}
	if len(names) == 0 {
		for i := range faults {
			names = append(names, faults[i].name)
		}
	}
	s.switching.Lock()
	defer s.switching.Unlock()
	s.feed.faults.Store(s.feed.faults.Load().without(names, s.Now(), s.feed.slot))
	return nil
}

// catchUp does what was to happen by now: acts of scenarios, and faults that
// happen once.
func (s *Server) catchUp(now time.Time) {
	s.feed.play(now)
	for _, r := range s.feed.faults.Load().rules {
		if r.scope != once || !r.on(now) {
			continue
		}
		s.mu.Lock()
		was := s.done[r.number]
		s.done[r.number] = true
		s.mu.Unlock()
		if !was {
			s.happen(r, now)
		}
	}
}

func (s *Server) happen(r *rule, now time.Time) {
	at := r.from
	if at.IsZero() {
		at = s.start
	}
	switch r.name {
	case "disable":
		for _, st := range company.Streams {
			if r.streams.has(st) {
				s.subs.end(st, at, "a tenant admin")
			}
		}
	case "secret-rotation":
		s.mu.Lock()
		s.oldSecrets = append(s.oldSecrets, s.secret)
		s.secret = secretNumber(s.seed, len(s.oldSecrets))
		secret, tell := s.secret, s.onSecret
		s.mu.Unlock()
		if tell != nil {
			tell(secret)
		}
	case "revoke-tokens":
		s.mu.Lock()
		s.revoked = now
		s.mu.Unlock()
	}
}

// OnSecret calls f with each secret that replaces another.
func (s *Server) OnSecret(f func(secret string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSecret = f
}

// loopback tells whether a request comes from this machine.
func loopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
