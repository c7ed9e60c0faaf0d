// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package members maps a record's members by tables: which member goes to which
// attribute. What no table names, and what its row cannot tell in full, is left
// under unmapped by its path in the record.
package members

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"time"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Table says what becomes of an object's members.
type Table map[string]Member

// Join makes a table of several; of rows of one name the last counts.
func Join(list ...Table) Table {
	all := Table{}
	for _, t := range list {
		maps.Copy(all, t)
	}
	return all
}

// Member says what becomes of a member. The zero Member is for those whose
// meaning is taken elsewhere.
type Member struct {
	Path ocsf.Path
	As   Kind
	Sub  Table // of an object
	// Fn maps what a path alone cannot, and reports whether the value is
	// thereby told in full; if not, it stays under unmapped too.
	Fn func(v jsontape.Value, e *ocsf.Event) bool
}

// Kind is how a value becomes an attribute's.
type Kind uint8

const (
	Text    Kind = iota
	Number       // an integer, or text that is one
	Truth        // a boolean, or text that is one
	Instant      // a time in text, see [field.Time]
	Millis       // a time in milliseconds since the Unix epoch
	Seconds      // a time in seconds since the Unix epoch
)

// Apply maps the object's members. Names of what is left begin with prefix.
func (t Table) Apply(object jsontape.Value, e *ocsf.Event, prefix string) {
	t.apply(object, e, &path{text: prefix})
}

// path is where an object stands in the record: a prefix, and the names of the
// members on the way. Tables are not as deep as it has room for.
type path struct {
	text  string
	names [12][]byte
	n     int
}

func (p *path) append(b []byte) []byte {
	b = append(b, p.text...)
	for _, name := range p.names[:p.n] {
		b = append(append(b, name...), '.')
	}
	return b
}

func (t Table) apply(object jsontape.Value, e *ocsf.Event, at *path) {
	for v := object.First(); v.Exists(); v = v.Next() {
		if Blank(v) {
			continue
		}
		m, known := t[string(v.Key())]
		switch {
		case !known:
			leave(v, e, at)
		case m.Sub != nil && v.Kind() == jsontape.Object:
			at.names[at.n] = v.Key()
			at.n++
			m.Sub.apply(v, e, at)
			at.n--
		case m.Sub != nil:
			leave(v, e, at)
		case m.Fn != nil:
			if !m.Fn(v, e) {
				leave(v, e, at)
			}
		case m.Sub != nil || m.Path != ocsf.PathNone && !set(v, e, m): // an object was wanted, or another kind of value
			leave(v, e, at)
		}
	}
}

// set sets the attribute and reports whether the value was of the kind.
func set(v jsontape.Value, e *ocsf.Event, m Member) bool {
	switch m.As {
	case Number:
		n, ok := v.Int()
		if ok {
			e.SetInt(m.Path, n)
		}
		return ok
	case Truth:
		b, ok := v.Bool()
		if ok {
			e.SetBool(m.Path, b)
		}
		return ok
	case Instant, Millis, Seconds:
		ns, ok := timeOf(v, m.As)
		if ok {
			e.SetTime(m.Path, ns)
		}
		return ok
	}
	if v.Kind() >= jsontape.Array {
		return false
	}
	e.SetString(m.Path, v.Text())
	return true
}

// Blank reports whether a value says nothing.
func Blank(v jsontape.Value) bool {
	switch v.Kind() {
	case jsontape.None, jsontape.Null:
		return true
	case jsontape.String:
		raw := v.Raw()
		return len(raw) == 2 || string(raw) == `"<null>"`
	case jsontape.Array, jsontape.Object:
		return !v.First().Exists()
	}
	return false
}

// Leave keeps a member under unmapped.
func Leave(v jsontape.Value, e *ocsf.Event, prefix string) { leave(v, e, &path{text: prefix}) }

func leave(v jsontape.Value, e *ocsf.Event, at *path) {
	name := v.Key()
	if at.n > 0 || at.text != "" {
		var buf [256]byte
		b := append(at.append(buf[:0]), name...)
		name = e.Own(unsafe.String(&b[0], len(b)))
	}
	e.Unmapped = append(e.Unmapped, ocsf.Member{Name: name, Value: v.Raw()})
}

// When takes the event's time. Where it cannot be read there is an issue.
func When(v jsontape.Value, e *ocsf.Event) bool { return when(v, e, Instant) }

// WhenMillis takes the event's time in milliseconds since the Unix epoch.
func WhenMillis(v jsontape.Value, e *ocsf.Event) bool { return when(v, e, Millis) }

// WhenSeconds takes the event's time in seconds since the Unix epoch.
func WhenSeconds(v jsontape.Value, e *ocsf.Event) bool { return when(v, e, Seconds) }

