// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package company is the ordinary life of a company that does not exist, told
// in audit records of the Office 365 Management Activity API: sign-ins, mail,
// files, sharing, chats, administration, alerts, and applications that work by
// themselves around the clock. sim/directory and sim/scenario put on top what
// changes and what is an attack; sim/m365 serves both.
//
// Nothing is kept. Time is cut into slots, and the n-th event of a slot and
// stream is a pure function of the configuration and of that position ([Ref]):
// any record of any day can be made again at any moment, in any order, by any
// number of goroutines, and memory grows neither with time nor with the rate.
// Equal configurations give equal bytes. So the past of a company is as long as
// one likes, and a server needs to remember no record that it has offered.
//
// What does hold together, because it follows from who, where and when: people
// have names, places in a tree of managers, offices, homes, devices and working
// hours of their own time zone, with daylight saving time, leave and part-time
// days; a person's session with a device lasts half a day and has one id in
// sign-ins, in AppAccessContext and in SessionId of mailbox records, and the
// IntraSystemId of a sign-in is the UniqueTokenId that the application then
// shows, in base64; files keep their ids, names and folders, messages theirs;
// teams share sites, channels and chats.
//
// What differs from a real tenant:
//
//   - Nothing has consequences. A file is read after it was deleted, a member is
//     removed who was never added, a message is read that no one sent. What has
//     consequences is in sim/directory.
//   - A sign-in's Id is its own and not also its IntraSystemId, because several
//     sign-ins of one hour give out one token here; and about a record's token
//     there need not be a sign-in at all.
//   - The records of one request are made apart: opening a document is one
//     FileAccessed or one FilePreviewed, not a row of them.
//   - There are no public holidays, no weather, no reorganizations; the company
//     neither grows nor shrinks. Between two slots events are independent.
//   - Some ninety kinds of operations of a few hundred. The applications are the
//     provider's best known ones and four of suppliers.
//   - Values are well formed. Odd ones (other orders of keys, numbers as strings,
//     missing ids) are faults that sim/m365 puts in, except that the client's
//     address may be null in records of the directory, may have a port in those of
//     Exchange's administration and may be the provider's own in those of mailboxes.
//   - Addresses come from ranges that belong to nobody (see network.go): nothing
//     that looks addresses up finds them anywhere.
//   - The median record is somewhat longer than in tenants of 2021, since the
//     members that came later are there.
package company

import (
	"fmt"
	"math"
	"math/bits"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Stream is a content type of the Management Activity API.
type Stream int

// The content types there are.
const (
	AzureActiveDirectory Stream = iota
	Exchange
	SharePoint
	General
	DLP
)

// Streams are all of them, in order.
var Streams = [...]Stream{AzureActiveDirectory, Exchange, SharePoint, General, DLP}

var streamNames = [len(Streams)]string{"Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All"}

// String is the name that the API knows the stream by.
func (s Stream) String() string {
	if s < 0 || int(s) >= len(streamNames) {
		return fmt.Sprintf("Stream(%d)", int(s))
	}
	return streamNames[s]
}

// ParseStream finds a stream by its name.
func ParseStream(name string) (Stream, bool) {
	for i, n := range streamNames {
		if n == name {
			return Stream(i), true
		}
	}
	return 0, false
}

// Limits of a company.
const (
	MinPeople = 10
	MaxPeople = 1_500_000
)

// Config says what company it is. Zero values stand for the defaults given.
type Config struct {
	Seed       uint64
	People     int           // 1,000
	PerDay     float64       // records a person on a working day; 200
	SlotLength time.Duration // whole seconds; 5 s
	// Rate, if above zero, is how many records a second all streams have
	// together at every hour, instead of the rhythm: for benchmarks.
	Rate float64
	// Shift is by how many whole seconds the clocks of all offices are ahead of their
	// cities', so that it is another hour for the company than for the world.
	Shift time.Duration
}

// Company is a simulated company. It holds a few kilobytes whatever its size,
// and is safe for concurrent use.
type Company struct {
	seed    uint64
	people  int
	perDay  float64
	rate    float64
	slot    int64 // seconds
	tenant  record.GUID
	brand   string // the first part of its domains
	domain  string
	sid     string // what the people's security identifiers begin with
	offices []office
	admins  int
	moments sync.Pool
}

// New makes a company.
func New(cfg Config) (*Company, error) {
	if cfg.People == 0 {
		cfg.People = 1000
	}
	if cfg.PerDay == 0 {
		cfg.PerDay = 200
	}
	if cfg.SlotLength == 0 {
		cfg.SlotLength = 5 * time.Second
	}
	switch {
	case cfg.People < MinPeople || cfg.People > MaxPeople:
		return nil, fmt.Errorf("a company has %d to %d people, not %d", MinPeople, MaxPeople, cfg.People)
	case !(cfg.PerDay > 0 && cfg.PerDay <= 1e6):
		return nil, fmt.Errorf("a person makes more than 0 and up to 1000000 records a day, not %v", cfg.PerDay)
	case cfg.SlotLength < time.Second || cfg.SlotLength > time.Hour || cfg.SlotLength%time.Second != 0:
		return nil, fmt.Errorf("the length of a slot is whole seconds from 1 s to 1 h, not %v", cfg.SlotLength)
	case !(cfg.Rate >= 0 && cfg.Rate <= 1e7):
		return nil, fmt.Errorf("the rate is 0 to 10000000 records a second, not %v", cfg.Rate)
	}
	c := &Company{
		seed:   record.Mix(cfg.Seed, 0xc0ffee),
		people: cfg.People,
		perDay: cfg.PerDay,
		rate:   cfg.Rate,
		slot:   int64(cfg.SlotLength / time.Second),
	}
	c.tenant = record.Hash(c.seed, tagTenant)
	c.brand = brands[c.hash(tagBrand, 0)%uint64(len(brands))]
	c.domain = c.brand + ".example"
	c.sid = fmt.Sprintf("S-1-5-21-%d-%d-%d-", 1e9+c.hash(tagSID, 0)%3e9, 1e9+c.hash(tagSID, 1)%3e9, 1e9+c.hash(tagSID, 2)%3e9)
	c.offices = openOffices(cfg.People, int64(cfg.Shift/time.Second))
	c.admins = min(max(cfg.People/400, 2), 48)
	c.moments.New = func() any { return &moment{c: c, seen: math.MinInt64} }
	return c, nil
}

// Tenant is the company's id at the provider.
func (c *Company) Tenant() string { return c.tenant.String() }

// TenantID is the same as an id.
func (c *Company) TenantID() record.GUID { return c.tenant }

// Domain is what mail addresses end in, a name that RFC 2606 reserves.
func (c *Company) Domain() string { return c.domain }

// People is how many there are; they are numbered from 0.
func (c *Company) People() int { return c.people }

// SlotLength is how much time a slot covers.
func (c *Company) SlotLength() time.Duration { return time.Duration(c.slot) * time.Second }

// Slot is the number of the slot that t lies in.
func (c *Company) Slot(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		s -= c.slot - 1
	}
	return s / c.slot
}

