// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
	"github.com/daybreak-sec/daybreak/provider/s3"
)

const secret = "sEcReT-kEy-0123456789"

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is one of a store.
func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

func newClient(t testing.TB, adjust func(*s3.Options)) *s3.Client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	ref, err := credential.ParseReference("file:" + file)
	if err != nil {
		t.Fatal(err)
	}
	o := s3.Options{
		Bucket: "logs", Region: "eu-west-1", KeyID: "AKIAEXAMPLE", Secret: ref, Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: slog.New(slog.DiscardHandler),
	}
	adjust(&o)
	c, err := s3.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func errorCode(code string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>It says so.</Message></Error>`
}

// TestRefusals: every answer that says no has a class, and says what a person should do (F11).
func TestRefusals(t *testing.T) {
	for _, x := range []struct {
		status int
		body   string
		class  rest.Class
		says   string
	}{
		{403, errorCode("AccessDenied"), rest.ClassAdmin, "s3:ListBucket"},
		{403, errorCode("InvalidAccessKeyId"), rest.ClassAuth, "credential"},
		{403, errorCode("SignatureDoesNotMatch"), rest.ClassAuth, "credential"},
		{400, errorCode("ExpiredToken"), rest.ClassAuth, "credential"},
		{404, errorCode("NoSuchBucket"), rest.ClassAdmin, "bucket and region"},
		{301, errorCode("PermanentRedirect"), rest.ClassAdmin, "region"},
		{307, "", rest.ClassAdmin, "region"},
		{400, errorCode("AuthorizationHeaderMalformed"), rest.ClassAdmin, "region"},
		{500, errorCode("InternalError"), rest.ClassRetry, "InternalError"},
		{502, "<html><body>Bad gateway</body></html>", rest.ClassRetry, ""},
		{418, errorCode("NobodyKnowsThisOne"), rest.ClassRetry, "NobodyKnowsThisOne"},
		{200, "<html><body>Please sign in</body></html>", rest.ClassRetry, ""},
		{200, "\x00\x00\x00", rest.ClassRetry, ""},
	} {
		asked := 0
		c := newClient(t, func(o *s3.Options) {
			o.Transport = transport(func(*http.Request) (*http.Response, error) {
				asked++
				res := answer(x.status, x.body)
				if x.status/100 == 3 {
					res.Header.Set("Location", "https://evil.test/")
				}
				return res, nil
			})
		})
		page, err := c.List(t.Context(), budget.Head, s3.Query{})
		e := (*rest.Error)(nil)
		if x.status == 200 && err == nil { // what is no listing has nothing in it
			if len(page.Objects) > 0 {
				t.Errorf("%q has objects", x.body)
			}
			continue
		}
		if !errors.As(err, &e) || e.Class != x.class || !strings.Contains(err.Error(), x.says) || asked != 1 {
			t.Errorf("%d %.60s: %v, class %v, asked %d times; want class %v and %q", x.status, x.body, err, e, asked, x.class, x.says)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the secret is in an error: %v", err)
		}
	}
}

// TestThrottled: a refusal for too many requests is a pause, after which it is asked again (F9).
func TestThrottled(t *testing.T) {
	var asked atomic.Int32
	c := newClient(t, func(o *s3.Options) {
		o.Transport = transport(func(*http.Request) (*http.Response, error) {
			if asked.Add(1) == 1 {
				res := answer(503, errorCode("SlowDown"))
				res.Header.Set("Retry-After", "0.05")
				return res, nil
			}
			return answer(200, `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`), nil
		})
	})
	if _, err := c.List(t.Context(), budget.Head, s3.Query{}); err != nil || asked.Load() != 2 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
	if _, all := c.Pause(); all == 0 {
		t.Error("there was no pause")
	}
}

// TestHosts: requests go to the store's host, and to no other whatever an answer says (F20).
func TestHosts(t *testing.T) {
	for _, x := range []struct {
		endpoint string
		path     bool
		want     string
	}{
		{"", false, "logs.s3.eu-west-1.amazonaws.com"},
		{"", true, "s3.eu-west-1.amazonaws.com"},
		{"https://store.example.com:9000", true, "store.example.com:9000"},
		{"https://store.example.com", false, "logs.store.example.com"},
	} {
		var hosts []string
		c := newClient(t, func(o *s3.Options) {
			o.Endpoint, o.PathStyle = x.endpoint, x.path
			o.Transport = transport(func(r *http.Request) (*http.Response, error) {
				hosts = append(hosts, r.URL.Host)
				res := answer(301, errorCode("PermanentRedirect"))
				res.Header.Set("Location", "https://evil.test/")
				return res, nil
			})
		})
		_, _ = c.List(t.Context(), budget.Head, s3.Query{})
		_, _ = c.Get(t.Context(), budget.Head, "a key/with+signs%&?", "")
		for _, h := range hosts {
			if h != x.want {
				t.Errorf("endpoint %q: a request went to %s, want %s", x.endpoint, h, x.want)
			}
		}
		if len(hosts) != 2 {
			t.Errorf("endpoint %q: %d requests", x.endpoint, len(hosts))
		}
	}
	if _, err := s3.New(t.Context(), s3.Options{Bucket: "b", Region: "r", Endpoint: "http://store.example.com"}); err == nil {
		t.Error("plain HTTP to another machine is taken")
	}
}

// TestStalled: a body that gives no byte for a while ends with an error (F10).
func TestStalled(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("half"))
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(release)
	c := newClient(t, func(o *s3.Options) { o.Endpoint, o.PathStyle, o.Stall = server.URL, true, 100*time.Millisecond })
	body, err := c.Get(t.Context(), budget.Head, "x", "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadAll(body); err == nil || !strings.Contains(err.Error(), "no byte came") {
		t.Errorf("it ended with %v", err)
	}
}

// FuzzList: whatever a store answers, what is taken from it lies below what was asked for, and is no longer than a key may
// be; everything else is an error with a class.
func FuzzList(f *testing.F) {
	f.Add(`<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken><EncodingType>url</EncodingType><Contents><Key>a%2Fb+c</Key><Size>3</Size><ETag>"e"</ETag><LastModified>2026-11-20T15:00:00.000Z</LastModified></Contents></ListBucketResult>`)
	f.Add(`<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>`)
	f.Add(`<ListBucketResult><CommonPrefixes><Prefix>other/</Prefix></CommonPrefixes></ListBucketResult>`)
	f.Add(`<ListBucketResult><Contents><Key>a/` + strings.Repeat("x", 2000) + `</Key></Contents></ListBucketResult>`)
	var body string
	c := newClient(f, func(o *s3.Options) {
		o.Transport = transport(func(*http.Request) (*http.Response, error) { return answer(200, body), nil })
	})
	f.Fuzz(func(t *testing.T, text string) {
		body = text
		page, err := c.List(t.Context(), budget.Head, s3.Query{Prefix: "a/", Next: "x"})
		if err != nil {
			if e := (*rest.Error)(nil); !errors.As(err, &e) {
				t.Errorf("%v has no class", err)
			}
			return
		}
		if page.Next == "x" {
			t.Error("it leads to itself")
		}
		for _, o := range page.Objects {
			if !strings.HasPrefix(o.Key, "a/") || len(o.Key) > s3.MaxKey {
				t.Errorf("key %q", o.Key)
			}
		}
		for _, p := range page.Prefixes {
			if !strings.HasPrefix(p, "a/") {
				t.Errorf("prefix %q", p)
			}
		}
	})
}
