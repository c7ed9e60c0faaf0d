// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push_test

import (
	"testing"

	"github.com/daybreak-sec/daybreak/collect/push"
)

func TestIngest(t *testing.T) {
	bearer := header{"Authorization": "Bearer " + token}
	const hook = `{"eventType":"com.okta.event_hook","data":{"events":[{"id":"1"},{"id":"2"}]}}`
	for name, test := range map[string]struct {
		family string
		body   string
		header header
		status int
		answer string
		stored []string
	}{
		"lines":        {"json", "{\"id\":\"1\"}\n{\"id\":\"2\"}\n", bearer, 200, `{"records":2,"stored":2,"duplicates":0}`, []string{`{"id":"1"}`, `{"id":"2"}`}},
		"array":        {"json", `[{"id":"1"}, {"id":"2"}]`, bearer, 200, `{"records":2,"stored":2,"duplicates":0}`, []string{`{"id":"1"}`, `{"id":"2"}`}},
		"objects":      {"json", `{"id":"1"}{"id":"2"}{"id":"1"}`, bearer, 200, `{"records":3,"stored":2,"duplicates":1}`, []string{`{"id":"1"}`, `{"id":"2"}`}},
		"gzip":         {"json", zipped(`{"id":"1"}`), header{"Authorization": "Bearer " + token, "Content-Encoding": "gzip"}, 200, `{"records":1,"stored":1,"duplicates":0}`, []string{`{"id":"1"}`}},
		"okta's hook":  {"okta", hook, header{"Authorization": token}, 200, `{"records":2,"stored":2,"duplicates":0}`, []string{`{"id":"1"}`, `{"id":"2"}`}},
		"another hook": {"json", hook, bearer, 200, `{"records":1,"stored":1,"duplicates":0}`, []string{hook}},
		"no object":    {"json", `{"id":"1"} 7`, bearer, 400, `{"records":0,"stored":0,"duplicates":0,"error":"the body cannot be read: nothing of it was stored"}`, nil},
		"cut":          {"json", `{"id":"1"}{"id":`, bearer, 400, `{"records":0,"stored":0,"duplicates":0,"error":"the body cannot be read: nothing of it was stored"}`, nil},
		"empty":        {"json", ``, bearer, 400, `{"records":0,"stored":0,"duplicates":0,"error":"there is no record in the body"}`, nil},
		"bare, wrong":  {"okta", hook, header{"Authorization": "x"}, 403, `{"records":0,"stored":0,"duplicates":0,"error":"the token is not this receiver's"}`, nil},
		"no token":     {"json", `{"id":"1"}`, nil, 401, `{"records":0,"stored":0,"duplicates":0,"error":"there is no token: send the header \"Authorization: Bearer TOKEN\""}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, push.Options{Kind: push.HTTP, Family: "json"})
			if test.family == "okta" {
				b = newBench(t, push.Options{Kind: push.HTTP, Family: "okta"})
			}
			status, answer, _ := b.do("POST", "/ingest/door", test.body, test.header)
			if status != test.status || answer != test.answer {
				t.Errorf("%d %s", status, answer)
			}
			b.want(test.stored...)
		})
	}
}

// TestVerification: Okta asks whether an address is its owner's before it sends there.
func TestVerification(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HTTP, Family: "okta"})
	if status, answer, _ := b.do("GET", "/ingest/door", "", header{"X-Okta-Verification-Challenge": "a \"b"}); status != 200 || answer != `{"verification":"a \"b"}` {
		t.Error(status, answer)
	}
	if status, _, _ := b.do("GET", "/ingest/door", "", nil); status != 405 {
		t.Error(status)
	}
	if status, _, _ := b.do("POST", "/ingest/other", "{}", header{"Authorization": "Bearer " + token}); status != 404 {
		t.Error(status)
	}
	b.want()
}
