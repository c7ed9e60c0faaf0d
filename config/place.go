// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// places are the lines of a file's settings by their paths. Blocks of an array
// have their index in it: "source.0.tenant".
type places struct {
	lines   map[string]int
	blocks  map[string]int  // how many blocks an array has so far
	numbers map[string]bool // settings whose value is a bare number
}

// placesOf reads a file that the decoder has accepted a second time, for the
// decoder keeps no places.
func placesOf(text []byte) *places {
	at := &places{lines: map[string]int{}, blocks: map[string]int{}, numbers: map[string]bool{}}
	var p unstable.Parser
	p.Reset(text)
	section := ""
	for p.NextExpression() {
		switch n := p.Expression(); n.Kind {
		case unstable.Table, unstable.ArrayTable:
			section = at.section(&p, n)
		case unstable.KeyValue:
			at.value(&p, section, n)
		}
	}
	return at
}

// section notes the header of a section and returns its path.
func (at *places) section(p *unstable.Parser, n *unstable.Node) string {
	path, line := "", 0
	for keys := n.Key(); keys.Next(); {
		path = join(path, fold(keys.Node().Data))
		line = p.Shape(keys.Node().Raw).Start.Line
		switch count := at.blocks[path]; {
		case n.Kind == unstable.ArrayTable && keys.IsLast():
			at.blocks[path]++
			path = join(path, strconv.Itoa(count))
		case count > 0: // a section of the latest block
			path = join(path, strconv.Itoa(count-1))
		}
		if !at.has(path) {
			at.lines[path] = line
		}
	}
	return path
}

// value notes a setting, and those of a table in braces.
func (at *places) value(p *unstable.Parser, section string, n *unstable.Node) {
	path, line := section, 0
	for keys := n.Key(); keys.Next(); {
		path = join(path, fold(keys.Node().Data))
		line = p.Shape(keys.Node().Raw).Start.Line
		if !at.has(path) {
			at.lines[path] = line
		}
	}
	at.numbers[path] = n.Value().Kind == unstable.Integer
	at.inside(p, path, line, n.Value())
}

func (at *places) inside(p *unstable.Parser, path string, line int, v *unstable.Node) {
	children := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for children.Next() {
			at.value(p, path, children.Node())
		}
	case unstable.Array:
		for i := 0; children.Next(); i++ {
			element := join(path, strconv.Itoa(i))
			at.lines[element] = line
			at.inside(p, element, line, children.Node())
		}
	}
}

// fold returns a key as the settings are spelled: the decoder does not mind case.
func fold(key []byte) string { return strings.ToLower(strings.ToUpper(string(key))) }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (at *places) has(path string) bool { return at.lines[path] > 0 }

// locate puts the line before what is wrong with a setting: its own, or that
// of the block that lacks it.
func (at *places) locate(err error) error {
	p := (*problem)(nil)
	if !errors.As(err, &p) {
		return err
	}
	for path := p.path; path != ""; {
		if line := at.lines[path]; line > 0 {
			return fmt.Errorf("line %d: %w", line, err)
		}
		path = path[:max(0, strings.LastIndexByte(path, '.'))]
	}
	return err
}
