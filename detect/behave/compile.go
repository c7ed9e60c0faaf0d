// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package behave

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// The types.
const (
	NewValue = "new_value"
	Spike    = "spike"
	Dormant  = "dormant"
	Travel   = "travel"
	Spread   = "spread"
)

// Set is a number of compiled behaviors. It is immutable.
type Set struct {
	all  []*behavior
	uses map[string][]use // by the Key of the rule that is hit
}

// behavior is one rule.
type behavior struct {
	sigma.Behavior
	key      string
	rule     [8]byte // of id and content: what it has learned is kept under this
	typ      string
	rules    []string // Keys, sorted
	groupBy  []string
	timespan time.Duration
	place    placeFields // of travel
}

// use is what a behavior takes from the hits of one rule: its aliases are put in.
type use struct {
	*behavior
	group, fields, peers []string
	rank                 uint16 // of the rule that is hit, in rules
}

// Compile compiles the correlations of Daybreak's own types. The function rules says which rules
// a reference means: the Keys of their Meta. What cannot be compiled is left out, and the errors say what to
// change.
func Compile(cs []*sigma.Correlation, rules func(ref string) (keys []string, ok bool)) (*Set, []error) {
	set := &Set{uses: map[string][]use{}}
	var errs []error
	for _, c := range cs {
		if err := set.add(c, rules); err != nil {
			errs = append(errs, sigma.Problem{File: c.File, Line: c.Line, Message: err.Error()})
		}
	}
	return set, errs
}

