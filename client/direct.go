// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// direct carries requests to a handler in the same process. The answer streams:
// the handler runs on while its answer is read.
type direct struct {
	h       http.Handler
	running sync.WaitGroup
}

func (d *direct) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body == nil {
		req.Body = http.NoBody
	}
	req.RequestURI = req.URL.RequestURI()
	req.RemoteAddr = "in-process"
	body, w := io.Pipe()
	a := &answer{header: http.Header{}, body: w, begun: make(chan struct{})}
	// The handler lives as long as the request: if its reader goes away, the
	// pipe's writes fail, and the request's context ends it anyway.
	d.running.Go(func() {
		defer func() {
			a.WriteHeader(http.StatusOK)
			w.Close()
		}()
		d.h.ServeHTTP(a, req)
	})
	select {
	case <-a.begun:
	case <-req.Context().Done():
		body.CloseWithError(req.Context().Err())
		return nil, req.Context().Err()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.code, http.StatusText(a.code)), StatusCode: a.code, Header: a.sent,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: body, ContentLength: -1, Request: req,
	}, nil
}

// answer is the handler's side.
type answer struct {
	header, sent http.Header
	body         *io.PipeWriter
	once         sync.Once
	begun        chan struct{}
	code         int
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(code int) {
	a.once.Do(func() {
		a.code, a.sent = code, a.header.Clone()
		close(a.begun)
	})
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// Flush makes the answer begin, as [http.Flusher] asks.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }
