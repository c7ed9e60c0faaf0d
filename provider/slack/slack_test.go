// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/slack"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// newClient is a client of a service whose answers a test decides. token holds what it proves itself with.
func newClient(t *testing.T, serve http.HandlerFunc) (c *slack.Client, token string) {
	t.Helper()
	web := httptest.NewServer(serve)
	t.Cleanup(web.Close)
	token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("xoxp-first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + token)
	if err != nil {
		t.Fatal(err)
	}
	c, err = slack.New(slack.Options{API: web.URL, Token: ref, Shared: rest.Shared{Log: slog.New(slog.DiscardHandler), Budget: budget.New(budget.Options{PerMinute: 1_000_000})}})
	if err != nil {
		t.Fatal(err)
	}
	return c, token
}

func list(t *testing.T, c *slack.Client, next string) (*slack.Page, error) {
	t.Helper()
	return c.List(t.Context(), budget.Head, noon.Add(250*time.Millisecond), noon.Add(1500*time.Millisecond), next)
}

// TestWhatIsAskedFor: the window in whole seconds, its page behind a cursor, and the token.
func TestWhatIsAskedFor(t *testing.T) {
	var asked []string
	c, _ := newClient(t, func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, strings.Join([]string{r.URL.Path, q.Get("oldest"), q.Get("latest"), q.Get("limit"), q.Get("cursor"), r.Header.Get("Authorization")}, " "))
		_, _ = w.Write([]byte(`{"entries":[{"id":"b"}, {"id":"a","n":1e3}],"response_metadata":{"next_cursor":"dXNlcg=="}}`))
	})
	page, err := list(t, c, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Records) != 2 || string(page.Records[1]) != `{"id":"a","n":1e3}` || page.Next != "dXNlcg==" || page.At.IsZero() {
		t.Errorf("page %q next %q at %v", page.Records, page.Next, page.At)
	}
	if _, err := list(t, c, page.Next); err != nil {
		t.Fatal(err)
	}
	const want = "/audit/v1/logs 1772539200 1772539202 1000 "
	if diff := cmp.Diff([]string{want + " Bearer xoxp-first", want + "dXNlcg== Bearer xoxp-first"}, asked); diff != "" {
		t.Error(diff)
	}
}

// TestRefusals: each refusal, with a status that says so or with 200, is of the class that says what to do.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		next   string
		want   rest.Class
	}{
		{401, `{"ok":false,"error":"invalid_auth"}`, "", rest.ClassAuth},
		{200, `{"ok":false,"error":"invalid_auth"}`, "", rest.ClassAuth},
		{200, `{"ok":false,"error":"token_revoked"}`, "", rest.ClassAuth},
		{403, `{"ok":false,"error":"missing_scope"}`, "", rest.ClassAdmin},
		{200, `{"ok":false,"error":"feature_not_enabled"}`, "", rest.ClassAdmin},
		{400, `{"ok":false,"error":"invalid_workspace"}`, "", rest.ClassAdmin},
		{403, `{"ok":false,"error":"team_not_authorized"}`, "", rest.ClassAdmin},
		{400, `{"ok":false,"error":"invalid_arguments"}`, "", rest.ClassWindow},
		{400, `{"ok":false,"error":"invalid_cursor"}`, "x", rest.ClassPage},
		{200, `{"ok":false,"error":"invalid_cursor"}`, "x", rest.ClassPage},
		{200, `{"ok":false,"error":"a new one"}`, "", rest.ClassRetry},
		{200, `{"ok":true}`, "", rest.ClassRetry},
		{200, `{"entries":{}}`, "", rest.ClassRetry},
		{200, `[]`, "", rest.ClassRetry},
		{200, `{"entries":[`, "", rest.ClassRetry},
		{200, `{"entries":[],"response_metadata":{"next_cursor":"` + strings.Repeat("a", 70<<10) + `"}}`, "", rest.ClassHostile},
		{500, `{"ok":false,"error":"internal_error"}`, "", rest.ClassRetry},
		{502, `<html>`, "", rest.ClassRetry},
	} {
		c, _ := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		})
		_, err := list(t, c, test.next)
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) || e.Class != test.want || strings.Contains(err.Error(), "xoxp-") {
			t.Errorf("status %d %.80s: %v, want class %v", test.status, test.body, err, test.want)
		}
	}
}

func TestTooManyRequests(t *testing.T) {
	asked := 0
	c, _ := newClient(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "0.01")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = w.Write([]byte(`{"ok":false,"error":"ratelimited"}`))
			return
		}
		_, _ = w.Write([]byte(`{"entries":[]}`))
	})
	if _, err := list(t, c, ""); err != nil || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestAnExchangedToken: the token is read anew after a refusal, whatever its status, and a refused one is not sent again at once.
func TestAnExchangedToken(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusUnauthorized} {
		good, asked := "xoxp-first", 0
		c, file := newClient(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			if r.Header.Get("Authorization") != "Bearer "+good {
				w.WriteHeader(status)
				_, _ = w.Write([]byte(`{"ok":false,"error":"invalid_auth"}`))
				return
			}
			_, _ = w.Write([]byte(`{"entries":[]}`))
		})
		if _, err := list(t, c, ""); err != nil {
			t.Fatal(err)
		}
		good = "xoxp-second"
		for range 5 {
			if _, err := list(t, c, ""); err == nil || strings.Contains(err.Error(), "xoxp-") {
				t.Errorf("the old token: %v", err)
			}
		}
		if asked > 3 {
			t.Errorf("status %d: a refused token was sent %d times", status, asked-1)
		}
		if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := list(t, c, ""); err != nil {
			t.Errorf("status %d: the new token: %v", status, err)
		}
	}
}
