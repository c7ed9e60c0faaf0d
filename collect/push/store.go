// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/journal"
)

// batch is what a request, or a stretch of a connection, holds.
type batch struct {
	records []event.Record
	ids     []byte
	bytes   int
}

// add takes a record in; when counts if the record does not say its time. It reports whether it is JSON.
func (b *batch) add(id Identify, raw []byte, when int64) bool {
	key, t, ok := id(raw)
	if !ok {
		return false
	}
	if t == 0 {
		t = when
	}
	from := len(b.ids)
	b.ids = append(b.ids, key...)
	b.records = append(b.records, event.Record{Raw: raw, ID: b.ids[from:len(b.ids):len(b.ids)], Time: t, Ordinal: uint64(len(b.records))})
	b.bytes += len(raw)
	return true
}

// append hands a batch to the journal, as an origin of its own.
func (r *Receiver) append(ctx context.Context, peer string, b *batch) (*journal.Commit, error) {
	now := time.Now().UnixNano()
	for i := range b.records {
		b.records[i].Received = now
	}
	o := event.Origin{Tenant: r.o.Tenant, Family: r.o.Family, Stream: string(r.o.Kind), Name: r.o.Name + " " + peer, Run: rand.Text()}
	return r.o.Journal.Append(ctx, o, b.records, nil)
}

// store returns when the batch is durable. A sender that has gone meanwhile changes nothing.
func (r *Receiver) store(ctx context.Context, peer string, b *batch) (journal.Result, *refusal) {
	if len(b.records) == 0 {
		return journal.Result{}, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.o.StoreTime)
	defer cancel()
	c, err := r.append(ctx, peer, b)
	var res journal.Result
	if err == nil {
		res, err = c.Wait(ctx)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return res, busy
	case err != nil:
		return res, failed
	}
	r.o.Taken(len(b.records), b.bytes)
	return res, nil
}

// appendText appends a member that holds text, and its bytes beside it if they are no UTF-8, for JSON cannot say them.
func appendText(dst []byte, name string, text []byte) []byte {
	dst = jsontape.AppendQuoted(dst, []byte(name))
	dst = jsontape.AppendQuoted(append(dst, ':'), text)
	if !utf8.Valid(text) {
		dst = append(dst, `,"`+name+`Base64":"`...)
		dst = append(base64.StdEncoding.AppendEncode(dst, text), '"')
	}
	return dst
}
