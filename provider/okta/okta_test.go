// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package okta_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/okta"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

var (
	from = time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	to   = from.Add(time.Hour)
)

// client returns one of an organization that answers so, with the token in a file.
func client(t *testing.T, answer http.HandlerFunc) (c *okta.Client, base, file string) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	file = filepath.Join(t.TempDir(), "token")
	write(t, file, "00secretTokenOfThisTest")
	ref, err := credential.ParseReference("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	c, err = okta.New(okta.Options{
		Org: "contoso.okta.com", API: server.URL, Token: ref,
		Shared: rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: slog.New(slog.DiscardHandler)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c, server.URL, file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantClass checks the class of an error and that no part of it holds the token.
func wantClass(t *testing.T, err error, class string) {
	t.Helper()
	e := new(okta.Error)
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an error of the API", err)
	}
	if e.Class.String() != class {
		t.Errorf("%v is of class %s, want %s", err, e.Class, class)
	}
	if text := fmt.Sprint(err, string(e.Sample)); strings.Contains(text, "secretToken") {
		t.Errorf("it shows the token: %s", text)
	}
}

// TestQueries: what is asked for, by both kinds of requests.
func TestQueries(t *testing.T) {
	var asked atomic.Pointer[http.Request]
	c, _, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		w.Header().Set("Link", `<http://`+r.Host+`/api/v1/logs?after=1>; rel="next"`)
		_, _ = w.Write([]byte(`[{"uuid":"a"}, {"uuid":"b"}]`))
	})
	page, err := c.Poll(t.Context(), budget.Head, from, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Records) != 2 || string(page.Records[0]) != `{"uuid":"a"}` {
		t.Errorf("page %q", page.Records)
	}
	r := asked.Load()
	if got, want := r.URL.RequestURI(), "/api/v1/logs?limit=1000&since=2026-03-03T09%3A59%3A59.999Z&sortOrder=ASCENDING"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	if got := r.Header.Get("Authorization"); got != "SSWS 00secretTokenOfThisTest" {
		t.Errorf("authorized by %q", got)
	}
	if _, err := c.Poll(t.Context(), budget.Head, from, page.Next); err != nil {
		t.Fatal(err)
	}
	if got := asked.Load().URL.RequestURI(); got != "/api/v1/logs?after=1" {
		t.Errorf("the link is followed as %s", got)
	}
	if _, err := c.List(t.Context(), budget.Backfill, from, to, ""); err != nil {
		t.Fatal(err)
	}
	if got := asked.Load().URL.Query(); got.Get("until") != "2026-03-03T11:00:00.000Z" || got.Get("since") != "2026-03-03T09:59:59.999Z" {
		t.Errorf("the window is %v", got)
	}
}

// TestLinks: which header leads where. $ stands for the organization's own address.
func TestLinks(t *testing.T) {
	const next = "$/api/v1/logs?after=2,3;4"
	for name, test := range map[string]struct {
		links       []string
		poll, class string // where Poll goes on, or what is wrong
	}{
		"two headers":         {[]string{`<$/api/v1/logs?limit=5>; rel="self"`, `<` + next + `>; rel="next"`}, next, ""},
		"one header":          {[]string{`<$/api/v1/logs>; rel="self", <` + next + `>; rel="next"`}, next, ""},
		"other order":         {[]string{`<` + next + `>; rel="next",<$/api/v1/logs>;rel=self`}, next, ""},
		"no quotes":           {[]string{`<` + next + `>;rel=next`}, next, ""},
		"several relations":   {[]string{`<` + next + `>; title="a, b; rel=x"; REL="prefetch Next"`}, next, ""},
		"twice the same":      {[]string{`<` + next + `>; rel="next"`, `<` + next + `>; rel="next"`}, next, ""},
		"none":                {[]string{`<$/api/v1/logs>; rel="self"`}, "", "retry"},
		"no header":           {nil, "", "retry"},
		"two that differ":     {[]string{`<` + next + `>; rel="next"`, `<$/api/v1/logs?after=9>; rel="next"`}, "", "retry"},
		"not closed":          {[]string{`<` + next + `; rel="next"`}, "", "retry"},
		"quote not closed":    {[]string{`<` + next + `>; rel="next`}, "", "retry"},
		"empty":               {[]string{`<>; rel="next"`}, "", "retry"},
		"another host":        {[]string{`<https://contoso.okta.com.attacker.example/api/v1/logs>; rel="next"`}, "", "hostile"},
		"user in it":          {[]string{`<http://x:y@attacker.example/api/v1/logs>; rel="next"`}, "", "hostile"},
		"another scheme":      {[]string{`<ftp://127.0.0.1/api/v1/logs>; rel="next"`}, "", "hostile"},
		"relative":            {[]string{`</api/v1/logs?after=1>; rel="next"`}, "", "hostile"},
		"too long":            {[]string{`<$/api/v1/logs?after=` + strings.Repeat("a", 70_000) + `>; rel="next"`}, "", "hostile"},
		"relation in a title": {[]string{`<` + next + `>; title="rel=next"`}, "", "retry"},
	} {
		t.Run(name, func(t *testing.T) {
			c, base, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
				for _, l := range test.links {
					w.Header().Add("Link", strings.ReplaceAll(l, "$", "http://"+r.Host))
				}
				_, _ = w.Write([]byte(`[]`))
			})
			page, err := c.Poll(t.Context(), budget.Head, from, "")
			if test.class != "" {
				wantClass(t, err, test.class)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(test.poll, "$", base); page.Next != want || !page.Caught {
				t.Errorf("next is %s, want %s; caught %v", page.Next, want, page.Caught)
			}
		})
	}
}

