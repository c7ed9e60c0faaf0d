// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push_test

import (
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/collect/push"
)

var splunk = header{"Authorization": "Splunk " + token}

const channel = "0a1b2c3d-1111-2222-3333-abcdefabcdef"

func TestHECEvents(t *testing.T) {
	const one, two = `{"event":{"id":"1"},"host":"h"}`, `{"time":"1700000000.25","event":"text","fields":{"a":"b","c":[1]}}`
	for name, test := range map[string]struct {
		path, body string
		header     header
		status     int
		answer     string
		stored     []string
	}{
		"one":                {"/services/collector/event", one, nil, 200, `{"text":"Success","code":0}`, []string{one}},
		"short path":         {"/services/collector", one, nil, 200, `{"text":"Success","code":0}`, []string{one}},
		"concatenated":       {"/services/collector/event", one + two, nil, 200, `{"text":"Success","code":0}`, []string{one, two}},
		"lines":              {"/services/collector/event", "\n" + one + "\r\n" + two + "\n", nil, 200, `{"text":"Success","code":0}`, []string{one, two}},
		"twice":              {"/services/collector/event", one + one, nil, 200, `{"text":"Success","code":0}`, []string{one}},
		"gzip":               {"/services/collector/event", zipped(one + two), header{"Content-Encoding": "gzip"}, 200, `{"text":"Success","code":0}`, []string{one, two}},
		"basic":              {"/services/collector/event", one, header{"Authorization": "Basic eDphLXRva2VuLW9mLXRoZS10ZXN0cw=="}, 200, `{"text":"Success","code":0}`, []string{one}},
		"channel":            {"/services/collector/event", one, header{"X-Splunk-Request-Channel": channel}, 200, `{"text":"Success","code":0,"ackId":0}`, []string{one}},
		"no token":           {"/services/collector/event", one, header{"Authorization": ""}, 401, `{"text":"Token is required","code":2}`, nil},
		"no scheme":          {"/services/collector/event", one, header{"Authorization": token}, 401, `{"text":"Invalid authorization","code":3}`, nil},
		"wrong token":        {"/services/collector/event", one, header{"Authorization": "Splunk " + token + "x"}, 403, `{"text":"Invalid token","code":4}`, nil},
		"token in query":     {"/services/collector/event?token=" + token, one, header{"Authorization": ""}, 400, `{"text":"Query string authorization is not enabled","code":16}`, nil},
		"empty":              {"/services/collector/event", " \n", nil, 400, `{"text":"No data","code":5}`, nil},
		"cut":                {"/services/collector/event", one + `{"event":`, nil, 400, `{"text":"Invalid data format","code":6,"invalid-event-number":1}`, []string{one}},
		"array":              {"/services/collector/event", "[" + one + "]", nil, 400, `{"text":"Invalid data format","code":6,"invalid-event-number":0}`, nil},
		"index":              {"/services/collector/event", `{"event":1,"index":7}`, nil, 400, `{"text":"Incorrect index","code":7,"invalid-event-number":0}`, nil},
		"bad channel":        {"/services/collector/event?channel=7", one, nil, 400, `{"text":"Invalid data channel","code":11}`, nil},
		"no event":           {"/services/collector/event", one + two + `{"host":"h"}` + one, nil, 400, `{"text":"Event field is required","code":12,"invalid-event-number":2}`, []string{one, two}},
		"blank":              {"/services/collector/event", `{"event":" "}`, nil, 400, `{"text":"Event field cannot be blank","code":13,"invalid-event-number":0}`, nil},
		"nested fields":      {"/services/collector/event", `{"event":1,"fields":{"a":{}}}`, nil, 400, `{"text":"Error in handling indexed fields","code":15,"invalid-event-number":0}`, nil},
		"raw":                {"/services/collector/raw?host=h&source=s&channel=" + channel, "a \"b\"\r\n\nc", nil, 200, `{"text":"Success","code":0,"ackId":0}`, []string{`{"event":"a \"b\"","host":"h","source":"s"}`, `{"event":"c","host":"h","source":"s"}`}},
		"raw, no UTF-8":      {"/services/collector/raw", "\xff", nil, 200, `{"text":"Success","code":0}`, []string{`{"event":"` + "\uFFFD" + `","eventBase64":"/w=="}`}},
		"unknown encoding":   {"/services/collector/event", one, header{"Content-Encoding": "zstd"}, 415, `{"text":"Invalid data format","code":6}`, nil},
		"no gzip at all":     {"/services/collector/event", one, header{"Content-Encoding": "gzip"}, 400, `{"text":"Invalid data format","code":6}`, nil},
		"too many":           {"/services/collector/event", strings.Repeat(`{"event":1}`, 101), nil, 413, `{"text":"Invalid data format","code":6}`, nil},
		"too large":          {"/services/collector/event", `{"event":"` + strings.Repeat("x", 1<<16) + `"}`, nil, 413, `{"text":"Invalid data format","code":6}`, nil},
		"a bomb":             {"/services/collector/event", zipped(`{"event":"` + strings.Repeat("x", 1<<20) + `"}`), header{"Content-Encoding": "gzip"}, 413, `{"text":"Invalid data format","code":6}`, nil},
		"acks, no channel":   {"/services/collector/ack", `{"acks":[0]}`, nil, 400, `{"text":"Data channel is missing","code":10}`, nil},
		"acks, never given":  {"/services/collector/ack?channel=" + channel, `{"acks":[0,-1]}`, nil, 200, `{"acks":{"-1":false,"0":false}}`, nil},
		"acks, no JSON":      {"/services/collector/ack?channel=" + channel, `acks`, nil, 400, `{"text":"Invalid data format","code":6}`, nil},
		"acks, wrong token":  {"/services/collector/ack?channel=" + channel, `{"acks":[0]}`, header{"Authorization": "Splunk x"}, 403, `{"text":"Invalid token","code":4}`, nil},
		"a path of no event": {"/services/collector/validate", one, nil, 404, `404 page not found`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, push.Options{Kind: push.HEC, MaxBody: 1 << 16, MaxRecords: 100})
			h := header{"Authorization": splunk["Authorization"]}
			for k, v := range test.header {
				h[k] = v
			}
			status, answer, _ := b.do("POST", test.path, test.body, h)
			if status != test.status || answer != test.answer {
				t.Errorf("%d %s, want %d %s", status, answer, test.status, test.answer)
			}
			b.want(test.stored...)
		})
	}
}

