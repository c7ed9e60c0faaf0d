// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"hash/fnv"
	"net/netip"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/sim/company"
)

// geography is what databases of addresses would know of a company's: where its offices and its
// people's homes are. Homes of strangers are anywhere, applications run in a rented machine, and of
// mobile carriers nothing is known.
type geography struct {
	homes   map[netip.Addr]string // countries
	offices map[netip.Prefix]string
}

func survey(c *company.Company) *geography {
	g := &geography{homes: map[netip.Addr]string{}, offices: map[netip.Prefix]string{}}
	for n := range c.People() {
		p := c.Person(n)
		g.homes[p.Home] = p.Office.Country
		g.homes[p.HomeIPv6.Addr()] = p.Office.Country
		g.offices[p.OfficeNetwork] = p.Office.Country
	}
	return g
}

var (
	officeAddresses  = netip.MustParsePrefix("192.0.2.0/24")
	serviceAddresses = netip.MustParsePrefix("203.0.113.0/24")
	homeAddresses    = netip.MustParsePrefix("100.64.0.0/10")
	homesIPv6        = netip.MustParsePrefix("2001:db8:8000::/33")
)

// elsewhere are the countries of strangers.
var elsewhere = []string{"US", "BR", "DE", "IN", "VN", "TR", "PL", "MX", "ZA", "ID", "FR", "ES", "IT", "UA", "AR", "EG"}

func (g *geography) find(a netip.Addr) (enrich.Info, bool) {
	switch {
	case officeAddresses.Contains(a):
		p, _ := a.Prefix(28)
		return enrich.Info{Country: g.offices[p], ASN: 64500, Org: "Example Offices"}, true
	case serviceAddresses.Contains(a):
		return enrich.Info{Country: "NL", ASN: 64501, Org: "Example Hosting"}, true
	case homesIPv6.Contains(a):
		p, _ := a.Prefix(64)
		return enrich.Info{Country: g.homes[p.Addr()], ASN: 64502, Org: "Example Broadband"}, true
	case homeAddresses.Contains(a):
		country, ok := g.homes[a]
		if !ok {
			h := fnv.New32a()
			h.Write(a.AsSlice())
			country = elsewhere[h.Sum32()%uint32(len(elsewhere))]
		}
		return enrich.Info{Country: country, ASN: 64502, Org: "Example Broadband"}, true
	}
	return enrich.Info{}, false
}

// view makes the OCSF events of records for one judge.
func (g *geography) view() detect.View {
	var n normalize.Normalizer
	var out []byte
	table := map[netip.Addr]enrich.Info{}
	en := enrich.Table(table)
	return func(raw []byte, root jsontape.Value, family event.Family) []byte {
		e := n.Parsed(raw, root, family)
		if a, err := netip.ParseAddr(string(e.Str(ocsf.PathSrcEndpointIP))); err == nil {
			clear(table)
			if info, ok := g.find(a); ok {
				table[a] = info
			}
		}
		en.Apply(e)
		out = e.AppendJSON(out[:0])
		return out
	}
}
