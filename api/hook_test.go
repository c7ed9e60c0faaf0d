// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
)

const (
	hookTenant = "11111111-2222-3333-4444-555555555555"
	hookAuthID = "a word of more than sixteen"
)

// withHook configures a source that has a webhook, at a provider that never lets it
// begin.
func withHook(t *testing.T) func(*config.Config) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(provider.Close)
	t.Setenv("DAYBREAK_TEST_HOOK", hookAuthID)
	t.Setenv("DAYBREAK_TEST_SECRET", "not asked for")
	return func(c *config.Config) {
		text := `
[[source]]
name = "contoso"
type = "m365"
tenant = "` + hookTenant + `"
client_id = "66666666-7777-8888-9999-000000000000"
client_secret = "env:DAYBREAK_TEST_SECRET"
api = "` + provider.URL + `"
login = "` + provider.URL + `"
webhook = { url = "https://audit.example.com/hook/m365/contoso", auth_id = "env:DAYBREAK_TEST_HOOK" }

[[source]]
name = "quiet"
type = "m365"
tenant = "21111111-2222-3333-4444-555555555555"
client_id = "66666666-7777-8888-9999-000000000000"
client_secret = "env:DAYBREAK_TEST_SECRET"
api = "` + provider.URL + `"
login = "` + provider.URL + `"

[[source]]
name = "workspace"
type = "google"
tenant = "C01abc23d"
admin = "a@example.com"
service_account = "env:DAYBREAK_TEST_SECRET"
api = "` + provider.URL + `"
login = "` + provider.URL + `"
webhook = { url = "https://audit.example.com/hook/google/workspace", auth_id = "env:DAYBREAK_TEST_HOOK" }
`
		parsed, err := config.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		c.Sources = parsed.Sources
	}
}

// ready waits until the source has read its AuthID.
func (s *server) hookReady(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		st, err := s.Status(t.Context()) // to knock would be counted
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(st.Sources, func(x v1.Source) bool { return x.Name == "contoso" && x.State == node.Running }) {
			return
		}
	}
	t.Fatal("the webhook does not answer")
}

