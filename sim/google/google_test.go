// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/google"
	"github.com/daybreak-sec/daybreak/sim/m365"
	"github.com/daybreak-sec/daybreak/sim/service"
)

var start = time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC)

func newServer(t *testing.T, cfg google.Config) (*google.Server, string) {
	t.Helper()
	var err error
	cfg.Tenant, err = m365.New(m365.Config{Seed: 5, Company: company.Config{People: 60, PerDay: 300}, History: 6 * time.Hour, Start: start, Paused: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cfg.Tenant.Close)
	s, err := google.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	return s, web.URL
}

type activity struct {
	ID struct {
		Time, ApplicationName, UniqueQualifier string
	}
	Actor     struct{ Email string }
	IPAddress string
	Events    []struct{ Type, Name string }
}

type answer struct {
	Status int
	Items  []json.RawMessage
	Next   string `json:"nextPageToken"`
	Error  struct {
		Errors []struct{ Reason string }
	}
}

func (a answer) reason() string {
	if len(a.Error.Errors) == 0 {
		return ""
	}
	return a.Error.Errors[0].Reason
}

func get(t *testing.T, base, application, token string, q url.Values) (a answer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/admin/reports/v1/activity/users/all/applications/"+application+"?"+q.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_ = json.NewDecoder(res.Body).Decode(&a) // a cut body is what some tests want
	a.Status = res.StatusCode
	return a
}

// TestPagesHoldWhatHappened: the pages of a window, by their tokens, are what happened in it, the newest first.
func TestPagesHoldWhatHappened(t *testing.T) {
	s, base := newServer(t, google.Config{Page: 7})
	token := s.Grant()
	from, to := start.Add(-4*time.Hour), start.Add(-time.Hour)
	for _, application := range []string{"login", "drive", "chat", "keep"} {
		want := map[string]bool{}
		s.Happened(application, from, to.Add(time.Millisecond), func(_, _ time.Time, raw []byte) { want[string(raw)] = true })
		if len(want) < 20 != (application == "keep") {
			t.Fatalf("%s: %d activities: this proves nothing", application, len(want))
		}
		q := url.Values{"startTime": {from.Format(time.RFC3339)}, "endTime": {to.Format(time.RFC3339)}}
		var times []string
		for {
			a := get(t, base, application, token, q)
			if a.Status != http.StatusOK || len(a.Items) > 7 {
				t.Fatalf("status %d, %s, %d items", a.Status, a.reason(), len(a.Items))
			}
			for _, raw := range a.Items {
				var v activity
				if err := json.Unmarshal(raw, &v); err != nil || v.ID.ApplicationName != application {
					t.Fatalf("%s: %v", raw, err)
				}
				times = append(times, v.ID.Time)
				if !want[string(raw)] {
					t.Errorf("%s came twice, or did not happen", raw)
				}
				delete(want, string(raw))
			}
			if a.Next == "" {
				break
			}
			q.Set("pageToken", a.Next)
		}
		if len(want) > 0 {
			t.Errorf("%s: %d did not come", application, len(want))
		}
		if !slices.IsSortedFunc(times, func(a, b string) int { return cmp.Compare(b, a) }) {
			t.Errorf("%s: not the newest first", application)
		}
	}
}

// TestOnePersonManySuites: who signs in to Google signed in to Microsoft at that moment, from the same address.
func TestOnePersonManySuites(t *testing.T) {
	var tenant *m365.Server
	cfg := google.Config{}
	s, _ := newServer(t, cfg)
	tenant, err := m365.New(m365.Config{Seed: 5, Company: company.Config{People: 60, PerDay: 300}, History: 6 * time.Hour, Start: start, Paused: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	there := map[string]bool{}
	tenant.Happened(company.AzureActiveDirectory, start.Add(-6*time.Hour), start, func(_, _ time.Time, raw []byte) bool {
		var v struct{ UserID, ClientIP string }
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		there[v.UserID+" "+v.ClientIP] = true
		return true
	})
	n := 0
	s.Happened("login", start.Add(-6*time.Hour), start, func(_, _ time.Time, raw []byte) {
		var v activity
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		if n++; !there[v.Actor.Email+" "+v.IPAddress] {
			t.Errorf("%s signed in to Google alone", v.Actor.Email)
		}
	})
	if n < 50 {
		t.Errorf("only %d sign-ins", n)
	}
}

// TestRefusals: what is wrong with a request is said as Google says it, and each fault happens.
func TestRefusals(t *testing.T) {
	if testing.Short() {
		t.Skip("it asks a hundred times")
	}
	s, base := newServer(t, google.Config{Page: 3, Stale: 2, Service: service.Config{Limit: 40, Fail: 5, Break: 4, Throttle: 6}})
	token := s.Grant()
	window := func(more ...string) url.Values {
		q := url.Values{"startTime": {start.Add(-3 * time.Hour).Format(time.RFC3339)}, "endTime": {start.Format(time.RFC3339)}}
		for i := 0; i < len(more); i += 2 {
			q.Set(more[i], more[i+1])
		}
		return q
	}
	for name, q := range map[string]url.Values{
		"another customer": window("customerId", "C9"), "no time": window("startTime", "x"), "an empty window": window("startTime", start.Format(time.RFC3339)),
		"too many": window("maxResults", "1001"), "a filter": window("eventName", "x"), "a page token": window("pageToken", "%%"),
	} {
		for range 4 { // some may be faults
			if a := get(t, base, "login", token, q); a.Status == http.StatusOK || a.Status == http.StatusBadRequest && a.reason() != "invalid" {
				t.Errorf("%s: %d %s", name, a.Status, a.reason())
			}
		}
	}
	if a := get(t, base, "login", "wrong", window()); a.Status != http.StatusUnauthorized || a.reason() != "authError" {
		t.Errorf("a wrong token: %d %s", a.Status, a.reason())
	}
	s.Deny("drive")
	refused, stale := 0, 0
	for range 20 {
		if a := get(t, base, "drive", token, window()); a.reason() == "forbidden" {
			refused++
		}
		if a := get(t, base, "login", token, window()); a.Next != "" && get(t, base, "login", token, window("pageToken", a.Next)).reason() == "invalid" {
			stale++
		}
	}
	if refused == 0 || stale == 0 {
		t.Errorf("%d refused, %d page tokens stale", refused, stale)
	}
	s.Revoke()
	if a := get(t, base, "login", token, window()); a.Status != http.StatusUnauthorized {
		t.Errorf("a token that was revoked: %d", a.Status)
	}
	for _, what := range []string{"answered", "unauthorized", "throttled", "failed", "cut"} {
		if s.Tally()[what] == 0 {
			t.Errorf("nothing is %s: %v", what, s.Tally())
		}
	}
}

// TestGrantsThatAreRefused: by what is wrong with them. Good ones are tested with the client that makes them.
func TestGrantsThatAreRefused(t *testing.T) {
	s, base := newServer(t, google.Config{})
	for assertion, want := range map[string]string{"": "unsupported_grant_type", "a.b.c": "invalid_grant", "e30.e30.e30": "invalid_grant"} {
		res, err := http.PostForm(base+"/token", url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}})
		if err != nil {
			t.Fatal(err)
		}
		var v struct{ Error string }
		if err := json.NewDecoder(res.Body).Decode(&v); err != nil || v.Error != want || res.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d %s, %v", assertion, res.StatusCode, v.Error, err)
		}
		res.Body.Close()
	}
	if key := s.Key(); !json.Valid(key) || bytes.ContainsAny(key, "\n'") || !strings.Contains(string(key), "service_account") {
		t.Error("the key is no JSON of one line")
	}
	before := s.Key()
	if err := s.Rotate(); err != nil || bytes.Equal(before, s.Key()) {
		t.Errorf("the key is the same: %v", err)
	}
}

