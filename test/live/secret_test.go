// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// door stands in front of the simulator and remembers every secret that came
// through it: tokens, client secrets, assertions.
type door struct {
	next http.Handler

	mu      sync.Mutex
	secrets map[string]bool
	asked   []time.Time // for quiet: when each stretch of it began
	quiet   time.Time   // until when the latest one is
	dated   int         // answers of the API that were apart from each other
	last    time.Time   // when the latest of those ended
}

// apart is how far answers are from each other that the product's idea of the provider's clock keeps, and more.
const apart = 100 * time.Millisecond

// told notes an answer.
func (d *door) told(begun time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if begun.Sub(d.last) >= apart {
		d.dated, d.last = d.dated+1, time.Now()
	}
}

func (d *door) answers() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dated
}

// pauses are the stretches of quiet that answers have asked for.
func (d *door) pauses() []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// pause notes a Retry-After.
func (d *door) pause(h http.Header) {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if now.After(d.quiet) {
		d.asked = append(d.asked, now)
	}
	d.quiet = now.Add(time.Duration(seconds) * time.Second)
}

// know adds a secret. Only what is long enough to be one is looked for.
func (d *door) know(secret string) {
	if len(secret) < 16 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.secrets == nil {
		d.secrets = map[string]bool{}
	}
	d.secrets[secret] = true
}

func (d *door) list() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]string, 0, len(d.secrets))
	for s := range d.secrets {
		list = append(list, s)
	}
	return list
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		d.know(token)
		// The part that only the real one has, for texts that cut tokens.
		d.know(token[strings.LastIndexByte(token, '.')+1:])
	}
	if strings.Contains(r.URL.Path, "/oauth2/") {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err == nil {
			if form, err := url.ParseQuery(string(body)); err == nil {
				d.know(form.Get("client_secret"))
				d.know(form.Get("client_assertion"))
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
	}
	defer func() { d.pause(w.Header()) }()
	begun := time.Now()
	d.next.ServeHTTP(w, r)
	if !strings.Contains(r.URL.Path, "/oauth2/") {
		d.told(begun)
	}
}

// scan looks for every secret in all that the product has written: its log, the
// files of its directory, and, if the journal was read, every record of it.
func (w *world) scan() {
	w.Helper()
	secrets := w.door.list()
	if len(secrets) == 0 && w.node != nil {
		w.Error("no secret came through the door: nothing would be found")
	}
	leaks(w, secrets, "the log", w.log.bytes())
	err := filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // what is not there holds nothing
		}
		text, err := os.ReadFile(path)
		if err == nil {
			leaks(w, secrets, filepath.Base(path), text)
		}
		return nil
	})
	if err != nil {
		w.Error(err)
	}
}

// failer is what leaks needs of a test.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// leaks fails the test if a text holds one of the secrets. It does not repeat it.
func leaks(t failer, secrets []string, where string, text []byte) {
	t.Helper()
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s)} {
			if i := bytes.Index(text, []byte(form)); i >= 0 {
				t.Errorf("%s holds a secret (%d bytes long, at byte %d)", where, len(s), i)
				break
			}
		}
	}
}

// logbook keeps what the product logs.
type logbook struct {
	slog.Handler
	mu  sync.Mutex
	buf bytes.Buffer
}

func newLogbook() *logbook {
	l := new(logbook)
	l.Handler = slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug})
	return l
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// Enabled takes all levels, so that the secret scan sees debug lines too.
func (l *logbook) Enabled(context.Context, slog.Level) bool { return true }

func (l *logbook) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.buf.Bytes())
}

// tail is the last lines, for a test that fails.
func (l *logbook) tail(lines int) string {
	all := strings.Split(strings.TrimSpace(string(l.bytes())), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
