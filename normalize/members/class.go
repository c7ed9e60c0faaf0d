// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package members

import (
	"maps"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// For returns the table for records that become events of a class, which may
// lack attributes that others have: a finding has the client in its evidence,
// an application's life cycle knows the client as a device alone. Members
// whose attribute the class has nowhere are left under unmapped.
func (t Table) For(c ocsf.Class) Table {
	fit := maps.Clone(t)
	for name, m := range t {
		switch {
		case m.Sub != nil:
			m.Sub = m.Sub.For(c)
			fit[name] = m
		case m.Path != ocsf.PathNone:
			if m.Path = Place(c, m.Path); m.Path == ocsf.PathNone {
				delete(fit, name)
			} else {
				fit[name] = m
			}
		}
	}
	return fit
}

// evidence says where a finding has what other classes have of a request.
var evidence = map[ocsf.Path]ocsf.Path{
	ocsf.PathSrcEndpointIP:              ocsf.PathEvidencesSrcEndpointIP,
	ocsf.PathSrcEndpointPort:            ocsf.PathEvidencesSrcEndpointPort,
	ocsf.PathSrcEndpointLocationCity:    ocsf.PathEvidencesSrcEndpointLocationCity,
	ocsf.PathSrcEndpointLocationCountry: ocsf.PathEvidencesSrcEndpointLocationCountry,
	ocsf.PathHTTPRequestUserAgent:       ocsf.PathEvidencesHTTPRequestUserAgent,
	ocsf.PathHTTPRequestUID:             ocsf.PathEvidencesHTTPRequestUID,
}

// Place returns where events of a class have what p names in most classes;
// PathNone if nowhere.
func Place(c ocsf.Class, p ocsf.Path) ocsf.Path {
	if c.Has(p) {
		return p
	}
	if q := evidence[p]; c.Has(q) {
		return q
	}
	if p == ocsf.PathSrcEndpointIP && c.Has(ocsf.PathDeviceIP) {
		return ocsf.PathDeviceIP
	}
	return ocsf.PathNone
}

// Client takes the address that a request came from to where the event's
// class has it.
func Client(v jsontape.Value, e *ocsf.Event) bool {
	ip := Place(e.Class, ocsf.PathSrcEndpointIP)
	return ip != ocsf.PathNone && Address(v, e, ip, Place(e.Class, ocsf.PathSrcEndpointPort))
}
