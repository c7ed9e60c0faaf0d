// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Command eval prints how well records are read and understood, measured on
// real vendor records and on what other vendors made of the same records.
// docs/eval.md says what is counted and how; `make eval` runs it.
//
// The reference data is not part of this repository. Where its folder is
// missing, eval says what it skips and exits 0. It exits 1 if an event is not
// valid OCSF, if agreement on a suite's records is below its
// limit, if docs/eval.md does not explain a disagreement, or if a file fares
// worse than eval/baseline.txt says it did.
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
	update := flag.Bool("update", false, "make what is reached the baseline, in eval/baseline.txt")
	flag.Parse()
	r := report{w: os.Stdout, verbose: *verbose, ok: true, reached: map[string]int{}}
	err := r.run(filepath.Join(*shared, "data"))
	if err == nil && *update {
		err = writeBaseline(filepath.Join("eval", "baseline.txt"), r.reached)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "eval:", err)
		os.Exit(2)
	}
	if !r.ok {
		os.Exit(1)
	}
}

// report is where the sections print.
type report struct {
	w       io.Writer
	verbose bool
	ok      bool           // no limit has been missed so far
	reached map[string]int // what the baseline holds: "specific" or "agreed", a blank, the file
}

// run prints all sections.
func (r *report) run(data string) error {
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		r.printf("skipped: the schema's cross-check, the scoreboard of records, the agreement with other vendors and the scores of detection, because there is no folder %s\n", data)
		return nil
	}
	for _, section := range []func(data string) error{r.schema, r.validator, r.records, r.agreement, r.detection} {
		if err := section(data); err != nil {
			return err
		}
	}
	r.regressions(r.reached)
	return nil
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
