// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/provider/budget"
	"github.com/daybreak-sec/daybreak/provider/credential"
	"github.com/daybreak-sec/daybreak/provider/m365"
	"github.com/daybreak-sec/daybreak/provider/rest"
)

var testKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func certificateCredential(t *testing.T) credential.Credential {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().AddDate(1, 0, 0)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, testKey().Public(), testKey())
	if err != nil {
		t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}),
		pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(testKey())})...)
	return credential.FromCertificate(secretFile(t, string(text)), credential.Reference{}, credential.PS256)
}

// guarded is a transport that fails the test if a token leaves for another host.
func guarded(t testing.TB, api func(w http.ResponseWriter, r *http.Request)) handler {
	return func(w http.ResponseWriter, r *http.Request) {
		host := r.URL.Scheme + "://" + r.URL.Host
		if strings.HasSuffix(r.URL.Path, "/token") && host == "https://login.microsoftonline.com" {
			fmt.Fprintf(w, `{"access_token":%q}`, jwt(1))
			return
		}
		if host != "https://manage.office.com" {
			t.Errorf("a request went to %s with %v", host, r.Header)
		}
		api(w, r)
	}
}

// fromEnvironment is a credential that needs no file: fuzzing makes thousands.
var fromEnvironment = sync.OnceValue(func() credential.Credential {
	const name = "DAYBREAK_TEST_CLIENT_SECRET"
	if err := os.Setenv(name, secret); err != nil {
		panic(err)
	}
	ref, err := credential.ParseReference("env:" + name)
	if err != nil {
		panic(err)
	}
	return credential.FromSecret(ref)
})

func guardedClient(t testing.TB, log io.Writer, api func(w http.ResponseWriter, r *http.Request)) *m365.Client {
	c, err := m365.New(m365.Options{
		Tenant: tenant, ClientID: app, Credential: fromEnvironment(),
		PageBytes: 1 << 20, PageBlobs: 1000,
		Shared: rest.Shared{Transport: guarded(t, api), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var foreign = []string{
	"https://evil.test/api/v1.0/x", "https://manage.office.com.evil.test/x", "https://evil.test#manage.office.com",
	"https://manage.office.com@evil.test/x", "https://user:pass@manage.office.com/x", "https://evil.test\\@manage.office.com/",
	"https://manage.office.com:444/x", "http://manage.office.com/x", "http://manage.office.com:443/x", "//evil.test/x", "/api/v1.0/x",
	"ftp://manage.office.com/x", "https:manage.office.com/x", "https:///x", "manage.office.com/x", "", "https://manage.office.com%2eevil.test/x",
	"https://manage.office.com%00.evil.test/", "https://[::1]/x", "https://169.254.169.254/latest", "https://manage-gcc.office.com/x",
	"javascript:alert(1)", "https://manage.office.com\r\nHost: evil.test/", " https://manage.office.com/x",
	"https://manage.office.com/" + strings.Repeat("a", 64<<10),
}

func TestForeignLinksAreNotFollowed(t *testing.T) {
	for _, link := range foreign {
		var log lines
		calls := 0
		c := guardedClient(t, &log, func(w http.ResponseWriter, r *http.Request) {
			calls++
			w.Header()["NextPageUri"] = []string{link}
			fmt.Fprintf(w, `[{"contentId":"a","contentUri":"https://manage.office.com/a","contentCreated":"2026-01-01T00:00:00.000Z"}]`)
		})
		var e *m365.Error
		_, err := c.Fetch(t.Context(), budget.Head, m365.Blob{URI: link})
		if !errors.As(err, &e) || e.Class != m365.ClassHostile || e.Op != "fetch" || len(e.Sample) > 512 {
			t.Errorf("content at %q: %v", clipped(link), err)
		}
		page, err := c.Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), "")
		if link == "" {
			if err != nil || page.Next != "" {
				t.Errorf("no link: %q, %v", page.Next, err)
			}
		} else if !errors.As(err, &e) || e.Class != m365.ClassHostile || page.Next != "" {
			t.Errorf("next page at %q: %q, %v", clipped(link), page.Next, err)
		}
		if len(page.Blobs) != 1 {
			t.Errorf("%q: the sound blobs of the page are lost", clipped(link))
		}
		if link != "" {
			if _, err := c.Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), link); !errors.As(err, &e) || e.Class != m365.ClassHostile {
				t.Errorf("asked for %q: %v", clipped(link), err)
			}
		}
		if calls != 1 {
			t.Errorf("%q: %d calls", clipped(link), calls)
		}
	}
}

