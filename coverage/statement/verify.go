// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/daybreak-sec/daybreak/act"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/store"
)

// OpenCoverage checks a coverage statement as [Open] does, in any version of its form, and what it says of the log against its
// note.
func OpenCoverage(doc []byte, keys []string) (h Head, s *Statement, err error) {
	s = new(Statement)
	title := CoverageTitle
	if TitleOf(doc) == coverageTitle1 {
		title = coverageTitle1
	}
	if h, err = Open(doc, keys, title, s); err != nil {
		return h, nil, err
	}
	if s.first() != (title == coverageTitle1) {
		return h, nil, errors.New("its body is not of the version that its title names")
	}
	return h, s, CheckLog(h, s.Log)
}

// first reports whether a statement is of the first version, which says nothing of canaries.
func (s *Statement) first() bool { return s.Canaries == nil }

// CheckLog checks what a document's body says of the log against its note.
func CheckLog(h Head, log Log) error {
	if log.Origin != h.Origin || log.Entries != h.Entries {
		return fmt.Errorf("its body is of %d entries of the log %.80q, its note of %d of %.80q", log.Entries, log.Origin, h.Entries, h.Origin)
	}
	size, err := checkpointSize(log)
	if err != nil {
		return err
	}
	if size < log.Entries {
		return fmt.Errorf("its checkpoint covers %d entries of the log, fewer than the %d that it is made of", size, log.Entries)
	}
	return nil
}

// checkpointSize reads the first lines of a checkpoint. Its signatures are checked where it is
// held against the log.
func checkpointSize(log Log) (uint64, error) {
	lines := strings.SplitN(log.Checkpoint, "\n", 3)
	if len(lines) < 3 || lines[0] != log.Origin {
		return 0, errors.New("its checkpoint is not of the log that it names")
	}
	size, err := strconv.ParseUint(lines[1], 10, 63)
	if err != nil {
		return 0, errors.New("its checkpoint names no size of the log")
	}
	return size, nil
}

// Acts gathers the acts of a log's first entries, as verify.Options.Take is given them.
type Acts struct {
	Entries uint64 // acts of later entries are passed over
	list    []coverage.Entry
	last    event.ID
	gone    string // the first act whose bytes are gone
}

// Take takes one record of the platform's own in; nil is one whose bytes are gone. An act that cannot be read is
// passed over, as it was when the statement was made. What comes again from the
// start replaces what came before.
func (a *Acts) Take(id event.ID, raw []byte) {
	if !a.last.Less(id) {
		a.list, a.gone = nil, ""
	}
	a.last = id
	if id.Batch >= a.Entries {
		return
	}
	if raw == nil {
		if a.gone == "" {
			a.gone = id.String()
		}
		return
	}
	if parsed, err := act.Parse(raw); err == nil {
		a.list = append(a.list, coverage.Entry{ID: id, Act: parsed})
	}
}

// groupActs is how many acts are taken in in one transaction.
const groupActs = 5000

// Rederive makes the statement that the acts give for the same question.
func Rederive(ctx context.Context, s *Statement, acts *Acts) (_ *Statement, err error) {
	if acts.gone != "" {
		return nil, fmt.Errorf("the bytes of the act %s were deleted by the journal's retention: the statement cannot be derived again", acts.gone)
	}
	dir, err := os.MkdirTemp("", "daybreak-statement-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := store.Open(ctx, filepath.Join(dir, "derived.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := coverage.Open(ctx, db, coverage.Options{})
	if err != nil {
		return nil, err
	}
	for list := acts.list; ; {
		n := min(len(list), groupActs)
		if err := c.Apply(ctx, s.Log.Entries, list[:n]); err != nil {
			return nil, err
		}
		if list = list[n:]; len(list) == 0 {
			break
		}
	}
	q := Query(s.Since, s.Until, s.Made, s.expected())
	r, err := c.Report(ctx, q)
	if err != nil {
		return nil, err
	}
	if s.first() {
		r.Canaries = nil
	}
	return Of(r, q, s.Tenant, s.Log), nil
}

// Compare returns nil if a statement says what the acts say, or else the first thing
// that it says and they do not.
func Compare(said, derived *Statement) error {
	for i := range said.Streams {
		if i >= len(derived.Streams) {
			return fmt.Errorf("stream %s of %s: the log has no act of it", said.Streams[i].Stream, said.Streams[i].Tenant)
		}
		if err := compareStreams(&said.Streams[i], &derived.Streams[i]); err != nil {
			return err
		}
	}
	if len(derived.Streams) > len(said.Streams) {
		s := &derived.Streams[len(said.Streams)]
		return fmt.Errorf("stream %s of %s is left out, and the log has acts of it", s.Stream, s.Tenant)
	}
	return same("the statement as a whole", said, derived)
}

func compareStreams(said, derived *Stream) error {
	name := fmt.Sprintf("stream %s of %s", said.Stream, said.Tenant)
	if said.Tenant != derived.Tenant || said.Stream != derived.Stream {
		return fmt.Errorf("%s: the log has acts of stream %s of %s there", name, derived.Stream, derived.Tenant)
	}
	for i := range said.Runs {
		if i >= len(derived.Runs) {
			return fmt.Errorf("%s, %s: the statement says more than the acts do", name, said.Runs[i].When())
		}
		a, b := &said.Runs[i], &derived.Runs[i]
		if a.State != b.State || a.Reason != b.Reason || a.Subject != b.Subject || !a.From.Equal(b.From) || !a.To.Equal(b.To) {
			return fmt.Errorf("%s: the statement says that %s is %s, the acts say that %s is %s", name, a.When(), a.Word(), b.When(), b.Word())
		}
		if err := same(fmt.Sprintf("%s, %s: what is said of its blobs, records and evidence", name, a.When()), a, b); err != nil {
			return err
		}
	}
	return same(name, said, derived)
}

func same(what string, said, derived any) error {
	a, err := encode(said)
	if err != nil {
		return err
	}
	b, err := encode(derived)
	if err != nil {
		return err
	}
	if string(a) != string(b) {
		return fmt.Errorf("%s is not what the acts in the log say", what)
	}
	return nil
}

// When says in words which time a run is of.
func (r *Run) When() string {
	const form = "2006-01-02 15:04Z"
	return r.From.UTC().Format(form) + " – " + r.To.UTC().Format(form)
}

// Word says the state with its reason and its subject.
func (r *Run) Word() string {
	switch {
	case r.Reason == "":
		return r.State
	case r.Subject == "":
		return r.State + " (" + r.Reason + ")"
	}
	return r.State + " (" + r.Reason + ": " + r.Subject + ")"
}
