// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// What of XML in a text is read. It is a provider's, or whoever got a text of his into the log.
const (
	maxXML      = 256 << 10 // bytes
	maxXMLDepth = 16
	maxXMLItems = 1024
)

// elements makes an object of the elements of an XML text that have a text and nothing else in them, by the name in their
// attribute Name or else by their own; of several of one name the first counts. An element Data without a name is called
// by its place among its like, param1 and so on, as [named] does. It is not an object if the text is no XML,
// or more of it than can be sensible. Entities that a text defines itself are not read, and nothing is fetched.
func elements(text []byte) jsontape.Value {
	if len(text) > maxXML {
		return jsontape.Value{}
	}
	type open struct {
		name     string
		text     []byte
		children bool
	}
	var stack []open
	said, n, unnamed := map[string]bool{}, 0, 0
	w := []byte{'{'}
	d := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := d.Token()
		if err == io.EOF && len(stack) == 0 {
			break
		}
		if err != nil {
			return jsontape.Value{}
		}
		switch x := token.(type) {
		case xml.StartElement:
			if len(stack) > 0 {
				stack[len(stack)-1].children = true
			}
			name := ""
			for _, a := range x.Attr {
				if a.Name.Local == "Name" && a.Name.Space == "" {
					name = a.Value
				}
			}
			if name == "" {
				if name = x.Name.Local; name == "Data" {
					unnamed++
					name = param(unnamed)
				}
			}
			if n++; n > maxXMLItems || len(stack) >= maxXMLDepth {
				return jsontape.Value{}
			}
			stack = append(stack, open{name: name})
		case xml.CharData:
			if len(stack) > 0 {
				top := &stack[len(stack)-1]
				top.text = append(top.text, x...)
			}
		case xml.EndElement: // the decoder holds that it ends what began last
			top := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			value := bytes.TrimSpace(top.text)
			if top.children || len(value) == 0 || said[top.name] {
				continue
			}
			said[top.name] = true
			key, _ := json.Marshal(top.name)
			val, _ := json.Marshal(string(value))
			if len(w) > 1 {
				w = append(w, ',')
			}
			w = append(append(append(w, key...), ':'), val...)
		}
	}
	var tape jsontape.Tape
	if n == 0 || tape.Parse(append(w, '}')) != nil {
		return jsontape.Value{}
	}
	return tape.Root()
}
