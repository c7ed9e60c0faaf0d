// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// MailAccess is the reading of messages in one folder of a mailbox.
type MailAccess struct {
	Mailbox ID
	Folder  string // as Exchange writes it: \Inbox
	Items   int
}

// ReadMail reads mail: an application by a token for Exchange or the Graph, a
// user by a session. There is no record if the mailbox is not audited or has
// reached the service's limit.
func (d *Directory) ReadMail(by By, a MailAccess) ([]Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	box, err := d.enterLocked(by, a.Mailbox, "read mail", "full_access_as_app", "Mail.Read", "Mail.ReadWrite")
	if err != nil || box.silent {
		return nil, err
	}
	throttled, logged := d.bindLocked(a.Mailbox, by.Time)
	if !logged {
		return nil, nil
	}
	h := box.header(by, "MailItemsAccessed", typeMailboxAccess)
	w, r := d.beginLocked(company.Exchange, &h)
	d.writeEntered(&w, by, box)
	w.Array("OperationProperties")
	w.Pair("MailAccessType", "Bind")
	w.Pair("IsThrottled", truth(throttled))
	w.EndArray()
	w.Array("Folders")
	w.Object("")
	w.Array("FolderItems")
	for i := range a.Items {
		id := d.newIDLocked()
		w.Object("")
		w.Str("Id", itemID(box.owner.ID, id))
		w.Str("InternetMessageId", messageID(id, d.domain))
		w.Int("SizeInBytes", 4000+int(wordOf(id)%90000)*(1+i%3))
		w.EndObject()
	}
	w.EndArray()
	w.Str("Id", itemID(box.owner.ID, record.HashText(a.Folder)))
	w.Str("Path", a.Folder)
	w.EndObject()
	w.EndArray()
	w.Int("OperationCount", a.Items)
	r.Raw = w.End()
	return []Record{r}, nil
}

// Microsoft: a mailbox with more than a thousand records of single messages
// read in a day has no more of them for a day.
const (
	maxBinds = 1000
	bindSpan = 24 * time.Hour
)

// bindLocked counts a record of a mailbox: whether it is the one that says that
// no more will come, and whether it is written at all.
func (d *Directory) bindLocked(mailbox ID, now time.Time) (throttled, logged bool) {
	b := binds{Since: now}
	if p := d.state.binds[mailbox]; p != nil && now.Sub(p.Since) < bindSpan {
		b = *p
	}
	if now.Before(b.Silent) {
		return false, false
	}
	if b.Count++; b.Count > maxBinds {
		b = binds{Since: now, Silent: now.Add(bindSpan)}
		throttled = true
	}
	d.state.binds[mailbox] = &b
	return throttled, true
}

// SearchMail searches a mailbox. The record is in the form of field reports; no
// reference says how the text of a query is written.
func (d *Directory) SearchMail(by By, mailbox ID, query string) ([]Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	box, err := d.enterLocked(by, mailbox, "search mail", "full_access_as_app", "Mail.Read", "Mail.ReadWrite")
	if err != nil || box.silent || box.SearchNotLogged {
		return nil, err
	}
	h := box.header(by, "SearchQueryInitiatedExchange", typeMailboxItem)
	w, r := d.beginLocked(company.Exchange, &h)
	d.writeEntered(&w, by, box)
	w.Array("OperationProperties")
	w.Pair("QueryText", query)
	w.Pair("QuerySource", "Mailbox")
	w.Pair("Scope", "AllFolders")
	w.EndArray()
	r.Raw = w.End()
	return []Record{r}, nil
}

// Message is a mail to be sent.
type Message struct {
	Mailbox ID
	To      []string
	Subject string
}

// SendMail sends a mail from a mailbox.
func (d *Directory) SendMail(by By, m Message) ([]Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	box, err := d.enterLocked(by, m.Mailbox, "send mail", "full_access_as_app", "Mail.Send")
	if err != nil || box.silent {
		return nil, err
	}
	h := box.header(by, "Send", typeMailboxItem)
	w, r := d.beginLocked(company.Exchange, &h)
	d.writeEntered(&w, by, box)
	id := d.newIDLocked()
	w.Object("Item")
	w.Str("Id", "Unknown")
	w.Str("InternetMessageId", messageID(id, d.domain))
	w.Object("ParentFolder")
	w.Str("Id", itemID(box.owner.ID, record.HashText("\\Drafts")))
	w.Str("Path", "\\Drafts")
	w.EndObject()
	w.Int("SizeInBytes", 2000+int(wordOf(id)%30000))
	w.Str("Subject", m.Subject)
	w.EndObject()
	w.Bool("SaveToSentItems", true)
	w.Int("recipientCount", len(m.To))
	w.Array("recipientList")
	for _, to := range m.To {
		w.Object("")
		w.Str("Address", to)
		w.Str("Name", to)
		w.EndObject()
	}
	w.EndArray()
	r.Raw = w.End()
	return []Record{r}, nil
}

