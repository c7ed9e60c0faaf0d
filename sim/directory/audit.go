// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// The record types that this package writes.
const (
	typeExchangeAdmin = 1
	typeMailboxItem   = 2
	typeFileOperation = 6
	typeDirectory     = 8
	typeSignIn        = 15
	typeMailboxAccess = 50
)

// entry is what an audit record says apart from who did it and when.
type entry struct {
	operation string
	category  string // of a directory record
	target    reference
	modified  []property
	// params make it a record of Exchange's administration; mailbox is then what
	// the cmdlet was about.
	params  [][2]string
	mailbox string
}

// property is a row of ModifiedProperties.
type property struct{ name, after, before string }

// undone is the entry that taking a directory change back makes.
func (e entry) undone(operation string) entry {
	e.operation = operation
	back := make([]property, len(e.modified))
	for i, p := range e.modified {
		back[i] = property{p.name, p.before, p.after}
		if p.name == included || strings.HasPrefix(p.name, "TargetId.") {
			back[i] = p
		}
	}
	e.modified = back
	return e
}

// included is the property that lists the others by name.
const included = "Included Updated Properties"

// updated makes the rows of a change of an object's own properties, whose values
// are lists in JSON, and the row that lists them.
func updated(rows ...property) []property {
	names := make([]string, len(rows))
	for i, p := range rows {
		names[i] = p.name
		rows[i].after, rows[i].before = list(p.after), list(p.before)
	}
	return append(rows, property{included, strings.Join(names, ", "), ""})
}

// linked makes the rows of a change of what ties two objects, whose values are
// plain.
func linked(pairs ...string) []property {
	rows := make([]property, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		rows = append(rows, property{name: pairs[i], after: pairs[i+1]})
	}
	return rows
}

// list writes values, which are JSON and separated by newlines, as the service
// does.
func list(values string) string {
	if values == "" {
		return "[]"
	}
	return "[\r\n  " + strings.ReplaceAll(values, "\n", ",\r\n  ") + "\r\n]"
}

// quoted makes JSON strings of texts, one a line.
func quoted(texts ...string) string {
	var b []byte
	for i, s := range texts {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(record.AppendEscaped(append(b, '"'), s), '"')
	}
	return string(b)
}

// reference names an object in the way that Actor and Target lists do.
type reference struct {
	kind   string // User, ServicePrincipal, Application, Device
	id     ID
	name   string
	upn    string
	puid   string
	appID  string
	others string // an application's names, joined by semicolons
}

// objectID is what ObjectId says of a target of this kind.
func (r reference) objectID() string {
	switch r.kind {
	case "User":
		return r.upn
	case "ServicePrincipal":
		return r.others
	}
	return r.kind + "_" + r.id.String()
}

func (r reference) list(w *record.Writer, key string) {
	w.Array(key)
	text := r.id.String()
	switch {
	case r.kind == "":
		w.Typed(r.name, 1)
	case key == "Actor" && r.kind == "User":
		w.Typed(r.upn, 5)
		w.Typed(r.puid, 3)
		r.object(w, text)
	case key == "Actor":
		w.Typed(r.name, 1)
		w.Typed(r.appID, 2)
		r.object(w, text)
	case r.kind == "User":
		r.object(w, text)
		w.Typed(r.upn, 5)
		w.Typed(r.puid, 3)
	default:
		r.object(w, text)
		w.Typed(r.name, 1)
		if r.kind == "ServicePrincipal" {
			w.Typed(r.appID, 2)
			w.Typed(r.others, 4)
		}
	}
	w.EndArray()
}

func (r reference) object(w *record.Writer, text string) {
	w.Typed(r.kind+"_"+text, 2)
	w.Typed(text, 2)
	w.Typed(r.kind, 2)
}

// writeLocked makes the records of a change.
func (d *Directory) writeLocked(by By, c *Change) {
	c.epoch = d.epoch
	actor := d.referenceLocked(by.Actor)
	correlation, request := d.newIDLocked(), d.newIDLocked()
	off := d.loggingLocked().UnifiedAuditOff
	for _, e := range c.forward {
		if off && e.operation != opAuditConfig {
			continue // nothing is recorded
		}
		if e.params != nil {
			c.Records = append(c.Records, d.exchangeAdminLocked(by, actor, e))
		} else {
			c.Records = append(c.Records, d.directoryRecordLocked(by, actor, e, correlation, request))
		}
	}
}

// begin starts a record and gives it an id.
func (d *Directory) beginLocked(stream company.Stream, h *record.Header) (record.Writer, Record) {
	h.ID, h.Tenant = d.newIDLocked(), d.tenant
	w := record.Begin(nil)
	w.Header(*h)
	return w, Record{Stream: stream, Time: h.Time.UTC(), ID: h.ID.String(), Operation: h.Operation}
}

