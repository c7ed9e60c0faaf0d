// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"slices"
	"strings"
	"time"
)

// Applications are the tenant's own applications.
func (d *Directory) Applications() []Application {
	d.mu.Lock()
	defer d.mu.Unlock()
	return collect(d.state.apps, func(a *Application) bool { return !a.Deleted })
}

// Principals are the service principals.
func (d *Directory) Principals() []ServicePrincipal {
	d.mu.Lock()
	defer d.mu.Unlock()
	return collect(d.state.principals, func(sp *ServicePrincipal) bool { return !sp.Deleted })
}

// Application returns an application by its object id.
func (d *Directory) Application(id ID) (Application, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return get(d.state.apps, id)
}

// Principal returns a service principal by its object id.
func (d *Directory) Principal(id ID) (ServicePrincipal, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return get(d.state.principals, id)
}

// FindPrincipal finds a service principal by its application's id or its
// display name.
func (d *Directory) FindPrincipal(name string) (ServicePrincipal, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := collect(d.state.principals, func(sp *ServicePrincipal) bool {
		return !sp.Deleted && (strings.EqualFold(sp.DisplayName, name) || sp.AppID.String() == name)
	})
	if len(list) == 0 {
		return ServicePrincipal{}, false
	}
	return list[0], true
}

// FindApplication finds one of the tenant's own applications in the same way.
func (d *Directory) FindApplication(name string) (Application, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := collect(d.state.apps, func(a *Application) bool {
		return !a.Deleted && (strings.EqualFold(a.DisplayName, name) || a.AppID.String() == name)
	})
	if len(list) == 0 {
		return Application{}, false
	}
	return list[0], true
}

func get[T any](t table[T], id ID) (v T, ok bool) {
	if p := t[id]; p != nil {
		return *p, true
	}
	return v, false
}

// Mailbox returns how an account's mailbox is set up.
func (d *Directory) Mailbox(owner ID) Mailbox {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mailboxLocked(owner)
}

// RoleMembers are the members of a directory role.
func (d *Directory) RoleMembers(role string) []RoleAssignment {
	id, _, _ := roleByName(role)
	d.mu.Lock()
	defer d.mu.Unlock()
	return collect(d.state.roles, func(r *RoleAssignment) bool { return r.Role == id })
}

// Assignments are the app roles that a principal has been given.
func (d *Directory) Assignments(principal ID) []AppRoleAssignment {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.assignmentsLocked(principal)
}

// AssignedTo are the app roles on a service that principals have been given.
func (d *Directory) AssignedTo(resource ID) []AppRoleAssignment {
	d.mu.Lock()
	defer d.mu.Unlock()
	return collect(d.state.assignments, func(a *AppRoleAssignment) bool { return a.Resource == resource })
}

// Grants are the delegated permission grants that a principal has been given,
// or, of a user, has given.
func (d *Directory) Grants(principal ID) []Grant {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.grantsLocked(principal)
}

// Devices are the devices that were registered since the beginning and belong
// to an account.
func (d *Directory) Devices(owner ID) []Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	return collect(d.state.devices, func(v *Device) bool { return v.Owner == owner && !v.Deleted })
}

// Sessions are the live sessions of an account.
func (d *Directory) Sessions(user ID) []Session {
	d.mu.Lock()
	defer d.mu.Unlock()
	return collect(d.state.sessions, func(s *Session) bool { return s.User == user && d.sessionLiveLocked(s.ID) })
}

// Tokens are the newest sign-ins of applications, failed ones too, oldest
// first: what the Graph lists as service principal sign-ins. The Management
// Activity API has no records of them.
func (d *Directory) Tokens() []Token {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.state.tokens)
}

// Foothold is one thing by which a principal could still act, or by which
// somebody could act as it.
type Foothold struct {
	Kind   string // credential, owner, app-role, grant, role, session, method, device, inbox-rule, forwarding, mailbox-permission, audit-bypass, token, enabled
	ID     ID     // of the thing; of the principal where it has none of its own
	On     ID     // what it is on or over, where that is another object
	Detail string
	Since  time.Time
}

// Footholds lists everything that a user or service principal has at a time,
// in a fixed order. A disabled or deleted principal has none that is "enabled",
// but what would be there again if it were enabled is listed.
func (d *Directory) Footholds(principal ID, now time.Time) []Foothold {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []Foothold
	if u, ok := d.userLocked(principal); ok {
		list = d.userFootholdsLocked(u, now)
	} else if sp := d.state.principals[principal]; sp != nil {
		list = d.appFootholdsLocked(sp, now)
	}
	for _, a := range d.assignmentsLocked(principal) {
		list = append(list, Foothold{"app-role", a.ID, a.Resource, d.appRoleLabelLocked(a), a.Created})
	}
	for _, g := range d.grantsLocked(principal) {
		list = append(list, Foothold{"grant", g.ID, g.Resource, g.Scope, g.Created})
	}
	for _, r := range d.memberOfLocked(principal) {
		list = append(list, Foothold{"role", r.ID, r.Role, roleName(r.Role), r.Created})
	}
	return append(list, d.ownedLocked(principal)...)
}

