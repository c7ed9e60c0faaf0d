// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package enrich

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"github.com/daybreak-sec/daybreak/ocsf"
)

// Enricher adds to events what the databases of a source know. It is not safe
// for concurrent use.
type Enricher struct {
	source *Source
	db     *DB // that the cache is of
	cache  []entry
	table  map[netip.Addr]Info // instead of a source
}

// cacheSize is a power of two. A tenant's records of an hour come from some
// thousand addresses.
const cacheSize = 4096

type entry struct {
	addr netip.Addr
	info Info
}

// New returns an Enricher.
func New(s *Source) *Enricher { return &Enricher{source: s} }

// Table returns an Enricher that knows what is given and nothing else, for cases of rules.
func Table(known map[netip.Addr]Info) *Enricher { return &Enricher{table: known} }

// place is where an event has an address, and where what is known of it goes.
// PathNone is for what a place has no room for.
type place struct {
	ip, country, number, name ocsf.Path
	label                     string // the attribute that an enrichment is of
}

var places = [...]place{
	{ocsf.PathSrcEndpointIP, ocsf.PathSrcEndpointLocationCountry, ocsf.PathSrcEndpointAutonomousSystemNumber, ocsf.PathSrcEndpointAutonomousSystemName, "src_endpoint.ip"},
	{ocsf.PathEvidencesSrcEndpointIP, ocsf.PathEvidencesSrcEndpointLocationCountry, ocsf.PathNone, ocsf.PathNone, "evidences.src_endpoint.ip"},
}

// Apply adds to the event where it came from: country and autonomous system
// where the provider has not said so itself and, if machines are rented out
// there, an enrichment of type "hosting"; and of what this program itself did, one of type "own", which it reports.
func (en *Enricher) Apply(e *ocsf.Event) (own bool) {
	known := en.table != nil
	if !known {
		db := en.source.DB()
		known = db != nil
		if known && (db != en.db || en.cache == nil) {
			en.db, en.cache = db, make([]entry, cacheSize)
		}
	}
	var addr netip.Addr
	var hosted int
	for _, p := range places {
		ip := e.Str(p.ip)
		if len(ip) == 0 {
			continue
		}
		// The conversion does not escape: an address keeps no text but a
		// zone's, and no attribute has one.
		a, err := netip.ParseAddr(unsafe.String(&ip[0], len(ip)))
		if err != nil || a.Zone() != "" {
			break
		}
		if addr = a; known && en.add(e, p, ip, en.lookup(addr)) {
			hosted = 1
		}
		break
	}
	return en.source != nil && en.own(e, addr, hosted)
}

func (en *Enricher) lookup(addr netip.Addr) Info {
	if en.table != nil {
		return en.table[addr]
	}
	b := addr.As16()
	hash := (binary.LittleEndian.Uint64(b[:8]) ^ binary.LittleEndian.Uint64(b[8:])) * 0x9e3779b97f4a7c15
	slot := &en.cache[hash>>(64-12)]
	if slot.addr != addr {
		*slot = entry{addr, en.db.Lookup(addr)}
	}
	return slot.info
}

// add adds what is known of an address, and reports whether there is an enrichment among it.
func (en *Enricher) add(e *ocsf.Event, p place, ip []byte, info Info) (enriched bool) {
	if _, said := e.Get(p.country); !said {
		e.SetText(p.country, info.Country)
	}
	asn := info.ASN
	if a, said := e.Get(p.number); said {
		if a.Num != asn {
			info.Org = "" // of another system
		}
		asn = a.Num
	} else if asn != 0 && p.number != ocsf.PathNone {
		e.SetInt(p.number, asn)
	}
	if p.name != ocsf.PathNone {
		e.SetText(p.name, info.Org)
	}
	provider := HostingProvider(asn)
	if provider == "" {
		return false
	}
	e.AddText(ocsf.PathEnrichmentsName, 0, p.label)
	e.AddString(ocsf.PathEnrichmentsValue, 0, ip)
	e.AddText(ocsf.PathEnrichmentsType, 0, "hosting")
	e.AddText(ocsf.PathEnrichmentsProvider, 0, provider)
	e.AddJSON(ocsf.PathEnrichmentsData, 0, hostingData)
	return true
}

var hostingData = []byte(`{"hosting":true}`)
