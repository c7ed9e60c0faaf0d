// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import "fmt"

// Severity says whether a document can be used in spite of a problem.
type Severity uint8

// The severities.
const (
	Error   Severity = iota // the document is refused
	Warning                 // it is used; its author should know
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// Problem is something wrong with a document, with what to change about it.
type Problem struct {
	File     string
	Line     int // from 1; 0 if it concerns the file as a whole
	Severity Severity
	Message  string // a sentence without the place
}

// Error returns "file:line: message", as compilers write it.
func (p Problem) Error() string {
	place := p.File
	if place == "" {
		place = "rule"
	}
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", place, p.Line, p.Message)
	}
	return place + ": " + p.Message
}

// Failed reports whether one of the problems is an Error.
func Failed(problems []Problem) bool {
	for _, p := range problems {
		if p.Severity == Error {
			return true
		}
	}
	return false
}

// at makes a problem of a document as a whole.
func (m *Meta) at(severity Severity, format string, args ...any) Problem {
	return m.atLine(m.Line, severity, format, args...)
}

func (m *Meta) atLine(line int, severity Severity, format string, args ...any) Problem {
	return Problem{File: m.File, Line: line, Severity: severity, Message: fmt.Sprintf(format, args...)}
}
