// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"math/bits"
	"net/netip"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// moment is one event while it happens and is written. What is written inside
// strings comes from this package's tables and needs no escaping; TestRecords
// holds that.
type moment struct {
	c    *Company
	w    record.Writer
	ref  Ref
	base uint64
	draw uint64
	at   time.Time
	unix int64
	who  int
	desk *office
	dev  device
	site place
	addr netip.Addr
	day  int64 // of the office's clock, since 1970
	half int64 // half days of the same clock
	att  attendance
	seen int64 // the slot that att is of
}

func (m *moment) begin(r Ref, dst []byte) {
	m.ref, m.base, m.draw = r, m.c.base(r), 0
	m.at = m.c.time(r, m.base)
	m.unix = m.at.Unix()
	m.w = dst
	m.who, m.desk, m.dev = -1, nil, device{}
}

// happen decides who does what, and writes it.
func (m *moment) happen() {
	l := &life[m.ref.Stream]
	// The slot's middle, as Count has it: all events of a slot have the same company.
	if m.seen != m.ref.Slot {
		m.c.attend(&m.att, m.ref.Slot*m.c.slot+m.c.slot/2)
		m.seen = m.ref.Slot
	}
	people, machines := m.c.intensity(m.ref.Stream, &m.att)
	if m.unit()*(people+machines) < machines {
		l.auto.play(m)
		return
	}
	m.somebody()
	l.human.play(m)
}

func (m *moment) next() uint64 {
	m.draw++
	return record.Mix(m.draw, m.base)
}

// n draws a number below k.
func (m *moment) n(k int) int {
	hi, _ := bits.Mul64(m.next(), uint64(k))
	return int(hi)
}

// few draws a number below k, small ones more often.
func (m *moment) few(k int) int {
	u := m.unit()
	return int(u * u * float64(k))
}

func (m *moment) unit() float64 { return float64(m.next()>>11) / (1 << 53) }

// chance is true once in k times.
func (m *moment) chance(k int) bool { return m.n(k) == 0 }

func pick[T any](m *moment, list []T) T { return list[m.n(len(list))] }

// somebody finds who does it: first the office, by who is at work now, then a
// person, by their working hours, their days off and how much they do.
func (m *moment) somebody() {
	c := m.c
	offices := c.offices
	u := m.unit() * m.att.upTo[len(offices)-1]
	i := 0
	for i < len(offices)-1 && (u >= m.att.upTo[i] || offices[i].people == 0) {
		i++
	}
	m.desk = &offices[i]
	local := m.desk.local(m.unix)
	m.day = floorDiv(local, 86400)
	minute := int(local-m.day*86400) / 60
	for range 6 {
		m.who = m.desk.worker(m.n(max(m.desk.people, 1)))
		if m.n(1000) < c.eager(m.who, m.day, minute) {
			break
		}
	}
	m.half = floorDiv(local, 43200)
	m.equip(minute)
}

// eager is how likely, in thousandths, a person does something on a day at a
// minute of their clock.
func (c *Company) eager(n int, day int64, minute int) int {
	h := c.hash(tagPerson, uint64(n))
	today := record.Mix(h, uint64(day))
	e := 250 + int(h%751) // some do four times as much as others
	begins := 7*60 + int(h>>10%120)
	if minute < begins || minute > begins+9*60+30 {
		e /= 4
	}
	if today%100 < 9 || h>>20%7 == uint64(day%7+7)%7 && h>>24%6 == 0 { // on leave, or a part-timer's day
		e /= 40
	}
	return e
}

// equip decides where the person is and with which device.
func (m *moment) equip(minute int) {
	c := m.c
	h := record.Mix(c.hash(tagDay, uint64(m.who)), uint64(m.day))
	weekday := (m.day + 4) % 7 // 0 is Sunday
	m.site = atHome
	if h%100 < 57 && weekday != 0 && weekday != 6 && minute >= 7*60+30 && minute < 18*60 {
		m.site = atOffice
	}
	kind := laptop
	switch u := m.n(100); {
	case u < 17:
		kind = phone
	case u < 24 && m.site == atHome:
		kind = homeComputer
	}
	if int(kind) >= c.deviceCount(m.who) {
		kind = laptop
	}
	m.dev = c.device(m.who, int(kind))
	if kind == phone && (m.site == atOffice || m.n(5) < 2) {
		m.site = onTheWay
	}
	m.addr = c.address(m.who, &m.dev, m.site, m.day, m.desk)
}

