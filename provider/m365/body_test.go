// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

func zip(text []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(text)
	z.Close()
	return out.Bytes()
}

// read fetches the one blob of a service.
func read(t *testing.T, c *m365.Client, base string) ([]byte, error) {
	t.Helper()
	body, err := c.Fetch(t.Context(), budget.Head, m365.Blob{ID: "b", URI: base + "/b"})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err == nil {
		if _, again := body.Read(make([]byte, 1)); again != io.EOF {
			t.Errorf("after the end: %v", again)
		}
	}
	return text, err
}

var records = []byte(`[{"Id":"1","a":"x]\"}","b":[1,{"c":"\\"}]},{"Id":"2"}]` + "\n")

func TestBodiesThatAreWhole(t *testing.T) {
	empty := []byte("[]")
	for name, answer := range map[string]struct {
		encoding string
		body     []byte
		want     []byte
	}{
		"plain":             {"", records, records},
		"empty array":       {"", empty, empty},
		"gzip":              {"gzip", zip(records), records},
		"x-gzip":            {"x-gzip", zip(records), records},
		"two members":       {"gzip", append(zip(records[:20]), zip(records[20:])...), records},
		"chunked":           {"chunked", records, records},
		"identity":          {"identity", records, records},
		"megabytes of gzip": {"gzip", zip(large), large},
	} {
		s := newService(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				t.Errorf("accepting %q", r.Header.Get("Accept-Encoding"))
			}
			if answer.encoding == "chunked" {
				w.(http.Flusher).Flush()
			} else {
				w.Header().Set("Content-Encoding", answer.encoding)
				w.Header().Set("Content-Length", strconv.Itoa(len(answer.body)))
			}
			w.Write(answer.body)
		})
		if got, err := read(t, s.client(t), s.URL); err != nil || !bytes.Equal(got, answer.want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
}

// large is 1 MiB of records that are not alike.
var large = func() []byte {
	text := []byte("[")
	for i := 0; len(text) < 1<<20; i++ {
		text = fmt.Appendf(text, `{"Id":"%032x","n":%d},`, i*7919*7919, i)
	}
	return append(text, "{}]"...)
}()

// raw answers on the connection itself.
func raw(w http.ResponseWriter, answer string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nDate: "+time.Now().UTC().Format(http.TimeFormat)+"\r\n"+answer)
}

func TestBodiesThatAreNotWhole(t *testing.T) {
	log.SetOutput(io.Discard) // net/http tells it what came after the announced length
	defer log.SetOutput(os.Stderr)
	zipped, n := zip(records), len(records)
	flipped := bytes.Clone(zipped)
	flipped[len(flipped)-6] ^= 1
	plain := func(length int, body []byte) string {
		return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", length, body)
	}
	packed := func(body []byte) string {
		return fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	for name, c := range map[string]struct{ answer, says string }{
		"cut":                  {plain(n, records[:n/2]), "cut"},
		"cut after a record":   {plain(n, records[:bytes.LastIndex(records, []byte(`,{"Id"`))]), "cut"},
		"length too long":      {plain(n+10, records), "cut"},
		"length too short":     {plain(n-10, records), "its array is not closed"},
		"short within array":   {plain(bytes.Index(records, []byte("]}"))+1, records), "its array is not closed"},
		"no length, cut":       {"Connection: close\r\n\r\n" + string(records[:n-3]), "its array is not closed"},
		"chunked, cut":         {"Transfer-Encoding: chunked\r\n\r\n8\r\n" + string(records[:8]) + "\r\n8\r\n1234", "cut"},
		"chunked, no end":      {"Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n", n, records), "cut"},
		"chunked, damaged":     {"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + string(records), "m365 fetch"},
		"gzip cut":             {packed(zipped[:len(zipped)/2]), "cut"},
		"gzip without its end": {packed(zipped[:len(zipped)-4]), "cut"},
		"gzip, wrong sum":      {packed(flipped), "compression is damaged"},
		"gzip, then bytes":     {packed(append(bytes.Clone(zipped), "garbage garbage"...)), "compression is damaged"},
		"gzip, then zeros":     {packed(append(bytes.Clone(zipped), make([]byte, 20)...)), "compression is damaged"},
		"gzip, but plain":      {packed(records), "compression is damaged"},
		"gzip of half":         {packed(zip(records[:n/2])), "its array is not closed"},
		"gzip, two, one cut":   {packed(append(zip(records[:20]), zip(records[20:])[:10]...)), "cut"},
		"gzip, empty":          {packed(nil), "cut"},
		"gzip, length lies":    {fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(zipped)+9, zipped), "cut"},
		"other encoding":       {"Content-Encoding: br\r\n\r\n" + string(records), "not asked for: br"},
		"two encodings":        {"Content-Encoding: gzip, gzip\r\n\r\n" + string(zip(zipped)), "not asked for"},
	} {
		s := newService(t, func(w http.ResponseWriter, r *http.Request) { raw(w, c.answer) })
		_, err := read(t, s.client(t), s.URL)
		var e *m365.Error
		if !errors.As(err, &e) || e.Class != m365.ClassRetry || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if strings.Contains(c.says, "not closed") != errors.Is(err, rest.ErrUnclosed) {
			t.Errorf("%s: wraps ErrUnclosed: %v", name, errors.Is(err, rest.ErrUnclosed))
		}
		_, err = s.client(t).Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), "")
		if !errors.As(err, &e) {
			t.Errorf("%s as a listing: %v", name, err)
		}
	}
}

