// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package jsontape_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// decode rebuilds what encoding/json would have made of the value.
func decode(v jsontape.Value) any {
	switch v.Kind() {
	case jsontape.Null:
		return nil
	case jsontape.True, jsontape.False:
		b, _ := v.Bool()
		return b
	case jsontape.Number:
		return json.Number(v.Raw())
	case jsontape.String:
		return string(v.Str())
	case jsontape.Array:
		list := []any{}
		for c := v.First(); c.Exists(); c = c.Next() {
			list = append(list, decode(c))
		}
		return list
	}
	object := map[string]any{}
	for c := v.First(); c.Exists(); c = c.Next() {
		object[string(c.Key())] = decode(c)
	}
	return object
}

func oracle(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

var seeds = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-1.5e+10`, `""`, ` [ 1 , 2 ] `,
	`{"a":{"b":[1,{"c":null}]},"d":"e"}`, `{"a":1,"a":2}`, `"\u00e9\ud83d\ude00\ud800\n\/"`,
	`{"\u0061":[[],{},[{}]]}`, `[1,]`, `{"a":1,}`, `[,]`, `{,}`, `01`, `-`, `1.`, `1e`, `tru`, `"\x"`, `"\u12"`, `{"a"}`, `{"a":}`,
	`[1 2]`, `{"a":1 "b":2}`, `]`, `"`, `[`, `{"a":1]`, `[1}`, `{} {}`, "\"12345678\\\"90\"", "[\"a\x00b\"]", "\"\xff\"",
}

func FuzzAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	var tape jsontape.Tape
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := tape.Parse(raw)
		if json.Valid(raw) {
			if err != nil {
				t.Fatalf("refused valid JSON: %v", err)
			}
			if !utf8.Valid(raw) {
				return // encoding/json replaces what we keep
			}
			want, wantErr := oracle(raw)
			if wantErr != nil {
				t.Skip("beyond encoding/json")
			}
			if got := decode(tape.Root()); !reflect.DeepEqual(got, want) {
				t.Fatalf("got %#v, want %#v", got, want)
			}
			return
		}
		if err == nil && bytes.IndexFunc(raw, func(r rune) bool { return r < ' ' }) < 0 {
			t.Fatalf("accepted what is not JSON: %q", raw)
		}
		if err != nil && tape.Root().Exists() {
			t.Fatal("a refused text has a root")
		}
	})
}

func TestLimits(t *testing.T) {
	var tape jsontape.Tape
	deep := strings.Repeat("[", jsontape.MaxDepth)
	if err := tape.Parse([]byte(deep + strings.Repeat("]", jsontape.MaxDepth))); err != nil {
		t.Errorf("refused the deepest text allowed: %v", err)
	}
	if err := tape.Parse([]byte(deep + "[")); err == nil {
		t.Error("accepted a text nested too deeply")
	}
	if err := tape.Parse([]byte("[0" + strings.Repeat(",0", jsontape.MaxNodes) + "]")); err == nil {
		t.Error("accepted a text of too many values")
	}
}

func TestErrorsPointAtTheByte(t *testing.T) {
	for raw, want := range map[string]int{`{"a":1 "b":2}`: 7, `[1,]`: 3, `{"a":tru}`: 5, `"ab`: 3, `{} x`: 3} {
		var tape jsontape.Tape
		err, ok := tape.Parse([]byte(raw)).(*jsontape.SyntaxError)
		if !ok || err.Offset != want {
			t.Errorf("%s: got %v, want an error at byte %d", raw, err, want)
		}
	}
}

func TestLookups(t *testing.T) {
	var tape jsontape.Tape
	if err := tape.Parse([]byte(`{"n":"15","t":"True","a":{"b":"x","b":"y\n"},"z":null}`)); err != nil {
		t.Fatal(err)
	}
	root := tape.Root()
	if n, ok := root.Get("n").Int(); n != 15 || !ok {
		t.Errorf("Int of a string = %d, %v", n, ok)
	}
	if b, ok := root.Get("t").Bool(); !b || !ok {
		t.Errorf("Bool of a string = %v, %v", b, ok)
	}
	if got := string(root.Path("a", "b").Str()); got != "y\n" {
		t.Errorf("Path = %q, want the last of two members", got)
	}
	if v := root.Path("a", "no", "way"); v.Exists() || v.Text() != nil || v.Len() != 0 {
		t.Error("a missing value is not empty")
	}
	if v := root.Get("z"); !v.Exists() || v.Text() != nil {
		t.Error("null should exist and have no text")
	}
}

var record = []byte(`{"CreationTime":"2026-05-18T21:13:33","Id":"f12c6c27-8688-4074-edbf-08d91a41cb3b","Operation":"FileAccessed","RecordType":6,"UserKey":"i:0h.f|membership|1003200096971f55@live.com","UserType":0,"Version":1,"Workload":"SharePoint","ClientIP":"203.0.113.7","ObjectId":"https:\/\/example.sharepoint.com\/sites\/finance\/Shared Documents\/budget.xlsx","UserId":"someone@example.com","EventSource":"SharePoint","ItemType":"File","ListId":"368f7efb-d8b2-448b-a304-41ea44801476","UserAgent":"Mozilla\/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit\/537.36","AppAccessContext":{"AADSessionId":"0f767f09-6b4c-4f78-9234-2c0481176063","ClientAppId":"","CorrelationId":"a0f6e4a0-10ab-3000"},"SourceFileName":"budget.xlsx"}`)

func BenchmarkParse(b *testing.B) {
	var tape jsontape.Tape
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if err := tape.Parse(record); err != nil {
			b.Fatal(err)
		}
	}
}
