// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/internal/canonjson"
	"github.com/daybreak-sec/daybreak/sim/m365"
)

var contentTypes = []string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}

// noon is when the tests' companies live.
var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

// stillness is real time in tests: it does not pass.
func stillness() time.Time { return noon }

// start serves a village that stands still until a test lets time pass.
func start(t testing.TB, cfg m365.Config, most int) (*m365.Server, *reader) {
	t.Helper()
	if cfg.Start.IsZero() {
		cfg.Start = noon
	}
	if cfg.History == 0 {
		cfg.History = time.Hour
	}
	cfg.Paused = true
	if cfg.Quota == 0 {
		cfg.Quota = 10_000_000
	}
	s, err := m365.NewVillage(cfg, most, stillness)
	if err != nil {
		t.Fatal(err)
	}
	return s, serve(t, s)
}

func serve(t testing.TB, s *m365.Server) *reader {
	t.Helper()
	h := httptest.NewServer(s.Handler())
	t.Cleanup(func() {
		s.Close()
		h.Close()
	})
	return &reader{t: t, s: s, base: h.URL, client: h.Client()}
}

// reader is a plain and patient client: it asks for everything, and again until
// it is well.
type reader struct {
	t      testing.TB
	s      *m365.Server
	base   string
	client *http.Client
	token  string
	tries  int // requests that had to be repeated
	last   int // blobs on the page read last
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) code() string {
	var e struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal(r.body, &e)
	return e.Error.Code
}

// do makes one request, and reports an answer that broke off as an error.
func (r *reader) do(method, address, body string) (reply, error) {
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if strings.Contains(address, "/oauth2/") {
		req.Header.Del("Authorization")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, b}, err
}

func (r *reader) must(method, address, body string) reply {
	r.t.Helper()
	got, err := r.do(method, address, body)
	if err != nil {
		r.t.Fatalf("%s %s: %v", method, address, err)
	}
	return got
}

func (r *reader) root() string {
	tenant, _, _ := r.s.Credentials()
	return r.base + "/api/v1.0/" + tenant + "/activity/feed"
}

// login gets a token with the secret.
func (r *reader) login() {
	r.t.Helper()
	tenant, id, secret := r.s.Credentials()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {secret}, "scope": {"https://manage.office.com/.default"}}
	var last string
	for range 10 {
		got, err := r.do("POST", r.base+"/"+tenant+"/oauth2/v2.0/token", form.Encode())
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err == nil && got.status == 200 && json.Unmarshal(got.body, &answer) == nil && answer.AccessToken != "" {
			r.token = answer.AccessToken
			return
		}
		last = fmt.Sprintf("%d %.200s %v", got.status, got.body, err)
		r.tries++
	}
	r.t.Fatalf("no token: %s", last)
}

func (r *reader) subscribe() {
	r.t.Helper()
	for _, ct := range contentTypes {
		r.persist("POST", r.root()+"/subscriptions/start?contentType="+ct, func(got reply) bool {
			return got.status == 200 && bytes.Contains(got.body, []byte(`"status":"enabled"`)) || got.code() == "AF20024"
		})
	}
}

// persist asks until the answer is good.
func (r *reader) persist(method, address string, good func(reply) bool) reply {
	r.t.Helper()
	var last string
	for range 50 {
		got, err := r.do(method, address, "")
		if err == nil && got.status == 401 {
			r.login()
		}
		if err == nil && good(got) {
			return got
		}
		last = fmt.Sprintf("%d %.200s %v", got.status, got.body, err)
		r.tries++
	}
	r.t.Fatalf("%s %s never answers well: %s", method, address, last)
	return reply{}
}

type blob struct {
	ContentType, ContentID, ContentURI, ContentCreated, ContentExpiration string
}

// listing lists a window to its last page. A page link that does not work
// means to begin again.
func (r *reader) listing(contentType string, from, to time.Time) []blob {
	r.t.Helper()
	first := r.root() + "/subscriptions/content?contentType=" + contentType + "&startTime=" + stamp(from) + "&endTime=" + stamp(to)
	for range 50 {
		if list, ok := r.pages(first); ok {
			return list
		}
	}
	r.t.Fatalf("%s never lists", first)
	return nil
}

