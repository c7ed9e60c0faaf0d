// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxArrays is how many arrays may be looked for in one another's members.
const maxArrays = 4

// selector is a part of a field's path that ends in brackets: Parameters[any].
type selector struct {
	field string
	of    Quantifier
	index int
}

// selectorForm is what makes a name in brackets a selector; others are part of the name.
var selectorForm = regexp.MustCompile(`\[(any|all|all_or_empty|none|-?\d{1,9})\](\.|\[|$)`)

// quantifiers by their names, which are those of the constants.
var quantifiers = [...]string{AnyMember: "any", AllMembers: "all", AllOrEmpty: "all_or_empty", NoMember: "none"}

// parseSelectors divides a field into the arrays that it leads through and the field of the
// last one's members: "." if it names none. A bracket behind a backslash is one of the name.
// Before version 3 there are no selectors, and what looks like one is refused: as a name it
// would match nothing. Errors can follow the name of the field.
func parseSelectors(path string, major int) (list []selector, field string, err error) {
	if major < 3 {
		if selectorForm.MatchString(path) {
			err = errors.New("addresses members of an array, which is of Sigma 3; set sigma-version: 3, or name the field without [...], which means any member's")
		}
		return nil, path, err
	}
	for from := 0; ; {
		at := selectorForm.FindStringSubmatchIndex(path[from:])
		if at == nil {
			break
		}
		open, end := from+at[0], from+at[3]+1
		if open > 0 && path[open-1] == '\\' {
			from = end
			continue
		}
		s := selector{field: unescapeName(path[:open])}
		if s.field == "" {
			if len(list) == 0 {
				return nil, "", errors.New("has brackets without a name before them; name the array")
			}
			s.field = "." // the array is a member itself
		}
		s.of, s.index = quantifierOf(path[open+1 : end-1])
		list = append(list, s)
		path, from = strings.TrimPrefix(path[end:], "."), 0
	}
	if path = unescapeName(path); path == "" && len(list) > 0 {
		path = "."
	}
	return list, path, nil
}

func quantifierOf(name string) (Quantifier, int) {
	for q, known := range quantifiers {
		if name == known {
			return Quantifier(q), 0
		}
	}
	n, _ := strconv.Atoi(name) // of at most nine digits
	return At, n
}

var (
	escapeName   = strings.NewReplacer("[", `\[`, "]", `\]`).Replace
	unescapeName = strings.NewReplacer(`\[`, "[", `\]`, "]").Replace
)

// array reads an item whose field leads through arrays. Its value is what is compared with
// the last one's members, or a block: a map of comparisons that have to hold for one
// and the same member, a list of such maps, or a map with searches and a condition.
func (p *parser) array(e entry, c *chain, path []selector, field string) Expr {
	if p.arrays+len(path) > maxArrays {
		p.errorf(e.line, "%s is the array number %d in one another's members, and at most %d can be", c.name, p.arrays+len(path), maxArrays)
		return nil
	}
	p.arrays += len(path)
	defer func() { p.arrays -= len(path) }()
	block, err := p.isBlock(e)
	if block && err == nil && (field != "." || len(c.modifiers) > 0) {
		err = errors.New("has a map for its value; write fields and modifiers into the map")
	}
	if err != nil {
		p.errorf(e.line, "%s %v", c.name, err)
		return nil
	}
	var x Expr
	if block {
		x = p.block(e)
	} else {
		c.field = field
		x = p.comparison(e, c)
	}
	if x == nil {
		return nil
	}
	for i := len(path) - 1; i >= 0; i-- {
		s := path[i]
		x = &Array{Field: s.field, Quantifier: s.of, Index: s.index, X: x, Line: e.line}
	}
	return x
}

// isBlock reports whether a value is a map, or a list of maps.
func (p *parser) isBlock(e entry) (bool, error) {
	if e.value.Kind != yaml.SequenceNode {
		return e.value.Kind == yaml.MappingNode, nil
	}
	maps, all := 0, p.list(e)
	for _, c := range all {
		if c.Kind == yaml.MappingNode {
			maps++
		}
	}
	if maps > 0 && maps < len(all) {
		return false, errors.New("has a list of maps and of values; write the values as {'.': value}")
	}
	return maps > 0, nil
}

// block reads what has to hold for one member.
func (p *parser) block(e entry) Expr {
	if e.value.Kind == yaml.SequenceNode {
		return p.anyOf(e)
	}
	entries := p.mapping(e.value, quoted(e.key))
	var condition *entry
	for i := range entries {
		if entries[i].key == "condition" {
			condition = &entries[i]
		}
	}
	if condition == nil {
		return p.allEntries(e.value, e.key, entries)
	}
	s := newSearches()
	for _, search := range entries {
		if search.key != "condition" {
			p.search(s, search)
		}
	}
	list := p.conditions(e, condition, s)
	if len(list) == 0 {
		return nil
	}
	alternatives := make([]Expr, len(list))
	for i, c := range list {
		alternatives[i] = c.Expr
	}
	return anyOf(alternatives)
}

// String returns the array as it is written before what is compared: Parameters[any].
func (a *Array) String() string {
	names := make([]string, 0, 1+len(a.Or))
	for _, name := range append([]string{a.Field}, a.Or...) {
		names = append(names, writtenName(name))
	}
	return strings.Join(names, "/") + a.brackets()
}

func (a *Array) brackets() string {
	if a.Quantifier == At {
		return fmt.Sprintf("[%d]", a.Index)
	}
	return "[" + quantifiers[a.Quantifier] + "]"
}

// writtenName is a field's name with its brackets escaped if they would be a selector.
func writtenName(name string) string {
	if selectorForm.MatchString(name) {
		return escapeName(name)
	}
	return name
}