// account says how records name an actor.
func (d *Directory) account(r reference) (id, key string, kind int) {
	switch r.kind {
	case "User":
		return r.upn, r.puid, 0
	case "ServicePrincipal":
		return "ServicePrincipal_" + r.id.String(), "Not Available", 4
	}
	return r.name, "Not Available", 4
}

func (d *Directory) directoryRecordLocked(by By, actor reference, e entry, correlation, request ID) Record {
	id, key, kind := d.account(actor)
	h := record.Header{Time: by.Time, Operation: e.operation, Type: typeDirectory, Result: "Success", UserKey: key, UserType: kind, Workload: "AzureActiveDirectory", ObjectID: e.target.objectID(), UserID: id}
	if actor.kind == "User" {
		h.UserKey += "@" + d.domain
		h.ClientIP = by.Address // the service knows no address of applications
	}
	w, r := d.beginLocked(company.AzureActiveDirectory, &h)
	w.Int("AzureActiveDirectoryEventType", 1)
	w.Array("ExtendedProperties")
	details := "{}"
	if by.UserAgent != "" {
		details = "{\"User-Agent\":" + quoted(by.UserAgent) + "}"
	}
	w.Pair("additionalDetails", details)
	w.Pair("extendedAuditEventCategory", e.category)
	w.EndArray()
	w.Array("ModifiedProperties")
	for _, p := range e.modified {
		w.Modified(p.name, p.after, p.before)
	}
	if e.target.kind == "ServicePrincipal" {
		w.Modified("TargetId.ServicePrincipalNames", e.target.others, "")
	}
	if actor.kind == "ServicePrincipal" {
		w.Modified("ActorId.ServicePrincipalNames", actor.others, "")
		w.Modified("SPN", actor.others, "")
	}
	w.EndArray()
	actor.list(&w, "Actor")
	w.GUID("ActorContextId", d.tenant)
	w.GUID("InterSystemsId", correlation)
	w.GUID("IntraSystemId", request)
	w.Str("SupportTicketId", "")
	e.target.list(&w, "Target")
	w.GUID("TargetContextId", d.tenant)
	r.Raw = w.End()
	return r
}

func (d *Directory) exchangeAdminLocked(by By, actor reference, e entry) Record {
	id, key, kind := d.account(actor)
	if actor.kind == "User" && d.hasRoleLocked(by.Actor, toManageMail.roles) {
		kind = 2
	}
	h := record.Header{Time: by.Time, Operation: e.operation, Type: typeExchangeAdmin, Result: "True", UserKey: key, UserType: kind, Workload: "Exchange", ClientIP: withPort(by), ObjectID: e.mailbox, UserID: id}
	w, r := d.beginLocked(company.Exchange, &h)
	if s := d.state.sessions[by.Session]; s != nil {
		w.Object("AppAccessContext")
		w.GUID("AADSessionId", s.ID)
		w.GUID("APIId", exchangeAppID)
		w.GUID("ClientAppId", s.App)
		w.Time("IssuedAtTime", s.Started)
		w.Str("UniqueTokenId", tokenText(s.Token))
		w.EndObject()
	}
	w.Str("AppId", exchangeAppID.String())
	w.Str("ClientAppId", actor.appID)
	w.Bool("ExternalAccess", actor.kind == "")
	w.Str("OrganizationName", d.organization())
	server := d.company.MailServer(0)
	if u, ok := d.userLocked(by.Actor); ok {
		server = d.mailServer(&u)
	}
	w.Str("OriginatingServer", server)
	w.Array("Parameters")
	for _, p := range e.params {
		w.Pair(p[0], p[1])
	}
	w.EndArray()
	w.GUID("RequestId", d.newIDLocked())
	if !by.Session.IsZero() {
		w.GUID("SessionId", by.Session)
	}
	r.Raw = w.End()
	return r
}

// exchangeAppID is the AppID of Exchange Online.
var exchangeAppID = mustID("00000002-0000-0ff1-ce00-000000000000")

// withPort is the client's address as Exchange writes it.
func withPort(by By) string {
	if by.Address == "" {
		return ""
	}
	port := 49152 + record.Mix(uint64(by.Time.UnixNano()), uint64(len(by.Address)))%16384
	if strings.Contains(by.Address, ":") {
		return fmt.Sprintf("[%s]:%d", by.Address, port)
	}
	return fmt.Sprintf("%s:%d", by.Address, port)
}

// stamp is how the service writes a time inside a value.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
