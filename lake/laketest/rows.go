// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package laketest makes rows for tests and benchmarks of the lake: an invented
// company's audit log, the same for the same seed.
package laketest

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/daybreak-sec/daybreak/lake"
)

// Source makes rows. People are active by Zipf's law, each from few addresses,
// devices and sessions and mostly on their own files. Columns are filled about
// as often, and with values about as long, as in a Microsoft 365 audit log.
type Source struct {
	// Tenant of the rows to come.
	Tenant string
	// Start is the time of the first row, Unix milliseconds.
	Start int64
	// Step is how far time advances on average from row to row, in
	// microseconds. Rows come up to a quarter of an hour late, as they do.
	Step int64
	// Users is the number of people.
	Users int

	rng     *rand.Rand
	zipf    *rand.Zipf
	files   *rand.Zipf
	micros  int64
	batch   int64
	index   int32
	scratch []byte
}

// New returns a source of rows of one tenant with 100,000 people, from
// 2026-11-20T00:00:00Z on, 10 million of them in a day.
func New(seed uint64) *Source {
	rng := rand.New(rand.NewPCG(seed, 0x6c616b65))
	s := &Source{
		Tenant: "5f2b1c3e-7d84-4f0a-9a53-2c6f0e8b9d11",
		Start:  1795132800000,
		Step:   8640,
		Users:  100_000,
		rng:    rng,
		files:  rand.NewZipf(rng, 1.1, 8, 400),
		batch:  1,
	}
	s.zipf = rand.NewZipf(rng, 1.05, 200, uint64(s.Users-1))
	return s
}

// batchRows is how many rows share a batch of the journal.
const batchRows = 1000

// Next returns the next n rows, in the journal's order.
func (s *Source) Next(n int) []lake.Row {
	rows := make([]lake.Row, n)
	for i := range rows {
		s.Fill(&rows[i])
	}
	return rows
}

// Fill sets r to the next row.
func (s *Source) Fill(r *lake.Row) {
	s.micros += s.rng.Int64N(2*s.Step + 1)
	user := int(s.zipf.Uint64())
	op := &operations[s.pick()]
	*r = lake.Row{
		Received:   s.Start + s.micros/1000,
		Batch:      s.batch,
		Index:      s.index,
		ClassUID:   op.class,
		ActivityID: op.activity,
		StatusID:   1,
		SeverityID: 1,
		Tenant:     s.Tenant,
		Family:     "m365",
		Workload:   op.workload,
		Operation:  op.name,
		User:       userName(user),
		UserUID:    s.uuid(uint64(user)<<8 | 1),
		UID:        s.random(),
	}
	r.Time = r.Received - s.rng.Int64N(15*60*1000)
	s.where(r, user)
	s.what(r, op, user)
	if s.index++; s.index == batchRows {
		s.batch, s.index = s.batch+1, 0
	}
}

// pick chooses an operation: few make most of the log.
func (s *Source) pick() int {
	x := s.rng.Float64()
	return int(x * x * x * float64(len(operations)))
}

// where sets the columns that tell from where a person works: usually one of
// three places.
func (s *Source) where(r *lake.Row, user int) {
	place := uint64(user)*4 + uint64(s.rng.IntN(3))
	if s.rng.IntN(50) == 0 {
		place = s.rng.Uint64()
	}
	h := mix(place)
	network := h % 4000
	r.IP = fmt.Sprintf("%d.%d.%d.%d", 20+network%180, network/180*7%256, byte(h>>40), byte(h>>32))
	if h%7 == 0 {
		r.IP = fmt.Sprintf("2001:db8:%x:%x::%x", network, uint16(h>>24), uint16(h>>40))
	}
	r.Country = countries[network%uint64(len(countries))]
	r.ASN = int64(1000 + network*13)
	r.UserAgent = agents[(h>>8)%uint64(len(agents))]
	r.App = apps[(h>>16)%uint64(len(apps))]
	if s.rng.IntN(3) > 0 {
		r.Session = s.uuid(place<<8 ^ uint64(s.micros/14_400_000_000) ^ 2)
		r.Device = fmt.Sprintf("LT-%06d", h%1_000_000)
	}
}

// what sets the columns that tell what was done to what.
func (s *Source) what(r *lake.Row, op *operation, user int) {
	r.Status = "Succeeded"
	if s.rng.IntN(20) == 0 {
		r.StatusID, r.Status, r.SeverityID = 2, failures[s.rng.IntN(len(failures))], 2
	}
	owner := user
	if s.rng.IntN(5) == 0 {
		owner = int(s.zipf.Uint64())
	}
	number := s.files.Uint64()
	h := mix(uint64(owner)<<20 | number)
	switch op.kind {
	case onFile:
		name := fmt.Sprintf("%s %s %d.%s", words[h%uint64(len(words))], words[(h>>8)%uint64(len(words))], number, extensions[(h>>16)%uint64(len(extensions))])
		r.Object = "https://northwind.example/personal/" + strings.ReplaceAll(userName(owner), "@northwind.example", "") + "/Documents/" + name
		r.Text = name
		r.Target = userName(owner)
	case onMail:
		r.Object = "<" + s.uuid(h) + "@northwind.example>"
		r.Text = fmt.Sprintf("%s: %s %s", words[(h>>24)%uint64(len(words))], words[(h>>32)%uint64(len(words))], words[(h>>40)%uint64(len(words))])
		r.Target = userName(owner)
	case onAccount:
		r.Target = userName(owner)
		r.Object = s.uuid(uint64(owner)<<8 | 1)
	}
}

func userName(n int) string {
	h := mix(uint64(n))
	return fmt.Sprintf("%s.%s%d@northwind.example", words[h%uint64(len(words))], words[(h>>16)%uint64(len(words))], n)
}

// random returns a new random UUID's text.
func (s *Source) random() string { return s.uuidOf(s.rng.Uint64(), s.rng.Uint64()) }

// uuid returns the UUID that belongs to x.
func (s *Source) uuid(x uint64) string { return s.uuidOf(mix(x), mix(^x)) }

func (s *Source) uuidOf(a, b uint64) string {
	var raw [16]byte
	for i := range 8 {
		raw[i], raw[8+i] = byte(a>>(8*i)), byte(b>>(8*i))
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	h := hex.AppendEncode(s.scratch[:0], raw[:])
	s.scratch = h
	return string(h[:8]) + "-" + string(h[8:12]) + "-" + string(h[12:16]) + "-" + string(h[16:20]) + "-" + string(h[20:])
}

// mix is the finalizer of SplitMix64: numbers that look random, always the same.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
