// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canary

import (
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// The kinds of canaries.
const (
	SignIn = "sign-in" // an application signs in
	Group  = "group"   // the description of a group is changed
	File   = "file"    // a file is put into a document library, and deleted
	Mail   = "mail"    // a mail is sent from a mailbox to itself, and deleted
)

// tag stands before the marker in what a canary writes: in a description, a file's name, a subject. A sign-in writes nothing.
const tag = "daybreak-canary-"

// Tagged is what a canary writes, of its marker.
func Tagged(marker string) string { return tag + marker }

// channel is where records of a kind come, and by what they are known.
type channel struct {
	kind, name string
	hub        bool // it is a category of a log that Azure streams; otherwise the record's stream is the name
	operation  path // the member that says what was done, and
	done       string
	marker     path // the members that may have the marker
	// allowed is how long a record may take as long as too few have come to tell.
	allowed time.Duration
}

// path leads to members of a record, outermost first. A star stands for all elements of a list.
type path []string

// channels: the member uniqueTokenIdentifier of a sign-in is the token's claim uti, in Microsoft Graph
// (https://learn.microsoft.com/graph/api/resources/signin, tokendetails) at the top and in Azure Monitor's shape of the
// same log, which event hubs have, below properties. Sign-ins of applications are not in the unified audit log. What was
// written is in the directory's audits among the modified properties (graph/api/resources/directoryaudit), in those of
// SharePoint in SourceFileName, in those of Exchange in the item's subject (office/office-365-management-api,
// office-365-management-activity-api-schema), in the message trace and in Defender's EmailEvents in the subject
// (graph/api/resources/exchangemessagetrace, defender-xdr/advanced-hunting-emailevents-table). Only the operation by which a
// canary was planted counts, and only the new value: the next change of the group's description has the marker as the old one.
//
// How long they take is promised nowhere in a form that binds: what is given here is far beyond what is usual, and for the
// unified audit log the day within which Microsoft says that most records are there.
var channels = []channel{
	{SignIn, "signIns.servicePrincipal", false, nil, "", path{"uniqueTokenIdentifier"}, 2 * time.Hour},
	{SignIn, "ServicePrincipalSignInLogs", true, nil, "", path{"properties", "uniqueTokenIdentifier"}, 2 * time.Hour},
	{Group, "directoryAudits", false, path{"activityDisplayName"}, "Update group", path{"targetResources", "*", "modifiedProperties", "*", "newValue"}, 2 * time.Hour},
	{Group, "AuditLogs", true, path{"operationName"}, "Update group", path{"properties", "targetResources", "*", "modifiedProperties", "*", "newValue"}, 2 * time.Hour},
	{Group, "Audit.AzureActiveDirectory", false, path{"Operation"}, "Update group.", path{"ModifiedProperties", "*", "NewValue"}, longest},
	{File, "Audit.SharePoint", false, path{"Operation"}, "FileUploaded", path{"SourceFileName"}, longest},
	{Mail, "Audit.Exchange", false, path{"Operation"}, "Send", path{"Item", "Subject"}, longest},
	{Mail, "messageTraces", false, nil, "", path{"subject"}, 4 * time.Hour},
	{Mail, "AdvancedHunting-EmailEvents", true, nil, "", path{"properties", "Subject"}, 4 * time.Hour},
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

// InHub reports whether a channel is a category of a log that Azure streams to an event hub.
func InHub(name string) bool {
	return slices.ContainsFunc(channels, func(c channel) bool { return c.hub && c.name == name })
}

// of gives yield the markers that a record has, if it is one of the channel's.
func (c *channel) of(stream string, root jsontape.Value, yield func(marker string)) {
	if !c.hub && stream != c.name || c.hub && string(root.Get("category").Str()) != c.name {
		return
	}
	if c.operation != nil {
		was := false
		c.operation.each(root, func(text string) { was = was || text == c.done })
		if !was {
			return
		}
	}
	c.marker.each(root, func(text string) {
		if c.kind == SignIn {
			yield(text)
			return
		}
		if _, rest, ok := strings.Cut(text, tag); ok && len(rest) >= markerSize {
			yield(rest[:markerSize])
		}
	})
}

// each gives yield the texts that a path leads to.
func (p path) each(v jsontape.Value, yield func(text string)) {
	for i, name := range p {
		if name == "*" {
			if v.Kind() == jsontape.Array {
				for element := v.First(); element.Exists(); element = element.Next() {
					p[i+1:].each(element, yield)
				}
			}
			return
		}
		v = v.Get(name)
	}
	if text := v.Str(); len(text) > 0 {
		yield(string(text))
	}
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
