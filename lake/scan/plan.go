// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scan

import (
	"slices"

	"github.com/daybreak-sec/daybreak/lake"
	"github.com/daybreak-sec/daybreak/lake/query"
)

// plan says what is done with the rows that pass the filter while they are
// scanned, and what is left for afterwards.
type plan struct {
	// count says that rows are counted by the columns by, with times rounded
	// down by span if it is set; otherwise the first rows are kept.
	count bool
	by    []int
	span  *query.Histogram

	// keys order the rows that are kept, before time and event id descending.
	keys  []sortKey
	limit int // 0: none
	// columns are those that the pipes need of the rows that are kept.
	columns []int

	rest []query.Pipe
}

type sortKey struct {
	column int
	desc   bool
}

// makePlan fuses the scan with the pipes up to the first that counts or limits.
func makePlan(pipes []query.Pipe) plan {
	p := plan{rest: pipes, columns: needed(pipes)}
	for i, pipe := range pipes {
		switch pipe := pipe.(type) {
		case query.Sort:
			p.sort(pipe)
		case query.Limit:
			p.limit = pipe.N
			return p
		case query.Count:
			return plan{count: true, by: places(pipe.By), rest: pipes[i+1:]}
		case query.Histogram:
			by := append([]int{lake.ColTime}, places(pipe.By)...)
			return plan{count: true, by: by, span: &pipe, rest: pipes[i+1:]}
		case query.Top:
			rest := []query.Pipe{query.Sort{Keys: []query.Key{{Name: "count", Desc: true}}}, query.Limit{N: pipe.N}}
			return plan{count: true, by: places([]string{pipe.Field}), rest: append(rest, pipes[i+1:]...)}
		}
	}
	return p
}

// sort adds the keys of a later sort, which come before those of an earlier.
func (p *plan) sort(s query.Sort) {
	var keys []sortKey
	for _, k := range s.Keys {
		keys = append(keys, sortKey{query.Place(k.Name), k.Desc})
	}
	for _, k := range p.keys {
		if !slices.ContainsFunc(keys, func(o sortKey) bool { return o.column == k.column }) {
			keys = append(keys, k)
		}
	}
	p.keys = keys
}

// needed returns the columns that pipes read of the events, in the order of the
// lake.
func needed(pipes []query.Pipe) []int {
	var out []int
	add := func(names []string) {
		for _, c := range places(names) {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
		slices.Sort(out)
	}
	for _, pipe := range pipes {
		switch pipe := pipe.(type) {
		case query.Sort:
			for _, k := range pipe.Keys {
				add([]string{k.Name})
			}
		case query.Fields:
			add(pipe.Names)
			return out
		case query.Count:
			add(pipe.By)
			return out
		case query.Histogram:
			add(append([]string{"time"}, pipe.By...))
			return out
		case query.Top:
			add([]string{pipe.Field})
			return out
		}
	}
	out = out[:0]
	for c := range numColumns {
		out = append(out, c)
	}
	return out
}

func places(names []string) []int {
	out := make([]int, len(names))
	for i, name := range names {
		out[i] = query.Place(name)
	}
	return out
}
