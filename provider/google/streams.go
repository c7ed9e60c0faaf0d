// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"slices"
	"time"
)

// Stream is the log of one application.
type Stream struct {
	Name string // applicationName
	// Lag is after how long nearly all of its activities are shown.
	Lag time.Duration
}

// What Google says of how long activities take to be shown ("Data retention and lag times",
// https://support.google.com/a/answer/7061566, which adds that some take longer and a few never come), and what we wait
// for that.
const (
	minutes = 10 * time.Minute // "near real time (couple of minutes)"
	tens    = 30 * time.Minute // "tens of minutes"
	hours   = 3 * time.Hour    // "tens of minutes (can also go up to a couple of hours)", "a couple of hours"
	few     = 6 * time.Hour    // "up to a few hours"
	// unstated is for what we have found no word about: nobody is told too soon that all is there.
	unstated = time.Hour
)

// Streams are the applications that the API has (googleapis/google-api-go-client:admin/reports/v1/admin-api.json, pattern
// of applicationName). Those of which an edition has nothing are empty or refused.
var Streams = []Stream{
	{"access_evaluation", minutes},
	{"access_transparency", minutes},
	{"admin", minutes},
	{"assignments", minutes},
	{"calendar", hours},
	{"chat", minutes},
	{"chrome", minutes},
	{"classroom", minutes},
	{"cloud_search", few},
	{"context_aware_access", minutes},
	{"data_migration", minutes},
	{"data_studio", unstated},
	{"directory_sync", unstated},
	{"drive", minutes},
	{"gcp", unstated},
	{"gemini_in_workspace_apps", unstated},
	{"gmail", unstated},
	{"gplus", unstated},
	{"groups", hours},
	{"groups_enterprise", hours},
	{"jamboard", unstated},
	{"keep", unstated},
	{"ldap", unstated},
	{"login", tens}, // sign-ins take minutes; changes of accounts, which are logged here too, tens of them
	{"meet", unstated},
	{"meet_hardware", unstated},
	{"mobile", minutes},
	{"profile", unstated},
	{"rules", unstated},
	{"saml", minutes},
	{"tasks", unstated},
	{"token", hours},
	{"user_accounts", tens},
	{"vault", unstated},
}

// Keep is how far back the API shows activities.
const Keep = 180 * 24 * time.Hour

// Lookup finds a stream by its name.
func Lookup(name string) (*Stream, bool) {
	i := slices.IndexFunc(Streams, func(s Stream) bool { return s.Name == name })
	if i < 0 {
		return nil, false
	}
	return &Streams[i], true
}
