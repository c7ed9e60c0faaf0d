// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// The names of what every simulated tenant has and attacks begin with.
const (
	// LegacyAccount stands before the @ of the test account that never got a
	// second factor.
	LegacyAccount = "legacy.test"
	// LegacyApplication is the test application from long ago that still has
	// the rights it was tried out with, and which the legacy account owns.
	LegacyApplication = "Mailflow Prototype (test)"
	// ExchangeOnline and MicrosoftGraph are the services whose rights matter.
	ExchangeOnline = "Office 365 Exchange Online"
	MicrosoftGraph = "Microsoft Graph"
	SharePoint     = "Office 365 SharePoint Online"
)

// firstParty are Microsoft's service principals, with the application ids that
// they have in every tenant and the rights on them that applications can be
// given (names and ids as in Microsoft's permission reference).
var firstParty = []struct {
	appID, name string
	names       []string
	roles       []AppRole
}{
	{"00000003-0000-0000-c000-000000000000", MicrosoftGraph, []string{"https://graph.microsoft.com"}, []AppRole{
		{mustID("1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9"), "Application.ReadWrite.All", "Read and write all applications"},
		{mustID("06b708a9-e830-4db3-a914-8e69da51d44f"), "AppRoleAssignment.ReadWrite.All", "Manage app permission grants and app role assignments"},
		{mustID("8e8e4742-1d95-4f68-9d56-6ee75648c72a"), "DelegatedPermissionGrant.ReadWrite.All", "Manage all delegated permission grants"},
		{mustID("9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"), "RoleManagement.ReadWrite.Directory", "Read and write all directory RBAC settings"},
		{mustID("19dbc75e-c2e2-444c-a770-ec69d8559fc7"), "Directory.ReadWrite.All", "Read and write directory data"},
		{mustID("7ab1d382-f21e-4acd-a863-ba3e13f7da61"), "Directory.Read.All", "Read directory data"},
		{mustID("741f803b-c850-494e-b5df-cde7c675a1ca"), "User.ReadWrite.All", "Read and write all users' full profiles"},
		{mustID("df021288-bdef-4463-88db-98f22de89214"), "User.Read.All", "Read all users' full profiles"},
		{mustID("50483e42-d915-4231-9639-7fdb7fd190e5"), "UserAuthenticationMethod.ReadWrite.All", "Read and write all users' authentication methods"},
		{mustID("1138cb37-bd11-4084-a2b7-9f71582aeddb"), "Device.ReadWrite.All", "Read and write devices"},
		{mustID("810c84a8-4a9e-49e6-bf7d-12d183f40d01"), "Mail.Read", "Read mail in all mailboxes"},
		{mustID("e2a3a72e-5f79-4c64-b1b1-878b674786c9"), "Mail.ReadWrite", "Read and write mail in all mailboxes"},
		{mustID("b633e1c5-b582-4048-a93e-9f11b44c7e96"), "Mail.Send", "Send mail as any user"},
		{mustID("6931bccd-447a-43d1-b442-00a195474933"), "MailboxSettings.ReadWrite", "Read and write all user mailbox settings"},
		{mustID("01d4889c-1287-42c6-ac1f-5d1e02578ef6"), "Files.Read.All", "Read files in all site collections"},
		{mustID("332a536c-c7ef-4017-ab91-336970924f0d"), "Sites.Read.All", "Read items in all site collections"},
		{mustID("b0afded3-3588-46d8-8b3d-9842eff778da"), "AuditLog.Read.All", "Read all audit log data"},
		{mustID("6e472fd1-ad78-48da-a0f0-97ab2c6b769e"), "IdentityRiskEvent.Read.All", "Read all identity risk event information"},
		{mustID("dc5007c0-2d7d-4c42-879c-2dab87571379"), "IdentityRiskyUser.Read.All", "Read all identity risky user information"},
		{mustID("472e4a4d-bb4a-4026-98d1-0b0d74cb74a5"), "SecurityAlert.Read.All", "Read all security alerts"},
		{mustID("45cc0394-e837-488b-a098-1918f48d186c"), "SecurityIncident.Read.All", "Read all security incidents"},
		{record.HashText("ExchangeMessageTrace.Read.All"), "ExchangeMessageTrace.Read.All", "Read message traces"}, // its id is documented nowhere
		{mustID("9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30"), "Application.Read.All", "Read all applications"},
		{mustID("498476ce-e0fe-48b0-b801-37ba7e2685c6"), "Organization.Read.All", "Read organization information"},
	}},
	{"00000002-0000-0ff1-ce00-000000000000", ExchangeOnline, []string{"https://outlook.office365.com/", "https://outlook.office.com/", "https://ps.outlook.com/"}, []AppRole{
		{mustID("dc890d15-9560-4a4c-9b7f-a736ec74ec40"), "full_access_as_app", "Use Exchange Web Services with full access to all mailboxes"},
		{mustID("dc50a0fb-09a3-484d-be87-e023b12c6440"), "Exchange.ManageAsApp", "Manage Exchange As Application"},
	}},
	{"00000003-0000-0ff1-ce00-000000000000", SharePoint, []string{"Microsoft.SharePoint"}, []AppRole{
		{mustID("678536fe-1083-478a-9c59-b99265e6b0d3"), "Sites.FullControl.All", "Have full control of all site collections"},
	}},
	{"c5393580-f805-4401-95e8-94b7a6ef2fc2", "Office 365 Management APIs", []string{"https://manage.office.com", "https://manage-gcc.office.com"}, []AppRole{
		{mustID("594c1fb6-4f81-4475-ae41-0c394909246c"), "ActivityFeed.Read", "Read activity data for your organization"},
		{mustID("4807a72c-ad38-4250-94c9-4eabfe26cd55"), "ActivityFeed.ReadDlp", "Read DLP policy events including detected sensitive data"},
	}},
	{"00000002-0000-0000-c000-000000000000", "Windows Azure Active Directory", []string{"https://graph.windows.net"}, nil},
	{"c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure Portal", nil, nil},
	{"1b730954-1685-4b74-9bfd-dac224a7b894", "Azure Active Directory PowerShell", nil, nil},
	{"d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office", nil, nil},
	{"9199bf20-a13f-4107-85dc-02114787ef48", "One Outlook Web", nil, nil},
}

