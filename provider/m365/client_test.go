// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/m365"
)

const (
	tenant = "11111111-2222-3333-4444-555555555555"
	app    = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	secret = "s3cr3t~of.the-application"
	stream = "Audit.Exchange"
)

// service is a server whose answers a test decides. It keeps what it was asked.
type service struct {
	*httptest.Server
	api   func(w http.ResponseWriter, r *http.Request)
	token func(w http.ResponseWriter, r *http.Request)
	log   lines

	mu     sync.Mutex
	issued int // tokens
	seen   []*http.Request
}

type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// jwt makes a token that looks like one.
func jwt(n int, roles ...string) string {
	claims, _ := json.Marshal(map[string]any{"n": n, "roles": roles, "tid": tenant})
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(claims) + "." + enc([]byte("signature of "+fmt.Sprint(n)))
}

func newService(t *testing.T, api http.HandlerFunc) *service {
	t.Helper()
	s := &service{api: api}
	s.token = func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, s.next("ActivityFeed.Read"))
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r)
		s.mu.Unlock()
		if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
			s.token(w, r)
			return
		}
		s.api(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) next(roles ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued++
	return jwt(s.issued, roles...)
}

func (s *service) tokens() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued
}

// requests returns those to the API.
func (s *service) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*http.Request
	for _, r := range s.seen {
		if !strings.HasSuffix(r.URL.Path, "/token") {
			list = append(list, r)
		}
	}
	return list
}

func secretFile(t *testing.T, text string) credential.Reference {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func (s *service) client(t *testing.T, change ...func(*m365.Options)) *m365.Client {
	t.Helper()
	o := m365.Options{
		Tenant: tenant, ClientID: app, API: s.URL, Login: s.URL,
		Credential: credential.FromSecret(secretFile(t, secret)),
		Budget:     budget.New(budget.Options{PerMinute: 1_000_000}),
		Log:        slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&o)
	}
	c, err := m365.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReadsAListingAndItsBlobs(t *testing.T) {
	var s *service
	s = newService(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+jwt(1, "ActivityFeed.Read") {
			t.Errorf("%s: token %q", r.URL, r.Header.Get("Authorization"))
		}
		if got := r.URL.Query().Get("PublisherIdentifier"); got != tenant {
			t.Errorf("%s: publisher %q", r.URL, got)
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/subscriptions/content") && r.URL.Query().Get("nextPage") == "":
			q := r.URL.Query()
			if q.Get("startTime") != "2026-03-01T10:00:00" || q.Get("endTime") != "2026-03-01T11:30:05" || q.Get("contentType") != stream {
				t.Errorf("window %v", q)
			}
			w.Header().Set("NextPageUri", s.URL+"/api/v1/"+tenant+"/activity/feed/subscriptions/content?contentType=x&nextPage=a%2Bb")
			io.WriteString(w, `[]`)
		case strings.HasSuffix(r.URL.Path, "/subscriptions/content"):
			if !strings.HasPrefix(r.URL.RawQuery, "contentType=x&nextPage=a%2Bb&") {
				t.Errorf("the link was changed: %s", r.URL.RawQuery)
			}
			fmt.Fprintf(w, `[{"contentType":"x","contentId":"b1","contentUri":"%s/api/v1.0/blob/b1","contentCreated":"2026-03-01T10:10:10.123Z","contentExpiration":"2026-03-08T10:10:10.123Z","new":1}]`, s.URL)
		default:
			io.WriteString(w, `[{"Id":"1"}]`)
		}
	})
	c := s.client(t)
	at := time.Date(2026, 3, 1, 10, 0, 0, 5e8, time.UTC)
	first, err := c.Content(t.Context(), budget.Head, stream, at, at.Add(90*time.Minute+5*time.Second), "")
	if err != nil || len(first.Blobs) != 0 || first.Next == "" {
		t.Fatalf("first page %+v, %v", first, err)
	}
	second, err := c.Content(t.Context(), budget.Head, stream, at, at.Add(time.Hour), first.Next)
	if err != nil || len(second.Blobs) != 1 || second.Next != "" {
		t.Fatalf("second page %+v, %v", second, err)
	}
	b := second.Blobs[0]
	if b.ID != "b1" || b.ContentType != stream || b.Created != time.Date(2026, 3, 1, 10, 10, 10, 123e6, time.UTC) || b.Expires.Sub(b.Created) != 7*24*time.Hour {
		t.Errorf("blob %+v", b)
	}
	body, err := c.Fetch(t.Context(), budget.Head, b)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if text, err := io.ReadAll(body); err != nil || string(text) != `[{"Id":"1"}]` {
		t.Errorf("body %q, %v", text, err)
	}
	if s.tokens() != 1 {
		t.Errorf("%d tokens for three requests", s.tokens())
	}
}
