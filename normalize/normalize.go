// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package normalize says what records mean: it tells a record's source from
// its shape, reads the few facts that the journal needs before a record is
// sealed (its provider id, tenant and time), and maps it to an OCSF 1.8 event.
//
// All of it is pure: the same bytes give the same answer, nothing is kept,
// nothing is fetched. No record is ever refused: what cannot be read becomes
// an OCSF Base Event that carries it whole.
//
// A source is a package below this one and a row of [Sources]. Its tables, its
// tests with the records in testdata and its page in docs/sources are all that
// it takes.
package normalize

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"slices"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/cloudtrail"
	"github.com/daybreak-sec/daybreak/normalize/daybreak"
	"github.com/daybreak-sec/daybreak/normalize/defender"
	"github.com/daybreak-sec/daybreak/normalize/entra"
	"github.com/daybreak-sec/daybreak/normalize/exchange"
	"github.com/daybreak-sec/daybreak/normalize/generic"
	"github.com/daybreak-sec/daybreak/normalize/github"
	"github.com/daybreak-sec/daybreak/normalize/google"
	"github.com/daybreak-sec/daybreak/normalize/m365"
	"github.com/daybreak-sec/daybreak/normalize/messagetrace"
	"github.com/daybreak-sec/daybreak/normalize/okta"
	"github.com/daybreak-sec/daybreak/normalize/slack"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/normalize/windows"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// MapperVersion names the tables that made an event. It changes whenever the
// same record would give another event; events say it in
// metadata.transformation_info_list.
const MapperVersion = "2"

// Source, Identity and Drift are those of package source.
type (
	Source   = source.Source
	Identity = source.Identity
	Drift    = source.Drift
)

// Sources are the kinds of records that Daybreak understands.
var Sources = []Source{
	m365.Source, entra.Signin, entra.Audit, entra.Diagnostic, defender.Source, defender.Hunting, messagetrace.Source, exchange.Source, google.Source, okta.Source, slack.Source, github.Source, cloudtrail.Source, windows.Source,
	daybreak.Source, generic.OCSF, generic.JSON,
}

// Lookup finds the source of a family.
func Lookup(family event.Family) (s *Source, ok bool) {
	for i := range Sources {
		if Sources[i].Family == family {
			return &Sources[i], true
		}
	}
	return nil, false
}

// asked says, a bit for each of Sources, which are asked about a record: those that always are, and those that are if it has a
// member of a name.
var always, asked = func() (always uint64, asked map[string]uint64) {
	asked = map[string]uint64{}
	for i := range Sources {
		s := &Sources[i]
		if s.Detect != nil && len(s.Members) == 0 {
			always |= 1 << i
		}
		for _, name := range s.Members {
			asked[name] |= 1 << i
		}
	}
	return always, asked
}()

// Tell returns the source whose shape the record has; nil if it is nothing known. ambiguous: it has those of several.
func Tell(root jsontape.Value) (s *Source, ambiguous bool) {
	for set := suspects(root); set != 0; set &= set - 1 {
		if c := &Sources[bits.TrailingZeros64(set)]; c.Detect(root) {
			if s != nil {
				return nil, true
			}
			s = c
		}
	}
	return s, false
}

func suspects(root jsontape.Value) uint64 {
	set := always
	if root.Kind() != jsontape.Object {
		return set
	}
	for v := root.First(); v.Exists(); v = v.Next() {
		set |= asked[string(v.Key())]
	}
	return set
}

// Detect returns the families whose shape the record has: usually one, none if
// it is nothing known. If there are several, ask the user which.
func Detect(root jsontape.Value) []event.Family {
	var fit []event.Family
	for set := suspects(root); set != 0; set &= set - 1 {
		if s := &Sources[bits.TrailingZeros64(set)]; s.Detect(root) {
			fit = append(fit, s.Family)
		}
	}
	return fit
}

