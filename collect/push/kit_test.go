// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/push"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
	"github.com/daybreak-sec/daybreak/provider/credential"
)

const token = "a-token-of-the-tests"

// bench is a journal, and a receiver over it.
type bench struct {
	t      *testing.T
	dir    string
	j      *journal.Journal
	broken atomic.Bool   // fsync fails
	hold   chan struct{} // nil, or what fsync waits for
	url    string
	addr   string
	stop   func()
	r      *push.Receiver

	refused chan string
}

var errDisk = errors.New("the disk is gone")

func newBench(t *testing.T, o push.Options, before ...func(*bench)) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), refused: make(chan string, 10_000)}
	for _, f := range before {
		f(b)
	}
	b.open()
	t.Cleanup(func() { b.j.Close() })
	o.Name, o.Tenant, o.Listen, o.Token = "door", "contoso", "127.0.0.1:0", credential.NewSecret(token)
	o.Journal, o.Acts, o.Identify = b.j, act.NewWriter(b.j, "door", "contoso"), identifier
	o.Refused = func(reason string) { b.refused <- reason }
	o.Log = slog.New(slog.DiscardHandler)
	r, err := push.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	b.r, b.addr, b.url = r, r.Addr().String(), "http://"+r.Addr().String()
	stopped := false
	b.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil && b.j.Err() == nil {
			t.Error(err)
		}
	}
	t.Cleanup(b.stop)
	return b
}

func (b *bench) open() {
	b.t.Helper()
	o := journal.Options{
		KeyFile: filepath.Join(b.dir, "key"), DedupeDir: filepath.Join(b.dir, "dedupe"), BatchDelay: time.Millisecond,
		CheckpointInterval: 100 * time.Millisecond, CloseTimeout: time.Second, Logger: slog.New(slog.DiscardHandler),
	}
	o.Ops.Wrap = func(op, _ string, do func() error) error {
		if op == "fsync" {
			if b.broken.Load() {
				return errDisk
			}
			if b.hold != nil {
				<-b.hold
			}
			return nil // no test here turns the power off
		}
		return do()
	}
	var err error
	if b.j, err = journal.Open(context.Background(), filepath.Join(b.dir, "journal"), o); err != nil {
		b.t.Fatal(err)
	}
}

// identifier finds "id" and "at" of any object.
func identifier() push.Identify {
	tape := new(jsontape.Tape)
	return func(raw []byte) ([]byte, int64, bool) {
		if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
			return nil, 0, false
		}
		at, _ := tape.Root().Get("at").Int()
		return tape.Root().Get("id").Str(), at, true
	}
}

type stored struct {
	raw    string
	time   int64
	origin event.Origin
}

// records returns what the journal holds that is no act, in its order.
func (b *bench) records() (out []stored) {
	b.t.Helper()
	if err := b.j.Flush(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.each(func(batch *journal.Batch, i int) {
		if o := batch.Envelope(i); o.Family != act.Family {
			out = append(out, stored{string(batch.Raw(i)), batch.Receipts.Records[i].Time, *o})
		}
	})
	return out
}

func (b *bench) acts() (out []act.Act) {
	b.t.Helper()
	b.each(func(batch *journal.Batch, i int) {
		if batch.Envelope(i).Family == act.Family {
			a, err := act.Parse(batch.Raw(i))
			if err != nil {
				b.t.Fatal(err)
			}
			out = append(out, a)
		}
	})
	return out
}

func (b *bench) each(f func(*journal.Batch, int)) {
	for follow := b.j.Follow(0); follow.Position() < b.j.End(); {
		batch, err := follow.Next(b.t.Context())
		if err != nil {
			b.t.Fatal(err)
		}
		for i := range batch.Receipts.Records {
			f(batch, i)
		}
	}
}

func (b *bench) raws() (out []string) {
	for _, r := range b.records() {
		out = append(out, r.raw)
	}
	return out
}

// want compares what the journal holds.
func (b *bench) want(raws ...string) {
	b.t.Helper()
	got := b.raws()
	slices.Sort(got)
	slices.Sort(raws)
	if !slices.Equal(got, raws) {
		b.t.Errorf("the journal holds\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(raws, "\n"))
	}
}

type header map[string]string

func (b *bench) do(method, path, body string, h header) (status int, text string, res *http.Response) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range h {
		req.Header.Set(name, value)
	}
	res, err = http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(out)), res
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}