// lineOfBusiness are the applications that the company made for itself, beside
// its services.
var lineOfBusiness = []struct {
	name  string
	roles []string // on the Graph
	keys  []string
}{
	{"Travel Desk", []string{"User.Read.All"}, []string{"production 2024"}},
	{"Invoice Reader", []string{"Mail.Read"}, []string{"rotation A", "rotation B"}},
	{"Site Inventory", []string{"Sites.Read.All"}, []string{"pipeline"}},
	{LegacyApplication, []string{"AppRoleAssignment.ReadWrite.All", "Application.ReadWrite.All", "Directory.ReadWrite.All"}, []string{"first try"}},
}

// serviceRoles are the rights of the company's services, in their order.
var serviceRoles = [][]string{{"Files.Read.All", "Mail.Read"}, {"User.ReadWrite.All"}, {"Mail.Read"}, {"AuditLog.Read.All", "Directory.Read.All"}}

// seed makes the tenant as it stands before anything happens.
func (d *Directory) seed() {
	for _, f := range firstParty {
		sp := ServicePrincipal{ID: d.derived("principal", f.appID), AppID: mustID(f.appID), DisplayName: f.name, Names: f.names, FirstParty: true, Enabled: true, Created: day(2015, 1, 5), AppRoles: f.roles}
		d.state.principals[sp.ID] = &sp
	}
	admins := d.company.Admins()
	for i, n := range admins {
		roles := []string{"User Administrator", "Exchange Administrator", "Application Administrator", "Security Reader"}
		if i < 2 {
			roles = []string{globalAdministrator}
		}
		d.member(roles[i%len(roles)], d.company.Person(n).ObjectID)
	}
	legacy := User{
		ID: d.derived("user", LegacyAccount), UPN: LegacyAccount + "@" + d.domain, DisplayName: "Legacy Test", Department: "IT", Person: -1,
		Enabled: true, WeakSignIn: true, Created: day(2017, 3, 14), PasswordChanged: day(2017, 3, 14),
	}
	legacy.PUID = puid(legacy.ID)
	d.state.users[legacy.ID] = &legacy
	for i, l := range lineOfBusiness {
		owner := legacy.ID
		if l.name != LegacyApplication {
			owner = d.company.Person(admins[i%len(admins)]).ObjectID
		}
		a := Application{ID: d.derived("application", l.name), AppID: d.derived("app", l.name), DisplayName: l.name, Created: day(2018+i, 6, 1), Owners: []ID{owner}, Credentials: d.keys(l.name, day(2018+i, 6, 1), l.keys...)}
		d.state.apps[a.ID] = &a
		d.principal(ServicePrincipal{ID: d.derived("principal", l.name), AppID: a.AppID, DisplayName: l.name, Enabled: true, Created: a.Created}, l.roles)
	}
	for i, s := range d.company.Services() {
		d.principal(ServicePrincipal{ID: s.PrincipalID, AppID: s.AppID, DisplayName: s.Name, Enabled: true, Created: day(2021, 9, 1), Credentials: d.keys(s.Name, day(2021, 9, 1), "tenant certificate")}, serviceRoles[i%len(serviceRoles)])
	}
	d.indexLocked()
}