// TestHECAcks: an id is given out when the records are durable and not before, so that its ack is true at once.
func TestHECAcks(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HEC})
	h := header{"Authorization": "Splunk " + token, "X-Splunk-Request-Channel": channel}
	b.do("POST", "/services/collector/event", `{"event":1}`, h)
	b.do("POST", "/services/collector/event", `{"event":2}`, h)
	if _, answer, _ := b.do("POST", "/services/collector/ack", `{"acks":[0,1,2]}`, h); answer != `{"acks":{"0":true,"1":true,"2":false}}` {
		t.Error(answer)
	}
	if status, answer, _ := b.do("GET", "/services/collector/health", "", nil); status != 200 || answer != `{"text":"HEC is healthy","code":17}` {
		t.Error(status, answer)
	}
}

// TestHECFamily: of a vendor's family the event is the record, also as text; its time is the dressing's if it says none.
func TestHECFamily(t *testing.T) {
	b := newBench(t, push.Options{Kind: push.HEC, Family: "github"})
	b.do("POST", "/services/collector", `{"time":1700000000.25,"event":{"id":"1"}}{"event":"{\"id\":\"2\",\"at\":7}"}{"event":"text"}`, splunk)
	b.do("POST", "/services/collector/raw", `{"id":"3"}`, splunk)
	b.want(`{"id":"1"}`, `{"id":"2","at":7}`, `{"event":"text"}`, `{"id":"3"}`)
	for _, r := range b.records() {
		if want := map[string]int64{`{"id":"1"}`: 1700000000_250_000_000, `{"id":"2","at":7}`: 7}[r.raw]; r.time != want {
			t.Errorf("%s at %d", r.raw, r.time)
		}
		if r.origin.Tenant != "contoso" || r.origin.Family != "github" || r.origin.Stream != "hec" || r.origin.Name != "door 127.0.0.1" {
			t.Errorf("%+v", r.origin)
		}
	}
}
