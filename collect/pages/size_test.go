// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package pages_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/pages"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

// overHTTP is a provider behind HTTP, read by the client that those of the vendors are made of. Its time is the fake's.
type overHTTP struct {
	*rest.Client
	f    *fake
	root *url.URL
}

// serve puts a provider behind HTTP. page writes an answer.
func serve(t *testing.T, f *fake, page func(w io.Writer, q pages.Query) error) *overHTTP {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q pages.Query
		if err := json.Unmarshal([]byte(r.URL.Query().Get("q")), &q); err != nil {
			t.Error(err)
		}
		out := bufio.NewWriter(w)
		if err := page(out, q); err != nil {
			w.WriteHeader(rest.Of(err).Status)
			return
		}
		out.Flush()
	}))
	t.Cleanup(server.Close)
	root, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DAYBREAK_TEST_TOKEN", "of-this-test")
	ref, err := credential.ParseReference("env:DAYBREAK_TEST_TOKEN")
	if err != nil {
		t.Fatal(err)
	}
	return &overHTTP{rest.New(rest.Options{
		Name: "fake", Root: root, Auth: rest.NewStatic("fake", "Bearer", ref),
		Shared: rest.Shared{Budget: budget.New(budget.Options{PerMinute: 1_000_000}), Log: quiet},
	}, rest.NewClock()), f, root}
}

func (o *overHTTP) Now() time.Time { return o.f.Now() }

func (o *overHTTP) Page(ctx context.Context, p budget.Priority, q pages.Query) (page *pages.Page, err error) {
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	u := *o.root
	u.RawQuery = url.Values{"q": {string(text)}}.Encode()
	err = o.JSON(ctx, p, rest.Call{Op: "page", Method: http.MethodGet, URL: &u, Accept: "{", Records: true}, func(root jsontape.Value, a *rest.Answer) error {
		page = rest.NewPage(root.Get("records"), a)
		at, _ := root.Get("at").Int()
		page.Next, page.At = string(root.Get("next").Str()), time.Unix(0, at)
		page.Caught, _ = root.Get("caught").Bool()
		return nil
	})
	return page, err
}

// TestF04ARecordOfTwentyMegabytes: it is kept whole, and of one that is larger than 32 MiB a gap says when it was and how large, once.
// The others of their pages are collected, and what comes after them.
func TestF04ARecordOfTwentyMegabytes(t *testing.T) {
	for name, order := range orders {
		t.Run(name, func(t *testing.T) {
			f := newFake(13)
			history(f, 100, day)
			some := epoch.Add(-7 * hour)
			grow := func(id string, at time.Time, form string, size int) *record {
				f.add(id, at, 0)
				r := f.list[len(f.list)-1]
				r.raw = fmt.Sprintf(form, id, at.UnixNano(), strings.Repeat(`\"},{,`, size/6))
				return r
			}
			large := grow("large", some, `{"id":%q,"at":%d,"text":"%s"}`, 20<<20)
			known := grow("too large", some.Add(minute), `{"id":%q,"at":%d,"text":"%s"}`, 33<<20)
			unknown := grow("too large, too", some.Add(2*minute), `{"id":%q,"of":{"is":%d},"text":"%s"}`, 33<<20)
			b := newBench(t, f, order)
			b.opts.Sweep = hour // which would read 86 MB again and again
			b.opts.Upstream = serve(t, f, func(w io.Writer, q pages.Query) error {
				page, err := f.Page(t.Context(), budget.Head, q)
				if err != nil {
					return err
				}
				fmt.Fprint(w, `{"records":[`)
				for i, raw := range page.Records {
					if i > 0 {
						fmt.Fprint(w, ",")
					}
					_, _ = w.Write(raw)
				}
				_, err = fmt.Fprintf(w, `],"next":%q,"caught":%v,"at":%d}`, page.Next, page.Caught, page.At.UnixNano())
				return err
			})
			b.run()
			b.until("the records of before are there", func() bool { return len(b.lacking(minute)) == 2 && b.c.Status()[0].Unlisted == 0 })
			for i := range 20 {
				f.add(fmt.Sprintf("new-%d", i), f.Now(), 0)
			}
			f.jump(10 * minute)
			b.until("those of after, too", func() bool { return len(b.lacking(minute)) == 2 })
			b.stop()
			if n := b.have()[large.raw]; n != 1 {
				t.Errorf("the record of 20 MB is there %d times", n)
			}
			gaps := b.acts(act.Gap)
			for _, r := range []*record{known, unknown} {
				n := 0
				for _, a := range gaps {
					exact := a.To.Sub(a.From) == time.Second
					if strings.Contains(a.Message, fmt.Sprint(len(r.raw))) && a.Reason == act.Quarantined && a.Count == 1 &&
						!a.From.After(r.happened) && a.To.After(r.happened) && exact == (r == known) {
						n++
					}
				}
				if n != 1 {
					t.Errorf("%d gaps speak of the record %q: %+v", n, r.id, gaps)
				}
			}
			if len(gaps) != 2 {
				t.Errorf("%d gaps, want 2: %+v", len(gaps), gaps)
			}
			f.list = slices.DeleteFunc(f.list, func(r *record) bool { return r == known || r == unknown })
			b.check()
		})
	}
}

