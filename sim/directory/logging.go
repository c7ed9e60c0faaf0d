// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"strings"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// Logging is what decides, for the whole tenant, what is logged and where logs go. The zero value is a tenant that logs
// all there is, and sends Entra's logs nowhere.
type Logging struct {
	UnifiedAuditOff bool // UnifiedAuditLogIngestionEnabled is false: no record of anything is offered
	MailboxAuditOff bool // AuditDisabled of the organization: what is done in mailboxes is not logged
	Diagnostics     []DiagnosticSetting
	GoneHubs        []string // event hubs that were deleted, by the resource id of the hub
}

// DiagnosticSetting sends categories of Entra's logs to an event hub.
type DiagnosticSetting struct {
	Name       string
	RuleID     string // eventHubAuthorizationRuleId
	Hub        string // eventHubName; empty: one for each category
	Categories []string
}

// HubID is the resource id of the event hub that a setting sends to.
func (s *DiagnosticSetting) HubID() string {
	namespace, _, _ := strings.Cut(s.RuleID, "/authorizationRules/")
	return namespace + "/eventhubs/" + s.Hub
}

// The license that brings full auditing, and one that does not (SKU part number, SKU id, and the service plans that
// matter: Microsoft's "Product names and service plan identifiers for licensing").
const (
	FullLicense  = "SPE_E5"
	PlainLicense = "SPE_E3"
)

// SKUs are the licenses that the tenant has.
var SKUs = []SKU{
	{FullLicense, mustID("06ebc4ee-1bb5-47dd-8120-11324bc54e06"), []ServicePlan{
		{"EXCHANGE_S_ENTERPRISE", mustID("efb87545-963c-4e0d-99df-69c6916d9eb0")}, {"M365_ADVANCED_AUDITING", mustID("2f442157-a11c-46b9-ae5b-6e39ff4e5849")},
	}},
	{PlainLicense, mustID("05e9a617-0261-4cee-bb44-138d3ef5d965"), []ServicePlan{{"EXCHANGE_S_ENTERPRISE", mustID("efb87545-963c-4e0d-99df-69c6916d9eb0")}}},
}

// SKU is a kind of license.
type SKU struct {
	PartNumber string
	ID         ID
	Plans      []ServicePlan
}

// ServicePlan is a part of a license.
type ServicePlan struct {
	Name string
	ID   ID
}

func skuNamed(partNumber string) (SKU, bool) {
	i := slices.IndexFunc(SKUs, func(s SKU) bool { return s.PartNumber == partNumber })
	if i < 0 {
		return SKU{}, false
	}
	return SKUs[i], true
}

// Logging returns the settings.
func (d *Directory) Logging() Logging {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.loggingLocked()
}

func (d *Directory) loggingLocked() Logging {
	if l := d.state.logging[d.tenant]; l != nil {
		return *l
	}
	return Logging{Diagnostics: d.DefaultDiagnostics()}
}

// DefaultDiagnostics are the diagnostic settings that every tenant begins with.
func (d *Directory) DefaultDiagnostics() []DiagnosticSetting {
	return []DiagnosticSetting{{
		Name: "to-siem", Hub: "entra-logs", Categories: []string{"AuditLogs", "SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs"},
		RuleID: "/subscriptions/" + d.derived("subscription", "logs").String() + "/resourceGroups/security/providers/Microsoft.EventHub/namespaces/siem/authorizationRules/send",
	}}
}

// DeleteDiagnostics deletes the diagnostic settings, or makes those again that every tenant begins with.
func (d *Directory) DeleteDiagnostics(by By, gone bool) (*Change, error) {
	if gone {
		return d.SetDiagnostics(by)
	}
	return d.SetDiagnostics(by, d.DefaultDiagnostics()...)
}

// changeLogging changes the settings.
func (d *Directory) changeLogging(by By, what string, need right, f func(l *Logging, c *Change) error) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.mayLocked(by, what, need); err != nil {
		return nil, err
	}
	l := d.loggingLocked()
	l.Diagnostics, l.GoneHubs = slices.Clone(l.Diagnostics), slices.Clone(l.GoneHubs)
	c := &Change{}
	if err := f(&l, c); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	replace(c, d.state.logging, d.tenant, &l)
	d.writeLocked(by, c)
	return c, nil
}

// EnableUnifiedAudit switches the unified audit log on or off. That is logged in either case.
func (d *Directory) EnableUnifiedAudit(by By, on bool) (*Change, error) {
	return d.changeLogging(by, "unified audit", toManageMail, func(l *Logging, c *Change) error {
		if l.UnifiedAuditOff == !on {
			return ErrConflict
		}
		l.UnifiedAuditOff = !on
		set := func(v bool) entry {
			return entry{operation: opAuditConfig, mailbox: "Admin Audit Log Settings", params: [][2]string{{"UnifiedAuditLogIngestionEnabled", truth(v)}}}
		}
		c.log(set(on), set(!on))
		return nil
	})
}

const opAuditConfig = "Set-AdminAuditLogConfig"