// Start is when a slot begins.
func (c *Company) Start(slot int64) time.Time { return time.Unix(slot*c.slot, 0).UTC() }

// Clock is what the clock of a person's office shows at t, as seconds since 1970
// by its hands.
func (c *Company) Clock(n int, t time.Time) int64 { return c.officeOf(n).local(t.Unix()) }

// Ref names an ordinary event: Index runs from 0 to Count(Stream, Slot)-1.
type Ref struct {
	Stream Stream
	Slot   int64
	Index  int
}

// Count tells how many ordinary events of a stream happen in a slot.
func (c *Company) Count(s Stream, slot int64) int {
	if s < 0 || int(s) >= len(life) {
		return 0
	}
	if c.rate > 0 {
		each := c.rate * life[s].share * float64(c.slot)
		return int(math.Floor(each*float64(slot+1)) - math.Floor(each*float64(slot)))
	}
	var at attendance
	c.attend(&at, slot*c.slot+c.slot/2)
	people, machines := c.intensity(s, &at)
	return arrivals((people+machines)*float64(c.slot), record.Mix(record.Mix(c.seed+tagCount, uint64(s)), uint64(slot)))
}

// intensity is how many records a second the people and the machines make.
func (c *Company) intensity(s Stream, at *attendance) (people, machines float64) {
	l := &life[s]
	all := float64(c.people) * c.perDay * l.share / 86400
	return all * (1 - l.machines) * at.share, all * l.machines
}

// arrivals draws how many independent events happen where mean are expected.
func arrivals(mean float64, h uint64) int {
	if mean > 30 { // the sum of 64 coins is as good as a normal distribution
		z := (float64(bits.OnesCount64(h)) - 32) / 4
		u := float64(record.Mix(h, 1)>>11) / (1 << 53)
		return max(0, int(mean+math.Sqrt(mean)*(z+u/4-0.125)+u))
	}
	u, p := float64(h>>11)/(1<<53), math.Exp(-mean)
	n := 0
	for u > p && n < 200 {
		u -= p
		n++
		p *= mean / float64(n)
	}
	return n
}

// base is what all of an event is drawn from.
func (c *Company) base(r Ref) uint64 {
	return record.Mix(record.Mix(record.Mix(c.seed+tagEvent, uint64(r.Stream)), uint64(r.Slot)), uint64(r.Index))
}

// Time is when the event happens. Records tell it in whole seconds.
func (c *Company) Time(r Ref) time.Time { return c.time(r, c.base(r)) }

func (c *Company) time(r Ref, base uint64) time.Time {
	within, _ := bits.Mul64(record.Mix(base, tagTime), uint64(c.slot)*1e9)
	return time.Unix(r.Slot*c.slot, int64(within)).UTC()
}

// AppendID appends the record's Id.
func (c *Company) AppendID(dst []byte, r Ref) []byte { return c.id(r).Append(dst) }

func (c *Company) id(r Ref) record.GUID {
	return record.Hash(c.seed, tagRecord, uint64(r.Stream), uint64(r.Slot), uint64(r.Index))
}

// Append appends the record, one JSON object without a line end.
func (c *Company) Append(dst []byte, r Ref) []byte {
	if r.Stream < 0 || int(r.Stream) >= len(life) {
		return dst
	}
	m := c.moments.Get().(*moment)
	m.begin(r, dst)
	m.happen()
	dst = m.w
	m.w = nil
	c.moments.Put(m)
	return dst
}

// hash draws what is true for good of the n-th of something.
func (c *Company) hash(tag, n uint64) uint64 { return record.Mix(c.seed+tag, n) }

// The tags keep apart what is drawn from equal numbers.
const (
	tagTenant = iota<<8 + 0x5151
	tagBrand
	tagSID
	tagCount
	tagEvent
	tagTime
	tagRecord
	tagPerson
	tagObject
	tagPUID
	tagMailbox
	tagDevice
	tagSession
	tagToken
	tagDay
	tagHome
	tagMobile
	tagSite
	tagFile
	tagTeam
	tagItem
	tagFolder
	tagGroup
	tagApp
	tagPolicy
	tagName
	tagThread
	tagServer
)
