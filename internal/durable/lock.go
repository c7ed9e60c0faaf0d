// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrLocked is wrapped by the error of [Ops.Lock] when somebody else holds the lock.
var ErrLocked = errors.New("locked by another process")

// Lock is an exclusive flock(2) on a file, given up when the process ends however
// it ends. The file holds the owner's process id for people to read.
type Lock struct {
	ops  Ops
	f    *os.File
	path string
	// Existed says that the file was there before: an owner died with it, or
	// has given it up with [Lock.Release].
	Existed bool
}

// Lock takes the lock at path without waiting for it.
func (o Ops) Lock(path string) (*Lock, error) {
	for {
		l, err := o.tryLock(path)
		if l != nil || err != nil {
			return l, err
		}
	}
}

// tryLock returns nothing if the file was removed while the lock was taken.
func (o Ops) tryLock(path string) (*Lock, error) {
	l := &Lock{ops: o, path: path}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if errors.Is(err, fs.ErrExist) {
		l.Existed = true
		f, err = os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	l.f = f
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s: %w%s", path, ErrLocked, owner(path))
		}
		return nil, fmt.Errorf("%s: %v", path, err)
	}
	mine, err1 := f.Stat()
	named, err2 := os.Stat(path)
	if err1 != nil || err2 != nil || !os.SameFile(mine, named) {
		f.Close() // the owner removed the name between our open and our flock
		return nil, nil
	}
	if err := l.sign(); err != nil {
		f.Close()
		return nil, err
	}
	return l, nil
}

func (l *Lock) sign() error {
	if err := l.f.Truncate(0); err != nil {
		return err
	}
	if _, err := l.f.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0); err != nil {
		return err
	}
	return l.ops.SyncDir(filepath.Dir(l.path))
}

// owner says who holds the lock, as far as the file tells.
func owner(path string) string {
	b, err := os.ReadFile(path)
	pid, err2 := strconv.Atoi(strings.TrimSpace(string(b[:min(len(b), 20)])))
	if err != nil || err2 != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// Release gives the lock up and leaves the file.
func (l *Lock) Release() error { return l.f.Close() }

// Remove deletes the file, durably, and gives the lock up.
func (l *Lock) Remove() error {
	return errors.Join(l.ops.Remove(l.path), l.f.Close())
}
