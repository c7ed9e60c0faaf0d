// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/detect/source"
	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize"
)

// publicRules are the folders of active public rules.
var publicRules = []string{"rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance"}

// detection measures the engine with public rules, and our own pack on labelled records.
func (r *report) detection(data string) error {
	var paths []string
	for _, f := range publicRules {
		paths = append(paths, filepath.Join(data, "sigma", f))
	}
	b, err := detect.Open(detect.BookOptions{Paths: paths})
	if err != nil {
		return err
	}
	refused := map[string]int{}
	for _, p := range b.Problems {
		if p.Severity == sigma.Error {
			refused[reasonOf(p.Message)]++
			r.detail("refused: %s", p.Error())
		}
	}
	r.printf("%-40s %d loaded", "public Sigma rules", len(b.Documents))
	for _, why := range slices.Sorted(maps.Keys(refused)) {
		r.printf(", %d refused: %s", refused[why], why)
	}
	r.printf("\n")
	r.reached["rules loaded"] = len(b.Documents)
	for _, section := range []func(string, *detect.Book) error{r.regressionEvents, r.oracles, r.reachable} {
		if err := section(data, b); err != nil {
			return err
		}
	}
	return r.ownPack(data)
}

// reasonOf groups what is said of refused rules.
func reasonOf(message string) string {
	if strings.Contains(message, "placeholder") {
		return "a placeholder has no values"
	}
	reason, _, _ := strings.Cut(message, ":")
	return reason
}

// judge makes a judge whose OCSF layer has no databases of addresses, as a fresh program has none.
func judge(b *detect.Book) *detect.Judge {
	var n normalize.Normalizer
	var out []byte
	return b.NewJudge(func(raw []byte, root jsontape.Value, family event.Family) []byte {
		out = n.Parsed(raw, root, family).AppendJSON(out[:0])
		return out
	})
}

func matched(j *detect.Judge, raw []byte, family event.Family) map[string]bool {
	m := map[string]bool{}
	for _, f := range j.Record(raw, family, nil) {
		m[f.Rule] = true
	}
	return m
}

// regressionEvents are events that a public rule must match.
func (r *report) regressionEvents(data string, b *detect.Book) error {
	right, all := 0, 0
	j := judge(b)
	err := eachLine(filepath.Join(data, "labelled", "sigmahq_regression_windows.jsonl"), func(line int, raw []byte) error {
		var l struct {
			Event  json.RawMessage
			Expect struct {
				Rule  string
				Match bool
			}
		}
		if err := json.Unmarshal(raw, &l); err != nil || !l.Expect.Match {
			return err
		}
		all++
		if matched(j, flatWindows(l.Event), "json")[l.Expect.Rule] {
			right++
		} else {
			r.detail("regression event %d does not match %s", line, l.Expect.Rule)
		}
		return nil
	})
	r.printf("%-40s %d/%d\n", "regression events of public rules", right, all)
	r.reached["detect regression"] = right
	return err
}

// flatWindows gives an event in the Windows event log's nesting the names that rules have for
// its fields, as every shipper of such events does.
func flatWindows(raw json.RawMessage) []byte {
	var e struct {
		Event struct {
			System    map[string]any
			EventData map[string]any
			UserData  map[string]any
		}
	}
	if json.Unmarshal(raw, &e) != nil || e.Event.System == nil {
		return raw
	}
	flat := map[string]any{}
	var add func(map[string]any)
	add = func(m map[string]any) {
		for k, v := range m {
			if x, ok := v.(map[string]any); ok {
				if a, ok := x["#attributes"].(map[string]any); ok && k == "Provider" {
					flat["Provider_Name"] = a["Name"]
				}
				if t, ok := x["#text"]; ok {
					flat[k] = t
				}
				if k == "UserData" || !strings.Contains(k, "#") {
					add(x)
				}
				continue
			}
			if !strings.HasPrefix(k, "#") {
				flat[k] = v
			}
		}
	}
	add(e.Event.System)
	add(e.Event.EventData)
	add(e.Event.UserData)
	out, err := json.Marshal(flat)
	if err != nil {
		return raw
	}
	return out
}

