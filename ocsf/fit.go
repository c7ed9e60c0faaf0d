// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

import (
	"strconv"
	"unsafe"
)

// Fit makes the event conform to the schema: a class that the schema does not
// have (or that nothing here can promise to satisfy) becomes the Base Event and
// an unknown activity Other; a value of another type is converted if that loses
// nothing; an attribute that the class does not have, or a value that its type
// or enum does not allow, moves to Unfit. It is idempotent.
//
// What is required and missing is not Fit's business: the encoder writes
// "Unknown" for it, and the event does not claim it.
func (e *Event) Fit() {
	t := loadTables()
	ct := t.class(e.Class)
	if ct == nil {
		e.Class = ClassBaseEvent
		ct = t.class(ClassBaseEvent)
	}
	if _, ok := ct.activity(e.Activity); !ok {
		e.Activity = activityOther
	}
	e.profiles = 0
	kept := e.Attrs[:0]
	for _, a := range e.Attrs {
		l := ct.leaves[a.Path]
		if l == nil || !e.fitValue(&a, l) || l.only != 0 && e.excluded(t, ct, kept, a) || a.Path == PathActivityName && e.Activity != activityOther {
			e.Unfit = append(e.Unfit, a)
			continue
		}
		e.profiles |= l.profiles
		kept = append(kept, a)
	}
	if len(kept) < len(e.Attrs) {
		e.Attrs = kept
		e.forget()
	}
	e.nameUsers(t)
}

// activityOther is the activity_id of what a class has no other value for.
const activityOther = 99

// forget works out anew which paths are there.
func (e *Event) forget() {
	clear(e.seen[:])
	for _, a := range e.Attrs {
		e.seen[a.Path/64] |= 1 << (a.Path % 64)
	}
}

// nameUsers gives a user without a name its address as name, since OCSF wants a
// name or a uid of every user.
func (e *Event) nameUsers(t *tables) {
	for i := range e.Attrs {
		a := e.Attrs[i]
		if name := t.paths[a.Path].nameOf; name != PathNone && e.find(name, a.Elem) < 0 {
			a.Path = name
			e.set(a)
		}
	}
}

// excluded reports whether one of the kept attributes belongs to an alternative
// of the one that a belongs to.
func (e *Event) excluded(t *tables, ct *classTable, kept []Attr, a Attr) bool {
	only := ct.leaves[a.Path].only
	for _, b := range kept {
		other := ct.leaves[b.Path].only
		if other != 0 && other != only && b.Elem == a.Elem && t.nodes[other].parent == t.nodes[only].parent {
			return true
		}
	}
	return false
}

// fitValue converts the value to the attribute's type and reports whether it
// can be one.
func (e *Event) fitValue(a *Attr, l *leaf) bool {
	switch l.kind {
	case leafString:
		return e.fitString(a, l)
	case leafInt:
		return fitInt(a, l)
	case leafBool:
		return fitBool(a)
	case leafFloat:
		return a.Kind == Int || a.Kind == JSON && isNumber(a.Str)
	case leafObject:
		return a.Kind == JSON && len(a.Str) > 0 && a.Str[0] == '{'
	}
	return a.Kind != JSON || string(a.Str) != "null" // null is as good as missing
}

func (e *Event) fitString(a *Attr, l *leaf) bool {
	switch a.Kind {
	case Int, Bool:
		from := len(e.arena)
		if a.Kind == Int {
			e.arena = strconv.AppendInt(e.arena, a.Num, 10)
		} else {
			e.arena = strconv.AppendBool(e.arena, a.Num != 0)
		}
		a.Str = e.arena[from:len(e.arena):len(e.arena)]
	}
	a.Kind = String // JSON is carried as text
	if l.format != nil && !l.format(a.Str) {
		return false
	}
	if len(l.captions) == 0 {
		return true
	}
	for i := range l.captions {
		if l.captions[i].text == string(a.Str) {
			return true
		}
	}
	return false
}

func fitInt(a *Attr, l *leaf) bool {
	if a.Kind == String || a.Kind == JSON {
		if !isNumber(a.Str) {
			return false
		}
		// ParseInt keeps the text only in the error, which is dropped here.
		n, err := strconv.ParseInt(unsafe.String(&a.Str[0], len(a.Str)), 10, 64)
		if err != nil {
			return false
		}
		a.Num = n
	} else if a.Kind == Bool {
		return false
	}
	a.Kind = Int
	return a.Num >= l.min && a.Num <= l.max && (len(l.captions) == 0 || l.caption(a.Num) != nil)
}

func fitBool(a *Attr) bool {
	switch a.Kind {
	case Bool:
	case Int:
		if a.Num != 0 && a.Num != 1 {
			return false
		}
	default:
		switch string(a.Str) {
		case "true", "True":
			a.Num = 1
		case "false", "False":
			a.Num = 0
		default:
			return false
		}
	}
	a.Kind = Bool
	return true
}

// caption returns the enum's value n, nil if it has none.
func (l *leaf) caption(n int64) *caption {
	for i := range l.captions {
		if l.captions[i].num == n {
			return &l.captions[i]
		}
	}
	return nil
}

// isNumber reports whether s is short and starts as a JSON number does; what
// is spliced into JSON has been accepted by a parser before.
func isNumber(s []byte) bool {
	return len(s) > 0 && len(s) <= 32 && (s[0] == '-' || s[0]-'0' <= 9)
}
