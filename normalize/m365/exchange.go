// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package m365

import (
	"bytes"
	"unsafe"

	"github.com/daybreak-sec/daybreak/internal/jsontape"
	"github.com/daybreak-sec/daybreak/normalize/field"
	"github.com/daybreak-sec/daybreak/ocsf"
)

// param is a parameter of cmdlets that says what was acted upon.
type param uint8

const (
	pIdentity param = iota
	pName
	pDisplayName
	pMailbox
	pUser
	pTrustee
	pSecurityGroup
	pApp
	pMember
	pMembers
	pLinks
	pPolicy
	pCase
	pAccessRights
	pRole
	pExtendedRights
	pForwardingSmtpAddress
	pForwardingAddress
	pForwardTo
	pRedirectTo
	pForwardAsAttachmentTo
	pRedirectMessageTo
	pBlindCopyTo
	paramCount
)

var paramNames = [paramCount]string{
	"Identity", "Name", "DisplayName", "Mailbox", "User", "Trustee", "SecurityGroup", "App", "Member", "Members", "Links", "Policy", "Case",
	"AccessRights", "Role", "ExtendedRights",
	"ForwardingSmtpAddress", "ForwardingAddress", "ForwardTo", "RedirectTo", "ForwardAsAttachmentTo", "RedirectMessageTo", "BlindCopyTo",
}

var paramNumbers = func() map[string]param {
	numbers := make(map[string]param)
	for i, name := range paramNames {
		numbers[name] = param(i)
	}
	return numbers
}()

// readParams reads Parameters, which is a list of pairs, an object, or, in
// Purview's records, the command line.
func (m *mapper) readParams() {
	v := m.v[mParameters]
	if v.Kind() == jsontape.String {
		line := v.Str()
		for i, name := range paramNames {
			m.params[i] = argument(line, name)
		}
		return
	}
	for c := v.First(); c.Exists(); c = c.Next() {
		name, value := pair(c)
		if i, ok := paramNumbers[string(name)]; ok {
			m.params[i] = value.Text()
		}
	}
}

// firstParam returns the first of the parameters that is given.
func (m *mapper) firstParam(list ...param) []byte {
	for _, p := range list {
		if s := m.params[p]; len(s) > 0 {
			return s
		}
	}
	return nil
}

// argument finds -Name "value" in a command line.
func argument(line []byte, name string) []byte {
	for {
		i := bytes.IndexByte(line, '-')
		if i < 0 {
			return nil
		}
		line = line[i+1:]
		if len(line) <= len(name) || string(line[:len(name)]) != name || line[len(name)] != ' ' {
			continue
		}
		value := bytes.TrimLeft(line[len(name):], " ")
		if len(value) > 0 && value[0] == '"' {
			value, _, _ = bytes.Cut(value[1:], []byte(`"`))
			return value
		}
		value, _, _ = bytes.Cut(value, []byte(" -"))
		return value
	}
}

// cmdletEntity: what a cmdlet works on is of the type of its noun and goes by
// Identity or Name; all its parameters are kept as the entity's data.
func (m *mapper) cmdletEntity() {
	e := m.e
	m.readParams()
	_, noun := cmdlet(m.operation)
	if noun == nil {
		noun = m.operation
	}
	e.SetString(ocsf.PathEntityType, noun)
	e.SetInt(ocsf.PathEntityTypeID, entityTypeID(string(noun)))
	name := m.firstParam(pName, pIdentity, pDisplayName)
	if name == nil {
		name = m.str(mObjectID)
		m.carried[mObjectID] = true
	} else {
		m.to(ocsf.PathEntityUID, mObjectID)
	}
	e.SetString(ocsf.PathEntityName, name)
	if v := m.v[mParameters]; len(v.Text()) > 0 {
		e.SetJSON(ocsf.PathEntityData, v.Raw())
		m.carried[mParameters] = true
	}
	m.forwarding()
}

