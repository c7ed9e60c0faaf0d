// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package service is what the simulated services have in common that the people of a simulated company use beside
// Microsoft's (sim/github, sim/slack): who does something when, when that becomes visible, and the door of an API with a
// token, a limit and faults.
//
// Nothing is kept, as in sim/company: time is cut into minutes, and what happens in one is a function of the seed, the log
// and the minute. People are at work by the clock of their office, a few at any hour, and machines around the clock.
package service

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// Config says what is simulated. Zero values stand for the defaults given.
type Config struct {
	Company *company.Company
	Now     func() time.Time // the simulated time
	Begin   time.Time        // nothing happened before
	Seed    uint64
	PerDay  float64 // acts of a person on a working day; 20

	Delay  time.Duration // simulated, from an act to its record, at least; 10 s
	Spread time.Duration // and up to so much more; 20 s
	// Late is the share of records that become visible only LateBy after the act; 0.
	Late   float64
	LateBy time.Duration

	Token string // what the API accepts, as Bearer
	// Allowed says who may ask; nil: who has Token.
	Allowed func(*http.Request) bool
	// Limit is how many requests are answered in an hour of real time; 0: the service's own.
	Limit int
	// Throttle, Fail and Break are faults: one of so many requests is refused as too many, is an error of a proxy, or is
	// answered with a body that is cut; 0: none.
	Throttle, Fail, Break int
}

// Feed tells what happens.
type Feed struct{ cfg Config }

// NewFeed fills in the defaults.
func NewFeed(cfg Config) *Feed {
	if cfg.PerDay == 0 {
		cfg.PerDay = 20
	}
	if cfg.Delay == 0 {
		cfg.Delay = 10 * time.Second
	}
	if cfg.Spread == 0 {
		cfg.Spread = 20 * time.Second
	}
	return &Feed{cfg}
}

// Config is the feed's, with the defaults filled in.
func (f *Feed) Config() Config { return f.cfg }

// Act is one thing that happens. Who is the number of a person, -1 of a machine's. What else it is follows from its draws:
// equal acts draw the same.
type Act struct {
	At  time.Time // to the millisecond
	ID  record.GUID
	Who int

	company *company.Company
	drawn   uint64
}

// Order compares an act with a place among others: by its time and, of one time, by its id.
func (a *Act) Order(at time.Time, id record.GUID) int {
	if c := a.At.Compare(at); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], id[:])
}

// Cursor is the text of an act's place among others.
func (a *Act) Cursor() string {
	return base64.StdEncoding.EncodeToString([]byte(strconv.FormatInt(a.At.UnixMilli(), 10) + "|" + a.ID.String()))
}

// ParseCursor reads what Cursor has made.
func ParseCursor(text string) (at time.Time, id record.GUID, ok bool) {
	raw, err1 := base64.StdEncoding.DecodeString(text)
	first, second, _ := strings.Cut(string(raw), "|")
	ms, err2 := strconv.ParseInt(first, 10, 64)
	id, err3 := record.ParseGUID(second)
	return time.UnixMilli(ms).UTC(), id, err1 == nil && err2 == nil && err3 == nil
}

// N draws a number below n.
func (a *Act) N(n int) int {
	a.drawn = record.Mix(a.drawn, 1)
	return int(a.drawn % uint64(n))
}

// Pick draws one of a list by weight.
func Pick[K any](a *Act, list []K, weight func(*K) int) *K {
	sum := 0
	for i := range list {
		sum += weight(&list[i])
	}
	n := a.N(sum)
	for i := range list {
		if n -= weight(&list[i]); n < 0 {
			return &list[i]
		}
	}
	return &list[len(list)-1]
}

// Other draws somebody else of the company.
func (a *Act) Other() int {
	n := a.N(a.company.People())
	if n == a.Who {
		n = (n + 1) % a.company.People()
	}
	return n
}

// Address is where a person is at the moment: at home or in the office; a machine has its own.
func (a *Act) Address() netip.Addr {
	if a.Who < 0 {
		return a.company.ServiceAddress(a.N(4))
	}
	p := a.company.Person(a.Who)
	if a.N(3) == 0 {
		return p.Home
	}
	first := p.OfficeNetwork.Addr().As4()
	first[3] += byte(a.N(14) + 1)
	return netip.AddrFrom4(first)
}

const (
	minute = int64(60)
	// hours of work, of which a day's acts are spread over.
	hours = 9
	// machines is the share of acts that are a machine's.
	machines = 0.1
)

// Happened calls yield with what happens in a log in [from, to), in the order of its time, until it returns false.
func (f *Feed) Happened(log uint64, from, to time.Time, yield func(*Act) bool) {
	if from.Before(f.cfg.Begin) {
		from = f.cfg.Begin
	}
	var acts []Act
	for slot := from.Unix() / minute; slot*minute < to.Unix()+1; slot++ {
		acts = f.slot(acts[:0], log, slot)
		for i := range acts {
			if a := &acts[i]; !a.At.Before(from) && a.At.Before(to) && !yield(a) {
				return
			}
		}
	}
}

// slot appends what happens in a minute.
func (f *Feed) slot(acts []Act, log uint64, slot int64) []Act {
	c := f.cfg.Company
	base := record.Mix(record.Mix(f.cfg.Seed, log), uint64(slot))
	mean := float64(c.People()) * f.cfg.PerDay / (hours * 60)
	n := int(mean)
	if chance(record.Mix(base, 7), mean-float64(n)) {
		n++
	}
	for i := range n {
		h := record.Mix(base, uint64(i)+100)
		a := Act{
			At: time.UnixMilli(slot*minute*1000 + int64(record.Mix(h, 1)%60_000)).UTC(), ID: record.Hash(f.cfg.Seed, log, uint64(slot), uint64(i)),
			company: c, drawn: record.Mix(h, 2),
		}
		if a.Who = a.N(c.People()); chance(record.Mix(h, 3), machines) {
			a.Who = -1
		} else if !chance(record.Mix(h, 4), presence(c.Clock(a.Who, a.At))) {
			continue
		}
		acts = append(acts, a)
	}
	slices.SortFunc(acts, func(a, b Act) int { return a.Order(b.At, b.ID) })
	return acts
}

// presence is how likely somebody is at work at a time of the own clock.
func presence(local int64) float64 {
	hour, day := local/3600%24, local/86400%7 // the week begins on Thursday, as Unix time does
	switch {
	case day == 2 || day == 3, hour < 8 || hour >= 20:
		return 0.02
	case hour < 9 || hour >= 18:
		return 0.3
	}
	return 1
}

func chance(h uint64, share float64) bool { return float64(h%1_000_000) < share*1e6 }

// Visible reports whether an act's record is shown by now.
func (f *Feed) Visible(a *Act, now time.Time) bool { return !f.Shown(a).After(now) }

// Shown is since when an act's record is shown.
func (f *Feed) Shown(a *Act) time.Time {
	h := record.Mix(uint64(a.At.UnixMilli()), uint64(a.ID[0])<<8|uint64(a.ID[15]))
	wait := f.cfg.Delay + time.Duration(h%uint64(f.cfg.Spread))
	if f.cfg.LateBy > 0 && chance(record.Mix(h, 7), f.cfg.Late) {
		wait = f.cfg.LateBy
	}
	return a.At.Add(wait)
}
