// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

var tapes = sync.Pool{New: func() any { return new(jsontape.Tape) }}

// Parse reads an act; nothing of it points into raw.
func Parse(raw []byte) (Act, error) {
	if len(raw) > MaxSize {
		return Act{}, fmt.Errorf("act: it has %d bytes, more than %d", len(raw), MaxSize)
	}
	tape := tapes.Get().(*jsontape.Tape)
	defer tapes.Put(tape)
	if err := tape.Parse(raw); err != nil {
		return Act{}, fmt.Errorf("act: %w", err)
	}
	root := tape.Root()
	if root.Kind() != jsontape.Object {
		return Act{}, errors.New("act: not a JSON object")
	}
	var a Act
	var r reader
	for v := root.First(); v.Exists(); v = v.Next() {
		r.member(&a, v)
	}
	if r.err == nil {
		r.err = a.Check()
	}
	if r.err != nil {
		return Act{}, r.err
	}
	return a, nil
}

// reader keeps the first mistake it meets.
type reader struct{ err error }

func (r *reader) member(a *Act, v jsontape.Value) {
	switch string(v.Key()) {
	case "id":
		a.ID = r.text(v, MaxName)
	case "time":
		a.Time = r.time(v)
	case "kind":
		a.Kind = Kind(r.text(v, MaxName))
	case "source":
		a.Source = r.text(v, MaxName)
	case "tenant":
		a.Tenant = r.text(v, MaxName)
	case "stream":
		a.Stream = r.text(v, MaxName)
	case "subject":
		a.Subject = r.text(v, MaxName)
	case "cursor":
		a.Cursor = r.text(v, MaxName)
	case "from":
		a.From = r.time(v)
	case "to":
		a.To = r.time(v)
	case "at":
		a.At = r.time(v)
	case "pages":
		a.Pages = r.count(v)
	case "blobs":
		a.Blobs = r.count(v)
	case "new":
		a.New = r.blobs(v)
	case "part":
		a.Part = r.flag(v)
	case "blob":
		b := r.blob(v)
		a.Blob = &b
	default:
		r.result(a, v)
	}
}

// result reads the members that say what became of it.
func (r *reader) result(a *Act, v jsontape.Value) {
	switch string(v.Key()) {
	case "records":
		a.Records = r.count(v)
	case "stored":
		a.Stored = r.count(v)
	case "duplicates":
		a.Duplicates = r.count(v)
	case "mutated":
		a.Mutated = r.count(v)
	case "unreadable":
		a.Unreadable = r.count(v)
	case "bytes":
		a.Bytes = int64(r.count(v))
	case "run":
		a.Run = r.text(v, MaxName)
	case "attempts":
		a.Attempts = r.count(v)
	case "received":
		a.Received = r.time(v)
	case "before":
		a.Before = r.text(v, MaxState)
	case "after":
		a.After = r.text(v, MaxState)
	case "event":
		a.Event = r.text(v, MaxName)
	case "late":
		a.Late = r.flag(v)
	case "permanent":
		a.Permanent = r.flag(v)
	case "reason":
		a.Reason = r.text(v, MaxName)
	case "message":
		a.Message = strings.ToValidUTF8(r.text(v, MaxMessage), "\uFFFD")
	case "code":
		a.Code = r.text(v, MaxName)
	case "status":
		a.Status = r.count(v)
	case "count":
		a.Count = r.count(v)
	case "seconds":
		a.Seconds = r.seconds(v)
	case "settle":
		a.Settle = r.seconds(v)
	case "keep":
		a.Keep = r.seconds(v)
	case "due":
		a.Due = r.seconds(v)
	}
}

func (r *reader) wrong(v jsontape.Value, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("act: %.40q is not %s", v.Key(), want)
	}
}

func (r *reader) text(v jsontape.Value, limit int) string {
	s := v.Str()
	if v.Kind() != jsontape.String || len(s) > limit {
		r.wrong(v, "a string of at most "+strconv.Itoa(limit)+" bytes")
		return ""
	}
	return string(s)
}

func (r *reader) time(v jsontape.Value) time.Time {
	t, err := time.Parse(time.RFC3339Nano, string(v.Str()))
	if v.Kind() != jsontape.String || err != nil {
		r.wrong(v, "a time as RFC 3339 has it")
		return time.Time{}
	}
	return t.UTC()
}

func (r *reader) count(v jsontape.Value) int {
	n, ok := v.Int()
	if v.Kind() != jsontape.Number || !ok || n < 0 {
		r.wrong(v, "a count")
		return 0
	}
	return int(n)
}

func (r *reader) flag(v jsontape.Value) bool {
	if v.Kind() != jsontape.True && v.Kind() != jsontape.False {
		r.wrong(v, "true or false")
	}
	return v.Kind() == jsontape.True
}

func (r *reader) seconds(v jsontape.Value) float64 {
	f, err := strconv.ParseFloat(string(v.Raw()), 64)
	if v.Kind() != jsontape.Number || err != nil {
		r.wrong(v, "a number")
		return 0
	}
	return f
}

func (r *reader) blob(v jsontape.Value) Blob {
	if v.Kind() != jsontape.Object {
		r.wrong(v, "a blob")
		return Blob{}
	}
	var b Blob
	for m := v.First(); m.Exists(); m = m.Next() {
		switch string(m.Key()) {
		case "id":
			b.ID = r.text(m, MaxID)
		case "created":
			b.Created = r.time(m)
		case "expires":
			b.Expires = r.time(m)
		}
	}
	return b
}

func (r *reader) blobs(v jsontape.Value) []Blob {
	n := v.Len()
	if v.Kind() != jsontape.Array || n > MaxNew {
		r.wrong(v, "a list of at most "+strconv.Itoa(MaxNew)+" blobs")
		return nil
	}
	if n == 0 {
		return nil
	}
	list := make([]Blob, 0, n)
	for m := v.First(); m.Exists(); m = m.Next() {
		list = append(list, r.blob(m))
	}
	return list
}
