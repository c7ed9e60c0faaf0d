// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// maxRecipients bounds the recipients that are listed.
const maxRecipients = 64

// mail is a message that Gmail delivered: sent by the one whose log it is in, or
// received.
func (f *facts) mail(e *ocsf.Event) {
	message := f.at[sMessage]
	subject, from := part(message, "subject"), part(message, "source", "from_header_address")
	if !field.Mail(from.Str()) {
		from = part(message, "source", "address")
	}
	e.SetString(ocsf.PathEmailSubject, subject.Str())
	e.SetString(ocsf.PathEmailMessageUID, part(message, "rfc2822_message_id").Str())
	if size, ok := part(message, "payload_size").Int(); ok {
		e.SetInt(ocsf.PathEmailSize, size)
	}
	owner := e.Str(ocsf.PathActorUserEmailAddr)
	sent := false
	if sender := from.Str(); field.Mail(sender) {
		e.SetString(ocsf.PathEmailFrom, sender)
		sent = bytes.EqualFold(sender, owner)
	}
	received, n := false, 0
	to := part(message, "destination")
	for d := to.First(); to.Kind() == jsontape.Array && d.Exists() && n < maxRecipients; d = d.Next() {
		if address := part(d, "address").Str(); field.Mail(address) {
			e.AddString(ocsf.PathEmailTo, n, address)
			received = received || bytes.EqualFold(address, owner)
			n++
		}
	}
	direction := int64(0)
	internal, _ := part(message, "connection_info", "is_internal").Bool()
	switch {
	case internal, sent && received:
		direction = 3
	case sent:
		direction = 2
	case received || from.Exists():
		direction = 1
	}
	e.SetInt(ocsf.PathDirectionID, direction)
	if f.rule.activity == byDirection && sent {
		e.Activity = emailSend
	}
	if v := part(message, "connection_info", "client_ip"); !e.Has(ocsf.PathSrcEndpointIP) && v.Kind() == jsontape.String {
		members.From(v, e)
	}
}
