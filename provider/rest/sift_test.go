// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package rest_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

func TestSift(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                 `[]`,
		`[{"a":1},{"large":"0123456789"},7]`: `[{"a":1},7]`,
		`[{"large":"0123456789"} , {"a":1}]`: `[  {"a":1}]`,
		`[{"large":"0123456789"},{"large":"}],[{\"\\"}]`:                               `[]`,
		`{"x":{"large":"0123456789"},"v":[{"large":"0123456789"},{"a":[{}]}],"n":"2"}`: `{"x":{"large":"0123456789"},"v":[{"a":[{}]}],"n":"2"}`,
		`[[{"large":"0123456789"}]]`:                                                   `[[{"large":"0123456789"}]]`,
		`}}]{"a":[`:                                                                    `}}]{"a":[`,
	} {
		for n := 1; n <= len(text); n++ {
			if kept, _ := rest.Sift([]byte(text), 12, n); string(kept) != want {
				t.Fatalf("%s in parts of %d: %s, want %s", text, n, kept, want)
			}
		}
	}
}

// TestSiftAny: of any list, the objects that are not larger than may be come out in their order, and of the others the size
// and the members that they begin with.
func TestSiftAny(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	const most = 60
	for range 20_000 {
		var all, want []string
		var sizes []int
		for range random.IntN(6) {
			word := strings.Repeat([]string{"a", `\"`, "}", "],{", ","}[random.IntN(5)], random.IntN(30))
			r := `{"id":"` + word[:min(len(word), 2*random.IntN(3))] + `","list":[{"x":[1,2]}],"of":"` + word + `"}`
			if !json.Valid([]byte(r)) {
				continue
			}
			if all = append(all, r); len(r) > most {
				sizes = append(sizes, len(r))
			} else {
				want = append(want, r)
			}
		}
		text := "[" + strings.Join(all, []string{",", " ,\n"}[random.IntN(2)]) + "]"
		if random.IntN(2) == 0 {
			text = `{"kind":"x{[","value":` + text + `,"next":"n"}`
		}
		kept, left := rest.Sift([]byte(text), most, 1+random.IntN(len(text)))
		var list []json.RawMessage
		var object struct{ Value []json.RawMessage }
		if json.Unmarshal(kept, &list) != nil {
			if err := json.Unmarshal(kept, &object); err != nil {
				t.Fatalf("%s: %s: %v", text, kept, err)
			}
			list = object.Value
		}
		var got []string
		for _, r := range list {
			got = append(got, string(r))
		}
		var had []int
		for _, l := range left {
			var head struct{ ID *string }
			if had = append(had, int(l.Size)); json.Unmarshal(l.Head, &head) != nil || head.ID == nil {
				t.Fatalf("%s: the head %s", text, l.Head)
			}
		}
		if !slices.Equal(got, want) || !slices.Equal(had, sizes) {
			t.Fatalf("%s: got %q and sizes %v, want %q and %v", text, got, had, want, sizes)
		}
	}
}
