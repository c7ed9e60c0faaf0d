// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate_test

import (
	"bytes"
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

func float(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

// correlation makes one from "type rules | group-by | timespan | condition", the condition as
// in "gte 3, lt 5 of field".
func correlation(name, text string) *sigma.Correlation {
	part := strings.Split(text, "|")
	for i := range part {
		part[i] = strings.TrimSpace(part[i])
	}
	head := strings.Fields(part[0])
	c := &sigma.Correlation{Meta: sigma.Meta{Name: name}, Type: head[0], Rules: head[1:], GroupBy: strings.Fields(part[1])}
	c.Timespan, _ = time.ParseDuration(part[2])
	cond, fields, _ := strings.Cut(part[3], " of ")
	c.Condition.Fields = strings.Fields(fields)
	if cond == "" {
		return c
	}
	ops := map[string]sigma.Op{"eq": sigma.Eq, "neq": sigma.Neq, "lt": sigma.Lt, "lte": sigma.Lte, "gt": sigma.Gt, "gte": sigma.Gte}
	for cmp := range strings.SplitSeq(cond, ",") {
		var op string
		var n float64
		fmt.Sscan(cmp, &op, &n)
		if op == "p" {
			c.Condition.Percentile = n
			continue
		}
		c.Condition.Compare = append(c.Condition.Compare, sigma.Comparison{Op: ops[op], N: n})
	}
	return c
}

func withExpr(c *sigma.Correlation, e sigma.Expr) *sigma.Correlation {
	c.Condition.Expr = e
	return c
}

func ref(name string) sigma.Expr { return &sigma.Ref{Name: name} }

func not(e sigma.Expr) sigma.Expr { return &sigma.Not{X: e} }

func and(e ...sigma.Expr) sigma.Expr { return &sigma.And{X: e} }

func or(e ...sigma.Expr) sigma.Expr { return &sigma.Or{X: e} }

// every is a correlation of each type and operator, and chains of them.
func every() []*sigma.Correlation {
	aliased := correlation("aliased", "temporal a b | who | 6s | ")
	aliased.Aliases = map[string]map[string]string{"who": {"a": "user", "b": "ip"}}
	return []*sigma.Correlation{
		correlation("count-gte", "event_count a | user | 5s | gte 3"),
		correlation("count-gt", "event_count a b | user ip | 8s | gt 2"),
		correlation("count-eq", "event_count a | user | 5s | eq 2"),
		correlation("count-range", "event_count a | user | 6s | gte 2, lte 3"),
		correlation("count-lt", "event_count a | user | 5s | lt 2"),
		correlation("count-neq", "event_count a | user | 5s | neq 2"),
		correlation("silence", "event_count a | user | 4s | eq 0"),
		correlation("count-all", "event_count a b c |  | 3s | gte 4"),
		correlation("values", "value_count a b | user | 7s | gte 3 of value"),
		correlation("tuples", "value_count a | user | 9s | gte 3 of value ip"),
		correlation("values-lte", "value_count a | user | 5s | lte 1 of value"),
		correlation("values-none", "value_count a | user | 5s | lt 1 of value"),
		correlation("temporal", "temporal a b c | user | 6s | "),
		correlation("temporal-2", "temporal a b c | user | 4s | gte 2"),
		correlation("temporal-1", "temporal a b c | user | 4s | lt 2"),
		correlation("ordered", "temporal_ordered a b c | user | 9s | "),
		correlation("ordered-2", "temporal_ordered a b c | user | 5s | gte 2"),
		correlation("ordered-lte", "temporal_ordered a b c | user | 5s | lte 1"),
		withExpr(correlation("expr-or", "temporal a b c | user | 5s | "), or(and(ref("a"), ref("b")), ref("c"))),
		withExpr(correlation("expr-not", "temporal a b c | user | 5s | "), and(ref("a"), not(ref("b")))),
		withExpr(correlation("ordered-not", "temporal_ordered a b c | user | 6s | "), and(ref("a"), ref("c"), not(ref("b")))),
		correlation("sum", "value_sum a | user | 5s | gt 20 of value"),
		correlation("sum-lt", "value_sum a | user | 5s | lt 10 of value"),
		correlation("avg", "value_avg a b | user | 5s | gte 7 of value"),
		correlation("avg-range", "value_avg a | user | 5s | gte 3, lt 6 of value"),
		correlation("p90", "value_percentile a b | user | 8s | gte 8, p 90 of value"),
		correlation("p10", "value_percentile a b | user | 8s | lte 1, p 10 of value"),
		correlation("median", "value_median a b | user | 8s | gt 6 of value"),
		aliased,
		correlation("chain", "temporal_ordered count-gte b | user | 9s | "),
		correlation("chain-count", "event_count count-gte | | 20s | gte 2"),
		correlation("chain-values", "value_count count-gte temporal-2 | | 20s | gte 3 of user"),
		correlation("chain-late", "event_count expr-not silence | user | 9s | gte 2"),
		withExpr(correlation("chain-not", "temporal count-gte b | user | 9s | "), and(ref("count-gte"), not(ref("b")))),
		correlation("chain-chain", "event_count chain-late c | user | 30s | gte 3"),
	}
}

func anyRule(r string) ([]string, bool) { return []string{r}, len(r) == 1 }

func compile(t testing.TB, cs []*sigma.Correlation) *correlate.Set {
	t.Helper()
	set, errs := correlate.Compile(cs, anyRule)
	for _, err := range errs {
		t.Fatal(err)
	}
	return set
}

// standing is what a reader of firings makes of them.
type standing map[correlate.Key]correlate.Firing

func (s standing) take(fs []correlate.Firing) {
	for _, f := range fs {
		for _, id := range f.Replaces {
			delete(s, id)
		}
		if len(f.Refs) > 0 {
			f.Replaces = nil
			s[f.ID] = f
		}
	}
}

func (s standing) sorted() (list []correlate.Firing) {
	for _, f := range s {
		list = append(list, f)
	}
	return sortFirings(list)
}

func sortFirings(list []correlate.Firing) []correlate.Firing {
	slices.SortFunc(list, func(a, b correlate.Firing) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return list
}

// diff compares all but the sentences.
func diff(want, got []correlate.Firing) string {
	for _, list := range [][]correlate.Firing{want, got} {
		for i := range list {
			list[i].Sentence = ""
			if len(list[i].Group) == 0 {
				list[i].Group = nil
			}
		}
	}
	if sortFirings(want); reflect.DeepEqual(want, got) {
		return ""
	}
	return gocmp.Diff(want, got, cmpopts.EquateEmpty())
}

func openDB(t testing.TB) *pebble.DB {
	t.Helper()
	db, err := pebble.Open("", &pebble.Options{FS: vfs.NewMem(), Logger: quiet{}, MemTableSize: 1 << 20, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func flush(t testing.TB, s *correlate.State, db *pebble.DB) {
	t.Helper()
	b := db.NewBatch()
	if err := s.Flush(b); err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(pebble.Sync); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(f string, a ...any) {
	panic(fmt.Sprintf(f, a...))
}

func every1(text string) []*sigma.Correlation {
	return []*sigma.Correlation{correlation("it", text)}
}
