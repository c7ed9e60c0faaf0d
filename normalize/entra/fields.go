// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package entra

import (
	"bytes"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// fields is the table of an object's members.
type fields map[string]member

// member says what becomes of a member. The zero member is for those whose
// meaning is taken elsewhere.
type member struct {
	path ocsf.Path
	as   kindOf
	sub  fields // of an object
	// fn maps what a path alone cannot, and reports whether the value is
	// thereby told in full; if not, it stays under unmapped too.
	fn func(v jsontape.Value, e *ocsf.Event) bool
}

// kindOf is how a value becomes an attribute's.
type kindOf uint8

const (
	text    kindOf = iota
	number         // an integer, or text that is one
	truth          // a boolean, or text that is one
	instant        // a time
)

// apply maps the object's members. Names of what is left begin with prefix.
func (t fields) apply(object jsontape.Value, e *ocsf.Event, prefix, inner string) {
	for v := object.First(); v.Exists(); v = v.Next() {
		if blank(v) {
			continue
		}
		name := v.Key()
		m, known := t[string(name)]
		switch {
		case !known:
			leave(v, e, prefix, inner)
		case m.sub != nil && v.Kind() == jsontape.Object:
			m.sub.apply(v, e, prefix, unsafe.String(unsafe.SliceData(name), len(name)))
		case m.fn != nil:
			if !m.fn(v, e) {
				leave(v, e, prefix, inner)
			}
		case m.path != ocsf.PathNone && !set(v, e, m):
			leave(v, e, prefix, inner)
		}
	}
}

// set sets the attribute and reports whether the value was of the kind.
func set(v jsontape.Value, e *ocsf.Event, m member) bool {
	switch m.as {
	case number:
		n, ok := v.Int()
		if ok {
			e.SetInt(m.path, n)
		}
		return ok
	case truth:
		b, ok := v.Bool()
		if ok {
			e.SetBool(m.path, b)
		}
		return ok
	case instant:
		ns, ok := field.Time(v.Str())
		if ok {
			e.SetTime(m.path, ns)
		}
		return ok
	}
	if v.Kind() >= jsontape.Array {
		return false
	}
	e.SetString(m.path, v.Text())
	return true
}

// blank reports whether a value says nothing.
func blank(v jsontape.Value) bool {
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

// leave keeps a value under unmapped. Azure's bookkeeping beside it
// (__UDI_RequiredFields_TenantId and so on) repeats other members.
func leave(v jsontape.Value, e *ocsf.Event, prefix, inner string) {
	name := v.Key()
	if bytes.HasPrefix(name, []byte("__UDI_RequiredFields_")) {
		return
	}
	if prefix != "" || inner != "" {
		var buf [256]byte
		b := append(buf[:0], prefix...)
		if inner != "" {
			b = append(append(b, inner...), '.')
		}
		b = append(b, name...)
		name = e.Own(unsafe.String(&b[0], len(b)))
	}
	e.Unmapped = append(e.Unmapped, ocsf.Member{Name: name, Value: v.Raw()})
}

// when takes the event's time. Where it cannot be read there is an issue, and
// the envelope's time will do.
func when(v jsontape.Value, e *ocsf.Event) bool {
	ns, ok := field.Time(v.Str())
	if !ok {
		e.Issues = append(e.Issues, "the event's time is not in a known form")
		return false
	}
	e.Time = ns
	e.SetString(ocsf.PathMetadataOriginalTime, v.Str())
	return true
}

// from takes the address that a request came from. 0.0.0.0 and :: stand for
// none.
func from(v jsontape.Value, e *ocsf.Event) bool {
	return address(v, e, ocsf.PathSrcEndpointIP, ocsf.PathSrcEndpointPort)
}

func address(v jsontape.Value, e *ocsf.Event, ip, port ocsf.Path) bool {
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

// principal is where the attributes of a user go.
type principal struct {
	name, mail, uid, display, typeID ocsf.Path
}

var (
	actor   = principal{ocsf.PathActorUserName, ocsf.PathActorUserEmailAddr, ocsf.PathActorUserUID, ocsf.PathActorUserDisplayName, ocsf.PathActorUserTypeID}
	subject = principal{ocsf.PathUserName, ocsf.PathUserEmailAddr, ocsf.PathUserUID, ocsf.PathUserDisplayName, ocsf.PathUserTypeID}
	culprit = principal{ocsf.PathEvidencesUserName, ocsf.PathEvidencesUserEmailAddr, ocsf.PathEvidencesUserUID, ocsf.PathNone, ocsf.PathNone}
	entity  = principal{ocsf.PathEntityUserName, ocsf.PathEntityUserEmailAddr, ocsf.PathEntityUserUID, ocsf.PathNone, ocsf.PathNone}
)

// Types of users (OCSF user.type_id).
const (
	userPerson  = 1
	userSystem  = 3
	userService = 4
)

// person sets a user by the principal name, which is a mail address mostly, and
// else by the name people see.
func (p principal) person(e *ocsf.Event, upn, display, id []byte) {
	if len(upn) == 0 && len(display) == 0 && len(id) == 0 {
		return
	}
	name := upn
	if len(name) == 0 {
		name = display
	}
	e.SetString(p.name, name)
	if field.Mail(upn) {
		e.SetString(p.mail, upn)
	}
	e.SetString(p.display, display)
	e.SetString(p.uid, id)
	e.SetInt(p.typeID, userPerson)
}

// service sets a user that is an application.
func (p principal) service(e *ocsf.Event, name, id []byte) {
	if len(name) == 0 && len(id) == 0 {
		return
	}
	e.SetString(p.name, name)
	e.SetString(p.uid, id)
	e.SetInt(p.typeID, userService)
}
