// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Command eval prints how well records are read and understood, measured on
// real vendor records and on what other vendors made of the same records.
// docs/eval.md says what is counted and how; `make eval` runs it.
//
// The reference data is not part of this repository. Where its folder is
// missing, eval says what it skips and exits 0. It exits 1 if an event is not
// valid OCSF, or if agreement on Microsoft 365 or Entra records is below the
// limit.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	shared := flag.String("shared", "../shared", "folder of the reference data")
	verbose := flag.Bool("v", false, "list each disagreement, slip and invalid event")
	least := flag.Float64("agreement", 98, "least agreement on Microsoft 365 and Entra records, in percent")
	flag.Parse()
	ok, err := run(os.Stdout, filepath.Join(*shared, "data"), *verbose, *least)
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run prints all sections and reports whether every limit is kept.
func run(w io.Writer, data string, verbose bool, least float64) (bool, error) {
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(w, "skipped: the schema's cross-check, the scoreboard of records and the agreement with other vendors, because there is no folder %s\n", data)
		return true, nil
	}
	r := report{w: w, verbose: verbose, ok: true}
	for _, section := range []func(data string) error{r.schema, r.validator, r.records, func(data string) error { return r.agreement(data, least) }} {
		if err := section(data); err != nil {
			return false, err
		}
	}
	return r.ok, nil
}

// report is where the sections print.
type report struct {
	w       io.Writer
	verbose bool
	ok      bool // no limit has been missed so far
}

func (r *report) printf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

// detail prints what only -v shows.
func (r *report) detail(format string, args ...any) {
	if r.verbose {
		r.printf("    "+format+"\n", args...)
	}
}

// miss notes that a limit has been missed.
func (r *report) miss(format string, args ...any) {
	r.ok = false
	r.printf("MISSED: "+format+"\n", args...)
}
