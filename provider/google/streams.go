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
	// Watch: Google tells of new activities over channels, if it is asked to.
	Watch bool
}

// What Google says of how long activities take to be shown ("Data retention and lag times",
// https://support.google.com/a/answer/7061566, which adds that some take longer and a few never come), and what we wait
// for that.
const (
	minutes = 10 * time.Minute // "near real time (couple of minutes)"
	tens    = 30 * time.Minute // "tens of minutes"
	hours   = 3 * time.Hour    // "tens of minutes (can also go up to a couple of hours)", "a couple of hours"
	few     = 6 * time.Hour    // "up to a few hours"
	// unstated is for what we have found no word about (of that page we have read the table as far as devices): nobody is told
	// too soon that all is there.
	unstated = time.Hour
)

// Streams are the applications that the API has (googleapis/google-api-go-client:admin/reports/v1/admin-api.json, patterns
// of applicationName of activities.list and of activities.watch). Those of which an edition has nothing are empty or refused.
var Streams = []Stream{
	{"access_evaluation", minutes, false},
	{"access_transparency", minutes, true},
	{"admin", minutes, true},
	{"assignments", minutes, false},
	{"calendar", hours, true},
	{"chat", minutes, true},
	{"chrome", minutes, true},
	{"classroom", minutes, true},
	{"cloud_search", few, false},
	{"context_aware_access", minutes, true},
	{"data_migration", minutes, false},
	{"data_studio", unstated, true},
	{"directory_sync", unstated, false},
	{"drive", minutes, true},
	{"gcp", unstated, true},
	{"gemini_in_workspace_apps", unstated, false},
	{"gmail", unstated, false},
	{"gplus", unstated, true},
	{"groups", hours, true},
	{"groups_enterprise", hours, true},
	{"jamboard", unstated, true},
	{"keep", unstated, true},
	{"ldap", unstated, false},
	{"login", tens, true}, // sign-ins take minutes; changes of accounts, which are logged here too, tens of them
	{"meet", unstated, true},
	{"meet_hardware", unstated, false},
	{"mobile", minutes, true},
	{"profile", unstated, false},
	{"rules", unstated, true},
	{"saml", minutes, true},
	{"tasks", unstated, false},
	{"token", hours, true},
	{"user_accounts", tens, true},
	{"vault", unstated, false},
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
