// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/event"
)

// Alert is an alert as it is kept.
type Alert struct {
	detect.Alert
	// Incident is the incident that it is part of; empty if another alert replaced it.
	Incident string `json:"incident,omitempty"`
	// Records are those that took part, by time; at most maxRecords of Count.
	Records []Record `json:"records"`
	// Arrivals say what has come after all of what the findings tell to be missing, in their order.
	Arrivals []Arrival `json:"arrivals,omitempty"`
}

// Record is a record that took part in an alert.
type Record struct {
	ID   string    `json:"id"` // event id
	Time time.Time `json:"time"`
	Rule string    `json:"rule_id,omitempty"` // that it matched, if it is not the alert's
}

// maxRecords is how many records of an alert are kept: enough to look at, while an alert of a
// thousand records stays small.
const maxRecords = 100

// row is an alert in the database, without its body.
type row struct {
	node
	num      int64
	incident int64 // 0: in none
	named    bool
	stands   bool
	arrived  bool // it is about nothing but what was missing and has come: it weighs nothing
	tenant   string
	rule     string
	title    string
	who      string
	level    int
	tactics  tactics
}

// rowOf makes the row of an alert, and its body, which has what detection says and what has come since.
func (s *settings) rowOf(a *detect.Alert, come []Arrival) (row, []byte, error) {
	kept := Alert{Alert: *a, Arrivals: come, Records: make([]Record, 0, min(len(a.Refs), maxRecords))}
	kept.Replaces = nil // how it came to be is not what it is
	first := a.First.UnixNano()
	r := row{
		node:   node{id: a.ID, first: first, last: min(max(first, a.Last.UnixNano()), first+int64(longest)), born: a.Completed.ID, links: s.linksOf(a)},
		tenant: a.Tenant, rule: a.Rule, title: a.Title, who: whoOf(a), level: levelOf(a.Level), tactics: tacticsOf(a.Tags),
	}
	if r.arrived = kept.arrived(); r.arrived {
		r.level, r.tactics = 0, 0
	}
	for i := range a.Refs {
		ref := &a.Refs[i]
		if r.born.Less(ref.ID) {
			r.born = ref.ID
		}
		if i < maxRecords {
			rec := Record{ID: ref.ID.String(), Time: time.Unix(0, ref.Time).UTC()}
			if ref.Rule != a.Rule {
				rec.Rule = ref.Rule
			}
			kept.Records = append(kept.Records, rec)
		}
	}
	body, err := json.Marshal(kept)
	return r, body, err
}

// same reports whether two rows are joined in the same way, and gives the one the bonds of the
// other then.
func (r *row) same(o *row) bool {
	links := slices.Clone(r.links)
	if len(links) == len(o.links) {
		for i := range links {
			links[i].bond = o.links[i].bond
		}
	}
	if r.first != o.first || r.last != o.last || r.born != o.born || !slices.Equal(links, o.links) {
		return false
	}
	r.links = links
	return true
}

// checkID refuses ids that are not of the form "a" and 32 hexadecimal digits: incidents are
// named by them.
func checkID(id string) error {
	if b, err := hex.DecodeString(strings.TrimPrefix(id, "a")); err != nil || len(b) != 16 || id[0] != 'a' || strings.ToLower(id) != id {
		return fmt.Errorf("%.40q is not an alert id: want \"a\" and 32 hexadecimal digits", id)
	}
	return nil
}

// incidentOf is the id of the incident that an alert is the first of, and anchorOf the inverse.
func incidentOf(alert string) string { return "i" + alert[1:] }

func anchorOf(incident string) string { return "a" + strings.TrimPrefix(incident, "i") }

// Links are kept as a byte of flags, the key, and for people the key of their address.
const (
	linkAbout = 1 << (iota + 2) // above the role
	linkShared
	linkPerson
	linkSelf
	linkBond
)