func clipped(s string) string { return s[:min(len(s), 60)] }

func TestLinksOfTheAPIAreFollowedAsTheyAre(t *testing.T) {
	for link, want := range map[string]string{
		"https://manage.office.com/api/v1/x?nextPage=a%2Bb+c&y":                "https://manage.office.com/api/v1/x?nextPage=a%2Bb+c&y&PublisherIdentifier=" + tenant,
		"https://MANAGE.office.com:443/x#frag":                                 "https://MANAGE.office.com:443/x?PublisherIdentifier=" + tenant,
		"HTTPS://manage.office.com./x%2fy$a":                                   "https://manage.office.com./x%2fy$a?PublisherIdentifier=" + tenant,
		"https://manage.office.com/x?publisherIdentifier=other":                "https://manage.office.com/x?publisherIdentifier=other",
		"https://manage.office.com/?a=" + strings.Repeat("x", 32<<10):          "https://manage.office.com/?a=" + strings.Repeat("x", 32<<10) + "&PublisherIdentifier=" + tenant,
		"https://manage.office.com/x?a=%zz&;b":                                 "https://manage.office.com/x?a=%zz&;b&PublisherIdentifier=" + tenant,
		"https://manage.office.com/audit/2017$2017$audit_sharepoint$na0030":    "https://manage.office.com/audit/2017$2017$audit_sharepoint$na0030?PublisherIdentifier=" + tenant,
		"https://manage.office.com/audit/a?PublisherIdentifier=" + tenant + "": "https://manage.office.com/audit/a?PublisherIdentifier=" + tenant,
	} {
		got := ""
		c := guardedClient(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
			got = r.URL.String()
			io.WriteString(w, "[]")
		})
		c2 := answers(t, m365.Options{}, func(w http.ResponseWriter, r *http.Request) { got = r.URL.String(); io.WriteString(w, "[]") })
		if strings.Contains(link, "443") || strings.Contains(link, "com./") {
			c = c2 // the guard wants one spelling
		}
		if _, err := c.Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), link); err != nil || got != want {
			t.Errorf("%s: asked %s, %v", clipped(link), clipped(got), err)
		}
	}
}

// TestALongPagingLinkOverARealConnection: 32 KiB there and back.
func TestALongPagingLinkOverARealConnection(t *testing.T) {
	var s *service
	var link string
	s = newService(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("nextPage") == "" {
			link = s.URL + "/api/v1/feed?nextPage=" + strings.Repeat("k", 32<<10)
			w.Header().Set("nextpageURL", link)
		}
		io.WriteString(w, "[]")
	})
	c := s.client(t)
	page, err := c.Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), "")
	if err != nil || page.Next != link {
		t.Fatalf("%d bytes of link, %v", len(page.Next), err)
	}
	if page, err = c.Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), page.Next); err != nil || page.Next != "" {
		t.Errorf("%q, %v", page.Next, err)
	}
}

// TestRedirectsAreNeverFollowed over real connections, to a host that counts visits.
func TestRedirectsAreNeverFollowed(t *testing.T) {
	visits := 0
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { visits++ }))
	defer evil.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newService(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, evil.URL, status) })
		for op, call := range operations {
			c := s.client(t, func(o *m365.Options) { o.API = s.URL })
			if op == "fetch" {
				call = func(t *testing.T, c *m365.Client) error { _, err := read(t, c, s.URL); return err }
			}
			err := call(t, c)
			if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassRetry || !strings.Contains(err.Error(), "redirect") {
				t.Errorf("%d %s: %v", status, op, err)
			}
		}
		s.token = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, evil.URL, status) }
		if err := list(t.Context(), s.client(t)); err == nil {
			t.Errorf("%d: a token from a redirect", status)
		}
	}
	if visits != 0 {
		t.Errorf("%d requests were redirected", visits)
	}
}

