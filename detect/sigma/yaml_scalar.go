// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// boolOf reads a boolean of YAML 1.2: true and false. The words yes, no, on, off are text.
func boolOf(n *yaml.Node) (value, ok bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		return false, false
	}
	switch n.Value {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}

// numberOf reads a number of YAML 1.2: decimal (a leading zero does not make it octal), 0x, 0o.
func numberOf(n *yaml.Node) (float64, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" && n.Tag != "!!float" {
		return 0, false
	}
	return parseNumber(n.Value)
}

func parseNumber(s string) (float64, bool) {
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0o") {
		u, err := strconv.ParseUint(s[2:], map[byte]int{'x': 16, 'o': 8}[s[1]], 64)
		return float64(u), err == nil
	}
	if s == "" || strings.Trim(s, "+-.0123456789eE") != "" {
		return 0, false // ParseFloat would read underscores, inf and hexadecimal fractions
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}