// TestEveryApplication: in each application of which it is said, something happens, by one of the company's people or by Google, and in no
// other one; and what is there is an act of the suite that it comes from, by that person at that moment.
func TestEveryApplication(t *testing.T) {
	tenant, err := m365.New(m365.Config{Seed: 5, Company: company.Config{People: 120, PerDay: 300}, History: 30 * time.Hour, Start: start, Paused: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tenant.Close()
	s, err := google.New(google.Config{Tenant: tenant})
	if err != nil {
		t.Fatal(err)
	}
	from := start.Add(-30 * time.Hour)
	at := map[string]bool{}
	for _, st := range []company.Stream{company.AzureActiveDirectory, company.Exchange, company.SharePoint, company.General, company.DLP} {
		tenant.Happened(st, from, start, func(_, _ time.Time, raw []byte) bool {
			var v struct {
				UserID             string
				ClientIP, UserIP   string
				SharePointMetaData struct{ From string }
			}
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			for _, who := range []string{v.UserID, v.SharePointMetaData.From} {
				at[who+" "+cmp.Or(v.ClientIP, v.UserIP)] = true
			}
			return true
		})
	}
	happens := google.Applications()
	for _, name := range google.All() {
		n := 0
		s.Happened(name, from, start, func(_, _ time.Time, raw []byte) {
			n++
			var v activity
			if err := json.Unmarshal(raw, &v); err != nil || v.ID.ApplicationName != name || len(v.Events) != 1 || v.Events[0].Type == "" {
				t.Fatalf("%s: %v", raw, err)
			}
			if v.Actor.Email != "" && !at[v.Actor.Email+" "+v.IPAddress] {
				t.Errorf("%s: %s at %s did nothing elsewhere", name, v.Actor.Email, v.IPAddress)
			}
		})
		if (n > 0) != slices.Contains(happens, name) {
			t.Errorf("%s: %d activities", name, n)
		}
	}
}