// EnableMailboxAudit switches the auditing of mailboxes on or off, for all of them.
func (d *Directory) EnableMailboxAudit(by By, on bool) (*Change, error) {
	return d.changeLogging(by, "mailbox audit", toManageMail, func(l *Logging, c *Change) error {
		if l.MailboxAuditOff == !on {
			return ErrConflict
		}
		l.MailboxAuditOff = !on
		set := func(v bool) entry {
			return entry{operation: "Set-OrganizationConfig", mailbox: d.organization(), params: [][2]string{{"AuditDisabled", truth(!v)}}}
		}
		c.log(set(on), set(!on))
		return nil
	})
}

// SetDiagnostics replaces the diagnostic settings. Azure's own activity log has that, and the audit log of Microsoft 365
// has not.
func (d *Directory) SetDiagnostics(by By, list ...DiagnosticSetting) (*Change, error) {
	return d.changeLogging(by, "diagnostic settings", toManageDiagnostics, func(l *Logging, _ *Change) error {
		l.Diagnostics = slices.Clone(list)
		return nil
	})
}

// DeleteHub deletes an event hub by its resource id, or makes it again.
func (d *Directory) DeleteHub(by By, id string, gone bool) (*Change, error) {
	return d.changeLogging(by, "event hub", toManageDiagnostics, func(l *Logging, _ *Change) error {
		l.GoneHubs = slices.DeleteFunc(l.GoneHubs, func(h string) bool { return h == id })
		if gone {
			l.GoneHubs = append(l.GoneHubs, id)
		}
		return nil
	})
}

// License is the license that an account has: everybody has the full one until it is taken away.
func (d *Directory) License(user ID) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.licenseLocked(user)
}

func (d *Directory) licenseLocked(user ID) string {
	if l := d.state.licenses[user]; l != nil {
		return l.PartNumber
	}
	return FullLicense
}

// License of an account that has not the full one.
type License struct {
	User       ID
	PartNumber string
}

// SetLicense gives an account another license in the place of the one it has.
func (d *Directory) SetLicense(by By, user ID, partNumber string) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.userLocked(user)
	if !ok || u.Deleted {
		return nil, fmt.Errorf("license: user %s: %w", user, ErrNotFound)
	}
	if err := d.mayLocked(by, "license", toManageUsers); err != nil {
		return nil, err
	}
	now, ok := skuNamed(partNumber)
	if !ok {
		return nil, fmt.Errorf("license: the tenant has no %.40q: %w", partNumber, ErrNotFound)
	}
	before, _ := skuNamed(d.licenseLocked(user))
	if before.ID == now.ID {
		return nil, fmt.Errorf("license: %s: %w", u.UPN, ErrConflict)
	}
	c := &Change{}
	row := &License{user, partNumber}
	if partNumber == FullLicense {
		row = nil
	}
	replace(c, d.state.licenses, user, row)
	text := func(s SKU) string {
		return quoted(fmt.Sprintf("[SkuName=%s, AccountId=%s, SkuId=%s, DisabledPlans=[]]", s.PartNumber, d.tenant, s.ID))
	}
	e := entry{operation: "Change user license.", category: "User", target: userReference(&u), modified: updated(property{"AssignedLicense", text(now), text(before)})}
	c.log(e, e.undone(e.operation))
	d.writeLocked(by, c)
	return c, nil
}

// Collector is what the application of a collector is called, where there is one: see [Directory.Join].
const Collector = "Daybreak audit collector (read only)"

// Join makes the application of a collector a part of the tenant: registered, with a service principal and the rights
// that its tokens carry, as far as the tenant's services offer them.
func (d *Directory) Join(appID ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	created := day(2025, 5, 12)
	a := Application{ID: d.derived("application", Collector), AppID: appID, DisplayName: Collector, Created: created}
	a.Credentials = []Credential{{KeyID: d.derived("key", Collector), Kind: Certificate, DisplayName: "collector", Start: created, End: day(2099, 5, 12)}}
	sp := ServicePrincipal{ID: d.derived("principal", Collector), AppID: appID, DisplayName: Collector, Enabled: true, Created: created}
	d.state.apps[a.ID], d.state.principals[sp.ID] = &a, &sp
	for _, service := range d.state.principals {
		for _, r := range service.AppRoles {
			if !slices.Contains(collectorRoles, r.Value) {
				continue
			}
			given := AppRoleAssignment{ID: record.Hash(wordOf(sp.ID), wordOf(r.ID)), Principal: sp.ID, Resource: service.ID, Role: r.ID, Created: created}
			d.state.assignments[given.ID] = &given
		}
	}
	d.member("Security Reader", sp.ID)
	d.indexLocked()
}

var collectorRoles = []string{
	"ActivityFeed.Read", "ActivityFeed.ReadDlp", "AuditLog.Read.All", "Directory.Read.All", "IdentityRiskEvent.Read.All", "Application.Read.All",
	"Organization.Read.All", "User.Read.All", "Exchange.ManageAsApp", "IdentityRiskyUser.Read.All", "SecurityAlert.Read.All", "SecurityIncident.Read.All",
	"ExchangeMessageTrace.Read.All",
}

// Lacks reports whether a right that [Directory.Join] gave has been taken away: tokens do not carry it any more.
func (d *Directory) Lacks(appID ID, role string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	id, ok := d.state.appIDs[appID]
	if !ok || !slices.Contains(collectorRoles, role) {
		return false
	}
	return !d.hasAppRoleLocked(id, []string{role})
}