// TestListingsThatAreHostile: what cannot be read is an error and never a shorter page.
func TestListingsThatAreHostile(t *testing.T) {
	const one = `{"contentId":"a","contentUri":"https://manage.office.com/a","contentCreated":"2026-01-01T00:00:00.000Z"}`
	for name, c := range map[string]struct {
		body  string
		class m365.Class
		says  string
		blobs int // that come with the error
	}{
		"bad element":      {"[" + one + `,{"contentId":7},` + one + "]", m365.ClassHostile, "1 elements of the page are no blobs", 2},
		"null element":     {"[null," + one + "]", m365.ClassHostile, "1 elements", 1},
		"number, string":   {"[1,\"x\"]", m365.ClassHostile, "2 elements", 0},
		"no id":            {`[{"contentUri":"https://manage.office.com/a","contentCreated":"2026-01-01T00:00:00Z"}]`, m365.ClassHostile, "1 elements", 0},
		"no address":       {`[{"contentId":"a","contentCreated":"2026-01-01T00:00:00Z"}]`, m365.ClassHostile, "1 elements", 0},
		"no time":          {`[{"contentId":"a","contentUri":"https://manage.office.com/a"}]`, m365.ClassHostile, "1 elements", 0},
		"odd time":         {`[{"contentId":"a","contentUri":"https://manage.office.com/a","contentCreated":"yesterday"}]`, m365.ClassHostile, "1 elements", 0},
		"long id":          {`[{"contentId":"` + strings.Repeat("a", 5000) + `","contentUri":"https://manage.office.com/a","contentCreated":"2026-01-01T00:00:00Z"}]`, m365.ClassHostile, "1 elements", 0},
		"deep":             {strings.Repeat("[", 100_000), m365.ClassRetry, "not the JSON", 0},
		"unclosed":         {"[" + one, m365.ClassRetry, "cut", 1},
		"comma at the end": {"[" + one + ",]", m365.ClassRetry, "not the JSON", 1},
		"no comma":         {"[" + one + one + "]", m365.ClassRetry, "not the JSON", 1},
		"two arrays":       {"[]" + "[]", m365.ClassRetry, "not the JSON", 0},
		"bytes after it":   {"[" + one + "] x", m365.ClassRetry, "not the JSON", 1},
		"NUL":              {"[\x00]", m365.ClassRetry, "not the JSON", 0},
		"not UTF-8":        {"[\"\xff\xfe\",\xff]", m365.ClassRetry, "not the JSON", 0},
		"too many":         {"[" + strings.Repeat("{},", 1000) + "{}]", m365.ClassHostile, "more than 1000 elements", 0},
		"too large":        {"[" + strings.Repeat(`"`+strings.Repeat("x", 100<<10)+`",`, 20) + "1]", m365.ClassHostile, "larger than a page", 0},
		"one too large":    {`["` + strings.Repeat("x", 2<<20) + `"]`, m365.ClassHostile, "", 0},
		"blanks":           {"[" + strings.Repeat(" ", 2<<20) + "]", m365.ClassHostile, "", 0},
	} {
		client := guardedClient(t, io.Discard, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, c.body) })
		page, err := client.Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), "")
		var e *m365.Error
		if !errors.As(err, &e) || e.Class != c.class || !strings.Contains(err.Error(), c.says) || len(e.Sample) > 512 || len(err.Error()) > 600 {
			t.Errorf("%s: %v, want %v %q", name, err, c.class, c.says)
		}
		if len(page.Blobs) != c.blobs || page.Next != "" {
			t.Errorf("%s: %d blobs, want %d", name, len(page.Blobs), c.blobs)
		}
	}
}

