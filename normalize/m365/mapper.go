// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"sync"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// mapper maps one record. Its steps fill the event from the members they know
// and note which of them attributes carry whole; the rest is left unmapped.
type mapper struct {
	e         *ocsf.Event
	product   []byte
	cloud     bool
	v         [memberCount]jsontape.Value
	s         [memberCount][]byte // texts of strings and numbers
	carried   [memberCount]bool
	present   []member // what v holds, in the record's order
	params    [paramCount][]byte
	rule      rule
	typ       int64 // RecordType, -1 if it has none
	operation []byte
	objectID  []byte // of the actor, from Actor
	appID     []byte // of the acting application, from Actor
	entra     entraTarget
	inner     jsontape.Tape // for JSON in strings
	after     []place       // per name, the one that came after it last; never forgotten
}

// mappers keeps mappers for the next record; see forget.
var mappers = sync.Pool{New: func() any { return &mapper{after: make([]place, len(names))} }}

// Map maps a record of the unified audit log, see package normalize.
func Map(root jsontape.Value, e *ocsf.Event) { mapAs(root, e, productName, true) }

// MapServer maps what was written as such a record of an act on an Exchange Server of one's own, which is in no cloud.
func MapServer(root jsontape.Value, e *ocsf.Event) { mapAs(root, e, serverName, false) }

func mapAs(root jsontape.Value, e *ocsf.Event, product []byte, cloud bool) {
	m := mappers.Get().(*mapper)
	m.e, m.product, m.cloud = e, product, cloud
	m.collect(root)
	m.classify()
	m.common()
	m.actor()
	m.client()
	m.status()
	targets[m.rule.target].fill(m)
	m.simple()
	m.leftovers()
	m.forget()
	mappers.Put(m)
}

// forget empties the mapper for the next record: the large arrays where they
// were used, the rest whole.
func (m *mapper) forget() {
	for _, n := range m.present {
		m.v[n], m.s[n] = jsontape.Value{}, nil
	}
	clear(m.carried[:])
	clear(m.params[:])
	m.e, m.operation, m.objectID, m.appID, m.entra = nil, nil, nil, nil, entraTarget{}
	m.present = m.present[:0]
}

// collect finds the members. Of a name that comes twice the later member
// counts, as in jsontape's lookups, and the earlier one is left unmapped.
func (m *mapper) collect(root jsontape.Value) {
	m.e.Listed = true
	at := place(0)
	for c := root.First(); c.Exists(); c = c.Next() {
		at = m.place(at, c.Key())
		n := names[at].n
		if n == memberCount {
			m.e.Listed = m.e.Listed && at != 0
			m.e.Unmapped = append(m.e.Unmapped, ocsf.Member{Name: c.Key(), Value: c.Raw()})
			continue
		}
		if old := m.v[n]; old.Exists() {
			m.e.Unmapped = append(m.e.Unmapped, ocsf.Member{Name: old.Key(), Value: old.Raw()})
		} else {
			m.present = append(m.present, n)
		}
		m.v[n], m.s[n] = c, nil
		if c.Kind() <= jsontape.String {
			m.s[n] = c.Text()
		}
	}
}

// place finds a name, 0 if it is not listed. Members mostly come in the order of
// the records before: what then came after the name before is tried first, which
// spares most names the map.
func (m *mapper) place(before place, name []byte) place {
	if guess := m.after[before]; guess != 0 && names[guess].name == string(name) {
		return guess
	}
	at := places[string(name)]
	m.after[before] = at
	return at
}

func (m *mapper) classify() {
	m.typ = -1
	if n, ok := m.v[mRecordType].Int(); ok {
		m.typ = n
	}
	m.operation = m.str(mOperation)
	var known bool
	m.rule, known = classify(m.typ, m.operation)
	if _, listed := recordTypes[m.typ]; !listed || !known {
		m.e.Listed = false
	}
	if m.rule.activity == byVerb {
		m.rule.activity = activityOf(m.rule.class, verbOf(m.operation))
	}
	m.e.Class, m.e.Activity = m.rule.class, m.rule.activity
}

// common sets what every record says of itself.
func (m *mapper) common() {
	e := m.e
	if v := m.v[mCreationTime]; v.Exists() {
		ns, ok := field.Time(m.str(mCreationTime))
		if !ok {
			m.issue("CreationTime: not a time")
		}
		e.Time = ns
		m.to(ocsf.PathMetadataOriginalTime, mCreationTime)
	} else {
		m.issue("CreationTime: missing")
	}
	if t, ok := recordTypes[m.typ]; ok {
		e.SetText(ocsf.PathMetadataType, t.name)
		m.carried[mRecordType] = true
	}
	m.both(mOperation, ocsf.PathMetadataEventCode, ocsf.PathAPIOperation)
	m.both(mWorkload, ocsf.PathMetadataLogName, ocsf.PathAPIServiceName)
	for _, n := range [...]member{mCorrelationID, mInterSystemsID, mClientRequestID} {
		if m.to(ocsf.PathMetadataCorrelationUID, n) {
			break
		}
	}
	e.SetString(ocsf.PathMetadataProductName, m.product)
	e.SetString(ocsf.PathMetadataProductVendorName, vendorName)
	if m.cloud && m.rule.class.Has(ocsf.PathCloudProvider) {
		e.SetString(ocsf.PathCloudProvider, vendorName)
	}
}

var productName, serverName, vendorName = []byte("Microsoft 365"), []byte("Exchange Server"), []byte("Microsoft")

// simple follows the rows of members that one attribute carries.
func (m *mapper) simple() {
	for _, n := range m.present {
		if r := &members[n]; r.as != nil && !m.carried[n] && m.rule.class.Has(r.to) {
			m.carried[n] = r.as(m, r.to, n)
		}
	}
}

// leftovers leaves unmapped what no attribute carries whole.
func (m *mapper) leftovers() {
	for _, n := range m.present {
		if v := m.v[n]; !m.carried[n] {
			m.e.Unmapped = append(m.e.Unmapped, ocsf.Member{Name: v.Key(), Value: v.Raw()})
		}
	}
}

// str returns a member's text, if it is a string or a number.
func (m *mapper) str(n member) []byte { return m.s[n] }

// to sets an attribute of the member's text, and reports whether it did.
func (m *mapper) to(p ocsf.Path, n member) bool {
	s := m.str(n)
	if len(s) == 0 {
		return false
	}
	m.e.SetString(p, s)
	m.carried[n] = true
	return true
}

// both sets two attributes of the member's text.
func (m *mapper) both(n member, p, q ocsf.Path) {
	if m.to(p, n) {
		m.to(q, n)
	}
}

// first sets an attribute of the first of the members that has a text.
func (m *mapper) first(p ocsf.Path, list ...member) bool {
	for _, n := range list {
		if m.to(p, n) {
			return true
		}
	}
	return false
}

func (m *mapper) issue(text string) { m.e.Issues = append(m.e.Issues, text) }

// meaningful reports whether a text says something; vendors write the absence
// of a value in words too.
func meaningful(s []byte) bool {
	switch string(s) {
	case "", "null", "<null>", "Not Available", "Unknown", "00000000-0000-0000-0000-000000000000", "None", "N/A":
		return false
	}
	return true
}
