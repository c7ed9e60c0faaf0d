// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"cmp"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/daybreak-sec/daybreak/detect/rules"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

//go:generate go test -run TestReference -update .
var update = flag.Bool("update", false, "write docs/reference/detections.md")

// TestReference holds docs/reference/detections.md to the rules.
func TestReference(t *testing.T) {
	const file = "../../docs/reference/detections.md"
	got := newPack(t).reference()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Error("docs/reference/detections.md is out of date: go generate ./detect/rules")
	}
}

// levels are in the order in which people ask.
var levels = []string{"critical", "high", "medium", "low", "informational"}

// pack is what the reference is made of.
type pack struct {
	rules                 []sigma.Document // that alert by themselves, by tactic and file
	byRef                 map[string]sigma.Document
	techniques, footholds map[string]string // names by id
	files                 int
}

func newPack(t *testing.T) *pack {
	t.Helper()
	p := &pack{byRef: map[string]sigma.Document{}, techniques: names(t, "techniques.txt"), footholds: names(t, "footholds.txt")}
	var all []sigma.Document
	err := fs.WalkDir(rules.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".cases.yml") {
			return err
		}
		text, err := fs.ReadFile(rules.Files, name)
		if err != nil {
			return err
		}
		docs, problems := sigma.Parse(name, text)
		for _, bad := range problems {
			t.Error(bad)
		}
		p.files++
		all = append(all, docs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]bool{}
	for _, d := range all {
		m := sigma.MetaOf(d)
		p.byRef[m.ID], p.byRef[m.Name] = d, d
		if c, ok := d.(*sigma.Correlation); ok {
			for _, ref := range c.Rules {
				parts[ref] = true
			}
		}
	}
	anchors := map[string]string{}
	for _, d := range all {
		m := sigma.MetaOf(d)
		if m.Level == "informational" && (parts[m.ID] || parts[m.Name]) {
			continue
		}
		p.rules = append(p.rules, d)
		if other := anchors[anchor(m.Title)]; other != "" {
			t.Errorf("%s and %s have the same title, %q: nobody can tell their alerts apart", other, m.File, m.Title)
		}
		anchors[anchor(m.Title)] = m.File
		p.check(t, m)
	}
	return p
}

// check holds a rule to the catalogues that it names things of.
func (p *pack) check(t *testing.T, m *sigma.Meta) {
	t.Helper()
	for _, id := range techniquesOf(m) {
		if p.techniques[id] == "" {
			t.Errorf("%s:%d: %s is no technique that testdata/techniques.txt has: look it up at attack.mitre.org, and add it", m.File, m.Line, id)
		}
	}
	for _, id := range footholdsOf(m) {
		if p.footholds[id] == "" {
			t.Errorf("%s:%d: %s is no kind of foothold: see testdata/footholds.txt", m.File, m.Line, id)
		}
	}
}

// names reads lines of an id, a blank and a name.
func names(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if id, name, ok := strings.Cut(strings.TrimSpace(line), " "); ok && id != "#" {
			m[id] = name
		}
	}
	return m
}

func techniquesOf(m *sigma.Meta) (list []string) {
	for _, tag := range m.Tags {
		if id, ok := strings.CutPrefix(strings.ToUpper(tag), "ATTACK.T"); ok && id != "" && unicode.IsDigit(rune(id[0])) {
			list = append(list, "T"+id)
		}
	}
	return list
}

func footholdsOf(m *sigma.Meta) []string {
	if m.Daybreak == nil {
		return nil
	}
	return m.Daybreak.Footholds
}

// anchor is how GitHub and others name the place of a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(heading))
}

func tacticOf(m *sigma.Meta) string { return path.Dir(m.File) }

func heading(tactic string) string {
	tactic = strings.ReplaceAll(tactic, "-", " ")
	return strings.ToUpper(tactic[:1]) + tactic[1:]
}

// link leads to a rule by the name of its file.
func link(d sigma.Document) string {
	m := sigma.MetaOf(d)
	name := cmp.Or(m.Name, strings.TrimSuffix(path.Base(m.File), ".yml"))
	return fmt.Sprintf("[%s](#%s)", name, anchor(m.Title))
}

// sources are the log sources of a rule, or of all that a correlation refers to.
func (p *pack) sources(d sigma.Document, set map[string]bool) {
	switch d := d.(type) {
	case *sigma.Rule:
		l := d.LogSource
		set[strings.Join(slices.DeleteFunc([]string{l.Product, l.Category, l.Service}, func(s string) bool { return s == "" }), "/")] = true
	case *sigma.Correlation:
		for _, ref := range d.Rules {
			p.sources(p.byRef[ref], set)
		}
	}
}

// kind is what sort of rule it is: single, or a correlation's type.
func kind(d sigma.Document) string {
	if c, ok := d.(*sigma.Correlation); ok {
		return c.Type
	}
	return "single"
}

