// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Options say how rules are to be compiled.
type Options struct {
	// Layers names other views of a record that the caller makes when they are asked for
	// ("ocsf"). A field whose first name is a layer's, and every field of a rule with that
	// taxonomy, is looked up there. There are at most maxLayers.
	Layers []string
	// AnyLogSource makes every rule apply to every record.
	AnyLogSource bool
}

// Program is what rules are compiled to. It is immutable, and any number of goroutines may
// make a Matcher of it.
type Program struct {
	layers []string // by view; the first is the record itself, ""
	any    bool

	rules    []*Rule
	units    []unit
	items    []check
	itemOf   map[itemKey]int32
	fields   []programField
	fieldIDs map[programField]int32
	asked    map[*Rule][]int32 // fields that are asked of the records it matches
	costs    [8]costShard      // a matcher counts in one of them
	matchers uint32            // how many there were, to share out the shards

	mu    sync.Mutex
	plans map[string]*plan
	whole *plan // of all fields and no index, for explanations

	bodies int // how many there are, to number them
}

// itemKey is an item or an array as a rule of some taxonomy has it: rules may share them.
type itemKey struct {
	item Expr
	home int // the view that its fields are in if their names do not say another
}

// programField is a field of one of the views.
type programField struct {
	view  int
	name  string
	array bool // its arrays are wanted whole
}

// unit is one condition of a rule: what is matched by itself.
type unit struct {
	rule      *Rule
	ruleID    int32
	condition int
	root      term
	witness   []probe // if none of them is seen in a record the unit cannot match
	unbound   bool    // there is no such set: it is always a candidate
}

// maxLayers is what fits into check.views beside the record itself.
const maxLayers = 7

// maxPlans bounds how many combinations of log sources have their plan kept.
const maxPlans = 4096

// Compile makes a program of rules, in whose order matches are given. A rule that it refuses
// is left out, and a problem says why. Rules must not be changed afterwards.
//
// A field is a path of names parted by dots. Names are those of the record exactly, but that
// blanks in either do not count, and a key of the record may hold dots itself.
//
//   - An array stands for its members: a comparison holds if it does with one of them, and
//     with |all if each value is met by one of them.
//   - A member of an array that has a string as its Name, name, DisplayName, displayName, Key
//     or key (the first of these) can be reached by it as if it were a key. What is there is
//     its Value or value if it has one, or else itself: Parameters.ForwardTo is "x" in
//     {"Parameters":[{"Name":"ForwardTo","Value":"x"}]}.
//   - Text is compared with an object, and with an array that holds objects, as its JSON
//     stands in the record.
//   - A field that an object has twice has both values: neither can hide the other.
//
// No comparison holds with a field that is absent but null and |exists: false. A field that
// is null or an empty array is there.
func Compile(rules []*Rule, opts Options) (*Program, []Problem) {
	p := newProgram(opts.Layers)
	p.any = opts.AnyLogSource
	if len(opts.Layers) > maxLayers {
		return p, []Problem{{Message: fmt.Sprintf("there are %d layers; at most %d can be told apart", len(opts.Layers), maxLayers)}}
	}
	c := compiler{p: p, known: map[string]int32{}}
	var problems []Problem
	for _, r := range rules {
		if problem := c.rule(r); problem != nil {
			problems = append(problems, *problem)
		}
	}
	for i := range p.costs {
		p.costs[i] = make(costShard, len(p.units))
	}
	c.witnesses()
	return p, problems
}

func newProgram(layers []string) *Program {
	p := &Program{
		layers:   append([]string{""}, layers...),
		itemOf:   map[itemKey]int32{},
		fieldIDs: map[programField]int32{},
		asked:    map[*Rule][]int32{},
		plans:    map[string]*plan{},
	}
	for view := range p.layers {
		p.field(programField{view: view}) // keywords: every value
	}
	return p
}

// Field is a field that [Matcher.Values] may be asked for.
type Field int32

// Field returns what stands for a field when it is asked of the records that a rule matches: its values are noted together
// with those that rules compare. The field of a layer has its name in front. It is for who has compiled the program, before there
// is a Matcher of it.
func (p *Program) Field(r *Rule, name string) Field {
	f := p.field(p.locate(name, ""))
	if !slices.Contains(p.asked[r], f) {
		p.asked[r] = append(p.asked[r], f)
	}
	return Field(f)
}

