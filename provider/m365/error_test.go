// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/m365"
)

// answers is a client of an API that always answers the same, and whose token
// endpoint works.
func answers(t *testing.T, o m365.Options, api handler) *m365.Client {
	t.Helper()
	o.Tenant, o.ClientID = tenant, app
	o.Credential = fromEnvironment()
	o.Transport = handler(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			fmt.Fprintf(w, `{"access_token":%q,"expires_in":3599}`, jwt(1))
			return
		}
		api(w, r)
	})
	c, err := m365.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var blob = m365.Blob{ID: "b", URI: "https://manage.office.com/api/v1.0/" + tenant + "/activity/feed/audit/b"}

// operations are what can fail.
var operations = map[string]func(t *testing.T, c *m365.Client) error{
	"start": func(t *testing.T, c *m365.Client) error {
		_, err := c.Start(t.Context(), budget.Head, stream, nil)
		return err
	},
	"list": func(t *testing.T, c *m365.Client) error {
		_, err := c.Subscriptions(t.Context(), budget.Head)
		return err
	},
	"content": func(t *testing.T, c *m365.Client) error {
		_, err := c.Content(t.Context(), budget.Head, stream, time.Now().Add(-time.Hour), time.Now(), "")
		return err
	},
	"fetch": func(t *testing.T, c *m365.Client) error {
		body, err := c.Fetch(t.Context(), budget.Head, blob)
		if err == nil {
			_, err = io.ReadAll(body)
			body.Close()
		}
		return err
	},
}

// TestEveryCodeMeansWhatTheContractSays is the error table, written a second time.
func TestEveryCodeMeansWhatTheContractSays(t *testing.T) {
	bug, admin := "report it", m365.ClassAdmin
	table := map[string]struct {
		status int
		class  m365.Class
		action string // a part of it; "" for none
	}{
		"AF10001": {403, admin, "ActivityFeed.Read"},
		"AF20001": {400, admin, bug},
		"AF20002": {400, admin, bug},
		"AF20003": {400, admin, "expiration"},
		"AF20010": {400, admin, "another tenant"},
		"AF20011": {400, admin, "correct tenant"},
		"AF20012": {400, admin, "audit logging"},
		"AF20013": {400, admin, "GUID"},
		"AF20020": {400, admin, "remove the stream"},
		"AF20021": {400, admin, "reachable over HTTPS"},
		"AF20022": {400, m365.ClassDisabled, "will be started"},
		"AF20023": {400, m365.ClassDisabled, "find out who"},
		"AF20030": {400, m365.ClassWindow, "clock"},
		"AF20031": {400, m365.ClassPage, ""},
		"AF20050": {404, m365.ClassMissing, ""},
		"AF20051": {400, m365.ClassExpired, ""},
		"AF20052": {400, m365.ClassMissing, ""},
		"AF20053": {400, admin, bug},
		"AF20054": {400, admin, bug},
		"AF20055": {400, m365.ClassWindow, "clock"},
		"AF50000": {500, m365.ClassRetry, ""},
		"AF50005": {500, m365.ClassRetry, ""},
		"AF50006": {500, m365.ClassRetry, ""},
		// What nobody has written down is tried again, and its answer kept.
		"AF99999":     {400, m365.ClassRetry, ""},
		"AF20099":     {403, m365.ClassRetry, ""},
		"SomethingXY": {503, m365.ClassRetry, ""},
		"Odd":         {200, m365.ClassRetry, ""},
	}
	for _, code := range m365.Codes() {
		if _, ok := table[code]; !ok && code != "AF429" { // which has tests of its own
			t.Errorf("%s is not tested", code)
		}
	}
	for code, want := range table {
		for op, call := range operations {
			c := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(want.status)
				fmt.Fprintf(w, `{"error":{"code":%q,"message":"What\nit  says."}}`, code)
			})
			err := call(t, c)
			if op == "start" && want.status == 200 {
				continue // an object is what start answers with
			}
			var e *m365.Error
			if !errors.As(err, &e) {
				t.Fatalf("%s %s: %v", op, code, err)
			}
			if e.Op != op || e.Code != code || e.Status != want.status || e.Class != want.class || e.Message != "What it says." ||
				!strings.Contains(e.Action, want.action) || (want.action == "") != (e.Action == "") {
				t.Errorf("%s %s: %+v, want %+v", op, code, e, want)
			}
			if unknown := !strings.HasPrefix(code, "AF") || strings.HasSuffix(code, "99"); unknown != (len(e.Sample) > 0) {
				t.Errorf("%s %s: sample %q", op, code, e.Sample)
			}
			for _, part := range []string{op, code, fmt.Sprint(want.status), want.action, "What it says."} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		}
	}
}