func (p *pack) byTactic() map[string][]sigma.Document {
	by := map[string][]sigma.Document{}
	for _, d := range p.rules {
		tactic := tacticOf(sigma.MetaOf(d))
		by[tactic] = append(by[tactic], d)
	}
	for _, list := range by {
		slices.SortStableFunc(list, func(x, y sigma.Document) int {
			a, b := sigma.MetaOf(x), sigma.MetaOf(y)
			return cmp.Or(cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level)), strings.Compare(a.Title, b.Title))
		})
	}
	return by
}

func (p *pack) reference() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Daybreak's own rules

<!-- Generated by "go generate ./detect/rules"; do not edit. -->

%d rules that alert, in %d files of [detect/rules](../../detect/rules), by the ATT&CK tactic that they are filed under and by level. "daybreak
rules list" shows those of a running program, with yours. [rules.md](rules.md) says how rules are written, tested and explained.

Of each rule are given: its level; its kind (single: one record by itself; otherwise the type of [correlation](correlation.md) or
[behavior](behavior.md)); ATT&CK techniques; the kinds of [foothold](#footholds) that a match may mean; its idea, a number in the
catalogue that the pack was written from; what to do; what else it may be; the log sources that it reads.

`, len(p.rules), p.files)
	p.writeTactics(&b)
	by := p.byTactic()
	for _, tactic := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(&b, "\n## %s\n", heading(tactic))
		for _, d := range by[tactic] {
			p.writeRule(&b, d)
		}
	}
	b.WriteString("\n## Techniques\n\nBy [MITRE ATT&CK](https://attack.mitre.org) for Enterprise v18 (© The MITRE Corporation, reproduced with its permission).\n\n")
	p.writeMap(&b, "technique", p.techniques, techniquesOf, func(id string) string {
		return fmt.Sprintf("[%s](https://attack.mitre.org/techniques/%s/)", id, strings.ReplaceAll(id, ".", "/"))
	})
	b.WriteString("\n## Footholds\n\nWhat an intruder may keep so as to come back. Each has to be removed, and watched, before anybody can say that they are out.\n\n")
	p.writeMap(&b, "foothold", p.footholds, footholdsOf, func(id string) string { return id })
	return b.String()
}

func (p *pack) writeTactics(b *strings.Builder) {
	fmt.Fprintf(b, "| tactic | rules | %s |\n|---|---|%s\n", strings.Join(levels, " | "), strings.Repeat("---|", len(levels)))
	by := p.byTactic()
	for _, tactic := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(b, "| [%s](#%s) | %d |", heading(tactic), anchor(heading(tactic)), len(by[tactic]))
		for _, level := range levels {
			n := 0
			for _, d := range by[tactic] {
				if sigma.MetaOf(d).Level == level {
					n++
				}
			}
			fmt.Fprintf(b, " %d |", n)
		}
		b.WriteByte('\n')
	}
}

func (p *pack) writeRule(b *strings.Builder, d sigma.Document) {
	m := sigma.MetaOf(d)
	fmt.Fprintf(b, "\n### %s\n\n", m.Title)
	facts := []string{"**" + m.Level + "**", kind(d)}
	facts = append(facts, techniquesOf(m)...)
	if list := footholdsOf(m); len(list) > 0 {
		facts = append(facts, "footholds "+strings.Join(list, " "))
	}
	if m.Daybreak != nil && len(m.Daybreak.Ideas) > 0 {
		facts = append(facts, "idea "+strings.Join(m.Daybreak.Ideas, " "))
	}
	fmt.Fprintf(b, "%s\n\n%s\n", strings.Join(facts, " · "), oneLine(m.Description))
	for _, f := range m.FalsePositives {
		fmt.Fprintf(b, "\n- May be: %s", oneLine(f))
	}
	if len(m.FalsePositives) > 0 {
		b.WriteByte('\n')
	}
	set := map[string]bool{}
	p.sources(d, set)
	fmt.Fprintf(b, "\nReads %s. [%s](../../detect/rules/%s)\n", strings.Join(slices.Sorted(maps.Keys(set)), ", "), path.Base(m.File), m.File)
}

func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return strings.NewReplacer("<", "&lt;", "|", "\\|").Replace(s)
}

// writeMap says which rules are about each of the things that have an id.
func (p *pack) writeMap(b *strings.Builder, what string, names map[string]string, of func(*sigma.Meta) []string, show func(string) string) {
	about := map[string][]string{}
	for _, d := range p.rules {
		for _, id := range of(sigma.MetaOf(d)) {
			about[id] = append(about[id], link(d))
		}
	}
	fmt.Fprintf(b, "| %s | | rules |\n|---|---|---|\n", what)
	for _, id := range slices.Sorted(maps.Keys(names)) {
		list := about[id]
		if len(list) == 0 && what == "technique" {
			continue // the list of names is not a list of what there ought to be
		}
		slices.Sort(list)
		fmt.Fprintf(b, "| %s | %s | %s |\n", show(id), names[id], cmp.Or(strings.Join(list, ", "), "none"))
	}
}
