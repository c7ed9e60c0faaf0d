// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package file_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/daybreak-sec/daybreak/collect/file"
)

// got is a piece with its bytes copied.
type got struct {
	Raw, Why string
}

// records are pieces without a reason.
func records(raw ...string) []got {
	var list []got
	for _, r := range raw {
		list = append(list, got{Raw: r})
	}
	return list
}

func readAll(r io.Reader, opt file.Options) (pieces []file.Piece, err error) {
	f := file.Open("audit.json", r, opt)
	defer f.Close()
	for {
		p, err := f.Next()
		if err != nil {
			return pieces, err
		}
		p.Raw = bytes.Clone(p.Raw)
		pieces = append(pieces, p)
	}
}

func short(pieces []file.Piece) []got {
	var list []got
	for _, p := range pieces {
		list = append(list, got{string(p.Raw), p.Unreadable})
	}
	return list
}

var shapes = []struct {
	name, text string
	want       []got
	err        string // part of the error; empty means io.EOF
}{
	{name: "nothing"},
	{name: "blank", text: " \r\n\n"},
	{name: "lines", text: "{\"a\":1}\r\n{\"b\":\"}{\\\"\"}\n\n{\"c\":[{}]}", want: records(`{"a":1}`, `{"b":"}{\""}`, `{"c":[{}]}`)},
	{name: "concatenated", text: `{"a":1}{"b":2} {"c":3}`, want: records(`{"a":1}`, `{"b":2}`, `{"c":3}`)},
	{name: "array", text: `[{"a":1}, {"b":2}]`, want: records(`{"a":1}`, `{"b":2}`)},
	{name: "array of lines", text: "[\n{\"a\":1},\n{\"b\":2}\n]\n", want: records(`{"a":1}`, `{"b":2}`)},
	{name: "empty array", text: "[]\n[]", want: nil},
	{name: "lines of arrays", text: "[{\"a\":1}]\n[{\"b\":2}]", want: records(`{"a":1}`, `{"b":2}`)},
	{name: "pretty", text: "{\n  \"a\": 1,\n  \"l\": [\n    {\n      \"x\": {}\n    }\n  ]\n}\n{\n  \"b\": 2\n}\n", want: records("{\n  \"a\": 1,\n  \"l\": [\n    {\n      \"x\": {}\n    }\n  ]\n}", "{\n  \"b\": 2\n}")},
	{name: "pretty without indent", text: "{\n\"l\": [\n{\n\"x\": {}\n},\n{\n}\n]\n}", want: records("{\n\"l\": [\n{\n\"x\": {}\n},\n{\n}\n]\n}")},
	{name: "pretty array", text: "[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": 2\n  }\n]", want: records("{\n    \"a\": 1\n  }", "{\n    \"b\": 2\n  }")},
	{name: "azure envelope", text: `{"records": [{"a":1},{"b":2}]}`, want: records(`{"a":1}`, `{"b":2}`)},
	{name: "envelope lines", text: "{\"records\":[{\"a\":1}]}\n{\"records\":[]}\n{\"b\":2}\n{ \"records\" : [ {\"c\":3} ] }", want: records(`{"a":1}`, `{"b":2}`, `{"c":3}`)},
	{name: "array of envelopes", text: `[{"records":[{"a":1}]},{"records":[{"b":2}]}]`, want: records(`{"a":1}`, `{"b":2}`)},
	{name: "cloudtrail", text: `{"Records":[{"eventVersion":"1.08"}]}`, want: records(`{"eventVersion":"1.08"}`)},
	{
		name: "graph page", text: `{"@odata.context":"https://graph.example/$metadata","@odata.nextLink":"https://graph.example/next","value":[{"id":"1"},{"id":"2"}],"@odata.count":2}`,
		want: records(`{"id":"1"}`, `{"id":"2"}`),
	},
	{name: "a record that has records", text: `{"records":["x"]}{"value":[{"a":1}]}{"a":1,"records":[{}]}`, want: records(`{"records":["x"]}`, `{"value":[{"a":1}]}`, `{"a":1,"records":[{}]}`)},
	{
		name: "an envelope with more in it", text: `{"records":[{"a":1}],"b":{"c":2}}{"d":3}`,
		want: []got{{Raw: `{"a":1}`}, {`"b":{"c":2}}`, "members beside the records of an envelope"}, {Raw: `{"d":3}`}},
	},
	{
		name: "audit data", text: `{"RecordType":"x","AuditData":"{\"Id\":\"7\",\"O\":\"a\\\\b\"}","Identity":"7"}` + "\n" + `{"AuditData":{"Id":"8"}}` + "\n" + `{"Workload":"x","AuditData":"{}"}`,
		want: records(`{"Id":"7","O":"a\\b"}`, `{"AuditData":{"Id":"8"}}`, `{"Workload":"x","AuditData":"{}"}`),
	},
	{
		name: "csv", text: "\ufeffRecordId,CreationDate,AuditData,X\r\n1,2026-01-01,\"{\"\"Id\"\":\"\"1\"\",\"\"t\"\":\"\"a,b\nc\"\"}\",\r\n\r\n2,\"x,\"\"y\",\"{\"\"Id\"\":\"\"2\"\"}\",x",
		want: records("{\"Id\":\"1\",\"t\":\"a,b\nc\"}", `{"Id":"2"}`),
	},
	{
		name: "csv of other versions", text: "#TYPE Deserialized.Row\n\"CreationDate\";\"auditdata\"\n\"x\";\"{}\"\n\"x\";\"none\"\n\"x\"\n",
		want: []got{{Raw: "{}"}, {`"x";"none"`, "a CSV row without AuditData"}, {`"x"`, "a CSV row without AuditData"}},
	},
	{
		name: "csv with an open quote", text: "Id,AuditData\n1,\"{\"\"a\"\":1\n2,{}\n3,\"{}\"\n",
		want: []got{{`1,"{""a"":1`, "a CSV row with a quote that is never closed"}, {Raw: "{}"}, {Raw: "{}"}},
	},
	{name: "broken last line", text: "{\"a\":1}\n{\"b\":", want: []got{{Raw: `{"a":1}`}, {`{"b":`, "a JSON object that does not end"}}},
	{
		name: "broken line", text: "{\"a\":1}\n{\"b\":[{},\n{\"c\":3}\n{\"d\":\"x\n{\"e\":5}",
		want: []got{{Raw: `{"a":1}`}, {`{"b":[{}`, "a JSON object that does not end"}, {Raw: `{"c":3}`}, {`{"d":"x`, "a JSON object with a line break inside a string"}, {Raw: `{"e":5}`}},
	},
	{
		name: "broken first line", text: "{\"a\":{\"x\":[\n{\"b\":2}\n{\"c\":3}\n",
		want: []got{{`{"a":{"x":[`, "a JSON object that does not end"}, {Raw: `{"b":2}`}, {Raw: `{"c":3}`}},
	},
	{
		name: "broken pretty element", text: "[\n  {\n    \"a\": {\n  },\n  {\n    \"b\": 2\n  }\n]",
		want: []got{{"{\n    \"a\": {\n  }", "a JSON object that does not end"}, {Raw: "{\n    \"b\": 2\n  }"}},
	},
	{
		name: "garbage between", text: "{\"a\":1}\nhello {\nworld\n{\"b\":2} trailing\n]}\n{\"c\":3}",
		want: []got{{Raw: `{"a":1}`}, {"hello {\nworld", "not a JSON object"}, {Raw: `{"b":2}`}, {"trailing\n]}", "not a JSON object"}, {Raw: `{"c":3}`}},
	},
	{
		name: "garbage in an array", text: `[1, "a{]", {"a":1}, null,{"b":2},3]{"c":4}`,
		want: []got{{`1, "a{]"`, "not a JSON object"}, {Raw: `{"a":1}`}, {"null", "not a JSON object"}, {Raw: `{"b":2}`}, {"3", "not a JSON object"}, {Raw: `{"c":4}`}},
	},
	{name: "not text", text: "\x00\xff\x00{}\n{\"a\":\"\x00\xff\"}", want: []got{{"\x00\xff\x00{}", "not a JSON object"}, {Raw: "{\"a\":\"\x00\xff\"}"}}},
	{name: "a mark in the middle", text: "{\"a\":1}\n\ufeff{\"b\":2}", want: records(`{"a":1}`, `{"b":2}`)},
	{name: "cut array", text: `[{"a":1},{"b"`, want: []got{{Raw: `{"a":1}`}, {`{"b"`, "a JSON object that does not end"}}, err: "audit.json: ends inside an array after 13 bytes"},
	{name: "other csv", text: "a,b\n1,2\n", want: []got{{"a,b\n1,2", "not a JSON object"}}},
}

