// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
)

const (
	// maxPage is how large a page of records may be. It is refused beyond, and asked for in smaller windows.
	maxPage = 64 << 20
	// maxRecord is how large a record in it may be. It is left out beyond, and the others are read.
	maxRecord = maxPage / 2
	// maxAnswer is how much is received of a page that has such records.
	maxAnswer = 1 << 30
)

var tapes = sync.Pool{New: func() any { return new(jsontape.Tape) }}

// JSON sends a call, reads the whole answer, of at most 64 MiB, as one JSON value and calls read with it. The value is good
// until read returns, and so is what it points to, but for the records of [NewPage].
func (c *Client) JSON(ctx context.Context, p budget.Priority, k Call, read func(root jsontape.Value, a *Answer) error) error {
	a, err := c.Do(ctx, p, k)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(a.Body, maxRecord+1))
	if err == nil && len(raw) > maxRecord {
		raw, a.leftOut, err = sift(a.Body, raw, k.Records)
	}
	if err != nil {
		return err
	}
	tape := tapes.Get().(*jsontape.Tape)
	defer func() {
		_ = tape.Parse(nil) // so that the answer is not kept with it
		tapes.Put(tape)
	}()
	if err := tape.Parse(raw); err != nil {
		return &Error{
			API: c.name, Op: k.Op, Status: http.StatusOK, Class: ClassRetry, Message: "the answer is not the JSON that was expected: " + Line(err.Error()),
			Sample: SampleOf(a.Body.Hide(raw)),
		}
	}
	return read(tape.Root(), a)
}

// Page is one page of records.
type Page struct {
	Records [][]byte  // JSON, as received; they share the memory of the answer
	LeftOut []LeftOut // records that are larger than 32 MiB
	Next    string    // for the next call; empty: this was the last page
	Caught  bool      // of an API that is followed by its own cursor: there is nothing more now; Next is where to go on later
	At      time.Time // the provider's time when it was asked for, or a little before
}

// NewPage makes a page of the elements of an answer's list.
func NewPage(list jsontape.Value, a *Answer) *Page {
	page := &Page{At: a.At, LeftOut: a.leftOut}
	for v := list.First(); v.Exists(); v = v.Next() {
		page.Records = append(page.Records, slices.Clip(v.Raw()))
	}
	return page
}

// Len is how many records the provider has put into the page.
func (p *Page) Len() int { return len(p.Records) + len(p.LeftOut) }

// Stale makes of a refusal of what next, a former page's, leads to one of [ClassPage]: such a place is not good for ever.
func Stale(err error, next string) error {
	if e := Of(err); next != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusGone) {
		e.Class = ClassPage
	}
	return err
}
