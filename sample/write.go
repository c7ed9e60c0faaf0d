// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sample

import "strconv"

// open writes the members that every record has and leaves the object open.
// The order of the members is that of real records.
func (r *record) open(op string, recordType int, workload, result string) {
	r.b = append(r.b, '{')
	r.b = append(r.b, `"CreationTime":"`...)
	r.b = r.now.AppendFormat(r.b, "2006-01-02T15:04:05")
	r.b = append(r.b, '"')
	r.guid("Id")
	r.str("Operation", op)
	r.str("OrganizationId", Tenant)
	r.num("RecordType", recordType)
	if result != "" {
		r.str("ResultStatus", result)
	}
	r.b = append(r.b, `,"UserKey":"`...)
	r.b = append(r.b, r.puid()...)
	r.b = append(r.b, `","UserType":0,"Version":1`...)
	r.str("Workload", workload)
	r.str("UserId", r.user())
}

func (r *record) close() { r.b = append(r.b, '}') }

func (r *record) key(name string) {
	r.b = append(r.b, ',', '"')
	r.b = append(r.b, name...)
	r.b = append(r.b, '"', ':')
}

// str writes a member whose value needs no escaping; nothing here does.
func (r *record) str(name, value string) {
	r.key(name)
	r.b = append(r.b, '"')
	r.b = append(r.b, value...)
	r.b = append(r.b, '"')
}

func (r *record) num(name string, n int) {
	r.key(name)
	r.b = strconv.AppendInt(r.b, int64(n), 10)
}

// raw writes a member whose value is JSON already.
func (r *record) raw(name, value string) {
	r.key(name)
	r.b = append(r.b, value...)
}

// guid writes a member with a new random id.
func (r *record) guid(name string) {
	r.key(name)
	r.b = append(r.b, '"')
	r.b = appendGUID(r.b, r.rng.Uint64(), r.rng.Uint64())
	r.b = append(r.b, '"')
}

// steady writes an id that is always the same for the same person and salt.
func (r *record) steady(name string, salt uint64) {
	r.key(name)
	r.b = append(r.b, '"')
	r.b = r.steadyGUID(r.b, salt)
	r.b = append(r.b, '"')
}

func (r *record) steadyGUID(dst []byte, salt uint64) []byte {
	return appendGUID(dst, mix(r.who, salt), mix(r.who, ^salt))
}

// session is an id that a person keeps for about four hours.
func (r *record) session() uint64 { return uint64(r.now.Unix()/14400) + 7 }

func (r *record) puid() string {
	return "10032000" + strconv.FormatUint(mix(r.who, 3)|1<<63, 16)[:8]
}

const hexDigits = "0123456789abcdef"

func appendGUID(dst []byte, hi, lo uint64) []byte {
	for i := range 16 {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		word := hi
		if i >= 8 {
			word = lo
		}
		c := byte(word >> (56 - 8*(i%8)))
		dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// mix is the finisher of SplitMix64 (Steele, Lea and Flood 2014).
func mix(a, b uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 + b
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