func TestShapes(t *testing.T) {
	for _, test := range shapes {
		t.Run(test.name, func(t *testing.T) {
			for _, cut := range []struct {
				name string
				of   func(io.Reader) io.Reader
			}{{"whole", func(r io.Reader) io.Reader { return r }}, {"byte by byte", iotest.OneByteReader}, {"gzip", gzipped}, {"zstd", zstandard}} {
				pieces, err := readAll(cut.of(strings.NewReader(test.text)), file.Options{})
				if diff := cmp.Diff(test.want, short(pieces)); diff != "" {
					t.Errorf("%s: %s", cut.name, diff)
				}
				if test.err == "" && err != io.EOF || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%s: error %v", cut.name, err)
				}
				for i, p := range pieces {
					if p.Ordinal != uint64(i) {
						t.Errorf("%s: piece %d has ordinal %d", cut.name, i, p.Ordinal)
					}
				}
			}
		})
	}
}

func TestBatchesAreThePieces(t *testing.T) {
	var text strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&text, `{"AuditData":"{\"Id\":\"%d\"}"}`+"\n", i)
	}
	f := file.Open("x", strings.NewReader(text.String()), file.Options{})
	n, calls := 0, 0
	var batch []file.Piece
	for {
		var err error
		if batch, err = f.NextBatch(batch, 1000); err != nil {
			break
		}
		for _, p := range batch {
			if want := fmt.Sprintf(`{"Id":"%d"}`, n); string(p.Raw) != want {
				t.Fatalf("piece %d is %s, want %s", n, p.Raw, want)
			}
			n++
		}
		calls++
	}
	if n != 20000 || calls > 30 {
		t.Errorf("%d pieces in %d calls", n, calls)
	}
}

