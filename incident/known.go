// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import "strings"

// firstPartyNames are applications that Microsoft brings into every tenant, by application id.
// Everybody uses them and every grant of rights names one as the resource, so that they join
// nothing.
//
// From "Verify first-party Microsoft applications in sign-in reports",
// learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in.
var firstPartyNames = map[string]string{
	"00000002-0000-0000-c000-000000000000": "Windows Azure Active Directory",
	"00000002-0000-0ff1-ce00-000000000000": "Office 365 Exchange Online",
	"00000003-0000-0000-c000-000000000000": "Microsoft Graph",
	"00000003-0000-0ff1-ce00-000000000000": "Office 365 SharePoint Online",
	"00000006-0000-0ff1-ce00-000000000000": "Microsoft Office 365 Portal",
	"00000007-0000-0000-c000-000000000000": "Common Data Service",
	"0000000c-0000-0000-c000-000000000000": "Microsoft App Access Panel",
	"00000005-0000-0000-c000-000000000000": "Yammer",
	"00b41c95-dab0-4487-9791-b9d2c32c80f2": "Office 365 Management",
	"c5393580-f805-4401-95e8-94b7a6ef2fc2": "Office 365 Management APIs",
	"04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
	"14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
	"1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
	"1b730954-1685-4b74-9bfd-dac224a7b894": "Azure Active Directory PowerShell",
	"1fec8e78-bce4-4aaf-ab1b-5451cc387264": "Microsoft Teams",
	"5e3ce6c0-2b1f-4285-8d4b-75ee78787346": "Microsoft Teams Web Client",
	"27922004-5251-4030-b22d-91ecd9a37ea4": "Outlook Mobile",
	"29d9ed98-a469-4536-ade2-f981bc1d605e": "Microsoft Authentication Broker",
	"4765445b-32c6-49b0-83e6-1d93765276ca": "OfficeHome",
	"4b233688-031c-404b-9a80-a4f3f2351f90": "Universal Store Native Client",
	"5d661950-3475-41cd-a2c3-d671a3162bc1": "Microsoft Outlook",
	"797f4846-ba00-4fd7-ba43-dac1f8f63013": "Windows Azure Service Management API",
	"872cd9fa-d31f-45e0-9eab-6e460a02d1f1": "Visual Studio",
	"89bee1f7-5e6e-4d8a-9f3d-ecd601259da7": "Office365 Shell WCSS-Client",
	"9199bf20-a13f-4107-85dc-02114787ef48": "One Outlook Web",
	"9bc3ab49-b65d-410a-85ad-de819febfddc": "Microsoft SharePoint Online Management Shell",
	"ab9b8c07-8f02-4f72-87fa-80105867a763": "OneDrive SyncEngine",
	"af124e86-4e96-495a-b70a-90f90ab96707": "OneDrive iOS App",
	"c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure Portal",
	"d3590ed6-52b3-4102-aeff-aad2292ab01c": "Microsoft Office",
	"fb78d390-0c51-40cd-8e17-fdbfab77341b": "Microsoft Exchange REST API Based PowerShell",
	"fc780465-2017-40d4-a0c5-307022471b92": "WindowsDefenderATP",
	"fdf9885b-dd37-42bf-82e5-c3129ef5a302": "Azure Multi-Factor Auth Client",
	"19db86c3-b2b9-44cc-b339-36da233a3be2": "My Signins",
}

// firstParty are their ids and names, in lower case.
var firstParty = func() map[string]bool {
	set := map[string]bool{}
	for id, name := range firstPartyNames {
		set[id], set[strings.ToLower(name)] = true, true
	}
	return set
}()

// Microsoft reports whether an application is one of those that Microsoft brings into every tenant, by its id.
func Microsoft(application string) bool { return firstParty[strings.ToLower(application)] }

// nobodies are what records have in the place of an account when nobody acted, or
// everybody.
var nobodies = setOf(
	"00000000-0000-0000-0000-000000000000", "unknown", "not available", "not specified", "anonymous", "-", "null",
	"s-1-5-18", "s-1-0-0", `nt authority\system`, "nt authority\\system (microsoft.exchange.servicehost)", "system",
	"app@sharepoint", "sharepoint app", `i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint`, `sharepoint\system`,
	"microsoft intune", "microsoft approval management", "fim_password_service@support.onmicrosoft.com", "windows azure service management api",
	"device registration service", "azure mfa strongauthenticationservice", "certmgr", "everyone", "urn:spo:anon",
)

func setOf(list ...string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}