// TestFullPages: a full page is not the end of what there is.
func TestFullPages(t *testing.T) {
	full := "[" + strings.Repeat(`{"uuid":"a"},`, okta.Limit-1) + `{"uuid":"b"}]`
	links := true
	c, _, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		if links {
			w.Header().Set("Link", `<http://`+r.Host+`/api/v1/logs?after=1>; rel="next"`)
		}
		_, _ = w.Write([]byte(full))
	})
	if page, err := c.Poll(t.Context(), budget.Head, from, ""); err != nil || page.Caught {
		t.Errorf("caught: %+v, %v", page, err)
	}
	if _, err := c.List(t.Context(), budget.Sweep, from, to, ""); err != nil {
		t.Error(err)
	}
	links = false
	_, err := c.List(t.Context(), budget.Sweep, from, to, "")
	wantClass(t, err, "page")
}

// TestCaught: a short page is the end of what there is if it is empty or has an event of now.
func TestCaught(t *testing.T) {
	now := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string {
		return `{"published":"` + now.Add(d).Format("2006-01-02T15:04:05.000Z") + `"}`
	}
	for name, test := range map[string]struct {
		body string
		want bool
	}{
		"empty":           {"", true},
		"now":             {at(-2*time.Hour) + "," + at(-20*time.Second) + "," + at(-time.Hour), true},
		"old":             {at(-2*time.Hour) + "," + at(-5*time.Minute), false},
		"from the future": {at(time.Hour), false},
		"no time":         {`{"published":5},{}`, false},
		"full":            {strings.Repeat(at(0)+",", okta.Limit-1) + at(0), false},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", now.Format(http.TimeFormat))
				w.Header().Set("Link", `<http://`+r.Host+`/api/v1/logs?after=1>; rel="next"`)
				_, _ = w.Write([]byte("[" + test.body + "]"))
			})
			if page, err := c.Poll(t.Context(), budget.Head, from, ""); err != nil || page.Caught != test.want {
				t.Errorf("caught: %+v, %v", page.Caught, err)
			}
		})
	}
}

