// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/internal/durable"
	"github.com/daybreak-sec/daybreak/node"
)

// stopTime is how long a stopping server waits for answers under way.
const stopTime = 10 * time.Second

// Server is a listening server that does not answer yet.
type Server struct {
	// URL is where it listens.
	URL string

	http     *http.Server
	listener net.Listener
	certs    config.Server
	log      *slog.Logger
	cancel   context.CancelFunc
}

// Listen makes the token if there is none and takes the address. Who has the
// address beyond this machine is decided by package config.
func Listen(n *node.Node, c config.Server, version string, log *slog.Logger) (*Server, error) {
	token, err := token(n.Dir())
	if err != nil {
		return nil, err
	}
	scheme := "http"
	if c.TLSCert != "" {
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			return nil, fmt.Errorf("server.tls_cert and server.tls_key cannot be used: %w", err)
		}
		scheme = "https"
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w: choose another address in server.listen", c.Listen, errors.Unwrap(err))
	}
	// Requests in their handlers see the end by this context.
	ctx, cancel := context.WithCancel(context.Background())
	loopback := l.Addr().(*net.TCPAddr).IP.IsLoopback()
	return &Server{
		URL: scheme + "://" + l.Addr().String(),
		http: &http.Server{
			Handler:           guard(Handler(n, version, log), token, loopback),
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    maxHeader,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
			BaseContext:       func(net.Listener) context.Context { return ctx },
		},
		listener: l, certs: c, log: log, cancel: cancel,
	}, nil
}

// Run answers until ctx ends; then it takes no more requests, ends those that
// would go on for ever, and lets the others finish.
func (s *Server) Run(ctx context.Context) error {
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		s.cancel()
		grace, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		stopped <- s.http.Shutdown(grace)
	})
	var err error
	if s.certs.TLSCert != "" {
		err = s.http.ServeTLS(s.listener, s.certs.TLSCert, s.certs.TLSKey)
	} else {
		err = s.http.Serve(s.listener)
	}
	if stop() { // it ended by itself
		s.cancel()
		return fmt.Errorf("the HTTP server has failed: %w", err)
	}
	if err := <-stopped; err != nil {
		s.log.Warn("answers cut off", "after", stopTime)
		s.http.Close()
	}
	return nil
}

// token returns the API's token, making it on the first run.
func token(dir string) (string, error) {
	path := filepath.Join(dir, node.TokenFile)
	b, err := durable.ReadSecret(path)
	if errors.Is(err, fs.ErrNotExist) {
		text := rand.Text()
		return text, new(durable.Ops).WriteFile(path, []byte(text+"\n"), 0o600)
	}
	text := strings.TrimSpace(string(b))
	if err == nil && len(text) < 20 {
		return "", fmt.Errorf("%s holds no token: remove it to have a new one made", path)
	}
	return text, err
}

// strip shortens what a stranger sent to what can stand in a sentence.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, s[:min(len(s), 100)])
}
