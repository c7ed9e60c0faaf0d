// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
)

// both runs a test against a handler over the network and in the process: the
// two must not differ.
func both(t *testing.T, h http.HandlerFunc, f func(t *testing.T, c *client.Client)) {
	t.Run("network", func(t *testing.T) {
		s := httptest.NewServer(h)
		defer s.Close()
		f(t, client.New(s.URL+"/", "secret-token"))
	})
	t.Run("in process", func(t *testing.T) {
		c := client.InProcess(h)
		defer c.Close()
		f(t, c)
	})
}

func search(c *client.Client) (h v1.SearchHeader, results []string, t v1.SearchTrailer, err error) {
	t, err = c.Search(context.Background(), client.Search{Query: "x"}, func(got v1.SearchHeader) error { h = got; return nil }, func(m json.RawMessage) error {
		results = append(results, string(m))
		return nil
	})
	return h, results, t, err
}

func TestSearch(t *testing.T) {
	both(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"query":"x","kind":"table","columns":["a"],"results":[`+"\n"+`{"a":1},`+"\n"+`{"a":{"b":2}}],"truncated":true,"scanned":7,"seconds":0.5}`+"\n")
	}, func(t *testing.T, c *client.Client) {
		h, results, trailer, err := search(c)
		if err != nil || h.Query != "x" || h.Kind != "table" || len(h.Columns) != 1 || strings.Join(results, " ") != `{"a":1} {"a":{"b":2}}` || !trailer.Truncated || trailer.Scanned != 7 {
			t.Errorf("%+v %v %+v %v", h, results, trailer, err)
		}
	})
}

// TestBrokenAnswers: an answer that ends early or says that it does is an error,
// never a short result.
func TestBrokenAnswers(t *testing.T) {
	whole := `{"query":"x","kind":"table","columns":["a"],"results":[{"a":1},{"a":2}],"truncated":false,"scanned":7,"seconds":0.5}`
	for i := range whole {
		text := whole[:i]
		if _, _, _, err := search(client.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text) }))); err == nil {
			t.Errorf("%q is taken for whole", text)
		}
	}
	_, results, _, err := search(client.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"query":"x","kind":"table","columns":["a"],"results":[{"a":1}],"truncated":false,"scanned":7,"seconds":0.5,"error":"the disk is on fire"}`)
	})))
	if err == nil || err.Error() != "the disk is on fire" || len(results) != 1 {
		t.Errorf("%v, %v", results, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{404, `{"title":"Not Found","status":404,"detail":"e1.2: no such event"}`, "e1.2: no such event"},
		{422, `{"title":"Unprocessable","status":422,"detail":"validation failed","errors":[{"message":"expected number >= 1","location":"query.limit"}]}`, "validation failed: query.limit expected number >= 1"},
		{502, `<html>`, "the server answers 502 Bad Gateway"},
		{500, ``, "the server answers 500 Internal Server Error"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		_, err := client.New(s.URL, "").Status(context.Background())
		s.Close()
		if err == nil || err.Error() != c.want || client.StatusOf(err) != c.status {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
	}
	if err := errors.New("x"); client.StatusOf(err) != 0 {
		t.Error("any error has a status")
	}
}

// TestStreams: what a handler flushes is there before it ends, and a reader that
// goes away ends the handler.
func TestStreams(t *testing.T) {
	ended := make(chan error, 2)
	both(t, func(w http.ResponseWriter, r *http.Request) {
		for i := 1; ; i++ {
			if _, err := fmt.Fprintf(w, "{\"id\":\"e1.%d\"}\n", i); err != nil {
				ended <- err
				return
			}
			w.(http.Flusher).Flush()
		}
	}, func(t *testing.T, c *client.Client) {
		seen := 0
		enough := errors.New("enough")
		err := c.Tail(context.Background(), "x", false, func(h v1.Hit) error {
			if seen++; h.ID != fmt.Sprintf("e1.%d", seen) {
				t.Errorf("hit %d is %q", seen, h.ID)
			}
			if seen == 3 {
				return enough
			}
			return nil
		})
		if err != enough {
			t.Errorf("got %v", err)
		}
		if err := <-ended; err == nil {
			t.Error("the handler goes on")
		}
	})
}

func TestUpload(t *testing.T) {
	both(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if q := r.URL.Query(); err != nil || string(b) != "records" || q.Get("name") != "a b" || q.Get("source") != "m365" || q.Has("tenant") {
			t.Errorf("%q %v %v", b, r.URL, err)
		}
		io.WriteString(w, `{"summary":{"read":3},"refused":1,"notes":["n"]}`)
	}, func(t *testing.T, c *client.Client) {
		res, err := c.Import(context.Background(), client.Import{Name: "a b", Source: "m365", Body: strings.NewReader("records")})
		if err != nil || res.Summary.Read != 3 || res.Refused != 1 || len(res.Notes) != 1 {
			t.Errorf("%+v, %v", res, err)
		}
	})
}

// TestErrorsHoldNoSecrets: neither the token nor the query is in the error of a
// server that does not answer.
func TestErrorsHoldNoSecrets(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	url := s.URL
	s.Close()
	_, err := client.New(url, "secret-token").Search(context.Background(), client.Search{Query: "user:victim"}, nil, nil)
	if err == nil || strings.Contains(err.Error(), "secret-token") || strings.Contains(err.Error(), "victim") {
		t.Errorf("got %v", err)
	}
}
