// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/daybreak-sec/daybreak/sim/directory"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// kind is something that a step can do. The reference is made from the table.
type kind struct {
	name   string
	does   string
	writes string   // operations of the records
	needs  []string // keys, beside id and kind, that must be given
	may    []string // keys that may be given beside those that every step may have
	person bool     // who acts must be an account
	// each is the key whose values the acts take in turn; without it and without
	// count the step is done once.
	each string
	do   func(a *act) ([]directory.Record, error)
}

// everyStep may have these.
var everyStep = []string{"id", "title", "text", "attack", "kind", "at", "after", "over", "spread", "jitter", "count", "addresses", "agent"}

// kinds are all there are, in the order of the reference.
var kinds []kind

func init() {
	kinds = []kind{
		{
			name: "spray", does: "Tries wrong passwords on the targets, in turn.", writes: "UserLoginFailed (15)",
			needs: []string{"targets"}, may: []string{"client", "direct"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) { return a.signIn(false) },
		},
		{
			name: "sign-in", does: "Signs the targets in with the right password. What follows by such an account uses the newest session.", writes: "UserLoggedIn (15)",
			needs: []string{"targets"}, may: []string{"client", "direct", "strong"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) { return a.signIn(true) },
		},
		{
			name: "app-sign-in", does: "Gets a token for an application. Steps by an application do that by themselves when they have none; the API has no records of it.", writes: "none",
			needs: []string{"by", "resource"},
			do:    func(a *act) ([]directory.Record, error) { return nil, nil }, // done in finding out who acts
		},
		{
			name: "add-credential", does: "Gives applications a credential, which the attacker then has.", writes: "Update application – Certificates and secrets management , Update application. or Add service principal credentials. (8)",
			needs: []string{"by", "applications"}, may: []string{"on", "credential", "names", "life"}, each: "applications",
			do: addCredential,
		},
		{
			name: "add-owner", does: "Makes the targets owners of an application.", writes: "Add owner to application. (8)",
			needs: []string{"by", "applications", "targets"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				app, ok := a.d.FindApplication(a.step.Applications[0])
				if !ok {
					return nil, fmt.Errorf("application %s: %w", a.step.Applications[0], directory.ErrNotFound)
				}
				return a.change(a.d.AddOwner(a.by, app.ID, a.target.ID))
			},
		},
		{
			name: "add-application", does: "Registers applications with these names.", writes: "Add application., Add owner to application., Add service principal. (8)",
			needs: []string{"by", "names"}, each: "names",
			do: func(a *act) ([]directory.Record, error) {
				_, sp, c, err := a.d.AddApplication(a.by, a.pick(a.step.Names))
				a.about(sp.ID)
				return a.change(c, err)
			},
		},
		{
			name: "add-user", does: "Makes accounts with these names.", writes: "Add user. (8)",
			needs: []string{"by", "names"}, may: []string{"display_name", "weak"}, each: "names",
			do: func(a *act) ([]directory.Record, error) {
				u, c, err := a.d.AddUser(a.by, directory.NewUser{Name: a.pick(a.step.Names), DisplayName: a.step.DisplayName, WeakSignIn: a.step.Weak})
				a.about(u.ID)
				return a.change(c, err)
			},
		},
		{
			name: "consent", does: "Consents to applications: they may act for the user, or for everybody.", writes: "Add delegated permission grant., Add app role assignment grant to user., Consent to application. (8)",
			needs: []string{"by", "applications", "resource", "scope"}, may: []string{"everybody"}, each: "applications",
			do: func(a *act) ([]directory.Record, error) {
				app, service, err := a.principals()
				if err != nil {
					return nil, err
				}
				_, c, err := a.d.Consent(a.by, app, service, a.step.Scope, a.step.Everybody)
				return a.change(c, err)
			},
		},
		{
			name: "assign-app-role", does: "Gives applications a role on a service, which they then have without any user.", writes: "Add app role assignment to service principal. (8)",
			needs: []string{"by", "applications", "resource", "role"}, each: "applications",
			do: func(a *act) ([]directory.Record, error) {
				app, service, err := a.principals()
				if err != nil {
					return nil, err
				}
				_, c, err := a.d.AssignAppRole(a.by, app, service, a.step.Role)
				return a.change(c, err)
			},
		},
		{
			name: "add-role", does: "Makes the targets members of a directory role.", writes: "Add member to role. (8)",
			needs: []string{"by", "targets", "role"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				_, c, err := a.d.AddRoleMember(a.by, a.step.Role, a.target.ID)
				return a.change(c, err)
			},
		},
		{
			name: "add-method", does: "Registers another method to sign in with, for the account that acts.", writes: "User registered security info (8)",
			needs: []string{"by", "method"}, person: true,
			do: func(a *act) ([]directory.Record, error) {
				_, c, err := a.d.AddMethod(a.by, a.by.Actor, directory.MethodKind(a.step.Method), "")
				return a.change(c, err)
			},
		},
		{
			name: "weaken", does: "Takes the targets out of the policy that asks for a second factor.", writes: "Disable Strong Authentication. (8)",
			needs: []string{"by", "targets"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.RequireStrong(a.by, a.target.ID, false))
			},
		},
		{
			name: "register-device", does: "Registers devices of these names for the account that acts.", writes: "Add device., Add registered owner to device., Add registered users to device. (8)",
			needs: []string{"by", "names"}, each: "names", person: true,
			do: func(a *act) ([]directory.Record, error) {
				_, c, err := a.d.RegisterDevice(a.by, a.by.Actor, a.pick(a.step.Names), "Windows")
				return a.change(c, err)
			},
		},
		{
			name: "read-mail", does: "Reads messages in the targets' mailboxes, in turn: an application through Exchange Web Services, an account on the web.", writes: "MailItemsAccessed (50)",
			needs: []string{"by", "targets"}, may: []string{"folders", "items", "resource"}, each: "targets",
			do: readMail,
		},
		{
			name: "search-mail", does: "Searches the targets' mailboxes.", writes: "SearchQueryInitiatedExchange (2)",
			needs: []string{"by", "targets", "queries"}, may: []string{"resource"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				return a.d.SearchMail(a.by, a.target.ID, a.pick(a.step.Queries))
			},
		},
		{
			name: "send-mail", does: "Sends mails from the targets' mailboxes.", writes: "Send (2)",
			needs: []string{"by", "targets", "subjects"}, may: []string{"resource"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				return a.d.SendMail(a.by, directory.Message{Mailbox: a.target.ID, Subject: a.pick(a.step.Subjects)})
			},
		},
		{
			name: "inbox-rule", does: "Makes a rule in the targets' mailboxes.", writes: "New-InboxRule (1)",
			needs: []string{"by", "targets", "names"}, may: []string{"words", "folder", "to", "delete"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				_, c, err := a.d.AddInboxRule(a.by, a.target.ID, directory.InboxRule{
					Name: a.pick(a.step.Names), SubjectOrBodyContains: a.step.Words, ForwardTo: a.step.To,
					MoveToFolder: a.step.Folder, Delete: a.step.Delete, MarkAsRead: a.step.Folder != "", StopProcessing: true,
				})
				return a.change(c, err)
			},
		},
		{
			name: "forwarding", does: "Sends a copy of all mail of the targets to an address.", writes: "Set-Mailbox (1)",
			needs: []string{"by", "targets", "to"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.SetForwarding(a.by, a.target.ID, a.pick(a.step.To), true))
			},
		},
		{
			name: "mailbox-permission", does: "Lets another account into the targets' mailboxes.", writes: "Add-MailboxPermission or Add-RecipientPermission (1)",
			needs: []string{"by", "targets", "trustee", "rights"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				trustee, err := a.account(a.step.Trustee)
				if err != nil {
					return nil, err
				}
				a.about(trustee.ID)
				return a.change(a.d.AddMailboxPermission(a.by, a.target.ID, trustee.ID, a.step.Rights))
			},
		},
		{
			name: "bypass-audit", does: "Keeps what the targets do in mailboxes out of the log.", writes: "Set-MailboxAuditBypassAssociation (1)",
			needs: []string{"by", "targets"}, may: []string{"restore"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.BypassAudit(a.by, a.target.ID, !a.step.Restore))
			},
		},
		{
			name: "unified-audit", does: "Switches the unified audit log off: nothing that happens is recorded any more.", writes: "Set-AdminAuditLogConfig (1)",
			needs: []string{"by"}, may: []string{"restore"},
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.EnableUnifiedAudit(a.by, a.step.Restore))
			},
		},
		{
			name: "mailbox-audit", does: "Switches the auditing of the targets' mailboxes off.", writes: "Set-Mailbox (1)",
			needs: []string{"by", "targets"}, may: []string{"restore"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.EnableAudit(a.by, a.target.ID, a.step.Restore))
			},
		},
		{
			name: "organization-audit", does: "Switches the auditing of mailboxes off for the whole organization.", writes: "Set-OrganizationConfig (1)",
			needs: []string{"by"}, may: []string{"restore"},
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.EnableMailboxAudit(a.by, a.step.Restore))
			},
		},
		{
			name: "license", does: "Takes the license with full auditing from the targets, who have a plain one then.", writes: "Change user license. (8)",
			needs: []string{"by", "targets"}, may: []string{"restore"}, each: "targets",
			do: func(a *act) ([]directory.Record, error) {
				sku := directory.PlainLicense
				if a.step.Restore {
					sku = directory.FullLicense
				}
				return a.change(a.d.SetLicense(a.by, a.target.ID, sku))
			},
		},
		{
			name: "diagnostic-settings", does: "Deletes the diagnostic settings that send Entra's logs out.", writes: "none",
			needs: []string{"by"}, may: []string{"restore"},
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.DeleteDiagnostics(a.by, !a.step.Restore))
			},
		},
		{
			name: "event-hub", does: "Deletes the event hubs that Entra's logs are sent to.", writes: "none",
			needs: []string{"by"}, may: []string{"restore"},
			do: func(a *act) ([]directory.Record, error) {
				return a.change(a.d.DeleteHub(a.by, a.d.DefaultDiagnostics()[0].HubID(), !a.step.Restore))
			},
		},
		{
			name: "remove-app-role", does: "Takes a role on a service from applications.", writes: "Remove app role assignment from service principal. (8)",
			needs: []string{"by", "applications", "resource", "role"}, each: "applications",
			do: func(a *act) ([]directory.Record, error) {
				app, service, err := a.principals()
				if err != nil {
					return nil, err
				}
				return a.change(a.d.RemoveAppRoleOf(a.by, app, service, a.step.Role))
			},
		},
		{
			name: "download", does: "Downloads files from the targets' OneDrive.", writes: "FileDownloaded (6)",
			needs: []string{"by", "targets"}, may: []string{"folder", "items", "names"}, each: "targets", person: true,
			do: download,
		},
	}
}

