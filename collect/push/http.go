// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package push

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// refusal is one reason for which nothing, or nothing more, is taken. code is HEC's, grpc gRPC's.
type refusal struct {
	status, code, grpc int
	reason             string // in metrics and acts
	message            string
}

// What is refused, and how that is said.
var (
	noToken     = &refusal{401, 2, 16, "token", "there is no token: send the header \"Authorization: Bearer TOKEN\""}
	badToken    = &refusal{401, 3, 16, "token", "the header Authorization holds no token: send \"Authorization: Bearer TOKEN\""}
	wrongToken  = &refusal{403, 4, 16, "token", "the token is not this receiver's"}
	noData      = &refusal{400, 5, 3, "malformed", "there is no record in the body"}
	malformed   = &refusal{400, 6, 3, "malformed", "the body cannot be read: nothing of it was stored"}
	wrongIndex  = &refusal{400, 7, 3, "malformed", "index is no text"}
	failed      = &refusal{503, 8, 14, "journal", "the journal does not take records: send again later"}
	busy        = &refusal{503, 9, 14, "busy", "there is no room at present: send again in a moment"}
	noChannel   = &refusal{400, 10, 3, "malformed", "acks are asked for without a channel"}
	badChannel  = &refusal{400, 11, 3, "malformed", "the channel is no GUID"}
	noEvent     = &refusal{400, 12, 3, "malformed", "event is missing"}
	blankEvent  = &refusal{400, 13, 3, "malformed", "event is blank"}
	badFields   = &refusal{400, 15, 3, "malformed", "fields is no flat object"}
	queryToken  = &refusal{400, 16, 16, "token", "a token in the address is not taken: addresses are logged"}
	stopping    = &refusal{503, 23, 14, "stopping", "the receiver is stopping: send again in a moment"}
	tooLarge    = &refusal{413, 6, 3, "large", "the request is larger than is taken at once: send less in each"}
	badEncoding = &refusal{415, 6, 12, "malformed", "the Content-Encoding is unknown: send gzip, or none"}
	badType     = &refusal{415, 6, 12, "malformed", "the Content-Type is unknown: send application/x-protobuf or application/json"}
	slow        = &refusal{408, 6, 14, "slow", "the body took too long to come in"}
)

// Reasons are the reasons for which something is refused.
func Reasons() []string {
	return []string{"token", "malformed", "large", "slow", "busy", "journal", "stopping"}
}

// retryAfter is what a sender is told to wait, in seconds.
const retryAfter = "2"

// serveHTTP answers until ctx ends.
func (r *Receiver) serveHTTP(ctx context.Context) error {
	mux := http.NewServeMux()
	switch r.o.Kind {
	case HEC:
		r.routeHEC(mux)
	case OTLP:
		r.routeOTLP(mux)
	case HTTP:
		r.routeIngest(mux)
	}
	s := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: min(10*time.Second, r.o.ReadTime),
		ReadTimeout:       r.o.ReadTime,
		WriteTimeout:      r.o.ReadTime + r.o.StoreTime + 10*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		TLSConfig:         r.o.TLS,
		ErrorLog:          slog.NewLogLogger(r.o.Log.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
	}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(r.o.TLS == nil) // gRPC on loopback
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		r.stopping.Store(true)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if s.Shutdown(grace) != nil {
			s.Close()
		}
	})
	var err error
	if r.o.TLS != nil {
		err = s.ServeTLS(r.listener, "", "")
	} else {
		err = s.Serve(r.listener)
	}
	if stop() {
		s.Close()
		return err
	}
	<-stopped
	return nil
}

// admit looks at who sends: schemes are those of Authorization that the dialect knows. Nothing of a stranger's body is read.
func (r *Receiver) admit(req *http.Request, schemes ...string) *refusal {
	if r.stopping.Load() {
		return stopping
	}
	header := req.Header.Get("Authorization")
	if header == "" {
		return noToken
	}
	token := ""
	for _, scheme := range schemes {
		if scheme == "Basic" {
			if _, password, ok := req.BasicAuth(); ok {
				token = password
			}
			continue
		}
		if word, rest, ok := strings.Cut(header, " "); ok && strings.EqualFold(word, scheme) {
			token = strings.TrimSpace(rest)
		}
	}
	switch {
	case token == "":
		return badToken
	case !r.knows(token):
		return wrongToken
	}
	return nil
}

// knows compares in a time that tells nothing of the token.
func (r *Receiver) knows(token string) bool {
	got := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(got[:], r.sum[:]) == 1
}

// body reads a request's body. free gives its memory back, when nothing points into it any more.
func (r *Receiver) body(w http.ResponseWriter, req *http.Request) (text []byte, free func(), f *refusal) {
	if req.ContentLength > int64(r.o.MaxBody) {
		return nil, func() {}, tooLarge
	}
	return r.read(http.MaxBytesReader(w, req.Body, int64(r.o.MaxBody)), req.Header.Get("Content-Encoding"))
}

const firstRead = 32 << 10

// read reads to the end. It takes memory from the room that all share as the text grows and not before, so that
// somebody who announces much and sends little holds little.
func (r *Receiver) read(src io.Reader, encoding string) (text []byte, free func(), f *refusal) {
	held := 0
	free = func() { r.memory.give(held) }
	switch strings.ToLower(encoding) {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(src)
		if err != nil {
			return nil, free, readRefusal(err)
		}
		src = z
	default:
		return nil, free, badEncoding
	}
	for {
		if len(text) == cap(text) {
			if len(text) > r.o.MaxBody {
				return nil, free, tooLarge
			}
			grow := min(max(firstRead, len(text)), r.o.MaxBody+1-len(text))
			if !r.memory.take(grow) {
				return nil, free, busy
			}
			held += grow
			text = append(make([]byte, 0, len(text)+grow), text...)
		}
		n, err := src.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		switch {
		case errors.Is(err, io.EOF) && len(text) > r.o.MaxBody:
			return nil, free, tooLarge
		case errors.Is(err, io.EOF):
			return text, free, nil
		case err != nil:
			return nil, free, readRefusal(err)
		}
	}
}

// readRefusal says why a body could not be read.
func readRefusal(err error) *refusal {
	switch large := (*http.MaxBytesError)(nil); {
	case errors.As(err, &large):
		return tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return slow
	}
	return malformed
}

// work has f read a body on one of the cores.
func (r *Receiver) work(size int, f func(*worker) *refusal) *refusal {
	k := <-r.workers
	defer func() {
		if size > 1<<20 { // the tape of a large body is larger still
			k = &worker{identify: r.o.Identify()}
		}
		r.workers <- k
	}()
	return f(k)
}

// peer is the sender's address without its port, which says nothing.
func peer(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// pushback sets what goes with an answer by which a sender is told to come back, or is not to be listened to any more.
func pushback(w http.ResponseWriter, f *refusal) {
	switch f.status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", retryAfter)
	case http.StatusRequestEntityTooLarge, http.StatusRequestTimeout, http.StatusUnauthorized, http.StatusForbidden:
		w.Header().Set("Connection", "close")
	}
}
