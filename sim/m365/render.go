// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"strconv"
	"time"
)

// append appends the JSON of an item as one of its copies has it: only the
// order of members depends on which copy it is.
func (f *feed) append(dst []byte, it item, copy uint64) []byte {
	start := len(dst)
	if it.Index < 0 {
		dst = append(dst, f.scriptedAt(it.ref).raw...)
	} else {
		dst = f.life.Append(dst, it.ref)
	}
	set := f.faults.Load()
	if len(set.rules) == 0 {
		return dst
	}
	for i := range edits {
		e := &edits[i]
		rules := set.byName[e.fault]
		if len(rules) == 0 {
			continue
		}
		if r := f.pick(rules, forRecord+purpose(i)<<8, it.ref); r != nil {
			dst = append(dst[:start], e.edit(bytes.Clone(dst[start:]), r)...)
		}
	}
	if it.changed != nil {
		dst = append(dst[:start], addMember(bytes.Clone(dst[start:]), "EnrichmentStatus", []byte(`"Completed"`))...)
	}
	if rules := set.byName["shuffle-keys"]; len(rules) > 0 {
		h := hash(f.seed, forShuffle, refKey(it.ref), copy)
		if r := rules[len(rules)-1]; r.covers(it.Stream, it.Slot) && chance(h, r.p) {
			dst = append(dst[:start], shuffled(bytes.Clone(dst[start:]), h)...)
		}
	}
	return dst
}

// edits are the faults that strike what a record says. A struck record is the
// same in all its copies.
var edits = []struct {
	fault string
	edit  func(raw []byte, r *rule) []byte
}{
	{"empty-id", func(raw []byte, _ *rule) []byte {
		return setMember(raw, "Id", func([]byte) []byte { return []byte(`""`) })
	}},
	{"unknown-record-type", func(raw []byte, _ *rule) []byte {
		return setMember(raw, "RecordType", func([]byte) []byte { return []byte("99999") })
	}},
	{"string-record-type", func(raw []byte, _ *rule) []byte {
		return setMember(raw, "RecordType", func(v []byte) []byte { return strconv.AppendQuote(nil, string(bytes.Trim(v, `"`))) })
	}},
	{"deep", func(raw []byte, r *rule) []byte {
		nest := append(bytes.Repeat([]byte("["), r.count), bytes.Repeat([]byte("]"), r.count)...)
		return addMember(raw, "NestedEvidence", nest)
	}},
	{"nul-escape", func(raw []byte, _ *rule) []byte { return addMember(raw, "RawEvidence", []byte(`"before\u0000after"`)) }},
	{"huge-record", func(raw []byte, r *rule) []byte {
		v := append(make([]byte, 0, r.size+2), '"')
		for int64(len(v)) <= r.size {
			v = append(v, "All of this is one evidence. "...)
		}
		return addMember(raw, "LongEvidence", append(v, '"'))
	}},
}

// member is one member of an object: its key with quotes, and its value.
type member struct{ key, value []byte }

// members splits an object that is known to be JSON. It reads no deeper than
// it must.
func members(raw []byte) []member {
	var list []member
	i := 1
	skip := func() { // over white space and commas
		for i < len(raw) && (raw[i] == ' ' || raw[i] == ',' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r' || raw[i] == ':') {
			i++
		}
	}
	value := func() []byte {
		skip()
		from, depth := i, 0
		for ; i < len(raw); i++ {
			switch raw[i] {
			case '"':
				for i++; raw[i] != '"'; i++ {
					if raw[i] == '\\' {
						i++
					}
				}
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth < 0 {
					return raw[from:i]
				}
			case ',', ':':
				if depth == 0 {
					return raw[from:i]
				}
			}
		}
		return raw[from:i]
	}
	for skip(); i < len(raw) && raw[i] == '"'; skip() {
		key := value()
		list = append(list, member{bytes.TrimSpace(key), bytes.TrimSpace(value())})
	}
	return list
}

func join(list []member) []byte {
	dst := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, m.key...), ':'), m.value...)
	}
	return append(dst, '}')
}

func setMember(raw []byte, name string, change func(old []byte) []byte) []byte {
	list := members(raw)
	for i := range list {
		if string(list[i].key) == `"`+name+`"` {
			list[i].value = change(list[i].value)
		}
	}
	return join(list)
}

func addMember(raw []byte, name string, value []byte) []byte {
	return join(append(members(raw), member{[]byte(`"` + name + `"`), value}))
}

func shuffled(raw []byte, h uint64) []byte {
	list := members(raw)
	for i := len(list) - 1; i > 0; i-- {
		j := hash(h, forOrder, uint64(i)) % uint64(i+1)
		list[i], list[j] = list[j], list[i]
	}
	return join(list)
}

// vendorID is the Id that an item is offered with.
func (f *feed) vendorID(dst []byte, it item) []byte {
	if rules := f.faults.Load().byName["empty-id"]; len(rules) > 0 {
		if f.pick(rules, forRecord, it.ref) != nil { // the first of edits
			return dst
		}
	}
	if it.Index < 0 {
		return append(dst, f.scriptedAt(it.ref).id...)
	}
	return f.life.AppendID(dst, it.ref)
}

// happenedAt is when an item's event happened.
func (f *feed) happenedAt(it item) time.Time {
	if it.Index < 0 {
		return f.scriptedAt(it.ref).time
	}
	return f.life.Time(it.ref)
}
