// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package google

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// activity is one of the Reports API.
type activity struct {
	at   time.Time
	id   record.GUID
	app  string
	mail string // of who acted; empty: Google, or a service of the company
	addr string
	typ  string // of its event
	name string
	list []parameter
}

// parameter is one of an event.
type parameter struct {
	Name  string   `json:"name"`
	Value string   `json:"value,omitempty"`
	Int   string   `json:"intValue,omitempty"`
	Bool  *bool    `json:"boolValue,omitempty"`
	Multi []string `json:"multiValue,omitempty"`
	// Message holds others.
	Message *struct {
		Parameter []parameter `json:"parameter"`
	} `json:"messageValue,omitempty"`
}

func text(name, value string) parameter   { return parameter{Name: name, Value: value} }
func yes(name string, is bool) parameter  { return parameter{Name: name, Bool: &is} }
func number(name string, n int) parameter { return parameter{Name: name, Int: strconv.Itoa(n)} }
func many(name string, values ...string) parameter {
	return parameter{Name: name, Multi: values}
}

func message(name string, list ...parameter) parameter {
	return parameter{Name: name, Message: &struct {
		Parameter []parameter `json:"parameter"`
	}{list}}
}

// raw is the activity as the API gives it.
func (s *Server) raw(a *activity) []byte {
	actor := map[string]string{"callerType": "USER", "email": a.mail, "profileId": s.number("profile " + a.mail)}
	if a.mail == "" {
		actor = map[string]string{"callerType": "KEY", "key": "SYSTEM"}
	}
	v := map[string]any{
		"kind": "admin#reports#activity", "actor": actor, "etag": s.etag(a.id.String()),
		"id": map[string]string{
			"time": a.at.Format("2006-01-02T15:04:05.000Z"), "uniqueQualifier": strconv.FormatInt(int64(draw(a.id.String())), 10),
			"applicationName": a.app, "customerId": s.Customer(),
		},
		"events": []map[string]any{{"type": a.typ, "name": a.name, "parameters": a.list}},
	}
	if a.addr != "" {
		v["ipAddress"] = a.addr
	}
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // what we make ourselves
	}
	return raw
}

// act is what Microsoft's log says of one.
type act struct {
	RecordType                             int
	ID, Operation, UserID, ClientIP        string
	ErrorNumber                            string
	ExtendedProperties, ModifiedProperties []record.Pair
	Target                                 []record.Typed

	SourceFileName, SourceFileExtension          string
	ListItemUniqueID                             string
	TargetUserOrGroupName, TargetUserOrGroupType string
	ChatThreadID, MeetingDetailID                string

	ObjectID, ReportID, ReportName, URL, UserIP string
	Item                                        struct {
		ID, Subject  string
		ParentFolder struct{ Path string }

		InternetMessageID string
		SizeInBytes       int
	}
	CopilotEventData   struct{ AppHost string }
	ExchangeMetaData   struct{ MessageID, Subject string }
	SharePointMetaData struct{ FileName, From, UniqueID string }
	PolicyDetails      []struct {
		PolicyID, PolicyName string
		Rules                []struct{ Severity string }
	}

	s    *Server
	at   time.Time
	draw uint64
	list []*activity
}

// The record types of Microsoft's log that are told here.
const (
	typeDirectory = 8
	typeSignIn    = 15
)

// activities are those of an application that follow from an act.
func (s *Server) activities(application string, at time.Time, raw []byte) []*activity {
	a := act{s: s, at: at.UTC().Truncate(time.Millisecond)}
	if json.Unmarshal(raw, &a) != nil {
		return nil
	}
	a.draw = draw(a.ID, "google")
	switch application {
	case "drive":
		a.file()
	case "chat", "meet":
		a.talk()
	case "calendar", "gmail":
		a.mail()
	case "chrome", "data_studio", "gemini_in_workspace_apps", "vault":
		if a.ClientIP == "" {
			a.ClientIP = a.UserIP
		}
		a.work()
	case "rules":
		a.rule()
	case "mobile":
		a.device()
	default:
		switch a.RecordType {
		case typeSignIn:
			a.signIn()
		case typeDirectory:
			a.change()
		}
	}
	var list []*activity
	for _, x := range a.list {
		if x.app == application {
			list = append(list, x)
		}
	}
	return list
}

// one tells whether something is so in one case of k.
func (a *act) one(k uint64) bool {
	a.draw = record.Mix(a.draw, k)
	return a.draw%k == 0
}

// add adds an activity so long after the act.
func (a *act) add(after time.Duration, app, typ, name string, list ...parameter) {
	x := &activity{at: a.at.Add(after), id: record.HashText(a.ID, app, name), app: app, mail: a.UserID, addr: a.ClientIP, typ: typ, name: name, list: list}
	if strings.HasPrefix(a.UserID, "ServicePrincipal_") || strings.HasPrefix(a.UserID, "svc-") {
		x.mail, x.addr = "", ""
	}
	a.list = append(a.list, x)
}

