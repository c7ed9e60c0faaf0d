// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/push"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

// receivers are the addresses at which others send records, one for each [[receive]]. Each is supervised as a source is.
type receivers struct {
	n      *Node
	ctx    context.Context // ends all of them
	cancel context.CancelFunc

	records, bytes, refused *prometheus.CounterVec

	mu      sync.Mutex
	running []*receiver // in the order of the configuration
}

// receiver is one of them.
type receiver struct {
	config config.Receive
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	state   string
	trouble string
	addr    string
	sum     [sha256.Size]byte // of the token that counts
}

func newReceivers(n *Node) *receivers {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "daybreak_receiver_" + name, Help: help}, append([]string{"receiver"}, labels...))
	}
	s := &receivers{
		n:       n,
		records: counter("records_total", "Records that were sent to a receiver and are durable, those that were sent again included."),
		bytes:   counter("bytes_total", "Bytes of these records."),
		refused: counter("refused_total", "Requests that a receiver refused, by why.", "reason"),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func (s *receivers) register(r *prometheus.Registry) { r.MustRegister(s.records, s.bytes, s.refused) }

// configure starts, stops and starts anew what has changed. It is for one goroutine at a time.
func (s *receivers) configure(list []config.Receive) {
	if s.ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	before := s.running
	s.mu.Unlock()
	var stay, gone, after []*receiver
	for _, old := range before {
		i := slices.IndexFunc(list, func(c config.Receive) bool { return c.Name == old.config.Name })
		if i >= 0 && reflect.DeepEqual(list[i], old.config) && old.current() {
			stay = append(stay, old)
		} else {
			gone = append(gone, old)
		}
	}
	for _, old := range gone {
		old.cancel()
	}
	for _, old := range gone { // the address may be another's now
		<-old.done
	}
	for _, c := range list {
		if i := slices.IndexFunc(stay, func(o *receiver) bool { return o.config.Name == c.Name }); i >= 0 {
			after = append(after, stay[i])
		} else {
			after = append(after, s.start(c))
		}
	}
	s.mu.Lock()
	s.running = after
	s.mu.Unlock()
}

func (s *receivers) start(c config.Receive) *receiver {
	ctx, cancel := context.WithCancel(s.ctx)
	r := &receiver{config: c, cancel: cancel, done: make(chan struct{}), state: Starting}
	go func() {
		defer close(r.done)
		s.supervise(ctx, r)
		r.set(Stopped, "", "")
	}()
	return r
}

// supervise runs a receiver until ctx ends. The same trouble is an act once.
func (s *receivers) supervise(ctx context.Context, r *receiver) {
	log := s.n.log.With("receiver", r.config.Name)
	acts := act.NewWriter(s.n.journal, r.config.Name, r.config.Tenant)
	told := ""
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.run(ctx, r, acts)
		if ctx.Err() != nil || s.n.journal.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("the receiver has ended by itself")
		}
		r.set(Failing, err.Error(), "")
		log.Error("nothing can be sent to a receiver; it is tried again", "err", err, "in", pause)
		if err.Error() != told {
			told = err.Error()
			a := act.Act{Kind: act.Alarm, Reason: "receiver", Message: "nothing can be sent to the receiver: " + told}
			if _, err := acts.Write(ctx, a); err != nil && ctx.Err() == nil {
				log.Error("an act was not written", "err", err)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// run takes the address and serves it once.
func (s *receivers) run(ctx context.Context, r *receiver, acts *act.Writer) error {
	o, err := ReceiverOptions(ctx, &r.config)
	if err != nil {
		return err
	}
	name := r.config.Name
	o.Journal, o.Acts, o.Log = s.n.journal, acts, s.n.log.With("receiver", name)
	o.Taken = func(records, bytes int) {
		s.records.WithLabelValues(name).Add(float64(records))
		s.bytes.WithLabelValues(name).Add(float64(bytes))
	}
	o.Refused = func(reason string) { s.refused.WithLabelValues(name, reason).Inc() }
	rec, err := push.Open(o)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.sum = sha256.Sum256([]byte(o.Token.Reveal()))
	r.mu.Unlock()
	r.set(Running, "", rec.Addr().String())
	o.Log.Info("records can be sent", "type", r.config.Type, "address", rec.Addr().String(), "tls", o.TLS != nil)
	return rec.Run(ctx)
}

// ReceiverOptions reads what a receiver's block names: the token, certificates, the family.
func ReceiverOptions(ctx context.Context, c *config.Receive) (push.Options, error) {
	o := push.Options{Name: c.Name, Tenant: c.Tenant, Kind: push.Kind(c.Type), Family: event.Family(c.Family), Listen: c.Listen}
	if _, ok := normalize.Lookup(o.Family); !ok {
		return o, fmt.Errorf("family is %q: want one of %s", c.Family, SourceNames())
	}
	o.Identify = func() push.Identify { return identifyPushed(o.Family) }
	if c.Token != "" {
		token, err := readToken(ctx, c)
		if err != nil {
			return o, fmt.Errorf("token: %w", err)
		}
		o.Token = token
	}
	if c.TLSCert == "" {
		return o, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return o, fmt.Errorf("tls_cert and tls_key cannot be used: %w", err)
	}
	o.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	if c.ClientCA != "" {
		text, err := os.ReadFile(c.ClientCA)
		if err != nil {
			return o, fmt.Errorf("client_ca: %w", err)
		}
		o.TLS.ClientCAs = x509.NewCertPool()
		if !o.TLS.ClientCAs.AppendCertsFromPEM(text) {
			return o, fmt.Errorf("client_ca: %s holds no certificate in PEM", c.ClientCA)
		}
		o.TLS.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return o, nil
}

func readToken(ctx context.Context, c *config.Receive) (credential.Secret, error) {
	ref, err := c.Token.Reference()
	if err != nil {
		return credential.Secret{}, err
	}
	token, err := ref.Read(ctx)
	if err == nil && len(token.Reveal()) < push.MinToken {
		err = fmt.Errorf("secret %s: has fewer than %d characters, which can be guessed", c.Token, push.MinToken)
	}
	return token, err
}

// current reports whether the token is still the one that was read. One that cannot be read now is not a reason to let go of it.
func (r *receiver) current() bool {
	if r.config.Token == "" {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	token, err := readToken(ctx, &r.config)
	sum := sha256.Sum256([]byte(token.Reveal()))
	r.mu.Lock()
	defer r.mu.Unlock()
	return err != nil || r.state != Running || subtle.ConstantTimeCompare(sum[:], r.sum[:]) == 1
}

// identifyPushed reads the id and the time of records of a family. A record is an object of JSON.
func identifyPushed(family event.Family) push.Identify {
	source, _ := normalize.Lookup(family)
	var tape jsontape.Tape
	return func(raw []byte) ([]byte, int64, bool) {
		if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
			return nil, 0, false
		}
		known := source.Identify(tape.Root())
		return known.ID, known.Time, true
	}
}

func (r *receiver) set(state, trouble, addr string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state, r.trouble, r.addr = state, trouble, addr
}

// stop ends all receivers, before the journal is closed: what is under way is answered first.
func (s *receivers) stop() {
	s.cancel()
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	deadline := time.After(2 * stopTime)
	for _, r := range running {
		select {
		case <-r.done:
		case <-deadline:
			s.n.log.Warn("receiver has not ended in time; who was not answered sends again", "receiver", r.config.Name)
			return
		}
	}
}

// ReceiverStatus is what a receiver says of itself.
type ReceiverStatus struct {
	Name, Type, Tenant string
	State              string
	Trouble            string // why it is failing, in a sentence; empty if it is not
	Address            string // where it listens; empty if it does not
}

// Receivers returns the state of each receiver, in the order of the configuration.
func (n *Node) Receivers() []ReceiverStatus {
	n.receivers.mu.Lock()
	list := n.receivers.running
	n.receivers.mu.Unlock()
	out := make([]ReceiverStatus, len(list))
	for i, r := range list {
		r.mu.Lock()
		out[i] = ReceiverStatus{r.config.Name, r.config.Type, r.config.Tenant, r.state, r.trouble, r.addr}
		r.mu.Unlock()
	}
	return out
}
