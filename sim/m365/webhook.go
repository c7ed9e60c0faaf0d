// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// How notifications behave. The service documents no numbers but says: the
// array is small, the time between attempts grows exponentially, and a webhook
// that goes on failing is disabled.
const (
	notifyMost     = 50 // blobs in a notification
	notifyEvery    = 250 * time.Millisecond
	notifyTimeout  = 10 * time.Second
	firstRetry     = 500 * time.Millisecond
	mostFailures   = 8    // in a row, until the webhook is disabled
	mostNotified   = 1000 // remembered for each stream
	validationText = "The endpoint did not return HTTP 200."
)

// hook is a webhook as a subscription has it.
type hook struct {
	address, authID string
	expires         time.Time // zero: never
	base            string    // what the links of its notifications begin with
	disabled        bool
}

func (h *hook) same(o *hook) bool {
	if h == nil || o == nil {
		return h == o
	}
	return h.address == o.address && h.authID == o.authID && h.expires.Equal(o.expires) && !h.disabled
}

func (h *hook) status(now time.Time) string {
	switch {
	case h.disabled:
		return "disabled"
	case !h.expires.IsZero() && !now.Before(h.expires):
		return "expired"
	}
	return "enabled"
}

func (h *hook) show(now time.Time) *hookJSON {
	j := &hookJSON{Status: h.status(now), Address: h.address, AuthID: h.authID}
	if !h.expires.IsZero() {
		t := h.expires.Format("2006-01-02T15:04:05Z")
		j.Expiration = &t
	}
	return j
}

// hooks sends notifications, one goroutine for each stream that has a webhook.
type hooks struct {
	server *Server
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup
	retry  time.Duration // before the second attempt

	mu           sync.Mutex
	sent         [streams][]notified
	stopWatching [streams]context.CancelFunc
}

// notified is one attempt to tell about one blob.
type notified struct {
	offer  offer
	at     int64
	status string
}

