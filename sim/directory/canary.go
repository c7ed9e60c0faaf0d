// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"strings"

	"github.com/daybreak-sec/daybreak/sim/company"
	"github.com/daybreak-sec/daybreak/sim/record"
)

// canary is the application of canaries, and what it may touch.
type canary struct {
	principal, mailbox ID
	description        string // of the group
}

// canaryName is what the application and all that it touches is called.
const canaryName = "canary-target"

// CanaryTargets are what the application of canaries may touch: the description of a group, the files of a document
// library, and a mailbox by the address of its account. Nothing else is there.
func (d *Directory) CanaryTargets() (group ID, drive, mailbox string) {
	return d.derived("group", canaryName), "b!" + tokenText(d.derived("drive", canaryName)) + tokenText(d.derived("site", canaryName)), canaryName + "@" + d.domain
}

// JoinCanary makes the application of canaries a part of the tenant: a service principal without any right of the whole
// tenant, the account whose mailbox it may use, and what else it may touch.
func (d *Directory) JoinCanary(appID, principal ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.canary != nil {
		return
	}
	_, _, address := d.CanaryTargets()
	account := User{
		ID: d.derived("user", canaryName), UPN: address, DisplayName: canaryName, Person: -1, Enabled: true, Created: day(2025, 5, 12),
		PasswordChanged: day(2025, 5, 12),
	}
	account.PUID = puid(account.ID)
	d.state.users[account.ID] = &account
	d.state.principals[principal] = &ServicePrincipal{ID: principal, AppID: appID, DisplayName: canaryName, Enabled: true, Created: day(2025, 5, 12)}
	d.canary = &canary{principal: principal, mailbox: account.ID}
	d.indexLocked()
}

// canaryLocked checks that it is the application of canaries that acts, on what it may touch.
func (d *Directory) canaryLocked(by By, what string, its bool) error {
	switch {
	case d.canary == nil || by.Actor != d.canary.principal:
		return fmt.Errorf("%s: %s may not: %w", what, d.referenceLocked(by.Actor).label(), ErrDenied)
	case !its:
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return nil
}

// DescribeGroup changes the description of the group.
func (d *Directory) DescribeGroup(by By, group ID, text string) ([]Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	its, _, _ := d.CanaryTargets()
	if err := d.canaryLocked(by, "describe group", group == its); err != nil {
		return nil, err
	}
	c := &Change{}
	c.log(entry{
		operation: "Update group.", category: "Group", target: reference{kind: "Group", id: group, name: canaryName},
		modified: updated(property{"Description", quoted(text), quoted(d.canary.description)}),
	}, entry{})
	d.canary.description = text
	d.writeLocked(by, c)
	return c.Records, nil
}

// UploadFile puts a file into the document library, RecycleFile moves it to the recycle bin.
func (d *Directory) UploadFile(by By, drive, name string, size int) ([]Record, error) {
	return d.changeFile(by, "FileUploaded", drive, name, size)
}

// RecycleFile is the counterpart of UploadFile. Whether the file is there is not known here.
func (d *Directory) RecycleFile(by By, drive, name string) ([]Record, error) {
	return d.changeFile(by, "FileRecycled", drive, name, 0)
}

// changeFile writes the record of an application's work on a file, in the form of the schema's SharePoint file operations.
func (d *Directory) changeFile(by By, operation, drive, name string, size int) ([]Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, its, _ := d.CanaryTargets()
	if err := d.canaryLocked(by, operation, drive == its); err != nil || d.loggingLocked().UnifiedAuditOff {
		return nil, err
	}
	brand, _, _ := strings.Cut(d.domain, ".")
	site := "https://" + brand + ".sharepoint.example/sites/" + canaryName + "/"
	app := d.state.principals[by.Actor]
	h := record.Header{
		Time: by.Time, Operation: operation, Type: typeFileOperation, UserKey: "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint", UserType: 5,
		Workload: "SharePoint", ClientIP: by.Address, ObjectID: site + "Shared Documents/" + name, UserID: "app@sharepoint",
	}
	w, r := d.beginLocked(company.SharePoint, &h)
	correlation := d.newIDLocked()
	w.Object("AppAccessContext")
	w.GUID("ClientAppId", app.AppID)
	w.Str("ClientAppName", app.DisplayName)
	w.GUID("CorrelationId", correlation)
	w.Str("UniqueTokenId", tokenText(by.Session))
	w.EndObject()
	w.GUID("ApplicationId", app.AppID)
	w.Str("AuthenticationType", "OAuth")
	w.GUID("CorrelationId", correlation)
	w.Str("EventSource", "SharePoint")
	w.Str("ItemType", "File")
	w.GUID("ListId", d.derived("list", canaryName))
	w.GUID("ListItemUniqueId", record.HashText(h.ObjectID))
	w.GUID("Site", d.derived("site", canaryName))
	w.Str("UserAgent", by.UserAgent)
	w.GUID("WebId", d.derived("web", canaryName))
	if operation == "FileUploaded" {
		w.Int("FileSizeBytes", size)
	}
	w.Str("SourceFileExtension", name[strings.LastIndexByte(name, '.')+1:])
	w.Str("SiteUrl", site)
	w.Str("SourceFileName", name)
	w.Str("SourceRelativeUrl", "Shared Documents")
	w.Str("ApplicationDisplayName", app.DisplayName)
	r.Raw = w.End()
	return []Record{r}, nil
}
