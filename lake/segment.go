// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"container/list"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/daybreak-sec/daybreak/event"
)

// The shape of a segment file.
const (
	// PageRows is the number of rows of every page of every column but the
	// last of a row group: page p of each column holds the same rows.
	PageRows = 8192
	// RowGroupRows is the greatest number of rows of a row group.
	RowGroupRows = 65536
)

// Segment is an immutable Parquet file of the lake: one tenant's rows of one
// day, sorted by user and time, or, if Staged, rows of any tenants and days.
type Segment struct {
	ID       int64  // the segment's number; never used again
	Path     string // where the file is
	Bytes    int64  // the file's size
	Checksum uint32 // the file's CRC-32C
	Rows     int64

	// Staged says that the rows wait in DATA/lake/staging to be sorted into
	// their days; Tenant and Day are not set then.
	Staged bool
	Tenant string
	Day    Day

	MinTime, MaxTime int64    // bounds of the column time, Unix milliseconds
	First, Last      event.ID // bounds of the rows' event ids

	// Of the lake that the segment belongs to, under its mu:
	pins    int           // snapshots and merges that read the file
	dropped bool          // no longer in the catalog: unlink at the last unpin
	damaged bool          // does not take part in merges
	since   time.Time     // when this process learned of it
	recent  *list.Element // its place among the open files

	mu   sync.Mutex
	file *os.File
	open *parquet.File
}

// Day is a day in UTC: the number of days since 1970-01-01.
type Day int32

// DayOf returns the day of a time in Unix milliseconds.
func DayOf(ms int64) Day {
	const day = 24 * 60 * 60 * 1000
	d := ms / day
	if ms%day < 0 {
		d--
	}
	// A time that no clock shows belongs to the last day that a date can tell.
	return Day(min(max(d, minDay), maxDay))
}

// The days that have a four-digit year.
const (
	minDay = -719162 // 0001-01-01
	maxDay = 2932896 // 9999-12-31
)

// String returns the form 2006-01-02.
func (d Day) String() string {
	return time.Unix(int64(d)*24*60*60, 0).UTC().Format(time.DateOnly)
}

// File returns the segment's file, open for reading by any number of
// goroutines. It stays open at least as long as the snapshot that the segment
// was taken from. An error says that the file is damaged and names it.
func (s *Segment) File() (*parquet.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		return s.open, nil
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, fmt.Errorf("lake segment cannot be read: %w", err)
	}
	p, err := parquet.OpenFile(f, s.Bytes, parquet.SkipBloomFilters(true))
	if err != nil {
		f.Close()
		return nil, &DamagedError{Segment: s, Err: err}
	}
	s.file, s.open = f, p
	return p, nil
}

// isOpen says whether the file is open.
func (s *Segment) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file != nil
}

// close forgets the open file.
func (s *Segment) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		s.file.Close()
		s.file, s.open = nil, nil
	}
}

// DamagedError says that a segment's file is not what was written. Tell
// [Lake.MarkDamaged] of it.
type DamagedError struct {
	Segment *Segment
	Err     error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("lake segment %s is damaged: %v", filepath.Base(e.Segment.Path), e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// dir returns the segment's directory below the lake's.
func (s *Segment) dir() string {
	if s.Staged {
		return stagingDir
	}
	return filepath.Join("tenant="+escape(s.Tenant), "day="+s.Day.String())
}

// name returns the file's name.
func (s *Segment) name() string {
	return fmt.Sprintf("%v-%v-%d.parquet", s.First, s.Last, s.ID)
}

const stagingDir = "staging"

// escape makes a directory name of a tenant in the way of Hive: what not every
// file system takes in a name is percent-encoded, and the empty tenant has the
// name that Hive gives to NULL. A name too long for a file system is cut and
// told apart by its hash.
func escape(tenant string) string {
	if tenant == "" {
		return "__HIVE_DEFAULT_PARTITION__"
	}
	var b strings.Builder
	for _, c := range []byte(tenant) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '-', c == '_', c == '.', c == '@':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= 160 {
		return b.String()
	}
	hash := sha256.Sum256([]byte(tenant))
	return fmt.Sprintf("%s~%x", b.String()[:120], hash[:16])
}
