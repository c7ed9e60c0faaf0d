// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"bytes"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// place is where a record came from, as well as that is known.
type place struct {
	lat, lon float32 // degrees
	reach    float32 // it may be so many kilometers off
	country  [2]byte // zeros: not known
	id       uint64  // of the place: the country, or the degree square
	network  uint64  // the autonomous system, or the address's neighborhood; 0: not known
}

// placeFields says which of the fields of a rule of travel are what, by their last name. -1: there is none.
type placeFields struct{ country, lat, lon, network, address, hosting int }

var placeNames = map[string][]string{
	"country": {"country", "countrycode", "countryorregion", "countryname", "location", "clientcountry"},
	"lat":     {"lat", "latitude"},
	"lon":     {"lon", "long", "lng", "longitude"},
	"network": {"number", "asn", "asnumber", "autonomoussystemnumber", "network"},
	"address": {"ip", "ipaddress", "clientip", "clientipaddress", "actoripaddress", "address", "ipaddr"},
	"hosting": {"hosting", "ishosting", "isproxy", "isvpn", "isanonymous", "isanonymousproxy"},
}

func placeFieldsOf(fields []string) (placeFields, error) {
	f := placeFields{-1, -1, -1, -1, -1, -1}
	at := map[string]*int{"country": &f.country, "lat": &f.lat, "lon": &f.lon, "network": &f.network, "address": &f.address, "hosting": &f.hosting}
	for i, field := range fields {
		last := strings.ToLower(strings.ReplaceAll(field[strings.LastIndexByte(field, '.')+1:], "_", ""))
		known := false
		for what, names := range placeNames {
			if slices.Contains(names, last) {
				if *at[what] >= 0 {
					return f, fmt.Errorf("fields %q and %q both say the %s: name one", fields[*at[what]], field, what)
				}
				*at[what], known = i, true
			}
		}
		if !known {
			return f, fmt.Errorf("field %q says no place that travel understands: its last name has to be one like country, "+
				"lat, lon, asn, ip or hosting; give it an alias of that name", field)
		}
	}
	if f.country < 0 && (f.lat < 0 || f.lon < 0) {
		return f, fmt.Errorf("travel needs a field for the country, or two for lat and lon")
	}
	return f, nil
}

type country struct {
	code             [2]byte
	name             string
	lat, lon, radius float32
}

// countries finds a country by its code, or its name, in small letters.
var countries = sync.OnceValue(func() map[string]country {
	m := map[string]country{}
	for line := range strings.Lines(countryTable) {
		f := strings.SplitN(strings.TrimSpace(line), " ", 5)
		if len(f) < 5 {
			continue
		}
		number := func(s string) float32 {
			n, err := strconv.ParseFloat(s, 32)
			if err != nil {
				panic("behave: table of countries: " + line)
			}
			return float32(n)
		}
		code := strings.ToLower(f[0])
		c := country{[2]byte{code[0], code[1]}, f[4], number(f[1]), number(f[2]), number(f[3])}
		m[code], m[strings.ToLower(f[4])] = c, c
	}
	return m
})

// countryOf finds the country that a record names.
func countryOf(name []byte) (country, bool) {
	var small [64]byte
	name = bytes.TrimSpace(name)
	if len(name) > len(small) {
		return country{}, false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		small[i] = c
	}
	c, ok := countries()[string(small[:len(name)])]
	return c, ok
}

// accuracy is how far coordinates that are looked up by address may be off, in kilometers.
const accuracy = 50

// placeOf reads the place of a hit. ok is false if it says none that is known, or one that nobody is at: a
// provider that rents out machines.
func (s *State) placeOf() (p place, ok bool) {
	f := &s.hit.place
	if flag := s.valueOf(f.hosting); bytes.EqualFold(flag, []byte("true")) || string(flag) == "1" {
		return p, false
	}
	c, known := countryOf(s.valueOf(f.country))
	if known {
		p.lat, p.lon, p.reach, p.country = c.lat, c.lon, c.radius, c.code
		p.id = 1<<63 | uint64(c.code[0])<<8 | uint64(c.code[1])
	}
	lat, okLat := degrees(s.valueOf(f.lat), 90)
	lon, okLon := degrees(s.valueOf(f.lon), 180)
	if okLat && okLon && (lat != 0 || lon != 0) { // zero and zero is what a database says that does not know
		p.lat, p.lon, p.reach = lat, lon, accuracy
		p.id = uint64(math.Floor(float64(lat))+90)<<16 | uint64(math.Floor(float64(lon))+180)
	} else if !known {
		return p, false
	}
	p.network = s.networkOf(f)
	return p, true
}

func (s *State) valueOf(field int) []byte {
	if field < 0 {
		return nil
	}
	if v := s.hit.Values(s.hit.fields[field]); len(v) > 0 {
		return v[0]
	}
	return nil
}

func degrees(text []byte, most float64) (float32, bool) {
	if len(text) == 0 || len(text) > 64 {
		return 0, false
	}
	n, err := strconv.ParseFloat(string(bytes.TrimSpace(text)), 64)
	return float32(n), err == nil && math.Abs(n) <= most
}

// networkOf is the autonomous system; without one, the neighborhood of the address: 256 of version 4,
// a /48 of version 6.
func (s *State) networkOf(f *placeFields) uint64 {
	if n := s.valueOf(f.network); len(n) > 0 && string(n) != "0" {
		return s.digest.begin('n', [8]byte{}).text(n).sum64() | 1
	}
	text := s.valueOf(f.address)
	if len(text) == 0 || len(text) > 64 {
		return 0
	}
	addr, err := netip.ParseAddr(string(bytes.TrimSpace(text)))
	if err != nil {
		return 0
	}
	addr = addr.Unmap().WithZone("")
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return 0
	}
	b := prefix.Addr().As16()
	return s.digest.begin('a', [8]byte{}).bytes(b[:]).sum64() | 1
}

// kilometers is the least distance that two places can be apart: that on the globe, less what is not
// known of each.
func kilometers(a, b *place) float64 {
	const radius, rad = 6371, math.Pi / 180
	latA, latB := float64(a.lat)*rad, float64(b.lat)*rad
	dLat, dLon := latB-latA, (float64(b.lon)-float64(a.lon))*rad
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(latA)*math.Cos(latB)*math.Pow(math.Sin(dLon/2), 2)
	d := 2 * radius * math.Asin(math.Sqrt(min(1, h)))
	return max(0, d-float64(a.reach)-float64(b.reach))
}

func (p *place) String() string {
	if p.country != [2]byte{} {
		return countries()[string(p.country[:])].name
	}
	return fmt.Sprintf("%.1f,%.1f", p.lat, p.lon)
}