func encodeLinks(links []link) []byte {
	dst := make([]byte, 0, 33*len(links))
	for i := range links {
		l := &links[i]
		flags := byte(l.role)
		for _, f := range [...]struct {
			on  bool
			bit byte
		}{{l.about, linkAbout}, {l.shared, linkShared}, {l.person, linkPerson}, {l.self != key{}, linkSelf}, {l.bond, linkBond}} {
			if f.on {
				flags |= f.bit
			}
		}
		dst = append(append(dst, flags), l.key[:]...)
		if flags&linkSelf != 0 {
			dst = append(dst, l.self[:]...)
		}
	}
	return dst
}

// decodeLinks appends what encodeLinks has written.
func decodeLinks(links []link, b []byte) ([]link, error) {
	for len(b) > 0 {
		flags := b[0]
		size := 1 + len(key{})
		if flags&linkSelf != 0 {
			size += len(key{})
		}
		if len(b) < size || flags&3 > byte(source) {
			return nil, fmt.Errorf("the links of an alert cannot be read")
		}
		l := link{role: role(flags & 3), about: flags&linkAbout != 0, shared: flags&linkShared != 0, person: flags&linkPerson != 0, bond: flags&linkBond != 0}
		copy(l.key[:], b[1:])
		if flags&linkSelf != 0 {
			copy(l.self[:], b[1+len(key{}):])
		}
		links, b = append(links, l), b[size:]
	}
	return links, nil
}

// whoOf is what an alert is about, for its title: what the rule groups by, else who acts, an
// application, a target, an address.
func whoOf(a *detect.Alert) string {
	if s := subjectOf(a); s != nil {
		if name := nameOf(s); !isGUID(name) {
			return name
		}
		return cut(cmp.Or(appNames(a)[strings.ToLower(s.ID)], s.ID))
	}
	best, rank := "", len(whoRanks)
	for i := range a.Entities {
		e := &a.Entities[i]
		r := slices.Index(whoRanks, e.Role+" "+e.Type)
		if r >= 0 && r < rank && !nobodies[strings.ToLower(e.ID)] {
			best, rank = nameOf(e), r
		}
	}
	return best
}

var whoRanks = []string{"actor user", "actor app", "target user", "target mailbox", "target app", "actor device", "target device", "source ip", "actor ip", "source device"}

// nameOf is what people call an entity: accounts by their address, others by their name.
func nameOf(e *detect.Entity) string {
	if e.Type == "user" || e.Type == "mailbox" {
		if strings.Contains(e.ID, "@") {
			return cut(e.ID)
		}
	}
	return cut(cmp.Or(e.Name, e.ID))
}

// appNames tells the names of applications that an alert has only the ids of: a correlation that
// groups by an application is about the one that its records name, if they name one.
func appNames(a *detect.Alert) map[string]string {
	name := ""
	for i := range a.Entities {
		e := &a.Entities[i]
		// Some records of the directory call an application that is acted upon a user.
		is := e.Role == "target" && (e.Type == "app" || e.Type == "user" && !strings.Contains(e.ID, "@"))
		switch n := strings.ToLower(e.Name); {
		case !is || n == "" || firstParty[n] || firstParty[strings.ToLower(e.ID)]:
		case name != "" && !strings.EqualFold(name, n):
			return nil // two: it could be either
		default:
			name = e.Name
		}
	}
	names := map[string]string{}
	for _, g := range a.Group {
		if id := strings.ToLower(g.Value); name != "" && isGUID(id) && !firstParty[id] {
			names[id] = cut(name)
		}
	}
	return names
}

// cut bounds what strangers chose and people read.
func cut(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// levels in their order.
var levels = []string{"informational", "low", "medium", "high", "critical"}

// levelOf takes a level that is missing or unknown for the lowest.
func levelOf(name string) int { return max(0, slices.Index(levels, name)) }

func placeOf(batch, place int64) event.ID {
	return event.ID{Batch: uint64(batch), Index: uint32(place)}
}
