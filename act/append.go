// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act

import (
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// Append appends the act as one line of JSON. It allocates nothing but what dst
// needs to grow.
func (a *Act) Append(dst []byte) []byte {
	w := object{dst: append(dst, '{')}
	w.text("id", a.ID)
	w.time("time", a.Time)
	w.text("kind", string(a.Kind))
	w.text("source", a.Source)
	w.text("tenant", a.Tenant)
	w.text("stream", a.Stream)
	w.text("subject", a.Subject)
	w.text("cursor", a.Cursor)
	w.time("from", a.From)
	w.time("to", a.To)
	w.time("at", a.At)
	w.number("pages", int64(a.Pages))
	w.number("blobs", int64(a.Blobs))
	if len(a.New) > 0 {
		w.name("new")
		w.dst = append(w.dst, '[')
		for i := range a.New {
			if i > 0 {
				w.dst = append(w.dst, ',')
			}
			w.dst = a.New[i].append(w.dst)
		}
		w.dst = append(w.dst, ']')
	}
	w.flag("part", a.Part)
	if a.Blob != nil {
		w.name("blob")
		w.dst = a.Blob.append(w.dst)
	}
	w.number("records", int64(a.Records))
	w.number("stored", int64(a.Stored))
	w.number("duplicates", int64(a.Duplicates))
	w.number("mutated", int64(a.Mutated))
	w.number("unreadable", int64(a.Unreadable))
	w.number("bytes", a.Bytes)
	w.text("run", a.Run)
	w.number("attempts", int64(a.Attempts))
	w.time("received", a.Received)
	w.text("before", a.Before)
	w.text("after", a.After)
	w.text("event", a.Event)
	w.flag("late", a.Late)
	w.flag("permanent", a.Permanent)
	w.text("reason", a.Reason)
	w.text("message", cut(a.Message, MaxMessage))
	w.text("code", a.Code)
	w.number("status", int64(a.Status))
	w.number("count", int64(a.Count))
	w.float("seconds", a.Seconds)
	w.float("settle", a.Settle)
	w.float("keep", a.Keep)
	w.float("due", a.Due)
	return append(w.dst, '}')
}

func (b *Blob) append(dst []byte) []byte {
	w := object{dst: append(dst, '{')}
	w.text("id", b.ID)
	w.time("created", b.Created)
	w.time("expires", b.Expires)
	return append(w.dst, '}')
}

// object writes the members of a JSON object that have a value.
type object struct {
	dst  []byte
	more bool
}

func (o *object) name(s string) {
	if o.more {
		o.dst = append(o.dst, ',')
	}
	o.more = true
	o.dst = append(append(append(o.dst, '"'), s...), '"', ':')
}

func (o *object) text(name, s string) {
	if s != "" {
		o.name(name)
		o.dst = jsontape.AppendQuoted(o.dst, unsafe.Slice(unsafe.StringData(s), len(s)))
	}
}

func (o *object) time(name string, t time.Time) {
	if !t.IsZero() {
		o.name(name)
		o.dst = append(o.dst, '"')
		o.dst = append(t.UTC().AppendFormat(o.dst, time.RFC3339Nano), '"')
	}
}

func (o *object) number(name string, n int64) {
	if n != 0 {
		o.name(name)
		o.dst = strconv.AppendInt(o.dst, n, 10)
	}
}

func (o *object) float(name string, f float64) {
	if f != 0 {
		o.name(name)
		o.dst = strconv.AppendFloat(o.dst, f, 'g', -1, 64)
	}
}

func (o *object) flag(name string, b bool) {
	if b {
		o.name(name)
		o.dst = append(o.dst, "true"...)
	}
}

// cut shortens s so that it takes at most limit bytes as UTF-8, where each byte
// that is none takes three.
func cut(s string, limit int) string {
	size := 0
	for i, r := range s {
		if size += utf8.RuneLen(r); size > limit {
			return s[:i]
		}
	}
	return s
}
