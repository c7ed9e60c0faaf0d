// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	v1 "github.com/daybreak-sec/daybreak/api/v1"
	"github.com/daybreak-sec/daybreak/client"
	"github.com/daybreak-sec/daybreak/node"
)

func (a *app) importCommand() *cobra.Command {
	im := importing{app: a}
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "Take vendor records in: sealed, mapped and searchable",
		Long: `Import reads vendor records and stores each distinct one once. It takes JSON lines,
JSON arrays, concatenated objects, content blobs of the Office 365 Management Activity
API, Azure Monitor "records" envelopes, CloudTrail files and the CSV export of the
Purview portal, plain or in gzip or zstd; "-" is standard input.

When it ends, everything it stored is durable, covered by a signed checkpoint and
searchable. It may be interrupted at any moment: run it again, what is stored is not
stored twice. A record that is not JSON is stored as it is and listed; one whose
source cannot be told is refused and listed; the exit code is then 3.

If a server holds the data directory, the records are sent to it.`,
		Args: args(cobra.MinimumNArgs(1), `files, or "-" for standard input`),
		RunE: func(cmd *cobra.Command, args []string) error { return im.run(cmd.Context(), args) },
	}
	cmd.Flags().StringVar(&im.source, "source", "auto", "what the records are: auto, "+node.SourceNames())
	cmd.Flags().StringVar(&im.tenant, "tenant", "", "`id` of the tenant, for records that do not say theirs")
	return cmd
}

// importing is one run of import.
type importing struct {
	*app
	source, tenant string

	progress *progress
	sum      v1.ImportSummary
	refused  int64
	notes    int64 // remarks about records
	failed   int   // files that could not be read to their end
	files    int   // files that were read at all
}

// maxNotes is how many remarks about records are shown.
const maxNotes = 20

func (im *importing) run(ctx context.Context, files []string) error {
	if err := node.CheckSource(im.source); err != nil {
		return usagef("%v", err)
	}
	start := time.Now()
	im.progress = im.startProgress("import")
	im.progress.total.Store(sizes(files))
	defer im.progress.end()
	remote, role, err := im.dial()
	if err != nil {
		return err
	}
	if remote != nil && role == "serve" {
		err = im.upload(ctx, remote, files)
	} else {
		err = im.here(ctx, files)
	}
	im.progress.end()
	if err != nil {
		return err
	}
	if im.files == 0 {
		return usagef("nothing was imported: no file could be opened")
	}
	im.sum.Seconds = time.Since(start).Seconds()
	if err := im.report(); err != nil {
		return err
	}
	return im.verdict(ctx)
}

// here imports into a data directory that this process holds.
func (im *importing) here(ctx context.Context, files []string) (err error) {
	n, err := im.open(ctx, node.Options{Role: "import"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Close()) }()
	defer im.answer(n)()
	job, err := n.NewImport(node.ImportOptions{
		Source: im.source, Tenant: im.tenant, Note: im.note,
		Progress: im.progress.records.Store,
	})
	if err != nil {
		return usagef("%v", err)
	}
	for _, name := range files {
		if ctx.Err() != nil {
			break
		}
		err := im.each(name, func(name string, r io.Reader) error { return job.Read(ctx, name, r) })
		if err := n.Err(); err != nil {
			return err
		}
		if err != nil && ctx.Err() == nil {
			im.failed++
			im.complain("%v", err)
		}
	}
	if ctx.Err() != nil {
		im.say("interrupted: finishing what has been read; interrupt again to stop at once")
	}
	sum, err := job.Finish(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	im.refused = sum.Refused
	im.sum = v1.ImportSummary{
		Read: sum.Read, Stored: sum.Stored, Duplicates: sum.Duplicates, Mutated: sum.Mutated, Unparsed: sum.Unparsed, Detections: int64(sum.Detections),
	}
	return nil
}

// upload sends the files to the server that holds the data directory.
func (im *importing) upload(ctx context.Context, c *client.Client, files []string) error {
	for _, name := range files {
		err := im.each(name, func(name string, r io.Reader) error {
			res, err := c.Import(ctx, client.Import{Name: name, Source: im.source, Tenant: im.tenant, Body: r})
			if err != nil {
				return err
			}
			im.add(res)
			return nil
		})
		if client.StatusOf(err) != 0 {
			return asUsage(err)
		}
		if err != nil && ctx.Err() == nil {
			im.failed++
			im.complain("%v", err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil
}

func (im *importing) add(res v1.ImportResult) {
	im.sum.Read += res.Summary.Read
	im.sum.Stored += res.Summary.Stored
	im.sum.Duplicates += res.Summary.Duplicates
	im.sum.Mutated += res.Summary.Mutated
	im.sum.Unparsed += res.Summary.Unparsed
	im.sum.Detections += res.Summary.Detections
	im.refused += res.Refused
	im.progress.records.Store(im.sum.Read)
	for _, n := range res.Notes {
		im.note(n)
	}
	im.notes += max(0, res.Refused+res.Summary.Unparsed-int64(len(res.Notes)))
	if res.Failed != "" {
		im.failed++
		im.complain("%s", res.Failed)
	}
}

// each opens a file and hands it on under its base name.
func (im *importing) each(path string, read func(name string, r io.Reader) error) error {
	if path == "-" {
		im.files++
		return read("standard input", &counting{im.stdin, &im.progress.done})
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return fmt.Errorf("%s is a directory: name its files", path)
	}
	im.files++
	return read(filepath.Base(path), &counting{f, &im.progress.done})
}

func (im *importing) note(text string) {
	if im.notes++; im.notes <= maxNotes {
		im.complain("%s", text)
	}
}

func (im *importing) report() error {
	if im.notes > maxNotes {
		im.complain("… and %s more records like these", thousands(im.notes-maxNotes))
	}
	if im.json {
		return json.NewEncoder(im.stdout).Encode(im.sum)
	}
	s := im.sum
	_, err := fmt.Fprintf(im.stdout, "%s read, %s stored, %s duplicates, %s mutated, %s unparsed in %.1f s (%s/s)\n",
		thousands(s.Read), thousands(s.Stored), thousands(s.Duplicates), thousands(s.Mutated), thousands(s.Unparsed),
		s.Seconds, thousands(int64(float64(s.Read)/max(s.Seconds, 1e-9))))
	return err
}

// verdict is the exit code: 3 if a part of the input was not taken.
func (im *importing) verdict(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return partlyf("interrupted after %s records, which are stored: run the same command again for the rest, nothing is stored twice", thousands(im.sum.Read))
	case im.refused > 0:
		return partlyf("%s records were refused; the others are stored", thousands(im.refused))
	case im.failed > 0:
		return partlyf("%d of the inputs could not be read to their end; what was read is stored", im.failed)
	case im.sum.Unparsed > 0:
		return partlyf("%s records are not JSON and are stored as they are", thousands(im.sum.Unparsed))
	}
	return nil
}

// sizes is what the progress counts against: 0 if any size is not known.
func sizes(files []string) int64 {
	var sum int64
	for _, f := range files {
		st, err := os.Stat(f)
		if f == "-" || err == nil && !st.Mode().IsRegular() {
			return 0
		}
		if err == nil {
			sum += st.Size()
		}
	}
	return sum
}

// counting counts the bytes that are read through it.
type counting struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
