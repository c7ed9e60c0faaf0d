// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package enrich_test

import (
	"net/netip"
	"strings"
	"testing"

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
		en.Apply(e)
		return strings.Contains(string(e.AppendJSON(nil)), `"type":"own"`)
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
