// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package sigma

import (
	"slices"
	"time"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
)

// Match is a condition of a rule that holds for a record.
type Match struct {
	Rule      *Rule
	Condition int // in Rule.Conditions
}

// Layer makes another view of the record that is being matched, as JSON; nil if there is
// none. It is called at most once per name and record, and only if a rule needs it, perhaps
// after Match has returned but not after the next Match. The bytes must stay unchanged
// until then.
type Layer func(name string) []byte

// Matcher matches one record after the other with the rules of a program. It is for one
// goroutine; what it returns is good until the next Match.
type Matcher struct {
	p     *Program
	plan  *plan
	plans map[string]*plan
	key   []byte

	tape    jsontape.Tape
	views   []view
	sources []LogSource
	layer   Layer
	emit    func(*trieNode, jsontape.Value)
	fields  []fieldState
	values  []fieldValue // the first is not used
	arena   []byte       // of folded text
	err     error

	// epoch numbers records. What was noted in another one counts for nothing, so that
	// nothing has to be cleared.
	epoch uint32
	memo  []uint32 // by item: twice the epoch it was evaluated in, and one if it held
	seen  []uint32 // by unit: the epoch it became a candidate in
	units []int32  // the candidates
	hits  []int32

	held    []int32
	matches []Match
	costs   costShard
	found   [][]byte

	bodies []*Matcher // by body: what matches members of arrays; nil until it is needed
	depth  int        // in how many arrays' members it looks
	lent   *[maxArrays]buffers
}

// buffers are lent by a matcher to those that look at members of its record's arrays: of those
// at one depth only one is at work.
type buffers struct {
	values []fieldValue
	arena  []byte
}

// view is the record or one of its layers.
type view struct {
	tape   jsontape.Tape
	root   jsontape.Value
	read   uint32 // the epoch it was made in
	walked uint32 // the epoch its fields were collected in
}

type fieldState struct {
	epoch      uint32
	head, tail int32
}

// fieldValue is one value of a field in the record.
type fieldValue struct {
	value  jsontape.Value
	text   []byte // nil if it has none: null, and an empty array
	folded []byte // nil until it is asked for
	next   int32  // the field's next value; 0: none
}

// Matcher returns a new matcher.
func (p *Program) Matcher() *Matcher {
	p.mu.Lock()
	shard := p.matchers % uint32(len(p.costs))
	p.matchers++
	p.mu.Unlock()
	m := &Matcher{
		p:      p,
		plans:  map[string]*plan{},
		views:  make([]view, len(p.layers)),
		fields: make([]fieldState, len(p.fields)),
		memo:   make([]uint32, len(p.items)),
		seen:   make([]uint32, len(p.units)),
		costs:  p.costs[shard],
		bodies: make([]*Matcher, p.bodies),
	}
	m.emit = m.addValue
	return m
}

// Match returns the conditions that hold for a record, in the order of the rules. Those are
// judged whose log source is one of sources, every attribute that the rule names being the
// same. layer may be nil. Neither record nor sources may change before the next Match.
//
// The error says that the record, or a layer, is not JSON. A layer that is not is taken for
// one that is not there, and what matches without it is still returned.
func (m *Matcher) Match(record []byte, sources []LogSource, layer Layer) ([]Match, error) {
	if err := m.tape.Parse(record); err != nil {
		m.begin(jsontape.Value{}, sources, layer)
		return nil, err
	}
	return m.MatchValue(m.tape.Root(), sources, layer)
}

// MatchValue is Match for a record that has been read already.
func (m *Matcher) MatchValue(record jsontape.Value, sources []LogSource, layer Layer) ([]Match, error) {
	m.begin(record, sources, layer)
	m.plan = m.planOf(sources)
	m.walk(0)
	for _, v := range m.plan.eager {
		m.walk(v)
	}
	m.mark(m.plan.always)
	m.judge(m.epoch%sampleEvery == 0)
	slices.Sort(m.held)
	for _, id := range m.held {
		u := &m.p.units[id]
		m.matches = append(m.matches, Match{u.rule, u.condition})
	}
	return m.matches, m.err
}

// judge evaluates the candidates.
func (m *Matcher) judge(timed bool) {
	var start time.Time
	for _, id := range m.units {
		if timed {
			start = time.Now()
		}
		hit := m.holds(&m.p.units[id].root)
		if hit {
			m.held = append(m.held, id)
		}
		m.costs[id].count(hit)
		if timed {
			m.costs[id].nanos.Add(uint64(time.Since(start)))
		}
	}
}

// What a matcher keeps of its buffers after a record that needed more.
const (
	keptValues = 1 << 14
	keptBytes  = 1 << 20
)

// advance makes all that was noted count for nothing.
func (m *Matcher) advance() {
	m.epoch++
	if m.epoch == 1<<31 {
		clear(m.memo)
		clear(m.seen)
		clear(m.fields)
		for i := range m.views {
			m.views[i].read, m.views[i].walked = 0, 0
		}
		m.epoch = 1
	}
}

// begin makes m ready for a record.
func (m *Matcher) begin(record jsontape.Value, sources []LogSource, layer Layer) {
	m.advance()
	if cap(m.values) > keptValues {
		m.values = nil
	}
	if cap(m.arena) > keptBytes {
		m.arena = nil
	}
	m.values = append(m.values[:0], fieldValue{})
	m.arena, m.units, m.held, m.matches = m.arena[:0], m.units[:0], m.held[:0], m.matches[:0]
	m.views[0].root, m.views[0].read = record, m.epoch
	m.sources, m.layer, m.err = sources, layer, nil
}

// Values returns the values of a field of the record that was matched last, if a rule has matched that the field is asked
// of: as text and unescaped, in the record's order, of objects and arrays of objects their JSON, of null nothing. The slice is
// good until the next call.
func (m *Matcher) Values(field Field) [][]byte {
	m.walk(m.p.fields[field].view)
	m.found = m.found[:0]
	f := &m.fields[field]
	if f.epoch != m.epoch {
		return m.found
	}
	for i := f.head; i != 0; i = m.values[i].next {
		if text := m.values[i].text; text != nil {
			m.found = append(m.found, text)
		}
	}
	return m.found
}

// planOf returns the plan of the log sources.
func (m *Matcher) planOf(sources []LogSource) *plan {
	m.key = appendPlanKey(m.key[:0], sources)
	if pl := m.plans[string(m.key)]; pl != nil {
		return pl
	}
	if len(m.plans) >= maxPlans {
		clear(m.plans)
	}
	pl := m.p.plan(string(m.key), sources)
	m.plans[string(m.key)] = pl
	return pl
}
