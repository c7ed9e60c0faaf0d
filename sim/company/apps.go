// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package company

import "github.com/daybreak-sec/daybreak/sim/record"

// application is one that people sign in to or through. The provider's own ones
// have the ids that they have everywhere.
type application struct {
	key      uint64
	id, name string
	resource string // what a sign-in to it is for
	api      string // APIId of what it does in other workloads
	request  string // RequestType of its sign-ins
}

const (
	idExchange   = "00000002-0000-0ff1-ce00-000000000000"
	idSharePoint = "00000003-0000-0ff1-ce00-000000000000"
	idGraph      = "00000003-0000-0000-c000-000000000000"
	idAAD        = "00000002-0000-0000-c000-000000000000"
)

var (
	appOffice     = &application{1, "d3590ed6-52b3-4102-aeff-aad2292ab01c", "Microsoft Office", idExchange, "", "OAuth2:Authorize"}
	appTeams      = &application{2, "1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Microsoft Teams", idGraph, "", "OAuth2:Authorize"}
	appTeamsWeb   = &application{3, "5e3ce6c0-2b1f-4285-8d4b-75ee78787346", "Microsoft Teams Web Client", idGraph, "", "OAuth2:Authorize"}
	appOutlookWeb = &application{4, "9199bf20-a13f-4107-85dc-02114787ef48", "One Outlook Web", idExchange, idExchange, "OAuth2:Authorize"}
	appOneDrive   = &application{5, "ab9b8c07-8f02-4f72-87fa-80105867a763", "OneDrive SyncEngine", idSharePoint, "", "OAuth2:Token"}
	appMobileMail = &application{6, "27922004-5251-4030-b22d-91ecd9a37ea4", "Outlook Mobile", idExchange, idExchange, "OAuth2:Token"}
	appSharePoint = &application{7, "08e18876-6177-487e-b8b5-cf950c1e598c", "SharePoint Online Web Client Extensibility", idSharePoint, "", "OAuth2:Authorize"}
	appOfficeHome = &application{8, "4765445b-32c6-49b0-83e6-1d93765276ca", "OfficeHome", "4765445b-32c6-49b0-83e6-1d93765276ca", "", "Login:login"}
	appOfficeWeb  = &application{9, "2abdc806-e091-4495-9b10-b04d93c3f040", "Office Online Core SSO", idSharePoint, "", "OAuth2:Authorize"}
	appBroker     = &application{10, "29d9ed98-a469-4536-ade2-f981bc1d605e", "Microsoft Authentication Broker", idAAD, "", "OAuth2:Token"}
	appPowerBI    = &application{11, "871c010f-5e61-4fb1-83ac-98610a7e9110", "Power BI", "00000009-0000-0000-c000-000000000000", "", "OAuth2:Authorize"}
)

var peopleApps = []*application{
	appOffice, appOffice, appOffice, appTeams, appTeams, appTeams, appTeamsWeb, appOutlookWeb, appOutlookWeb, appOneDrive, appOneDrive,
	appSharePoint, appSharePoint, appOfficeHome, appOfficeHome, appOfficeWeb, appBroker, appBroker, appPowerBI,
}

var phoneApps = []*application{appMobileMail, appMobileMail, appTeams, appOffice, appBroker}

// app draws the application of the moment.
func (m *moment) app() *application {
	if m.dev.kind == phone {
		return pick(m, phoneApps)
	}
	return pick(m, peopleApps)
}

// Service is an application that works by itself, around the clock.
type Service struct {
	Name        string
	AppID       record.GUID
	PrincipalID record.GUID // of its service principal here
	Account     string      // UPN of the account that it signs in with, if it needs one
}

const (
	serviceBackup = iota
	serviceHR
	serviceArchive
	serviceMonitor
)

var serviceNames = []struct{ name, account, agent string }{
	{"Keelvault Backup", "svc-keelvault", "KeelvaultAgent/9.4 (+graph)"},
	{"Pilotage HR Sync", "svc-pilotage", "PilotageConnector/3.2"},
	{"Lantern Mail Archive", "svc-lantern", "LanternJournal/12.0"},
	{"Tidegate Monitor", "svc-tidegate", "python-requests/2.32.3"},
}

// Services are the applications that work by themselves.
func (c *Company) Services() []Service {
	list := make([]Service, len(serviceNames))
	for i, s := range serviceNames {
		list[i] = Service{s.name, c.serviceApp(i), c.servicePrincipal(i), s.account + "@" + c.domain}
	}
	return list
}

func (c *Company) serviceApp(i int) record.GUID { return record.Hash(c.seed, tagApp, uint64(i)) }

func (c *Company) servicePrincipal(i int) record.GUID {
	return record.Hash(c.seed, tagApp, uint64(i), 1)
}

func (c *Company) serviceObject(i int) record.GUID { return record.Hash(c.seed, tagApp, uint64(i), 2) }
