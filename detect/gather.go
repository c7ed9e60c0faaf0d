// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/daybreak-sec/daybreak/detect/correlate"
	"github.com/daybreak-sec/daybreak/detect/sigma"
)

// gathering joins the firings of correlations and behaviors that suppress. (What suppresses of rules that judge single
// records is a correlation, see [Book.relate]: there may be millions of them, and few of these.)
//
// A firing is a stretch of time. Those of one rule and tenant that have the same values in the fields of
// [sigma.Suppress] are a chain as long as each begins within the rule's time of the end of those before, and a chain
// is one alert: that of its first firing, with what all of them have. So the alerts that stand are a
// function of the set of firings that stand, whatever the order in which these were told.
type gathering struct {
	rows[member] // by the id of the firing
	groups       map[string]*chainGroup
	dirty        map[string]bool // groups, since alerts were last asked for
	refs         int             // that members have
	pruned       int64           // the watermark when old chains were last looked for
}

// chainGroup is the firings of one rule and tenant with the same values.
type chainGroup struct {
	rule, tenant string
	members      []*member       // by when they begin
	gone         []correlate.Key // alerts that stand no more, of which that is yet to be said
}

// member is a firing.
type member struct {
	Values []string // of the fields of Suppress
	Firing correlate.Firing
	More   int    // firings that were taken into this one
	Said   uint64 // digest of the chain that it was the alert of; 0: it is no alert
}

// maxMembers is how many firings of a group are told apart; of more, the first two become one.
var maxMembers = 1000

func readGathering(db *pebble.DB, prefix []byte) gathering {
	g := gathering{rows: readRows[member](db, prefix), groups: map[string]*chainGroup{}, dirty: map[string]bool{}}
	for _, m := range g.all {
		g.insert(m)
	}
	clear(g.changed)
	clear(g.dirty)
	return g
}

func (m *member) group() string {
	return strings.Join(append([]string{m.Firing.Rule, m.Firing.Tenant}, m.Values...), "\x00")
}

func (m *member) compare(o *member) int {
	return cmp.Or(m.Firing.From.Compare(o.Firing.From), bytes.Compare(m.Firing.ID[:], o.Firing.ID[:]))
}

func (g *gathering) insert(m *member) *chainGroup {
	key := m.group()
	of := g.groups[key]
	if of == nil {
		of = &chainGroup{rule: m.Firing.Rule, tenant: m.Firing.Tenant}
		g.groups[key] = of
	}
	at, _ := slices.BinarySearchFunc(of.members, m, (*member).compare)
	of.members = slices.Insert(of.members, at, m)
	g.set(m.Firing.ID, m)
	g.dirty[key] = true
	g.refs += len(m.Firing.Refs) + 1
	return of
}

// drop takes a member out of its group.
func (g *gathering) drop(m *member) *chainGroup {
	key := m.group()
	of := g.groups[key]
	of.members = slices.DeleteFunc(of.members, func(o *member) bool { return o == m })
	g.remove(m.Firing.ID)
	g.dirty[key] = true
	g.refs -= len(m.Firing.Refs) + 1
	return of
}

// take takes a firing: a new one, a revision, or one that only takes back. It reports whether that was all; otherwise
// what is left of the firing is an alert of its own, because it lacks one of the fields.
func (g *gathering) take(s *sigma.Suppress, f *correlate.Firing) bool {
	var others []correlate.Key // that were never gathered
	for _, id := range f.Replaces {
		if m := g.all[id]; m == nil {
			others = append(others, id)
		} else if of := g.drop(m); m.Said != 0 {
			of.gone = append(of.gone, id)
		}
	}
	m := &member{Firing: *f}
	m.Firing.Replaces = nil
	m.Firing.Value = min(max(f.Value, -math.MaxFloat64), math.MaxFloat64) // a sum may be infinite, and JSON has no word for it
	for _, field := range s.By {
		i := slices.IndexFunc(f.Group, func(v correlate.GroupValue) bool { return v.Field == field && v.Value != "" })
		if i < 0 {
			break
		}
		m.Values = append(m.Values, f.Group[i].Value)
	}
	if len(f.Refs) == 0 || len(m.Values) < len(s.By) {
		f.Replaces = others
		return len(f.Refs) == 0 && len(others) == 0
	}
	if before := g.all[f.ID]; before != nil {
		m.Said = before.Said
		g.drop(before)
	}
	of := g.insert(m)
	of.gone = append(of.gone, others...)
	return true
}

// joint is a chain of firings as one.
type joint struct {
	correlate.Firing
	suppressed int // firings beside the first
}

// say returns the chains that are new or not what was last said of them.
func (g *gathering) say(within func(rule string) time.Duration) (out []joint) {
	for _, key := range slices.Sorted(maps.Keys(g.dirty)) {
		of := g.groups[key]
		if of == nil {
			continue
		}
		gap := within(of.rule)
		g.fold(of, gap)
		for chain := range chains(of.members, gap) {
			lead := chain[0]
			merged := false
			for _, m := range chain[1:] {
				if m.Said != 0 {
					of.gone, merged = append(of.gone, m.Firing.ID), true
					m.Said, g.changed[m.Firing.ID] = 0, true
				}
			}
			d := digestOf(chain)
			if d == lead.Said && !merged {
				continue
			}
			lead.Said, g.changed[lead.Firing.ID] = d, true
			j := join(chain)
			j.Replaces = slices.DeleteFunc(of.gone, func(id correlate.Key) bool { return id == j.ID })
			of.gone = nil
			out = append(out, j)
		}
		if len(of.gone) > 0 {
			out = append(out, joint{Firing: correlate.Firing{Rule: of.rule, Tenant: of.tenant, Replaces: of.gone}})
			of.gone = nil
		}
		if len(of.members) == 0 {
			delete(g.groups, key)
		}
	}
	clear(g.dirty)
	return out
}