func TestAnswersWithoutACode(t *testing.T) {
	const html = "<html><body>Sign in to the hotel's network</body></html>"
	for name, c := range map[string]struct {
		status int
		header string
		body   string
		class  m365.Class
		says   string
		sample bool
	}{
		"401":              {401, "", "", m365.ClassAuth, "does not accept the token", false},
		"401 other code":   {401, "", `{"error":{"code":"Unauthorized"}}`, m365.ClassAuth, "does not accept the token", true},
		"403":              {403, "", html, m365.ClassAdmin, "refuses the application", true},
		"404":              {404, "", html, m365.ClassRetry, "Not Found", true},
		"407":              {407, "", "", m365.ClassAdmin, "HTTPS_PROXY", false},
		"408":              {408, "", "", m365.ClassRetry, "Request Timeout", false},
		"500":              {500, "", "", m365.ClassRetry, "Internal Server Error", false},
		"502 HTML":         {502, "", html, m365.ClassRetry, "Bad Gateway", true},
		"503":              {503, "", `{"message":"gateway is tired","code":null}`, m365.ClassRetry, "gateway is tired", true},
		"204":              {204, "", "", m365.ClassRetry, "No Content", false},
		"206":              {206, "", "[]", m365.ClassRetry, "Partial Content", true},
		"418":              {418, "", "[1]", m365.ClassRetry, "teapot", true},
		"599":              {599, "", "", m365.ClassRetry, "status 599", false},
		"HTML 200":         {200, "text/html", html, m365.ClassRetry, "it is HTML", true},
		"HTML as JSON":     {200, "application/json", "\n " + html, m365.ClassRetry, "it is HTML", true},
		"text 200":         {200, "", "OK", m365.ClassRetry, "it is something else", true},
		"empty 200":        {200, "", "", m365.ClassRetry, "it is empty", false},
		"blank 200":        {200, "", " \r\n\t", m365.ClassRetry, "it is empty", false},
		"number 200":       {200, "", "12", m365.ClassRetry, "it is something else", true},
		"null 200":         {200, "", "null", m365.ClassRetry, "it is something else", true},
		"NUL 200":          {200, "", "\x00\x00\x00", m365.ClassRetry, "it is something else", true},
		"binary 200":       {200, "", "\xff\xfe[", m365.ClassRetry, "it is something else", true},
		"blanks 200":       {200, "", strings.Repeat(" ", 1<<20), m365.ClassRetry, "it is empty", true},
		"auditing off":     {400, "", `{"error":{"code":"AF50000","message":"Microsoft.Office.Compliance.Audit.DataServiceException: Tenant 1 does not exist."}}`, m365.ClassAdmin, "switch on unified audit logging", false},
		"error as text":    {500, "", `{"error":"server_busy"}`, m365.ClassRetry, "server_busy", true},
		"error as number":  {400, "", `{"error":17}`, m365.ClassRetry, "Bad Request", true},
		"error as null":    {400, "", `{"error":null}`, m365.ClassRetry, "Bad Request", true},
		"code as number":   {400, "", `{"error":{"code":429,"message":["x"]}}`, m365.ClassRetry, "Bad Request", true},
		"code with spaces": {400, "", `{"error":{"code":"AF20051 or so"}}`, m365.ClassRetry, "Bad Request", true},
		"code on 200":      {200, "", `{"error":{"code":"AF20051","message":"expired"}}`, m365.ClassExpired, "AF20051", false},
		"long message":     {400, "", `{"error":{"code":"AF20051","message":"` + strings.Repeat("ä", 5000) + `"}}`, m365.ClassExpired, "…", false},
		"huge body":        {500, "", strings.Repeat("x", 1<<20), m365.ClassRetry, "Internal", true},
	} {
		for op, call := range operations {
			if op == "start" && c.status == 200 && strings.HasPrefix(c.body, "{") {
				continue
			}
			client := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) {
				if c.header != "" {
					w.Header().Set("Content-Type", c.header)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			err := call(t, client)
			var e *m365.Error
			if !errors.As(err, &e) {
				t.Fatalf("%s %s: %v", name, op, err)
			}
			if e.Status != c.status || e.Class != c.class || !strings.Contains(err.Error(), c.says) || (len(e.Sample) > 0) != c.sample {
				t.Errorf("%s %s: %+v with sample %q, want class %v, %q", name, op, e, e.Sample, c.class, c.says)
			}
			if len(e.Sample) > 512 || len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("%s %s: %d bytes of sample, %d of message", name, op, len(e.Sample), len(err.Error()))
			}
		}
	}
}

