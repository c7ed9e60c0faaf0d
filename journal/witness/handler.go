// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The statuses that C2SP tlog-witness gives meanings to.
const (
	statusBadRequest    = http.StatusBadRequest          // not a well-formed request, or old size above the checkpoint's
	statusForbidden     = http.StatusForbidden           // no valid signature by a known key of the log
	statusUnknownLog    = http.StatusNotFound            // origin not configured
	statusConflict      = http.StatusConflict            // old size is not what we hold; the body tells what we hold
	statusUnprocessable = http.StatusUnprocessableEntity // inconsistent with what we hold
)

// maxBody is generous: 64 short lines, and a checkpoint with dozens of
// cosignatures of the largest kind (ML-DSA-44, 3.3 KB each).
const maxBody = 256 << 10

// Handler serves the protocol below the root:
//
//	POST /add-checkpoint            C2SP tlog-witness, section "add-checkpoint"
//	GET  /<origin hash>/checkpoint  section "Monitor Retrieval Mechanism"
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.serveAdd)
	mux.HandleFunc("GET /{hash}/checkpoint", w.serveLatest)
	return mux
}

func (w *Witness) serveAdd(rw http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, req.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(rw, fmt.Sprintf("the body is larger than %d bytes", maxBody), http.StatusRequestEntityTooLarge)
		} else {
			http.Error(rw, "the body could not be read", statusBadRequest)
		}
		return
	}
	origin, line, err := w.addCheckpoint(body)
	var no *refusal
	switch {
	case err == nil:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(rw, line)
	case errors.As(err, &no) && no.status == statusConflict:
		// Everyday: a log that has restarted asks this way how far we are.
		w.logger.Debug("checkpoint not next", "origin", origin, "latest", no.size)
		rw.Header().Set("Content-Type", "text/x.tlog.size")
		rw.WriteHeader(statusConflict)
		fmt.Fprintf(rw, "%d\n", no.size)
	case errors.As(err, &no):
		level := slog.LevelInfo
		if no.status == statusUnprocessable {
			level = slog.LevelError // signed by the log and inconsistent: evidence of misconduct
		}
		w.logger.Log(req.Context(), level, "checkpoint refused", "origin", origin, "status", no.status, "reason", no.text)
		http.Error(rw, no.text, no.status)
	default:
		w.logger.Error("checkpoint not stored", "origin", origin, "error", err)
		http.Error(rw, "the witness cannot store checkpoints of this log at present", http.StatusInternalServerError)
	}
}

// addCheckpoint does the work of one call. origin is returned as far as the log
// is known, for the log line.
func (w *Witness) addCheckpoint(body []byte) (origin, line string, err error) {
	bad := func(status int, text string) error { return &refusal{status: status, text: text} }
	r, err := parseRequest(body)
	if err != nil {
		return "", "", bad(statusBadRequest, err.Error())
	}
	end := bytes.LastIndex(r.note, []byte("\n\n"))
	if end < 0 {
		return "", "", bad(statusBadRequest, "the checkpoint has no signatures")
	}
	c, err := parseCheckpoint(string(r.note[:end+1]))
	if err != nil {
		return "", "", bad(statusBadRequest, err.Error())
	}
	g := w.logs[c.origin]
	if g == nil {
		return "", "", bad(statusUnknownLog, "this witness does not watch that log")
	}
	n, err := note.Open(r.note, g.verifiers)
	var invalid *note.InvalidSignatureError
	var unverified *note.UnverifiedNoteError
	switch {
	case errors.As(err, &invalid), errors.As(err, &unverified):
		return g.origin, "", bad(statusForbidden, "the checkpoint has no valid signature by a known key of the log")
	case err != nil:
		return g.origin, "", bad(statusBadRequest, "the checkpoint is not a signed note")
	}
	line, err = w.add(g, r, c, n.Text, signatureLines(n.Sigs))
	return g.origin, line, err
}

// signatureLines writes verified signatures as they stand in a note.
func signatureLines(sigs []note.Signature) string {
	var b strings.Builder
	for _, s := range sigs {
		raw, _ := base64.StdEncoding.DecodeString(s.Base64) // note.Open has decoded it
		fmt.Fprintf(&b, "— %s %s\n", s.Name, base64.StdEncoding.EncodeToString(raw))
	}
	return b.String()
}

func (w *Witness) serveLatest(rw http.ResponseWriter, req *http.Request) {
	g := w.byHash[req.PathValue("hash")]
	if g == nil {
		http.Error(rw, "this witness does not watch that log", http.StatusNotFound)
		return
	}
	g.mu.Lock()
	stored, broken := g.stored, g.broken
	g.mu.Unlock()
	switch {
	case broken != nil:
		http.Error(rw, "the witness cannot tell its latest checkpoint at present", http.StatusInternalServerError)
	case stored == nil:
		http.Error(rw, "no checkpoint of that log has been cosigned yet", http.StatusNotFound)
	default:
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		rw.Header().Set("Cache-Control", "no-cache")
		rw.Write(stored)
	}
}
