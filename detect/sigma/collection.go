// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "go.yaml.in/yaml/v4"

// collection is the state of a file of several documents that use `action`, which
// specification 1 had for templates: what a global document says holds for all that
// follow, until reset; repeat takes the document before and changes some of it.
type collection struct {
	global, previous *yaml.Node
}

// next returns the document to read for a document of the file, nil if it is only a
// template.
func (c *collection) next(p *parser, n *yaml.Node) *yaml.Node {
	n = p.resolve(n)
	action := ""
	if n.Kind == yaml.MappingNode {
		action, n = p.takeAction(n)
	}
	switch action {
	case "global":
		c.global = p.merge(c.global, n, 0)
		return nil
	case "reset":
		c.global = nil
		return nil
	case "repeat":
		if c.previous == nil {
			p.errorf(n.Line, "action: repeat has no document before it to repeat; write the rule out")
			return nil
		}
		c.previous = p.merge(c.previous, n, 0)
		return c.previous
	case "":
		c.previous = p.merge(c.global, n, 0)
		return c.previous
	}
	p.errorf(n.Line, "action: %s is not known; there are global, reset and repeat", quoted(action))
	return nil
}

// takeAction returns the document without its action.
func (p *parser) takeAction(n *yaml.Node) (string, *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "action" {
			continue
		}
		p.warnf(n.Content[i].Line, "action is of Sigma 1 and left the specification; write every rule out")
		rest := *n
		rest.Content = append(append([]*yaml.Node{}, n.Content[:i]...), n.Content[i+2:]...)
		return p.resolve(n.Content[i+1]).Value, &rest
	}
	return "", n
}

// merge returns base with what own says put in: maps are joined key by key, all else is
// replaced. Neither is changed.
func (p *parser) merge(base, own *yaml.Node, depth int) *yaml.Node {
	if base == nil || depth > maxDepth {
		return own
	}
	base, own = p.resolve(base), p.resolve(own)
	if base.Kind != yaml.MappingNode || own.Kind != yaml.MappingNode {
		return own
	}
	result := *own
	result.Content = append([]*yaml.Node{}, base.Content...)
	at := make(map[string]int, len(base.Content)/2)
	for i := 0; i+1 < len(base.Content); i += 2 {
		p.spend(own.Line, nodeRoom)
		at[base.Content[i].Value] = i
	}
	for i := 0; i+1 < len(own.Content); i += 2 {
		p.spend(own.Line, nodeRoom)
		key, value := own.Content[i], own.Content[i+1]
		if j, ok := at[key.Value]; ok {
			result.Content[j], result.Content[j+1] = key, p.merge(base.Content[j+1], value, depth+1)
			continue
		}
		result.Content = append(result.Content, key, value)
	}
	return &result
}
