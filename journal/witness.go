// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// witnessClient remembers the last trouble with the witnesses, because tessera
// tells nobody.
type witnessClient struct {
	client *http.Client

	mu   sync.Mutex
	last string
}

func newWitnessClient(base *http.Client) *witnessClient {
	w := new(witnessClient)
	c := *base
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case err != nil:
			w.last = fmt.Sprintf("witness at %s: %v", r.URL.Host, err)
		case resp.StatusCode != http.StatusOK:
			w.last = fmt.Sprintf("witness at %s answered %s", r.URL.Host, resp.Status)
		}
		return resp, err
	})
	w.client = &c
	return w
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (w *witnessClient) trouble() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// witnessKeys returns the keys of a policy's lines "witness name key url".
func witnessKeys(policy []byte) (keys []string) {
	for line := range strings.Lines(string(policy)) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) == 4 && f[0] == "witness" {
			keys = append(keys, f[2])
		}
	}
	return keys
}
