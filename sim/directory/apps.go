// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package directory

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func applicationReference(a *Application) reference {
	return reference{kind: "Application", id: a.ID, name: a.DisplayName, appID: a.AppID.String()}
}

func principalReference(sp *ServicePrincipal) reference {
	return reference{kind: "ServicePrincipal", id: sp.ID, name: sp.DisplayName, appID: sp.AppID.String(), others: strings.Join(append([]string{sp.AppID.String()}, sp.Names...), ";")}
}

// AddApplication registers an application and its service principal, owned by
// the actor if that is a user or an application.
func (d *Directory) AddApplication(by By, name string) (Application, ServicePrincipal, *Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Whoever has an account may register applications: the tenant's default.
	if err := d.mayLocked(by, "add application", toManageApps, d.anyUserLocked(by.Actor)); err != nil {
		return Application{}, ServicePrincipal{}, nil, err
	}
	a := Application{ID: d.newIDLocked(), AppID: d.newIDLocked(), DisplayName: name, Created: by.Time.UTC()}
	sp := ServicePrincipal{ID: d.newIDLocked(), AppID: a.AppID, DisplayName: name, Enabled: true, Created: by.Time.UTC()}
	c := &Change{}
	app := entry{operation: "Add application.", category: "Application", target: applicationReference(&a), modified: updated(
		property{"AppId", quoted(a.AppID.String()), ""},
		property{"AvailableToOtherTenants", "false", ""},
		property{"DisplayName", quoted(name), ""},
	)}
	principal := entry{operation: "Add service principal.", category: "ServicePrincipal", target: principalReference(&sp), modified: updated(
		property{"AccountEnabled", "true", ""},
		property{"AppPrincipalId", quoted(a.AppID.String()), ""},
		property{"DisplayName", quoted(name), ""},
		property{"ServicePrincipalName", quoted(a.AppID.String()), ""},
	)}
	c.log(app, app.undone("Delete application."))
	if !by.Actor.IsZero() {
		a.Owners, sp.Owners = []ID{by.Actor}, []ID{by.Actor}
		c.log(ownerEntry(applicationReference(&a), d.referenceLocked(by.Actor), true), entry{})
	}
	c.log(principal, principal.undone("Remove service principal."))
	replace(c, d.state.apps, a.ID, &a)
	replace(c, d.state.principals, sp.ID, &sp)
	d.indexLocked()
	d.writeLocked(by, c)
	return a, sp, c, nil
}

// anyUserLocked is the id itself if a user has it, so that being one is enough.
func (d *Directory) anyUserLocked(id ID) ID {
	if _, ok := d.userLocked(id); ok {
		return id
	}
	return ID{0xff} // nobody's
}

// ownerEntry: the target is the owner, and what is owned stands in the
// properties.
func ownerEntry(owned, owner reference, added bool) entry {
	operation, kind := "Add owner to application.", "Application"
	if owned.kind == "ServicePrincipal" {
		operation, kind = "Add owner to service principal.", owned.kind
	}
	e := entry{operation: operation, category: kind, target: owner, modified: linked(kind+".ObjectID", owned.id.String(), kind+".DisplayName", owned.name, kind+".AppId", owned.appID)}
	if !added {
		e = e.undone(strings.Replace(strings.Replace(operation, "Add", "Remove", 1), " to ", " from ", 1))
	}
	return e
}

// holder is what applications and service principals have in common here.
type holder struct {
	name        reference
	owners      *[]ID
	credentials *[]Credential
}

// changeHolder changes an application or a service principal, whichever has the
// id.
func (d *Directory) changeHolder(by By, what string, id ID, f func(h holder, c *Change) error) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &Change{}
	var h holder
	var store func()
	if a := d.state.apps[id]; a != nil && !a.Deleted {
		n := *a
		h = holder{applicationReference(a), &n.Owners, &n.Credentials}
		store = func() { replace(c, d.state.apps, id, &n) }
	} else if sp := d.state.principals[id]; sp != nil && !sp.Deleted {
		n := *sp
		h = holder{principalReference(sp), &n.Owners, &n.Credentials}
		store = func() { replace(c, d.state.principals, id, &n) }
	} else {
		return nil, fmt.Errorf("%s: application %s: %w", what, id, ErrNotFound)
	}
	*h.owners, *h.credentials = slices.Clone(*h.owners), slices.Clone(*h.credentials)
	if err := d.mayLocked(by, what, toManageApps, *h.owners...); err != nil {
		return nil, err
	}
	if err := f(h, c); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", what, h.name.name, err)
	}
	store()
	d.writeLocked(by, c)
	return c, nil
}

// AddCredential gives an application or a service principal another credential.
func (d *Directory) AddCredential(by By, holderID ID, kind CredentialKind, name string, life time.Duration) (Credential, *Change, error) {
	var k Credential
	c, err := d.changeHolder(by, "add credential", holderID, func(h holder, c *Change) error {
		if kind != Password && kind != Certificate {
			return fmt.Errorf("%q is no kind of credential: use password or certificate", kind)
		}
		k = Credential{KeyID: d.newIDLocked(), Kind: kind, DisplayName: name, Start: by.Time.UTC(), End: by.Time.Add(life).UTC()}
		before := *h.credentials
		after := append(slices.Clone(before), k)
		*h.credentials = after
		logCredentials(c, h.name, before, after)
		return nil
	})
	return k, c, err
}

