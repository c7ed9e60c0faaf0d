// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package streams_test runs the whole product over a vendor's log that comes two ways: read through an API, and streamed by
// the vendor to one of our receivers.
package streams_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/sim/aws"
	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/eventhubs"
	"github.com/daybreak-sec/daybreak/sim/github"
	"github.com/daybreak-sec/daybreak/sim/service"
)

const token = "a-token-of-the-tests"

// world is an enterprise at GitHub, and a data directory.
type world struct {
	*testing.T
	suite      *github.Server
	api        string
	begin, now time.Time
	node       *node.Node
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Setenv("DAYBREAK_TEST_TOKEN", token)
	w := &world{T: t, now: time.Now().UTC().Truncate(time.Second)}
	w.begin = w.now.Add(-90 * time.Minute)
	c, err := company.New(company.Config{Seed: 3, People: 60})
	if err != nil {
		t.Fatal(err)
	}
	w.suite = github.New(service.Config{
		Company: c, Now: func() time.Time { return w.now }, Begin: w.begin, Seed: 3, Token: token, PerDay: 400, Limit: 1_000_000, Delay: time.Millisecond, Spread: time.Millisecond,
	})
	api := httptest.NewServer(w.suite.Handler())
	t.Cleanup(api.Close)
	w.api = api.URL
	return w
}

// start collects by a configuration, or by another one than before.
func (w *world) start(blocks ...string) {
	w.Helper()
	c, err := config.Parse([]byte(strings.Join(blocks, "\n")))
	if err != nil {
		w.Fatal(err)
	}
	if w.node != nil {
		if _, err := w.node.Configure(w.Context(), c); err != nil {
			w.Fatal(err)
		}
		return
	}
	if w.node, err = node.Open(w.Context(), node.Options{Dir: w.TempDir(), Role: "test", Config: c, Log: slog.New(slog.DiscardHandler)}); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if err := w.node.Close(); err != nil {
			w.Error(err)
		}
	})
	w.node.Collect(w.Context())
}

// source is the block that reads the API, under the name as somebody may write it.
func (w *world) source() string {
	return fmt.Sprintf("[[source]]\nname = \"api\"\ntype = \"github\"\naccount = \"enterprise\"\ntenant = %q\napi_token = \"env:DAYBREAK_TEST_TOKEN\"\napi = %q\npoll = \"1s\"\nrequests_per_minute = 1000000\n",
		strings.ToUpper(w.suite.Enterprise()), w.api)
}

func (w *world) until(what string, is func() bool) {
	w.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("waited for too long: %s; sources %+v, receivers %+v", what, w.node.Sources(), w.node.Receivers())
		}
	}
}

func (w *world) found(query string) []event.ID {
	w.Helper()
	f, err := w.node.Search(context.Background(), node.Query{Text: query, Limit: 100_000})
	if err != nil || f.Truncated {
		w.Fatalf("%s: %v", query, err)
	}
	return f.IDs()
}

// streamed are the records of the stream in a time, some of them twice: it delivers at least once.
func (w *world) streamed(from, to time.Time) (list [][]byte, ids map[string]bool) {
	ids = map[string]bool{}
	w.suite.Streamed(from, to, func(_ time.Time, raw []byte) {
		var v struct {
			ID string `json:"_document_id"`
		}
		if err := json.Unmarshal(raw, &v); err != nil || v.ID == "" {
			w.Fatalf("%s: %v", raw, err)
		}
		list = append(list, raw)
		if len(list)%7 == 0 {
			list = append(list, list[len(list)/2])
		}
		ids[v.ID] = true
	})
	return list, ids
}

// TestGitHubByTwoWays: who has the API and a stream has each record once, as GitHub's, whichever came first and whichever
// receiver takes the stream; what only the stream has is there as well.
func TestGitHubByTwoWays(t *testing.T) {
	for name, receiver := range map[string]func(w *world) (block string, send func(list [][]byte)){"hec": splunk, "event hub": hub, "bucket": bucket} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			block, send := receiver(w)
			w.start(block)
			half := w.begin.Add(45 * time.Minute)
			early, want := w.streamed(w.begin, half)
			send(early)
			w.until("the stream's first half is there", func() bool { return len(w.found("family:github")) == len(want) })

			w.start(block, w.source())
			late, more := w.streamed(half, w.now)
			for id := range more {
				want[id] = true
			}
			w.until("the rest comes by the API, without the calls of the API", func() bool {
				return len(w.found("family:github -op:api.request")) == len(want)-w.calls(w.begin, w.now)
			})
			send(late)
			w.until("the stream's second half is there", func() bool { return len(w.found("family:github")) == len(want) })

			for query, what := range map[string]string{
				"family:github mutated:true": "are kept as another version", "family:json": "are any JSON", "family:daybreak-unreadable": "are unreadable",
				"family:github -tenant:" + w.suite.Enterprise(): "have another tenant", "family:github op:api.request -class:6003": "are no API Activity",
			} {
				if n := len(w.found(query)); n > 0 {
					t.Errorf("%d records %s (%s)", n, what, query)
				}
			}
			if calls := len(w.found("family:github op:api.request")); calls < 50 || calls != w.calls(w.begin, w.now) {
				t.Errorf("%d calls of the API: want %d, and many", calls, w.calls(w.begin, w.now))
			}
			seen := map[string]bool{}
			for _, id := range w.found("family:github") {
				e, err := w.node.Event(context.Background(), id)
				if err != nil {
					t.Fatal(err)
				}
				key := string(e.Record.ID)
				if seen[key] || !want[key] {
					t.Fatalf("%s: seen %v, wanted %v", e.Record.Raw, seen[key], want[key])
				}
				seen[key] = true
			}
		})
	}
}

