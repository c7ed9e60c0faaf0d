// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365_test

import (
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/collect/m365"
)

func TestPlan(t *testing.T) {
	ms := func(text string) int64 {
		at, err := time.Parse("2 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return at.AddDate(2026, 0, 0).UnixMilli()
	}
	for _, test := range []struct{ name, listed, least, now, start, from string }{
		{"it grows", "3 12:07:00", "", "3 12:07:03", "3 12:00:00", ""},
		{"and keeps its start", "3 12:09:59", "", "3 12:10:01", "3 12:00:00", ""},
		{"until the overlap is long", "3 12:10:01", "", "3 12:10:04", "3 12:05:00", ""},
		{"a little behind", "3 11:50:30", "", "3 12:10:04", "3 11:45:00", ""},
		{"an outage", "2 09:33:10", "", "3 12:10:04", "3 12:05:00", "2 09:25:00"},
		{"behind what back-fill was given", "3 12:09:00", "3 12:08:30", "3 12:09:03", "3 12:08:30", ""},
		{"an outage after that", "3 08:00:00", "3 07:58:30", "3 12:10:04", "3 12:05:00", "3 07:58:30"},
	} {
		least := int64(0)
		if test.least != "" {
			least = ms(test.least)
		}
		start, from, missed := m365.Plan(ms(test.listed), least, ms(test.now), (5 * time.Minute).Milliseconds())
		if start != ms(test.start) || missed != (test.from != "") || missed && from != ms(test.from) {
			t.Errorf("%s: start %v, from %v, %v", test.name, time.UnixMilli(start).UTC(), time.UnixMilli(from).UTC(), missed)
		}
	}
}

// Whatever the clocks do, nothing is left out between what was listed and what is listed
// next: the head and what back-fill is given join, and overlap what was listed by the unit.
func FuzzPlan(f *testing.F) {
	f.Add(int64(1_770_000_000_000), int64(0), int64(3000), uint8(0))
	f.Add(int64(1_770_000_000_000), int64(-1), int64(40*60*1000), uint8(1))
	f.Add(int64(1_770_000_000_000), int64(60_000), int64(-3_600_000), uint8(2))
	units := []int64{300_000, 60_000, 10_000}
	f.Fuzz(func(t *testing.T, listed, least, passed int64, level uint8) {
		const edge = int64(1) << 45
		if listed < 1<<40 || listed > edge || least < -edge || least > 0 || passed < -edge/64 || passed > edge {
			t.Skip()
		}
		unit := units[int(level)%len(units)]
		floor := listed + least // the head never begins before; back-fill has it up to here
		start, from, missed := m365.Plan(listed, floor, listed+passed, unit)
		first := start
		if missed {
			first = from
			if from >= start {
				t.Errorf("back-fill is given [%d, %d)", from, start)
			}
		}
		if first > max(listed-unit, floor) {
			t.Errorf("what is listed begins at %d: %d was listed, back-fill has it up to %d", first, listed, floor)
		}
		if start > max(listed+passed, listed) {
			t.Errorf("the head begins at %d, it is %d", start, listed+passed)
		}
		if listed+passed-start > 45*60*1000+2*unit {
			t.Errorf("the head's window is %d long", listed+passed-start)
		}
	})
}

func TestSweepLength(t *testing.T) {
	const hour, day = int64(3_600_000), int64(24 * 3_600_000)
	many := func(n int, age int64) (list []int64) {
		for range n {
			list = append(list, age)
		}
		return list
	}
	for _, test := range []struct {
		name        string
		ages        []int64
		least, most int64
	}{
		{"nothing is known", nil, 2 * hour, 2 * hour},
		{"all is quick", many(5000, 2000), 2 * hour, 2 * hour},
		{"one in a hundred is three hours late", append(many(990, 2000), many(10, 3*hour)...), 6 * hour, 9 * hour},
		{"one in ten thousand is", append(many(9999, 2000), 3*hour), 2 * hour, 2 * hour},
		{"six days late", many(10, 6*day), 7 * day, 7 * day},
		{"a clock that is wrong", many(10, -hour), 2 * hour, 2 * hour},
		{"two million", append(many(1_900_000, 2000), many(100_000, 3*hour)...), 6 * hour, 9 * hour},
	} {
		if n := m365.SweepLength(test.ages, 2*hour, 7*day); n < test.least || n > test.most {
			t.Errorf("%s: a sweep looks back %v", test.name, time.Duration(n)*time.Millisecond)
		}
	}
}
