// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// fact is a record that matched a rule.
type fact struct {
	correlate.Ref
	tenant string
	fields map[string][]string
}

func (f *fact) hit() *correlate.Hit {
	return &correlate.Hit{Ref: f.Ref, Tenant: f.tenant, Values: func(field string) (out [][]byte) {
		for _, v := range f.fields[field] {
			out = append(out, []byte(v))
		}
		return out
	}}
}

// expect is the oracle: it finds what has to stand at the end from all facts at once, in the
// plainest way, as docs/reference/correlation.md says it. Correlations come after those that they
// refer to.
func expect(cs []*sigma.Correlation, facts []fact) (all []correlate.Firing) {
	for _, c := range cs {
		fs := expectOne(c, facts)
		for _, f := range fs {
			inner := fact{Ref: f.Completed, tenant: f.Tenant, fields: map[string][]string{}}
			inner.Rule, inner.Key = c.Key(), f.ID
			for _, g := range f.Group {
				inner.fields[g.Field] = []string{g.Value}
			}
			facts = append(slices.Clip(facts), inner)
		}
		all = append(all, fs...)
	}
	return all
}

type seen struct {
	correlate.Ref
	vals map[string]bool
}

func expectOne(c *sigma.Correlation, facts []fact) (out []correlate.Firing) {
	type group struct {
		tenant string
		values []string
		hits   []*seen
	}
	groups := map[string]*group{}
	for _, f := range facts {
		if !slices.Contains(c.Rules, f.Rule) {
			continue
		}
		vals := tuples(c, &f, c.Condition.Fields)
		if strings.HasPrefix(c.Type, "value_") && c.Type != "value_count" {
			vals = slices.DeleteFunc(vals, func(v []string) bool {
				_, err := strconv.ParseFloat(v[0], 64)
				return err != nil
			})
		}
		for _, tuple := range tuples(c, &f, c.GroupBy) {
			k := f.tenant + "\x00" + strings.Join(tuple, "\x00")
			g := groups[k]
			if g == nil {
				g = &group{tenant: f.tenant, values: tuple}
				groups[k] = g
			}
			if len(vals) == 0 {
				continue
			}
			s := &seen{Ref: f.Ref, vals: map[string]bool{}}
			for _, v := range vals {
				s.vals[strings.Join(v, "\x00")] = true
			}
			i := slices.IndexFunc(g.hits, func(h *seen) bool { return h.Key == s.Key && h.Rule == s.Rule })
			switch {
			case i < 0:
				g.hits = append(g.hits, s)
			case s.Time < g.hits[i].Time:
				g.hits[i] = s
			case s.Time == g.hits[i].Time:
				maps.Copy(g.hits[i].vals, s.vals)
			}
		}
	}
	for _, g := range groups {
		slices.SortFunc(g.hits, func(a, b *seen) int {
			return cmp.Or(cmp.Compare(a.Time, b.Time), bytes.Compare(a.Key[:], b.Key[:]),
				cmp.Compare(slices.Index(c.Rules, a.Rule), slices.Index(c.Rules, b.Rule)))
		})
		for _, f := range episodesOf(c, g.hits) {
			f.Tenant = g.tenant
			f.Group = make([]correlate.GroupValue, len(c.GroupBy))
			for i, v := range g.values {
				f.Group[i] = correlate.GroupValue{Field: c.GroupBy[i], Value: v}
			}
			f.ID = digest(c.Key(), g.tenant, g.values, f.Completed.Key)
			out = append(out, f)
		}
	}
	return out
}

func tuples(c *sigma.Correlation, f *fact, fields []string) [][]string {
	list := [][]string{{}}
	for _, name := range fields {
		if a, ok := c.Aliases[name]; ok {
			name = a[f.Rule]
		}
		var longer [][]string
		for _, t := range list {
			for _, v := range f.fields[name] {
				if v != "" {
					longer = append(longer, append(slices.Clone(t), strings.ToLower(v)))
				}
			}
		}
		list = longer
	}
	return list
}

func digest(rule, tenant string, group []string, first correlate.Key) correlate.Key {
	var name, b []byte
	for _, v := range group {
		name = append(binary.LittleEndian.AppendUint16(name, uint16(len(v))), v...)
	}
	for _, s := range []string{rule, tenant, string(name)} {
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
	}
	sum := sha256.Sum256(append(b, first[:]...))
	return correlate.Key(sum[:16])
}

