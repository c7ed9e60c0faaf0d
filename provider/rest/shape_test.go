// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// FuzzShape compares with the JSON decoder: of a valid array, the whole is closed and no
// beginning is, however it is divided.
func FuzzShape(f *testing.F) {
	f.Add([]byte(`[{"a":"\\\"]"},[],[{}], "]" ]`), uint16(7))
	f.Add([]byte(`[]`), uint16(1))
	f.Add([]byte(`["\u005d\\"]`), uint16(10))
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		text = bytes.TrimSpace(text)
		if len(text) == 0 || text[0] != '[' || !json.Valid(text) {
			t.Skip()
		}
		cut := int(at) % len(text)
		if !rest.Closed(text[:cut], text[cut:]) {
			t.Errorf("%q is closed, but not when divided at %d", text, cut)
		}
		if rest.Closed(text[:cut/2], text[cut/2:cut]) {
			t.Errorf("%q is not closed", text[:cut])
		}
	})
}