// RemoveCredential takes a credential away.
func (d *Directory) RemoveCredential(by By, holderID, key ID) (*Change, error) {
	return d.changeHolder(by, "remove credential", holderID, func(h holder, c *Change) error {
		before := *h.credentials
		i := slices.IndexFunc(before, func(k Credential) bool { return k.KeyID == key })
		if i < 0 {
			return fmt.Errorf("key %s: %w", key, ErrNotFound)
		}
		after := slices.Delete(slices.Clone(before), i, i+1)
		*h.credentials = after
		logCredentials(c, h.name, before, after)
		return nil
	})
}

// logCredentials logs a change of keys. On an application the service writes the
// change and that the object was updated, on a service principal a record of
// its own.
func logCredentials(c *Change, of reference, before, after []Credential) {
	row := property{"KeyDescription", describeKeys(after), describeKeys(before)}
	rows := updated(row)
	if of.kind == "Application" {
		e := entry{operation: "Update application – Certificates and secrets management ", category: "Application", target: of, modified: rows}
		c.log(e, e.undone(e.operation))
		u := entry{operation: "Update application.", category: "Application", target: of, modified: updated()}
		c.log(u, u)
		return
	}
	added := entry{operation: "Add service principal credentials.", category: "ServicePrincipal", target: of, modified: rows}
	removed := added.undone("Remove service principal credentials.")
	if len(after) < len(before) {
		added.operation, removed.operation = removed.operation, added.operation
	}
	c.log(added, removed)
}

func describeKeys(keys []Credential) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		kind := "Password"
		if k.Kind == Certificate {
			kind = "AsymmetricX509Cert"
		}
		texts[i] = fmt.Sprintf("[KeyIdentifier=%s,KeyType=%s,KeyUsage=Verify,DisplayName=%s]", k.KeyID, kind, k.DisplayName)
	}
	return quoted(texts...)
}

// AddOwner makes a user or an application owner of an application or service
// principal: it may change it from now on.
func (d *Directory) AddOwner(by By, holderID, owner ID) (*Change, error) {
	return d.changeHolder(by, "add owner", holderID, func(h holder, c *Change) error {
		if slices.Contains(*h.owners, owner) {
			return ErrConflict
		}
		*h.owners = append(*h.owners, owner)
		who := d.referenceLocked(owner)
		c.log(ownerEntry(h.name, who, true), ownerEntry(h.name, who, false))
		return nil
	})
}

// RemoveOwner is the reverse.
func (d *Directory) RemoveOwner(by By, holderID, owner ID) (*Change, error) {
	return d.changeHolder(by, "remove owner", holderID, func(h holder, c *Change) error {
		i := slices.Index(*h.owners, owner)
		if i < 0 {
			return fmt.Errorf("owner %s: %w", owner, ErrNotFound)
		}
		*h.owners = slices.Delete(*h.owners, i, i+1)
		who := d.referenceLocked(owner)
		c.log(ownerEntry(h.name, who, false), ownerEntry(h.name, who, true))
		return nil
	})
}

// EnablePrincipal lets a service principal get tokens, or not.
func (d *Directory) EnablePrincipal(by By, id ID, enabled bool) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sp := d.state.principals[id]
	if sp == nil || sp.Deleted {
		return nil, fmt.Errorf("enable service principal: %s: %w", id, ErrNotFound)
	}
	if err := d.mayLocked(by, "enable service principal", toManageApps, sp.Owners...); err != nil {
		return nil, err
	}
	if sp.Enabled == enabled {
		return nil, fmt.Errorf("enable service principal: %s: %w", sp.DisplayName, ErrConflict)
	}
	n := *sp
	n.Enabled = enabled
	c := &Change{}
	e := entry{operation: "Update service principal.", category: "ServicePrincipal", target: principalReference(sp), modified: updated(property{"AccountEnabled", fmt.Sprint(enabled), fmt.Sprint(!enabled)})}
	c.log(e, e.undone(e.operation))
	replace(c, d.state.principals, id, &n)
	d.writeLocked(by, c)
	return c, nil
}

// DeletePrincipal removes a service principal and what was granted to it, and
// the application behind it if that is the tenant's own.
func (d *Directory) DeletePrincipal(by By, id ID) (*Change, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sp := d.state.principals[id]
	if sp == nil || sp.Deleted {
		return nil, fmt.Errorf("delete service principal: %s: %w", id, ErrNotFound)
	}
	if err := d.mayLocked(by, "delete service principal", toManageApps, sp.Owners...); err != nil {
		return nil, err
	}
	c := &Change{}
	for _, a := range d.assignmentsLocked(id) {
		d.unassignLocked(c, a)
	}
	for _, g := range d.grantsLocked(id) {
		d.ungrantLocked(c, g)
	}
	for _, r := range d.memberOfLocked(id) {
		d.leaveLocked(c, r)
	}
	n := *sp
	n.Deleted = true
	replace(c, d.state.principals, id, &n)
	e := entry{operation: "Remove service principal.", category: "ServicePrincipal", target: principalReference(sp)}
	c.log(e, entry{operation: "Restore service principal.", category: e.category, target: e.target})
	for _, a := range d.state.apps {
		if a.AppID == sp.AppID && !a.Deleted {
			m := *a
			m.Deleted = true
			replace(c, d.state.apps, a.ID, &m)
			e := entry{operation: "Delete application.", category: "Application", target: applicationReference(a)}
			c.log(e, entry{operation: "Restore application.", category: e.category, target: e.target})
		}
	}
	d.indexLocked()
	d.writeLocked(by, c)
	return c, nil
}
