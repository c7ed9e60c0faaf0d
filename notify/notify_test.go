// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/notify"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/store"
)

const secret = "Xq8~hunter2hunter2.hunter2"

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func alert(n int, level string, user string) detect.Alert {
	return detect.Alert{
		ID: fmt.Sprintf("a%032x", n), Tenant: "contoso", Rule: "r", Title: "Something odd", Level: level, Kind: "single",
		First: noon.Add(time.Duration(n) * time.Minute), Last: noon.Add(time.Duration(n) * time.Minute), Count: 1,
		Entities: []detect.Entity{{Type: "user", Role: "actor", ID: user}},
	}
}

// got is a request that a receiver has had.
type got struct {
	id, path string
	message  notify.Message
	body     []byte
}

// receiver is a server on loopback.
type receiver struct {
	*httptest.Server
	t      *testing.T
	answer func(n int, w http.ResponseWriter, r *http.Request) // to the nth request of an id
	seen   chan got

	mu    sync.Mutex
	count map[string]int
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	r := &receiver{t: t, answer: answer, seen: make(chan got, 1000), count: map[string]int{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	g := got{id: req.Header.Get(notify.HeaderID), path: req.URL.Path, body: body}
	if g.id != "" {
		if err := notify.Verify(credential.NewSecret(secret), req.Header, body, time.Now(), time.Minute); err != nil {
			r.t.Errorf("signature of %s: %v", g.id, err)
		}
		if err := json.Unmarshal(body, &g.message); err != nil {
			r.t.Error(err)
		}
		if g.message.Key != g.id {
			r.t.Errorf("key %q, id %q", g.message.Key, g.id)
		}
	}
	r.mu.Lock()
	r.count[g.id]++
	n := r.count[g.id]
	r.mu.Unlock()
	r.seen <- g
	if r.answer != nil {
		r.answer(n, w, req)
	}
}

// next returns the next request.
func (r *receiver) next() got {
	r.t.Helper()
	select {
	case g := <-r.seen:
		return g
	case <-time.After(2 * time.Minute):
		r.t.Fatal("no message came")
		return got{}
	}
}

// rig is a store of incidents and an outbox in one database.
type rig struct {
	t    *testing.T
	path string
	db   *store.DB
	in   *incident.Store
	out  *notify.Outbox
	log  *bytes.Buffer
	at   uint64
	o    notify.Options
}

func newRig(t *testing.T, channels ...notify.Channel) *rig {
	t.Helper()
	t.Setenv("NOTIFY_SECRET", secret)
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "control.db"), log: &bytes.Buffer{}}
	r.o = notify.Options{
		Channels: channels, Settle: time.Nanosecond, Retry: time.Millisecond, MaxWait: 5 * time.Millisecond, Timeout: 2 * time.Minute, Poll: time.Millisecond,
		Log: slog.New(slog.NewTextHandler(&locked{w: r.log}, nil)), Link: func(id string) string { return "https://daybreak.example/incidents/" + id },
	}
	r.open()
	t.Cleanup(func() { r.db.Close() })
	return r
}

