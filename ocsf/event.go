// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package ocsf

// MaxAttrs bounds an event's attributes; what is set beyond is left out and
// noted as an issue. The record itself is in the journal anyway.
const MaxAttrs = 2048

// Event is one OCSF event as a flat list of attributes, each at a path of the
// schema ("actor.user.email_addr"). Flat, because what makes events (tables
// from vendor fields to paths) and what reads them (columns, detections, the
// JSON encoder) all think in paths.
//
// An Event is reused: Reset it, set attributes, Fit it, read it. Strings are
// borrowed from the record they were mapped from and are good as long as that
// is.
type Event struct {
	Class    Class // class_uid
	Activity int32 // activity_id
	// Time is the event time in nanoseconds since the Unix epoch; 0 if the
	// record does not say. OCSF's own resolution is milliseconds.
	Time int64
	// Attrs is to be read; the methods write it.
	Attrs []Attr
	// Unmapped are the members of the vendor's record that no attribute
	// carries, names unescaped, values as JSON text as the vendor wrote it.
	Unmapped []Member
	// Issues say what of the record could not be read as its source's
	// documentation says ("ClientIP: not an address"). They end up in
	// unmapped.daybreak_issues.
	Issues []string
	// Listed says that the source's tables list records of this kind down to
	// their members, which spares asking the source what is new about it.
	Listed bool
	// Unfit are attributes that [Event.Fit] took out because the schema does
	// not allow them: a mapping's slips. They end up in
	// unmapped.daybreak_unfit under their path.
	Unfit []Attr
	// Whole is the JSON text of an event that came as OCSF: it is written as
	// it is, and Attrs are only what this package knows of it.
	Whole []byte

	seen     [(pathCount + 63) / 64]uint64 // the paths in Attrs
	profiles uint32                        // the profiles that Attrs need, by Fit
	full     bool
	arena    []byte
	order    []uint64
	obs      []observable
}

// Attr is one attribute's value.
type Attr struct {
	Path Path
	// Elem is the element the value belongs to where the path runs through
	// an array ("resources[].name"), from 0; else 0.
	Elem uint16
	Kind AttrKind
	Num  int64  // Int, and Bool as 0 or 1
	Str  []byte // String: UTF-8 hoped for, not promised; JSON: JSON text
}

// AttrKind is the type of an attribute's value.
type AttrKind uint8

// The types of values. JSON is a value spliced in as it is written.
const (
	String AttrKind = iota
	Int
	Bool
	JSON
)

// Member is a name and a JSON text.
type Member struct {
	Name, Value []byte
}

// Reset empties the event and keeps its memory.
func (e *Event) Reset() {
	*e = Event{
		Attrs: e.Attrs[:0], Unmapped: e.Unmapped[:0], Issues: e.Issues[:0], Unfit: e.Unfit[:0],
		arena: e.arena[:0], order: e.order[:0], obs: e.obs[:0],
	}
}

// SetString sets a string, if it is not empty. Setting a path twice keeps the
// later value.
func (e *Event) SetString(p Path, s []byte) { e.AddString(p, 0, s) }

// SetText is SetString of a string constant or otherwise owned string.
func (e *Event) SetText(p Path, s string) {
	if s != "" {
		e.AddString(p, 0, e.Own(s))
	}
}

// SetInt sets a number.
func (e *Event) SetInt(p Path, n int64) { e.AddInt(p, 0, n) }

// SetTime sets a time, given in nanoseconds since the Unix epoch, that OCSF has
// in milliseconds.
func (e *Event) SetTime(p Path, ns int64) { e.AddInt(p, 0, milliseconds(ns)) }

// SetBool sets a truth value.
func (e *Event) SetBool(p Path, b bool) {
	var n int64
	if b {
		n = 1
	}
	e.set(Attr{Path: p, Kind: Bool, Num: n})
}

// SetJSON sets a value to JSON text, which must be valid.
func (e *Event) SetJSON(p Path, raw []byte) { e.set(Attr{Path: p, Kind: JSON, Str: raw}) }

// AddString sets a string in element elem of the array the path runs through.
// Where it runs through two, elem counts the outer one's and the inner one has
// a single element.
func (e *Event) AddString(p Path, elem int, s []byte) {
	if len(s) > 0 {
		e.add(elem, Attr{Path: p, Kind: String, Str: s})
	}
}

// AddText is AddString of a string constant or otherwise owned string.
func (e *Event) AddText(p Path, elem int, s string) {
	if s != "" {
		e.AddString(p, elem, e.Own(s))
	}
}

// AddInt sets a number in element elem of the array the path runs through.
func (e *Event) AddInt(p Path, elem int, n int64) {
	e.add(elem, Attr{Path: p, Kind: Int, Num: n})
}

// AddJSON sets JSON text in element elem of the array the path runs through.
func (e *Event) AddJSON(p Path, elem int, raw []byte) {
	e.add(elem, Attr{Path: p, Kind: JSON, Str: raw})
}

func (e *Event) add(elem int, a Attr) {
	if elem < 0 || elem >= MaxAttrs {
		e.overflow()
		return
	}
	if elem > 0 && a.Path < pathCount && loadTables().paths[a.Path].indexed {
		a.Elem = uint16(elem)
	}
	e.set(a)
}

func (e *Event) set(a Attr) {
	if a.Path == PathNone || a.Path >= pathCount {
		return
	}
	word, bit := &e.seen[a.Path/64], uint64(1)<<(a.Path%64)
	if *word&bit != 0 {
		if i := e.find(a.Path, a.Elem); i >= 0 {
			e.Attrs[i] = a
			return
		}
	}
	if len(e.Attrs) >= MaxAttrs {
		e.overflow()
		return
	}
	*word |= bit
	e.Attrs = append(e.Attrs, a)
}

func (e *Event) overflow() {
	if !e.full {
		e.full = true
		e.Issues = append(e.Issues, "more values than an event holds: some are left out")
	}
}

// find returns where the attribute is, or -1.
func (e *Event) find(p Path, elem uint16) int {
	if p >= pathCount || e.seen[p/64]&(1<<(p%64)) == 0 {
		return -1
	}
	for i := len(e.Attrs) - 1; i >= 0; i-- {
		if e.Attrs[i].Path == p && e.Attrs[i].Elem == elem {
			return i
		}
	}
	return -1
}

// Own copies s into the event's own memory.
func (e *Event) Own(s string) []byte {
	from := len(e.arena)
	e.arena = append(e.arena, s...)
	return e.arena[from:len(e.arena):len(e.arena)]
}

// Has reports whether there is an attribute at p, element 0.
func (e *Event) Has(p Path) bool { return e.find(p, 0) >= 0 }

// Get returns the attribute at p, element 0.
func (e *Event) Get(p Path) (Attr, bool) {
	i := e.find(p, 0)
	if i < 0 {
		return Attr{}, false
	}
	return e.Attrs[i], true
}

// Str returns the string at p, element 0; nil if there is none.
func (e *Event) Str(p Path) []byte {
	a, _ := e.Get(p)
	if a.Kind != String {
		return nil
	}
	return a.Str
}

// milliseconds rounds down, also before 1970.
func milliseconds(ns int64) int64 {
	ms := ns / 1e6
	if ns%1e6 < 0 {
		ms--
	}
	return ms
}
