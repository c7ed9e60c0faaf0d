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
	"net/http"
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
	signIns    []directory.Token
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
	if app, err := record.ParseGUID(s.clientID); err == nil {
		s.directory.Join(app)
	}
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
