// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/config"
	"github.com/daybreak-sec/daybreak/journal/witness"
)

type witnessFlags struct {
	listen, name, cert, key string
	logs                    []string
}

func (a *app) witnessCommand() *cobra.Command {
	var f witnessFlags
	cmd := &cobra.Command{
		Use:   "witness",
		Short: "Cosign other people's logs, and they yours (C2SP tlog-witness)",
		Long: `Witness remembers the latest checkpoint of each log it watches and cosigns a new
one only if the log proves that it extends the remembered one: so the owner of a log
cannot rewrite what a witness has seen. It speaks C2SP tlog-witness and works for any
log that does.

Each --log names a file with the verifier keys of one log, one a line: for a Daybreak
log its log.pub. Standard output is the witness's own verifier key, which the log's
owner writes into a witness policy ("witness.policy" of the configuration). Key and
memory are kept under --data in the folder "witness".`,
		Args: args(cobra.NoArgs, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.witness(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8675", "`address` and port")
	cmd.Flags().StringVar(&f.name, "name", "", "the witness's `name`, a URL without schema, on the first run (default made up)")
	cmd.Flags().StringArrayVar(&f.logs, "log", nil, "`file` with the verifier keys of a log to watch")
	cmd.Flags().StringVar(&f.cert, "tls-cert", "", "PEM `file` of the certificate, needed beyond loopback")
	cmd.Flags().StringVar(&f.key, "tls-key", "", "PEM `file` of the certificate's key")
	return cmd
}

func (a *app) witness(ctx context.Context, f witnessFlags) error {
	host, _, err := net.SplitHostPort(f.listen)
	switch {
	case err != nil:
		return usagef("--listen is %q: want address:port, for example 127.0.0.1:8675", f.listen)
	case (f.cert == "") != (f.key == ""):
		return usagef("--tls-cert and --tls-key must be given together")
	case f.cert == "" && !config.Loopback(host):
		return usagef("--listen is %q, which other machines reach: give --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy that has them", f.listen)
	}
	w, err := a.openWitness(f)
	if err != nil {
		return usagef("%v", err)
	}
	defer w.Close()
	l, err := net.Listen("tcp", f.listen)
	if err != nil {
		return usagef("cannot listen on %s: %v", f.listen, errors.Unwrap(err))
	}
	if a.json {
		err = json.NewEncoder(a.stdout).Encode(map[string]string{"key": w.VerifierKey(), "address": l.Addr().String()})
	} else {
		_, err = fmt.Fprintln(a.stdout, w.VerifierKey())
	}
	if err != nil {
		return err
	}
	a.say("listening on %s, watching %d logs", l.Addr(), len(f.logs))
	return serveUntil(ctx, l, w.Handler(), f.cert, f.key)
}

func (a *app) openWitness(f witnessFlags) (*witness.Witness, error) {
	o := witness.Options{Dir: filepath.Join(a.data, "witness"), Name: f.name, Logger: a.logger(slog.LevelInfo)}
	if _, err := os.Stat(filepath.Join(o.Dir, "key")); errors.Is(err, fs.ErrNotExist) && o.Name == "" {
		o.Name = "daybreak.local/witness/" + strings.ToLower(rand.Text()[:12])
	}
	for _, file := range f.logs {
		keys, err := a.readKeys(file)
		if err != nil {
			return nil, err
		}
		o.Logs = append(o.Logs, witness.Log{Keys: keys})
	}
	return witness.New(o)
}

// serveUntil answers requests until ctx ends, and lets those under way finish.
func serveUntil(ctx context.Context, l net.Listener, h http.Handler, cert, key string) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Shutdown(grace) // what is cut off asks again
	})
	var err error
	if cert != "" {
		err = s.ServeTLS(l, cert, key)
	} else {
		err = s.Serve(l)
	}
	if stop() {
		return err
	}
	<-stopped
	return nil
}