// calls are how many calls of the API the stream has.
func (w *world) calls(from, to time.Time) (n int) {
	w.suite.Happened(github.API, from, to, func(_, _ time.Time, _ []byte) bool { n++; return true })
	return n
}

// splunk is a receiver of Splunk's protocol, to which a body holds some events, as objects and compressed.
func splunk(w *world) (block string, send func([][]byte)) {
	block = fmt.Sprintf("[[receive]]\nname = \"stream\"\ntype = \"hec\"\nlisten = \"127.0.0.1:0\"\nfamily = \"github\"\ntenant = %q\ntoken = \"env:DAYBREAK_TEST_TOKEN\"\n", strings.ToUpper(w.suite.Enterprise()))
	return block, func(list [][]byte) {
		address := func() string { return w.node.Receivers()[0].Address }
		w.until("the receiver listens", func() bool { return address() != "" })
		for i := 0; i < len(list); i += 50 {
			var body bytes.Buffer
			z := gzip.NewWriter(&body)
			for _, raw := range list[i:min(i+50, len(list))] {
				fmt.Fprintf(z, `{"event":%s,"source":"github"}`, raw)
			}
			z.Close()
			req, err := http.NewRequestWithContext(w.Context(), http.MethodPost, "http://"+address()+"/services/collector", &body)
			if err != nil {
				w.Fatal(err)
			}
			req.Header.Set("Authorization", "Splunk "+token)
			req.Header.Set("Content-Encoding", "gzip")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				w.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusOK {
				w.Fatal(res.Status)
			}
		}
	}
}

// hub is an event hub, read as the Kafka that it is: so the tenant can be GitHub's, as it is where the API is read.
func hub(w *world) (block string, send func([][]byte)) {
	const user = "$ConnectionString"
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(2, "github"), kfake.EnableSASL(), kfake.Superuser("PLAIN", user, token), kfake.MaxVersions(eventhubs.Versions()))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(cluster.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DisableIdempotentWrite(), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.SASL(plain.Auth{User: user, Pass: token}.AsMechanism()))
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(client.Close)
	block = fmt.Sprintf("[[source]]\nname = \"stream\"\ntype = \"kafka\"\ntenant = %q\nbrokers = [%q]\nsasl = \"plain\"\nusername = %q\npassword = \"env:DAYBREAK_TEST_TOKEN\"\nstreams = [\"github\"]\nretention = \"168h\"\n",
		w.suite.Enterprise(), cluster.ListenAddrs()[0], user)
	return block, func(list [][]byte) {
		// How GitHub cuts messages is not documented: an event each, an array, and lines in gzip are all taken.
		for i := 0; i < len(list); i += 3 {
			some := list[i:min(i+3, len(list))]
			values := some
			switch i / 3 % 3 {
			case 1:
				values = [][]byte{append(append([]byte{'['}, bytes.Join(some, []byte{','})...), ']')}
			case 2:
				_, zipped := w.suite.File(w.now, some...)
				values = [][]byte{zipped}
			}
			for _, v := range values {
				if err := client.ProduceSync(w.Context(), &kgo.Record{Topic: "github", Value: v}).FirstErr(); err != nil {
					w.Fatal(err)
				}
			}
		}
	}
}

// bucket is one that GitHub writes files to.
func bucket(w *world) (block string, send func([][]byte)) {
	sim, err := aws.New(aws.Config{})
	if err != nil {
		w.Fatal(err)
	}
	store := httptest.NewServer(sim.Handler())
	w.Cleanup(store.Close)
	id, secret := sim.AccessKey()
	file := filepath.Join(w.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		w.Fatal(err)
	}
	block = fmt.Sprintf("[[source]]\nname = \"stream\"\ntype = \"s3\"\ntenant = %q\nbucket = %q\nregion = %q\nformat = \"github\"\napi = %q\npath_style = true\naccess_key_id = %q\nsecret_access_key = \"file:%s\"\npoll = \"1s\"\n",
		w.suite.Enterprise(), sim.Bucket(), aws.Home, store.URL, id, file)
	return block, func(list [][]byte) {
		for i := 0; i < len(list); i += 100 {
			at := w.begin.Add(time.Duration(i) * time.Second)
			key, content := w.suite.File(at, list[i:min(i+100, len(list))]...)
			sim.Put(key, content, time.Now())
		}
	}
}