// TestRefusals: of which class a refusal is.
func TestRefusals(t *testing.T) {
	for name, test := range map[string]struct {
		status      int
		body, class string
	}{
		"token":         {401, `{"errorCode":"E0000011","errorSummary":"Not a token","errorLink":"E0000011","errorId":"x"}`, "auth"},
		"rights":        {403, `{"errorCode":"E0000006","errorSummary":"Not for you"}`, "admin"},
		"proxy":         {403, `<html>blocked</html>`, "admin"},
		"server":        {500, `{"errorCode":"E0000009","errorSummary":"Oops"}`, "retry"},
		"parameters":    {400, `{"errorCode":"E0000031","errorSummary":"Bad"}`, "retry"},
		"odd members":   {500, `{"errorCode":5,"errorSummary":["00secretTokenOfThisTest"]}`, "retry"},
		"echo":          {418, `you sent 00secretTokenOfThisTest`, "retry"},
		"object":        {200, `{"errorCode":"E0000006"}`, "admin"},
		"login page":    {200, `<html>sign in</html>`, "retry"},
		"cut":           {200, `[{"uuid":"a"},`, "retry"},
		"redirect":      {302, ``, "retry"},
		"what is newer": {403, `{"errorCode":"E0009999","errorSummary":"New"}`, "admin"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://attacker.example/")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			})
			_, err := c.Poll(t.Context(), budget.Head, from, "")
			wantClass(t, err, test.class)
		})
	}
	c, base, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"errorCode":"E0000031","errorSummary":"Bad cursor"}`))
	})
	_, err := c.Poll(t.Context(), budget.Head, from, base+"/api/v1/logs?after=old")
	wantClass(t, err, "page")
}

// TestThrottled: a refusal says when to come back, by the provider's clock, which may be far from ours.
func TestThrottled(t *testing.T) {
	var asked atomic.Int64
	theirs := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, _, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Date", theirs.Format(http.TimeFormat))
		w.Header().Set("X-Rate-Limit-Limit", "60")
		w.Header().Set("X-Rate-Limit-Remaining", "0")
		w.Header().Set("X-Rate-Limit-Reset", fmt.Sprint(theirs.Unix()+40))
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"errorCode":"E0000047","errorSummary":"Slow down"}`))
		time.AfterFunc(50*time.Millisecond, cancel)
	})
	if _, err := c.Poll(ctx, budget.Head, from, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
	if now, _ := c.Pause(); now < 30*time.Second || now > 50*time.Second || asked.Load() != 1 {
		t.Errorf("it waits %v after %d requests, want 40s after one", now, asked.Load())
	}
}

// TestRotatedToken: a token that was replaced is taken up at once, and one that is refused is not sent again and again.
func TestRotatedToken(t *testing.T) {
	var good atomic.Value
	good.Store("00secretTokenOfThisTest")
	var refused atomic.Int64
	c, _, file := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "SSWS "+good.Load().(string) {
			refused.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"errorCode":"E0000011","errorSummary":"Not a token"}`))
			return
		}
		w.Header().Set("Link", `<http://`+r.Host+`/api/v1/logs?after=1>; rel="next"`)
		_, _ = w.Write([]byte(`[]`))
	})
	poll := func() error {
		_, err := c.Poll(t.Context(), budget.Head, from, "")
		return err
	}
	if err := poll(); err != nil {
		t.Fatal(err)
	}
	good.Store("00newSecretToken")
	for range 20 {
		wantClass(t, poll(), "auth")
	}
	if n := refused.Load(); n != 1 {
		t.Errorf("the bad token was sent %d times in a moment", n)
	}
	write(t, file, "00newSecretToken")
	if err := poll(); err != nil {
		t.Error(err)
	}
	if refused.Load() != 1 {
		t.Error("the old token was sent again")
	}
	write(t, file, "two words")
	good.Store("00third")
	wantClass(t, poll(), "auth")
}

func TestOptions(t *testing.T) {
	ref, err := credential.ParseReference("env:A")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]okta.Options{
		"no organization": {Token: ref},
		"no token":        {Org: "contoso.okta.com"},
		"plain HTTP":      {Org: "contoso.okta.com", API: "http://contoso.okta.com", Token: ref},
		"not a host":      {Org: "contoso.okta.com/path?x", Token: ref},
	} {
		if _, err := okta.New(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzLinks: whatever an answer's header says, no link leads to another host, and a poll that succeeds can go on.
func FuzzLinks(f *testing.F) {
	f.Add(`<http://127.0.0.1:1/api/v1/logs?after=1>; rel="next"`)
	f.Add(`<https://a.example/>; rel="self", <http://127.0.0.1:1/x>; rel=next`)
	f.Add(`<>;,;"<`)
	ref, err := credential.ParseReference("env:DAYBREAK_FUZZ_TOKEN")
	if err != nil {
		f.Fatal(err)
	}
	f.Setenv("DAYBREAK_FUZZ_TOKEN", "00token")
	f.Fuzz(func(t *testing.T, header string) {
		c, err := okta.New(okta.Options{
			API: "http://127.0.0.1:1", Org: "contoso.okta.com", Token: ref,
			Shared: rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1 << 30}), Log: slog.New(slog.DiscardHandler), Transport: answers(header)},
		})
		if err != nil {
			t.Fatal(err)
		}
		page, err := c.Poll(t.Context(), budget.Head, from, "")
		if err != nil {
			return
		}
		if u, err := url.Parse(page.Next); err != nil || u.Host != "127.0.0.1:1" || u.Scheme != "http" {
			t.Errorf("%q leads to %q", header, page.Next)
		}
	})
}

