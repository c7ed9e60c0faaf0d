// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daybreak-sec/daybreak/journal/verify"
	"github.com/daybreak-sec/daybreak/node"
)

// maxKeyFile caps files of keys and checkpoints, maxProof a bundle: the largest
// record, 1 GiB, in base64 and some more.
const (
	maxKeyFile = 1 << 20
	maxProof   = 3 << 29
)

type verifyFlags struct {
	keys, witnesses []string
	quorum          int
	since, proof    string
	statement       string
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [DIR]",
		Short: "Re-derive the whole log, or one proof, without trusting who wrote it",
		Long: `Verify reads the evidence files alone and checks every byte of them: signatures,
tree, receipts, raw records, and that nothing is missing or added. DIR is a data
directory or its journal (default: --data). With --proof it checks one bundle of
"daybreak prove" instead, and with --statement a signed statement of "daybreak coverage
--statement": its signature and form, and if DIR is given that all it says follows from
the acts in the journal there.

--key names a file with the log's verifier keys, one a line, that you had from the
log's owner by another way. Without it the key that lies beside the log is used: that
shows that the log agrees with itself, not whose it is. A checkpoint that you kept
(--since-checkpoint) or witnesses (--witness) show that it is the log of yesterday.`,
		Args: args(cobra.MaximumNArgs(1), "at most one directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.statement != "" {
				if f.proof != "" || f.since != "" {
					return usagef("--statement checks one statement: leave out --proof and --since-checkpoint")
				}
				return a.verifyStatement(cmd.Context(), strings.Join(args, ""), f)
			}
			if f.proof != "" {
				if len(args) > 0 || f.since != "" {
					return usagef("--proof checks one bundle: leave out DIR and --since-checkpoint")
				}
				return a.verifyProof(f)
			}
			dir := a.data
			if len(args) > 0 {
				dir = args[0]
			}
			return a.verifyDir(cmd.Context(), dir, f)
		},
	}
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "`file` with verifier keys of the log")
	cmd.Flags().StringVar(&f.since, "since-checkpoint", "", "`file` with a checkpoint kept from earlier that the log must continue")
	cmd.Flags().StringVar(&f.proof, "proof", "", "`file` with a bundle of \"daybreak prove\"")
	cmd.Flags().StringVar(&f.statement, "statement", "", "`file` with a signed statement")
	cmd.Flags().StringArrayVar(&f.witnesses, "witness", nil, "`file` with verifier keys of witnesses that must have cosigned")
	cmd.Flags().IntVar(&f.quorum, "quorum", 0, "how many of the witnesses must have (default all)")
	return cmd
}

// options reads the files that the flags name.
func (a *app) verifyOptions(f verifyFlags) (o verify.Options, err error) {
	o.Quorum = f.quorum
	for _, file := range f.keys {
		keys, err := a.readKeys(file)
		if err != nil {
			return o, err
		}
		o.Keys = append(o.Keys, keys...)
	}
	for _, file := range f.witnesses {
		keys, err := a.readKeys(file)
		if err != nil {
			return o, err
		}
		o.Witnesses = append(o.Witnesses, keys...)
	}
	if f.since != "" {
		if o.Since, err = a.readFile(f.since, maxKeyFile); err != nil {
			return o, err
		}
	}
	return o, nil
}

// readKeys reads verifier keys, one a line; "#" begins a comment.
func (a *app) readKeys(file string) ([]string, error) {
	text, err := a.readFile(file, maxKeyFile)
	if err != nil {
		return nil, err
	}
	var keys []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	if len(keys) == 0 {
		return nil, usagef("%s holds no verifier key", file)
	}
	return keys, nil
}

func (a *app) readFile(file string, most int64) ([]byte, error) {
	r := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, usagef("%v", err)
		}
		defer f.Close()
		r = f
	}
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, usagef("%v", err)
	}
	if int64(len(text)) > most {
		return nil, usagef("%s is larger than %s bytes", file, thousands(most))
	}
	return text, nil
}

