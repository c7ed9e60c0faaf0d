// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/collect/push"
)

// TestAnsweredIsStored: the disk fails while many send. Whatever was answered with 200 is in the journal that the next
// start finds, and who was not answered so was told to send again.
func TestAnsweredIsStored(t *testing.T) {
	for _, kind := range []push.Kind{push.HEC, push.HTTP, push.OTLP} {
		t.Run(string(kind), func(t *testing.T) {
			b := newBench(t, push.Options{Kind: kind})
			path, scheme, form := "/ingest/door", "Bearer ", `{"id":"%d"}`
			switch kind {
			case push.HEC:
				path, scheme, form = "/services/collector", "Splunk ", `{"event":"%d"}`
			case push.OTLP:
				path, form = "/v1/logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"%d"}}]}]}]}`
			}
			var mu sync.Mutex
			var answered []string
			refused := 0
			var senders sync.WaitGroup
			for s := range 4 {
				senders.Go(func() {
					for i := range 25 {
						n := 100*s + i
						req, _ := http.NewRequestWithContext(t.Context(), "POST", b.url+path, strings.NewReader(fmt.Sprintf(form, n)))
						req.Header.Set("Authorization", scheme+token)
						req.Header.Set("Content-Type", "application/json")
						res, err := http.DefaultClient.Do(req)
						if err != nil {
							t.Error(err)
							return
						}
						io.Copy(io.Discard, res.Body)
						res.Body.Close()
						mu.Lock()
						switch {
						case res.StatusCode == 200:
							answered = append(answered, fmt.Sprintf(`"%d"`, n))
						case res.StatusCode == 503 && res.Header.Get("Retry-After") != "" || kind == push.HEC && res.StatusCode == 500:
							refused++
						default:
							t.Errorf("status %d", res.StatusCode)
						}
						if len(answered) == 30 {
							b.broken.Store(true)
						}
						mu.Unlock()
					}
				})
			}
			senders.Wait()
			b.stop()
			b.j.Close()
			b.broken.Store(false)
			b.open()
			all := strings.Join(b.raws(), "\n")
			for _, want := range answered {
				if !strings.Contains(all, want) {
					t.Errorf("%s was answered and is not there", want)
				}
			}
			if len(answered) < 30 || refused < 20 {
				t.Errorf("%d answered, %d refused", len(answered), refused)
			}
		})
	}
}

// TestBusy: while the journal is behind, senders are told to come back, and nobody is answered that is not safe. It is an act.
func TestBusy(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HEC, StoreTime: 50 * time.Millisecond}, func(b *bench) {
		b.hold = make(chan struct{}, 1_000_000)
		for range 200 {
			b.hold <- struct{}{} // enough to open
		}
	})
	b.do("GET", "/services/collector/health", "", nil) // it has begun, and its act is durable
	drain(b.hold)
	status, answer, res := b.do("POST", "/services/collector", `{"event":1}`, splunk)
	if status != 503 || answer != `{"text":"Server is busy","code":9}` || res.Header.Get("Retry-After") == "" {
		t.Error(status, answer)
	}
	close(b.hold)
	waitFor(t, func() bool { // 50 ms are not enough of a busy machine every time
		status, _, _ := b.do("POST", "/services/collector", `{"event":1}`, splunk)
		return status == 200
	})
	b.want(`{"event":1}`)
	b.stop()
	acts := b.acts()
	kinds := []act.Kind{}
	for _, a := range acts {
		kinds = append(kinds, a.Kind)
	}
	if !slices.Equal(kinds, []act.Kind{act.Started, act.Failed, act.Stopped}) || acts[1].Reason != "busy" || acts[1].Stream != "hec" || acts[1].Source != "door" {
		t.Errorf("%+v", acts)
	}
}

func drain(c chan struct{}) {
	for {
		select {
		case <-c:
		default:
			return
		}
	}
}

// TestRoom: requests share so much memory; who comes when it is taken is told to come back, and it is given back.
func TestRoom(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HTTP, MaxMemory: 100_000, ReadTime: 20 * time.Second})
	body := `{"id":"1","x":"` + strings.Repeat("x", 60_000) + `"}`
	c := dial(t, b)
	fmt.Fprintf(c, "POST /ingest/door HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body[:len(body)-1])
	bearer := header{"Authorization": "Bearer " + token}
	waitFor(t, func() bool { return b.r.Used() >= int64(len(body)) })
	if status, answer, res := b.do("POST", "/ingest/door", body, bearer); status != 503 || res.Header.Get("Retry-After") == "" {
		t.Error(status, answer)
	}
	fmt.Fprint(c, body[len(body)-1:])
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 200 {
		t.Error(res, err)
	}
	if status, answer, _ := b.do("POST", "/ingest/door", body, bearer); status != 200 || answer != `{"records":1,"stored":0,"duplicates":1}` {
		t.Error(status, answer)
	}
	b.want(body)
	if used := b.r.Used(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}

// TestSlow: who sends too slowly is let go, also before there is a header.
func TestSlow(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HTTP, ReadTime: 5 * time.Second}) // a busy machine, too, has sent what it sends by then
	starts := []string{
		"", "POST /ingest/door HTTP/1.1\r\nHost:", "POST /ingest/door HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 100\r\n\r\n{",
	}
	var conns []net.Conn
	for _, start := range starts {
		c := dial(t, b)
		fmt.Fprint(c, start)
		conns = append(conns, c)
	}
	for i, c := range conns {
		out, err := io.ReadAll(c)
		if err != nil && !strings.Contains(err.Error(), "reset") {
			t.Error(err)
		}
		if strings.HasSuffix(starts[i], "{") && !strings.HasPrefix(string(out), "HTTP/1.1 408") {
			t.Errorf("%q", out)
		}
	}
	b.want()
}

// TestFlood: connections beyond the limit wait, and those that are there are served.
func TestFlood(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HTTP, MaxConns: 2, ReadTime: 200 * time.Millisecond})
	for range 6 {
		dial(t, b) // and says nothing
	}
	if status, answer, _ := b.do("POST", "/ingest/door", `{"id":"1"}`, header{"Authorization": "Bearer " + token}); status != 200 {
		t.Error(status, answer)
	}
}

// TestStrangersAreNotRead: a body of who has no token is not waited for.
func TestStrangersAreNotRead(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HTTP})
	c := dial(t, b)
	fmt.Fprint(c, "POST /ingest/door HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 1000000\r\n\r\n")
	if res, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || res.StatusCode != 403 || !res.Close {
		t.Error(res, err)
	}
	if reason := <-b.refused; reason != "token" {
		t.Error(reason)
	}
}

// TestGuessable: a token that can be guessed is none.
func TestGuessable(t *testing.T) {
	if _, err := push.Open(push.Options{Kind: push.HEC, Listen: "127.0.0.1:0"}); err == nil {
		t.Error("a receiver without a token is opened")
	}
}

func dial(t *testing.T, b *bench) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	t.Cleanup(func() { c.Close() })
	return c
}

func waitFor(t *testing.T, is func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(os.ErrDeadlineExceeded)
		}
	}
}
