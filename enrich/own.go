// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"net/netip"
	"slices"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// Application is one that this program itself signs in as.
type Application struct {
	ClientID string // a GUID in lower case
	// Networks are where it signs in from. None: nobody has said, and wherever it is used it is taken for ours.
	Networks []netip.Prefix
}

// Own exchanges the applications that are ours.
func (s *Source) Own(list []Application) {
	own := map[guid][]netip.Prefix{}
	for _, a := range list {
		if len(a.ClientID) == len(guid{}) {
			k := guid([]byte(a.ClientID))
			own[k] = append(own[k], a.Networks...)
		}
	}
	s.own.Store(&own)
}

// guid is the text of one.
type guid [36]byte

// OwnType is the type of the enrichment of what this program itself did.
const OwnType = "own"

// own adds an enrichment of the type "own" to an event of an application of ours, if it comes from where that belongs: from anywhere
// else somebody uses its credential. It costs some 30 ns of an event of an application, and 130 ns of one of ours (BenchmarkOwn).
// at is how many enrichments the event has. It reports whether it has added one.
func (en *Enricher) own(e *ocsf.Event, addr netip.Addr, at int) bool {
	own := en.source.own.Load()
	app := e.Str(ocsf.PathActorAppUID)
	if own == nil || len(*own) == 0 || len(app) != len(guid{}) {
		return false
	}
	key := guid(app)
	for i, c := range key {
		if 'A' <= c && c <= 'Z' {
			key[i] = c + 'a' - 'A'
		}
	}
	networks, ours := (*own)[key]
	if !ours || len(networks) > 0 && !slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr.Unmap()) }) {
		return false
	}
	e.AddText(ocsf.PathEnrichmentsName, at, "actor.app.uid")
	e.AddString(ocsf.PathEnrichmentsValue, at, app)
	e.AddText(ocsf.PathEnrichmentsType, at, OwnType)
	e.AddText(ocsf.PathEnrichmentsProvider, at, "Daybreak")
	e.AddJSON(ocsf.PathEnrichmentsData, at, ownData)
	return true
}

var ownData = []byte(`{"own":true}`)
