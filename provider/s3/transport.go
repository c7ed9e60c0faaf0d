// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

var errStalled = errors.New("no byte came for too long")

// pinned returns a client that talks to one host, follows no redirect, and gives up on answers that do not come.
func (c *Client) pinned(host string) *http.Client {
	return &http.Client{
		Transport:     roundTrip(func(r *http.Request) (*http.Response, error) { return c.send(host, r) }),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (c *Client) send(host string, r *http.Request) (*http.Response, error) {
	if !strings.EqualFold(r.URL.Host, host) {
		return nil, &rest.Error{API: "s3", Op: "send", Class: rest.ClassHostile, Message: fmt.Sprintf("a request would go to %.100q and not to %s: it is not sent", r.URL.Host, host)}
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(c.o.Stall, func() { cancel(errStalled) })
	asked := time.Now()
	res, err := c.o.Transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		timer.Stop()
		if errors.Is(context.Cause(ctx), errStalled) {
			err = errStalled
		}
		cancel(nil)
		return nil, err
	}
	c.clock.Observe(res.Header, asked, time.Now())
	res.Body = &watched{ReadCloser: res.Body, ctx: ctx, cancel: cancel, timer: timer, stall: c.o.Stall}
	return res, nil
}

// watched is a body that ends when no byte comes for a while.
type watched struct {
	io.ReadCloser
	ctx    context.Context //nolint:containedctx // to tell who has ended it
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	w.timer.Reset(w.stall)
	n, err := w.ReadCloser.Read(b)
	w.timer.Stop() // who reads may take as long as it likes
	if err != nil && errors.Is(context.Cause(w.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	err := w.ReadCloser.Close()
	w.cancel(nil)
	return err
}