func when(v jsontape.Value, e *ocsf.Event, as Kind) bool {
	ns, ok := timeOf(v, as)
	if !ok {
		e.Issues = append(e.Issues, "the event's time is not in a known form")
		return false
	}
	e.Time = ns
	e.SetString(ocsf.PathMetadataOriginalTime, v.Text())
	return true
}

// From takes the address that a request came from. 0.0.0.0 and :: stand for
// none.
func From(v jsontape.Value, e *ocsf.Event) bool {
	return Address(v, e, ocsf.PathSrcEndpointIP, ocsf.PathSrcEndpointPort)
}

// Address takes an address, with its port if it has one, to the paths; it reports whether it is told in full.
func Address(v jsontape.Value, e *ocsf.Event, ip, port ocsf.Path) bool {
	b := v.Str()
	if v.Kind() != jsontape.String {
		return false
	}
	at, ok := field.ParseEndpoint(b)
	if !ok || !at.Addr.IsValid() {
		e.Issues = append(e.Issues, "an address is not in a known form")
		return false
	}
	if at.Addr.IsUnspecified() {
		return false
	}
	if field.Canonical(at.Addr, b) {
		e.SetString(ip, b)
	} else {
		var buf [48]byte
		b := at.Addr.AppendTo(buf[:0])
		e.SetText(ip, unsafe.String(&b[0], len(b)))
	}
	if at.Port != 0 {
		e.SetInt(port, int64(at.Port))
	}
	return true
}

// Principal is where the attributes of a user go; none: nowhere.
type Principal struct {
	Name, Mail, UID, Display, TypeID ocsf.Path
}

// The users of an event: who acted; whom it is about; the one in a finding's evidence; one that is the entity managed.
var (
	Actor   = Principal{ocsf.PathActorUserName, ocsf.PathActorUserEmailAddr, ocsf.PathActorUserUID, ocsf.PathActorUserDisplayName, ocsf.PathActorUserTypeID}
	Subject = Principal{ocsf.PathUserName, ocsf.PathUserEmailAddr, ocsf.PathUserUID, ocsf.PathUserDisplayName, ocsf.PathUserTypeID}
	Culprit = Principal{ocsf.PathEvidencesUserName, ocsf.PathEvidencesUserEmailAddr, ocsf.PathEvidencesUserUID, ocsf.PathNone, ocsf.PathNone}
	Entity  = Principal{ocsf.PathEntityUserName, ocsf.PathEntityUserEmailAddr, ocsf.PathEntityUserUID, ocsf.PathNone, ocsf.PathNone}
)

// Types of users (OCSF user.type_id).
const (
	UserPerson  = 1
	UserSystem  = 3
	UserService = 4
)

// Person sets a user by the principal name, which is a mail address mostly, and
// else by the name people see.
func (p Principal) Person(e *ocsf.Event, upn, display, id []byte) {
	if len(upn) == 0 && len(display) == 0 && len(id) == 0 {
		return
	}
	name := upn
	if len(name) == 0 {
		name = display
	}
	e.SetString(p.Name, name)
	if field.Mail(upn) {
		e.SetString(p.Mail, upn)
	}
	e.SetString(p.Display, display)
	e.SetString(p.UID, id)
	e.SetInt(p.TypeID, UserPerson)
}

// Service sets a user that is an application.
func (p Principal) Service(e *ocsf.Event, name, id []byte) {
	if len(name) == 0 && len(id) == 0 {
		return
	}
	e.SetString(p.Name, name)
	e.SetString(p.UID, id)
	e.SetInt(p.TypeID, UserService)
}

// File is where the path of a regular file goes, its name and its type.
type File struct{ Path, Name, TypeID ocsf.Path }

// Set sets a file by its path, and its name by what stands behind the last slash or backslash.
func (f File) Set(e *ocsf.Event, path []byte) {
	name := path[bytes.LastIndexAny(path, `\/`)+1:]
	if len(name) == 0 {
		name = path
	}
	const regular = 1
	e.SetString(f.Path, path)
	e.SetString(f.Name, name)
	e.SetInt(f.TypeID, regular)
}

// timeOf reads a time, in nanoseconds since the Unix epoch.
func timeOf(v jsontape.Value, as Kind) (ns int64, ok bool) {
	switch as {
	case Millis, Seconds:
		unit := int64(time.Millisecond)
		if as == Seconds {
			unit = int64(time.Second)
		}
		n, ok := v.Int()
		if !ok || n > math.MaxInt64/unit || n < math.MinInt64/unit {
			return 0, false
		}
		return n * unit, true
	}
	return field.Time(v.Str())
}

// Degrees takes a latitude or longitude, in text or not, where the event's class has it.
func Degrees(p ocsf.Path) Member {
	return Member{Path: p, Fn: func(v jsontape.Value, e *ocsf.Event) bool {
		number := v.Text()
		if len(number) == 0 || number[0] != '-' && (number[0] < '0' || number[0] > '9') || !json.Valid(number) || !e.Class.Has(p) {
			return false
		}
		e.SetJSON(p, number)
		return true
	}}
}