func (set *Set) add(c *sigma.Correlation, rules func(string) ([]string, bool)) error {
	if c.Behavior == nil {
		return fmt.Errorf("a rule of type %q needs a behavior", c.Type)
	}
	b := &behavior{Behavior: *c.Behavior, key: c.Key(), typ: c.Type, groupBy: c.GroupBy, timespan: c.Timespan}
	if err := b.check(); err != nil {
		return err
	}
	uses := map[string]use{}
	var keys []string
	for _, ref := range c.Rules {
		named, ok := rules(ref)
		if !ok {
			return fmt.Errorf("it refers to %q, which is no rule that was loaded: name a rule by its id or name", ref)
		}
		for _, key := range named {
			if _, twice := uses[key]; twice {
				continue
			}
			resolve := func(fields []string) []string { return resolved(fields, c.Aliases, ref, key) }
			uses[key] = use{behavior: b, group: resolve(b.groupBy), fields: resolve(b.Fields), peers: resolve(b.Peers)}
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 || len(keys) > math.MaxUint16 {
		return fmt.Errorf("it refers to %d rules: name at least one in rules, and not more than 65,535", len(keys))
	}
	slices.Sort(keys)
	b.rules = keys
	sum := sha256.New()
	fmt.Fprintf(sum, "rows 2 %q %q %q %q %v %d %+v", b.key, b.typ, keys, b.groupBy, c.Aliases, b.timespan, b.Behavior)
	b.rule = [8]byte(sum.Sum(nil))
	if slices.ContainsFunc(set.all, func(o *behavior) bool { return o.rule == b.rule }) {
		return fmt.Errorf("it is there twice: delete one of the two, or give it another id")
	}
	if len(set.all) == maxBehaviors {
		return fmt.Errorf("there are %d behaviors already: take some away", maxBehaviors)
	}
	set.all = append(set.all, b)
	for i, key := range keys {
		u := uses[key]
		u.rank = uint16(i)
		set.uses[key] = append(set.uses[key], u)
	}
	return nil
}

func resolved(fields []string, aliases map[string]map[string]string, ref, key string) []string {
	out := slices.Clone(fields)
	for i, field := range out {
		for _, name := range []string{ref, key} {
			if to, ok := aliases[field][name]; ok {
				out[i] = to
				break
			}
		}
	}
	return out
}

// Bounds of what a rule may ask for: rows stay small, and a rule that cannot be kept is refused
// rather than kept by halves.
const (
	maxBehaviors = 1 << 15 // of a set
	maxFields    = 8
	maxRare      = 100
	maxLeast     = 1000 // groups, of spread
	maxMost      = 100
	maxShare     = 100 // groups, of travel
)

// check refuses what makes no sense, and sets what the rule leaves open.
func (b *behavior) check() error {
	for _, d := range []time.Duration{b.Learn, b.Remember, b.Quiet, b.timespan} {
		if d < 0 || d > 20*365*24*time.Hour {
			return fmt.Errorf("a time of %v is out of bounds: give one from nothing to 20 years", d)
		}
	}
	for _, n := range []float64{b.Factor, b.Least, b.Most, b.KmPerHour, b.MinimumKm} {
		if !(n >= 0 && n <= 1e12) {
			return fmt.Errorf("a number of %v is out of bounds: give one from 0 to 1e12", n)
		}
	}
	if len(b.groupBy) > maxFields || len(b.Fields) > maxFields || len(b.Peers) > maxFields {
		return fmt.Errorf("it has more than %d fields in group-by, fields or peers: name fewer", maxFields)
	}
	switch b.typ {
	case NewValue:
		return b.checkNewValue()
	case Dormant:
		return b.checkDormant()
	case Spread:
		return b.checkSpread()
	case Spike:
		return b.checkSpike()
	case Travel:
		return b.checkTravel()
	}
	return fmt.Errorf("type %q is not one of new_value, spike, dormant, travel, spread", b.typ)
}

func (b *behavior) checkNewValue() error {
	switch {
	case len(b.Fields) == 0:
		return fmt.Errorf("new_value needs fields: the field whose values can be new")
	case len(b.groupBy) == 0:
		return fmt.Errorf("new_value needs group-by: to whom a value can be new")
	case b.Rare < 0 || b.Rare > maxRare:
		return fmt.Errorf("rare is %d: give how many others may have shown the value, 1 to %d, or leave it out", b.Rare, maxRare)
	}
	return nil
}

func (b *behavior) checkDormant() error {
	switch {
	case len(b.groupBy) == 0:
		return fmt.Errorf("dormant needs group-by: who can be quiet")
	case b.Quiet < time.Hour:
		return fmt.Errorf("dormant needs quiet, of an hour or more: how long nothing was seen before")
	case len(b.Fields) > 0:
		return fmt.Errorf("dormant has no fields: put them into group-by")
	}
	b.Remember = b.Quiet // of its one value
	return nil
}

func (b *behavior) checkSpread() error {
	if b.Most == 0 {
		b.Most = 3
	}
	switch {
	case b.Learn > 0:
		return fmt.Errorf("spread has no learn: it compares with nothing that it could learn")
	case len(b.Fields) == 0:
		return fmt.Errorf("spread needs fields: the fingerprint that is shared")
	case len(b.groupBy) == 0:
		return fmt.Errorf("spread needs group-by: what is counted, for example the account")
	case b.timespan < time.Minute:
		return fmt.Errorf("spread needs a timespan of a minute or more")
	case b.Least < 2 || b.Least > maxLeast || b.Least != math.Trunc(b.Least):
		return fmt.Errorf("spread needs least: how many groups, a whole number from 2 to %d", maxLeast)
	case b.Most < 1 || b.Most > maxMost || b.Most != math.Trunc(b.Most):
		return fmt.Errorf("most is %v: give how many events a source may have to count as quiet, a whole number from 1 to %d", b.Most, maxMost)
	}
	return nil
}

func (b *behavior) checkSpike() error {
	if b.Factor == 0 {
		b.Factor = 3
	}
	switch {
	case len(b.groupBy) == 0:
		return fmt.Errorf("spike needs group-by: whose rhythm it is")
	case b.timespan < 15*time.Minute || b.timespan > 24*time.Hour || (24*time.Hour)%b.timespan != 0:
		return fmt.Errorf("spike needs a timespan of 15 minutes to a day that divides a day evenly, for example 1h")
	case b.Factor < 1:
		return fmt.Errorf("factor is %v: give how many times the usual it has to be, 1 or more", b.Factor)
	case b.Least < 2:
		return fmt.Errorf("spike needs least, of 2 or more: how many it has to be at the least")
	case b.Learn < 7*24*time.Hour:
		return fmt.Errorf("spike needs learn, of seven days or more: a rhythm is one of the hours of a week")
	}
	return nil
}

func (b *behavior) checkTravel() error {
	if b.KmPerHour == 0 {
		b.KmPerHour = 900
	}
	if b.MinimumKm == 0 {
		b.MinimumKm = 100
	}
	if b.Least == 0 {
		b.Least = 20
	}
	switch {
	case len(b.groupBy) == 0:
		return fmt.Errorf("travel needs group-by: who travels")
	case b.KmPerHour < 10:
		return fmt.Errorf("kmperhour is %v: give the speed that nobody travels at, 10 or more; 900 is an airliner's", b.KmPerHour)
	case b.Least < 2 || b.Least > maxShare || b.Least != math.Trunc(b.Least):
		return fmt.Errorf("least is %v: give how many groups make a network a shared one, a whole number from 2 to %d", b.Least, maxShare)
	}
	var err error
	b.place, err = placeFieldsOf(b.Fields)
	return err
}
