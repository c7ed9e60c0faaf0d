// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// ID is the id of an object of the directory.
type ID = record.GUID

// User is an account of a person, or one that belongs to nobody.
type User struct {
	ID          ID
	UPN         string
	PUID        string // passport id, which Exchange and directory records name people by
	DisplayName string
	Department  string
	Title       string
	Person      int // number in the company, -1 if nobody's
	Enabled     bool
	Deleted     bool
	Guest       bool
	// WeakSignIn leaves the account out of the policy that asks everybody for a
	// second factor: what legacy and test accounts are.
	WeakSignIn bool
	Created    time.Time
	// SessionsValidFrom ends every session that began before it.
	SessionsValidFrom time.Time
	PasswordChanged   time.Time
	Methods           []Method
}

// Method is a way to sign in.
type Method struct {
	ID      ID
	Kind    MethodKind
	Detail  string // a phone's number, a key's model
	Created time.Time
}

// MethodKind is the type of a method, as the Graph names it.
type MethodKind string

// The kinds of methods. A password is not listed: every account has one.
const (
	Authenticator MethodKind = "microsoftAuthenticator"
	Phone         MethodKind = "phone"
	FIDO2         MethodKind = "fido2"
	SoftwareOath  MethodKind = "softwareOath"
	AccessPass    MethodKind = "temporaryAccessPass"
)

// Application is the definition of an application that this tenant owns.
type Application struct {
	ID          ID
	AppID       ID
	DisplayName string
	MultiTenant bool
	Created     time.Time
	Deleted     bool
	Owners      []ID
	Credentials []Credential
}

// ServicePrincipal is an application as the tenant knows it: what acts, and
// what rights are given to and on.
type ServicePrincipal struct {
	ID          ID
	AppID       ID
	DisplayName string
	Names       []string // names besides the AppID: addresses of the service
	FirstParty  bool
	Enabled     bool
	Deleted     bool
	Created     time.Time
	Owners      []ID
	Credentials []Credential
	AppRoles    []AppRole // rights on it that applications can be given
}

// AppRole is a right that a service offers to applications.
type AppRole struct {
	ID          ID
	Value       string
	DisplayName string
}

// Credential is what an application proves itself with.
type Credential struct {
	KeyID       ID
	Kind        CredentialKind
	DisplayName string
	Start, End  time.Time
}

// CredentialKind tells passwords from certificates.
type CredentialKind string

// The kinds of credentials.
const (
	Password    CredentialKind = "password"
	Certificate CredentialKind = "certificate"
)

// AppRoleAssignment gives a principal a role on a service. The zero Role is
// that a user may use an application at all.
type AppRoleAssignment struct {
	ID        ID
	Principal ID
	Resource  ID
	Role      ID
	Created   time.Time
}

// Grant lets an application act on a service for users: one, or all of them if
// Principal is zero.
type Grant struct {
	ID        ID
	Client    ID
	Principal ID
	Resource  ID
	Scope     string
	Created   time.Time
}

// RoleAssignment makes a principal member of a directory role.
type RoleAssignment struct {
	ID        ID
	Role      ID // template id
	Principal ID
	Created   time.Time
}

// Device is a device that is registered with or joined to the tenant.
type Device struct {
	ID          ID
	DeviceID    ID
	DisplayName string
	OS          string
	Owner       ID
	Enabled     bool
	Deleted     bool
	Created     time.Time
}

// Mailbox is how a mailbox is set up. Most are as they were made: those are
// not kept.
type Mailbox struct {
	Owner           ID
	ForwardTo       string // ForwardingSmtpAddress
	DeliverToBoth   bool
	AuditDisabled   bool
	AuditOwner      []string // what its owner does that is logged, where that is not the default
	AuditBypass     bool     // what the account does in any mailbox is not logged
	SearchNotLogged bool
	Rules           []InboxRule
	Permissions     []MailboxPermission
}

// InboxRule is a rule of a mailbox.
type InboxRule struct {
	ID      ID
	Name    string
	Enabled bool
	Hidden  bool // made over MAPI; the Graph does not list it
	// Conditions and actions, as the cmdlet's parameters call them.
	SubjectOrBodyContains []string
	From                  []string
	ForwardTo             []string
	RedirectTo            []string
	MoveToFolder          string
	Delete                bool
	MarkAsRead            bool
	StopProcessing        bool
}

// MailboxPermission lets another account into a mailbox.
type MailboxPermission struct {
	Trustee ID
	Rights  string // FullAccess, SendAs
}

// Session is what a sign-in of a user began.
type Session struct {
	ID        ID
	Token     ID // of the sign-in; what is done in the session names it as UniqueTokenId
	User      ID
	App       ID // client, an AppID
	Address   string
	UserAgent string
	Device    ID
	Strong    bool // with a second factor
	Started   time.Time
}

// Token is what a sign-in of an application ended with. The directory keeps
// the newest of them, as a sign-in log does.
type Token struct {
	ID        ID // uniqueTokenIdentifier
	Principal ID
	AppID     ID
	Resource  ID // an AppID
	Key       ID
	Address   string
	Issued    time.Time
	Expires   time.Time
	Error     int      // 0, or why there is none
	Roles     []string // as they were when it was issued: they count until it expires
}

// lockout counts wrong passwords of an account.
type lockout struct {
	Failures int
	Until    time.Time
}

// binds counts the records of single messages read in a mailbox.
type binds struct {
	Since  time.Time
	Count  int
	Silent time.Time // until when nothing is logged
}
