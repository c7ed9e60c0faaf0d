// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/daybreak-sec/daybreak/internal/durable"
)

// Reference says where a secret is. It is not a secret itself and may be printed.
// Its zero value refers to nothing.
type Reference struct {
	kind, text string
	argv       []string
}

const maxSecret = 64 << 10 // bytes of a secret, a certificate chain included

var commandTime = 10 * time.Second // a command that has not answered by then is killed

// ParseReference reads one of
//
//	env:NAME                 an environment variable
//	file:PATH                a file that nobody but its owner may read
//	command:/PROGRAM ARG…    what a program prints; or ["/PROGRAM","ARG",…], where a
//	                         word holds blanks or quotes. No shell is involved.
func ParseReference(text string) (Reference, error) {
	kind, rest, ok := strings.Cut(text, ":")
	r := Reference{kind: kind, text: rest}
	switch {
	case !ok:
		// The text may be the secret itself, pasted: it is not repeated.
		return Reference{}, errors.New("a secret is given by reference: write env:NAME, file:PATH or command:/PROGRAM ARG…")
	case rest == "" || strings.ContainsRune(rest, 0):
		return Reference{}, fmt.Errorf("the reference %s: names nothing", printableKind(kind))
	case kind == "env":
		if strings.ContainsAny(rest, "= \t\r\n") {
			return Reference{}, errors.New("env: wants the name of an environment variable")
		}
	case kind == "file":
	case kind == "command":
		argv, err := splitCommand(rest)
		if err != nil {
			return Reference{}, err
		}
		r.argv = argv
	default:
		return Reference{}, errors.New("a secret is given by reference: write env:NAME, file:PATH or command:/PROGRAM ARG…")
	}
	return r, nil
}

func printableKind(kind string) string {
	switch kind {
	case "env", "file", "command":
		return kind
	}
	return redacted
}

func splitCommand(text string) ([]string, error) {
	var argv []string
	if strings.HasPrefix(text, "[") {
		if err := json.Unmarshal([]byte(text), &argv); err != nil {
			return nil, errors.New(`command: starts with a bracket but is no JSON array of strings: write ["/PROGRAM","ARG"]`)
		}
	} else {
		if strings.ContainsAny(text, `"'\`+"`$|&;<>*?\n") {
			return nil, errors.New(`command: is not run by a shell: where a word holds blanks, quotes or signs, write it as ["/PROGRAM","ARG"]`)
		}
		argv = strings.Fields(text)
	}
	if len(argv) == 0 || !filepath.IsAbs(argv[0]) {
		return nil, errors.New("command: wants a program by its whole path")
	}
	return argv, nil
}

// String returns the reference as it is written.
func (r Reference) String() string {
	if r.kind == "" {
		return ""
	}
	return r.kind + ":" + r.text
}

// name is the reference as errors and logs show it: without a command's arguments, in
// which somebody may have put what does not belong there.
func (r Reference) name() string {
	if len(r.argv) > 1 {
		return r.kind + ":" + r.argv[0] + " …"
	}
	return r.String()
}

// IsZero reports whether it refers to nothing.
func (r Reference) IsZero() bool { return r.kind == "" }

// UnmarshalText reads what [ParseReference] reads.
func (r *Reference) UnmarshalText(text []byte) (err error) {
	*r, err = ParseReference(string(text))
	return err
}

// MarshalText writes the reference.
func (r Reference) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Read fetches the secret anew. Line ends after it are dropped.
func (r Reference) Read(ctx context.Context) (Secret, error) {
	text, err := r.bytes(ctx, durable.ReadSecret)
	if err != nil {
		return Secret{}, fmt.Errorf("secret %s: %w", r.name(), err)
	}
	text = bytes.TrimRight(text, "\r\n")
	switch {
	case len(text) == 0:
		return Secret{}, fmt.Errorf("secret %s: is empty", r.name())
	case len(text) > maxSecret:
		return Secret{}, fmt.Errorf("secret %s: is longer than %d bytes", r.name(), maxSecret)
	}
	return NewSecret(string(text)), nil
}

// readPublic fetches what is no secret, such as a certificate: a file may be open to all.
func (r Reference) readPublic(ctx context.Context) ([]byte, error) {
	text, err := r.bytes(ctx, func(path string) ([]byte, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return io.ReadAll(io.LimitReader(f, maxSecret+1))
	})
	if err == nil && len(text) > maxSecret {
		err = fmt.Errorf("is longer than %d bytes", maxSecret)
	}
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", r.name(), err)
	}
	return text, nil
}

func (r Reference) bytes(ctx context.Context, read func(path string) ([]byte, error)) ([]byte, error) {
	switch r.kind {
	case "env":
		if text, ok := os.LookupEnv(r.text); ok {
			return []byte(text), nil
		}
		return nil, errors.New("the environment variable is not set")
	case "file":
		text, err := read(r.text)
		if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
			return nil, pathErr.Err // the path is in the reference
		}
		return text, err
	case "command":
		return run(ctx, r.argv)
	}
	return nil, errors.New("no secret is configured")
}

// run returns what a program prints. What it says on standard error is not kept: it
// may hold the secret.
func run(ctx context.Context, argv []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	out := &capped{cancel: cancel}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = out
	// The program and its children, so that none of them keeps the pipe open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	exit := (*exec.ExitError)(nil)
	switch {
	case out.over:
		return nil, fmt.Errorf("the command prints more than %d bytes", maxSecret)
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("the command has not ended within %v", commandTime)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &exit):
		return nil, fmt.Errorf("the command failed: %v", exit.ProcessState)
	case err != nil:
		return nil, fmt.Errorf("the command cannot be run: %w", err)
	}
	return out.text, nil
}

// capped keeps the first bytes written to it and ends the writer at more.
type capped struct {
	text   []byte
	over   bool
	cancel func()
}

func (c *capped) Write(p []byte) (int, error) {
	if len(c.text)+len(p) > maxSecret+2 {
		c.over = true
		c.cancel()
		return 0, errors.New("too much output")
	}
	c.text = append(c.text, p...)
	return len(p), nil
}
