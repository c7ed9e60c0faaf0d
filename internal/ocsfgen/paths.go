// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// maxPaths keeps a path, an element and a place in 16 bits each.
const maxPaths = 1<<16 - 2

// maxDepth is package ocsf's maxPathDepth.
const maxDepth = 8

// written are the attributes that package ocsf's encoder works out itself.
var written = []string{
	"activity_id", "category_name", "category_uid", "class_name", "class_uid", "metadata.profiles[]", "metadata.version",
	"observables[]", "time", "type_name", "type_uid", "unmapped",
}

// readPaths returns the paths of paths.txt, each once, sorted so that the
// paths of one object stand together. It reports every bad line, not the first.
func readPaths(s *schema.Schema, text string) ([]string, error) {
	var paths []string
	var bad []error
	for n, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		kind, err := resolve(s, f[0])
		switch {
		case err != nil:
			bad = append(bad, fmt.Errorf("line %d: %s: %w", n+1, f[0], err))
		case len(f) > 2, len(f) == 2 && f[1] != kind:
			bad = append(bad, fmt.Errorf("line %d: %s: the schema has it as %s; leave the second word out or write that", n+1, f[0], kind))
		default:
			paths = append(paths, f[0])
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		return slices.Compare(names(a), names(b))
	})
	paths = slices.Compact(paths)
	for i := 1; i < len(paths); i++ {
		if goName(paths[i]) == goName(paths[i-1]) {
			bad = append(bad, fmt.Errorf("%s and %s would have the same Go name: leave one out", paths[i-1], paths[i]))
		}
	}
	if len(paths) > maxPaths {
		bad = append(bad, fmt.Errorf("%d paths, at most %d", len(paths), maxPaths))
	}
	return paths, errors.Join(bad...)
}

// names splits a path into its attributes' names, which order it.
func names(path string) []string {
	return strings.Split(strings.ReplaceAll(path, "[]", ""), ".")
}

// resolve looks the path up in the schema and returns the kind of its values:
// string, int, bool, float, json or timestamp.
func resolve(s *schema.Schema, path string) (string, error) {
	if slices.Contains(written, path) {
		return "", errors.New("the encoder writes it: leave it out")
	}
	if strings.Count(path, ".") >= maxDepth {
		return "", fmt.Errorf("more than %d names", maxDepth)
	}
	first, rest, nested := strings.Cut(path, ".")
	err := fmt.Errorf("no class of OCSF %s has %q", s.Version, first)
	for _, c := range s.Classes {
		kind, e := resolveIn(&c.Object, first, rest, nested)
		if e == nil {
			return kind, nil
		}
		if _, has := c.Attr(strings.TrimSuffix(first, "[]")); has {
			err = e
		}
	}
	return "", err
}

func resolveIn(o *schema.Object, first, rest string, nested bool) (string, error) {
	name, array := strings.CutSuffix(first, "[]")
	a, ok := o.Attr(name)
	switch {
	case !ok:
		return "", fmt.Errorf("OCSF's %s has no %q", o.Name, name)
	case a.Array && !array:
		return "", fmt.Errorf("%s is an array: write %s[]", name, name)
	case array && !a.Array:
		return "", fmt.Errorf("%s is not an array: write it without []", name)
	case a.Object == nil && nested:
		return "", fmt.Errorf("%s has no attributes, it is a %s", name, a.Type.Name)
	case a.Object != nil && nested:
		first, rest, nested = strings.Cut(rest, ".")
		return resolveIn(a.Object, first, rest, nested)
	case a.Object != nil && a.Object.Name == "object":
		return "json", nil
	case a.Object != nil:
		return "", fmt.Errorf("%s is an object (%s): name its attributes, one a line", name, a.Object.Name)
	}
	return kindOf(a.Type), nil
}

func kindOf(t *schema.Type) string {
	switch {
	case t.Name == "timestamp_t":
		return "timestamp"
	case t.Name == "boolean_t":
		return "bool"
	case t.Name == "float_t":
		return "float"
	case t.Name == "json_t":
		return "json"
	case t.IsNumber():
		return "int"
	}
	return "string"
}

// initialisms are the words that Go writes in capitals.
var initialisms = []string{"api", "asn", "dns", "html", "http", "id", "idp", "ip", "ja4", "mac", "mfa", "os", "rdp", "smtp", "sso", "tls", "ttl", "uid", "url", "uuid"}

// goName makes "SrcEndpointIP" from "src_endpoint.ip".
func goName(path string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '_' || r == '[' || r == ']' }) {
		if slices.Contains(initialisms, word) {
			b.WriteString(strings.ToUpper(word))
		} else {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