func TestTimesOfBlobs(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"2026-01-02T03:04:05.678Z":       at.Add(678 * time.Millisecond),
		"2026-01-02T03:04:05Z":           at,
		"2026-01-02T03:04:05":            at,
		"2026-01-02T03:04:05.6":          at.Add(600 * time.Millisecond),
		"2026-01-02T08:34:05+05:30":      at,
		"2026-01-02T03:04:05.123456789Z": at.Add(123456789),
	} {
		c := guardedClient(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `[{"contentId":"a","contentUri":"u","contentCreated":%q,"contentExpiration":null}]`, text)
		})
		page, err := c.Content(t.Context(), budget.Head, stream, at, at, "")
		if err != nil || len(page.Blobs) != 1 || !page.Blobs[0].Created.Equal(want) || page.Blobs[0].Created.Location() != time.UTC || !page.Blobs[0].Expires.IsZero() {
			t.Errorf("%s: %+v, %v", text, page, err)
		}
	}
}

// TestAPageOfManyBlobs is read in bounded memory.
func TestAPageOfManyBlobs(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "[")
		for i := range 8_000 {
			if i > 0 {
				io.WriteString(w, ",")
			}
			fmt.Fprintf(w, `{"contentType":"Audit.Exchange","contentId":"2026$%d$audit_exchange","contentUri":"http://127.0.0.1/api/v1.0/t/activity/feed/audit/2026$%d$audit_exchange","contentCreated":"2026-01-02T03:04:05.678Z","contentExpiration":"2026-01-09T03:04:05.678Z"}`, i, i)
		}
		io.WriteString(w, "]")
	})
	page, err := s.client(t).Content(t.Context(), budget.Backfill, stream, time.Now(), time.Now(), "")
	if err != nil || len(page.Blobs) != 8_000 || page.Blobs[7_999].ID != "2026$7999$audit_exchange" {
		t.Fatalf("%d blobs, %v", len(page.Blobs), err)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 40<<20 {
		t.Errorf("%d MiB in use", m.HeapAlloc>>20)
	}
	runtime.KeepAlive(page)
}

// TestNothingPrintsTheToken lets answers of every kind repeat what they were sent.
func TestNothingPrintsTheToken(t *testing.T) {
	token := jwt(1)
	echo := "Authorization: Bearer " + token + " " + token[:40] + "… client_secret=" + secret[:0]
	for _, status := range []int{200, 400, 401, 403, 404, 429, 500} {
		for _, form := range []string{"<pre>%s</pre>", `{"error":{"code":"X","message":"%s"}}`, `{"error":{"code":"AF20051","message":"%s"}}`, `{"message":"%s"}`, `["%s"]`, `[{"contentId":"%s"}]`, "%s"} {
			var log lines
			n := 0
			c := guardedClient(t, &log, func(w http.ResponseWriter, r *http.Request) {
				if n++; n > 2 && status == 429 {
					status = 400 // waits are not what is tested
				}
				w.Header().Set("NextPageUri", "https://evil.test/?t="+token)
				w.WriteHeader(status)
				fmt.Fprintf(w, form, echo)
			})
			if status == 429 {
				continue
			}
			for op, call := range operations {
				err := call(t, c)
				if err == nil {
					continue
				}
				var e *m365.Error
				errors.As(err, &e)
				all := fmt.Sprintf("%v %+v %#v %s %s", err, err, e, e.Sample, log.String())
				for _, part := range []string{token, token[:40], strings.Split(token, ".")[2], secret} {
					if strings.Contains(all, part) {
						t.Errorf("%d %s %q: %s", status, op, form, all)
					}
				}
			}
		}
	}
}

