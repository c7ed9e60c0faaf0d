// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"cmp"
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
	Folder  string // its English path: "Sent Items"
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
	draw := wordOf(d.newIDLocked())
	for i := range a.Items {
		m := d.message(&box.owner, by.Time, draw, i)
		w.Object("")
		w.Str("Id", m.ID)
		w.Str("InternetMessageId", m.InternetID)
		w.Int("SizeInBytes", m.Size)
		w.EndObject()
	}
	w.EndArray()
	id, path := d.folder(&box.owner, a.Folder)
	w.Str("Id", id)
	w.Str("Path", path)
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

// Message is a mail to be sent. To whom it goes is in no record: the service
// writes that only for some licenses.
type Message struct {
	Mailbox ID
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
	word := wordOf(d.newIDLocked())
	w.Object("Item")
	w.Str("Id", "Unknown")
	server, _, _ := strings.Cut(d.mailServer(&box.owner), " ")
	w.Str("InternetMessageId", fmt.Sprintf("<%s%011X@%s.eurprd08.prod.outlook.example>", server, word>>20, server))
	w.Bool("IsRecord", false)
	w.Object("ParentFolder")
	id, path := d.folder(&box.owner, "Drafts")
	w.Str("Id", id)
	w.Str("Path", path)
	w.EndObject()
	w.Int("SizeInBytes", 2000+int(word%30000))
	w.Str("Subject", m.Subject)
	w.EndObject()
	w.Bool("SaveToSentItems", true)
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
	box.silent = d.loggingLocked().MailboxAuditOff || box.AuditDisabled || d.mailboxLocked(by.Actor).AuditBypass
	if d.canary != nil && by.Actor == d.canary.principal && mailbox == d.canary.mailbox {
		// By a role of Exchange whose scope is this mailbox, of which tokens say nothing.
		box.app, box.token = d.state.principals[by.Actor], Token{ID: by.Session, Issued: by.Time, Resource: mustID("00000003-0000-0000-c000-000000000000")}
		return box, nil
	}
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
	client, agent, app, api := "Client=OWA;Action=ViaProxy", "", b.via.App, exchangeAppID
	logon, logonSID, issued, token := 0, d.sid(&b.user), b.via.Started, b.via.Token
	switch {
	case b.app != nil:
		client = "Client=REST;Client=RESTSystem;"
		if b.token.Resource == exchangeAppID {
			client = "Client=WebServices;ExchangeWebServices"
		}
		app, issued, api, token = b.app.AppID, b.token.Issued, b.token.Resource, b.token.ID
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
	w.Str("UniqueTokenId", tokenText(token))
	w.EndObject()
	if agent != "" {
		w.Str("ActorInfoString", agent)
	}
	w.GUID("AppId", app)
	if b.app != nil {
		w.GUID("ClientAppId", app)
	}
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
	w.Str("OriginatingServer", d.mailServer(&b.owner)+"\r\n")
	if b.app == nil {
		w.GUID("SessionId", by.Session)
	}
	w.GUID("TokenObjectId", by.Actor)
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

// message is one of the messages of the last weeks in a mailbox: for a person
// those that ordinary life meets there, too.
func (d *Directory) message(owner *User, now time.Time, draw uint64, i int) company.Message {
	h := record.Mix(draw, uint64(i))
	day := now.AddDate(0, 0, -int(h%45))
	if owner.Person >= 0 {
		return d.company.Message(owner.Person, day, int(draw>>8%8)+i)
	}
	m := d.company.Message(0, day, i)
	m.ID = "RgAAAAC" + tokenText(record.Hash(wordOf(owner.ID), h)) + "AAA="
	return m
}

// folder is the id and path of a mailbox's folder. People have it in their
// language.
func (d *Directory) folder(owner *User, name string) (id, path string) {
	id, path = "", "\\"+name
	if owner.Person >= 0 {
		id, path = d.company.MailFolder(owner.Person, name)
	}
	if id == "" {
		id = "LgAAAAC" + tokenText(record.Hash(wordOf(owner.ID), hashText(name))) + "AAAB"
	}
	return id, path
}

func (d *Directory) mailServer(owner *User) string { return d.company.MailServer(max(owner.Person, 0)) }

func hashText(s string) uint64 { return wordOf(record.HashText(s)) }

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
	correlation := d.newIDLocked()
	w.Object("AppAccessContext")
	w.GUID("AADSessionId", s.ID)
	w.GUID("ClientAppId", s.App)
	w.GUID("CorrelationId", correlation)
	w.Str("UniqueTokenId", tokenText(s.Token))
	w.EndObject()
	client, device := clientOf(by.UserAgent), d.deviceLocked(&u, s.Device)
	w.Str("AuthenticationType", "OAuth")
	w.Str("BrowserName", client.browser)
	w.Str("BrowserVersion", client.version)
	w.GUID("CorrelationId", correlation)
	w.Str("EventSource", "SharePoint")
	w.Bool("IsManagedDevice", device.Managed)
	w.Str("ItemType", "File")
	w.GUID("ListId", record.Hash(wordOf(owner.ID), 60))
	w.GUID("ListItemUniqueId", record.HashText(h.ObjectID))
	w.Str("Platform", client.platform)
	w.GUID("Site", record.Hash(wordOf(owner.ID), 61))
	w.Str("UserAgent", by.UserAgent)
	w.GUID("WebId", record.Hash(wordOf(owner.ID), 62))
	w.Int("FileSizeBytes", f.Size)
	w.Str("DeviceDisplayName", cmp.Or(device.Name, by.Address))
	w.Bool("HighPriorityMediaProcessing", false)
	if i := strings.LastIndexByte(f.Name, '.'); i >= 0 {
		w.Str("SourceFileExtension", f.Name[i+1:])
	}
	w.Str("SiteUrl", site)
	w.Str("SourceFileName", f.Name)
	w.Str("SourceRelativeUrl", f.Path)
	if sp := d.state.principals[d.state.appIDs[s.App]]; sp != nil {
		w.Str("ApplicationDisplayName", sp.DisplayName)
	}
	r.Raw = w.End()
	return []Record{r}, nil
}
