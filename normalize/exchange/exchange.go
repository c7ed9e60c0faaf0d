// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

// Package exchange knows the audit logs of Exchange Server, which runs on one's own machines, as PowerShell writes them in JSON:
//
//   - the administrator audit log, Search-AdminAuditLog | ConvertTo-Json -Depth 4: an entry for each cmdlet that changed something
//     (https://learn.microsoft.com/previous-versions/exchange-server/exchange-141/ff459251(v=exchg.141), administrator audit log
//     structure; https://learn.microsoft.com/powershell/module/exchangepowershell/search-adminauditlog)
//   - the mailbox audit log, Search-MailboxAuditLog -ShowDetails | ConvertTo-Json -Depth 4
//     (https://learn.microsoft.com/exchange/policy-and-compliance/mailbox-audit-logging/mailbox-audit-logging,
//     https://learn.microsoft.com/powershell/module/exchangepowershell/search-mailboxauditlog)
//
// Exchange Online writes the same acts into the unified audit log, whose records are known to package m365 and to rules. So an entry
// is written anew as the record that would stand there ([Unified]), and what is known of that holds for it. The third way in which
// Exchange Server tells of cmdlets, its event log, is in package windows, which uses [Cmdlet].
package exchange

import (
	"bytes"

	"github.com/daybreak-sec/daybreak/event"
	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/normalize/m365"
	"github.com/daybreak-sec/daybreak/normalize/source"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// Family is the name of these records.
const Family event.Family = "exchange"

// Source is an entry of either log. No entry says of which organization it is.
var Source = source.Source{
	Family:   Family,
	Detect:   func(root jsontape.Value) bool { return isCmdlet(root) || isMailbox(root) },
	Members:  []string{"RunDate", "LastAccessed"},
	Identify: identify,
	Map:      mapEntry,
	// Of the session that asked, and the server that it asked.
	Delivery: []string{"RunspaceId", "PSComputerName", "PSShowComputerName"},
}

func isCmdlet(root jsontape.Value) bool {
	return root.Kind() == jsontape.Object && len(root.Get("CmdletName").Str()) > 0 && root.Get("RunDate").Exists() && root.Get("Caller").Exists()
}

func isMailbox(root jsontape.Value) bool {
	return root.Kind() == jsontape.Object && root.Get("LastAccessed").Exists() && root.Get("LogonType").Exists() && len(root.Get("Operation").Str()) > 0 &&
		root.Get("MailboxOwnerUPN").Exists()
}

// identify reads Identity, which an entry has in the arbitration or audited mailbox where it lies, if it is a text.
func identify(root jsontape.Value) (id source.Identity) {
	id.ID = root.Get("Identity").Str()
	when := root.Get("RunDate")
	if !when.Exists() {
		when = root.Get("LastAccessed")
	}
	id.Time, _ = field.Time(scalar(when).Str())
	return id
}

func mapEntry(root jsontape.Value, e *ocsf.Event) { m365.MapServer(unify(root, false), e) }

// Unified is an entry as a record of the unified audit log, with all that the entry has beside it; ok is false if it is none.
func Unified(root jsontape.Value) (record jsontape.Value, ok bool) {
	if !Source.Detect(root) {
		return root, false
	}
	return unify(root, true), true
}

// The record types of what is written anew (AuditLogRecordType).
const (
	exchangeAdmin     = 1
	exchangeItem      = 2
	exchangeItemGroup = 3
)

// unify writes an entry anew. all: what is in the record under another name is there under its own, too.
func unify(root jsontape.Value, all bool) jsontape.Value {
	w := writer{text: []byte{'{'}, has: map[string]bool{}}
	w.string("Workload", "Exchange")
	if isCmdlet(root) {
		w.cmdlet(root)
	} else {
		w.mailbox(root)
	}
	for v := root.First(); v.Exists(); v = v.Next() {
		name := string(v.Key())
		if w.has[name] || !all && (w.taken[name] || v.Kind() == jsontape.Null) {
			continue
		}
		w.raw(name, v.Raw())
	}
	return w.value(root)
}

func (w *writer) cmdlet(root jsontape.Value) {
	w.number("RecordType", exchangeAdmin)
	w.move("CreationTime", "RunDate", scalar(root.Get("RunDate")))
	w.move("Operation", "CmdletName", root.Get("CmdletName"))
	w.move("UserId", "Caller", root.Get("Caller"))
	w.move("ObjectId", "ObjectModified", root.Get("ObjectModified"))
	w.move("Id", "Identity", scalar(root.Get("Identity")))
	switch succeeded := root.Get("Succeeded"); succeeded.Kind() {
	case jsontape.True:
		w.string("ResultStatus", "True")
		w.take("Succeeded")
	case jsontape.False:
		w.string("ResultStatus", "False")
		w.take("Succeeded")
	}
	w.move("Parameters", "CmdletParameters", pairs(root.Get("CmdletParameters")))
	w.move("ModifiedProperties", "ModifiedProperties", pairs(root.Get("ModifiedProperties")))
}

// logonTypes are the cloud's numbers for who came into a mailbox (Office 365 Management Activity API schema, Exchange mailbox
// schema, LogonType).
var logonTypes = map[string]int{"Owner": 0, "Admin": 1, "Delegate": 2, "Delegated": 2}

// groups are the operations on several items at once, which have a record type of their own.
var groups = map[string]bool{"Copy": true, "Move": true, "MoveToDeletedItems": true, "SoftDelete": true, "HardDelete": true}

func (w *writer) mailbox(root jsontape.Value) {
	operation := root.Get("Operation")
	typ := exchangeItem
	if groups[string(operation.Str())] {
		typ = exchangeItemGroup
	}
	w.number("RecordType", typ)
	w.move("CreationTime", "LastAccessed", scalar(root.Get("LastAccessed")))
	w.move("Id", "Identity", scalar(root.Get("Identity")))
	w.move("ResultStatus", "OperationResult", scalar(root.Get("OperationResult")))
	owner, logon := root.Get("MailboxOwnerUPN"), scalar(root.Get("LogonType"))
	n, known := logonTypes[string(logon.Str())]
	if known {
		w.number("LogonType", n)
		w.take("LogonType")
	}
	// Of others than the owner only the displayed name is told, and the SID.
	if user := root.Get("LogonUserDisplayName"); known && n == logonTypes["Owner"] && len(owner.Str()) > 0 {
		w.move("UserId", "", owner)
	} else {
		w.move("UserId", "LogonUserDisplayName", user)
	}
	w.move("ClientIPAddress", "ClientIPAddress", root.Get("ClientIPAddress"))

	folder := object(root, "Path", "FolderPathName", "Name", "FolderName", "Id", "FolderId", "MemberUpn", "MemberUpn", "MemberSid", "MemberSid", "MemberRights", "MemberRights")
	if typ == exchangeItemGroup {
		w.object("Folder", folder)
		w.object("DestFolder", object(root, "Path", "DestFolderPathName", "Id", "DestFolderId"))
	} else {
		item := object(root, "Id", "ItemId", "Subject", "ItemSubject", "InternetMessageId", "ItemInternetMessageId", "Attachments", "ItemAttachments")
		if !folder.empty() {
			item.raw("ParentFolder", append(folder.text, '}'))
			for name := range folder.taken {
				item.take(name)
			}
		}
		w.object("Item", item)
	}
}

// Command is a cmdlet that was run, as an event log tells of it.
type Command struct {
	Name, Parameters []byte // "New-InboxRule", `-Name "a" -DeleteMessage $true`
	Caller           []byte // corp.example/Users/Ann
	Time             []byte
	Failed           bool
}

// Cmdlet is what Exchange Online would have written of a cmdlet into its log; beside is an object whose members are there, too, or
// nothing.
func Cmdlet(c *Command, beside jsontape.Value) jsontape.Value {
	w := writer{text: []byte{'{'}, has: map[string]bool{}}
	w.string("Workload", "Exchange")
	w.number("RecordType", exchangeAdmin)
	w.string("CreationTime", string(c.Time))
	w.string("Operation", string(c.Name))
	if len(c.Caller) > 0 {
		w.string("UserId", string(c.Caller))
	}
	w.string("ResultStatus", map[bool]string{false: "True", true: "False"}[c.Failed])
	w.raw("Parameters", parameters(bytes.TrimSpace(c.Parameters)))
	for v := beside.First(); v.Exists(); v = v.Next() {
		if !w.has[string(v.Key())] {
			w.raw(string(v.Key()), v.Raw())
		}
	}
	return w.value(beside)
}