// TestF13Memory: of pages as large as may be (1,000 records of 60 kB; no vendor gives more records in one, but Slack, whose are small)
// no more than one is in memory, of which the buffer that it is read into may be there twice while it grows; and none while a loop waits.
func TestF13Memory(t *testing.T) {
	const records, most = 1000, 8
	size := 60_000
	if testing.Short() {
		size = 30_000
	}
	f := newFake(14)
	f.step = 0
	pad := strings.Repeat("0123456789", (size-60)/10)
	var given atomic.Int64
	b := newBench(t, f, pages.ByTime)
	b.opts.Sweep = hour
	b.opts.Feeds[0].Keep = 2 * day
	some := epoch.Add(-day)
	b.opts.Upstream = serve(t, f, func(w io.Writer, q pages.Query) error {
		n, next := 0, ""
		if !q.From.After(some) && q.To.After(some) {
			_, _ = fmt.Sscan(q.Next, &n)
			if n+1 < most {
				next = fmt.Sprint(n + 1)
			}
			fmt.Fprint(w, `{"records":[`)
			for i := range records {
				if i > 0 {
					fmt.Fprint(w, ",")
				}
				fmt.Fprintf(w, `{"id":"%d-%d","at":%d,"pad":%q}`, n, i, some.UnixNano(), pad)
				given.Add(int64(size))
			}
		} else {
			fmt.Fprint(w, `{"records":[`)
		}
		_, err := fmt.Fprintf(w, `],"next":%q,"at":%d}`, next, f.Now().UnixNano())
		return err
	})
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // what the latest collection has found to be in use
	read := func() int64 {
		metrics.Read(live)
		return int64(live[0].Value.Uint64())
	}
	before, peak := read(), int64(0)
	b.run()
	b.until("all pages are read", func() bool {
		peak = max(peak, read()-before)
		return len(b.c.Status()) > 0 && b.c.Status()[0].Unlisted == 0 && given.Load() >= int64(most*records*size)
	})
	runtime.GC()
	rest := read() - before
	t.Logf("%d MB in pages of %d MB: %d MB were live at most, %d MB in the end", given.Load()/1e6, records*size/1_000_000, peak/1e6, rest/1e6)
	const journals = 64 << 20 // its own batches and caches
	if peak > int64(3*records*size+journals) {
		t.Errorf("%d bytes were live, more than three pages", peak)
	}
	if rest > journals {
		t.Errorf("%d bytes are live when all is read, as if a page were kept", rest)
	}
	b.stop()
	if n := len(b.have()); n != most*records {
		t.Errorf("%d records are there, of %d", n, most*records)
	}
}