// entered is a mailbox that somebody has entered.
type entered struct {
	Mailbox
	owner  User
	app    *ServicePrincipal // by an application
	token  Token
	user   User    // by a user
	via    Session // with the session
	silent bool
}

// enterLocked checks whether by may use a mailbox: an application by a token
// with one of the roles; its owner, or whom it was opened for, by a session.
func (d *Directory) enterLocked(by By, mailbox ID, what string, roles ...string) (*entered, error) {
	owner, ok := d.userLocked(mailbox)
	if !ok || owner.Deleted {
		return nil, fmt.Errorf("%s: mailbox of %s: %w", what, mailbox, ErrNotFound)
	}
	box := &entered{Mailbox: d.mailboxLocked(mailbox), owner: owner}
	box.silent = box.AuditDisabled || d.mailboxLocked(by.Actor).AuditBypass
	if sp := d.state.principals[by.Actor]; sp != nil {
		t, err := d.tokenLocked(by)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		if !slices.ContainsFunc(t.Roles, func(r string) bool { return slices.Contains(roles, r) }) {
			return nil, fmt.Errorf("%s: %s has a token without %s: %w", what, sp.DisplayName, strings.Join(roles, ", "), ErrDenied)
		}
		box.app, box.token = sp, t
		return box, nil
	}
	box.user, ok = d.userLocked(by.Actor)
	if !ok {
		return nil, fmt.Errorf("%s: actor %s: %w", what, by.Actor, ErrNotFound)
	}
	if !d.sessionLiveLocked(by.Session) {
		return nil, fmt.Errorf("%s: %s has no session any more: %w", what, box.user.UPN, ErrDenied)
	}
	box.via = *d.state.sessions[by.Session]
	if by.Actor != mailbox && !slices.ContainsFunc(box.Permissions, func(p MailboxPermission) bool { return p.Trustee == by.Actor }) {
		return nil, fmt.Errorf("%s: %s has no right on the mailbox of %s: %w", what, box.user.UPN, owner.UPN, ErrDenied)
	}
	return box, nil
}

// header: what an application does in a mailbox is written under the owner's
// name; that it was an application stands in UserType and UserKey.
func (b *entered) header(by By, operation string, kind int) record.Header {
	h := record.Header{Time: by.Time, Operation: operation, Type: kind, Result: "Succeeded", UserKey: b.user.PUID, Workload: "Exchange", UserID: b.user.UPN, ClientIP: by.Address}
	if b.app != nil {
		h.UserKey, h.UserType, h.UserID, h.ClientIP = b.app.ID.String(), 5, b.owner.UPN, ""
	}
	return h
}

func (d *Directory) writeEntered(w *record.Writer, by By, b *entered) {
	client, agent, app, api := "Client=OWA;"+by.UserAgent, "", b.via.App, exchangeAppID
	logon, logonSID, issued := 0, d.sid(&b.user), b.via.Started
	switch {
	case b.app != nil:
		client = "Client=REST;Client=RESTSystem;"
		if b.token.Resource == exchangeAppID {
			client = "Client=WebServices;ExchangeWebServices"
		}
		app, issued, api = b.app.AppID, b.token.Issued, b.token.Resource
		agent = client + ";UserAgent=" + by.UserAgent + "[AppId=" + app.String() + "];"
		client += ";"
		logon, logonSID = 1, "S-1-5-20"
	case by.Actor != b.owner.ID:
		logon = 2
	}
	w.Object("AppAccessContext")
	if b.app == nil {
		w.GUID("AADSessionId", by.Session)
	}
	w.GUID("APIId", api)
	w.GUID("ClientAppId", app)
	w.Time("IssuedAtTime", issued)
	w.Str("UniqueTokenId", tokenText(by.Session))
	w.EndObject()
	if agent != "" {
		w.Str("ActorInfoString", agent)
	}
	w.GUID("AppId", app)
	w.GUID("ClientAppId", app)
	w.Str("ClientIPAddress", by.Address)
	w.Str("ClientInfoString", client)
	w.GUID("ClientRequestId", d.newIDLocked())
	w.Bool("ExternalAccess", false)
	w.Int("InternalLogonType", 0)
	w.Int("LogonType", logon)
	w.Str("LogonUserSid", logonSID)
	w.GUID("MailboxGuid", d.mailboxGUID(&b.owner))
	w.Str("MailboxOwnerSid", d.sid(&b.owner))
	w.Str("MailboxOwnerUPN", b.owner.UPN)
	w.Str("OrganizationName", d.organization())
	w.Str("OriginatingServer", originatingServer(b.owner.ID)+"\r\n")
	if b.app == nil {
		w.GUID("SessionId", by.Session)
	} else {
		w.GUID("TokenObjectId", b.app.ID)
	}
	w.GUID("TokenTenantId", d.tenant)
}

