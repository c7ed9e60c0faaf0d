// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary

import (
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// SignIn is the kind of canary that signs an application in.
const SignIn = "sign-in"

// HubCategory is the category of the log that shows sign-ins of applications where Azure Monitor streams it.
const HubCategory = "ServicePrincipalSignInLogs"

// channel is where records of a kind come, and by what they are known.
type channel struct {
	kind, name string
	marker     []string // the member that has the marker, outermost first
	// category, if set, is what the record's member of that name must be; else the record's stream is the name.
	category string
	// allowed is how long a record may take as long as too few have come to tell.
	allowed time.Duration
}

// channels: the member uniqueTokenIdentifier of a sign-in is the token's claim uti, in Microsoft Graph
// (https://learn.microsoft.com/graph/api/resources/signin, tokendetails) at the top and in Azure Monitor's shape of the
// same log, which event hubs have, below properties. Sign-ins of applications are not in the unified audit log. How long they
// take is promised nowhere in a form that binds; two hours are far beyond the minutes that are usual.
var channels = []channel{
	{SignIn, "signIns.servicePrincipal", []string{"uniqueTokenIdentifier"}, "", 2 * time.Hour},
	{SignIn, HubCategory, []string{"properties", "uniqueTokenIdentifier"}, HubCategory, 2 * time.Hour},
}

// Channels are those that would show a canary of a kind.
func Channels(kind string) (names []string) {
	for i := range channels {
		if channels[i].kind == kind {
			names = append(names, channels[i].name)
		}
	}
	return names
}

// of reads the marker out of a record, if it is one of the channel's.
func (c *channel) of(stream string, root jsontape.Value) string {
	if c.category == "" && stream != c.name || c.category != "" && string(root.Get("category").Str()) != c.category {
		return ""
	}
	for _, name := range c.marker {
		root = root.Get(name)
	}
	return string(root.Str())
}

const (
	enough   = 20               // delays from which a time is learned
	least    = 10 * time.Minute // that a record may take, however fast the others were
	longest  = 24 * time.Hour
	patience = 4 // times what nineteen of twenty took
)

// learned is how long a record may take, by the delays of others: four times what 95% of them took. A few that were very
// late, or came when a fault was mended, do not count for it.
func learned(delays []time.Duration, allowed time.Duration) time.Duration {
	if len(delays) < enough {
		return allowed
	}
	return min(max(patience*Quantile(delays, 95), least), longest)
}

// Quantile is the delay that so many percent of them do not exceed; zero if there is none.
func Quantile(delays []time.Duration, percent int) time.Duration {
	if len(delays) == 0 {
		return 0
	}
	delays = slices.Sorted(slices.Values(delays))
	return delays[max(0, (len(delays)*percent+99)/100-1)]
}
