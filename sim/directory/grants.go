// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

// AssignAppRole gives a service principal a role on a service: what lets an
// application act without a user.
func (d *Directory) AssignAppRole(by By, principal, resource ID, value string) (AppRoleAssignment, *Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.mayLocked(by, "assign app role", toAssignRoles); err != nil {
		return AppRoleAssignment{}, nil, err
	}
	c := &Change{}
	a, err := d.assignLocked(by, c, principal, resource, value)
	if err != nil {
		return AppRoleAssignment{}, nil, err
	}
	d.writeLocked(by, c)
	return a, c, nil
}

func (d *Directory) assignLocked(by By, c *Change, principal, resource ID, value string) (AppRoleAssignment, error) {
	client, service := d.state.principals[principal], d.state.principals[resource]
	if client == nil || client.Deleted || service == nil || service.Deleted {
		return AppRoleAssignment{}, fmt.Errorf("assign app role: service principal %s on %s: %w", principal, resource, ErrNotFound)
	}
	i := slices.IndexFunc(service.AppRoles, func(r AppRole) bool { return r.Value == value })
	if i < 0 {
		return AppRoleAssignment{}, fmt.Errorf("assign app role: %s has no role %.60q: %w", service.DisplayName, value, ErrNotFound)
	}
	role := service.AppRoles[i]
	for _, a := range d.state.assignments {
		if a.Principal == principal && a.Resource == resource && a.Role == role.ID {
			return AppRoleAssignment{}, fmt.Errorf("assign app role: %s has %s already: %w", client.DisplayName, value, ErrConflict)
		}
	}
	a := AppRoleAssignment{ID: d.newIDLocked(), Principal: principal, Resource: resource, Role: role.ID, Created: by.Time.UTC()}
	replace(c, d.state.assignments, a.ID, &a)
	e := assignmentEntry(service, client, role)
	c.log(e, e.undone("Remove app role assignment from service principal."))
	return a, nil
}

func assignmentEntry(service, client *ServicePrincipal, role AppRole) entry {
	return entry{operation: "Add app role assignment to service principal.", category: "ServicePrincipal", target: principalReference(service), modified: linked(
		"AppRole.Id", role.ID.String(), "AppRole.Value", role.Value, "AppRole.DisplayName", role.DisplayName,
		"ServicePrincipal.ObjectID", client.ID.String(), "ServicePrincipal.DisplayName", client.DisplayName,
		"ServicePrincipal.AppId", client.AppID.String(), "ServicePrincipal.Name", client.AppID.String(),
	)}
}

// RemoveAppRoleOf takes the assignment of a role on a service away, by the role's value.
func (d *Directory) RemoveAppRoleOf(by By, principal, resource ID, value string) (*Change, error) {
	service, _ := d.Principal(resource)
	for _, a := range d.Assignments(principal) {
		for _, r := range service.AppRoles {
			if a.Resource == resource && a.Role == r.ID && r.Value == value {
				return d.RemoveAppRole(by, a.ID)
			}
		}
	}
	return nil, fmt.Errorf("remove app role %.40q of %s: %w", value, principal, ErrNotFound)
}

// RemoveAppRole takes an app role assignment away.
func (d *Directory) RemoveAppRole(by By, id ID) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.state.assignments[id]
	if a == nil {
		return nil, fmt.Errorf("remove app role assignment: %s: %w", id, ErrNotFound)
	}
	if err := d.mayLocked(by, "remove app role assignment", toAssignRoles); err != nil {
		return nil, err
	}
	c := &Change{}
	d.unassignLocked(c, *a)
	d.writeLocked(by, c)
	return c, nil
}

func (d *Directory) unassignLocked(c *Change, a AppRoleAssignment) {
	replace(c, d.state.assignments, a.ID, nil)
	service := d.state.principals[a.Resource]
	if client := d.state.principals[a.Principal]; client != nil {
		role := AppRole{ID: a.Role}
		if i := slices.IndexFunc(service.AppRoles, func(r AppRole) bool { return r.ID == a.Role }); i >= 0 {
			role = service.AppRoles[i]
		}
		e := assignmentEntry(service, client, role)
		c.log(e.undone("Remove app role assignment from service principal."), e)
	} else if u, ok := d.userLocked(a.Principal); ok {
		e := userAssignmentEntry(service, &u)
		c.log(e.undone("Remove app role assignment from user."), e)
	}
}

// userAssignmentEntry: consent makes the user one of the application's users.
func userAssignmentEntry(app *ServicePrincipal, u *User) entry {
	return entry{operation: "Add app role assignment grant to user.", category: "User", target: principalReference(app), modified: linked(
		"AppRole.Id", ID{}.String(), "AppRole.Value", "", "AppRole.DisplayName", "",
		"User.ObjectID", u.ID.String(), "User.UPN", u.UPN, "User.PUID", u.PUID,
	)}
}

