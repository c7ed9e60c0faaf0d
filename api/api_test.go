// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/api"
	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sample"
)

//go:generate go test -run TestOpenAPI -update .
var update = flag.Bool("update", false, "write docs/reference/openapi.json")

// server is a running server over a data directory of its own.
type server struct {
	*client.Client
	url, token, dir string
}

func start(t *testing.T, adjust ...func(*config.Config)) *server {
	t.Helper()
	dir, quiet := t.TempDir(), slog.New(slog.DiscardHandler)
	c := config.Default()
	c.Server.Listen = "127.0.0.1:0"
	for _, f := range adjust {
		f(&c)
	}
	n, err := node.Open(context.Background(), node.Options{Dir: dir, Role: "serve", Config: c, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	s, err := api.Listen(n, c.Server, "test", quiet)
	if err != nil {
		t.Fatal(err)
	}
	n.Collect(context.Background())
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	token, err := node.Token(dir)
	if err != nil {
		t.Fatal(err)
	}
	return &server{client.New(s.URL, token), s.URL, token, dir}
}

func records(n int) []byte {
	log := sample.New(sample.Options{Seed: 11})
	var b []byte
	for range n {
		b = append(log.Append(b), '\n')
	}
	return b
}

// call sends one request as anybody might.
func (s *server) call(t *testing.T, method, path string, header map[string]string, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func (s *server) search(t *testing.T, q client.Search) (v1.SearchHeader, []json.RawMessage, v1.SearchTrailer) {
	t.Helper()
	var header v1.SearchHeader
	var results []json.RawMessage
	trailer, err := s.Search(context.Background(), q, func(h v1.SearchHeader) error { header = h; return nil }, func(m json.RawMessage) error {
		results = append(results, bytes.Clone(m))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return header, results, trailer
}

func TestRecordsGoInAndAreFound(t *testing.T) {
	s, ctx := start(t), context.Background()
	res, err := s.Import(ctx, client.Import{Name: "log.jsonl", Body: bytes.NewReader(append(records(1000), `{"broken`...))})
	if err != nil {
		t.Fatal(err)
	}
	res.Summary.Seconds = 0
	if diff := cmp.Diff(v1.ImportSummary{Read: 1001, Stored: 1001, Unparsed: 1}, res.Summary); diff != "" {
		t.Error(diff)
	}
	if len(res.Notes) != 1 || !strings.HasPrefix(res.Notes[0], "log.jsonl: record 1001 at byte ") {
		t.Errorf("notes %q", res.Notes)
	}

	header, hits, trailer := s.search(t, client.Search{Query: "op:*", Limit: 10, Full: true})
	if header.Kind != "events" || len(hits) != 10 || !trailer.Truncated || trailer.Scanned == 0 {
		t.Errorf("%+v, %d results, %+v", header, len(hits), trailer)
	}
	var last time.Time
	var hit v1.Hit
	for _, m := range hits {
		var row struct{ Time time.Time }
		if err := json.Unmarshal(m, &hit); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(hit.Row, &row); err != nil || row.Time.Before(last) {
			t.Errorf("not newest last: %s, %v", hit.Row, err)
		}
		last = row.Time
		var e struct{ Metadata struct{ UID string } }
		if err := json.Unmarshal(hit.Event, &e); err != nil || e.Metadata.UID != hit.ID {
			t.Errorf("the event of %s names %q, %v", hit.ID, e.Metadata.UID, err)
		}
	}

	event, err := s.Event(ctx, hit.ID)
	if err != nil {
		t.Fatal(err)
	}
	if event.ID != hit.ID || event.Tenant != sample.Tenant || event.Stream != "import" || !json.Valid(event.Raw) || event.Committed.IsZero() {
		t.Errorf("%+v", event)
	}
	var proof bytes.Buffer
	if err := s.Prove(ctx, hit.ID, &proof); err != nil || !strings.HasPrefix(proof.String(), `{"format":"daybreak-proof/v1","event":"`+hit.ID+`"`) {
		t.Errorf("%v: %.100s", err, proof.String())
	}
	checkpoint, err := s.Checkpoint(ctx)
	if err != nil || strings.Count(checkpoint, "\n") < 4 {
		t.Errorf("checkpoint %q, %v", checkpoint, err)
	}
	if _, public := s.call(t, "GET", "/log/checkpoint", nil, ""); public != checkpoint {
		t.Errorf("/log/checkpoint is %q", public)
	}
	status, err := s.Status(ctx)
	if err != nil || status.Rows != 1001 || status.Behind || status.Stale || status.Role != "serve" {
		t.Errorf("%+v, %v", status, err)
	}

	header, rows, _ := s.search(t, client.Search{Query: "op:* | count by family"})
	if diff := cmp.Diff([]string{"family", "count"}, header.Columns); diff != "" || header.Kind != "table" {
		t.Errorf("%+v", header)
	}
	if got := string(slices.Concat(rows...)); got != `{"family":"m365","count":1000}` {
		t.Errorf("got %s", got)
	}
}

func TestTail(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	hits, tailed, begun := make(chan string, 10_000), make(chan error, 1), make(chan struct{})
	tailing := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: func() { close(begun) }})
	go func() {
		tailed <- s.Tail(tailing, "workload:Exchange", true, func(h v1.Hit) error {
			if !strings.Contains(string(h.Event), `"log_name":"Exchange"`) {
				t.Errorf("does not match: %s", h.Event)
			}
			hits <- h.ID
			return nil
		})
	}()
	select {
	case <-begun:
	case err := <-tailed:
		t.Fatal(err)
	}
	if _, err := s.Import(ctx, client.Import{Name: "log.jsonl", Body: bytes.NewReader(records(2000))}); err != nil {
		t.Fatal(err)
	}
	_, rows, _ := s.search(t, client.Search{Query: "workload:Exchange | count"})
	var want struct{ Count int }
	if err := json.Unmarshal(rows[0], &want); err != nil || want.Count == 0 {
		t.Fatalf("%s, %v", rows[0], err)
	}
	seen := map[string]bool{}
	for len(seen) < want.Count {
		select {
		case id := <-hits:
			if seen[id] {
				t.Errorf("%s comes twice", id)
			}
			seen[id] = true
		case <-ctx.Done():
			t.Fatalf("tail showed %d events, search counts %d", len(seen), want.Count)
		}
	}
	cancel()
	if err := <-tailed; err != nil {
		t.Fatal(err)
	}
	if len(hits) > 0 {
		t.Errorf("%d events more than search counts", len(hits))
	}
}

// TestWhoMayCall is the table of who is let in where.
func TestWhoMayCall(t *testing.T) {
	s := start(t)
	bearer := map[string]string{"Authorization": "Bearer " + s.token}
	with := func(k, v string) map[string]string {
		return map[string]string{"Authorization": "Bearer " + s.token, k: v}
	}
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		want               int
		say                string
	}{
		{"alive", "GET", "/healthz", nil, 200, "ok"},
		{"ready", "GET", "/readyz", nil, 200, "ok"},
		{"metrics on loopback", "GET", "/metrics", nil, 200, "daybreak_ready 1"},
		{"status with token", "GET", "/api/v1/status", bearer, 200, `"role":"serve"`},
		{"status without", "GET", "/api/v1/status", nil, 401, "send the token that stands in api.token"},
		{"wrong token", "GET", "/api/v1/status", map[string]string{"Authorization": "Bearer x"}, 401, "api.token"},
		{"basic", "GET", "/api/v1/status", map[string]string{"Authorization": "Basic " + s.token}, 401, "api.token"},
		{"search without", "GET", "/api/v1/search?q=x", nil, 401, ""},
		{"import without", "POST", "/api/v1/import", nil, 401, ""},
		{"document without", "GET", "/api/v1/openapi.json", nil, 401, ""},
		{"document", "GET", "/api/v1/openapi.json", bearer, 200, `"openapi":"3.1.0"`},
		{"other host", "GET", "/metrics", map[string]string{"Host": "evil.example"}, 421, "answers to localhost only"},
		{"other host with token", "GET", "/api/v1/status", with("Host", "evil.example:80"), 421, ""},
		{"localhost", "GET", "/healthz", map[string]string{"Host": "localhost:1"}, 200, "ok"},
		{"other site", "GET", "/api/v1/status", with("Sec-Fetch-Site", "cross-site"), 403, "page of another site"},
		{"other site reads", "GET", "/log/checkpoint", map[string]string{"Sec-Fetch-Site": "cross-site"}, 403, ""},
		{"other origin posts", "POST", "/api/v1/import", with("Origin", "https://evil.example"), 403, ""},
		{"tessera's own", "GET", "/log/.state/treeState", bearer, 404, ""},
		{"folders", "GET", "/log/tile/", bearer, 404, ""},
		{"out of the log", "GET", "/log/tile/../../../keys/log.key", bearer, 404, ""},
		{"unknown path", "GET", "/api/v1/nothing", bearer, 404, ""},
		{"wrong method", "DELETE", "/api/v1/status", bearer, 405, ""},
		{"bad query", "GET", "/api/v1/search?q=op:%22x", bearer, 400, "query, character 4: this quotation mark is not closed"},
		{"unknown parameter", "GET", "/api/v1/search?query=x", bearer, 422, ""},
		{"bad limit", "GET", "/api/v1/search?limit=0", bearer, 422, ""},
		{"bad time", "GET", "/api/v1/search?since=yesterday", bearer, 422, ""},
		{"tail with pipes", "GET", "/api/v1/tail?q=x+%7C+count", bearer, 400, "takes no pipes"},
		{"bad event", "GET", "/api/v1/events/12", bearer, 400, "want the form e12.345"},
		{"no such event", "GET", "/api/v1/events/e99.1", bearer, 404, "e99.1: no such event"},
		{"no such proof", "GET", "/api/v1/events/e99.1/proof", bearer, 404, "e99.1: no such event"},
		{"bad source", "POST", "/api/v1/import?source=outlook", bearer, 400, "is not a source: want auto, m365"},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, body := s.call(t, c.method, c.path, c.header, "")
			if res.StatusCode != c.want || !strings.Contains(body, c.say) {
				t.Errorf("%s %s: %d %s\nwant %d %s", c.method, c.path, res.StatusCode, body, c.want, c.say)
			}
			if strings.Contains(body, s.token) {
				t.Error("the answer shows the token")
			}
		})
	}
}

func TestTokenFile(t *testing.T) {
	s := start(t)
	path := filepath.Join(s.dir, node.TokenFile)
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 || len(s.token) < 20 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
}

// TestOpenAPI compares the document with the committed one, and both with the
// routes that there are.
func TestOpenAPI(t *testing.T) {
	const file = "../docs/reference/openapi.json"
	got, err := api.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("docs/reference/openapi.json is out of date: go generate ./api\n%s", diff)
	}
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal(got, &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatalf("version %q, %v", doc.OpenAPI, err)
	}
	routes := api.Routes()
	for path, methods := range doc.Paths {
		for method, op := range methods {
			route := strings.ToUpper(method) + " " + path
			if !slices.Contains(routes, route) {
				t.Errorf("%s is documented and does not exist", route)
			}
			if op.Summary == "" || op.OperationID == "" || op.Responses["200"] == nil {
				t.Errorf("%s has no summary, id or answer", route)
			}
		}
	}
	for _, r := range routes {
		method, path, _ := strings.Cut(r, " ")
		if _, ok := doc.Paths[path][strings.ToLower(method)]; !ok {
			t.Errorf("%s is not documented", r)
		}
	}
	if len(routes) < 12 {
		t.Errorf("only %d routes", len(routes))
	}
}
