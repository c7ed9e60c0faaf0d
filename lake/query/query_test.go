// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/lake/query"
	"github.com/daybreak-sec/daybreak/lake/query/querytest"
)

var cmpPrefix = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestConformance(t *testing.T) { querytest.Conform(t, querytest.Oracle) }

func TestPrint(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "*"},
		{" * ", "*"},
		{"-*", "-*"},
		{"| count", "* | count"},
		{"User:Bob@X.org operation:Send", "user:bob@x.org op:Send"},
		{"a b", `"a" "b"`},
		{"a AND b OR NOT c", `("a" "b") OR -"c"`},
		{"((a))(b)", `"a" "b"`},
		{"(a OR (b OR c))", `"a" OR "b" OR "c"`},
		{"--a", `"a"`},
		{"-(a b)", `-("a" "b")`},
		{"New-Inbox*", "new-inbox*"},
		{"e12.345", "batch:12 index:345"},
		{"-e12.345", "-(batch:12 index:345)"},
		{"203.0.113.7", "ip:203.0.113.7"},
		{"203.0.113.7/24", "ip:203.0.113.0/24"},
		{"::ffff:203.0.113.7", "ip:203.0.113.7"},
		{"fe80::1", "ip:fe80::1"},
		{`op:(A,B , "C d")`, `op:(A, B, "C d")`},
		{"status:failed", "status_id:failure"},
		{"status:(OK, success)", "status:OK OR status_id:success"},
		{`status:"success"`, `status:"success"`},
		{"status:unknown", "-status_id:*"},
		{"class:3002", "class:authentication"},
		{"asn:>5 asn:<5 asn:5..5", "asn:>=6 asn:<=4 asn:5"},
		{"mutated:yes -mutated:true", "mutated:true -mutated:true"},
		{`object:"" object:**`, "-object:* object:*"},
		{`object:"a\tb\u0000" object:a*\ \*`, `object:"a\tb\u0000" object:a*\ \*`},
		{`object:"a..b" object:é`, `object:"a..b" object:"é"`},
		{`uid:"e1.2"`, `uid:"e1.2"`},
		{"time:2026-01-02", "time:2026-01-02T00:00:00Z..2026-01-02T23:59:59.999Z"},
		{"time:>-90m time:-1d..now time:<2026", "time:>=-90m time:-1d..now time:<=2025-12-31T23:59:59.999Z"},
		{"user:x | FIELDS operation,user|sort -op , user| limit 5", "user:x | fields op, user | sort -op, user | limit 5"},
		{"|histogram|limit 1", "* | histogram 1h | limit 1"},
		{"|histogram 90m by user|top count", ""},
		{"|COUNT by OWN,op|sort own", "* | count by own, op | sort own"},
		{"own:no | histogram 1d by own", "-own:true | histogram 1d by own"},
		{"|histogram 120m by user|top user", "* | histogram 2h by user | top 10 user"},
		{"text:~pay* text:~\"a b\"", `text:~pay* text:~"a b"`},
	} {
		q, err := query.Parse(c.in)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: no error", c.in)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		} else if got := q.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ in, caret, want string }{
		{"usr:bob", "^", `unknown field "usr": did you mean "user"?`},
		{"op:x sesion:y", "     ^", `did you mean "session"?`},
		{"https://x.org", "^", "quote the text"},
		{"üser üp op:", "           ^", `"" stands for no value`},
		{"op:(a b)", "      ^", "want a comma"},
		{"op:(a", "   ^", "want a comma between the values of a list and a parenthesis"},
		{"(a OR b", "^", "this parenthesis is not closed"},
		{"a)", " ^", "no open parenthesis"},
		{"a, b", " ^", "a comma stands only in a list"},
		{"()", " ^", "a condition is missing here"},
		{"a OR", "    ^", "a condition is missing here"},
		{"OR a", "^", "before OR"},
		{"a -", "  ^", "nothing to negate"},
		{"a - b", "  ^", "nothing to negate"},
		{`a "b`, "  ^", "not closed"},
		{`"b\x"`, "  ^", "unknown escape"},
		{`"..."`, "^", "no word"},
		{"asn:x", "    ^", "holds numbers"},
		{"asn:1*", "    ^", "wildcards are for text"},
		{"asn:9..1", "    ^", "ends before it begins"},
		{"asn:>9223372036854775807", "    ^", "no number is greater"},
		{"class:autentication", "      ^", `did you mean "authentication"?`},
		{"op:>5", "   ^", "no ranges"},
		{"ip:300.1.1.1", "   ^", "not an address"},
		{"mutated:maybe", "        ^", "true or false"},
		{"time:yesterday", "     ^", "not a time"},
		{"time:2026-01-01..2026-13-01", "                 ^", "not a time"},
		{"time:2026-01-02..2026-01-01", "     ^", "ends before"},
		{"time:>9999", "     ^", "to the year 9999"},
		{"time:-1000000d", "     ^", "hundred years"},
		{"a..b:x", "^", "not a path"},
		{"a | cuont", "    ^", `did you mean "count"?`},
		{"a |", "   ^", "a pipe is missing here"},
		{"a | count by", "            ^", "name of a column is missing"},
		{"a | count by opp", "             ^", `did you mean "op"?`},
		{"a | fields own", "           ^", `there is no column "own"`},
		{"a | limit 5 | count by own", "                       ^", `there is no column "own"`},
		{"a | count by op, op", "                 ^", "named twice"},
		{"a | count by op | sort user", "                       ^", "the columns are op, count"},
		{"a | count by x.y", "             ^", "path into the event"},
		{"a | limit 0", "          ^", "from 1 to"},
		{"a | limit x", "          ^", "from 1 to"},
		{"a | limit 5 6", "            ^", "does not belong"},
		{"a | count by op | histogram", "                           ^", "needs the column time"},
		{"a | count | count by count", "                     ^", "two columns named count"},
		{"a\xff", " ^", "not valid UTF-8"},
		{"a\nb usr:x", "  ^", "did you mean"},
		{strings.Repeat("a ", 257), strings.Repeat(" ", 512) + "^", "op:(A, B)"},
		{strings.Repeat("(", 200), strings.Repeat(" ", 100) + "^", "more than 100 parentheses"},
	} {
		_, err := query.Parse(c.in)
		var e *query.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: no error", c.in)
			continue
		}
		_, caret, _ := strings.Cut(e.Caret(), "\n")
		if caret != c.caret+"\n" || !strings.Contains(e.Msg, c.want) {
			t.Errorf("%s: %q\n%s", c.in, e.Msg, e.Caret())
		}
	}
}

