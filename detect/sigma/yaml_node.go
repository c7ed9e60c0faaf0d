// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// entry is a key of a mapping with its value, aliases resolved.
type entry struct {
	key   string
	line  int
	value *yaml.Node
}

// mapping reads a mapping's entries in their order. Merge keys (<<) are written out. A
// second entry of the same key is refused: YAML forbids it, and one of the two would be lost.
func (p *parser) mapping(n *yaml.Node, what string) []entry {
	n = p.resolve(n)
	if n.Kind != yaml.MappingNode {
		p.errorf(n.Line, "%s has to be a map of keys and values, not %s", what, kindOf(n))
		return nil
	}
	entries := make([]entry, 0, len(n.Content)/2)
	seen := make(map[string]bool, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := p.resolve(n.Content[i]), n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			p.errorf(key.Line, "a key of %s is %s; keys are names", what, kindOf(key))
		case key.Tag == "!!merge":
			merged = append(merged, p.resolve(value))
		case seen[key.Value]:
			p.errorf(key.Line, "%s has the key %s twice; join the two or rename one", what, quoted(key.Value))
		default:
			seen[key.Value] = true
			entries = append(entries, entry{key.Value, key.Line, p.resolve(value)})
		}
	}
	for len(merged) > 0 {
		m := merged[0]
		merged = merged[1:]
		if m.Kind == yaml.SequenceNode {
			for _, c := range m.Content {
				if c = p.resolve(c); c.Kind != yaml.SequenceNode {
					merged = append(merged, c)
				}
			}
			continue
		}
		if m.Kind != yaml.MappingNode {
			p.errorf(m.Line, "the merge key << of %s needs a map, not %s", what, kindOf(m))
			continue
		}
		for i := 0; i+1 < len(m.Content); i += 2 {
			key := p.resolve(m.Content[i])
			if key.Tag == "!!merge" {
				p.errorf(key.Line, "a merged map merges another one; write its keys out")
			} else if key.Kind == yaml.ScalarNode && !seen[key.Value] {
				seen[key.Value] = true
				entries = append(entries, entry{key.Value, key.Line, p.resolve(m.Content[i+1])})
			}
		}
	}
	return entries
}

// resolve follows an alias and pays for the node. A node's own content is paid for when it is read.
func (p *parser) resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	p.spend(n.Line, nodeRoom+len(n.Value))
	return n
}

// text reads a scalar as it is written.
func (p *parser) text(e entry) string {
	if e.value.Kind != yaml.ScalarNode {
		p.errorf(e.value.Line, "%s has to be one value, not %s", e.key, kindOf(e.value))
		return ""
	}
	if e.value.Tag == "!!null" {
		return ""
	}
	return e.value.Value
}

// texts reads a list of scalars; one scalar alone counts as a list of one, as people write it.
func (p *parser) texts(e entry) []string {
	switch {
	case e.value.Kind == yaml.ScalarNode && e.value.Tag == "!!null":
		return nil
	case e.value.Kind == yaml.ScalarNode:
		return []string{e.value.Value}
	case e.value.Kind != yaml.SequenceNode:
		p.errorf(e.value.Line, "%s has to be a list, not %s", e.key, kindOf(e.value))
		return nil
	}
	list := make([]string, 0, len(e.value.Content))
	for _, c := range e.value.Content {
		if c = p.resolve(c); c.Kind != yaml.ScalarNode {
			p.errorf(c.Line, "an element of %s has to be one value, not %s", e.key, kindOf(c))
			continue
		}
		if c.Tag != "!!null" {
			list = append(list, c.Value)
		}
	}
	return list
}

// list reads the elements of a list.
func (p *parser) list(e entry) []*yaml.Node {
	if e.value.Kind != yaml.SequenceNode {
		p.errorf(e.value.Line, "%s has to be a list, not %s", e.key, kindOf(e.value))
		return nil
	}
	list := make([]*yaml.Node, 0, len(e.value.Content))
	for _, c := range e.value.Content {
		list = append(list, p.resolve(c))
	}
	return list
}

// boolean reads true or false.
func (p *parser) boolean(e entry) bool {
	b, ok := boolOf(e.value)
	if !ok {
		p.errorf(e.line, "%s has to be true or false", e.key)
	}
	return b
}

// any decodes what the specification does not know.
func (p *parser) any(n *yaml.Node, depth int) any {
	n = p.resolve(n)
	if depth > maxDepth {
		panic(exhausted{Problem{p.file, n.Line, Error, fmt.Sprintf("collections are more than %d deep in one another; an alias may contain itself", maxDepth)}})
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for _, e := range p.mapping(n, "this map") {
			m[e.key] = p.any(e.value, depth+1)
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			list = append(list, p.any(c, depth+1))
		}
		return list
	}
	if n.Tag == "!!null" {
		return nil
	}
	if b, ok := boolOf(n); ok {
		return b
	}
	if n.Tag == "!!int" {
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return i
		}
	}
	if f, ok := numberOf(n); ok {
		return f
	}
	return n.Value
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return "the value " + quoted(n.Value)
}

// quoted shows a part of a hostile text in a message.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}
