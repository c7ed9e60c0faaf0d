// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

// collector is what a source runs: collect/m365, and stand-ins in tests.
type collector interface {
	// Run collects until ctx ends, and returns an error if it cannot go on.
	Run(ctx context.Context) error
	// Wake says that a stream may have something new.
	Wake(stream string)
	// Status returns the state of each stream.
	Status() []StreamStatus
	// Provider returns what is known of the other side.
	Provider() ProviderStatus
}

// sources are the collectors of this process. Each is supervised: one that ends
// is started again, after a while that grows, and says why in its status, in the log
// and as an act in the journal. None of them holds up another.
type sources struct {
	n       *Node
	budgets budget.Set
	metrics *sourceMetrics
	adjust  Adjust

	nobody    *hook   // whose AuthID nobody knows
	strangers *bucket // for those who do not know the one they need
	// build makes the collector of a source, and pause is the first wait after it
	// has failed; tests have their own.
	build func(config.Source, *act.Writer, webhook) (collector, error)
	pause time.Duration

	ctx    context.Context // ends all of them
	cancel context.CancelFunc

	mu      sync.Mutex
	started bool
	running []*source // in the order of the configuration
}

// source is one of them.
type source struct {
	config config.Source
	acts   *act.Writer
	log    *slog.Logger
	ctx    context.Context // ends it
	cancel context.CancelFunc
	done   chan struct{}
	hook   *hook // nil without a webhook

	mu        sync.Mutex
	state     string
	since     time.Time // of the state
	trouble   string    // why it is failing
	told      string    // the trouble that an act tells of
	restarts  int
	expires   time.Time // of the credential
	collector collector // nil as long as it cannot be made
}

// The states of a source.
const (
	Starting = "starting"
	Running  = "running"
	Failing  = "failing" // it could not be started or has ended, and is tried again
	Stopped  = "stopped"
)

const (
	firstPause = time.Second
	lastPause  = 5 * time.Minute
	// goodRun is how long a collector must have run for its end to be a new
	// trouble and not the old one.
	goodRun = 10 * time.Minute
	// stopTime is how long sources may take to end. They have nothing to lose:
	// what is not in the journal is fetched again.
	stopTime = 10 * time.Second
	// expiryEvery is how often the end of a credential is looked at.
	expiryEvery = time.Hour
)

