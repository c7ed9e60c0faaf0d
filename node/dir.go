// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/daybreak-sec/daybreak/internal/durable"
)

// What stands in a data directory. Only JournalDir holds evidence; keys can be
// replaced, everything else can be made anew.
const (
	JournalDir  = "journal"      // evidence
	DedupeDir   = "dedupe"       // ids of the records in the journal
	LakeDir     = "lake"         // searchable rows
	ControlFile = "control.db"   // catalog of the lake, positions, drift
	KeyFile     = "keys/log.key" // signs the log, 0600
	PublicFile  = "log.pub"      // verifier keys of the log, the newest last
	TokenFile   = "api.token"    // bearer token of the API, 0600
	AddressFile = "api.address"  // where the API of the holder listens
	lockFile    = "lock"
)

// DirError says in one sentence why a data directory cannot be used and what to
// change.
type DirError struct {
	Msg string
}

func (e *DirError) Error() string { return e.Msg }

// HeldError says that another process holds the data directory.
type HeldError struct {
	Dir  string
	PID  int    // 0 if the lock does not say
	Role string // the command that it runs; empty if it has no API
	API  string // URL of the holder's API; empty if it has none
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is in use by process %d: only one process writes to a data directory, wait for it or stop it", e.Dir, e.PID)
}

// Holder returns the process that holds dir, if one does; it makes nothing.
func Holder(dir string) (*HeldError, bool) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDONLY, 0)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return held(dir), true
	}
	return nil, false
}

// Token returns the API's token.
func Token(dir string) (string, error) {
	b, err := durable.ReadSecret(filepath.Join(dir, TokenFile))
	if err != nil {
		return "", fmt.Errorf("the server's token cannot be read: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

func held(dir string) *HeldError {
	e := &HeldError{Dir: dir}
	if b, err := os.ReadFile(filepath.Join(dir, lockFile)); err == nil {
		e.PID, _ = strconv.Atoi(strings.TrimSpace(string(b[:min(len(b), 20)])))
	}
	// The address counts only if the same process wrote it.
	if b, err := os.ReadFile(filepath.Join(dir, AddressFile)); err == nil {
		if f := strings.Fields(string(b)); len(f) == 3 && f[0] == strconv.Itoa(e.PID) {
			e.Role, e.API = f[1], f[2]
		}
	}
	return e
}

// hold takes the data directory for this process, making it if there is none.
func hold(dir string) (*durable.Lock, error) {
	var ops durable.Ops
	if err := ops.MkdirAll(dir, 0o750); err != nil {
		return nil, dirError(dir, err)
	}
	lock, err := ops.Lock(filepath.Join(dir, lockFile))
	if errors.Is(err, durable.ErrLocked) {
		return nil, held(dir)
	}
	if err != nil {
		return nil, dirError(dir, err)
	}
	return lock, nil
}

// dirError turns what the system says about the data directory into advice.
func dirError(dir string, err error) error {
	switch {
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return &DirError{fmt.Sprintf("%s cannot be written to (%v): give this user the right to, or name another directory with --data", dir, cause(err))}
	case durable.NoSpace(err):
		return &DirError{fmt.Sprintf("the disk of %s is full (%v): make room and run this again, nothing that was reported as stored is lost", dir, cause(err))}
	case errors.Is(err, syscall.ENOTDIR):
		return &DirError{fmt.Sprintf("%s is not a directory: name one with --data", dir)}
	}
	return fmt.Errorf("data directory %s: %w", dir, err)
}

func cause(err error) error {
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return errno
	}
	return err
}

// Announce writes down where the API of this process listens, for other
// processes of the same user; the returned function takes it back.
func (n *Node) Announce(url string) (func(), error) {
	path := filepath.Join(n.dir, AddressFile)
	line := fmt.Sprintf("%d %s %s\n", os.Getpid(), n.role, url)
	if err := new(durable.Ops).WriteFile(path, []byte(line), 0o600); err != nil {
		return nil, dirError(n.dir, err)
	}
	return func() { os.Remove(path) }, nil
}