// colleague draws somebody the person has to do with: mostly of the same team.
func (m *moment) colleague() int {
	c := m.c
	var n int
	switch u := m.n(10); {
	case u < 6: // of the team
		boss := max(manager(m.who), 1)
		n = firstReport(boss) + m.n(span)
	case u < 7:
		n = max(manager(m.who), 0)
	case u < 9: // somewhere near
		n = m.who/(20*block)*(20*block) + m.n(20*block)
	default:
		n = m.n(c.people)
	}
	if n >= c.people {
		n = m.n(c.people)
	}
	if n == m.who {
		n = (n + 1) % c.people
	}
	return n
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		a -= b - 1
	}
	return a / b
}

// session is the id of the session that the person has with the device for half a day.
func (m *moment) session() record.GUID { return m.c.Session(m.who, m.dev.index, m.half) }

// Session is the id of a person's session with a device in a half day, counted
// since 1970 by the clock of the person's office. Sign-ins name it in
// DeviceProperties, other records in AppAccessContext and SessionId.
func (c *Company) Session(n, device int, half int64) record.GUID {
	return record.Hash(c.seed, tagSession, uint64(n), uint64(device), uint64(half))
}

// token is the id of the token that the session's application holds in this
// hour, and when it was issued. A sign-in names it as IntraSystemId, other
// records in the form of a UniqueTokenId.
func (m *moment) token(app *application) (id record.GUID, issued int64) {
	hour := m.unix / 3600
	issued = hour*3600 + int64(m.token0(app, hour)[0])*14
	if issued > m.unix {
		hour--
		issued = hour*3600 + int64(m.token0(app, hour)[0])*14
	}
	return m.token0(app, hour), issued
}

func (m *moment) token0(app *application, hour int64) record.GUID {
	return record.Hash(m.c.seed, tagToken, uint64(m.who), uint64(m.dev.index), app.key, uint64(hour))
}

// What follows writes.

func (m *moment) str(key, value string) { m.w.Str(key, value) }

func (m *moment) num(key string, value int) { m.w.Int(key, value) }

func (m *moment) yes(key string, value bool) { m.w.Bool(key, value) }

func (m *moment) id(key string, value record.GUID) { m.w.GUID(key, value) }

func (m *moment) raw(key, value string) { m.w.Raw(key, value) }

// open begins a string that is put together by add and the functions below.
func (m *moment) open(key string) {
	m.w.Key(key)
	m.w = append(m.w, '"')
}

func (m *moment) shut() { m.w = append(m.w, '"') }

func (m *moment) add(s string) { m.w = append(m.w, s...) }

func (m *moment) addInt(n int) { m.w = strconv.AppendInt(m.w, int64(n), 10) }

func (m *moment) addID(id record.GUID) { m.w = id.Append(m.w) }

func (m *moment) addUPN(n int) { m.w = m.c.appendUPN(m.w, n) }

func (m *moment) addName(n int) { m.w = m.c.appendName(m.w, n) }

func (m *moment) addTime(unix int64) { m.w = record.AppendTime(m.w, time.Unix(unix, 0)) }

func (m *moment) addAddr(a netip.Addr) { m.w = a.AppendTo(m.w) }

func (m *moment) upn(key string, n int) {
	m.open(key)
	m.addUPN(n)
	m.shut()
}

func (m *moment) name(key string, n int) {
	m.open(key)
	m.addName(n)
	m.shut()
}

func (m *moment) ip(key string, a netip.Addr) {
	m.open(key)
	m.addAddr(a)
	m.shut()
}

// ipPort writes an address with a port, as Exchange does.
func (m *moment) ipPort(key string, a netip.Addr, port int) {
	m.open(key)
	m.w = netip.AddrPortFrom(a, uint16(port)).AppendTo(m.w)
	m.shut()
}

func (m *moment) when(key string, unix int64) {
	m.open(key)
	m.addTime(unix)
	m.shut()
}

