// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file

import "testing"

// FuzzScanner compares the scanner, which reads 64 bytes at a time, with the
// same text read byte by byte and in two parts.
func FuzzScanner(f *testing.F) {
	f.Add([]byte(`{"a\\":"}\"","b":[{},"\\\\\"]"],"long":"                                                              "}x`), uint16(9))
	f.Add([]byte(`[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]`), uint16(64))
	f.Add([]byte(`{"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\":1}`), uint16(33))
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		var one scanner
		want := -1
		for i := range text {
			if one.run(text[i:i+1]) >= 0 {
				want = i + 1
				break
			}
		}
		var whole, halves scanner
		if got := whole.run(text); got != want {
			t.Fatalf("whole: %d, byte by byte %d", got, want)
		}
		cut := min(int(at), len(text))
		got := halves.run(text[:cut])
		if got < 0 {
			if got = halves.run(text[cut:]); got >= 0 {
				got += cut
			}
		}
		if got != want {
			t.Fatalf("cut at %d: %d, byte by byte %d", cut, got, want)
		}
		if want < 0 && (whole != one || halves != one) {
			t.Fatalf("states differ: %v %v %v", whole, halves, one)
		}
	})
}
