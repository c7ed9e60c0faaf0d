// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package correlate

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// Limits of a correlation, so that a hostile rule costs no more than a good one.
const (
	maxRules  = 64 // that one correlation lists: temporal conditions are sets of 64 bits
	maxKeys   = 1 << 12
	maxFields = 16 // of group-by, and of condition.field
	maxChain  = 16 // correlations of correlations of …
)

// Set is correlations made ready to run. It is immutable.
type Set struct {
	progs []*program // those that are referred to come first
	feeds map[string][]feed
}

// feed says that the matches of a rule go to a program, and which fields are taken.
type feed struct {
	prog  *program
	key   uint16 // the rule's place in prog.keys
	group []string
	value []string
}

// program is a correlation with its references resolved.
type program struct {
	index   int     // in Set.progs
	id      [8]byte // of all that its state depends on
	rule    string  // Meta.Key
	kind    kind
	keys    []string // of rules and correlations whose matches it takes
	place   []uint8  // of each key, the place in Rules
	names   []string // Rules
	groupBy []string
	fields  []string // of the condition
	span    int64
	// lag is how much later than the watermark says a hit may come: that is, when
	// it is a firing that itself waits for its window to end.
	lag   int64
	chain int // how many levels of correlations are below
	cond  condition
	inner [][8]byte
	outer []feed // correlations that take this one's firings
}

// Compile resolves the references between correlations and rules: rules returns the keys
// (Meta.Key) of the rules with an id or a name. Correlations of Daybreak's own types are
// passed over; others may refer to them as to rules. The Set has those
// correlations that have no error, and each error names its correlation.
func Compile(cs []*sigma.Correlation, rules func(ref string) (keys []string, ok bool)) (*Set, []error) {
	c := compiler{
		set: &Set{feeds: map[string][]feed{}}, rules: rules,
		byRef: map[string]*sigma.Correlation{}, done: map[*sigma.Correlation]*result{},
	}
	for _, x := range cs {
		for _, ref := range []string{x.ID, x.Name, x.Key()} {
			if _, taken := c.byRef[ref]; ref != "" && !taken {
				c.byRef[ref] = x
			}
		}
	}
	var errs []error
	for _, x := range cs {
		if x.Behavior != nil {
			continue
		}
		if _, err := c.compile(x); err != nil {
			errs = append(errs, sigma.Problem{File: x.File, Line: x.Line, Message: fmt.Sprintf("correlation %q: %v", x.Key(), err)})
		}
	}
	return c.set, errs
}

type compiler struct {
	set   *Set
	rules func(string) ([]string, bool)
	byRef map[string]*sigma.Correlation
	done  map[*sigma.Correlation]*result
}

type result struct {
	p   *program
	err error
}

var errCycle = errors.New("it refers to itself, by way of other correlations; remove one of the references")

func (c *compiler) compile(x *sigma.Correlation) (*program, error) {
	if r, ok := c.done[x]; ok {
		return r.p, r.err
	}
	r := &result{err: errCycle} // for as long as it is being compiled
	c.done[x] = r
	r.p, r.err = c.build(x)
	return r.p, r.err
}

func (c *compiler) build(x *sigma.Correlation) (*program, error) {
	p := &program{rule: x.Key(), names: x.Rules, groupBy: x.GroupBy, fields: x.Condition.Fields, span: int64(x.Timespan)}
	switch {
	case x.Timespan <= 0 || x.Timespan > math.MaxInt64/16:
		return nil, errors.New("timespan: want a time such as 10m")
	case len(x.Rules) == 0 || len(x.Rules) > maxRules:
		return nil, fmt.Errorf("rules: want 1 to %d, it lists %d", maxRules, len(x.Rules))
	case len(x.GroupBy) > maxFields || len(x.Condition.Fields) > maxFields:
		return nil, fmt.Errorf("group-by and condition.field: at most %d fields each", maxFields)
	}
	var err error
	if p.kind, err = kindOf(x); err != nil {
		return nil, err
	}
	if p.cond, err = c.condition(p.kind, x); err != nil {
		return nil, err
	}
	var feeds []feed
	var from []source
	for place, ref := range x.Rules {
		src, err := c.resolve(ref)
		if err != nil {
			return nil, err
		}
		for _, s := range src {
			if slices.Contains(p.keys, s.key) {
				return nil, fmt.Errorf("rules: %q is a rule that is listed already; list each once", ref)
			}
			f := feed{prog: p, key: uint16(len(p.keys))}
			if f.group, err = c.mapFields(x, ref, x.GroupBy, s.inner); err != nil {
				return nil, err
			}
			if f.value, err = c.mapFields(x, ref, x.Condition.Fields, s.inner); err != nil {
				return nil, err
			}
			p.keys, p.place = append(p.keys, s.key), append(p.place, uint8(place))
			feeds, from = append(feeds, f), append(from, s)
			if in := s.inner; in != nil {
				p.inner = append(p.inner, in.id)
				p.chain, p.lag = max(p.chain, in.chain+1), max(p.lag, in.lag+in.delay())
			}
		}
	}
	if p.chain > maxChain || len(p.keys) > maxKeys {
		return nil, fmt.Errorf("it refers to more than %d rules, or by way of more than %d correlations", maxKeys, maxChain)
	}
	p.id = p.digest(x)
	for i, f := range feeds {
		if in := from[i].inner; in != nil {
			in.outer = append(in.outer, f)
		} else {
			c.set.feeds[from[i].key] = append(c.set.feeds[from[i].key], f)
		}
	}
	p.index = len(c.set.progs)
	c.set.progs = append(c.set.progs, p)
	return p, nil
}

