// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package field reads the values that vendors write in more ways than one:
// times, network addresses, mail addresses, tokens in text. It never guesses:
// what it cannot read it says it cannot read, and a time is never the present.
package field

// Time reads a vendor's time to nanoseconds since the Unix epoch. It accepts
//
//	2026-05-18T21:13:33          no zone: UTC, as Microsoft documents it
//	2026-05-18 21:13:33Z         a blank for the T
//	2026-05-18T21:13:33.1037807Z any fraction; beyond nanoseconds is cut
//	2026-05-18T23:13:33+02:00    an offset, with or without the colon
//	2026-05-18                   a day: its beginning
//	5/18/2026 9:13:33 PM         month first, as .NET writes it in en-US
//	/Date(1779138813000)/        milliseconds; an offset after it is only for show
//
// ok is false for anything else, and for years outside 1678 to 2261, which
// nanoseconds cannot hold.
func Time(b []byte) (ns int64, ok bool) {
	if len(b) < 8 || len(b) > 64 {
		return 0, false
	}
	switch {
	case b[0] == '/' || b[0] == '\\':
		return dotnetDate(b)
	case len(b) >= 10 && b[4] == '-':
		return isoTime(b)
	case b[1] == '/' || b[2] == '/':
		return usTime(b)
	}
	return 0, false
}

func isoTime(b []byte) (int64, bool) {
	year, ok1 := number(b[0:4])
	month, ok2 := number(b[5:7])
	day, ok3 := number(b[8:10])
	if !ok1 || !ok2 || !ok3 || b[7] != '-' {
		return 0, false
	}
	if len(b) == 10 {
		return unixNano(year, month, day, 0, 0, 0, 0, 0)
	}
	if len(b) < 19 || b[10] != 'T' && b[10] != 't' && b[10] != ' ' {
		return 0, false
	}
	hour, min, sec, ok := clock(b[11:19])
	if !ok {
		return 0, false
	}
	nanos, rest := fraction(b[19:])
	offset, ok := zone(rest)
	if !ok {
		return 0, false
	}
	return unixNano(year, month, day, hour, min, sec, nanos, offset)
}

// clock reads hh:mm:ss.
func clock(b []byte) (hour, min, sec int, ok bool) {
	hour, ok1 := number(b[0:2])
	min, ok2 := number(b[3:5])
	sec, ok3 := number(b[6:8])
	return hour, min, sec, ok1 && ok2 && ok3 && b[2] == ':' && b[5] == ':'
}

// fraction reads ".1037807" at the start of b to nanoseconds.
func fraction(b []byte) (nanos int, rest []byte) {
	if len(b) < 2 || b[0] != '.' || !digit(b[1]) {
		return 0, b
	}
	i, unit := 1, 100_000_000
	for ; i < len(b) && digit(b[i]); i++ {
		nanos += int(b[i]-'0') * unit
		unit /= 10
	}
	return nanos, b[i:]
}

// zone reads what stands after a time to seconds east of Greenwich.
func zone(b []byte) (seconds int, ok bool) {
	if len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) == 0 || len(b) == 1 && b[0]|0x20 == 'z' {
		return 0, true
	}
	colon := len(b) == 6 && b[3] == ':'
	if len(b) != 5 && !colon || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	hours, ok1 := number(b[1:3])
	minutes, ok2 := number(b[len(b)-2:])
	if !ok1 || !ok2 || hours > 18 || minutes > 59 {
		return 0, false
	}
	seconds = hours*3600 + minutes*60
	if b[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// usTime reads "5/18/2026 9:13:33 PM", the clock optional, 24 hours if neither
// AM nor PM follows.
func usTime(b []byte) (int64, bool) {
	month, b := upTo(b, '/')
	day, b := upTo(b, '/')
	year, b := upTo(b, ' ')
	if month < 0 || day < 0 || year < 1000 {
		return 0, false
	}
	if len(b) == 0 {
		return unixNano(year, month, day, 0, 0, 0, 0, 0)
	}
	hour, b := upTo(b, ':')
	min, b := upTo(b, ':')
	sec, b := upTo(b, ' ')
	if hour < 0 || min < 0 || sec < 0 {
		return 0, false
	}
	if len(b) > 0 {
		if len(b) != 2 || b[1]|0x20 != 'm' || hour < 1 || hour > 12 {
			return 0, false
		}
		hour %= 12
		switch b[0] | 0x20 {
		case 'p':
			hour += 12
		case 'a':
		default:
			return 0, false
		}
	}
	return unixNano(year, month, day, hour, min, sec, 0, 0)
}

// upTo reads the number before sep (or the end) and returns what follows sep;
// -1 if there is no number of one to four digits.
func upTo(b []byte, sep byte) (int, []byte) {
	i := 0
	for i < len(b) && b[i] != sep {
		i++
	}
	rest := b[min(i+1, len(b)):]
	n, ok := number(b[:i])
	if !ok {
		return -1, rest
	}
	return n, rest
}

// dotnetDate reads /Date(ms)/, also where JSON's escapes of the slashes stand.
func dotnetDate(b []byte) (int64, bool) {
	for len(b) > 0 && b[0] == '\\' {
		b = b[1:]
	}
	const prefix = "/Date("
	if len(b) < len(prefix)+3 || string(b[:len(prefix)]) != prefix {
		return 0, false
	}
	b = b[len(prefix):]
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	var ms int64
	i := 0
	for ; i < len(b) && digit(b[i]) && i < 16; i++ {
		ms = ms*10 + int64(b[i]-'0')
	}
	const limit = 1<<63/1_000_000 - 1
	if i == 0 || i == len(b) || ms > limit || b[i] != ')' && b[i] != '+' && b[i] != '-' {
		return 0, false
	}
	if negative {
		ms = -ms
	}
	return ms * 1_000_000, true
}

func unixNano(year, month, day, hour, min, sec, nanos, offset int) (int64, bool) {
	if year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || min > 59 || sec > 60 {
		return 0, false
	}
	return (daysSince1970(year, month, day)*86400+int64(hour*3600+min*60+sec-offset))*1e9 + int64(nanos), true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts in years that begin in March, so that the day a leap
// year adds is a year's last.
func daysSince1970(year, month, day int) int64 {
	y, m := int64(year), int64(month)
	if m < 3 {
		y, m = y-1, m+12
	}
	const march1of1970 = 719468 // days from 1 March of the year 0 to 1 January 1970
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(day) - 1 - march1of1970
}

func number(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 4 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if !digit(c) {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func digit(c byte) bool { return c-'0' <= 9 }