// Content is a record of a family without what its provider writes anew with each delivery. Members may come in another order.
func Content(f event.Family, raw []byte) []byte {
	s, ok := Lookup(f)
	if !ok || len(s.Delivery) == 0 {
		return raw
	}
	var tape jsontape.Tape
	if tape.Parse(raw) != nil || tape.Root().Kind() != jsontape.Object {
		return raw
	}
	out := []byte{'{'}
	for v := tape.Root().First(); v.Exists(); v = v.Next() {
		if slices.Contains(s.Delivery, string(v.Key())) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		name, err := json.Marshal(string(v.Key()))
		if err != nil {
			return raw
		}
		out = append(append(append(out, name...), ':'), v.Raw()...)
	}
	return append(out, '}')
}

// Normalizer maps records. Its zero value is ready; it reuses its memory and is
// not for concurrent use.
type Normalizer struct {
	tape  jsontape.Tape
	event ocsf.Event
	root  jsontape.Value // of the record that was mapped last
}

// Identify reads what the journal needs to know of a record of a family; the
// zero Identity if the record is not JSON or the family is unknown. The slices
// are good until the next call.
func (n *Normalizer) Identify(raw []byte, family event.Family) Identity {
	s, ok := Lookup(family)
	if !ok || n.tape.Parse(raw) != nil {
		return Identity{}
	}
	id := s.Identify(n.tape.Root())
	if !significant(id.ID) {
		id.ID = nil
	}
	return id
}

// Activity names the act that a record of a family and with this id is evidence of: a family and an id, the same for
// all records of one act, through whatever channels they came. root is the record; the id may be part of it. Most records are the only evidence there is, and their own id is the answer.
// docs/adr/0014-what-an-activity-is.md says what makes two records one.
func Activity(root jsontape.Value, family event.Family, id []byte) (event.Family, []byte) {
	s, ok := Lookup(family)
	if !ok || s.Activity == nil {
		return family, id
	}
	home, of, ok := s.Activity(root)
	if !ok || !significant(of) {
		return family, id
	}
	return home, of
}

// significant reports whether an id is more than zeros.
func significant(id []byte) bool {
	return len(bytes.Trim(id, "0-{}")) > 0
}

// Event maps a record of a family. The event and what it points to are good
// until the next call, as long as raw is unchanged.
func (n *Normalizer) Event(raw []byte, family event.Family) *ocsf.Event {
	if err := n.tape.Parse(raw); err != nil {
		n.root = jsontape.Value{}
		n.unread(raw, "not JSON: "+err.Error())
		return n.made()
	}
	return n.Parsed(raw, n.tape.Root(), family)
}

// Parsed is Event for a record that has been read already, and is root; that must not change either.
func (n *Normalizer) Parsed(raw []byte, root jsontape.Value, family event.Family) *ocsf.Event {
	n.root = root
	n.event.Reset()
	s, ok := Lookup(family)
	switch {
	case !ok:
		n.unread(raw, "no source is named as the record's family")
	case root.Kind() != jsontape.Object:
		n.unread(raw, "not a JSON object")
	default:
		s.Map(root, &n.event)
	}
	return n.made()
}

// made completes the event.
func (n *Normalizer) made() *ocsf.Event {
	e := &n.event
	e.SetText(ocsf.PathMetadataTransformationInfoListName, "normalize")
	e.SetText(ocsf.PathMetadataTransformationInfoListProductName, "Daybreak")
	e.SetText(ocsf.PathMetadataTransformationInfoListProductVersion, MapperVersion)
	return e
}

// unread makes the Base Event of a record that no table understands.
func (n *Normalizer) unread(raw []byte, issue string) {
	e := &n.event
	e.Reset()
	e.Class, e.Activity = ocsf.ClassBaseEvent, 0
	e.SetString(ocsf.PathRawData, raw)
	e.Issues = append(e.Issues, issue)
}

// Root is the record that was mapped last; it is nothing if that is not JSON.
func (n *Normalizer) Root() jsontape.Value { return n.root }

// Drift reports whether the record that was mapped last is of a kind that its
// source's tables do not list.
func (n *Normalizer) Drift(family event.Family) (Drift, bool) {
	if n.event.Listed {
		return Drift{}, false
	}
	if s, ok := Lookup(family); ok && s.Drift != nil && n.root.Exists() {
		return s.Drift(n.root)
	}
	return Drift{}, false
}
