// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/mod/sumdb/note"
)

const (
	checkpointSuffix = ".checkpoint"
	temporarySuffix  = ".tmp"
)

// originHash names a log in file names and in the monitoring URL.
func originHash(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}

// lockDir makes sure that one process at a time keeps state in dir: with two,
// each would check a checkpoint against a memory that the other has moved on.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the witness folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s is in use by another witness process", dir)
	}
	return f, nil
}

// removeTemporary removes what a death between write and rename has left.
func removeTemporary(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, "*"+temporarySuffix))
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// readState reads the latest checkpoint of origin that we cosigned, and the
// second of our cosignature. A log never seen has the zero checkpoint and no
// note. A file that we did not sign ourselves is refused: signing on from it
// would let whoever wrote it choose what we call consistent.
func readState(path, origin string, own *cosigner) (stored []byte, c checkpoint, seconds uint64, err error) {
	stored, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, checkpoint{origin: origin, root: emptyRoot}, 0, nil
	}
	if err != nil {
		return nil, c, 0, fmt.Errorf("cannot read the latest checkpoint of %q: %w", origin, err)
	}
	n, err := note.Open(stored, note.VerifierList(own))
	if err != nil {
		return nil, c, 0, fmt.Errorf("%s does not carry this witness's own signature (%v): restore it, or start a new witness in an empty folder", path, err)
	}
	if c, err = parseCheckpoint(n.Text); err != nil {
		return nil, c, 0, fmt.Errorf("%s: %w", path, err)
	}
	if c.origin != origin {
		return nil, c, 0, fmt.Errorf("%s is a checkpoint of %q, not of %q", path, c.origin, origin)
	}
	return stored, c, timeOf(n.Sigs[0].Base64), nil
}

// replaceFile puts data at path so that after any crash path holds either what
// it held before or all of data, and after a nil return data is on stable
// storage.
func replaceFile(path string, data []byte) error {
	temporary := path + temporarySuffix
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	// Dying here leaves the temporary file, which the next start removes.
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	// Dying here leaves the old or the new file, each of them whole.
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