// oracleFamilies are the products of the computed verdicts and the families of their records.
var oracleFamilies = []struct {
	product string
	family  event.Family
}{
	{"m365", "m365"}, {"azure", ""}, {"aws", ""}, {"gcp", ""}, {"github", ""}, {"okta", ""},
}

// oracles compares verdicts on cloud records with those that several other engines agree upon.
// Theirs are of rules as written, without pipelines: a rule of ours that matches beyond them
// is counted apart.
func (r *report) oracles(data string, b *detect.Book) error {
	j := judge(b)
	for _, o := range oracleFamilies {
		agreed, stated, beyond, disputed := 0, 0, 0, 0
		err := eachLine(filepath.Join(data, "labelled", "sigma_oracle_"+o.product+".jsonl"), func(line int, raw []byte) error {
			var l struct {
				Event  json.RawMessage
				Expect struct {
					SigmaMatches []struct{ ID string } `json:"sigma_matches"`
					Disputed     []struct{ ID string } `json:"disputed"`
				}
			}
			if err := json.Unmarshal(raw, &l); err != nil {
				return err
			}
			got := matched(j, l.Event, familyOf(l.Event))
			for _, m := range l.Expect.SigmaMatches {
				if stated++; got[m.ID] {
					agreed++
				} else {
					r.detail("%s:%d: %s does not match", o.product, line, m.ID)
				}
				delete(got, m.ID)
			}
			for _, m := range l.Expect.Disputed {
				disputed++
				delete(got, m.ID)
			}
			for id := range got {
				if beyond++; r.verbose {
					r.detail("%s:%d: %s matches by its pipeline", o.product, line, id)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.printf("%-40s %d/%d agreed, %d more by pipelines, %d disputed among others\n", "verdicts on "+o.product, agreed, stated, beyond, disputed)
		r.reached["detect oracle "+o.product] = agreed
	}
	return nil
}

// familyOf tells what a record is, as import does.
func familyOf(raw []byte) event.Family {
	var t jsontape.Tape
	if t.Parse(raw) != nil {
		return "json"
	}
	if list := normalize.Detect(t.Root()); len(list) == 1 {
		return list[0]
	}
	return "json"
}

// reachableProducts are those whose public rules are to work on records as they come.
var reachableProducts = []string{"m365", "azure", "okta", "github", "gcp", "aws"}

// reachable says which share of the rules asks only for fields that real records have.
func (r *report) reachable(data string, b *detect.Book) error {
	shapes, err := shapesOf(data)
	if err != nil {
		return err
	}
	for _, p := range reachableProducts {
		can, all := 0, 0
		for _, rule := range b.Program.Rules() {
			if rule.LogSource.Product != p {
				continue
			}
			all++
			ok, missing := source.CanMatch(rule, shapes)
			if ok {
				can++
			} else {
				r.detail("%s can never match: no record has %s", rule.Title, strings.Join(missing, ", "))
			}
		}
		r.printf("%-40s %d/%d\n", "rules of "+p+" that can match", can, all)
		r.reached["detect reachable "+p] = can
	}
	return nil
}

// shapesOf collects the fields that the records of each log source have.
func shapesOf(data string) ([]source.Shape, error) {
	files, err := filepath.Glob(filepath.Join(data, "raw", "*", "*.jsonl"))
	if err != nil {
		return nil, err
	}
	labelled, err := filepath.Glob(filepath.Join(data, "labelled", "*.jsonl"))
	if err != nil {
		return nil, err
	}
	known := map[string]source.Shape{}
	var t jsontape.Tape
	for _, f := range slices.Concat(files, labelled) {
		isLabelled := strings.Contains(f, string(filepath.Separator)+"labelled"+string(filepath.Separator))
		err := eachLine(f, func(_ int, raw []byte) error {
			if isLabelled {
				var l struct{ Event json.RawMessage }
				if json.Unmarshal(raw, &l) != nil || len(l.Event) == 0 {
					return nil
				}
				raw = l.Event
			}
			if t.Parse(raw) != nil {
				return nil
			}
			s := source.Shape{Sources: source.LogSources(familyOf(raw), t.Root(), nil), Fields: map[string]bool{}}
			source.Fields(t.Root(), s.Fields)
			known[fmt.Sprint(s.Sources, slices.Sorted(maps.Keys(s.Fields)))] = s
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
	}
	return slices.Collect(maps.Values(known)), nil
}