func TestUTF16(t *testing.T) {
	text := utf16.Encode([]rune("\ufeffId,AuditData\r\n1,\"{\"\"Name\"\":\"\"Zoë 😀\"\"}\"\r\n"))
	for name, order := range map[string][2]int{"little endian": {0, 8}, "big endian": {8, 0}} {
		var raw []byte
		for _, u := range text {
			raw = append(raw, byte(u>>order[0]), byte(u>>order[1]))
		}
		pieces, err := readAll(bytes.NewReader(raw), file.Options{})
		if diff := cmp.Diff(records(`{"Name":"Zoë 😀"}`), short(pieces)); diff != "" || err != io.EOF {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestLongRecordsComeInParts(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 25) + `"}`
	text := `{"a":1}` + "\n" + long + "\n[" + long + `,{"b":2}]`
	pieces, err := readAll(strings.NewReader(text), file.Options{MaxRecord: 10})
	if err != io.EOF {
		t.Error(err)
	}
	var back strings.Builder
	for _, p := range pieces {
		if len(p.Raw) > 10 {
			t.Errorf("a piece of %d bytes", len(p.Raw))
		}
		if p.Unreadable == "part of something longer than a record may be" {
			back.Write(p.Raw)
		}
	}
	if back.String() != long+long {
		t.Errorf("the parts make %s", back.String())
	}
	if len(pieces) != 10 || string(pieces[9].Raw) != `{"b":2}` || pieces[9].Unreadable != "" {
		t.Errorf("got %d pieces", len(pieces))
	}
}

func TestCutAndCorruptCompression(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "{\"n\":%d,\"m\":%d}\n", i, i*7919%5000)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	io.WriteString(w, text.String())
	w.Close()
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)/2] },
		"flipped": func(b []byte) []byte { b[len(b)-6] ^= 1; return b },
	} {
		pieces, err := readAll(bytes.NewReader(damage(bytes.Clone(packed.Bytes()))), file.Options{})
		if err == io.EOF || !strings.HasPrefix(err.Error(), "audit.json: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", name, err)
		}
		if len(pieces) < 100 {
			t.Errorf("%s: only %d pieces were kept", name, len(pieces))
		}
		var back strings.Builder
		for i, p := range pieces {
			if p.Unreadable != "" && i < len(pieces)-1 {
				t.Errorf("%s: piece %d is unreadable", name, i)
			}
			back.Write(p.Raw)
			back.WriteByte('\n')
		}
		if !strings.HasPrefix(text.String(), strings.TrimSuffix(back.String(), "\n")) {
			t.Errorf("%s: the pieces are not the beginning of the file", name)
		}
	}
	if _, err := readAll(strings.NewReader("\x1f\x8bnot gzip"), file.Options{}); err == nil || err == io.EOF {
		t.Errorf("a broken gzip header: %v", err)
	}
}

