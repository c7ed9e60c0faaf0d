// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package readiness_test

import (
	"os"
	"strings"
	"testing"

	"github.com/daybreak-sec/daybreak/readiness"
)

func parse(t *testing.T, text string) *readiness.File {
	t.Helper()
	f, err := readiness.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "there is no requirement",
		"[[requirement]\n":       "line 1, column",
		"[[requirement]]\nx=1\n": `line 2: "requirement.x" is not a setting`,
		"[[requirement]]\nid='A b'\nfact='coverage.complete'\nat_least=99\n":                 `id is "A b"`,
		"[[requirement]]\nid='a'\nfact='coverage'\nat_least=99\n":                            `requirement a: fact is "coverage": want one of coverage.complete,`,
		"[[requirement]]\nid='a'\nfact='coverage.complete'\n":                                "at_least is missing",
		"[[requirement]]\nid='a'\nfact='coverage.complete'\nat_least=99\nat_most=3\n":        "at_most does not belong to coverage.complete",
		"[[requirement]]\nid='a'\nfact='coverage.complete'\nat_least=101\n":                  "from 0 to 100",
		"[[requirement]]\nid='a'\nfact='coverage.complete'\nat_least=nan\n":                  "from 0 to 100",
		"[[requirement]]\nid='a'\nfact='coverage.complete'\nat_least=9\nlevel='high'\n":      "level does not belong",
		"[[requirement]]\nid='a'\nfact='incidents.open'\nat_most=0\nlevel='bad'\n":           `level is "bad"`,
		"[[requirement]]\nid='a'\nfact='incidents.open'\nat_most=0\nolder_than='0s'\n":       `older_than is "0s"`,
		"[[requirement]]\nid='a'\nfact='delay.offered'\nwithin='15 minutes'\n":               `within is "15 minutes"`,
		"[[requirement]]\nid='a'\nfact='delay.offered'\nwithin='15m'\nquantile='p90'\n":      `quantile is "p90"`,
		"[[requirement]]\nid='a'\nfact='delay.offered'\nwithin='15m'\nover='9999d'\n":        `over is "9999d"`,
		strings.Repeat("[[requirement]]\nid='a'\nfact='sources.failing'\nat_most=0\n", 2):    "requirement a is there twice",
		strings.Repeat("[[requirement]]\nid='a'\nfact='sources.failing'\nat_most=0\n", 5000): "bytes, more than",
	} {
		if _, err := readiness.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80q: %v, want %s", text, err, want)
		}
	}
}

func TestJudge(t *testing.T) {
	f := parse(t, `
[[requirement]]
id = "share"
fact = "coverage.complete"
at_least = 99.5
[[requirement]]
id = "count"
fact = "incidents.open"
at_most = 2
[[requirement]]
id = "time"
fact = "delay.offered"
within = "15m"
`)
	for _, c := range []struct {
		value    float64
		known    bool
		verdicts string
		measured string
	}{
		{99.5, true, "pass fail pass", "99.5 %, 99.5, 99.5 s"},
		{2, true, "fail pass pass", "2 %, 2, 2 s"},
		{900.0026, true, "pass fail fail", "900.003 %, 900.003, 900.003 s"},
		{0, false, "not known not known not known", ", , "},
	} {
		var verdicts, measured []string
		d := &readiness.Document{}
		for i := range f.Requirements {
			r := f.Requirements[i].Judge(readiness.Measured{Value: c.value, Known: c.known, Evidence: make([]string, 50)})
			verdicts, measured = append(verdicts, string(r.Verdict)), append(measured, r.Measured)
			d.Results = append(d.Results, r)
			if len(r.Evidence) != readiness.MaxEvidence {
				t.Errorf("%d ids of evidence", len(r.Evidence))
			}
		}
		if got := strings.Join(verdicts, " "); got != c.verdicts {
			t.Errorf("%v: %s, want %s", c.value, got, c.verdicts)
		}
		if got := strings.Join(measured, ", "); got != c.measured {
			t.Errorf("%v: measured %s, want %s", c.value, got, c.measured)
		}
	}
}

// TestConclude: one failure fails all, and what is not known is no pass.
func TestConclude(t *testing.T) {
	f := parse(t, "[[requirement]]\nid='a'\nfact='sources.failing'\nat_most=0\n")
	for verdicts, want := range map[string]readiness.Verdict{
		"pass pass": readiness.Pass, "pass not_known": readiness.Unknown, "not_known fail": readiness.Fail, "fail not_known pass": readiness.Fail,
	} {
		d := &readiness.Document{}
		for _, v := range strings.Fields(verdicts) {
			d.Results = append(d.Results, readiness.Result{Verdict: readiness.Verdict(strings.ReplaceAll(v, "_", " "))})
		}
		if f.Conclude(d); d.Verdict != want || len(d.File) != 64 {
			t.Errorf("%s: %s, want %s", verdicts, d.Verdict, want)
		}
	}
}

// TestReference: the example of the page is a file that can be used, and every fact and setting is explained.
func TestReference(t *testing.T) {
	page, err := os.ReadFile("../docs/reference/readiness.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```toml\n")
	example, _, end := strings.Cut(rest, "```")
	if !ok || !end {
		t.Fatal("the page has no example")
	}
	f := parse(t, example)
	used := map[string]bool{}
	for _, r := range f.Requirements {
		used[r.Fact] = true
	}
	for _, fact := range readiness.Facts {
		if !used[fact.Name] || !strings.Contains(string(page), "| `"+fact.Name+"` | "+fact.About) {
			t.Errorf("the page has no example of %s, or does not say: %s", fact.Name, fact.About)
		}
		for _, key := range fact.Keys {
			if !strings.Contains(string(page), "`"+key+"`") {
				t.Errorf("the page does not explain %s", key)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("[[requirement]]\nid='a'\nfact='delay.offered'\nwithin='15m'\nover='7d'\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := readiness.Parse(text)
		if err != nil {
			return
		}
		for i := range file.Requirements { // what was taken can be judged
			r := &file.Requirements[i]
			if v := r.Judge(readiness.Measured{Value: 1, Known: true}).Verdict; v == readiness.Unknown || r.Period() <= 0 || r.Age() < 0 {
				t.Fatalf("%+v: %s", r, v)
			}
		}
	})
}
