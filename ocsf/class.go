// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// classTable is what fitting and writing an event of one class look up.
type classTable struct {
	class *schema.Class
	once  sync.Once

	leaves     [pathCount]*leaf // nil where the class has no such path
	head       []byte           // class and category
	activities []activity
	required   []fill
	atLeastOne []uint8 // numbers of the attributes, any of which will do
	atLeast    []byte
}

// activity is one value of activity_id.
type activity struct {
	id      int32
	caption string
	ids     []byte // `"activity_id":1,`
	typ     []byte // `"type_uid":300201,"type_name":"Authentication: Logon"`
}

// leaf is an attribute at a path, as a class has it.
type leaf struct {
	def      *schema.Def
	kind     leafKind
	format   func([]byte) bool // what a string must satisfy; nil any
	min, max int64             // of a number
	captions []caption         // of an enum, by number
	profiles uint32            // the profiles that bring the attribute
	sibling  Path              // the caption's own path, if it has one
	only     uint16            // node that excludes its siblings, 0 usually
	observed []byte            // `"type_id":2,"type":"IP Address"`; nil if not observable
	obsType  uint8
}

type leafKind uint8

const (
	leafString leafKind = iota
	leafInt
	leafBool
	leafFloat
	leafJSON
	leafObject // any JSON object
)

// caption is an enum value and the member that spells it out.
type caption struct {
	num    int64
	text   string
	member []byte // `"status":"Success"`; nil if the enum has no sibling
}

// Has reports whether events of the class have the attribute, so that a mapping
// can leave a member of a record where it is rather than set what will not fit.
func (c Class) Has(p Path) bool {
	ct := loadTables().class(c)
	return ct != nil && p < pathCount && ct.leaves[p] != nil
}

func (ct *classTable) build(t *tables) {
	c := ct.class
	for p := PathNone + 1; p < pathCount; p++ {
		ct.leaves[p] = newLeaf(t, c, p)
	}
	category := c.Category.Caption
	if c.Category.UID == 0 {
		category = "Uncategorized"
	}
	ct.head = fmt.Appendf(nil, `{"class_uid":%d,"class_name":%s,"category_uid":%d,"category_name":%s`,
		c.UID, quoted(c.Caption), c.Category.UID, quoted(category))
	id, _ := c.Attr("activity_id")
	for _, v := range id.Enum.Values {
		ct.activities = append(ct.activities, activity{
			id: int32(v.Num), caption: v.Caption,
			ids: fmt.Appendf(nil, `,"activity_id":%d,"activity_name":`, v.Num),
			typ: fmt.Appendf(nil, `,"type_uid":%d,"type_name":%s`, int64(c.UID)*100+v.Num, quoted(c.Caption+": "+v.Caption)),
		})
	}
	tops := t.topNames()
	for _, a := range c.Attrs {
		if a.Requirement == schema.Required && !slices.Contains(headed, a.Name) {
			ct.required = append(ct.required, fill{member: appendMinimal(nil, a.Def), top: tops[a.Name], profile: t.profileBit(a.Profile)})
		}
	}
	for _, name := range choices(&c.Object) {
		ct.atLeastOne = append(ct.atLeastOne, tops[name])
	}
	ct.atLeast = appendChoice(nil, &c.Object)
}

// headed are the attributes of every class that the encoder writes itself.
var headed = []string{"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}

// topNames numbers the attributes of the event itself.
func (t *tables) topNames() map[string]uint8 {
	tops := map[string]uint8{}
	for i := range t.nodes {
		if n := &t.nodes[i]; n.top != 0 {
			tops[strings.Trim(string(n.name), `":`)] = n.top
		}
	}
	return tops
}

// activity returns the class's activity of that id, or that of 99, Other.
func (ct *classTable) activity(id int32) (a *activity, ok bool) {
	for i := range ct.activities {
		if a = &ct.activities[i]; a.id == id {
			return a, true
		}
	}
	return a, false // 99 is the last
}

// newLeaf follows the path from the class; nil if it does not lead anywhere.
func newLeaf(t *tables, c *schema.Class, p Path) *leaf {
	var l leaf
	object := &c.Object
	info := &t.paths[p]
	parts := strings.Split(p.String(), ".")
	for i, part := range parts {
		name, array := strings.CutSuffix(part, "[]")
		a, ok := object.Attr(name)
		if !ok || a.Array != array || a.Profile != "" && !slices.Contains(c.Profiles, a.Profile) {
			return nil
		}
		if i < len(parts)-1 && a.Object == nil {
			return nil
		}
		l.profiles |= t.profileBit(a.Profile)
		if slices.Contains(object.JustOne, name) {
			l.only = info.chain[i]
		}
		l.def = a.Def
		if i == len(parts)-1 {
			l.describe(p, object)
		}
		object = a.Object
	}
	return &l
}

// describe fills in what the attribute's type and enum say.
func (l *leaf) describe(p Path, owner *schema.Object) {
	d := l.def
	if d.Object != nil {
		l.kind = leafObject
		return
	}
	switch {
	case d.Type.IsNumber():
		l.kind, l.min, l.max = leafInt, d.Type.Min, d.Type.Max
		if d.Type.Max == 0 {
			l.min, l.max = numberRange(d.Type)
		}
	case d.Type.Name == "boolean_t":
		l.kind = leafBool
	case d.Type.Name == "float_t":
		l.kind = leafFloat
	case d.Type.Name == "json_t":
		l.kind = leafJSON
	default:
		l.format = formats[d.Type.Name]
	}
	if d.Sibling != "" && !d.Array {
		l.sibling, _ = ParsePath(strings.TrimSuffix(p.String(), d.Name) + d.Sibling)
	}
	if d.Enum != nil {
		for _, v := range d.Enum.Values {
			c := caption{num: v.Num, text: v.Value}
			if _, ok := owner.Attr(d.Sibling); ok && !d.Array {
				c.member = append(quoted(d.Sibling, ':'), quoted(v.Caption)...)
			}
			l.captions = append(l.captions, c)
		}
	}
	if l.kind == leafString && slices.Contains(observed, d.Observable) {
		l.obsType = uint8(d.Observable)
		id, _ := schema.Load().Objects["observable"].Attr("type_id")
		name, _ := id.Enum.Caption(int64(d.Observable))
		l.observed = fmt.Appendf(nil, `"type_id":%d,"type":%s`, d.Observable, quoted(name))
	}
}
