// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package jsontape_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// FuzzAppendQuoted: any bytes become a JSON string of the same content, bytes
// that are not UTF-8 apart.
func FuzzAppendQuoted(f *testing.F) {
	for _, s := range []string{"", "plain", "12345678\"", "a\\b\n\r\t\x00\x1f\x7f", "héllo wörld, 日本", "\xff\xc0\x80", "\U0001f600\u2028"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, s []byte) {
		out := jsontape.AppendQuoted([]byte("before"), s)
		var got string
		if err := json.Unmarshal(out[len("before"):], &got); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		if want := string([]rune(string(s))); got != want { // a range over a string replaces as we do
			t.Fatalf("%q became %q, want %q", s, got, want)
		}
		if bytes.ContainsAny(out, "\n\r") {
			t.Fatalf("%q is more than a line", out)
		}
	})
}

// FuzzAppendClean: what Parse accepts becomes valid JSON on one line that means
// the same.
func FuzzAppendClean(f *testing.F) {
	for _, s := range append(seeds, "[\"a\nb\",\n \"\\\\\",\r\n\"\\\"\t\"]", "{\"é\xff\":\"\x01\"}", "\"\\u00e9\\\\\"") {
		f.Add([]byte(s))
	}
	var tape, again jsontape.Tape
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tape.Parse(raw) != nil {
			return
		}
		out := jsontape.AppendClean(nil, raw)
		if !json.Valid(out) || !utf8.Valid(out) || bytes.ContainsAny(out, "\n\r") {
			t.Fatalf("%q became %q", raw, out)
		}
		if err := again.Parse(out); err != nil {
			t.Fatal(err)
		}
		if utf8.Valid(raw) {
			sameValues(t, tape.Root(), again.Root())
		}
	})
}

func sameValues(t *testing.T, a, b jsontape.Value) {
	t.Helper()
	if a.Kind() != b.Kind() || string(a.Key()) != string(b.Key()) || a.Kind() < jsontape.Array && string(a.Text()) != string(b.Text()) {
		t.Fatalf("%s became %s", a.Raw(), b.Raw())
	}
	a, b = a.First(), b.First()
	for ; a.Exists() && b.Exists(); a, b = a.Next(), b.Next() {
		sameValues(t, a, b)
	}
	if a.Exists() != b.Exists() {
		t.Fatal("a value is lost or new")
	}
}

func BenchmarkAppendQuoted(b *testing.B) {
	s := []byte("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36")
	var out []byte
	b.SetBytes(int64(len(s)))
	for b.Loop() {
		out = jsontape.AppendQuoted(out[:0], s)
	}
}
