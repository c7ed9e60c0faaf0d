// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
	"github.com/daybreak-sec/daybreak/sim/service"
)

// Push are the faults of notifications: one of so many is not sent, is sent twice, or is sent after Tardy of real time; and beside
// one of so many a stranger sends another one, with a token or a channel of his own. 0: none.
type Push struct {
	Lose, Repeat, Late, Forge int
	Tardy                     time.Duration
}

// watched are the applications that can be watched
// (googleapis/google-api-go-client:admin/reports/v1/admin-api.json, pattern of activities.watch).
var watched = strings.Fields(`access_transparency admin calendar chat chrome classroom context_aware_access data_studio drive gcp gplus groups
	groups_enterprise jamboard keep login meet mobile rules saml token user_accounts`)

const (
	channelLife = 6 * time.Hour // simulated
	notifyEvery = 100 * time.Millisecond
	notifyTime  = 5 * time.Second
	// notifyBack is how long after an activity happened it is still told of, in simulated time: what is shown later is not.
	notifyBack = time.Hour
)

// channel is one that is open.
type channel struct {
	id, token, address, application, resource string
	begun, ends                               time.Time
	told                                      map[record.GUID]bool
	number                                    int // of the messages that were made
}

// channels sends notifications.
type channels struct {
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	wait   sync.WaitGroup

	mu      sync.Mutex
	list    map[string]*channel
	used    map[string]bool // ids that were ever there
	running bool
	made    int // notifications, sent or not
	tally   map[string]int
}

func newChannels() *channels {
	c := &channels{client: &http.Client{Timeout: notifyTime}, list: map[string]*channel{}, used: map[string]bool{}, tally: map[string]int{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// Close ends all channels.
func (s *Server) Close() {
	s.push.cancel()
	s.push.wait.Wait()
}

// Channels are the ids of the open channels by application, and Pushed what became of notifications: "sent", "lost", "repeated",
// "late", "forged", and "refused" for those that were not answered with success.
func (s *Server) Channels() map[string][]string {
	s.push.mu.Lock()
	defer s.push.mu.Unlock()
	open := map[string][]string{}
	for _, ch := range s.push.list {
		open[ch.application] = append(open[ch.application], ch.id)
	}
	return open
}

// Pushed says what became of notifications: see Channels.
func (s *Server) Pushed() map[string]int {
	s.push.mu.Lock()
	defer s.push.mu.Unlock()
	return maps.Clone(s.push.tally)
}

// watch opens a channel.
func (s *Server) watch(w http.ResponseWriter, r *http.Request) {
	now, p, ok := s.admit(w, r)
	if !ok {
		return
	}
	var body struct {
		ID, Type, Address, Token, Expiration string
		Payload                              bool
	}
	application := r.PathValue("application")
	reason := ""
	switch err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&body); {
	case err != nil || !slices.Contains(watched, application) || body.Type != "web_hook" || body.Payload || len(body.Token) > 256:
		reason = "invalid"
	case body.ID == "" || len(body.ID) > 64:
		reason = "required"
	default:
		reason = badAddress(body.Address)
	}
	expires, err := strconv.ParseInt(body.Expiration, 10, 64)
	ends := time.UnixMilli(expires).UTC()
	if reason == "" && body.Expiration != "" && (err != nil || !ends.After(now)) {
		reason = "invalid"
	}
	if latest := now.Add(channelLife); body.Expiration == "" || ends.After(latest) {
		ends = latest
	}
	ch := &channel{
		id: body.ID, token: body.Token, address: body.Address, application: application, resource: s.word("resource "+application, 27), begun: now, ends: ends,
		told: map[record.GUID]bool{},
	}
	if reason == "" && !s.push.add(ch) {
		reason = "channelIdNotUnique"
	}
	if reason != "" {
		refuse(w, http.StatusBadRequest, reason, "INVALID_ARGUMENT")
		return
	}
	s.start()
	service.Serve(w, p, http.StatusOK, map[string]any{
		"kind": "api#channel", "id": ch.id, "resourceId": ch.resource, "token": ch.token, "expiration": strconv.FormatInt(ch.ends.UnixMilli(), 10),
		"resourceUri": "https://admin.googleapis.com/admin/reports/v1/activity/users/all/applications/" + application + "?alt=json",
	})
}

// badAddress is the reason for which an address is refused. Loopback may have plain HTTP, as everywhere here.
func badAddress(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return "push.webhookUrlNoHostOrAddress"
	case u.Scheme != "https" && !net.ParseIP(u.Hostname()).IsLoopback():
		return "push.webhookUrlNotHttps"
	}
	return ""
}

func (c *channels) add(ch *channel) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used[ch.id] {
		return false
	}
	c.used[ch.id], c.list[ch.id] = true, ch
	return true
}

