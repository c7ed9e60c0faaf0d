// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Command samplelog writes the unified audit log of a made-up company to
// standard output, one record a line: for the demonstration, for benchmarks
// and for whoever wants to try Daybreak without a tenant.
//
//	samplelog -n 1000000 -seed 7 | daybreak import -
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"

	"github.com/daybreak-sec/daybreak/sample"
)

func main() {
	n := flag.Int("n", 100_000, "how many `records`")
	seed := flag.Uint64("seed", 1, "equal seeds give equal logs")
	people := flag.Uint64("people", 1000, "how many `people` the company has, at least 2")
	flag.Parse()
	if flag.NArg() > 0 || *n < 0 || *people < 2 {
		fmt.Fprintln(os.Stderr, "samplelog: want no arguments, -n of at least 0 and -people of at least 2")
		os.Exit(2)
	}
	if err := write(*n, sample.Options{Seed: *seed, People: *people}); err != nil {
		fmt.Fprintln(os.Stderr, "samplelog:", err)
		os.Exit(1)
	}
}

func write(n int, o sample.Options) error {
	log, w := sample.New(o), bufio.NewWriterSize(os.Stdout, 1<<20)
	var line []byte
	for range n {
		line = append(log.Append(line[:0]), '\n')
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return w.Flush()
}
