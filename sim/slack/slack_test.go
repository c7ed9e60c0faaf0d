// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/service"
	"github.com/daybreak-sec/daybreak/sim/slack"
)

var noon = time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC)

func newServer(t *testing.T, cfg service.Config) (*slack.Server, string) {
	t.Helper()
	c, err := company.New(company.Config{Seed: 3, People: 80})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Company, cfg.Now, cfg.Begin, cfg.Token, cfg.Seed = c, func() time.Time { return noon }, noon.Add(-24*time.Hour), "xoxp-simulated", 3
	s := slack.New(cfg)
	web := httptest.NewServer(s.Handler())
	t.Cleanup(web.Close)
	return s, web.URL + "/audit/v1/logs?"
}

type answer struct {
	Status  int
	Entries []json.RawMessage
	Error   string
	Meta    struct {
		Next string `json:"next_cursor"`
	} `json:"response_metadata"`
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
	_ = json.NewDecoder(res.Body).Decode(&a) // a cut body is what some tests want
	a.Status = res.StatusCode
	return a
}

// TestPagesHoldWhatHappened: the pages of a window, by their cursors, are what happened in it, the newest first.
func TestPagesHoldWhatHappened(t *testing.T) {
	s, base := newServer(t, service.Config{})
	from, to := noon.Add(-4*time.Hour), noon.Add(-time.Hour)
	var want [][]byte
	s.Happened(from, to.Add(time.Second), func(_, _ time.Time, raw []byte) bool {
		want = append(want, bytes.Clone(raw))
		return true
	})
	if len(want) < 150 {
		t.Fatalf("only %d entries: this proves nothing", len(want))
	}
	slices.Reverse(want)
	var got [][]byte
	for cursor := ""; ; {
		q := url.Values{"oldest": {fmt.Sprint(from.Unix())}, "latest": {fmt.Sprint(to.Unix())}, "limit": {"40"}, "cursor": {cursor}}
		a := get(t, base+q.Encode(), "xoxp-simulated")
		if a.Status != http.StatusOK {
			t.Fatalf("status %d, %s", a.Status, a.Error)
		}
		for _, e := range a.Entries {
			got = append(got, e)
		}
		if cursor = a.Meta.Next; cursor == "" {
			break
		}
	}
	if !bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) {
		t.Errorf("%d entries, want %d, or they differ", len(got), len(want))
	}
}

func TestRefusals(t *testing.T) {
	s, base := newServer(t, service.Config{Limit: 12, Fail: 5, Break: 4})
	for query, want := range map[string]string{"oldest=x": "invalid_arguments", "limit=10000": "invalid_arguments", "cursor=%21": "invalid_cursor", "action=user_login": "invalid_arguments"} {
		for range 3 { // one may be a fault
			if a := get(t, base+query, "xoxp-simulated"); a.Status == http.StatusBadRequest && a.Error != want {
				t.Errorf("%s: %s, want %s", query, a.Error, want)
			}
		}
	}
	if a := get(t, base, "wrong"); a.Status != http.StatusUnauthorized || a.Error != "invalid_auth" {
		t.Errorf("a wrong token: status %d, %s", a.Status, a.Error)
	}
	for range 20 {
		get(t, base, "xoxp-simulated")
	}
	for _, what := range []string{"answered", "unauthorized", "throttled", "failed", "cut"} {
		if s.Tally()[what] == 0 {
			t.Errorf("nothing is %s: %v", what, s.Tally())
		}
	}
}
