// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import "time"

// Office is where people work.
type Office struct {
	City     string
	Country  string // ISO 3166, two letters
	TimeZone string // IANA
}

type office struct {
	Office
	number int
	offset int64 // standard time, seconds east of Greenwich
	summer summer
	desks  []int // which of hundred people in a row work here
	people int
	// folders are the names that mailboxes of people here have for theirs.
	folders [folderCount]string
}

// openOffices gives a company of so many people its offices: one as long as it
// is small, all of them from some hundreds on. Their clocks are shift seconds ahead.
func openOffices(people int, shift int64) []office {
	open := len(officeTable)
	switch {
	case people < 50:
		open = 2
	case people < 500:
		open = 5
	}
	offices := make([]office, open)
	weights := 0
	for i := range offices {
		row := &officeTable[i]
		offices[i] = office{Office: row.Office, number: i, offset: int64(row.minutes)*60 + shift, summer: row.summer}
		names, ok := folderPaths[row.Country]
		if !ok {
			names = folderPaths[""]
		}
		offices[i].folders = names
		weights += row.weight
	}
	// Who is next goes where most are missing, so that any number of people is spread well.
	for n := range block {
		most, at := -1<<31, 0
		for i := range offices {
			if missing := (n+1)*officeTable[i].weight - len(offices[i].desks)*weights; missing > most {
				most, at = missing, i
			}
		}
		offices[at].desks = append(offices[at].desks, n)
	}
	for i := range offices {
		o := &offices[i]
		o.people = people / block * len(o.desks)
		for _, n := range o.desks {
			if n < people%block {
				o.people++
			}
		}
	}
	return offices
}

// block is how many people in a row are spread over the offices in one way.
const block = 100

var officeTable = []struct {
	Office
	weight  int
	minutes int
	summer  summer
}{
	{Office{"Rotterdam", "NL", "Europe/Amsterdam"}, 27, 60, summerEurope},
	{Office{"Boston", "US", "America/New_York"}, 17, -300, summerAmerica},
	{Office{"Leeds", "GB", "Europe/London"}, 13, 0, summerEurope},
	{Office{"Bengaluru", "IN", "Asia/Kolkata"}, 10, 330, summerNone},
	{Office{"Hamburg", "DE", "Europe/Berlin"}, 11, 60, summerEurope},
	{Office{"Lyon", "FR", "Europe/Paris"}, 7, 60, summerEurope},
	{Office{"Austin", "US", "America/Chicago"}, 6, -360, summerAmerica},
	{Office{"Curitiba", "BR", "America/Sao_Paulo"}, 4, -180, summerNone},
	{Office{"Singapore", "SG", "Asia/Singapore"}, 3, 480, summerNone},
	{Office{"Newcastle", "AU", "Australia/Sydney"}, 2, 600, summerAustralia},
}

// summer is when clocks are put forward. The rules are those of today for all
// years, and the program needs no time zone database for them.
type summer int

const (
	summerNone summer = iota
	summerEurope
	summerAmerica
	summerAustralia
)

// firstYear and years bound the tables; outside, it is winter.
const (
	firstYear = 1970
	years     = 200
)

// changes holds, for each rule and year, when clocks go forward and back. For
// Australia the year begins in summer: it goes back first.
var changes = func() (t [summerAustralia + 1][years][2]int64) {
	sunday := func(year int, month time.Month, nth int, hour int64) int64 {
		first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
		day := (7-int(first.Weekday()))%7 + 7*(nth-1)
		if nth == 5 { // the last
			for day = (7 - int(first.Weekday())) % 7; first.AddDate(0, 0, day+7).Month() == month; day += 7 {
			}
		}
		return first.AddDate(0, 0, day).Unix() + hour*3600
	}
	for i := range years {
		y := firstYear + i
		t[summerEurope][i] = [2]int64{sunday(y, time.March, 5, 1), sunday(y, time.October, 5, 1)}
		// The zones of a country change one after the other, at two by their own clocks: see local.
		t[summerAmerica][i] = [2]int64{sunday(y, time.March, 2, 2), sunday(y, time.November, 1, 1)}
		t[summerAustralia][i] = [2]int64{sunday(y, time.October, 1, 2), sunday(y, time.April, 1, 2)}
	}
	return t
}()

