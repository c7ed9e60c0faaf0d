// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package graph_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/graph"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// newClient is a client of a service whose answers a test decides.
func newClient(t testing.TB, serve http.HandlerFunc) *graph.Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("tops3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := graph.New(graph.Options{
		Tenant: "11111111-2222-3333-4444-555555555555", ClientID: "66666666-7777-8888-9999-000000000000", API: "http://127.0.0.1:1", Login: "http://127.0.0.1:1",
		Credential: credential.FromSecret(ref),
		Shared: rest.Shared{
			Log: slog.New(slog.DiscardHandler), Budget: budget.New(budget.Options{PerMinute: 1 << 30}),
			Transport: transport(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/token") {
					_, _ = w.Write([]byte(`{"access_token":"tok3n.of.mine","expires_in":3599}`))
					return
				}
				serve(w, r)
			}),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type transport http.HandlerFunc

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	f(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

func list(t testing.TB, c *graph.Client, stream string) (*graph.Page, error) {
	t.Helper()
	s, ok := graph.Lookup(stream)
	if !ok {
		t.Fatalf("there is no stream %s", stream)
	}
	return c.List(t.Context(), budget.Head, s, noon, noon.Add(90*time.Second), "")
}

// TestWhatIsAskedFor: each endpoint for what it documents: a window with or without its end, another kind, or all there is.
func TestWhatIsAskedFor(t *testing.T) {
	const from, to = " ge 2026-03-03T12:00:00Z and ", " 2026-03-03T12:01:30Z"
	for stream, want := range map[string]string{
		"signIns":                  "/v1.0/auditLogs/signIns createdDateTime" + from + "createdDateTime lt" + to + " 1000",
		"signIns.servicePrincipal": "/beta/auditLogs/signIns createdDateTime" + from + "createdDateTime lt" + to + " and signInEventTypes/any(t: t eq 'servicePrincipal') 1000",
		"riskDetections":           "/v1.0/identityProtection/riskDetections detectedDateTime" + from + "detectedDateTime lt" + to + " 500",
		"riskyUsers":               "/v1.0/identityProtection/riskyUsers  500",
		"userRegistrationDetails":  "/v1.0/reports/authenticationMethods/userRegistrationDetails  ",
		"alerts":                   "/v1.0/security/alerts_v2 lastUpdateDateTime" + from + "lastUpdateDateTime lt" + to + " 500",
		"incidents":                "/v1.0/security/incidents lastUpdateDateTime" + from + "lastUpdateDateTime lt" + to + " 50",
		"messageTraces":            "/v1.0/admin/exchange/tracing/messageTraces receivedDateTime" + from + "receivedDateTime le" + to + " 5000",
	} {
		got := ""
		c := newClient(t, func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.Path + " " + r.URL.Query().Get("$filter") + " " + r.URL.Query().Get("$top")
			if strings.Contains(r.URL.RawQuery, "+") {
				t.Errorf("%s: a blank is a plus: %s", stream, r.URL.RawQuery)
			}
			_, _ = w.Write([]byte(`{"value":[{"id":"a"}]}`))
		})
		page, err := list(t, c, stream)
		if err != nil || len(page.Records) != 1 || page.Next != "" {
			t.Errorf("%s: %v", stream, err)
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", stream, got, want)
		}
	}
}

// TestAFullPageWithoutALink is believed of logs, which say where the next one is, and not of alerts and incidents.
func TestAFullPageWithoutALink(t *testing.T) {
	for stream, n := range map[string]int{"alerts": 500, "incidents": 50, "riskDetections": 500} {
		answer := `{"value":[{}` + strings.Repeat(",{}", n-1) + `]`
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer + "}")) })
		_, err := list(t, c, stream)
		e := (*rest.Error)(nil)
		if unlinked := stream != "riskDetections"; unlinked != errors.As(err, &e) || unlinked && e.Class != rest.ClassPage {
			t.Errorf("%s: %v", stream, err)
		}
		c = newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(answer + `,"@odata.nextLink":"http://127.0.0.1:1/v1.0/next"}`))
		})
		if page, err := list(t, c, stream); err != nil || page.Next == "" {
			t.Errorf("%s: %v", stream, err)
		}
	}
}

// FuzzAnswers: whatever the API answers, a page has what its values are, byte by byte, its link leads to the same host, or
// there is an error that says what to do and holds no token.
func FuzzAnswers(f *testing.F) {
	f.Add(200, `{"value":[{"id":"a"},[]],"@odata.nextLink":"http://127.0.0.1:1/v1.0/x?$skiptoken=a"}`)
	f.Add(200, `{"value":[],"@odata.nextLink":"https://evil.example/"}`)
	f.Add(403, `{"error":{"code":"Forbidden","message":"tok3n.of.mine"}}`)
	f.Add(200, `<html>`)
	names := []string{"alerts", "riskyUsers", "messageTraces"}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 || status == http.StatusTooManyRequests || strings.Contains(body, "TooManyRequests") || strings.Contains(body, `\u`) {
			t.Skip("no final answer")
		}
		c := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
		page, err := list(t, c, names[len(body)%len(names)])
		if err != nil {
			e := (*rest.Error)(nil)
			if !errors.As(err, &e) || strings.Contains(fmt.Sprint(err), "tok3n.of.mine") {
				t.Errorf("%d %q: %v", status, body, err)
			}
			return
		}
		if page.Next != "" && !strings.HasPrefix(strings.ToLower(page.Next), "http://127.0.0.1:1") {
			t.Errorf("%q leads to %q", body, page.Next)
		}
		for _, raw := range page.Records {
			if !strings.Contains(body, string(raw)) || !json.Valid(raw) {
				t.Errorf("%q is not in %q", raw, body)
			}
		}
	})
}
