// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

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
	// Builtin takes in Daybreak's own pack. A rule of the others that has the id of one of the pack takes its place.
	Builtin bool
	// Referred takes in, of the pack, what the others refer to.
	Referred bool
	// Paths are files and folders of rules; of a folder, every .yml and .yaml file below it.
	Paths []string
	// Texts are files of rules that are given as they are.
	Texts []Text
	// Pipelines are files of processing pipelines, applied after the built-in ones.
	Pipelines []string
	// Own are the applications that Daybreak itself signs in as; rules ask for them by placeholders.
	Own []Application
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
	// Replaced are the built-in rules in whose place another one is.
	Replaced []Replacement

	builtin      map[string]bool // by Key: of the pack
	correlations *correlate.Set
	behaviors    *behave.Set
	metas        map[string]*entry // by Key
	feeds        map[string]*feed  // by Key of a rule
}

// Replacement is a rule that has the id of a built-in one, and so its place.
type Replacement struct{ By, Builtin *sigma.Meta }

// entry is what the book knows of a rule or a correlation.
type entry struct {
	meta *sigma.Meta
	kind string // single, correlation, behavior
	// rule is set if it judges single records: as the program has it.
	rule *sigma.Rule
	// correlation is set unless it judges single records.
	correlation *sigma.Correlation
	// quiet says that it does not alert on its own: a correlation refers to it.
	quiet bool
	fed   bool // a correlation refers to it
	// grouped is the Key of the correlation that gathers its alerts, if the rule suppresses.
	grouped string
}

// suppress is nil if it tells of every match.
func (e *entry) suppress() *sigma.Suppress {
	if e.meta.Daybreak == nil {
		return nil
	}
	return e.meta.Daybreak.Suppress
}

// feed lists the fields that correlations ask of a rule's records.
type feed struct {
	names  []string        // as the correlations name them
	fields [][]sigma.Field // of the records: what pipelines made of each name
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
	var pack, docs []sigma.Document
	var problems []sigma.Problem
	if o.Builtin || o.Referred {
		d, p, err := readFS(rules.Files, "")
		if err != nil {
			return nil, fmt.Errorf("the built-in pack: %w", err)
		}
		pack, problems = d, p
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
	pack, replaced := replace(pack, docs)
	if !o.Builtin {
		pack = referred(pack, docs)
	}
	ours, placed := own(o.Own)
	pipelines := append(source.Pipelines(), ours)
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
	b := compile(append(pack, docs...), sigma.Chain(pipelines...), placed, o.AnySource)
	b.Problems = append(problems, b.Problems...)
	b.Replaced, b.builtin = replaced, map[string]bool{}
	for _, d := range pack {
		b.builtin[sigma.MetaOf(d).Key()] = true
	}
	return b, nil
}

// replace takes out of the pack what has the id of another document. What takes its place has its name as well, if it
// has none of its own, so that the pack's correlations find it.
func replace(pack, docs []sigma.Document) (left []sigma.Document, replaced []Replacement) {
	by := map[string]*sigma.Meta{}
	for _, d := range docs {
		if m := sigma.MetaOf(d); by[m.Key()] == nil {
			by[m.Key()] = m
		}
	}
	for _, d := range pack {
		m := sigma.MetaOf(d)
		if own := by[m.Key()]; own != nil {
			own.Name = cmp.Or(own.Name, m.Name)
			replaced = append(replaced, Replacement{own, m})
		} else {
			left = append(left, d)
		}
	}
	return left, replaced
}

// referred returns what of the pack documents refer to, directly or not, and have not themselves.
func referred(pack, docs []sigma.Document) (found []sigma.Document) {
	by, seen := map[string]sigma.Document{}, map[string]bool{}
	for _, d := range pack {
		for _, ref := range references(sigma.MetaOf(d)) {
			by[ref] = d
		}
	}
	for _, d := range docs {
		for _, ref := range references(sigma.MetaOf(d)) {
			seen[ref] = true
		}
	}
	for todo := docs; len(todo) > 0; todo = todo[1:] {
		var refs []string
		switch d := todo[0].(type) {
		case *sigma.Correlation:
			refs = d.Rules
		case *sigma.Filter:
			refs = d.Rules
		}
		for _, ref := range refs {
			d := by[ref]
			if d == nil || seen[ref] {
				continue
			}
			for _, ref := range references(sigma.MetaOf(d)) {
				seen[ref] = true
			}
			found, todo = append(found, d), append(todo[:len(todo):len(todo)], d)
		}
	}
	return found
}

// references are what others may refer to a document by.
func references(m *sigma.Meta) []string {
	if m.Name == "" || m.Name == m.Key() {
		return []string{m.Key()}
	}
	return []string{m.Key(), m.Name}
}

// Builtin reports whether the rule with that Key is one of Daybreak's own pack.
func (b *Book) Builtin(key string) bool { return b.builtin[key] }

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

// readFS reads every file of rules below a folder, on all cores: thousands of them are the greater part of a start.
func readFS(files fs.FS, root string) (docs []sigma.Document, problems []sigma.Problem, err error) {
	var names []string
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && isRule(name) {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	type file struct {
		docs     []sigma.Document
		problems []sigma.Problem
		err      error
	}
	read := make([]file, len(names))
	var next atomic.Int64
	var tasks sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		tasks.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(names)); i = next.Add(1) - 1 {
				f := &read[i]
				var text []byte
				if text, f.err = fs.ReadFile(files, names[i]); f.err == nil {
					f.docs, f.problems = sigma.Parse(filepath.Join(root, filepath.FromSlash(names[i])), text)
				}
			}
		})
	}
	tasks.Wait()
	for _, f := range read {
		if f.err != nil {
			return docs, problems, f.err
		}
		docs, problems = append(docs, f.docs...), append(problems, f.problems...)
	}
	return docs, problems, nil
}

func isRule(name string) bool {
	return (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")) && !strings.HasSuffix(name, casesSuffix)
}

// maxPrepared is how many combinations of log sources are prepared for: some milliseconds each.
const maxPrepared = 256

// Prepare makes ready for records of these log sources, such as another book has seen ([sigma.Program.Sources]), so
// that the first of them need not wait for it.
func (b *Book) Prepare(sources [][]sigma.LogSource) {
	for _, s := range sources[:min(len(sources), maxPrepared)] {
		b.Program.Prepare(s)
	}
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