// stop closes a channel.
func (s *Server) stop(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := s.admit(w, r); !ok {
		return
	}
	var body struct{ ID, ResourceID string }
	err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&body)
	s.push.mu.Lock()
	defer s.push.mu.Unlock()
	if ch := s.push.list[body.ID]; err != nil || ch == nil || ch.resource != body.ResourceID {
		refuse(w, http.StatusNotFound, "notFound", "NOT_FOUND")
		return
	}
	delete(s.push.list, body.ID)
	w.WriteHeader(http.StatusNoContent)
}

// start begins to notify, with the first channel.
func (s *Server) start() {
	s.push.mu.Lock()
	defer s.push.mu.Unlock()
	if s.push.running {
		return
	}
	s.push.running = true
	s.push.wait.Go(func() {
		for s.push.ctx.Err() == nil {
			s.notify(s.cfg.Service.Now())
			select {
			case <-s.push.ctx.Done():
			case <-time.After(notifyEvery):
			}
		}
	})
}

// notify tells each channel of what is shown by now and was not told: an activity each, as Google does.
func (s *Server) notify(now time.Time) {
	s.push.mu.Lock()
	maps.DeleteFunc(s.push.list, func(_ string, ch *channel) bool { return !now.Before(ch.ends) })
	list := slices.Collect(maps.Values(s.push.list))
	s.push.mu.Unlock()
	for _, ch := range list {
		if ch.number == 0 {
			s.tell(ch, "sync")
		}
		from := ch.begun
		if back := now.Add(-notifyBack); from.Before(back) {
			from = back
		}
		s.between(ch.application, from, now, func(a *activity, settled time.Time) {
			if !ch.told[a.id] && s.visible(a, settled, now) {
				ch.told[a.id] = true
				s.tell(ch, a.name)
			}
		})
	}
}

// tell sends a notification, with the faults of the configuration.
func (s *Server) tell(ch *channel, state string) {
	ch.number++
	number := ch.number
	s.push.mu.Lock()
	s.push.made++
	made := s.push.made
	s.push.mu.Unlock()
	every := func(n int) bool { return n > 0 && made%n == 0 }
	f := s.cfg.Push
	if every(f.Forge) {
		forged := *ch
		if forged.token = "a stranger's word, as long"; made/f.Forge%2 == 0 {
			forged.id, forged.token = "a-channel-of-nobody", ch.token
		}
		s.push.send("forged", &forged, state, number, 0)
	}
	if every(f.Lose) {
		s.push.count("lost")
		return
	}
	after := time.Duration(0)
	if every(f.Late) {
		s.push.count("late")
		after = f.Tardy
	}
	s.push.send("sent", ch, state, number, after)
	if every(f.Repeat) {
		s.push.send("repeated", ch, state, number, after)
	}
}

func (c *channels) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally[what]++
}

// send posts a notification. What is not answered with success is not sent again: Google does so for 500, 502, 503 and 504 alone.
func (c *channels) send(what string, ch *channel, state string, number int, after time.Duration) {
	h := http.Header{}
	h.Set("X-Goog-Channel-ID", ch.id)
	h.Set("X-Goog-Channel-Token", ch.token)
	h.Set("X-Goog-Channel-Expiration", ch.ends.Format(time.RFC1123))
	h.Set("X-Goog-Resource-ID", ch.resource)
	h.Set("X-Goog-Resource-State", state)
	h.Set("X-Goog-Message-Number", fmt.Sprint(number))
	address := ch.address
	c.wait.Go(func() {
		select {
		case <-c.ctx.Done():
			return
		case <-time.After(after):
		}
		c.count(what)
		req, err := http.NewRequestWithContext(c.ctx, http.MethodPost, address, bytes.NewReader(nil))
		if err != nil {
			return
		}
		req.Header = h
		res, err := c.client.Do(req)
		if err == nil {
			res.Body.Close()
		}
		if err != nil || res.StatusCode >= 300 {
			c.count("refused")
		}
	})
}
