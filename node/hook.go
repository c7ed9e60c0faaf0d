// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/google"
)

// The ways in which a hint is refused.
var (
	ErrHookDenied = errors.New("no webhook of this address and AuthID")
	ErrHookBusy   = errors.New("too many announcements: try again later")
	// ErrHookEnded is an ErrHookDenied, and says no more to who asks: the word is right, and the channel not open any more.
	ErrHookEnded = fmt.Errorf("%w", ErrHookDenied)
)

const (
	minAuthID, maxAuthID = 16, google.MaxToken
	// The provider sends a handful of announcements a second for a very large
	// tenant, and its retries after an outage come at once.
	hookRate, hookBurst = 50, 500
	// Who does not know the AuthID is answered so often, all together.
	strangerRate, strangerBurst = 10, 50
)

// webhook is where the provider is to send hints; without an address nowhere.
type webhook struct {
	address string
	authID  credential.Secret
}

// hook lets the hints of one source in. A nil hook lets in none.
type hook struct {
	config config.Webhook
	limit  *bucket

	mu  sync.Mutex
	sum [sha256.Size]byte // of the AuthID; random until it was read
}

func newHook(c *config.Webhook) *hook {
	h := &hook{config: *c, limit: newBucket(hookRate, hookBurst)}
	rand.Read(h.sum[:])
	return h
}

// read fetches the AuthID anew.
func (h *hook) read(ctx context.Context) (webhook, error) {
	if h == nil {
		return webhook{}, nil
	}
	id, err := h.fetch(ctx)
	if err != nil {
		return webhook{}, fmt.Errorf("webhook.auth_id: %w", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sum = sha256.Sum256([]byte(id.Reveal()))
	return webhook{h.config.URL, id}, nil
}

func (h *hook) fetch(ctx context.Context) (credential.Secret, error) {
	ref, err := h.config.AuthID.Reference()
	if err != nil {
		return credential.Secret{}, err
	}
	id, err := ref.Read(ctx)
	if err == nil && len(id.Reveal()) < minAuthID {
		err = fmt.Errorf("secret %s: has fewer than %d characters, which can be guessed", h.config.AuthID, minAuthID)
	}
	if err == nil && len(id.Reveal()) > maxAuthID {
		err = fmt.Errorf("secret %s: has more than %d characters, which not every provider takes", h.config.AuthID, maxAuthID)
	}
	return id, err
}

// current reports whether the AuthID is still the one that was read. One that
// cannot be read now is not a reason to let go of it.
func (h *hook) current() bool {
	if h == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	id, err := h.fetch(ctx)
	return err != nil || h.knows(id.Reveal())
}

// knows compares in a time that tells nothing of the AuthID.
func (h *hook) knows(authID string) bool {
	got := sha256.Sum256([]byte(authID))
	h.mu.Lock()
	defer h.mu.Unlock()
	return subtle.ConstantTimeCompare(got[:], h.sum[:]) == 1
}

// Hint lets in what a webhook of the Management Activity API was sent for a source. The tenant is the one that it
// must be about; wake tells the collector that a stream may have something new, and
// does nothing for a stream that is not collected.
func (n *Node) Hint(name, authID string) (tenant string, wake func(stream string), err error) {
	src, err := n.admit("m365", name, authID)
	if err != nil {
		return "", nil, err
	}
	return src.config.Tenant, src.wake, nil
}

// HintChannel lets in what was sent over a channel of Google's for a source, whose token comes with it. A channel that is not
// open, because it was another run's or has ended, is refused as a wrong token is.
func (n *Node) HintChannel(name, token, channel string) (wake func(), err error) {
	src, err := n.admit("google", name, token)
	if err != nil {
		return nil, err
	}
	src.mu.Lock()
	c, _ := src.collector.(interface {
		Channel(id string) (string, bool)
	})
	src.mu.Unlock()
	if c == nil {
		return nil, ErrHookEnded
	}
	stream, ok := c.Channel(channel)
	if !ok {
		return nil, ErrHookEnded
	}
	return func() { src.wake(stream) }, nil
}

// admit finds the source of a type whose AuthID somebody knows.
func (n *Node) admit(typ, name, authID string) (*source, error) {
	src := n.sources.lookup(name)
	h := n.sources.nobody
	if src != nil && src.hook != nil && src.config.Type == typ {
		h = src.hook
	}
	switch {
	case !h.knows(authID) || h == n.sources.nobody:
		if !n.sources.strangers.take(time.Now()) {
			return nil, ErrHookBusy
		}
		return nil, ErrHookDenied
	case !h.limit.take(time.Now()):
		return nil, ErrHookBusy
	}
	return src, nil
}

func (s *sources) lookup(name string) *source {
	for _, src := range s.all() {
		if src.config.Name == name {
			return src
		}
	}
	return nil
}

func (src *source) wake(stream string) {
	src.mu.Lock()
	c := src.collector
	src.mu.Unlock()
	if c != nil && slices.Contains(src.config.Streams, stream) {
		c.Wake(stream)
	}
}

// CountHook counts what became of a request to a webhook. A source that is not
// configured has no name here: strangers must not make up metrics.
func (n *Node) CountHook(source, result string) {
	if n.sources.lookup(source) == nil {
		source = ""
	}
	n.sources.metrics.hooks.WithLabelValues(source, result).Inc()
}

// bucket lets through so many a second, and more at once after a rest.
type bucket struct {
	rate, burst float64

	mu   sync.Mutex
	have float64
	at   time.Time
}

func newBucket(rate, burst float64) *bucket { return &bucket{rate: rate, burst: burst, have: burst} }

func (b *bucket) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.have = min(b.burst, b.have+b.rate*max(0, now.Sub(b.at).Seconds()))
	b.at = now
	if b.have < 1 {
		return false
	}
	b.have--
	return true
}

// CheckWebhook says why a webhook's settings cannot be used.
func CheckWebhook(ctx context.Context, c *config.Webhook) error {
	_, err := newHook(c).read(ctx)
	return err
}
