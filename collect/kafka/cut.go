// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package kafka

import (
	"bytes"
	"errors"
	"io"

	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// maxGrowth is how many bytes of text a message that is compressed in itself may hold.
const maxGrowth = 64 << 20

// cutter cuts messages into records.
type cutter struct {
	tape jsontape.Tape
	// record takes one, which is good until it returns.
	record func(v jsontape.Value)
	// unreadable takes bytes that are no record.
	unreadable func(raw []byte)
}

// cut yields what is in a message, as it stands there: the elements of Azure Monitor's {"records":[…]}, or a JSON object. These are
// valid JSON and are read once. All else (lines, arrays, other envelopes, what is broken or cut off) is for package file, which
// finds the records between what is none.
func (c *cutter) cut(message []byte) {
	if c.tape.Parse(message) == nil && c.plain(c.tape.Root()) {
		return
	}
	pieces := file.Open("message", bytes.NewReader(message), file.Options{MaxRecord: maxGrowth})
	defer pieces.Close()
	for size := 0; size <= maxGrowth; {
		p, err := pieces.Next()
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil: // cut off
			c.unreadable(message)
			return
		}
		size += len(p.Raw)
		// What a record points to must outlive the next one.
		if raw := bytes.Clone(p.Raw); p.Unreadable != "" || c.tape.Parse(raw) != nil {
			c.unreadable(raw)
		} else {
			c.record(c.tape.Root())
		}
	}
	c.unreadable(message)
}

// plain takes a message of one of the two frequent forms.
func (c *cutter) plain(root jsontape.Value) bool {
	if root.Kind() != jsontape.Object {
		return false
	}
	first := root.First()
	switch name := first.Key(); {
	case string(name) == "records" && !first.Next().Exists():
		return c.elements(first)
	case string(name) == "records", string(name) == "Records", string(name) == "value", bytes.HasPrefix(name, []byte("@odata.")), root.Get("AuditData").Exists():
		return false
	}
	c.record(root)
	return true
}

func (c *cutter) elements(list jsontape.Value) bool {
	if list.Kind() != jsontape.Array {
		return false
	}
	for v := list.First(); v.Exists(); v = v.Next() {
		if v.Kind() != jsontape.Object {
			return false
		}
	}
	for v := list.First(); v.Exists(); v = v.Next() {
		c.record(v)
	}
	return true
}
