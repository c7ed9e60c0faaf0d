// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package enrich_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// TestOwn: what an application of ours does is told from where it belongs, and nothing else is.
func TestOwn(t *testing.T) {
	const here, anywhere = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"
	var s enrich.Source
	en := enrich.New(&s)
	ask := func(app, address string) bool {
		e := &ocsf.Event{Class: ocsf.ClassAuthentication, Activity: 1}
		e.SetText(ocsf.PathActorAppUID, app)
		e.SetText(ocsf.PathSrcEndpointIP, address)
		own := en.Apply(e)
		if said := strings.Contains(string(e.AppendJSON(nil)), `"type":"own"`); said != own {
			t.Errorf("%s from %s: own is %v, and the event says %v", app, address, own, said)
		}
		return own
	}
	if ask(here, "192.0.2.7") {
		t.Error("nobody has said that it is ours")
	}
	s.Own([]enrich.Application{
		{ClientID: here, Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}},
		{ClientID: here, Networks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32")}},
		{ClientID: here},
		{ClientID: anywhere},
	})
	for _, test := range []struct {
		name, app, address string
		want               bool
	}{
		{"where it belongs", here, "192.0.2.7", true},
		{"in capitals", strings.ToUpper(here), "192.0.2.7", true},
		{"by another family", here, "2001:db8::7", true},
		{"an IPv4 address in the form of IPv6", here, "::ffff:192.0.2.7", true},
		{"elsewhere", here, "203.0.113.9", false},
		{"from nowhere", here, "", false},
		{"nobody has said from where", anywhere, "203.0.113.9", true},
		{"without an address", anywhere, "", true},
		{"another application", "cccccccc-0000-4000-8000-000000000003", "192.0.2.7", false},
		{"none", "", "192.0.2.7", false},
	} {
		if got := ask(test.app, test.address); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// BenchmarkOwn is what telling our own acts adds to the enrichment of an event with an address, while eight applications are ours: of
// an event of another application, and of one of ours. Both are measured by turns, for the machine may have other work.
func BenchmarkOwn(b *testing.B) {
	var ours []enrich.Application
	for i := range 8 {
		ours = append(ours, enrich.Application{ClientID: fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i), Networks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("5.9.0.0/16")}})
	}
	const turn = 1000
	for name, app := range map[string]string{"another": "cccccccc-0000-4000-8000-000000000003", "ours": ours[7].ClientID} {
		b.Run(name, func(b *testing.B) {
			var e ocsf.Event
			measure := func(en *enrich.Enricher) float64 {
				start := time.Now()
				for range turn {
					e.Reset()
					e.SetText(ocsf.PathSrcEndpointIP, "5.9.1.1")
					e.SetText(ocsf.PathActorAppUID, app)
					en.Apply(&e)
				}
				return float64(time.Since(start)) / turn
			}
			var sources [2]enrich.Source
			sources[1].Own(ours)
			var each [2][]float64
			var enrichers [2]*enrich.Enricher
			for i := range sources {
				if err := sources[i].Load(nested(b)); err != nil {
					b.Fatal(err)
				}
				enrichers[i] = enrich.New(&sources[i])
			}
			for b.Loop() {
				for i := range each {
					each[i] = append(each[i], measure(enrichers[i]))
				}
			}
			for i := range each {
				slices.Sort(each[i])
			}
			without, with := each[0][len(each[0])/2], each[1][len(each[1])/2]
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(without, "ns/without")
			b.ReportMetric(with, "ns/with")
			b.ReportMetric(with/without, "ratio")
		})
	}
}
