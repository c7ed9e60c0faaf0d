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
	Dir string
	PID int    // 0 if the lock does not say
	API string // URL of the holder's API; empty if it has none
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is in use by process %d: only one process writes to a data directory, wait for it or stop it", e.Dir, e.PID)
}

// Address returns where the API of the process that holds dir listens, if one
// holds it and has an API.
func Address(dir string) (url string, ok bool) {
	err := probe(dir)
	held := (*HeldError)(nil)
	if !errors.As(err, &held) || held.API == "" {
		return "", false
	}
	return held.API, true
}

// Token returns the API's token.
func Token(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, TokenFile))
	if err != nil {
		return "", fmt.Errorf("the server's token cannot be read: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// probe returns a HeldError if somebody holds dir, without making anything.
func probe(dir string) error {
	path := filepath.Join(dir, lockFile)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return held(dir)
	}
	return nil
}

func held(dir string) *HeldError {
	e := &HeldError{Dir: dir}
	if b, err := os.ReadFile(filepath.Join(dir, lockFile)); err == nil {
		e.PID, _ = strconv.Atoi(strings.TrimSpace(string(b[:min(len(b), 20)])))
	}
	// The address counts only if the same process wrote it.
	if b, err := os.ReadFile(filepath.Join(dir, AddressFile)); err == nil {
		pid, url, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
		if pid == strconv.Itoa(e.PID) {
			e.API = url
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
	line := fmt.Sprintf("%d %s\n", os.Getpid(), url)
	if err := new(durable.Ops).WriteFile(path, []byte(line), 0o600); err != nil {
		return nil, dirError(n.dir, err)
	}
	return func() { os.Remove(path) }, nil
}
