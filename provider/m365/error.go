// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"strings"

	"github.com/daybreak-sec/daybreak/provider/rest"
)

// Error and Class are those of package rest.
type (
	Error = rest.Error
	Class = rest.Class
)

// The classes.
const (
	ClassRetry     = rest.ClassRetry
	ClassThrottled = rest.ClassThrottled
	ClassAuth      = rest.ClassAuth
	ClassWindow    = rest.ClassWindow
	ClassPage      = rest.ClassPage
	ClassMissing   = rest.ClassMissing
	ClassExpired   = rest.ClassExpired
	ClassDisabled  = rest.ClassDisabled
	ClassAdmin     = rest.ClassAdmin
	ClassHostile   = rest.ClassHostile
)

// codes are those of the API, as documented or observed (AF20024, AF50005, AF50006 are not
// documented). AF20024 is a success and never gets here.
var codes = map[string]rest.Meaning{
	"AF10001": {Class: ClassAdmin, Action: "give the application ActivityFeed.Read (and ActivityFeed.ReadDlp for DLP.All) of the Office 365 Management APIs, and grant admin consent"},
	"AF20001": {Class: ClassAdmin, Action: rest.Bug},
	"AF20002": {Class: ClassAdmin, Action: rest.Bug},
	"AF20003": {Class: ClassAdmin, Action: "set the webhook's expiration to a time in the future, or to none"},
	"AF20010": {Class: ClassAdmin, Action: "the token is of another tenant: set tenant to the directory in which the application is registered"},
	"AF20011": {Class: ClassAdmin, Action: "the tenant is unknown or was deleted: correct tenant"},
	"AF20012": {Class: ClassAdmin, Action: "the tenant is not set up for the API: switch on unified audit logging and ask Microsoft support if it stays"},
	"AF20013": {Class: ClassAdmin, Action: "set tenant to the directory's GUID"},
	"AF20020": {Class: ClassAdmin, Action: "the service does not know this content type: remove the stream"},
	"AF20021": {Class: ClassAdmin, Action: "the webhook's address did not answer the validation with 200: make it reachable over HTTPS; polling goes on without it"},
	"AF20022": {Class: ClassDisabled, Action: "there is no subscription for this content type: it will be started"},
	"AF20023": {Class: ClassDisabled, Action: "somebody has switched this subscription off: find out who and why; it will be started again"},
	"AF20030": {Class: ClassWindow, Action: "the window was refused: check the machine's clock"},
	"AF20031": {Class: ClassPage},
	"AF20050": {Class: ClassMissing},
	"AF20051": {Class: ClassExpired},
	"AF20052": {Class: ClassMissing},
	"AF20053": {Class: ClassAdmin, Action: rest.Bug},
	"AF20054": {Class: ClassAdmin, Action: rest.Bug},
	"AF20055": {Class: ClassWindow, Action: "the window was refused: check the machine's clock"},
	"AF429":   {Class: ClassThrottled},
	"AF50000": {Class: ClassRetry},
	"AF50005": {Class: ClassRetry},
	"AF50006": {Class: ClassRetry},
}

const auditingOff = "switch on unified audit logging for the organization; it takes up to an hour until the API knows"

// judge fills in class and action of an error that has its status, code and message.
func judge(e *Error) {
	m, known := codes[e.Code]
	e.Known = known
	switch {
	case strings.Contains(e.Message, "DataServiceException") && strings.Contains(e.Message, "does not exist"):
		// What the service says when the tenant has auditing switched off.
		m = rest.Meaning{Class: ClassAdmin, Action: auditingOff}
	case known:
	case e.Code == "" || e.Status != 403: // a refusal for a reason that we do not know is tried again
		m = rest.Statuses[e.Status]
	}
	e.Class, e.Action = m.Class, m.Action
}