func (r *reader) pages(next string) (all []blob, ok bool) {
	for here := ""; next != ""; {
		if !strings.HasPrefix(next, r.base+"/") { // no token goes there: ask again for the page that gave it
			r.tries++
			all, next = all[:len(all)-r.last], here
			continue
		}
		here = next
		stale := false
		var list []blob
		got := r.persist("GET", next, func(got reply) bool {
			stale = got.code() == "AF20031"
			list = nil
			return stale || got.status == 200 && json.Unmarshal(got.body, &list) == nil
		})
		if stale {
			r.tries++
			return nil, false
		}
		all, r.last = append(all, list...), len(list)
		if next = got.header.Get("NextPageUri"); next == "" {
			next = got.header.Get("NextPageUrl")
		}
	}
	return all, true
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05") }

// records fetches a blob and takes it apart.
func (r *reader) records(b blob) []json.RawMessage {
	r.t.Helper()
	var list []json.RawMessage
	r.persist("GET", r.root()+"/audit/"+b.ContentID, func(got reply) bool {
		list = nil
		return got.status == 200 && json.Unmarshal(got.body, &list) == nil
	})
	return list
}

// key is what tells records apart.
type key struct {
	id  string
	sum m365.Hash
}

func keyOf(t testing.TB, raw []byte) key {
	t.Helper()
	var r struct{ Id string }
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("a record that is no object: %v: %.200s", err, raw)
	}
	canon, ok := canonjson.Append(nil, raw)
	if !ok {
		canon = bytes.Clone(raw)
	}
	return key{r.Id, sha256.Sum256(canon)}
}

// everything reads all there is from a time on, and says how often it saw each
// record and where it first stood.
func (r *reader) everything(from time.Time) map[key]*seen {
	r.t.Helper()
	all := map[key]*seen{}
	end := r.s.Now().Add(time.Second)
	for _, ct := range contentTypes {
		read := map[string]bool{}
		for at := from; at.Before(end); at = at.Add(24 * time.Hour) {
			for _, b := range r.listing(ct, at, at.Add(24*time.Hour)) {
				if read[b.ContentID] {
					continue
				}
				read[b.ContentID] = true
				for _, raw := range r.records(b) {
					k := keyOf(r.t, raw)
					if all[k] == nil {
						all[k] = &seen{blobs: map[string]blob{}, raw: raw}
					}
					all[k].blobs[b.ContentID] = b
				}
			}
		}
	}
	return all
}

type seen struct {
	raw   json.RawMessage
	blobs map[string]blob
}

// ledger is the ground truth as a set.
func ledger(t testing.TB, s *m365.Server, from, to, by time.Time) map[key]m365.Entry {
	t.Helper()
	all := map[key]m365.Entry{}
	for e := range s.Ledger(from, to, by) {
		k := key{e.ID, e.SHA256}
		if _, twice := all[k]; twice {
			t.Fatalf("the ledger names %v twice", e)
		}
		all[k] = e
	}
	return all
}

// compare holds what was read against the ledger.
func compare(t testing.TB, read map[key]*seen, truth map[key]m365.Entry) {
	t.Helper()
	missing, extra := 0, 0
	for k, e := range truth {
		got := read[k]
		if got == nil {
			if missing++; missing < 4 {
				t.Errorf("not read: %+v", e)
			}
			continue
		}
		if _, ok := got.blobs[e.ContentID]; !ok {
			t.Errorf("%s was read from other blobs than %s", e.ID, e.ContentID)
		}
	}
	for k, got := range read {
		if _, ok := truth[k]; !ok {
			if extra++; extra < 4 {
				t.Errorf("not in the ledger: %s", got.raw)
			}
		}
	}
	if missing+extra > 0 {
		t.Fatalf("read %d records, the ledger has %d; %d missing, %d too many", len(read), len(truth), missing, extra)
	}
}
