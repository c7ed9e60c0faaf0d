// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

func open(t testing.TB, cfg company.Config) *company.Company {
	t.Helper()
	c, err := company.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wednesday is a working day like others, in no one's summer holidays.
var wednesday = time.Date(2026, time.November, 18, 0, 0, 0, 0, time.UTC)

// day visits all ordinary events of a stretch of time.
func visit(c *company.Company, from, to time.Time, f func(company.Ref)) {
	for slot := c.Slot(from); slot < c.Slot(to); slot++ {
		for _, s := range company.Streams {
			for i := range c.Count(s, slot) {
				f(company.Ref{Stream: s, Slot: slot, Index: i})
			}
		}
	}
}

func TestRecords(t *testing.T) {
	c := open(t, company.Config{Seed: 1, People: 1300, PerDay: 60})
	other := open(t, company.Config{Seed: 2, People: 1300, PerDay: 60})
	again := open(t, company.Config{Seed: 1, People: 1300, PerDay: 60})
	type fields struct {
		ID, CreationTime, Operation, OrganizationID, Workload, UserKey string
		UserID                                                         *string
		RecordType                                                     int
	}
	ids := map[string]bool{}
	var sizes []int
	same, seen := 0, 0
	var b, b2 []byte
	visit(c, wednesday.Add(10*time.Hour), wednesday.Add(11*time.Hour), func(r company.Ref) {
		b = c.Append(b[:0], r)
		seen++
		var got fields
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v is not JSON: %v\n%s", r, err, b)
		}
		if got.ID != string(c.AppendID(nil, r)) {
			t.Fatalf("%v: the record says id %s, AppendID %s", r, got.ID, c.AppendID(nil, r))
		}
		if ids[got.ID] {
			t.Fatalf("id %s twice", got.ID)
		}
		ids[got.ID] = true
		at, err := time.Parse("2006-01-02T15:04:05", got.CreationTime)
		if err != nil {
			t.Fatalf("CreationTime: %v", err)
		}
		begin := c.Start(r.Slot)
		if at.Before(begin) || !at.Before(begin.Add(c.SlotLength())) || !c.Time(r).Truncate(time.Second).Equal(at) {
			t.Fatalf("%v at %v, slot from %v, Time %v", r, at, begin, c.Time(r))
		}
		if got.OrganizationID != c.Tenant() || got.Operation == "" || got.RecordType == 0 || got.Workload == "" || got.UserKey == "" || got.UserID == nil {
			t.Fatalf("a record lacks what all have: %s", b)
		}
		if b2 = again.Append(b2[:0], r); !bytes.Equal(b, b2) {
			t.Fatalf("%v differs between two companies of one seed", r)
		}
		if b2 = other.Append(b2[:0], r); bytes.Equal(b, b2) {
			same++
		}
		sizes = append(sizes, len(b))
	})
	if seen < 3000 {
		t.Fatalf("only %d events in a busy hour", seen)
	}
	if same > 0 {
		t.Errorf("%d records are the same with another seed", same)
	}
	slices.Sort(sizes)
	if median, p95 := sizes[seen/2], sizes[seen*95/100]; median < 1200 || median > 1600 || p95 < 1900 || p95 > 2800 {
		t.Errorf("records of %d bytes (median) and %d (p95); real ones have some 1,300 and 2,600", median, p95)
	}
	t.Logf("%d records, median %d, p95 %d, longest %d bytes", seen, sizes[seen/2], sizes[seen*95/100], sizes[seen-1])
}

// TestAlone holds random access: a record made by itself, in any order, is the
// one that enumeration gives.
func TestAlone(t *testing.T) {
	c := open(t, company.Config{Seed: 7, People: 300})
	var refs []company.Ref
	var records []string
	visit(c, wednesday.Add(9*time.Hour), wednesday.Add(9*time.Hour+10*time.Minute), func(r company.Ref) {
		refs = append(refs, r)
		records = append(records, string(c.Append(nil, r)))
	})
	for i := len(refs) - 1; i >= 0; i-- {
		fresh := open(t, company.Config{Seed: 7, People: 300})
		if got := string(fresh.Append([]byte("before"), refs[i])); got != "before"+records[i] {
			t.Fatalf("%v alone is\n%s\nwant\n%s", refs[i], got, records[i])
		}
	}
}