func newHooks(s *Server, transport http.RoundTripper) *hooks {
	h := &hooks{server: s, retry: firstRetry, client: &http.Client{
		Transport: transport, Timeout: notifyTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

func (h *hooks) stop() {
	h.cancel()
	h.wait.Wait()
}

// validate makes the test call that a webhook must answer with 200. The
// service wants HTTPS; here loopback may have plain HTTP, as everywhere.
func (h *hooks) validate(ctx context.Context, to *hook) *refusal {
	u, err := url.Parse(to.address)
	if err != nil || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return refuse("AF20021", to.address, "The address must begin with HTTPS.")
	}
	code := record.Hash(h.server.seed, uint64(forIdentity), h.server.serial.Add(1), 1).String()
	body, _ := json.Marshal(map[string]string{"validationCode": code}) // a map of strings is JSON
	if !h.post(ctx, to, body, code) {
		return refuse("AF20021", to.address, validationText)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// post tells whether the webhook answered 200.
func (h *hooks) post(ctx context.Context, to *hook, body []byte, code string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.address, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	if to.authID != "" {
		req.Header.Set("Webhook-AuthID", to.authID)
	}
	if code != "" {
		req.Header.Set("Webhook-ValidationCode", code)
	}
	resp, err := h.client.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// watch begins to notify, in place of what notified the stream before.
func (h *hooks) watch(s stream, to *hook, from time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return
	}
	if stop := h.stopWatching[s]; stop != nil {
		stop()
	}
	ctx, cancel := context.WithCancel(h.ctx)
	h.stopWatching[s] = cancel
	h.wait.Add(1)
	go func() {
		defer h.wait.Done()
		defer cancel()
		h.run(ctx, s, to, from.UnixMilli())
	}()
}

// run notifies about what was created since a moment, until the webhook is
// another one or has failed for too long. A blob that becomes visible later
// than its contentCreated says is never told: a webhook is a hint.
func (h *hooks) run(ctx context.Context, s stream, to *hook, since int64) {
	tick := time.NewTicker(notifyEvery)
	defer tick.Stop()
	failures, retry := 0, h.retry
	for {
		now := h.server.Now()
		h.server.catchUp(now)
		if !h.current(s, to, now) {
			return
		}
		list := h.fresh(s, since, now.UnixMilli())
		if len(list) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			continue
		}
		if h.notify(ctx, s, to, list) {
			since = list[len(list)-1].created + 1
			failures, retry = 0, h.retry
			continue
		}
		if failures++; failures >= mostFailures {
			h.disable(to)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(retry):
		}
		retry *= 2
	}
}

func (h *hooks) current(s stream, to *hook, now time.Time) bool {
	h.server.subs.mu.Lock()
	defer h.server.subs.mu.Unlock()
	return h.server.subs.list[s].hook == to && to.status(now) == "enabled"
}

func (h *hooks) disable(to *hook) {
	h.server.subs.mu.Lock()
	defer h.server.subs.mu.Unlock()
	to.disabled = true
	h.server.log.Warn("webhook disabled after too many failures", "address", to.address)
}

// fresh is the next blobs to tell about. Blobs of one millisecond stay together.
func (h *hooks) fresh(s stream, since, now int64) []offer {
	f := h.server.feed
	p := f.list(s, h.server.subs.of(s), window{since, now + 1}, nil, notifyMost, now)
	list := p.offers
	if p.next != nil {
		for n := len(list) - 1; n > 0; n-- {
			if list[n].created != list[n-1].created {
				return list[:n]
			}
		}
	}
	return list
}

func (h *hooks) notify(ctx context.Context, s stream, to *hook, list []offer) bool {
	type notification struct {
		TenantID string `json:"tenantId"`
		ClientID string `json:"clientId"`
		contentJSON
	}
	body := make([]notification, len(list))
	for i := range list {
		body[i] = notification{h.server.tenant, h.server.clientID, h.server.contentJSON(&list[i], to.base)}
	}
	b, err := json.Marshal(body)
	if err != nil {
		panic("m365: a notification that is no JSON: " + err.Error())
	}
	ok := h.post(ctx, to, b, "")
	if ctx.Err() != nil {
		return ok
	}
	status := map[bool]string{true: "success", false: "failed"}[ok]
	at := h.server.Now().UnixMilli()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, o := range list {
		h.sent[s] = append(h.sent[s], notified{o, at, status})
	}
	if extra := len(h.sent[s]) - mostNotified; extra > 0 {
		h.sent[s] = append(h.sent[s][:0], h.sent[s][extra:]...)
	}
	return ok
}

// handleNotifications lists attempts to notify.
func (s *Server) handleNotifications(w http.ResponseWriter, r *http.Request, c call) *refusal {
	if refused := s.subs.missing(c.stream); refused != nil {
		return refused
	}
	win, times, refused := c.window()
	if refused != nil {
		return refused
	}
	skip := 0
	if token := ask(c.query, "nextPage"); token != "" {
		at, ok := s.feed.parsePage(token, c.stream, times, c.now)
		if !ok {
			return refuse("AF20031", token)
		}
		skip = int(at.position)
	}
	type notificationJSON struct {
		contentJSON
		Sent   string `json:"notificationSent"`
		Status string `json:"notificationStatus"`
	}
	list := []notificationJSON{}
	base, n := s.base(r), 0
	s.hooks.mu.Lock()
	for _, sent := range s.hooks.sent[c.stream] {
		if sent.offer.created < win.from || sent.offer.created >= win.to {
			continue
		}
		if n++; n > skip && len(list) < s.pageSize {
			list = append(list, notificationJSON{s.contentJSON(&sent.offer, base), stamp(sent.at), sent.status})
		}
	}
	s.hooks.mu.Unlock()
	if n > skip+len(list) {
		s.linkPage(w, c, base, times, cursor{int64(skip + len(list)), 0})
	}
	s.answer(w, r, c, list)
	return nil
}
