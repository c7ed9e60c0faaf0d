// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/node"
)

// TestF16StolenCredential: the collector's own sign-ins are kept like any other and raise nothing; its credential, used from
// another address, is an alert that names that sign-in.
func TestF16StolenCredential(t *testing.T) {
	t.Parallel()
	const home, away, from = "192.0.2.10", "203.0.113.9", "Test-From"
	w := newWorld(t, setting{
		slow: true, graph: true,
		source: func(c *config.Source) { c.Addresses = []string{"192.0.2.0/28"} },
		// The vendor sees whom the test has it see: everybody is on loopback.
		between: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				r.RemoteAddr = cmp.Or(r.Header.Get(from), home) + ":443"
				next.ServeHTTP(rw, r)
			})
		},
	})
	signIns := w.source("entra")
	signIns.Type, signIns.Streams = "entra", []string{"signIns.servicePrincipal"}
	w.sources = []config.Source{signIns}
	tenant, client, secret := w.sim.Credentials()

	count := func(address string) int {
		found, err := w.node.Search(t.Context(), node.Query{Text: "family:entra-signin ip:" + address, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return found.Len()
	}
	ours := func() (list []incident.Alert) {
		if err := w.node.CatchUpDetection(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := w.node.Alerts(t.Context(), incident.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if strings.Contains(a.Sentence, client) {
				list = append(list, a)
			}
		}
		return list
	}
	w.start()
	w.pass(3*time.Hour, 30*time.Minute)
	w.until("its own sign-ins of three hours are there", func() (bool, string) {
		n := count(home)
		return n >= 3, fmt.Sprintf("%d of %d", n, len(w.sim.SignIns()))
	})
	if list := ours(); len(list) > 0 {
		t.Errorf("collecting raises %+v", list)
	}

	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "client_secret": {secret}, "scope": {"https://graph.microsoft.com/.default"}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/"+tenant+"/oauth2/v2.0/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(from, away)
	resp, err := http.DefaultClient.Do(r)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	resp.Body.Close()
	w.pass(10*time.Minute, 5*time.Minute)
	w.until("the thief's sign-in is there", func() (bool, string) { n := count(away); return n == 1, fmt.Sprint(n) })
	list := ours()
	if len(list) != 1 || list[0].Title != "The application that logs are read with is used from elsewhere" || len(list[0].Records) != 1 {
		t.Fatalf("a stolen credential raises %+v", list)
	}
	c, err := w.node.Coverage(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := w.node.Scorecard(t.Context(), c.Since, c.Until, nil)
	if err != nil {
		t.Fatal(err)
	}
	var card struct{ Statement scorecard.Scorecard }
	if err := json.Unmarshal(doc, &card); err != nil {
		t.Fatal(err)
	}
	for _, s := range card.Statement.Streams {
		if s.Stream == signIns.Streams[0] && (s.Own.Own < 3 || s.Own.Own != uint64(count(home)) || s.Own.Records != s.Delay.Records || s.Own.Records <= s.Own.Own) {
			t.Errorf("the scorecard counts %+v of %d records; from where we are come %d", s.Own, s.Delay.Records, count(home))
		}
	}
}
