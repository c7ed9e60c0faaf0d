// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package service

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Door stands before a service's API: it knows the token, counts requests, and has the faults of the configuration. It is
// safe for concurrent use.
type Door struct {
	cfg Config

	mu    sync.Mutex
	token string
	asked int
	left  float64
	since time.Time
	tally map[string]int
}

// NewDoor makes a door. perHour is the service's own limit.
func NewDoor(cfg Config, perHour int) *Door {
	if cfg.Limit == 0 {
		cfg.Limit = perHour
	}
	return &Door{cfg: cfg, token: cfg.Token, left: float64(cfg.Limit), since: time.Now(), tally: map[string]int{}}
}

// SetToken exchanges the token: the old one is refused from now on.
func (d *Door) SetToken(token string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.token = token
}

// Tally counts what became of the requests: "answered", "unauthorized", "throttled", "failed", "cut".
func (d *Door) Tally() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]int{}
	for k, n := range d.tally {
		out[k] = n
	}
	return out
}

// Pass is what a request is to be met with.
type Pass uint8

// The passes.
const (
	Answer Pass = iota
	Stranger
	TooMany // the limit is used up
	Slower  // a fault: too many in a short time
	Failing // a fault: an error of a proxy
	Cut     // a fault: the answer ends too soon
)

var passNames = [...]string{"answered", "unauthorized", "throttled", "throttled", "failed", "cut"}

// Open judges a request. left is what is left of the limit, and reset how long it takes until it is whole.
func (d *Door) Open(r *http.Request) (p Pass, left int, reset time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	full := float64(d.cfg.Limit)
	d.left = min(full, d.left+now.Sub(d.since).Hours()*full)
	d.since = now
	d.asked++
	every := func(n int) bool { return n > 0 && d.asked%n == 0 }
	switch {
	case d.cfg.Allowed != nil && !d.cfg.Allowed(r), d.cfg.Allowed == nil && (r.Header.Get("Authorization") != "Bearer "+d.token || d.token == ""):
		p = Stranger
	case every(d.cfg.Fail):
		p = Failing
	case every(d.cfg.Throttle):
		p = Slower
	case d.left < 1:
		p = TooMany
	case every(d.cfg.Break):
		p = Cut
	}
	if p == Answer || p == Cut {
		d.left--
	}
	d.tally[passNames[p]]++
	return p, int(d.left), time.Duration((full - d.left) / full * float64(time.Hour))
}

// Serve answers with JSON. A cut answer says how long it would have been and ends in its middle.
func Serve(w http.ResponseWriter, p Pass, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what we make ourselves
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	if p == Cut {
		text = text[:len(text)/2]
	}
	_, _ = w.Write(text) // the client is gone, or not
}

// Proxy answers as a proxy that does not reach the service.
func Proxy(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte("<html><body>Bad gateway</body></html>"))
}
