// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package act_test

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/act"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)

// full is an act with every member set.
func full() act.Act {
	return act.Act{
		ID: "R-7", Time: noon, Kind: act.Listed, Source: "contoso", Tenant: "0873ee4d", Stream: "Audit.Exchange", Subject: "ann@contoso.example", Before: `{"on":true}`, After: `{"on":false}`, Event: "e12.3",
		From: noon.Add(-time.Hour), To: noon, At: noon.Add(time.Second), Cursor: "head", Pages: 2, Blobs: 9,
		New:  []act.Blob{{ID: "b$1", Created: noon, Expires: noon.Add(168 * time.Hour)}, {ID: "b\"2\\"}},
		Part: true, Blob: &act.Blob{ID: "b$3", Created: noon}, Records: 7, Stored: 4, Duplicates: 2, Mutated: 1, Unreadable: 1,
		Bytes: 1 << 40, Run: "X", Attempts: 3, Received: noon, Late: true, Permanent: true, Reason: act.Expired,
		Message: "The blob is gone.\nÄ", Code: "AF20051", Status: 400, Count: 12, Seconds: 0.25, Settle: 600, Keep: 2592000.5, Due: 900,
	}
}

func TestEveryMemberIsWrittenAndRead(t *testing.T) {
	a := full()
	for v, i := reflect.ValueOf(a), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not set: a member that nobody tests", v.Type().Field(i).Name)
		}
	}
	got, err := act.Parse(a.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, a) {
		t.Errorf("got  %+v\nwant %+v", got, a)
	}
}

func TestWhatIsNotSaidIsNotWritten(t *testing.T) {
	a := act.Act{Kind: act.Started, Stream: "DLP.All"}
	if got, want := string(a.Append(nil)), `{"kind":"started","stream":"DLP.All"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("x", act.MaxID+1)
	blobs := "[" + strings.Repeat("{},", act.MaxNew) + "{}]"
	for raw, want := range map[string]string{
		``:                            "act:",
		`[]`:                          "not a JSON object",
		`{}`:                          "no kind",
		`{"kind":7}`:                  `"kind" is not a string`,
		`{"kind":""}`:                 "no kind",
		`{"kind":"` + long + `"}`:     `"kind" is not a string of at most 256`,
		`{"kind":"a","time":"today"}`: `"time" is not a time`,
		`{"kind":"a","time":5}`:       `"time" is not a time`,
		`{"kind":"a","at":"0000-01-01T00:00:00+01:00"}`:                          "year -1",
		`{"kind":"a","pages":-1}`:                                                `"pages" is not a count`,
		`{"kind":"a","pages":"1"}`:                                               `"pages" is not a count`,
		`{"kind":"a","bytes":1.5}`:                                               `"bytes" is not a count`,
		`{"kind":"a","part":1}`:                                                  `"part" is not true or false`,
		`{"kind":"a","seconds":-1}`:                                              "negative",
		`{"kind":"a","seconds":1e999}`:                                           `"seconds" is not a number`,
		`{"kind":"a","new":{}}`:                                                  `"new" is not a list`,
		`{"kind":"a","new":` + blobs + `}`:                                       `"new" is not a list of at most 1000`,
		`{"kind":"a","new":[7]}`:                                                 `is not a blob`,
		`{"kind":"a","blob":null}`:                                               `"blob" is not a blob`,
		`{"kind":"a","blob":{"id":"` + long + `"}}`:                              `"id" is not a string of at most 1024`,
		"{\"kind\":\"a\",\"stream\":\"\xff\"}":                                   "stream",
		`{"kind":"a","message":"` + strings.Repeat("x", act.MaxMessage+1) + `"}`: `"message" is not a string`,
	} {
		_, err := act.Parse([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", raw, err, want)
		}
	}
}

func TestParseAcceptsWhatALaterVersionWrites(t *testing.T) {
	a, err := act.Parse([]byte(`{"kind":"invented","novel":{"blob":[1]},"blob":{"id":"b","size":7},"time":"2026-11-21T13:00:00+01:00"}`))
	if err != nil {
		t.Fatal(err)
	}
	if a.Kind != "invented" || a.Blob.ID != "b" || !a.Time.Equal(noon.Truncate(time.Second)) || a.Time.Location() != time.UTC {
		t.Errorf("got %+v", a)
	}
}

func TestCheckRefuses(t *testing.T) {
	for name, change := range map[string]func(a *act.Act){
		"long tenant":       func(a *act.Act) { a.Tenant = strings.Repeat("x", act.MaxName+1) },
		"long subject":      func(a *act.Act) { a.Subject = strings.Repeat("x", act.MaxName+1) },
		"long state":        func(a *act.Act) { a.After = strings.Repeat("x", act.MaxState+1) },
		"id is no UTF-8":    func(a *act.Act) { a.Blob.ID = "\xff" },
		"too many blobs":    func(a *act.Act) { a.New = make([]act.Blob, act.MaxNew+1) },
		"negative":          func(a *act.Act) { a.Stored = -1 },
		"negative bytes":    func(a *act.Act) { a.Bytes = -1 },
		"not a number":      func(a *act.Act) { a.Seconds = math.NaN() },
		"infinite":          func(a *act.Act) { a.Seconds = math.Inf(1) },
		"far future":        func(a *act.Act) { a.To = time.Unix(1<<40, 0) },
		"blob's far future": func(a *act.Act) { a.New[0].Expires = time.Unix(1<<40, 0) },
	} {
		a := full()
		change(&a)
		if a.Check() == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

func TestMessagesAreCutAndNothingElse(t *testing.T) {
	a := full()
	a.Message = strings.Repeat("x", act.MaxMessage-1) + "Ä\xff"
	got, err := act.Parse(a.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := a.Message[:act.MaxMessage-1]; got.Message != want {
		t.Errorf("got %d bytes, want %d", len(got.Message), len(want))
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	a := full()
	dst := a.Append(nil)
	if n := testing.AllocsPerRun(100, func() { dst = a.Append(dst[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzParse: whatever is accepted is written so that it is read as the same,
// and written the same again.
func FuzzParse(f *testing.F) {
	a := full()
	f.Add(a.Append(nil))
	f.Add([]byte(`{"kind":"gap","from":"2026-11-21T13:00:00.5+01:00","message":"\ud800","new":[{}],"seconds":1e-300}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := act.Parse(raw)
		if err != nil {
			return
		}
		line := a.Append(nil)
		b, err := act.Parse(line)
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("%s\nis read as %+v\nnot as     %+v: %v", line, b, a, err)
		}
		if again := b.Append(nil); string(again) != string(line) {
			t.Fatalf("written as %s\nand then  %s", line, again)
		}
	})
}

