// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// schema makes schema.txt anew from the compiled schema and compares.
func (r *report) schema(data string) error {
	name := filepath.Join(data, "ocsf", "ocsf-schema-"+ocsf.Version+".compiled.json")
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	text, err := schema.Compile(raw)
	if err != nil {
		return err
	}
	if string(text) != schema.Text() {
		r.miss("ocsf/schema/schema.txt is not what %s makes: run go generate ./ocsf with -schema", filepath.Base(name))
		return nil
	}
	s := schema.Load()
	r.printf("schema: ocsf/schema/schema.txt is what the compiled schema %s makes: %d classes, %d objects, %d types\n",
		s.Version, len(s.Classes), len(s.Objects), len(s.Types))
	return nil
}

// validator checks our validator on OCSF events that others wrote by hand. They
// follow older versions of the schema and some have faults; a sound validator
// finds no fault in most of them.
func (r *report) validator(data string) error {
	files, err := filepath.Glob(filepath.Join(data, "labelled", "ocsf_examples_*.jsonl"))
	if err != nil {
		return err
	}
	events, valid := 0, 0
	for _, name := range files {
		err := eachLine(name, func(line int, raw []byte) error {
			var l struct {
				Expect struct{ OCSF json.RawMessage }
			}
			if err := json.Unmarshal(raw, &l); err != nil || len(l.Expect.OCSF) == 0 || l.Expect.OCSF[0] != '{' {
				return err
			}
			events++
			faults := 0
			for _, p := range ocsf.Validate(l.Expect.OCSF) {
				if p.Warning || p.Path == "metadata.version" { // older ones
					continue
				}
				faults++
				r.detail("%s:%d: %s", filepath.Base(name), line, p)
			}
			if faults == 0 {
				valid++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	r.printf("validator: finds no fault but the version in %d of %d events that the OCSF project gives as examples (of older versions)\n\n", valid, events)
	return nil
}

// eachLine calls f with every line of a file of JSON lines.
func eachLine(name string, f func(line int, raw []byte) error) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	n := 0
	for raw := range bytes.Lines(text) {
		n++
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		if err := f(n, raw); err != nil {
			return err
		}
	}
	return nil
}

// base is a file's name as reports show it: its folder and itself.
func base(name string) string {
	return strings.TrimSuffix(filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name), ".jsonl")
}
