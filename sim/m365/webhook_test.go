// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/m365"
)

// endpoint is a webhook that answers what it is told to.
type endpoint struct {
	*httptest.Server
	status atomic.Int32
	got    chan *http.Request
	bodies chan []byte
}

func newEndpoint(t *testing.T) *endpoint {
	e := &endpoint{got: make(chan *http.Request, 100), bodies: make(chan []byte, 100)}
	e.status.Store(200)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		e.got <- r
		e.bodies <- b
		w.WriteHeader(int(e.status.Load()))
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) next(t *testing.T) (*http.Request, []byte) {
	t.Helper()
	select {
	case r := <-e.got:
		return r, <-e.bodies
	case <-time.After(2 * time.Minute):
		t.Fatal("no call came")
		return nil, nil
	}
}

func TestWebhook(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 2}, 4)
	r.login()
	e := newEndpoint(t)
	startURL := r.root() + "/subscriptions/start?contentType=Audit.Exchange"
	hook := `{"webhook":{"address":"` + e.URL + `/o365","authId":"open sesame","expiration":""}}`

	if got := r.must("POST", startURL, `{"webhook":{"address":"http://192.0.2.1/"}}`); got.code() != "AF20021" || !strings.Contains(string(got.body), "must begin with HTTPS") {
		t.Errorf("plain HTTP: %s", got.body)
	}
	if got := r.must("POST", startURL, `{"webhook":{"address":"https://h.example","expiration":"2026-03-03T11:00:00"}}`); got.code() != "AF20003" {
		t.Errorf("expired: %s", got.body)
	}
	e.status.Store(202)
	if got := r.must("POST", startURL, hook); got.code() != "AF20021" || !strings.Contains(string(got.body), "did not return HTTP 200") {
		t.Errorf("not validated: %s", got.body)
	}
	e.next(t)
	if got := r.must("GET", r.root()+"/subscriptions/list", ""); string(got.body) != "[]" {
		t.Errorf("a start that failed left %s", got.body)
	}
	e.status.Store(200)
	if got := r.must("POST", startURL, hook); got.status != 200 || !strings.Contains(string(got.body), `"webhook":{"status":"enabled","address":"`+e.URL+`/o365","authId":"open sesame","expiration":null}`) {
		t.Errorf("start: %d %s", got.status, got.body)
	}
	req, body := e.next(t)
	var validation struct{ ValidationCode string }
	if json.Unmarshal(body, &validation) != nil || validation.ValidationCode == "" || req.Header.Get("Webhook-ValidationCode") != validation.ValidationCode || req.Header.Get("Webhook-AuthID") != "open sesame" {
		t.Errorf("validation: %v %s", req.Header, body)
	}
	if got := r.must("POST", startURL, hook); got.code() != "AF20024" {
		t.Errorf("the same again: %s", got.body)
	}
	e.next(t)

	pass(t, s, time.Minute)
	var told []struct{ TenantID, ClientID, ContentType, ContentID, ContentURI string }
	req, body = e.next(t)
	tenant, client, _ := s.Credentials()
	if err := json.Unmarshal(body, &told); err != nil || len(told) == 0 || told[0].TenantID != tenant || told[0].ClientID != client || told[0].ContentType != "Audit.Exchange" {
		t.Fatalf("notification: %v %s", err, body)
	}
	if req.Header.Get("Webhook-AuthID") != "open sesame" {
		t.Errorf("notification without its word: %v", req.Header)
	}
	if got := r.must("GET", told[0].ContentURI, ""); got.status != 200 {
		t.Errorf("what was told about: %d %s", got.status, got.body)
	}
	list := reply{body: []byte("[]")}
	for string(list.body) == "[]" { // it is noted after it was answered
		list = r.must("GET", r.root()+"/subscriptions/notifications?contentType=Audit.Exchange", "")
	}
	if !strings.Contains(string(list.body), `"contentId":"`+told[0].ContentID+`"`) || !strings.Contains(string(list.body), `"notificationStatus":"success"`) {
		t.Errorf("history: %s", list.body)
	}
}

// TestWebhookFails lets a webhook fail until it is disabled, and enables it
// again.
func TestWebhookFails(t *testing.T) {
	s, r := start(t, m365.Config{Seed: 2}, 4)
	m365.HurryWebhooks(s)
	r.login()
	e := newEndpoint(t)
	startURL := r.root() + "/subscriptions/start?contentType=Audit.Exchange"
	hook := `{"webhook":{"address":"` + e.URL + `"}}`
	r.must("POST", startURL, hook)
	e.next(t)
	e.status.Store(500)
	pass(t, s, time.Minute)
	var first []byte
	for i := range 8 {
		_, body := e.next(t)
		if i == 0 {
			first = body
		}
		if string(body) != string(first) {
			t.Errorf("attempt %d tells something else: %s", i, body)
		}
	}
	for {
		got := string(r.must("GET", r.root()+"/subscriptions/list", "").body)
		if strings.Contains(got, `"webhook":{"status":"disabled"`) {
			break
		}
	}
	e.status.Store(200)
	if got := r.must("POST", startURL, hook); got.status != 200 {
		t.Errorf("enabling it again: %s", got.body)
	}
	e.next(t)
}