type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func (r *rig) open() {
	r.t.Helper()
	var err error
	if r.db, err = store.Open(r.t.Context(), r.path); err == nil {
		if r.out, err = notify.New(r.db, r.o); err == nil {
			r.in, err = incident.Open(r.t.Context(), r.db, incident.Options{Changed: r.out.Changed})
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) take(alerts ...detect.Alert) {
	r.t.Helper()
	r.at++
	if err := r.in.Take(r.t.Context(), event.ID{Batch: r.at}, alerts); err != nil {
		r.t.Fatal(err)
	}
}

// run delivers until the function that it returns is called.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.out.Run(ctx) }()
	return func() { cancel(); <-done }
}

// left returns how many messages there are that are still tried.
func (r *rig) left() (n int) {
	r.t.Helper()
	if err := r.db.Read().QueryRowContext(r.t.Context(), `SELECT count(*) FROM notify_message WHERE dead = 0`).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

// empty waits until there is nothing that is still tried.
func (r *rig) empty() {
	r.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); r.left() > 0; <-tick.C {
		if time.Now().After(deadline) {
			r.t.Fatal("messages are left")
		}
	}
}

func (r *rig) dead() []notify.Dead {
	r.t.Helper()
	list, err := r.out.Dead(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

func reference(t *testing.T, text string) credential.Reference {
	t.Helper()
	ref, err := credential.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func webhook(t *testing.T, url string) notify.Channel {
	return notify.Channel{Name: "hook", Kind: notify.Webhook, URL: url, Secret: reference(t, "env:NOTIFY_SECRET")}
}

// TestFaults: a receiver that fails in every way gets each message at least once; what it never
// will accept is put aside.
func TestFaults(t *testing.T) {
	elsewhere := newReceiver(t, nil)
	fault := func(id string) string {
		return []string{"500", "redirect", "slow", "400", "429", "cut", "fine"}[id[32]-'0']
	}
	recv := newReceiver(t, func(n int, w http.ResponseWriter, r *http.Request) {
		switch kind := fault(r.Header.Get(notify.HeaderID)); {
		case kind == "redirect":
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		case kind == "400":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "no such field, and the secret is %s\n", secret)
		case n > 2:
		case kind == "500":
			w.WriteHeader(http.StatusInternalServerError)
		case kind == "429":
			w.Header().Set("Retry-After", "1000000000000")
			w.WriteHeader(http.StatusTooManyRequests)
		case kind == "cut":
			panic(http.ErrAbortHandler)
		case kind == "slow":
			w.Write([]byte("thank "))
			w.(http.Flusher).Flush()
			<-time.After(20 * time.Millisecond)
		}
	})
	r := newRig(t, webhook(t, recv.URL+"/in"))
	for i := range 7 {
		r.take(alert(i, "high", fmt.Sprint("user", i)))
	}
	stop := r.run()
	r.empty()
	stop()
	want := map[string]int{"500": 3, "redirect": 1, "slow": 1, "400": 1, "429": 3, "cut": 3, "fine": 1}
	counts := map[string]int{}
	for id, n := range recv.count {
		counts[fault(id)] = n
	}
	if !maps.Equal(counts, want) {
		t.Errorf("requests %v, want %v", counts, want)
	}
	var errs []string
	for _, d := range r.dead() {
		errs = append(errs, d.Error)
		if d.Attempts != 1 || d.Channel != "hook" || d.Message.Incident == "" {
			t.Errorf("%+v", d)
		}
	}
	slices.Sort(errs)
	if got := strings.Join(errs, "; "); got != "HTTP 307: it redirects, and that is not followed: give the address that it leads to; HTTP 400 no such field, and the secret is [redacted]" {
		t.Error(got)
	}
	if len(elsewhere.seen) > 0 {
		t.Error("a redirect was followed")
	}
	if strings.Contains(r.log.String(), "hunter2") {
		t.Errorf("the secret is in the log: %s", r.log)
	}
}

// TestHang: a receiver that does not answer is asked again.
func TestHang(t *testing.T) {
	recv := newReceiver(t, func(n int, _ http.ResponseWriter, r *http.Request) {
		if n <= 2 {
			<-r.Context().Done()
		}
	})
	r := newRig(t, webhook(t, recv.URL))
	r.o.Timeout = 300 * time.Millisecond // a slow machine is asked more often
	r.db.Close()
	r.open()
	r.take(alert(1, "high", "ann"))
	stop := r.run()
	r.empty()
	stop()
	if n := len(recv.seen); n < 3 || len(r.dead()) > 0 {
		t.Errorf("%d requests, put aside: %+v", n, r.dead())
	}
}

// A message that cannot be delivered for long enough is put aside, listed, and tried again when a
// person says so.
func TestDeadLetters(t *testing.T) {
	var up bool
	var mu sync.Mutex
	recv := newReceiver(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !up {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	r := newRig(t, webhook(t, recv.URL))
	r.o.GiveUp = 50 * time.Millisecond
	r.db.Close()
	r.open()
	r.take(alert(1, "high", "ann"))
	stop := r.run()
	defer stop()
	r.empty()
	dead := r.dead()
	if len(dead) != 1 || dead[0].Error != "HTTP 502" {
		t.Fatalf("%+v", dead)
	}
	mu.Lock()
	up = true
	mu.Unlock()
	if err := r.out.Again(t.Context(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	r.empty()
	if dead := r.dead(); len(dead) != 0 {
		t.Errorf("%+v", dead)
	}
	for _, f := range []func(context.Context, int64) error{r.out.Again, r.out.Discard} {
		if err := f(t.Context(), dead[0].ID); !errors.Is(err, notify.ErrNotFound) {
			t.Error(err)
		}
	}
}

// TestRestart stops in the middle of attempts, again and again: each message still arrives, with
// the id that it had at first.
func TestRestart(t *testing.T) {
	accept := make(chan struct{})
	recv := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-accept:
		case <-r.Context().Done():
		}
	})
	r := newRig(t, webhook(t, recv.URL))
	r.o.Timeout = 20 * time.Second
	r.db.Close()
	r.open()
	for i := range 3 {
		r.take(alert(i, "high", fmt.Sprint("user", i)))
	}
	first := map[string]bool{}
	for range 3 {
		stop := r.run()
		first[recv.next().id] = true
		stop()
		r.db.Close()
		r.open()
	}
	if len(first) != 1 || r.left() != 3 {
		t.Errorf("ids %v, %d left", first, r.left())
	}
	close(accept)
	stop := r.run()
	r.empty()
	stop()
	if len(recv.count) != 3 || len(r.dead()) != 0 {
		t.Errorf("requests %v, dead %v", recv.count, r.dead())
	}
}

// TestStorm: an incident that grows by many alerts is told of once, and once for each change of its
// level or state; a replay of everything tells nobody again.
func TestStorm(t *testing.T) {
	recv := newReceiver(t, nil)
	r := newRig(t, webhook(t, recv.URL))
	var all []detect.Alert
	take := func(a detect.Alert) { all = append(all, a); r.take(a) }
	take(alert(50, "low", "ann"))
	if r.left() != 0 {
		t.Error("a low alert is told of")
	}
	for i := range 40 {
		take(alert(51+i, "medium", "ann"))
	}
	take(alert(10, "medium", "ann")) // an older one: the incident has another name now
	stop := r.run()
	m := recv.next().message
	r.empty()
	if m.Alerts != 42 || m.Level != "medium" || m.Type != "incident.changed" || m.Was != "low, open" || m.Incident != fmt.Sprintf("i%032x", 10) ||
		m.URL != "https://daybreak.example/incidents/"+m.Incident || m.Who[0] != "ann" {
		t.Errorf("%+v", m)
	}
	for i := range 40 {
		take(alert(200+i, "medium", "ann"))
	}
	take(alert(300, "critical", "ann"))
	m = recv.next().message
	r.empty()
	stop()
	if m.Alerts != 83 || m.Level != "critical" || m.Was != "medium, open" {
		t.Errorf("%+v", m)
	}
	if err := r.in.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(all)
	for _, a := range all {
		r.take(a)
	}
	if r.left() != 0 || len(recv.seen) != 0 {
		t.Errorf("after a replay %d messages wait, %d came", r.left(), len(recv.seen))
	}
}

// What is gone before it was told needs not be told.
func TestTakenBack(t *testing.T) {
	r := newRig(t, webhook(t, "https://example.com/"))
	r.take(alert(1, "high", "ann"))
	if r.left() != 1 {
		t.Errorf("%d messages", r.left())
	}
	r.take(detect.Alert{ID: fmt.Sprintf("a%032x", 2), Replaces: []string{fmt.Sprintf("a%032x", 1)}})
	if r.left() != 0 {
		t.Errorf("%d messages", r.left())
	}
}

// Channels that fail do not hold up others.
func TestChannelsAreApart(t *testing.T) {
	hang := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	good := newReceiver(t, nil)
	first, second := webhook(t, hang.URL), webhook(t, good.URL)
	first.Name, second.Name, second.Level = "a", "b", "critical"
	r := newRig(t, first, second)
	r.take(alert(1, "high", "ann"))
	r.take(alert(2, "critical", "bob"))
	stop := r.run()
	if m := good.next().message; m.Level != "critical" {
		t.Errorf("%+v", m)
	}
	hang.next()
	stop()
}

// TestArrivalIsNews: what an arrival closes is told, and that it is open again, as it was, after that.
func TestArrivalIsNews(t *testing.T) {
	recv := newReceiver(t, nil)
	r := newRig(t, webhook(t, recv.URL))
	stop := r.run()
	defer stop()
	was := incident.Summary{}
	for _, is := range []incident.Summary{
		{Level: "high", State: incident.StateOpen, Alerts: 1},
		{Level: "informational", State: incident.StateClosed, Alerts: 1, Arrived: 1},
		{Level: "high", State: incident.StateOpen, Alerts: 2, Arrived: 1},
	} {
		is.ID = "i" + strings.Repeat("0", 32)
		for range 2 { // the second time it is found again, as after a crash
			err := r.db.Write(t.Context(), func(tx *sql.Tx) error {
				return r.out.Changed(t.Context(), tx, []incident.Change{{Before: was, After: is}})
			})
			if err != nil {
				t.Fatal(err)
			}
			r.empty()
		}
		if m := recv.next().message; m.Level != is.Level || m.State != is.State {
			t.Errorf("told %s %s, want %s %s", m.Level, m.State, is.Level, is.State)
		}
		was = is
	}
	if len(recv.seen) > 0 {
		t.Errorf("told again: %+v", recv.next().message)
	}
}