func TestABodyThatStops(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, write := range map[string]func(w http.ResponseWriter){
		"before the header": func(http.ResponseWriter) {},
		"after the header":  func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
		"in the middle":     func(w http.ResponseWriter) { w.Write(records[:9]); w.(http.Flusher).Flush() },
	} {
		s := newService(t, func(w http.ResponseWriter, r *http.Request) {
			write(w)
			select {
			case <-release:
			case <-r.Context().Done():
			}
		})
		c := s.client(t, func(o *m365.Options) { o.Limits.Stall = 50 * time.Millisecond })
		_, err := read(t, c, s.URL)
		if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassRetry || !strings.Contains(err.Error(), "no byte has come for 50ms") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestABodyThatDrips sends a byte now and then, for ever: it never stalls, and is still
// given up.
func TestABodyThatDrips(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("["))
		for r.Context().Err() == nil {
			w.Write([]byte(" "))
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	})
	c := s.client(t, func(o *m365.Options) { o.Limits.Slow = 100 * time.Millisecond; o.Limits.MinSpeed = 1 << 20 })
	_, err := read(t, c, s.URL)
	if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassRetry || !strings.Contains(err.Error(), "too slow") {
		t.Error(err)
	}
}

// TestASlowReaderIsNoFault reads with long rests, as a collector does that is held up.
func TestASlowReaderIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) { w.Write(large) })
		body, err := c.Fetch(t.Context(), budget.Head, blob)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		n := 0
		for part := make([]byte, 100<<10); ; {
			m, err := body.Read(part)
			if n += m; err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		if n != len(large) {
			t.Errorf("%d bytes of %d", n, len(large))
		}
	})
}

func TestReadingEndsWithTheContext(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("[1,"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	body, err := s.client(t).Fetch(ctx, budget.Head, m365.Blob{URI: s.URL + "/b"})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadFull(body, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := body.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAClosedBodyIsNotRead(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, r *http.Request) { w.Write(large) })
	body, err := s.client(t).Fetch(t.Context(), budget.Head, m365.Blob{URI: s.URL + "/b"})
	if err != nil {
		t.Fatal(err)
	}
	if body.Length != int64(len(large)) && body.Length != -1 {
		t.Errorf("length %d", body.Length)
	}
	body.Close()
	if n, err := body.Read(make([]byte, 10)); err == nil || err == io.EOF || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
}

// TestABombIsRefused: 200 MiB of blanks in 200 KiB.
func TestABombIsRefused(t *testing.T) {
	blanks := zip(bytes.Repeat([]byte(" "), 4<<20))
	bomb := bytes.NewBuffer(zip([]byte("[")))
	for range 50 {
		bomb.Write(blanks)
	}
	bomb.Write(zip([]byte("]")))
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(bomb.Bytes())
	})
	body, err := s.client(t).Fetch(t.Context(), budget.Head, m365.Blob{URI: s.URL + "/b"})
	var n int64
	if err == nil {
		n, err = io.Copy(io.Discard, body)
		body.Close()
	}
	if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassHostile {
		t.Errorf("%v after %d bytes", err, n)
	}
}

