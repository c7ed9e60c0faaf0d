// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/github"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

var (
	noon  = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)
	quiet = slog.New(slog.DiscardHandler)
)

// newClient is a client of a service whose answers a test decides. token holds what it proves itself with.
func newClient(t *testing.T, o github.Options, serve http.HandlerFunc) (c *github.Client, base, token string) {
	t.Helper()
	web := httptest.NewServer(serve)
	t.Cleanup(web.Close)
	token = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("ghp_first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + token)
	if err != nil {
		t.Fatal(err)
	}
	if o.Account == "" {
		o.Account = "contoso"
	}
	o.API, o.Token, o.Log, o.Budget = web.URL, ref, quiet, budget.New(budget.Options{PerMinute: 1_000_000})
	if c, err = github.New(o); err != nil {
		t.Fatal(err)
	}
	return c, web.URL, token
}

func list(t *testing.T, c *github.Client, next string) (*github.Page, error) {
	t.Helper()
	s, ok := github.Lookup("git")
	if !ok {
		t.Fatal("there is no stream git")
	}
	return c.List(t.Context(), budget.Head, s, noon, noon.Add(1500*time.Millisecond), next)
}

// TestWhatIsAskedFor: the window, its page behind a cursor, and the token.
func TestWhatIsAskedFor(t *testing.T) {
	var asked []string
	serve := func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		asked = append(asked, strings.Join([]string{r.URL.Path, q.Get("phrase"), q.Get("include"), q.Get("order"), q.Get("per_page"), q.Get("after"), r.Header.Get("Authorization")}, " "))
		w.Header().Set("Link", `<http://`+r.Host+`/organizations/77/audit-log?phrase=&after=MTc%3DfGE%3D&before=>; rel="next"`)
		_, _ = w.Write([]byte(`[{"_document_id":"a"}, {"_document_id":"b","n":1e3}]`))
	}
	for _, enterprise := range []bool{false, true} {
		asked = nil
		c, _, _ := newClient(t, github.Options{Enterprise: enterprise}, serve)
		if c.Heard() {
			t.Error("the API is said to have answered before it was asked")
		}
		page, err := list(t, c, "")
		if err != nil {
			t.Fatal(err)
		}
		if !c.Heard() || len(page.Records) != 2 || string(page.Records[1]) != `{"_document_id":"b","n":1e3}` || page.Next != "MTc=fGE=" || page.At.IsZero() {
			t.Errorf("page %q next %q at %v", page.Records, page.Next, page.At)
		}
		if _, err := list(t, c, page.Next); err != nil {
			t.Fatal(err)
		}
		path := "/orgs/contoso/audit-log"
		if enterprise {
			path = "/enterprises/contoso/audit-log"
		}
		want := path + " created:2026-03-03T12:00:00Z..2026-03-03T12:00:02Z git asc 100 "
		if diff := cmp.Diff([]string{want + " Bearer ghp_first", want + "MTc=fGE= Bearer ghp_first"}, asked); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLinks(t *testing.T) {
	for header, want := range map[string]string{
		"":                                  "",
		`<https://a/x?after=1>; rel="next"`: "https://a/x?after=1",
		`<https://a/f>; rel="first", <https://a/x?a=1,2;b>; rel="next"`: "https://a/x?a=1,2;b",
		`<https://a/x>;REL=next`:                                         "https://a/x",
		`<https://a/x>; title="a, b; c"; rel="prev next"`:                "https://a/x",
		`<https://a/p>; rel="prev"`:                                      "",
		`<https://a/x; rel="next"`:                                       "",
		`https://a/x; rel="next"`:                                        "",
		`<https://a/x>; rel="nextish", <https://a/y>; foo; rel = "next"`: "https://a/y",
		`<>; rel="next"`:                                                 "",
		strings.Repeat("<", 1000):                                        "",
		strings.Repeat("<>,", 1000) + `<https://a/x>; rel="next"`:        "https://a/x",
	} {
		if got := github.NextLink([]string{header}); got != want {
			t.Errorf("%.80s: %q, want %q", header, got, want)
		}
	}
	if got := github.NextLink([]string{`<https://a/p>; rel="prev"`, `<https://a/x>; rel="next"`}); got != "https://a/x" {
		t.Errorf("of two headers: %q", got)
	}
}

func FuzzLinks(f *testing.F) {
	f.Add(`<https://a/f>; rel="first", <https://a/x?a=1,2>; rel="next"`)
	f.Fuzz(func(t *testing.T, header string) {
		if got := github.NextLink([]string{header}); !strings.Contains(header, "<"+got+">") && got != "" {
			t.Errorf("%q is not in %q", got, header)
		}
	})
}

// TestHostileLinks: the token goes nowhere else, whatever an answer says.
func TestHostileLinks(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer elsewhere.Close()
	for _, link := range []string{
		elsewhere.URL + "/orgs/contoso/audit-log?after=x", "https://user:pw@github.example/?after=x", "//evil.example/?after=x", "/orgs/contoso/audit-log?after=x",
		"javascript:alert(1)", "HOST/" + strings.Repeat("a", 70<<10) + "?after=x", "HOST/orgs/contoso/audit-log?page=2",
	} {
		c, _, _ := newClient(t, github.Options{}, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "<"+strings.ReplaceAll(link, "HOST", "http://"+r.Host)+`>; rel="next"`)
			_, _ = w.Write([]byte(`[]`))
		})
		_, err := list(t, c, "")
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) || e.Class != rest.ClassHostile && !strings.Contains(link, "page=2") || strings.Contains(err.Error(), "ghp_") {
			t.Errorf("%.60s: %v", link, err)
		}
	}
}

