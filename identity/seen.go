// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"strings"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Seen is a vendor's id beside an address in a record.
type Seen struct {
	Tenant, Suite, UID, Address string
	Hour                        int64 // since 1970
	ID                          event.ID
}

// suite is a vendor's directory of people.
type suite struct {
	name     string
	families string // prefix of the families of records
	uid      func(uid []byte) bool
	// many says that several accounts of a tenant may have an address at the same time.
	many bool
}

// suites are those whose records name a person by id and address, and what their ids look like: records name
// other things in the same place.
var suites = []suite{
	{name: "entra", families: "m365", uid: isGUID},
	{name: "entra", families: "entra", uid: isGUID},
	{name: "okta", families: "okta", uid: func(b []byte) bool { return bytes.HasPrefix(b, []byte("00u")) && len(b) == 20 }},
	{name: "slack", families: "slack", uid: func(b []byte) bool { return len(b) > 4 && (b[0] == 'U' || b[0] == 'W') }},
	{name: "github", families: "github", uid: digits},
	{name: "google", families: "google", uid: digits},
	{name: "aws", families: "cloudtrail", uid: func(b []byte) bool { return bytes.IndexByte(b, ':') > 0 }, many: true},
}

// Suites are the names that the HR list and the configuration may use: "okta:00u…".
var Suites = []string{"entra", "okta", "slack", "github", "google", "aws"}

// Families returns the prefixes of the families whose records name accounts of a suite.
func Families(name string) (list []string) {
	for i := range suites {
		if suites[i].name == name {
			list = append(list, suites[i].families)
		}
	}
	return list
}

func suiteOf(f event.Family) (int, *suite) {
	for i := range suites {
		if strings.HasPrefix(string(f), suites[i].families) {
			return i, &suites[i]
		}
	}
	return 0, nil
}

func manyHolders(name string) bool {
	for i := range suites {
		if suites[i].name == name {
			return suites[i].many
		}
	}
	return false
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// isGUID takes none of zeros, which stand for nobody.
func isGUID(b []byte) bool {
	if len(b) != 36 || len(bytes.Trim(b, "0-")) == 0 {
		return false
	}
	for i, c := range b {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

// users are the attributes of the users that records name by both. Kinds 3 and 4 of OCSF are no people.
var users = [...]struct{ uid, mail, kind ocsf.Path }{
	{ocsf.PathActorUserUID, ocsf.PathActorUserEmailAddr, ocsf.PathActorUserTypeID},
	{ocsf.PathUserUID, ocsf.PathUserEmailAddr, ocsf.PathUserTypeID},
}

// Observer finds what records show, and tells nothing twice that it remembers. It is for one goroutine. What is known
// already costs a look-up and no memory.
type Observer struct {
	told map[uint64]hours
}

type hours struct{ first, last int32 }

// maxTold is how many links an observer remembers; then it begins anew, which costs time and nothing else.
const maxTold = 1 << 16

var seed = maphash.MakeSeed()

// Take appends what an event shows that happened at a time in nanoseconds since 1970.
func (o *Observer) Take(dst []Seen, e *ocsf.Event, family event.Family, tenant string, at int64, id event.ID) []Seen {
	n, s := suiteOf(family)
	if s == nil || at <= 0 {
		return dst
	}
	hour := at / 3600e9
	for i := range users {
		u := &users[i]
		uid, mail := e.Str(u.uid), e.Str(u.mail)
		if len(uid) == 0 || len(mail) == 0 || len(uid) > MaxName || !s.uid(uid) {
			continue
		}
		if kind, ok := e.Get(u.kind); ok && (kind.Num == 3 || kind.Num == 4) {
			continue
		}
		h := maphash.Bytes(seed, uid) ^ bits.RotateLeft64(maphash.Bytes(seed, mail), 21) ^ bits.RotateLeft64(maphash.String(seed, tenant), 42) ^ uint64(n)
		span, ok := o.told[h]
		if ok && int64(span.first) <= hour && hour <= int64(span.last) {
			continue
		}
		address := Fold(string(mail))
		if !IsAddress(address) {
			continue
		}
		if len(o.told) >= maxTold || o.told == nil {
			o.told = map[uint64]hours{}
		}
		if !ok {
			span = hours{int32(hour), int32(hour)}
		}
		o.told[h] = hours{min(span.first, int32(hour)), max(span.last, int32(hour))}
		known := string(uid)
		if s.name == "entra" {
			known = strings.ToLower(known) // GUIDs are written in either case
		}
		dst = append(dst, Seen{Tenant: tenant, Suite: s.name, UID: known, Address: address, Hour: hour, ID: id})
	}
	return dst
}
