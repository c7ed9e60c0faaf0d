// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// Everything here is worked out once from the schema and the list of paths, so
// that fitting and writing an event only look things up.

// tables is the tree of the paths' attribute names, and the classes.
type tables struct {
	nodes    []node // nodes[0] is the event itself
	paths    [pathCount]pathInfo
	profiles []string           // names of the bits of a profile set
	classes  [9][64]*classTable // by category and number within it: 3002 is [3][2]
}

// node is an attribute on some path, or the event.
type node struct {
	name   []byte // `"user":`
	parent uint16
	array  bool
	top    uint8  // number of an attribute of the event itself, else 0
	rule   *rule  // what the schema demands of the object; nil of a leaf
	bit    uint64 // the attribute in its parent's rule; 0 if that does not care
}

// pathInfo is what an event's writer has to know of a path.
type pathInfo struct {
	chain []uint16 // nodes from below the event to the leaf
	// rank orders the attributes of an event: metadata first, the others by
	// path. group is the least rank of the array that the path runs
	// through, so that (group, element, rank) keeps elements together.
	rank, group uint16
	indexed     bool   // the path runs through an array
	label       []byte // `actor.user.name`, the name of an observable
	// nameOf is, for an email_addr of a user, the path of that user's name.
	nameOf Path
}

// rule holds what an object must have: bits stand for attributes that matter.
type rule struct {
	bits       map[string]uint64
	required   uint64
	fills      []fill // one for each required attribute
	atLeastOne uint64
	atLeast    []byte // member to write when none of atLeastOne is there
}

// fill is a member that is written where a required one is missing.
type fill struct {
	bit     uint64
	member  []byte
	top     uint8 // of a class: the attribute's number, 0 if no path has it
	profile uint32
}

// loadTables makes the tables, once.
var loadTables = sync.OnceValue(func() *tables {
	s := schema.Load()
	t := &tables{nodes: []node{{}}}
	known := map[*schema.Object]*rule{}
	place := map[string]uint16{}
	for p := PathNone + 1; p < pathCount; p++ {
		t.addPath(s, p, known, place)
	}
	t.rankPaths()
	for _, c := range s.Classes {
		for _, profile := range c.Profiles {
			t.profileBit(profile)
		}
		if !nestedChoice(c) {
			t.classes[c.UID/1000][c.UID%1000] = &classTable{class: c}
		}
	}
	return t
})

func (t *tables) profileBit(name string) uint32 {
	if name == "" {
		return 0
	}
	for i, p := range t.profiles {
		if p == name {
			return 1 << i
		}
	}
	t.profiles = append(t.profiles, name)
	return 1 << (len(t.profiles) - 1)
}

// addPath gives each attribute on the path a node.
func (t *tables) addPath(s *schema.Schema, p Path, known map[*schema.Object]*rule, place map[string]uint16) {
	info := &t.paths[p]
	text := p.String()
	info.label = []byte(strings.ReplaceAll(text, "[]", ""))
	var parent *rule
	at := uint16(0)
	object := topObject(s, text)
	from := 0
	for part := range strings.SplitSeq(text, ".") {
		prefix := text[:from+len(part)]
		from += len(part) + 1
		name, array := strings.CutSuffix(part, "[]")
		attr, _ := object.Attr(name)
		i, ok := place[prefix]
		if !ok {
			n := node{name: quoted(name, ':'), parent: at, array: array, bit: parent.bit(name)}
			if attr.Object != nil && attr.Object.Name != "object" {
				n.rule = ruleOf(attr.Object, known)
			}
			if parent == nil {
				n.top = t.nextTop()
			}
			i = uint16(len(t.nodes))
			t.nodes = append(t.nodes, n)
			place[prefix] = i
		}
		info.chain = append(info.chain, i)
		info.indexed = info.indexed || array
		at, object, parent = i, attr.Object, t.nodes[i].rule
	}
	if owner, ok := strings.CutSuffix(text, ".email_addr"); ok {
		info.nameOf, _ = ParsePath(owner + ".name")
	}
}

// topObject returns a class that resolves the path. Classes agree on what
// objects they hold under one name; TestClassesAgree holds them to it.
func topObject(s *schema.Schema, text string) *schema.Object {
	first, _, _ := strings.Cut(text, ".")
	name, array := strings.CutSuffix(first, "[]")
	for _, c := range s.Classes {
		if a, ok := c.Attr(name); ok && a.Array == array {
			return &c.Object
		}
	}
	panic("paths_gen.go is older than schema.txt: no class has " + first)
}

func (t *tables) nextTop() uint8 {
	n := 1
	for i := range t.nodes {
		if t.nodes[i].top != 0 {
			n++
		}
	}
	if n > 255 {
		panic("too many attributes of the event itself in paths.txt")
	}
	return uint8(n)
}

// rankPaths orders metadata before the other paths and arrays by element.
func (t *tables) rankPaths() {
	rank := uint16(1)
	for _, metadata := range []bool{true, false} {
		for p := PathNone + 1; p < pathCount; p++ {
			if strings.HasPrefix(p.String(), "metadata.") == metadata {
				t.paths[p].rank = rank
				rank++
			}
		}
	}
	groups := map[string]uint16{}
	for p := PathNone + 1; p < pathCount; p++ {
		info := &t.paths[p]
		info.group = info.rank
		if array, _, ok := strings.Cut(p.String(), "[]"); ok {
			if _, seen := groups[array]; !seen {
				groups[array] = info.rank
			}
			info.group = groups[array]
		}
	}
}

