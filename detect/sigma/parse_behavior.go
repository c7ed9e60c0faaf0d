// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"slices"
	"strings"
	"time"
)

// behavior reads what Daybreak's own types of correlation need, and checks it against
// what the type takes.
func (p *parser) behavior(line int, e entry, name string, t correlationType) *Behavior {
	if !t.behavior {
		p.errorf(e.line, "%s has no behavior; it is of Daybreak's own types: new_value, spike, dormant, travel, spread", name)
		return nil
	}
	b := new(Behavior)
	needs, takes := strings.Fields(t.needs), strings.Fields(t.takes)
	if e.value == nil {
		if len(needs) > 0 {
			p.errorf(line, "%s needs a behavior with %s", name, strings.Join(needs, ", "))
		}
		return b
	}
	seen := map[string]bool{}
	for _, e := range p.mapping(e.value, "behavior") {
		seen[e.key] = true
		if !slices.Contains(needs, e.key) && !slices.Contains(takes, e.key) {
			p.errorf(e.line, "the behavior of %s has no key %s; there are %s", name, quoted(e.key), strings.Join(append(needs, takes...), ", "))
			continue
		}
		p.behaviorKey(b, e)
	}
	for _, key := range needs {
		if !seen[key] {
			p.errorf(line, "the behavior of %s needs %s", name, key)
		}
	}
	if b.Remember > 0 && b.Remember < b.Learn {
		p.errorf(e.line, "remember is shorter than learn, so that nothing would ever be learned; make it longer")
	}
	return b
}

func (p *parser) behaviorKey(b *Behavior, e entry) {
	durations := map[string]*time.Duration{"learn": &b.Learn, "remember": &b.Remember, "quiet": &b.Quiet}
	numbers := map[string]*float64{
		"factor": &b.Factor, "least": &b.Least, "most": &b.Most,
		"km-per-hour": &b.KmPerHour, "minimum-km": &b.MinimumKm,
	}
	switch {
	case e.key == "fields":
		if b.Fields = p.fieldNames(e); len(b.Fields) == 0 {
			p.errorf(e.line, "fields is empty; name the fields whose values are watched")
		}
	case e.key == "peers":
		b.Peers = p.fieldNames(e)
	case e.key == "rare":
		n := p.number(e)
		if n != float64(int32(n)) {
			p.errorf(e.line, "rare is a number of groups, such as 3, not %s", quoted(e.value.Value))
		}
		b.Rare = int(n)
	case durations[e.key] != nil:
		*durations[e.key] = p.duration(e)
	case numbers[e.key] != nil:
		n := p.number(e)
		if n == 0 { // which would mean that it is left out
			p.errorf(e.line, "%s has to be more than 0", e.key)
		}
		*numbers[e.key] = n
	}
}
