// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/detect"
)

// ours tells of an application of Daybreak's own, somewhere else than it is, and of one that may be anywhere.
const ours = `
title: own
id: 6f1a2d30-0000-4000-8000-000000000001
logsource: {product: azure, service: signinlogs}
detection: {s: {appId|expand: '%daybreak_applications%'}, condition: s}
---
title: anywhere
id: 6f1a2d30-0000-4000-8000-000000000002
logsource: {product: azure, service: signinlogs}
detection: {s: {appId|expand: '%daybreak_applications_anywhere%'}, condition: s}
---
title: here
id: 6f1a2d30-0000-4000-8000-000000000003
logsource: {product: azure, service: signinlogs}
detection: {s: {ipAddress|cidr|expand: '%daybreak_addresses%'}, condition: s}
---
title: home
id: 6f1a2d30-0000-4000-8000-000000000004
logsource: {product: azure, service: signinlogs}
detection: {s: {ipAddress|cidr|expand: '%daybreak_addresses%', appId|expand: '%daybreak_applications%', status.errorCode: 0}, condition: s}
---
title: away
id: 6f1a2d30-0000-4000-8000-000000000005
logsource: {product: azure, service: signinlogs}
detection:
  s: {appId|expand: '%daybreak_applications%', ipAddress|cidr|neq|expand: '%daybreak_addresses%'}
  anywhere: {appId|expand: '%daybreak_applications_anywhere%'}
  condition: s and not anywhere
`

// TestOwn: what placeholders of Daybreak's own applications stand for, whatever is known of these.
func TestOwn(t *testing.T) {
	const a, b = "aaaaaaaa-0000-4000-8000-000000000001", "BBBBBBBB-0000-4000-8000-000000000002"
	for _, test := range []struct {
		name string
		own  []detect.Application
		app  string
		ip   string
		want string // the titles of the rules that match
	}{
		{"nothing is known", nil, a, "192.0.2.7", ""},
		{"nothing is known of nobody", nil, "", "", ""},
		{"an application without addresses", []detect.Application{{ClientID: a}}, a, "192.0.2.7", "anywhere own"},
		{"of another one", []detect.Application{{ClientID: a}}, b, "192.0.2.7", ""},
		{"one of two", []detect.Application{{ClientID: a}, {ClientID: b, Addresses: []string{"2001:db8::/32"}}}, a, "2001:db8::7", "anywhere here own"},
		{"where it belongs", []detect.Application{{ClientID: a}, {ClientID: b, Addresses: []string{"2001:db8::/32"}}}, b, "2001:db8::7", "here home own"},
		{"where another one belongs", []detect.Application{{ClientID: a, Addresses: []string{"192.0.2.0/24"}}, {ClientID: b, Addresses: []string{"2001:db8::/32"}}}, b, "192.0.2.7", "away here own"},
		{"each where it belongs", []detect.Application{{ClientID: a, Addresses: []string{"192.0.2.0/24"}}, {ClientID: b, Addresses: []string{"2001:db8::/32"}}}, a, "192.0.2.7", "here home own"},
		{"the other of two", []detect.Application{{ClientID: a}, {ClientID: b, Addresses: []string{"2001:db8::/32"}}}, b, "192.0.2.7", "away own"},
		{"one of several sources has the addresses", []detect.Application{{ClientID: a}, {ClientID: a, Addresses: []string{"192.0.2.7", "192.0.2.9"}}, {ClientID: a}}, a, "192.0.2.7", "here home own"},
		{"an address beside it", []detect.Application{{ClientID: a, Addresses: []string{"192.0.2.7"}}}, a, "192.0.2.8", "away own"},
	} {
		t.Run(test.name, func(t *testing.T) {
			book := openTexts(t, detect.BookOptions{Own: test.own}, ours)
			if len(book.Problems) > 0 {
				t.Fatal(book.Problems)
			}
			raw := fmt.Sprintf(`{"id":"1","createdDateTime":"2026-03-03T09:00:00Z","appId":%q,"ipAddress":%q,"signInEventTypes":["servicePrincipal"],"status":{"errorCode":0}}`, test.app, test.ip)
			var got []string
			for _, f := range judge(book).Record([]byte(raw), "entra-signin", nil) {
				got = append(got, metaOf(book, f.Rule).Title)
			}
			if slices.Sort(got); !slices.Equal(got, strings.Fields(test.want)) {
				t.Errorf("%q match, want %q", got, test.want)
			}
		})
	}
}