func (a *app) verifyDir(ctx context.Context, dir string, f verifyFlags) error {
	o, err := a.verifyOptions(f)
	if err != nil {
		return err
	}
	journal, beside, err := findJournal(dir)
	if err != nil {
		return err
	}
	if len(o.Keys) == 0 {
		if keys, err := a.readKeys(beside); err == nil {
			o.Keys = keys
			a.say("the key is the one beside the log (%s): this shows that the log agrees with itself; give --key with the key from its owner to show whose it is", beside)
		} else {
			a.say("no key was given and none lies beside the log: its own first entry is believed")
		}
	}
	p := a.startProgress("verify")
	o.Progress = func(at verify.Progress) {
		p.records.Store(int64(at.Records))
		p.total.Store(int64(at.TotalEntries))
		p.done.Store(int64(at.Entries))
	}
	start := time.Now()
	report, err := verify.Dir(ctx, journal, o)
	p.end()
	if err != nil {
		return a.refuted(err)
	}
	for _, w := range report.Warnings {
		a.say("note: %s", w)
	}
	held := report.Records - report.GoneByPolicy
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			OK     bool   `json:"ok"`
			Events uint64 `json:"events"`
			verify.Report
		}{true, held, report})
	}
	fmt.Fprintf(a.stdout, "ok: %s records are as they were sealed (%s, %d log entries, %s)\n",
		thousands(int64(held)), report.Checkpoint.Origin, report.Checkpoint.Size, time.Since(start).Round(time.Millisecond))
	if report.GoneByPolicy > 0 {
		fmt.Fprintf(a.stdout, "    %s more are gone by policy; their receipts hold\n", thousands(int64(report.GoneByPolicy)))
	}
	if report.Since != nil {
		fmt.Fprintf(a.stdout, "    it continues the checkpoint of size %d\n", report.Since.Size)
	}
	if len(report.Witnesses) > 0 {
		fmt.Fprintf(a.stdout, "    cosigned by %d witnesses\n", len(report.Witnesses))
	}
	return nil
}

// findJournal accepts a data directory or the journal in it, and says where the
// key beside it would be.
func findJournal(dir string) (journal, key string, err error) {
	st, err := os.Stat(dir)
	if err != nil {
		return "", "", usagef("%v", err)
	}
	if !st.IsDir() {
		return "", "", usagef("%s is not a directory", dir)
	}
	if _, err := os.Stat(filepath.Join(dir, node.JournalDir)); err == nil {
		return filepath.Join(dir, node.JournalDir), filepath.Join(dir, node.PublicFile), nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", "", usagef("%v", err)
	}
	return dir, filepath.Join(dir, "..", node.PublicFile), nil
}

// refuted reports what does not hold.
func (a *app) refuted(err error) error {
	fault := (*verify.Error)(nil)
	if !errors.As(err, &fault) {
		if errors.Is(err, context.Canceled) {
			return errors.New("interrupted: nothing is proved")
		}
		return usagef("%v", err)
	}
	if a.json {
		if err := json.NewEncoder(a.stdout).Encode(struct {
			OK    bool          `json:"ok"`
			Error *verify.Error `json:"error"`
		}{false, fault}); err != nil {
			return err
		}
	}
	return fmt.Errorf("does not hold: %v", fault)
}

func (a *app) verifyProof(f verifyFlags) error {
	if len(f.keys) == 0 {
		return usagef("--proof needs --key FILE: the log's verifier key, had from the log's owner and not with the proof")
	}
	o, err := a.verifyOptions(f)
	if err != nil {
		return err
	}
	bundle, err := a.readFile(f.proof, maxProof)
	if err != nil {
		return err
	}
	p, err := verify.Proof(bundle, o)
	if err != nil {
		return a.refuted(err)
	}
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			OK         bool              `json:"ok"`
			Events     int               `json:"events"`
			Event      string            `json:"event"`
			Tenant     string            `json:"tenant"`
			Family     string            `json:"family"`
			VendorID   string            `json:"vendor_id"`
			Committed  time.Time         `json:"committed"`
			Raw        bool              `json:"raw"`
			Witnesses  []string          `json:"witnesses"`
			Key        string            `json:"key"`
			Checkpoint verify.Checkpoint `json:"checkpoint"`
		}{true, 1, p.Event.String(), p.Origin.Tenant, string(p.Origin.Family), string(p.Receipt.ID), p.Committed, p.HasRaw, append([]string{}, p.Witnesses...), p.Key, p.Checkpoint})
	}
	fmt.Fprintf(a.stdout, "ok: %s is record %s of %s, sealed %s in %s\n", p.Event, printable(string(p.Receipt.ID), 80), printable(p.Origin.Tenant, 80),
		p.Committed.UTC().Format(time.RFC3339), p.Checkpoint.Origin)
	if !p.HasRaw {
		fmt.Fprintln(a.stdout, "    the bundle leaves the raw record out; its receipt holds")
	}
	return nil
}