// local is the office's clock, as seconds since the Unix epoch by its hands.
func (o *office) local(unix int64) int64 {
	year := unix/31556952 - (firstYear - 1970)
	if o.summer == summerNone || year < 0 || year >= years {
		return unix + o.offset
	}
	// The rules do not change near New Year, where year may be one off.
	change := &changes[o.summer][year]
	standard := unix + o.offset
	forward := false
	switch o.summer {
	case summerEurope: // all zones at one in Greenwich
		forward = unix >= change[0] && unix < change[1]
	case summerAmerica:
		forward = standard >= change[0] && standard < change[1]
	case summerAustralia:
		forward = standard >= change[0] || standard < change[1]
	}
	if forward {
		return standard + 3600
	}
	return standard
}

// Quarters of an hour of a week that begins on Thursday, as Unix time does.
const (
	quarter = 15 * 60
	week    = 7 * 24 * 4
)

// dayShape is how busy people are on a working day, hour by hour of their own
// clock: nobody at night, a peak before noon, the dip of lunch, some in the
// evening.
var dayShape = [25]float64{.03, .02, .02, .02, .03, .08, .30, .95, 2.2, 3.4, 3.6, 3.2, 1.8, 2.5, 3.2, 3.0, 2.5, 1.4, .65, .45, .42, .36, .20, .08, .03}

// weekdays says how the days compare, from Thursday on, and restShape how a
// day goes on which few work.
var weekdays = [7]float64{1.0, .9, .07, .09, 1.06, 1.02, 1.02}

var restShape = [25]float64{.2, .1, .1, .1, .1, .1, .3, .6, 1.0, 1.5, 1.7, 1.7, 1.4, 1.4, 1.5, 1.6, 1.6, 1.5, 1.4, 1.6, 1.7, 1.4, .9, .5, .2}

// weekShape is the busyness of each quarter of the week; the mean over the five
// working days is 1.
var weekShape = func() (t [week + 1]float64) {
	sum := 0.0
	for i := range week {
		day, hour, part := i/96, i%96/4, float64(i%4)/4
		shape := &dayShape
		if day == 2 || day == 3 {
			shape = &restShape
		}
		t[i] = shape[hour] + (shape[hour+1]-shape[hour])*part
		if day == 4 && hour >= 8 && hour < 11 {
			t[i] *= 1.25 // Monday morning: what has come in since Friday
		}
	}
	for day := range 7 { // to a mean of 1 each, then to what the day is like
		total := 0.0
		for _, v := range t[day*96 : day*96+96] {
			total += v
		}
		for i := day * 96; i < day*96+96; i++ {
			t[i] *= weekdays[day] * 96 / total
		}
		if day != 2 && day != 3 {
			sum += weekdays[day]
		}
	}
	for i := range week {
		t[i] *= 5 / sum
	}
	t[week] = t[0]
	return t
}()

// busyness is how busy people are at a time of their own clock.
func busyness(local int64) float64 {
	at := local % (week * quarter)
	if at < 0 {
		at += week * quarter
	}
	i, part := at/quarter, float64(at%quarter)/quarter
	return weekShape[i] + (weekShape[i+1]-weekShape[i])*part
}

// OfficeHours is the Shift of a company for which t is a Wednesday between two and
// three in Greenwich: on both sides of the Atlantic people are at work. It is the same
// for all of an hour.
func OfficeHours(t time.Time) time.Duration {
	const wednesday = 6 // the week begins on Thursday, as Unix time does
	hours := t.Unix() / 3600 % (7 * 24)
	return time.Duration(wednesday*24+14-hours) * time.Hour
}

// attendance is who is at work at a moment: by office, how busy its share of
// the people is, summed from the first office on.
type attendance struct {
	upTo  [maxOffices]float64
	share float64 // of all: 1 on the mean of working days
}

const maxOffices = 16

func (c *Company) attend(a *attendance, unix int64) {
	sum := 0.0
	for i := range c.offices {
		o := &c.offices[i]
		sum += float64(o.people) * busyness(o.local(unix))
		a.upTo[i] = sum
	}
	a.share = sum / float64(c.people)
}