// TestAHugeBlobIsStreamed reads 48 MB in constant memory.
func TestAHugeBlobIsStreamed(t *testing.T) {
	const size = 48 << 20
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		part := bytes.Repeat([]byte(`{"Id":"0123456789","Operation":"FileAccessed"},`), 1000)
		w.Write([]byte("["))
		for n := 0; n < size; n += len(part) {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
		w.Write([]byte("{}]"))
	})
	var before, after runtime.MemStats
	body, err := s.client(t).Fetch(t.Context(), budget.Head, m365.Blob{URI: s.URL + "/b"})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, body)
	runtime.ReadMemStats(&after)
	if err != nil || n < size {
		t.Errorf("%d bytes, %v", n, err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d MiB were allocated for it", grown>>20)
	}
	if body.Received() != n {
		t.Errorf("received %d bytes, read %d", body.Received(), n)
	}
}

// TestConnectionsAreUsedAgain counts them over many calls, refusals among them.
func TestConnectionsAreUsedAgain(t *testing.T) {
	var n int
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n%3 == 0 {
			w.WriteHeader(500)
		}
		w.Write(records)
	})
	opened := 0
	transport := rest.NewTransport()
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		opened++
		return dial(ctx, network, addr)
	}
	c := s.client(t, func(o *m365.Options) { o.Transport = transport })
	for range 30 {
		_, _ = read(t, c, s.URL)
	}
	if opened != 1 {
		t.Errorf("%d connections", opened)
	}
}

// FuzzBody states the property that counts: whatever array of records is sent, however it
// is packed, all of it arrives; and if it is cut anywhere, reading ends with an error.
func FuzzBody(f *testing.F) {
	f.Add([]byte("x"), uint16(3), uint8(0))
	f.Add([]byte(`a"\]}`), uint16(9), uint8(1))
	f.Add([]byte{0xff, 0, '[', '"'}, uint16(0), uint8(3))
	f.Fuzz(func(t *testing.T, seed []byte, at uint16, mode uint8) {
		text, err := json.Marshal([]any{string(seed), map[string]any{string(seed): []any{len(seed), string(seed)}}, seed})
		if err != nil {
			t.Fatal(err)
		}
		wire := text
		if mode&1 != 0 {
			wire = zip(text)
		}
		whole := mode&2 == 0
		if !whole {
			wire = wire[:int(at)%len(wire)]
		}
		c := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) {
			if mode&1 != 0 {
				w.Header().Set("Content-Encoding", "gzip")
			}
			w.Write(wire)
		})
		got, err := read(t, c, "https://manage.office.com")
		if whole != (err == nil) || whole && !bytes.Equal(got, text) {
			t.Fatalf("%d of %d bytes, %v", len(got), len(text), err)
		}
		if e := (*m365.Error)(nil); err != nil && !errors.As(err, &e) {
			t.Fatalf("%T: %v", err, err)
		}
	})
}

func BenchmarkFetch(b *testing.B) {
	for _, encoding := range []string{"identity", "gzip"} {
		b.Run(encoding, func(b *testing.B) {
			wire := large
			if encoding == "gzip" {
				wire = zip(large)
			}
			s := newService(b, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", encoding)
				w.Write(wire)
			})
			c := s.client(b)
			b.SetBytes(int64(len(large)))
			for b.Loop() {
				body, err := c.Fetch(b.Context(), budget.Head, m365.Blob{URI: s.URL + "/b"})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, body); err != nil {
					b.Fatal(err)
				}
				body.Close()
			}
		})
	}
}
