// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import "fmt"

const globalAdministrator = "Global Administrator"

// directoryRole is a built-in role.
type directoryRole struct {
	template  string
	name      string
	wellKnown string
}

// directoryRoles are the built-in roles that this tenant knows; the ids are the
// same in every tenant.
var directoryRoles = []directoryRole{
	{"62e90394-69f5-4237-9190-012177145e10", globalAdministrator, "TenantAdmins"},
	{"e8611ab8-c189-46e8-94e1-60213ab1f814", "Privileged Role Administrator", "PrivilegedRoleAdmins"},
	{"9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "Application Administrator", "ApplicationAdministrators"},
	{"158c047a-c907-4556-b7ef-446551a6b5f7", "Cloud Application Administrator", "CloudApplicationAdministrators"},
	{"fe930be7-5e62-47db-91af-98c3a49a38b1", "User Administrator", "UserAccountAdmins"},
	{"c4e39bd9-1100-46d3-8c65-fb160da0071f", "Authentication Administrator", "AuthenticationAdministrators"},
	{"29232cdf-9323-42fd-ade2-1d097af3e4de", "Exchange Administrator", "ExchangeServiceAdmins"},
	{"3a2c62db-5318-420d-8d74-23affee5d9d5", "Intune Administrator", "IntuneServiceAdmins"},
	{"194ae4cb-b126-40b2-bd5b-6091b380977d", "Security Administrator", "SecurityAdmins"},
	{"5d6b6bb7-de71-4623-b4af-96380a352509", "Security Reader", "SecurityReaders"},
	{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b", "Directory Readers", "DirectoryReaders"},
}

// RoleNames are the directory roles there are.
func RoleNames() []string {
	names := make([]string, len(directoryRoles))
	for i, r := range directoryRoles {
		names[i] = r.name
	}
	return names
}

func roleByName(name string) (ID, directoryRole, bool) {
	for _, r := range directoryRoles {
		if r.name == name {
			return mustID(r.template), r, true
		}
	}
	return ID{}, directoryRole{}, false
}

func roleByID(id ID) directoryRole {
	for _, r := range directoryRoles {
		if mustID(r.template) == id {
			return r
		}
	}
	return directoryRole{template: id.String()}
}

func roleName(id ID) string { return roleByID(id).name }

// AddRoleMember makes a user or service principal member of a directory role.
func (d *Directory) AddRoleMember(by By, role string, member ID) (RoleAssignment, *Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.mayLocked(by, "add member to role", toManageRoles); err != nil {
		return RoleAssignment{}, nil, err
	}
	id, _, ok := roleByName(role)
	if !ok {
		return RoleAssignment{}, nil, fmt.Errorf("add member to role: there is no role %.60q: %w", role, ErrNotFound)
	}
	who := d.referenceLocked(member)
	if who.kind == "" {
		return RoleAssignment{}, nil, fmt.Errorf("add member to role: %s: %w", member, ErrNotFound)
	}
	for _, r := range d.memberOfLocked(member) {
		if r.Role == id {
			return RoleAssignment{}, nil, fmt.Errorf("add member to role: %s is %s already: %w", who.label(), role, ErrConflict)
		}
	}
	c := &Change{}
	r := RoleAssignment{ID: d.newIDLocked(), Role: id, Principal: member, Created: by.Time.UTC()}
	replace(c, d.state.roles, r.ID, &r)
	e := d.roleEntry(&r)
	c.log(e, e.undone("Remove member from role."))
	d.writeLocked(by, c)
	return r, c, nil
}

// RemoveRoleMember takes the membership away.
func (d *Directory) RemoveRoleMember(by By, id ID) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.state.roles[id]
	if r == nil {
		return nil, fmt.Errorf("remove member from role: %s: %w", id, ErrNotFound)
	}
	if err := d.mayLocked(by, "remove member from role", toManageRoles); err != nil {
		return nil, err
	}
	c := &Change{}
	d.leaveLocked(c, *r)
	d.writeLocked(by, c)
	return c, nil
}

func (d *Directory) leaveLocked(c *Change, r RoleAssignment) {
	replace(c, d.state.roles, r.ID, nil)
	e := d.roleEntry(&r)
	c.log(e.undone("Remove member from role."), e)
}

// roleEntry: the role's ObjectID is the tenant's own, apart from the template's.
func (d *Directory) roleEntry(r *RoleAssignment) entry {
	role := roleByID(r.Role)
	return entry{operation: "Add member to role.", category: "Role", target: d.referenceLocked(r.Principal), modified: linked(
		"Role.ObjectID", d.derived("role", role.template).String(), "Role.DisplayName", role.name, "Role.TemplateId", role.template, "Role.WellKnownObjectName", role.wellKnown,
	)}
}
