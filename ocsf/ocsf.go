// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package ocsf holds events of the Open Cybersecurity Schema Framework 1.8.0
// (https://schema.ocsf.io): what mappings fill ([Event]), how it is written
// ([Event.AppendJSON]) and what makes a written event valid ([Validate]).
//
// The attributes that mappings use have a [Path] each. To use one more, add it
// to paths.txt and run `go generate ./ocsf`, which checks it with the schema.
package ocsf

//go:generate go run ../internal/ocsfgen

import (
	"slices"
	"strings"
)

// Class is an event class, by its class_uid.
type Class uint32

// Path names an attribute of events: [PathActorUserName] is "actor.user.name".
// Paths of one object have neighboring numbers. Numbers change from build to
// build: store texts.
type Path uint16

// String returns the path's text: attribute names joined by dots, with "[]"
// after those of arrays.
func (p Path) String() string {
	if p >= pathCount {
		return ""
	}
	return pathText[p]
}

// ParsePath finds the path of a text, with or without its "[]"; ok is false if
// no mapping uses such an attribute.
func ParsePath(text string) (p Path, ok bool) {
	i, ok := slices.BinarySearchFunc(pathText[1:], text, func(have, want string) int {
		return comparePaths(have, want)
	})
	if !ok {
		return PathNone, false
	}
	return Path(i + 1), true
}

// Paths returns all paths in order.
func Paths() []Path {
	all := make([]Path, 0, pathCount-1)
	for p := PathNone + 1; p < pathCount; p++ {
		all = append(all, p)
	}
	return all
}

// comparePaths orders by attribute names, so that a path's "[]" does not count.
func comparePaths(a, b string) int {
	for a != "" && b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		if c := strings.Compare(strings.TrimSuffix(x, "[]"), strings.TrimSuffix(y, "[]")); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}
