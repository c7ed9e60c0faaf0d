// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"fmt"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Village is a company that is small enough to count by hand: in every slot of
// ten seconds each stream has as many events as the slot's number modulo five.
type Village struct{ Most int }

const villageSlot = 10 * time.Second

func (v Village) Count(s stream, slot int64) int { return int((slot + int64(s)) % int64(v.Most+1)) }

func (v Village) Time(r ref) time.Time {
	return time.Unix(0, r.Slot*int64(villageSlot)).Add(time.Duration(r.Index%10) * time.Second).UTC()
}

func (v Village) AppendID(dst []byte, r ref) []byte {
	return record.Hash(uint64(r.Stream), uint64(r.Slot), uint64(r.Index)).Append(dst)
}

func (v Village) Append(dst []byte, r ref) []byte {
	return fmt.Appendf(dst, `{"CreationTime":%q,"Id":%q,"Operation":"Visit","RecordType":%d,"Workload":"Village","UserId":"a\"b\\,{\u00e9","Parameters":[{"Name":"N","Value":"%d"}]}`,
		v.Time(r).Format("2006-01-02T15:04:05"), v.AppendID(nil, r), 1+int(r.Stream), r.Index)
}

func (v Village) Tenant() string { return "11111111-2222-4333-8444-555555555555" }

// NewVillage is a server in front of a village, on a clock of the test's own.
func NewVillage(cfg Config, most int, wall func() time.Time) (*Server, error) {
	return newServer(cfg, Village{most}, villageSlot, "village.example", wall)
}

// FaultNames are those of every fault.
func FaultNames() (names []string) {
	for i := range faults {
		names = append(names, faults[i].name)
	}
	return names
}

// Weave puts an event of a scenario into the feed.
func (s *Server) Weave(st int, at time.Time, id, raw, step string) {
	s.feed.events.add(stream(st), s.feed.slot(at), scripted{at, id, []byte(raw), step})
}

// CountIn is how many events a village has in a slot.
func CountIn(v Village, st int, slot int64) int { return v.Count(stream(st), slot) }

// HurryWebhooks shortens the time between attempts; call it before any.
func HurryWebhooks(s *Server) { s.hooks.retry = time.Millisecond }
