// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daybreak-sec/daybreak/sim/record"
)

// NewUser is what an account is made from.
type NewUser struct {
	Name        string // what stands before the @ of its UPN
	DisplayName string
	Department  string
	Title       string
	WeakSignIn  bool
}

// AddUser makes an account that belongs to no person of the company.
func (d *Directory) AddUser(by By, n NewUser) (User, *Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.mayLocked(by, "add user", toManageUsers); err != nil {
		return User{}, nil, err
	}
	upn := n.Name + "@" + d.domain
	if !validName(n.Name) {
		return User{}, nil, fmt.Errorf("add user: %.60q cannot stand before the @ of a user principal name: use letters, digits, dots and dashes", n.Name)
	}
	if _, taken := d.findLocked(upn); taken {
		return User{}, nil, fmt.Errorf("add user: %s exists already: %w", upn, ErrConflict)
	}
	id := d.newIDLocked()
	u := User{
		ID: id, UPN: upn, PUID: puid(id), DisplayName: n.DisplayName, Department: n.Department, Title: n.Title, Person: -1,
		Enabled: true, WeakSignIn: n.WeakSignIn, Created: by.Time.UTC(), SessionsValidFrom: by.Time.UTC(), PasswordChanged: by.Time.UTC(),
	}
	c := &Change{}
	replace(c, d.state.users, id, &u)
	d.indexLocked()
	e := entry{operation: "Add user.", category: "User", target: userReference(&u), modified: updated(
		property{"AccountEnabled", "true", ""},
		property{"DisplayName", quoted(u.DisplayName), ""},
		property{"MailNickname", quoted(n.Name), ""},
		property{"StsRefreshTokensValidFrom", quoted(stamp(by.Time)), ""},
		property{"UserPrincipalName", quoted(upn), ""},
		property{"UserType", quoted("Member"), ""},
	)}
	c.log(e, e.undone("Delete user."))
	d.writeLocked(by, c)
	return u, c, nil
}

func validName(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

// puid makes a passport id: sixteen hexadecimal digits that begin with 1003.
func puid(id ID) string {
	return fmt.Sprintf("1003%012X", wordOf(id)>>16)
}

// changeUser is what the methods on one account have in common: the change is
// made on a copy, which f describes.
func (d *Directory) changeUser(by By, what string, id ID, need right, self bool, f func(u *User, c *Change) error) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, ok := d.userLocked(id)
	if !ok || u.Deleted {
		return nil, fmt.Errorf("%s: user %s: %w", what, id, ErrNotFound)
	}
	var owners []ID
	if self {
		owners = []ID{id}
	}
	if err := d.mayLocked(by, what, need, owners...); err != nil {
		return nil, err
	}
	c := &Change{}
	u.Methods = slices.Clone(u.Methods)
	if err := f(&u, c); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", what, u.UPN, err)
	}
	replace(c, d.state.users, id, &u)
	d.indexLocked()
	d.writeLocked(by, c)
	return c, nil
}

// DeleteUser moves an account to the recycle bin.
func (d *Directory) DeleteUser(by By, id ID) (*Change, error) {
	return d.changeUser(by, "delete user", id, toManageUsers, false, func(u *User, c *Change) error {
		u.Deleted = true
		e := entry{operation: "Delete user.", category: "User", target: userReference(u), modified: []property{{"Is Hard Deleted", "False", ""}}}
		c.log(e, entry{operation: "Restore user.", category: "User", target: e.target})
		return nil
	})
}

// EnableUser lets an account sign in, or not.
func (d *Directory) EnableUser(by By, id ID, enabled bool) (*Change, error) {
	return d.changeUser(by, "enable user", id, toManageUsers, false, func(u *User, c *Change) error {
		if u.Enabled == enabled {
			return ErrConflict
		}
		u.Enabled = enabled
		on := entry{operation: "Enable account.", category: "User", target: userReference(u), modified: updated(property{"AccountEnabled", "true", "false"})}
		off := on.undone("Disable account.")
		if !enabled {
			on, off = off, on
		}
		c.log(on, off)
		return nil
	})
}

// RevokeSessions ends all sessions of an account that began before now.
func (d *Directory) RevokeSessions(by By, id ID) (*Change, error) {
	return d.changeUser(by, "revoke sessions", id, toManageUsers, true, func(u *User, c *Change) error {
		revoke(by, u, c)
		return nil
	})
}