// checkIdentity holds if printing and parsing give the same tree back.
func checkIdentity(t *testing.T, text string) {
	t.Helper()
	q, err := query.Parse(text)
	if err != nil {
		var e *query.Error
		if !errors.As(err, &e) || e.Pos < 0 || e.Pos > len(text) || !strings.HasSuffix(e.Caret(), "^\n") {
			t.Fatalf("%q: error %#v does not point into the query", text, err)
		}
		return
	}
	printed := q.String()
	again, err := query.Parse(printed)
	if err != nil {
		if len(printed) > query.MaxLength {
			return
		}
		t.Fatalf("%q prints as %q: %v", text, printed, err)
	}
	if diff := cmp.Diff(q, again, cmpPrefix); diff != "" {
		t.Fatalf("%q prints as %q, which is another query (-before +after):\n%s", text, printed, diff)
	}
	if p := again.String(); p != printed {
		t.Fatalf("%q prints as %q and then as %q", text, printed, p)
	}
}

func TestIdentityOfRandomQueries(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		text := querytest.RandomQuery(rng)
		if _, err := query.Parse(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		checkIdentity(t, text)
	}
}

func FuzzIdentity(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		f.Add(querytest.RandomQuery(rng))
	}
	for _, s := range []string{`a\*b* "x\u0001" e1.2`, "time:-1w2d..now", "2001:db8::/33", "status:(unknown,True)", "K ſ İ ß", "\x7f*"} {
		f.Add(s)
	}
	f.Fuzz(checkIdentity)
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"2026-03-01":                "2026-03-01T00:00:00Z",
		"2026-03-01T10:11:12+02:00": "2026-03-01T08:11:12Z",
		"2026-03-01 10:11":          "2026-03-01T10:11:00Z",
		"-36h":                      "2026-03-01T00:00:00Z",
		"-1d12h":                    "2026-03-01T00:00:00Z",
		"now":                       "2026-03-02T12:00:00Z",
	} {
		got, err := query.ParseTime(in, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v %v", in, got, err)
		}
	}
}

func TestWithin(t *testing.T) {
	q, err := query.Parse("op:a OR op:b | limit 1")
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	got := q.Within(day, day.AddDate(0, 0, 1)).String()
	want := "time:2026-01-02T00:00:00Z..2026-01-02T23:59:59.999Z (op:a OR op:b) | limit 1"
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := q.Within(time.Time{}, time.Time{}); got != q {
		t.Errorf("no bounds: %s", got)
	}
}