// signIn tells of a sign-in. Who comes with a session of today's signs in to nothing; Google sees it in one case of a few.
func (a *act) signIn() {
	if !a.s.isPerson(a.UserID) {
		return
	}
	silent := record.Value(a.ExtendedProperties, "RequestType") == "OAuth2:Token"
	switch {
	case a.ErrorNumber == "50126" && a.one(2):
		a.add(0, "login", "login", "login_failure", text("login_type", "google_password"), many("login_challenge_method", "password"),
			text("login_failure_type", "login_failure_invalid_password"), yes("is_suspicious", false))
	case a.ErrorNumber == "500121":
		a.add(0, "login", "login", "login_challenge", text("login_type", "google_password"), many("login_challenge_method", "google_prompt"), text("login_challenge_status", "Challenge Failed."))
	case a.ErrorNumber == "53003" || a.ErrorNumber == "53000": // the same rules about devices hold for both
		a.add(0, "context_aware_access", "CONTEXT_AWARE_ACCESS_USER_EVENT", "ACCESS_DENY_EVENT", text("CAA_APPLICATION", "DRIVE"), text("CAA_ACCESS_LEVEL_APPLIED", "Company devices"),
			text("CAA_ACCESS_LEVEL_UNSATISFIED", "Company devices"), text("CAA_DEVICE_STATE", "No policy compliant device"))
	case a.ErrorNumber != "0":
	case silent && a.one(5): // at work: another application, by Google's identity
		name := []string{"Wayfare Travel", "Ledgerline Expenses", "Quarry Code"}[a.draw/5%3]
		a.add(2*time.Second, "saml", "login", "login_success", text("orgunit_path", "/"), text("initiated_by", "sp"), text("application_name", name), text("saml_status_code", "SUCCESS_URI"))
	case silent && a.one(40):
		a.add(0, "login", "login", "logout", text("login_type", "saml"))
	case !silent && !a.one(4):
		a.add(1500*time.Millisecond, "login", "login", "login_success", text("login_type", "saml"), many("login_challenge_method", "saml"), yes("is_suspicious", false))
	}
}

// changes are what Google logs of a change that Microsoft's directory shows; %s is whom it is about.
var changes = map[string]struct{ app, typ, name, who, more string }{
	"Add user.":            {"admin", "USER_SETTINGS", "CREATE_USER", "USER_EMAIL", ""},
	"Delete user.":         {"admin", "USER_SETTINGS", "SUSPEND_USER", "USER_EMAIL", ""},
	"Update user.":         {"admin", "USER_SETTINGS", "CHANGE_USER_ORGANIZATION", "USER_EMAIL", ""},
	"Reset user password.": {"admin", "USER_SETTINGS", "CHANGE_PASSWORD", "USER_EMAIL", ""},
	"Update StsRefreshTokenValidFrom Timestamp.": {"admin", "USER_SETTINGS", "RESET_SIGNIN_COOKIES", "USER_EMAIL", ""},
	"Change user license.":                       {"admin", "LICENSES_SETTINGS", "USER_LICENSE_ASSIGNMENT", "USER_EMAIL", "PRODUCT_NAME=Google Workspace"},
	"Add member to role.":                        {"admin", "DELEGATED_ADMIN_SETTINGS", "ASSIGN_ROLE", "USER_EMAIL", "ROLE_NAME=_USER_MANAGEMENT_ADMIN_ROLE"},
	"Change user password.":                      {"login", "password_change", "password_edit", "affected_email_address", ""},
	"User registered security info.":             {"login", "2sv_change", "2sv_enroll", "affected_email_address", ""},
	"Add member to group.":                       {"groups_enterprise", "moderator_action", "add_member", "member_id", "member_type=user"},
	"Remove member from group.":                  {"groups_enterprise", "moderator_action", "remove_member", "member_id", "member_type=user"},
	"Add group.":                                 {"groups_enterprise", "moderator_action", "create_group", "", ""},
}

func (a *act) change() {
	if a.Operation == "Consent to application." {
		scopes := []string{"openid", "https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/calendar.readonly"}
		if strings.Contains(record.Modified(a.ModifiedProperties, "ConsentAction.Permissions"), "Mail") {
			scopes = append(scopes, "https://mail.google.com/")
		}
		name := record.Of(a.Target, 1)
		a.add(4*time.Second, "token", "auth", "authorize", text("app_name", name), text("client_id", a.s.number(name)+".apps.googleusercontent.example"), text("client_type", "WEB"), many("scope", scopes...))
		return
	}
	c, ok := changes[a.Operation]
	if !ok || strings.HasPrefix(a.UserID, "ServicePrincipal_") && !a.one(6) {
		return // what the HR system sends to Entra itself
	}
	var list []parameter
	if c.who != "" {
		list = append(list, text(c.who, record.Of(a.Target, 5)))
	}
	if c.app == "groups_enterprise" {
		name := record.Modified(a.ModifiedProperties, "Group.DisplayName")
		if c.who == "" {
			name = record.Of(a.Target, 1)
		}
		list = append(list, text("group_id", name+"@"+a.s.cfg.Service.Company.Domain()))
	}
	if name, value, ok := strings.Cut(c.more, "="); ok {
		list = append(list, text(name, value))
	}
	a.add(time.Second, c.app, c.typ, c.name, list...)
}