func TestAByteOrderMarkIsNoGarbage(t *testing.T) {
	c := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "\ufeff [ {\"Id\":1} ]\r\n") })
	body, err := c.Fetch(t.Context(), budget.Head, blob)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(body); err != nil || string(text) != "[ {\"Id\":1} ]\r\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// TestTooManyRequests: whatever the status of AF429, the client waits and asks again,
// and asks nothing in between.
func TestTooManyRequests(t *testing.T) {
	for name, refuse := range map[string]func(w http.ResponseWriter){
		"403":           func(w http.ResponseWriter) { w.WriteHeader(403); io.WriteString(w, af429) },
		"429":           func(w http.ResponseWriter) { w.WriteHeader(429); io.WriteString(w, af429) },
		"429 bare":      func(w http.ResponseWriter) { w.WriteHeader(429) },
		"200":           func(w http.ResponseWriter) { io.WriteString(w, af429) },
		"seconds":       func(w http.ResponseWriter) { w.Header().Set("Retry-After", "40"); w.WriteHeader(429) },
		"fraction":      func(w http.ResponseWriter) { w.Header().Set("Retry-After", "39.5"); w.WriteHeader(429) },
		"nonsense":      func(w http.ResponseWriter) { w.Header().Set("Retry-After", "NaN"); w.WriteHeader(429) },
		"negative":      func(w http.ResponseWriter) { w.Header().Set("Retry-After", "-5"); w.WriteHeader(429) },
		"date and skew": func(w http.ResponseWriter) { httpDate(w, 40*time.Second); w.WriteHeader(429) },
	} {
		synctest.Test(t, func(t *testing.T) {
			begun, least := time.Now(), time.Second
			if name == "seconds" || name == "fraction" || name == "date and skew" {
				least = 39 * time.Second
			}
			var at []time.Duration
			c := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) {
				at = append(at, time.Since(begun))
				if len(at) <= 3 {
					refuse(w)
					return
				}
				io.WriteString(w, "[]")
			})
			if _, err := c.Subscriptions(t.Context(), budget.Respond); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if len(at) != 4 {
				t.Fatalf("%s: asked at %v", name, at)
			}
			for i := range at[1:] {
				if pause := at[i+1] - at[i]; pause < least || pause > least*10 {
					t.Errorf("%s: pause %d is %v, want %v or some more", name, i+1, pause, least)
				}
			}
			s := c.Budget().Status()
			if s.Refused != 3 || s.Paused < 3*least || s.By[budget.Respond].Waited < 3*least {
				t.Errorf("%s: status %+v", name, s)
			}
		})
	}
}

const af429 = `{"error":{"code":"AF429","message":"Too many requests. Method=GetBlob, PublisherId=00000000-0000-0000-0000-000000000000"}}`

func httpDate(w http.ResponseWriter, in time.Duration) {
	base := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	w.Header().Set("Date", base.Format(http.TimeFormat))
	w.Header().Set("Retry-After", base.Add(in).Format(http.TimeFormat))
}

func TestWaitingForTheBudgetEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) { asked++; w.WriteHeader(429) })
		done := make(chan error, 1)
		ctx, cancel := contextWithTimeout(t, time.Minute)
		defer cancel()
		go func() {
			_, err := c.Subscriptions(ctx, budget.Head)
			done <- err
		}()
		if err := <-done; !errors.Is(err, ctx.Err()) || ctx.Err() == nil {
			t.Errorf("%v", err)
		}
		if asked < 3 || asked > 8 {
			t.Errorf("%d requests in a minute of refusals", asked)
		}
	})
}

func TestRetryAfterIsPassedOn(t *testing.T) {
	c := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(503)
	})
	_, err := c.Subscriptions(t.Context(), budget.Head)
	if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassRetry || e.RetryAfter != 17*time.Second {
		t.Errorf("%+v", err)
	}
}

func TestClassesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for c := m365.ClassRetry; c <= m365.ClassHostile; c++ {
		seen[c.String()] = true
	}
	if len(seen) != 10 || m365.Class(99).String() != "retry" {
		t.Error(seen)
	}
}
