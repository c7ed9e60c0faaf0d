// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/notify"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

const hookKey = "Xq8~hunter2hunter2.hunter2"

// receiver takes signed webhooks.
type receiver struct {
	*httptest.Server
	got    chan notify.Message
	refuse atomic.Bool
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{got: make(chan notify.Message, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var m notify.Message
		if err == nil {
			err = notify.Verify(credential.NewSecret(hookKey), req.Header, body, time.Now(), time.Minute)
		}
		if err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err != nil {
			t.Error(err)
		}
		if r.refuse.Load() {
			http.Error(w, "no", http.StatusBadRequest)
		}
		r.got <- m
	}))
	t.Cleanup(r.Close)
	return r
}

// next returns the next message.
func (r *receiver) next(t *testing.T) notify.Message {
	t.Helper()
	select {
	case m := <-r.got:
		return m
	case <-time.After(2 * time.Minute):
		t.Fatal("no message came")
		return notify.Message{}
	}
}

// told is a configuration with one rule and one channel.
func told(t *testing.T, url string) config.Config {
	t.Helper()
	t.Setenv("HOOK_KEY", hookKey)
	dir := t.TempDir()
	err := os.WriteFile(filepath.Join(dir, "rule.yml"), []byte(`title: A mailbox forwards
id: 2b7c4c0e-52a0-4e0a-9d4e-0f6a3c2f8b22
logsource: {product: m365, service: audit}
detection:
  selection:
    Operation: Set-Mailbox
  condition: selection
level: high
`), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Detect.Builtin, c.Detect.Rules = false, []string{dir}
	c.Notify = []config.Notify{{Name: "hook", Kind: "webhook", Level: "medium", URL: config.Address(url), Secret: "env:HOOK_KEY"}}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

func telling(t *testing.T, o node.Options) *node.Node {
	t.Helper()
	o.Log = quiet
	o.Adjust.Notify = func(o *notify.Options) {
		o.Settle, o.Poll, o.Retry = time.Nanosecond, 2*time.Millisecond, time.Millisecond
	}
	n, err := node.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// forwards is a record that the rule matches, of a person of its own.
func forwards(person int) []byte {
	return fmt.Appendf(nil, `{"Id":"b0000000-0000-4000-8000-%012d","RecordType":1,"CreationTime":"2026-11-01T10:%02d:00","Operation":"Set-Mailbox","OrganizationId":"6d0f3a52-9c1b-4e57-8a64-2f5d1c7be093","Workload":"Exchange","UserId":"person%d@harborlight.example","UserType":0}`+"\n", person, person, person)
}

// about fails unless the message tells of the incident of a person.
func about(t *testing.T, m notify.Message, person int) {
	t.Helper()
	if want := fmt.Sprintf("person%d@harborlight.example", person); m.Type != "incident.opened" || m.Level != "high" || m.Alerts != 1 || len(m.Who) != 1 || m.Who[0] != want {
		t.Errorf("of %s it tells %+v", want, m)
	}
}

// TestNotifyOnce: an incident is told of once, by the process that serves, whoever found it; not again
// after a restart, nor when everything is judged anew. Messages come in order, so that one that is
// repeated would come before the one that is new.
func TestNotifyOnce(t *testing.T) {
	recv := newReceiver(t)
	o := node.Options{Dir: t.TempDir(), Role: "import", Config: told(t, recv.URL)}
	n := telling(t, o)
	take(t, n, forwards(1))
	closeNode(t, n)
	if len(recv.got) > 0 {
		t.Error("an import sends")
	}
	o.Role = "demo" // which waits less for a checkpoint than serve
	for person := 2; person <= 4; person++ {
		n := telling(t, o)
		if person == 2 {
			about(t, recv.next(t), 1)
		}
		take(t, n, forwards(person))
		about(t, recv.next(t), person)
		untold(t, n) // that it was taken is known, or it would be told again
		closeNode(t, n)
		o.Rebuild = true
	}
	if len(recv.got) > 0 {
		t.Errorf("%d messages too many", len(recv.got))
	}
}

// untold waits until all that is to be told was sent.
func untold(t *testing.T, n *node.Node) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; <-time.After(2 * time.Millisecond) {
		left, err := n.TestingUntold(t.Context())
		switch {
		case err != nil:
			t.Fatal(err)
		case left == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("%d messages are not sent", left)
		}
	}
}

// TestNotifyReload: channels change while the process runs.
func TestNotifyReload(t *testing.T) {
	one, two := newReceiver(t), newReceiver(t)
	c := told(t, one.URL)
	n := telling(t, node.Options{Dir: t.TempDir(), Role: "demo", Config: c})
	defer closeNode(t, n)
	take(t, n, forwards(1))
	about(t, one.next(t), 1)
	untold(t, n)

	c.Notify = []config.Notify{{Name: "other", Kind: "webhook", Level: "high", URL: config.Address(two.URL + "/in"), Secret: "env:HOOK_KEY"}}
	c.Incidents.Common = []string{"203.0.113.7"}
	done, err := n.Configure(t.Context(), c)
	if err != nil || len(done.Waiting) != 1 || done.Waiting[0].Path != "incidents.common" || len(done.Applied) == 0 || done.Applied[0].Section() != "notify" {
		t.Fatalf("%+v, %v", done, err)
	}
	take(t, n, forwards(2))
	about(t, two.next(t), 2)

	c.Notify = slices.Clone(c.Notify)
	c.Notify[0].Kind = "pager" // package config lets no such thing pass
	if _, err := n.Configure(t.Context(), c); err == nil {
		t.Error("a channel that cannot be is taken")
	}
	take(t, n, forwards(3))
	about(t, two.next(t), 3)
	untold(t, n)
	if len(one.got)+len(two.got) > 0 {
		t.Errorf("%d and %d more messages came", len(one.got), len(two.got))
	}
}

// TestNotifyDead: what is refused is put aside, until a person says what is to become of it.
func TestNotifyDead(t *testing.T) {
	recv := newReceiver(t)
	recv.refuse.Store(true)
	n := telling(t, node.Options{Dir: t.TempDir(), Role: "demo", Config: told(t, recv.URL)})
	defer closeNode(t, n)
	dead := func(want int) []notify.Dead {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; {
			list, err := n.DeadLetters(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(list) == want {
				return list
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d messages were put aside, want %d", len(list), want)
			}
			<-time.After(2 * time.Millisecond)
		}
	}
	take(t, n, append(forwards(1), forwards(2)...))
	recv.next(t)
	recv.next(t)
	list := dead(2)
	recv.refuse.Store(false)
	if err := n.TellAgain(t.Context(), list[1].ID); err != nil {
		t.Fatal(err)
	}
	if m := recv.next(t); m.Key != list[1].Message.Key || list[1].Error != "HTTP 400 no" {
		t.Errorf("%+v comes again as %+v", list[1], m)
	}
	if err := n.Discard(t.Context(), list[0].ID); err != nil {
		t.Fatal(err)
	}
	dead(0)
	for _, err := range []error{n.TellAgain(t.Context(), list[0].ID), n.Discard(t.Context(), list[1].ID)} {
		if !errors.Is(err, node.ErrNoMessage) {
			t.Error(err)
		}
	}
}

// TestNotifyFull: the channels of a configuration that was read can be used.
func TestNotifyFull(t *testing.T) {
	full, err := config.Load("../config/testdata/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Notify = full.Notify
	n, err := node.Open(t.Context(), node.Options{Dir: t.TempDir(), Role: "test", Config: c, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	closeNode(t, n)
}
