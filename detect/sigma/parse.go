// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Parse reads a file of one or several documents and returns those that can be used. Each
// document that is refused has a [Problem] of severity Error that says what to change;
// the others of the file are returned nevertheless. The name of the file is for messages.
//
// What a document refers to (rules of a correlation, names of a filter) is not looked at:
// it may be in other files. See [CheckReferences].
func Parse(file string, text []byte) (docs []Document, problems []Problem) {
	p := &parser{file: file, room: maxRoom}
	defer func() {
		problems = p.problems
		if r := recover(); r != nil {
			e, ok := r.(exhausted)
			if !ok {
				panic(r)
			}
			problems = append(problems, e.Problem)
		}
	}()
	var c collection
	p.load(text, func(n *yaml.Node) {
		n = c.next(p, n)
		if n == nil {
			return
		}
		before := len(p.problems)
		if doc := p.document(n); doc != nil && !Failed(p.problems[before:]) {
			docs = append(docs, doc)
		}
	})
	return docs, nil
}

// document reads one document, whichever kind it is.
func (p *parser) document(n *yaml.Node) Document {
	m := Meta{File: p.file, Line: n.Line}
	p.major = 2
	var kinds []entry
	var logsource *entry
	generate := false
	for _, e := range p.mapping(n, "the document") {
		switch e.key {
		case "detection", "correlation", "filter":
			kinds = append(kinds, e)
		case "logsource":
			logsource = &e
		case "generate":
			generate = p.boolean(e)
		case "sigma-version":
			p.version(e)
		case "daybreak":
			m.Daybreak = p.own(e)
		default:
			p.meta(&m, e)
		}
	}
	if len(kinds) != 1 {
		p.errorf(n.Line, "a document needs exactly one of detection (a rule), correlation and filter; this one has %d", len(kinds))
		return nil
	}
	if m.Title == "" {
		// Within a correlation's file only the outermost document needs a title.
		if m.Title = m.Name; m.Title == "" {
			p.errorf(n.Line, "the document has no title; add one line that says what it finds")
		}
	}
	kind := kinds[0]
	if kind.key == "correlation" {
		return p.correlation(m, kind, logsource, generate)
	}
	if generate {
		p.errorf(n.Line, "generate belongs to correlations; remove it")
	}
	source := p.logSource(n.Line, logsource)
	if kind.key == "filter" {
		return p.filter(m, source, kind)
	}
	return &Rule{Meta: m, LogSource: source, Conditions: p.detection(kind)}
}

// version gates by the version of the language that a document is written in.
func (p *parser) version(e entry) {
	major, _, _ := strings.Cut(p.text(e), ".")
	v, err := strconv.Atoi(major)
	switch {
	case err != nil || v < 1:
		p.errorf(e.line, "sigma-version has to be a version such as 2 or 2.1, not %s", quoted(e.value.Value))
	case v > 3:
		p.errorf(e.line, "the document is written in version %d of Sigma and versions up to 3 are read; use no later features and set sigma-version: 3", v)
	default:
		p.major = v
	}
}

func (p *parser) logSource(line int, e *entry) LogSource {
	var s LogSource
	if e == nil {
		p.errorf(line, "the document has no logsource; say which records it is about by product, category or service")
		return s
	}
	for _, e := range p.mapping(e.value, "logsource") {
		switch e.key {
		case "product":
			s.Product = strings.ToLower(p.text(e))
		case "category":
			s.Category = strings.ToLower(p.text(e))
		case "service":
			s.Service = strings.ToLower(p.text(e))
		case "definition":
		default:
			p.warnf(e.line, "logsource has the key %s, which nothing looks at; only product, category and service choose records", quoted(e.key))
		}
	}
	if s == (LogSource{}) {
		p.errorf(e.line, "logsource needs a product, a category or a service")
	}
	return s
}
