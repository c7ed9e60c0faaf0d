// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// mostStrikes is how many attempts at the same thing a fault of answers spoils
// at most, unless it says "always": a client that tries again gets through.
const mostStrikes = 3

// attempts counts how often each thing was asked for. It remembers the latest
// fifty thousand things at least, which takes two megabytes.
type attempts struct {
	mu       sync.Mutex
	now, old map[uint64]uint8
}

const mostAttempts = 50_000

func (a *attempts) next(key uint64) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, ok := a.now[key]
	if !ok {
		n = a.old[key]
		if len(a.now) >= mostAttempts {
			a.old, a.now = a.now, make(map[uint64]uint8, mostAttempts)
		}
		if a.now == nil {
			a.now = map[uint64]uint8{}
		}
	}
	a.now[key] = min(n, mostStrikes) + 1
	return int(n)
}

// strikes returns the rule of that name that spoils this answer, or nil. What
// an answer says about one of many blobs is decided for each.
func (s *Server) strikes(c call, name string, at *place) *rule {
	for _, r := range c.faults.byName[name] {
		if !r.on(c.now) || c.stream >= 0 && !r.streams.has(c.stream) || c.attempt >= mostStrikes && !r.always {
			continue
		}
		key := c.key
		if at != nil {
			key = hash(key, forID, uint64(at.slot), uint64(at.rule), uint64(at.part))
		}
		attempt := uint64(c.attempt)
		if r.always {
			attempt = 0
		}
		if p := r.p; p == 0 && !r.takesChance() || chance(hash(s.seed, forStrike, uint64(r.number), key, attempt), p) {
			s.tally.struck(name)
			return r
		}
	}
	return nil
}

func (f *fault) takesChance() bool {
	for _, p := range f.params {
		if p.kind == aChance {
			return true
		}
	}
	return false
}

// refusedBefore spoils an answer before there is one. It returns true if it
// has answered.
func (s *Server) refusedBefore(w http.ResponseWriter, c call) (*refusal, bool) {
	switch {
	case s.brokenBefore(w, c):
		return nil, true
	case s.strikes(c, "401", nil) != nil:
		s.unauthorized(w)
		return nil, true
	case s.strikes(c, "5xx", nil) != nil:
		return &refusal{brokenStatus(c), "AF50000", refusals["AF50000"].text}, false
	case s.strikes(c, "unknown-error", nil) != nil:
		return refuse("AF59999"), false
	case s.strikes(c, "af429", nil) != nil:
		return s.throttled(w, c), false
	}
	return nil, false
}

func brokenStatus(c call) int {
	return [...]int{500, 503, 504, 408}[hash(c.key, forOrder, uint64(c.attempt))%4]
}

// brokenBefore is what spoils the answers of any server, the token endpoint as
// well. It returns true if it has answered.
func (s *Server) brokenBefore(w http.ResponseWriter, c call) bool {
	switch {
	case s.strikes(c, "drop", nil) != nil:
		panic(http.ErrAbortHandler)
	case s.strikes(c, "html-200", nil) != nil:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html><head><title>Sign in to the guest network</title></head><body><h1>Welcome</h1></body></html>\n")
		return true
	case s.strikes(c, "nul-bytes", nil) != nil:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(make([]byte, 4096))
		return true
	}
	return false
}

// body writes the body of an answer, the same one each time.
type body func(w io.Writer) error

// answer writes an answer of JSON, spoiled if a fault says so.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, c call, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("m365: an answer that is no JSON: " + err.Error())
	}
	s.send(w, r, c, func(w io.Writer) error { _, err := w.Write(b); return err })
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, c call, b body) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for _, sp := range spoilers {
		if f := s.strikes(c, sp.fault, nil); f != nil {
			sp.spoil(&spoiling{s, w, r, c, f, b})
			return
		}
	}
	_ = b(w) // a client that is gone needs no answer
}

// spoiling is one answer that is being spoiled.
type spoiling struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	c    call
	rule *rule
	body body
}

var spoilers = []struct {
	fault string
	spoil func(*spoiling)
}{
	{"truncate", func(sp *spoiling) { sp.upTo(sp.w, sp.middle()) }},
	{"cut", func(sp *spoiling) {
		sp.upTo(sp.w, sp.middle())
		sp.breakOff()
	}},
	{"wrong-length", func(sp *spoiling) {
		n := sp.length()
		if hash(sp.c.key, forSize, uint64(sp.c.attempt))%2 == 0 {
			sp.w.Header().Set("Content-Length", strconv.FormatInt(n+1000, 10))
			_ = sp.body(sp.w)
			sp.breakOff()
		}
		n = sp.middle()
		sp.w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		sp.upTo(sp.w, n)
	}},
	{"truncated-gzip", func(sp *spoiling) {
		if !strings.Contains(sp.r.Header.Get("Accept-Encoding"), "gzip") {
			sp.upTo(sp.w, sp.middle())
			return
		}
		sp.w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(sp.w)
		sp.upTo(z, sp.middle())
		_ = z.Flush() // and no end
	}},
	{"slow", func(sp *spoiling) { _ = sp.body(&slowWriter{sp, sp.rule.size}) }},
	{"hang", func(sp *spoiling) {
		sp.upTo(sp.w, sp.middle())
		_ = http.NewResponseController(sp.w).Flush()
		sp.wait(sp.rule.span)
		sp.breakOff()
	}},
}

func (sp *spoiling) breakOff() {
	_ = http.NewResponseController(sp.w).Flush()
	panic(http.ErrAbortHandler)
}

// wait lets real time pass, while the client and the server are there.
func (sp *spoiling) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-sp.r.Context().Done():
	case <-sp.s.closed:
	}
}

func (sp *spoiling) length() int64 {
	var n counter
	_ = sp.body(&n)
	return int64(n)
}

// middle is somewhere inside the body.
func (sp *spoiling) middle() int64 {
	n := sp.length()
	return int64(1 + hash(sp.c.key, forSize, uint64(sp.c.attempt), 1)%uint64(max(1, n-1)))
}

func (sp *spoiling) upTo(w io.Writer, n int64) { _ = sp.body(&limited{w, n}) }

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var errEnough = errors.New("enough was written")

// limited writes the first bytes and then ends the writing.
type limited struct {
	w    io.Writer
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(int64(len(p)), l.left)
	if _, err := l.w.Write(p[:n]); err != nil {
		return 0, err
	}
	if l.left -= n; l.left == 0 {
		return int(n), errEnough
	}
	return int(n), nil
}

// slowWriter lets a tenth of a second pass for a tenth of the rate.
type slowWriter struct {
	sp   *spoiling
	rate int64
}

func (s *slowWriter) Write(p []byte) (int, error) {
	for written := 0; written < len(p); {
		n := min(len(p)-written, int(max(1, s.rate/10)))
		if _, err := s.sp.w.Write(p[written : written+n]); err != nil {
			return written, err
		}
		if err := http.NewResponseController(s.sp.w).Flush(); err != nil {
			return written, err
		}
		written += n
		s.sp.wait(time.Second / 10)
		if err := s.sp.r.Context().Err(); err != nil {
			return written, err
		}
	}
	return len(p), nil
}