func episodesOf(c *sigma.Correlation, hits []*seen) (out []correlate.Firing) {
	span, forward := int64(c.Timespan), waits(c)
	in := func(e, h *seen) bool {
		if forward {
			return h.Time >= e.Time && h.Time < e.Time+span
		}
		return h.Time > e.Time-span && h.Time <= e.Time
	}
	var first, last *seen
	var peak float64
	end := func() {
		if first == nil {
			return
		}
		f := correlate.Firing{Rule: c.Key(), Completed: first.Ref, Value: peak}
		for _, h := range hits {
			if in(first, h) || in(last, h) || h.Time >= first.Time && h.Time <= last.Time {
				f.Refs = append(f.Refs, h.Ref)
			}
		}
		f.Count = len(f.Refs)
		f.From, f.To = time.Unix(0, f.Refs[0].Time).UTC(), time.Unix(0, f.Refs[f.Count-1].Time).UTC()
		f.Refs = f.Refs[:min(f.Count, correlate.MaxRefs)]
		out = append(out, f)
		first = nil
	}
	for _, e := range hits {
		var window []*seen
		for _, h := range hits {
			if in(e, h) && (!silent(c) || h != e) {
				window = append(window, h)
			}
		}
		v, ok := holds(c, window)
		if !ok {
			continue
		}
		if first != nil && e.Time-last.Time > span {
			end()
		}
		if first == nil {
			first, peak = e, v
		}
		last = e
		if falling(c) {
			peak = min(peak, v)
		} else {
			peak = max(peak, v)
		}
	}
	end()
	return out
}

// waits, silent and falling say it in the words of the reference.
func waits(c *sigma.Correlation) bool {
	for _, x := range c.Condition.Compare {
		if x.Op == sigma.Lt || x.Op == sigma.Lte || x.Op == sigma.Neq || x.Op == sigma.Eq && x.N == 0 {
			return true
		}
	}
	return hasNot(c.Condition.Expr)
}

func hasNot(e sigma.Expr) bool {
	switch e := e.(type) {
	case *sigma.And:
		return slices.ContainsFunc(e.X, hasNot)
	case *sigma.Or:
		return slices.ContainsFunc(e.X, hasNot)
	case *sigma.Not:
		return true
	}
	return false
}

func silent(c *sigma.Correlation) bool {
	return strings.HasSuffix(c.Type, "_count") && compareAll(c, 0) && !compareAll(c, 1) && !compareAll(c, 2)
}

func falling(c *sigma.Correlation) bool {
	down := false
	for _, x := range c.Condition.Compare {
		if x.Op == sigma.Gt || x.Op == sigma.Gte {
			return false
		}
		down = down || x.Op == sigma.Lt || x.Op == sigma.Lte
	}
	return down
}

func compareAll(c *sigma.Correlation, v float64) bool {
	for _, x := range c.Condition.Compare {
		ok := map[sigma.Op]bool{
			sigma.Eq: v == x.N, sigma.Neq: v != x.N, sigma.Lt: v < x.N, sigma.Lte: v <= x.N, sigma.Gt: v > x.N, sigma.Gte: v >= x.N,
		}
		if !ok[x.Op] {
			return false
		}
	}
	return true
}

func holds(c *sigma.Correlation, window []*seen) (float64, bool) {
	rules, vals := map[string]bool{}, map[string]bool{}
	var nums []float64
	for _, h := range window {
		rules[h.Rule] = true
		for v := range h.vals {
			vals[v] = true
			nums = append(nums, float(v))
		}
	}
	slices.Sort(nums)
	sum := 0.0
	for _, n := range nums {
		sum += n
	}
	at := func(i int) float64 { return nums[max(0, min(i, len(nums)-1))] }
	var v float64
	switch c.Type {
	case "event_count":
		v = float64(len(window))
	case "value_count":
		v = float64(len(vals))
	case "value_sum":
		v = sum
	case "value_avg":
		v = sum / float64(len(nums))
	case "value_median":
		v = (at((len(nums)-1)/2) + at(len(nums)/2)) / 2
	case "value_percentile":
		v = at(int(math.Ceil(c.Condition.Percentile/100*float64(len(nums)))) - 1)
	case "temporal", "temporal_ordered":
		v = float64(len(rules))
		if c.Type == "temporal_ordered" {
			v = float64(chain(c, window))
		}
		if e := c.Condition.Expr; e != nil {
			return v, eval(e, rules) && int(v) == len(rules)
		}
		if len(c.Condition.Compare) == 0 {
			return v, int(v) == len(c.Rules)
		}
	}
	return v, compareAll(c, v)
}

// chain is the length of the longest chain of hits of rules in the listed order.
func chain(c *sigma.Correlation, window []*seen) (longest int) {
	best := map[int]int{}
	place := func(h *seen) int { return slices.Index(c.Rules, h.Rule) }
	sorted := slices.Clone(window)
	slices.SortFunc(sorted, func(a, b *seen) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(place(a), place(b)))
	})
	for i, h := range sorted {
		best[i] = 1
		for j := range i {
			if place(sorted[j]) < place(h) {
				best[i] = max(best[i], best[j]+1)
			}
		}
		longest = max(longest, best[i])
	}
	return longest
}

func eval(e sigma.Expr, rules map[string]bool) bool {
	switch e := e.(type) {
	case *sigma.And:
		return !slices.ContainsFunc(e.X, func(x sigma.Expr) bool { return !eval(x, rules) })
	case *sigma.Or:
		return slices.ContainsFunc(e.X, func(x sigma.Expr) bool { return eval(x, rules) })
	case *sigma.Not:
		return !eval(e.X, rules)
	case *sigma.Ref:
		return rules[e.Name]
	}
	panic("no such node")
}