// Consent lets an application act on a service: for the user who consents, or,
// by an administrator, for everybody. A user may consent for himself, which is
// the tenant's default.
func (d *Directory) Consent(by By, client, resource ID, scope string, everybody bool) (Grant, *Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	need := d.anyUserLocked(by.Actor)
	if everybody {
		need = ID{0xff}
	}
	if err := d.mayLocked(by, "consent", toGrant, need); err != nil {
		return Grant{}, nil, err
	}
	app, service := d.state.principals[client], d.state.principals[resource]
	if app == nil || app.Deleted || service == nil || service.Deleted {
		return Grant{}, nil, fmt.Errorf("consent: service principal %s on %s: %w", client, resource, ErrNotFound)
	}
	if scope = strings.Join(strings.Fields(scope), " "); scope == "" {
		return Grant{}, nil, fmt.Errorf("consent: no scopes given, for example \"Mail.Read offline_access\"")
	}
	g := Grant{ID: d.newIDLocked(), Client: client, Resource: resource, Scope: scope, Created: by.Time.UTC()}
	if !everybody {
		g.Principal = by.Actor
	}
	for _, other := range d.state.grants {
		if other.Client == client && other.Resource == resource && other.Principal == g.Principal {
			return Grant{}, nil, fmt.Errorf("consent: %s has a grant on %s already: %w", app.DisplayName, service.DisplayName, ErrConflict)
		}
	}
	c := &Change{}
	replace(c, d.state.grants, g.ID, &g)
	e := d.grantEntry(&g)
	c.log(e, e.undone("Remove delegated permission grant."))
	if u, ok := d.userLocked(by.Actor); ok && !d.usesLocked(u.ID, client) {
		a := AppRoleAssignment{ID: d.newIDLocked(), Principal: u.ID, Resource: client, Created: by.Time.UTC()}
		replace(c, d.state.assignments, a.ID, &a)
		e := userAssignmentEntry(app, &u)
		c.log(e, e.undone("Remove app role assignment from user."))
	}
	c.log(consentEntry(app, &g, everybody), entry{operation: "Revoke consent.", category: "ServicePrincipal", target: principalReference(app)})
	d.writeLocked(by, c)
	return g, c, nil
}

func (d *Directory) usesLocked(user, app ID) bool {
	for _, a := range d.state.assignments {
		if a.Principal == user && a.Resource == app {
			return true
		}
	}
	return false
}

func (g *Grant) consentType() string {
	if g.Principal.IsZero() {
		return "AllPrincipals"
	}
	return "Principal"
}

// graphID is the grant's id as the Graph and consent records write it: it is
// made of those whom it ties.
func (g *Grant) graphID() string {
	b := append(append(bytes.Clone(g.Client[:]), g.Resource[:]...), g.Principal[:]...)
	if g.Principal.IsZero() {
		b = b[:32]
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (d *Directory) grantEntry(g *Grant) entry {
	app, service := d.state.principals[g.Client], d.state.principals[g.Resource]
	return entry{operation: "Add delegated permission grant.", category: "ServicePrincipal", target: principalReference(service), modified: linked(
		"DelegatedPermissionGrant.Scope", g.Scope, "DelegatedPermissionGrant.ConsentType", g.consentType(),
		"ServicePrincipal.ObjectID", app.ID.String(), "ServicePrincipal.DisplayName", app.DisplayName,
		"ServicePrincipal.AppId", app.AppID.String(), "ServicePrincipal.Name", app.AppID.String(),
	)}
}

func consentEntry(app *ServicePrincipal, g *Grant, everybody bool) entry {
	truth := map[bool]string{true: "True", false: "False"}[everybody]
	principal := ""
	if !g.Principal.IsZero() {
		principal = g.Principal.String()
	}
	return entry{operation: "Consent to application.", category: "ServicePrincipal", target: principalReference(app), modified: linked(
		"ConsentContext.IsAdminConsent", truth, "ConsentContext.IsAppOnly", "False", "ConsentContext.OnBehalfOfAll", truth, "ConsentContext.Tags", "",
		"ConsentAction.Permissions", fmt.Sprintf("[] => [[Id: %s, ClientId: %s, PrincipalId: %s, ResourceId: %s, ConsentType: %s, Scope: %s]]; ", g.graphID(), g.Client, principal, g.Resource, g.consentType(), g.Scope),
	)}
}

// DeleteGrant takes a delegated permission grant away.
func (d *Directory) DeleteGrant(by By, id ID) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g := d.state.grants[id]
	if g == nil {
		return nil, fmt.Errorf("delete grant: %s: %w", id, ErrNotFound)
	}
	if err := d.mayLocked(by, "delete grant", toGrant, g.Principal); err != nil {
		return nil, err
	}
	c := &Change{}
	d.ungrantLocked(c, *g)
	d.writeLocked(by, c)
	return c, nil
}

func (d *Directory) ungrantLocked(c *Change, g Grant) {
	e := d.grantEntry(&g)
	replace(c, d.state.grants, g.ID, nil)
	c.log(e.undone("Remove delegated permission grant."), e)
}

// assignmentsLocked are the app roles that a principal has, in order of id.
func (d *Directory) assignmentsLocked(principal ID) []AppRoleAssignment {
	return collect(d.state.assignments, func(a *AppRoleAssignment) bool { return a.Principal == principal })
}

// grantsLocked are the grants that concern a principal: an application's own,
// or those that a user has given.
func (d *Directory) grantsLocked(principal ID) []Grant {
	return collect(d.state.grants, func(g *Grant) bool { return g.Client == principal || g.Principal == principal })
}

func (d *Directory) memberOfLocked(principal ID) []RoleAssignment {
	return collect(d.state.roles, func(r *RoleAssignment) bool { return r.Principal == principal })
}

// collect returns the values of a table that f wants, in the order of their ids
// so that equal directories give equal lists.
func collect[T any](t table[T], f func(*T) bool) []T {
	ids := make([]ID, 0, 8)
	for id, v := range t {
		if f(v) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b ID) int { return cmp.Compare(string(a[:]), string(b[:])) })
	list := make([]T, len(ids))
	for i, id := range ids {
		list[i] = *t[id]
	}
	return list
}