// lookup finds a kind by its name.
func lookup(name string) (*kind, bool) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil, false
	}
	return &kinds[i], true
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return names
}

func (a *act) signIn(right bool) ([]directory.Record, error) {
	client := a.step.Client
	if client == "" {
		client = "Microsoft Office"
	}
	app, _ := a.d.FindPrincipal(client)
	exchange, _ := a.d.FindPrincipal(directory.ExchangeOnline)
	session, r, err := a.d.SignIn(a.by, directory.SignIn{UPN: a.target.UPN, Client: app.AppID, Resource: exchange.AppID, Password: right, Second: a.step.Strong, Direct: a.step.Direct, Device: a.device})
	if err == nil {
		a.sessions[session.User] = session
	}
	if !right {
		err = nil // to fail is what a spray does
	}
	return []directory.Record{r}, err
}

func addCredential(a *act) ([]directory.Record, error) {
	name := a.step.Applications[a.n%len(a.step.Applications)]
	sp, ok := a.d.FindPrincipal(name)
	if !ok {
		return nil, fmt.Errorf("application %s: %w", name, directory.ErrNotFound)
	}
	holder := sp.ID
	if a.step.On != "service-principal" {
		app, ok := a.d.FindApplication(name)
		if !ok {
			return nil, fmt.Errorf("application %s is not the tenant's own: %w", name, directory.ErrNotFound)
		}
		holder = app.ID
	}
	kind := directory.Password
	if a.step.Credential == "certificate" {
		kind = directory.Certificate
	}
	label, life := "", 365*24*time.Hour
	if len(a.step.Names) > 0 {
		label = a.pick(a.step.Names)
	}
	if a.step.Life > 0 {
		life = time.Duration(a.step.Life)
	}
	key, c, err := a.d.AddCredential(a.by, holder, kind, label, life)
	if err == nil {
		a.keys[sp.ID] = append(a.keys[sp.ID], key.KeyID)
	}
	a.about(sp.ID)
	return a.change(c, err)
}