// Rules returns the rules of the program, in order.
func (p *Program) Rules() []*Rule { return p.rules }

// Fields returns the fields that rules compare, with the rules that do. Fields of a layer have
// its name in front. Keywords are not among them.
func (p *Program) Fields() map[string][]*Rule {
	seen := map[string]map[int32]bool{}
	for i := range p.units {
		u := &p.units[i]
		p.names(&u.root, func(name string) {
			if seen[name] == nil {
				seen[name] = map[int32]bool{}
			}
			seen[name][u.ruleID] = true
		})
	}
	delete(seen, "") // keywords
	out := map[string][]*Rule{}
	for name, rules := range seen {
		for _, r := range slices.Sorted(maps.Keys(rules)) {
			out[name] = append(out[name], p.rules[r])
		}
	}
	return out
}

// names calls each for the fields that a term reads, those of members behind the array's.
func (p *Program) names(t *term, each func(string)) {
	t.walk(func(item int32) {
		k := &p.items[item]
		for _, f := range k.uses() {
			name := p.fieldName(f)
			if p.fields[f].name == "" {
				name = ""
			}
			if k.array == nil {
				each(name)
				continue
			}
			k.array.p.names(&k.array.root, func(below string) { each(joinNames(name, below)) })
		}
	})
}

// fieldName is a field as rules without a taxonomy write it.
func (p *Program) fieldName(f int32) string {
	if at := p.fields[f]; at.view > 0 {
		return p.layers[at.view] + "." + at.name
	}
	return p.fields[f].name
}

// locate says in which view a field is, and how it is called there.
func (p *Program) locate(field, taxonomy string) programField {
	for view, layer := range p.layers[1:] {
		if name, ok := strings.CutPrefix(field, layer+"."); ok {
			return programField{view: view + 1, name: fieldName(name)}
		}
	}
	return programField{view: p.home(taxonomy), name: fieldName(field)}
}

// home is the view that the fields of a rule are in.
func (p *Program) home(taxonomy string) int {
	return max(0, slices.Index(p.layers, taxonomy))
}

// plan returns what is needed to match the records of some log sources.
func (p *Program) plan(key string, sources []LogSource) *plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.plans[key]; known != nil {
		return known
	}
	if len(p.plans) >= maxPlans {
		clear(p.plans)
	}
	var units []int32
	for i := range p.units {
		if p.any || appliesTo(p.units[i].rule.LogSource, sources) {
			units = append(units, int32(i))
		}
	}
	made := p.newPlan(units)
	p.plans[key] = made
	return made
}

// Prepare makes what is needed to match the records of these log sources. The first record of
// theirs would do it as well, and wait for it.
func (p *Program) Prepare(sources []LogSource) {
	p.plan(string(appendPlanKey(nil, sources)), sources)
}

// Sources returns the log sources that are prepared for: those of the records matched so far.
func (p *Program) Sources() [][]LogSource {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([][]LogSource, 0, len(p.plans))
	for _, key := range slices.Sorted(maps.Keys(p.plans)) {
		parts := strings.Split(key, "\x00")
		var sources []LogSource
		for ; len(parts) > 3; parts = parts[3:] {
			sources = append(sources, LogSource{parts[0], parts[1], parts[2]})
		}
		list = append(list, sources)
	}
	return list
}

// appliesTo reports whether every attribute that the rule names is that of one of the sources.
func appliesTo(rule LogSource, sources []LogSource) bool {
	same := func(rule, record string) bool { return rule == "" || strings.EqualFold(rule, record) }
	for _, s := range sources {
		if same(rule.Product, s.Product) && same(rule.Category, s.Category) && same(rule.Service, s.Service) {
			return true
		}
	}
	return rule == LogSource{}
}

func appendPlanKey(key []byte, sources []LogSource) []byte {
	for i := range sources {
		s := &sources[i]
		key = append(append(key, s.Product...), 0)
		key = append(append(key, s.Category...), 0)
		key = append(append(key, s.Service...), 0)
	}
	return key
}

// refuse makes the problem for which a rule is left out.
func refuse(r *Rule, line int, format string, args ...any) *Problem {
	if line == 0 {
		line = r.Line
	}
	return &Problem{File: r.File, Line: line, Severity: Error, Message: fmt.Sprintf(format, args...)}
}
