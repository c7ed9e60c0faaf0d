// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package cases tests rules: beside a rule's file NAME.yml stands NAME.cases.yml with records
// that it must find, records that nearly are and must not be found, and normal life.
// docs/reference/rules.md describes the form. The runner judges them as a stream is judged, with
// nothing else in it.
package cases

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/daybreak-sec/daybreak/enrich"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/normalize"
)

// Suffix ends the names of files of cases.
const Suffix = ".cases.yml"

// File is a file of cases. It has one rule under test, or several suites.
type File struct {
	Name  string `yaml:"-"`
	Rule  string `yaml:"rule"` // id or name of the rule under test
	Cases []Case `yaml:"cases"`
}

// Case is a stretch of records and how many alerts the rule has to give.
type Case struct {
	Name   string       `yaml:"name"`
	Kind   string       `yaml:"kind"`   // hit, near-miss or normal
	Source event.Family `yaml:"source"` // as of --source
	// Alerts is how many stand at the end; nil: one for a hit, none otherwise.
	Alerts *int             `yaml:"alerts"`
	Events []map[string]any `yaml:"events"`
	Repeat []Repeat         `yaml:"repeat"`
	// Addresses is what the databases of addresses would say.
	Addresses map[string]Address `yaml:"addresses"`
}

// Repeat makes more records of one of the events.
type Repeat struct {
	Event int            `yaml:"event"` // its index
	Times int            `yaml:"times"`
	Every string         `yaml:"every"` // how much later each is than the one before
	Set   map[string]any `yaml:"set"`   // members to replace; %d in a text is the running number, from 1
}

// Address is what is known of an address: a country (ISO 3166-1 alpha-2), and the number and
// name of its autonomous system.
type Address struct {
	Country string `yaml:"country"`
	ASN     int64  `yaml:"asn"`
	Org     string `yaml:"org"`
}

const (
	maxFile    = 4 << 20
	maxRecords = 100_000
)

// Read reads the files of cases below a folder.
func Read(files fs.FS, root string) (list []*File, err error) {
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, Suffix) {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		found, err := Parse(filepath.Join(root, filepath.FromSlash(name)), text)
		list = append(list, found...)
		return err
	})
	return list, err
}

// Parse reads one file: YAML documents, each with a rule and its cases.
func Parse(name string, text []byte) (list []*File, err error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s: larger than 4 MiB: write fewer records and repeat them", name)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	for {
		f := &File{Name: name}
		switch err := d.Decode(f); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return list, fmt.Errorf("%s: %w", name, err)
		}
		if err := f.check(); err != nil {
			return list, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, f)
	}
}

func (f *File) check() error {
	if f.Rule == "" {
		return errors.New("rule: say which rule is tested, by its id or name")
	}
	for i := range f.Cases {
		c := &f.Cases[i]
		if !slices.Contains([]string{"hit", "near-miss", "normal"}, c.Kind) {
			return fmt.Errorf("case %q: kind is %q: want hit, near-miss or normal", c.Name, c.Kind)
		}
		if _, ok := normalize.Lookup(c.Source); !ok {
			return fmt.Errorf("case %q: source %q is not one: want a value of --source", c.Name, c.Source)
		}
		for addr := range c.Addresses {
			if _, err := netip.ParseAddr(addr); err != nil {
				return fmt.Errorf("case %q: addresses: %w", c.Name, err)
			}
		}
		for _, r := range c.Repeat {
			if r.Event < 0 || r.Event >= len(c.Events) || r.Times < 0 {
				return fmt.Errorf("case %q: repeat: event %d does not exist: they count from 0", c.Name, r.Event)
			}
			if _, err := time.ParseDuration(r.Every); r.Every != "" && err != nil {
				return fmt.Errorf("case %q: repeat: every: %w", c.Name, err)
			}
		}
	}
	return nil
}

// want is how many alerts a case asks for.
func (c *Case) want() int {
	switch {
	case c.Alerts != nil:
		return *c.Alerts
	case c.Kind == "hit":
		return 1
	}
	return 0
}

// Records returns the records of a case, as JSON.
func (c *Case) Records() (out [][]byte, err error) {
	add := func(e map[string]any) error {
		if len(out) >= maxRecords {
			return fmt.Errorf("more than %d records: repeat less often", maxRecords)
		}
		text, err := json.Marshal(e)
		out = append(out, text)
		return err
	}
	for _, e := range c.Events {
		if err := add(plain(e)); err != nil {
			return nil, err
		}
	}
	for _, r := range c.Repeat {
		every, _ := time.ParseDuration(r.Every) // was checked
		for n := 1; n <= r.Times; n++ {
			if err := add(again(plain(c.Events[r.Event]), &r, n, time.Duration(n)*every)); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// plain makes JSON's types of YAML's: a time that YAML recognizes is a text in a record.
func plain(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = plainValue(v)
	}
	return out
}

func plainValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return plain(v)
	case map[any]any:
		out := map[string]any{}
		for k, x := range v {
			out[fmt.Sprint(k)] = plainValue(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainValue(v[i])
		}
		return out
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05Z")
	}
	return v
}

// moments are the members that say when a record happened.
var moments = []string{"CreationTime", "createdDateTime", "activityDateTime", "time", "published"}

// ids are the members that tell records apart.
var ids = []string{"Id", "id", "uuid"}

// again is the n-th repetition of a record.
func again(e map[string]any, r *Repeat, n int, later time.Duration) map[string]any {
	for _, k := range moments {
		if s, ok := e[k].(string); ok {
			e[k] = shift(s, later)
		}
	}
	for _, k := range ids {
		if s, ok := e[k].(string); ok {
			e[k] = fmt.Sprintf("%s-%d", s, n)
		}
	}
	for k, v := range r.Set {
		e[k] = numbered(plainValue(v), n)
	}
	return e
}

func numbered(v any, n int) any {
	switch v := v.(type) {
	case string:
		return strings.ReplaceAll(v, "%d", fmt.Sprint(n))
	case []any:
		for i := range v {
			v[i] = numbered(v[i], n)
		}
	case map[string]any:
		for k := range v {
			v[k] = numbered(v[k], n)
		}
	}
	return v
}

// shift moves a time, and writes it as it was written.
func shift(s string, d time.Duration) string {
	for _, layout := range []string{"2006-01-02T15:04:05", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Add(d).Format(layout)
		}
	}
	return s
}

// table is what the case knows of addresses.
func (c *Case) table() map[netip.Addr]enrich.Info {
	t := map[netip.Addr]enrich.Info{}
	for text, a := range c.Addresses {
		addr, _ := netip.ParseAddr(text) // was checked
		t[addr] = enrich.Info{Country: a.Country, ASN: a.ASN, Org: a.Org}
	}
	return t
}
