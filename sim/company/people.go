// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"net/netip"
	"strconv"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Person is somebody who works here. All of it follows from the number.
type Person struct {
	N             int
	GivenName     string
	Surname       string
	DisplayName   string
	UPN           string // the mail address as well
	ObjectID      record.GUID
	PUID          string // 16 hexadecimal digits, capitals
	SID           string
	MailboxGUID   record.GUID
	Department    string
	Title         string
	Manager       int // -1 of who has none
	Admin         bool
	Office        Office
	OfficeNetwork netip.Prefix // the addresses that the office shows the world
	Home          netip.Addr
	HomeIPv6      netip.Prefix
	Devices       []Device
}

// Device is what a person works with.
type Device struct {
	ID        record.GUID
	Name      string
	Kind      string // laptop, phone, home
	OS        string
	Browser   string
	UserAgent string
	Managed   bool
	Compliant bool
	TrustType string // 0 registered, 1 joined, 2 hybrid joined; empty if none
}

// Person returns the n-th person, 0 ≤ n < People.
func (c *Company) Person(n int) Person {
	given, family, _ := c.name(n)
	o := c.officeOf(n)
	p := Person{
		N:             n,
		GivenName:     given.shown,
		Surname:       family.shown,
		DisplayName:   string(c.appendName(nil, n)),
		UPN:           string(c.appendUPN(nil, n)),
		ObjectID:      c.objectID(n),
		PUID:          string(c.appendPUID(nil, n)),
		SID:           string(c.appendSID(nil, n)),
		MailboxGUID:   c.mailboxGUID(n),
		Department:    departments[c.department(n)].name,
		Title:         c.title(n),
		Manager:       manager(n),
		Admin:         c.isAdmin(n),
		Office:        o.Office,
		OfficeNetwork: officeNetwork(o.number),
		Home:          c.HomeAddress(n),
		HomeIPv6:      c.homeIPv6(n),
	}
	for i := range c.deviceCount(n) {
		d := c.device(n, i)
		p.Devices = append(p.Devices, Device{
			ID: d.id, Name: string(d.appendName(nil)), Kind: kindNames[d.kind], OS: d.model.os, Browser: d.model.browser, UserAgent: d.model.agent,
			Managed: d.managed, Compliant: d.compliant, TrustType: d.trust,
		})
	}
	return p
}

// name finds the n-th person's names. Every pair of names is used once before
// the first is used again, with a number.
func (c *Company) name(n int) (given, family *name, number int) {
	pairs := len(givenNames) * len(familyNames)
	at := (n%pairs*pairStep + int(c.hash(tagName, 0)%uint64(pairs))) % pairs
	return &givenNames[at%len(givenNames)], &familyNames[at/len(givenNames)], n / pairs
}

// pairStep has no factor in common with the number of pairs, see TestNames.
const pairStep = 7919

func (c *Company) appendName(dst []byte, n int) []byte {
	given, family, _ := c.name(n)
	dst = append(append(dst, given.shown...), ' ')
	return append(dst, family.shown...)
}

// appendAlias appends what stands before the @ of a mail address.
func (c *Company) appendAlias(dst []byte, n int) []byte {
	given, family, number := c.name(n)
	dst = append(append(dst, given.mail...), '.')
	dst = append(dst, family.mail...)
	if number > 0 {
		dst = strconv.AppendInt(dst, int64(number)+1, 10)
	}
	return dst
}

func (c *Company) appendUPN(dst []byte, n int) []byte {
	return append(append(c.appendAlias(dst, n), '@'), c.domain...)
}

func (c *Company) objectID(n int) record.GUID {
	return record.Hash(c.seed, tagObject, uint64(n))
}

func (c *Company) mailboxGUID(n int) record.GUID {
	return record.Hash(c.seed, tagMailbox, uint64(n))
}

const upperHex = "0123456789ABCDEF"

// appendPUID appends an identifier that nobody else has: multiplying with an
// odd number takes no two numbers to the same one.
func (c *Company) appendPUID(dst []byte, n int) []byte {
	v := 0x10032<<44 | c.hash(tagPUID, 0)&0xfff<<32 | uint64(uint32(n)*0x9e3779b1)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, upperHex[v>>shift&15])
	}
	return dst
}

