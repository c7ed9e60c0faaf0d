// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// OpenAPI returns docs/reference/openapi.json.
func OpenAPI() ([]byte, error) {
	_, a := routes(new(surface))
	text, err := json.Marshal(a.OpenAPI())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = json.Indent(&b, text, "", "  ")
	b.WriteByte('\n')
	return b.Bytes(), err
}

// Routes returns "METHOD /path" of every route but those of the document.
func Routes() []string {
	mux, _ := routes(new(surface))
	return mux.patterns
}

// recorder is a mux that remembers its patterns.
type recorder struct {
	*http.ServeMux
	patterns []string
}

// HandleFunc is that of the mux.
func (m *recorder) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.patterns = append(m.patterns, strings.Replace(pattern, "...}", "}", 1))
	m.ServeMux.HandleFunc(pattern, h)
}

// plain registers a route of text or bytes that huma has no part in, and puts it
// into the document. Who may call it is on the page in the package comment.
func plain(a huma.API, mux *recorder, path, summary string, h http.HandlerFunc) {
	mux.HandleFunc("GET "+path, h)
	path = strings.Replace(path, "...}", "}", 1)
	op := &huma.Operation{
		OperationID: strings.Trim(strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path), "-"),
		Method:      http.MethodGet, Path: path, Summary: summary, Security: []map[string][]string{},
		Responses: map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: "string"}}}}},
	}
	if strings.Contains(path, "{path}") {
		op.Parameters = []*huma.Param{{Name: "path", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}}
	}
	a.OpenAPI().AddOperation(op)
}

// hookDocument puts the webhooks into the document.
func hookDocument(a huma.API) {
	text := map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: "array", Items: &huma.Schema{Type: "object"}}}}
	word := func(name, about string, required bool) *huma.Param {
		return &huma.Param{Name: name, In: "header", Required: required, Description: about, Schema: &huma.Schema{Type: "string"}}
	}
	source := &huma.Param{Name: "source", In: "path", Required: true, Description: "Name of the source in the configuration", Schema: &huma.Schema{Type: "string"}}
	for _, op := range []*huma.Operation{
		{
			OperationID: "hook", Path: "/hook/m365/{source}",
			Summary:     "Announcements of the Office 365 Management Activity API: hints that a stream has new content",
			RequestBody: &huma.RequestBody{Description: "Announcements; of each the contentType and tenantId are read", Content: text},
			Parameters: []*huma.Param{
				source, word("Webhook-AuthID", "The source's webhook.auth_id", true),
				word("Webhook-ValidationCode", "Sent when the provider asks whether the webhook is there", false),
			},
			Responses: map[string]*huma.Response{"400": {Description: "Not announcements, or of another tenant"}},
		},
		{
			OperationID: "hook-google", Path: "/hook/google/{source}",
			Summary: "Notifications of Google's Reports API: hints that an application has a new activity; a body is not read",
			Parameters: []*huma.Param{
				source, word("X-Goog-Channel-Token", "The source's webhook.auth_id", true), word("X-Goog-Channel-ID", "A channel that this server has open", true),
				word("X-Goog-Resource-State", "sync when a channel begins, which is no hint", false),
			},
			Responses: map[string]*huma.Response{},
		},
	} {
		op.Method, op.Security = http.MethodPost, []map[string][]string{}
		for status, about := range map[string]string{"200": "Taken", "403": "Wrong AuthID, or no such webhook", "413": "More than 64 KiB", "429": "Too many"} {
			op.Responses[status] = &huma.Response{Description: about}
		}
		a.OpenAPI().AddOperation(op)
	}
}