// TestRefusals: each refusal is of the class that says what to do.
func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		next   string
		want   rest.Class
	}{
		{403, `{"message":"Resource not accessible by personal access token","documentation_url":"https://docs.github.com/rest","status":"403"}`, "", rest.ClassAdmin},
		{404, `{"message":"Not Found"}`, "", rest.ClassAdmin},
		{401, `{"message":"Bad credentials"}`, "", rest.ClassAuth},
		{422, `{"message":"Validation Failed"}`, "", rest.ClassWindow},
		{422, `{"message":"Validation Failed"}`, "cursor", rest.ClassPage},
		{502, `<html>`, "", rest.ClassRetry},
		{200, `{"message":"an object"}`, "", rest.ClassRetry},
		{200, `[{"a":1}`, "", rest.ClassRetry},
		{200, `[{"a":}]`, "", rest.ClassRetry},
		{200, ``, "", rest.ClassRetry},
		{301, ``, "", rest.ClassRetry},
	} {
		c, _, _ := newClient(t, github.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		})
		_, err := list(t, c, test.next)
		e := (*rest.Error)(nil)
		if !errors.As(err, &e) || e.Class != test.want || strings.Contains(err.Error(), "ghp_") {
			t.Errorf("status %d %s: %v, want class %v", test.status, test.body, err, test.want)
		}
	}
}

// TestTooManyRequests: a limit, of either kind, is waited for and not an error.
func TestTooManyRequests(t *testing.T) {
	asked := 0
	c, _, _ := newClient(t, github.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("Retry-After", "0.01")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"message":"slow down"}`))
			return
		}
		_, _ = w.Write([]byte(`[]`))
	})
	if _, err := list(t, c, ""); err != nil || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	date := noon.Format(http.TimeFormat)
	for _, test := range []struct {
		header map[string]string
		want   time.Duration
	}{
		{map[string]string{}, 0},
		{map[string]string{"Retry-After": "7", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 7 * time.Second},
		{map[string]string{"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "1772539260"}, 0},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772539260", "Date": date}, time.Minute},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772530000", "Date": date}, time.Second},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "9223372036854775807", "Date": date}, 2 * time.Hour},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "-9223372036854775808", "Date": date}, time.Second},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon", "Date": date}, time.Minute},
		{map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772539260"}, time.Minute},
	} {
		h := http.Header{}
		for k, v := range test.header {
			h.Set(k, v)
		}
		if got := github.RetryAfter(h); got != test.want {
			t.Errorf("%v: %v, want %v", test.header, got, test.want)
		}
	}
}

// TestASecondaryLimit: a refusal that names no time, and is known by the page of the documentation that it points to.
func TestASecondaryLimit(t *testing.T) {
	for body, want := range map[string]rest.Class{
		`{"message":"wait","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`: rest.ClassThrottled,
		`{"message":"You have exceeded a secondary rate limit","documentation_url":"https://docs.github.com/rest"}`:                                         rest.ClassAdmin, // texts are not looked at
		`{"message":{},"documentation_url":7}`: rest.ClassAdmin,
		`[]`:                                   rest.ClassAdmin,
	} {
		e := &rest.Error{Status: http.StatusForbidden}
		e.Code, e.Message = github.Explain([]byte(body))
		github.Judge(e)
		if e.Class != want || want == rest.ClassThrottled && e.RetryAfter != time.Minute {
			t.Errorf("%s: %v, wait %v", body, e, e.RetryAfter)
		}
	}
}

