// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// firing says what is known of an episode.
func (s *State) firing(p *program, g *group, e *episode, id Key, replaces []Key) Firing {
	f := Firing{
		Rule: p.rule, ID: id, Replaces: replaces, Tenant: s.tenants[g.tenant], Group: p.groupValues(g.name),
		Count: int(e.count), From: time.Unix(0, g.es[e.lo].time).UTC(), To: time.Unix(0, g.es[e.hi-1].time).UTC(),
		Completed: p.ref(&g.es[e.first]), Value: e.number,
	}
	f.Refs = make([]Ref, 0, min(MaxRefs, e.count))
	refs(g.es, e, func(x *entry) {
		f.Refs = append(f.Refs, p.ref(x))
	})
	f.Sentence = p.sentence(&f)
	return f
}

func (p *program) ref(e *entry) Ref {
	return Ref{ID: e.id, Key: e.key, Time: e.time, Rule: p.keys[e.rule]}
}

func (p *program) groupValues(name []byte) []GroupValue {
	values := make([]GroupValue, len(p.groupBy))
	for i, f := range p.groupBy {
		var v []byte
		v, name = nextValue(name)
		values[i] = GroupValue{f, string(v)}
	}
	return values
}

// sentence is such as "12 events within 10m for User alice@example.com; the rule asks for at
// least 10. In all 31 events from … to …".
func (p *program) sentence(f *Firing) string {
	var b strings.Builder
	number := strconv.FormatFloat(f.Value, 'f', -1, 64)
	field := strings.Join(p.fields, " and ")
	switch p.kind {
	case count:
		fmt.Fprintf(&b, "%s %s", number, plural(f.Value, "event"))
	case distinct:
		fmt.Fprintf(&b, "%s different %s of %s", number, plural(f.Value, "value"), field)
	case temporal, ordered:
		fmt.Fprintf(&b, "%s of %d rules matched", number, len(p.names))
		if p.kind == ordered {
			b.WriteString(" in their order")
		}
	case sum:
		fmt.Fprintf(&b, "a sum of %s of %s", number, field)
	case average:
		fmt.Fprintf(&b, "an average of %s of %s", number, field)
	case percentile:
		fmt.Fprintf(&b, "%s at percentile %v of %s", number, p.cond.percentile, field)
	case median:
		fmt.Fprintf(&b, "a median of %s of %s", number, field)
	}
	switch {
	case p.cond.silent:
		fmt.Fprintf(&b, " more in the %s after", duration(p.span))
	default:
		fmt.Fprintf(&b, " within %s", duration(p.span))
	}
	for i, g := range f.Group {
		word := " and"
		if i == 0 {
			word = " for"
		}
		fmt.Fprintf(&b, "%s %s %s", word, g.Field, g.Value)
	}
	for i, c := range p.cond.compare {
		word := " and"
		if i == 0 {
			word = "; the rule asks for"
		}
		fmt.Fprintf(&b, "%s %s%s", word, opWords[c.Op], strconv.FormatFloat(c.N, 'f', -1, 64))
	}
	fmt.Fprintf(&b, ". In all %d %s from %s to %s.", f.Count, plural(float64(f.Count), "event"), f.From.Format(stamp), f.To.Format(stamp))
	return b.String()
}

const stamp = "2006-01-02 15:04:05 MST"

var opWords = [...]string{
	sigma.Eq: "", sigma.Neq: "other than ", sigma.Lt: "less than ", sigma.Lte: "at most ", sigma.Gt: "more than ", sigma.Gte: "at least ",
}

func plural(n float64, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// duration is 90m rather than 1h30m0s.
func duration(d int64) string {
	for _, u := range []struct {
		n    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if n := int64(u.n); d%n == 0 {
			return strconv.FormatInt(d/n, 10) + u.name
		}
	}
	return time.Duration(d).String()
}
