// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
)

// maxPage is how large a page of records may be. It is refused beyond, and asked for in smaller windows.
const maxPage = 64 << 20

var tapes = sync.Pool{New: func() any { return new(jsontape.Tape) }}

// JSON sends a call, reads the whole answer, of at most 64 MiB, as one JSON value and calls read with it. The value is good
// until read returns.
func (c *Client) JSON(ctx context.Context, p budget.Priority, k Call, read func(root jsontape.Value, a *Answer) error) error {
	a, err := c.Do(ctx, p, k)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(a.Body, maxPage+1))
	switch {
	case err != nil:
		return err
	case len(raw) > maxPage:
		return &Error{API: c.name, Op: k.Op, Status: http.StatusOK, Class: ClassHostile, Message: fmt.Sprintf("the answer is larger than %d MiB", maxPage>>20)}
	}
	tape := tapes.Get().(*jsontape.Tape)
	defer tapes.Put(tape)
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
	Records [][]byte  // JSON, as received
	Next    string    // for the next call; empty: this was the last page
	Caught  bool      // of an API that is followed by its own cursor: there is nothing more now; Next is where to go on later
	At      time.Time // the provider's time when it was asked for, or a little before
}

// NewPage makes a page of the elements of an answer's list.
func NewPage(list jsontape.Value, a *Answer) *Page {
	page := &Page{At: a.At}
	for v := list.First(); v.Exists(); v = v.Next() {
		page.Records = append(page.Records, slices.Clone(v.Raw()))
	}
	return page
}

// Stale makes of a refusal of what next, a former page's, leads to one of [ClassPage]: such a place is not good for ever.
func Stale(err error, next string) error {
	if e := Of(err); next != "" && (e.Status == http.StatusBadRequest || e.Status == http.StatusGone) {
		e.Class = ClassPage
	}
	return err
}
