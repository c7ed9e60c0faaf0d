// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// grpc answers OTLP/gRPC: one call with one message each way, for which no more of gRPC is needed than its protocol over
// HTTP/2 says (github.com/grpc/grpc, PROTOCOL-HTTP2.md): five bytes before each message, and the status in the trailers.
func (r *Receiver) grpc(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Trailer", "Grpc-Status, Grpc-Message")
	rejected, f := r.grpcExport(w, req)
	if f != nil {
		r.refuse(f)
		h.Set("Grpc-Status", strconv.Itoa(f.grpc))
		h.Set("Grpc-Message", strings.ReplaceAll(url.QueryEscape(f.message), "+", " "))
		w.WriteHeader(http.StatusOK)
		return
	}
	message := exportAnswer(rejected, false)
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	_, _ = w.Write(append(frame, message...))
	h.Set("Grpc-Status", "0")
}

func (r *Receiver) grpcExport(w http.ResponseWriter, req *http.Request) (rejected int, f *refusal) {
	if f := r.admit(req, "Bearer"); f != nil {
		return 0, f
	}
	if t := req.Header.Get("Content-Type"); req.ProtoMajor != 2 || t != "application/grpc" && t != "application/grpc+proto" {
		return 0, badType
	}
	var prefix [5]byte
	if _, err := io.ReadFull(req.Body, prefix[:]); err != nil {
		return 0, malformed
	}
	size := int64(binary.BigEndian.Uint32(prefix[1:]))
	if size > int64(r.o.MaxBody) {
		return 0, tooLarge
	}
	compression := ""
	if prefix[0] != 0 {
		compression = req.Header.Get("Grpc-Encoding")
	}
	message := &io.LimitedReader{R: http.MaxBytesReader(w, req.Body, size+1), N: size}
	body, free, f := r.read(message, compression)
	defer free()
	if f == nil && message.N > 0 {
		f = malformed // the message ended early
	}
	if f != nil {
		return 0, f
	}
	return r.export(req, body, false)
}