// TestAnExchangedToken: the token is read anew after a 401.
func TestAnExchangedToken(t *testing.T) {
	good := "ghp_first"
	c, _, file := newClient(t, github.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+good {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"message":"Bad credentials: ` + r.Header.Get("Authorization") + `"}`))
			return
		}
		_, _ = w.Write([]byte(`[]`))
	})
	if _, err := list(t, c, ""); err != nil {
		t.Fatal(err)
	}
	good = "ghp_second"
	if _, err := list(t, c, ""); err == nil || strings.Contains(err.Error(), "ghp_") {
		t.Errorf("the old token: %v", err)
	}
	if err := os.WriteFile(file, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := list(t, c, ""); err != nil {
		t.Errorf("the new token: %v", err)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []github.Options{
		{}, {Account: "a/b"}, {Account: "../x"}, {Account: "-a"}, {Account: strings.Repeat("a", 101)}, {Account: "a", API: "http://github.example"}, {Account: "a", API: "https://u:p@github.example"},
	} {
		if _, err := github.New(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

// TestAuditStreams: the streams of an enterprise's log are read whole, and what does not say how they stand is not taken for
// an answer.
func TestAuditStreams(t *testing.T) {
	asked := ""
	client := func(status int, answer string) *github.Client {
		c, _, _ := newClient(t, github.Options{Enterprise: true}, func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.Path
			w.WriteHeader(status)
			_, _ = w.Write([]byte(answer))
		})
		return c
	}
	got, err := client(http.StatusOK, `[{"id":1,"stream_type":"Splunk","stream_details":"US","enabled":true,"created_at":"2024-06-06T08:00:00Z","updated_at":"2024-06-06T08:00:00Z","paused_at":null},
		{"id":2,"stream_type":"Amazon S3","stream_details":"b\u000an","enabled":false,"paused_at":"2024-06-07T08:00:00Z"}]`).AuditStreams(t.Context(), budget.Sweep)
	want := []github.AuditStream{{ID: 1, Type: "Splunk", Details: "US", Enabled: true}, {ID: 2, Type: "Amazon S3", Details: "b n", PausedAt: "2024-06-07T08:00:00Z"}}
	if err != nil || !slices.Equal(got, want) || !strings.HasPrefix(asked, "/enterprises/") || !strings.HasSuffix(asked, "/audit-log/streams") {
		t.Errorf("%s: %+v, %v: want %+v", asked, got, err, want)
	}
	for _, test := range []struct {
		status int
		body   string
		want   rest.Class
	}{
		{404, `{"message":"Not Found"}`, rest.ClassAdmin},
		{403, `{"message":"Must have admin rights"}`, rest.ClassAdmin},
		{401, `{"message":"Bad credentials"}`, rest.ClassAuth},
		{200, `[{"id":1}]`, rest.ClassHostile},
		{200, `[{"enabled":true}]`, rest.ClassHostile},
		{200, `{"streams":[]}`, rest.ClassRetry},
		{200, `[{"id":1,"enabled":true}`, rest.ClassRetry},
		{200, "[" + strings.Repeat(`{"id":1,"enabled":true},`, 1000) + `{"id":1,"enabled":true}]`, rest.ClassHostile},
	} {
		if list, err := client(test.status, test.body).AuditStreams(t.Context(), budget.Sweep); rest.Of(err).Class != test.want || err == nil {
			t.Errorf("status %d %.60s: %+v, %v: want class %v", test.status, test.body, list, err, test.want)
		}
	}
}
