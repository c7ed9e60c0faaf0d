// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package enrich adds to events what an address tells by itself: its country,
// its autonomous system, and whether machines are rented out there; and that an
// act is this program's own. It looks into local databases in MaxMind's format
// that the user points at, and never asks anyone.
//
// Two layouts are understood: nested, as MaxMind's and DB-IP's files are, and
// flat, as those of ip-location-db and IPinfo are. `make ipdb` brings freely
// licensed files; docs/reference/ipdb.md says what they are worth.
//
// A [Source] holds the databases in use and exchanges them while others look
// up; an [Enricher] belongs to one goroutine and remembers recent addresses.
package enrich

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// maxFile is the largest database read: MaxMind's largest is below 200 MiB.
const maxFile = 1 << 30

// sample is how many records are looked at to learn a file's layout: some have
// no country or no name.
const sample = 1000

// Info is what is known of an address. Zero values are not known.
type Info struct {
	Country string // ISO 3166-1 alpha-2, upper case
	ASN     int64  // number of the autonomous system
	Org     string // its name
}

// DB is a set of open databases. It is safe for concurrent use.
type DB struct {
	files []file
}

// file is one database and where it keeps what.
type file struct {
	r                    *maxminddb.Reader
	country, number, org []any // paths; nil if it does not have it
}

// Layouts of databases: the paths of a country's code, of a system's number
// and of its name.
var (
	countryPaths = [][]any{{"country", "iso_code"}, {"country_code"}, {"country"}}
	numberPaths  = [][]any{{"autonomous_system_number"}, {"asn"}}
	orgPaths     = [][]any{{"autonomous_system_organization"}, {"as_name"}, {"name"}}
)

// Open reads databases. Where two know the same thing the earlier one is asked
// first. The files are read into memory, so that they may be replaced at any
// time, and checked as a whole, so that a damaged one is found out now.
func Open(names ...string) (*DB, error) {
	db := &DB{}
	for _, name := range names {
		f, err := openFile(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		db.files = append(db.files, f)
	}
	return db, nil
}

func openFile(name string) (f file, err error) {
	st, err := os.Stat(name)
	if err != nil {
		return f, errors.Unwrap(err)
	}
	if st.Size() > maxFile {
		return f, fmt.Errorf("is larger than %d MiB; give a country or ASN database", maxFile>>20)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return f, errors.Unwrap(err)
	}
	if f.r, err = maxminddb.OpenBytes(content); err == nil {
		err = f.check()
	}
	if err != nil {
		return f, fmt.Errorf("is not a whole MaxMind database (%w); fetch it again", err)
	}
	if f.country == nil && f.number == nil {
		return f, fmt.Errorf("has neither countries nor autonomous systems (its type is %q); give a country or ASN database", f.r.Metadata.DatabaseType)
	}
	return f, nil
}

// check walks the whole tree and reads what it leads to, and learns the file's
// layout on the way. The library's own check refuses files for their
// descriptions too, which good databases lack.
func (f *file) check() error {
	seen := map[uintptr]bool{}
	for result := range f.r.Networks() {
		if err := result.Err(); err != nil {
			return err
		}
		if seen[result.Offset()] {
			continue
		}
		if len(seen) < sample {
			f.learn(result)
		}
		seen[result.Offset()] = true
		for _, path := range [...][]any{f.country, f.number, f.org} {
			var value any
			if path == nil {
				continue
			}
			if err := result.DecodePath(&value, path...); err != nil {
				return err
			}
		}
	}
	return nil
}

// learn finds out from a record where the file keeps what.
func (f *file) learn(result maxminddb.Result) {
	for _, field := range [...]struct {
		path       *[]any
		candidates [][]any
	}{{&f.country, countryPaths}, {&f.number, numberPaths}, {&f.org, orgPaths}} {
		for _, path := range field.candidates {
			var value any
			if *field.path == nil && result.DecodePath(&value, path...) == nil && scalar(value) {
				*field.path = path
			}
		}
	}
}

func scalar(value any) bool {
	switch value.(type) {
	case string, uint16, uint32, uint64, int32:
		return true
	}
	return false
}

// Built returns when the oldest of the databases was made; zero if there are
// none. Addresses move: data of a year ago is wrong for some per cent of them.
func (d *DB) Built() time.Time {
	var oldest time.Time
	for _, f := range d.files {
		if t := f.r.Metadata.BuildTime(); oldest.IsZero() || t.Before(oldest) {
			oldest = t
		}
	}
	return oldest
}

// Lookup returns what is known of an address.
func (d *DB) Lookup(addr netip.Addr) (info Info) {
	addr = addr.Unmap()
	if !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return info
	}
	for i := range d.files {
		f := &d.files[i]
		result := f.r.Lookup(addr)
		if !result.Found() {
			continue
		}
		if info.Country == "" && f.country != nil {
			info.Country = country(text(result, f.country))
		}
		if info.ASN == 0 && f.number != nil {
			info.ASN = number(result, f.number)
			if f.org != nil {
				info.Org = text(result, f.org)
			}
		}
	}
	return info
}

func text(result maxminddb.Result, path []any) string {
	var s string
	if result.DecodePath(&s, path...) != nil {
		return ""
	}
	return s
}

// country refuses what is no code: "Germany", "-", "ZZ" for unknown.
func country(code string) string {
	if len(code) != 2 || code[0] < 'A' || code[0] > 'Z' || code[1] < 'A' || code[1] > 'Z' || code == "ZZ" {
		return ""
	}
	return code
}

// number reads 64496 or "AS64496".
func number(result maxminddb.Result, path []any) int64 {
	var n uint64
	if result.DecodePath(&n, path...) != nil {
		n, _ = strconv.ParseUint(strings.TrimPrefix(text(result, path), "AS"), 10, 32)
	}
	if n > 1<<32-1 {
		return 0
	}
	return int64(n)
}

// Source holds the databases in use. Its zero value knows nothing.
type Source struct {
	db  atomic.Pointer[DB]
	own atomic.Pointer[map[guid][]netip.Prefix]
}

// Load opens databases and puts them in place of those in use; if one cannot be
// opened, those in use stay.
func (s *Source) Load(names ...string) error {
	db, err := Open(names...)
	if err != nil {
		return err
	}
	s.db.Store(db)
	return nil
}

// DB returns the databases in use; nil if there are none.
func (s *Source) DB() *DB { return s.db.Load() }