func TestWebhook(t *testing.T) {
	s := start(t, withHook(t))
	s.hookReady(t)
	auth := func(extra ...string) map[string]string {
		h := map[string]string{"Webhook-AuthID": hookAuthID}
		for i := 0; i < len(extra); i += 2 {
			h[extra[i]] = extra[i+1]
		}
		return h
	}
	const news = `[{"tenantId":"` + hookTenant + `","clientId":"x","contentType":"Audit.Exchange","contentId":"1","contentUri":"https://evil.example/","contentCreated":"2026-01-01T00:00:00Z"}]`
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		body               string
		want               int
	}{
		{"news", "POST", "/hook/m365/contoso", auth(), news, 200},
		{"news under a public name", "POST", "/hook/m365/contoso", auth("Host", "audit.example.com"), news, 200},
		{"nothing new", "POST", "/hook/m365/contoso", auth(), "[]", 200},
		{"a stream that is unknown", "POST", "/hook/m365/contoso", auth(), `[{"contentType":"Audit.Mars"}]`, 200},
		{"handshake", "POST", "/hook/m365/contoso", auth("Webhook-ValidationCode", "abc"), `{"validationCode":"abc"}`, 200},
		{"handshake of a stranger", "POST", "/hook/m365/contoso", map[string]string{"Webhook-ValidationCode": "abc"}, `{"validationCode":"abc"}`, 403},
		{"no AuthID", "POST", "/hook/m365/contoso", nil, news, 403},
		{"wrong AuthID", "POST", "/hook/m365/contoso", map[string]string{"Webhook-AuthID": hookAuthID + "x"}, news, 403},
		{"beginning of the AuthID", "POST", "/hook/m365/contoso", map[string]string{"Webhook-AuthID": hookAuthID[:20]}, news, 403},
		{"our token is no AuthID", "POST", "/hook/m365/contoso", map[string]string{"Webhook-AuthID": s.token, "Authorization": "Bearer " + s.token}, news, 403},
		{"a source without webhook", "POST", "/hook/m365/quiet", auth(), news, 403},
		{"no such source", "POST", "/hook/m365/nobody", auth(), news, 403},
		{"another tenant", "POST", "/hook/m365/contoso", auth(), strings.ReplaceAll(news, hookTenant, "99999999-2222-3333-4444-555555555555"), 400},
		{"no array", "POST", "/hook/m365/contoso", auth(), `{"tenantId":"x"}`, 400},
		{"no JSON", "POST", "/hook/m365/contoso", auth(), `<html>`, 400},
		{"cut", "POST", "/hook/m365/contoso", auth(), news[:40], 400},
		{"numbers", "POST", "/hook/m365/contoso", auth(), `[1,2]`, 400},
		{"64 KiB", "POST", "/hook/m365/contoso", auth(), "[" + strings.Repeat(" ", 64<<10-2) + "]", 200},
		{"more", "POST", "/hook/m365/contoso", auth(), "[" + strings.Repeat(" ", 64<<10-1) + "]", 413},
		{"read", "GET", "/hook/m365/contoso", auth(), "", 405},
		{"deeper", "POST", "/hook/m365/contoso/x", auth(), news, 404},
		{"from a web page", "POST", "/hook/m365/contoso", auth("Origin", "https://evil.example"), news, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := s.call(t, c.method, c.path, c.header, c.body)
			if res.StatusCode != c.want {
				t.Errorf("%d %s, want %d", res.StatusCode, body, c.want)
			}
			if strings.Contains(body, hookAuthID) || strings.Contains(body, s.token) {
				t.Error("the answer shows a secret")
			}
		})
	}

	_, metrics := s.call(t, "GET", "/metrics", nil, "")
	for _, want := range []string{
		`daybreak_webhook_requests_total{result="validated",source="contoso"} 1`,
		`daybreak_webhook_requests_total{result="forged",source="contoso"} 5`,
		`daybreak_webhook_requests_total{result="forged",source="quiet"} 1`,
		`daybreak_webhook_requests_total{result="forged",source=""} 1`,
		`daybreak_webhook_requests_total{result="malformed",source="contoso"} 5`,
		`daybreak_webhook_requests_total{result="large",source="contoso"} 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if strings.Contains(metrics, "nobody") {
		t.Error("a stranger has made up a metric")
	}
}

// TestWebhookFlood: who does not know the AuthID wears out his own allowance and
// not that of those who do.
func TestWebhookFlood(t *testing.T) {
	s := start(t, withHook(t))
	s.hookReady(t)
	refused := 0
	for ; refused < 5000; refused++ {
		res, _ := s.call(t, "POST", "/hook/m365/contoso", nil, "[]")
		if res.StatusCode == 429 {
			break
		}
		if res.StatusCode != 403 {
			t.Fatalf("status %d", res.StatusCode)
		}
	}
	if refused < 30 || refused == 5000 {
		t.Errorf("told to wait after %d requests", refused)
	}
	if res, body := s.call(t, "POST", "/hook/m365/contoso", map[string]string{"Webhook-AuthID": hookAuthID}, "[]"); res.StatusCode != 200 {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// TestGoogleWebhook: who does not know the word, and who names a channel that is not open, get one answer; and no source is reached
// by the path of another type. What is taken is tested where channels are open: cli/testdata/sim-google.txtar, test/streams.
func TestGoogleWebhook(t *testing.T) {
	s := start(t, withHook(t))
	s.hookReady(t)
	same := ""
	for _, c := range []struct {
		name, method, path, token, channel string
		want                               int
	}{
		{"a channel of nobody", "POST", "/hook/google/workspace", hookAuthID, "AAAA", 403},
		{"no channel", "POST", "/hook/google/workspace", hookAuthID, "", 403},
		{"a wrong word", "POST", "/hook/google/workspace", hookAuthID + "x", "AAAA", 403},
		{"no word", "POST", "/hook/google/workspace", "", "AAAA", 403},
		{"a source of another type", "POST", "/hook/google/contoso", hookAuthID, "AAAA", 403},
		{"the path of another type", "POST", "/hook/m365/workspace", hookAuthID, "AAAA", 403},
		{"no such source", "POST", "/hook/google/nobody", hookAuthID, "AAAA", 403},
		{"read", "GET", "/hook/google/workspace", hookAuthID, "AAAA", 405},
	} {
		res, body := s.call(t, c.method, c.path, map[string]string{
			"X-Goog-Channel-Token": c.token, "X-Goog-Channel-Id": c.channel, "X-Goog-Resource-State": "create", "Webhook-AuthID": c.token,
		}, "")
		if same == "" {
			same = body
		}
		if res.StatusCode != c.want || c.want == 403 && body != same {
			t.Errorf("%s: %d %s", c.name, res.StatusCode, body)
		}
	}
}