func revoke(by By, u *User, c *Change) {
	before := ""
	if !u.SessionsValidFrom.IsZero() {
		before = quoted(stamp(u.SessionsValidFrom))
	}
	u.SessionsValidFrom = by.Time.UTC()
	e := entry{operation: "Update StsRefreshTokenValidFrom Timestamp.", category: "User", target: userReference(u), modified: updated(property{"StsRefreshTokensValidFrom", quoted(stamp(by.Time)), before})}
	c.log(e, e.undone(e.operation))
}

// ResetPassword gives an account a new password, which ends its sessions.
func (d *Directory) ResetPassword(by By, id ID) (*Change, error) {
	return d.changeUser(by, "reset password", id, toManageUsers, true, func(u *User, c *Change) error {
		u.PasswordChanged = by.Time.UTC()
		operation := "Reset user password."
		if by.Actor == id {
			operation = "Change user password."
		}
		c.log(entry{operation: operation, category: "User", target: userReference(u)}, entry{})
		revoke(by, u, c)
		return nil
	})
}

// AddMethod registers a method to sign in with.
func (d *Directory) AddMethod(by By, id ID, kind MethodKind, detail string) (Method, *Change, error) {
	var m Method
	c, err := d.changeUser(by, "add sign-in method", id, toManageAuth, true, func(u *User, c *Change) error {
		m = Method{ID: d.newIDLocked(), Kind: kind, Detail: detail, Created: by.Time.UTC()}
		u.Methods = append(u.Methods, m)
		c.log(methodEntry(by, u, m, true), methodEntry(by, u, m, false))
		return nil
	})
	return m, c, err
}

// RemoveMethod removes a method.
func (d *Directory) RemoveMethod(by By, id, method ID) (*Change, error) {
	return d.changeUser(by, "remove sign-in method", id, toManageAuth, true, func(u *User, c *Change) error {
		i := slices.IndexFunc(u.Methods, func(m Method) bool { return m.ID == method })
		if i < 0 {
			return fmt.Errorf("method %s: %w", method, ErrNotFound)
		}
		m := u.Methods[i]
		u.Methods = slices.Delete(u.Methods, i, i+1)
		c.log(methodEntry(by, u, m, false), methodEntry(by, u, m, true))
		return nil
	})
}

// methodEntry is what registering or deleting a method leaves: the user's own
// doing and an administrator's have other names.
func methodEntry(by By, u *User, m Method, added bool) entry {
	operation := "User registered security info"
	switch own := by.Actor == u.ID; {
	case own && !added:
		operation = "User deleted security info"
	case !own && added:
		operation = "Admin registered security info"
	case !own:
		operation = "Admin deleted security info"
	}
	row := property{"StrongAuthenticationMethod", quoted(string(m.Kind)), ""}
	if !added {
		row.after, row.before = "", row.after
	}
	return entry{operation: operation, category: "User", target: userReference(u), modified: updated(row)}
}

// RequireStrong takes an account into the policy that asks for a second factor,
// or out of it.
func (d *Directory) RequireStrong(by By, id ID, required bool) (*Change, error) {
	return d.changeUser(by, "require strong authentication", id, toManageAuth, false, func(u *User, c *Change) error {
		if u.WeakSignIn == !required {
			return ErrConflict
		}
		u.WeakSignIn = !required
		requirement := "{\r\n    \"RelyingParty\": \"*\",\r\n    \"State\": 1,\r\n    \"RememberDevicesNotIssuedBefore\": " + quoted(by.Time.UTC().Format(time.RFC3339)) + "\r\n  }"
		on := entry{operation: "Enable Strong Authentication.", category: "User", target: userReference(u), modified: updated(property{"StrongAuthenticationRequirement", requirement, ""})}
		off := on.undone("Disable Strong Authentication.")
		if !required {
			on, off = off, on
		}
		c.log(on, off)
		return nil
	})
}

func userReference(u *User) reference {
	return reference{kind: "User", id: u.ID, name: u.DisplayName, upn: u.UPN, puid: u.PUID}
}

// referenceLocked names whatever has the id; the service itself for the zero id.
func (d *Directory) referenceLocked(id ID) reference {
	if id.IsZero() {
		return reference{name: "Microsoft Azure AD Internal"}
	}
	if u, ok := d.userLocked(id); ok {
		return userReference(&u)
	}
	if sp := d.state.principals[id]; sp != nil {
		return principalReference(sp)
	}
	if a := d.state.apps[id]; a != nil {
		return applicationReference(a)
	}
	if v := d.state.devices[id]; v != nil {
		return reference{kind: "Device", id: v.ID, name: v.DisplayName}
	}
	return reference{name: record.GUID(id).String()}
}