func readMail(a *act) ([]directory.Record, error) {
	folder := "Inbox"
	if len(a.step.Folders) > 0 {
		folder = a.pick(a.step.Folders)
	}
	return a.d.ReadMail(a.by, directory.MailAccess{Mailbox: a.target.ID, Folder: folder, Items: a.between(a.step.Items, 1, 8)})
}

// fileNames are what downloaded files are called if the file does not say.
var fileNames = []string{"Plan.docx", "Drawing.pdf", "Forecast.xlsx", "Review.pptx", "Specification.docx", "Measurements.csv", "Minutes.docx", "Archive.zip"}

func download(a *act) ([]directory.Record, error) {
	names := a.step.Names
	if len(names) == 0 {
		names = fileNames
	}
	folder := a.step.Folder
	if folder == "" {
		folder = "Documents"
	}
	name := strconv.Itoa(1000+a.n) + " " + names[int(a.random("file")%uint64(len(names)))]
	return a.d.DownloadFile(a.by, directory.File{Owner: a.target.ID, Path: folder, Name: name, Size: a.between(a.step.Items, 20_000, 8_000_000)})
}

// between draws from the range that the file gives, or from another.
func (a *act) between(given []int, least, most int) int {
	if len(given) == 2 {
		least, most = given[0], given[1]
	}
	return least + int(a.random("items")%uint64(most-least+1))
}

// pick takes the values of a list in turn.
func (a *act) pick(list []string) string { return list[a.n%len(list)] }

// random draws a number that belongs to the act.
func (a *act) random(what string) uint64 {
	return record.Mix(record.Mix(a.seed, wordOf(a.s.Name, a.step.ID, what)), uint64(a.n))
}