// tokenText is an id as UniqueTokenId has it.
func tokenText(id ID) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// organization is the tenant's first domain, which Exchange knows it by.
func (d *Directory) organization() string {
	return strings.TrimSuffix(d.domain, ".example") + ".onmicrosoft.example"
}

// sid is the security identifier of an account.
func (d *Directory) sid(u *User) string {
	if u.Person >= 0 {
		return d.company.Person(u.Person).SID
	}
	// In the domain of the people, above all of them.
	prefix := d.company.Person(0).SID
	return prefix[:strings.LastIndexByte(prefix, '-')+1] + strconv.FormatUint(100_000_000+wordOf(u.ID)%1e8, 10)
}

func (d *Directory) mailboxGUID(u *User) ID {
	if u.Person >= 0 {
		return d.company.Person(u.Person).MailboxGUID
	}
	return record.Hash(wordOf(u.ID), 50)
}

// itemID has the form of Exchange's ids of messages and folders.
func itemID(mailbox, item ID) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := []byte("RgAAAA")
	for i, word := range [...]uint64{wordOf(mailbox), wordOf(item), record.Mix(wordOf(item), 7)} {
		for j := range 10 {
			b = append(b, alphabet[word>>(6*j)&63])
		}
		if i == 0 {
			b = append(b, "BwB"...)
		}
	}
	return string(append(b, "AAA="...))
}

func messageID(item ID, domain string) string {
	return fmt.Sprintf("<%016X%016X@mail.%s>", wordOf(item), record.Mix(wordOf(item), 3), domain)
}

// File is a file in the OneDrive of a user.
type File struct {
	Owner ID
	Path  string // folder, with slashes: Documents/Plans
	Name  string
	Size  int
}

// DownloadFile downloads a file by a user's session: one of his own, or of
// another who has shared it with him, which is not checked.
func (d *Directory) DownloadFile(by By, f File) ([]Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.userLocked(by.Actor)
	owner, known := d.userLocked(f.Owner)
	if !ok || !known {
		return nil, fmt.Errorf("download file: %s of %s: %w", by.Actor, f.Owner, ErrNotFound)
	}
	if !d.sessionLiveLocked(by.Session) {
		return nil, fmt.Errorf("download file: %s has no session any more: %w", u.UPN, ErrDenied)
	}
	s := d.state.sessions[by.Session]
	brand, _, _ := strings.Cut(d.domain, ".")
	site := "https://" + brand + "-my.sharepoint.example/personal/" + strings.NewReplacer("@", "_", ".", "_").Replace(owner.UPN) + "/"
	h := record.Header{Time: by.Time, Operation: "FileDownloaded", Type: typeFileOperation, UserKey: "i:0h.f|membership|" + strings.ToLower(u.PUID) + "@live.com", Workload: "OneDrive", ClientIP: by.Address, ObjectID: site + f.Path + "/" + f.Name, UserID: u.UPN}
	w, r := d.beginLocked(company.SharePoint, &h)
	w.Object("AppAccessContext")
	w.GUID("AADSessionId", s.ID)
	w.GUID("ClientAppId", s.App)
	w.GUID("CorrelationId", d.newIDLocked())
	w.Time("IssuedAtTime", s.Started)
	w.Str("UniqueTokenId", tokenText(s.ID))
	w.EndObject()
	_, browser := system(by.UserAgent)
	w.Str("AuthenticationType", "OAuth")
	w.Str("BrowserName", browser)
	w.Str("EventSource", "SharePoint")
	w.Bool("IsManagedDevice", false)
	w.Str("ItemType", "File")
	w.GUID("ListId", record.Hash(wordOf(owner.ID), 60))
	w.GUID("ListItemUniqueId", record.HashText(h.ObjectID))
	w.GUID("Site", record.Hash(wordOf(owner.ID), 61))
	w.Str("UserAgent", by.UserAgent)
	w.GUID("WebId", record.Hash(wordOf(owner.ID), 62))
	w.Int("FileSizeBytes", f.Size)
	if i := strings.LastIndexByte(f.Name, '.'); i >= 0 {
		w.Str("SourceFileExtension", f.Name[i+1:])
	}
	w.Str("SiteUrl", site)
	w.Str("SourceFileName", f.Name)
	w.Str("SourceRelativeUrl", f.Path)
	r.Raw = w.End()
	return []Record{r}, nil
}
