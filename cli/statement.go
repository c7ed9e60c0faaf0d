// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/coverage"
	"github.com/daybreak-sec/daybreak/coverage/scorecard"
	"github.com/daybreak-sec/daybreak/coverage/statement"
	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/daybreak-sec/daybreak/node"
	"github.com/daybreak-sec/daybreak/readiness"
)

// statementFlags say what document to make and where it goes.
type statementFlags struct {
	on           bool
	tenant       string
	out          string
	html, pdf    string
	since, until time.Time
}

// check refuses flags that mean nothing without --statement.
func (f *statementFlags) check() error {
	if !f.on && (f.tenant != "" || f.out != "" || f.html != "" || f.pdf != "") {
		return usagef("--tenant, --out, --html and --pdf are of a statement: add --statement")
	}
	return nil
}

// statement fetches the signed statement and writes it as it is, and its report.
func (a *app) statement(ctx context.Context, f statementFlags) (err error) {
	doc, key, err := a.signed(ctx, func(c *client.Client) ([]byte, error) { return c.Statement(ctx, f.tenant, f.since, f.until) })
	if err != nil {
		return err
	}
	if err := a.writeDocument(f.out, doc); err != nil || f.html == "" && f.pdf == "" {
		return err
	}
	h, s, err := statement.OpenCoverage(doc, key)
	if err != nil {
		return fmt.Errorf("the server's statement does not hold: %w", err)
	}
	for _, report := range []struct {
		file  string
		write func(io.Writer, *statement.Head, *statement.Statement) error
	}{{f.html, statement.HTML}, {f.pdf, statement.PDF}} {
		if report.file == "" {
			continue
		}
		var b bytes.Buffer
		if err := report.write(&b, &h, s); err != nil {
			return err
		}
		if err := writeFile(report.file, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// signed fetches a signed document, and returns with it the keys beside the log.
func (a *app) signed(ctx context.Context, fetch func(*client.Client) ([]byte, error)) (doc []byte, keys []string, err error) {
	c, done, err := a.connect(ctx, "coverage")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	if doc, err = fetch(c); err != nil {
		return nil, nil, asUsage(err)
	}
	keys, err = a.readKeys(filepath.Join(a.data, node.PublicFile))
	return doc, keys, err
}

// writeDocument writes to a file, or to standard output without one.
func (a *app) writeDocument(out string, doc []byte) error {
	if out == "" || out == "-" {
		_, err := a.stdout.Write(doc)
		return err
	}
	return writeFile(out, doc)
}

func writeFile(name string, text []byte) error {
	if err := os.WriteFile(name, text, 0o644); err != nil {
		return usagef("%v", err)
	}
	return nil
}

// refutedStatement is what verify says of a statement that does not hold.
func (a *app) refutedStatement(err error) error {
	if a.json {
		if err := json.NewEncoder(a.stdout).Encode(map[string]any{"ok": false, "error": map[string]string{"kind": "statement", "text": err.Error()}}); err != nil {
			return err
		}
	}
	return fmt.Errorf("does not hold: the statement: %v", err)
}

// verifyStatement checks a signed document, and a coverage statement against the
// journal in dir if one is named.
func (a *app) verifyStatement(ctx context.Context, dir string, f verifyFlags) error {
	o, err := a.verifyOptions(f)
	if err != nil {
		return err
	}
	doc, err := a.readFile(f.statement, statement.MaxSize)
	if err != nil {
		return err
	}
	if len(o.Keys) == 0 {
		return usagef("--statement needs --key FILE: the log's verifier key, had from the log's owner and not with the statement")
	}
	switch title := statement.TitleOf(doc); title {
	case statement.ScorecardTitle, statement.ScorecardTitle1:
		var card scorecard.Scorecard
		return a.verifyMeasured(doc, dir, o.Keys, title, &card, func() string { return "the scorecard of " + stamp(card.Made) })
	case statement.ReadinessTitle:
		var d readiness.Document
		return a.verifyMeasured(doc, dir, o.Keys, title, &d, func() string { return fmt.Sprintf("the judgment %q of %s", d.Verdict, stamp(d.Made)) })
	}
	h, s, err := statement.OpenCoverage(doc, o.Keys)
	if err != nil {
		return a.refutedStatement(err)
	}
	if dir == "" {
		return a.holds(h, s, nil)
	}
	report, err := a.rederive(ctx, dir, o, s)
	if err != nil {
		return err
	}
	return a.holds(h, s, report)
}

// verifyMeasured checks who signed a document of measurements: these are not in the journal, and nothing more can be checked. body
// is what it is read into, and name says afterwards which it is.
func (a *app) verifyMeasured(doc []byte, dir string, keys []string, title statement.Title, body any, name func() string) error {
	if dir != "" {
		return usagef("it is of measurements, which the journal does not hold: leave out DIR")
	}
	h, err := statement.Open(doc, keys, title, body)
	if err != nil {
		return a.refutedStatement(err)
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"ok": true, "origin": h.Origin, "entries": h.Entries, "sha256": fmt.Sprintf("%x", h.Sum), "rederived": false})
	}
	_, err = fmt.Fprintf(a.stdout, "ok: %s is signed by the log %s (SHA-256 %x)\n", name(), h.Origin, h.Sum)
	return err
}

// rederive verifies the journal and makes the statement again from its acts.
func (a *app) rederive(ctx context.Context, dir string, o verify.Options, s *statement.Statement) (*verify.Report, error) {
	journal, _, err := findJournal(dir)
	if err != nil {
		return nil, err
	}
	acts := &statement.Acts{Entries: s.Log.Entries}
	o.Since, o.Want, o.Take = []byte(s.Log.Checkpoint), coverage.Ours, acts.Take
	p := a.startProgress("verify")
	o.Progress = func(at verify.Progress) {
		p.records.Store(int64(at.Records))
		p.total.Store(int64(at.TotalEntries))
		p.done.Store(int64(at.Entries))
	}
	report, err := verify.Dir(ctx, journal, o)
	p.end()
	if err != nil {
		return nil, a.refuted(err)
	}
	again, err := statement.Rederive(ctx, s, acts)
	if err != nil {
		return nil, err
	}
	if err := statement.Compare(s, again); err != nil {
		return nil, a.refutedStatement(err)
	}
	return &report, nil
}

// holds says what was proved; report is nil if the journal was not looked at.
func (a *app) holds(h statement.Head, s *statement.Statement, report *verify.Report) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			OK        bool             `json:"ok"`
			Origin    string           `json:"origin"`
			Entries   uint64           `json:"entries"`
			SHA256    string           `json:"sha256"`
			Rederived bool             `json:"rederived"`
			Intervals statement.States `json:"intervals"`
			Canaries  int              `json:"canaries_missing"`
		}{true, h.Origin, h.Entries, fmt.Sprintf("%x", h.Sum), report != nil, s.Totals.States, s.MissingCanaries()})
	}
	fmt.Fprintf(a.stdout, "ok: the statement of %s is signed by the log %s (%d log entries, SHA-256 %x)\n", stamp(s.Made), h.Origin, h.Entries, h.Sum)
	if line := s.CanaryLine(); s.MissingCanaries() > 0 {
		fmt.Fprintln(a.stdout, "    canaries:", line)
	}
	if report == nil {
		fmt.Fprintln(a.stdout, "    it was not held against the journal: name its directory for that")
		return nil
	}
	fmt.Fprintf(a.stdout, "    all of it follows from the acts in the journal, whose %s records are as they were sealed\n", thousands(int64(report.Records-report.GoneByPolicy)))
	return nil
}
