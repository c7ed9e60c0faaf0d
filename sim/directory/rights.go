// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"strings"
)

// right is what a method needs its actor to have: for a service principal one of
// the application roles, on whatever service; for a user, and for a service
// principal as well, one of the directory roles. A Global Administrator may
// always.
type right struct {
	appRoles []string
	roles    []string
}

var (
	toManageApps        = right{[]string{"Application.ReadWrite.All", "Directory.ReadWrite.All"}, []string{"Application Administrator", "Cloud Application Administrator"}}
	toAssignRoles       = right{[]string{"AppRoleAssignment.ReadWrite.All"}, []string{"Privileged Role Administrator"}}
	toGrant             = right{[]string{"DelegatedPermissionGrant.ReadWrite.All", "Directory.ReadWrite.All"}, []string{"Application Administrator", "Cloud Application Administrator", "Privileged Role Administrator"}}
	toManageUsers       = right{[]string{"User.ReadWrite.All", "Directory.ReadWrite.All"}, []string{"User Administrator"}}
	toManageAuth        = right{[]string{"UserAuthenticationMethod.ReadWrite.All"}, []string{"Authentication Administrator", "User Administrator"}}
	toManageRoles       = right{[]string{"RoleManagement.ReadWrite.Directory"}, []string{"Privileged Role Administrator"}}
	toManageDevice      = right{[]string{"Device.ReadWrite.All", "Directory.ReadWrite.All"}, []string{"Intune Administrator"}}
	toManageDiagnostics = right{nil, []string{"Security Administrator"}}
	toManageMail        = right{[]string{"Exchange.ManageAsApp", "MailboxSettings.ReadWrite"}, []string{"Exchange Administrator"}}
)

// mayLocked says whether the actor may do it. Owners are ids whose owning is
// enough: the actor itself, or an owner of what is changed.
func (d *Directory) mayLocked(by By, what string, need right, owners ...ID) error {
	if by.Actor.IsZero() {
		return nil
	}
	denied := func(why string) error {
		return fmt.Errorf("%s: %s %s: %w", what, d.referenceLocked(by.Actor).label(), why, ErrDenied)
	}
	if u, ok := d.userLocked(by.Actor); ok {
		switch {
		case !u.Enabled || u.Deleted:
			return denied("is disabled")
		case !by.Session.IsZero() && !d.sessionLiveLocked(by.Session):
			return denied("has no session any more")
		}
	} else if sp := d.state.principals[by.Actor]; sp == nil {
		return fmt.Errorf("%s: actor %s: %w", what, by.Actor, ErrNotFound)
	} else if !by.Session.IsZero() {
		t, err := d.tokenLocked(by)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		// What the token says counts, whatever was taken away since it was issued.
		if slices.ContainsFunc(t.Roles, func(r string) bool { return slices.Contains(need.appRoles, r) }) {
			return nil
		}
		if slices.Contains(owners, by.Actor) || d.hasRoleLocked(by.Actor, need.roles) {
			return nil
		}
		return denied("has a token without " + strings.Join(need.appRoles, ", "))
	} else if !sp.Enabled || sp.Deleted {
		return denied("is disabled")
	}
	if slices.Contains(owners, by.Actor) || d.hasRoleLocked(by.Actor, need.roles) || d.hasAppRoleLocked(by.Actor, need.appRoles) {
		return nil
	}
	return denied("needs one of " + strings.Join(append(slices.Clone(need.roles), need.appRoles...), ", "))
}

func (d *Directory) hasRoleLocked(principal ID, names []string) bool {
	for _, a := range d.state.roles {
		if a.Principal != principal {
			continue
		}
		name := roleName(a.Role)
		if name == globalAdministrator || slices.Contains(names, name) {
			return true
		}
	}
	return false
}

func (d *Directory) hasAppRoleLocked(principal ID, values []string) bool {
	for _, a := range d.state.assignments {
		if a.Principal != principal {
			continue
		}
		if sp := d.state.principals[a.Resource]; sp != nil && slices.ContainsFunc(sp.AppRoles, func(r AppRole) bool {
			return r.ID == a.Role && slices.Contains(values, r.Value)
		}) {
			return true
		}
	}
	return false
}

// label is what error texts call an object.
func (r reference) label() string {
	if r.upn != "" {
		return r.upn
	}
	return r.name
}