// files are Drive's words for what is done with a file.
var files = map[string]struct{ typ, name string }{
	"FileAccessed": {"access", "view"}, "FilePreviewed": {"access", "preview"}, "FileDownloaded": {"access", "download"}, "FileModified": {"access", "edit"},
	"FileUploaded": {"access", "upload"}, "FileRenamed": {"access", "rename"}, "FileMoved": {"access", "move"}, "FileCopied": {"access", "copy"},
	"FileRecycled": {"access", "trash"}, "FileRestored": {"access", "untrash"},
	"SharingSet": {"acl_change", "change_user_access"}, "AddedToSecureLink": {"acl_change", "change_user_access"}, "SharingInvitationCreated": {"acl_change", "change_user_access"},
	"AnonymousLinkCreated": {"acl_change", "change_document_visibility"}, "CompanyLinkCreated": {"acl_change", "change_document_visibility"},
}

// file tells of a file that is in Drive, as one of three is.
func (a *act) file() {
	f, ok := files[a.Operation]
	if !ok || a.SourceFileName == "" || !a.s.isPerson(a.UserID) || draw(a.ListItemUniqueID)%3 != 0 {
		return
	}
	visibility := "shared_internally"
	list := []parameter{
		yes("primary_event", true), yes("billable", true), yes("owner_is_shared_drive", false), text("owner", a.UserID),
		text("doc_id", a.s.word("doc "+a.ListItemUniqueID, 33)), text("doc_title", a.SourceFileName), text("doc_type", docType(a.SourceFileExtension)),
	}
	switch f.name {
	case "change_user_access":
		change := "none"
		if a.TargetUserOrGroupType == "Guest" {
			visibility, change = "shared_externally", "external"
		}
		list = append(list, text("target_user", a.TargetUserOrGroupName), many("old_value", "none"), many("new_value", "can_view"), text("visibility_change", change))
	case "change_document_visibility":
		visibility = "people_within_domain_with_link"
		if a.Operation == "AnonymousLinkCreated" {
			visibility = "people_with_link"
		}
		list = append(list, many("old_value", "private"), many("new_value", visibility), text("visibility_change", "external"))
	}
	a.add(0, "drive", f.typ, f.name, append(list, text("visibility", visibility))...)
}

func docType(extension string) string {
	switch extension {
	case "docx":
		return "msword"
	case "xlsx":
		return "msexcel"
	case "pptx":
		return "mspowerpoint"
	case "pdf":
		return "pdf"
	case "png", "jpg":
		return "png"
	}
	return "unknown"
}

// talk tells of what is written in Chat, as one message of four is, and of calls in Meet.
func (a *act) talk() {
	if !a.s.isPerson(a.UserID) {
		return
	}
	room := text("room_id", a.s.word("room "+a.ChatThreadID, 11))
	posted := text("message_id", a.s.word("message "+a.ID, 11))
	switch {
	case a.ChatThreadID == "" || draw(a.ChatThreadID)%4 != 0:
	case a.Operation == "MessageSent" || a.Operation == "MessageCreatedHasLink":
		a.add(0, "chat", "user_action", "message_posted", room, posted, text("attachment_status", "NO_ATTACHMENT"))
	case a.Operation == "MessageUpdated":
		a.add(0, "chat", "user_action", "message_edited", room, posted)
	case a.Operation == "MessageDeleted":
		a.add(0, "chat", "user_action", "message_deleted", room, posted)
	case a.Operation == "ReactedToMessage":
		a.add(0, "chat", "user_action", "reaction_added", room, posted)
	case a.Operation == "ChatCreated":
		a.add(0, "chat", "user_action", "direct_message_started", room)
	case a.Operation == "MeetingParticipantDetail":
		a.add(0, "meet", "call", "call_ended", text("meeting_code", strings.ToUpper(a.s.word("meeting "+a.MeetingDetailID, 10))), text("conference_id", a.s.word("call "+a.MeetingDetailID, 20)),
			text("identifier", a.UserID), text("identifier_type", "email_address"), text("ip_address", a.ClientIP), text("device_type", "web"),
			number("duration_seconds", 60+int(a.draw%3000)), yes("is_external", false))
	}
}

const letters = "0123456789abcdefghijklmnopqrstuvwxyz"

// word is an id of so many signs.
func (s *Server) word(of string, n int) string {
	h := record.Mix(draw(of), s.seed)
	b := make([]byte, n)
	for i := range b {
		h = record.Mix(h, uint64(i))
		b[i] = letters[h%uint64(len(letters))]
	}
	return string(b)
}

// number is an id of 21 digits, as Google's accounts have.
func (s *Server) number(of string) string {
	return fmt.Sprintf("1%020d", record.Mix(draw(of), s.seed))
}

// etag is that of a resource, in the form that Google has.
func (s *Server) etag(of string) string { return `"` + s.word("etag", 20) + "/" + s.word(of, 27) + `"` }

// draw makes a number of texts.
func draw(texts ...string) uint64 {
	id := record.HashText(texts...)
	h := uint64(0)
	for _, b := range id[:8] {
		h = h<<8 | uint64(b)
	}
	return h
}
