// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package sample writes the unified audit log of a company that does not
// exist, in the form of Office 365 Management Activity API records: for the
// demonstration, for tests and for benchmarks, which all need a log of any
// size that belongs to nobody. Equal seeds give equal logs.
//
// It is a stand-in for a vendor's log, not for a vendor: people here have
// working hours, addresses, files and mail, but no memory and no intentions.
// What differs from a real tenant's log: fewer kinds of operations (see
// kinds), evenly spread identifiers, no late and no repeated records. One
// thing happens on purpose: every [RuleEvery] records somebody creates an
// inbox rule that forwards mail, so that there is something to find.
package sample

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// Tenant is the company's id at the provider.
const Tenant = "6d0f3a52-9c1b-4e57-8a64-2f5d1c7be093"

// Domain is what mail addresses end in; reserved by RFC 2606.
const Domain = "harborlight.example"

// RuleEvery is how many records lie between two inbox rules.
const RuleEvery = 10_000

// Log produces records one after the other, in the order of their times.
type Log struct {
	rng    *rand.Rand
	people *rand.Zipf
	count  uint64
	now    time.Time
	gap    time.Duration
}

// Options of a log. Zero values stand for the defaults given.
type Options struct {
	Seed   uint64
	People uint64        // 1,000
	Start  time.Time     // 2026-11-02 00:00 UTC
	Gap    time.Duration // mean time between records; 8.64 ms, ten million a day
}

// New returns a log at its beginning.
func New(o Options) *Log {
	if o.People == 0 {
		o.People = 1000
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, time.November, 2, 0, 0, 0, 0, time.UTC)
	}
	if o.Gap == 0 {
		o.Gap = 8640 * time.Microsecond
	}
	rng := rand.New(rand.NewPCG(o.Seed, 0xda9b7ea4))
	return &Log{
		rng:    rng,
		people: rand.NewZipf(rng, 1.1, 20, o.People-1),
		now:    o.Start,
		gap:    o.Gap,
	}
}

// Append appends the next record to dst, one line of JSON without a newline.
func (l *Log) Append(dst []byte) []byte {
	l.now = l.now.Add(time.Duration(l.rng.Int64N(2*int64(l.gap) + 1)))
	l.count++
	r := record{Log: l, b: dst, who: l.people.Uint64()}
	if l.count%RuleEvery == 0 {
		r.inboxRule()
		return r.b
	}
	n := l.rng.IntN(kinds[len(kinds)-1].upTo)
	for _, k := range kinds {
		if n < k.upTo {
			k.write(&r)
			break
		}
	}
	return r.b
}

// kinds is the mix, in cumulated thousandths.
var kinds = []struct {
	upTo  int
	write func(*record)
}{
	{450, (*record).file},
	{650, (*record).mailItemsAccessed},
	{720, (*record).mailItem},
	{860, (*record).logon},
	{970, (*record).teams},
	{990, (*record).directory},
	{1000, (*record).mailboxSetting},
}

// record is one record while it is written.
type record struct {
	*Log
	b   []byte
	who uint64
}

// person is what is true of somebody for good, derived from the number alone.
func (r *record) user() string { return personName(r.who) + "@" + Domain }

var (
	given   = []string{"ada", "bruno", "chiara", "dmitri", "elif", "farid", "greta", "hana", "ines", "jonas", "kofi", "lena", "marek", "noor", "olga", "pablo"}
	family  = []string{"abara", "brandt", "costa", "dufour", "eriksen", "fontaine", "greco", "haddad", "ivanov", "jansen", "kowalski", "lindqvist", "moreau", "novak", "okafor", "petrov"}
	nouns   = []string{"budget", "forecast", "contract", "roadmap", "minutes", "proposal", "invoice", "payroll", "audit", "inventory", "offer", "schedule"}
	areas   = []string{"finance", "legal", "people", "sales", "research", "harbor", "logistics", "board"}
	endings = []string{"xlsx", "docx", "pptx", "pdf", "csv", "one"}
	agents  = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
		"Microsoft Office Word/16.0.19328 (Windows/10.0; Desktop x64; en-US; Desktop app; Dell Inc./Latitude 5450)",
		"Microsoft SkyDriveSync 25.190.0923.0001 ship; Windows NT 10.0 (26200)",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
	}
	apps = []struct{ id, name string }{
		{"5a1d3c10-7e42-4a33-9c1f-000000000001", "Office Web"},
		{"5a1d3c10-7e42-4a33-9c1f-000000000002", "Outlook Desktop"},
		{"5a1d3c10-7e42-4a33-9c1f-000000000003", "Teams Client"},
		{"5a1d3c10-7e42-4a33-9c1f-000000000004", "Sync Agent"},
	}
)

func personName(n uint64) string {
	name := given[n%16] + "." + family[n/16%16]
	if n >= 256 {
		name += strconv.FormatUint(n/256, 10)
	}
	return name
}

func pick[T any](r *record, list []T) T { return list[r.rng.IntN(len(list))] }

// address is the person's home address two times in three, else the office's.
func (r *record) address() string {
	if r.rng.IntN(3) == 0 {
		return "198.51.100." + strconv.Itoa(10+r.rng.IntN(4))
	}
	return "203.0.113." + strconv.FormatUint(r.who%250+1, 10)
}
