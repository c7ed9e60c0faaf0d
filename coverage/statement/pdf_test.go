// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package statement_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/daybreak-sec/daybreak/coverage/statement"
)

// inked returns what the pages of a PDF show, in which text stands as UTF-16.
func inked(t testing.TB, pdf []byte) string {
	t.Helper()
	var all strings.Builder
	for rest := pdf; ; {
		_, after, ok := bytes.Cut(rest, []byte("stream\n"))
		if !ok {
			return all.String()
		}
		body, next, ok := bytes.Cut(after, []byte("\nendstream"))
		if !ok {
			t.Fatal("a stream has no end")
		}
		rest = next
		z, err := zlib.NewReader(bytes.NewReader(body))
		if err != nil {
			continue // not a compressed one
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
}

// shows reports whether text stands in what inked returns. Backslashes stand before what has a meaning there.
func shows(ink, text string) bool {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(text)) {
		b.Write(binary.BigEndian.AppendUint16(nil, u))
	}
	escaped := strings.NewReplacer("\\", "\\\\", "(", "\\(", ")", "\\)", "\r", "\\r").Replace(b.String())
	return strings.Contains(ink, escaped)
}

func TestPDF(t *testing.T) {
	l := plain(t)
	s, _ := l.make(0, 40, 30)
	h := statement.Head{Title: statement.CoverageTitle, Origin: origin, Entries: s.Log.Entries}
	var one, two bytes.Buffer
	for _, w := range []io.Writer{&one, &two} {
		if err := statement.PDF(w, &h, s); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("one statement gives two PDFs")
	}
	ink := inked(t, one.Bytes())
	want := []string{"Coverage statement", origin, s.Totals.States.String(), s.CanaryLine(), "1 of 2 harmless acts (sign-in) that were done in this time"}
	for i := range s.Canaries {
		want = append(want, s.Canaries[i].Where(), s.Canaries[i].Delays())
		for _, l := range s.Canaries[i].Lost {
			want = append(want, l.Act)
		}
	}
	for i := range s.Streams {
		want = append(want, s.Streams[i].Stream)
		for _, r := range s.Streams[i].Runs {
			want = append(want, r.State, r.From.Format("2006-01-02 15:04:05Z"))
		}
		for _, g := range s.Streams[i].Gaps {
			want = append(want, g.Act)
		}
	}
	for _, text := range want {
		if !shows(ink, text) {
			t.Errorf("the pages do not show %q", text)
		}
	}
	if shows(ink, "nobody@example.com") {
		t.Error("the pages show what is not in the statement")
	}
}

// FuzzPDF: whatever names and messages hold, there is a PDF, and what is plain in them stands in it.
func FuzzPDF(f *testing.F) {
	for _, text := range []string{"", "ann@example.com", "größer 日本語", "😀\x00\xff\u202e", strings.Repeat("x", 3000), "(\\) {nb}", " \t\n "} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = text[:min(len(text), 5000)]
		s := &statement.Statement{Since: noon, Until: noon, Tenant: text, Canaries: []statement.Canary{{Kind: text, Channel: text, Tenant: text}}, Streams: []statement.Stream{{
			Stream: "before" + text, Source: text, Caution: text, Runs: []statement.Run{{From: noon, To: minute(5), State: text, Subject: text}},
			Gaps: []statement.Gap{{From: noon, Subject: text, Message: text, Act: "behind"}},
		}}}
		var b bytes.Buffer
		if err := statement.PDF(&b, &statement.Head{}, s); err != nil {
			t.Fatal(err)
		}
		if ink := inked(t, b.Bytes()); !shows(ink, "behind") && len(text) < 20 {
			t.Errorf("what stands behind %q is not there", text)
		}
	})
}