func (r *rule) bit(name string) uint64 {
	if r == nil {
		return 0
	}
	return r.bits[name]
}

// ruleOf works out what an object must have.
func ruleOf(o *schema.Object, known map[*schema.Object]*rule) *rule {
	if r := known[o]; r != nil {
		return r
	}
	r := &rule{bits: map[string]uint64{}}
	known[o] = r
	bit := func(name string) uint64 {
		if r.bits[name] == 0 {
			if len(r.bits) == 64 {
				panic("more than 64 attributes of " + o.Name + " matter")
			}
			r.bits[name] = 1 << len(r.bits)
		}
		return r.bits[name]
	}
	for _, a := range o.Attrs {
		if a.Requirement == schema.Required && a.Profile == "" {
			r.required |= bit(a.Name)
			r.fills = append(r.fills, fill{bit: bit(a.Name), member: appendMinimal(nil, a.Def)})
		}
	}
	for _, name := range choices(o) {
		r.atLeastOne |= bit(name)
	}
	r.atLeast = appendChoice(nil, o)
	return r
}

// unknown is what stands for a required string that the record does not give.
const unknown = "Unknown"

// unknowns are the same for types that do not take every string.
var unknowns = map[string]string{
	"bytestring_t": "AA==",
	"datetime_t":   "1970-01-01T00:00:00Z",
	"email_t":      "unknown@unknown.invalid", // a top-level domain that RFC 2606 reserves
	"ip_t":         "0.0.0.0",
	"mac_t":        "00:00:00:00:00:00",
	"uuid_t":       "00000000-0000-0000-0000-000000000000",
}

// appendMinimal appends the member with the least value that is valid.
func appendMinimal(dst []byte, d *schema.Def) []byte {
	dst = append(dst, quoted(d.Name, ':')...)
	if d.Array {
		dst = append(dst, '[')
	}
	switch {
	case d.Object != nil:
		dst = appendMinimalObject(dst, d.Object)
	case d.Type.IsNumber():
		n := int64(0)
		if _, ok := d.Enum.Caption(0); d.Enum != nil && !ok {
			n = d.Enum.Values[len(d.Enum.Values)-1].Num
		}
		dst = strconv.AppendInt(dst, n, 10)
	case d.Type.Name == "boolean_t":
		dst = append(dst, "false"...)
	case d.Type.Name == "float_t":
		dst = append(dst, "0.0"...)
	default:
		dst = append(dst, quoted(cmp.Or(unknowns[d.Type.Name], unknown))...)
	}
	if d.Array {
		dst = append(dst, ']')
	}
	return dst
}

func appendMinimalObject(dst []byte, o *schema.Object) []byte {
	dst = append(dst, '{')
	for _, a := range o.Attrs {
		if a.Requirement == schema.Required && a.Profile == "" {
			dst = append(appendMinimal(dst, a.Def), ',')
		}
	}
	if choice := appendChoice(nil, o); choice != nil && !hasAny(o) {
		dst = append(append(dst, choice...), ',')
	}
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, '}')
}

// choices are the attributes of which the object must have one; that it must
// not have two, where that is so, is Fit's business.
func choices(o *schema.Object) []string {
	if len(o.AtLeastOne) > 0 {
		return o.AtLeastOne
	}
	return o.JustOne
}

// nestedChoice reports whether the class wants one of several attributes of
// other objects. The encoder cannot promise that, so events of such a class
// (Operating System Patch State is the only one) become Base Events.
func nestedChoice(c *schema.Class) bool {
	return slices.ContainsFunc(choices(&c.Object), func(name string) bool { return strings.Contains(name, ".") })
}

// hasAny reports whether a required attribute satisfies the object's constraint.
func hasAny(o *schema.Object) bool {
	for _, name := range choices(o) {
		if a, ok := o.Attr(name); ok && a.Requirement == schema.Required {
			return true
		}
	}
	return false
}

// appendChoice appends the member that satisfies the object's constraint: its
// name if that is among the choices, else some name, some string, anything.
func appendChoice(dst []byte, o *schema.Object) []byte {
	var best schema.Attr
	score := 0
	for _, name := range choices(o) {
		a, ok := o.Attr(name)
		if !ok {
			continue
		}
		n := 1
		if a.Object == nil && a.Type.IsString() {
			n = 2
		}
		switch {
		case name == "name":
			n = 4
		case strings.HasSuffix(name, "_name"):
			n = 3
		}
		if n > score {
			best, score = a, n
		}
	}
	if score == 0 {
		return dst
	}
	return appendMinimal(dst, best.Def)
}

// quoted returns s as a JSON string, and more after it.
func quoted(s string, more ...byte) []byte {
	return append(jsontape.AppendQuoted(nil, []byte(s)), more...)
}

// topSet is a set of attributes of the event itself.
type topSet [4]uint64

func (s *topSet) add(top uint8)      { s[top>>6] |= 1 << (top & 63) }
func (s *topSet) has(top uint8) bool { return top != 0 && s[top>>6]&(1<<(top&63)) != 0 }

// class returns the tables of a class, nil if OCSF has none of that uid.
func (t *tables) class(c Class) *classTable {
	category, n := int(c/1000), int(c%1000)
	if category >= len(t.classes) || n >= len(t.classes[0]) {
		return nil
	}
	ct := t.classes[category][n]
	if ct != nil {
		ct.once.Do(func() { ct.build(t) })
	}
	return ct
}
