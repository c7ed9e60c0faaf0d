// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/provider/budget"
)

// maxPage is how large a page of records may be. It is refused beyond, and asked for in smaller windows.
const maxPage = 64 << 20

// JSON sends a call and reads the whole answer, of at most 64 MiB, as one JSON value. What it returns is good until the
// next use of tape.
func (c *Client) JSON(ctx context.Context, p budget.Priority, k Call, tape *jsontape.Tape) (root jsontape.Value, a *Answer, err error) {
	a, err = c.Do(ctx, p, k)
	if err != nil {
		return root, nil, err
	}
	defer a.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(a.Body, maxPage+1))
	switch {
	case err != nil:
		return root, a, err
	case len(raw) > maxPage:
		return root, a, &Error{API: c.name, Op: k.Op, Status: http.StatusOK, Class: ClassHostile, Message: fmt.Sprintf("the answer is larger than %d MiB", maxPage>>20)}
	}
	if err := tape.Parse(raw); err != nil {
		return root, a, &Error{
			API: c.name, Op: k.Op, Status: http.StatusOK, Class: ClassRetry, Message: "the answer is not the JSON that was expected: " + Line(err.Error()),
			Sample: SampleOf(a.Body.Hide(raw)),
		}
	}
	return tape.Root(), a, nil
}