// forwarding notes where mail is sent on to: by a mailbox's setting, an inbox
// rule, a transport rule. Only the first address; all are in the data.
func (m *mapper) forwarding() {
	to := m.firstParam(pForwardingSmtpAddress, pForwardingAddress, pForwardTo, pRedirectTo, pForwardAsAttachmentTo, pRedirectMessageTo, pBlindCopyTo)
	if to == nil {
		return
	}
	m.forward(to)
	mailbox := m.firstParam(pMailbox, pIdentity)
	if mailbox == nil {
		mailbox = m.str(mUserID)
	}
	entityUser.set(m.e, mailbox, nil)
}

// forward sets the first address of a list as Exchange writes them: bare, with
// "smtp:" before it, or as "Doe, Jane" [SMTP:jane@example.com].
func (m *mapper) forward(to []byte) {
	for _, prefix := range [...]string{"smtp:", "SMTP:"} {
		if i := bytes.Index(to, []byte(prefix)); i >= 0 {
			to = to[i+len(prefix):]
			break
		}
	}
	to = bytes.TrimLeft(to, ` "[{'`)
	if i := bytes.IndexAny(to, `;,]"'} `); i > 0 {
		to = to[:i]
	}
	if field.Mail(to) {
		m.e.SetString(ocsf.PathEntityUserForwardAddr, to)
	}
}

// cmdletAccess: a permission on a mailbox, a folder or a role.
func (m *mapper) cmdletAccess() {
	e := m.e
	m.readParams()
	targetUser.set(e, m.firstParam(pUser, pTrustee, pSecurityGroup, pApp, pMember, pPolicy), nil)
	rights := m.firstParam(pAccessRights, pRole, pExtendedRights)
	for n := 0; len(rights) > 0 && n < maxAddresses; n++ {
		var right []byte
		right, rights, _ = bytes.Cut(rights, []byte(","))
		e.AddString(ocsf.PathPrivileges, n, bytes.Trim(right, ` "[]`))
	}
	name := m.firstParam(pIdentity, pName, pCase)
	if name == nil {
		name = m.str(mObjectID)
	}
	e.SetString(ocsf.PathResourcesName, name)
	m.to(ocsf.PathResourcesUID, mObjectID)
	if _, noun := cmdlet(m.operation); name != nil {
		e.SetString(ocsf.PathResourcesType, noun)
	}
}

func (m *mapper) cmdletGroup() {
	e := m.e
	m.readParams()
	name := m.firstParam(pIdentity, pName, pDisplayName)
	if name == nil {
		name = m.str(mObjectID)
	}
	e.SetString(ocsf.PathGroupName, name)
	m.to(ocsf.PathGroupUID, mObjectID)
	targetUser.set(e, m.firstParam(pMember, pMembers, pLinks), nil)
}

// mailbox: the store that an item was read from or written to.
func (m *mapper) mailbox() {
	e := m.e
	if !m.to(ocsf.PathDatabucketName, mMailboxOwnerUPN) {
		e.SetString(ocsf.PathDatabucketName, m.str(mUserID))
	}
	m.to(ocsf.PathDatabucketUID, mMailboxGUID)
	e.SetText(ocsf.PathDatabucketType, "Mailbox")
	e.SetInt(ocsf.PathDatabucketTypeID, 99)
	subject := m.v[mItem].Get("Subject").Str()
	e.SetString(ocsf.PathMessage, subject)
	if m.rule.activity == storeQuery {
		if q := lookup(m.v[mOperationProperties], "QueryText").Text(); len(q) > 0 {
			e.SetString(ocsf.PathQueryInfoQueryString, q)
			e.SetString(ocsf.PathQueryInfoName, m.operation)
		}
	}
}