// TestANetworkErrorSaysNoAddress: links may be 64 KiB long and opaque.
func TestANetworkErrorSaysNoAddress(t *testing.T) {
	s := newService(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	c := s.client(t)
	_, err := c.Fetch(t.Context(), budget.Head, m365.Blob{URI: s.URL + "/" + strings.Repeat("k", 60<<10)})
	if e := (*m365.Error)(nil); !errors.As(err, &e) || e.Class != m365.ClassRetry || len(err.Error()) > 200 {
		t.Error(err)
	}
	s.Close()
	if err := list(t.Context(), c); err == nil || strings.Contains(err.Error(), "subscriptions/list") {
		t.Error(err)
	}
}

// FuzzListing: whatever a listing and its headers hold, the token goes to the API
// only, every blob has an id and a time, and no error says the token.
func FuzzListing(f *testing.F) {
	f.Add([]byte(`[{"contentId":"a","contentUri":"https://manage.office.com/a","contentCreated":"2026-01-01T00:00:00.000Z"}]`), "https://manage.office.com/n", "1", uint16(200))
	f.Add([]byte(`{"error":{"code":"AF20031","message":"x"}}`), "", "", uint16(400))
	f.Add([]byte(`[{"contentId":{"a":[1]}},null,`), "https://evil.test/", "Fri, 31 Dec 1999 23:59:59 GMT", uint16(200))
	f.Add(zip([]byte(`[]`)), "https://manage.office.com@evil.test/", "x", uint16(1200))
	f.Fuzz(func(t *testing.T, body []byte, link, header string, status uint16) {
		if strings.ContainsAny(link+header, "\r\n\x00") {
			t.Skip() // no server can send that
		}
		code := 200 + int(status)%400
		if code == 429 || bytes.Contains(body, []byte("AF429")) {
			t.Skip() // waits
		}
		var log lines
		c := guardedClient(t, &log, func(w http.ResponseWriter, r *http.Request) {
			if status >= 1000 {
				w.Header().Set("Content-Encoding", "gzip")
			}
			w.Header().Set("NextPageUri", link)
			w.Header().Set("Date", header)
			w.Header().Set("Retry-After", header)
			w.WriteHeader(code)
			w.Write(body)
		})
		next := ""
		for range 3 {
			page, err := c.Content(t.Context(), budget.Head, stream, time.Now(), time.Now(), next)
			for _, b := range page.Blobs {
				if b.ID == "" || b.URI == "" || b.Created.IsZero() {
					t.Errorf("blob %+v", b)
				}
				if blob, err := c.Fetch(t.Context(), budget.Head, b); err == nil {
					blob.Close()
				}
			}
			if err != nil {
				var e *m365.Error
				if !errors.As(err, &e) || e.RetryAfter < 0 || len(e.Sample) > 512 || len(e.Message) > 400 {
					t.Errorf("%T %+v", err, err)
				}
				if all := err.Error() + string(e.Sample) + log.String(); strings.Contains(all, jwt(1)) || strings.Contains(all, secret) {
					t.Errorf("a secret in %s", all)
				}
				return
			}
			if next = page.Next; next == "" {
				return
			}
		}
	})
}

// FuzzToken: whatever the token endpoint answers, what is sent as token is what it gave,
// and to the API only.
func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"access_token":"abc","expires_in":"3599","token_type":"Bearer"}`), uint16(200))
	f.Add([]byte(`{"error":"invalid_client","error_codes":[7000215],"error_description":"x"}`), uint16(401))
	f.Add([]byte(`{"access_token":"a\u000d\u000ab"}`), uint16(200))
	f.Fuzz(func(t *testing.T, body []byte, status uint16) {
		code := 200 + int(status)%400
		sent := ""
		c, err := m365.New(m365.Options{
			Tenant: tenant, ClientID: app, Credential: fromEnvironment(), Shared: rest.Shared{Log: slog.New(slog.DiscardHandler), Transport: handler(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/token") {
					w.WriteHeader(code)
					w.Write(body)
					return
				}
				if r.URL.Host != "manage.office.com" {
					t.Errorf("sent to %s", r.URL.Host)
				}
				sent = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				io.WriteString(w, "[]")
			})},
		})
		if err != nil {
			t.Fatal(err)
		}
		err = list(t.Context(), c)
		if (err == nil) != (sent != "") || sent != "" && (code != 200 || strings.ContainsAny(sent, " \r\n\t")) {
			t.Errorf("%d %q: sent %q, %v", code, body, sent, err)
		}
		var e *m365.Error
		if err != nil && (!errors.As(err, &e) || strings.Contains(err.Error()+string(e.Sample), secret)) {
			t.Errorf("%T %v", err, err)
		}
		_, _ = c.Roles(t.Context())
	})
}
