// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Requests is what was asked of the server.
type Requests struct {
	// By operation: token, start, stop, list, content, blob, notifications,
	// resources, unknown.
	Operations map[string]int64 `json:"operations"`
	// Refused counts answers that were errors, by operation and code.
	Refused map[string]int64 `json:"refused"`
	// Struck counts answers that a fault spoiled, by fault.
	Struck map[string]int64 `json:"struck"`
	// Early counts requests in the time that a Retry-After asked to be quiet.
	Early int64 `json:"early"`
	// NoPublisher counts calls without PublisherIdentifier.
	NoPublisher int64 `json:"no_publisher"`
	// Hosts are the Host headers of all requests, Bearers of those that
	// carried a bearer token.
	Hosts   map[string]int64 `json:"hosts"`
	Bearers map[string]int64 `json:"bearers"`
	// Bytes of blobs that were written.
	Bytes int64 `json:"bytes"`
}

type tally struct {
	mu sync.Mutex
	r  Requests
}

// maxHosts bounds the memory that made-up hosts can take.
const maxHosts = 1000

func (t *tally) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r = Requests{
		Operations: map[string]int64{}, Refused: map[string]int64{}, Struck: map[string]int64{},
		Hosts: map[string]int64{}, Bearers: map[string]int64{},
	}
}

func (t *tally) snapshot() Requests {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.r
	for _, m := range []*map[string]int64{&r.Operations, &r.Refused, &r.Struck, &r.Hosts, &r.Bearers} {
		*m = maps.Clone(*m)
	}
	return r
}

func (t *tally) asked(op string, r *http.Request, early bool) {
	host := strings.ToLower(r.Host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Operations[op]++
	if early {
		t.r.Early++
	}
	if len(t.r.Hosts) < maxHosts {
		t.r.Hosts[host]++
		if r.Header.Get("Authorization") != "" {
			t.r.Bearers[host]++
		}
	}
}

func (t *tally) refused(op, code string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Refused[op+" "+code]++
}

func (t *tally) struck(fault string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Struck[fault]++
}

func (t *tally) nobody() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.NoPublisher++
}

func (t *tally) sent(n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.r.Bytes += n
}