func TestRhythm(t *testing.T) {
	for _, people := range []int{10, 200, 10_000, company.MaxPeople} {
		cfg := company.Config{Seed: 3, People: people, SlotLength: time.Minute}
		c := open(t, cfg)
		count := func(from time.Time, long time.Duration) (n int) {
			for slot := c.Slot(from); slot < c.Slot(from.Add(long)); slot++ {
				for _, s := range company.Streams {
					n += c.Count(s, slot)
				}
			}
			return n
		}
		total := 0
		for d := -2; d < 3; d++ {
			total += count(wednesday.AddDate(0, 0, d), 24*time.Hour)
		}
		if got, want := float64(total)/5, 200*float64(people); math.Abs(got-want) > want*.05 {
			t.Errorf("%d people make %.0f records a working day, want %.0f", people, got, want)
		}
		noon, night := count(wednesday.Add(10*time.Hour), time.Hour), count(wednesday.Add(2*time.Hour), time.Hour)
		if noon < 3*night {
			t.Errorf("%d people: %d records in the morning, %d at night", people, noon, night)
		}
		monday, later := count(wednesday.AddDate(0, 0, -2).Add(8*time.Hour), 2*time.Hour), count(wednesday.Add(8*time.Hour), 2*time.Hour)
		if people > 100 && float64(monday) < 1.1*float64(later) {
			t.Errorf("%d people: Monday morning has %d records, Wednesday %d", people, monday, later)
		}
		sunday := count(wednesday.AddDate(0, 0, -3), 24*time.Hour)
		if float64(sunday) > .3*200*float64(people) || sunday == 0 {
			t.Errorf("%d people make %d records on a Sunday", people, sunday)
		}
	}
}

// TestOfficeHours holds that a company in its office hours does as much as on a Wednesday afternoon,
// at every hour of a week in winter and of one in summer.
func TestOfficeHours(t *testing.T) {
	for _, week := range []time.Time{wednesday, wednesday.AddDate(0, -4, 0)} {
		for hour := range 7 * 24 {
			now := week.Add(time.Duration(hour)*time.Hour + 17*time.Minute)
			c := open(t, company.Config{Seed: 3, People: 1000, SlotLength: time.Minute, Shift: company.OfficeHours(now)})
			if local := time.Unix(c.Clock(0, now), 0).UTC(); local.Weekday() != time.Wednesday || local.Hour() < 14 || local.Hour() > 16 {
				t.Fatalf("at %v the clock of an office shows %v", now, local)
			}
			n := 0
			for slot := c.Slot(now.Add(-time.Hour)); slot < c.Slot(now); slot++ {
				for _, s := range company.Streams {
					n += c.Count(s, slot)
				}
			}
			if n < 200*1000/24 {
				t.Fatalf("at %v there are %d records in an hour, fewer than in the mean hour of a working day", now, n)
			}
		}
	}
}

func TestRate(t *testing.T) {
	const rate = 7321
	c := open(t, company.Config{People: 5000, Rate: rate, SlotLength: time.Second})
	var byStream [len(company.Streams)]int
	for slot := range int64(600) { // a night long ago or a noon: all the same
		sum := 0
		for _, s := range company.Streams {
			n := c.Count(s, slot+1_765_000_000)
			byStream[s] += n
			sum += n
		}
		if sum < rate-len(company.Streams) || sum > rate+len(company.Streams) {
			t.Fatalf("a second has %d records, want %d", sum, rate)
		}
	}
	if n := byStream[company.SharePoint]; n < 600*rate*39/100 || n > 600*rate*41/100 {
		t.Errorf("SharePoint has %d of %d", n, 600*rate)
	}
	json := c.Append(nil, company.Ref{Stream: company.DLP, Slot: 1_765_000_000})
	if !strings.Contains(string(json), `"DetectedValues":[{`) {
		t.Errorf("a record of DLP.All without detected values: %s", json)
	}
}