// fold keeps a group within its bound. Of more firings than that, the first two become one, or the
// first, whose chain has ended, is forgotten: its alert stays as it is.
func (g *gathering) fold(of *chainGroup, gap time.Duration) {
	for len(of.members) > maxMembers {
		a, b := of.members[0], of.members[1]
		g.drop(a)
		if b.Firing.From.After(a.Firing.To.Add(gap)) {
			continue
		}
		g.drop(b)
		if b.Said != 0 {
			of.gone = append(of.gone, b.Firing.ID)
		}
		both := join([]*member{a, b})
		g.insert(&member{Values: a.Values, Firing: both.Firing, More: both.suppressed, Said: a.Said})
	}
}

// chains yields the chains of members, which are in the order in which they begin.
func chains(members []*member, gap time.Duration) func(func([]*member) bool) {
	return func(yield func([]*member) bool) {
		for from := 0; from < len(members); {
			to, end := from+1, members[from].Firing.To
			for to < len(members) && !members[to].Firing.From.After(end.Add(gap)) {
				if members[to].Firing.To.After(end) {
					end = members[to].Firing.To
				}
				to++
			}
			if !yield(members[from:to]) {
				return
			}
			from = to
		}
	}
}

// join makes one firing of a chain.
func join(chain []*member) joint {
	j := joint{Firing: chain[0].Firing, suppressed: chain[0].More}
	if len(chain) == 1 {
		return j
	}
	listed := len(j.Refs)
	j.Refs, j.Group = slices.Clone(j.Refs), slices.Clone(j.Group)
	for _, m := range chain[1:] {
		f := &m.Firing
		j.suppressed += 1 + m.More
		j.Count += f.Count
		listed += len(f.Refs)
		j.Refs = append(j.Refs, f.Refs...)
		if f.To.After(j.To) {
			j.To = f.To
		}
		j.Group = slices.DeleteFunc(j.Group, func(v correlate.GroupValue) bool { return !slices.Contains(f.Group, v) })
	}
	slices.SortFunc(j.Refs, func(a, b correlate.Ref) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), bytes.Compare(a.Key[:], b.Key[:]), strings.Compare(a.Rule, b.Rule))
	})
	j.Refs = slices.CompactFunc(j.Refs, func(a, b correlate.Ref) bool { return a.Key == b.Key && a.Rule == b.Rule })
	if listed == j.Count {
		j.Count = len(j.Refs) // a record may have taken part in several
	}
	j.Refs = j.Refs[:min(len(j.Refs), correlate.MaxRefs)]
	return j
}

// digestOf is of all that an alert says of a chain.
func digestOf(chain []*member) uint64 {
	h := fnv.New64a()
	for _, m := range chain {
		f := &m.Firing
		h.Write(f.ID[:])
		var b [32]byte
		binary.LittleEndian.PutUint64(b[:], uint64(f.Count))
		binary.LittleEndian.PutUint64(b[8:], uint64(f.From.UnixNano()))
		binary.LittleEndian.PutUint64(b[16:], uint64(f.To.UnixNano()))
		binary.LittleEndian.PutUint64(b[24:], uint64(len(f.Refs)))
		h.Write(b[:])
		h.Write([]byte(f.Sentence))
	}
	return max(1, h.Sum64())
}

const (
	// gatheredFor is for how long after its time a chain may still be changed by what comes late.
	gatheredFor = toldFor
	// maxGathered is how many references to records are kept, some 60 bytes each. Of more, the chains that ended
	// first are forgotten: their alerts stay as they are, and what comes later is an alert of its own.
	maxGathered = 1 << 19
)

// prune forgets chains that nothing can be added to, and those of rules that suppress no more.
func (g *gathering) prune(watermark int64, within func(rule string) time.Duration) {
	limit := maxGathered
	if g.refs > limit {
		limit = limit / 4 * 3 // so that it is not done again at once
	} else if watermark < g.pruned+int64(time.Hour) {
		return
	}
	g.pruned = watermark
	type chain struct {
		members []*member
		end     int64
	}
	var all []chain
	for _, of := range g.groups {
		gap := within(of.rule)
		for members := range chains(of.members, gap) {
			c := chain{slices.Clone(members), 0}
			for _, m := range members {
				c.end = max(c.end, m.Firing.To.UnixNano())
			}
			if gap == 0 || c.end < watermark-int64(gap+gatheredFor) {
				c.end = 0
			}
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b chain) int {
		return cmp.Or(cmp.Compare(a.end, b.end), a.members[0].compare(b.members[0]))
	})
	for _, c := range all {
		if c.end > 0 && g.refs <= limit {
			break
		}
		for _, m := range c.members {
			g.drop(m)
		}
	}
}
