// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"encoding/binary"
	"net/netip"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// The networks. All addresses belong to nobody: they are for documentation
// (RFC 5737, RFC 3849), for benchmarks (RFC 2544) or for use inside a carrier
// (RFC 6598), and stand for public ones here.
//
//	192.0.2.0/24      offices, sixteen addresses each
//	203.0.113.0/24    applications of the company and of its suppliers
//	198.51.100.0/24   mail servers of strangers
//	198.18.0.0/15     mobile carriers: another address each day
//	100.64.0.0/10     homes, of people of the company and of strangers
//	2001:db8:0::/48…  offices; 2001:db8:8000::/33 homes; 2001:db8:ff::/48 the provider
const (
	carriers = 198<<24 | 18<<16
	homes    = 100<<24 | 64<<16
	homeBits = 22
)

func ipv4(v uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	return netip.AddrFrom4(b)
}

func ipv6(hi, lo uint64) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], hi)
	binary.BigEndian.PutUint64(b[8:], lo)
	return netip.AddrFrom16(b)
}

// scatter takes a number below 1<<homeBits to another, no two to the same one:
// all its steps can be undone.
func (c *Company) scatter(v uint32) uint32 {
	const mask = 1<<homeBits - 1
	key := uint32(c.hash(tagHome, 0))
	v = (v ^ key) & mask
	v = v * 0x2c1b3c6d & mask
	v ^= v >> 11
	v = v * 0x297a2d39 & mask
	return v ^ v>>13
}

// HomeAddress is the address of a person's connection at home, which nobody
// else has.
func (c *Company) HomeAddress(n int) netip.Addr { return ipv4(homes | c.scatter(uint32(n)*2)) }

// ResidentialAddress is the i-th of two million homes of strangers, between
// those of the company's people: nothing but time and behavior tells them apart.
func (c *Company) ResidentialAddress(i int) netip.Addr {
	return ipv4(homes | c.scatter(uint32(i)*2+1))
}

func (c *Company) homeIPv6(n int) netip.Prefix {
	return netip.PrefixFrom(ipv6(0x2001_0db8_8000_0000|uint64(c.scatter(uint32(n)*2)), 0), 64)
}

func officeNetwork(number int) netip.Prefix {
	return netip.PrefixFrom(ipv4(192<<24|2<<8|uint32(number)<<4), 28)
}

// ServiceAddress is the address of an application that runs somewhere by
// itself.
func (c *Company) ServiceAddress(i int) netip.Addr {
	return ipv4(203<<24 | 113<<8 | uint32(i+8)%256)
}

// place is where a person is.
type place uint8

const (
	atOffice place = iota
	atHome
	onTheWay
)

// address is what the world sees of a device there: stable for a day.
func (c *Company) address(n int, d *device, p place, day int64, o *office) netip.Addr {
	h := record.Mix(c.hash(tagMobile, uint64(n)), uint64(day)<<3|uint64(d.index))
	switch p {
	case atOffice:
		if h>>32%8 == 0 {
			return ipv6(0x2001_0db8_0100_0000|uint64(o.number)<<16|h>>40&0xff, h|1<<63)
		}
		return ipv4(192<<24 | 2<<8 | uint32(o.number)<<4 | uint32(1+h%14))
	case atHome:
		if c.hash(tagHome+1, uint64(n))%10 < 3 { // whose provider has IPv6
			return ipv6(0x2001_0db8_8000_0000|uint64(c.scatter(uint32(n)*2)), h|1<<63)
		}
		return c.HomeAddress(n)
	}
	return ipv4(carriers | uint32(h)&0x1ffff)
}

// front is one of the provider's own machines, which some records name instead
// of the client.
func front(h uint64) netip.Addr {
	return ipv6(0x2001_0db8_00ff_0000|h&0xff, h>>8&0x1f)
}
