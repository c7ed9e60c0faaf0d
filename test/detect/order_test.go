// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daybreak-sec/daybreak/detect"
	"github.com/daybreak-sec/daybreak/detect/sigma"
	"github.com/daybreak-sec/daybreak/sim/scenario"
)

// The orders in which records of a story may come. Each is one that the product promises to judge
// like any other: records later than the lateness that it has learned are not among them, but for
// what is imported within an hour.
var orders = []struct {
	name  string
	order func(list []arrival, random *rand.Rand) []arrival
}{
	{"imported in order", func(list []arrival, _ *rand.Rand) []arrival { return imported(list) }},
	{"imported backwards", func(list []arrival, _ *rand.Rand) []arrival {
		slices.Reverse(list)
		return imported(list)
	}},
	{"imported in random order", func(list []arrival, random *rand.Rand) []arrival {
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		return imported(list)
	}},
	{"minutes late", func(list []arrival, random *rand.Rand) []arrival { return late(list, random, 30*time.Minute, 1) }},
	{"some hours late", func(list []arrival, random *rand.Rand) []arrival { return late(list, random, 20*time.Hour, 0.1) }},
	{"twice", func(list []arrival, random *rand.Rand) []arrival {
		// The journal keeps equal records apart from new ones; what was judged before a crash is
		// judged again.
		for from := 0; from < len(list); from += 100 + random.IntN(400) {
			again := list[from:min(from+1+random.IntN(100), len(list))]
			list = slices.Insert(list, min(from+len(again), len(list)), again...)
		}
		return list
	}},
}

// imported has all come within an hour.
func imported(list []arrival) []arrival {
	begin := monday.Add(100 * day)
	for i := range list {
		list[i].received = begin.Add(time.Duration(i) * time.Hour / time.Duration(len(list)))
	}
	return list
}

// late has a share of the records come up to so much later.
func late(list []arrival, random *rand.Rand, most time.Duration, share float64) []arrival {
	for i := range list {
		if random.Float64() < share {
			list[i].received = list[i].received.Add(time.Duration(random.Int64N(int64(most))))
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return a.received.Compare(b.received) })
	return list
}

// chained is the pack and, for each of its rules about behavior, a correlation of what that finds: it has to follow
// whatever is said, revised and taken back.
func chained(t *testing.T) *detect.Book {
	t.Helper()
	var more strings.Builder
	for i, d := range book(t).Documents {
		if c, ok := d.(*sigma.Correlation); ok && c.Behavior != nil {
			fmt.Fprintf(&more, "---\ntitle: Twice %s\nid: 00000000-0000-4000-8000-%012d\nlevel: low\n"+
				"correlation: {type: event_count, rules: [%s], group-by: [%s], timespan: 3d, generate: true, condition: {gte: %d}}\n",
				c.Title, i, c.ID, c.GroupBy[0], 1+i%2)
		}
	}
	b, err := detect.Open(detect.BookOptions{Builtin: true, Texts: []detect.Text{{Name: "chained.yml", Text: more.String()}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range b.Problems {
		t.Error(p.Error())
	}
	return b
}

// TestAnyOrder: the same records give the same alerts, in whatever order and however late they
// come, and if they are given twice.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	random, b := chance(t), chained(t)
	for _, name := range scenario.Names() {
		fixed, drawn := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(random.Uint64(), 1))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := attacked(t, name)
			alerts := takeBy(t, b, s.prompt())
			if len(serious(alerts)) < len(s.scenario.Steps)/2 {
				t.Fatalf("only %d alerts of medium or above: this proves nothing", len(serious(alerts)))
			}
			want := summary(alerts)
			for _, o := range orders {
				for _, r := range []*rand.Rand{fixed, drawn} {
					for _, line := range differences(want, summary(takeBy(t, b, o.order(s.prompt(), r)))) {
						t.Errorf("%s: %s", o.name, line)
					}
				}
			}
		})
	}
}

// differences says in which alerts two runs differ, by rule.
func differences(want, got []outline) (list []string) {
	at := map[string]*outline{}
	for i := range want {
		at[want[i].id] = &want[i]
	}
	for i := range got {
		g := &got[i]
		switch w := at[g.id]; {
		case w == nil:
			list = append(list, "one more: "+g.String())
		case *w != *g:
			list = append(list, fmt.Sprintf("%s, and was %s", g, w))
		}
		delete(at, g.id)
	}
	for _, w := range at {
		list = append(list, "lacking: "+w.String())
	}
	slices.Sort(list)
	return list
}
