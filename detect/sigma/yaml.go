// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Limits of one file. They are far above what people write.
const (
	maxFile     = 1 << 20  // bytes
	maxDepth    = 64       // of YAML collections in one another
	maxRoom     = 32 << 20 // bytes that may be made of the file, roughly; see parser.spend
	maxProblems = 1000
	nodeRoom    = 48 // of that for each node that is read, beside its text
)

// parser reads one file.
type parser struct {
	file     string
	room     int
	major    int // version of the language that the document is written in
	arrays   int // in how many arrays' members what is read now is looked for
	problems []Problem
}

// exhausted ends the reading of a file from any depth; Parse recovers it.
type exhausted struct{ Problem }

// spend takes from the room that the file has left. Aliases, repeated collections and
// modifiers that multiply values make much of few bytes; whatever they make is paid for here.
func (p *parser) spend(line, n int) {
	p.room -= n
	if p.room < 0 {
		panic(exhausted{Problem{
			File: p.file, Line: line, Severity: Error,
			Message: fmt.Sprintf("with aliases, repeated documents and value modifiers written out the file is larger than %d MiB; split it, or write fewer values", maxRoom>>20),
		}})
	}
}

func (p *parser) errorf(line int, format string, args ...any) {
	p.report(line, Error, fmt.Sprintf(format, args...))
}

func (p *parser) warnf(line int, format string, args ...any) {
	p.report(line, Warning, fmt.Sprintf(format, args...))
}

func (p *parser) report(line int, severity Severity, message string) {
	if len(p.problems) == maxProblems {
		panic(exhausted{Problem{p.file, line, Error, fmt.Sprintf("the file has more than %d problems and is not read further; mend these first", maxProblems)}})
	}
	p.problems = append(p.problems, Problem{p.file, line, severity, message})
}

// load calls each for the root of every document of the file that is not empty. What is
// not YAML ends it, with a problem.
func (p *parser) load(text []byte, each func(*yaml.Node)) {
	if len(text) > maxFile {
		p.errorf(0, "the file has %d bytes and at most %d are read; split it", len(text), maxFile)
		return
	}
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		p.errorf(0, "the YAML cannot be read: %v", err)
		return
	}
	for {
		var doc yaml.Node
		err := loader.Load(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			p.notYAML(err, text)
			return
		}
		if len(doc.Content) == 1 && doc.Content[0].Tag != "!!null" {
			each(doc.Content[0])
		}
	}
}

func (p *parser) notYAML(err error, text []byte) {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		p.errorf(0, "the file is not YAML: %v", err)
		return
	}
	line := load.Mark.Line
	if line == 0 {
		line = badLine(text)
	}
	message := load.Message
	if load.ContextMsg != "" {
		message += " " + load.ContextMsg
	}
	p.errorf(line, "the file is not YAML from here on: %s", message)
}

// badLine finds the first character that YAML does not allow at all, which its parser
// reports without a place.
func badLine(text []byte) int {
	line := 1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\t' && r != '\r', r == 0x7F:
			return line
		}
		i += size
	}
	return line
}