func (c *Company) appendSID(dst []byte, n int) []byte {
	return strconv.AppendInt(append(dst, c.sid...), int64(25_000_000+n*3), 10)
}

// The company is a tree: person 0 leads it, the next ones lead a department
// each, and everybody below leads up to eight.
const span = 8

func manager(n int) int {
	switch {
	case n == 0:
		return -1
	case n <= len(departments):
		return 0
	}
	return 1 + (n-1-len(departments))/span
}

// firstReport is the first of up to eight who report to n.
func firstReport(n int) int { return 1 + len(departments) + (n-1)*span }

// Departments are the names that a person's Department can have.
func Departments() []string {
	names := make([]string, len(departments))
	for i := range departments {
		names[i] = departments[i].name
	}
	return names
}

// department is the number of a person's department.
func (c *Company) department(n int) int {
	if n == 0 {
		return 0
	}
	for n > len(departments) {
		n = manager(n)
	}
	return n - 1
}

func (c *Company) title(n int) string {
	d := &departments[c.department(n)]
	switch {
	case n == 0:
		return "Chief Executive Officer"
	case n <= len(departments):
		return d.head
	case firstReport(n) < c.people:
		return d.lead
	}
	return d.titles[c.hash(tagPerson+1, uint64(n))%uint64(len(d.titles))]
}

// it is the department that the administrators come from.
const it = 1

// admin is the number of the k-th administrator, who is among the next two
// levels below the head of IT.
func (c *Company) admin(k int) int {
	head := it + 1
	n := firstReport(head) + k
	if k >= span {
		n = firstReport(firstReport(head)) + k - span
	}
	if n < c.people {
		return n
	}
	return head
}

func (c *Company) isAdmin(n int) bool {
	for k := range c.admins {
		if c.admin(k) == n {
			return true
		}
	}
	return false
}

// Admins are the numbers of the people who administer the tenant.
func (c *Company) Admins() []int {
	var list []int
	for k := range c.admins {
		if n := c.admin(k); len(list) == 0 || list[len(list)-1] != n {
			list = append(list, n)
		}
	}
	return list
}

func (c *Company) officeOf(n int) *office {
	for i := range c.offices {
		o := &c.offices[i]
		for _, d := range o.desks {
			if d == n%block {
				return o
			}
		}
	}
	return &c.offices[0]
}

// worker is the number of the k-th person of an office.
func (o *office) worker(k int) int { return k/len(o.desks)*block + o.desks[k%len(o.desks)] }

// deviceKind is what a device is for.
type deviceKind uint8

const (
	laptop deviceKind = iota
	phone
	homeComputer
)

var kindNames = [...]string{"laptop", "phone", "home"}

// device is a Device as far as records need it.
type device struct {
	index     int
	kind      deviceKind
	id        record.GUID
	model     *model
	serial    uint32
	managed   bool
	compliant bool
	trust     string
}

// deviceCount: all have a laptop, most a phone, some a computer at home.
func (c *Company) deviceCount(n int) int {
	switch h := c.hash(tagDevice, uint64(n)) % 100; {
	case h < 12:
		return 1
	case h < 68:
		return 2
	}
	return 3
}

func (c *Company) device(n, i int) device {
	h := c.hash(tagDevice+1+uint64(i), uint64(n))
	d := device{index: i, kind: deviceKind(i), id: record.Hash(c.seed, tagDevice, uint64(n), uint64(i)), serial: uint32(h >> 32)}
	models := laptopModels
	switch d.kind {
	case laptop:
		d.managed, d.compliant, d.trust = true, h>>8%20 != 0, "2"
		if h>>16%3 == 0 {
			d.trust = "1"
		}
	case phone:
		models = phoneModels
		if h>>8%5 < 3 {
			d.managed, d.compliant, d.trust = true, true, "0"
		}
	case homeComputer:
		models = homeModels
	}
	d.model = &models[h%uint64(len(models))]
	return d
}

// appendName appends the name that the directory knows the device by.
func (d *device) appendName(dst []byte) []byte {
	dst = append(append(dst, d.model.name...), '-')
	for shift := 28; shift >= 4; shift -= 4 {
		dst = append(dst, upperHex[d.serial>>shift&15])
	}
	return dst
}
