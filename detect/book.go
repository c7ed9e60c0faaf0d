// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/detect/behave"
	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/rules"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/detect/source"
)

// OCSF is the name of the layer in which rules see the OCSF event of a record.
const OCSF = "ocsf"

// BookOptions say what a book is made of.
type BookOptions struct {
	// Builtin takes in Daybreak's own pack.
	Builtin bool
	// Paths are files and folders of rules; of a folder, every .yml and .yaml file below it.
	Paths []string
	// Texts are files of rules that are given as they are.
	Texts []Text
	// Pipelines are files of processing pipelines, applied after the built-in ones.
	Pipelines []string
	// AnySource lets a rule judge records of every log source.
	AnySource bool
}

// Text is a file of rules.
type Text struct{ Name, Text string }

// Book is a set of rules ready to judge: immutable, shared by all goroutines, replaced as a
// whole. What it refused is in Problems; the rest works.
type Book struct {
	Documents []sigma.Document
	Problems  []sigma.Problem
	Program   *sigma.Program

	correlations *correlate.Set
	behaviors    *behave.Set
	metas        map[string]*entry // by Key
	feeds        map[string]*feed  // by Key of a rule
}

// entry is what the book knows of a rule or a correlation.
type entry struct {
	meta *sigma.Meta
	kind string // single, correlation, behavior
	// correlation is set unless it judges single records.
	correlation *sigma.Correlation
	// quiet says that it does not alert on its own: a correlation refers to it.
	quiet bool
	fed   bool // a correlation refers to it
	// grouped is the Key of the correlation that gathers its alerts, if the rule suppresses.
	grouped string
}

// feed lists the fields that correlations ask of a rule's records.
type feed struct {
	names []string   // as the correlations name them
	paths [][]string // in the records: what pipelines made of each name
}

func (f *feed) index(name string) int {
	if f == nil {
		return -1
	}
	return slices.Index(f.names, name)
}

// ErrRules says that a folder or file of rules could not be read at all.
var ErrRules = errors.New("rules cannot be read")

// casesSuffix ends the names of the files that hold the cases of rules.
const casesSuffix = ".cases.yml"

// Open reads rules and makes a book of them. It fails only if a path cannot be read: a rule
// that is refused is a Problem of severity Error, and the others stand.
func Open(o BookOptions) (*Book, error) {
	var docs []sigma.Document
	var problems []sigma.Problem
	if o.Builtin {
		d, p, err := readFS(rules.Files, "")
		if err != nil {
			return nil, fmt.Errorf("the built-in pack: %w", err)
		}
		docs, problems = append(docs, d...), append(problems, p...)
	}
	for _, path := range o.Paths {
		d, p, err := ReadRules(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRules, err)
		}
		docs, problems = append(docs, d...), append(problems, p...)
	}
	for _, t := range o.Texts {
		d, p := sigma.Parse(t.Name, []byte(t.Text))
		docs, problems = append(docs, d...), append(problems, p...)
	}
	pipelines := source.Pipelines()
	for _, path := range o.Pipelines {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRules, err)
		}
		p, bad := sigma.ParsePipeline(path, text)
		if problems = append(problems, bad...); p != nil {
			pipelines = append(pipelines, p)
		}
	}
	b := compile(docs, sigma.Chain(pipelines...), o.AnySource)
	b.Problems = append(problems, b.Problems...)
	return b, nil
}

// ReadRules reads a file of rules, or every .yml and .yaml file below a folder.
func ReadRules(path string) ([]sigma.Document, []sigma.Problem, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if st.IsDir() {
		return readFS(os.DirFS(path), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	docs, problems := sigma.Parse(path, text)
	return docs, problems, nil
}

func readFS(files fs.FS, root string) (docs []sigma.Document, problems []sigma.Problem, err error) {
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isRule(name) {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		found, bad := sigma.Parse(filepath.Join(root, filepath.FromSlash(name)), text)
		docs, problems = append(docs, found...), append(problems, bad...)
		return nil
	})
	return docs, problems, err
}

func isRule(name string) bool {
	return (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")) && !strings.HasSuffix(name, casesSuffix)
}

// Key returns the Key of the rule or correlation with that id, name or title.
func (b *Book) Key(ref string) (string, bool) {
	for key, e := range b.metas {
		if key == ref || e.meta.Name == ref || e.meta.ID == ref {
			return key, true
		}
	}
	return "", false
}