// FuzzAppend: every act that passes Check is read back as it was, but for a
// message that had to be cut.
func FuzzAppend(f *testing.F) {
	f.Add("listed", "Audit.General", "blob", "text", int64(1795000000), int64(5), 3, int64(7), 0.5, true)
	f.Add("x", "\x00\"\\\u2028", "\x7f", "\xff\xff", int64(-62167219200), int64(999999999), 0, int64(0), 1e300, false)
	f.Fuzz(func(t *testing.T, kind, name, id, text string, sec, nsec int64, n int, bytes int64, seconds float64, flag bool) {
		when := time.Unix(sec%(1<<45), nsec%1e9).UTC()
		a := act.Act{
			ID: name, Time: when, Kind: act.Kind(kind), Source: name, Tenant: id, Stream: name, Cursor: name, From: when, To: when, At: when,
			Pages: n, Blobs: n, Part: flag, Records: n, Stored: n, Bytes: bytes, Run: name, Received: when, Permanent: flag, Reason: name,
			Message: text, Code: name, Status: n, Count: n, Seconds: seconds,
		}
		if flag {
			a.Blob = &act.Blob{ID: id, Created: when, Expires: when}
			a.New = []act.Blob{{ID: id}, {Created: when}}
		}
		if a.Check() != nil {
			return
		}
		got, err := act.Parse(a.Append(nil))
		if err != nil {
			t.Fatalf("%+v: %v", a, err)
		}
		if !strings.HasPrefix(strings.ToValidUTF8(text, "\uFFFD"), got.Message) && strings.ToValidUTF8(text, "") == text {
			t.Fatalf("message %q became %q", text, got.Message)
		}
		if len(text) < act.MaxMessage/3 && strings.ToValidUTF8(text, "") == text && got.Message != text {
			t.Fatalf("message %q became %q", text, got.Message)
		}
		a.Message = got.Message
		if !reflect.DeepEqual(got, a) {
			t.Fatalf("got  %+v\nwant %+v", got, a)
		}
	})
}
