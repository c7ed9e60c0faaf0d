// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lines knows in which line of a file a key stands: "step.2.kind" for the key in
// the third [[step]], "step.2" for the table itself. The decoder tells places
// only of what it refuses by itself.
type lines map[string]int

func locate(text []byte) lines {
	found := lines{}
	tables := map[string]int{}
	prefix := ""
	p := unstable.Parser{}
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		name, offset := keyOf(e)
		line := 1 + bytes.Count(text[:min(offset, len(text))], []byte("\n"))
		switch e.Kind {
		case unstable.ArrayTable:
			prefix = fmt.Sprintf("%s.%d.", name, tables[name])
			tables[name]++
			found[strings.TrimSuffix(prefix, ".")] = line
		case unstable.Table:
			prefix = name + "."
			found[name] = line
		case unstable.KeyValue:
			found[prefix+name] = line
		}
	}
	return found
}

func keyOf(e *unstable.Node) (name string, offset int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		n := it.Node()
		if len(parts) == 0 {
			offset = int(n.Raw.Offset)
		}
		parts = append(parts, string(n.Data))
	}
	return strings.Join(parts, "."), offset
}

// at makes an error of what stands at a key or, if the key is not there, at what
// holds it.
func (l lines) at(key, format string, args ...any) error {
	for name := key; ; {
		if line, ok := l[name]; ok {
			return fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...))
		}
		i := strings.LastIndexByte(name, '.')
		if i < 0 {
			return fmt.Errorf("%s", fmt.Sprintf(format, args...))
		}
		name = name[:i]
	}
}

func (l lines) has(key string) bool { return l[key] > 0 }
