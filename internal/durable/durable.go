// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package durable makes changes to files that are still there after a power cut.
//
// A function here returns nil only after an fsync of whatever it changed: of the
// file for its bytes, of the directory for its names. If it returns an error, the
// change may or may not be on disk, and asking again proves nothing: after a
// failed fsync Linux marks the pages clean, so that a second one succeeds over
// lost data (Rebello et al., "Can Applications Recover from fsync Failures?",
// USENIX ATC 2020). [File] therefore refuses everything after the first failure;
// the caller starts over from what it reads back from disk.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Ops carries out file operations. Its zero value is the real thing.
type Ops struct {
	// Wrap, if set, stands around every single operation of a test: op is the
	// system call's name. It decides whether do happens and what is reported.
	Wrap func(op, path string, do func() error) error
}

func (o Ops) run(op, path string, do func() error) error {
	if o.Wrap == nil {
		return do()
	}
	return o.Wrap(op, path, do)
}

// SyncDir makes the names in dir durable.
func (o Ops) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return o.run("fsync-dir", dir, f.Sync)
}

// MkdirAll creates dir and what is missing above it.
func (o Ops) MkdirAll(dir string, perm fs.FileMode) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is a file and should be a directory", dir)
		}
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := o.MkdirAll(parent, perm); err != nil {
		return err
	}
	err := o.run("mkdir", dir, func() error { return os.Mkdir(dir, perm) })
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return o.SyncDir(parent)
}

// WriteFile puts a file with this content in place, whole or not at all. A crash
// can leave path + ".tmp" behind.
func (o Ops) WriteFile(path string, data []byte, perm fs.FileMode) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	err = o.run("write", tmp, func() error { _, err := f.Write(data); return err })
	if err == nil {
		err = o.run("fsync", tmp, f.Sync)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(tmp) // best effort: nobody reads it
		return err
	}
	return o.Rename(tmp, path)
}

// Rename moves a file within its directory.
func (o Ops) Rename(from, to string) error {
	if err := o.run("rename", to, func() error { return os.Rename(from, to) }); err != nil {
		return err
	}
	return o.SyncDir(filepath.Dir(to))
}

// Remove deletes a file; one that is not there is no error.
func (o Ops) Remove(path string) error {
	err := o.run("unlink", path, func() error { return os.Remove(path) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return o.SyncDir(filepath.Dir(path))
}

// Truncate cuts a file to size.
func (o Ops) Truncate(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := o.run("truncate", path, func() error { return f.Truncate(size) }); err != nil {
		return err
	}
	return o.run("fsync", path, f.Sync)
}

// Room returns an error of the kind that [NoSpace] knows if fewer than want bytes
// are free for us on the disk that holds dir.
func Room(dir string, want uint64) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if free := fs.Bavail * uint64(fs.Bsize); free < want {
		return fmt.Errorf("%s: %d bytes free, want %d: %w", dir, free, want, syscall.ENOSPC)
	}
	return nil
}

// NoSpace reports whether err says that the disk or the quota is full.
func NoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
