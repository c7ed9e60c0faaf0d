// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import "github.com/daybreak-sec/daybreak/detect"

// Own are the applications that are Daybreak's in cases, whatever is configured: one that may sign in from anywhere, and
// two whose addresses are known.
var Own = []detect.Application{
	{ClientID: "11111111-2222-4333-8444-555555555555"},
	{ClientID: "66666666-7777-4888-9999-000000000000", Addresses: []string{"192.0.2.0/24", "2001:db8:7::/48"}},
	{ClientID: "77777777-8888-4999-8aaa-111111111111", Addresses: []string{"2001:db8:9::/48"}},
}