func TestReadErrorsAreReported(t *testing.T) {
	broken := errors.New("disk on fire")
	pieces, err := readAll(io.MultiReader(strings.NewReader(`{"a":1}{"b"`), iotest.ErrReader(broken)), file.Options{})
	if !errors.Is(err, broken) || len(pieces) != 2 {
		t.Errorf("%d pieces, %v", len(pieces), err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	element := []byte(`{"a":"` + strings.Repeat("x", 1500) + `"},`)
	elements := (300 << 20) / len(element)
	if testing.Short() {
		elements = 10000
	}
	src := io.MultiReader(strings.NewReader("["), io.LimitReader(&repeat{text: element}, int64(elements*len(element))), strings.NewReader("{}]"))
	f := file.Open("x", src, file.Options{})
	var batch []file.Piece
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := 0
	for {
		var err error
		if batch, err = f.NextBatch(batch, 512); err != nil {
			break
		}
		n += len(batch)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 || n != elements+1 {
		t.Errorf("%d pieces of %d took %d bytes of memory", n, elements+1, used)
	}
}

type repeat struct {
	text []byte
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m := copy(p[n:], r.text[r.at:])
		n, r.at = n+m, (r.at+m)%len(r.text)
	}
	return n, nil
}

func gzipped(r io.Reader) io.Reader {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.Copy(w, r)
	w.Close()
	return &b
}

var encoder, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(64<<10))

func zstandard(r io.Reader) io.Reader {
	text, _ := io.ReadAll(r)
	return bytes.NewReader(encoder.EncodeAll(text, nil))
}

// dressing is all that may stand between pieces.
var dressing = regexp.MustCompile(`(?s)^(?:[\s,\[\]]|\x{feff}|\{\s*"[rR]ecords"\s*:\s*\[|\{\s*(?:"@odata\.[^"]*"\s*:\s*"[^"]*"\s*,\s*)+"value"\s*:\s*\[|\}|"@odata\..*\})*$`)

// FuzzCuts holds the package's promise: however the source cuts the text, the
// pieces are the same, and they and the dressing between them are the text.
func FuzzCuts(f *testing.F) {
	for _, test := range shapes {
		f.Add([]byte(test.text), uint8(3), uint16(50))
	}
	f.Fuzz(func(t *testing.T, text []byte, step uint8, limit uint16) {
		if bytes.HasPrefix(text, []byte{0x1f, 0x8b}) || bytes.HasPrefix(text, []byte{0x28, 0xb5}) ||
			bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) {
			t.Skip("not plain text")
		}
		opt := file.Options{MaxRecord: int(limit) + 1}
		whole, err1 := readAll(bytes.NewReader(text), opt)
		cut, err2 := readAll(&steps{text, int(step)%7 + 1}, opt)
		if diff := cmp.Diff(short(whole), short(cut)); diff != "" || err1.Error() != err2.Error() {
			t.Fatalf("%v, %v: %s", err1, err2, diff)
		}
		if bytes.Contains(bytes.ToLower(text), []byte("auditdata")) {
			return // the pieces are not the file's bytes
		}
		var at int64
		for _, p := range whole {
			end := p.Offset + int64(len(p.Raw))
			if p.Offset < at || end > int64(len(text)) || !bytes.Equal(text[p.Offset:end], p.Raw) {
				t.Fatalf("piece %d at %d is not in the text: %q", p.Ordinal, p.Offset, p.Raw)
			}
			if gap := text[at:p.Offset]; !dressing.Match(gap) {
				t.Fatalf("lost %q before piece %d", gap, p.Ordinal)
			}
			at = end
		}
		if !dressing.Match(text[at:]) {
			t.Fatalf("lost %q at the end", text[at:])
		}
	})
}