// TestIDs looks for ids that come twice, over millions of events of all streams.
func TestIDs(t *testing.T) {
	const rate, seconds = 400_000, 5 // a slot
	c := open(t, company.Config{People: company.MaxPeople, Rate: rate})
	part := 1
	if raceEnabled {
		part = 20
	}
	seen := make(map[record.GUID]struct{}, rate*seconds/part)
	var b []byte
	slot := c.Slot(wednesday)
	for _, s := range company.Streams {
		for i := range c.Count(s, slot) / part {
			b = c.AppendID(b[:0], company.Ref{Stream: s, Slot: slot, Index: i})
			id, err := record.ParseGUID(string(b))
			if err != nil {
				t.Fatal(err)
			}
			if _, again := seen[id]; again {
				t.Fatalf("id %s twice", b)
			}
			seen[id] = struct{}{}
		}
	}
	if len(seen) < rate*seconds/part-len(company.Streams)*part {
		t.Errorf("only %d ids", len(seen))
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []company.Config{
		{People: 9},
		{People: company.MaxPeople + 1},
		{PerDay: -1},
		{PerDay: math.NaN()},
		{Rate: -1},
		{Rate: math.Inf(1)},
		{SlotLength: 1500 * time.Millisecond},
		{SlotLength: -time.Second},
		{SlotLength: 2 * time.Hour},
	} {
		if _, err := company.New(cfg); err == nil {
			t.Errorf("New(%+v) took it", cfg)
		}
	}
}

func TestStreams(t *testing.T) {
	for _, s := range company.Streams {
		if got, ok := company.ParseStream(s.String()); !ok || got != s {
			t.Errorf("ParseStream(%v) = %v, %v", s, got, ok)
		}
	}
	c := open(t, company.Config{})
	if c.Count(company.Stream(9), 1) != 0 || c.Append(nil, company.Ref{Stream: -1}) != nil {
		t.Error("a stream that there is not has events")
	}
}

// FuzzAppend holds that any position gives a record that is JSON, of its time and
// with its id, also where no event is counted.
func FuzzAppend(f *testing.F) {
	f.Add(uint64(1), uint8(0), uint8(1), int64(357_000_000), 0)
	f.Add(uint64(2), uint8(200), uint8(2), int64(-5), 1<<40)
	f.Add(uint64(3), uint8(3), uint8(4), int64(1)<<31, -1)
	f.Fuzz(func(t *testing.T, seed uint64, people, stream uint8, slot int64, index int) {
		c := open(t, company.Config{Seed: seed, People: company.MinPeople + int(people)*97})
		r := company.Ref{Stream: company.Streams[int(stream)%len(company.Streams)], Slot: slot % (1 << 33), Index: index}
		raw := c.Append(nil, r)
		var got struct{ ID, CreationTime string }
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%v: %v\n%s", r, err, raw)
		}
		if got.ID != string(c.AppendID(nil, r)) || c.Slot(c.Time(r)) != r.Slot {
			t.Fatalf("%v is %s at %v", r, got.ID, c.Time(r))
		}
		if at := c.Time(r); at.Year() > 0 && at.Year() < 9999 && got.CreationTime != at.Format("2006-01-02T15:04:05") {
			t.Fatalf("%v happens at %v and says %s", r, at, got.CreationTime)
		}
		if !bytes.Equal(raw, c.Append(nil, r)) {
			t.Fatalf("%v differs the second time", r)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	c := open(b, company.Config{People: 100_000, Rate: 25_000})
	slot := c.Slot(wednesday.Add(10 * time.Hour))
	var refs []company.Ref
	for _, s := range company.Streams {
		for i := range c.Count(s, slot) {
			refs = append(refs, company.Ref{Stream: s, Slot: slot, Index: i})
		}
	}
	buf := make([]byte, 0, 1<<16)
	b.ReportAllocs()
	i, size := 0, 0
	for b.Loop() {
		buf = c.Append(buf[:0], refs[i%len(refs)])
		size += len(buf)
		i++
	}
	b.SetBytes(int64(size / max(i, 1)))
}

func BenchmarkCount(b *testing.B) {
	c := open(b, company.Config{People: 100_000})
	slot := c.Slot(wednesday)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		slot++
		n += c.Count(company.Exchange, slot)
	}
	_ = n
}