func day(year int, month time.Month, of int) time.Time {
	return time.Date(year, month, of, 9, 0, 0, 0, time.UTC)
}

// keys are credentials from before: people used to make them for ever, which
// the portal wrote as the end of 2299.
func (d *Directory) keys(of string, start time.Time, names ...string) []Credential {
	list := make([]Credential, len(names))
	for i, name := range names {
		list[i] = Credential{KeyID: d.derived("key", of, name), Kind: Password, DisplayName: name, Start: start, End: day(2299, 12, 30)}
		if name == "tenant certificate" {
			list[i].Kind = Certificate
		}
	}
	return list
}

func (d *Directory) principal(sp ServicePrincipal, graphRoles []string) {
	d.state.principals[sp.ID] = &sp
	graph := d.state.principals[d.derived("principal", firstParty[0].appID)]
	for _, r := range graph.AppRoles {
		for _, value := range graphRoles {
			if r.Value == value {
				a := AppRoleAssignment{ID: record.Hash(wordOf(sp.ID), wordOf(r.ID)), Principal: sp.ID, Resource: graph.ID, Role: r.ID, Created: sp.Created}
				d.state.assignments[a.ID] = &a
			}
		}
	}
}

func (d *Directory) member(role string, principal ID) {
	id, _, ok := roleByName(role)
	if !ok {
		panic("directory: there is no role " + role)
	}
	r := RoleAssignment{ID: record.Hash(wordOf(id), wordOf(principal)), Role: id, Principal: principal, Created: day(2019, 2, 1)}
	d.state.roles[r.ID] = &r
}

// ServiceNames are the services that rights can be given on.
func ServiceNames() []string {
	var names []string
	for _, f := range firstParty {
		if len(f.roles) > 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// ApplicationNames are the display names of the applications that every tenant
// begins with, apart from the company's services.
func ApplicationNames() []string {
	var names []string
	for _, f := range firstParty {
		names = append(names, f.name)
	}
	for _, l := range lineOfBusiness {
		names = append(names, l.name)
	}
	return append(names, Collector)
}

// AppRoleValues are the rights that applications can be given on a service.
func AppRoleValues(service string) []string {
	var values []string
	for _, f := range firstParty {
		if f.name == service {
			for _, r := range f.roles {
				values = append(values, r.Value)
			}
		}
	}
	return values
}