// answers is a transport that gives an empty page with such a Link.
type answers string

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Link", string(a))
	_, _ = w.WriteString("[]")
	res := w.Result()
	res.Request = r
	return res, nil
}

// TestOutlets: log streams and event hooks are read to the last page and without their secrets, and what does not say how it
// stands is not taken for an answer.
func TestOutlets(t *testing.T) {
	c, _, _ := client(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/v1/eventHooks":
			_, _ = w.Write([]byte(`[{"id":"who1","name":"ours","status":"ACTIVE","verificationStatus":"VERIFIED","events":{"type":"EVENT_TYPE","items":["user.session.start","user.lifecycle.create"]},
				"channel":{"type":"HTTP","config":{"uri":"https://u:secretToken@siem.example/okta?key=secretToken","authScheme":{"type":"HEADER","key":"Authorization","value":"secretToken"}}}},
				{"id":"who2","name":"theirs","status":"INACTIVE","verificationStatus":"UNVERIFIED"}]`))
		case r.URL.Query().Get("after") == "":
			w.Header().Set("Link", `<http://`+r.Host+`/api/v1/logStreams?after=0oa1&limit=200>; rel="next"`)
			_, _ = w.Write([]byte(`[{"id":"0oa1","type":"aws_eventbridge","name":"bridge","status":"ACTIVE","settings":{"accountId":"123456789012","eventSourceName":"okta","region":"us-east-2"}}]`))
		default:
			_, _ = w.Write([]byte(`[{"id":"0oa2","type":"splunk_cloud_logstreaming","name":"splunk","status":"INACTIVE","settings":{"edition":"aws","host":"acme.splunkcloud.com","token":"secretToken"}}]`))
		}
	})
	streams, err := c.LogStreams(t.Context(), budget.Sweep)
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := c.EventHooks(t.Context(), budget.Sweep)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%+v\n%+v", streams, hooks)
	want := `[{ID:0oa1 Name:bridge Status:ACTIVE Type:aws_eventbridge Verified:false To:[accountId=123456789012 eventSourceName=okta region=us-east-2] Events:[]} {ID:0oa2 Name:splunk Status:INACTIVE Type:splunk_cloud_logstreaming Verified:false To:[edition=aws host=acme.splunkcloud.com] Events:[]}]
[{ID:who1 Name:ours Status:ACTIVE Type: Verified:true To:[https://siem.example/okta] Events:[user.lifecycle.create user.session.start]} {ID:who2 Name:theirs Status:INACTIVE Type: Verified:false To:[] Events:[]}]`
	if got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	for _, test := range []struct {
		status            int
		body, link, class string
	}{
		{403, `{"errorCode":"E0000006"}`, "", "admin"},
		{401, `{"errorCode":"E0000011"}`, "", "auth"},
		{200, `[{"id":"0oa1"}]`, "", "hostile"},
		{200, `[{"status":"ACTIVE"}]`, "", "hostile"},
		{200, `{"streams":[]}`, "", "retry"},
		{200, `[]`, `<https://evil.test/x>; rel="next"`, "hostile"},
		{200, `[]`, `<x`, "retry"},
		{200, `[]`, `</api/v1/logStreams?after=1>; rel="next"`, "hostile"},
	} {
		c, _, _ := client(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", test.link)
			w.WriteHeader(test.status)
			_, _ = w.Write([]byte(test.body))
		})
		list, err := c.LogStreams(t.Context(), budget.Sweep)
		if err == nil {
			t.Fatalf("status %d %s is taken for %+v", test.status, test.body, list)
		}
		wantClass(t, err, test.class)
		if test.status == 403 && !strings.Contains(err.Error(), "okta.logStreams.read") {
			t.Errorf("it is not said what lacks: %v", err)
		}
	}
}

// TestAccessToken: a token of OAuth 2.0 is sent as one, and an API token as that.
func TestAccessToken(t *testing.T) {
	sent := ""
	c, _, file := client(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`[]`))
	})
	write(t, file, "eyJhbGciOiJub25lIn0.eyJzdWIiOiIwIn0.secretToken")
	if _, err := c.LogStreams(t.Context(), budget.Sweep); err != nil || sent != "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIwIn0.secretToken" {
		t.Errorf("sent %q: %v", sent, err)
	}
}
