// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/daybreak-sec/daybreak/collect/file"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

func (r *Receiver) routeIngest(mux *http.ServeMux) {
	path := "/ingest/" + r.o.Name
	mux.HandleFunc("POST "+path, r.ingest)
	mux.HandleFunc("GET "+path, r.verification)
}

// ingestAnswer says what became of the records.
type ingestAnswer struct {
	Records    int    `json:"records"`
	Stored     int    `json:"stored"`
	Duplicates int    `json:"duplicates"`
	Error      string `json:"error,omitempty"`
}

// ingest stores a body of JSON, whole or not at all. The token is a bearer's, or bare, as Okta's hooks send it.
func (r *Receiver) ingest(w http.ResponseWriter, req *http.Request) {
	f := r.admitBare(req)
	var body []byte
	free := func() {}
	if f == nil {
		body, free, f = r.body(w, req)
	}
	defer free()
	b := new(batch)
	if f == nil {
		f = r.work(len(body), func(k *worker) *refusal { return r.split(k, body, b) })
	}
	var out ingestAnswer
	if f == nil {
		res, g := r.store(req.Context(), peer(req.RemoteAddr), b)
		out, f = ingestAnswer{Records: len(b.records), Stored: res.Stored, Duplicates: res.Duplicates}, g
	}
	if f != nil {
		r.refuse(f)
		pushback(w, f)
		answer(w, f.status, ingestAnswer{Error: f.message})
		return
	}
	answer(w, http.StatusOK, out)
}

func (r *Receiver) admitBare(req *http.Request) *refusal {
	if token := strings.TrimSpace(req.Header.Get("Authorization")); token != "" && !strings.Contains(token, " ") && !r.stopping.Load() {
		if r.knows(token) {
			return nil
		}
		return wrongToken
	}
	return r.admit(req, "Bearer")
}

// split cuts a body as a file is cut: lines, an array, objects one after another, the envelopes that package file knows, and Okta's.
func (r *Receiver) split(k *worker, body []byte, b *batch) *refusal {
	pieces := file.Open("body", bytes.NewReader(body), file.Options{MaxRecord: r.o.MaxBody})
	defer pieces.Close()
	for {
		p, err := pieces.Next()
		switch {
		case errors.Is(err, io.EOF) && len(b.records) == 0:
			return noData
		case errors.Is(err, io.EOF):
			return nil
		case err != nil || p.Unreadable != "":
			return malformed
		case b.bytes+len(p.Raw) > maxGrowth*r.o.MaxBody: // of a body that was compressed in itself
			return tooLarge
		}
		if f := r.take(k, append([]byte(nil), p.Raw...), b); f != nil {
			return f
		}
	}
}

// take takes one object, or the events in an envelope of Okta's hooks ("event hooks", Okta's developer documentation).
func (r *Receiver) take(k *worker, raw []byte, b *batch) *refusal {
	if k.tape.Parse(raw) != nil {
		return malformed
	}
	root := k.tape.Root()
	events := root.Get("data").Get("events")
	if r.o.Family != "okta" || string(root.Get("eventType").Str()) != "com.okta.event_hook" || events.Kind() != jsontape.Array {
		return r.takeOne(k, raw, b)
	}
	for v := events.First(); v.Exists(); v = v.Next() {
		if v.Kind() != jsontape.Object {
			return malformed
		}
		if f := r.takeOne(k, v.Raw(), b); f != nil {
			return f
		}
	}
	return nil
}

func (r *Receiver) takeOne(k *worker, raw []byte, b *batch) *refusal {
	if len(b.records) >= r.o.MaxRecords {
		return tooLarge
	}
	if !b.add(k.identify, raw, 0) {
		return malformed
	}
	return nil
}

const maxChallenge = 1024

// verification answers the question with which Okta makes sure that a hook's address is its owner's. It stores
// nothing and tells nothing, so that no token is needed.
func (r *Receiver) verification(w http.ResponseWriter, req *http.Request) {
	challenge := req.Header.Get("X-Okta-Verification-Challenge")
	if challenge == "" || len(challenge) > maxChallenge {
		answer(w, http.StatusMethodNotAllowed, ingestAnswer{Error: "records are sent with POST"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"verification": challenge})
}
