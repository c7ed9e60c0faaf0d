// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package github_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/github"
	"github.com/daybreak-sec/daybreak/sim/service"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func newServer(t *testing.T, cfg service.Config) (*github.Server, string) {
	t.Helper()
	c, err := company.New(company.Config{Seed: 3, People: 80})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Company, cfg.Now, cfg.Begin, cfg.Token, cfg.Seed = c, func() time.Time { return noon }, noon.Add(-24*time.Hour), "ghp_simulated", 3
	s := github.New(cfg)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	return s, web.URL
}

type answer struct {
	status  int
	header  http.Header
	records []json.RawMessage
}

func get(t *testing.T, address, token string) (a answer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body) // a cut body is what some tests want
	_ = json.Unmarshal(text, &a.records)
	a.status, a.header = res.StatusCode, res.Header
	return a
}

// TestPagesHoldWhatHappened: the pages of a window, in both orders and by the links, are what happened in it.
func TestPagesHoldWhatHappened(t *testing.T) {
	s, base := newServer(t, service.Config{})
	from, to := noon.Add(-4*time.Hour), noon.Add(-time.Hour)
	for _, log := range []string{github.Web, github.Git} {
		var want [][]byte
		s.Happened(log, from, to.Add(time.Millisecond), func(_, _ time.Time, raw []byte) bool {
			want = append(want, bytes.Clone(raw))
			return true
		})
		if len(want) < 150 {
			t.Fatalf("only %d records of %s: this proves nothing", len(want), log)
		}
		for _, order := range []string{"asc", "desc"} {
			q := url.Values{"phrase": {"created:" + from.Format(time.RFC3339) + ".." + to.Format(time.RFC3339)}, "include": {log}, "order": {order}, "per_page": {"100"}}
			var got [][]byte
			for next := base + "/orgs/" + s.Organization() + "/audit-log?" + q.Encode(); next != ""; {
				a := get(t, next, "ghp_simulated")
				if a.status != http.StatusOK {
					t.Fatalf("status %d", a.status)
				}
				for _, r := range a.records {
					got = append(got, r)
				}
				next = ""
				if part, _, ok := strings.Cut(a.header.Get("Link"), `>; rel="next"`); ok {
					next = strings.TrimPrefix(part, "<")
				}
			}
			if order == "desc" {
				for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
					got[i], got[j] = got[j], got[i]
				}
			}
			if !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
				t.Errorf("%s %s: %d records, want %d, or they differ", log, order, len(got), len(want))
			}
		}
	}
}

// TestLatenessAndFaults: what is late is not shown, and each fault is what it says.
func TestLatenessAndFaults(t *testing.T) {
	s, base := newServer(t, service.Config{Late: 0.5, LateBy: 2 * time.Hour, Throttle: 7, Fail: 5, Break: 3})
	address := base + "/orgs/" + s.Organization() + "/audit-log?per_page=100&phrase=created:>=" + noon.Add(-time.Hour).Format(time.RFC3339)
	counts := map[int]int{}
	for range 40 {
		a := get(t, address, "ghp_simulated")
		counts[a.status]++
		if a.status == http.StatusForbidden && a.header.Get("Retry-After") == "" {
			t.Error("a throttled answer does not say when to come again")
		}
	}
	if counts[http.StatusOK] == 0 || counts[http.StatusForbidden] == 0 || counts[http.StatusBadGateway] == 0 || s.Tally()["cut"] == 0 {
		t.Errorf("answers %v, tally %v", counts, s.Tally())
	}
	late := 0
	all := 0
	seen := map[string]bool{}
	for range 6 {
		for _, r := range get(t, address, "ghp_simulated").records {
			seen[string(r)] = true
		}
	}
	s.Happened(github.Web, noon.Add(-time.Hour), noon.Add(-time.Minute), func(_, _ time.Time, raw []byte) bool {
		if all++; !seen[string(raw)] {
			late++
		}
		return true
	})
	if late < all/4 || late > all*3/4 {
		t.Errorf("%d of %d are late, want about half", late, all)
	}
	if a := get(t, address, "wrong"); a.status != http.StatusUnauthorized {
		t.Errorf("a wrong token: status %d", a.status)
	}
}