// send: a message was sent, as oneself or in the name of somebody else.
func (m *mapper) send() {
	e := m.e
	item := m.v[mItem]
	for _, n := range [...]member{mSendAsUserSmtp, mSendOnBehalfOfUserSmtp, mMailboxOwnerUPN, mUserID} {
		if s := m.str(n); field.Mail(s) {
			e.SetString(ocsf.PathEmailFrom, s)
			m.carried[n] = true
			break
		}
	}
	m.addresses(ocsf.PathEmailTo, m.v[mRecipientList])
	e.SetString(ocsf.PathEmailSubject, item.Get("Subject").Str())
	e.SetString(ocsf.PathEmailMessageUID, item.Get("InternetMessageId").Str())
	e.SetString(ocsf.PathEmailUID, item.Get("Id").Str())
	if n, ok := item.Get("SizeInBytes").Int(); ok {
		e.SetInt(ocsf.PathEmailSize, n)
	}
}

func (m *mapper) folderPermission() {
	e := m.e
	folder := m.v[mItem].Get("ParentFolder")
	if folder.Kind() != jsontape.Object {
		folder = m.v[mItem]
	}
	name := folder.Get("MemberUpn").Str()
	targetUser.set(e, name, folder.Get("MemberSid").Str())
	rights := folder.Get("MemberRights").Str()
	for n := 0; len(rights) > 0 && n < maxAddresses; n++ {
		var right []byte
		right, rights, _ = bytes.Cut(rights, []byte(","))
		e.AddString(ocsf.PathPrivileges, n, bytes.TrimSpace(right))
	}
	if s := folder.Get("Path").Str(); meaningful(s) {
		e.SetString(ocsf.PathResourcesName, s)
	} else {
		e.SetString(ocsf.PathResourcesName, folder.Get("Name").Str())
	}
	e.SetString(ocsf.PathResourcesUID, folder.Get("Id").Str())
	if folder.Exists() {
		e.SetText(ocsf.PathResourcesType, "Folder")
	}
}

// mailboxRule: Outlook's own records of inbox rules, whose actions are JSON in a
// string: [{"ActionType":"Forward","Recipients":["a@example.com"],…}].
func (m *mapper) mailboxRule() {
	e := m.e
	list := m.v[mOperationProperties]
	for c := list.First(); c.Exists(); c = c.Next() {
		name, value := pair(c)
		s := value.Text()
		switch string(name) {
		case "RuleName":
			e.SetString(ocsf.PathEntityName, s)
		case "RuleId":
			e.SetString(ocsf.PathEntityUID, s)
		case "RuleActions":
			for action := m.jsonText(s).First(); action.Exists(); action = action.Next() {
				to := action.Get("Recipients").First().Str()
				if len(to) > 0 && e.Str(ocsf.PathEntityUserForwardAddr) == nil {
					m.forward(e.Own(unsafe.String(&to[0], len(to))))
				}
			}
		case "RuleOperation":
			switch string(s) {
			case "AddMailboxRule":
				e.Activity = entityCreate
			case "DeleteMailboxRule", "RemoveMailboxRule":
				e.Activity = entityDelete
			}
		}
	}
	if list.First().Exists() {
		e.SetJSON(ocsf.PathEntityData, list.Raw())
		m.carried[mOperationProperties] = true
	}
	owner := m.str(mMailboxOwnerUPN)
	entityUser.set(e, owner, m.str(mMailboxGUID))
	m.carried[mMailboxOwnerUPN] = meaningful(owner)
	m.carried[mMailboxGUID] = meaningful(m.str(mMailboxGUID))
	m.entityType(m.rule.detail)
}

// labeledMail: mail that a label was put on or that the portal of encrypted
// messages showed.
func (m *mapper) labeledMail() {
	e := m.e
	if field.Mail(m.str(mSender)) {
		m.to(ocsf.PathEmailFrom, mSender)
	}
	m.carried[mReceivers] = m.addresses(ocsf.PathEmailTo, m.v[mReceivers])
	if field.Mail(m.str(mRecipient)) {
		m.to(ocsf.PathEmailTo, mRecipient)
	}
	if !m.to(ocsf.PathEmailSubject, mItemName) {
		e.SetString(ocsf.PathEmailSubject, lookup(m.v[mOperationProperties], "MailSubject").Str())
	}
	m.first(ocsf.PathEmailMessageUID, mMessageID, mObjectID)
}