func newSources(n *Node) *sources {
	s := &sources{
		n: n, metrics: newSourceMetrics(),
		nobody: newHook(new(config.Webhook)), strangers: newBucket(strangerRate, strangerBurst),
	}
	s.build, s.pause = s.ofType, firstPause
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// ofType makes the collector of a source by its type.
func (s *sources) ofType(c config.Source, acts *act.Writer, hook webhook) (collector, error) {
	switch c.Type {
	case "canary":
		return s.canary(c, acts, hook)
	case "controls", "github-controls", "okta-controls":
		return s.controls(c, acts, hook)
	case "entra":
		return s.entra(c, acts, hook)
	case "audit-query":
		return s.auditQuery(c, acts, hook)
	case "okta":
		return s.okta(c, acts, hook)
	case "google":
		return s.google(c, acts, hook)
	case "github":
		return s.github(c, acts, hook)
	case "slack":
		return s.slack(c, acts, hook)
	case "cloudtrail", "s3":
		if err := CheckSource(c.Format); err != nil {
			return nil, fmt.Errorf("format: %w", err)
		}
		return s.bucket(c, acts, hook)
	case "files":
		if err := CheckSource(c.Format); err != nil {
			return nil, fmt.Errorf("format: %w", err)
		}
		return s.files(c, acts, hook)
	case "eventhubs", "kafka":
		return s.kafka(c, acts, hook)
	}
	return s.m365(c, acts, hook)
}

// Collect starts the sources of the configuration. It returns at once.
func (n *Node) Collect(ctx context.Context) {
	n.configuring.Lock()
	defer n.configuring.Unlock()
	c := n.live.Load().config
	n.declare(ctx, &c)
	n.sources.mu.Lock()
	n.sources.started = true
	n.sources.mu.Unlock()
	n.sources.configure(c.Sources)
	n.receivers.configure(c.Receive)
}

// configure starts, stops and starts anew what has changed. It is for one
// goroutine at a time.
func (s *sources) configure(list []config.Source) {
	s.mu.Lock()
	before, started := s.running, s.started
	s.mu.Unlock()
	if !started || s.ctx.Err() != nil {
		return
	}
	var stay, gone, after []*source
	for _, old := range before {
		i := slices.IndexFunc(list, func(c config.Source) bool { return c.Name == old.config.Name })
		if i >= 0 && reflect.DeepEqual(list[i], old.config) && old.hook.current() {
			stay = append(stay, old)
		} else {
			gone = append(gone, old)
		}
	}
	for _, old := range gone {
		old.cancel()
	}
	for _, old := range gone { // two collectors of one name would share a cursor
		<-old.done
	}
	var fresh []*source
	for _, c := range list {
		i := slices.IndexFunc(stay, func(o *source) bool { return o.config.Name == c.Name })
		if i >= 0 {
			after = append(after, stay[i])
			continue
		}
		src := s.source(c)
		fresh, after = append(fresh, src), append(after, src)
	}
	s.mu.Lock()
	s.running = after
	s.mu.Unlock()
	for _, src := range fresh { // which batches are shown to, from before they look at the journal
		s.start(src)
	}
}

// source makes one that does not run yet.
func (s *sources) source(c config.Source) *source {
	ctx, cancel := context.WithCancel(s.ctx)
	src := &source{
		ctx:    ctx,
		config: c, acts: act.NewWriter(s.n.journal, c.Name, c.Tenant), cancel: cancel, done: make(chan struct{}),
		log: s.n.log.With("source", c.Name), state: Starting, since: time.Now(),
	}
	if c.Webhook != nil {
		src.hook = newHook(c.Webhook)
	}
	return src
}

func (s *sources) start(src *source) {
	go func() {
		defer close(src.done)
		var watch sync.WaitGroup
		watch.Go(func() { src.watchExpiry(src.ctx) })
		s.supervise(src.ctx, src)
		watch.Wait()
		src.set(Stopped, "")
	}()
}

// supervise runs a source until ctx ends.
func (s *sources) supervise(ctx context.Context, src *source) {
	pause := s.pause
	for {
		began := time.Now()
		err := s.run(ctx, src)
		if ctx.Err() != nil || s.n.journal.Err() != nil {
			return
		}
		if time.Since(began) > goodRun {
			pause = s.pause
			src.forget()
		}
		wait := time.Duration((0.5 + rand.Float64()/2) * float64(pause))
		pause = min(2*pause, lastPause)
		src.failed(ctx, err, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// run makes the collector and runs it once.
func (s *sources) run(ctx context.Context, src *source) error {
	hook, err := src.hook.read(ctx)
	if err != nil {
		return err
	}
	c, err := s.build(src.config, src.acts, hook)
	if err != nil {
		return err
	}
	src.mu.Lock()
	src.collector = c
	src.mu.Unlock()
	src.set(Running, "")
	src.log.Info("source is collected", "tenant", src.config.Tenant, "streams", src.config.Streams)
	err = c.Run(ctx)
	if err == nil && ctx.Err() == nil {
		err = errors.New("the collector has ended by itself")
	}
	return err
}

func (src *source) set(state, trouble string) {
	src.mu.Lock()
	defer src.mu.Unlock()
	if state != src.state {
		src.since = time.Now()
	}
	src.state, src.trouble = state, trouble
}

// failed says why a source does not run; the same trouble is an act once.
func (src *source) failed(ctx context.Context, err error, wait time.Duration) {
	src.mu.Lock()
	same := src.told == err.Error()
	src.told = err.Error()
	src.restarts++
	src.mu.Unlock()
	src.set(Failing, err.Error())
	src.log.Error("source is not collected; it is tried again", "err", err, "in", wait.Round(time.Millisecond))
	if !same {
		src.alarm(ctx, "source", fmt.Sprintf("the source is not collected: %v", err))
	}
}

// forget makes the next trouble a new one.
func (src *source) forget() {
	src.mu.Lock()
	defer src.mu.Unlock()
	src.told = ""
}

// alarm writes an act that a person should see.
func (src *source) alarm(ctx context.Context, reason, message string) {
	if _, err := src.acts.Write(ctx, act.Act{Kind: act.Alarm, Reason: reason, Message: message}); err != nil && ctx.Err() == nil {
		src.log.Error("an act was not written", "err", err)
	}
}

// watchExpiry looks now and then when the credential ends, and says so 30, 14 and
// 3 days before.
func (src *source) watchExpiry(ctx context.Context) {
	cred, err := CredentialOf(&src.config)
	if err != nil || cred.Kind() != "certificate" {
		return // what ends when is not known
	}
	last := -1
	for {
		if expires, err := cred.Expires(ctx); err == nil {
			src.mu.Lock()
			src.expires = expires
			src.mu.Unlock()
			days, say := credential.Warning(expires, time.Now())
			switch {
			case !say:
				last = -1
			case days != last:
				last = days
				message := expiryMessage(expires, time.Now())
				src.log.Warn(message)
				src.alarm(ctx, "credential", message)
			}
		}
		select {
		case <-time.After(expiryEvery):
		case <-ctx.Done():
			return
		}
	}
}

func expiryMessage(expires, now time.Time) string {
	date := expires.UTC().Format(time.DateOnly)
	if !now.Before(expires) {
		return fmt.Sprintf("the certificate has expired on %s: upload a new one to the application and put it in the old one's place", date)
	}
	return fmt.Sprintf("the certificate expires on %s, in %d days: upload a new one to the application and put it in the old one's place", date, int(expires.Sub(now).Hours()/24))
}

// stop ends all sources. It is called before the journal is closed.
func (s *sources) stop() {
	s.cancel()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	deadline := time.After(stopTime)
	for _, src := range running {
		select {
		case <-src.done:
		case <-deadline:
			src.log.Warn("source has not ended in time; what it was fetching is fetched again at the next start")
			return
		}
	}
}

// begun reports whether collecting was asked for.
func (s *sources) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.started
}

// all returns the sources in their order.
func (s *sources) all() []*source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// SourceStatus is what a source says of itself.
type SourceStatus struct {
	Name, Type, Tenant string
	State              string
	Since              time.Time // of the state
	Trouble            string    // why it is failing, in a sentence; empty if it is not
	Restarts           int
	Credential         string    // what it is and where, without it
	Expires            time.Time // of the credential; zero if that is not known
	Provider           ProviderStatus
	Streams            []StreamStatus
}

// ProviderStatus is what is known of the other side.
type ProviderStatus struct {
	Skew         time.Duration // how far its clock is ahead of ours
	Heard        bool          // the API has answered
	TokenExpires time.Time     // of the access token, by our clock; zero if there is none, or it does not end
	Budget       budget.Status
}

// Sources returns the state of each source, in the order of the configuration.
func (n *Node) Sources() []SourceStatus {
	list := n.sources.all()
	out := make([]SourceStatus, len(list))
	for i, src := range list {
		out[i] = src.status()
	}
	return out
}

func (src *source) status() SourceStatus {
	key, ref := src.config.Credential()
	src.mu.Lock()
	st := SourceStatus{
		Name: src.config.Name, Type: src.config.Type, Tenant: src.config.Tenant, State: src.state, Since: src.since,
		Trouble: src.trouble, Restarts: src.restarts, Credential: key + " " + ref.String(), Expires: src.expires,
	}
	c := src.collector
	src.mu.Unlock()
	if c != nil {
		st.Streams, st.Provider = c.Status(), c.Provider()
		slices.SortFunc(st.Streams, func(a, b StreamStatus) int { return cmp.Compare(a.Stream, b.Stream) })
	}
	return st
}