// steps reads n bytes at a time.
type steps struct {
	text []byte
	n    int
}

func (s *steps) Read(p []byte) (int, error) {
	if len(s.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(s.n, len(p))], s.text)
	s.text = s.text[n:]
	return n, nil
}

func BenchmarkSplit(b *testing.B) {
	record := `{"CreationTime":"2026-05-18T21:13:33","Id":"f12c6c27-8688-4074-edbf-08d91a41cb3b","Operation":"FileAccessed","RecordType":6,"UserKey":"i:0h.f|membership|1003200096971f55@live.com","UserType":0,"Version":1,"Workload":"SharePoint","ClientIP":"203.0.113.7","ObjectId":"https:\/\/example.sharepoint.com\/sites\/finance\/Shared Documents\/budget.xlsx","UserId":"someone@example.com","EventSource":"SharePoint","ItemType":"File","ListId":"368f7efb-d8b2-448b-a304-41ea44801476","UserAgent":"Mozilla\/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit\/537.36","AppAccessContext":{"AADSessionId":"0f767f09-6b4c-4f78-9234-2c0481176063","ClientAppId":"","CorrelationId":"a0f6e4a0-10ab-3000"},"SourceFileName":"budget.xlsx","ModifiedProperties":[{"Name":"Role.DisplayName","NewValue":"\"Global Reader\"","OldValue":""},{"Name":"Role.TemplateId","NewValue":"\"f2ef992c-3afb-46b9-b7cf-a126ee74c451\"","OldValue":""}],"Target":[{"ID":"User_0f767f09-6b4c-4f78-9234-2c0481176063","Type":2},{"ID":"someone@example.com","Type":5}]}`
	quoted := strings.ReplaceAll(record, `"`, `""`)
	for _, shape := range []struct{ name, before, each, after string }{
		{"lines", "", record + "\n", ""},
		{"array", "[", record + ",", "{}]"},
		{"pretty", "[", strings.ReplaceAll(record, ",", ",\n    ") + ",\n", "{}]"},
		{"csv", "Id,AuditData\n", `x,"` + quoted + "\"\n", ""},
	} {
		text := shape.before + strings.Repeat(shape.each, 20000) + shape.after
		b.Run(shape.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var batch []file.Piece
			n := 0
			for b.Loop() {
				f := file.Open("x", strings.NewReader(text), file.Options{})
				for {
					var err error
					if batch, err = f.NextBatch(batch, 512); err != nil {
						break
					}
					n += len(batch)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// TestBlobsElementsAreRecords keeps what looks like an envelope, an export or a
// table as it was delivered, byte for byte.
func TestBlobsElementsAreRecords(t *testing.T) {
	want := []string{
		`{"records":[{"a":1},{"a":2}]}`,
		`{"Id":"1","AuditData":"{\"Id\":\"2\"}"}`,
		`{"@odata.context":"x","value":[{"a":1}]}`,
		`{"Id":"3"}`,
	}
	r := file.Open("blob", strings.NewReader("["+strings.Join(want, ",")+"]"), file.Options{Blob: true})
	defer r.Close()
	for i, w := range want {
		p, err := r.Next()
		if err != nil || string(p.Raw) != w || p.Unreadable != "" || p.Ordinal != uint64(i) {
			t.Errorf("piece %d is %q (%s), %v", i, p.Raw, p.Unreadable, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}
