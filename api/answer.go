// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/daybreak-sec/daybreak/incident"
	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/node"
)

// statuses says which status an error of the node has. What is not listed is
// our own fault, and 500.
var statuses = []struct {
	err    error
	status int
}{
	{node.ErrNotFound, http.StatusNotFound},
	{incident.ErrNotFound, http.StatusNotFound},
	{node.ErrNoMessage, http.StatusNotFound},
	{incident.ErrDecision, http.StatusConflict},
	{node.ErrGone, http.StatusGone},
	{node.ErrBusy, http.StatusServiceUnavailable},
	{node.ErrStopped, http.StatusServiceUnavailable},
	{node.ErrQuery, http.StatusBadRequest},
	{context.DeadlineExceeded, http.StatusGatewayTimeout},
}

// problem turns an error of the node into an answer of RFC 9457.
func problem(err error) error {
	if q := (*query.Error)(nil); errors.As(err, &q) {
		return huma.Error400BadRequest(err.Error())
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			return huma.NewError(s.status, err.Error())
		}
	}
	return huma.Error500InternalServerError(err.Error())
}

// get, post and stream put a route into the mux and into the document.
func get[I, O any](a huma.API, id, path, summary string, f func(context.Context, *I) (*O, error)) {
	huma.Register(a, operation(http.MethodGet, id, path, summary), f)
}

func post[I, O any](a huma.API, id, path, summary string, f func(context.Context, *I) (*O, error)) {
	op := operation(http.MethodPost, id, path, summary)
	if id == "import" {
		op.RequestBody = &huma.RequestBody{
			Description: "JSON lines, a JSON array, an API blob, an Azure Monitor or CloudTrail envelope, or a Purview CSV; plain, gzip or zstd",
			Required:    true,
			Content:     map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
		}
	}
	huma.Register(a, op, f)
}

func operation(method, id, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusServiceUnavailable},
	}
}

// ndjson is the type of answers of one JSON object a line.
const ndjson = "application/x-ndjson"

// stream registers a route whose answer is written piece by piece; shape is what
// the document says of it, nil for text.
func stream[I any](a huma.API, method, id, path, summary string, shape any, f func(context.Context, *I) (*huma.StreamResponse, error)) {
	op := operation(method, id, path, summary)
	media, schema := "text/plain", &huma.Schema{Type: "string"}
	if shape != nil {
		media, schema = "application/json", a.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(shape), true, id)
	}
	if id == "tail" {
		media = ndjson
	}
	op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{media: {Schema: schema}}}}
	huma.Register(a, op, f)
}

// answer is a response that write makes. Each flush moves the connection's
// deadline on.
func answer(contentType string, write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", contentType)
		_, rw := humago.Unwrap(ctx)
		c := http.NewResponseController(rw)
		w := &flusher{w: bufio.NewWriterSize(ctx.BodyWriter(), 32<<10), c: c, live: contentType == ndjson}
		// What went wrong after the first byte can only be told by what was
		// written; a reader that has gone away needs no telling.
		_ = write(w)
		_ = w.w.Flush()
	}}
}

type flusher struct {
	w    *bufio.Writer
	c    *http.ResponseController
	live bool // somebody waits for each write
}

func (f *flusher) Write(p []byte) (int, error) {
	_ = f.c.SetWriteDeadline(time.Now().Add(idleTime)) // a handler in the same process has none
	n, err := f.w.Write(p)
	if err == nil && f.live {
		if err = f.w.Flush(); err == nil {
			err = f.c.Flush()
		}
	}
	return n, err
}

// refuse answers in the form of RFC 9457, as huma does.
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(huma.ErrorModel{Title: http.StatusText(status), Status: status, Detail: detail})
}