func (d *Directory) userFootholdsLocked(u User, now time.Time) (list []Foothold) {
	if u.Enabled && !u.Deleted {
		list = append(list, Foothold{"enabled", u.ID, ID{}, u.UPN, u.Created})
	}
	for _, s := range collect(d.state.sessions, func(s *Session) bool { return s.User == u.ID && d.sessionLiveLocked(s.ID) && !s.Started.After(now) }) {
		list = append(list, Foothold{"session", s.ID, s.App, s.Address, s.Started})
	}
	for _, m := range u.Methods {
		list = append(list, Foothold{"method", m.ID, ID{}, string(m.Kind), m.Created})
	}
	for _, v := range collect(d.state.devices, func(v *Device) bool { return v.Owner == u.ID && v.Enabled && !v.Deleted }) {
		list = append(list, Foothold{"device", v.ID, ID{}, v.DisplayName, v.Created})
	}
	m := d.mailboxLocked(u.ID)
	for _, r := range m.Rules {
		if r.Enabled {
			list = append(list, Foothold{"inbox-rule", r.ID, u.ID, r.Name, time.Time{}})
		}
	}
	if m.ForwardTo != "" {
		list = append(list, Foothold{"forwarding", u.ID, ID{}, m.ForwardTo, time.Time{}})
	}
	if m.AuditBypass {
		list = append(list, Foothold{"audit-bypass", u.ID, ID{}, u.UPN, time.Time{}})
	}
	for _, b := range collect(d.state.mailboxes, func(*Mailbox) bool { return true }) {
		for _, p := range b.Permissions {
			if p.Trustee == u.ID {
				list = append(list, Foothold{"mailbox-permission", b.Owner, b.Owner, p.Rights, time.Time{}})
			}
		}
	}
	return list
}

func (d *Directory) appFootholdsLocked(sp *ServicePrincipal, now time.Time) (list []Foothold) {
	if sp.Enabled && !sp.Deleted {
		list = append(list, Foothold{"enabled", sp.ID, ID{}, sp.DisplayName, sp.Created})
	}
	for _, h := range d.holdersLocked(sp) {
		for _, k := range *h.credentials {
			if now.Before(k.End) {
				list = append(list, Foothold{"credential", k.KeyID, h.name.id, string(k.Kind) + " " + k.DisplayName, k.Start})
			}
		}
		for _, o := range *h.owners {
			list = append(list, Foothold{"owner", o, h.name.id, d.referenceLocked(o).label(), time.Time{}})
		}
	}
	for _, t := range d.state.tokens {
		if t.Principal == sp.ID && t.Error == 0 && !t.Issued.After(now) && now.Before(t.Expires) {
			list = append(list, Foothold{"token", t.ID, t.Resource, t.Address, t.Issued})
		}
	}
	return list
}

// holdersLocked are the two objects that an application's credentials can sit
// on: the service principal and, if it is the tenant's own, the application.
func (d *Directory) holdersLocked(sp *ServicePrincipal) []holder {
	n := *sp
	list := []holder{{principalReference(sp), &n.Owners, &n.Credentials}}
	for _, a := range collect(d.state.apps, func(a *Application) bool { return a.AppID == sp.AppID && !a.Deleted }) {
		list = append(list, holder{applicationReference(&a), &a.Owners, &a.Credentials})
	}
	return list
}

// ownedLocked are the applications and service principals that the principal
// owns and can therefore give itself a credential of.
func (d *Directory) ownedLocked(principal ID) (list []Foothold) {
	for _, a := range collect(d.state.apps, func(a *Application) bool { return !a.Deleted && slices.Contains(a.Owners, principal) }) {
		list = append(list, Foothold{"owner", principal, a.ID, a.DisplayName, time.Time{}})
	}
	for _, sp := range collect(d.state.principals, func(sp *ServicePrincipal) bool { return !sp.Deleted && slices.Contains(sp.Owners, principal) }) {
		list = append(list, Foothold{"owner", principal, sp.ID, sp.DisplayName, time.Time{}})
	}
	return list
}

func (d *Directory) appRoleLabelLocked(a AppRoleAssignment) string {
	service := d.state.principals[a.Resource]
	if service == nil {
		return a.Role.String()
	}
	for _, r := range service.AppRoles {
		if r.ID == a.Role {
			return service.DisplayName + ": " + r.Value
		}
	}
	return service.DisplayName + ": user"
}
