// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
)

// subscriptions are the tenant's, one a stream. What they showed and did not
// show is kept, because the ledger must know it.
type subscriptions struct {
	mu   sync.Mutex
	list [streams]subscription
}

type subscription struct {
	spans []span // in order; the last one is open while the subscription is on
	by    string // who disabled it, if somebody did
	hook  *hook
}

// span is a time in which a subscription was on. It shows what was created from
// from to to, and nothing before it opens.
type span struct{ from, to, opens int64 } // milliseconds; to never: still on

func (s *subscription) on() bool { return len(s.spans) > 0 && s.spans[len(s.spans)-1].to == never }

// shows is when content created at a moment can be had, if it can.
func (s *subscription) shows(created int64) (from int64, ok bool) {
	for _, sp := range s.spans {
		if sp.from <= created && created < sp.to {
			return max(created, sp.opens), true
		}
	}
	return 0, false
}

// of is a copy of a stream's subscription as far as content goes.
func (l *subscriptions) of(s stream) subscription {
	l.mu.Lock()
	defer l.mu.Unlock()
	sub := l.list[s]
	sub.spans = append([]span(nil), sub.spans...)
	return sub
}

// missing is why a stream cannot be listed or read, or nil.
func (l *subscriptions) missing(s stream) *refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch sub := &l.list[s]; {
	case sub.on():
		return nil
	case sub.by != "":
		return refuse("AF20023", sub.by)
	}
	return refuse("AF20022")
}

// begin switches a subscription on. The first time it shows what was created
// backfill before that, later only what comes.
func (l *subscriptions) begin(s stream, now time.Time, backfill, silence time.Duration) {
	sub := &l.list[s]
	from := now
	if len(sub.spans) == 0 {
		from = now.Add(-backfill)
	}
	sub.by = ""
	sub.spans = append(sub.spans, span{from.UnixMilli(), never, now.Add(silence).UnixMilli()})
	if silence == 0 {
		sub.spans[len(sub.spans)-1].opens = 0
	}
}

// end switches it off.
func (l *subscriptions) end(s stream, at time.Time, by string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sub := &l.list[s]; sub.on() {
		sub.spans[len(sub.spans)-1].to = at.UnixMilli()
		sub.by, sub.hook = by, nil
	}
}

// subscriptionJSON is a subscription as the API shows it.
type subscriptionJSON struct {
	ContentType string    `json:"contentType"`
	Status      string    `json:"status"`
	Webhook     *hookJSON `json:"webhook"`
}

type hookJSON struct {
	Status     string  `json:"status"`
	Address    string  `json:"address"`
	AuthID     string  `json:"authId"`
	Expiration *string `json:"expiration"`
}

func (l *subscriptions) show(s stream, now time.Time) subscriptionJSON {
	sub := &l.list[s]
	j := subscriptionJSON{ContentType: s.String(), Status: "enabled"}
	if !sub.on() {
		j.Status = "disabled"
	}
	if sub.hook != nil {
		j.Webhook = sub.hook.show(now)
	}
	return j
}

// handleStart starts a subscription, or changes its webhook.
func (s *Server) handleStart(w http.ResponseWriter, r *http.Request, c call) *refusal {
	if c.faults.active("audit-off", c.now) != nil {
		return &refusal{http.StatusBadRequest, "AF20011", "Microsoft.Office.Compliance.Audit.DataServiceException: Tenant " + s.tenant + " does not exist."}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		return refuse("AF20002", "body", "json")
	}
	wanted, refused := parseHook(body, c.now)
	if refused != nil {
		return refused
	}
	if wanted != nil {
		if refused := s.hooks.validate(r.Context(), wanted); refused != nil {
			return refused
		}
		wanted.base = s.base(r)
	}
	s.subs.mu.Lock()
	defer s.subs.mu.Unlock()
	sub := &s.subs.list[c.stream]
	if sub.on() && sub.hook.same(wanted) {
		return refuse("AF20024")
	}
	if !sub.on() {
		var silence time.Duration
		if f := c.faults.active("subscribe-delay", c.now); f != nil {
			silence = f.span
		}
		s.subs.begin(c.stream, c.now, s.backfill, silence)
	}
	sub.hook = wanted
	if wanted != nil {
		s.hooks.watch(c.stream, wanted, c.now)
	}
	writeJSON(w, http.StatusOK, s.subs.show(c.stream, c.now))
	return nil
}

// parseHook reads the body of a start: none, or a webhook.
func parseHook(body []byte, now time.Time) (*hook, *refusal) {
	var in struct {
		Webhook *struct {
			Address    string  `json:"address"`
			AuthID     string  `json:"authId"`
			Expiration *string `json:"expiration"`
		} `json:"webhook"`
	}
	if len(body) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, refuse("AF20002", "webhook", "json")
	}
	if in.Webhook == nil {
		return nil, nil
	}
	if in.Webhook.Address == "" {
		return nil, refuse("AF20001", "webhook.address")
	}
	h := &hook{address: in.Webhook.Address, authID: in.Webhook.AuthID}
	if e := in.Webhook.Expiration; e != nil && *e != "" {
		t, ok := parseTime(*e)
		if !ok {
			var err error
			if t, err = time.Parse(time.RFC3339, *e); err != nil {
				return nil, refuse("AF20002", "webhook.expiration", "datetime")
			}
		}
		if !t.After(now) {
			return nil, refuse("AF20003", *e)
		}
		h.expires = t
	}
	return h, nil
}

// handleStop ends a subscription. What is created until it is started again is
// lost.
func (s *Server) handleStop(w http.ResponseWriter, _ *http.Request, c call) *refusal {
	if refused := s.subs.missing(c.stream); refused != nil {
		return refused
	}
	s.subs.end(c.stream, c.now, "")
	w.WriteHeader(http.StatusOK)
	return nil
}

// handleSubscriptions lists the subscriptions there are or were.
func (s *Server) handleSubscriptions(w http.ResponseWriter, _ *http.Request, c call) *refusal {
	s.subs.mu.Lock()
	list := []subscriptionJSON{}
	for _, st := range company.Streams {
		if len(s.subs.list[st].spans) > 0 {
			list = append(list, s.subs.show(st, c.now))
		}
	}
	s.subs.mu.Unlock()
	writeJSON(w, http.StatusOK, list)
	return nil
}