// delay is how long after a hit the condition can be judged there.
func (p *program) delay() int64 {
	if p.cond.negative {
		return p.span
	}
	return 0
}

// source is what a reference means: a rule, or a correlation.
type source struct {
	key   string
	inner *program
}

func (c *compiler) resolve(ref string) ([]source, error) {
	if x, ok := c.byRef[ref]; ok {
		if x.Behavior != nil {
			return []source{{key: x.Key()}}, nil
		}
		in, err := c.compile(x)
		switch {
		case errors.Is(err, errCycle):
			return nil, err
		case err != nil:
			return nil, fmt.Errorf("rules: %q has an error itself", ref)
		}
		return []source{{key: in.rule, inner: in}}, nil
	}
	keys, ok := c.rules(ref)
	if !ok || len(keys) == 0 {
		return nil, fmt.Errorf("rules: there is no rule with the id or name %q", ref)
	}
	src := make([]source, len(keys))
	for i, k := range keys {
		src[i].key = k
	}
	return src, nil
}

// same reports whether two references, an id and a name perhaps, mean the same.
func (c *compiler) same(a, b string) bool {
	if a == b {
		return true
	}
	x, y := c.byRef[a], c.byRef[b]
	if x != nil || y != nil {
		return x == y
	}
	k, ok1 := c.rules(a)
	l, ok2 := c.rules(b)
	return ok1 && ok2 && slices.Equal(k, l)
}

// mapFields puts a rule's own fields in place of aliases.
func (c *compiler) mapFields(x *sigma.Correlation, ref string, fields []string, inner *program) ([]string, error) {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f
		if alias, ok := x.Aliases[f]; ok {
			if out[i], ok = alias[ref]; !ok {
				for r, f := range alias {
					if c.same(r, ref) {
						out[i], ok = f, true
					}
				}
			}
			if !ok {
				return nil, fmt.Errorf("aliases: %q does not say which field it is in rule %q", f, ref)
			}
		}
		if inner != nil && !slices.Contains(inner.groupBy, out[i]) {
			return nil, fmt.Errorf("it needs field %q of correlation %q, which has no fields but those that it groups by: %q", out[i], ref, inner.groupBy)
		}
	}
	return out, nil
}

// digest identifies the rule and all of it that its state depends on.
func (p *program) digest(x *sigma.Correlation) (id [8]byte) {
	h := sha256.New()
	put := func(s string) {
		_ = binary.Write(h, binary.LittleEndian, uint64(len(s)))
		h.Write([]byte(s))
	}
	list := func(s []string) {
		put(fmt.Sprint(len(s)))
		for _, s := range s {
			put(s)
		}
	}
	put(p.rule)
	put(x.Type)
	list(p.names)
	list(p.keys)
	put(fmt.Sprint(p.place, p.span, p.lag, p.inner, x.Condition.Compare, x.Condition.Percentile, p.cond.expr))
	list(p.groupBy)
	list(p.fields)
	aliases := make([]string, 0, len(x.Aliases))
	for a, m := range x.Aliases {
		for r, f := range m {
			aliases = append(aliases, fmt.Sprintf("%q %q %q", a, r, f))
		}
	}
	sort.Strings(aliases)
	list(aliases)
	copy(id[:], h.Sum(nil))
	return id
}
