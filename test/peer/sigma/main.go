// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Command sigma judges records by Sigma rules with the engines that other projects offer as Go
// modules, to compare Daybreak's with (docs/performance.md, scripts/bench-detect.sh).
//
//	DAYBREAK_BENCH_RULES=DIR:… DAYBREAK_BENCH_RECORDS=FILE:… sigma -engine sigma-go -for 20s
//
// The variables are those of Daybreak's own benchmark. Every record is decoded and judged by
// every rule that the engine loads, since neither engine chooses rules by log source; rates
// are by processor time. What a rule's author has to be told of the records (that eventName
// is called Operation) is given with -alias, and a nested field is found by its path of dots.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// engine judges one decoded record and calls hit with the id of every rule that matches.
type engine struct {
	rules   int // loaded
	refused int
	judge   func(record map[string]any, hit func(id string))
}

var engines = map[string]func(files []string, alias map[string][]string) (engine, error){
	"sigma-go":             newSigmaGo,
	"go-sigma-rule-engine": newRuleEngine,
}

func main() {
	log.SetFlags(0)
	name := flag.String("engine", "sigma-go", strings.Join(slices.Sorted(maps.Keys(engines)), " or "))
	limit := flag.Duration("for", 20*time.Second, "processor time after which to stop")
	most := flag.Int("n", 0, "records to judge at most, each once; 0: as many as the time allows, again and again")
	counts := flag.String("counts", "", "file to write each rule's matches to: a line of a number and an id")
	alias := map[string][]string{}
	flag.Func("alias", "rule's field=record's field; may be given again", func(s string) error {
		from, to, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%q is not of the form name=name", s)
		}
		alias[from] = append(alias[from], to)
		return nil
	})
	flag.Parse()
	load, ok := engines[*name]
	if !ok {
		log.Fatalf("there is no engine %q", *name)
	}
	records, err := read(filepath.SplitList(os.Getenv("DAYBREAK_BENCH_RECORDS")))
	if err != nil {
		log.Fatal(err)
	}
	files, err := ruleFiles(filepath.SplitList(os.Getenv("DAYBREAK_BENCH_RULES")))
	if err != nil {
		log.Fatal(err)
	}
	begun := cpu()
	e, err := load(files, alias)
	if err != nil {
		log.Fatal(err)
	}
	loaded := cpu() - begun
	hits, n := map[string]int{}, 0
	begun = cpu()
	for until := begun + *limit; cpu() < until && (*most == 0 || n < min(*most, len(records))); n++ {
		var record map[string]any
		if err := json.Unmarshal(records[n%len(records)], &record); err != nil {
			continue // of none that was read
		}
		e.judge(record, func(id string) { hits[id]++ })
	}
	taken := cpu() - begun
	matches := 0
	for _, h := range hits {
		matches += h
	}
	fmt.Printf("%s: %d rules (%d refused), loaded in %.2f cpu-s; %d of %d records judged in %.1f cpu-s: %.6g records/cpu-s, %.6g matches/record\n",
		*name, e.rules, e.refused, loaded.Seconds(), n, len(records), taken.Seconds(), float64(n)/taken.Seconds(), float64(matches)/float64(n))
	if *counts != "" {
		var b bytes.Buffer
		for _, id := range slices.Sorted(maps.Keys(hits)) {
			fmt.Fprintln(&b, hits[id], id)
		}
		if err := os.WriteFile(*counts, b.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// read returns the records of the files, a JSON object on each line, in an order that mixes
// them and is always the same: whoever stops early has judged some of all kinds.
func read(files []string) ([][]byte, error) {
	var records [][]byte
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			var object map[string]any
			if json.Unmarshal(line, &object) == nil {
				records = append(records, line)
			}
		}
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("set DAYBREAK_BENCH_RECORDS to files with a JSON object on each line")
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	return records, nil
}

func ruleFiles(paths []string) (files []string, err error) {
	for _, path := range paths {
		err = filepath.WalkDir(path, func(name string, d os.DirEntry, err error) error {
			if ext := filepath.Ext(name); err == nil && !d.IsDir() && (ext == ".yml" || ext == ".yaml") {
				files = append(files, name)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("set DAYBREAK_BENCH_RULES to folders of rules")
	}
	return files, nil
}

// cpu is the processor time that the process has taken, that of the garbage collector included.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
