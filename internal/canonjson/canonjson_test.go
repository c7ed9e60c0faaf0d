// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package canonjson_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/internal/canonjson"
)

func TestAppend(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{` { "b" : 1 , "a" : [ true , null , {"z":"","y":-0.5e+7} ] } `, `{"a":[true,null,{"y":-0.5e+7,"z":""}],"b":1}`},
		{`{"a":1,"a":2,"A":3}`, `{"A":3,"a":1,"a":2}`},
		{`{"ab":1,"a":2}`, `{"a":2,"ab":1}`},
		{`"\u0041\/\n\u00e9\ud83d\ude00"`, `"A/\u000aé😀"`},
		{`"\ud83d\u0041\udE00"`, `"\ud83dA\ude00"`},
		{`"\"\\"`, `"\"\\"`},
		{`12345678901234567890`, `12345678901234567890`},
		{`[]`, `[]`},
		{`{}`, `{}`},
	} {
		got, ok := canonjson.Append([]byte("x"), []byte(c.in))
		if !ok || string(got) != "x"+c.want {
			t.Errorf("Append(%s) = %s %v, want %s", c.in, got, ok, c.want)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, in := range []string{
		"", "{", "[1,]", `{"a"}`, `{"a":}`, `{a:1}`, "01", "1.", "1e", "-", "+1", `"`, "\"\x01\"", "\"\xff\"", `"\x"`, `"\u12g4"`,
		"truth", "1 2", "{}x", strings.Repeat("[", 600) + strings.Repeat("]", 600), strings.Repeat("[", 1_000_000),
	} {
		if got, ok := canonjson.Append(nil, []byte(in)); ok || got != nil {
			t.Errorf("Append(%.40q) = %.40q, accepted", in, got)
		}
	}
}

// FuzzAppend: the form means the same as the input, is stable, and whatever we
// take encoding/json takes too.
func FuzzAppend(f *testing.F) {
	f.Add(`{"b":[1,{"x":"\u00e9"}],"a":null}`)
	f.Fuzz(func(t *testing.T, in string) {
		out, ok := canonjson.Append(nil, []byte(in))
		if !ok {
			return
		}
		if again, ok := canonjson.Append(nil, out); !ok || string(again) != string(out) {
			t.Fatalf("%q becomes %q and then %q", in, out, again)
		}
		var a, b any
		if err := json.Unmarshal([]byte(in), &a); err != nil {
			if strings.Contains(err.Error(), "cannot unmarshal number") {
				return // out of float64's range
			}
			t.Fatalf("%q is accepted here, not by encoding/json: %v", in, err)
		}
		if err := json.Unmarshal(out, &b); err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("%q means something else than %q (%v)", out, in, err)
		}
	})
}
