// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// FuzzFaults reads lists of faults: what is taken says what it was made from,
// so that reading that again gives the same.
func FuzzFaults(f *testing.F) {
	for _, list := range []string{
		"all", "late=0.02:11m,late=0.001:26h", "disable=SharePoint@10m", "5xx=0.05:always/Exchange+DLP@1h..2d", "huge-record=20MB", "foreign-link=evil.test", "skew=-10m", "deep=100", "all@1h",
	} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		rules, err := parseFaults(list)
		if err != nil {
			return
		}
		texts := make([]string, len(rules))
		for i, r := range rules {
			texts[i] = r.text
		}
		again, err := parseFaults(strings.Join(texts, ","))
		if err != nil || len(again) != len(rules) {
			t.Fatalf("%q was read as %q, and that is not: %v", list, texts, err)
		}
		for i, r := range rules {
			if *again[i] != *r {
				t.Fatalf("%q: %+v, again %+v", list, *r, *again[i])
			}
			if r.p < 0 || r.p > 1 || r.streams == 0 || r.until != 0 && r.until <= r.after {
				t.Fatalf("%q: %+v", list, *r)
			}
		}
	})
}

// FuzzContentID reads content ids: one that is found is the one that was given
// out, whatever was asked for.
func FuzzContentID(f *testing.F) {
	s, err := NewVillage(Config{Seed: 1, Start: time.Unix(1772539200, 0), Paused: true, Faults: "repeat=0.5:1m,relist=0.3:1m"}, 4, time.Now)
	if err != nil {
		f.Fatal(err)
	}
	now := s.feed.slot(s.Now())
	for slot := now - 20; slot < now; slot++ {
		for _, o := range s.feed.offers(nil, 1, slot) {
			f.Add(s.feed.id(o.place))
		}
	}
	f.Add("20171014180051748005825$20171014180051748005825$audit_sharepoint$Audit_SharePoint")
	f.Fuzz(func(t *testing.T, id string) {
		o, ok, found := s.feed.parseID(id)
		if found && (!ok || s.feed.id(o.place) != id || o.records == 0) {
			t.Fatalf("%q was found as %+v", id, o)
		}
	})
}

// FuzzMembers takes records apart and puts them together again.
func FuzzMembers(f *testing.F) {
	f.Add("Id", "x", uint64(1))
	f.Add("a\\\"b", "{[,:", uint64(2))
	f.Fuzz(func(t *testing.T, key, value string, h uint64) {
		raw := join([]member{{quote(key), quote(value)}, {quote("Parameters"), []byte(`[{"a":[1,{"b":"]}"}]},null]`)}, {quote(value), []byte("-1.5e3")}})
		list := members(raw)
		if len(list) != 3 || string(list[0].key) != string(quote(key)) || string(list[0].value) != string(quote(value)) || string(list[2].value) != "-1.5e3" {
			t.Fatalf("%s was taken apart as %q", raw, list)
		}
		if back := join(list); string(back) != string(raw) {
			t.Fatalf("%s became %s", raw, back)
		}
		if mixed := shuffled(raw, h); len(mixed) != len(raw) || len(members(mixed)) != 3 {
			t.Fatalf("%s was shuffled to %s", raw, mixed)
		}
	})
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string is JSON
	}
	return b
}