// Ids of items in mailboxes are in the usual base64, ids of tokens in that for
// URLs.
const (
	base64Usual  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// addToken appends an id as 22 digits of base64 for URLs, as UniqueTokenId is.
func (m *moment) addToken(id record.GUID) {
	for i := 0; i < 15; i += 3 {
		v := uint(id[i])<<16 | uint(id[i+1])<<8 | uint(id[i+2])
		m.w = append(m.w, base64Digits[v>>18], base64Digits[v>>12&63], base64Digits[v>>6&63], base64Digits[v&63])
	}
	v := uint(id[15]) << 16
	m.w = append(m.w, base64Digits[v>>18], base64Digits[v>>12&63])
}

// addDigits appends n digits of base64 that follow from a hash.
func (m *moment) addDigits(h uint64, n int) {
	for i := range n {
		if i%10 == 0 {
			h = record.Mix(h, uint64(n))
		}
		m.w = append(m.w, base64Usual[h>>(6*(i%10))&63])
	}
}

// head writes what all records begin with, up to where the user stands.
func (m *moment) head(op string, recordType int, result string) {
	m.w = record.Begin(m.w)
	m.w.Time("CreationTime", m.at)
	m.id("Id", m.c.id(m.ref))
	m.str("Operation", op)
	m.id("OrganizationId", m.c.tenant)
	m.num("RecordType", recordType)
	if result != "" {
		m.str("ResultStatus", result)
	}
}

// keyStyle is how a workload writes UserKey.
type keyStyle uint8

const (
	keyPUID       keyStyle = iota // Exchange
	keyMembership                 // SharePoint
	keyObject                     // sign-ins, Teams
	keyAtDomain                   // the directory
)

func (m *moment) user(style keyStyle, userType int, workload string) {
	m.open("UserKey")
	m.addKey(style, m.who)
	m.shut()
	m.num("UserType", userType)
	m.num("Version", 1)
	m.str("Workload", workload)
}

func (m *moment) addKey(style keyStyle, n int) {
	switch style {
	case keyPUID:
		m.w = m.c.appendPUID(m.w, n)
	case keyMembership:
		m.add("i:0h.f|membership|")
		at := len(m.w)
		m.w = m.c.appendPUID(m.w, n)
		for i := at; i < len(m.w); i++ {
			m.w[i] |= 0x20 // to small letters; digits stay as they are
		}
		m.add("@live.com")
	case keyObject:
		m.addID(m.c.objectID(n))
	case keyAtDomain:
		m.w = m.c.appendPUID(m.w, n)
		m.add("@")
		m.add(m.c.domain)
	}
}

// system writes a user that is none.
func (m *moment) system(key string, userType int, workload string) {
	m.str("UserKey", key)
	m.num("UserType", userType)
	m.num("Version", 1)
	m.str("Workload", workload)
}

func (m *moment) done() { m.w = m.w.End() }

// contextStyle is which members of AppAccessContext a workload fills.
type contextStyle uint8

const (
	contextExchange contextStyle = iota
	contextSharePoint
	contextTeams
)

// context writes AppAccessContext: the session and the token of the person's
// application, which name a sign-in.
func (m *moment) context(style contextStyle, app *application) {
	token, issued := m.token(app)
	m.w.Object("AppAccessContext")
	m.id("AADSessionId", m.session())
	switch style {
	case contextExchange:
		if app.api != "" {
			m.str("APIId", app.api)
		}
		m.str("ClientAppId", app.id)
	case contextSharePoint:
		m.str("ClientAppId", app.id)
		if m.chance(2) {
			m.str("ClientAppName", app.name)
		}
		m.id("CorrelationId", m.correlation())
	}
	if style != contextSharePoint {
		m.when("IssuedAtTime", issued)
	}
	m.open("UniqueTokenId")
	m.addToken(token)
	m.shut()
	m.w.EndObject()
}

// correlation is the id of the request, the same wherever a record has it.
func (m *moment) correlation() record.GUID { return record.Hash(m.base, tagThread) }

// kind is a kind of event.
type kind struct {
	weight int
	op     string
	write  func(m *moment, op string)
}

// deck is a set of kinds to pick from by weight.
type deck struct {
	kinds []kind
	upTo  []int
}

func newDeck(kinds []kind) deck {
	d := deck{kinds: kinds}
	sum := 0
	for _, k := range kinds {
		sum += k.weight
		d.upTo = append(d.upTo, sum)
	}
	return d
}

// play picks a kind and writes it.
func (d *deck) play(m *moment) {
	n := m.n(d.upTo[len(d.upTo)-1])
	i := 0
	for n >= d.upTo[i] {
		i++
	}
	k := &d.kinds[i]
	k.write(m, k.op)
}