func TestRefusals(t *testing.T) {
	s, base := newServer(t, service.Config{Limit: 12})
	org := base + "/orgs/" + s.Organization() + "/audit-log?"
	for address, want := range map[string]int{
		base + "/orgs/elsewhere/audit-log": 404, org + "include=x": 422, org + "after=%21": 422, org + "phrase=actor:a": 422, org + "phrase=created:x": 422,
		org + "phrase=created:2026-03-03": 200, org + "phrase=created:<=2026-03-03T00:00:00Z&include=all": 200, base + "/enterprises/" + s.Enterprise() + "/audit-log": 200,
	} {
		if a := get(t, address, "ghp_simulated"); a.status != want {
			t.Errorf("%s: status %d, want %d", strings.TrimPrefix(address, base), a.status, want)
		}
	}
	for range 20 {
		if a := get(t, org, "ghp_simulated"); a.status == http.StatusForbidden && a.header.Get("X-RateLimit-Remaining") == "0" {
			return
		}
	}
	t.Error("the limit is never reached")
}

// TestSettings: what owners set is shown by the API of streams and in the log, in its order and without addresses while these
// are not disclosed; and the API refuses as GitHub does.
func TestSettings(t *testing.T) {
	s, base := newServer(t, service.Config{})
	address := base + "/enterprises/" + s.Enterprise() + "/audit-log/streams"
	show := func() string {
		a := get(t, address, "ghp_simulated")
		return string(bytes.Join(raws(a.records), []byte("\n")))
	}
	if got := show(); got != "" {
		t.Errorf("there are streams before anybody has made one: %s", got)
	}
	id, _ := s.AddStream(7, "Amazon S3", "contoso-audit")
	if s.PauseStream(7, id+1, true) != nil || s.DeleteStream(7, id+1) != nil {
		t.Error("a stream was changed that is not there")
	}
	s.PauseStream(7, id, true)
	want := `{"id":1,"stream_type":"Amazon S3","stream_details":"contoso-audit","enabled":false,"created_at":"2026-03-03T12:00:00Z","updated_at":"2026-03-03T12:00:00Z","paused_at":"2026-03-03T12:00:00Z"}`
	if got := show(); got != want {
		t.Errorf("shown is %s: want %s", got, want)
	}
	s.DiscloseAddresses(7, false)
	var actions []string
	s.Happened(github.Web, noon, noon.Add(time.Minute), func(at, _ time.Time, raw []byte) bool {
		var f struct {
			Action string  `json:"action"`
			IP     *string `json:"actor_ip"`
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(f.Action, "audit_log_streaming.") || strings.HasPrefix(f.Action, "business.") {
			actions = append(actions, f.Action)
		} else if f.IP != nil {
			t.Errorf("%s has an address", f.Action)
		}
		return true
	})
	slices.Sort(actions)
	if got := strings.Join(actions, " "); got != "audit_log_streaming.create audit_log_streaming.update business.disable_source_ip_disclosure" {
		t.Errorf("in the log are %s", got)
	}
	s.RefuseStreams(true)
	if a := get(t, address, "ghp_simulated"); a.status != http.StatusNotFound {
		t.Errorf("who may not see it is answered %d", a.status)
	}
	s.SetToken("ghp_other")
	if a := get(t, address, "ghp_simulated"); a.status != http.StatusUnauthorized {
		t.Errorf("who has an old token is answered %d", a.status)
	}
	for n := range 20 {
		a := get(t, address, "ghp_other")
		if a.status == http.StatusForbidden && a.header.Get("X-RateLimit-Remaining") == "0" {
			if n < 10 || n > 14 {
				t.Errorf("after %d more requests it is too many: GitHub answers fifteen an hour", n)
			}
			return
		}
	}
	t.Error("no limit was met")
}

func raws(list []json.RawMessage) (out [][]byte) {
	for _, r := range list {
		out = append(out, r)
	}
	return out
}
