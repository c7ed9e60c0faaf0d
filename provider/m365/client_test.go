// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"context"
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
	"github.com/daybreak-sec/daybreak/provider/rest"
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

func newService(t testing.TB, api http.HandlerFunc) *service {
	t.Helper()
	s := &service{api: api}
	s.token = func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, s.next("ActivityFeed.Read"))
	}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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

func secretFile(t testing.TB, text string) credential.Reference {
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

func (s *service) client(t testing.TB, change ...func(*m365.Options)) *m365.Client {
	t.Helper()
	o := m365.Options{
		Tenant: tenant, ClientID: app, API: s.URL, Login: s.URL,
		Credential: credential.FromSecret(secretFile(t, secret)),
		Shared: rest.Shared{
			Budget: budget.New(budget.Options{PerMinute: 1_000_000}),
			Log:    slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		},
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

func TestOptionsThatCannotBe(t *testing.T) {
	for want, change := range map[string]func(*m365.Options){
		"tenant must be the directory's GUID":       func(o *m365.Options) { o.Tenant = "contoso.example" },
		"client id must be the application's GUID":  func(o *m365.Options) { o.ClientID = "" },
		"publisher must be a GUID":                  func(o *m365.Options) { o.Publisher = "me" },
		"there is no plan":                          func(o *m365.Options) { o.Plan = "e5" },
		"API address http://manage.example is not":  func(o *m365.Options) { o.API = "http://manage.example" },
		"login address http://10.0.0.1 is not":      func(o *m365.Options) { o.Login = "http://10.0.0.1" },
		"API address cannot be read":                func(o *m365.Options) { o.API = "manage.office.com" },
		"API address must have no user":             func(o *m365.Options) { o.API = "https://a:" + secret + "@manage.office.com" },
		"login address must have no user, query":    func(o *m365.Options) { o.Login = "https://login.example?x" },
		"API address ftp://manage.example is not":   func(o *m365.Options) { o.API = "ftp://manage.example" },
		"address http://localhost.evil.test is not": func(o *m365.Options) { o.API = "http://localhost.evil.test" },
	} {
		o := m365.Options{Tenant: tenant, ClientID: app}
		change(&o)
		if _, err := m365.New(o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, api := range []string{"", "http://127.0.0.1:1", "http://[::1]:1/base", "http://localhost:1", "https://proxy.example/office/"} {
		if _, err := m365.New(m365.Options{Tenant: tenant, ClientID: app, API: api}); err != nil {
			t.Errorf("%q: %v", api, err)
		}
	}
}

func TestEveryPlanHasItsHosts(t *testing.T) {
	for _, plan := range m365.Plans {
		var asked []string
		c, err := m365.New(m365.Options{
			Tenant: tenant, ClientID: app, Plan: plan.Name, Publisher: "99999999-9999-9999-9999-999999999999",
			Credential: credential.FromSecret(secretFile(t, secret)),
			Shared: rest.Shared{Transport: handler(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
				if strings.HasSuffix(r.URL.Path, "/token") {
					if got := r.FormValue("scope"); got != plan.API+"/.default" {
						t.Errorf("%s: scope %s", plan.Name, got)
					}
					io.WriteString(w, `{"access_token":"t","expires_in":"3599"}`)
					return
				}
				if got := r.URL.RawQuery; got != "PublisherIdentifier=99999999-9999-9999-9999-999999999999" {
					t.Errorf("%s: query %s", plan.Name, got)
				}
				io.WriteString(w, `[]`)
			})},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Subscriptions(t.Context(), budget.Head); err != nil {
			t.Error(err)
		}
		want := plan.Login + "/" + tenant + "/oauth2/v2.0/token " + plan.API + "/api/v1.0/" + tenant + "/activity/feed/subscriptions/list"
		if got := strings.Join(asked, " "); got != want {
			t.Errorf("%s: asked %s, want %s", plan.Name, got, want)
		}
	}
}

func TestSubscriptions(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("PublisherIdentifier") != tenant {
			t.Errorf("publisher missing in %s", r.URL)
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/subscriptions/list") && r.Method == http.MethodGet:
			io.WriteString(w, `[{"contentType":"Audit.Exchange","status":"enabled","webhook":{"status":"expired","address":"https://h.example/x","authId":"`+secret+`","expiration":null}},
				{"contentType":"DLP.All","status":"disabled","webhook":null},{"contentType":"Audit.General","webhook":{"expiration":"2026-05-01T00:00:00.00Z"}}]`)
		case strings.HasSuffix(r.URL.Path, "/subscriptions/start") && r.Method == http.MethodPost:
			body, _ := io.ReadAll(r.Body)
			switch typ := r.URL.Query().Get("contentType"); {
			case typ == "Audit.SharePoint" && len(body) == 0:
				io.WriteString(w, `{"contentType":"Audit.SharePoint","status":"enabled","webhook":null}`)
			case typ == "Audit.Exchange" && string(body) == `{"webhook":{"address":"https://h.example/x","authId":"`+secret+`","expiration":"2026-05-01T00:00:00Z"}}`:
				w.WriteHeader(400)
				io.WriteString(w, `{"error":{"code":"AF20024","message":"The subscription is already enabled. No property change."}}`)
			default:
				t.Errorf("start %s with %s", typ, body)
			}
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	})
	c := s.client(t)
	list, err := c.Subscriptions(t.Context(), budget.Head)
	if err != nil || len(list) != 3 || !list[0].Enabled() || list[1].Enabled() || !list[2].Enabled() || list[1].Webhook != nil {
		t.Fatalf("%+v, %v", list, err)
	}
	if h := list[0].Webhook; h.Status != "expired" || h.AuthID.Reveal() != secret || !h.Expiration.IsZero() {
		t.Errorf("webhook %+v", h)
	}
	if text := fmt.Sprintf("%+v %v", list, *list[0].Webhook); strings.Contains(text, secret) {
		t.Errorf("the webhook's secret is printed: %s", text)
	}
	if got := list[2].Webhook.Expiration; !got.Equal(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("expires %v", got)
	}
	if sub, err := c.Start(t.Context(), budget.Head, "Audit.SharePoint", nil); err != nil || !sub.Enabled() {
		t.Errorf("%+v, %v", sub, err)
	}
	hook := &m365.Webhook{Address: "https://h.example/x", AuthID: credential.NewSecret(secret), Expiration: time.Date(2026, 5, 1, 2, 0, 0, 0, time.FixedZone("", 7200))}
	if sub, err := c.Start(t.Context(), budget.Head, "Audit.Exchange", hook); err != nil || sub.Status != "enabled" || sub.ContentType != "Audit.Exchange" {
		t.Errorf("a subscription that is enabled already: %+v, %v", sub, err)
	}
}

// handler is a transport that answers without a network.
type handler func(w http.ResponseWriter, r *http.Request)

func (h handler) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body != nil {
		defer r.Body.Close()
	}
	w := httptest.NewRecorder()
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	h(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

func contextWithTimeout(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), d)
}
