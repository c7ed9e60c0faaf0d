// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// File is a file that only grows. It is for one goroutine.
type File struct {
	ops  Ops
	f    *os.File
	size int64
	err  error // the first failure; nothing happens after it
}

// Create makes an empty file that does not exist yet. The name is durable when
// it returns.
func (o Ops) Create(path string, perm os.FileMode) (*File, error) {
	var f *os.File
	err := o.run("create", path, func() (err error) {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
		return err
	})
	if err == nil {
		err = o.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, err
	}
	return &File{ops: o, f: f}, nil
}

// Append opens a file for growing at its end.
func (o Ops) Append(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{ops: o, f: f, size: size}, nil
}

// Size is where the next byte goes.
func (f *File) Size() int64 { return f.size }

// Write appends p; it is not durable before [File.Sync].
func (f *File) Write(p []byte) (int, error) {
	return len(p), f.step("write", func() error {
		n, err := f.f.Write(p)
		f.size += int64(n)
		return err
	})
}

// Sync makes everything written so far durable.
func (f *File) Sync() error { return f.step("fsync", f.f.Sync) }

func (f *File) step(op string, do func() error) error {
	if f.err != nil {
		return fmt.Errorf("%s: not tried after an earlier failure: %w", f.f.Name(), f.err)
	}
	f.err = f.ops.run(op, f.f.Name(), do)
	return f.err
}

// Close closes the file without making anything durable.
func (f *File) Close() error { return f.f.Close() }
