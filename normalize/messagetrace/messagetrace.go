// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package messagetrace says what the message trace of Exchange Online means, as Microsoft Graph gives it
// (https://learn.microsoft.com/graph/api/resources/exchangemessagetrace): what became of a message on its way to one recipient.
//
// It is an Email Activity of the kind Trace. Which way a message went is not stated, and so not known.
package messagetrace

import (
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/members"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

const family = "message-trace"

// Source is an exchangeMessageTrace.
var Source = source.Source{
	Family: family,
	Detect: func(root jsontape.Value) bool {
		return root.Get("messageId").Exists() && root.Get("receivedDateTime").Exists() && root.Get("recipientAddress").Exists() && root.Get("senderAddress").Exists()
	},
	Members:  []string{"recipientAddress"},
	Identify: identify,
	Map:      mapTrace,
	Drift:    drift,
}

// identify has no id where a message has several recipients: each is a row, and all have the message's id. So a row is known
// by its content, and one whose status has changed is another.
func identify(root jsontape.Value) (known source.Identity) {
	known.Time, _ = field.Time(root.Get("receivedDateTime").Str())
	return known
}

const (
	trace = 4 // Email Activity: Trace

	success = 1
	failure = 2
	other   = 99
)

// statuses are what became of a message (exchangeMessageTraceStatus). What is not here is Other, with its word.
var statuses = map[string]int64{
	"delivered": success, "failed": failure, "pending": other, "expanded": other, "quarantined": other, "filteredAsSpam": other, "gettingStatus": other,
}

var table = members.Table{
	"id":               {Path: ocsf.PathEmailUID},
	"messageId":        {Path: ocsf.PathEmailMessageUID},
	"receivedDateTime": {Fn: members.When},
	"senderAddress":    {Fn: sender},
	"recipientAddress": {Fn: recipient},
	"subject":          {Path: ocsf.PathEmailSubject},
	"size":             {Path: ocsf.PathEmailSize, As: members.Number},
	"fromIP":           {Fn: members.From},
	"toIP":             {Fn: to},
	"status":           {Fn: status},
	"@odata.type":      {},
}

func mapTrace(root jsontape.Value, e *ocsf.Event) {
	e.SetText(ocsf.PathMetadataProductName, "Exchange Online")
	e.SetText(ocsf.PathMetadataProductVendorName, "Microsoft")
	e.SetText(ocsf.PathCloudProvider, "Microsoft")
	e.SetText(ocsf.PathMetadataLogName, "messageTraces")
	e.Class, e.Activity = ocsf.ClassEmailActivity, trace
	e.SetInt(ocsf.PathDirectionID, 0)
	table.Apply(root, e, "")
}

// sender is none, "<>", of reports about other messages.
func sender(v jsontape.Value, e *ocsf.Event) bool {
	if !field.Mail(v.Str()) {
		return false
	}
	e.SetString(ocsf.PathEmailFrom, v.Str())
	return true
}

func recipient(v jsontape.Value, e *ocsf.Event) bool {
	if !field.Mail(v.Str()) {
		return false
	}
	e.AddString(ocsf.PathEmailTo, 0, v.Str())
	return true
}

func to(v jsontape.Value, e *ocsf.Event) bool {
	return members.Address(v, e, ocsf.PathDstEndpointIP, ocsf.PathNone)
}

func status(v jsontape.Value, e *ocsf.Event) bool {
	id, ok := statuses[string(v.Str())]
	if !ok {
		id = other
	}
	e.SetInt(ocsf.PathStatusID, id)
	if id == other {
		e.SetString(ocsf.PathStatus, v.Str())
	}
	return v.Kind() == jsontape.String
}

func drift(root jsontape.Value) (source.Drift, bool) {
	word := root.Get("status").Str()
	if _, ok := statuses[string(word)]; ok || len(word) == 0 {
		return source.Drift{}, false
	}
	return source.Drift{Family: family, Operation: "status " + string(word), New: "operation"}, true
}
