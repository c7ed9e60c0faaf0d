// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Elements reads a JSON array to the end of the body and calls read at each element. More than so many bytes or
// elements, or an element of more than 1 MiB, are an error of [ClassHostile].
func Elements(b *Body, maxBytes int64, maxCount int, read func(*json.Decoder) error) error {
	limited := &capReader{r: b, left: maxBytes, element: maxElement}
	d := json.NewDecoder(limited)
	count := 0
	err := func() error {
		if _, err := d.Token(); err != nil {
			return err
		}
		for d.More() {
			if count++; count > maxCount {
				return tooLarge(b, fmt.Sprintf("the answer has more than %d elements", maxCount))
			}
			limited.element = maxElement
			if err := read(d); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil { // the closing bracket
			return err
		}
		if _, err := d.Token(); err != io.EOF {
			if err == nil {
				err = errors.New("more follows the array")
			}
			return err
		}
		return nil
	}()
	if err == nil {
		return nil
	}
	ours := (*Error)(nil)
	switch {
	case errors.As(err, &ours):
		return ours
	case b.parent.Err() != nil:
		return b.parent.Err()
	case errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF:
		return &Error{API: b.api, Op: b.op, Status: http.StatusOK, Class: ClassRetry, Message: "the answer was cut: its array is not closed"}
	}
	return &Error{API: b.api, Op: b.op, Status: http.StatusOK, Class: ClassRetry, Message: "the answer is not the JSON that was expected: " + Line(err.Error())}
}

func tooLarge(b *Body, message string) error {
	return &Error{API: b.api, Op: b.op, Status: http.StatusOK, Class: ClassHostile, Message: message}
}

// maxElement bounds what is read for one element, and so the decoder's buffer.
const maxElement = 1 << 20

// capReader refuses more than so many bytes, altogether and for one element.
type capReader struct {
	r             *Body
	left, element int64
}

func (c *capReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.left -= int64(n)
	c.element -= int64(n)
	switch {
	case c.left < 0:
		return 0, tooLarge(c.r, "the answer is larger than a page may be")
	case c.element < 0:
		return 0, tooLarge(c.r, "the answer holds an element of more than 1 MiB")
	}
	return n, err
}
